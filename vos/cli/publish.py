"""`python -m vos publish`: a run becomes what the repository shows."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m vos publish`."""
    default = Path("runs/report")
    parser.add_argument("--run-folder", type=Path, default=default, metavar="DIR", help="default: %(default)s")


def run(args: argparse.Namespace) -> None:
    """Copy a whole run into the tracked folders."""
    from vos.course.publish import publish

    publish(args.run_folder)
