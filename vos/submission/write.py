"""Leader-board submissions in YouTube-VOS layout: written in one pass, checked before they are uploaded.

FILE.zip  Annotations/<video>/<frame>.png   indexed PNGs at native size, for the frames that are asked for
"""

import argparse
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from vos.data import Video, VOSDataset
from vos.files import VosError
from vos.files.atomic import written_whole
from vos.masks import write_mask
from vos.submission.check import ROOT, check_submission
from vos.submission.mask_check import asked_frames


def write_submission(
    out: Path, videos: Iterable[Video], method: Callable[[Video], Iterator[np.ndarray]], progress: bool = True
) -> int:
    """Run a method (vos.inference.Method) on each video and zip its id maps; returns how many were written.

    One mask is in memory at a time. Only the frames that the objects of a video list are written. The same masks
    give the same bytes. Raises VosError where `out` cannot be written; then nothing is left, and an older `out` stays.
    """
    out, videos = Path(out), sorted(videos, key=lambda video: video.name)
    if out.is_dir():
        raise VosError(f"{out}: is a folder; name the zip to write")
    count = 0
    hidden = None if progress else True  # None: shown on a terminal only
    bar = tqdm(desc="segmenting", total=sum(map(len, videos)), unit="frame", leave=False, disable=hidden)
    with bar, written_whole(out) as whole, tempfile.TemporaryDirectory() as scratch:
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:  # PNGs are deflated already
            for video in videos:
                asked = set(asked_frames(video))
                for index, (frame, ids) in enumerate(zip(video.frame_names, method(video), strict=True)):
                    if index in asked:
                        data = png_bytes(ids, Path(scratch) / "mask.png", out)
                        archive.writestr(member(f"{ROOT}/{video.name}/{frame}.png"), data)
                        count += 1
                    bar.update()
    return count


def png_bytes(ids: np.ndarray, scratch: Path, out: Path) -> bytes:
    """The PNG of an id map (H, W), as write_mask writes it to the file `scratch`. out: what an error names."""
    try:
        write_mask(scratch, ids)
    except VosError as error:
        raise VosError(f"{out}: cannot be written, as {error}") from None
    return scratch.read_bytes()


def member(name: str) -> zipfile.ZipInfo:
    """A file of the zip with nothing in it that depends on the day or the machine."""
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.create_system = 3  # Unix, on every system
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    return info


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m vos submit`."""
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="YouTube-VOS or DAVIS folder, of which valid is taken")
    add("--checkpoint", type=Path, metavar="CKPT", help="the model that segments, e.g. data/checkpoints/base.pt")
    add("--out", type=Path, metavar="FILE.zip", help="the submission to write, which is then checked")
    add("--check", type=Path, metavar="FILE.zip", help="check this submission and write nothing")


def run(args: argparse.Namespace) -> None:
    """`python -m vos submit`: write a submission or take one, and check it; what is written stays even with errors."""
    if (args.checkpoint is None) != (args.out is None) or (args.check is None) == (args.out is None):
        raise VosError("submit: give --checkpoint and --out to write a submission, or --check alone to check one")
    videos = VOSDataset(args.data, "valid")
    if args.out:
        from vos.engine.checkpoints import load_checkpoint
        from vos.engine.distributed import best_device
        from vos.inference import predictor_of

        model, _ = load_checkpoint(args.checkpoint)
        count = write_submission(args.out, videos, predictor_of(model.to(best_device())))
        print(f"{args.out}: {count} masks of {len(videos)} video{'s' * (len(videos) > 1)}", flush=True)
    report(args.check or args.out, videos)


def report(path: Path, videos: Iterable[Video]) -> None:
    """Print all that is wrong with a submission, errors first; VosError if there are errors."""
    findings = check_submission(path, videos)
    for finding in findings:
        print(f"{finding.severity.upper():7}  {finding}")
    errors = sum(finding.severity == "error" for finding in findings)
    if errors:
        raise VosError(f"{path}: {errors} error{'s' if errors > 1 else ''}, named above")
    print(f"{len(findings)} to look at, no error" if findings else "no problem found")
