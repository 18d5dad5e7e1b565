"""Noise and coats: tiles drawn once per process, looked up for every pixel."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from vos.synthetic.shapes import Color, Point, ramp

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
    row = np.floor(8 * y)
    p, q = 8 * x + 0.5 * (row % 2), 8 * y - row
    p = p - np.floor(p) - 0.5
    tiles = {
        "tiger": ramp(wave(7 * x + 1.5 * soft + 0.3 * wave(2 * y)) + 0.35 * wave(2 * y + 2 * soft), 0.78, 0.90),
        "zebra": ramp(wave(8 * x + 1.2 * soft), 0.44, 0.56),
        "rosettes": np.maximum(
            ramp(rosette, 0.16, 0.24) * ramp(-rosette, -0.44, -0.36), 0.35 * ramp(-rosette, -0.4, -0.3)
        ),
        "patches": ramp(next_one - nearest, 0.12, 0.2),
        "cow": ramp(blot, 0.55, 0.6),
        "dots": ramp(-dot, -0.34, -0.26),
        "scales": 1 - ramp(np.abs(np.sqrt(p * p + q * q) - 0.62), 0.0, 0.16) * 0.9,
        "bands": ramp(wave(4 * x), 0.45, 0.55),
        "plaid": 0.45 * ramp(wave(8 * x), 0.5, 0.6) + 0.45 * ramp(wave(8 * y), 0.5, 0.6),
        "hoops": ramp(wave(8 * y), 0.45, 0.55),
        "fur": fur,
    }
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
