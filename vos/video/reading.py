"""Frames out of a video file, one by one, as a player shows them: turned, with square pixels, in their own times."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vos.files import VosError, first_line
from vos.video.geometry import UPRIGHT, Turn, shown_size, turn_of, turned
from vos.video.library import pyav

ADVICE = "copy it again if it was cut off, else give a video file such as MP4, MOV, MKV, WebM or AVI"
TEXT_AND_SOUND = ("tty", "bin", "xbin", "adf", "idf")  # formats that FFmpeg would draw any text file with
USUAL_RATE = 25.0  # where a file says nothing of its times
HD = 720  # lines: from here on a file that does not say so has the colours of BT.709
BT601, BT709 = 5, 1  # as swscale counts them
COLOR_SPACES = {1: BT709, 4: 4, 5: BT601, 6: BT601, 7: 7, 9: 9, 10: 9}  # FFmpeg's AVColorSpace -> swscale's


class VideoInfo(NamedTuple):
    """A video file at a glance.

    size: (H, W) in pixels as shown: turned as the file says, with square pixels. fps: frames a second, the mean
    where it varies. frames: their number, as the file says it, else an estimate. seconds: length.
    """

    size: tuple[int, int]
    fps: float
    frames: int
    seconds: float


class VideoWarning(UserWarning):
    """A file that ends before it should, or of which a part could not be read."""


class Source:
    """An open video file: its stream, and what its first frame says of how to show all of them."""

    def __init__(self, path: Path, container: Any) -> None:
        self.av, self.path, self.container = pyav(), path, container
        self.stream = video_stream(path, container)
        self.stream.thread_type = "AUTO"
        self.converter = self.av.video.reformatter.VideoReformatter()  # one for all: each keeps megabytes
        self.rate = float(self.stream.average_rate or self.stream.guessed_rate or 0) or USUAL_RATE
        self.faults = 0  # packets that could not be read or decoded
        self.frames: Iterator[Any] = self.decoded()
        first = next(self.frames, None)
        if first is None:
            raise VosError(f"{path}: holds no frame that can be decoded; {ADVICE}")
        self.frames = chain([first], self.frames)
        self.begin: int | None = first.pts
        self.turn: Turn = turn_of(display_matrix(first))
        self.stored = shown_size(first.height, first.width, self.stream.sample_aspect_ratio)

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) as shown."""
        return self.stored[::-1] if self.turn.transposed else self.stored

    @property
    def seconds(self) -> float:
        """Length of the stream, of the file where the stream does not say, or 0."""
        if self.stream.duration:
            return float(self.stream.duration * self.stream.time_base)
        return stated_seconds(self.stream.metadata) or (self.container.duration or 0) / self.av.time_base

    def decoded(self) -> Iterator[Any]:
        """The frames from here on in the order they are shown in; what is broken is counted and left out."""
        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets, None)
            except (self.av.error.FFmpegError, OSError):
                self.faults += 1  # a file that was cut off: what was read before it is still in the decoder
                packet = self.av.Packet()
            if packet is None:
                return
            last = packet.dts is None and not packet.size
            self.faults += bool(packet.is_corrupt)
            try:
                yield from self.stream.decode(None if last else packet)
            except (self.av.error.FFmpegError, OSError):
                self.faults += 1
            if last:
                return

    def seek(self, second: float) -> None:
        """Go to a key frame before that second; not all files have an index that is right about it."""
        self.container.seek((self.begin or 0) + int(second / self.stream.time_base), stream=self.stream)
        self.frames = self.decoded()

    def timed(self) -> Iterator[tuple[float, Any]]:
        """(seconds since the first frame, decoded frame), from the beginning or wherever `seek` led."""
        time = -1 / self.rate
        for frame in self.frames:
            known = frame.pts is not None and self.begin is not None
            time = float((frame.pts - self.begin) * self.stream.time_base) if known else time + 1 / self.rate
            yield time, frame

    def rgb(self, frame: Any, size: tuple[int, int]) -> np.ndarray:
        """A decoded frame as uint8 (H, W, 3) RGB, as shown; size: its (H, W) before it is turned."""
        space = COLOR_SPACES.get(int(frame.colorspace), BT709 if frame.height >= HD else BT601)
        smaller = size[0] < frame.height or size[1] < frame.width
        picture = self.converter.reformat(
            frame, size[1], size[0], "rgb24", src_colorspace=space, src_color_range=int(frame.color_range) or None,
            dst_color_range="JPEG", interpolation="AREA" if smaller else "BICUBIC",
        )  # fmt: skip
        return turned(picture.to_ndarray(), self.turn)


