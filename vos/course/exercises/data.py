"""Exercises of lesson 1: from mask files to clips."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from vos import data, masks
from vos.course.exercises.compare import compare
from vos.files.mask_images import one_object_if_black_and_white


def black_and_white(attempt: Callable) -> bool:
    """Notebook 01: attempt(ids) as `vos.files.mask_images.one_object_if_black_and_white`."""
    rng = np.random.default_rng(1)
    cases = [
        ("DAVIS-2016, 0 and 255", (255 * rng.integers(0, 2, (6, 8)).astype(np.uint8),)),
        ("ids 0, 1 and 2", (rng.integers(0, 3, (6, 8)).astype(np.uint8),)),
        ("ids with a void border", (np.array([[0, 1, 255], [0, 1, 255]], np.uint8),)),
        ("an empty mask", (np.zeros((4, 5), np.uint8),)),
        ("all object", (np.full((4, 5), 255, np.uint8),)),
    ]
    mistakes = [
        ("255 is taken for void, and the object of DAVIS-2016 is gone.", lambda ids: np.where(ids == 255, 0, ids)),
        ("255 becomes object 1 beside other ids, where it is void.", lambda ids: np.where(ids == 255, 1, ids)),
        ("every id becomes 1; only a map of nothing but 0 and 255 is one object.", lambda ids: ids > 0),
    ]
    return compare(attempt, one_object_if_black_and_white, cases, mistakes)


def object_masks(attempt: Callable) -> bool:
    """Notebook 01: attempt(ids (H, W) uint8) -> (the object ids, sorted, and their masks (K, H, W), boolean)."""

    def one_each(present: list[int], ids: np.ndarray) -> tuple[list[int], np.ndarray]:
        return present, ids == np.array(present, np.uint8)[:, None, None]

    def without(*values: int) -> Callable:
        return lambda ids: one_each([int(k) for k in np.unique(ids) if k not in values], ids)

    rng = np.random.default_rng(1)
    bordered = rng.integers(0, 3, (6, 9)).astype(np.uint8)
    bordered[0] = masks.VOID
    cases = [
        ("one object", (rng.integers(0, 2, (4, 5)).astype(np.uint8),)),
        ("three objects", (rng.integers(0, 4, (6, 8)).astype(np.uint8),)),
        ("ids with gaps", (np.array([0, 2, 5, 9], np.uint8)[rng.integers(0, 4, (6, 8))],)),
        ("a void border", (bordered,)),
        ("no object at all", (np.zeros((4, 5), np.uint8),)),
    ]
    mistakes = [
        ("0 is the background and no object.", without(masks.VOID)),
        ("255 is void: nobody's pixels, and no object.", without(0)),
        ("ids may have gaps: take those that occur, not all up to the highest.",
         lambda ids: one_each(list(range(1, int(ids.max()) + 1)), ids)),
        ("one mask of all objects together; each needs its own.", lambda ids: (masks.object_ids(ids), ids > 0)),
    ]  # fmt: skip
    return compare(attempt, lambda ids: one_each(masks.object_ids(ids), ids), cases, mistakes)


def normalize_frames(attempt: Callable) -> bool:
    """Notebook 01: attempt(frames uint8 (T, H, W, 3)) -> (T, 3, H, W), as `vos.data.normalize_frames`."""

    def last(frames: np.ndarray) -> Tensor:
        return data.normalize_frames(frames).movedim(-3, -1)

    def undivided(frames: np.ndarray) -> Tensor:
        pixels = torch.from_numpy(frames).float() - torch.tensor(data.IMAGENET_MEAN)
        return (pixels / torch.tensor(data.IMAGENET_STD)).movedim(-1, -3)

    def own_statistics(frames: np.ndarray) -> Tensor:
        pixels = torch.from_numpy(frames).float() / 255
        mean, std = pixels.mean(dim=(0, 1, 2)), pixels.std(dim=(0, 1, 2)).clamp(min=1e-6)
        return ((pixels - mean) / std).movedim(-1, -3)

    rng = np.random.default_rng(1)
    cases = [
        ("a clip of five frames", (rng.integers(0, 256, (5, 6, 8, 3)).astype(np.uint8),)),
        ("one frame", (rng.integers(0, 256, (1, 7, 4, 3)).astype(np.uint8),)),
        ("all black", (np.zeros((2, 4, 5, 3), np.uint8),)),
        ("all white", (np.full((2, 4, 5, 3), 255, np.uint8),)),
    ]
    mistakes = [
        ("pixels go from 0 to 255; divide by 255 first.", undivided),
        ("the colours are still the last axis; PyTorch wants (T, 3, H, W).", last),
        ("reshape keeps the order of the numbers in memory, so colours and places are mixed up; move the axis.",
         lambda x: last(x).reshape(len(x), 3, *x.shape[1:3])),
        ("the colours are in the order B, G, R; frames are read as R, G, B.",
         lambda x: data.normalize_frames(np.ascontiguousarray(x[..., ::-1]))),
        ("each clip has its own mean and deviation here; take ImageNet's, the same for all.", own_statistics),
    ]  # fmt: skip
    return compare(attempt, data.normalize_frames, cases, mistakes)
