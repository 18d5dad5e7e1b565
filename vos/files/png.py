"""Which PNGs are masks, and which ids their pixels mean.

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

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

VOID = 255


def davis_palette() -> np.ndarray:
    """The palette of DAVIS and PASCAL VOC, uint8 (256, 3): the bits of an id are dealt to R, G and B in turn."""
    ids = np.arange(256)
    palette = np.zeros((256, 3), np.uint8)
    for bit in range(8):
        channels = (ids[:, None] >> (3 * bit + np.arange(3))) & 1
        palette |= (channels << (7 - bit)).astype(np.uint8)
    return palette


PALETTE = davis_palette()
YOUTUBE_VOS_PALETTE = np.array(
    [(0, 0, 0), (236, 95, 103), (249, 145, 87), (250, 200, 99), (153, 199, 148), (98, 179, 178), (102, 153, 204)],
    np.uint8,
)


def grey_levels(colors: np.ndarray) -> frozenset[int]:
    """What colours (N, 3) become when an image is turned grey (ITU-R 601)."""
    return frozenset(np.array(Image.fromarray(colors[None]).convert("L")).ravel().tolist())


# Few frames have more than twenty objects; the grey of VOID may stand beside theirs.
GREY_OF_COLORS = grey_levels(PALETTE[[*range(1, 21), VOID]]), grey_levels(YOUTUBE_VOS_PALETTE[1:])
SOFT_EDGE = 64
MOST_LEVELS = 32


class NoIds(Exception):
    """An image whose pixels are no ids; the message says why."""


def ids_in(image: Image.Image) -> np.ndarray:
    """The id map of an opened image. NoIds where they would have to be guessed."""
    if image.format in ("JPEG", "MPO"):
        raise NoIds("is a JPEG, whatever it is called, and JPEG changes ids near every edge")
    if not isinstance(image, PngImageFile):
        raise NoIds(f"is a {image.format} file, whatever it is called, and masks are PNG files")
    if image.is_animated:
        raise NoIds(f"is animated and holds {image.n_frames} pictures, but a mask is one")
    raw_mode = str(image.tile[0][3]) if image.tile else ""  # the pixels as the file has them: Pillow hides their bits
    if raw_mode.endswith("16B"):
        raise NoIds("has 16 bits a channel, but an id or a palette's colour has 8")
    if raw_mode in ("L;2", "L;4"):
        raise NoIds(f"is grey with {raw_mode[-1]} bits a pixel, where ids and grey levels are not the same numbers")
    if image.mode == "LA":
        raise NoIds("is grey with transparency, and a pixel that is half there has no one id")
    pixels = np.array(image)
    if image.mode in ("P", "1"):
        return pixels.astype(np.uint8, copy=False)
    return read_grey(pixels) if image.mode == "L" else read_colors(pixels)


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
    if any(greys.issuperset({*present} - {0}) for greys in GREY_OF_COLORS):
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


def read_colors(pixels: np.ndarray) -> np.ndarray:
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
