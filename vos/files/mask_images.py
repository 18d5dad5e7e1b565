"""Which images are masks, and which ids their pixels mean: by what the picture shows, and not where it is a guess.

what the PNG holds                                     what is read
palette, its index 0 black, transparent or unused      the indices, whatever the other colours
palette of all greys, where index and level are one    as the grey image that it shows
palette with the colours of DAVIS (YouTube-VOS) at     the ids of these colours
  other places, or with black at another place         by colour, as an RGB image
black and white, or one colour on black, any mode      one object, id 1 (DAVIS-2016)
other grey levels                                      the levels, as ids; 255 is VOID
colours of the palette of DAVIS, RGB or RGBA           the ids of these colours
the first six colours of YouTube-VOS's, and black      the ids of these colours, 1 to 6
transparent ground, the rest opaque                    the ground is background; the rest by colour, one is object 1
alpha that is the same everywhere                      left out of account
16 bits, grey                                          0 to 254: ids; multiples of 257: as the 8-bit image
16 bits, colour                                        as the 8-bit image where that is exact
1, 2 or 4 bits, grey                                   black and white: one object
an EXIF orientation                                    turned as it says
several flat colours of no known palette               refused; of a first mask objects 1, 2, ... by colour
grey levels that are plainly no ids (see read_grey)    refused; of a first mask made hard, if asked
soft edges, dithered colours, half transparent pixels  refused; of a first mask made hard, if asked
animations, and files that are no PNG                  refused; JPEG and others as a first mask, if made hard
"""

from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from vos.files.errors import VosError, names_in_words
from vos.files.images import opened_image, turned
from vos.files.mask_colors import (
    PALETTE,
    STRAY,
    VOID,
    YOUTUBE_VOS_PALETTE,
    Color,
    NoIds,
    SoftEdges,
    are_grey,
    check_dither,
    check_flat,
    hard_edges,
    ids_of_colors,
    known_ids,
)

ADVICE = (
    "paint one object white on black, or several in the colours of DAVIS, (128, 0, 0), (0, 128, 0), (128, 128, 0), ..."
    ", with hard edges, and save as PNG; a program writes ids as an indexed (palette) PNG with vos.masks.write_mask"
)
FIRST_ADVICE = "or let --threshold-mask (threshold=True) make its edges hard"


def grey_levels(colors: np.ndarray) -> frozenset[int]:
    """What colours (N, 3) become when an image is turned grey (ITU-R 601)."""
    return frozenset(np.array(Image.fromarray(colors[None]).convert("L")).ravel().tolist())


# Few frames have more than twenty objects; the grey of VOID may stand beside theirs.
GREY_OF_COLORS = grey_levels(PALETTE[[*range(1, 21), VOID]]), grey_levels(YOUTUBE_VOS_PALETTE[1:])
SOFT_EDGE = 64
MOST_LEVELS = 32
BLACK: Color = (0, 0, 0)
LOSSY = ("JPEG", "MPO", "WEBP", "JPEG2000", "AVIF")


def read_ids(path: Path) -> np.ndarray:
    """The id map, uint8 (H, W), of a mask of a set. VosError where it is none, or would have to be guessed."""
    try:
        return ids_and_words(path, first=False, threshold=False)[0]
    except NoIds as problem:
        raise VosError(f"{path}: {problem}; {ADVICE}") from None


def read_first_mask(path: Path, threshold: bool = False) -> tuple[np.ndarray, str]:
    """The id map, uint8 (H, W), of a mask that a person painted, and how it was understood ("" for plain ids).

    Reads what read_ids reads, and several flat colours: objects 1, 2, ... in the order (red, green, blue) of their
    colours. threshold: make soft edges hard (see hard_edges), and read JPEG and other formats, too.
    """
    try:
        return ids_and_words(path, True, threshold)
    except NoIds as problem:
        soft = "" if threshold or not isinstance(problem, SoftEdges) else f", {FIRST_ADVICE}"
        raise VosError(f"{path}: {problem}; {ADVICE}{soft}") from None


