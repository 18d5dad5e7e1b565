"""The three models at the preset "course" on the synthetic set, each for the same number of steps, from the same seed.

    python experiments/course_attention.py [base updated attention] --steps 250 --out runs/course_attention

One thread each, in float32, so a machine without bfloat16 can repeat it; two may run side by side. Scored as table 1:
`python -m vos evaluate` on the validation videos, and J by how many objects a video has.
"""

import argparse
import sys
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from real import keep_rows

from vos.course.report import predict_into
from vos.course.workspace import ROOT
from vos.data import VOSDataset
from vos.engine.checkpoints import LAST, load_checkpoint
from vos.engine.trainer import Trainer, clips_for
from vos.inference import segment
from vos.networks import MODELS, build, count_parameters
from vos.scoring.evaluate import evaluate
from vos.training import SYNTHETIC

DATA = ROOT / "data/synthetic"
RESULT = ROOT / "data/results/course_attention.json"


def train(name: str, steps: int, seed: int, out: Path) -> None:
    """Train a model into `out`, or go on with it."""
    torch.manual_seed(seed)
    model = build(name, "course")
    config = replace(
        SYNTHETIC, minutes=None, iterations=steps, seed=seed, precision="float32", checkpoint_every=50, workers=0
    )
    Trainer(model, clips_for(model, VOSDataset(DATA).train, config), config, out).fit(resume=True)


def score(name: str, out: Path) -> dict:
    """The row of a model."""
    model, facts = load_checkpoint(out / LAST)
    valid = VOSDataset(DATA).valid
    predict_into(out / "predictions", partial(segment, model), valid)
    scores = evaluate(DATA / "valid_truth", out / "predictions", "youtube-vos", videos=[v.name for v in valid])
    together = Counter(entry["video"] for entry in scores["objects"])
    groups: dict[str, list[float]] = {"1": [], "2": [], "3 and more": []}
    for entry in scores["objects"]:
        number = together[entry["video"]]
        groups[str(number) if number < 3 else "3 and more"].append(entry["J_mean"])
    means = scores["global"]
    found = {"overall": means["overall"], "J": means["J_mean"], "F": means["F_mean"]}
    found["J_by_objects"] = {key: float(np.mean(values)) for key, values in groups.items()}
    found["objects"] = {key: len(values) for key, values in groups.items()}
    known = {"steps": facts["iterations"], "minutes": facts["minutes"], "seed": facts["train_config"]["seed"]}
    return {"name": name, **found, **known, "parameters": count_parameters(model)}


def main() -> None:
    """Train, score, print and write data/results/course_attention.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=list(MODELS))
    parser.add_argument("--steps", type=int, default=250)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "runs/course_attention")
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name in args.models:
        train(name, args.steps, args.seed, args.out / name)
        row = score(name, args.out / name)
        print(f"{name:<10} overall {row['overall']:.3f}  J by objects {row['J_by_objects']}", flush=True)
        keep_rows(RESULT, [row], lambda row: list(MODELS).index(row["name"]))


if __name__ == "__main__":
    sys.exit(main())
