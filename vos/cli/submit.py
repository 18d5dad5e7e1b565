"""`python -m vos submit`: write a leader-board submission, or check one."""

import argparse
from functools import partial
from pathlib import Path

from vos.files import VosError
from vos.files.outputs import check_output_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m vos submit`."""
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="YouTube-VOS or DAVIS folder")
    add("--split", choices=("valid", "test"), default="valid", help="whose videos (default: %(default)s)")
    add("--checkpoint", type=Path, metavar="CKPT", help="the model that segments, e.g. data/checkpoints/base.pt")
    add("--out", type=Path, metavar="FILE.zip", help="the submission to write, which is then checked")
    add("--check", type=Path, metavar="FILE.zip", help="check this submission and write nothing")


def run(args: argparse.Namespace) -> None:
    """Write a submission or take one, and check it: all that is wrong is printed, errors first.

    What is written stays even with errors, which end in a VosError.
    """
    from vos.data import VOSDataset
    from vos.engine.checkpoints import load_checkpoint
    from vos.engine.distributed import best_device
    from vos.inference import segment
    from vos.submission.check import check_submission
    from vos.submission.write import is_submission, write_submission

    if (args.checkpoint is None) != (args.out is None) or (args.check is None) == (args.out is None):
        raise VosError("submit: give --checkpoint and --out to write a submission, or --check alone to check one")
    videos = VOSDataset(args.data).split(args.split)
    if args.out:
        check_output_file(args.out, is_submission)  # before the model is loaded
        model, _ = load_checkpoint(args.checkpoint)
        count = write_submission(args.out, videos, partial(segment, model.to(best_device())))
        print(f"{args.out}: {count} masks of {len(videos)} video{'s' * (len(videos) > 1)}", flush=True)
    path = args.check or args.out
    findings = check_submission(path, videos)
    for finding in findings:
        print(f"{finding.severity.upper():7}  {finding}")
    errors = sum(finding.severity == "error" for finding in findings)
    if errors:
        raise VosError(f"{path}: {errors} error{'s' if errors > 1 else ''}, named above")
    print(f"{len(findings)} to look at, no error" if findings else "no problem found")
