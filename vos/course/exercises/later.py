"""Exercises of lessons 8 to 10: attention, what online learning may change, how far fingerprints are apart."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from vos.attention import affinity
from vos.course.exercises.compare import compare
from vos.course.faults import distance
from vos.networks import build
from vos.online import learns

SHAPES = ((4, 5), (4, 6), (3, 6))  # of keys and values in the exercise on attention: (D, P), (D, Q), (C, Q)


def attention(attempt: Callable) -> bool:
    """Notebook 08: attempt(ours (B, D, P), theirs (B, D, Q), values (B, C, Q)) -> what is read, (B, C, P)."""
    torch.manual_seed(1)
    far = torch.eye(4)[None] * 20.0
    cases = [
        ("two batches, more cells to look at than cells that look", tuple(torch.randn(2, n, m) for n, m in SHAPES)),
        ("keys so far apart that one cell takes all", (far.flip(-1), far, torch.arange(8.0).reshape(1, 2, 4))),
        ("one long key", (torch.ones(1, 3, 2), torch.tensor([[[1.0, 9.0]] * 3]), torch.tensor([[[1.0, 0.0]]]))),
    ]

    def read(score: Callable[[Tensor, Tensor], Tensor], over: int = -1) -> Callable:
        return lambda ours, theirs, values: values @ score(ours, theirs).softmax(dim=over).mT

    def nearness(ours: Tensor, theirs: Tensor) -> Tensor:
        return -torch.cdist(ours.mT, theirs.mT).square()

    root = SHAPES[0][0] ** 0.5
    mistakes = [
        ("the product of keys, not their distance.", read(lambda a, b: a.mT @ b / root)),
        ("the softmax runs over the cells that look; it is over those that are looked at.",
         read(lambda a, b: nearness(a, b) / root, over=-2)),
        ("not divided by the square root of D.", read(nearness)),
        ("a distance without its minus: the farthest cell takes most.", read(lambda a, b: -nearness(a, b) / root)),
    ]  # fmt: skip
    return compare(attempt, lambda a, b, values: values @ affinity(a, b).mT, cases, mistakes)


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


def fingerprint_distance(attempt: Callable) -> bool:
    """Notebook 10: attempt(a (4,), b (4,)) -> the mean factor between two fingerprints, as a power of ten."""
    report, ours = np.array([0.005, 0.003, 0.07, 0.041]), np.array([0.69, 0.001, 0.02, 0.6])
    cases = [
        ("higher in some, lower in others", (ours, report)),
        ("the same", (report, report)),
        ("nothing but zeros", (np.zeros(4), report)),
    ]
    mistakes = [
        ("differences, not factors: take the logarithms first.", lambda a, b: np.abs(a - b).mean()),
        ("without absolute values, too high and too low cancel.",
         lambda a, b: np.log10((a + 1e-3) / (b + 1e-3)).mean()),
        ("the natural logarithm; powers of ten want log10.", lambda a, b: distance(a, b) * np.log(10)),
        ("without the thousandth, a zero is infinitely far from everything.",
         lambda a, b: np.abs(np.log10(a / b)).mean() if a.all() else np.inf),
        ("the sum; the mean of the four is asked for.", lambda a, b: 4 * distance(a, b)),
    ]  # fmt: skip
    return compare(attempt, distance, cases, mistakes)
