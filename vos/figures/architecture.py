"""Figure 1: the architecture, drawn from code. Base parts green, data grey; what the updated model adds is blue, what
attention adds orange.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.path import Path

from vos.figures.style import ATTENTION, BASE, UPDATED, styled
from vos.masks import PALETTE

# Coordinates are inches. A column is one time step; its parts stand at x offsets from its left edge.
LEFTS = (1.55, 4.35, 7.15, 10.55)  # of the columns t = 0, 1, 2, T-1
STEPS = ("0", "1", "2", "T{-}1")
FRAME, ENCODER = 0.5, 1.86
ASIDE = 0.32  # e_t and h_video enter the convolutional block this far left and right of its middle
VIDEO_ROW, FRAME_ROW, BUS, FUSION_ROW, MASK_ROW, DECODER_ROW, OUT_ROW = 7.3, 5.75, 4.85, 4.0, 2.7, 1.45, 0.3
THUMB, CELL, SMALL, FUSION = (1.0, 0.66), (1.5, 0.86), (1.14, 0.72), (1.95, 0.86)
WIDE = 14.15
DATA, INK = "#6B6B6B", "#222222"
Point = tuple[float, float]
TINTS = {BASE: "#E0F3EC", UPDATED: "#DFEDF7", ATTENTION: "#FBEADF", DATA: "#F1F1F1"}
ADDED = {"updated": (UPDATED, "added by the updated model"), "attention": (ATTENTION, "added by attention")}


@styled()
def draw_architecture(
    model: Literal["base", "updated", "attention"] = "updated",
    frames: np.ndarray | None = None,
    masks: np.ndarray | None = None,
) -> Figure:
    """The boxes and tensors of one model, unrolled over time.

    model: "base" draws only the base parts. frames: (T, H, W, 3) uint8 and masks: id maps (T, H, W), T at least 4,
    put real pictures (of t = 0, 1, 2, T-1) in place of the plain boxes.
    """
    if model not in ("base", "updated", "attention"):
        raise ValueError(f"model must be 'base', 'updated' or 'attention', not {model!r}")
    tiles = {}
    for name, pictures in (("frames", frames), ("masks", masks)):
        if pictures is not None and len(pictures) < len(STEPS):
            raise ValueError(f"{len(pictures)} {name}: there must be at least {len(STEPS)}, or none")
        tiles[name] = [None if pictures is None else pictures[t] for t in (0, 1, 2, -1)]
    updated, added = model == "updated", model in ADDED
    lift = 0 if added else 1.2  # without the convolutional block the mask path moves up
    bottom, top = lift - 0.2, VIDEO_ROW + 0.55 if updated else FRAME_ROW + 0.85
    wide = WIDE if updated else LEFTS[-1] + ENCODER + CELL[0] / 2 + (0.75 if added else 0.2)
    figure = Figure(figsize=(wide, top - bottom))
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, wide), ylim=(bottom, top))
    axes.set_axis_off()

    initializer(axes, lift, added)
    show(axes, (0.68, FRAME_ROW), "$y_0$", tiles["masks"][0])
    for column, (left, step) in enumerate(zip(LEFTS, STEPS, strict=True)):
        show(axes, (left + FRAME, FRAME_ROW), f"$x_{{{step}}}$", tiles["frames"][column])
        if added or column:
            arrow(axes, [(left + FRAME + THUMB[0] / 2, FRAME_ROW), (left + ENCODER - SMALL[0] / 2, FRAME_ROW)], DATA)
            box(axes, (left + ENCODER, FRAME_ROW), SMALL, "Encoder", BASE)
        if updated:
            video_step(axes, column)
        if column:
            mask_step(axes, column, model, lift)
            at = (left + ENCODER + ASIDE * added, OUT_ROW + lift)
            show(axes, at, rf"$\tilde{{y}}_{{{step}}}$", tiles["masks"][column], name_left=True)
    if updated:
        video_bus(axes)
    if model == "attention":
        memory(axes)
    dots(axes, ((LEFTS[2] + ENCODER + SMALL[0] / 2 + LEFTS[3]) / 2, FRAME_ROW), DATA)
    dots(axes, ((LEFTS[2] + LEFTS[3]) / 2 + ENCODER + ASIDE * added, OUT_ROW + lift), DATA)
    legend(axes, model, lift)
    return figure


def initializer(axes: Axes, lift: float, added: bool) -> None:
    """[x_0 ; y_0] -> Initializer -> c_0, h_0 for the first cell."""
    row = MASK_ROW + lift
    for x in (0.68, LEFTS[0] + FRAME):
        arrow(axes, [(x, FRAME_ROW - THUMB[1] / 2), (x, row + CELL[1] / 2)], DATA)
    box(axes, (1.365, row), (2.3, CELL[1]), "Initializer", BASE)
    end = LEFTS[1] + ENCODER + ASIDE * added - CELL[0] / 2
    arrow(axes, [(1.365 + 1.15, row), (end, row)], BASE)
    label(axes, ((2.515 + end) / 2, row + 0.25), "$c_0,\\ h_0$", BASE, "center")


def video_step(axes: Axes, column: int) -> None:
    """e_t into one step of the video ConvLSTM."""
    x = LEFTS[column] + ENCODER
    arrow(axes, [(x, FRAME_ROW + SMALL[1] / 2), (x, VIDEO_ROW - CELL[1] / 2)], UPDATED)
    label(axes, (x + 0.1, (FRAME_ROW + VIDEO_ROW) / 2 - 0.02), f"$e_{{{STEPS[column]}}}$", BASE)
    box(axes, (x + ASIDE, VIDEO_ROW), CELL, "Video\nConvLSTM", UPDATED)
    start = x + ASIDE - CELL[0] / 2
    if column:
        chain(axes, LEFTS[column - 1] + ENCODER + ASIDE + CELL[0] / 2, start, VIDEO_ROW, column, UPDATED)
    else:
        arrow(axes, [(start - 0.7, VIDEO_ROW), (start, VIDEO_ROW)], UPDATED)
        label(axes, (start - 0.78, VIDEO_ROW), "zero state", INK, "right", 16)


def video_bus(axes: Axes) -> None:
    """h_video, the last hidden state, to every convolutional block."""
    right, corner = LEFTS[-1] + ENCODER + ASIDE + CELL[0] / 2, WIDE - 0.35
    lead = [(right, VIDEO_ROW), (corner, VIDEO_ROW), (corner, BUS)]
    for left in LEFTS[1:]:
        x = left + ENCODER + 2 * ASIDE
        arrow(axes, [*lead, (x, BUS), (x, FUSION_ROW + FUSION[1] / 2)], UPDATED, 3.4, 0.5)
        lead = []
    label(axes, ((LEFTS[2] + LEFTS[3]) / 2 + ENCODER + ASIDE, BUS + 0.26), "$h_{video}$", UPDATED, "center", 20)


def memory(axes: Axes) -> None:
    """e_0 and the Initializer's h_0, c_0 into the memory of frame 0, and that to every convolutional block."""
    x, wide = LEFTS[0] + ENCODER, 1.5
    arrow(axes, [(x, FRAME_ROW - SMALL[1] / 2), (x, FUSION_ROW + FUSION[1] / 2)], BASE)
    label(axes, (x + 0.1, FRAME_ROW - 0.58), "$e_0$", BASE)
    box(axes, (x, FUSION_ROW), (wide, FUSION[1]), "Memory", ATTENTION)
    arrow(axes, [(x, MASK_ROW), (x, FUSION_ROW - FUSION[1] / 2)], ATTENTION)
    lead = [(x + wide / 2, FUSION_ROW), (x + wide / 2 + 0.28, FUSION_ROW), (x + wide / 2 + 0.28, BUS)]
    for left in LEFTS[1:]:
        end = left + ENCODER + 2 * ASIDE
        arrow(axes, [*lead, (end, BUS), (end, FUSION_ROW + FUSION[1] / 2)], ATTENTION, 3.4, 0.5)
        lead = [(end, BUS)]
    label(axes, ((LEFTS[2] + LEFTS[3]) / 2 + ENCODER + ASIDE, BUS + 0.26), "$k_0,\\ v_0$", ATTENTION, "center", 20)


