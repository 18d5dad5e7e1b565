"""Inference: a whole video with all its objects -> one id map per frame, at native size (report 3.7).

Memory does not grow with the length of the video. The updated model passes over the frames twice, first for
h_video; it is not online.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from vos.clips import normalise_frames
from vos.data import Video
from vos.masks import best_threshold, merge_objects, write_mask
from vos.networks import BaseModel, State

Method = Callable[[Video], Iterator[np.ndarray]]
CHUNK = 8  # frames encoded at once: enough to keep two cores or a GPU busy


def computing(model: BaseModel, precision: str) -> torch.autocast:
    """The context to compute in; none may be open while a generator hands something out."""
    if precision not in ("float32", "bfloat16"):
        raise ValueError(f'precision is "float32" or "bfloat16", not {precision!r}')
    return torch.autocast(next(model.parameters()).device.type, torch.bfloat16, enabled=precision == "bfloat16")


def encoded_frames(model: BaseModel, video: Video, mirrored: bool, precision: str) -> Iterator[tuple[Tensor, Tensor]]:
    """(frame (1, 3, H, W), e_t (1, C, h, w)) for every frame, CHUNK frames encoded at a time."""
    device = next(model.parameters()).device
    for start in range(0, len(video), CHUNK):
        indices = range(start, min(start + CHUNK, len(video)))
        pictures = np.stack([video.frame(i, model.settings.size) for i in indices])
        frames = normalise_frames(pictures).to(device)
        frames = frames.flip(-1) if mirrored else frames
        with computing(model, precision):
            encoded = model.encoder(frames)
        yield from zip(frames.split(1), encoded.split(1), strict=True)


def h_video_of(model: BaseModel, video: Video, mirrored: bool, precision: str) -> Tensor | None:
    """h_video (1, C, h, w) after the whole video; None for the base model."""
    state: State | None = None
    if model.needs_video:
        for _, encoded in encoded_frames(model, video, mirrored, precision):
            with computing(model, precision):
                state = model.video_representation([encoded], state)
    return None if state is None else state[0]


@torch.inference_mode()
def predicted_probabilities(
    model: BaseModel, video: Video, mirrored: bool = False, precision: str = "float32"
) -> Iterator[Tensor]:
    """Yield, for every frame, the probabilities (K, H, W) at the model's size of the K objects begun before it.

    Each object begins with its given mask at its first annotated frame. mirrored: the model sees the mirror image of
    the video, and its answer is mirrored back.
    """
    device = next(model.parameters()).device
    h_video = h_video_of(model, video, mirrored, precision)
    state: State | None = None
    for index, (frame, encoded) in enumerate(encoded_frames(model, video, mirrored, precision)):
        probabilities = torch.zeros(0, *model.settings.size, device=device)
        if state is not None:
            with computing(model, precision):
                from_input = model.mask_inputs(encoded[:, None], h_video)[:, 0]
                state = model.mask_lstm.step(from_input, state)
                logits = model.decoder(state[0])
            probabilities = torch.sigmoid(logits.float())[:, 0]
        yield probabilities.flip(-1) if mirrored else probabilities
        new = begun_at(video, index)
        if new:
            small = video.mask(index, model.settings.size)
            masks = torch.from_numpy(np.stack([small == i for i in new])).float()[:, None].to(device)
            masks = masks.flip(-1) if mirrored else masks
            with computing(model, precision):
                begun = model.initializer(frame.expand(len(new), -1, -1, -1), masks)
            state = begun if state is None else tuple(torch.cat(pair) for pair in zip(state, begun, strict=True))


def begun_at(video: Video, index: int) -> list[int]:
    """Ids of the objects whose first mask is given with frame `index`."""
    return [o.id for o in video.objects if o.first == index]


@torch.inference_mode()
def object_probabilities(
    model: BaseModel, video: Video, mirror: bool = True, precision: str = "float32"
) -> Iterator[tuple[list[int], Tensor]]:
    """Yield, for every frame, the ids of the objects begun before it and their probabilities (K, H, W).

    The probabilities have the model's size. mirror: they are the mean of what the model says of the video and of its
    mirror image, at twice the work. precision: "bfloat16" is twice as fast where the processor has it.
    """
    model.eval()
    ids: list[int] = []
    sides = (False, True) if mirror else (False,)
    views = [predicted_probabilities(model, video, mirrored, precision) for mirrored in sides]
    for index, maps in enumerate(zip(*views, strict=True)):
        yield ids, torch.stack(maps).mean(dim=0)
        ids = ids + begun_at(video, index)


def enlarged(probabilities: Tensor, size: tuple[int, int]) -> np.ndarray:
    """Probability maps (K, h, w) at `size` (H, W), bilinear."""
    if not len(probabilities):
        return np.zeros((0, *size), np.float32)
    return interpolate(probabilities[None], size, mode="bilinear", align_corners=False)[0].cpu().numpy()


def segment(
    model: BaseModel,
    video: Video,
    threshold: float | None = None,
    mirror: bool = True,
    precision: str = "float32",
) -> Iterator[np.ndarray]:
    """Yield the id map of every frame, uint8 (H, W) at native size.

    threshold: a pixel goes to the most probable of the objects that are above it there; None: each object's best
        threshold in each frame (vos.masks.best_threshold).
    mirror, precision: as in `object_probabilities`.

    In the frame where an object begins the given mask is the answer for it, and the predictions of the others stay.
    The ids that come out are 0 and those given so far.
    """
    for index, (ids, small) in enumerate(object_probabilities(model, video, mirror, precision)):
        thresholds = [best_threshold(p) for p in small.cpu().numpy()] if threshold is None else threshold
        merged = merge_objects(enlarged(small, video.size), ids, thresholds)
        given = video.given(index)
        yield merged if given is None else np.where(given > 0, given, merged)


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


def method_of(model: BaseModel) -> Method:
    """A model as a method: video -> id maps."""
    return lambda video: segment(model, video)


def predict_into(folder: Path, method: Method, videos: Iterable[Video]) -> None:
    """Write a method's id maps as FOLDER/<video>/<frame>.png, palette PNGs at native size."""
    for video in videos:
        for name, ids in zip(video.frame_names, method(video), strict=True):
            write_mask(folder / video.name / f"{name}.png", ids)
