"""The look of every figure: one style, and one colour, line and marker for each model; showing and saving."""

import base64
import html
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
            shell.display_formatter.formatters[f"image/{kind}"].for_type(Figure, partial(formatted, kind=kind))
    style.use(STYLE)


def show(figure: Figure, alt: str) -> None:
    """Show a figure below a notebook's cell, once, with alternative text: what a reader who cannot see it should know.

    Call it once the figure is complete, as the last line of a cell; pyplot then forgets the figure.
    """
    from IPython.display import display
    from matplotlib import pyplot

    display(with_alt(figure, alt), raw=True)
    pyplot.close(figure)


def with_alt(figure: Figure, alt: str) -> dict[str, str]:
    """A figure as what notebooks display, by media type; ValueError without alternative text.

    It is HTML, as JupyterLab gives an image/png no alternative text, and nothing but HTML, as every byte of the picture
    would be there twice. Where HTML is not shown, the alternative text stands in for it.
    """
    if not alt.strip():
        raise ValueError("the alternative text is empty: say in a sentence or two what the figure shows")
    kind = image_kind(figure)
    data = base64.b64encode(encoded(figure, kind)).decode()
    return {"text/html": f'<img alt="{html.escape(alt)}" src="data:image/{kind};base64,{data}">', "text/plain": alt}


def image_kind(figure: Figure) -> str:
    """What makes a figure small: "jpeg" where it holds pictures, else "png"."""
    return "jpeg" if any(axes.images for axes in figure.axes) else "png"


def encoded(figure: Figure, kind: str) -> bytes:
    """A figure as an image for a notebook."""
    photo: dict = {"dpi": 110, "pil_kwargs": {"quality": 88}}
    how = photo if kind == "jpeg" else {"dpi": 100, "metadata": {"Software": None}}
    stream = io.BytesIO()
    figure.savefig(stream, format=kind, **how)
    return stream.getvalue()


def formatted(figure: Figure, kind: str) -> bytes | None:
    """How IPython shows a figure that nobody gave to `show`: as one image, so None for the other kind."""
    return encoded(figure, kind) if kind == image_kind(figure) else None


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG (150 dpi, no date or version inside), whole or not at all."""
    with styled(), written_whole(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150, metadata={"Software": None})
