"""What this course does otherwise than the report and the paper, why, and what experiments/ablation.py measured."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from vos.course.tables import markdown_table
from vos.course.workspace import ROOT
from vos.files import read_json


def read_deviations(root: Path = ROOT) -> list[dict]:
    """The rows of the table: what, theirs, ours, why, and undone, the choices of the experiment that undo it."""
    rows = tomllib.loads((root / "data/deviations.toml").read_text(encoding="utf-8"))["deviation"]
    return [{"undone": [], **row} for row in rows]


def changes(rows: Sequence[dict]) -> dict[str, list[float]]:
    """J of every training of a choice, less that of what it is compared with, with equal seed, weights and clips."""
    J = {(row["choice"], row["seed"]): row["J"] for row in rows}
    found: dict[str, list[float]] = {}
    for row in rows:
        if row["choice"] != row["against"]:
            found.setdefault(row["choice"], []).append(row["J"] - J[row["against"], row["seed"]])
    return found


def deviation_table(root: Path = ROOT) -> str:
    """All deviations as Markdown, with what undoing each changed, and how that was measured."""
    ablation = read_json(root / "data/results/ablation.json")
    changed = {choice: mean(values) for choice, values in changes(ablation["rows"]).items()}
    rows = []
    for row in read_deviations(root):
        measured = "<br>".join(f"{name}: {changed[name]:+.3f}" for name in row["undone"]) or "–"
        rows.append([row["what"], row["theirs"], row["ours"], row["why"], measured])
    made, recipe = ablation["provenance"], ablation["rows"][0]["against"]
    J = [row["J"] for row in ablation["rows"] if row["choice"] == recipe]
    return (
        markdown_table(["", "report or paper", "here, course preset", "why", "J, undone"], rows)
        + f"\n\nLast column: {recipe} but for that one thing, {made['minutes_each']:g} minutes of one core from random "
        f"weights; mean J over {made['objects']} objects of the synthetic validation set, in clips of {made['frames']} "
        "frames, less that of the recipe from the same seed; the mean of two seeds. The recipe itself: "
        f"{mean(J):.3f}, over {len(J)} seeds from {min(J):.3f} to {max(J):.3f}, so a difference of "
        f"{(max(J) - min(J)) / 2:.3f} says nothing. A report trains eight times as long, and what "
        "pays off late is judged too early."
    )
