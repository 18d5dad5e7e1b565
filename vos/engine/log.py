"""The log of a training: a dict an iteration, in a CSV file."""

import csv
import math
from pathlib import Path

from vos.files import VosError, written_whole


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
        raise VosError(f"{path}: is no training log ({error}); remove it or name another folder") from None


def read_log(path: Path) -> dict[str, list[float]]:
    """A training log as columns; NaN where a row has no value."""
    rows = read_rows(path)
    if not rows:
        raise VosError(f"{path}: no such training log; `python -m vos train` writes one")
    fields = list(dict.fromkeys(key for row in rows for key in row))
    return {key: [row.get(key, math.nan) for row in rows] for key in fields}


def recent_loss(log: list[dict], window: int = 20) -> float:
    """Mean loss of the last iterations."""
    last = log[-window:]
    return sum(row["loss"] for row in last) / len(last)


def progress_words(log: list[dict], seconds: float, done: float) -> dict[str, str]:
    """What stands behind the progress bar: recent loss, last J on held-out clips, minutes left."""
    words = {"loss": f"{recent_loss(log):.4f}"}
    J = next((row["held_out_J"] for row in reversed(log) if "held_out_J" in row), None)
    if J is not None:
        words["J"] = f"{J:.3f}"
    return words | {"left": f"{seconds * (1 - done) / max(done, 1e-9) / 60:.1f} min"}
