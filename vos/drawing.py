"""Drawing with arithmetic alone: shapes as signed distances, patterns as small tiles, a pen that paints both.

A shape knows, for any point, how far away its edge is (negative inside). One number per pixel then gives
everything: an antialiased edge, an outline, a rounded look under a light from the top left.
Only +, -, *, /, sqrt and table look-ups touch pixels, so that every machine draws the same picture.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

Point = tuple[float, float]
TILE = 512  # side of a noise tile, pixels
CLOTH = 256  # side of a pattern tile, pixels


def rgb(code: str) -> np.ndarray:
    """'#E8892B' as float32 (3,), 0..1."""
    return np.array([int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)], np.float32)


def mix(first: np.ndarray, second: np.ndarray, weight: float) -> np.ndarray:
    """`first` at weight 0, `second` at weight 1."""
    return first + (second - first) * np.float32(weight)


def ramp(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, a straight line between."""
    return np.clip((x - low) / (high - low), 0, 1)


# -- shapes ---------------------------------------------------------------------------------------


class Shape(NamedTuple):
    """bounds: (left, top, right, bottom); distance(u, v): signed distance to the edge, negative inside."""

    bounds: tuple[float, float, float, float]
    distance: Callable[[np.ndarray, np.ndarray], np.ndarray]


