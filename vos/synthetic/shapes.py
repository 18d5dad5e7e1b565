"""Colours, and shapes as signed distances.

A shape knows, for any point, how far away its edge is (negative inside). One number per pixel then gives
everything: an antialiased edge, an outline, a rounded look under a light from the top left.
"""

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

Color = np.ndarray  # float32 (3,): red, green and blue, 0..1
Point = tuple[float, float]
Bounds = tuple[float, float, float, float]


def rgb(code: str) -> Color:
    """'#E8892B' as a colour."""
    return np.array([int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)], np.float32)


def mix(first: Color, second: Color, weight: float) -> Color:
    """`first` at weight 0, `second` at weight 1."""
    return first + (second - first) * np.float32(weight)


def ramp(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, a straight line between."""
    return np.clip((x - low) / (high - low), 0, 1)


class Shape(NamedTuple):
    """bounds: (left, top, right, bottom); distance(u, v): signed distance to the edge, negative inside."""

    bounds: Bounds
    distance: Callable[[np.ndarray, np.ndarray], np.ndarray]


def off(point: Point, dx: float, dy: float) -> Point:
    """The point dx to the right of another and dy below it."""
    return point[0] + dx, point[1] + dy


def swung(point: Point, length: float, angle: float) -> Point:
    """Where a limb ends that hangs from a point, swung forwards by `angle`."""
    return point[0] + length * math.sin(angle), point[1] + length * math.cos(angle)


def around(center: Point, rx: float, ry: float) -> Bounds:
    """Bounds that reach rx to the left and right of a point, ry above and below it."""
    return center[0] - rx, center[1] - ry, center[0] + rx, center[1] + ry


def hull(parts: Iterable[Bounds]) -> Bounds:
    """The bounds of all parts together."""
    left, top, right, bottom = zip(*parts, strict=True)
    return min(left), min(top), max(right), max(bottom)


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

    return Shape(hull([around(a, ra, ra), around(b, rb, rb)]), distance)


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

    return Shape(around(center, math.hypot(rx * cos, ry * sin), math.hypot(rx * sin, ry * cos)), distance)


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
            inside ^= ((v >= ay) != (v >= by)) & ((p * dy < q * dx) == (dy > 0))
            p, q = p - along * dx, q - along * dy
            nearest = np.minimum(nearest, p * p + q * q)
        root = np.sqrt(nearest)
        return np.where(inside, -root, root) - rounding

    return Shape(hull(around(point, rounding, rounding) for point in points), distance)


def block(left: float, top: float, right: float, bottom: float, rounding: float = 0.0) -> Shape:
    """A rectangle with rounded corners."""
    cx, cy = (left + right) / 2, (top + bottom) / 2
    hx, hy = (right - left) / 2 - rounding, (bottom - top) / 2 - rounding

    def distance(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        p, q = np.abs(u - cx) - hx, np.abs(v - cy) - hy
        inside = np.minimum(np.maximum(p, q), 0)
        p, q = np.maximum(p, 0), np.maximum(q, 0)
        return np.sqrt(p * p + q * q) + inside - rounding

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
            apart = np.abs(result - other)
            result = np.minimum(result, other)
            if blend:
                result = result - np.square(np.maximum(blend - apart, 0)) / (4 * blend)
        return result

    return Shape(hull(shape.bounds for shape in shapes), distance)
