"""Clips: what training sees. One object of one video, T frames, its masks as 0/1 (report 3.1).

Sample number n decides everything random about a clip (which video and object, where it starts, how it is
augmented), whatever process draws it. So workers cannot repeat one another, no two epochs are alike, and a
training that goes on from iteration i draws what it would have drawn.

A clip is made in two steps. Drawn, it is bytes and a `Change` still to be made: little to hand from a loading process
to the training. Finished, on the device of the model, it is what the model sees.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample
from torch.utils.data import Dataset, default_collate

from vos.data import Video, VideoObject
from vos.files import VosError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def normalise_frames(frames: np.ndarray | Tensor) -> Tensor:
    """uint8 (..., H, W, 3) RGB -> float (..., 3, H, W) with ImageNet's mean and standard deviation (report 3.1)."""
    pixels = torch.as_tensor(frames).movedim(-1, -3).to(torch.float32, memory_format=torch.contiguous_format)
    mean, std = (pixels.new_tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    return pixels.div_(255).sub_(mean).div_(std)


@dataclass(frozen=True)
class Augmentation:
    """How far a clip is changed; one draw per clip, the same for all its frames.

    flip, reverse, permute: probabilities of a left-right flip, of time running backwards, of another order of
    the colour channels. turn: degrees. zoom: largest factor. shift: pixels of the model's input.
    light: largest relative change of brightness and of contrast. wobble: pixels, and as many tenths of a degree, by
    which each frame is moved on its own, as by a hand-held camera.
    """

    flip: float = 0.5
    reverse: float = 0.25
    permute: float = 0.5
    turn: float = 8.0
    zoom: float = 1.2
    shift: float = 6.0
    light: float = 0.2
    wobble: float = 0.0


NO_AUGMENTATION = Augmentation(flip=0, reverse=0, permute=0, turn=0, zoom=1, shift=0, light=0)


class Change(NamedTuple):
    """One draw from an `Augmentation`, for a clip of T frames.

    order: of the colour channels. brightness is added to normalised frames, contrast a factor about their mean. turn:
    (T,) degrees. zoom: a factor. shift: (T, 2), pixels right and down. flip: left for right. No tensors: each would
    cost a loading process a file handle.
    """

    order: list[int]
    brightness: float
    contrast: float
    turn: np.ndarray
    zoom: float
    shift: np.ndarray
    flip: bool

    @classmethod
    def drawn(cls, how: Augmentation, count: int, rng: np.random.Generator) -> "Change":
        """A draw for `count` frames."""
        turn, zoom = rng.uniform(-how.turn, how.turn), how.zoom ** rng.uniform(-1, 1)
        shift = rng.uniform(-how.shift, how.shift, 2)
        flip, order = rng.random() < how.flip, rng.permutation(3).tolist()
        brighter, contrast = rng.uniform(-how.light, how.light), 1 + rng.uniform(-how.light, how.light)
        order = order if rng.random() < how.permute else [0, 1, 2]
        steps = rng.uniform(-how.wobble, how.wobble, (count, 3)) if how.wobble else np.zeros((count, 3))
        return cls(order, brighter, contrast, turn + 0.1 * steps[:, 2], zoom, shift + steps[:, :2], flip)


class ClipDataset(Dataset):
    """Clips of T frames for training; item (n, T) is sample number n. Item (n, T, share): with that probability the
    clip takes every frame of the video, annotated or not.

    videos: of a "train" split. size: (H, W) the model sees; frames are stretched to it, never cropped.
    strides: a clip takes every stride-th annotated frame, the stride drawn anew from these.
    late_start: of the clips of an object that enters late, the share that begin where it enters.
    keep: hold decoded frames in memory (H * W * 4 bytes each); None does so up to 2 GB.

    An item is a finished clip, a dict: frames (T, 3, H, W) float, normalised; masks (T, 1, H, W) float in {0, 1};
    weights (T,) float, 0 where a frame must not count in the loss (it has no annotation; or a short video repeats its
    last frame); `name`, for error messages and pictures. `drawn` is the same clip before `finished`.
    """

    def __init__(
        self,
        videos: Sequence[Video],
        size: tuple[int, int],
        strides: tuple[int, ...] = (1,),
        augmentation: Augmentation = NO_AUGMENTATION,
        seed: int = 0,
        late_start: float = 0.0,
        keep: bool | None = None,
    ) -> None:
        self.pairs = [(video, item) for video in videos for item in video.objects if clip_starts(video, item)]
        if not self.pairs:
            folder = videos[0].frame_paths[0].parent.parent if videos else "videos"
            raise VosError(
                f"{folder}: there is nothing to train on, as no object of {len(videos)} videos has two annotated "
                "frames; annotate more"
            )
        self.size, self.strides, self.augmentation, self.seed = size, strides, augmentation, seed
        self.late_start = late_start
        if keep is None:
            keep = sum(len(v.annotated) for v in videos) * size[0] * size[1] * 4 < 2e9
        self.kept: dict[tuple[str, int], tuple[np.ndarray, np.ndarray]] | None = {} if keep else None

    def __len__(self) -> int:
        """Samples in an epoch: one for every object of every video."""
        return len(self.pairs)

    def __getitem__(self, item: tuple[int, int] | tuple[int, int, float]) -> dict[str, Tensor | str]:
        return finished(self.drawn(item))

    def drawn(self, item: tuple[int, int] | tuple[int, int, float]) -> dict[str, Tensor | str | Change]:
        """frames uint8 (T, H, W, 3), masks uint8 (T, 1, H, W), weights and name of an item, and its `Change`."""
        number, length, *share = item
        epoch, place = divmod(number, len(self.pairs))
        order = np.random.default_rng((self.seed, 0, epoch)).permutation(len(self.pairs))
        video, target = self.pairs[order[place]]
        rng = np.random.default_rng((self.seed, 1, number))
        indices = clip_indices(video, target, length, int(rng.choice(self.strides)), rng, self.late_start)
        load = cache(partial(self.load, video))  # a frame is looked at more than once, and read once
        if not (load(indices[0])[1] == target.id).any():  # listed, but out of sight or smaller than a pixel
            indices = [i for i in video.annotated if i >= target.first][:length]
        if share and np.random.default_rng((self.seed, 2, number)).random() < share[0]:
            indices = every_frame(video, indices[0], length) or indices
        if rng.random() < self.augmentation.reverse and (load(indices[-1])[1] == target.id).any():
            indices = indices[::-1]
        counted = len(indices)
        indices = [*indices, *[indices[-1]] * (length - counted)]
        loaded = [load(i) for i in indices]
        annotated = torch.tensor([video.mask_paths[i] is not None for i in indices])
        return {
            "frames": torch.from_numpy(np.stack([frame for frame, _ in loaded])),
            "masks": torch.from_numpy(np.stack([ids == target.id for _, ids in loaded]).view(np.uint8))[:, None],
            "weights": ((torch.arange(length) < counted) & annotated).float(),
            "name": f"{video.name}/{target.id}",
            "change": Change.drawn(self.augmentation, length, rng),
        }

    def load(self, video: Video, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Frame (H, W, 3) and id map (H, W), uint8, at the model's size."""
        key = (video.name, index)
        if self.kept is not None and key in self.kept:
            return self.kept[key]
        known = video.mask_paths[index] is not None
        ids = video.mask(index, self.size) if known else np.zeros(self.size, np.uint8)
        loaded = video.frame(index, self.size), ids
        if self.kept is not None:
            self.kept[key] = loaded
        return loaded


def clip_starts(video: Video, target: VideoObject) -> list[int]:
    """Places in `video.annotated` where a clip may start: the object is listed there and a frame follows."""
    listed = set(target.frames)
    return [place for place, i in enumerate(video.annotated[:-1]) if i in listed]


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


class DrawnClips(Dataset):
    """The clips of a set as loading processes hand them out: drawn, not yet finished."""

    def __init__(self, clips: ClipDataset) -> None:
        self.clips = clips

    def __getitem__(self, item: tuple[int, int] | tuple[int, int, float]) -> dict[str, Tensor | str | Change]:
        return self.clips.drawn(item)


def finished(clip: dict[str, Tensor | str | Change], device: str | torch.device = "cpu") -> dict[str, Tensor | str]:
    """A drawn clip as the model sees it, on its device: frames normalised and changed, masks with them."""
    frames, masks = clip["frames"].to(device, non_blocking=True), clip["masks"].to(device, non_blocking=True).float()
    moved_frames, moved_masks = augment(frames, masks, clip["change"])
    if not moved_masks[0].any():  # moved out of the picture: the model must be shown what to follow
        moved_frames, moved_masks = normalise_frames(frames), masks
    return {
        "frames": moved_frames,
        "masks": moved_masks,
        "weights": clip["weights"].to(device, non_blocking=True),
        "name": clip["name"],
    }


def gathered(clips: Sequence[dict[str, Tensor | str | Change]]) -> dict[str, Tensor | list]:
    """Drawn clips of one length as one batch: few large tensors, which pass quickly between processes."""
    batch = {key: [clip[key] for clip in clips] for key in clips[0]}
    return batch | {key: torch.stack(batch[key]) for key in ("frames", "masks", "weights")}


def finished_batch(batch: dict[str, Tensor | list], device: str | torch.device) -> dict[str, Tensor | list]:
    """A gathered batch as the model sees it: frames (B, T, 3, H, W), masks (B, T, 1, H, W), weights (B, T), names."""
    clips = [dict(zip(batch, values, strict=True)) for values in zip(*batch.values(), strict=True)]
    return default_collate([finished(clip, device) for clip in clips])


def augment(frames: Tensor, masks: Tensor, change: Change) -> tuple[Tensor, Tensor]:
    """frames uint8 (T, H, W, 3), masks float (T, 1, H, W) -> normalised float frames (T, 3, H, W), masks.

    Frames are resampled bilinearly, masks by nearest neighbour, so they stay 0/1.
    """
    if change.order != [0, 1, 2]:
        frames = frames[..., change.order]
    moved = normalise_frames(frames)
    if change.brightness or change.contrast != 1:
        mean = moved.mean(dim=(0, 2, 3), keepdim=True)
        moved = (moved - mean) * change.contrast + mean + change.brightness
    if change.turn.any() or change.shift.any() or change.zoom != 1:
        moved, masks = warp(moved, masks, change.turn, change.zoom, change.shift)
    if change.flip:
        moved, masks = moved.flip(-1), masks.flip(-1)
    return moved, masks


def warp(
    frames: Tensor, masks: Tensor, turn: float | np.ndarray, zoom: float, shift: Sequence[float] | np.ndarray
) -> tuple[Tensor, Tensor]:
    """Turn (degrees, clockwise), zoom and shift (dx, dy in pixels, right and down) about the centre.

    frames (T, 3, H, W), masks (T, 1, H, W); turn and shift for all frames, or (T,) and (T, 2). What comes in from
    outside is the mirror image of the inside.
    """
    count, _, height, width = frames.shape
    device = frames.device
    angle = torch.tensor(np.deg2rad(turn), device=device).expand(count)[:, None, None]
    dx, dy = torch.tensor(shift, dtype=torch.double, device=device).expand(count, 2).T[:, :, None, None]
    # Output pixel p comes from R(-angle) (p - shift) / zoom, in pixels from the centre.
    rows, columns = (torch.arange(n, device=device) - (n - 1) / 2 for n in (height, width))
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    x, y = (x - dx) / zoom, (y - dy) / zoom
    x, y = angle.cos() * x + angle.sin() * y, angle.cos() * y - angle.sin() * x
    # grid_sample counts from -1 at the left edge of the first pixel to 1 at the right edge of the last.
    grid = torch.stack([2 * x / width, 2 * y / height], dim=-1).float()
    frames = grid_sample(frames, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return frames, grid_sample(masks, grid, mode="nearest", padding_mode="reflection", align_corners=False)
