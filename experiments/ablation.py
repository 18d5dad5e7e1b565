"""What does each departure from the report and the paper gain? Both models' choices, on the synthetic set.

    python experiments/ablation.py [--minutes M] [--out FILE]    (over an hour on two cores; writes
    data/results/ablation.json as it goes, and goes on where it was stopped)

Every choice is undone by itself: the course's recipe but for that one thing, trained from random weights on one core
for the same minutes of processor time and judged by one number, the mean J over clips of 20 frames of 60 objects of
the validation set (the model's size, masks at one half). Two seeds each; four of the recipe itself, whose spread says
which differences mean something. The minutes are few, an eighth of a report's: what pays off late is judged too early.
"""

import argparse
import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from vos.clips import ClipDataset
from vos.config import NO_AUGMENTATION, PRESETS, ModelConfig, TrainConfig
from vos.course.workspace import ROOT, Workspace, provenance
from vos.engine.trainer import Trainer, clips_for
from vos.files import read_json, write_json
from vos.networks import build, count_parameters
from vos.training import REAL, SYNTHETIC, fit

COURSE = PRESETS["course"]
UNLIMITED = 100_000  # iterations: minutes end a training


@dataclass(frozen=True)
class Choice:
    """A network and how it is trained.

    average: judge the exponential moving average of the weights with this decay, not the last weights; 0: the last.
    """

    network: ModelConfig = COURSE
    training: TrainConfig = SYNTHETIC
    model: str = "base"
    average: float = 0.0


def network(**changes: Any) -> Choice:
    """The course's choice with another network."""
    return Choice(network=replace(COURSE, **changes))


def training(**changes: Any) -> Choice:
    """The course's choice, trained otherwise."""
    return Choice(training=replace(SYNTHETIC, **changes))


RECIPE = "the course's recipe"
UPDATED = "the updated model, same recipe"
FIVE = "decoder 5x5"
REPEATED = "repeated border, against zeros, both 5x5"
CHOICES = {
    RECIPE: Choice(),
    "pixels, not patches of 2x2": network(patch=1, widths=((16, 32), (64, 64)), decoder_channels=(48, 16)),
    "state of 8x14 cells": network(
        widths=((48, 64), (96, 128)), context_channels=(128, 128), state_channels=128, decoder_channels=(96, 48)
    ),
    "ConvLSTM's input half 3x3": network(input_kernel=3),
    FIVE: network(decoder_kernel=5),
    REPEATED: network(decoder_kernel=5, decoder_border="replicate"),
    "no BatchNorm": network(batch_norm=False),
    "mask painted on weakly": network(mask_weight=1.0),
    "state activation ReLU": network(state_activation="relu"),
    "forget bias 0": network(forget_bias=0.0),
    "the report's training": training(
        curriculum=((0.0, 5, 8),),
        learning_rate=1e-4,
        anneal=False,
        muon=0.0,
        weight_decay=0.0,
        warm_up=0,
        augment=NO_AUGMENTATION,
        late_start=0.0,
    ),
    "AdamW for all weights": training(muon=0.0),
    "constant learning rate": training(anneal=False),
    "no warm-up": training(warm_up=0),
    "no gradient clipping": training(max_grad_norm=1e9),
    "moving average of weights, 0.99": Choice(average=0.99),
    "clips of 5 only": training(curriculum=((0.0, 5, 8),)),
    "clips of 5 to 11, no pairs": training(curriculum=((0.0, 5, 8), (0.33, 8, 5), (0.67, 11, 4))),
    "no clips of 20": training(curriculum=SYNTHETIC.curriculum[:-1]),
    "no late starts": training(late_start=0.0),
    "no mirror images": training(augment=NO_AUGMENTATION),
    "real video's augmentation": training(augment=REAL.augment),
    "every frame moved by a pixel": training(augment=replace(SYNTHETIC.augment, wobble=1.0)),
    UPDATED: Choice(model="updated"),
    "updated, h_video as wide as the state": Choice(model="updated", network=replace(COURSE, video_state_channels=0)),
}
# What a choice is compared with; all others: RECIPE.
AGAINST = {"updated, h_video as wide as the state": UPDATED, REPEATED: FIVE}
SEEDS = {name: (0, 1, 2, 3) if name == RECIPE else (0, 1) for name in CHOICES}
OBJECTS, FRAMES = 60, 20


def train_choice(name: str, seed: int, minutes: float) -> dict[str, Any]:
    """Train one choice with one seed on one core; returns its row."""
    torch.set_num_threads(1)
    choice, dataset = CHOICES[name], Workspace.find().dataset
    config = replace(choice.training, seed=seed, minutes=minutes, iterations=UNLIMITED)
    torch.manual_seed(seed)
    model = build(choice.model, choice.network)
    judged = ClipDataset(dataset.valid_truth, choice.network.size, late_start=1.0, cache=False)
    val_clips = [judged[number, FRAMES] for number in range(OBJECTS)]
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(choice.average), use_buffers=True)
    after_step: Callable = (lambda log: averaged.update_parameters(model)) if choice.average else (lambda log: None)
    # Processor time is of this process alone, whatever else the machine is doing.
    log = fit(model, clips_for(model, dataset.train, config), config, after_step, time.process_time)
    if choice.average:
        model.load_state_dict(averaged.module.state_dict())
    row: dict[str, Any] = {"choice": name, "against": AGAINST.get(name, RECIPE), "seed": seed, "iterations": len(log)}
    row["loss"] = round(mean(step["loss"] for step in log[-30:]), 4)
    judge = Trainer(model, judged, replace(config, precision="float32"), Path("unwritten"), val_clips=val_clips)
    return row | {"J": round(judge.validate(), 4), "parameters": count_parameters(model)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--minutes", type=float, default=2.0, help="of processor time a training (default: %(default)s)")
    add("--out", type=Path, default=ROOT / "data/results/ablation.json", help="default: data/results/ablation.json")
    args = parser.parse_args()
    Workspace.find()  # draws the set where it is missing, once
    made = {"minutes_each": args.minutes, "objects": OBJECTS, "frames": FRAMES} | provenance()
    result = read_json(args.out) if args.out.exists() else {}
    rows = result["rows"] if result.get("provenance") == made else []  # goes on where it was stopped
    there = {(row["choice"], row["seed"]) for row in rows}
    todo = [(name, seed) for name, seeds in SEEDS.items() for seed in seeds if (name, seed) not in there]
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        for job in as_completed([pool.submit(train_choice, *one, args.minutes) for one in todo]):
            rows.append(job.result())
            print(rows[-1], flush=True)
            rows.sort(key=lambda row: (list(CHOICES).index(row["choice"]), row["seed"]))
            write_json(args.out, {"rows": rows, "provenance": made})


if __name__ == "__main__":
    main()
