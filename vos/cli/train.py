"""`python -m vos train`: one model, by the recipe of its preset and set, alone or under torchrun."""

import argparse
import os
import sys
from contextlib import ExitStack
from dataclasses import fields, replace
from pathlib import Path

from vos.config import PRECISIONS, PRESETS, TrainConfig
from vos.files import VosError
from vos.files.atomic import new_folder, writing
from vos.files.outputs import check_output_folder, mark_output_folder

DESCRIPTION = """Train one model. RUN/last.pt is the newest checkpoint, RUN/previous.pt the one before, RUN/best.pt
the one with the highest J on held-out clips (--hold-out), RUN/log.csv the loss of every iteration, RUN/loss.png a
picture of it and of J, drawn anew at every checkpoint.

Ctrl-C finishes the step, saves and ends with exit code 130; the same command with --resume goes on to the same bits
as a training that was never stopped.

Several processes, on one machine or more, share the clips of each step:

  torchrun --standalone --nproc-per-node=2 -m vos train --data DIR --out RUN
  torchrun --nnodes=2 --nproc-per-node=8 --rdzv-backend=c10d --rdzv-endpoint=HOST:29500 -m vos train ...
"""

BOUNDS = {  # of what the command line takes: lowest and highest
    "iterations": (1, 10**9),
    "minutes": (1e-3, 1e6),
    "seed": (0, 2**31 - 1),
    "checkpoint_every": (0, 10**9),
    "hold_out": (0, 10**6),
    "batch": (1, 10**6),
    "learning_rate": (1e-12, 1e30),
    "unannotated": (0, 1),
    "workers": (0, 1000),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m vos train`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = DESCRIPTION
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="YouTube-VOS or DAVIS folder")
    add("--model", choices=("base", "updated", "attention"), default="base", help="default: %(default)s")
    add("--preset", choices=tuple(PRESETS), default="course", help="default: %(default)s")
    add("--out", type=Path, required=True, metavar="RUN", help="folder of the run")
    add("--iterations", type=int, metavar="N", help="end after N iterations (default: the recipe's)")
    add("--minutes", type=float, metavar="M", help="end after M minutes, learning rate annealed")
    add("--seed", type=int, default=0, metavar="S", help="seed of weights and clips (default: %(default)s)")
    add("--from-scratch", action="store_true", help="report and real preset: without ImageNet weights")
    add("--resume", action="store_true", help="go on from RUN/last.pt, or start where there is none")
    add("--checkpoint-every", type=int, metavar="N", help="iterations between checkpoints (default: %(default)s)",
        default=500)  # fmt: skip
    add("--hold-out", type=int, default=20, metavar="N", help="keep every N-th training video to measure J on at each "
        "checkpoint, and RUN/best.pt by it; 0 keeps none (default: %(default)s)")  # fmt: skip
    add("--batch", type=int, metavar="B", help="clips in a batch, all processes together (default: the recipe's)")
    add("--learning-rate", type=float, metavar="R", help="its peak (default: the recipe's)")
    add("--unannotated", type=float, metavar="SHARE", help="in the last third of the training, the share of clips that "
        "take every frame, annotated or not (all_frames sets; Xu et al.)")  # fmt: skip
    add("--workers", type=int, default=0, metavar="N", help="processes that load clips (default: %(default)s)")
    add("--precision", choices=("auto", *PRECISIONS), default="auto", help="auto measures which is faster")
    add("--save-memory", action="store_true", help="report preset: compute activations again instead of keeping them")


def run(args: argparse.Namespace) -> None:
    """Train one model by the recipe of its preset and set."""
    import torch

    from vos.data import VOSDataset
    from vos.datasets.check import check_files
    from vos.engine.checkpoints import LAST, PREVIOUS
    from vos.engine.distributed import init_distributed
    from vos.engine.log import TrainingBar
    from vos.engine.pretrained import load_imagenet_weights
    from vos.engine.trainer import Trainer, clips_for, held_out_clips, split_videos
    from vos.figures.progress import progress_file
    from vos.networks import build, count_parameters

    if args.hold_out == 1:
        raise VosError("--hold-out: 1 keeps every video, and none is left to train on; give 0, or 2 and more")
    if args.save_memory and PRESETS[args.preset].batch_norm:
        raise VosError(f"--save-memory: --preset {args.preset} has BatchNorm, which it would change; leave it out")
    with init_distributed() as dist, ExitStack() as stack:
        check_output_folder(args.out, "train", [args.data], known=(LAST, PREVIOUS))
        if not args.resume and any((args.out / name).exists() for name in (LAST, PREVIOUS)):
            raise VosError(f"{args.out}: holds a training; --resume goes on with it, another --out begins a new one")
        videos = VOSDataset(args.data, all_frames=bool(args.unannotated)).train
        for note in check_files(videos, args.data) if dist.is_main else ():
            print(f"vos: {note}", file=sys.stderr)
        with writing(args.out):  # before a day of training, not after it
            stack.enter_context(new_folder(args.out))
        if not os.access(args.out, os.W_OK):
            raise VosError(f"{args.out}: cannot be written; name another place or change its permissions")
        config = config_of(args)
        torch.manual_seed(args.seed)
        model = build(args.model, args.preset)
        if args.preset in ("report", "real") and not args.from_scratch:
            load_imagenet_weights(model)
        if dist.is_main:
            processes = f" in {dist.world_size} processes" if dist.world_size > 1 else ""
            size = f"{count_parameters(model):,} parameters, {len(videos)} videos of {args.data}"
            print(f"{args.model} model, {size}{processes}", flush=True)
        seen, held_out = split_videos(videos, args.hold_out if len(videos) >= 2 * args.hold_out else 0)
        clips = clips_for(model, seen, config)
        val_clips = held_out_clips(model, held_out, config) if held_out else ()

        def on_checkpoint(log: list[dict]) -> None:
            mark_output_folder(args.out, "train")
            progress_file(args.out / "loss.png", args.model, log)

        with TrainingBar(args.model, config.iterations, shown=dist.is_main) as bar:
            try:
                shown = {"on_step": bar, "on_checkpoint": on_checkpoint}
                trainer = Trainer(model, clips, config, args.out, dist=dist, val_clips=val_clips, **shown)
            except ValueError as error:  # the processes cannot share a batch
                raise VosError(f"--batch: {error}; change it") from None
            log = trainer.fit(args.resume)
        if dist.is_main and log:
            print(f"{args.out / 'last.pt'}: {len(log)} iterations, loss {log[0]['loss']:.4f} -> {log[-1]['loss']:.4f}")


def config_of(args: argparse.Namespace) -> TrainConfig:
    """The recipe of the preset and the set, with what the command line asks to be different."""
    from vos.training import train_config

    config = train_config(args.preset, synthetic=(args.data / "synthetic.json").is_file())
    names = {field.name for field in fields(config)} - {"unannotated"}
    asked = {name: value for name, value in vars(args).items() if name in names and value is not None}
    if args.batch:
        asked["curriculum"] = tuple((begin, length, args.batch) for begin, length, _ in config.curriculum)
    if args.unannotated:
        asked["unannotated"] = (2 / 3, args.unannotated)
    try:
        return replace(config, **asked)
    except ValueError as error:  # begins with the option's name
        raise VosError(f"train: {error}") from None