def capsule(a: Point, b: Point, ra: float, rb: float | None = None) -> Shape:
    """A thick line from a to b whose radius goes from ra to rb."""
    rb = ra if rb is None else rb
    dx, dy = b[0] - a[0], b[1] - a[1]
    inverse = 1 / max(dx * dx + dy * dy, 1e-9)

    def distance(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        u, v = u - a[0], v - a[1]
        along = np.clip((u * dx + v * dy) * inverse, 0, 1)
        u, v = u - along * dx, v - along * dy
        return np.sqrt(u * u + v * v) - (ra + along * (rb - ra))

    bounds = (
        min(a[0] - ra, b[0] - rb),
        min(a[1] - ra, b[1] - rb),
        max(a[0] + ra, b[0] + rb),
        max(a[1] + ra, b[1] + rb),
    )
    return Shape(bounds, distance)


def ellipse(centre: Point, rx: float, ry: float, turn: float = 0.0) -> Shape:
    """An ellipse turned by `turn` radians."""
    cos, sin = math.cos(turn), math.sin(turn)

    def distance(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        u, v = u - centre[0], v - centre[1]
        p, q = (u * cos + v * sin) / rx, (v * cos - u * sin) / ry
        level = np.sqrt(p * p + q * q)
        p, q = p / rx, q / ry
        return level * (level - 1) / np.maximum(np.sqrt(p * p + q * q), 1e-6)

    w, h = math.hypot(rx * cos, ry * sin), math.hypot(rx * sin, ry * cos)
    return Shape((centre[0] - w, centre[1] - h, centre[0] + w, centre[1] + h), distance)


def polygon(points: list[Point], rounding: float = 0.0) -> Shape:
    """A simple polygon, its corners rounded outwards by `rounding`."""
    edges = list(zip(points, points[1:] + points[:1], strict=True))

    def distance(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        nearest = None
        inside = np.zeros(np.broadcast(u, v).shape, bool)
        for (ax, ay), (bx, by) in edges:
            dx, dy = bx - ax, by - ay
            p, q = u - ax, v - ay
            along = np.clip((p * dx + q * dy) / max(dx * dx + dy * dy, 1e-9), 0, 1)
            crosses = ((v >= ay) != (v >= by)) & ((p * dy < q * dx) == (dy > 0))
            inside ^= crosses
            p, q = p - along * dx, q - along * dy
            square = p * p + q * q
            nearest = square if nearest is None else np.minimum(nearest, square)
        root = np.sqrt(nearest)
        return np.where(inside, -root, root) - rounding

    xs, ys = zip(*points, strict=True)
    return Shape((min(xs) - rounding, min(ys) - rounding, max(xs) + rounding, max(ys) + rounding), distance)


def block(left: float, top: float, right: float, bottom: float, rounding: float = 0.0) -> Shape:
    """A rectangle with rounded corners."""
    cx, cy = (left + right) / 2, (top + bottom) / 2
    hx, hy = (right - left) / 2 - rounding, (bottom - top) / 2 - rounding

    def distance(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        p, q = np.abs(u - cx) - hx, np.abs(v - cy) - hy
        outside_p, outside_q = np.maximum(p, 0), np.maximum(q, 0)
        outside = np.sqrt(outside_p * outside_p + outside_q * outside_q)
        return outside + np.minimum(np.maximum(p, q), 0) - rounding

    return Shape((left, top, right, bottom), distance)


def chain(points: list[Point], first: float, last: float) -> Shape:
    """A thick curve through `points`, tapering from radius `first` to `last`."""
    n = len(points) - 1
    radii = [first + (last - first) * i / n for i in range(n + 1)]
    return union(*(capsule(points[i], points[i + 1], radii[i], radii[i + 1]) for i in range(n)))


def union(*shapes: Shape, blend: float = 0.0) -> Shape:
    """All shapes as one; `blend` melts their joints together over that distance."""

    def distance(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        result = shapes[0].distance(u, v)
        for shape in shapes[1:]:
            other = shape.distance(u, v)
            if blend:
                melt = np.maximum(blend - np.abs(result - other), 0)
                result = np.minimum(result, other) - melt * melt / (4 * blend)
            else:
                result = np.minimum(result, other)
        return result

    corners = list(zip(*(shape.bounds for shape in shapes), strict=True))
    return Shape((min(corners[0]), min(corners[1]), max(corners[2]), max(corners[3])), distance)


# -- noise and patterns -----------------------------------------------------------------------------


@lru_cache(maxsize=32)
def noise_tile(number: int, cells: tuple[int, ...] = (128, 64, 32, 16, 8)) -> np.ndarray:
    """Smooth noise that tiles, float32 (TILE, TILE), 0..1: octaves of random grids of these cell sizes."""
    rng = np.random.Generator(np.random.PCG64(1000 + number))
    total = np.zeros((TILE, TILE), np.float32)
    for cell in cells:
        n = TILE // cell
        grid = rng.random((n, n)).astype(np.float32)
        place = np.arange(TILE) / cell
        low = place.astype(int)
        part = (place - low).astype(np.float32)
        part = part * part * (3 - 2 * part)
        grid = grid[low] + (grid[(low + 1) % n] - grid[low]) * part[:, None]
        grid = grid[:, low] + (grid[:, (low + 1) % n] - grid[:, low]) * part
        total += grid * np.float32(cell**0.8)
    total -= total.min()
    return total / total.max()


def noise(rng: np.random.Generator, height: int, width: int, wide: float = 1.0, tall: float = 1.0) -> np.ndarray:
    """A window of smooth noise, float32 (height, width), 0..1, stretched by `wide` and `tall`."""
    number, y, x = int(rng.random() * 3), rng.random() * TILE, rng.random() * TILE
    rows = (y + np.arange(height) / tall).astype(int) % TILE
    columns = (x + np.arange(width) / wide).astype(int) % TILE
    return noise_tile(number)[rows[:, None], columns]


def scattered(n: int, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Distance from each pattern pixel to the nearest and next nearest of n x n scattered points (of a tile)."""
    rng = np.random.Generator(np.random.PCG64(2000 + number))
    place = (np.arange(CLOTH, dtype=np.float32) / CLOTH)[None]
    first = np.full((CLOTH, CLOTH), 9, np.float32)
    second = first.copy()
    for i in range(n):
        for j in range(n):
            shift = i % 2 / 2
            x, y = (j + shift + 0.6 * rng.random()) / n, (i + 0.6 * rng.random()) / n
            dx, dy = place - np.float32(x), place.T - np.float32(y)
            dx, dy = dx - np.floor(dx + 0.5), dy - np.floor(dy + 0.5)
            d = np.sqrt(dx * dx + dy * dy) * n
            second = np.minimum(second, np.maximum(first, d))
            first = np.minimum(first, d)
    return first, second


@lru_cache(maxsize=32)
def pattern_tile(name: str) -> np.ndarray:
    """A named pattern, float32 (CLOTH * CLOTH,), 0..1: how much of the second colour a point has."""
    place = np.arange(CLOTH, dtype=np.float32) / CLOTH
    x, y = np.meshgrid(place, place)
    soft = noise_tile(7)[::2, ::2]

    def wave(z: np.ndarray) -> np.ndarray:  # a triangle wave, 0..1, period 1
        return np.abs(2 * (z - np.floor(z)) - 1)

    if name == "tiger":
        tile = ramp(wave(7 * x + 1.5 * soft + 0.3 * wave(2 * y)) + 0.35 * wave(2 * y + 2 * soft), 0.78, 0.90)
    elif name == "zebra":
        tile = ramp(wave(8 * x + 1.2 * soft), 0.44, 0.56)
    elif name == "rosettes":
        d = scattered(8, 1)[0]
        tile = np.maximum(ramp(d, 0.16, 0.24) * ramp(-d, -0.44, -0.36), 0.35 * ramp(-d, -0.4, -0.3))
    elif name == "patches":
        first, second = scattered(5, 2)
        tile = ramp(second - first, 0.12, 0.2)
    elif name == "cow":
        tile = ramp(noise_tile(8, (64,))[::2, ::2], 0.55, 0.6)
    elif name == "dots":
        tile = ramp(-scattered(6, 3)[0], -0.34, -0.26)
    elif name == "scales":
        row = np.floor(8 * y)
        p, q = 8 * x + 0.5 * (row % 2), 8 * y - row
        p = p - np.floor(p) - 0.5
        tile = ramp(np.abs(np.sqrt(p * p + q * q) - 0.62), 0.0, 0.16) * 0.9
        tile = 1 - tile
    elif name == "bands":
        tile = ramp(wave(4 * x), 0.45, 0.55)
    elif name == "plaid":
        tile = 0.45 * ramp(wave(8 * x), 0.5, 0.6) + 0.45 * ramp(wave(8 * y), 0.5, 0.6)
    elif name == "hoops":
        tile = ramp(wave(8 * y), 0.45, 0.55)
    elif name == "fur":
        tile = noise_tile(9, (32, 8, 4))[::2, ::2]
    else:
        raise ValueError(f"no pattern {name!r}")
    return np.ascontiguousarray(tile, np.float32).ravel()


@dataclass(frozen=True)
class Pattern:
    """A pattern tile in a second colour. repeat: tiles per unit; origin, turn: the frame it is fixed to."""

    name: str
    colour: np.ndarray
    repeat: float = 1.0
    origin: Point = (0.0, 0.0)
    turn: float = 0.0
    strength: float = 1.0

    def weight(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """How much of the second colour each point has, 0..1."""
        cos, sin = math.cos(self.turn) * self.repeat * CLOTH, math.sin(self.turn) * self.repeat * CLOTH
        u, v = u - self.origin[0], v - self.origin[1]
        column = (u * cos + v * sin + 64 * CLOTH).astype(np.int32) & (CLOTH - 1)
        row = (v * cos - u * sin + 64 * CLOTH).astype(np.int32) & (CLOTH - 1)
        return pattern_tile(self.name).take(row * CLOTH + column) * np.float32(self.strength)

    def along(self, origin: Point, end: Point) -> "Pattern":
        """The same pattern fixed to a limb that goes from `origin` to `end`, across which bands run."""
        turn = math.atan2(end[1] - origin[1], end[0] - origin[0])
        return Pattern(self.name, self.colour, self.repeat, origin, turn, self.strength)


# -- the pen ----------------------------------------------------------------------------------------


@dataclass
class Pen:
    """Paints shapes given in body units onto a picture, and their id onto an id map.

    colour: float32 (3, H, W), 0..1; ids: uint8 (H, W) or None; x, y: pixels of the body's origin;
    size: pixels per unit; turn: radians, clockwise; facing: 1 right, -1 left (between: turned away); tone: brightness.
    """

    colour: np.ndarray
    ids: np.ndarray | None
    number: int
    x: float
    y: float
    size: float
    turn: float = 0.0
    facing: float = 1.0
    tone: float = 1.0

    def _window(self, bounds: tuple[float, float, float, float]) -> tuple[slice, slice] | None:
        cos, sin = math.cos(self.turn) * self.size, math.sin(self.turn) * self.size
        corners = [(u * self.facing, v) for u in bounds[::2] for v in bounds[1::2]]
        xs = [self.x + u * cos - v * sin for u, v in corners]
        ys = [self.y + u * sin + v * cos for u, v in corners]
        height, width = self.colour.shape[1:]
        left, right = max(math.floor(min(xs)) - 1, 0), min(math.ceil(max(xs)) + 2, width)
        top, bottom = max(math.floor(min(ys)) - 1, 0), min(math.ceil(max(ys)) + 2, height)
        return (slice(top, bottom), slice(left, right)) if left < right and top < bottom else None

    def _points(self, window: tuple[slice, slice], lead: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Body coordinates of the window's pixels, with `lead` more rows and columns at the top left."""
        x = np.arange(window[1].start - lead, window[1].stop) - self.x
        y = np.arange(window[0].start - lead, window[0].stop)[:, None] - self.y
        cos, sin = math.cos(self.turn) / self.size, math.sin(self.turn) / self.size
        u = ((x * cos).astype(np.float32) + (y * sin).astype(np.float32)) * np.float32(1 / self.facing)
        return u, (y * cos).astype(np.float32) - (x * sin).astype(np.float32)

    def fill(
        self,
        shape: Shape,
        colour: np.ndarray,
        pattern: Pattern | None = None,
        tone: float = 1.0,
        line: float = 1.3,
        round: float = 0.14,
        under: tuple[np.ndarray, float, float] | None = None,
    ) -> None:
        """Paint a shape: colour and pattern, rounded over `round` units, outlined by `line` pixels.

        under: (colour, low, high), a belly: that colour from v = high down, fading in from v = low.
        """
        window = self._window(shape.bounds)
        if window is None:
            return
        u, v = self._points(window, lead=1)
        far = shape.distance(u, v) * np.float32(self.size)
        d = far[1:, 1:]
        cover = np.clip(0.5 - d, 0, 1)
        rim = np.clip(1 + d * np.float32(1 / (round * self.size)), 0, 1)
        light = 1.03 - rim * rim * (0.10 + 0.17 * (d - far[:-1, :-1]))
        if line:
            light *= 1 - 0.55 * np.clip(d + np.float32(line + 0.5), 0, 1)
        paint = (colour * np.float32(tone * self.tone))[:, None, None]
        if pattern is not None:
            change = (pattern.colour * np.float32(tone * self.tone))[:, None, None] - paint
            paint = paint + change * pattern.weight(u[1:, 1:], v[1:, 1:])
        if under is not None:
            fade = np.clip((v[1:, 1:] - under[1]) / (under[2] - under[1]), 0, 1)
            paint = paint + fade * ((under[0] * np.float32(tone * self.tone))[:, None, None] - paint)
        part = self.colour[:, *window]
        part += cover * (paint * light - part)
        if self.ids is not None:
            self.ids[window][cover > 0.5] = self.number

    def soft(self, centre: Point, rx: float, ry: float, colour: np.ndarray, strength: float) -> None:
        """A soft-edged ellipse (a shadow, a glow, a puff of smoke) that leaves the ids alone."""
        window = self._window((centre[0] - rx, centre[1] - ry, centre[0] + rx, centre[1] + ry))
        if window is None:
            return
        u, v = self._points(window)
        u, v = (u - centre[0]) / rx, (v - centre[1]) / ry
        cover = np.clip(1 - u * u - v * v, 0, 1) * np.float32(strength)
        part = self.colour[:, *window]
        part += cover * (colour[:, None, None] - part)
