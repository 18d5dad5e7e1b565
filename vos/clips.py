"""Clips: what training sees. One object of one video, T frames, its masks as 0/1 (report 3.1).

Sample number n decides everything random about a clip (which video and object, where it starts, how it is
augmented), whatever process draws it. So workers cannot repeat one another, no two epochs are alike, and a
training that goes on from iteration i draws what it would have drawn.

Loading processes return uint8 frames and the sampled augmentation; `prepare_batch` applies it on the model's device.
"""

from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from vos.augment import AugmentParams, augment, paste
from vos.config import NO_AUGMENTATION, AugmentConfig
from vos.data import Video, VideoObject
from vos.files import VosError

CACHE_BYTES = 2e9  # decoded frames are kept in memory where all of them take less
DEFAULT_LENGTH = 5  # frames of `dataset[n]`, as the report's clips have (3.1)

Item = int | tuple[int, int] | tuple[int, int, float]  # n; (n, T); (n, T, fraction), see ClipDataset


class RawBatch(NamedTuple):
    """Clips of one length as they are read: frames uint8 (B, T, H, W, 3), masks uint8 (B, T, 1, H, W), frame_weights
    and names as in `Batch`, and how each clip is to be augmented. Few large tensors pass quickly between processes.
    """

    frames: Tensor
    masks: Tensor
    frame_weights: Tensor
    names: list[str]
    params: list[AugmentParams]


class Clip(NamedTuple):
    """A clip as the model sees it: frames (T, 3, H, W) float, normalised; masks (T, 1, H, W) float in {0, 1};
    frame_weights (T,) float, 0 where a frame must not count in the loss (it has no annotation; or a short video
    repeats its last frame); name of video and object, for error messages and pictures.
    """

    frames: Tensor
    masks: Tensor
    frame_weights: Tensor
    name: str


class Batch(NamedTuple):
    """Clips of one length, stacked: frames (B, T, 3, H, W), masks (B, T, 1, H, W), frame_weights (B, T), names."""

    frames: Tensor
    masks: Tensor
    frame_weights: Tensor
    names: list[str]


