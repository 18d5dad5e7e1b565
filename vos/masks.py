"""Masks: id maps in and out of PNG files, and painted over their frame.

An id map is uint8 (H, W): 0 is background, 1..254 are object ids, 255 is VOID (DAVIS-2017: not scored).
In a palette PNG as we write it the pixel value is the id. What is read from other kinds of PNG, and what is refused,
stands in vos/files/mask_images.py.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from vos.files.atomic import written_whole
from vos.files.mask_images import PALETTE, VOID, describe_ids, read_first_mask, read_ids  # noqa: F401  # from here


def read_mask(path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """Read an id map, uint8 (H, W), from a PNG; vos/files/mask_images.py says what is read as what.

    size: (height, width) to stretch it to by nearest neighbour, so that no new id can appear.
    Raises VosError where the file is missing, broken, or of a kind whose ids would have to be guessed.
    """
    ids = read_ids(path)
    return ids if size is None else stretch_ids(ids, size)


def stretch_ids(ids: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """An id map, uint8 (H, W), at another size (height, width), by nearest neighbour."""
    return ids if ids.shape == size else np.array(Image.fromarray(ids).resize(size[::-1], Image.Resampling.NEAREST))


def write_mask(path: Path, ids: np.ndarray) -> None:
    """Write an integer id map (H, W) as a palette PNG with the DAVIS palette, whole or not at all."""
    if ids.ndim != 2 or not np.issubdtype(ids.dtype, np.integer) or ids.min() < 0 or ids.max() > 255:
        raise ValueError(f"an id map is integers 0..255 of shape (H, W), not {ids.dtype} {ids.shape}")
    image = Image.fromarray(ids.astype(np.uint8), mode="P")
    image.putpalette(PALETTE.tobytes())
    with written_whole(path) as temporary:
        image.save(temporary, format="PNG", optimize=False)


def object_ids(ids: np.ndarray) -> list[int]:
    """The object ids that occur in an id map, sorted, without background and VOID."""
    present = np.flatnonzero(np.bincount(ids.ravel(), minlength=256))
    return [int(i) for i in present if i not in (0, VOID)]


def overlay(frame: np.ndarray, ids: np.ndarray, strength: float = 0.55) -> np.ndarray:
    """Paint an id map over a frame: both (H, W[, 3]) uint8, the result uint8 (H, W, 3).

    strength: 0 shows the frame, 1 flat colour. A bright outline is kept at every strength above 0.
    """
    if frame.shape[:2] != ids.shape:
        raise ValueError(f"frame {frame.shape[:2]} and mask {ids.shape} differ in size")
    inside = (ids > 0) & (ids != VOID)
    color = PALETTE[ids].astype(np.float32)
    painted = frame.astype(np.float32)
    painted[inside] += strength * (color[inside] - painted[inside])
    if strength > 0:
        edge = np.zeros(ids.shape, bool)
        edge[:, 1:] |= ids[:, 1:] != ids[:, :-1]
        edge[1:] |= ids[1:] != ids[:-1]
        painted[edge & inside] = 0.35 * color[edge & inside] + 0.65 * 255
    return painted.round().astype(np.uint8)
