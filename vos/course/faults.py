"""The fault laboratory: what happens to J and F when one thing is wrong between a video and its score?

A fault of `RUNS` is in how a trained model is run, one of `WRITES` in what is made of its probabilities. Each is
planted alone; all else is as it should be. `fingerprint` gives the scores that it leaves behind.
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vos.data import IMAGENET_MEAN, IMAGENET_STD, Video
from vos.inference import best_threshold, merge_objects, object_probabilities, upsample_probabilities
from vos.masks import PALETTE, stretch_ids
from vos.metrics import score_frames
from vos.networks import BaseModel
from vos.tracking import Code, Tracker

Maps = Iterator[tuple[list[int], Tensor]]  # of every frame: the ids begun so far, and their probabilities (K, h, w)
CLIP = 5  # frames of a training clip in the report: where a fault counts clips, it counts these
NUMBERS = ("J_seen", "J_unseen", "F_seen", "F_unseen")


@dataclass(frozen=True)
class Fault:
    """One mistake: what it is called, how it is made, and the function that makes it."""

    name: str
    how: str
    plant: Callable


def run(model: BaseModel, video: Video, tracker: type[Tracker] = Tracker) -> Maps:
    """What a model says of every frame of a video: `object_probabilities`, by one look at each and no mirror image."""
    return object_probabilities(model, video, tracker=tracker)


# How a model is run.


def seen_as(change: Callable[[Tensor], Tensor]) -> type[Tracker]:
    """A tracker that sees frames (N, 3, H, W), values 0 to 1, in another way."""

    class Changed(Tracker):
        def encode(self, frames: Tensor) -> list[Code]:
            return super().encode(change(colors(frames)))

        def begin(self, frame: Tensor, masks: Tensor, kept: list[int]) -> None:
            super().begin(change(colors(frame)), masks, kept)

    return Changed


def colors(frames: Tensor) -> Tensor:
    """Normalised frames (N, 3, H, W) back as values 0 to 1."""
    mean, std = (frames.new_tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    return frames * std + mean


def normalized(frames: Tensor, mean: Sequence[float] = IMAGENET_MEAN) -> Tensor:
    """Values 0 to 1 as the model expects them."""
    return (frames - frames.new_tensor(mean)[:, None, None]) / frames.new_tensor(IMAGENET_STD)[:, None, None]


class Restarted(Tracker):
    """A tracker that begins anew in every CLIP-th frame, with nothing remembered: h and c are zeros."""

    count = 0

    def step(self, code: Code) -> Tensor:
        self.count += 1
        if self.state is not None and self.count % CLIP == 0:
            self.state = (torch.zeros_like(self.state[0]), torch.zeros_like(self.state[1]))
        return super().step(code)


def with_tracker(tracker: type[Tracker]) -> Callable[[BaseModel, Video], Maps]:
    """A way to run a model with another tracker."""
    return lambda model, video: run(model, video, tracker)


def in_training_mode(model: BaseModel, video: Video) -> Maps:
    """BatchNorm takes its statistics from a few frames of this video, not from the training."""
    learner = copy.deepcopy(model)

    class Training(Tracker):
        def encode(self, frames: Tensor) -> list[Code]:
            self.model.train()
            return super().encode(frames)

    return run(learner, video, Training)


def frame_order(count: int) -> list[int]:
    """Frames in the order of their numbers' letters, as sorted("0 1 2 ... 19".split()) has them: 10 before 2."""
    return sorted(range(count), key=str)


def in_wrong_order(model: BaseModel, video: Video) -> Maps:
    """Frames come as sorted by name without leading zeros; masks are written in that order."""
    order = frame_order(len(video))
    return run(model, replace(video, frame_paths=tuple(video.frame_paths[i] for i in order)))


def clip_from_elsewhere(model: BaseModel, video: Video) -> Maps:
    """The mask is of frame 0, and the frames begin CLIP frames later."""
    later = [min(i + CLIP, len(video) - 1) for i in range(len(video))]
    return run(model, replace(video, frame_paths=tuple(video.frame_paths[i] for i in later)))


def without_late_objects(model: BaseModel, video: Video) -> Maps:
    """All objects are asked for in frame 0; those that are not there yet have an empty mask, and stay empty."""
    return run(model, replace(video, objects=tuple(item for item in video.objects if item.first == 0)))


