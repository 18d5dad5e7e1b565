"""The command line: python -m vos {report,publish,data,train,segment,evaluate,submit}."""

import argparse
import os
import sys
from pathlib import Path

from vos.cli import train
from vos.datasets import download
from vos.files import VosError
from vos.files.atomic import writing
from vos.scoring import evaluate
from vos.submission import write

DESCRIPTION = """Sequence-to-sequence video object segmentation, with a video representation.

  python -m vos report                     train both models, score them, run the notebooks (about 20 minutes)
  python -m vos report --data DAVIS        the same on real video
  python -m vos segment --checkpoint data/checkpoints/base.pt --frames DIR --mask FIRST.png --out OUT
  python -m vos evaluate --truth DIR --prediction OUT
  python -m vos submit --checkpoint data/checkpoints/base.pt --data DIR --out FILE.zip
"""


def parser() -> argparse.ArgumentParser:
    """The parser with all subcommands; each sets `run`, a function of the parsed arguments."""
    top = argparse.ArgumentParser(
        prog="python -m vos", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run, text: str, parent=commands) -> argparse.ArgumentParser:
        added = parent.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        added.set_defaults(run=run)
        return added

    report = command("report", run_report, "train, score and draw everything, and print table 1")
    report.add_argument(
        "--data", type=Path, metavar="DIR", help="YouTube-VOS or DAVIS folder (default: the synthetic set)"
    )
    report.add_argument(
        "--out", type=Path, metavar="DIR", help="folder of the run (default: runs/report or runs/<DATA>)"
    )
    report.add_argument("--seed", type=int, default=0, help="seed of weights and clips (default: %(default)s)")
    report.add_argument("--reuse", action="store_true", help="keep the run's checkpoints and scores; notebooks only")

    publish = command("publish", run_publish, "copy a whole run into notebooks/, figures/, data/ and README.md")
    publish.add_argument(
        "--run-folder", type=Path, default=Path("runs/report"), metavar="DIR", help="default: %(default)s"
    )

    data = commands.add_parser("data", help="draw the synthetic set, get DAVIS-2017, or check a folder").add_subparsers(
        required=True, metavar="COMMAND"
    )
    synthetic = command("synthetic", run_synthetic, "draw the synthetic set in YouTube-VOS layout", data)
    synthetic.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to make")
    synthetic.add_argument("--train", type=int, default=300, metavar="N", help="training videos (default: %(default)s)")
    synthetic.add_argument(
        "--valid", type=int, default=60, metavar="M", help="validation videos (default: %(default)s)"
    )
    synthetic.add_argument(
        "--seed", type=int, default=0, metavar="S", help="same seed, same videos (default: %(default)s)"
    )
    davis = command("davis", download.run, "download and unpack DAVIS-2017, or go on where that stopped", data)
    download.add_arguments(davis)
    check = command("check", run_check, "say what a folder holds, and every problem found", data)
    check.add_argument("folder", type=Path, metavar="DIR", help="YouTube-VOS or DAVIS folder")

    train_command.add_arguments(command("train", train_command.run, "train one model; writes RUN/last.pt and more"))

    segment = command("segment", run_segment, "segment one video from the mask of its first frame")
    segment.add_argument("--checkpoint", type=Path, required=True, metavar="CKPT", help="e.g. data/checkpoints/base.pt")
    segment.add_argument("--frames", type=Path, required=True, metavar="DIR", help="folder of JPEG or PNG frames")
    segment.add_argument("--mask", type=Path, required=True, metavar="FIRST.png", help="id map of the first frame")
    segment.add_argument("--out", type=Path, required=True, metavar="DIR", help="indexed PNGs and overlay.gif go here")
    segment.add_argument(
        "--precision", choices=("float32", "bfloat16"), default="float32", help="bfloat16 is faster on new processors"
    )

    evaluate = command("evaluate", evaluation.run, "score predicted masks: J and F, by protocol")
    evaluation.add_arguments(evaluate)

    submit = command("submit", submission.run, "write a leader-board submission, or check one, fault by fault")
    submission.add_arguments(submit)
    return top


def run_report(args: argparse.Namespace) -> None:
    """Train, score and draw everything."""
    from vos.course.report import make_report

    fast = os.environ.get("VOS_FAST", "0") not in ("", "0")
    make_report(args.data, args.out, args.seed, args.reuse, fast)


def run_publish(args: argparse.Namespace) -> None:
    """Copy a whole run into the tracked folders."""
    from vos.course.publish import publish

    publish(args.run_folder)


def run_synthetic(args: argparse.Namespace) -> None:
    """Draw the synthetic set."""
    from vos.synthetic.dataset import draw_dataset

    with writing(args.out):
        draw_dataset(args.out.absolute(), args.train, args.valid, args.seed, progress=sys.stderr.isatty())
    print(f"{args.out}: {args.train} training and {args.valid} validation videos")


def run_check(args: argparse.Namespace) -> None:
    """Print what a folder holds; VosError if it has problems."""
    from vos.datasets.check import check_folder

    lines, problems = check_folder(args.folder)
    print("\n".join(lines))
    for problem in problems:
        print(f"PROBLEM  {problem}")
    if problems:
        raise VosError(f"{args.folder}: {len(problems)} problem{'s' if len(problems) > 1 else ''}, named above")
    print("no problem found")


def run_segment(args: argparse.Namespace) -> None:
    """Segment one video into a folder."""
    from vos.cli.segment import segment_folder

    count = segment_folder(args.checkpoint, args.frames, args.mask, args.out, args.precision)
    print(f"{args.out}: {count} masks and overlay.gif")


def print_line(text: str) -> None:
    """One line on stderr, also where a file's name has a line break in it."""
    print(text.replace("\r", "\\r").replace("\n", "\\n"), file=sys.stderr)


def main(words: list[str] | None = None) -> int:
    """Run one command; the exit code: 0, 2 for bad input, 130 for Ctrl-C."""
    args = parser().parse_args(words)
    try:
        args.run(args)
    except VosError as error:
        print_line(f"vos: {error}")
        return 2
    except OSError as error:  # the last resort: what reads or writes a file says so itself
        advice = "change its permissions or name another"
        print_line(f"vos: {error.filename or args.run.__name__}: {error.strerror or error}; {advice}")
        return 2
    except KeyboardInterrupt as stop:
        print(f"vos: stopped{f'; {stop}' if str(stop) else ''}", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may hold what the terminal's encoding has not
    sys.exit(main())
