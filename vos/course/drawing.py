"""A mask drawn by hand, as data: polygons and strokes of a brush become an id map. No screen is needed.

Points are (x, y) in pixels of the frame: the column and the row of a pixel, from the upper left corner.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from vos.masks import VOID, object_ids
from vos.video.drawn import Point, polygon_mask


def box_of(mask: np.ndarray) -> tuple[int, int, int, int]:
    """The smallest box around a boolean mask (H, W): (x, y, width, height) in pixels, all 0 where it is empty."""
    left, top, right, bottom = Image.fromarray(mask).getbbox() or (0, 0, 0, 0)
    return left, top, right - left, bottom - top


def stroke_mask(points: Sequence[Point], width: float, size: tuple[int, int]) -> np.ndarray:
    """The pixels that a round brush of this width, in pixels, passes over, as a boolean mask (H, W)."""
    image, radius = Image.new("1", size[::-1]), width / 2
    draw = ImageDraw.Draw(image)
    draw.line(list(points), fill=1, width=max(round(width), 1))
    for x, y in points:
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=1)
    return np.array(image)


class Shape(NamedTuple):
    """What one movement of the hand adds: a polygon, or a stroke where it has a width. Object 0 erases."""

    points: tuple[Point, ...]
    object: int
    width: float = 0

    def mask(self, size: tuple[int, int]) -> np.ndarray:
        return stroke_mask(self.points, self.width, size) if self.width else polygon_mask(self.points, size)


class State(NamedTuple):
    """All there is to a drawing at one time, so that to undo is to go back to the state before."""

    shapes: tuple[Shape, ...] = ()
    corners: tuple[Point, ...] = ()  # of the polygon that is not closed yet
    current: int = 1  # the object that is drawn


class Drawing:
    """The objects drawn on one frame of size (H, W). Later shapes lie on earlier ones; every step can be undone."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.state, self.past = State(), list[State]()
        self.painted: dict[tuple[Shape, ...], np.ndarray] = {}

    def go_on(self, state: State) -> None:
        """Take a step that can be undone."""
        self.past.append(self.state)
        self.state = state

    def undo(self) -> bool:
        """Take the last step back: a corner, a closed polygon (it is open again), a stroke. False if there is none."""
        if self.past:
            self.state = self.past.pop()
            return True
        return False

    def add_corner(self, point: Point) -> None:
        self.go_on(self.state._replace(corners=(*self.state.corners, self.inside(point))))

    def close(self) -> bool:
        """Close the polygon; False, and nothing changes, while it has fewer than three corners."""
        shapes, corners, current = self.state
        if len(corners) < 3:
            return False
        self.go_on(State((*shapes, Shape(corners, current)), (), current))
        return True

    def settle(self) -> None:
        """Close the polygon, or drop it where it has fewer than three corners: something else begins."""
        if not self.close():
            self.drop_corners()

    def drop_corners(self) -> None:
        """Forget the open polygon."""
        if self.state.corners:
            self.go_on(self.state._replace(corners=()))

    def add_stroke(self, points: Sequence[Point], width: float, erase: bool = False) -> None:
        """A stroke of a brush of this width in pixels, of the current object; erase: it takes away what it meets."""
        number = 0 if erase else self.state.current
        stroke = Shape(tuple(self.inside(point) for point in points), number, width)
        self.go_on(self.state._replace(shapes=(*self.state.shapes, stroke)))

    def clear(self) -> None:
        """Begin anew; that can be undone as well."""
        if self.state != State():
            self.go_on(State())

    def new_object(self) -> int:
        """Begin another object and return its id; the current one stays where nothing is drawn of it."""
        self.settle()
        self.choose(min(max([0, *self.drawn]) + 1, VOID - 1))
        return self.state.current

    def choose(self, number: int) -> None:
        """Draw this object from now on."""
        self.settle()
        self.state = self.state._replace(current=number)

    def inside(self, point: Point) -> Point:
        """The nearest point of the frame."""
        height, width = self.size
        return min(max(point[0], 0), width - 1), min(max(point[1], 0), height - 1)

    @property
    def drawn(self) -> list[int]:
        """The ids of the objects that shapes were drawn for, in order; all of an object may be erased again."""
        return sorted({shape.object for shape in self.state.shapes} - {0})

    @property
    def id_map(self) -> np.ndarray:
        """The objects as an id map, uint8 (H, W), 0 background; the polygon that is not closed is no part of it."""
        shapes = self.state.shapes
        if shapes not in self.painted:
            ids = self.painted.get(shapes[:-1])
            first = 0 if ids is None else len(shapes) - 1
            ids = np.zeros(self.size, np.uint8) if ids is None else ids.copy()
            for shape in shapes[first:]:
                ids[shape.mask(self.size)] = shape.object
            self.painted = {shapes: ids}
        return self.painted[shapes].copy()

    @property
    def areas(self) -> dict[int, float]:
        """What each object covers, as a fraction of the frame."""
        ids = self.id_map
        return {number: float((ids == number).mean()) for number in object_ids(ids)}
