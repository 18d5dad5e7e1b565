"""Figures of the results: losses and scores."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from vos.figures.style import WIDTH, model_color, model_look, styled
from vos.masks import PALETTE

SCORES = ("J", "F", "J_seen", "J_unseen", "F_seen", "F_unseen", "overall")
LINES = ("-", "--", "-.", ":")  # for who cannot tell the colours of objects apart


@styled()
def loss_curves(curves: Mapping[str, Mapping[str, np.ndarray]], log: bool = False, window: int | None = None) -> Figure:
    """Figure 2: loss against iterations, every model on one scale; raw values faint, running median strong.

    curves: label -> {"iteration": (N,), "loss": (N,) mean binary cross entropy per pixel}.
    window: length of the running median in values; by default a twenty-fifth of the curve.
    """
    figure = Figure(figsize=(WIDTH, 4.2))
    axes = figure.add_subplot()
    ends = []
    for label, curve in curves.items():
        iteration, loss = np.asarray(curve["iteration"]), np.asarray(curve["loss"], float)
        if iteration.shape != loss.shape or loss.ndim != 1 or not len(loss):
            raise ValueError(f"{label!r}: iteration {iteration.shape} and loss {loss.shape} must be of one shape (N,)")
        look = model_look(label)
        smooth = running_median(loss, window or max(1, len(loss) // 25))
        axes.plot(iteration, loss, color=look.color, alpha=0.22, linewidth=0.8)
        axes.plot(iteration, smooth, color=look.color, linestyle=look.line)
        axes.plot(iteration[-1], smooth[-1], color=look.color, marker=look.marker, clip_on=False, zorder=5)
        ends.append((label, float(smooth[-1])))
    if log:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_ylim(bottom=0)
    axes.margins(x=0)
    axes.set(title="Training loss of both models on one scale", xlabel="iteration")
    axes.set_ylabel("binary cross entropy (nats per pixel)")
    end_labels(axes, ends, "{:.4f}" if log else "{:.3f}")
    return figure


def running_median(values: np.ndarray, window: int) -> np.ndarray:
    """The median of the `window` values around each of (N,) values, fewer at the ends; NaN values do not count."""
    half = window // 2
    padded = np.pad(np.asarray(values, float), half, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    some = ~np.isnan(windows).all(axis=1)
    result = np.full(len(values), np.nan)
    result[some] = np.nanmedian(windows[some], axis=1)
    return result


def end_labels(axes: Axes, ends: Sequence[tuple[str, float]], number: str) -> None:
    """Write "label value" to the right of `axes` at the height of each curve's end, pushed apart where they meet."""
    floor = -1.0
    to_fraction = axes.transScale + axes.transLimits
    heights = [(to_fraction.transform((1, value))[1], label, value) for label, value in ends if is_number(value)]
    for height, label, value in sorted(heights):
        floor = max(height, floor + 0.07)
        text = axes.text(1.015, floor, f"{label}  {number.format(value)}", transform=axes.transAxes, va="center")
        text.set(color=model_color(label), weight="bold", size=10)


@styled()
def score_over_time(
    curves: Mapping[str, np.ndarray], title: str = "How long each model keeps hold of the object"
) -> Figure:
    """Mean J against the frame index. curves: label -> (T,) mean J of frame t, NaN where nothing is scored."""
    figure = Figure(figsize=(WIDTH, 3.8))
    axes = figure.add_subplot()
    ends = []
    for label, values in curves.items():
        values, look = np.asarray(values, float), model_look(label)
        scored = np.flatnonzero(np.isfinite(values))
        axes.plot(scored, values[scored], color=look.color, linestyle=look.line, marker=look.marker, markersize=4)
        ends += [(label, float(value)) for value in values[scored][-1:]]
    axes.set(title=title, xlabel="frame index t (t = 0 is given)", ylabel="mean region similarity J", ylim=(0, 1))
    axes.margins(x=0.01)
    axes.locator_params(axis="x", integer=True)
    end_labels(axes, ends, "{:.2f}")
    return figure


@styled()
def score_by_frame(
    values: Mapping[int, tuple[Sequence[int], Sequence[float]]], given: Mapping[int, int], title: str
) -> Figure:
    """J against the frame index for every object of a video, a ring where its mask is given.

    values: object id -> (frame indices, J in each). given: object id -> the frame of its given mask.
    """
    figure = Figure(figsize=(WIDTH, 3.4))
    axes = figure.add_subplot()
    for position, (number, (frames, J)) in enumerate(values.items()):
        color, line = PALETTE[number] / 255, LINES[position % len(LINES)]
        axes.plot(frames, J, color=color, linestyle=line, marker="o", markersize=4, label=f"object {number}")
        axes.plot(given[number], 1, color=color, marker="o", markersize=9, fillstyle="none", linestyle="")
    axes.set(title=title, xlabel="frame index t", ylabel="region similarity J", ylim=(0, 1.05))
    axes.locator_params(axis="x", integer=True)
    figure.legend(loc="outside right center")
    return figure


@styled()
def score_bars(
    rows: Sequence[Mapping], title: str = "Scores between 0 and 1: J region similarity, F contour accuracy"
) -> Figure:
    """Table 1 as bars: a panel for each score, a bar for each method; a score nobody has gets no panel.

    rows: as in table1.json: "name", optionally "source", and scores in 0..1 or None (see SCORES).
    """
    rows = list(rows)
    panels = [key for key in SCORES if any(is_number(row.get(key)) for row in rows)]
    if not panels:
        raise ValueError(f"no row has a score; one of {', '.join(SCORES)} must be a number")
    figure = Figure(figsize=(WIDTH, 1.3 + 0.42 * len(rows)))
    grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    top = max(row[key] for row in rows for key in panels if is_number(row.get(key)))
    for axes, key in zip(grid, panels, strict=True):
        for position, row in enumerate(rows):
            look, score = model_look(row["name"]), row.get(key)
            length, text = (score, f" {score:.3f}") if is_number(score) else (0, " –")
            fill = "white" if look.hatch else look.color
            axes.barh(position, length, 0.72, color=fill, edgecolor=look.color, hatch=look.hatch)
            axes.text(length, position, text, va="center", size=9.5)
        axes.set_title(key.replace("_", " "), weight="bold" if key == "overall" else "normal")
        axes.set(xlim=(0, max(top, 0.05) * 1.45), xticks=[])
        axes.grid(False)
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(length=0)
    names = [f"{row['name']}\n{row['source']}" if row.get("source") else row["name"] for row in rows]
    grid[0].set_yticks(range(len(rows)), names)
    for label, row in zip(grid[0].get_yticklabels(), rows, strict=True):
        label.set_color(model_color(row["name"]))
    grid[0].invert_yaxis()
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def is_number(score: float | None) -> bool:
    """Whether a score is a number: not None, not NaN."""
    return score is not None and bool(np.isfinite(score))
