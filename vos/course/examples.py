"""The rules that choose the videos, objects and clips a lesson shows, so that nobody picks the prettiest.

Each works on any set: with or without categories, with one object a video or many. An entry is what a score file says
of one object ("video", "object", "category", "J_mean" ...).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from torch import Tensor

from vos.clips import Clip, ClipDataset
from vos.course.drawing import box_of
from vos.data import Video, VideoObject, Videos
from vos.files import VosError
from vos.inference import best_threshold
from vos.metrics import boundary, dilate, region_similarity
from vos.video.drawn import box_corners

Item = TypeVar("Item")


def evenly_spaced(items: Sequence[Item], count: int) -> list[Item]:
    """`count` of the items, the first and the last among them; with fewer items some come twice."""
    return [items[i] for i in np.linspace(0, len(items) - 1, count).round().astype(int)]


def hold_out(videos: Sequence[Item], count: int) -> tuple[list[Item], list[Item]]:
    """(to train on, to measure on): the first `count` are held out, but at most half."""
    count = min(count, len(videos) // 2)
    return list(videos[count:]), list(videos[:count])


def first_area(video: Video, item: VideoObject) -> float:
    """The fraction of the frame that an object covers in its first mask."""
    return float((video.mask(item.first) == item.id).mean())


def at_start(video: Video) -> list[VideoObject]:
    """The objects that are there from the first frame on."""
    return [item for item in video.objects if item.first == 0]


def frames_from_first(video: Video, item: VideoObject) -> list[int]:
    """The annotated frames of a video from an object's first on."""
    return [i for i in video.annotated if i >= item.first]


def find_object(videos: Videos, entry: dict) -> tuple[Video, VideoObject]:
    """The video and the object that an entry is about."""
    video = videos.named(entry["video"])
    return video, next(item for item in video.objects if item.id == entry["object"])


def crowded_video(videos: Sequence[Video]) -> Video:
    """Of the videos with three objects at the start (or the most, below three), that with the largest smallest one."""
    counts = [len(at_start(video)) for video in videos]
    count = max((n for n in counts if n <= 3), default=max(counts))
    crowds = [video for video, n in zip(videos, counts, strict=True) if n == count]
    return max(crowds, key=lambda video: min((first_area(video, item) for item in at_start(video)), default=0))


def largest_late_object(videos: Sequence[Video]) -> tuple[Video, VideoObject]:
    """Of the objects that enter after the first frame, the largest in its first mask; of all, where none is late."""
    return max(all_objects(videos), key=lambda pair: (pair[1].first > 0, first_area(*pair)))


def largest_object(videos: Sequence[Video]) -> tuple[Video, VideoObject]:
    """The object that covers most of the frame in its first mask."""
    return max(all_objects(videos), key=lambda pair: first_area(*pair))


def all_objects(videos: Sequence[Video]) -> list[tuple[Video, VideoObject]]:
    """Every object of every video, with its video."""
    return [(video, item) for video in videos for item in video.objects]


def oddest_shape(videos: Sequence[Video], size: tuple[int, int]) -> Video:
    """The video whose proportions are furthest from those of `size` (H, W)."""
    return max(videos, key=lambda v: abs(np.log(v.size[0] / v.size[1] / (size[0] / size[1]))))


def first_frame_objects(videos: Sequence[Video], size: tuple[int, int]) -> list[tuple[Video, VideoObject]]:
    """Of every video the first object that is there from the first frame on, if it can be seen at `size` (H, W)."""
    firsts = [(video, items[0]) for video in videos if (items := at_start(video))]
    return [(video, item) for video, item in firsts if (video.mask(0, size) == item.id).any()]


def moving_clip(clips: ClipDataset, count: int, smallest: float = 0.04) -> tuple[Clip, float]:
    """Of the first `count` clips, those with an object that covers more than `smallest` of each frame; of these (or of
    all), the one in which it moves most: keeping the first mask scores the least J. Returns the clip and that J.
    """
    drawn = [clips[number, 5] for number in range(count)]
    large = [clip for clip in drawn if clip.masks.mean(dim=(1, 2, 3)).min() > smallest] or drawn
    return min(((clip, copy_first_J(clip)) for clip in large), key=lambda pair: pair[1])


def copy_first_J(clip: Clip) -> float:
    """Mean J of a clip's first mask against each of the later ones."""
    first, *later = clip.masks[:, 0].bool().numpy()
    return float(np.mean([region_similarity(first, mask) for mask in later]))


