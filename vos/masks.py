"""Masks: id maps in and out of PNG files, one-object masks, and merging objects into one id map.

An id map is uint8 (H, W): 0 is background, 1..254 are object ids, 255 is VOID (DAVIS-2017: not scored).
In a palette PNG the pixel value IS the id; the palette only makes it pleasant to look at.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from vos.files import VosError, written_whole

VOID = 255
# Where an object is out of sight the best guess at it is some faint cloud; nothing is painted below this probability.
LEAST_PROBABLE = 0.1


def davis_palette() -> np.ndarray:
    """The palette of DAVIS and PASCAL VOC, uint8 (256, 3): the bits of an id are dealt to R, G and B in turn."""
    ids = np.arange(256)
    palette = np.zeros((256, 3), np.uint8)
    for bit in range(8):
        for channel in range(3):
            palette[:, channel] |= (((ids >> (3 * bit + channel)) & 1) << (7 - bit)).astype(np.uint8)
    return palette


PALETTE = davis_palette()


def read_mask(path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """Read an id map, uint8 (H, W), from a palette or grey PNG.

    size: (height, width) to stretch it to by nearest neighbour, so that no new id can appear.
    A grey image that holds only 0 and 255 (DAVIS-2016) is one object, id 1; there 255 is not VOID.
    Raises VosError where the file is missing, broken, or of a kind whose ids would have to be guessed.
    """
    try:
        with Image.open(path) as image:
            if image.mode not in ("P", "L", "1"):
                raise VosError(f"{path}: a {image.mode} image is no mask; save it as an indexed (palette) PNG")
            grey = image.mode != "P"
            if image.mode == "1":
                image = image.convert("L")
            ids = np.array(image)
    except FileNotFoundError:
        raise VosError(f"{path}: no such mask") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise VosError(f"{path}: cannot be read as a PNG mask ({error}); replace the file") from None
    if grey:
        ids = one_object_if_black_and_white(ids)
    if size is not None and size != ids.shape:
        ids = np.array(Image.fromarray(ids).resize(size[::-1], Image.Resampling.NEAREST))
    return ids


def one_object_if_black_and_white(ids: np.ndarray) -> np.ndarray:
    """A grey map of only 0 and 255 as 0 and 1; every other map unchanged."""
    if ids.max(initial=0) == 255 and ((ids == 0) | (ids == 255)).all():
        return (ids == 255).astype(np.uint8)
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


def best_threshold(probabilities: np.ndarray) -> float:
    """The threshold whose mask has the highest expected J; probabilities of one object, (H, W).

    If the probabilities mean what they say, a mask S has the expected intersection sum_S p and the expected union
    |S| + sum_not-S p. The best S of each size holds the most probable pixels, so one pass over the sorted pixels
    finds the best J, and a pixel adds to it where p > J / (1 + J): below one half, and the lower the less sure the
    prediction is (notebook 05). Never below LEAST_PROBABLE.
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
    if not ids:
        return np.zeros(probabilities.shape[1:], np.uint8)
    above = probabilities > np.reshape(thresholds, (-1, 1, 1))
    winner = np.where(above, probabilities, 0).argmax(axis=0)
    return np.where(above.any(axis=0), np.asarray(ids, np.uint8)[winner], 0).astype(np.uint8)


def overlay(frame: np.ndarray, ids: np.ndarray, strength: float = 0.55) -> np.ndarray:
    """Paint an id map over a frame: both (H, W[, 3]) uint8, the result uint8 (H, W, 3).

    strength: 0 shows the frame, 1 flat colour. A bright outline is kept at every strength above 0.
    """
    if frame.shape[:2] != ids.shape:
        raise ValueError(f"frame {frame.shape[:2]} and mask {ids.shape} differ in size")
    inside = (ids > 0) & (ids != VOID)
    colour = PALETTE[ids].astype(np.float32)
    painted = frame.astype(np.float32)
    painted[inside] += strength * (colour[inside] - painted[inside])
    if strength > 0:
        edge = np.zeros(ids.shape, bool)
        edge[:, 1:] |= ids[:, 1:] != ids[:, :-1]
        edge[1:] |= ids[1:] != ids[:-1]
        painted[edge & inside] = 0.35 * colour[edge & inside] + 0.65 * 255
    return painted.round().astype(np.uint8)
