"""What of the preset "real" is it that helps? The model trained with one part of the recipe left out at a time.

    python experiments/real_ablation.py "whole recipe" "no attention" --out runs/real/ablation
    python experiments/real_ablation.py --out runs/real/ablation          # every row that is not there yet

Each row is the same number of steps, one thread, from the same seed, on small pictures; a row that was stopped goes on
where it was. J is measured as experiments/real.py measures it, on the six sequences that it holds out.
"""

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from real import SHARES, davis_split, keep_rows, mixed_clips, print_row, scores_of

from vos.clips import ClipDataset
from vos.config import PRESETS, ModelConfig, TrainConfig
from vos.course.workspace import ROOT
from vos.engine.checkpoints import LAST, load_checkpoint
from vos.engine.pretrained import load_imagenet_weights
from vos.engine.trainer import Trainer
from vos.inference import segment
from vos.networks import build, count_parameters
from vos.training import VIDEO

SIZE = (128, 224)
STEPS = 200
CALIBRATION = 24  # clips
MODEL = replace(PRESETS["real"], size=SIZE)
TRAINING = replace(VIDEO, minutes=None, iterations=STEPS, sizes=(), warm_up=20, checkpoint_every=50, workers=0)
RESULT = ROOT / "data/results/real_ablation.json"


@dataclass(frozen=True)
class Row:
    """A training: what differs from the whole recipe."""

    model: str = "attention"
    config: ModelConfig = MODEL
    training: TrainConfig = TRAINING
    shares: tuple[float, ...] = SHARES
    imagenet: bool = True


ROWS = {
    "whole recipe": Row(),
    "no attention (base)": Row("base"),
    "h_video in its place (updated)": Row("updated"),
    "no ImageNet weights": Row(config=replace(MODEL, frozen_norm=False), imagenet=False),
    "no skips": Row(config=replace(MODEL, skips=False)),
    "no soft IoU": Row(training=replace(TRAINING, soft_iou=0.0)),
    "no photographs": Row(shares=(SHARES[0] + SHARES[2], SHARES[1], 0.0, SHARES[3])),
    "nothing pasted": Row(training=replace(TRAINING, augment=replace(TRAINING.augment, paste=0.0))),
}


def train(row: Row, data: Path, out: Path) -> None:
    """Train a row's model into `out`, or go on with it."""
    torch.manual_seed(row.training.seed)
    model = build(row.model, row.config)
    if row.imagenet:
        load_imagenet_weights(model)
    clips = mixed_clips(data, row.config.size, row.training, row.shares)
    out.mkdir(parents=True, exist_ok=True)
    Trainer(model, clips, row.training, out).fit(resume=True)


@torch.no_grad()
def settle_statistics(model: torch.nn.Module, data: Path) -> None:
    """BatchNorm's statistics anew, from clips of the training videos: EfficientNet's own momentum, 0.01, is made for
    hundreds of thousands of steps, and after a few hundred they still are near what they started from."""
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None  # the mean of all batches
    model.train()
    clips = ClipDataset(davis_split(data)[0], SIZE, cache=False)
    for number in range(0, len(clips), max(1, len(clips) // CALIBRATION)):
        clip = clips[number, 6]
        model(clip.frames[None], clip.masks[None, 0])
    model.eval()


def score(name: str, data: Path, out: Path) -> dict:
    """J of a row's model on the sequences that are held out."""
    model, facts = load_checkpoint(out / LAST)
    if not ROWS[name].config.frozen_norm:
        settle_statistics(model, data)
    found = scores_of(lambda video: segment(model, video), davis_split(data)[1])
    known = {"steps": facts["iterations"], "minutes": facts["minutes"], "parameters": count_parameters(model)}
    return {"name": name, **found, **known, "seed": ROWS[name].training.seed}


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of: {', '.join(ROWS)}")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--out", type=Path, default=ROOT / "runs/real/ablation")
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name in args.rows or ROWS:
        if name not in ROWS:
            parser.error(f"{name}: no such row; they are: {', '.join(ROWS)}")
        out = args.out / name.replace(" ", "_")
        train(ROWS[name], args.data, out)
        row = score(name, args.data, out)
        print_row(row)
        keep_rows(RESULT, [row], lambda row: list(ROWS).index(row["name"]), size=SIZE, steps=STEPS)


if __name__ == "__main__":
    sys.exit(main())