RUNS = (
    Fault("late objects begun in frame 0", "their mask is empty there", without_late_objects),
    Fault("frames sorted as text", "10 comes before 2", in_wrong_order),
    Fault("frames and mask 5 apart", "the first mask is of another frame", clip_from_elsewhere),
    Fault("state restarted", "h = c = 0 in every fifth frame", with_tracker(Restarted)),
    Fault("blue for red", "OpenCV reads BGR", with_tracker(seen_as(lambda x: normalized(x.flip(-3))))),
    Fault("mean not subtracted", "frames from 0 to 1, divided by nothing", with_tracker(seen_as(lambda x: x))),
    Fault("mean 0.5 for all", "normalised as other networks want it",
          with_tracker(seen_as(lambda x: (x - 0.5) / 0.5))),
    Fault("BatchNorm in training mode", "statistics of a few frames at test time", in_training_mode),
)  # fmt: skip

# What is made of probabilities (K, h, w) of objects `ids`: an id map, uint8 (H, W), as a scorer reads it.


def as_it_should_be(probabilities: Tensor, ids: list[int], size: tuple[int, int]) -> np.ndarray:
    """Probabilities enlarged, then each pixel to its most probable object."""
    thresholds = [best_threshold(p) for p in probabilities.numpy()]
    return merge_objects(upsample_probabilities(probabilities, size), ids, thresholds)


def at_threshold(threshold: float) -> Callable:
    """One threshold for all."""
    return lambda p, ids, size: merge_objects(upsample_probabilities(p, size), ids, threshold)


def small(probabilities: Tensor, ids: list[int]) -> np.ndarray:
    """The right id map at the model's size."""
    return as_it_should_be(probabilities, ids, (probabilities.shape[1], probabilities.shape[2]))


def stretched(values: np.ndarray, size: tuple[int, int], method: Image.Resampling) -> np.ndarray:
    """Numbers 0 to 255 at another size."""
    return np.array(Image.fromarray(values).resize(size[::-1], method))


def grey(ids: np.ndarray) -> np.ndarray:
    """What a program sees that opens a palette PNG and asks for grey."""
    image = Image.fromarray(ids)
    image.putpalette(PALETTE.tobytes())
    return np.array(image.convert("L"))


def through_jpeg(ids: np.ndarray) -> np.ndarray:
    """An id map saved as JPEG, whose values it smooths."""
    file = BytesIO()
    Image.fromarray(ids).save(file, "JPEG", quality=90)
    return np.array(Image.open(file))


def changed_ids(change: Callable[[np.ndarray, list[int]], np.ndarray]) -> Callable:
    """A fault of ids alone: they are changed where the rest is right."""
    return lambda p, ids, size: change(as_it_should_be(p, ids, size), ids)


def enlarged(method: Image.Resampling, change: Callable[[np.ndarray], np.ndarray]) -> Callable:
    """A fault of enlarging: the id map is changed at the model's size and then enlarged."""
    return lambda p, ids, size: stretched(change(small(p, ids)), size, method)


def permuted(found: np.ndarray, ids: list[int]) -> np.ndarray:
    """Each object gets the next one's id; a single one id 2, as if there were another."""
    table = np.arange(256, dtype=np.uint8)
    table[ids] = [*ids[1:], ids[0]] if len(ids) > 1 else [n + 1 for n in ids]
    return table[found]


def overwritten(p: Tensor, ids: list[int], size: tuple[int, int]) -> np.ndarray:
    """Objects are painted one after another, each over those before it, whichever is more probable."""
    found = np.zeros(size, np.uint8)
    for one, number in zip(upsample_probabilities(p, size), ids, strict=True):
        found[one > 0.3] = number
    return found


def cast_to_uint8(p: Tensor, ids: list[int], size: tuple[int, int]) -> np.ndarray:
    """Probabilities become whole numbers before they are compared: all but 1.0 are 0."""
    return merge_objects(upsample_probabilities(p, size).astype(np.uint8), ids, 0.5)


def transposed(p: Tensor, ids: list[int], size: tuple[int, int]) -> np.ndarray:
    """Height and width exchanged: the map is written lying on its side and stretched."""
    return stretch_ids(np.ascontiguousarray(small(p, ids).T), size)


def cropped(p: Tensor, ids: list[int], size: tuple[int, int]) -> np.ndarray:
    """The middle square was cut out for the model, and its mask is stretched over the whole frame."""
    found = as_it_should_be(p, ids, size)
    side = min(size)
    top, left = (size[0] - side) // 2, (size[1] - side) // 2
    return stretch_ids(np.ascontiguousarray(found[top : top + side, left : left + side]), size)


