"""`python -m vos report`: from nothing to table 1."""

import argparse
from pathlib import Path

from vos.files import VosError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m vos report`."""
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", help="YouTube-VOS or DAVIS folder (default: the synthetic set)")
    add("--out", type=Path, metavar="DIR", help="folder of the run (default: runs/report or runs/<DATA>)")
    add("--seed", type=int, default=0, help="seed of weights and clips (default: %(default)s)")
    add("--steps", type=int, metavar="N", help="of each training, in place of the recipe's minutes")
    add("--reuse", action="store_true", help="keep the run's checkpoints and scores; notebooks only")


def run(args: argparse.Namespace) -> None:
    """Train, score and draw everything."""
    from vos.course.report import make_report

    if args.steps is not None and args.steps < 1:
        raise VosError(f"--steps: is {args.steps}, and must be at least 1")
    make_report(args.data, args.out, args.seed, args.reuse, args.steps)
