"""Exercises of lesson 7: a video of your own, and boxes as its first masks."""

from collections.abc import Callable

import numpy as np
import torch

from vos import metrics
from vos.config import ModelConfig
from vos.course import drawing
from vos.course.exercises.compare import compare
from vos.inference import Segmenter
from vos.networks import BaseModel
from vos.video.drawn import box_corners, polygon_mask

Box = tuple[int, int, int, int]  # x, y, width, height


def box_of(attempt: Callable) -> bool:
    """Notebook 07: attempt(mask (H, W) boolean) -> (x, y, width, height), as `vos.course.drawing.box_of`."""

    def rows_first(mask: np.ndarray) -> tuple[int, ...]:
        x, y, width, height = drawing.box_of(mask)
        return y, x, height, width

    def one_short(mask: np.ndarray) -> tuple[int, ...]:
        x, y, width, height = drawing.box_of(mask)
        return x, y, width - 1, height - 1

    def two_corners(mask: np.ndarray) -> tuple[int, ...]:
        x, y, width, height = drawing.box_of(mask)
        return x, y, x + width - 1, y + height - 1

    block, pixel, corner = np.zeros((3, 9, 14), bool)
    block[2:5, 4:11], pixel[6, 3], corner[7:, 10:] = True, True, True
    scattered = np.random.default_rng(1).random((9, 14)) > 0.97
    cases = [("a block", (block,)), ("one pixel", (pixel,)), ("in the corner", (corner,)), ("scattered", (scattered,))]
    cases += [("nothing at all", (np.zeros((9, 14), bool),))]
    mistakes = [
        ("rows and columns are exchanged; x counts columns, and NumPy's first axis is rows.", rows_first),
        ("a box from column 4 to column 10 is 7 wide: the last minus the first, plus 1.", one_short),
        ("these are two corners; the last two numbers are width and height.", two_corners),
    ]
    return compare(attempt, drawing.box_of, cases, mistakes)


def box_similarity(attempt: Callable) -> bool:
    """Notebook 07: attempt(a, b) -> J of two boxes (x, y, width, height), as `vos.metrics` has it of their pixels."""

    def reference(a: Box, b: Box) -> float:
        return metrics.region_similarity(*(polygon_mask(box_corners(*box), (40, 40)) for box in (a, b)))

    def overlap(a: Box, b: Box, axis: int, more: int = 0) -> int:
        return min(a[axis] + a[axis + 2], b[axis] + b[axis + 2]) - max(a[axis], b[axis]) + more

    def of(a: Box, b: Box, least: int = 0, more: int = 0, off: int = 1) -> float:
        both = max(overlap(a, b, 0, more), least) * max(overlap(a, b, 1, more), least)
        return both / ((a[2] * a[3] + b[2] * b[3] - off * both) or 1)

    def to_corners(a: Box, b: Box) -> float:
        """What comes out where the last two numbers are taken for a corner."""
        sides = [(x2 - x, y2 - y) for x, y, x2, y2 in (a, b)]
        wide, high = (max(min(a[i + 2], b[i + 2]) - max(a[i], b[i]), 0) for i in (0, 1))
        return wide * high / ((sum(w * h for w, h in sides) - wide * high) or 1)

    cases = [
        ("moved by a third", ((2, 3, 12, 8), (6, 3, 12, 8))),
        ("one within the other", ((1, 1, 20, 10), (5, 4, 6, 3))),
        ("apart in both directions", ((0, 0, 5, 6), (20, 15, 8, 9))),
        ("side by side", ((0, 0, 4, 4), (4, 1, 4, 4))),
        ("equal", ((3, 2, 7, 5), (3, 2, 7, 5))),
        ("one pixel", ((9, 9, 1, 1), (7, 8, 5, 4))),
    ]
    mistakes = [
        ("two negative overlaps have a positive product; max(..., 0) for each before you multiply.",
         lambda a, b: of(a, b, least=-1000)),
        ("the union counts the intersection twice; take it off once.", lambda a, b: of(a, b, off=0)),
        ("the last two numbers are width and height, not a corner.", to_corners),
        ("a box from column 2 that is 12 wide ends before column 14: no 1 to take off.",
         lambda a, b: of(a, b, more=-1)),
        ("no 1 to add: the overlap is the smaller end less the larger start.", lambda a, b: of(a, b, more=1)),
        ("the intersection is divided by one box, not by the union.",
         lambda a, b: of(a, b) * (a[2] * a[3] + b[2] * b[3]) / (1 + of(a, b)) / (b[2] * b[3])),
    ]  # fmt: skip
    return compare(attempt, reference, cases, mistakes)


