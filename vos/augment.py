"""How is a clip changed before training sees it? Moved, mirrored, recoloured, bent, and given another object.

One draw for a clip, so that its frames still belong together. Everything is computed on the model's device.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample, interpolate

from vos.config import AugmentConfig
from vos.data import normalize_frames

BENT = (4, 6)  # places down and across that a bent frame is moved at
IN_FRONT, FOLLOWED = 1, 2  # of what is pasted onto a clip


class AugmentParams(NamedTuple):
    """One draw from an `AugmentConfig`, for a clip of T frames.

    order: of the colour channels. brightness is added to normalised frames, contrast a factor about their mean. turn:
    (T,) degrees. zoom: (T,) factors. shift: (T, 2), pixels right and down. flip: left for right. bend: (2, rows,
    columns), pixels by which places of the last frame are moved right and down. paste: 0, or what becomes of the next
    clip's object, IN_FRONT or FOLLOWED. No tensors: each would cost a loading process a file handle.
    """

    order: list[int]
    brightness: float
    contrast: float
    turn: np.ndarray
    zoom: np.ndarray
    shift: np.ndarray
    flip: bool
    bend: np.ndarray | None = None
    paste: int = 0

    @classmethod
    def draw(cls, config: AugmentConfig, count: int, rng: np.random.Generator) -> "AugmentParams":
        """A draw for `count` frames."""
        turn, zoom = rng.uniform(-config.turn, config.turn), config.zoom ** rng.uniform(-1, 1)
        shift = rng.uniform(-config.shift, config.shift, 2)
        flip, order = bool(rng.random() < config.flip), rng.permutation(3).tolist()
        brighter, contrast = rng.uniform(-config.light, config.light), 1 + rng.uniform(-config.light, config.light)
        order = order if rng.random() < config.permute else [0, 1, 2]
        steps = rng.uniform(-config.wobble, config.wobble, (count, 3)) if config.wobble else np.zeros((count, 3))
        way = rng.uniform(-config.drift, config.drift, 4) * np.arange(count)[:, None]
        turns, shifts = turn + 0.1 * (steps[:, 2] + way[:, 2]), shift + steps[:, :2] + way[:, :2]
        bend = rng.uniform(-config.bend, config.bend, (2, *BENT)) if config.bend else None
        paste = int(rng.choice((IN_FRONT, FOLLOWED))) if rng.random() < config.paste else 0
        return cls(order, brighter, contrast, turns, zoom * np.exp(1e-3 * way[:, 3]), shifts, flip, bend, paste)

    def unmoved(self) -> "AugmentParams":
        """The same, but that nothing is moved."""
        still = np.zeros_like(self.turn)
        return self._replace(turn=still, zoom=still + 1, shift=np.zeros_like(self.shift), bend=None)


def paste(frames: Tensor, masks: Tensor, kinds: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Paste the object of the next clip onto every clip that asks for it: an object before another ground, or in front.

    frames (B, T, 3, H, W), masks (B, T, 1, H, W); kinds: 0, IN_FRONT or FOLLOWED for each clip. A clip whose first
    mask would be all but hidden stays as it is.
    """
    other_frames, other_masks = frames.roll(-1, dims=0), masks.roll(-1, dims=0)
    frames, masks = frames.clone(), masks.clone()
    for clip, kind in enumerate(kinds):
        if not kind:
            continue
        cover = other_masks[clip]
        target = cover if kind == FOLLOWED else masks[clip] * (1 - cover)
        if target[0].sum() < 0.3 * (cover if kind == FOLLOWED else masks[clip])[0].sum():
            continue
        frames[clip] = torch.where(cover > 0, other_frames[clip], frames[clip])
        masks[clip] = target
    return frames, masks


def augment(
    frames: Tensor, masks: Tensor, params: AugmentParams, size: tuple[int, int] | None = None
) -> tuple[Tensor, Tensor]:
    """frames uint8 (T, H, W, 3), masks float (T, 1, H, W) -> normalised float frames (T, 3, H, W), masks, at `size`.

    Frames are resampled bilinearly, masks by nearest neighbour, so they stay 0/1.
    """
    if params.order != [0, 1, 2]:
        frames = frames[..., params.order]
    moved = normalize_frames(frames)
    if params.brightness or params.contrast != 1:
        mean = moved.mean(dim=(0, 2, 3), keepdim=True)
        moved = (moved - mean) * params.contrast + mean + params.brightness
    sized = size is None or size == tuple(moved.shape[-2:])
    if not sized or params.turn.any() or params.shift.any() or (params.zoom != 1).any() or params.bend is not None:
        moved, masks = warp(moved, masks, params.turn, params.zoom, params.shift, params.bend, size)
    if params.flip:
        moved, masks = moved.flip(-1), masks.flip(-1)
    return moved, masks


def warp(
    frames: Tensor,
    masks: Tensor,
    turn: float | np.ndarray,
    zoom: float | np.ndarray,
    shift: Sequence[float] | np.ndarray,
    bend: np.ndarray | None = None,
    size: tuple[int, int] | None = None,
) -> tuple[Tensor, Tensor]:
    """Turn (degrees, clockwise), zoom and shift (dx, dy in pixels, right and down) about the centre, bend, stretch.

    frames (T, 3, H, W), masks (T, 1, H, W); turn, zoom and shift for all frames, or (T,), (T,) and (T, 2). bend:
    (2, rows, columns), pixels right and down that places of the last frame are moved by, those of the first by none.
    size: (H, W) of the result. What comes in from outside is the mirror image of the inside.
    """
    count, _, height, width = frames.shape
    device = frames.device
    angle = torch.tensor(np.deg2rad(turn), device=device).expand(count)[:, None, None]
    dx, dy = torch.tensor(shift, dtype=torch.double, device=device).expand(count, 2).T[:, :, None, None]
    factor = torch.tensor(zoom, dtype=torch.double, device=device).expand(count)[:, None, None]
    # Output pixel p comes from R(-angle) (p - shift) / zoom, in pixels from the centre.
    sizes = zip((height, width), size or (height, width), strict=True)
    rows, columns = ((torch.arange(n, device=device) - (n - 1) / 2) * (whole / n) for whole, n in sizes)
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    if bend is not None:
        places = torch.tensor(bend, dtype=torch.float, device=device)[None]
        moves = interpolate(places, x.shape, mode="bicubic", align_corners=True) * torch.linspace(0, 1, count)[
            :, None, None, None
        ].to(device)
        x, y = x + moves[:, 0], y + moves[:, 1]
    x, y = (x - dx) / factor, (y - dy) / factor
    x, y = angle.cos() * x + angle.sin() * y, angle.cos() * y - angle.sin() * x
    # grid_sample counts from -1 at the left edge of the first pixel to 1 at the right edge of the last.
    grid = torch.stack([2 * x / width, 2 * y / height], dim=-1).float()
    frames = grid_sample(frames, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return frames, grid_sample(masks, grid, mode="nearest", padding_mode="reflection", align_corners=False)
