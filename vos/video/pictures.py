"""What a person looks at first: a contact sheet, a small animation, cut-outs."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from vos.files.atomic import written_whole
from vos.masks import VOID, overlay, stretch_ids

SHEET = 24  # pictures on a contact sheet at most
TILE, COLUMNS = 320, 5  # pixels of a picture's longer side; five of them are 1600 pixels
GIF_SIDE, GIF_FRAMES = 320, 100  # some megabytes for any length
GIF_DURATION = 80  # milliseconds a frame of the video


class EvenSample:
    """At most so many of a sequence of unknown length, evenly spaced from its first on: every `step`-th."""

    def __init__(self, most: int) -> None:
        self.most, self.step, self.count = most, 1, 0
        self.kept: list[np.ndarray] = []

    def offer(self, make: Callable[[], np.ndarray]) -> None:
        """Count one more, and make a picture of it if it is to be kept."""
        if self.count % self.step == 0 and len(self.kept) == self.most:
            self.kept, self.step = self.kept[::2], 2 * self.step
        if self.count % self.step == 0:
            self.kept.append(make())
        self.count += 1


def painted(frame: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """As `overlay`, the quicker the smaller the objects are: only the box around them, and its border, is painted."""
    rows, columns = np.flatnonzero(ids.any(axis=1)), np.flatnonzero(ids.any(axis=0))
    picture = frame.copy()
    if len(rows):
        box = slice(max(rows[0] - 1, 0), rows[-1] + 2), slice(max(columns[0] - 1, 0), columns[-1] + 2)
        picture[box] = overlay(frame[box], ids[box])
    return picture


def small_picture(frame: np.ndarray, ids: np.ndarray, side: int) -> np.ndarray:
    """Masks (H, W) over their frame, at most `side` pixels wide and high: painted small, so that lines stay lines."""
    if side < max(ids.shape):
        picture = Image.fromarray(frame)
        picture.thumbnail((side, side), Image.Resampling.BILINEAR)
        frame = np.array(picture)
        ids = stretch_ids(ids, frame.shape[:2])
    return painted(frame, ids)


def write_contact_sheet(path: Path, pictures: list[np.ndarray]) -> None:
    """Pictures of one size in rows, as a JPEG at most 1600 pixels wide."""
    columns = min(COLUMNS, len(pictures))
    high, wide = pictures[0].shape[:2]
    sheet = Image.new("RGB", (wide * columns, high * -(-len(pictures) // columns)), "white")
    for place, picture in enumerate(pictures):
        sheet.paste(Image.fromarray(picture), (place % columns * wide, place // columns * high))
    with written_whole(path) as temporary:
        sheet.save(temporary, format="JPEG", quality=88)


def write_animation(path: Path, sample: EvenSample) -> None:
    """The sampled pictures as a GIF that plays as long as their video."""
    first, *others = (Image.fromarray(picture).quantize(256) for picture in sample.kept)
    duration = sample.step * GIF_DURATION
    with written_whole(path) as temporary:
        first.save(temporary, format="GIF", save_all=True, append_images=others, duration=duration, loop=0)


def cut_out(frame: np.ndarray, ids: np.ndarray, ground: tuple[int, int, int] | None) -> np.ndarray:
    """The objects alone: uint8 (H, W, 3) on a plain ground (RGB), or (H, W, 4) on a transparent one where None."""
    inside = ((ids > 0) & (ids != VOID))[..., None]
    if ground is None:
        return np.concatenate([np.where(inside, frame, 0), inside.astype(np.uint8) * 255], axis=2, dtype=np.uint8)
    return np.where(inside, frame, np.array(ground, np.uint8))