@contextmanager
def opened_video(path: Path) -> Iterator[Source]:
    """Open a video file. VosError where it is missing, empty, no video, or cannot be decoded at all."""
    av, path = pyav(), Path(path)
    if path.is_dir():
        raise VosError(f"{path}: is a folder; give a video file (a folder of frames goes to --frames)")
    if not path.is_file():
        raise VosError(f"{path}: no such file; {ADVICE}")
    try:
        if not path.stat().st_size:
            raise VosError(f"{path}: is empty (0 bytes); copy it again")
        titles = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}  # in any encoding
        with av.open(str(path.resolve()), **titles) as container:
            if container.format.name in TEXT_AND_SOUND:
                raise VosError(f"{path}: is not a video; {ADVICE}")
            yield Source(path, container)
    except (av.error.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or first_line(error)
        raise VosError(f"{path}: cannot be read as video ({reason}); {ADVICE}") from None


def video_stream(path: Path, container: Any) -> Any:
    """The stream to show. Covers and thumbnails are none; of several the file's default, else the largest."""
    attached = pyav().stream.Disposition.attached_pic
    streams = [s for s in container.streams.video if not s.disposition & attached]
    if not streams:
        found = ", ".join(sorted({s.type for s in container.streams})) or "nothing"
        raise VosError(f"{path}: holds no video (only {found}); {ADVICE}")
    readable = [s for s in streams if s.codec_context is not None]
    if not readable:
        raise VosError(f"{path}: its codec is not one that PyAV knows; convert it to H.264")
    best = container.streams.best("video")
    return next((s for s in readable if best is not None and s.index == best.index), readable[0])


def display_matrix(frame: Any) -> tuple[int, ...]:
    """The 3x3 matrix that a file wants its frames shown with, as 9 numbers; upright where it has none."""
    data = frame.side_data.get("DISPLAYMATRIX")
    return UPRIGHT if data is None else tuple(np.frombuffer(bytes(data), "=i4", 9).tolist())


def stated_seconds(metadata: dict[str, str]) -> float:
    """What Matroska says of a stream's length, as 00:00:01.500000000; 0 where it says nothing."""
    try:
        hours, minutes, seconds = metadata.get("DURATION", "").split(":")
        return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
    except ValueError:
        return 0.0


def video_info(path: Path) -> VideoInfo:
    """Size as shown, frame rate, number of frames and length of a video file. VosError as `opened_video`."""
    with opened_video(path) as source:
        seconds = source.seconds
        frames = source.stream.frames or max(round(seconds * source.rate), 1)
        return VideoInfo(source.size, source.rate, frames, seconds or frames / source.rate)


def read_video(
    path: Path, every: int = 1, start: float = 0.0, end: float | None = None, size: int | None = None
) -> Iterator[np.ndarray]:
    """Yield the frames of a video file, uint8 (H, W, 3) RGB, one at a time, however long it is.

    They are those of the file, none doubled or left out where its rate varies, as a player shows them: turned as a
    phone was held, with square pixels. every: each so many-th frame only. start, end: seconds from the first frame;
    frames shown from `start` on and before `end`. size: pixels that the shorter side has at most.

    Raises VosError where the file is missing, empty, no video, or has no frame between start and end. A file that
    breaks off is read as far as it goes, with a VideoWarning.
    """
    return (frame for _, frame in timed_frames(path, every, start, end, size))


def timed_frames(
    path: Path, every: int = 1, start: float = 0.0, end: float | None = None, size: int | None = None
) -> Iterator[tuple[float, np.ndarray]]:
    """As `read_video`, each frame with its time in seconds from the first frame of the file."""
    if every < 1 or start < 0 or (end is not None and end <= start) or (size is not None and size < 1):
        raise VosError(f"every {every}, start {start}, end {end}, size {size}: every and size from 1, 0 <= start < end")
    with opened_video(path) as source:
        target = with_shorter_side(source.stored, size)
        count, time = 0, 0.0
        for time, frame in from_second(source, start):
            if end is not None and time >= end - 1e-6:
                break
            if count % every == 0:
                yield time, source.rgb(frame, target)
            count += 1
        else:
            warn_of_end(source, time)
        if not count:
            raise VosError(f"{path}: has no frame from second {start:g} on; it is {source.seconds:.1f} s long")


def from_second(source: Source, start: float) -> Iterator[tuple[float, Any]]:
    """The frames from a second on, found from a key frame before it, else from the beginning."""
    if start and source.begin is not None:
        source.seek(start)
        sure = False  # that no frame from `start` on lies before those that are decoded
        for time, frame in source.timed():
            sure = sure or (bool(frame.key_frame) and time <= start)
            if time > start and not sure:
                break
            if sure and time >= start - 1e-6:
                yield time, frame
        if sure:
            return
        with opened_video(source.path) as fresh:
            yield from ((time, frame) for time, frame in fresh.timed() if time >= start - 1e-6)
    else:
        yield from ((time, frame) for time, frame in source.timed() if time >= start - 1e-6)


def with_shorter_side(size: tuple[int, int], shorter: int | None) -> tuple[int, int]:
    """(H, W) with a shorter side of at most so many pixels."""
    scale = min(1.0, shorter / min(size)) if shorter else 1.0
    return max(round(size[0] * scale), 1), max(round(size[1] * scale), 1)


def warn_of_end(source: Source, last: float) -> None:
    """Warn where a file was read to its end and something was missing; last: the second of its last frame."""
    missing = source.seconds - last > max(1.0, 3 / source.rate, 0.05 * source.seconds)
    alone = len(source.container.streams) == 1  # else the file may be as long as its sound
    if source.faults or (missing and (source.stream.duration or alone or stated_seconds(source.stream.metadata))):
        said = f" of {source.seconds:.1f}" if missing else ""
        words = (
            f"{source.path}: is damaged or cut off; read as far as it goes (the last frame is at {last:.1f}{said} s)"
        )
        warnings.warn(words, VideoWarning, stacklevel=3)
