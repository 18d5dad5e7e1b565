"""Masks: id maps in and out of PNG files, one-object masks, and merging objects into one id map.

An id map is uint8 (H, W): 0 is background, 1..254 are object ids, 255 is VOID (DAVIS-2017: not scored).
In a palette PNG the pixel value IS the id; the palette only makes it pleasant to look at.

    what the PNG holds                                   what is read
    palette (indexed)                                    the pixel values, whatever the colours
    black and white: 1 bit, or 0 and 255 in grey or RGB  one object, id 1 (DAVIS-2016)
    other grey levels                                    the levels, as ids; 255 is VOID
    colours of the palette of DAVIS, RGB or opaque RGBA  the ids of these colours
    the first six colours of YouTube-VOS's, and black    the ids of these colours, 1 to 6
    grey levels that are plainly no ids (see read_grey)  refused
    any other colour, or other greys in RGB              refused
    16 bits, 2 or 4 grey bits, transparency, animation   refused, as is every file that is no PNG
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from vos.files import VosError, opened_image, written_whole

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
YOUTUBE_VOS_PALETTE = np.array(
    [(0, 0, 0), (236, 95, 103), (249, 145, 87), (250, 200, 99), (153, 199, 148), (98, 179, 178), (102, 153, 204)],
    np.uint8,
)


def grey_levels(colours: np.ndarray) -> frozenset[int]:
    """What colours (N, 3) become when an image is turned grey (ITU-R 601)."""
    return frozenset(np.array(Image.fromarray(colours[None]).convert("L")).ravel().tolist())


# Few frames have more than twenty objects; the grey of VOID may stand beside theirs.
GREY_OF_COLOURS = grey_levels(PALETTE[[*range(1, 21), VOID]]), grey_levels(YOUTUBE_VOS_PALETTE[1:])
SOFT_EDGE = 64
MOST_LEVELS = 32

ADVICE = "make it again from the ids, as an indexed (palette) PNG (vos.masks.write_mask does)"


def read_mask(path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """Read an id map, uint8 (H, W), from a PNG; the table above says what is read as what.

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


class NoIds(Exception):
    """An image whose pixels are no ids; the message says why."""


def ids_in(image: Image.Image) -> np.ndarray:
    """The id map of an opened image. NoIds where they would have to be guessed."""
    if image.format in ("JPEG", "MPO"):
        raise NoIds("is a JPEG, whatever it is called, and JPEG changes ids near every edge")
    if image.format != "PNG":
        raise NoIds(f"is a {image.format} file, whatever it is called, and masks are PNG files")
    if image.is_animated:
        raise NoIds(f"is animated and holds {image.n_frames} pictures, but a mask is one")
    raw_mode = image.tile[0][3] if image.tile else ""  # the pixels as the file has them: Pillow hides their bits
    if raw_mode.endswith("16B"):
        raise NoIds("has 16 bits a channel, but an id or a palette's colour has 8")
    if raw_mode in ("L;2", "L;4"):
        raise NoIds(f"is grey with {raw_mode[-1]} bits a pixel, where ids and grey levels are not the same numbers")
    if image.mode == "LA":
        raise NoIds("is grey with transparency, and a pixel that is half there has no one id")
    pixels = np.array(image)
    if image.mode == "P":
        return pixels
    if image.mode == "1":
        return pixels.astype(np.uint8)
    return read_grey(pixels) if image.mode == "L" else read_colours(pixels)


def read_grey(levels: np.ndarray) -> np.ndarray:
    """The ids of a grey image, uint8 (H, W). Of only 0 and 255, 255 is object 1; else the levels are the ids.

    NoIds in three cases. All levels but 0 are greys of the first 20 colours of DAVIS, or all of the 6 of YouTube-VOS:
    a palette image was turned grey. 255 stands beside a level of 64 or more: a black-and-white mask has soft edges
    (beside lower levels, 255 is VOID). More than 32 levels lie between 0 and 255: these are probabilities.
    """
    ids = one_object_if_black_and_white(levels)
    if ids is not levels:
        return ids
    present = np.flatnonzero(np.bincount(levels.ravel(), minlength=256)).tolist()
    found = [level for level in present if level not in (0, 255)]
    some = ", ".join(str(level) for level in found[:4]) + (", ..." if len(found) > 4 else "")
    if any(greys.issuperset({*present} - {0}) for greys in GREY_OF_COLOURS):
        raise NoIds(f"holds the palette's colours turned grey (levels {some}), not ids")
    if 255 in present and found[-1] >= SOFT_EDGE:
        raise NoIds(f"is black and white with soft edges (levels {some} beside 255): it was stretched or blurred")
    if len(found) > MOST_LEVELS:
        raise NoIds(f"holds {len(found)} grey levels ({some}): these are probabilities, which need a threshold first")
    return levels


def one_object_if_black_and_white(ids: np.ndarray) -> np.ndarray:
    """A grey map of only 0 and 255 as 0 and 1; every other map unchanged."""
    if ((ids == 0) | (ids == 255)).all():
        return (ids == 255).astype(np.uint8)
    return ids


def read_colours(pixels: np.ndarray) -> np.ndarray:
    """The ids of an RGB or RGBA image (H, W, 3 or 4), uint8 (H, W). NoIds where a colour has none."""
    if pixels.shape[2] == 4 and (pixels[..., 3] != 255).any():
        raise NoIds("is partly transparent, and a pixel that is half there has no one id")
    red, green, blue = (pixels[..., channel] for channel in range(3))
    if (red == green).all() and (green == blue).all():
        if ((red == 0) | (red == 255)).all():
            return read_grey(red)
        level = int(red[(red != 0) & (red != 255)][0])
        raise NoIds(f"is a grey image saved in colour, where ({level}, {level}, {level}) may be an id or a colour")
    codes = (red.astype(np.int32) << 16) | (green.astype(np.int32) << 8) | blue
    unknown = []
    for palette in (PALETTE, YOUTUBE_VOS_PALETTE):
        table = np.zeros(1 << 24, np.uint8)  # the system fills in only those pages that are touched
        table[palette @ np.array([1 << 16, 1 << 8, 1])] = np.arange(len(palette))
        ids = table[codes]
        lost = (ids == 0) & (codes != 0)
        if not lost.any():
            return ids
        unknown.append(pixels[lost][:, :3])
    first = min(unknown, key=len)[0]  # of the palette that knows the most pixels
    raise NoIds(f"holds {tuple(first.tolist())}, which is no colour of the palette of DAVIS or of YouTube-VOS")


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
