"""The look of every figure: one style, and one colour, line and marker for each model; showing and saving."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from matplotlib import style
from matplotlib.figure import Figure

from vos.files.atomic import written_whole

WIDTH = 9.0  # inches: 900 pixels in a notebook, 1350 in a file
BASE = "#009E73"
UPDATED = "#0072B2"
STYLE = ("default", Path(__file__).with_name("style.mplstyle"))


@dataclass(frozen=True)
class Look:
    """How one model or baseline is drawn, everywhere: colour, line style, marker, hatching of its bars."""

    color: str
    line: str | tuple = "-"
    marker: str = "o"
    hatch: str = ""


LOOKS = {
    "base": Look(BASE),
    "updated": Look(UPDATED, (0, (6, 1.5)), "s"),
    "copy-first": Look("#636363", "-.", "^"),
    "empty": Look("#979797", ":", "v"),
    "report base": Look(BASE, ":", "o", "////"),
    "report updated": Look(UPDATED, ":", "s", "////"),
    "truth": Look("#222222", "-", "D"),
}
OTHER = Look("#AA5590", (0, (5, 1, 1, 1, 1, 1)), "P")


def model_look(name: str) -> Look:
    """The Look of a model; a longer label ("base, 600 iterations") has the look of the name it starts with."""
    names = [start for start in LOOKS if name.lower().startswith(start)]
    return LOOKS[max(names, key=len)] if names else OTHER


def model_color(name: str) -> str:
    """The colour of a model, "#RRGGBB": base green, updated blue, baselines grey, truth black."""
    return model_look(name).color


def use_style() -> None:
    """Draw everything from here on in the course's style: for the first cell of a notebook.

    `fig, ax = plt.subplots()` then looks like the figures of this package, and is shown at the end of its cell; what
    a function of this package returns is shown where it is the cell's last expression. Either is one image, as
    `as_shown` makes it.
    """
    from IPython import get_ipython

    shell = get_ipython()
    if shell is not None:
        shell.run_line_magic("matplotlib", "inline")  # first, because it brings formatters of its own
        for kind in ("png", "jpeg"):
            shell.display_formatter.formatters[f"image/{kind}"].for_type(Figure, partial(as_shown, kind=kind))
    style.use(STYLE)


def as_shown(figure: Figure, kind: str) -> bytes | None:
    """What a notebook shows, JPEG where there are pictures in it, else PNG, which keeps notebooks small.

    None where `kind`, "png" or "jpeg", is the other one of the two.
    """
    photo = any(axes.images for axes in figure.axes)
    if photo != (kind == "jpeg"):
        return None
    how: dict = {"dpi": 110, "pil_kwargs": {"quality": 88}} if photo else {"dpi": 100, "metadata": {"Software": None}}
    stream = io.BytesIO()
    figure.savefig(stream, format=kind, **how)
    return stream.getvalue()


@contextmanager
def styled() -> Iterator[None]:
    """The course's style for a block or (as a decorator) for a function; afterwards the caller's own is back."""
    with style.context(STYLE):
        yield


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG (150 dpi, no date or version inside), whole or not at all."""
    with styled(), written_whole(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150, metadata={"Software": None})
