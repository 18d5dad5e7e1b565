"""Figure 1: the architecture, drawn from code. Base parts green, what the updated model adds blue, data grey."""

from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.patheffects import Normal, withStroke

from vos.figures import BASE, UPDATED, NotebookFigure, styled
from vos.files import VosError
from vos.masks import PALETTE

# Coordinates are inches. A column is one time step; its three inputs hang on x offsets from its left edge.
LEFTS = (1.55, 4.3, 7.05, 10.35)  # of the columns t = 0, 1, 2, T-1
STEPS = ("0", "1", "2", "T{-}1")
FRAME, ENCODER, NODE, CENTRE = 0.5, 1.86, 2.56, 2.9
VIDEO_ROW, FRAME_ROW, BUS, FUSION_ROW, MASK_ROW, DECODER_ROW, OUT_ROW = 7.1, 5.55, 4.75, 3.95, 2.65, 1.45, 0.3
THUMB = (1.0, 0.66)
DATA, INK = "#6B6B6B", "#222222"
TINTS = {BASE: "#E0F3EC", UPDATED: "#DFEDF7", DATA: "#F1F1F1"}


@styled()
def architecture(
    model: Literal["base", "updated"] = "updated",
    frames: np.ndarray | None = None,
    masks: np.ndarray | None = None,
) -> Figure:
    """The boxes and tensors of one model, unrolled over time.

    model: "base" draws only the base parts. frames: (T, H, W, 3) uint8 and masks: id maps (T, H, W), T at least 4,
    put real pictures (of t = 0, 1, 2, T-1) in place of the plain boxes.
    """
    if model not in ("base", "updated"):
        raise VosError(f"architecture: no model {model!r}; say 'base' or 'updated'")
    for name, pictures in (("frames", frames), ("masks", masks)):
        if pictures is not None and len(pictures) < len(STEPS):
            raise VosError(f"architecture: {len(pictures)} {name}; give at least {len(STEPS)}, or none")
    updated = model == "updated"
    lower = 0 if updated else 1.15  # without the fusion row the mask path moves up
    top, bottom = (7.75, -0.35) if updated else (6.25, lower - 0.35)
    figure = NotebookFigure(figsize=(14.3, top - bottom))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 14.3), ylim=(bottom, top))
    axes.set_axis_off()

    show(axes, (0.68, FRAME_ROW), r"$y_0$", pick(masks, 0, PALETTE))
    initializer(axes, lower)
    for column, (left, step) in enumerate(zip(LEFTS, STEPS, strict=True)):
        show(axes, (left + FRAME, FRAME_ROW), f"$x_{{{step}}}$", pick(frames, column))
        if updated or column:
            encoder(axes, left, step)
        if updated:
            video_step(axes, left, column)
        if column:
            mask_step(axes, left, column, updated, lower)
            place = (left + CENTRE, OUT_ROW + lower)
            show(axes, place, rf"$\tilde{{y}}_{{{step}}}$", pick(masks, column, PALETTE))
    dots_x = (LEFTS[2] + CENTRE + LEFTS[3] + CENTRE) / 2
    axes.text((LEFTS[2] + NODE + LEFTS[3]) / 2 + 0.02, FRAME_ROW, "···", size=24, weight="bold", ha="center", va="center")
    axes.text(dots_x, OUT_ROW + lower, "···", size=24, weight="bold", ha="center", va="center")
    if updated:
        video_bus(axes)
    legend(axes, updated, lower)
    return figure


def pick(pictures: np.ndarray | None, column: int, palette: np.ndarray | None = None) -> np.ndarray | None:
    """The picture of a column (the last one for T-1), coloured by the palette if there is one."""
    if pictures is None:
        return None
    picture = pictures[column if column < len(STEPS) - 1 else -1]
    return picture if palette is None else palette[picture]


def box(axes: Axes, centre: tuple[float, float], size: tuple[float, float], text: str, colour: str) -> None:
    """A rounded box with text in its middle."""
    corner = (centre[0] - size[0] / 2 + 0.08, centre[1] - size[1] / 2 + 0.08)
    shape = FancyBboxPatch(corner, size[0] - 0.16, size[1] - 0.16, boxstyle="round,pad=0.08,rounding_size=0.14")
    shape.set(facecolor=TINTS[colour], edgecolor=colour, linewidth=2.2)
    axes.add_patch(shape)
    axes.text(*centre, text, size=14.5, color=INK, ha="center", va="center", linespacing=1.15)


def show(axes: Axes, centre: tuple[float, float], name: str, picture: np.ndarray | None) -> None:
    """A frame or mask: its picture with its name above, or a grey box that holds the name."""
    if picture is None:
        box(axes, centre, THUMB, "", DATA)
        axes.text(*centre, name, size=19, color=INK, ha="center", va="center")
        return
    scale = min(THUMB[0] / picture.shape[1], THUMB[1] / picture.shape[0])
    wide, high = picture.shape[1] * scale / 2, picture.shape[0] * scale / 2
    extent = (centre[0] - wide, centre[0] + wide, centre[1] - high, centre[1] + high)
    image = axes.imshow(picture, extent=extent, aspect="auto", interpolation="antialiased", zorder=2)
    corner = (extent[0] + 0.06, extent[2] + 0.06)
    frame = FancyBboxPatch(corner, 2 * wide - 0.12, 2 * high - 0.12, boxstyle="round,pad=0.06,rounding_size=0.08")
    frame.set(facecolor="none", edgecolor=DATA, linewidth=1.6, zorder=3)
    axes.add_patch(frame)
    image.set_clip_path(frame)
    label(axes, (extent[0] - 0.08, centre[1]), name, INK, "right", 17)


def arrow(axes: Axes, points: list[tuple[float, float]], colour: str, head: bool = True, width: float = 2.0) -> None:
    """A line through `points` with a head at its last; its white rim bridges the lines it crosses."""
    rim = [withStroke(linewidth=width + 5, foreground="white"), Normal()]
    if len(points) > 2:
        x, y = zip(*points[:-1], strict=True)
        line = axes.plot(x, y, color=colour, linewidth=width, solid_joinstyle="round", zorder=1)[0]
        line.set_path_effects(rim)
    patch = FancyArrowPatch(*points[-2:], arrowstyle="-|>" if head else "-", mutation_scale=17, shrinkA=0, shrinkB=0)
    patch.set(color=colour, linewidth=width, zorder=1, capstyle="butt", path_effects=rim if len(points) == 2 else [Normal()])
    axes.add_patch(patch)


def label(axes: Axes, at: tuple[float, float], text: str, colour: str, ha: str = "left", size: float = 17) -> None:
    """The name of a tensor beside its arrow."""
    axes.text(*at, text, size=size, color=colour, ha=ha, va="center", zorder=4)
