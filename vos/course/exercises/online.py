"""Exercises of notebook 09: which weights learn the object, and the mean of two opinions."""

from collections.abc import Callable

import numpy as np

from vos.course.exercises.compare import compare
from vos.networks import build
from vos.online import learns


def two_opinions(attempt: Callable) -> bool:
    """Notebook 09: attempt(before (H, W), after (H, W)) -> bool (H, W): the mask of the mean of two probabilities."""
    rng = np.random.default_rng(4)
    cases = [
        ("random", (rng.random((6, 8)), rng.random((6, 8)))),
        ("one is sure, the other in doubt", (np.array([[0.95, 0.05]]), np.array([[0.4, 0.55]]))),
        ("both agree", (np.array([[0.9, 0.1]]), np.array([[0.8, 0.2]]))),
    ]
    mistakes = [
        ("object where either says so; who is sure outweighs who is in doubt.", lambda p, q: (p > 0.5) | (q > 0.5)),
        ("object where both say so; who is sure outweighs who is in doubt.", lambda p, q: (p > 0.5) & (q > 0.5)),
        ("the sum is compared with one half; the mean is asked for.", lambda p, q: p + q > 0.5),
        ("a mask of the second alone.", lambda p, q: q > 0.5),
    ]  # fmt: skip
    return compare(attempt, lambda p, q: (p + q) / 2 > 0.5, cases, mistakes)


def weights_that_learn(attempt: Callable) -> bool:
    """Notebook 09: attempt(names) -> for each name of a weight, whether online learning may change it."""
    cases = [
        (f"the {name} model", ([key for key, _ in build(name, "real").named_parameters()],))
        for name in ("attention", "updated", "base")
    ]

    def all_but(*parts: str) -> Callable:
        return lambda names: [not any(part in name for part in parts) for name in names]

    mistakes = [
        ("these are the ones that stay.", lambda names: [not learns(name) for name in names]),
        ("the backbones learn, too.", all_but("_lstm.")),
        ("the ConvLSTMs learn, too.", all_but(".backbone.")),
        ("the second ConvLSTM, video_lstm, learns.", all_but(".backbone.", "mask_lstm.")),
        ("all of Encoder and Initializer stays.", all_but("encoder.", "initializer.", "_lstm.")),
    ]  # fmt: skip
    return compare(attempt, lambda names: [learns(name) for name in names], cases, mistakes)
