"""The course's widgets under a real hand: mouse and keys in a JupyterLab, and an eye on what the page shows.

`make test-browser` runs these alone. Pictures of every step, and of what failed, go to runs/browser.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import nbformat
import numpy as np
import pytest
from helpers.jupyter_lab import ROOT, JupyterLab, missing
from helpers.student_copies import save_notebook
from PIL import Image

from vos.course.notebooks import notebook_paths
from vos.course.workspace import SYNTHETIC_SEED
from vos.masks import object_ids, read_mask
from vos.synthetic.dataset import draw_dataset
from vos.video.drawn import polygon_mask

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing()), reason=f"needs JupyterLab, playwright and Chromium: {missing()}"),
]
SHOTS = ROOT / "runs/browser"


@dataclass(frozen=True)
class Lesson:
    """A widget in a notebook, and what a hand does with it: each act must change the picture."""

    number: str  # of the notebook
    call: str  # what makes the widget, in the notebook's own words
    acts: tuple[tuple, ...]  # a method of Hand and what it is given
    picture: str = "img"  # what the widget shows, in CSS


LESSONS = (
    Lesson("01", "widgets.explorer(", (
        ("drag", "frame", 0.5), ("press", "frame", "ArrowRight"), ("press", "frame", "Home"), ("play",),
        ("drag", "overlay", 0.05), ("press", "overlay", "PageUp", "PageUp"), ("press", "overlay", "End"),
        ("choose", "object", 1), ("choose", "video", 3), ("press", "video", "Space", "ArrowUp", "Enter"),
    )),
    Lesson("02", "inside.state_explorer(", (
        ("press", "map", "ArrowRight"), ("drag", "channel", 0.5), ("press", "channel", "ArrowRight"),
        ("drag", "frame", 0.9), ("press", "frame", "ArrowLeft", "ArrowLeft"),
    )),
    Lesson("03", "inside.swap_explorer(", (
        ("drag", "frame", 0.9), ("choose", "h_video", "zeros"), ("choose", "video", 1), ("press", "frame", "ArrowLeft"),
    )),
    Lesson("06", "widgets.threshold_slider(", (
        ("drag", "threshold", 0.9), ("press", "threshold", "ArrowLeft", "ArrowLeft"), ("choose", "video", 1),
        ("drag", "frame", 0.9), ("press", "frame", "ArrowLeft"),
    )),
    Lesson("10", "widgets.fault_chooser(", (
        ("choose", "fault", "middle cut out"), ("press", "fault", "Space", "ArrowUp", "Enter"), ("choose", "video", 1),
        ("drag", "frame", 0.9), ("press", "frame", "ArrowLeft", "ArrowLeft"),
    )),
    Lesson("07", "painter.show_painter(", (
        ("polygon", (0.2, 0.3), (0.5, 0.25), (0.55, 0.7), (0.3, 0.8)), ("drag", "frame", 0.8),
        ("press", "frame", "ArrowLeft"), ("press", "frame", "Home"), ("push", "Undo"),
    ), "canvas"),
)  # fmt: skip


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab on a few of the course's videos, with the committed checkpoints."""
    folder = tmp_path_factory.mktemp("lab")
    draw_dataset(folder / "set", train=4, valid=4, seed=SYNTHETIC_SEED, progress=False)
    shutil.rmtree(SHOTS, ignore_errors=True)
    with JupyterLab(folder, SHOTS, {"VOS_DATA": str(folder / "set"), "VOS_FAST": "1"}) as lab:
        yield lab


def up_to_the_widget(lesson: Lesson, folder: Path) -> Path:
    """A copy of the notebook that ends with the cell of the widget: test_report.py runs what follows."""
    (source,) = (path for path in notebook_paths() if path.stem.startswith(lesson.number))
    notebook = nbformat.read(source, as_version=4)
    (place,) = (i for i, c in enumerate(notebook.cells) if c.cell_type == "code" and lesson.call in c.source)
    del notebook.cells[place + 1 :]
    nbformat.write(notebook, folder / source.name)
    return folder / source.name


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: f"{lesson.number} {lesson.call[:-1]}")
def test_every_act_changes_the_picture(lab, lesson):
    notebook = up_to_the_widget(lesson, lab.folder)
    with lab.opened(notebook, notebook.stem, lesson.picture) as hand:
        for number, act in enumerate(lesson.acts, 1):
            hand.does(*act)
            hand.shot(f"{number}_{act[0]}")


WIDGETS = """
import ipywidgets as widgets
import numpy as np
from vos.course.widgets import jpeg

picture = widgets.Image(value=jpeg(np.zeros((60, 80, 3), np.uint8)))
dead, broken = (widgets.IntSlider(description=name) for name in ("dead", "broken"))
broken.observe(lambda change: 1 / 0, "value")
widgets.VBox([dead, broken, picture])
"""


def move_dead_and_broken(lab):
    notebook = save_notebook(lab.folder / "widgets.ipynb", WIDGETS)
    with lab.opened(notebook, "broken", "img") as hand:
        hand.patience = 3
        with pytest.raises(AssertionError, match=r"press \('dead', 'End'\) does not change the picture"):
            hand.does("press", "dead", "End")
        hand.does("press", "broken", "End")


def run_a_cell_that_fails(lab):
    with lab.opened(save_notebook(lab.folder / "cell.ipynb", "print('before')", "{}['a mask']"), "failing", "img"):
        pass


def test_what_does_not_work_is_noticed(lab):
    """A slider that changes nothing, one whose function fails, and a cell that fails."""
    with pytest.raises(AssertionError, match="broken: raised ZeroDivisionError: division by zero"):
        move_dead_and_broken(lab)
    with pytest.raises(AssertionError, match="failing: raised KeyError: 'a mask'"):
        run_a_cell_that_fails(lab)
    assert {"broken_failed.png", "failing_failed.png"} <= {path.name for path in SHOTS.iterdir()}


SIZE, COUNT = (270, 480), 12
FIRST = [(60, 60), (150, 60), (150, 150), (60, 150)]  # (x, y) in pixels of the frame
SECOND = [(300, 120), (400, 110), (420, 210), (350, 230), (290, 200)]
PAINTER = f"""
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


def on_canvas(x: float, y: float) -> tuple[float, float]:
    """The centre of a pixel of the frame, as shares of the canvas."""
    return (x + 0.5) / SIZE[1], (y + 0.5) / SIZE[0]


def test_two_objects_by_mouse_followed_played_and_saved(lab):
    desk = lab.folder / "desk"
    desk.mkdir()
    np.save(desk / "frames.npy", moving_squares())
    notebook = save_notebook(desk / "painter.ipynb", PAINTER)
    with lab.opened(notebook, "painter", "canvas") as hand:
        page = hand.page
        hand.reads("Click around object 1")
        hand.shot("1_empty")
        for x, y in [*FIRST[:3], (200, 240)]:  # the last is a slip of the hand
            hand.click(*on_canvas(x, y))
        hand.reads("4 corners")
        page.keyboard.press("Backspace")
        hand.reads("3 corners")
        hand.click(*on_canvas(*FIRST[3]))
        hand.shot("2_corners")
        page.keyboard.press("Enter")
        hand.reads("Object 1 covers")
        hand.push("New object")
        for x, y in SECOND:
            hand.click(*on_canvas(x, y))
        hand.click(*on_canvas(*SECOND[-1]))  # twice at one place: a double click
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
    assert {Image.open(path).size for path in SHOTS.glob("painter_*.png")} == {(1200, 1000)}
