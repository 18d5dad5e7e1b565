"""What do the course preset's departures from the report gain? Equal minutes, two seeds each, training loss on pairs.

    python experiments/course_choices.py     (about eight minutes on two cores; writes data/results/course_choices.json)

- pixels: no patches, a pooling and 3x3 convolutions at full size instead, as in VGG-16.
- grid: a third pooling gives the report's 8 x 14 cells, of 8 x 8 pixels at the course's size.
- input 3x3: the report's kernel for the input half of the ConvLSTM, instead of 1x1.
- decoder 5x5: the report's kernel in place of 3x3.
- optimiser: AdamW for all weights in place of Muon for the hidden convolutions.
"""

import multiprocessing
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product
from pathlib import Path
from statistics import mean

import torch

from vos.files import write_json
from vos.networks import build, count_parameters
from vos.presets import PRESETS
from vos.recipes import EMBEDDED, train_by_recipe
from vos.workspace import ROOT, Workspace, provenance

COURSE = PRESETS["course"]
PAIRS = replace(EMBEDDED.training, iterations=10_000, minutes=1.0, stages=((0.0, 2, 24),))
CHOICES = {
    "course preset": (COURSE, PAIRS),
    "pixels, no patches": (replace(COURSE, patch=1, stages=((16, 32), (64, 64)), decoder=(48, 16)), PAIRS),
    "grid 8x14": (
        replace(COURSE, stages=((48, 64), (96, 128)), context=(128, 128), state=128, decoder=(96, 48)),
        PAIRS,
    ),
    "input 3x3": (replace(COURSE, input_kernel=3), PAIRS),
    "decoder 5x5": (replace(COURSE, decoder_kernel=5), PAIRS),
    "AdamW only": (COURSE, replace(PAIRS, muon=0.0)),
}
SEEDS = (0, 1)


def train_choice(name: str, seed: int) -> dict[str, str | int | float]:
    """Train one choice with one seed on one core, as `python -m vos report` does; returns its row."""
    torch.set_num_threads(1)
    network, training = CHOICES[name]
    torch.manual_seed(seed)
    model = build("base", network)
    with tempfile.TemporaryDirectory() as run:
        recipe = replace(EMBEDDED, training=replace(training, seed=seed))
        log = train_by_recipe(model, Workspace.find().videos("train"), recipe, Path(run))
    end = mean(row["loss"] for row in log[-30:])
    facts = {"choice": name, "seed": seed, "iterations": len(log), "loss": round(end, 4)}
    return facts | {"parameters": count_parameters(model)}


def main() -> None:
    Workspace.find()  # draws the set where it is missing, once
    rows = []
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        for row in pool.map(train_choice, *zip(*product(CHOICES, SEEDS), strict=True)):
            rows.append(row)
            print(row, flush=True)
    made = {"minutes_each": PAIRS.minutes, "loss": "mean of the last 30 iterations"} | provenance()
    write_json(ROOT / "data/results/course_choices.json", {"rows": rows, "made": made})


if __name__ == "__main__":
    main()
