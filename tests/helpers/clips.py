"""Small video files as people have them, encoded in the test: a red square on grey moves 4 pixels a frame."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

SIZE = (96, 160)
QUIET = {"x265-params": "log-level=none"}


def scene(t: int, size: tuple[int, int] = SIZE) -> tuple[np.ndarray, np.ndarray]:
    """A frame, uint8 (H, W, 3), and its mask, uint8 (H, W)."""
    frame, mask = np.full((*size, 3), 60, np.uint8), np.zeros(size, np.uint8)
    frame[20:50, 8 + 4 * t : 38 + 4 * t], mask[20:50, 8 + 4 * t : 38 + 4 * t] = (230, 40, 40), 1
    return frame, mask


def scenes(count: int, size: tuple[int, int] = SIZE) -> list[np.ndarray]:
    return [scene(t % 30, size)[0] for t in range(count)]


def encode(
    path: Path, frames: Iterable[np.ndarray], codec: str = "libx264", *, times: Sequence[int] | None = None,
    turn: tuple = (), pixels: str = "yuv420p", aspect: Fraction | None = None, sound: bool = False, key: int = 6,
    fps: int = 25, space: str = "ITU601", tags: dict[str, int] | None = None, full: bool = False,
) -> Path:  # fmt: skip
    """times: in thousandths of a second. turn: (degrees counter-clockwise, mirrored, flipped)."""
    import av

    with av.open(str(path), "w") as container:
        frames = list(frames)
        stream = container.add_stream(codec, rate=fps, options=QUIET if codec == "libx265" else {})
        stream.height, stream.width, stream.pix_fmt = *frames[0].shape[:2], pixels
        context = stream.codec_context
        context.gop_size = key
        for name, value in (tags or {}).items():
            setattr(context, name, value)
        if times:
            context.time_base = Fraction(1, 1000)
        if codec == "mpeg4":
            context.bit_rate = 8_000_000  # else the square leaves traces
        if aspect:
            context.sample_aspect_ratio = aspect
        if turn:
            stream.set_display_rotation(*turn)
        noise = container.add_stream("aac", rate=44100, layout="mono") if sound else None
        for index, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(
                format=pixels, dst_colorspace=space, dst_color_range="JPEG" if full else "MPEG"
            )
            picture.pts = times[index] if times else index
            picture.time_base = Fraction(1, 1000) if times else Fraction(1, fps)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
        if noise is not None:
            for start in range(0, 44100, 1024):
                heard = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
                heard.sample_rate, heard.pts = 44100, start
                container.mux(noise.encode(heard))
            container.mux(noise.encode(None))
    return path


def square(frame: np.ndarray) -> tuple[int, int, int, int]:
    """First and last row and column of the red square."""
    rows, columns = np.where((frame[..., 0] > 150) & (frame[..., 1] < 100))
    return int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max())
