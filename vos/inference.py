"""How does it segment? A whole video with all its objects -> one id map per frame, at native size (report 3.7).

`Segmenter` takes frames from anywhere, one by one; `segment` runs a video in files through it, in constant memory.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from vos.config import InferenceConfig, inference_config
from vos.data import Video, normalize_frames, only_ids, stretch
from vos.masks import VOID, object_ids, stretch_ids
from vos.networks import BaseModel, UpdatedModel
from vos.online import OnlineTracker
from vos.tracking import Code, MirroredTracker, Tracker

Size = tuple[int, ...]  # (H, W), as the first of a frame's shape
CHUNK = 8  # frames encoded at once: enough to keep two cores or a GPU busy
LEAST_PROBABLE = 0.1  # nothing is painted below: where an object is out of sight the best guess is a faint cloud


class Segmenter:
    """Follows the objects of one video, frame by frame; a new video wants a new Segmenter.

        segmenter = Segmenter(model)
        segmenter.start(frames[0], id_map)                              # the objects' first mask
        masks = [segmenter.step(frame) for frame in frames[1:]]         # an id map each

    Every frame is given once, in order, to `start` if objects begin in it, else to `step`. Objects may begin in any
    frame and several at once; one that is followed already begins anew from the mask it is given. The updated model
    looks at the whole video first: show it to `watch`. Without that its h_video is of the frames seen so far.

    frame: uint8 (H, W, 3) RGB. id_map: integers (H, W), 0 background, 255 void. Anything else is a ValueError.
    """

    def __init__(
        self,
        model: BaseModel,
        config: InferenceConfig | None = None,
        online_steps: int | None = None,
        tracker: type[Tracker] | None = None,
    ) -> None:
        """config: None for what suits the model. online_steps, tracker: in place of the config's."""
        config = config or inference_config(model.config)
        config = config if online_steps is None else replace(config, online_steps=online_steps)
        self.model, self.config, self.ids = model.eval(), config, list[int]()
        self.device = next(model.parameters()).device
        if config.online_steps and tracker is None:
            self.tracker: Tracker = OnlineTracker(model, config.precision, config.online_steps)
        else:
            kind = tracker or (MirroredTracker if config.mirror else Tracker)
            self.tracker = kind(model, config.precision)
        self.size: tuple[int, ...] = ()  # (H, W, 3) of the video's frames

    @torch.inference_mode()
    def start(self, frame: np.ndarray, id_map: np.ndarray) -> np.ndarray:
        """Begin the objects of `id_map` in this frame; returns its id map (H, W), uint8, with all objects in it."""
        self.check_frame(frame)
        check_id_map(id_map, frame.shape[:2])
        self.size = frame.shape
        return self.advance_one(frame, only_ids(id_map, object_ids(id_map)))

    @torch.inference_mode()
    def step(self, frame: np.ndarray) -> np.ndarray:
        """The id map (H, W), uint8, of the next frame."""
        self.check_frame(frame)
        if not self.ids:
            raise ValueError("no object to follow: give the first frame and its id map to start(frame, id_map)")
        return self.advance_one(frame)

    @torch.inference_mode()
    def watch(self, frames: Iterable[np.ndarray]) -> None:
        """Show the updated model every frame of the video, before the first `start`; the base model ignores them."""
        if self.ids:
            raise ValueError("objects are followed already: watch(frames) comes before the first start(frame, id_map)")
        if isinstance(self.model, UpdatedModel):
            for frame in frames:
                self.check_frame(frame)
                self.size = frame.shape
                self.tracker.watch(self.encode([frame])[1][0])

    def check_frame(self, frame: np.ndarray) -> None:
        """ValueError where this is not a frame, or not of the size of those before it."""
        array = isinstance(frame, np.ndarray) and frame.dtype == np.uint8
        if not array or frame.ndim != 3 or frame.shape[2] != 3:
            raise ValueError(f"a frame must be a NumPy array uint8 (H, W, 3) RGB, not {kind_of(frame)}")
        if self.size not in ((), frame.shape):
            raise ValueError(f"this frame is {kind_of(frame)}, those before it {self.size} (height, width, colours)")

    def encode(self, frames: Sequence[np.ndarray]) -> tuple[Tensor, list[Code]]:
        """Frames (H, W, 3) as the model sees them, (N, 3, h, w) at its size, and what the tracker makes of each."""
        size = self.model.config.size
        small = np.stack([np.asarray(stretch(Image.fromarray(frame), size)) for frame in frames])
        tensor = normalize_frames(small).to(self.device)
        return tensor, self.tracker.encode(tensor)

    def encoded_frames(self, video: Video, watch: bool = True) -> Iterator[tuple[Tensor, Code]]:
        """As `encode`, for every frame of a video in files; watch: the updated model watches all of it first."""
        if watch and isinstance(self.model, UpdatedModel):
            for _, code in self.encoded_frames(video, watch=False):
                self.tracker.watch(code)
        for start in range(0, len(video), CHUNK):
            indices = range(start, min(start + CHUNK, len(video)))
            frames, codes = self.encode([video.frame(i, self.model.config.size) for i in indices])
            yield from zip(frames.split(1), codes, strict=True)

    def advance_one(self, frame: np.ndarray, given: np.ndarray | None = None) -> np.ndarray:
        """As `advance`, of a frame (H, W, 3)."""
        small, (code,) = self.encode([frame])
        return self.advance(small, code, frame.shape[:2], given)

    def advance(self, frame: Tensor, code: Code, size: Size, given: np.ndarray | None = None) -> np.ndarray:
        """The id map (H, W) of the next frame, which is of this size; given: those of objects that begin in it."""
        merged = self.merge(self.tracker.step(code), size)
        if given is None:
            return merged
        self.begin(frame, given)
        return np.where(given > 0, given, merged)

    def begin(self, frame: Tensor, given: np.ndarray) -> None:
        """Begin the objects of an id map (H, W) in the frame of the last step, (1, 3, h, w)."""
        new = object_ids(given)
        if not new:  # a first mask without a pixel: there is nothing to follow
            return
        kept = [k for k, number in enumerate(self.ids) if number not in new]
        small = stretch_ids(given, self.model.config.size)
        masks = torch.from_numpy(np.stack([small == number for number in new])).float()[:, None]
        self.tracker.begin(frame, masks.to(self.device), kept)
        self.ids = [*(self.ids[k] for k in kept), *new]

    def merge(self, probabilities: Tensor, size: tuple[int, ...]) -> np.ndarray:
        """Probabilities (K, h, w) at the model's size -> the id map (H, W), uint8."""
        thresholds: float | list[float] | None = self.config.threshold
        if thresholds is None:
            thresholds = [best_threshold(p) for p in probabilities.cpu().numpy()]
        return merge_objects(upsample_probabilities(probabilities, size), self.ids, thresholds)


