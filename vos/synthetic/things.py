"""Things that stand about in the scenes, one unit tall, their foot at v = 0."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from vos.synthetic.pen import Pattern, Pen
from vos.synthetic.shapes import Color, block, capsule, chain, ellipse, mix, polygon, rgb, union

Random = np.random.Generator
Thing = Callable[[Pen, Random], None]


def between(rng: Random, low: float, high: float) -> float:
    """A random number in low..high."""
    return low + (high - low) * rng.random()


def tint(rng: Random, codes: Sequence[str], amount: float = 0.05) -> Color:
    """One of the colours, a little lighter or darker."""
    return np.clip(rgb(codes[int(rng.random() * len(codes))]) * np.float32(1 + amount * (2 * rng.random() - 1)), 0, 1)


def tuft(pen: Pen, rng: Random, codes: Sequence[str] = ("#b9a04c", "#9c8b3f", "#cdb765"), wide: float = 0.07) -> None:
    """A tuft of grass."""
    color = tint(rng, codes, 0.1)
    for lean in (-0.5, -0.2, 0.15, 0.45):
        pen.fill(capsule((lean * 0.3, 0), (lean, -between(rng, 0.6, 1.0)), wide, 0.02), color, line=0)


def green_tuft(pen: Pen, rng: Random) -> None:
    """A tuft of green grass, sometimes with a flower."""
    tuft(pen, rng, ["#5f8f43", "#4c7c3d", "#7da653"], 0.08)
    if rng.random() < 0.4:
        pen.fill(ellipse((0, -1), 0.16, 0.16), tint(rng, ["#f2d75c", "#f4f0e6", "#e58aa0", "#b28ad0"]), line=0)


def stone(pen: Pen, rng: Random) -> None:
    """A rounded stone."""
    pen.soft((0.1, 0.05), 0.8, 0.2, rgb("#2b2a33"), 0.4)
    shape = union(ellipse((0, -0.25), 0.6, 0.38), ellipse((0.25, -0.15), 0.5, 0.28), blend=0.1)
    pen.fill(shape, tint(rng, ["#9a948c", "#8a8a90", "#ab9f8b"], 0.1), line=0.8)


def bush(pen: Pen, rng: Random) -> None:
    """A round bush."""
    color = tint(rng, ["#5d8a45", "#4b7a4a", "#78964a"], 0.12)
    lumps = [ellipse((x, -0.42 + 0.3 * abs(x) * rng.random()), 0.42, 0.42) for x in (-0.5, 0.0, 0.5)]
    pen.soft((0.1, 0.02), 1.0, 0.18, rgb("#20301f"), 0.45)
    leaves = Pattern("dots", mix(color, rgb("#2c4a2a"), 0.5), 0.6)
    pen.fill(union(*lumps, blend=0.1), color, leaves, line=0.8, round=0.4)


def acacia(pen: Pen, rng: Random) -> None:
    """A flat-topped tree of the savannah."""
    bark, leaf = rgb("#6d4e37"), tint(rng, ["#71803c", "#84883f", "#5f7740"], 0.1)
    pen.soft((0, 0), 0.6, 0.06, rgb("#4a3a20"), 0.5)
    for end in (-0.25, 0.05, 0.28):
        pen.fill(chain([(0, 0), (0.03, -0.45), (end, -0.8)], 0.05, 0.025), bark, line=0.6)
    for x, y, w in ((-0.28, -0.8, 0.4), (0.3, -0.82, 0.4), (0.02, -0.92, 0.45)):
        pen.fill(ellipse((x, y), w, 0.12), leaf, Pattern("fur", mix(leaf, rgb("#3d4a22"), 0.6), 1.0), line=0.6)


def broadleaf(pen: Pen, rng: Random) -> None:
    """A tree with a round crown."""
    bark = tint(rng, ["#5f4633", "#6b5340", "#4f4038"])
    leaf = tint(rng, ["#4f7d3f", "#3f6f44", "#6b8f43", "#8a9a45"], 0.1)
    cracks = Pattern("fur", mix(bark, rgb("#2a2018"), 0.6), 2)
    pen.fill(capsule((0, 0), (0.02, -0.6), 0.07, 0.045), bark, cracks, line=0.8)
    spots = Pattern("fur", mix(leaf, rgb("#223c24"), 0.75), 1.3)
    for x, y, r in ((-0.2, -0.6, 0.22), (0.22, -0.62, 0.22), (0.0, -0.78, 0.26)):
        pen.fill(ellipse((x, y), r, r * 0.9), leaf, spots, line=0.8, round=0.22)


def trunk(pen: Pen, rng: Random) -> None:
    """A tall trunk that leaves the picture at the top."""
    bark = tint(rng, ["#6a4f3b", "#59473b", "#7a6450"])
    shape = union(capsule((0, 0), (0.03, -3), 0.1, 0.075), capsule((-0.14, 0.03), (0, -0.25), 0.05, 0.05), blend=0.1)
    pen.fill(shape, bark, Pattern("fur", mix(bark, rgb("#241c17"), 0.8), 1.6, turn=1.4), round=0.08)


def pine(pen: Pen, rng: Random) -> None:
    """A pine with snow on it."""
    leaf = tint(rng, ["#3f6a5c", "#4a7468", "#37605a"], 0.1)
    pen.soft((0.05, 0), 0.4, 0.06, rgb("#7f95b0"), 0.6)
    pen.fill(capsule((0, 0), (0, -0.3), 0.04), rgb("#5b4638"), line=0.6)
    for k in range(3):
        y, w = -0.12 - 0.24 * k, 0.32 - 0.08 * k
        pen.fill(polygon([(-w, y), (0, y - 0.42), (w, y)], 0.02), leaf, line=0.7)
        snow = polygon([(-w * 0.5, y - 0.2), (0, y - 0.43), (w * 0.45, y - 0.23), (0, y - 0.26)], 0.01)
        pen.fill(snow, rgb("#f4f8fb"), line=0)


def weed(pen: Pen, rng: Random) -> None:
    """A water plant."""
    color = tint(rng, ["#3f8f6a", "#5aa05a", "#2f7f7f", "#8a9f4a", "#a2506a"], 0.1)
    for k in range(3):
        x, lean = (k - 1) * 0.16, between(rng, -0.15, 0.15)
        points = [(x + 0.07 * math.sin(2 * i + 5 * lean) + lean * i / 4, -0.25 * i) for i in range(5)]
        pen.fill(chain(points, 0.06, 0.02), color, line=0.7, round=0.06)


def coral(pen: Pen, rng: Random) -> None:
    """A branching coral."""
    color = tint(rng, ["#e07a6a", "#e0a04a", "#c96a9a", "#8f7fc4"], 0.08)
    for angle in (-0.8, -0.35, 0.1, 0.5, 0.9):
        tip = (0.75 * math.sin(angle), -0.85 * math.cos(angle))
        pen.fill(chain([(0, 0), (tip[0] * 0.45, tip[1] * 0.6), tip], 0.11, 0.08), color, line=0.8, round=0.08)


def reed(pen: Pen, rng: Random) -> None:
    """A few reeds."""
    for k in range(4):
        x, lean = (k - 1.5) * 0.12, between(rng, -0.1, 0.1)
        top = (x + lean, -between(rng, 0.7, 1.0))
        pen.fill(capsule((x, 0), top, 0.022, 0.012), tint(rng, ["#5d8a45", "#7a9a50"]), line=0)
        pen.fill(capsule(top, (top[0] + lean * 0.15, top[1] + 0.17), 0.035), rgb("#7a5230"), line=0.5)


def post(pen: Pen, rng: Random) -> None:
    """A street lamp."""
    iron = tint(rng, ["#3f4a52", "#4a5a4f", "#5a4a4a"])
    pen.fill(capsule((0, 0), (0, -1), 0.03, 0.022), iron)
    pen.fill(block(-0.05, -0.06, 0.05, 0.0, 0.015), iron)
    pen.fill(ellipse((0, -1.02), 0.07, 0.08), rgb("#f6e7b0"))
    pen.fill(polygon([(-0.08, -1.07), (0, -1.14), (0.08, -1.07)], 0.01), iron)


def house(pen: Pen, rng: Random) -> None:
    """A town house, one unit tall and about half as wide."""
    wall = tint(rng, ["#d9a07a", "#c9b48a", "#b5735f", "#8fa3a8", "#dcc7a0", "#a78fa0"], 0.06)
    roof, frame = tint(rng, ["#7a4a44", "#54566a", "#6a5a4a"]), rgb("#f1e8d8")
    pen.fill(polygon([(-0.29, -0.83), (-0.2, -1.0), (0.2, -1.0), (0.29, -0.83)], 0.01), roof)
    pen.fill(block(-0.26, -0.85, 0.26, 0.0), wall, Pattern("fur", mix(wall, rgb("#6a4a3a"), 0.35), 2))
    lit = [rgb("#7f9fb0"), rgb("#5f7f95"), rgb("#e8d08a")]
    for row, column in np.ndindex(3, 3):
        x, y = -0.17 + 0.17 * column, -0.72 + 0.23 * row
        if (row, column) == (2, 1):  # the door
            pen.fill(block(x - 0.05, y - 0.02, x + 0.05, 0.0, 0.01), roof)
        else:
            pen.fill(block(x - 0.05, y - 0.07, x + 0.05, y + 0.07), frame, line=0.6)
            pen.fill(block(x - 0.036, y - 0.055, x + 0.036, y + 0.055), lit[int(rng.random() * 3)], line=0)


def puff(pen: Pen, rng: Random) -> None:
    """A fair-weather cloud."""
    lumps = [ellipse(((k - 2) * 0.42, -between(rng, 0.1, 0.35)), 0.45, between(rng, 0.25, 0.5)) for k in range(5)]
    pen.fill(union(*lumps, blend=0.2), rgb("#fdfbf6"), line=0, round=0.5)


def fence(pen: Pen, rng: Random) -> None:
    """A piece of wooden fence."""
    wood = tint(rng, ["#a5825a", "#b8966a", "#8f7050"])
    for y in (-0.7, -0.4):
        pen.fill(block(-1.5, y - 0.06, 1.5, y + 0.06, 0.03), wood, line=0.7)
    for x in (-1.2, 0.0, 1.2):
        pen.fill(block(x - 0.09, -0.95, x + 0.09, 0.0, 0.04), wood, line=0.7)
