"""Figures of the results: arrays in, a matplotlib Figure out. Nothing here reads a file or knows a model.

Every figure is drawn under the package's own style, which never leaks into the caller's matplotlib. Figures are
plain objects outside pyplot: the last expression of a notebook cell shows one, and `save` writes it.
"""

import io
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from vos.files import VosError
from vos.files.atomic import written_whole
from vos.masks import PALETTE, overlay

WIDTH = 9.0  # inches: 900 pixels in a notebook, 1350 in a file
BASE = "#009E73"
UPDATED = "#0072B2"
SCORES = {
    "J": "J",
    "F": "F",
    "J_seen": "J seen",
    "J_unseen": "J unseen",
    "F_seen": "F seen",
    "F_unseen": "F unseen",
    "overall": "overall",
}


@dataclass(frozen=True)
class Look:
    """How one model or baseline is drawn, everywhere: colour, line style, marker, hatching of its bars."""

    color: str
    line: str | tuple = "-"
    marker: str = "o"
    hatch: str = ""


DASHES = (0, (6, 1.5))
LOOKS = {
    "base": Look(BASE),
    "updated": Look(UPDATED, DASHES, "s"),
    "video": Look(UPDATED, DASHES, "s"),  # the updated model's name on the command line
    "copy-first": Look("#636363", "-.", "^"),
    "empty": Look("#979797", ":", "v"),
    "report base": Look(BASE, ":", "o", "////"),
    "report updated": Look(UPDATED, ":", "s", "////"),
    "truth": Look("#222222", "-", "D"),
}
OTHER = Look("#AA5590", (0, (5, 1, 1, 1, 1, 1)), "P")


class NotebookFigure(Figure):
    """A Figure that a notebook shows by itself, whether or not pyplot was ever imported."""

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, bytes]:
        """What IPython shows: PNG, or JPEG where there are pictures in it, which keeps notebooks small."""
        photo = any(axes.images for axes in self.axes)
        with styled(), io.BytesIO() as stream:
            if photo:
                self.savefig(stream, format="jpeg", dpi=110, pil_kwargs={"quality": 88})
            else:
                self.savefig(stream, format="png", dpi=100, metadata={"Software": None})
            return {"image/jpeg" if photo else "image/png": stream.getvalue()}


@contextmanager
def styled() -> Iterator[None]:
    """Matplotlib's defaults plus the package's style, for a block or (as a decorator) for a function."""
    with style.context(["default", Path(__file__).with_name("style.mplstyle")]):
        yield


def model_look(name: str) -> Look:
    """The Look of a model; a longer label ("base, 600 iterations") has the look of the name it starts with."""
    names = [known for known in LOOKS if name.lower().startswith(known)]
    return LOOKS[max(names, key=len)] if names else OTHER


