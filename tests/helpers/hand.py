"""A hand on the widgets of the last cell of an open notebook: the mouse, the keys, and an eye on the picture.

Controls are named by the words beside them, places by their share of the width and height.
"""

import os
import time
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

PATIENCE = float(os.environ.get("LAB_PATIENCE", "120"))  # seconds for anything to happen
CHANGED = 16, 0.001  # a change is one of so many grey levels, in such a share of the pixels
PIXELS = """async picture => {
    for (let n = 0; n < 100 && picture.src && !(picture.complete && picture.naturalWidth); n++)
        await new Promise(done => setTimeout(done, 50));
    const copy = document.createElement('canvas');
    [copy.width, copy.height] = [picture.naturalWidth ?? picture.width, picture.naturalHeight ?? picture.height];
    copy.getContext('2d').drawImage(picture, 0, 0);
    return copy.toDataURL() }"""


class Hand:
    """What a person does on a page. `picture` is what the widget shows, in CSS."""

    def __init__(self, page: Any, shots: Path, title: str, picture: str) -> None:
        self.page, self.shots, self.title, self.patience = page, shots, title, PATIENCE
        self.errors: list[str] = []  # of cells, and of what widgets call, which no page shows
        self.widget = page.locator(".jp-CodeCell").last.locator(".jp-OutputArea")
        self.picture = self.widget.locator(picture).last

    def control(self, words: str) -> Any:
        """A slider or dropdown by the words beside it."""
        label = self.page.locator(f".widget-label:text-is('{words}')")
        return self.widget.locator(".widget-slider, .widget-dropdown").filter(has=label)

    def drag(self, words: str, share: float) -> None:
        """Drag the handle of a slider with the mouse."""
        slider = self.control(words)
        slider.scroll_into_view_if_needed()
        track, handle = (slider.locator(css).bounding_box() for css in (".noUi-base", ".noUi-handle"))
        self.page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
        self.page.mouse.down()
        self.page.mouse.move(track["x"] + share * track["width"], track["y"] + track["height"] / 2, steps=6)
        self.page.mouse.up()

    def press(self, words: str, *keys: str) -> None:
        """Press keys on a slider or dropdown that has the focus."""
        self.control(words).locator(".noUi-handle, select").focus()
        for key in keys:
            self.page.keyboard.press(key)

    def choose(self, words: str, choice: str | int) -> None:
        """Choose in a dropdown, by its words or its number."""
        select = self.control(words).locator("select")
        select.select_option(index=choice) if isinstance(choice, int) else select.select_option(label=choice)

    def push(self, words: str) -> None:
        """Push a button."""
        self.widget.locator("button.jupyter-button").filter(has_text=words).first.click()

    def play(self) -> None:
        """Let the film run a little."""
        before, button = self.pixels(), self.widget.locator(".widget-play button").first
        button.click()
        self.wait(lambda: differ(before, self.pixels()), "the film does not run")
        button.click()

    def click(self, x: float, y: float) -> None:
        """Click on the picture."""
        box = self.picture.bounding_box()
        self.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=3)
        self.page.mouse.down()
        self.page.mouse.up()

    def polygon(self, *corners: tuple[float, float]) -> None:
        """Click around something on the picture and close with Enter."""
        for corner in corners:
            self.click(*corner)
        self.page.keyboard.press("Enter")

    def reads(self, words: str) -> None:
        """Wait until the words stand on the page."""
        self.page.get_by_text(words).first.wait_for()

    def pixels(self) -> np.ndarray:
        """The picture in its own pixels, (H, W, 3): a screenshot would change with what lies over it or scrolls."""
        assert self.picture.is_visible()
        _, words = self.picture.evaluate(PIXELS).split(",")
        return np.array(Image.open(BytesIO(b64decode(words))).convert("RGB"))

    def sees(self) -> np.ndarray:
        """The picture, once it is at rest."""
        seen = [self.pixels()]

        def rests() -> bool:
            seen.append(self.pixels())
            return not differ(*seen[-2:])

        self.wait(rests, "the picture never rests")
        return seen[-1]

    def does(self, verb: str, *how: Any) -> None:
        """Do something that must change the picture."""
        before = self.sees()
        getattr(self, verb)(*how)
        self.wait(lambda: differ(before, self.pixels()), f"{verb} {how} does not change the picture")

    def wait(self, happens: Any, otherwise: str) -> None:
        """Ask until it is so. AssertionError after the hand's patience, or where the kernel has raised anything."""
        deadline = time.monotonic() + self.patience
        while not happens():
            self.sees_no_error()
            assert time.monotonic() < deadline, f"{self.title}: {otherwise}"
            self.page.wait_for_timeout(200)

    def sees_no_error(self) -> None:
        """AssertionError where the kernel has raised anything."""
        assert not self.errors, f"{self.title}: raised {self.errors[0]}"

    def shot(self, name: str) -> None:
        """A picture of the page."""
        self.page.wait_for_timeout(300)
        self.shots.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=self.shots / f"{self.title}_{name}.png")


def differ(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether two pictures differ so that it can be seen."""
    levels, share = CHANGED
    if before.shape != after.shape:
        return True
    return bool((np.abs(before.astype(int) - after).max(axis=2) > levels).mean() > share)