@torch.inference_mode()
def segment(
    model: BaseModel, video: Video, config: InferenceConfig | None = None, tracker: type[Tracker] | None = None
) -> Iterator[np.ndarray]:
    """Yield the id map of every frame of a video in files, uint8 (H, W) at native size.

    In the frame where an object begins the given mask is the answer for it, and the predictions of the others stay.
    The ids that come out are 0 and those given so far. The updated model needs two passes, so it is not online.
    tracker: in place of the one of the config.
    """
    segmenter = Segmenter(model, config, tracker=tracker)
    for index, (frame, code) in enumerate(segmenter.encoded_frames(video)):
        yield segmenter.advance(frame, code, video.size, video.given(index))


@torch.inference_mode()
def object_probabilities(
    model: BaseModel, video: Video, config: InferenceConfig | None = None, tracker: type[Tracker] | None = None
) -> Iterator[tuple[list[int], Tensor]]:
    """Yield, for every frame, the ids of the objects begun before it and their probabilities (K, h, w).

    They are what `segment` makes its id maps of, at the model's size. tracker: in place of the one of the config.
    """
    segmenter = Segmenter(model, config, tracker=tracker)
    for index, (frame, code) in enumerate(segmenter.encoded_frames(video)):
        yield segmenter.ids, segmenter.tracker.step(code)
        given = video.given(index)
        if given is not None:
            segmenter.begin(frame, given)


