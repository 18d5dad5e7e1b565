"""Exercises of lesson 4: the loss."""

from collections.abc import Callable

import torch

from vos import training
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