def scored_entries(videos: Sequence[Video], entries: Sequence[dict]) -> list[dict]:
    """The entries that are about one of these videos. VosError where none is, as the scores are of another set then."""
    names = {video.name for video in videos}
    found = [entry for entry in entries if entry["video"] in names]
    if not found:
        advice = "run `python -m vos report --data` on this one, and set VOS_RUN to the folder it writes"
        raise VosError(f"the scores hold none of these videos: they were made on another set; {advice}")
    return found


def busiest_video(videos: Sequence[Video], entries: Sequence[dict]) -> Video:
    """Of the videos that were scored, the first with the most objects; VosError as `scored_entries`."""
    names = {entry["video"] for entry in scored_entries(videos, entries)}
    return max((video for video in videos if video.name in names), key=lambda video: len(video.objects))


def highest_first_id(videos: Sequence[Video]) -> Video:
    """The video that starts with the highest id, of objects that cover at least 2 % of the first frame."""
    return max(videos, key=lambda v: max((i.id for i in at_start(v) if first_area(v, i) >= 0.02), default=0))


def half_sure_mask(
    videos: Sequence[Video], kept: Mapping[str, Sequence[tuple[list[int], Tensor]]]
) -> tuple[Video, int, int]:
    """Of the videos with one object (of all, where none has one), the mask whose own best threshold is nearest to one
    third, that of an expected J of one half: its video, frame and place among the objects of the frame.

    kept: of each video by name, ids and probabilities (K, h, w), frame by frame (`vos.inference.object_probabilities`).
    """
    alone = [video for video in videos if len(video.objects) == 1] or videos
    masks = [(v, i, k) for v in alone for i in v.annotated for k in range(len(kept[v.name][i][0]))]

    def distance(mask: tuple[Video, int, int]) -> float:
        video, i, k = mask
        return abs(best_threshold(kept[video.name][i][1][k].numpy()) - 1 / 3)

    return min(masks, key=distance)


class Example(NamedTuple):
    """A clip of one object: its frames, and why it was chosen, in words."""

    video: Video
    item: VideoObject
    frames: list[int]
    why: str


