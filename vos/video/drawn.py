"""A first mask without a file: boxes and polygons, in pixels of the video as it is shown.

Points are (x, y): the column and the row of a pixel, from the upper left corner.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from vos.files import VosError
from vos.masks import VOID, object_ids

Point = tuple[float, float]


def polygon_mask(points: Sequence[Point], size: tuple[int, int]) -> np.ndarray:
    """The pixels of a polygon, its outline among them, as a boolean mask (H, W); size: (H, W).

    What lies outside the frame is cut off. VosError where it has fewer than three corners, or none of it is inside.
    """
    corners = [(round(x), round(y)) for x, y in points]
    if len(corners) < 3:
        raise VosError(f"a polygon of {len(corners)} corners encloses nothing; give at least three")
    image = Image.new("1", size[::-1])
    ImageDraw.Draw(image).polygon(corners, fill=1, outline=1)
    mask = np.array(image)
    if not mask.any():
        raise VosError(f"the polygon lies outside the frame, which is {size[1]} wide and {size[0]} high")
    return mask


def box_corners(x: float, y: float, width: float, height: float) -> list[Point]:
    """The corners of a box: pixels, of which the last still belong to it."""
    right, bottom = x + width - 1, y + height - 1
    return [(x, y), (right, y), (right, bottom), (x, bottom)]


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


def written_box(text: str) -> list[Point]:
    """The corners of a box "x,y,w,h". VosError where it has no area."""
    x, y, w, h = numbers("box", text, 4)
    if w < 1 or h < 1:
        raise VosError(f"--box: {text!r} is {w:g} wide and {h:g} high; both must be at least 1 pixel")
    return box_corners(x, y, w, h)


def written_polygon(text: str) -> list[Point]:
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
    shapes = [("box", text, written_box(text)) for text in boxes]
    shapes += [("polygon", text, written_polygon(text)) for text in polygons]
    if len(shapes) >= VOID:
        raise VosError(f"--box, --polygon: {len(shapes)} objects; at most {VOID - 1} can be followed")
    height, width = size
    ids = np.zeros(size, np.uint8)
    for number, (option, text, corners) in enumerate(shapes, 1):
        if any(not (0 <= x <= width - 1 and 0 <= y <= height - 1) for x, y in corners):
            raise VosError(f"--{option}: {text!r} does not lie in the frame, which is {width} wide and {height} high")
        ids[polygon_mask(corners, size)] = number
    for number, (option, text, _) in enumerate(shapes, 1):
        if number not in object_ids(ids):
            raise VosError(f"--{option}: {text!r} is hidden wholly by those after it; give another place")
    return ids
