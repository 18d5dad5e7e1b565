"""Which ids the colours of a mask mean: the known palettes, flat colours on black, and edges made hard."""

import numpy as np
from PIL import Image

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
KNOWN = [{tuple(color): i for i, color in enumerate(known.tolist())} for known in (PALETTE, YOUTUBE_VOS_PALETTE)]

MOST_COLORS = 32  # more than a person tells apart: a photograph, or soft edges
STRAY = 0.01  # of an indexed mask's object pixels may lie in thin parts that look like soft edges
APART = 64  # at least so far apart are two flat colours, of 0 to 255 in each channel
DARK = 32  # what is no lighter is no object where edges are made hard

Color = tuple[int, int, int]


class NoIds(Exception):
    """An image whose pixels are no ids; the message says why."""


class SoftEdges(NoIds):
    """One whose objects can be seen, but whose edges are not hard."""


def known_ids(colors: list[Color]) -> list[int] | None:
    """The ids of colours that all are of the palette of DAVIS, or else of YouTube-VOS; None where they are not."""
    return next(([ids[c] for c in colors] for ids in KNOWN if ids.keys() >= set(colors)), None)


def are_grey(colors: list[Color]) -> bool:
    """Are all of these colours grey?"""
    return all(red == green == blue for red, green, blue in colors)


def some(colors: list[Color]) -> str:
    """The first of some colours in words."""
    return ", ".join(map(str, colors[:4])) + (", ..." if len(colors) > 4 else "")


