"""`python -m vos data`: draw the synthetic set, get DAVIS-2017, or check a folder."""

import argparse
from pathlib import Path

from vos.datasets.download import NAME, URL, get_davis
from vos.files import VosError
from vos.files.atomic import writing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m vos data`, which has three actions."""
    actions = parser.add_subparsers(required=True, metavar="COMMAND", dest="action")

    def action(name: str, text: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")

    add = action("synthetic", "draw the synthetic set in YouTube-VOS layout").add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="folder to make")
    add("--train", type=int, default=300, metavar="N", help="training videos (default: %(default)s)")
    add("--valid", type=int, default=60, metavar="M", help="validation videos (default: %(default)s)")
    add("--seed", type=int, default=0, metavar="S", help="same seed, same videos (default: %(default)s)")

    add = action("davis", "download and unpack DAVIS-2017").add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="where DIR/DAVIS is made; 1.7 GB must be free")
    add("--url", default=URL, help="where the archive is (default: %(default)s)")
    add("--sha256", metavar="HEX", help="refuse an archive with another SHA-256 (printed in any case, to compare "
        "machines; the CRC of every file is always checked)")  # fmt: skip
    add("--keep", action="store_true", help=f"keep the archive, as DIR/{NAME}; one that is there is used, and kept")

    add = action("check", "say what a folder holds, and every problem found").add_argument
    add("folder", type=Path, metavar="DIR", help="YouTube-VOS or DAVIS folder")


def run(args: argparse.Namespace) -> None:
    """Do what was asked for."""
    {"synthetic": draw, "davis": download, "check": check}[args.action](args)


def draw(args: argparse.Namespace) -> None:
    """Draw the synthetic set."""
    from vos.synthetic.dataset import draw_dataset

    with writing(args.out):
        draw_dataset(args.out.absolute(), args.train, args.valid, args.seed)
    print(f"{args.out}: {args.train} training and {args.valid} validation videos")


def download(args: argparse.Namespace) -> None:
    """Fetch DAVIS-2017 and say what to type next."""
    target = get_davis(args.out, args.url, args.sha256, args.keep)
    print(f"next: python -m vos data check {target}  (reads every image), python -m vos report --data {target}")


def check(args: argparse.Namespace) -> None:
    """Print what a folder holds; VosError if it has problems."""
    from vos.datasets.check import check_folder

    lines, problems = check_folder(args.folder)
    print("\n".join(lines))
    for problem in problems:
        print(f"PROBLEM  {problem}")
    if problems:
        raise VosError(f"{args.folder}: {len(problems)} problem{'s' if len(problems) > 1 else ''}, named above")
    print("no problem found")
