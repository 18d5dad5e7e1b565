"""Exercises of lesson 1: from mask files to clips."""

from collections.abc import Callable

import numpy as np

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