def mask_step(axes: Axes, column: int, model: str, lift: float) -> None:
    """e_t (with h_video, or with what is read in the memory) into one step of the ConvLSTM, h_t into the Decoder."""
    x, step, added = LEFTS[column] + ENCODER, STEPS[column], model in ADDED
    middle = x + ASIDE * added
    cell, decoder = MASK_ROW + lift, DECODER_ROW + lift
    out_of_encoder = (x, FRAME_ROW - SMALL[1] / 2)
    if added:
        if column > 1 or model == "attention":  # a gap in the line of h_video, which e_t crosses
            axes.plot((x, x), (BUS - 0.1, BUS + 0.1), color="white", linewidth=9, zorder=0.7)
        arrow(axes, [out_of_encoder, (x, FUSION_ROW + FUSION[1] / 2)], BASE)
        text = "Convolutional\nblock" if model == "updated" else "Attention,\nconv. block"
        box(axes, (middle, FUSION_ROW), FUSION, text, ADDED[model][0])
        arrow(axes, [(middle, FUSION_ROW - FUSION[1] / 2), (middle, cell + CELL[1] / 2)], ADDED[model][0])
    else:
        arrow(axes, [out_of_encoder, (x, cell + CELL[1] / 2)], BASE)
    label(axes, (x + 0.1, FRAME_ROW - 0.58), f"$e_{{{step}}}$", BASE)
    box(axes, (middle, cell), CELL, "Mask\nConvLSTM" if model == "updated" else "ConvLSTM", BASE)
    if column > 1:
        before = LEFTS[column - 1] + ENCODER + ASIDE * added + CELL[0] / 2
        chain(axes, before, middle - CELL[0] / 2, cell, column, BASE)
        if column == 2:
            label(axes, ((before + middle - CELL[0] / 2) / 2, cell + 0.25), "$c_1,\\ h_1$", BASE, "center")
    arrow(axes, [(middle, cell - CELL[1] / 2), (middle, decoder + SMALL[1] / 2)], BASE)
    label(axes, (middle + 0.1, (cell + decoder) / 2), f"$h_{{{step}}}$", BASE)
    box(axes, (middle, decoder), (1.2, SMALL[1]), "Decoder", BASE)
    arrow(axes, [(middle, decoder - SMALL[1] / 2), (middle, OUT_ROW + lift + THUMB[1] / 2)], DATA)


