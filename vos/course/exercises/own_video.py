"""Exercises of lesson 7: a first mask for a video of your own."""

from collections.abc import Callable

import numpy as np

from vos.course import drawing
from vos.course.exercises.compare import compare


def box_of(attempt: Callable) -> bool:
    """Notebook 07: attempt(mask (H, W) boolean) -> (x, y, width, height), as `vos.course.drawing.box_of`."""

    def rows_first(mask: np.ndarray) -> tuple[int, ...]:
        x, y, width, height = drawing.box_of(mask)
        return y, x, height, width

    def one_short(mask: np.ndarray) -> tuple[int, ...]:
        x, y, width, height = drawing.box_of(mask)
        return x, y, width - 1, height - 1

    def two_corners(mask: np.ndarray) -> tuple[int, ...]:
        x, y, width, height = drawing.box_of(mask)
        return x, y, x + width - 1, y + height - 1

    block, pixel, corner = np.zeros((3, 9, 14), bool)
    block[2:5, 4:11], pixel[6, 3], corner[7:, 10:] = True, True, True
    scattered = np.random.default_rng(1).random((9, 14)) > 0.97
    cases = [("a block", (block,)), ("one pixel", (pixel,)), ("in the corner", (corner,)), ("scattered", (scattered,))]
    cases += [("nothing at all", (np.zeros((9, 14), bool),))]
    mistakes = [
        ("rows and columns are exchanged; x counts columns, and NumPy's first axis is rows.", rows_first),
        ("a box from column 4 to column 10 is 7 wide: the last minus the first, plus 1.", one_short),
        ("these are two corners; the last two numbers are width and height.", two_corners),
    ]
    return compare(attempt, drawing.box_of, cases, mistakes)
