"""Real video: train models at the preset "real", and measure them on sequences that they never saw.

    torchrun --standalone --nproc-per-node=2 experiments/real.py train attention --minutes 60 --out runs/real/attention
    python experiments/real.py score runs/real/attention ... --save
    python experiments/real.py export runs/real/attention

Trained on: 24 of the 30 training sequences of DAVIS-2016, photographs with masks that are warped into clips, a few
more short videos, and the synthetic set. Held out: every fifth DAVIS sequence (six of them). The folder of the data,
--data, holds DAVIS/, STILLS/ and VIDEOS/; none of it is part of the project.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vos.clips import ClipDataset, MixedClips
from vos.config import AugmentConfig, InferenceConfig, TrainConfig
from vos.course.workspace import ROOT, provenance
from vos.data import Video, VideoObject, Videos, VOSDataset, only_first_masks
from vos.engine.checkpoints import LAST, export_checkpoint, load_checkpoint
from vos.engine.distributed import init_distributed
from vos.engine.log import TrainingBar
from vos.engine.pretrained import load_imagenet_weights
from vos.engine.trainer import Trainer
from vos.files import read_json, write_json
from vos.files.progress import tracked
from vos.inference import copy_first, segment
from vos.masks import object_ids, read_mask
from vos.metrics import region_similarity
from vos.networks import build, count_parameters
from vos.training import VIDEO

STILL = AugmentConfig(turn=15, zoom=1.3, shift=30, light=0.3, permute=0.1, drift=9, wobble=3, bend=25, paste=0.6)
JUDGES = ("dogs-jump",)  # of DAVIS-2017's validation videos: it never trains
SHARES = (0.45, 0.1, 0.4, 0.05)  # of the clips: DAVIS, further videos, photographs, the synthetic set
DRAWS = 10_000  # of sequences, for an interval


def stills(root: Path, length: int = 8) -> Videos:
    """Photographs as videos of one frame, repeated."""
    videos, every = [], tuple(range(length))
    for mask in sorted((root / "Annotations").glob("*/*.png")):
        frame = root / "JPEGImages" / mask.parent.name / f"{mask.stem}.jpg"
        objects = tuple(VideoObject(number, None, 0, every) for number in object_ids(read_mask(mask)))
        videos.append(Video(f"{mask.parent.name}/{mask.stem}", (frame,) * length, (mask,) * length, objects))
    return Videos(videos)


def davis_split(root: Path) -> tuple[Videos, Videos]:
    """(24 sequences to train on, 6 held out): every fifth of the sorted list."""
    videos = VOSDataset(root / "DAVIS").train
    held_out = videos[4::5]
    return Videos(v for v in videos if v not in held_out), Videos(held_out)


def mixed_clips(
    root: Path, size: tuple[int, int], config: TrainConfig, shares: tuple[float, ...] = SHARES
) -> MixedClips:
    """DAVIS, further videos, photographs, the synthetic set."""
    moving = config.augment
    others = Videos(v for v in VOSDataset(root / "VIDEOS").train if v.name not in JUDGES)
    drawn = VOSDataset(ROOT / "data/synthetic").train
    sets = (
        (davis_split(root)[0], config.strides, moving),
        (others, (1, 2, 3), moving),
        (stills(root / "STILLS"), (1,), STILL),
        (drawn, (1, 2), replace(moving, paste=0.0)),
    )
    made = [ClipDataset(videos, size, strides, augment, config.seed, cache=True) for videos, strides, augment in sets]
    return MixedClips(made, shares, config.seed)


def train(args: argparse.Namespace) -> None:
    """Train a model, or go on with its training."""
    config = replace(VIDEO, minutes=args.minutes, iterations=args.iterations, seed=args.seed, checkpoint_every=50)
    with init_distributed() as dist:
        torch.manual_seed(args.seed)
        if args.start:
            model, _ = load_checkpoint(args.start)
        else:
            model = build(args.model, "real")
            load_imagenet_weights(model)
        clips = mixed_clips(args.data, model.config.size, config)
        args.out.mkdir(parents=True, exist_ok=True)
        with TrainingBar(args.model, config.iterations, shown=dist.is_main) as bar:
            clock = time.process_time if args.cpu_minutes else time.perf_counter
            Trainer(model, clips, config, args.out, dist=dist, on_step=bar, clock=clock).fit(resume=True)


def mean_J(predictions, video: Video) -> float:
    """Mean J over the frames of a video but the first and the last, at native size, and over its objects."""
    values: dict[int, list[float]] = {item.id: [] for item in video.objects}
    for index, ids in enumerate(predictions):
        if 0 < index < len(video) - 1:
            truth = video.mask(index)
            for number, found in values.items():
                found.append(region_similarity(ids == number, truth == number))
    return float(np.mean([np.mean(found) for found in values.values()]))


def scores_of(predict: Callable[[Video], Iterable[np.ndarray]], videos: Iterable[Video]) -> dict:
    """{"J", "interval", "sequences"} of what a method predicts for some videos."""
    J = {video.name: mean_J(predict(only_first_masks(video)), video) for video in videos}
    return {"J": float(np.mean(list(J.values()))), "interval": interval(list(J.values())), "sequences": J}


def keep_rows(
    path: Path, rows: Sequence[dict], order: Callable[[dict], Any], same: tuple[str, ...] = ("name",), **facts: Any
) -> None:
    """Put rows into a table of data/results, in place of those with the same `same`; facts: what else it says."""
    old = read_json(path)["rows"] if path.is_file() else []
    new = [[row[key] for key in same] for row in rows]
    kept = [row for row in old if [row[key] for key in same] not in new]
    write_json(path, facts | {"rows": sorted([*kept, *rows], key=order), "provenance": provenance()})


def score(args: argparse.Namespace) -> None:
    """Score copy-first and the models on the held-out sequences; prints and, with --save, writes the table."""
    _, held_out = davis_split(args.data)
    rows = []
    for run in (None, *args.runs):
        row, predict = {"name": "copy-first"}, copy_first
        if run:
            path = run / LAST if run.is_dir() else run
            model, facts = load_checkpoint(path)
            config = InferenceConfig(mirror=args.mirror, online_steps=args.online_steps)
            row = {"name": name_of_row(facts, args), "iterations": facts["iterations"], "minutes": facts["minutes"]}
            row |= {"parameters": count_parameters(model), "seed": facts["train_config"]["seed"]}
            row |= {"size": list(model.config.size), "inference": asdict(config)}
            predict = lambda video, model=model, config=config: segment(model, video, config)  # noqa: E731
        started = time.perf_counter()
        row |= scores_of(predict, tracked(held_out, row["name"], len(held_out)))
        row["frames_per_second"] = sum(map(len, held_out)) / (time.perf_counter() - started)
        rows.append(row)
        print_row(row)
    if args.save:
        keep_rows(ROOT / "data/results/real.json", rows, order=lambda row: row["J"])


def print_row(row: dict) -> None:
    """A row's J, and that of each sequence."""
    each = "  ".join(f"{name} {J:.3f}" for name, J in row["sequences"].items())
    print(f"{row['name']:<40} J {row['J']:.3f}  {each}", flush=True)