def model_color(name: str) -> str:
    """The colour of a model, "#RRGGBB": base green, updated blue, baselines grey, truth black."""
    return model_look(name).color


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG (150 dpi, no date or version inside), whole or not at all."""
    with styled(), written_whole(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150, metadata={"Software": None})


@styled()
def loss_curves(
    curves: Mapping[str, Mapping[str, np.ndarray]],
    log: bool = False,
    window: int | None = None,
    title: str = "Training loss of both models on one scale",
) -> Figure:
    """Figure 2: loss against iterations, every model on one scale; raw values faint, running median strong.

    curves: label -> {"iteration": (N,), "loss": (N,) mean binary cross entropy per pixel}.
    window: length of the running median in values; by default a twenty-fifth of the curve.
    """
    figure = NotebookFigure(figsize=(WIDTH, 4.2), layout="constrained")
    axes = figure.add_subplot()
    ends = []
    for label, curve in curves.items():
        iteration, loss = np.asarray(curve["iteration"]), np.asarray(curve["loss"], float)
        if iteration.shape != loss.shape or loss.ndim != 1 or not len(loss):
            raise VosError(
                f"loss curve {label!r}: iteration {iteration.shape} and loss {loss.shape}; give two equal lists"
            )
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
    axes.set(title=title, xlabel="iteration", ylabel="binary cross entropy (nats per pixel)")
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
    places = [(to_fraction.transform((1, value))[1], label, value) for label, value in ends if known(value)]
    for place, label, value in sorted(places):
        floor = max(place, floor + 0.07)
        text = axes.text(1.015, floor, f"{label}  {number.format(value)}", transform=axes.transAxes, va="center")
        text.set(color=model_color(label), weight="bold", size=10)


@styled()
def score_over_time(
    curves: Mapping[str, np.ndarray], title: str = "How long each model keeps hold of the object"
) -> Figure:
    """Mean J against the frame index. curves: label -> (T,) mean J of frame t, NaN where nothing is scored."""
    figure = NotebookFigure(figsize=(WIDTH, 3.8), layout="constrained")
    axes = figure.add_subplot()
    ends = []
    for label, values in curves.items():
        values, look = np.asarray(values, float), model_look(label)
        scored = np.flatnonzero(np.isfinite(values))
        axes.plot(scored, values[scored], color=look.color, linestyle=look.line, marker=look.marker, markersize=4)
        ends += [(label, float(values[scored[-1]]))] if len(scored) else []
    axes.set(title=title, xlabel="frame index t (t = 0 is given)", ylabel="mean region similarity J", ylim=(0, 1))
    axes.margins(x=0.01)
    axes.xaxis.get_major_locator().set_params(integer=True)
    end_labels(axes, ends, "{:.2f}")
    return figure


@styled()
def score_bars(
    rows: Sequence[Mapping], title: str = "Scores between 0 and 1: J region similarity, F contour accuracy"
) -> Figure:
    """Table 1 as bars: a panel for each score, a bar for each method; a score nobody has gets no panel.

    rows: as in table1.json: "name", optionally "source", and scores in 0..1 or None (see SCORES).
    """
    rows = list(rows)
    panels = [key for key in SCORES if any(known(row.get(key)) for row in rows)]
    if not panels:
        raise VosError(f"score_bars: no row has one of {', '.join(SCORES)}; evaluate first")
    figure = NotebookFigure(figsize=(WIDTH, 1.3 + 0.42 * len(rows)), layout="constrained")
    grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    top = max(row[key] for row in rows for key in panels if known(row.get(key)))
    for axes, key in zip(grid, panels, strict=True):
        for place, row in enumerate(rows):
            look, score = model_look(row["name"]), row.get(key)
            fill = "white" if look.hatch else look.color
            axes.barh(place, score if known(score) else 0, 0.72, color=fill, edgecolor=look.color, hatch=look.hatch)
            text = f" {score:.3f}" if known(score) else " –"
            axes.text(score if known(score) else 0, place, text, va="center", size=9.5)
        axes.set_title(SCORES[key], weight="bold" if key == "overall" else "normal")
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


def known(score: float | None) -> bool:
    """Whether a score is a number: not None, not NaN."""
    return score is not None and bool(np.isfinite(score))


@styled()
def prediction_rows(
    frames: np.ndarray,
    rows: Sequence[tuple[str, np.ndarray]],
    frame_names: Sequence[str] | None = None,
    scores: Mapping[str, np.ndarray] | None = None,
    columns: int = 5,
    as_masks: bool = False,
    given: int | None = 0,
    title: str | None = None,
) -> Figure:
    """Figures 3, 4 and 5: a row of video frames, then a row for each of truth, base, updated.

    frames: (T, H, W, 3) uint8; rows: (label, id maps (T, H, W) uint8), drawn over faded frames or, `as_masks`,
    in the DAVIS palette on black. scores: label -> J of each frame (T,), NaN where not scored. given: the frame whose
    mask the models were handed. Of more than `columns` frames an even choice is shown, first and last included.
    """
    frames = np.asarray(frames)
    count, high, wide = frames.shape[:3]
    for label, ids in rows:
        if np.shape(ids) != (count, high, wide):
            raise VosError(f"prediction_rows: masks of {label!r} are {np.shape(ids)}, frames are {(count, high, wide)}")
    names = list(frame_names) if frame_names is not None else [f"t = {t}" for t in range(count)]
    shown = np.unique(np.linspace(0, count - 1, min(columns, count)).round().astype(int))
    tile = min((WIDTH - 1.3) / len(shown), 2.6, 1.7 * wide / high)
    size = (max(1.3 + tile * len(shown), 4), (tile * high / wide + 0.04) * (1 + len(rows)) + (0.6 if title else 0.3))
    figure = NotebookFigure(figsize=size, layout="compressed")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.03, wspace=0, hspace=0)
    grid = figure.subplots(1 + len(rows), len(shown), squeeze=False)
    for line, t in zip(grid[0], shown, strict=True):
        picture(line, frames[t])
        line.set_title(str(names[t]), size=9, loc="center", pad=4)
    row_label(grid[0, 0], "video frames", "#222222")
    for line, (label, ids) in zip(grid[1:], rows, strict=True):
        color = model_color(label)
        row_label(line[0], label, color)
        for axes, t in zip(line, shown, strict=True):
            picture(axes, PALETTE[ids[t]] if as_masks else spotlight(frames[t], ids[t]), color)
            score = scores[label][t] if scores and label in scores else None
            if t == given:
                badge(axes, "given")
            elif known(score):
                badge(axes, f"J {score:.2f}")
    if title:
        figure.suptitle(textwrap.fill(title, int(size[0] * 9)), size=11.5)
    return figure


def spotlight(frame: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """A frame (H, W, 3) with its id map (H, W) painted over and all else faded, so that small tiles are clear."""
    grey = frame.mean(axis=2, keepdims=True)
    faded = (0.35 * frame + 0.25 * grey + 0.4 * 235).astype(np.uint8)
    return overlay(np.where(ids[..., None] > 0, frame, faded), ids)


def picture(axes: Axes, image: np.ndarray, border: str | None = None) -> None:
    """Show an image (H, W, 3) without ticks, framed in `border` if a colour is given."""
    axes.imshow(image, interpolation="antialiased")
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    axes.spines[:].set(visible=border is not None, color=border or "white", linewidth=1.4)


def row_label(axes: Axes, label: str, color: str) -> None:
    """Write a label, wrapped, to the left of the first tile of a row."""
    text = textwrap.fill(label, 13)
    axes.set_ylabel(text, rotation=0, ha="right", va="center", labelpad=8, color=color, weight="bold", size=10)


def badge(axes: Axes, text: str) -> None:
    """A small note in the lower left corner of a tile."""
    box = {"boxstyle": "round,pad=0.25", "facecolor": "black", "alpha": 0.6, "linewidth": 0}
    axes.text(0.035, 0.05, text, transform=axes.transAxes, size=7.5, color="white", va="bottom", bbox=box)
