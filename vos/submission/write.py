"""Leader-board submissions in YouTube-VOS layout: written in one pass, checked before they are uploaded.

FILE.zip  Annotations/<video>/<frame>.png   indexed PNGs at native size, for the frames that are asked for
"""

import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from vos.data import Video
from vos.files import VosError
from vos.files.atomic import written_whole
from vos.files.outputs import check_output_file
from vos.files.progress import progress_bar
from vos.files.zips import UNREADABLE
from vos.masks import write_mask
from vos.submission.check import TOP
from vos.submission.mask_check import asked_frames

DATE = (1980, 1, 1, 0, 0, 0)  # of every mask, so that the same masks give the same bytes


def write_submission(
    out: Path, videos: Iterable[Video], predictor: Callable[[Video], Iterator[np.ndarray]], progress: bool = True
) -> int:
    """Run a predictor on each video and zip its id maps; returns how many were written.

    predictor: from a video to the id map (H, W) of each of its frames. One mask is in memory at a time. Only the
    frames that the objects of a video list are written. The same masks give the same bytes. Raises VosError where
    `out` cannot be written; then nothing is left, and an older `out` stays.
    """
    out, videos = Path(out), sorted(videos, key=lambda video: video.name)
    check_output_file(out, is_submission)
    with (
        progress_bar("segmenting", sum(map(len, videos)), "frame", shown=progress) as bar,
        written_whole(out) as whole,
        tempfile.TemporaryDirectory() as scratch,
        zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive,  # PNGs are deflated already
    ):
        for video in videos:
            asked = set(asked_frames(video))
            for index, (frame, ids) in enumerate(zip(video.frame_names, predictor(video), strict=True)):
                if index in asked:
                    add_mask(archive, f"{TOP}/{video.name}/{frame}.png", ids, Path(scratch) / "mask.png", out)
                bar.update()
        return len(archive.namelist())


def is_submission(path: Path) -> bool:
    """Is this a zip that write_submission wrote?"""
    try:
        with zipfile.ZipFile(path) as archive:
            return all(info.date_time == DATE and info.filename.startswith(f"{TOP}/") for info in archive.infolist())
    except UNREADABLE:
        return False


def add_mask(archive: zipfile.ZipFile, name: str, ids: np.ndarray, scratch: Path, out: Path) -> None:
    """Add the PNG of an id map (H, W), the same on any day and machine, by way of `scratch`. VosError names `out`."""
    info = zipfile.ZipInfo(name, DATE)
    info.create_system = 3  # Unix, on every system
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    try:
        write_mask(scratch, ids)
    except VosError as error:
        raise VosError(f"{out}: cannot be written, as {error}") from None
    archive.writestr(info, scratch.read_bytes())
