"""`python -m vos data check DIR`: what a folder holds, counts, and every problem found."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from vos.data import SPLITS, Video, Videos, VOSDataset, size_problem
from vos.files import VosError, names_in_words
from vos.files.images import FRAME_ENDINGS, frame_size, read_rgb
from vos.files.layouts import find_layout, stray_images
from vos.files.names import natural_key
from vos.files.progress import tracked
from vos.masks import VOID, object_ids, read_mask

LISTED = 10  # notes that are printed before long work
WHOLE = 5000  # masks of a set that are all read before long work on it; of more, the headers


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
        except VosError as error:  # that a set has none of these is no fault, but for a folder without videos
            problems += [str(error)] if (root / split).is_dir() else []
            continue
        folders |= {video.frame_paths[0].parent for video in videos}
        counts[split] += len(videos)
        with suppress(VosError):  # the frame that tells a video's size is broken: below, a problem of the video
            lines.append(f"  {split}: {describe(videos)}")
        problems += [problem.text for video in videos for problem in video_problems(video, layout)]
    if not folders:
        problems.append(f"{root}: lists no video; is the set whole?")
    if counts["train"] and not counts["valid_truth"]:
        lines.append(held_out_note(root))
    lines += release(counts)
    if layout == "YouTube-VOS":  # DAVIS keeps the videos of all its lists in one folder
        problems += unlisted_videos(folders)
    return lines, list(dict.fromkeys(problems))  # valid shares its files with valid_truth


def held_out_note(root: Path) -> str:
    """What a report scores on, where a set has no validation videos with all their annotations."""
    try:
        held = VOSDataset(root, hold_out=True).split("valid")
    except VosError:
        return "  one training video: enough to train on, too few for a report, which holds out at least one"
    return (
        f"  a report holds {len(held)} of the training videos out, as there is no validation video with all annotations"
    )


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


def check_files(videos: Sequence[Video], root: Path) -> list[str]:
    """Read the files of a set before long work on it; returns what is odd but no hindrance, a line each.

    A set of at most WHOLE masks is read whole, of a larger one the names and headers, with what they tell. VosError
    names the first file that cannot be used.
    """
    layout, whole = find_layout(root), sum(len(video.annotated) for video in videos) <= WHOLE
    notes = list[str]()
    with ThreadPoolExecutor() as pool:
        checks = [pool.submit(lambda video: list(video_problems(video, layout, whole)), video) for video in videos]
        try:
            for check in tracked(checks, "checking the files", len(checks), "video"):
                for problem in check.result():
                    if problem.fatal:
                        raise VosError(f"{problem.text} (`python -m vos data check {root}` names all problems)")
                    notes.append(problem.text)
        finally:
            pool.shutdown(cancel_futures=True)
    rest = len(notes) - LISTED
    more = f"{root}: {rest} more of this kind; `python -m vos data check {root}` names them all"
    return notes if rest <= 0 else [*notes[:LISTED], more]


class Problem(NamedTuple):
    """Something wrong with a video's files. fatal: it cannot be used so; else a part of it is left out."""

    text: str
    fatal: bool = True


def video_problems(video: Video, layout: str, whole: bool = True) -> Iterator[Problem]:
    """Unreadable files, sizes that differ, ids that no object has, objects never seen.

    layout: of the set. whole: read every file; else only its header.
    """
    sizes = {}
    for frame in video.frame_paths:
        try:
            sizes[frame] = frame_size(frame)
            if whole:
                read_rgb(frame, (16, 16))
        except VosError as error:
            yield Problem(str(error))
    if len(set(sizes.values())) > 1:
        odd = Counter(sizes.values()).most_common()[-1][0]
        first = next(path for path, size in sizes.items() if size == odd)
        yield Problem(f"{first}: is {odd[0]}x{odd[1]}, other frames of this video are not; replace the file")
    folders = {path.parent: endings for path, endings in first_files(video) if path}
    for stray in (path for folder, endings in folders.items() for path in stray_images(folder, endings)):
        advice = "it is left out, by name or kind no frame or mask; move it away, or rename or convert it"
        yield Problem(f"{stray}: {advice}", fatal=False)
    known = {o.id for o in video.objects}
    unseen, strange = set(known), dict[int, Path]()
    for frame, path in zip(video.frame_paths, video.mask_paths, strict=True):
        if path is None:
            continue
        try:
            ids = read_mask(path) if whole else None
            size = frame_size(path) if ids is None else ids.shape
        except VosError as error:
            yield Problem(str(error))
            continue
        if problem := size_problem(path, size, sizes.get(frame, size)):
            yield Problem(problem)
        present = known if ids is None else set(object_ids(ids))
        unseen -= present
        strange = dict.fromkeys(present - known, path) | strange
    if strange:
        yield Problem(strange_ids(video, strange, layout), fatal=False)
    elif not known:
        folder = video.frame_paths[0].parent
        yield Problem(f"{folder}: video {video.name} has no object; leave it out or annotate one", fatal=False)
    for object_id in sorted(unseen):
        text = f"{video.frame_paths[0].parent}: object {object_id} is listed but in no annotation of this split"
        yield Problem(text, fatal=False)


def first_files(video: Video) -> list[tuple[Path | None, tuple[str, ...]]]:
    """The first frame and the first mask of a video, and which endings the others in their folders may have."""
    return [(video.frame_paths[0], FRAME_ENDINGS), (next(filter(None, video.mask_paths), None), (".png",))]


def strange_ids(video: Video, strange: Mapping[int, Path], layout: str) -> str:
    """What to say of ids that no object of a video has, and the first mask of each."""
    first = min(strange.values(), key=lambda path: natural_key(path.name))
    ids = names_in_words([str(number) for number in sorted(strange)])
    fault = f"which no object of video {video.name} has" if video.objects else f"but video {video.name} has no object"
    remedy = "list its objects in meta.json"
    if layout == "DAVIS":
        remedy = (
            "a DAVIS layout has the objects of the first mask only: begin the video where all are there, or use the "
            "YouTube-VOS layout, whose meta.json lists late ones too"
        )
    return f"{first}: holds id {ids}, {fault}; {remedy} (id {VOID} would be void)"