def ids_and_words(path: Path, first: bool, threshold: bool) -> tuple[np.ndarray, str]:
    """What read_first_mask returns; NoIds where it is no mask."""
    with opened_image(path, "mask") as image:
        image.verify()  # the checksums, which decoding does not look at
    with opened_image(path, "mask") as image:
        if getattr(image, "is_animated", False) and image.format != "MPO":
            raise NoIds(f"is animated and holds {image.n_frames} pictures, but a mask is one")  # type: ignore[attr-defined]
        if not threshold:
            check_format(image)
        try:
            if image.format in LOSSY:
                raise SoftEdges
            ids, text = ids_in(image, path, first)
            if first:
                check_dither(ids)
            return ids, text
        except SoftEdges:
            if not threshold:
                raise
            ids, text = hard_edges(turned(image))
            check_dither(ids)
            return ids, f"{text}; its edges were made hard" if text else "its edges were made hard"


def check_format(image: Image.Image) -> None:
    """NoIds where an image is no PNG."""
    if image.format in ("JPEG", "MPO"):
        raise SoftEdges("is a JPEG, whatever it is called, and JPEG changes ids near every edge")
    if image.format != "PNG":
        raise SoftEdges(f"is a {image.format} file, whatever it is called, and masks are PNG files")


def ids_in(image: Image.Image, path: Path, first: bool) -> tuple[np.ndarray, str]:
    """The id map of an opened image that has lost nothing, and how it was understood."""
    tiles = getattr(image, "tile", ())
    raw_mode = str(tiles[0][3]) if tiles else ""  # the pixels as the file has them: Pillow hides their bits
    image = turned(image)
    if image.mode == "1":
        ids = np.array(image).astype(np.uint8)
        check_dither(ids)
        return ids, ""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return read_16_bits(np.array(image), first)
    if raw_mode.endswith("16B"):
        image = exactly_8_bits(path, raw_mode)
    if raw_mode in ("L;2", "L;4") and (levels := set(np.flatnonzero(image.histogram()).tolist()) - {0, 255}):
        level = min(levels) * (2 ** int(raw_mode[-1]) - 1) // 255
        raise SoftEdges(f"is grey with {raw_mode[-1]} bits a pixel, where the level {level} may be an id or a grey")
    if image.mode == "P":
        return read_palette(image, first)
    if image.mode == "L":
        return read_grey(np.array(image), first)
    return read_colors(image.convert("RGBA") if image.mode == "LA" else image, first, grey=image.mode == "LA")


def exactly_8_bits(path: Path, raw_mode: str) -> Image.Image:
    """A PNG of 16 bits a channel as one of 8; NoIds where that is not exact. Pillow alone drops the lower bits."""
    grey = raw_mode.startswith("LA")
    halves = []
    for part in ("RGBA",) if grey else (raw_mode, f"{raw_mode.removesuffix('B')}L"):
        with opened_image(path, "mask") as image:
            assert isinstance(image, PngImageFile)
            image.tile = [tile._replace(args=part) for tile in image.tile]  # which bytes Pillow takes
            halves.append(np.array(turned(image)))
    high, low = (halves[0][..., ::2], halves[0][..., 1::2]) if grey else halves
    if not np.array_equal(high, low):
        raise SoftEdges("has 16 bits a channel, and its colours are none of 8 bits")
    return Image.fromarray(np.ascontiguousarray(high))