def follow(attempt: Callable) -> bool:
    """Notebook 07: attempt(model, frames, id_map, first) -> an id map for each frame, (T, H, W), by `Segmenter`."""
    Frames = list[np.ndarray]

    def steps(model: BaseModel, frames: Frames, id_map: np.ndarray, first: int, rest: Frames) -> Frames:
        """The id map of the first frame and those of the rest, by one Segmenter."""
        segmenter = Segmenter(model)
        return [segmenter.start(frames[first], id_map), *(segmenter.step(frame) for frame in rest)]

    def nothing(id_map: np.ndarray, count: int) -> Frames:
        return [np.zeros_like(id_map)] * count

    def reference(model: BaseModel, frames: Frames, id_map: np.ndarray, first: int) -> np.ndarray:
        return np.stack(nothing(id_map, first) + steps(model, frames, id_map, first, frames[first + 1 :]))

    def twice(model: BaseModel, frames: Frames, id_map: np.ndarray, first: int) -> np.ndarray:
        return np.stack(nothing(id_map, first) + steps(model, frames, id_map, first, frames[first:]))

    def only_later(model: BaseModel, frames: Frames, id_map: np.ndarray, first: int) -> np.ndarray:
        return reference(model, frames, id_map, first)[first:]

    def from_the_start(model: BaseModel, frames: Frames, id_map: np.ndarray, first: int) -> np.ndarray:
        return reference(model, frames, id_map, 0)

    def forgetful(model: BaseModel, frames: Frames, id_map: np.ndarray, first: int) -> np.ndarray:
        later = [steps(model, frames, id_map, first, [frame])[1] for frame in frames[first + 1 :]]
        return np.stack([*nothing(id_map, first), id_map, *later])

    def frozen(model: BaseModel, frames: Frames, id_map: np.ndarray, first: int) -> np.ndarray:
        return np.stack(nothing(id_map, first) + [id_map] * (len(frames) - first))

    torch.manual_seed(2)
    model = BaseModel(ModelConfig((16, 24), ((4,),), 4, (4,), batch_norm=False)).eval().requires_grad_(False)
    for weights in model.parameters():
        weights.mul_(3)  # random weights are small; these paint something
    rng = np.random.default_rng(0)
    frames = list(rng.integers(0, 256, (5, 16, 24, 3)).astype(np.uint8))
    id_map = np.zeros((16, 24), np.uint8)
    id_map[4:10, 5:12], id_map[10:14, 12:20] = 1, 2
    cases = [
        ("five frames from the first on", (model, frames, id_map, 0)),
        ("from the second frame on", (model, frames, id_map, 1)),
        ("from the last frame on", (model, frames, id_map, 4)),
        ("a single frame", (model, frames[:1], id_map, 0)),
    ]
    mistakes = [
        ("the first frame goes in twice: what `start` has had is not for `step`.", twice),
        ("frames before the start are missing; they have empty maps.", only_later),
        ("the objects begin in frame 0; they begin in frame `first`.", from_the_start),
        ("each frame has a new Segmenter, which knows nothing of the frames between.", forgetful),
        ("every frame has the first mask: this is copy-first.", frozen),
    ]
    return compare(attempt, reference, cases, mistakes)
