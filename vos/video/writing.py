"""Pictures into a video that any browser plays: H.264, 8 bits, 4:2:0, BT.709, its index at the front."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from vos.files import VosError
from vos.files.atomic import written_whole
from vos.video.library import pyav
from vos.video.pictures import painted

TICKS = 90_000  # a second: every usual frame rate is a whole number of them
BT709, LIMITED = 1, 1  # FFmpeg's numbers of the colour space (also of primaries and transfer) and of the range
OPTIONS = {"preset": "veryfast", "crf": "20"}
Write = Callable[[np.ndarray, float], None]


def write_overlay(
    path: Path, frames: Iterable[np.ndarray], masks: Iterable[np.ndarray], fps: float | Iterable[float]
) -> None:
    """Write frames, uint8 (H, W, 3), with their id maps (H, W) painted over them as an H.264 video (.mp4).

    fps: frames a second, or the time of each frame in seconds (as `timed_frames` gives them), so that the video is as
    fast as the one it comes from. Where a side is odd, its last row or column is doubled. Whole or not at all;
    ValueError where frames differ in size, or are more or fewer than masks.
    """
    times = (number / fps for number in count()) if isinstance(fps, int | float) else fps
    with video_writer(path) as write:
        for (frame, ids), time in zip(zip(frames, masks, strict=True), times, strict=False):  # `count` has no end
            write(painted(frame, ids), time)


@contextmanager
def video_writer(path: Path) -> Iterator[Write]:
    """A function that takes pictures, uint8 (H, W, 3), and their times in seconds, and makes an MP4 of them.

    The file is there, and whole, when the block ends, by Ctrl-C as well; after another error, or without a picture,
    there is none.
    """
    av, stop = pyav(), None
    with written_whole(Path(path)) as temporary:
        try:
            with av.open(str(temporary), "w", format="mp4", options={"movflags": "+faststart"}) as container:
                encoder = Encoder(path, container)
                try:
                    yield encoder.write
                except KeyboardInterrupt as error:
                    if encoder.stream is None:
                        raise
                    stop = error
                encoder.finish()
        except av.error.FFmpegError as error:
            raise OSError(error.errno, error.strerror) from None  # which `written_whole` words
    if stop:
        raise stop


class Encoder:
    """One video stream of a container; it begins with the first picture, whose size it has."""

    def __init__(self, path: Path, container: Any) -> None:
        self.av, self.path, self.container = pyav(), path, container
        self.converter = self.av.video.reformatter.VideoReformatter()
        self.stream: Any = None
        self.size: tuple[int, ...] = ()
        self.ticks, self.shown = -1, TICKS // 25

    def write(self, picture: np.ndarray, time: float) -> None:
        """Encode a picture that is shown from this second on."""
        if self.stream is None:
            self.begin(picture, time)
        if picture.shape != self.size:
            raise ValueError(f"{self.path}: this picture is {picture.shape}, those before it {self.size}")
        high, wide = picture.shape[:2]
        even = np.pad(picture, ((0, high % 2), (0, wide % 2), (0, 0)), "edge") if high % 2 or wide % 2 else picture
        frame = self.av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24")
        frame = self.converter.reformat(
            frame, format="yuv420p", src_color_range="JPEG", dst_color_range="MPEG", dst_colorspace="ITU709"
        )
        now = max(round((time - self.first) * TICKS), self.ticks + 1)  # no two frames at one time
        self.ticks, self.shown = now, now - self.ticks if self.ticks >= 0 else self.shown
        frame.pts, frame.time_base = now, Fraction(1, TICKS)
        self.mux(self.stream.encode(frame))

    def mux(self, packets: Iterable[Any]) -> None:
        for packet in packets:
            packet.duration = self.shown  # as long as the frame before; the muxer needs the last one's
            self.container.mux(packet)

    def begin(self, picture: np.ndarray, time: float) -> None:
        self.size, self.first = picture.shape, time
        try:
            self.stream = self.container.add_stream("libx264", rate=30, options=OPTIONS)
        except ValueError:  # UnknownCodecError is one
            raise VosError(f"{self.path}: this build of PyAV has no H.264 encoder; pip install 'av'") from None
        context = self.stream.codec_context
        context.height, context.width = (side + side % 2 for side in picture.shape[:2])
        context.pix_fmt, context.time_base = "yuv420p", Fraction(1, TICKS)
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED

    def finish(self) -> None:
        """Encode what is held back. VosError where there was no picture."""
        if self.stream is None:
            raise VosError(f"{self.path}: there is no frame to write")
        self.mux(self.stream.encode(None))
