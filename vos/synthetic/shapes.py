"""Colours, and shapes as signed distances.

A shape knows, for any point, how far away its edge is (negative inside). One number per pixel then gives
everything: an antialiased edge, an outline, a rounded look under a light from the top left.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Point = tuple[float, float]


def rgb(code: str) -> np.ndarray:
    """'#E8892B' as float32 (3,), 0..1."""
    return np.array([int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)], np.float32)


def mix(first: np.ndarray, second: np.ndarray, weight: float) -> np.ndarray:
    """`first` at weight 0, `second` at weight 1."""
    return first + (second - first) * np.float32(weight)


def ramp(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, a straight line between."""
    return np.clip((x - low) / (high - low), 0, 1)


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


def ellipse(center: Point, rx: float, ry: float, turn: float = 0.0) -> Shape:
    """An ellipse turned by `turn` radians."""
    cos, sin, least = math.cos(turn), math.sin(turn), min(rx, ry)

    def distance(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        u, v = u - center[0], v - center[1]
        p, q = (u * cos + v * sin) / rx, (v * cos - u * sin) / ry
        level = np.sqrt(p * p + q * q)
        p, q = p / rx, q / ry
        steep = np.maximum(np.sqrt(p * p + q * q), 1e-6 / least)  # both limits matter at the centre alone
        return np.maximum(level, 1e-6) * (level - 1) / steep

    w, h = math.hypot(rx * cos, ry * sin), math.hypot(rx * sin, ry * cos)
    return Shape((center[0] - w, center[1] - h, center[0] + w, center[1] + h), distance)


def polygon(points: list[Point], rounding: float = 0.0) -> Shape:
    """A simple polygon, its corners rounded outwards by `rounding`."""
    edges = list(zip(points, points[1:] + points[:1], strict=True))

    def distance(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        nearest = np.array(np.inf, np.float32)
        inside = np.zeros(np.broadcast(u, v).shape, bool)
        for (ax, ay), (bx, by) in edges:
            dx, dy = bx - ax, by - ay
            p, q = u - ax, v - ay
            along = np.clip((p * dx + q * dy) / max(dx * dx + dy * dy, 1e-9), 0, 1)
            crosses = ((v >= ay) != (v >= by)) & ((p * dy < q * dx) == (dy > 0))
            inside ^= crosses
            p, q = p - along * dx, q - along * dy
            nearest = np.minimum(nearest, p * p + q * q)
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
