"""Exercises of lesson 4: losses, the learning rate and the curriculum; and of its appendix, A: steps and their cost."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from vos import training
from vos.config import TrainConfig
from vos.course.exercises.compare import compare


def mask_loss(attempt: Callable) -> bool:
    """Notebook 04: attempt(logits (B, T-1, 1, H, W), masks (B, T, 1, H, W), weights (B, T)) -> the loss."""
    torch.manual_seed(1)
    logits, truth = 3 * torch.randn(2, 4, 1, 6, 8), (torch.rand(2, 5, 1, 6, 8) > 0.7).float()
    some = torch.tensor([[1.0, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    cases = [
        ("every frame counts", (logits, truth, torch.ones(2, 5))),
        ("frames without annotation", (logits, truth, some)),
        ("logits of 100", (100 * logits.sign(), truth, some)),
        ("no frame counts", (logits, truth, torch.zeros(2, 5))),
    ]
    mistakes = [
        ("each prediction is compared with the mask before it; logits begin at t = 1, so masks[:, 1:].",
         lambda x, y, w: training.mask_loss(x, y.roll(1, dims=1), w)),
        ("frames that do not count are counted in the mean; divide by the sum of the weights.",
         lambda x, y, w: (training.frame_losses(x, y) * w[:, 1:]).mean()),
        ("frames that do not count are in the loss; multiply by the weights.",
         lambda x, y, w: training.frame_losses(x, y).mean()),
        ("0 / 0 where no frame counts; `clamp(min=1)` what you divide by.",
         lambda x, y, w: (training.frame_losses(x, y) * w[:, 1:]).sum() / w[:, 1:].sum()),
    ]  # fmt: skip
    return compare(attempt, training.mask_loss, cases, mistakes)


def soft_iou(attempt: Callable) -> bool:
    """Notebook 04: attempt(logits (B, T-1, 1, H, W), masks (B, T, 1, H, W)) -> (B, T-1), as `soft_iou_losses`."""

    def of(p: Tensor, y: Tensor, more: float = 1.0, off: float = 1.0, times: float = 1.0) -> Tensor:
        """The loss of probabilities and masks of the same frames; off: how often the intersection leaves the sum."""
        both, sums = (p * y).sum(dim=(2, 3, 4)), (p + y).sum(dim=(2, 3, 4))
        return 1 - (times * both + more) / (sums - off * both + more)

    torch.manual_seed(1)
    logits, truth = 3 * torch.randn(2, 4, 1, 6, 8), (torch.rand(2, 5, 1, 6, 8) > 0.7).float()
    small, nothing = torch.zeros(1, 3, 1, 6, 8), torch.full((1, 2, 1, 4, 5), -200.0)
    small[:, :, :, 2, 3] = 1
    cases = [
        ("two clips of five frames", (logits, truth)),
        ("an object of one pixel", (logits[:1, :2], small)),
        ("logits of 100", (100 * logits.sign(), truth)),
        ("an object out of sight, rightly not predicted", (nothing, torch.zeros(1, 3, 1, 4, 5))),
    ]
    mistakes = [
        ("each prediction is compared with the mask before it; logits begin at t = 1, so masks[:, 1:].",
         lambda x, y: of(x.sigmoid(), y[:, :-1])),
        ("logits are taken for probabilities; put a sigmoid round them.", lambda x, y: of(x, y[:, 1:])),
        ("the logits are thresholded; a step has no gradient, so that nothing could be learned.",
         lambda x, y: of((x > 0).float(), y[:, 1:])),
        ("this is the intersection over the union; the loss is what is missing to 1.",
         lambda x, y: 1 - training.soft_iou_losses(x, y)),
        ("the union counts the intersection twice; take it off once.", lambda x, y: of(x.sigmoid(), y[:, 1:], off=0)),
        ("this is the loss of Dice, twice the intersection over the sum of the two.",
         lambda x, y: of(x.sigmoid(), y[:, 1:], off=0, times=2)),
        ("add 1 to the intersection and to the union; 0 / 0 where both are empty.",
         lambda x, y: of(x.sigmoid(), y[:, 1:], more=0)),
        ("one number for all; each predicted frame has its own.", lambda x, y: training.soft_iou_losses(x, y).mean()),
    ]  # fmt: skip
    return compare(attempt, training.soft_iou_losses, cases, mistakes)


def learning_rate(attempt: Callable) -> bool:
    """Notebook 04: attempt(peak, w, i, d) -> the learning rate at iteration i, the fraction d of the training done."""

    def warm(w: int, i: int) -> float:
        return min(1.0, (i + 1) / w) if w else 1.0

    def reference(peak: float, w: int, i: int, d: float) -> float:
        return training.learning_rate(TrainConfig(learning_rate=peak, warm_up=w), i, d)

    cases = [
        ("the first iteration", (1.0, 30, 0, 0.0)),
        ("half-way through the warm-up", (1.0, 30, 14, 0.01)),
        ("after the warm-up", (2.0, 30, 500, 0.2)),
        ("near the end", (0.5, 30, 2400, 0.96)),
        ("the end", (1.0, 30, 2500, 1.0)),
        ("no warm-up", (1.0, 0, 0, 0.0)),
    ]
    mistakes = [
        ("i / w makes the first step 0, and nothing is learned from it; iterations begin at 0, so (i + 1) / w.",
         lambda peak, w, i, d: reference(peak, w, max(i - 1, 0), d) * (i > 0 or not w)),
        ("the warm-up has no end; no factor above 1.",
         lambda peak, w, i, d: reference(peak, 0, i, d) * ((i + 1) / w if w else 1)),
        ("twice the rate: 1 + cos goes up to 2, so halve it.", lambda peak, w, i, d: 2 * reference(peak, w, i, d)),
        ("there is no warm-up.", lambda peak, w, i, d: reference(peak, 0, i, d)),
        ("a straight line down; half a cosine is flat at both ends.",
         lambda peak, w, i, d: peak * warm(w, i) * (1 - d)),
        ("a quarter of a cosine: it runs from 0 to pi, not to pi / 2.",
         lambda peak, w, i, d: peak * warm(w, i) * math.cos(math.pi * d / 2)),
    ]  # fmt: skip
    return compare(attempt, reference, cases, mistakes)


def curriculum_stage(attempt: Callable) -> bool:
    """Notebook 04: attempt(curriculum, d) -> (T, B), the clip length and the batch size at the fraction d."""
    Stages = tuple[tuple[float, int, int], ...]

    def reference(curriculum: Stages, d: float) -> tuple[int, int]:
        config = TrainConfig(curriculum=curriculum)
        batch = next(iter(training.ClipBatchSampler(config, lambda: d)))
        return batch[0][1], len(batch)

    def begun_before(curriculum: Stages, d: float) -> tuple[int, ...]:
        return max((stage for stage in curriculum if stage[0] < d), default=curriculum[0])[1:]

    def next_one(curriculum: Stages, d: float) -> tuple[int, ...]:
        return next((stage for stage in curriculum if stage[0] > d), curriculum[-1])[1:]

    stages = training.SYNTHETIC.curriculum
    cases = [
        ("the start", (stages, 0.0)),
        ("within a stage", (stages, 0.6)),
        ("where a stage begins", (stages, stages[2][0])),
        ("the end", (stages, 1.0)),
        ("one stage for all", (((0.0, 5, 4),), 0.7)),
    ]
    mistakes = [
        ("always the first stage: all that have begun are candidates, and the last of them counts.",
         lambda curriculum, d: curriculum[0][1:]),
        ("always the last stage; it has to have begun.", lambda curriculum, d: curriculum[-1][1:]),
        ("a stage begins at its fraction, so `<=` and not `<`.", begun_before),
        ("one stage too far: the next one has not begun.", next_one),
        ("(B, T) instead of (T, B).", lambda curriculum, d: reference(curriculum, d)[::-1]),
    ]  # fmt: skip
    return compare(attempt, reference, cases, mistakes)


def muon_step(attempt: Callable) -> bool:
    """Notebook A: attempt(gradient (O, I, k, k)) -> the step (O, I, k, k) whose singular values are all 1."""

    def along(change: Callable[[Tensor, Tensor, Tensor], Tensor], dim: int = 1) -> Callable[[Tensor], Tensor]:
        """A step made of U, s and V^T of the gradient as a matrix; dim: from where on its dimensions are columns."""
        return lambda G: change(*torch.linalg.svd(G.flatten(dim).flatten(0, -2), full_matrices=False)).reshape(G.shape)

    torch.manual_seed(1)
    lopsided = torch.randn(6, 1) @ torch.randn(1, 36) + 0.1 * torch.randn(6, 36)
    cases = [
        ("a few directions hold nearly all of it", (lopsided.reshape(6, 4, 3, 3),)),
        ("as many inputs as outputs, one pixel", (torch.randn(5, 5, 1, 1),)),
        ("more outputs than columns", (torch.randn(9, 2, 2, 2),)),
    ]
    mistakes = [
        ("down the gradient, not up: the step is -U V^T.", along(lambda U, s, Vh: U @ Vh)),
        ("this is the gradient divided by its length; the directions in it are as unequal as before.",
         lambda G: -G / G.norm()),
        ("this is the gradient divided by its largest singular value; all of them become 1.",
         along(lambda U, s, Vh: -(U * (s / s.max())) @ Vh)),
        ("the sign of each weight: that is one speed for every weight, not for every direction.", lambda G: -G.sign()),
        ("the singular values are still in it.", lambda G: -G),
        ("a row of the matrix is an output: (O, I k k), so flatten from dimension 1 on.",
         along(lambda U, s, Vh: -U @ Vh, dim=2)),
    ]  # fmt: skip
    return compare(attempt, along(lambda U, s, Vh: -U @ Vh), cases, mistakes)


def convolution_flop(attempt: Callable) -> bool:
    """Notebook A: attempt(inputs, outputs, k, H, W) -> operations of a convolution, forward and backward."""

    def counted(inputs: int, outputs: int, k: int, H: int, W: int) -> int:
        """As PyTorch counts them, without computing anything."""
        with torch.device("meta"), FlopCounterMode(display=False) as counter:
            layer = nn.Conv2d(inputs, outputs, k, padding=k // 2)
            layer(torch.empty(1, inputs, H, W, requires_grad=True)).sum().backward()
        return counter.get_total_flops()

    cases = [
        ("a single number by a single number", (1, 1, 1, 1, 1)),
        ("more outputs than inputs", (5, 64, 7, 8, 14)),
        ("a kernel of 1 x 1", (16, 8, 1, 5, 7)),
        ("the hidden half of the report's ConvLSTM", (512, 2048, 3, 8, 14)),
    ]
    mistakes = [
        ("the backward pass is missing, or is counted as one convolution; it is two, as costly as the forward one.",
         lambda *a: counted(*a) // 3),
        ("a multiplication and an addition are two operations.", lambda *a: counted(*a) // 2),
        ("the backward pass is two convolutions: the gradient by the weights, and by the input.",
         lambda *a: counted(*a) // 3 * 2),
        ("each output sums over all inputs, too.", lambda i, o, k, H, W: counted(1, o, k, H, W)),
        ("the kernel has k x k weights.", lambda i, o, k, H, W: counted(i, o, k, H, W) // k),
        ("that is the number of weights; each is used once for every pixel of the output.",
         lambda i, o, k, H, W: i * o * k * k),
    ]  # fmt: skip
    return compare(attempt, counted, cases, mistakes)