def ids_of_colors(labels: np.ndarray, colors: list[Color], ground: bool, first: bool) -> tuple[list[int], str]:
    """The id of each colour of a picture, and how that was understood ("": a known palette, or black and white).

    labels: which of the colours each pixel has, (H, W); 255 where it is transparent. ground: is it so anywhere?
    first: several colours of no known palette are objects 1, 2, ... in the order (red, green, blue) of their colours;
    else that is NoIds, as another picture of the set may have others.
    """
    black = (0, 0, 0)
    objects = sorted(color for color in colors if color != black)
    if ground and len(colors) == 1 and are_grey(colors):
        return [1], f"what is not transparent, {colors[0]}, is object 1"
    if are_grey(colors):
        if all(level in (0, 255) for level, _, _ in colors):
            return [level // 255 for level, _, _ in colors], ""
        if len(objects) > 1:
            raise SoftEdges(f"is a grey image saved in colour, where {some(objects)} may be an id or a colour")
        if not first:
            raise NoIds(f"is a grey image saved in colour, where {objects[0]} may be an id or a colour")
    elif (ids := known_ids(colors)) is not None:
        return ids, ""
    if len(objects) > 1 and not first:
        lost = min(([color for color in objects if color not in ids] for ids in KNOWN), key=len)
        raise NoIds(f"holds {lost[0]}, which is no colour of the palette of DAVIS or of YouTube-VOS")
    if not ground and black not in colors:
        raise NoIds(f"holds {some(objects)} and no black, which would be the background")
    if len(objects) > MOST_COLORS:
        raise SoftEdges(f"holds {len(objects)} colours: it has soft edges, or is a photograph")
    if len(objects) > 1:
        check_flat(labels, colors, [color != black for color in colors], 0)
    numbers = {color: i + 1 for i, color in enumerate(objects)}
    text = ", ".join(f"{color} is object {i}" for color, i in numbers.items())
    return [numbers.get(color, 0) for color in colors], text


def check_flat(labels: np.ndarray, colors: list[Color], is_object: list[bool], most: float) -> None:
    """SoftEdges where the objects are no flat areas, but mixed pixel by pixel, or one is the soft edge of another.

    Mixed: a colour meets other objects' colours in more places than its own. An edge: a thin one between the
    background and an object of the same hue that is lighter. most: the share of all object pixels that may lie so.
    """
    places = np.flatnonzero(is_object)
    count = len(places) + 1
    numbers = np.zeros(256, np.int64)
    numbers[places] = np.arange(1, count)
    parts = numbers[labels]
    pairs = (parts[:, 1:] * count + parts[:, :-1]).ravel(), (parts[1:] * count + parts[:-1]).ravel()
    meets = np.bincount(np.concatenate(pairs), minlength=count * count).reshape(count, count)
    meets = meets + meets.T  # a colour meets itself twice at each place
    areas = np.bincount(parts.ravel(), minlength=count)
    others = meets[1:, 1:].sum(axis=1) - np.diag(meets)[1:]
    doubtful = (others > 0) & (2 * others >= np.diag(meets)[1:])
    shades = np.array(colors, float)[places]
    for i, j in zip(*np.nonzero(np.triu(meets[1:, 1:], 1)), strict=True):
        dark = min(i, j, key=lambda k: shades[k].sum())
        same_hue = np.linalg.norm(np.cross(*shades[[i, j]])) <= 0.1 * np.linalg.norm(shades[[i, j]], axis=1).prod()
        thin = 4 * min(meets[i + 1, j + 1], meets[0, dark + 1]) > areas[dark + 1]
        doubtful[dark] |= same_hue and thin
    if areas[1:][doubtful].sum() > most * areas[1:].sum():
        found = [colors[place] for place in places[doubtful]]
        raise SoftEdges(f"is dithered or has soft edges, its colours are no flat areas ({some(found)})")


def check_dither(ids: np.ndarray) -> None:
    """SoftEdges where more than a quarter of the object pixels of an id map (H, W) touch no other one."""
    there = np.pad(ids > 0, 1)
    near = there[:-2, 1:-1] | there[2:, 1:-1] | there[1:-1, :-2] | there[1:-1, 2:]
    alone = np.count_nonzero((ids > 0) & ~near)
    if alone >= 16 and 4 * alone > np.count_nonzero(ids):
        raise SoftEdges("is dithered: most of its object pixels stand alone")


def hard_edges(image: Image.Image) -> tuple[np.ndarray, str]:
    """The ids (H, W) of a picture whose edges are soft, and how it was understood.

    Alpha and grey are cut at half of their highest level; several colours go each to the nearest of the flat colours
    and black. A colour is flat where its neighbours are alike.
    """
    if image.mode.startswith("I"):  # more than 8 bits
        levels = np.array(image).astype(np.uint32)
        image = Image.fromarray((levels * 255.0 / max(levels.max(), 1)).astype(np.uint8))
    pixels = np.array(image.convert("RGBA"))
    colors, alpha = pixels[..., :3].astype(np.int32), pixels[..., 3]
    solid = 2 * alpha.astype(int) > alpha.max() if alpha.min() != alpha.max() else np.ones(alpha.shape, bool)
    if not solid.all() and np.ptp(colors[solid], axis=0).max(initial=0) <= DARK:
        return solid.astype(np.uint8), "what is more than half opaque is object 1"
    colors = np.where(solid[..., None], colors, 0)
    levels = colors.max(axis=2)
    if levels.max() <= DARK:
        return np.zeros(levels.shape, np.uint8), ""
    if np.ptp(colors, axis=2).max() <= DARK:
        return (2 * levels > levels.max()).astype(np.uint8), "what is lighter than half of its white is object 1"
    flat = flat_colors(colors)
    if not flat:
        raise NoIds("has no flat colours")
    distances = np.stack([((colors - color) ** 2).sum(axis=2) for color in ((0, 0, 0), *flat)])
    nearest = distances.argmin(axis=0)
    if nearest.all():
        raise NoIds("has no black, which would be the background")
    known = known_ids(flat)
    ids = np.array([0, *(known or range(1, len(flat) + 1))], np.uint8)
    text = "" if known else ", ".join(f"about {color} is object {i + 1}" for i, color in enumerate(flat))
    return ids[nearest], text


def flat_colors(colors: np.ndarray) -> list[Color]:
    """The flat colours of a picture (H, W, 3) but black, in order; none is near another or much rarer than the rest."""
    padded = np.pad(colors, ((1, 1), (1, 1), (0, 0)), mode="edge")
    shifted = padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]
    inner = np.max([np.abs(other - colors).max(axis=2) for other in shifted], axis=0) <= DARK // 2
    values, counts = np.unique(colors[inner], axis=0, return_counts=True)
    found: list[np.ndarray] = [np.zeros(3, int)]
    shares: list[int] = []
    for value in values[counts.argsort(kind="stable")[::-1]]:
        if min(np.abs(value - other).max() for other in found) < APART:
            continue
        share = int(counts[np.abs(values - value).max(axis=1) < APART // 2].sum())
        if 100 * share >= max([*shares, share]) and len(found) <= MOST_COLORS:
            found.append(value)
            shares.append(share)
    return sorted(tuple(color.tolist()) for color in found[1:])