def read_16_bits(levels: np.ndarray, first: bool) -> tuple[np.ndarray, str]:
    """The ids of grey levels of more than 8 bits (H, W), and how they were understood."""
    highest = levels.max()
    if levels.min() >= 0 and highest < VOID and (levels == (ids := levels.astype(np.uint8))).all():
        return ids, ""
    if (levels % 257 == 0).all() and levels.min() >= 0:
        return read_grey((levels // 257).astype(np.uint8), first)
    raise SoftEdges(f"has more than 8 bits a pixel and holds the value {highest}, but ids end at {VOID - 1}")


def read_grey(levels: np.ndarray, first: bool = False) -> tuple[np.ndarray, str]:
    """The ids of a grey image (H, W), and how they were understood. Of 0 and 255, 255 is object 1; else levels are ids.

    NoIds in three cases. All levels but 0 are greys of the first 20 colours of DAVIS, or all of the 6 of YouTube-VOS:
    a palette image was turned grey. 255 stands beside a level of 64 or more: a black-and-white mask has soft edges
    (beside lower levels, 255 is VOID). More than 32 levels lie between 0 and 255: these are probabilities.
    """
    ids = one_object_if_black_and_white(levels)
    if ids is not levels:
        return ids, ""
    present = np.flatnonzero(np.bincount(levels.ravel(), minlength=256)).tolist()
    found = [level for level in present if level not in (0, 255)]
    some = ", ".join(str(level) for level in found[:4]) + (", ..." if len(found) > 4 else "")
    if first and len(found) == 1 and present[-1] == found[0] > MOST_LEVELS:
        return (levels > 0).astype(np.uint8), f"the grey {found[0]} is object 1"
    if any(greys.issuperset({*present} - {0}) for greys in GREY_OF_COLORS):
        raise NoIds(f"holds the palette's colours turned grey (levels {some}), not ids")
    if 255 in present and found[-1] >= SOFT_EDGE:
        raise SoftEdges(f"is black and white with soft edges (levels {some} beside 255): it was stretched or blurred")
    if len(found) > MOST_LEVELS:
        raise SoftEdges(f"holds {len(found)} grey levels ({some}): these are probabilities, which need a threshold")
    if first and len(found) > 2:
        check_flat(levels, [(level, level, level) for level in range(256)], [level in found for level in range(256)], 0)
    return levels, ""


def one_object_if_black_and_white(ids: np.ndarray) -> np.ndarray:
    """A grey map of only 0 and 255 as 0 and 1; every other map unchanged."""
    if ((ids == 0) | (ids == 255)).all():
        return (ids == 255).astype(np.uint8)
    return ids


def read_palette(image: Image.Image, first: bool) -> tuple[np.ndarray, str]:
    """The ids of an indexed image: its indices, or what its colours mean where index 0 is not the background."""
    labels, listed = np.array(image), image.palette.tobytes() if image.palette else b""
    if "transparency" not in image.info and PALETTE.tobytes().startswith(listed):
        return labels, ""
    used = np.flatnonzero(np.bincount(labels.ravel(), minlength=256)).tolist()
    palette: list[Color] = [tuple(listed[i : i + 3]) for i in range(0, len(listed), 3)]  # type: ignore[misc]
    if used[-1] >= len(palette) and (0 not in used or palette[:1] == [BLACK]):
        return labels, ""  # a program gave ids, and no colours
    palette += [BLACK] * (256 - len(palette))
    clear = transparent_indices(image.info.get("transparency", b""), used)
    solid = [i for i in used if i not in clear]
    colors = [palette[i] for i in solid]
    known, grey = known_ids(colors), are_grey(colors)
    if len(set(colors)) < len(colors):
        raise NoIds("is indexed, and its palette shows two of its values in the same colour")
    if grey and not clear and all(color[0] == i for i, color in zip(solid, colors, strict=True)):
        return read_grey(labels, first)
    if grey and known is not None and any(known) and known != solid:
        raise NoIds(f"is indexed, and {colors[-1]} may be an id by its index or by its colour")
    if clear and BLACK in colors and len(colors) > 1:
        raise NoIds("is indexed, transparent in some places and black in others: which of them is the background?")
    by_index = clear == [0] or (not clear and (0 not in used or palette[0] == BLACK))
    if by_index and all(palette[i] != BLACK or clear for i in solid if i) and (grey or known in (None, solid)):
        check_flat(labels, palette, [i in solid and i > 0 for i in range(256)], STRAY)
        return labels, ""
    if not clear and BLACK not in colors and known is None:
        raise NoIds(f"is indexed without black, which would be the background; its value {used[0]} is {colors[0]}")
    ids, text = ids_of_colors(labels, colors, bool(clear), first)
    table = np.zeros(256, np.uint8)
    table[solid] = ids
    found = table[labels]
    if 0 in used and (grey or known is None) and all(found[[0, 0, -1, -1], [0, -1, 0, -1]]):
        raise NoIds("is indexed with black at another place than 0, and what is not black fills the corners: is it the "
                    "background?")  # fmt: skip
    return found, text


def transparent_indices(opacity: bytes | int, used: list[int]) -> list[int]:
    """The used indices that a palette's tRNS makes transparent; none where all are alike."""
    alphas = dict(enumerate(opacity)) if isinstance(opacity, bytes) else {opacity: 0}
    check_alpha(found := sorted({alphas.get(i, 255) for i in used}))
    return [i for i in used if alphas.get(i, 255) == 0] if len(found) > 1 else []


def check_alpha(found: list[int]) -> None:
    """SoftEdges where the alpha of an image, sorted and each once, is neither constant nor 0 and one other value."""
    if len(found) > 2 or (len(found) == 2 and found[0] != 0):
        raise SoftEdges("is partly transparent, and a pixel that is half there has no one id")


def read_colors(image: Image.Image, first: bool, grey: bool) -> tuple[np.ndarray, str]:
    """The ids of an RGB or RGBA image, and how they were understood. grey: it is a grey image with alpha."""
    pixels = np.array(image)
    clear = np.zeros(pixels.shape[:2], bool)
    if image.mode == "RGBA":
        check_alpha(found := np.flatnonzero(np.bincount(pixels[..., 3].ravel())).tolist())
        if len(found) > 1:
            clear = pixels[..., 3] == 0
    codes = pixels[..., :3].astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32)
    table = np.zeros(1 << 24, np.uint8)  # the system fills in only those pages that are touched
    table[codes[~clear]] = 1
    present = np.flatnonzero(table)
    colors: list[Color] = [(code >> 16, code >> 8 & 255, code & 255) for code in present.tolist()]
    if grey and (len(colors) > 1 or not clear.any()):
        return read_grey(np.where(clear, np.uint8(0), pixels[..., 0]), first)
    if len(colors) > 256:
        raise SoftEdges(f"holds {len(colors)} colours: it has soft edges, or is a photograph")
    table[present] = np.arange(len(present))
    labels = table[codes]
    ids, text = ids_of_colors(np.where(clear, np.uint8(255), labels), colors, bool(clear.any()), first)
    found_ids = np.array(ids, np.uint8)[np.where(clear, np.uint8(0), labels)]
    found_ids[clear] = 0
    return found_ids, text


def describe_ids(ids: np.ndarray) -> str:
    """What an id map (H, W) holds in words, with a doubt where an object has most of the frame and its corners."""
    counts = np.bincount(ids.ravel(), minlength=256)
    found = [i for i in np.flatnonzero(counts).tolist() if i not in (0, VOID)]
    if not found:
        return "no object"
    shares = [f"id {i}, {100 * counts[i] / ids.size:.1f} %" for i in found]
    shares[0] += " of the frame"
    text = f"{len(found)} object{'s' if len(found) > 1 else ''}: {names_in_words(shares).replace(', id', '; id')}"
    corners = set(ids[[0, 0, -1, -1], [0, -1, 0, -1]].tolist())
    if len(corners) == 1 and (most := corners.pop()) in found and 2 * counts[most] > ids.size:
        text += f"; id {most} covers the corners and most of the frame: is the mask inverted?"
    return text