def name_of_row(facts: dict, args: argparse.Namespace) -> str:
    """What a row is called: model, minutes of training, and what is done at inference."""
    words = [f"{facts['kind']}, {facts['minutes']:.0f} min", *([args.note] if args.note else [])]
    words += ["mirror"] if args.mirror and not args.online_steps else []
    words += [f"{args.online_steps} online steps"] if args.online_steps else []
    return ", ".join(words)


def interval(values: list[float]) -> list[float]:
    """The middle 95 % of the mean when sequences are drawn again (bootstrap)."""
    rng = np.random.default_rng(0)
    means = rng.choice(values, (DRAWS, len(values))).mean(axis=1)
    return [float(x) for x in np.quantile(means, (0.025, 0.975))]


def export(args: argparse.Namespace) -> None:
    """Write the weights in half precision as data/checkpoints/real.pt."""
    model, metadata = load_checkpoint(args.runs[0] / LAST)
    saw = "DAVIS-2016 train (24 sequences; CC BY-NC 4.0), STILLS and VIDEOS as data/README.md lists them; ImageNet"
    export_checkpoint(model, metadata | {"origin": saw}, ROOT / "data/checkpoints/real.pt")


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("train", "score", "export"):
        command = commands.add_parser(name)
        command.add_argument("--data", type=Path, default=ROOT.parent / "shared/data")
        if name == "train":
            command.add_argument("model", choices=("base", "updated", "attention"))
            command.add_argument("--minutes", type=float, default=VIDEO.minutes)
            command.add_argument(
                "--cpu-minutes", action="store_true", help="count minutes of computing, beside other work"
            )
            command.add_argument("--iterations", type=int, default=VIDEO.iterations)
            command.add_argument(
                "--start", type=Path, metavar="CKPT", help="start from these weights, not from ImageNet"
            )
            command.add_argument("--seed", type=int, default=0)
            command.add_argument("--out", type=Path, required=True)
        else:
            command.add_argument("runs", type=Path, nargs="+" if name == "score" else 1)
            command.add_argument("--mirror", action="store_true")
            command.add_argument("--online-steps", type=int, default=0)
            command.add_argument("--note", help="what else a row's name is to say of the training")
            command.add_argument("--save", action="store_true")
    args = parser.parse_args()
    {"train": train, "score": score, "export": export}[args.command](args)


if __name__ == "__main__":
    sys.exit(main())