class ClipDataset(Dataset):
    """Clips of T frames for training, each a `Clip`.

    Item n is sample number n, with DEFAULT_LENGTH frames; item (n, T) has T frames; of items (n, T, fraction), that
    fraction take every frame of the video, annotated or not. Numbers go on beyond the length of the data set, which
    is one epoch. `read_clip(item)` is the clip before `prepare_batch`.

    videos: of a training split. size: (H, W) the model sees; frames are stretched to it, never cropped.
    strides: a clip takes every stride-th annotated frame, the stride drawn anew from these.
    late_start: of the clips of an object that enters late, the fraction that begin where it enters.
    cache: hold decoded frames in memory (H * W * 4 bytes each); None does so up to CACHE_BYTES.
    """

    def __init__(
        self,
        videos: Sequence[Video],
        size: tuple[int, int],
        strides: tuple[int, ...] = (1,),
        augment: AugmentConfig = NO_AUGMENTATION,
        seed: int = 0,
        late_start: float = 0.0,
        cache: bool | None = None,
    ) -> None:
        self.pairs = [(video, item) for video in videos for item in video.objects if clip_starts(video, item)]
        if not self.pairs:
            folder = videos[0].frame_paths[0].parent.parent if videos else "videos"
            why = f"no object of {len(videos)} videos has two annotated frames"
            raise VosError(f"{folder}: there is nothing to train on, as {why}; annotate more")
        self.size, self.strides, self.augment, self.seed = size, strides, augment, seed
        self.late_start = late_start
        if cache is None:
            pictures = {v.frame_paths[i] for v in videos for i in v.annotated}
            cache = len(pictures) * size[0] * size[1] * 4 < CACHE_BYTES
        self.cached: dict[tuple[Path, Path | None], tuple[np.ndarray, np.ndarray]] | None = {} if cache else None

    def __len__(self) -> int:
        """Samples in an epoch: one for every object of every video."""
        return len(self.pairs)

    def __getitem__(self, item: Item) -> Clip:
        if isinstance(item, int) and item >= len(self):
            raise IndexError(item)  # what ends `for clip in dataset`
        batch = prepare_batch(self.read_clip(item))
        return Clip(batch.frames[0], batch.masks[0], batch.frame_weights[0], batch.names[0])

    def read_clip(self, item: Item) -> RawBatch:
        """The clip of an item, as its files have it: a batch of one."""
        number, length, *fraction = (item, DEFAULT_LENGTH) if isinstance(item, int) else item
        epoch, index = divmod(number, len(self.pairs))
        order = np.random.default_rng((self.seed, 0, epoch)).permutation(len(self.pairs))
        video, target = self.pairs[order[index]]
        rng = np.random.default_rng((self.seed, 1, number))
        indices = clip_indices(video, target, length, int(rng.choice(self.strides)), rng, self.late_start)
        load = cache(partial(self.load, video))  # a frame is looked at more than once, and read once
        if not (load(indices[0])[1] == target.id).any():  # listed, but out of sight or smaller than a pixel
            indices = [i for i in video.annotated if i >= target.first][:length]
        if fraction and np.random.default_rng((self.seed, 2, number)).random() < fraction[0]:
            indices = every_frame(video, indices[0], length) or indices
        if rng.random() < self.augment.reverse and (load(indices[-1])[1] == target.id).any():
            indices = indices[::-1]
        counted = len(indices)
        indices = [*indices, *[indices[-1]] * (length - counted)]
        loaded = [load(i) for i in indices]
        annotated = torch.tensor([video.mask_paths[i] is not None for i in indices])
        frames, masks = np.stack([frame for frame, _ in loaded]), np.stack([ids == target.id for _, ids in loaded])
        return RawBatch(
            frames=torch.from_numpy(frames)[None],
            masks=torch.from_numpy(masks.view(np.uint8))[None, :, None],
            frame_weights=((torch.arange(length) < counted) & annotated).float()[None],
            names=[f"{video.name}/{target.id}"],
            params=[AugmentParams.draw(self.augment, length, rng)],
        )

    def load(self, video: Video, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Frame (H, W, 3) and id map (H, W), uint8, at the model's size."""
        key = video.frame_paths[index], video.mask_paths[index]
        if self.cached is not None and key in self.cached:
            return self.cached[key]
        annotated = video.mask_paths[index] is not None
        ids = video.mask(index, self.size) if annotated else np.zeros(self.size, np.uint8)
        loaded = video.frame(index, self.size), ids
        if self.cached is not None:
            self.cached[key] = loaded
        return loaded


class MixedClips:
    """Clips of several sets: sample number n says which set clip n comes from. Every set has the same size.

    shares: of all clips, that each set has, in the order of the sets; they add up to 1.
    """

    def __init__(self, sets: Sequence[ClipDataset], shares: Sequence[float], seed: int = 0) -> None:
        self.sets, self.shares, self.seed = sets, shares, seed

    def read_clip(self, item: Item) -> RawBatch:
        """As `ClipDataset.read_clip`."""
        number = item if isinstance(item, int) else item[0]
        chosen = np.random.default_rng((self.seed, 3, number)).choice(len(self.sets), p=self.shares)
        return self.sets[chosen].read_clip(item)


class RawClips(Dataset):
    """The clips of a set as loading processes return them."""

    def __init__(self, clips: ClipDataset | MixedClips) -> None:
        self.clips = clips

    def __getitem__(self, item: Item) -> RawBatch:
        return self.clips.read_clip(item)


def clip_starts(video: Video, target: VideoObject) -> list[int]:
    """Positions in `video.annotated` where a clip may start: the object is listed there and a frame follows."""
    listed = set(target.frames)
    return [position for position, i in enumerate(video.annotated[:-1]) if i in listed]


def clip_indices(
    video: Video, target: VideoObject, length: int, stride: int, rng: np.random.Generator, late_start: float = 0.0
) -> list[int]:
    """Indices of a clip of at most `length` annotated frames; the first shows the object and initialises.

    A video too short for the stride is taken with the largest stride that fits, and a start as late as leaves
    a whole clip, where there is one. late_start: how often a late object is begun where it enters, as inference always
    does: a sliver at the border is a harder start than a whole animal.
    """
    annotated = video.annotated
    stride = max(1, min(stride, (len(annotated) - 1) // max(length - 1, 1)))
    starts = clip_starts(video, target)
    whole = [s for s in starts if s + (length - 1) * stride < len(annotated)]
    start = int(rng.choice(whole or starts[:1]))
    if target.first > 0 and rng.random() < late_start:
        start = starts[0]
    return list(annotated[start::stride][:length])


def every_frame(video: Video, first: int, length: int) -> list[int]:
    """`length` frames from `first` on, annotated or not; none where that would leave nothing to learn from."""
    indices = list(range(first, min(first + length, len(video))))
    return indices if any(video.mask_paths[i] is not None for i in indices[1:]) else []


def collate_clips(clips: Sequence[RawBatch]) -> RawBatch:
    """Clips of one length as one batch."""
    frames, masks, frame_weights = (torch.cat(tensors) for tensors in list(zip(*clips, strict=True))[:3])
    names, params = [n for clip in clips for n in clip.names], [p for clip in clips for p in clip.params]
    return RawBatch(frames, masks, frame_weights, names, params)


def prepare_batch(batch: RawBatch, device: str | torch.device = "cpu", size: tuple[int, int] | None = None) -> Batch:
    """A batch as the model sees it, on its device: frames normalised and augmented, masks with them.

    size: (H, W) that frames and masks are stretched to; None: that of the batch.
    """
    frames = batch.frames.to(device, non_blocking=True)
    masks = batch.masks.to(device, non_blocking=True).float()
    count, length, channels = len(frames), frames.shape[1], frames.shape[-1]
    height, width = size or frames.shape[2:4]
    normalized = torch.empty(count, length, channels, height, width, device=device)
    moved = torch.empty(count, length, 1, height, width, device=device)
    for clip, params in enumerate(batch.params):
        normalized[clip], moved[clip] = augment(frames[clip], masks[clip], params, size)
        if not moved[clip, 0].any():  # moved out of the picture: the model must be shown what to follow
            normalized[clip], moved[clip] = augment(frames[clip], masks[clip], params.unmoved(), size)
    if any(params.paste for params in batch.params):
        normalized, moved = paste(normalized, moved, [params.paste for params in batch.params])
    return Batch(normalized, moved, batch.frame_weights.to(device, non_blocking=True), batch.names)
