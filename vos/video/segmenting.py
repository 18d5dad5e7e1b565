"""A video from anywhere through the model, in constant memory: a few frames are held at a time."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch

from vos.config import InferenceConfig
from vos.data import only_ids
from vos.files import VosError
from vos.inference import CHUNK, Segmenter, check_id_map
from vos.masks import object_ids
from vos.networks import BaseModel, UpdatedModel

Frames = Callable[[], Iterable[np.ndarray]]


def segment_frames(
    model: BaseModel, frames: Frames, id_map: np.ndarray, config: InferenceConfig | None = None, start: int = 0
) -> Iterator[np.ndarray]:
    """Yield the id map of every frame, uint8 (H, W); those before the frame with index `start` are empty.

        for ids in segment_frames(model, lambda: read_video(path), id_map): ...

    frames: what gives the frames, uint8 (H, W, 3) RGB, from the first on, each time it is called; the updated model
    watches them all first. id_map: integers (H, W), the objects in frame `start`.
    Raises ValueError as `Segmenter` does, VosError where there are not so many frames.
    """
    return (ids for _, ids in segmented_frames(model, frames, id_map, config, start))


def segmented_frames(
    model: BaseModel, frames: Frames, id_map: np.ndarray, config: InferenceConfig | None = None, start: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """As `segment_frames`, each id map with its frame: (frame, ids)."""
    segmenter = Segmenter(model, config)
    if isinstance(model, UpdatedModel):
        for chunk in chunks(segmenter, frames()):
            with torch.inference_mode():
                for code in segmenter.encode(chunk)[1]:
                    segmenter.tracker.watch(code)
    index = 0
    for chunk in chunks(segmenter, frames()):
        with torch.inference_mode():
            small, codes = segmenter.encode(chunk)
        for frame, seen, code in zip(chunk, small.split(1), codes, strict=True):
            given = None
            if index == start:
                check_id_map(id_map, frame.shape[:2])
                given = only_ids(id_map, object_ids(id_map))
            with torch.inference_mode():
                ids = segmenter.advance(seen, code, frame.shape[:2], given)
            yield frame, ids
            index += 1
    if index <= start:
        raise VosError(f"frame {start} is to have the first mask, and the video has only {index} frames")


def chunks(segmenter: Segmenter, frames: Iterable[np.ndarray]) -> Iterator[list[np.ndarray]]:
    """The frames, some at once, as one pass through the encoder is quicker for several; each is checked."""
    held: list[np.ndarray] = []
    for frame in frames:
        segmenter.check_frame(frame)
        segmenter.size = frame.shape
        held.append(frame)
        if len(held) == CHUNK:
            yield held
            held = []
    if held:
        yield held