def white(found: np.ndarray) -> np.ndarray:
    """0 and 255."""
    return np.where(found > 0, 255, 0).astype(np.uint8)


NEAREST, BILINEAR = Image.Resampling.NEAREST, Image.Resampling.BILINEAR
WRITES = (
    Fault("none", "as the package does it", as_it_should_be),
    Fault("palette read as grey", "ids 1, 2, 3 become 38, 75, 113", changed_ids(lambda found, ids: grey(found))),
    Fault("grey, interpolated", "and the map is enlarged bilinearly", enlarged(BILINEAR, grey)),
    Fault("0 and 255 for ids", "a white object has the id 255", changed_ids(lambda found, ids: white(found))),
    Fault("0 and 255, interpolated", "and the map is enlarged bilinearly", enlarged(BILINEAR, white)),
    Fault("ids interpolated", "an edge between 0 and 3 has a 1 and a 2", enlarged(BILINEAR, lambda found: found)),
    Fault("saved as JPEG", "which smooths the ids", changed_ids(lambda found, ids: through_jpeg(found))),
    Fault("ids permuted", "each object has another's id", changed_ids(permuted)),
    Fault("ids off by one", "the first object has id 2", changed_ids(lambda found, ids: found + (found > 0))),
    Fault("all objects are id 1", "the mask says where something is", changed_ids(lambda found, ids: found.clip(0, 1))),
    Fault("the last object overwrites", "painted one over the other", overwritten),
    Fault("threshold 0.004", "1 of 255, when any grey counts", at_threshold(0.004)),
    Fault("threshold 0.9", "only what is certain", at_threshold(0.9)),
    Fault("probabilities to uint8", "0.99 becomes 0", cast_to_uint8),
    Fault("height and width exchanged", "size is (W, H) for some, (H, W) for others", transposed),
    Fault("middle cut out", "the frame was cropped to a square, the mask not put back", cropped),
)


def fingerprint(
    videos: Iterable[Video],
    maps: Callable[[Video], Maps],
    write: Callable[[Tensor, list[int], tuple[int, int]], np.ndarray],
    seen: Callable[[str | None], bool] = lambda category: True,
) -> dict[str, float]:
    """J_seen, J_unseen, F_seen, F_unseen, J and F, means over objects; NaN where there is no such object.

    Each object counts in the annotated frames after its first, as YouTube-VOS scores it.
    """
    scores: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for video in videos:
        for item, J, F in video_scores(video, maps(video), write):
            scores[seen(item)].append((J, F))
    found: dict[str, float] = {}
    for name, values in (("_seen", scores[True]), ("_unseen", scores[False]), ("", scores[True] + scores[False])):
        means = np.mean(values, axis=0) if values else (np.nan, np.nan)
        found |= {f"J{name}": float(means[0]), f"F{name}": float(means[1])}
    return found


def distance(a: Sequence[float], b: Sequence[float]) -> float:
    """The mean factor between two fingerprints, as a power of ten; a thousandth is added, so that zeros count, too."""
    ours, theirs = np.array([a, b], float) + 1e-3
    return float(np.abs(np.log10(ours / theirs)).mean())


def video_scores(video: Video, maps: Maps, write: Callable) -> Iterator[tuple[str | None, float, float]]:
    """(category, J, F) of every object of a video."""
    J, F = frame_scores(video, maps, write)
    for k, item in enumerate(video.objects):
        if np.isfinite(J[:, k]).any():
            yield item.category, float(np.nanmean(J[:, k])), float(np.nanmean(F[:, k]))


def frame_scores(video: Video, maps: Maps, write: Callable) -> tuple[np.ndarray, np.ndarray]:
    """J and F (T, K) of every object in every frame; NaN where the object does not count."""
    numbers = [item.id for item in video.objects]
    J, F = np.full((2, len(video), len(numbers)), np.nan)
    for index, (ids, probabilities) in enumerate(maps):
        counts = [index in item.frames and index > item.first for item in video.objects]
        if any(counts) and video.mask_paths[index] is not None:
            found = write(probabilities, ids, video.size) if ids else np.zeros(video.size, np.uint8)
            scored = score_frames(found[None], video.mask(index)[None], numbers)
            for values, now in zip((J, F), scored, strict=True):
                values[index, counts] = now[0, counts]
    return J, F
