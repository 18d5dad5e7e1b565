"""`python -m vos data check DIR`: what a folder holds, counts, and every problem found."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from vos.data import SPLITS, Video, VideoObjectSegmentation, find_layout
from vos.files import VosError
from vos.masks import VOID, object_ids, read_mask


def check_folder(root: Path) -> tuple[list[str], list[str]]:
    """(lines that describe the set, one line for each problem). Reads every mask and the header of every frame.

    VosError where the folder is no set at all.
    """
    layout = find_layout(root)
    lines, problems = [f"{root}: {layout} layout"], []
    checked: set[tuple[str, Path]] = set()
    for split in SPLITS:
        try:
            videos = VideoObjectSegmentation(root, split)
        except VosError as error:
            problems.append(str(error))
            continue
        lines.append(describe(videos))
        for video in videos:
            key = (video.name, video.frame_paths[0])
            if split == "valid" or key not in checked:  # valid shares its files with valid_truth
                problems += [p for p in video_problems(video) if p not in problems]
            if split != "valid":
                checked.add(key)
    return lines, list(dict.fromkeys(problems))


def describe(videos: VideoObjectSegmentation) -> str:
    """One line: counts of a split."""
    objects = [o for video in videos for o in video.objects]
    frames = sum(len(video) for video in videos)
    annotated = sum(len(video.annotated) for video in videos)
    sizes = Counter(video.size for video in videos).most_common()
    (height, width), _ = sizes[0]
    others = f" and {len(sizes) - 1} other sizes" if len(sizes) > 1 else ""
    late = sum(o.first > 0 for o in objects)
    categories = {o.category for o in objects} - {None}
    text = f"  {videos.split}: {len(videos)} videos, {frames} frames, {annotated} annotated, {len(objects)} objects"
    text += f" ({late} enter late), {height}x{width}{others}"
    text += f", {len(categories)} categories" if categories else ", no categories"
    return text + (" (held out of the training list)" if videos.held_out and videos.split != "train" else "")


def video_problems(video: Video) -> Iterator[str]:
    """Problems of one video: unreadable files, sizes that differ, ids that no object has, objects never seen."""
    sizes = {}
    for path in video.frame_paths:
        try:
            with Image.open(path) as image:
                sizes[path] = image.height, image.width
                image.draft("RGB", (16, 16))
                image.load()
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            yield f"{path}: cannot be read ({error}); replace the file"
    if len(set(sizes.values())) > 1:
        odd = Counter(sizes.values()).most_common()[-1][0]
        path = next(p for p, size in sizes.items() if size == odd)
        yield f"{path}: is {odd[0]}x{odd[1]}, other frames of this video are not; replace the file"
    known = {o.id for o in video.objects}
    unseen = set(known)
    for index in video.annotated:
        path = video.mask_paths[index]
        try:
            ids = read_mask(path)
        except VosError as error:
            yield str(error)
            continue
        expected = sizes.get(video.frame_paths[index], ids.shape)
        if ids.shape != expected:
            (h, w), (frame_h, frame_w) = ids.shape, expected
            yield f"{path}: is {h}x{w}, its frame is {frame_h}x{frame_w}; replace the mask"
        present = set(object_ids(ids))
        unseen -= present
        if present - known:
            extra = ", ".join(str(i) for i in sorted(present - known))
            yield f"{path}: holds id {extra}, which no object of video {video.name} has (id {VOID} would be void)"
    for object_id in sorted(unseen):
        yield f"{video.frame_paths[0].parent}: object {object_id} is listed but in no annotation of this split"
