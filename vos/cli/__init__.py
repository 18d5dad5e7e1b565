"""The command line: python -m vos {report,data,train,segment,evaluate,submit,course}, one file a command.

Every command has `add_arguments(parser)` and `run(args)`, and may have BOUNDS: the lowest and highest value of its
numbers. What takes long to import, as torch does, is imported in `run`, so that `--help` is quick.
"""

import argparse
import os
import sys
from io import TextIOWrapper

from vos.cli import course, data, evaluate, report, segment, submit, train
from vos.files import VosError

DESCRIPTION = """Sequence-to-sequence video object segmentation, with a video representation.

  python -m vos report                     train both models, score them, run the notebooks (about 20 minutes)
  python -m vos report --data DAVIS        the same on real video
  python -m vos segment --frames DIR --mask FIRST.png --out OUT
  python -m vos evaluate --truth DIR --prediction OUT
  python -m vos submit --checkpoint data/checkpoints/base.pt --data DIR --out FILE.zip
"""

COMMANDS = {
    "report": (report, "train, score and draw everything, and print table 1"),
    "data": (data, "draw the synthetic set, get DAVIS-2017, or check a folder"),
    "train": (train, "train one model; writes RUN/last.pt and more"),
    "segment": (segment, "segment one video from the mask of its first frame"),
    "evaluate": (evaluate, "score predicted masks: J and F, by protocol"),
    "submit": (submit, "write a leader-board submission, or check one, fault by fault"),
    "course": (course, "for teachers: notebooks to hand out, and marks for what comes back"),
}


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; what it parses has the `command`, its `run` and its `bounds`."""
    top = argparse.ArgumentParser(
        prog="python -m vos", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for name, (module, text) in COMMANDS.items():
        added = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        added.set_defaults(run=module.run, bounds=getattr(module, "BOUNDS", {}))
        module.add_arguments(added)
    return top


def check_bounds(args: argparse.Namespace) -> None:
    """VosError where an option is given and is not within its bounds, (lowest, highest) by its name in `args`."""
    for name, (lowest, highest) in args.bounds.items():
        value = getattr(args, name)
        if value is not None and not lowest <= value <= highest:  # NaN is within no bounds
            raise VosError(f"--{name.replace('_', '-')}: is {value}; give a number from {lowest:g} to {highest:g}")


def main(words: list[str] | None = None) -> int:
    """Run one command; words: None takes those of the process.

    The exit code: 0; 2 for bad input; 130 for Ctrl-C; 141 where whoever reads our output has had enough, as `head`.
    """
    if isinstance(sys.stdout, TextIOWrapper):  # a file's name may hold what the terminal's encoding has not
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        try:
            return run_command(parser().parse_args(words))
        finally:  # also after --help, which leaves by a SystemExit
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains when it ends
        return 141


def run_command(args: argparse.Namespace) -> int:
    """Do what was parsed and return the exit code; an error is one line on stderr."""
    try:
        check_bounds(args)
        args.run(args)
        return 0
    except VosError as error:
        text, code = str(error), 2
    except BrokenPipeError:
        raise
    except OSError as error:  # the last resort: what reads or writes a file says so itself
        advice = "change its permissions or name another"
        text, code = f"{error.filename or args.command}: {error.strerror or error}; {advice}", 2
    except KeyboardInterrupt as stop:
        text, code = "; ".join(["stopped", *map(str, stop.args)]), 130
    one_line = text.replace("\r", "\\r").replace("\n", "\\n")  # a file's name may have a line break in it
    print(f"vos: {one_line}", file=sys.stderr)
    return code
