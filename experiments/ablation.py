"""What does each departure from the report and the paper gain? Both models' choices, on the synthetic set.

    python experiments/choices.py [--minutes M]    (over an hour on two cores; writes
    data/results/choices.json as it goes, and goes on where it was stopped)

Every choice is undone by itself: the course's recipe but for that one thing, trained from random weights on one core
for the same minutes of processor time and judged by one number, the mean J over clips of 20 frames of 60 objects of
the validation set (the model's size, masks at one half). Two seeds each; four of the recipe itself, whose spread says
which differences mean something. The minutes are few, an eighth of a report's: what pays off late is judged too early.
"""

import argparse
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from vos.config import NO_AUGMENTATION
from vos.clips import ClipDataset
from vos.files import read_json, write_json
from vos.networks import build, count_parameters
from vos.config import PRESETS, ModelConfig
from vos.config import SYNTHETIC, REAL, Recipe
from vos.engine.trainer import Trainer
from vos.course.workspace import ROOT, Workspace, provenance

COURSE = PRESETS["course"]
UNLIMITED = 100_000  # iterations: minutes end a training


@dataclass(frozen=True)
class Choice:
    """A network and how it is trained.

    constant: no cosine, the learning rate stays at its peak. average: judge the exponential moving average of the
    weights with this decay, not the last weights.
    """

    network: ModelConfig = COURSE
    recipe: Recipe = SYNTHETIC
    model: str = "base"
    constant: bool = False
    average: float = 0.0


def network(**changes: object) -> Choice:
    """The course's choice with another network."""
    return Choice(network=replace(COURSE, **changes))


def training(**changes: object) -> Recipe:
    """The course's recipe with other training settings."""
    return replace(SYNTHETIC, training=replace(SYNTHETIC.training, **changes))


THE_REPORTS = training(stages=((0.0, 5, 8),), learning_rate=1e-4, muon=0.0, weight_decay=0.0, warm_up=0)
RECIPE = "the course's recipe"
UPDATED = "the updated model, same recipe"
FIVE = "decoder 5x5"
REPEATED = "repeated border, against zeros, both 5x5"
CHOICES = {
    RECIPE: Choice(),
    "pixels, not patches of 2x2": network(patch=1, stages=((16, 32), (64, 64)), decoder=(48, 16)),
    "state of 8x14 cells": network(stages=((48, 64), (96, 128)), context=(128, 128), state=128, decoder=(96, 48)),
    "ConvLSTM's input half 3x3": network(input_kernel=3),
    FIVE: network(decoder_kernel=5),
    REPEATED: network(decoder_kernel=5, decoder_border="replicate"),
    "no BatchNorm": network(batch_norm=False),
    "mask painted on weakly": network(mask_weight=1.0),
    "state activation ReLU": network(state_activation="relu"),
    "forget bias 0": network(forget_bias=0.0),
    "the report's training": Choice(
        recipe=replace(THE_REPORTS, augmentation=NO_AUGMENTATION, late_start=0.0), constant=True
    ),
    "AdamW for all weights": Choice(recipe=training(muon=0.0)),
    "constant learning rate": Choice(constant=True),
    "no warm-up": Choice(recipe=training(warm_up=0)),
    "no gradient clipping": Choice(recipe=training(max_grad_norm=1e9)),
    "moving average of weights, 0.99": Choice(average=0.99),
    "clips of 5 only": Choice(recipe=training(stages=((0.0, 5, 8),))),
    "clips of 5 to 11, no pairs": Choice(recipe=training(stages=((0.0, 5, 8), (0.33, 8, 5), (0.67, 11, 4)))),
    "no clips of 20": Choice(recipe=training(stages=SYNTHETIC.training.stages[:-1])),
    "no late starts": Choice(recipe=replace(SYNTHETIC, late_start=0.0)),
    "no mirror images": Choice(recipe=replace(SYNTHETIC, augmentation=NO_AUGMENTATION)),
    "real video's augmentation": Choice(recipe=replace(SYNTHETIC, augmentation=REAL.augmentation)),
    "every frame moved by a pixel": Choice(
        recipe=replace(SYNTHETIC, augmentation=replace(SYNTHETIC.augmentation, wobble=1.0))
    ),
    UPDATED: Choice(model="video"),
    "updated, h_video as wide as the state": Choice(model="video", network=replace(COURSE, video_state=0)),
}
# What a choice is compared with; all others: RECIPE.
AGAINST = {"updated, h_video as wide as the state": UPDATED, REPEATED: FIVE}
SEEDS = {name: (0, 1, 2, 3) if name == RECIPE else (0, 1) for name in CHOICES}
OBJECTS, FRAMES = 60, 20


def train_choice(name: str, seed: int, minutes: float) -> dict[str, str | int | float]:
    """Train one choice with one seed on one core; returns its row."""
    torch.set_num_threads(1)
    choice, place = CHOICES[name], Workspace.find()
    config = replace(choice.recipe.training, seed=seed, minutes=minutes, iterations=UNLIMITED)
    torch.manual_seed(seed)
    model = build(choice.model, choice.network)
    size = choice.network.size
    clips = ClipDataset(
        place.videos("train").videos, size, choice.recipe.strides, choice.recipe.augmentation, seed,
        choice.recipe.late_start,
    )  # fmt: skip
    judged = ClipDataset(place.videos("valid_truth").videos, size, late_start=1.0, keep=False)
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(choice.average), use_buffers=True)
    held_out = [judged[(number, FRAMES)] for number in range(OBJECTS)]
    under_way = Trainer(model, clips, config, Path("unwritten"), held_out=held_out)
    batches = under_way.loader()
    model.train()
    began = time.process_time()  # of this process alone, whatever else the machine is doing
    while (done := under_way.done()) < 1:
        under_way.batches.done = done
        under_way.step(under_way.next_batch(batches), 0.0 if choice.constant else done)
        if choice.average:
            averaged.update_parameters(model)
        under_way.seconds = time.process_time() - began
    if choice.average:
        model.load_state_dict(averaged.module.state_dict())
    row = {"choice": name, "against": AGAINST.get(name, RECIPE), "seed": seed, "iterations": under_way.iteration}
    loss = mean(step["loss"] for step in under_way.log[-30:])
    return row | {"loss": round(loss, 4), "J": round(under_way.validate(), 4), "parameters": count_parameters(model)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--minutes", type=float, default=2.0, help="of processor time a training (default: %(default)s)"
    )
    minutes = parser.parse_args().minutes
    Workspace.find()  # draws the set where it is missing, once
    path = ROOT / "data/results/choices.json"
    made = {"minutes_each": minutes, "objects": OBJECTS, "frames": FRAMES} | provenance()
    result = read_json(path) if path.exists() else {}
    rows = result["rows"] if result.get("provenance") == made else []  # goes on where it was stopped
    there = {(row["choice"], row["seed"]) for row in rows}
    todo = [(name, seed, minutes) for name, seeds in SEEDS.items() for seed in seeds if (name, seed) not in there]
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        for job in as_completed([pool.submit(train_choice, *one) for one in todo]):
            rows.append(job.result())
            print(rows[-1], flush=True)
            rows.sort(key=lambda row: (list(CHOICES).index(row["choice"]), row["seed"]))
            write_json(path, {"rows": rows, "provenance": made})


if __name__ == "__main__":
    main()
