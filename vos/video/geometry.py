"""How a stored picture is shown: turned and mirrored by a display matrix, with square pixels."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

UPRIGHT = (1, 0, 0, 0, 1, 0, 0, 0, 1)


class Turn(NamedTuple):
    """What to do to a stored frame: exchange rows and columns, then mirror left-right, then upside down."""

    transposed: bool
    mirrored: bool
    flipped: bool


def turn_of(matrix: Sequence[int]) -> Turn:
    """The turn that a display matrix asks for: x' = a x + c y, y' = b x + d y, to the nearest quarter."""
    a, b, _, c, d = matrix[:5]
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Turn(True, c < 0, b < 0)
    return Turn(False, a < 0, d < 0)


def turned(frame: np.ndarray, turn: Turn) -> np.ndarray:
    """A frame (H, W, 3) as it is to be shown, in memory of its own."""
    if turn.transposed:
        frame = frame.swapaxes(0, 1)
    if turn.mirrored:
        frame = frame[:, ::-1]
    if turn.flipped:
        frame = frame[::-1]
    return np.ascontiguousarray(frame)


def shown_size(height: int, width: int, pixel_aspect: Any) -> tuple[int, int]:
    """(H, W) with square pixels: the width is stretched by a pixel's width over its height, where that is known."""
    aspect = float(pixel_aspect or 1)
    if not 0.1 < aspect < 10:  # no camera has such pixels: a broken header
        return height, width
    return height, max(round(width * aspect), 1)
