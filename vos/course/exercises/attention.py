"""Exercises of notebook 08: attention by hand, an object followed by it alone, two memories."""

from collections.abc import Callable

import torch
from torch import Tensor

from vos.attention import affinity
from vos.course.exercises.compare import compare

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


def followed_by_attention(attempt: Callable) -> bool:
    """Notebook 08: attempt(a (P, Q), y_0 (Q,)) -> bool (P,): cells that give most of their attention to the object."""
    torch.manual_seed(2)
    sharp = torch.eye(5).roll(2, dims=0)
    cases = [
        ("cells that each look at one cell", (sharp, torch.tensor([1.0, 1.0, 0.0, 0.0, 1.0]))),
        ("cells that look at many", ((3 * torch.randn(40, 30)).softmax(dim=1), (torch.rand(30) < 0.5).float())),
        ("cells that the object covers in part", ((3 * torch.randn(40, 30)).softmax(dim=1), torch.rand(30))),
    ]
    mistakes = [
        ("the cell looked at most decides alone; all of them count, by their weights.",
         lambda a, y: y[a.argmax(dim=1)] > 0.5),
        ("the weights are summed over the cells that look: a @ y_0, not y_0 @ a.",
         lambda a, y: (a.T @ y if a.shape[0] == a.shape[1] else a.mean(dim=0)) > 0.5),
        ("any attention at all is enough here; more than one half is asked for.", lambda a, y: a @ y > 0),
        ("cells that give most of their attention to the ground.", lambda a, y: a @ y <= 0.5),
    ]  # fmt: skip
    return compare(attempt, lambda a, y: a @ y > 0.5, cases, mistakes)


def read_from_two(attempt: Callable) -> bool:
    """Notebook 08: attempt(ours (B, D, P), (keys, values), (keys, values)) -> what is read, (B, C, P).

    keys (B, D, Q), values (B, C, Q) of two frames: one memory of both, as STM keeps it (Oh et al. 2019).
    """
    torch.manual_seed(3)

    def frame(cells: int, scale: float = 1.0) -> tuple[Tensor, Tensor]:
        return scale * torch.randn(2, 4, cells), torch.randn(2, 3, cells)

    same = frame(5)
    cases = [
        ("frames of one size", (torch.randn(2, 4, 6), frame(5), frame(5))),
        ("frames of two sizes", (torch.randn(2, 4, 6), frame(5), frame(9))),
        ("the same frame twice", (torch.randn(2, 4, 6), same, same)),
        ("a second frame that is far from everything", (torch.randn(2, 4, 6), frame(5), frame(5, 40.0))),
    ]

    def read(ours: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        return values @ affinity(ours, keys).mT

    def both(ours: Tensor, first: tuple, last: tuple) -> Tensor:
        return read(ours, *(torch.cat(pair, dim=2) for pair in zip(first, last, strict=True)))

    mistakes = [
        ("the mean of two readings: a frame where nothing is like our cell has half a say. One softmax over both.",
         lambda ours, first, last: (read(ours, *first) + read(ours, *last)) / 2),
        ("the sum of two readings: the weights add up to two.",
         lambda ours, first, last: read(ours, *first) + read(ours, *last)),
        ("only the first frame is read.", lambda ours, first, last: read(ours, *first)),
        ("only the second frame is read.", lambda ours, first, last: read(ours, *last)),
    ]  # fmt: skip
    return compare(attempt, both, cases, mistakes)
