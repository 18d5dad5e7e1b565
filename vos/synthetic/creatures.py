"""Creatures that fly, swim, wind or roll (as in walkers.py, or with their middle at (0, 0)), and all categories."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from vos.synthetic.pen import Pattern, Pen
from vos.synthetic.shapes import block, capsule, chain, ellipse, mix, off, polygon, rgb, union
from vos.synthetic.walkers import BEASTS, BLACK, DARK, WHITE, Look, draw_person, eye, pick

PAINTS = [rgb(c) for c in ("#c93f3a", "#2d6ea8", "#e0b63a", "#3c8c6a", "#e9e4da", "#7b4f8f", "#e07b39")]


def draw_bird(pen: Pen, phase: float, look: Look) -> None:
    """A bird in flight, seen from the side, wings beating."""
    coats = [rgb(c) for c in ("#c8483f", "#3b78b5", "#e2a83c", "#4f9a6a", "#7a6a8c", "#4a4f5c")]
    coat = pick(coats, look[0])
    belly, dark = mix(coat, WHITE, 0.65), mix(coat, BLACK, 0.55)
    beat = math.sin(phase)

    def wing(tone: float, shift: float) -> None:
        root = (0.04 + shift, -0.06)
        for i in range(5):  # feathers, from the hind edge to the leading edge
            lift = -beat * (0.95 + 0.05 * i) + 0.12 * beat * abs(beat)
            back, length = 1.15 - 0.22 * i, 0.34 + 0.075 * i
            behind = length * math.sin(back) * (0.75 + 0.1 * i)
            tip = (root[0] - behind, root[1] + length * lift - 0.05 * (1 - abs(beat)))
            pen.fill(capsule(root, tip, 0.085, 0.045), mix(coat, dark, 0.75 - 0.17 * i), tone=tone, round=0.06)
        pen.fill(capsule(root, off(root, -0.12, -beat * 0.22), 0.1, 0.085), coat, tone=tone, line=0.6)

    wing(0.72, 0.09)
    for spread in (-0.08, 0.0, 0.08):
        pen.fill(capsule((-0.3, 0.0), (-0.56, spread + 0.03 * beat), 0.05, 0.035), dark)
    body = union(capsule((-0.3, 0.01), (0.05, 0.0), 0.07, 0.155), ellipse((0.25, -0.08), 0.125, 0.12), blend=0.12)
    pen.fill(body, coat, round=0.13, under=(belly, -0.02, 0.1))
    pen.fill(polygon([(0.35, -0.12), (0.5, -0.06), (0.35, -0.03)], 0.012), rgb("#e9a23b"))
    eye(pen, (0.29, -0.11), 0.032)
    wing(1.0, 0.0)


def draw_butterfly(pen: Pen, phase: float, look: Look) -> None:
    """A butterfly seen from above, wings closing and opening."""
    hues = [rgb(c) for c in ("#e8792f", "#3f83c4", "#e3bf3f", "#b65aa0", "#d9524e", "#58a58f")]
    hue, edge = pick(hues, look[0]), mix(pick(hues, look[1]), BLACK, 0.8)
    open_ = 0.35 + 0.65 * abs(math.cos(phase * 0.5))
    dots = Pattern("dots", mix(hue, WHITE, 0.8), 0.8, (look[2], look[3]))
    wings = [
        (-0.2, 0.25, 0.23, 0.24, -0.5, edge, None),
        (-0.19, 0.24, 0.165, 0.17, -0.5, mix(hue, WHITE, 0.2), dots),
        (0.17, 0.34, 0.24, 0.36, 0.5, edge, None),
        (0.15, 0.32, 0.18, 0.275, 0.5, hue, dots),
    ]
    for side in (-1, 1):
        for x, y, rx, ry, turn, color, pattern in wings:
            wing = ellipse((x, side * y * open_), rx, ry * open_, side * turn)
            pen.fill(wing, color, pattern, tone=1.0 if side > 0 else 0.9)
        pen.fill(capsule((0.24, 0), (0.43, side * 0.14), 0.014), DARK, line=0)
    pen.fill(capsule((-0.24, 0), (0.25, 0), 0.035, 0.05), DARK)


def draw_balloon(pen: Pen, phase: float, look: Look) -> None:
    """A hot-air balloon; its basket swings."""
    swing = 0.03 * math.sin(phase)
    first, second = pick(PAINTS, look[0]), pick(PAINTS, (look[0] + 0.3 + 0.4 * look[1]) % 1)
    for side in (-1, 1):
        pen.fill(capsule((side * 0.14, 0.3), (side * 0.075 + swing, 0.58), 0.012), DARK, line=0)
    pen.fill(block(swing - 0.1, 0.56, swing + 0.1, 0.72, 0.03), rgb("#a8743e"), Pattern("plaid", rgb("#6d4524"), 3))
    for k in range(4):  # gores: the envelope again and again, ever narrower
        wide = 1 - 0.27 * k
        cone = polygon([(-0.37 * wide, 0.14), (0.37 * wide, 0.14), (0.1 * wide, 0.42), (-0.1 * wide, 0.42)], 0.01)
        envelope = union(ellipse((0, -0.08), 0.46 * wide, 0.46), cone)
        pen.fill(envelope, first if k % 2 == 0 else second, line=1.3 if k == 0 else 0.5, round=0.3 * wide)
    pen.fill(block(-0.1, 0.4, 0.1, 0.44, 0.01), mix(first, BLACK, 0.5), line=0)


def draw_fish(pen: Pen, phase: float, look: Look) -> None:
    """A fish whose tail beats."""
    coats = [rgb(c) for c in ("#ef8a3a", "#f2c445", "#4f97c9", "#d9625f", "#6fb58a", "#a58cc4")]
    coat, other = pick(coats, look[0]), pick([WHITE, DARK, rgb("#24507a"), rgb("#f7e3a8")], look[1])
    sway = 0.16 * math.sin(phase)
    pattern = Pattern(("bands", "scales", "dots")[int(look[2] * 2.99)], other, 0.75, (look[3], 0.5))
    fin = mix(coat, other, 0.35)
    tail = [(-0.34, 0.0), (-0.62, -0.22 + sway), (-0.54, sway * 0.9), (-0.62, 0.22 + sway)]
    pen.fill(polygon(tail, 0.025), fin, Pattern("hoops", coat, 1.5, strength=0.5))
    back = polygon([(-0.2, -0.18), (-0.12, -0.4), (0.1, -0.32), (0.2, -0.18)], 0.03)
    pen.fill(back, fin, Pattern("bands", coat, 2, strength=0.5))
    pen.fill(polygon([(-0.12, 0.2), (-0.2, 0.36), (0.04, 0.24)], 0.02), fin)
    body = union(ellipse((0.08, 0), 0.37, 0.25), capsule((-0.1, 0), (-0.4, sway * 0.5), 0.18, 0.06), blend=0.1)
    pen.fill(body, coat, pattern, round=0.2, under=(mix(coat, WHITE, 0.7), 0.03, 0.22))
    pen.fill(ellipse((0.0, 0.06 + sway * 0.1), 0.12, 0.06, 0.5 + 1.5 * sway), fin, tone=1.05)
    pen.fill(ellipse((0.28, -0.05), 0.06, 0.06), WHITE, line=0.6)
    eye(pen, (0.295, -0.05), 0.038)
    pen.fill(capsule((0.4, 0.07), (0.43, 0.05), 0.012), DARK, line=0)


def draw_duck(pen: Pen, phase: float, look: Look) -> None:
    """A duck that swims on the water."""
    coat = pick([rgb(c) for c in ("#f4e4b5", "#9a7b58", "#f2efe6", "#8c8f96")], look[0])
    head = pick([rgb("#2f6e55"), coat, rgb("#5a3d2b")], look[1])
    nod = 0.025 * math.sin(phase)
    pen.fill(polygon([(-0.36, -0.12), (-0.58, -0.28 + nod), (-0.3, -0.02)], 0.03), mix(coat, BLACK, 0.35))
    neck = capsule((0.22, -0.08), (0.3, -0.3), 0.14, 0.09)
    pen.fill(union(ellipse((-0.05, -0.08), 0.42, 0.2), neck, blend=0.12), coat)
    pen.fill(capsule((0.29, -0.3 + nod), (0.32, -0.42 + nod), 0.085, 0.125), head)
    if look[1] < 0.33:
        pen.fill(capsule((0.22, -0.25), (0.37, -0.24), 0.028), WHITE, line=0.5)
    pen.fill(polygon([(0.42, -0.45 + nod), (0.6, -0.38 + nod), (0.42, -0.35 + nod)], 0.022), rgb("#e99a2f"))
    eye(pen, (0.36, -0.46 + nod), 0.03)
    for i in range(3):
        end = (-0.34 + 0.1 * i, -0.2 + 0.09 * i + 0.5 * nod)
        pen.fill(capsule((0.06, -0.13 + 0.03 * i), end, 0.09, 0.045), mix(coat, BLACK, 0.12 + 0.12 * (2 - i)))
    for i, width in enumerate((0.62, 0.45)):
        pen.soft((0.02, 0.1 + 0.035 * i), width, 0.04, rgb("#eaf6f8"), 0.55)


def draw_turtle(pen: Pen, phase: float, look: Look) -> None:
    """A sea turtle that rows with its flippers."""
    skin = pick([rgb(c) for c in ("#8fae5d", "#7aa27f", "#b3a565")], look[0])
    shell, seam = pick([rgb("#6f6a35"), rgb("#8a5a34"), rgb("#4f7050")], look[1]), rgb("#ddc98a")
    spots = Pattern("dots", mix(skin, BLACK, 0.5), 1.6)
    row = math.sin(phase)
    for x, length, offset in ((0.2, 0.42, 0.5), (-0.28, 0.22, 0.9)):
        swing = row * 0.7 + offset
        tip = (x - length * math.sin(swing), -length * math.cos(swing) * 0.8)
        pen.fill(capsule((x + 0.06, 0.0), tip, 0.085, 0.05), skin, spots, 0.72)
    pen.fill(capsule((-0.38, 0.04), (-0.52, 0.08), 0.05, 0.015), skin)
    neck = capsule((0.28, -0.02), (0.47, -0.06), 0.08, 0.09)
    pen.fill(union(neck, ellipse((0.53, -0.06), 0.12, 0.1), blend=0.05), skin, spots)
    eye(pen, (0.58, -0.1), 0.026)
    pen.fill(ellipse((0, 0.05), 0.42, 0.18), mix(seam, WHITE, 0.2))
    pen.fill(ellipse((-0.01, -0.04), 0.42, 0.25), shell, Pattern("patches", seam, 0.9, (look[2], look[3])), round=0.22)
    for x, length, offset in ((0.22, 0.46, 0.4), (-0.27, 0.24, 0.8)):
        swing = -row * 0.8 + offset
        tip = (x - length * math.sin(swing), 0.1 + length * math.cos(swing) * 0.9)
        pen.fill(capsule((x, 0.1), tip, 0.095, 0.05), skin, spots)


def draw_octopus(pen: Pen, phase: float, look: Look) -> None:
    """An octopus, its arms curling as it drifts."""
    coat = pick([rgb(c) for c in ("#c9574a", "#b5679a", "#d98a4a", "#8a6bb0")], look[0])
    sucker = Pattern("dots", mix(coat, WHITE, 0.6), 2.2)
    for i in (0, 5, 1, 4, 2, 3):
        lean = (i - 2.5) / 2.5
        points = []
        for j in range(4):
            wave = 0.09 * math.sin(phase + 1.1 * j + 1.7 * i) * j / 2
            points.append((lean * (0.12 + 0.13 * j) + wave, 0.08 + 0.17 * j * (1 - 0.25 * abs(lean))))
        pen.fill(chain(points, 0.085, 0.028), coat, sucker, tone=1.0 if i % 2 else 0.8)
    pulse = 1 + 0.05 * math.sin(phase)
    head = union(ellipse((0, -0.24), 0.27 * pulse, 0.3 / pulse), ellipse((0, 0.06), 0.22, 0.13), blend=0.1)
    pen.fill(head, coat, Pattern("dots", mix(coat, BLACK, 0.3), 1.1, (look[1], look[2]), strength=0.7), round=0.22)
    for x in (-0.06, 0.14):
        pen.fill(ellipse((x, -0.03), 0.065, 0.075), WHITE)
        eye(pen, (x + 0.02, -0.025), 0.036)


def draw_snake(pen: Pen, phase: float, look: Look) -> None:
    """A snake that winds its way along the ground."""
    coat, other = rgb("#8fa84a"), rgb("#4d4a25")
    if look[0] > 0.5:
        coat, other = (rgb("#d9a05a"), rgb("#7a3b25")) if look[0] > 0.75 else (rgb("#d4564a"), rgb("#f3e6c0"))
    steps = [j / 12 for j in range(13)]
    points = [(0.62 - 1.24 * s, -0.13 + 0.15 * (0.35 + 0.65 * s) * math.sin(phase + 9 * s)) for s in steps]
    pen.fill(chain(points, 0.075, 0.022), coat, Pattern("bands", other, 2.2, (-phase / 9, 0)), round=0.07)
    head = points[0]
    if math.sin(1.7 * phase) > 0.2:
        pen.fill(capsule(head, off(head, 0.2, 0.01), 0.012), rgb("#b8323a"), line=0)  # its tongue
    pen.fill(ellipse(off(head, 0.03, 0), 0.115, 0.082), coat)
    eye(pen, off(head, 0.06, -0.03), 0.024)


def wheel(pen: Pen, x: float, radius: float, turn: float) -> None:
    """A wheel on the ground at x, its spokes turned by `turn`."""
    pen.fill(ellipse((x, -radius), radius, radius), rgb("#2b2b30"))
    pen.fill(ellipse((x, -radius), radius * 0.58, radius * 0.58), rgb("#c9c9cc"), line=0.6)
    for angle in (turn, turn + math.pi / 2):
        dx, dy = radius * 0.5 * math.cos(angle), radius * 0.5 * math.sin(angle)
        pen.fill(capsule((x - dx, dy - radius), (x + dx, -dy - radius), radius * 0.09), rgb("#6a6a70"), line=0)


def draw_car(pen: Pen, phase: float, look: Look) -> None:
    """A car; look decides paint, length of the cabin and a stripe."""
    paint = pick(PAINTS, look[0])
    bounce, back = 0.008 * math.sin(2 * phase), -0.34 - 0.1 * look[1]
    pen.fill(polygon([(back, -0.3 + bounce), (back + 0.12, -0.48), (0.1, -0.48), (0.29, -0.3 + bounce)], 0.04), paint)
    for a, b, c, d in ((back + 0.06, back + 0.14, -0.07, -0.07), (-0.01, -0.01, 0.08, 0.22)):  # windows
        pen.fill(polygon([(a, -0.31), (b, -0.45), (c, -0.45), (d, -0.31)], 0.01), rgb("#a9cfdc"))
    pen.fill(ellipse((0.05, -0.345), 0.035, 0.04), rgb("#5a4238"), line=0)
    pen.fill(block(-0.6, -0.32 + bounce, 0.6, -0.09 + bounce, 0.08), paint)
    if look[2] > 0.5:
        pen.fill(block(-0.58, -0.22 + bounce, 0.58, -0.18 + bounce, 0.01), mix(paint, WHITE, 0.7), line=0)
    pen.fill(block(-0.58, -0.13 + bounce, 0.58, -0.08 + bounce, 0.02), mix(paint, BLACK, 0.6), line=0)
    pen.fill(ellipse((0.55, -0.24 + bounce), 0.04, 0.045), rgb("#fff2b8"))
    pen.fill(ellipse((-0.57, -0.24 + bounce), 0.03, 0.045), rgb("#d8423a"))
    pen.fill(block(-0.14, -0.27, -0.07, -0.25, 0.008), DARK, line=0)
    for x in (-0.36, 0.36):
        wheel(pen, x, 0.115, phase)


def draw_train(pen: Pen, phase: float, look: Look) -> None:
    """A small steam train: an engine and two carriages."""
    paint, other = pick(PAINTS, look[0]), pick(PAINTS, (look[0] + 0.45) % 1)
    glass, iron = rgb("#bfe0e6"), rgb("#3a3d46")
    pen.fill(block(-1.1, -0.12, 0.72, -0.08, 0.01), iron)
    for x, color in ((-1.16, other), (-0.53, mix(other, paint, 0.35))):
        pen.fill(block(x, -0.5, x + 0.57, -0.1, 0.04), color)
        pen.fill(block(x - 0.02, -0.54, x + 0.59, -0.47, 0.03), mix(color, BLACK, 0.4))
        for k in range(3):
            pen.fill(block(x + 0.06 + 0.17 * k, -0.4, x + 0.17 + 0.17 * k, -0.26, 0.02), glass, line=0.8)
    pen.fill(block(0.06, -0.62, 0.32, -0.1, 0.03), paint)
    pen.fill(block(0.02, -0.67, 0.36, -0.6, 0.03), mix(paint, BLACK, 0.45))
    pen.fill(block(0.11, -0.53, 0.25, -0.36, 0.02), glass, line=0.8)
    pen.fill(block(0.28, -0.42, 0.74, -0.12, 0.1), paint, Pattern("bands", iron, 1.1, (0.05, 0), strength=0.7))
    pen.fill(polygon([(0.58, -0.4), (0.56, -0.6), (0.7, -0.6), (0.67, -0.4)], 0.015), iron)
    pen.fill(ellipse((0.43, -0.43), 0.06, 0.05), rgb("#d9b45a"))
    pen.fill(ellipse((0.73, -0.3), 0.045, 0.05), rgb("#fff2b8"))
    pen.fill(polygon([(0.7, -0.12), (0.86, -0.02), (0.7, -0.02)], 0.01), iron)
    for x in (-1.02, -0.72, -0.4, -0.1, 0.17, 0.42, 0.62):
        wheel(pen, x, 0.085 if x < 0.1 else 0.1, phase)
    for k in range(3):
        age = (phase * 0.12 + k / 3) % 1
        pen.soft((0.6 - 0.7 * age, -0.66 - 0.3 * age), 0.09 + 0.14 * age, 0.07 + 0.1 * age, WHITE, 0.8 * (1 - age))


@dataclass(frozen=True)
class Category:
    """draw; how it moves; where it lives; area: pixels of its mask at one pixel per unit; stride: units per turn
    of its phase (turns a second where it does not stand); seen: whether it occurs in training."""

    draw: Callable[[Pen, float, Look], None]
    moves: str  # "walk", "drive", "fly", "flutter", "swim", "float", "drift"
    scenes: tuple[str, ...]
    area: float
    stride: float
    seen: bool = True


CATEGORIES = {
    "tiger": Category(BEASTS["tiger"].draw, "walk", ("savannah", "forest", "snow"), 0.7, 0.85),
    "zebra": Category(BEASTS["zebra"].draw, "walk", ("savannah",), 0.73, 0.95),
    "elephant": Category(BEASTS["elephant"].draw, "walk", ("savannah",), 1.07, 0.85),
    "giraffe": Category(BEASTS["giraffe"].draw, "walk", ("savannah",), 0.92, 1.2),
    "dog": Category(BEASTS["dog"].draw, "walk", ("street", "forest", "snow", "meadow"), 0.6, 0.75),
    "person": Category(draw_person, "walk", ("street", "forest", "savannah", "snow", "meadow"), 0.21, 0.75),
    "car": Category(draw_car, "drive", ("street", "snow", "meadow"), 0.42, 0.75),
    "snake": Category(draw_snake, "walk", ("savannah", "forest"), 0.17, 0.6),
    "bird": Category(draw_bird, "fly", ("sky", "forest", "savannah", "pond", "snow", "meadow"), 0.36, 1.0),
    "butterfly": Category(draw_butterfly, "flutter", ("forest", "meadow", "pond"), 0.62, 1.0),
    "balloon": Category(draw_balloon, "drift", ("sky", "street", "savannah", "meadow"), 0.76, 1.0),
    "fish": Category(draw_fish, "swim", ("underwater",), 0.46, 1.0),
    "leopard": Category(BEASTS["leopard"].draw, "walk", ("savannah", "forest", "snow"), 0.62, 0.85, seen=False),
    "cow": Category(BEASTS["cow"].draw, "walk", ("meadow", "meadow", "forest"), 0.73, 0.75, seen=False),
    "duck": Category(draw_duck, "float", ("pond",), 0.39, 1.0, seen=False),
    "turtle": Category(draw_turtle, "swim", ("underwater",), 0.46, 1.0, seen=False),
    "octopus": Category(draw_octopus, "swim", ("underwater",), 0.54, 1.0, seen=False),
    "train": Category(draw_train, "drive", ("street", "meadow", "snow"), 0.9, 0.65, seen=False),
}
