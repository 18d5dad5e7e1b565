"""Masks: id maps in and out of PNG files, and painted over their frame.

An id map is uint8 (H, W): 0 is background, 1..254 are object ids, 255 is VOID (DAVIS-2017: not scored).
In a palette PNG the pixel value IS the id; the palette only makes it pleasant to look at. What is read from other
kinds of PNG, and what is refused, stands in vos/files/png.py.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from vos.files import VosError
from vos.files.atomic import written_whole
from vos.files.images import opened_image
from vos.files.png import PALETTE, VOID, NoIds, ids_in

ADVICE = "make it again from the ids, as an indexed (palette) PNG (vos.masks.write_mask does)"


def read_mask(path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """Read an id map, uint8 (H, W), from a PNG; vos/files/png.py says what is read as what.

    size: (height, width) to stretch it to by nearest neighbour, so that no new id can appear.
    Raises VosError where the file is missing, broken, or of a kind whose ids would have to be guessed.
    """
    try:
        with opened_image(path, "mask") as image:
            image.verify()  # the checksums, which decoding does not look at
        with opened_image(path, "mask") as image:
            ids = ids_in(image)
    except NoIds as problem:
        raise VosError(f"{path}: {problem}; {ADVICE}") from None
    if size is not None and size != ids.shape:
        ids = np.array(Image.fromarray(ids).resize(size[::-1], Image.Resampling.NEAREST))
    return ids


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
