"""Draw the first mask of a video in a notebook, follow it, look at the result, save it. It needs ipycanvas."""

import html
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
from IPython.display import display

from vos.course.drawing import Drawing
from vos.course.easel import BRUSH, ERASER, POLYGON, WHITE, Easel, canvas_library, css
from vos.course.following import Film, Followed, follow
from vos.files import VosError
from vos.networks import BaseModel

KEYS = "Keys: Enter closes, Backspace or Ctrl-Z takes back, Escape drops the open polygon, N begins another object."


class Painter(widgets.VBox):
    """Draw objects on a frame of a video: `id_map` and `frame_index` are what was drawn and where.

    video: a file, or frames uint8 (H, W, 3) RGB, or a Film. model: what follows the objects; without one there is only
    the drawing. out: the folder that "Save all" writes to. After "Follow", `result` has the files.
    Raises VosError where ipycanvas is missing or the file cannot be read.
    """

    def __init__(
        self,
        video: str | Path | Sequence[np.ndarray] | Film,
        model: BaseModel | None = None,
        out: str | Path | None = None,
    ) -> None:
        self.film = video if isinstance(video, Film) else Film(video)
        self.easel = Easel(self.film.view, self.refresh)
        self.model, self.drawings = model, dict[int, Drawing]()
        self.result: Followed | None = None
        tools = [("Polygon", POLYGON), ("Brush", BRUSH), ("Eraser", ERASER)]
        hints = ["click corner by corner", "drag over the object", "drag over what is too much"]
        self.tool = widgets.ToggleButtons(options=tools, tooltips=hints, style={"button_width": "96px"})
        self.brush = widgets.IntSlider(self.easel.width, 2, 6 * self.easel.width, description="width", readout=False)
        self.brush.layout = {"width": "200px", "visibility": "hidden"}
        self.chip_of: dict[int, widgets.Button] = {}
        self.chips = widgets.HBox(layout={"flex_flow": "row wrap"})
        self.another = button("New object", "plus", "draw another object (N)", self.new_object)
        self.slider = widgets.IntSlider(max=len(self.film) - 1, description="frame", layout={"width": "400px"})
        self.back = button("Undo", "undo", "take the last step back (Backspace, Ctrl-Z)", self.undo)
        self.anew = button("Clear", "trash", "begin this frame anew", self.clear)
        self.hint = widgets.HTML()
        keys = widgets.HTML(f'<span style="opacity:0.6; font-size:85%">{KEYS}</span>')
        self.run = button("Follow", "play", "follow the objects through the video", self.follow, "success")
        self.bar = widgets.IntProgress(max=len(self.film), layout={"width": "160px", "display": "none"})
        self.out = widgets.Text(str(out or f"{self.film.name}_masks"), layout={"width": "240px"})
        self.keep = button("Save all", "download", "masks, overlay.mp4 and the first mask", self.save, "info")
        self.keep.disabled = True
        self.player = widgets.VBox()
        self.tool.observe(self.change_tool, "value")
        self.brush.observe(self.change_brush, "value")
        self.slider.observe(self.change_frame, "value")
        rows = [widgets.HBox([self.tool, self.brush]), self.chips, self.easel.canvas, self.hint, keys]
        rows.append(widgets.HBox([self.slider, self.back, self.anew]))
        if model:
            run = widgets.HBox([self.run, self.bar, widgets.HTML("&ensp;folder"), self.out, self.keep])
            rows += [run, self.player]
        super().__init__(rows, layout={"align_items": "flex-start"})
        self.change_frame()

    @property
    def frame_index(self) -> int:
        """The frame that is shown; each frame has a drawing of its own."""
        return self.slider.value

    @property
    def drawing(self) -> Drawing:
        return self.drawings.setdefault(self.frame_index, Drawing(self.film.size))

    @property
    def id_map(self) -> np.ndarray:
        """The objects drawn on the frame that is shown, uint8 (H, W) at the frame's own size."""
        return self.drawing.id_map

    def undo(self, *_: object) -> None:
        self.easel.after(self.drawing.undo)

    def clear(self, *_: object) -> None:
        self.easel.after(self.drawing.clear)

    def new_object(self, *_: object) -> None:
        if self.tool.value == ERASER:
            self.tool.value = POLYGON
        self.easel.after(self.drawing.new_object)

    def change_tool(self, change: Any) -> None:
        self.easel.tool = change["new"]
        self.brush.layout.visibility = "hidden" if change["new"] == POLYGON else "visible"
        self.easel.after(self.drawing.settle)

    def change_brush(self, change: Any) -> None:
        self.easel.width = change["new"]

    def change_frame(self, change: Any = None) -> None:
        if change and change["old"] in self.drawings:
            self.drawings[change["old"]].settle()
        self.easel.show(self.film.picture(self.frame_index), self.drawing)
        self.refresh()

    def refresh(self) -> None:
        """Make buttons and words agree with the drawing."""
        state, areas = self.drawing.state, self.drawing.areas
        ids = sorted({*self.drawing.drawn, state.current})
        self.chips.children = [*(self.chip(n, areas.get(n, 0), n == state.current) for n in ids), self.another]
        self.another.disabled = state.current not in self.drawing.drawn and len(state.corners) < 3
        self.back.disabled = not self.drawing.past
        self.anew.disabled = not (state.shapes or state.corners)
        self.run.disabled = not (areas or len(state.corners) >= 3)
        self.say(self.advice(len(state.corners), state.current, areas))

    def chip(self, number: int, area: float, current: bool) -> widgets.Button:
        """The button of an object, in its colour."""
        if number not in self.chip_of:
            made = button("", "", "draw this object", lambda _: self.easel.after(self.drawing.choose, number))
            made.style.button_color, made.style.text_color, made.layout.width = css(number), WHITE, "160px"
            self.chip_of[number] = made
        chip = self.chip_of[number]
        chip.description = f"object {number}" + (f", {100 * area:.1f} %" if area else "")
        chip.icon, chip.style.font_weight = ("pencil", "bold") if current else ("", "normal")
        return chip

    def advice(self, corners: int, current: int, areas: dict[int, float]) -> str:
        """What to do next, in a sentence."""
        if self.tool.value == ERASER:
            return "Drag over what is to be taken away."
        if self.tool.value == BRUSH:
            return f"Drag over object {current} to paint it."
        if corners >= 3:
            return f"{corners} corners. Close with a double click, a click on the first corner, or Enter."
        if corners:
            return f"Corner {corners} of object {current}. Go on around it; Backspace takes the last corner back."
        if current in areas:
            after = "Follow it, add to it, or draw another object." if self.model else "Add to it, or draw another."
            return f"Object {current} covers {100 * areas[current]:.1f} % of the frame. {after}"
        elsewhere = [index for index, drawing in sorted(self.drawings.items()) if drawing.drawn]
        note = f" (There is a drawing on frame {elsewhere[0]}.)" if elsewhere and not areas else ""
        return f"Click around object {current} in frame {self.frame_index}, corner by corner.{note}"

    def say(self, words: str, wrong: bool = False) -> None:
        """One line below the canvas."""
        color = "#B00020" if wrong else "inherit"
        self.hint.value = f'<span style="color:{color}">{html.escape(words)}</span>'

    def follow(self, *_: object) -> None:
        """Follow the objects through the video, and play the result beside the original."""
        self.easel.after(self.drawing.settle)
        self.run.disabled = self.keep.disabled = True
        self.bar.layout.display, self.bar.value = "", 0
        self.say("Following ...")
        try:
            self.result = self.followed()
            self.player.children = [widgets.HTML("Left the video, right the objects found in it:"), played(self.result)]
            self.say("Done: look at it below. If it is good, save it; if not, draw again, perhaps on another frame.")
        except (VosError, ValueError) as error:
            self.say(str(error), wrong=True)
        finally:
            self.run.disabled, self.keep.disabled = False, self.result is None
            self.bar.layout.display = "none"

    def followed(self) -> Followed:
        if self.model is None:
            raise VosError("there is no model to follow with; give Painter(video, model) one")

        def progress(done: int) -> None:
            self.bar.value = done

        return follow(self.model, self.film, self.id_map, self.frame_index, progress=progress)

    def save(self, *_: object) -> None:
        """Write masks, overlay.mp4, a contact sheet and the first mask into the folder that is named."""
        try:
            if self.result is None:
                raise VosError("there is nothing to save yet; follow the objects first")
            folder = self.result.save(self.out.value)
            self.say(f"Saved {len(self.result.mask_files)} masks in {folder}/masks/, beside them overlay.mp4.")
        except VosError as error:
            self.say(str(error), wrong=True)


def show_painter(
    video: str | Path | Sequence[np.ndarray] | Film, model: BaseModel | None = None, out: str | Path | None = None
) -> Painter | None:
    """Display a Painter. Where ipycanvas is not installed that is said, and None comes back: a notebook goes on."""
    try:
        canvas_library()
    except VosError as problem:
        print(problem)
        return None
    painter = Painter(video, model, out)
    display(painter)
    return painter


def played(result: Followed) -> widgets.Video:
    """A player of the original beside the result, that goes round."""
    layout = {"width": "100%", "max_width": "960px"}
    return widgets.Video.from_file(result.folder / "both.mp4", autoplay=True, loop=True, layout=layout)


def button(words: str, icon: str, tooltip: str, act: Callable[[Any], None], style: str = "") -> widgets.Button:
    """A button that acts when it is clicked."""
    made = widgets.Button(description=words, icon=icon, tooltip=tooltip, button_style=style, layout={"width": "120px"})
    made.on_click(act)
    return made