def tiger_and_person(videos: Videos, score: Callable[[Video, VideoObject], float], count: int = 7) -> Example:
    """The report's figure 3, a tiger that is "progressively occluded by a person".

    Of the tigers that are there from the first frame on and cover at least 3 % of it, the one that has the smallest
    fraction of its first area left in a frame in which a person covers it; the clip ends there. Where no person covers
    a tiger: of `count` evenly spaced videos the first objects, and of these the one with the median score (score(video,
    object): its J, say); the clip is the whole video.
    """
    tigers = [(v, item) for v in videos for item in at_start(v) if item.category == "tiger"]
    covered = [(covered_by_a_person(*pair), *pair) for pair in tigers if first_area(*pair) >= 0.03]
    if covered:
        (left, last), video, item = min(covered, key=lambda entry: entry[0])
        if left < 1:
            why = f"a person covers it; at the end, {left:.0%} of its first area is visible"
            return Example(video, item, [i for i in video.annotated if i <= last], why)
    sample = [(v, v.objects[0]) for v in evenly_spaced(videos, min(count, len(videos)))]
    video, item = sorted(sample, key=lambda pair: score(*pair))[(len(sample) - 1) // 2]
    return Example(video, item, frames_from_first(video, item), f"the median of {len(sample)} videos, whole")


def covered_by_a_person(video: Video, item: VideoObject) -> tuple[float, int]:
    """The smallest fraction of its first area that an object shows while a person covers it, and the frame; (1, its
    first frame) where none does. A person covers it where a tenth of its outline touches the person.
    """
    persons = [other.id for other in video.objects if other.category == "person"]
    area, smallest = (video.mask(item.first) == item.id).sum(), (1.0, item.first)
    for i in video.annotated if persons else ():
        ids = video.mask(i)
        mask = ids == item.id
        if (dilate(mask, 1) & np.isin(ids, persons)).sum() > 0.1 * boundary(mask).sum():
            smallest = min(smallest, (float(mask.sum() / area), i))
    return smallest


def median_entry(entries: Sequence[dict], category: str | None = None) -> dict:
    """The entry with the median J_mean, the lower of two: of one category, where it occurs, else of all."""
    chosen = [entry for entry in entries if category and entry.get("category") == category] or entries
    return sorted(chosen, key=lambda entry: (entry["J_mean"], entry["video"]))[(len(chosen) - 1) // 2]


def by_kind(entries: Sequence[dict]) -> dict[str, list[int]]:
    """Places in the list of the entries of each category, by name; of each video where a set has no categories."""
    kinds = [entry.get("category") or entry["video"] for entry in entries]
    return {name: [i for i, kind in enumerate(kinds) if kind == name] for name in sorted(set(kinds))}


def same_kind_pairs(videos: Sequence[Video], entries: Sequence[dict]) -> list[dict]:
    """Pairs of objects of one category that are there from the first frame on and were scored, the first two of each
    category and video, as entries with "objects", their ids, and "J_mean", the mean of both.
    """
    J = {(entry["video"], entry["object"]): entry["J_mean"] for entry in entries}
    pairs = []
    for video in videos:
        early = [item for item in at_start(video) if (video.name, item.id) in J]
        for category in sorted({item.category for item in early if item.category}):
            ids = [item.id for item in early if item.category == category][:2]
            if len(ids) == 2:
                J_mean = float(np.mean([J[video.name, k] for k in ids]))
                pairs.append({"video": video.name, "objects": ids, "category": category, "J_mean": J_mean})
    return pairs


def worst_entry(entries: Sequence[dict], areas: Sequence[float], smallest: float = 0.01) -> dict:
    """The entry with the lowest J_mean, of objects whose first mask covers at least `smallest` of the frame (of all,
    where none does): of less there is hardly anything to see. areas: `first_area` of each.
    """
    large = [entry for entry, area in zip(entries, areas, strict=True) if area >= smallest]
    return min(large or entries, key=lambda entry: entry["J_mean"])


def inside_edge_outside(mask: np.ndarray, grid: tuple[int, int]) -> dict[str, tuple[int, int]]:
    """Three cells (row, column) of a grid over a mask (H, W): "inside" it, "at the edge", and "outside".

    The first is the cell with most of the object that lies deepest in it, the last the one farthest from it; the edge
    is the cell whose half is the object's, or nearly. None lies at the border of the picture.
    """
    rows, columns = grid
    share = mask.reshape(rows, mask.shape[0] // rows, columns, mask.shape[1] // columns).mean(axis=(1, 3))
    cells = np.stack(np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij"), axis=-1).reshape(-1, 2)
    held = share.reshape(-1)

    def apart(among: np.ndarray) -> np.ndarray:
        """How far each cell lies from the nearest of some cells."""
        return np.linalg.norm(cells[:, None] - cells[among][None], axis=-1).min(axis=1)

    whole, none = held >= held.max(), np.zeros(len(cells))
    scores = {
        "inside": np.where(whole, apart(~whole) if (~whole).any() else 0.0, -1.0),
        "at the edge": -np.abs(held - 0.5),
        "outside": apart(held > 0) if (held > 0).any() else none,
    }
    border = (cells == 0).any(axis=1) | (cells == np.array(grid) - 1).any(axis=1)
    picked = {name: np.where(border, -np.inf, score).argmax() for name, score in scores.items()}
    return {name: (int(cells[i][0]), int(cells[i][1])) for name, i in picked.items()}


def corners_around(mask: np.ndarray, count: int = 12) -> list[tuple[float, float]]:
    """What a patient hand would click around an object: of `count` equal sectors around the middle of a boolean mask
    (H, W), the farthest pixel (x, y) of each that holds any, in their order; the corners of its box where these are
    fewer than three.
    """
    y, x = np.nonzero(mask)
    dy, dx = y - y.mean(), x - x.mean()
    sector = ((np.arctan2(dy, dx) / (2 * np.pi) + 0.5) * count).astype(int) % count
    distance = np.hypot(dy, dx)
    farthest = [max(np.flatnonzero(sector == k), key=lambda i: distance[i]) for k in np.unique(sector)]
    return [(int(x[i]), int(y[i])) for i in farthest] if len(farthest) >= 3 else box_corners(*box_of(mask))


class Painted(NamedTuple):
    """Where the pixels lie that were painted as one object, as fractions of them; and how many they are, of its own."""

    on_it: float
    on_others: float
    on_background: float
    amount: float

    @classmethod
    def of(cls, predicted: np.ndarray, truth: np.ndarray, k: int) -> "Painted":
        """Of the id maps (T, H, W) of object k, predicted and true."""
        painted = predicted == k
        places = truth == k, (truth > 0) & (truth != k), truth == 0
        on_it, on_others, on_background = (float((painted & p).sum() / max(painted.sum(), 1)) for p in places)
        return cls(on_it, on_others, on_background, float(painted.sum() / max((truth == k).sum(), 1)))

    def verdict(self) -> str:
        """What went wrong, in words."""
        if self.amount < 0.2:
            return "It lost the object: it paints almost nothing."
        if self.on_others > max(self.on_it, self.on_background):
            return "It followed another annotated object instead."
        if self.on_background > self.on_it:
            return "It drifted off: most of what it paints is background."
        if self.amount < 0.6:
            return "It held on to a part only."
        if self.amount > 2:
            return "It stayed on it, but painted too much."
        return "It found the object, but not its shape."
