"""A training as one watches it: a picture of its loss, and of J on held-out clips, drawn anew at every checkpoint."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from vos.figures.results import running_median
from vos.figures.style import WIDTH, model_look, save, styled


@styled()
def progress_figure(log: Sequence[dict], name: str = "training") -> Figure:
    """Loss against iterations, raw and its running median, and J on held-out clips where the log has it.

    log: a dict an iteration, as vos.training writes it. Where the length of the clips changes a line says so: longer
    clips are harder.
    """
    steps, loss, length = (np.array([row[key] for row in log]) for key in ("iteration", "loss", "length"))
    judged = [(row["iteration"], row["val_J"]) for row in log if "val_J" in row]
    look = model_look(name)
    figure = Figure(figsize=(WIDTH, 3.4))
    axes = figure.subplots(1, 2 if judged else 1, squeeze=False)[0]
    smooth = running_median(loss, max(1, len(loss) // 25))
    axes[0].plot(steps, loss, color=look.color, alpha=0.22, linewidth=0.8)
    axes[0].plot(steps, smooth, color=look.color)
    axes[0].set_ylim(0, 1.1 * np.percentile(loss, 99))
    axes[0].set(
        title=f"{name}: loss {smooth[-1]:.4f} after {log[-1]['seconds'] / 60:.1f} minutes", ylabel="nats per pixel"
    )
    for i in np.flatnonzero(np.diff(length)) + 1:
        axes[0].axvline(steps[i], color="#979797", linewidth=0.8, linestyle=":")
        axes[0].annotate(
            f" clips of {length[i]}", (steps[i], 0.98), xycoords=("data", "axes fraction"), va="top", fontsize=8
        )
    if judged:
        axes[1].plot(*zip(*judged, strict=True), color=look.color, marker="o", clip_on=False)
        axes[1].set(title=f"held-out clips: J {judged[-1][1]:.3f}, best {max(J for _, J in judged):.3f}", ylabel="J")
        axes[1].set_ylim(0, 1)
    for one in axes:
        one.set_xlim(0, max(steps[-1], 1))
        one.set_xlabel("iteration")
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
        if self.shown:
            self.shown.update(figure)
        else:
            self.shown = display(figure, display_id=True)
