"""`python -m vos data check DIR`: what a folder holds, counts, and every problem found."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from vos.data import SPLITS, Video, Videos, VOSDataset, size_problem
from vos.files import VosError
from vos.files.images import frame_size, read_rgb
from vos.files.layouts import find_layout
from vos.masks import VOID, object_ids, read_mask


def check_folder(root: Path) -> tuple[list[str], list[str]]:
    """(lines that describe the set, one line for each problem). Reads every mask and the header of every frame.

    VosError where the folder is no set at all.
    """
    layout = find_layout(root)
    lines, problems = [f"{root}: {layout} layout"], list[str]()
    folders: set[Path] = set()
    counts: Counter[str] = Counter()
    try:
        dataset = VOSDataset(root)
    except VosError as error:
        return lines, [str(error)]
    for split in SPLITS:
        try:
            videos = dataset.split(split)
        except VosError as error:
            problems.append(str(error))
            continue
        folders |= {video.frame_paths[0].parent for video in videos}
        counts["train" if dataset.held_out and split == "valid" else split] += len(videos)  # where the set has them
        note = " (held out of the training list)" if dataset.held_out and split != "train" else ""
        with suppress(VosError):  # the frame that tells a video's size is broken: below, a problem of the video
            lines.append(f"  {split}: {describe(videos)}{note}")
        problems += [problem for video in videos for problem in video_problems(video)]
    lines += release(counts)
    if layout == "YouTube-VOS":  # DAVIS keeps the videos of all its lists in one folder
        problems += unlisted_videos(folders)
    return lines, list(dict.fromkeys(problems))  # valid shares its files with valid_truth


RELEASES = {  # videos of train and valid
    "YouTube-VOS 2018": (3471, 474),
    "YouTube-VOS 2019": (3471, 507),
    "DAVIS-2017": (60, 30),
    "DAVIS-2016": (30, 20),
}


def release(counts: dict[str, int]) -> list[str]:
    """What a set is by its numbers of videos, and what it lacks of that; nothing where it is none that we know."""
    found = counts.get("train", 0), counts.get("valid", 0)
    if whole := [name for name, numbers in RELEASES.items() if found == numbers]:
        return [f"  this is {whole[0]}, whole"]
    names = " or ".join(name for name, (train, _) in RELEASES.items() if found == (train, 0))
    return [f"  these are the training videos of {names}; its validation videos are missing"] if names else []


def unlisted_videos(listed: set[Path]) -> Iterator[str]:
    """Folders of frames that stand beside those of listed videos, but are not listed themselves."""
    for folder in sorted({path.parent for path in listed}):
        for path in sorted(folder.iterdir()):
            if path.is_dir() and path.name[0] != "." and path not in listed:
                yield f"{path}: {folder.parent / 'meta.json'} does not list this video; list it or remove the folder"


def describe(videos: Videos) -> str:
    """The counts of a split in words. VosError where the frame that tells a video's size is broken."""
    objects = [o for video in videos for o in video.objects]
    frames, annotated = sum(len(video) for video in videos), sum(len(video.annotated) for video in videos)
    sizes = [f"{height}x{width}" for (height, width), _ in Counter(video.size for video in videos).most_common()]
    others = f" and {len(sizes) - 1} other sizes" if len(sizes) > 1 else ""
    late = sum(o.first > 0 for o in objects)
    categories = len({o.category for o in objects} - {None}) or "no"
    text = f"{len(videos)} videos, {frames} frames, {annotated} annotated, {len(objects)} objects ({late} enter late)"
    return f"{text}, {sizes[0]}{others}, {categories} categories"


def video_problems(video: Video) -> Iterator[str]:
    """Problems of one video: unreadable files, sizes that differ, ids that no object has, objects never seen."""
    sizes = {}
    for frame in video.frame_paths:
        try:
            sizes[frame] = frame_size(frame)
            read_rgb(frame, (16, 16))
        except VosError as error:
            yield str(error)
    if len(set(sizes.values())) > 1:
        odd = Counter(sizes.values()).most_common()[-1][0]
        first = next(path for path, size in sizes.items() if size == odd)
        yield f"{first}: is {odd[0]}x{odd[1]}, other frames of this video are not; replace the file"
    known = {o.id for o in video.objects}
    if not known:
        yield f"{video.frame_paths[0].parent}: video {video.name} has no object; leave it out or annotate one"
    unseen = set(known)
    pairs = zip(video.frame_paths, video.mask_paths, strict=True)
    for frame, path in ((frame, path) for frame, path in pairs if path):
        try:
            ids = read_mask(path)
        except VosError as error:
            yield str(error)
            continue
        if problem := size_problem(path, ids.shape, sizes.get(frame, ids.shape)):
            yield problem
        present = set(object_ids(ids))
        unseen -= present
        if extra := ", ".join(str(i) for i in sorted(present - known)):
            yield f"{path}: holds id {extra}, which no object of video {video.name} has (id {VOID} would be void)"
    for object_id in sorted(unseen):
        yield f"{video.frame_paths[0].parent}: object {object_id} is listed but in no annotation of this split"
