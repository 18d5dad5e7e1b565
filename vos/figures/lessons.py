"""Figures that teach: what the data hold, how F is matched, what a state looks like inside."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, MaxNLocator, StrMethodFormatter

from vos.figures.style import BASE, WIDTH, styled
from vos.metrics import boundary, dilate

LARGEST = 18  # categories shown
SEEN, UNSEEN = "#56B4E9", "#E69F00"
MATCHED, MISSED, BAND = "#222222", "#D55E00", "#F6EDB0"


@styled()
def dataset_statistics(
    areas: np.ndarray, durations: np.ndarray, seen: Mapping[str, int], unseen: Mapping[str, int] | None = None
) -> Figure:
    """What a data set holds. areas: (N,) share of the frame each object covers, 0..1; durations: (M,) annotated
    frames of each video; seen, unseen: category -> number of objects, of which the LARGEST are shown.
    """
    areas = 100 * np.asarray(areas, float)
    areas = areas[areas > 0]
    counts = [(n, name, SEEN, "") for name, n in seen.items()]
    counts += [(n, name, UNSEEN, "///") for name, n in (unseen or {}).items()]
    counts.sort(key=lambda row: (-row[0], row[1]))
    figure = Figure(figsize=(WIDTH, max(3.6, 0.7 + 0.2 * min(len(counts), LARGEST))))
    left, right = figure.subfigures(1, 2, squeeze=False)[0] if counts else (figure, figure)
    top, bottom = left.subplots(2, 1)
    low, high = (np.log10(areas.min()) - 0.01, np.log10(areas.max()) + 0.01) if len(areas) else (0, 2)
    top.hist(areas, np.logspace(low, high, 25), color="#777777", edgecolor="white", linewidth=0.6)
    top.set(xscale="log", title="Size of the objects", xlabel="area (% of the frame)", ylabel="objects")
    top.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    top.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    top.xaxis.set_minor_formatter(lambda value, _: "")
    edges = np.arange(min(durations, default=0), max(durations, default=0) + 2)
    bins = edges - 0.5 if len(edges) <= 40 else 30
    bottom.hist(durations, bins, color="#777777", edgecolor="white", linewidth=0.6)
    bottom.set(title="Length of the videos", xlabel="annotated frames", ylabel="videos")
    for axes in (top, bottom):
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    bottom.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if len(edges):
        bottom.set_xlim(edges[0] - 1.6, edges[-1] + 0.6)
    if counts:
        category_bars(right.subplots(), counts)
    return figure


def category_bars(axes: Axes, counts: Sequence[tuple[int, str, str, str]]) -> None:
    """Bars of (objects, category, colour, hatch) rows, largest first."""
    rows = counts[:LARGEST]
    for position, (count, _, color, hatch) in enumerate(rows):
        axes.barh(position, count, 0.75, color=color, hatch=hatch, edgecolor="white")
        axes.text(count, position, f" {count}", va="center", size=8.5)
    axes.set_yticks(range(len(rows)), [name for _, name, _, _ in rows], size=9)
    rest = len(counts) - len(rows)
    axes.set_title("Objects of each category" + (f" (and {rest} rarer ones)" if rest else ""))
    axes.set(xticks=[], ylim=(len(rows) - 0.4, -0.6), xlim=(0, rows[0][0] * 1.12))
    axes.grid(False)
    axes.tick_params(length=0)
    axes.spines["bottom"].set_visible(False)
    keys = {color: hatch for _, _, color, hatch in counts}
    names = {SEEN: "seen in training", UNSEEN: "unseen in training"}
    handles = [Patch(facecolor=c, hatch=h, edgecolor="white", label=names[c]) for c, h in keys.items()]
    axes.legend(handles=handles, loc="lower right")


@styled()
def contour_matching(prediction: np.ndarray, truth: np.ndarray, radius: int) -> Figure:
    """How F is counted: boundary pixels of each mask that lie within `radius` pixels of the other's boundary.

    prediction, truth: bool (H, W). Left, precision: predicted boundary on the band around the true one; right,
    recall: the other way round. Pixels off the band are orange crosses.
    """
    prediction, truth = np.asarray(prediction, bool), np.asarray(truth, bool)
    if prediction.shape != truth.shape:
        raise ValueError(f"prediction {prediction.shape} and truth {truth.shape} must be of one size")
    edges = {"predicted": boundary(prediction), "true": boundary(truth)}
    places = zip(np.nonzero(edges["predicted"] | edges["true"]), truth.shape, strict=True)
    spans = [(min(at, default=0) - radius - 3, max(at, default=size) + radius + 4) for at, size in places]
    window = tuple(slice(max(0, low), high) for low, high in spans)
    high, wide = truth[window].shape
    figure = Figure(figsize=(WIDTH, min(4.4 * high / wide, 7) + 1.1))
    shares = []
    panels = (("precision", "predicted", "true"), ("recall", "true", "predicted"))
    for axes, (name, ours, other) in zip(figure.subplots(1, 2), panels, strict=True):
        band = dilate(edges[other], radius)
        hit, miss = edges[ours] & band, edges[ours] & ~band
        total = int(edges[ours].sum())
        shares.append(hit.sum() / total if total else float(not edges[other].any()))
        axes.imshow(band[window], cmap=ListedColormap(["white", BAND]), vmin=0, vmax=1)
        size = min(6.0, 230 / max(high, wide))
        for pixels, color, marker in ((hit, MATCHED, "s"), (miss, MISSED, "X")):
            y, x = np.nonzero(pixels[window])
            axes.plot(x, y, marker, color=color, markersize=size * (1.3 if marker == "X" else 1), markeredgewidth=0)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(visible=True, color="#CCCCCC")
        axes.grid(False)
        axes.set_title(f"{name} = {hit.sum()} of {total} {ours} boundary pixels = {shares[-1]:.2f}", size=10.5)
    f = 2 * shares[0] * shares[1] / sum(shares) if any(shares) else 0.0
    figure.suptitle(f"F = 2 · precision · recall / (precision + recall) = {f:.2f}")
    handles = [
        Patch(facecolor=BAND, edgecolor="#CCCCCC", label=f"within {radius} px of the other boundary"),
        Line2D([], [], color=MATCHED, marker="s", linestyle="", label="matched"),
        Line2D([], [], color=MISSED, marker="X", linestyle="", markersize=8, label="not matched"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


@styled()
def feature_maps(h: np.ndarray, columns: int = 16, title: str | None = None) -> Figure:
    """The channels of one state or encoding, (C, h, w), as small images on one scale that is symmetric about 0."""
    h = np.asarray(h, float)
    if h.ndim != 3 or not h.size:
        raise ValueError(f"a state must be (C, h, w), not {h.shape}")
    channels, high, wide = h.shape
    columns = min(columns, channels)
    rows = -(-channels // columns)
    cells = np.pad(h, ((0, rows * columns - channels), (0, 1), (0, 1)), constant_values=np.nan)
    cells = cells.reshape(rows, columns, high + 1, wide + 1).swapaxes(1, 2)
    sheet = cells.reshape(rows * (high + 1), columns * (wide + 1))[:-1, :-1]
    width = min(WIDTH, 1.5 + 1.6 * columns)
    figure = Figure(figsize=(width, (width - 1.3) * sheet.shape[0] / sheet.shape[1] + 0.6))
    axes = figure.add_subplot()
    limit = float(np.nanmax(np.abs(h))) or 1.0
    image = axes.imshow(sheet, cmap="RdBu_r", vmin=-limit, vmax=limit)
    firsts = [f"{r * columns}–{min((r + 1) * columns, channels) - 1}" for r in range(rows)]
    axes.set_yticks(np.arange(rows) * (high + 1) + (high - 1) / 2, firsts, size=8.5)
    axes.set(xticks=[], ylabel="channel")
    axes.set_title(title or f"{channels} channels of {high} × {wide}")
    axes.set_facecolor("#8A8A8A")  # between the channels, where the sheet is NaN
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    figure.colorbar(image, ax=axes, fraction=0.025, pad=0.01, label="activation")
    return figure


@styled()
def ablation_effects(changes: Mapping[str, Sequence[float]], spread: float = 0.0) -> Figure:
    """What undoing one choice changes in J: a row a choice, a dot a training, the largest mean on top.

    changes: name of the choice -> J of each of its trainings, less that of the recipe from the same seed.
    spread: differences up to this one are no more than those of the recipe's own trainings; grey.
    """
    means = {name: float(np.mean(values)) for name, values in changes.items()}
    names = sorted(means, key=lambda name: means[name], reverse=True)
    figure = Figure(figsize=(WIDTH, 0.9 + 0.27 * len(names)))
    axes = figure.add_subplot()
    axes.axvspan(-spread, spread, color="#DDDDDD", zorder=0)
    axes.axvline(0, color="#777777", linewidth=1)
    for position, name in enumerate(names):
        color = "#777777" if abs(means[name]) <= spread else BASE if means[name] < 0 else "#D55E00"
        axes.plot([means[name], 0], [position] * 2, color=color, linewidth=1.5)
        axes.plot(changes[name], [position] * len(changes[name]), "o", color=color, markersize=5)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.set(title="One thing changed at a time: what it does to J", xlabel="difference in mean J")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:+.2f}"))
    return figure
