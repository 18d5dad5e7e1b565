"""A training as one watches it: a picture of its loss, and of J on held-out clips, drawn anew at every checkpoint."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from vos.figures.results import smooth_loss, stage_starts
from vos.figures.style import WIDTH, model_color, save, styled, with_alt


@styled()
def progress_figure(log: Sequence[dict], name: str = "training") -> Figure:
    """Loss against iterations, raw and smoothed, and J on held-out clips where the log has it.

    log: a dict an iteration, as vos.training writes it. Lines stand where the clips grow longer, which is harder.
    """
    steps, loss, length = (np.array([row[key] for row in log]) for key in ("iteration", "loss", "length"))
    judged = [(row["iteration"], row["val_J"]) for row in log if "val_J" in row]
    color = model_color(name)
    figure = Figure(figsize=(WIDTH, 3.4))
    grid = figure.subplots(1, 2 if judged else 1, squeeze=False)[0]
    left = grid[0]
    smooth = smooth_loss(loss, length)
    left.plot(steps, loss, color=color, alpha=0.22, linewidth=0.8)
    left.plot(steps, smooth, color=color)
    left.set(ylim=(0, 1.1 * np.percentile(loss, 99)), ylabel="nats per pixel")
    left.set_title(f"{name}: loss {smooth[-1]:.4f} after {log[-1]['seconds'] / 60:.1f} minutes")
    for i in stage_starts(length)[1:]:
        left.axvline(steps[i], color="#979797", linewidth=0.8, linestyle=":")
        left.text(steps[i], 0.98, f" clips of {length[i]}", transform=left.get_xaxis_transform(), va="top", size=8)
    if judged:
        grid[1].plot(*zip(*judged, strict=True), color=color, marker="o", clip_on=False)
        best = max(J for _, J in judged)
        grid[1].set(title=f"held-out clips: J {judged[-1][1]:.3f}, best {best:.3f}", ylabel="J", ylim=(0, 1))
    for axes in grid:
        axes.set(xlim=(0, max(steps[-1], 1)), xlabel="iteration")
    return figure


def progress_file(path: Path, name: str, log: Sequence[dict]) -> None:
    """Write the picture to a file."""
    save(progress_figure(log, name), path)


class LiveFigure:
    """An `on_checkpoint` of a Trainer, in a notebook: one picture below the cell, replaced at every checkpoint."""

    def __init__(self, name: str = "training") -> None:
        self.name, self.shown = name, None

    def __call__(self, log: Sequence[dict]) -> None:
        from IPython.display import display

        figure = progress_figure(log, self.name)
        titles = "; ".join(axes.get_title(loc="left") for axes in figure.axes)
        picture = with_alt(figure, f"Curves of a training after {len(log)} iterations. {titles}.")
        if self.shown:
            self.shown.update(picture, raw=True)
        else:
            self.shown = display(picture, raw=True, display_id=True)