def kind_of(value: object) -> str:
    """What a value is, in words: an array's dtype and shape, else its type."""
    return f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__


def check_id_map(id_map: np.ndarray, size: tuple[int, ...]) -> None:
    """ValueError where this is not the id map of a frame of `size` (H, W), or holds no object."""
    array = isinstance(id_map, np.ndarray) and np.issubdtype(id_map.dtype, np.integer)
    if not array or id_map.shape != size:
        raise ValueError(f"an id map must be a NumPy array of integers {size}, as its frame, not {kind_of(id_map)}")
    if id_map.min() < 0 or id_map.max() > VOID or not object_ids(id_map):
        found = f"{id_map.min()} to {id_map.max()}"
        raise ValueError(f"an id map must hold objects 1 to {VOID - 1} on background 0, and this one holds {found}")


def best_threshold(probabilities: np.ndarray) -> float:
    """The threshold whose mask has the highest expected J; probabilities of one object, (H, W).

    If the probabilities mean what they say, a mask S has the expected intersection sum_S p and the expected union
    |S| + sum_not-S p. The best S of each size holds the most probable pixels, so one pass over the sorted pixels
    finds the best J, and a pixel adds to it where p > J / (1 + J): below one half, and the lower the less sure the
    prediction is (notebook 06). Never below LEAST_PROBABLE.
    """
    ranked = np.sort(probabilities, axis=None)[::-1].astype(np.float64)
    inside = ranked.cumsum()
    union = np.arange(1, len(ranked) + 1) + inside[-1] - inside
    J = (inside / union).max()
    return max(J / (1 + J), LEAST_PROBABLE)


def merge_objects(probabilities: np.ndarray, ids: list[int], thresholds: float | Sequence[float] = 0.5) -> np.ndarray:
    """Merge one probability map per object, (K, H, W), into one id map, uint8 (H, W).

    A pixel goes to the most probable of the objects that are above their threshold there (one number for all
    objects or one each), else to the background: exactly the values {0} and `ids` can come out. Interpolate
    probabilities before this, never ids after it.
    """
    if len(probabilities) != len(ids):
        raise ValueError(f"{len(probabilities)} probability maps for {len(ids)} object ids")
    merged, best = (np.zeros(probabilities.shape[1:], kind) for kind in (np.uint8, probabilities.dtype))
    for one, number, threshold in zip(probabilities, ids, np.broadcast_to(thresholds, len(ids)), strict=True):
        better = (one > threshold) & (one > best)  # one object at a time: several times faster than argmax
        merged[better], best[better] = number, one[better]
    return merged


def upsample_probabilities(probabilities: Tensor, size: tuple[int, ...]) -> np.ndarray:
    """Probability maps (K, h, w) at `size` (H, W), bilinear."""
    if not len(probabilities):
        return np.zeros((0, *size), np.float32)
    return interpolate(probabilities[None], size, mode="bilinear", align_corners=False)[0].cpu().numpy()


def copy_first(video: Video) -> Iterator[np.ndarray]:
    """The baseline that keeps every object where it was first seen."""
    current = np.zeros(video.size, np.uint8)
    for index in range(len(video)):
        given = video.given(index)
        if given is not None:
            current = np.where(given > 0, given, current)
        yield current


def empty(video: Video) -> Iterator[np.ndarray]:
    """The baseline that finds nothing."""
    for _ in range(len(video)):
        yield np.zeros(video.size, np.uint8)
