"""How fine a grid should the course preset's state have? Equal minutes, two seeds each, training loss on pairs.

    python experiments/state_grid.py            (about five minutes on two cores; writes data/results/state_grid.json)

A third pooling gives the report's 8 x 14 cells of 8 x 8 pixels at the course's size; the preset has two poolings.
"""

import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import mean

import torch

from vos.files import write_json
from vos.networks import PRESETS, build, count_parameters
from vos.recipes import EMBEDDED, train_by_recipe
from vos.workspace import ROOT, Workspace, provenance

FINE = PRESETS["course"]
COARSE = replace(FINE, stages=((16,), (64, 64), (128, 128, 128)), context=(), state=128, decoder=(96, 48, 16))
MINUTES, SEEDS = 1.0, (0, 1)


def main() -> None:
    videos = Workspace.find().videos("train")
    rows = []
    for settings in (COARSE, FINE):
        for seed in SEEDS:
            pairs = replace(EMBEDDED.training, iterations=10_000, minutes=MINUTES, stages=((0.0, 2, 24),), seed=seed)
            torch.manual_seed(seed)
            model = build("base", settings)
            with tempfile.TemporaryDirectory() as run:
                log = train_by_recipe(model, videos, replace(EMBEDDED, training=pairs), Path(run))
            end = mean(row["loss"] for row in log[-30:])
            facts = {"grid": settings.grid, "seed": seed, "iterations": len(log), "loss": round(end, 4)}
            rows.append(facts | {"parameters": count_parameters(model)})
            print(rows[-1], flush=True)
    made = {"minutes_each": MINUTES, "loss": "mean of the last 30 iterations"} | provenance()
    write_json(ROOT / "data/results/state_grid.json", {"rows": rows, "made": made})


if __name__ == "__main__":
    main()
