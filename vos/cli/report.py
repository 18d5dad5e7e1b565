"""`python -m vos report`: from nothing to table 1."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m vos report`."""
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", help="YouTube-VOS or DAVIS folder (default: the synthetic set)")
    add("--out", type=Path, metavar="DIR", help="folder of the run (default: runs/report or runs/<DATA>)")
    add("--seed", type=int, default=0, help="seed of weights and clips (default: %(default)s)")
    add("--reuse", action="store_true", help="keep the run's checkpoints and scores; notebooks only")


def run(args: argparse.Namespace) -> None:
    """Train, score and draw everything."""
    from vos.course.report import make_report

    make_report(args.data, args.out, args.seed, args.reuse)
