"""What can be had at inference, of weights that stay as they are? Rows of the ablation that need no training.

    python experiments/real_inference.py [--only "region of interest" ...] [--save]

Each row changes one thing when the committed weights segment the sequences that experiments/real.py holds out.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from real import davis_split, keep_rows, print_row, scores_of
from torch import Tensor
from torch.nn.functional import grid_sample

from vos.attention import Memory
from vos.config import InferenceConfig
from vos.course.workspace import ROOT
from vos.data import Video, normalize_frames
from vos.engine.checkpoints import load_checkpoint
from vos.inference import Segmenter, best_threshold, segment, upsample_probabilities
from vos.networks import BaseModel, build
from vos.tracking import Tracker

RESULT = ROOT / "data/results/real_inference.json"
ROOM = 2.0  # a window's height and width over the object's, when it is laid
Window = tuple[float, float, float]  # top, left, height; the width follows from the frame's shape


def resized(model: BaseModel, size: tuple[int, int]) -> BaseModel:
    """The same weights for pictures of another size."""
    other = build("attention", replace(model.config, size=size))
    other.load_state_dict(model.state_dict())
    return other.eval()


class LastFrameTracker(Tracker):
    """Attention to the last frame and its predicted masks as well (as STM; Oh et al. 2019)."""

    first: Memory | None = None

    def step(self, code) -> Tensor:
        probabilities = super().step(code)
        if self.state is not None and self.memory is not None:
            self.first = self.first or self.memory
            last = self.model.attention.remember(code.deep, self.state, probabilities[:, None])
            both = (torch.cat(pair, dim=-1) for pair in zip(self.first, last, strict=True))
            self.memory = Memory(*both)
        return probabilities


@torch.inference_mode()
def with_last_frame(model: BaseModel, video: Video) -> Iterator[np.ndarray]:
    """As `segment`, with the last frame in memory."""
    segmenter = Segmenter(model)
    segmenter.tracker = LastFrameTracker(model, segmenter.config.precision)
    for index, (frame, code) in enumerate(segmenter.encoded_frames(video)):
        yield segmenter.advance(frame, code, video.size, video.given(index))


def box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Top, left, bottom, right of what a mask holds."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return rows[0], columns[0], rows[-1] + 1, columns[-1] + 1


def window_around(mask: np.ndarray, least: float) -> Window:
    """A window of the frame's shape around an object, at least this share of the frame's height."""
    (height, width), (top, left, bottom, right) = mask.shape, box(mask)
    tall = min(max(ROOM * (bottom - top), ROOM * (right - left) * height / width, least * height), height)
    wide = tall * width / height
    y, x = (top + bottom - tall) / 2, (left + right - wide) / 2
    return min(max(y, 0), height - tall), min(max(x, 0), width - wide), tall


def fits(mask: np.ndarray, window: Window, least: float) -> bool:
    """Whether an object is still well inside its window and not small in it."""
    (height, width), (top, left, bottom, right) = mask.shape, box(mask)
    y, x, tall = window
    wide = tall * width / height
    free = 0.08 * tall
    inside = top - y > free or y <= 0.5, left - x > free or x <= 0.5
    inside += y + tall - bottom > free or y + tall >= height - 0.5, x + wide - right > free or x + wide >= width - 0.5
    return all(inside) and tall < 1.5 * window_around(mask, least)[2]


def moved(state: tuple[Tensor, Tensor], old: Window, new: Window, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """The state as a window sees it that is laid elsewhere: bilinear; what was out of the old window is zero."""
    scale = new[2] / old[2]
    centre = [(new[i] + new[2] * s / 2) - (old[i] + old[2] * s / 2) for i, s in ((1, shape[1] / shape[0]), (0, 1.0))]
    shift = 2 * centre[0] / (old[2] * shape[1] / shape[0]), 2 * centre[1] / old[2]
    theta = torch.tensor([[scale, 0, shift[0]], [0, scale, shift[1]]], dtype=torch.float32).expand(len(state[0]), 2, 3)
    grid = torch.nn.functional.affine_grid(theta, list(state[0].shape), align_corners=False)
    return tuple(grid_sample(x, grid, align_corners=False) for x in state)


@torch.inference_mode()
def region_of_interest(model: BaseModel, video: Video, least: float = 0.4) -> Iterator[np.ndarray]:
    """As `segment`, of one object: the model sees a window around the last mask (report 6). Its state moves with it."""
    tracker, (item,) = Tracker(model, "float32"), video.objects
    first = video.mask(0) == item.id
    window = window_around(first, least)

    def look(frame: np.ndarray) -> Tensor:
        y, x, tall = window
        region = (x, y, x + tall * frame.shape[1] / frame.shape[0], y + tall)
        h, w = model.config.size
        small = Image.fromarray(frame).resize((w, h), Image.Resampling.BILINEAR, box=region, reducing_gap=None)
        return normalize_frames(np.asarray(small)[None])

    for index in range(len(video)):
        frame = video.frame(index)
        small = look(frame)
        probabilities = tracker.step(tracker.encode(small)[0])
        if index == 0:
            y, x, tall = window
            wide = tall * frame.shape[1] / frame.shape[0]
            mask = Image.fromarray(first.astype(np.uint8) * 255).resize(
                model.config.size[::-1], Image.Resampling.BILINEAR, box=(x, y, x + wide, y + tall)
            )
            tracker.begin(small, torch.from_numpy(np.asarray(mask) >= 128).float()[None, None], [])
            yield first * np.uint8(item.id)
            continue
        y, x, tall = window
        top, left, bottom, right = (round(v) for v in (y, x, y + tall, x + tall * frame.shape[1] / frame.shape[0]))
        large = upsample_probabilities(probabilities, (bottom - top, right - left))[0]
        found = np.zeros(frame.shape[:2], bool)
        found[top:bottom, left:right] = large > best_threshold(probabilities[0].numpy())
        yield found * np.uint8(item.id)
        if found.any() and not fits(found, window, least):
            new = window_around(found, least)
            tracker.state = moved(tracker.state, window, new, frame.shape[:2])
            window = new


def size_row(size: tuple[int, int]) -> Callable:
    return lambda model, video: segment(resized(model, size), video)


ROWS: dict[str, Callable[[BaseModel, Video], Iterator[np.ndarray]]] = {
    "as it is": segment,
    "128x224": size_row((128, 224)),
    "192x336": size_row((192, 336)),
    "320x560": size_row((320, 560)),
    "mirror": lambda model, video: segment(model, video, InferenceConfig(mirror=True)),
    "threshold 0.5": lambda model, video: segment(model, video, InferenceConfig(threshold=0.5)),
    "last frame in memory, too": with_last_frame,
    "region of interest": region_of_interest,
}


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--only", nargs="+", choices=tuple(ROWS), default=tuple(ROWS), metavar="ROW")
    parser.add_argument("--checkpoint", type=Path, default=ROOT / "data/checkpoints/real.pt")
    parser.add_argument("--save", action="store_true")
    args = parser.parse_args()
    model, rows = load_checkpoint(args.checkpoint)[0], []
    model.eval()
    _, held_out = davis_split(args.data)
    for name in args.only:
        begun = time.perf_counter()
        row = {"name": name} | scores_of(lambda video, way=ROWS[name]: way(model, video), held_out)
        rows.append(row | {"frames_per_second": sum(map(len, held_out)) / (time.perf_counter() - begun)})
        print_row(row)
    if args.save:
        keep_rows(RESULT, rows, lambda row: list(ROWS).index(row["name"]))


if __name__ == "__main__":
    sys.exit(main())
