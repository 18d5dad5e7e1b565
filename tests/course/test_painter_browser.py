"""The painter under a real hand: two objects drawn with the mouse in JupyterLab, followed, played and saved."""

from pathlib import Path

import nbformat
import numpy as np
import pytest
from helpers.jupyter_lab import jupyter_lab, missing
from PIL import Image

from vos.masks import object_ids, read_mask
from vos.video.drawn import polygon_mask

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing()), reason=f"needs JupyterLab, playwright and Chromium: {missing()}"),
]
SIZE, COUNT = (270, 480), 12
FIRST = [(60, 60), (150, 60), (150, 150), (60, 150)]  # (x, y) in pixels of the frame
SECOND = [(300, 120), (400, 110), (420, 210), (350, 230), (290, 200)]
CODE = f"""
import numpy as np
from vos.course.painter import Painter
from vos.engine.checkpoints import load_checkpoint

frames = [np.load("frames.npy")[t] for t in range({COUNT})]
model, _ = load_checkpoint({str(ROOT / "data/checkpoints/base.pt")!r})
painter = Painter(frames, model, out="out")
painter
"""


def moving_squares() -> np.ndarray:
    """Frames (T, H, W, 3): two bright things on a ground that is not flat."""
    rng = np.random.default_rng(0)
    ground = rng.integers(60, 90, (*SIZE, 1), np.uint8).repeat(3, axis=2)
    frames = np.stack([ground] * COUNT)
    for t, frame in enumerate(frames):
        frame[60:150, 60 + 4 * t : 150 + 4 * t] = 220, 60, 40
        frame[polygon_mask([(x - 3 * t, y) for x, y in SECOND], SIZE)] = 40, 90, 220
    return frames


class Hand:
    """Mouse and keys on the canvas of the painter, in pixels of the frame."""

    def __init__(self, page, shots: Path) -> None:
        self.page, self.shots = page, shots
        self.canvas = page.locator("canvas").last
        self.canvas.scroll_into_view_if_needed()

    def place(self, x: float, y: float) -> tuple[float, float]:
        box = self.canvas.bounding_box()
        return box["x"] + (x + 0.5) * box["width"] / SIZE[1], box["y"] + (y + 0.5) * box["height"] / SIZE[0]

    def click(self, x: float, y: float) -> None:
        self.page.mouse.move(*self.place(x, y), steps=3)
        self.page.mouse.down()
        self.page.mouse.up()

    def push(self, words: str) -> None:
        self.page.locator("button.jupyter-button").filter(has_text=words).first.click()

    def reads(self, words: str) -> None:
        self.page.get_by_text(words).first.wait_for()

    def shot(self, name: str) -> None:
        self.page.wait_for_timeout(400)
        self.page.screenshot(path=self.shots / f"{name}.png")


def test_two_objects_by_mouse_followed_played_and_saved(tmp_path):
    desk = tmp_path / "desk"
    desk.mkdir()
    np.save(desk / "frames.npy", moving_squares())
    cell = nbformat.v4.new_code_cell(CODE)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=kernel), desk / "painter.ipynb")
    with jupyter_lab(desk / "painter.ipynb") as page:
        hand = Hand(page, tmp_path)
        hand.reads("Click around object 1")
        hand.shot("1_empty")
        for x, y in [*FIRST[:3], (200, 240)]:  # the last is a slip of the hand
            hand.click(x, y)
        hand.reads("4 corners")
        page.keyboard.press("Backspace")
        hand.reads("3 corners")
        hand.click(*FIRST[3])
        hand.shot("2_corners")
        page.keyboard.press("Enter")
        hand.reads("Object 1 covers")
        hand.push("New object")
        for x, y in SECOND:
            hand.click(x, y)
        hand.click(*SECOND[-1])  # twice at one place: a double click
        hand.reads("Object 2 covers")
        hand.shot("3_drawn")

        hand.push("Follow")
        page.wait_for_function("() => document.querySelector('video')?.videoWidth > 0")
        began = page.evaluate("() => document.querySelector('video').currentTime")
        page.wait_for_function(f"() => document.querySelector('video').currentTime != {began}")
        page.locator("video").scroll_into_view_if_needed()
        hand.shot("4_played")
        hand.push("Save all")
        hand.reads("Saved 12 masks")
        hand.shot("5_saved")

    saved = read_mask(desk / "out/first_mask.png")
    assert saved.shape == SIZE and object_ids(saved) == [1, 2]
    for number, points in enumerate((FIRST, SECOND), 1):
        drawn, meant = saved == number, polygon_mask(points, SIZE)
        assert (drawn & meant).sum() / (drawn | meant).sum() > 0.96
    assert [path.name for path in sorted((desk / "out/masks").iterdir())] == [f"{t:05d}.png" for t in range(COUNT)]
    assert (read_mask(desk / "out/masks/00000.png") == saved).all()
    assert b"ftyp" in (desk / "out/overlay.mp4").read_bytes()[:16]
    assert {Image.open(path).size for path in tmp_path.glob("*.png")} == {(1200, 1000)}
