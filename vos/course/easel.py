"""The canvas of the painter: a picture with a Drawing on it, under mouse, finger and keys. It needs ipycanvas."""

from collections.abc import Callable
from typing import Any

import numpy as np

from vos.course.drawing import Drawing
from vos.course.following import resized
from vos.files import VosError
from vos.masks import PALETTE, overlay
from vos.video.drawn import Point

POLYGON, BRUSH, ERASER = "polygon", "brush", "eraser"
NEAR = 8  # pixels on the page: a click so near to a corner is a click on it
DARK, WHITE = "rgba(0, 0, 0, 0.65)", "white"


def canvas_library() -> Any:
    """ipycanvas. VosError where it is not installed."""
    try:
        import ipycanvas
    except ImportError:
        raise VosError(
            "drawing needs ipycanvas, which is not installed: pip install 'vos[widget]', then start the notebook "
            "again. Without it: `python -m vos segment` takes --box, --polygon or --mask with a picture"
        ) from None
    return ipycanvas


class Easel:
    """Two layers: below, the picture with the objects painted over; above, what is not finished.

    view: (h, w) of the canvas on the page. changed: is called after each change of the drawing. `tool` is POLYGON,
    BRUSH or ERASER, `width` that of the brush, in pixels on the page. `show` gives it what to draw on.
    """

    def __init__(self, view: tuple[int, int], changed: Callable[[], None]) -> None:
        self.library = canvas_library()
        height, width = self.view = view
        layout = {"width": f"{width}px", "max_width": "100%", "height": "auto"}
        self.canvas = self.library.MultiCanvas(2, width=width, height=height, layout=layout)
        self.changed = changed
        self.picture, self.drawing = np.zeros((*view, 3), np.uint8), Drawing(view)
        self.tool, self.width = POLYGON, max(height // 16, 4)
        self.stroke: list[Point] = []
        self.cursor: tuple[float, float] | None = None
        self.canvas.on_mouse_down(self.press)
        self.canvas.on_mouse_move(self.move)
        self.canvas.on_mouse_up(self.release)
        self.canvas.on_mouse_out(self.leave)
        self.canvas.on_touch_start(lambda touches: self.press(*touches[0]))
        self.canvas.on_touch_move(lambda touches: self.move(*touches[0]))
        self.canvas.on_touch_end(lambda touches: self.leave())
        self.canvas.on_key_down(self.key)
        self.canvas.on_client_ready(self.refresh)  # a page that is opened again has an empty canvas

    def show(self, picture: np.ndarray, drawing: Drawing) -> None:
        """Put up a frame, uint8 (h, w, 3) of the canvas's size, with its drawing, which may be larger."""
        self.picture, self.drawing, self.stroke = picture, drawing, []
        self.refresh()

    @property
    def scale(self) -> float:
        """Pixels on the page for each of the frame's."""
        return self.view[1] / self.drawing.size[1]

    def pixel(self, x: float, y: float) -> Point:
        """The pixel (column, row) of the frame that a place on the canvas shows."""
        return float(np.floor(x / self.scale)), float(np.floor(y / self.scale))

    def place(self, point: Point) -> tuple[float, float]:
        """The place on the canvas where a pixel of the frame has its centre."""
        return (point[0] + 0.5) * self.scale, (point[1] + 0.5) * self.scale

    def is_near(self, x: float, y: float, corner: Point) -> bool:
        near = max(NEAR, self.scale)  # of a tiny frame a pixel may be larger
        return float(np.hypot(*np.subtract(self.place(corner), (x, y)))) <= near

    def press(self, x: float, y: float) -> None:
        """A mouse button or finger goes down: a corner, the end of a polygon, or the begin of a stroke."""
        self.cursor, corners = (x, y), self.drawing.state.corners
        ends = corners[-1:] + (corners[:1] if len(corners) >= 3 else ())  # the last one: by the click after a click
        if self.tool != POLYGON:
            self.stroke = [self.pixel(x, y)]
            self.draw_lines()
        elif any(self.is_near(x, y, corner) for corner in ends):
            self.close()
        else:
            self.drawing.add_corner(self.pixel(x, y))
            self.draw_lines()
            self.changed()

    def move(self, x: float, y: float) -> None:
        self.cursor = x, y
        if self.stroke:
            self.stroke.append(self.pixel(x, y))
        self.draw_lines()

    def release(self, x: float, y: float) -> None:
        if self.stroke:
            stroke, self.stroke = self.stroke, []
            self.drawing.add_stroke(stroke, self.width / self.scale, self.tool == ERASER)
            self.refresh()
            self.changed()

    def leave(self, *_: float) -> None:
        """The mouse is off the canvas, or the finger off the screen: a stroke ends where it was last."""
        if self.cursor:
            self.release(*self.cursor)
        self.cursor = None
        self.draw_lines()

    def close(self) -> None:
        """Close the polygon."""
        self.after(self.drawing.close)

    def after(self, act: Callable[..., object], *arguments: object) -> None:
        """Change the drawing and show it."""
        act(*arguments)
        self.refresh()
        self.changed()

    def key(self, key: str, shift: bool = False, ctrl: bool = False, meta: bool = False) -> None:
        """The keys that need only one hand; the browser keeps none of them while the canvas has the focus."""
        held = ctrl or meta
        if key == "Backspace" or (held and key.lower() == "z"):
            self.after(self.drawing.undo)
        elif key == "Enter":
            self.close()
        elif key == "Escape":
            self.after(self.drawing.drop_corners)
        elif not held and key.lower() == "n":
            self.after(self.drawing.new_object)
        elif not held and key.isdecimal() and int(key) in self.drawing.drawn:
            self.after(self.drawing.choose, int(key))

    def refresh(self) -> None:
        """Draw both layers anew."""
        with self.library.hold_canvas():
            ids = resized(self.drawing.id_map, self.view)
            self.canvas[0].put_image_data(overlay(self.picture, ids), 0, 0)
            self.draw_lines()

    def draw_lines(self) -> None:
        """The upper layer: the open polygon, or the stroke and the brush itself."""
        color = css(0 if self.tool == ERASER else self.drawing.state.current)
        with self.library.hold_canvas():
            self.canvas[1].clear()
            (self.draw_polygon if self.tool == POLYGON else self.draw_brush)(self.canvas[1], color)

    def draw_polygon(self, layer: Any, color: str) -> None:
        """Corners and lines of the open polygon, and where the next line would lead."""
        corners = self.drawing.state.corners
        places = [self.place(corner) for corner in corners]
        lines = [*places, self.cursor] if places and self.cursor else places
        if len(lines) > 1:
            for line_width, line_color in ((4, DARK), (2, WHITE)):
                layer.line_width, layer.stroke_style = line_width, line_color
                layer.stroke_lines(lines)
        can_close = len(places) >= 3
        closes = can_close and self.cursor and self.is_near(*self.cursor, corners[0])
        for i, (x, y) in enumerate(places):
            radius = (9 if closes else 6) if i == 0 and can_close else 4
            for more, fill in ((1.5, DARK), (0, WHITE), (-1.5, color)):
                layer.fill_style = fill
                layer.fill_circle(x, y, radius + more)

    def draw_brush(self, layer: Any, color: str) -> None:
        """The stroke so far, and a ring as large as the brush."""
        if self.stroke:
            points = [self.place(point) for point in self.stroke]
            layer.line_width, layer.line_cap, layer.line_join = self.width, "round", "round"
            layer.global_alpha, layer.stroke_style = 0.6, color
            layer.stroke_lines(points if len(points) > 1 else points * 2)
            layer.global_alpha = 1
        if self.cursor:
            for line_width, line_color in ((3, DARK), (1.5, WHITE)):
                layer.line_width, layer.stroke_style = line_width, line_color
                layer.stroke_circle(*self.cursor, self.width / 2)


def css(number: int) -> str:
    """The colour of an object on a page; white for what erases."""
    return "rgb({}, {}, {})".format(*PALETTE[number]) if number else WHITE
