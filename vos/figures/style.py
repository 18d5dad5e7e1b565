"""The look of every figure: one style, and one colour, line and marker for each model; showing and saving."""

import io
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from matplotlib import style
from matplotlib.figure import Figure

from vos.files.atomic import written_whole

WIDTH = 9.0  # inches: 900 pixels in a notebook, 1350 in a file
BASE = "#009E73"
UPDATED = "#0072B2"
ATTENTION = "#D55E00"
STYLE: list[str | Path] = ["default", Path(__file__).with_name("style.mplstyle")]
styled = partial(style.context, STYLE)  # the course's style for a block or, as @styled(), for a function


@dataclass(frozen=True)
class Look:
    """How one model or baseline is drawn, everywhere: colour, line style, marker, hatching of its bars."""

    color: str
    line: str | tuple = "-"
    marker: str = "o"
    hatch: str = ""


LOOKS = {
    "base": Look(BASE), "updated": Look(UPDATED, (0, (6, 1.5)), "s"),
    "attention": Look(ATTENTION, (0, (3, 1.2)), "D", ".."),
    "report base": Look(BASE, ":", "o", "////"), "report updated": Look(UPDATED, ":", "s", "////"),
    "copy-first": Look("#636363", "-.", "^"), "empty": Look("#979797", ":", "v"), "truth": Look("#222222", "-", "D"),
}  # fmt: skip
OTHER = Look("#AA5590", (0, (5, 1, 1, 1, 1, 1)), "P")


def model_look(name: str) -> Look:
    """The Look of a model; a longer label ("base, 600 iterations") has the look of the name it starts with."""
    names = [start for start in LOOKS if name.lower().startswith(start)]
    return LOOKS[max(names, key=len)] if names else OTHER


def model_color(name: str) -> str:
    """The colour of a model, "#RRGGBB": base green, updated blue, attention orange, baselines grey, truth black."""
    return model_look(name).color


def use_style() -> None:
    """Draw all from here on, plt.subplots() too, in the course's style, as one image: for a notebook's first cell."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is not None:
        shell.run_line_magic("matplotlib", "inline")  # first, because it brings formatters of its own
        for kind in ("png", "jpeg"):
            shell.display_formatter.formatters[f"image/{kind}"].for_type(Figure, partial(as_shown, kind=kind))
    style.use(STYLE)


def as_shown(figure: Figure, kind: str) -> bytes | None:
    """A figure in a notebook, small: a "jpeg" where it holds pictures, else a "png"; None where `kind` is the other."""
    photo = any(axes.images for axes in figure.axes)
    if photo != (kind == "jpeg"):
        return None
    how: dict = {"dpi": 110, "pil_kwargs": {"quality": 88}} if photo else {"dpi": 100, "metadata": {"Software": None}}
    stream = io.BytesIO()
    figure.savefig(stream, format=kind, **how)
    return stream.getvalue()


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG (150 dpi, no date or version inside), whole or not at all."""
    with styled(), written_whole(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150, metadata={"Software": None})
