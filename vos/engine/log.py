"""The log of a training: a dict an iteration, in a CSV file, and what a person sees of it on the way."""

import csv
import math
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from vos.files import VosError
from vos.files.atomic import written_whole
from vos.files.progress import progress_bar


def write_log(path: Path, log: list[dict]) -> None:
    """The training log as CSV, whole or not at all."""
    fields = list(dict.fromkeys(key for row in log for key in row))
    with written_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=fields)
        writer.writeheader()
        writer.writerows(log)


def read_rows(path: Path) -> list[dict]:
    """A training log, a dict an iteration, without values that a row does not have; empty where there is no file."""
    if not Path(path).is_file():
        return []
    try:
        with Path(path).open(newline="", encoding="utf-8") as file:
            rows = [{key: float(value) for key, value in row.items() if value} for row in csv.DictReader(file)]
        return [row | {key: int(row[key]) for key in ("iteration", "length")} for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, TypeError, ValueError) as error:
        raise VosError(f"{path}: is not a training log ({error}); remove it or name another folder") from None


def read_log(path: Path) -> dict[str, list[float]]:
    """A training log as columns; NaN where a row has no value."""
    rows = read_rows(path)
    if not rows:
        raise VosError(f"{path}: no such training log; `python -m vos train` writes one")
    fields = list(dict.fromkeys(key for row in rows for key in row))
    return {key: [row.get(key, math.nan) for row in rows] for key in fields}


class TrainingBar(AbstractContextManager):
    """An `on_step` of a Trainer: a bar, or plain lines without a terminal (see `progress_bar`); total: iterations."""

    def __init__(self, name: str, total: int, position: int = 0, shown: bool = True) -> None:
        self.done, title = 0.0, f"training {name}".strip()
        self.bar = progress_bar(title, total, shown=shown, position=position, fraction=lambda: self.done)

    def __exit__(self, *error: Any) -> None:
        self.bar.__exit__(*error)

    def __call__(self, log: list[dict], done: float) -> None:
        self.done = done
        recent = [row["loss"] for row in log[-20:]]
        words = {"loss": f"{sum(recent) / len(recent):.4f}"}
        J = next((row["val_J"] for row in reversed(log) if "val_J" in row), None)
        if J is not None:  # the last one on held-out clips
            words["J"] = f"{J:.3f}"
        words["left"] = f"{log[-1]['seconds'] * (1 - done) / max(done, 1e-9) / 60:.1f} min"
        self.bar.set_postfix(words, refresh=False)
        self.bar.update(len(log) - self.bar.n)
