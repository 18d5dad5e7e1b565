"""Figures of the results: losses and scores."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from vos.figures.style import UPDATED, WIDTH, model_color, model_look, styled
from vos.masks import PALETTE

SCORES = ("J", "F", "J_seen", "J_unseen", "F_seen", "F_unseen", "overall")
COLUMNS = ("iteration", "loss", "length", "seconds")  # of a training's log
LINES = ("-", "--", "-.", ":")  # for who cannot tell the colours of objects apart


@styled()
def loss_curves(curves: Mapping[str, Mapping[str, np.ndarray]], window: int | None = None) -> Figure:
    """Figure 2: every model's loss on one scale; above against iterations, below against the share of its minutes.

    Raw values (above) are faint, their `smooth_loss` strong. A bar over the plots says for each model how long its
    clips are, and a dotted line stands where they get longer.

    curves: label -> the columns of a training's log, (N,) each: "iteration", "loss" (mean binary cross entropy per
    pixel), "length" (frames in a clip), "seconds" (since the start). window: as in `smooth_loss`.
    """
    figure = Figure(figsize=(WIDTH, 7.2))
    above, below = figure.subplots(2, 1)
    ends, later = [], []
    for row, (label, curve) in enumerate(reversed(list(curves.items()))):
        iteration, loss, length, seconds = (np.asarray(curve[key], float) for key in COLUMNS)
        if not len(loss) or {values.shape for values in (iteration, loss, length, seconds)} != {(len(loss),)}:
            raise ValueError(f"{label!r}: {', '.join(COLUMNS)} must be of one shape (N,), not empty")
        look, smooth, share = model_look(label), smooth_loss(loss, length, window), 100 * seconds / seconds[-1]
        above.plot(iteration, loss, color=look.color, alpha=0.15, linewidth=0.7)
        for axes, x in ((above, iteration), (below, share)):
            axes.plot(x, smooth, color=look.color, linestyle=look.line)
            axes.plot(x[-1], smooth[-1], color=look.color, marker=look.marker, clip_on=False, zorder=5)
            mark_stages(axes, x, length, label, row)
        ends.append((label, float(smooth[-1])))
        later.append(smooth[share >= 5])
    for axes in (above, below):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if axes is above else (1, 2, 3, 4, 5, 7)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.margins(x=0)
        axes.set_ylabel("nats per pixel")
    low, high = np.nanmin(np.concatenate(later)), np.nanmax(np.concatenate(later))
    below.set(xlim=(0, 100), ylim=(low / 1.1, high * 1.1), xlabel="share of the training's minutes (%)")
    above.set_xlabel("iteration")
    above.set_title("Training loss by iteration, and how long the clips are", pad=8 + 14 * len(curves))
    below.set_title("The same, smoothed, at equal shares of the minutes", pad=8 + 14 * len(curves))
    for axes in (above, below):
        end_labels(axes, ends, "{:.4f}")
    return figure


def mark_stages(axes: Axes, x: np.ndarray, length: np.ndarray, label: str, row: int) -> None:
    """A bar over a plot, the row-th from below: one part for each clip length (N,) of a training along x (N,), with
    the number of frames in it; the label to its left; and dotted lines down the plot where they get longer.
    """
    starts, color, across = stage_starts(length), model_color(label), axes.get_xaxis_transform()
    bottom, height = 1.015 + 0.075 * row, 0.062
    middle = bottom + height / 2
    words = [axes.text(-0.012, middle, label, transform=axes.transAxes, ha="right", color=color)]
    for start, end in zip(starts, [*starts[1:], len(x) - 1], strict=True):
        box = Rectangle((x[start], bottom), x[end] - x[start], height, transform=across)
        box.set(facecolor=color, edgecolor="white", linewidth=1.5, clip_on=False)
        axes.add_patch(box)
        frames = f"{length[start]:.0f} frames"
        words.append(axes.text((x[start] + x[end]) / 2, middle, frames, transform=across, ha="center", color="white"))
        if start:
            axes.axvline(x[start], color=color, linewidth=1, linestyle=":")
    for text in words:
        text.set(size=8.5, weight="bold", va="center_baseline")


def stage_starts(length: np.ndarray) -> list[int]:
    """Where each stage of a curriculum begins: the places in (N,) clip lengths that differ from the one before."""
    return [0, *(np.flatnonzero(np.diff(length)) + 1)]


def smooth_loss(loss: np.ndarray, length: np.ndarray, window: int | None = None) -> np.ndarray:
    """The running median (N,) of a training's loss (N,), each stage by itself, so that the loss steps where clips do.

    length: frames in the clips of each iteration, (N,). window: by default a twenty-fifth of the training.
    """
    parts = np.split(np.asarray(loss, float), stage_starts(length)[1:])
    return np.concatenate([running_median(part, window or max(1, len(loss) // 25)) for part in parts])


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


@styled()
def score_differences(
    found: Mapping[str, tuple[float, float, float]], seeds: Mapping[str, Sequence[float]], title: str
) -> Figure:
    """Paired differences of scores: a row for each, a bar for its interval, a dot for each seed, the mean in words.

    found: name -> (mean, low, high). seeds: name -> the mean difference of each seed. An interval that holds zero is
    grey. Raises ValueError where an interval does not hold its mean.
    """
    figure = Figure(figsize=(WIDTH, 1.1 + 0.42 * len(found)))
    axes = figure.add_subplot()
    axes.axvline(0, color="#777777", linewidth=1)
    for position, (name, (mean, low, high)) in enumerate(found.items()):
        if not low <= mean <= high:
            raise ValueError(f"{name!r}: the interval {low} to {high} does not hold the mean, {mean}")
        color = "#777777" if low <= 0 <= high else UPDATED if low > 0 else "#D55E00"
        axes.plot([low, high], [position] * 2, color=color, linewidth=6, alpha=0.35, solid_capstyle="butt")
        axes.plot(seeds[name], [position] * len(seeds[name]), "o", color=color, markersize=4.5)
        axes.plot(mean, position, "|", color=color, markersize=15, markeredgewidth=2)
        words = axes.text(1.015, position, f"{mean:+.3f}", transform=axes.get_yaxis_transform(), va="center")
        words.set(color=color, weight="bold")
    axes.set_yticks(range(len(found)), list(found))
    axes.set(ylim=(len(found) - 0.4, -0.6), title=title, xlabel="difference in the mean of J and F")
    axes.grid(axis="y", visible=False)
    axes.xaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:+.3f}"))
    return figure


def is_number(score: float | None) -> bool:
    """Whether a score is a number: not None, not NaN."""
    return score is not None and bool(np.isfinite(score))
