"""A first mask without a file: boxes and polygons, in pixels of the video as it is shown."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from vos.files import VosError
from vos.masks import VOID, object_ids

Point = tuple[float, float]


def numbers(option: str, text: str, count: int) -> list[float]:
    """`count` finite numbers with commas between them. VosError names the option."""
    try:
        values = [float(word) for word in text.split(",")]
    except ValueError:
        values = []
    if len(values) != count or not np.isfinite(values).all():
        raise VosError(
            f"--{option}: {text!r} must be {count} numbers with commas, such as {'40,30,100,80'[: 3 * count]}"
        )
    return values


def box_corners(text: str) -> list[Point]:
    """The corners of a box "x,y,w,h", first and last pixel. VosError where it has no area."""
    x, y, w, h = numbers("box", text, 4)
    if w < 1 or h < 1:
        raise VosError(f"--box: {text!r} is {w:g} wide and {h:g} high; both must be at least 1 pixel")
    return [(x, y), (x + w - 1, y), (x + w - 1, y + h - 1), (x, y + h - 1)]


def polygon_corners(text: str) -> list[Point]:
    """The corners of a polygon "x,y x,y x,y ...". VosError where there are less than three."""
    corners = [(x, y) for x, y in (numbers("polygon", word, 2) for word in text.split())]
    if len(set(corners)) < 3:
        raise VosError(
            f"--polygon: {text!r} has {len(set(corners))} corners; a polygon has three or more, 'x,y x,y x,y'"
        )
    return corners


def drawn_mask(size: tuple[int, int], boxes: Sequence[str], polygons: Sequence[str]) -> np.ndarray:
    """The id map, uint8 (H, W) of this size, with an object for each box and then each polygon, from 1 on.

    A later one lies over those before it. VosError where one is malformed, not within the frame, or covered.
    """
    shapes = [("box", text, box_corners(text)) for text in boxes]
    shapes += [("polygon", text, polygon_corners(text)) for text in polygons]
    if len(shapes) >= VOID:
        raise VosError(f"--box, --polygon: {len(shapes)} objects; at most {VOID - 1} can be followed")
    height, width = size
    picture = Image.new("L", (width, height))
    for number, (option, text, corners) in enumerate(shapes, 1):
        if any(not (0 <= x <= width - 1 and 0 <= y <= height - 1) for x, y in corners):
            raise VosError(f"--{option}: {text!r} does not lie in the frame, which is {width} wide and {height} high")
        ImageDraw.Draw(picture).polygon([(round(x), round(y)) for x, y in corners], fill=number)
    ids = np.array(picture)
    for number, (option, text, _) in enumerate(shapes, 1):
        if number not in object_ids(ids):
            raise VosError(f"--{option}: {text!r} is hidden wholly by those after it; give another place")
    return ids
