"""Exercises of lessons 5 and 6: scores, and from probabilities to ids."""

from collections.abc import Callable

import numpy as np

from vos import inference, metrics
from vos.course.exercises.compare import compare


def region_similarity(attempt: Callable) -> bool:
    """Notebook 05: attempt(prediction (H, W), truth (H, W)) -> J, both boolean."""
    rng = np.random.default_rng(1)
    some, other = rng.random((12, 20)) > 0.6, rng.random((12, 20)) > 0.4
    none = np.zeros_like(some)
    cases = [("random", (some, other)), ("equal", (some, some)), ("disjoint", (some, ~some))]
    cases += [("nothing predicted", (none, some)), ("an absent object, rightly not predicted", (none, none))]
    mistakes = [
        ("this is Dice, 2 |A and B| / (|A| + |B|).", lambda p, t: 2 * (p & t).sum() / (p.sum() + t.sum())),
        ("the background that both agree on is counted as right; J leaves it out.", lambda p, t: (p == t).mean()),
        ("the intersection is divided by the true mask, not by the union.", lambda p, t: (p & t).sum() / t.sum()),
        ("0 / 0; nothing there and nothing found is J = 1.", lambda p, t: (p & t).sum() / (p | t).sum()),
    ]
    return compare(attempt, metrics.region_similarity, cases, mistakes)


def merge_objects(attempt: Callable) -> bool:
    """Notebook 06: attempt(probabilities (K, H, W), ids) -> id map (H, W), as `vos.inference.merge_objects`."""

    def last_wins(probabilities: np.ndarray, ids: list[int]) -> np.ndarray:
        merged = np.zeros(probabilities.shape[1:], int)
        for p, number in zip(probabilities, ids, strict=True):
            merged[p > 0.5] = number
        return merged

    rng = np.random.default_rng(1)
    cases = [
        ("one object", (rng.random((1, 5, 7)), [1])),
        ("three objects", (rng.random((3, 5, 7)), [1, 2, 3])),
        ("ids with gaps", (rng.random((3, 5, 7)), [2, 5, 9])),
        ("nobody above one half", (0.4 * rng.random((2, 5, 7)), [1, 2])),
    ]
    mistakes = [
        ("where no object is above one half, the id is 0.", lambda p, ids: np.array(ids)[p.argmax(axis=0)]),
        ("a later object overwrites the earlier ones; the most probable one gets the pixel.", last_wins),
        ("places in the list instead of ids.", lambda p, ids: np.where(p.max(axis=0) > 0.5, p.argmax(axis=0) + 1, 0)),
    ]
    return compare(attempt, inference.merge_objects, cases, mistakes)
