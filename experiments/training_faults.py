"""The fault laboratory's other half: what is left when a training goes wrong?

    python experiments/training_faults.py [NAME ...] [--steps 100] [--out runs/training_faults]

The base model at the preset "course" on the synthetic set, with one thing wrong at a time, each for the same number of
steps from the same seed, on one thread in float32. Scored are J and F of the validation videos as YouTube-VOS counts
them, J by frame, and J on the first training videos, which every one of these trainings has seen: where that is high
and the other low, the model has learned its videos by heart.
"""

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from real import keep_rows

from vos.config import NO_AUGMENTATION, PRESETS, ModelConfig, TrainConfig
from vos.course.faults import as_it_should_be, fingerprint, frame_scores, run
from vos.course.workspace import ROOT
from vos.data import Video, Videos, VOSDataset
from vos.engine.checkpoints import LAST, load_checkpoint
from vos.engine.trainer import Trainer, clips_for
from vos.files.progress import tracked
from vos.networks import BaseModel, build
from vos.training import SYNTHETIC

RESULT = ROOT / "data/results/training_faults.json"
ALL, LEARNED = 1000, 10  # training videos: as many as there are; those that all trainings see


@dataclass(frozen=True)
class Fault:
    """A training with one thing wrong: how it is said, network, recipe, and on how many of the videos."""

    how: str
    network: ModelConfig = PRESETS["course"]
    recipe: TrainConfig = SYNTHETIC
    videos: int = ALL


def recipe(how: str, videos: int = ALL, **changes: object) -> Fault:
    """The course's recipe with changes."""
    return Fault(how, recipe=replace(SYNTHETIC, **changes), videos=videos)  # type: ignore[arg-type]


FAULTS = {
    "none": Fault("the course's recipe"),
    "learning rate 1e-4": recipe("a twentieth of ours, and the report's", learning_rate=1e-4),
    "learning rate 1e-5": recipe("a two-hundredth of ours", learning_rate=1e-5),
    "ReLU for tanh": Fault("h' = o relu(c')", network=replace(PRESETS["course"], state_activation="relu")),
    "clips of 5 only": recipe("as the report's", curriculum=((0.0, 5, 8),)),
    "clips of 2 only": recipe("one step after the mask", curriculum=((0.0, 2, 24),)),
    "10 videos": Fault("a thirtieth of them", videos=10),
    "10 videos, no mirror": recipe("and no augmentation", videos=10, augment=NO_AUGMENTATION),
}


def train(fault: Fault, steps: int, seed: int, out: Path) -> None:
    """Train into `out`, or go on with it."""
    torch.manual_seed(seed)
    model = build("base", fault.network)
    config = replace(
        fault.recipe, minutes=None, iterations=steps, seed=seed, precision="float32", checkpoint_every=50, workers=0
    )
    videos = Videos(VOSDataset(ROOT / "data/synthetic").train[: fault.videos])
    Trainer(model, clips_for(model, videos, config), config, out).fit(resume=True)


def mean_J_by_frame(model: BaseModel, videos: Iterable[Video]) -> list[float]:
    """Mean J of frame 1, 2, ..., over the objects of all videos, each as long as it counts."""
    rows = [frame_scores(video, run(model, video), as_it_should_be)[0] for video in videos]
    longest = max(map(len, rows))
    padded = [np.pad(J, ((0, longest - len(J)), (0, 0)), constant_values=np.nan) for J in rows]
    return [float(x) for x in np.nanmean(np.concatenate(padded, axis=1)[1:], axis=1)]


def score(name: str, out: Path) -> dict:
    """The row of a training."""
    model, facts = load_checkpoint(out / LAST)
    dataset = VOSDataset(ROOT / "data/synthetic")
    seen = set(dataset.categories or ()).__contains__
    maps = lambda video: run(model, video)  # noqa: E731
    row = {"name": name, "how": FAULTS[name].how, "steps": facts["iterations"]}
    row["seed"] = facts["train_config"]["seed"]
    row |= fingerprint(tracked(dataset.valid_truth, name, len(dataset.valid_truth)), maps, as_it_should_be, seen)
    row["J_learned"] = fingerprint(dataset.train[:LEARNED], maps, as_it_should_be)["J"]
    return row | {"J_by_frame": mean_J_by_frame(model, dataset.valid_truth)}


def main() -> None:
    """Train, score, print and write data/results/training_faults.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(FAULTS)} (default: all)")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "runs/training_faults")
    args = parser.parse_args()
    if unknown := set(args.names) - set(FAULTS):
        parser.error(f"no such fault: {', '.join(sorted(unknown))}")
    torch.set_num_threads(1)
    for name in args.names or FAULTS:
        out = args.out / name.replace(" ", "_").replace(",", "")
        train(FAULTS[name], args.steps, args.seed, out)
        row = score(name, out)
        print(f"{name:<24} J {row['J']:.3f}  F {row['F']:.3f}  learned {row['J_learned']:.3f}", flush=True)
        keep_rows(RESULT, [row], lambda row: list(FAULTS).index(row["name"]))


if __name__ == "__main__":
    sys.exit(main())
