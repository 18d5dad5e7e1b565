"""The pen, which paints shapes onto a picture and an id map; and its noise and coats, tiles drawn once per process."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from vos.synthetic.shapes import Bounds, Color, Point, Shape, around, ramp

TILE = 512  # side of a noise tile, pixels
CLOTH = 256  # side of a pattern tile, pixels


@lru_cache(maxsize=32)
def noise_tile(number: int, cells: tuple[int, ...] = (128, 64, 32, 16, 8)) -> np.ndarray:
    """Smooth noise that tiles, float32 (TILE, TILE), 0..1: octaves of random grids of these cell sizes."""
    rng = np.random.Generator(np.random.PCG64(1000 + number))
    total = np.zeros((TILE, TILE), np.float32)
    for cell in cells:
        n = TILE // cell
        grid = rng.random((n, n)).astype(np.float32)
        at = np.arange(TILE) / cell
        low = at.astype(int)
        part = (at - low).astype(np.float32)
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
    at = (np.arange(CLOTH, dtype=np.float32) / CLOTH)[None]
    first = np.full((CLOTH, CLOTH), 9, np.float32)
    second = first.copy()
    for i, j in np.ndindex(n, n):
        x, y = (j + i % 2 / 2 + 0.6 * rng.random()) / n, (i + 0.6 * rng.random()) / n
        dx, dy = at - np.float32(x), at.T - np.float32(y)
        dx, dy = dx - np.floor(dx + 0.5), dy - np.floor(dy + 0.5)
        d = np.sqrt(dx * dx + dy * dy) * n
        second = np.minimum(second, np.maximum(first, d))
        first = np.minimum(first, d)
    return first, second


@lru_cache(maxsize=1)
def pattern_tiles() -> dict[str, np.ndarray]:
    """Every pattern by name, float32 (CLOTH * CLOTH,), 0..1: how much of the second colour a point has."""

    def wave(z: np.ndarray) -> np.ndarray:  # a triangle wave, 0..1, period 1
        return np.abs(2 * (z - np.floor(z)) - 1)

    at = np.arange(CLOTH, dtype=np.float32) / CLOTH
    x, y = np.meshgrid(at, at)
    soft, blot, fur = (noise_tile(*use)[::2, ::2] for use in ((7,), (8, (64,)), (9, (32, 8, 4))))
    (rosette, _), (nearest, next_one), (dot, _) = scattered(8, 1), scattered(5, 2), scattered(6, 3)
    ring, row = ramp(rosette, 0.16, 0.24) * ramp(-rosette, -0.44, -0.36), np.floor(8 * y)
    p, q = 8 * x + 0.5 * (row % 2), 8 * y - row
    p = p - np.floor(p) - 0.5
    tiles = {
        "tiger": ramp(wave(7 * x + 1.5 * soft + 0.3 * wave(2 * y)) + 0.35 * wave(2 * y + 2 * soft), 0.78, 0.90),
        "zebra": ramp(wave(8 * x + 1.2 * soft), 0.44, 0.56), "patches": ramp(next_one - nearest, 0.12, 0.2),
        "rosettes": np.maximum(ring, 0.35 * ramp(-rosette, -0.4, -0.3)), "cow": ramp(blot, 0.55, 0.6),
        "scales": 1 - ramp(np.abs(np.sqrt(p * p + q * q) - 0.62), 0.0, 0.16) * 0.9, "dots": ramp(-dot, -0.34, -0.26),
        "plaid": 0.45 * ramp(wave(8 * x), 0.5, 0.6) + 0.45 * ramp(wave(8 * y), 0.5, 0.6),
        "bands": ramp(wave(4 * x), 0.45, 0.55), "hoops": ramp(wave(8 * y), 0.45, 0.55), "fur": fur,
    }  # fmt: skip
    return {name: np.ascontiguousarray(tile, np.float32).ravel() for name, tile in tiles.items()}


def pattern_tile(name: str) -> np.ndarray:
    """One of the patterns; ValueError if there is none of this name."""
    if name not in pattern_tiles():
        raise ValueError(f"no pattern {name!r}")
    return pattern_tiles()[name]


@dataclass(frozen=True)
class Pattern:
    """A pattern tile in a second colour. repeat: tiles per unit; origin, turn: the frame it is fixed to."""

    name: str
    color: Color
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
        return replace(self, origin=origin, turn=math.atan2(end[1] - origin[1], end[0] - origin[0]))


@dataclass
class Pen:
    """Paints shapes given in body units onto a picture, and their id onto an id map.

    color: float32 (3, H, W), 0..1; ids: uint8 (H, W) or None; x, y: pixels of the body's origin;
    size: pixels per unit; turn: radians, clockwise; facing: 1 right, -1 left (between: turned away).
    """

    color: np.ndarray
    ids: np.ndarray | None
    number: int
    x: float
    y: float
    size: float
    turn: float = 0.0
    facing: float = 1.0

    def _window(self, bounds: Bounds) -> tuple[slice, slice]:
        """The rows and columns of the picture that hold a shape; empty where it is off the picture."""
        cos, sin = math.cos(self.turn) * self.size, math.sin(self.turn) * self.size
        corners = [(u * self.facing, v) for u in bounds[::2] for v in bounds[1::2]]
        xs = [self.x + u * cos - v * sin for u, v in corners]
        ys = [self.y + u * sin + v * cos for u, v in corners]
        top, left = (max(math.floor(min(at)) - 1, 0) for at in (ys, xs))
        bottom, right = (max(math.ceil(max(at)) + 2, 0) for at in (ys, xs))
        return slice(top, min(bottom, self.color.shape[1])), slice(left, min(right, self.color.shape[2]))

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
        color: Color,
        pattern: Pattern | None = None,
        tone: float = 1.0,
        line: float = 1.3,
        round: float = 0.14,
        under: tuple[Color, float, float] | None = None,
    ) -> None:
        """Paint a shape: colour and pattern, rounded over `round` units, outlined by `line` pixels.

        under: (color, low, high), a belly: that colour from v = high down, fading in from v = low.
        """

        def toned(color: Color) -> np.ndarray:
            return (color * np.float32(tone))[:, None, None]

        window = self._window(shape.bounds)
        u, v = self._points(window, lead=1)
        far = shape.distance(u, v) * np.float32(self.size)
        d = far[1:, 1:]
        cover = np.clip(0.5 - d, 0, 1)
        rim = np.clip(1 + d * np.float32(1 / (round * self.size)), 0, 1)
        light = 1.03 - rim * rim * (0.10 + 0.17 * (d - far[:-1, :-1]))
        if line:
            light *= 1 - 0.55 * np.clip(d + np.float32(line + 0.5), 0, 1)
        paint = toned(color)
        if pattern is not None:
            paint = paint + (toned(pattern.color) - paint) * pattern.weight(u[1:, 1:], v[1:, 1:])
        if under is not None:
            paint = paint + ramp(v[1:, 1:], *under[1:]) * (toned(under[0]) - paint)
        part = self.color[:, *window]
        part += cover * (paint * light - part)
        if self.ids is not None:
            self.ids[window][cover > 0.5] = self.number

    def soft(self, center: Point, rx: float, ry: float, color: Color, strength: float) -> None:
        """A soft-edged ellipse (a shadow, a glow, a puff of smoke) that leaves the ids alone."""
        window = self._window(around(center, rx, ry))
        u, v = self._points(window)
        u, v = (u - center[0]) / rx, (v - center[1]) / ry
        cover = np.clip(1 - u * u - v * v, 0, 1) * np.float32(strength)
        part = self.color[:, *window]
        part += cover * (color[:, None, None] - part)
