"""Figures of frames and masks: sheets and strips of them, and predictions row by row beside the truth."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from vos.figures.results import is_number
from vos.figures.style import WIDTH, model_color, styled
from vos.masks import overlay

NOTE = {"boxstyle": "round,pad=0.25", "facecolor": "black", "alpha": 0.6, "linewidth": 0}  # the box of a small note


@styled()
def contact_sheet(
    images: Sequence[np.ndarray], titles: Sequence[str] | None = None, columns: int = 5, title: str | None = None
) -> Figure:
    """Images (H, W, 3) uint8 of any sizes in rows of `columns`, each with its title above."""
    images = list(images)
    if not images:
        raise ValueError("there must be at least one image")
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    shapes = [image.shape[0] / image.shape[1] for image in images]
    ratios = [float(np.median(shapes[row * columns : (row + 1) * columns])) for row in range(rows)]
    tile = min(WIDTH / columns, 3.5, 2.6 / float(np.median(shapes)))
    lines = max((str(t).count("\n") + 1 for t in titles), default=0) if titles is not None else 0
    high = sum(tile * ratio + 0.05 + 0.17 * lines for ratio in ratios) + (0.35 if title else 0.05)
    layout = ConstrainedLayoutEngine(compress=True, w_pad=0.025, h_pad=0.025, wspace=0, hspace=0)
    figure = Figure(figsize=(max(tile * columns, 3.5), high), layout=layout)
    grid = figure.subplots(rows, columns, squeeze=False, height_ratios=ratios)
    for axes in grid.flat[len(images) :]:
        axes.set_axis_off()
    for position, image in enumerate(images):
        show_image(grid.flat[position], padded(image, ratios[position // columns]))
        if titles is not None:
            grid.flat[position].set_title(str(titles[position]), size=9, loc="center", pad=3)
    if title:
        figure.suptitle(textwrap.fill(title, int(figure.get_figwidth() * 9)), size=11.5)
    return figure


def padded(image: np.ndarray, ratio: float) -> np.ndarray:
    """An image (H, W, 3) with white beside or above and below it, so that its height is `ratio` of its width."""
    high, wide = image.shape[:2]
    more_high, more_wide = max(0, round(wide * ratio) - high), max(0, round(high / ratio) - wide)
    margins = [(more // 2, more - more // 2) for more in (more_high, more_wide)]
    return np.pad(image, [*margins, (0, 0)], constant_values=255)


def clip_strip(
    frames: np.ndarray,
    masks: Sequence[np.ndarray | None] | None = None,
    title: str | None = None,
    names: Sequence[str] | None = None,
    columns: int = 5,
) -> Figure:
    """A clip, a row for each `columns`: frames (T, H, W, 3) uint8, id maps (T, H, W) or None painted over each."""
    masks = [None] * len(frames) if masks is None else masks
    if len(masks) != len(frames):
        raise ValueError(f"{len(frames)} frames but {len(masks)} masks: there must be one, or None, for each frame")
    images = [f if m is None else overlay(f, m) for f, m in zip(frames, masks, strict=True)]
    return contact_sheet(images, names or [f"t = {t}" for t in range(len(images))], columns, title)


@styled()
def prediction_rows(
    frames: np.ndarray,
    rows: Sequence[tuple[str, np.ndarray]],
    frame_names: Sequence[str] | None = None,
    scores: Mapping[str, np.ndarray] | None = None,
    columns: int = 5,
    given: int | None = 0,
    title: str | None = None,
) -> Figure:
    """Figures 3, 4 and 5: a row of video frames, then a row for each of truth, base, updated.

    frames: (T, H, W, 3) uint8; rows: (label, id maps (T, H, W) uint8), drawn over faded frames. scores: label -> J of
    each frame (T,), NaN where not scored. given: the frame whose mask the models were handed. Of more than `columns`
    frames an even choice is shown, first and last included.
    """
    frames = np.asarray(frames)
    count, high, wide = frames.shape[:3]
    for label, ids in rows:
        if np.shape(ids) != (count, high, wide):
            raise ValueError(f"masks of {label!r} must be {(count, high, wide)}, as the frames, not {np.shape(ids)}")
    names = list(frame_names) if frame_names is not None else [f"t = {t}" for t in range(count)]
    shown = np.unique(np.linspace(0, count - 1, min(columns, count)).round().astype(int))
    tile = min((WIDTH - 1.3) / len(shown), 2.6, 1.7 * wide / high)
    size = (max(1.3 + tile * len(shown), 4), (tile * high / wide + 0.04) * (1 + len(rows)) + (0.6 if title else 0.3))
    layout = ConstrainedLayoutEngine(compress=True, w_pad=0.02, h_pad=0.03, wspace=0, hspace=0)
    figure = Figure(figsize=size, layout=layout)
    grid = figure.subplots(1 + len(rows), len(shown), squeeze=False)
    for axes, t in zip(grid[0], shown, strict=True):
        show_image(axes, frames[t])
        axes.set_title(str(names[t]), size=9, loc="center", pad=4)
    row_label(grid[0, 0], "video frames", "#222222")
    for tiles, (label, ids) in zip(grid[1:], rows, strict=True):
        color = model_color(label)
        row_label(tiles[0], label, color)
        for axes, t in zip(tiles, shown, strict=True):
            show_image(axes, spotlight(frames[t], ids[t]), color)
            score = scores[label][t] if scores and label in scores else None
            note = "given" if t == given else f"J {score:.2f}" if is_number(score) else ""
            if note:  # in the lower left corner
                axes.text(0.035, 0.05, note, transform=axes.transAxes, size=7.5, color="white", va="bottom", bbox=NOTE)
    if title:
        figure.suptitle(textwrap.fill(title, int(size[0] * 9)), size=11.5)
    return figure


def spotlight(frame: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """A frame (H, W, 3) with its id map (H, W) painted over and all else faded, so that small tiles are clear."""
    gray = frame.mean(axis=2, keepdims=True)
    faded = (0.35 * frame + 0.25 * gray + 0.4 * 235).astype(np.uint8)
    return overlay(np.where(ids[..., None] > 0, frame, faded), ids)


def show_image(axes: Axes, image: np.ndarray, border: str | None = None) -> None:
    """Show an image (H, W, 3) without ticks, framed in `border` if a colour is given."""
    axes.imshow(image, interpolation="antialiased")
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    axes.spines[:].set(visible=border is not None, color=border or "white", linewidth=1.4)


def row_label(axes: Axes, label: str, color: str) -> None:
    """Write a label, wrapped, to the left of the first tile of a row."""
    text = textwrap.fill(label, 13)
    axes.set_ylabel(text, rotation=0, ha="right", va="center", labelpad=8, color=color, weight="bold", size=10)
