"""The picture of a training under way."""

import pytest

from vos.figures import LiveFigure, progress_figure

LOG = [
    {"iteration": i, "loss": 0.7 / (i + 1), "learning_rate": 1e-3, "length": 2 if i < 5 else 10, "seconds": 6.0 * i}
    for i in range(10)
]


def test_the_picture_says_loss_minutes_and_when_clips_get_longer():
    (axes,) = progress_figure(LOG, "base").axes
    assert axes.get_title(loc="left").startswith("base: loss 0.0") and "0.9 minutes" in axes.get_title(loc="left")
    assert [text.get_text().strip() for text in axes.texts] == ["clips of 10"]


def test_held_out_clips_have_a_panel_of_their_own():
    judged = [row | ({"val_J": 0.1 * row["iteration"]} if row["iteration"] in (3, 6) else {}) for row in LOG]
    _, axes = progress_figure(judged).axes
    assert list(axes.lines[0].get_xdata()) == [3, 6]
    assert "J 0.600, best 0.600" in axes.get_title(loc="left")


def test_a_log_of_one_iteration_is_drawn():
    assert progress_figure(LOG[:1]).axes


def test_a_notebook_has_one_picture_that_is_replaced(monkeypatch):
    display = pytest.importorskip("IPython.display")
    shown, updated = [], []

    class Handle:
        def update(self, picture, raw):
            updated.append(picture)

    monkeypatch.setattr(display, "display", lambda picture, raw, display_id: shown.append(picture) or Handle())
    watch = LiveFigure("base")
    for end in (3, 6, 10):
        watch(LOG[:end])
    assert len(shown) == 1 and len(updated) == 2
    assert "after 10 iterations" in updated[-1]["text/plain"] and "0.9 minutes" in updated[-1]["text/plain"]
