"""The pen: paints shapes in body units onto a picture and an id map."""

import math
from dataclasses import dataclass

import numpy as np

from vos.synthetic.patterns import Pattern
from vos.synthetic.shapes import Bounds, Color, Point, Shape, around, ramp


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
