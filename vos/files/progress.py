"""What a person sees of long work: a bar on a terminal; elsewhere (a log file, CI) a plain line a minute."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from tqdm import tqdm

EVERY = 60.0  # seconds between two plain lines
Item = TypeVar("Item")


class PlainProgress(AbstractContextManager):
    """The part of tqdm's interface that we use, as lines: "scoring: 40% done, 2 min left"."""

    def __init__(self, desc: str, total: float, initial: float, fraction: Callable[[], float] | None) -> None:
        self.desc, self.n, self.words, self.left = desc, initial, "", ""
        self.fraction = fraction or (lambda: self.n / total if total else 1.0)
        self.start = self.said = time.monotonic()
        self.begin = self.fraction()

    def __exit__(self, *_error: object) -> None:
        """Nothing is left to be cleared."""

    def update(self, n: float = 1) -> None:
        """Count n more, and say so once a minute."""
        self.n += n
        now = time.monotonic()
        if now - self.said >= EVERY:
            self.said, done = now, self.fraction()
            minutes = (now - self.start) * (1 - done) / max(done - self.begin, 1e-9) / 60
            left = self.left or f"{minutes:.0f} min"
            print(f"{self.desc}: {done:.0%} done, {left} left{self.words}", file=sys.stderr, flush=True)

    def set_postfix(self, words: dict[str, str], refresh: bool = False) -> None:
        """What stands behind the share that is done; "left", where whoever counts knows better how long it takes."""
        self.left = words.get("left", "")
        self.words = "".join(f", {key} {value}" for key, value in words.items() if key != "left")


def progress_bar(
    desc: str,
    total: float,
    unit: str = "it",
    *,
    shown: bool = True,
    position: int = 0,
    initial: int = 0,
    fraction: Callable[[], float] | None = None,
) -> Any:
    """A bar with `update` and `set_postfix`, for a `with` block; what stands on a terminal is cleared at the end.

    shown: False for nothing at all. position: line of the terminal, counted from 0. initial: done before.
    fraction: what says how much is done where that is not the count over `total`.
    """
    if shown and not sys.stderr.isatty():
        return PlainProgress(desc, total, initial, fraction)
    look = {"unit": unit, "unit_scale": unit == "B", "position": position, "leave": False, "disable": not shown}
    return tqdm(desc=desc, total=total, initial=initial, **look)


def tracked(items: Iterable[Item], desc: str, total: int, unit: str = "it", *, shown: bool = True) -> Iterator[Item]:
    """The items, with a bar that counts them."""
    with progress_bar(desc, total, unit, shown=shown) as bar:
        for item in items:
            yield item
            bar.update()