def chain(axes: Axes, start: float, end: float, row: float, column: int, color: str) -> None:
    """From one cell to the next; dots stand for the steps left out before the last."""
    if column < len(STEPS) - 1:
        arrow(axes, [(start, row), (end, row)], color)
        return
    middle = (start + end) / 2
    arrow(axes, [(start, row), (middle - 0.3, row)], color)
    dots(axes, (middle, row), color)
    arrow(axes, [(middle + 0.3, row), (end, row)], color)


def dots(axes: Axes, at: Point, color: str) -> None:
    """Three dots, for time steps that are not drawn."""
    for shift in (-0.13, 0, 0.13):
        axes.plot(at[0] + shift, at[1], "o", color=color, markersize=4.5)


def legend(axes: Axes, model: str, lift: float) -> None:
    """What the colours mean, in the free corner under the Initializer."""
    added = [ADDED[model]] if model in ADDED else []
    rows = [(BASE, "base model"), *added, (DATA, "frames and masks")]
    top = DECODER_ROW + lift - 0.05
    for position, (color, text) in enumerate(rows):
        box(axes, (0.5, top - 0.42 * position), (0.5, 0.3), "", color)
        label(axes, (0.9, top - 0.42 * position), text, INK, size=16)
    label(axes, (0.25, top - 0.42 * len(rows)), "Boxes of one name share their weights.", DATA, size=14)


def box(axes: Axes, center: Point, size: Point, text: str, color: str) -> None:
    """A rounded box with text in its middle."""
    corner = (center[0] - size[0] / 2 + 0.08, center[1] - size[1] / 2 + 0.08)
    shape = FancyBboxPatch(corner, size[0] - 0.16, size[1] - 0.16, boxstyle="round,pad=0.08,rounding_size=0.14")
    shape.set(facecolor=TINTS[color], edgecolor=color, linewidth=2.2, zorder=2)
    axes.add_patch(shape)
    axes.text(*center, text, size=16, color=INK, ha="center", va="center", linespacing=1.1, zorder=3)


def show(axes: Axes, center: Point, name: str, picture: np.ndarray | None, name_left: bool = False) -> None:
    """A frame or id map: its picture with its name above or to the left, or a grey box that holds the name."""
    if picture is None:
        box(axes, center, THUMB, "", DATA)
        label(axes, center, name, INK, "center", 19)
        return
    picture = PALETTE[picture] if picture.ndim == 2 else picture
    scale = min(THUMB[0] / picture.shape[1], THUMB[1] / picture.shape[0])
    wide, high = picture.shape[1] * scale / 2, picture.shape[0] * scale / 2
    extent = (center[0] - wide, center[0] + wide, center[1] - high, center[1] + high)
    axes.imshow(picture, extent=extent, aspect="auto", interpolation="antialiased", zorder=2)
    frame = Rectangle((extent[0], extent[2]), 2 * wide, 2 * high, fill=False, edgecolor=DATA, linewidth=1.8, zorder=3)
    axes.add_patch(frame)
    at = (extent[0] - 0.1, center[1]) if name_left else (center[0], extent[3] + 0.22)
    label(axes, at, name, INK, "right" if name_left else "center", 18)


def arrow(axes: Axes, points: Sequence[Point], color: str, width: float = 2.2, zorder: float = 1) -> None:
    """A line through `points` with a head at its end."""
    patch = FancyArrowPatch(path=Path(points), arrowstyle="-|>", mutation_scale=19, shrinkA=0, shrinkB=0)
    patch.set(color=color, linewidth=width, zorder=zorder, joinstyle="miter", capstyle="butt")
    axes.add_patch(patch)


def label(axes: Axes, at: Point, text: str, color: str, ha: str = "left", size: float = 18.5) -> None:
    """The name of a tensor beside its arrow."""
    axes.text(*at, text, size=size, color=color, ha=ha, va="center", zorder=4)
