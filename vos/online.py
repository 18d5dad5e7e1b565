"""Online learning: how does a model learn the object it was just shown? (Xu et al. 2018, "online learning")

The first frame and its mask, warped, bent and drifting, make short clips; a copy of the model learns from them for some
tens of steps. ConvLSTMs and backbones are frozen, as are all normalisation statistics; the model itself stays as it is.
"""

import copy
import time

import numpy as np
import torch
from torch import Tensor, nn

from vos.augment import AugmentParams, warp
from vos.config import AugmentConfig
from vos.files.progress import progress_bar
from vos.networks import BaseModel
from vos.tracking import Code, Tracker
from vos.training import frame_losses, soft_iou_losses

WARPS = AugmentConfig(turn=8, zoom=1.15, shift=20, drift=8, wobble=2, bend=20)
LENGTH = 4  # frames of a clip
LEARNING_RATE = 2e-4
TRIES = 10  # warps of an object at the border, before it is taken as it is
FROZEN = (".backbone.", "_lstm.")  # parts of the names of weights that stay


def learn_first_frame(model: BaseModel, frame: Tensor, masks: Tensor, steps: int, seed: int = 0) -> list[float]:
    """Let a model learn the objects of one frame, in place; returns the loss of every step.

    frame (1, 3, H, W), normalised; masks (K, 1, H, W) in {0, 1}; steps: for each object.
    """
    losses = []
    rng = np.random.default_rng(seed)
    weights = [weight for name, weight in model.named_parameters() if learns(name)]
    optimizer = torch.optim.Adam(weights, lr=LEARNING_RATE)
    with progress_bar("learning the object", steps * len(masks), "step", shown=steps > 1) as bar:
        for step in range(steps * len(masks)):
            frames, truth = warped_clip(frame, masks[step % len(masks), None], rng)
            logits = model(frames[None], truth[None, 0])
            loss = (frame_losses(logits, truth[None]) + 0.5 * soft_iou_losses(logits, truth[None])).mean()
            gradients = torch.autograd.grad(loss, weights, allow_unused=True)
            for weight, gradient in zip(weights, gradients, strict=True):
                weight.grad = gradient
            nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            losses.append(loss.item())
            bar.update()
    for weight in weights:
        weight.grad = None
    return losses


def learns(name: str) -> bool:
    """Whether the weight of this name takes part: those of backbones and ConvLSTMs do not."""
    return not any(part in name for part in FROZEN)


def seconds_of_learning(model: BaseModel, frame: Tensor, steps: int) -> float:
    """How long so many steps of `learn_first_frame` will take, measured with a copy; frame (1, 3, H, W)."""
    learner, mask = copy.deepcopy(model), torch.ones_like(frame[:, :1])
    learn_first_frame(learner, frame, mask, 1)  # the first one is not taken: much is done once
    begun = time.perf_counter()
    learn_first_frame(learner, frame, mask, 1)
    return (time.perf_counter() - begun) * steps


def warped_clip(frame: Tensor, mask: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """A clip (T, 3, H, W), (T, 1, H, W) of one frame and mask, (1, ...), with the object in its first frame."""
    still = frame.expand(LENGTH, -1, -1, -1), mask.expand(LENGTH, -1, -1, -1)
    for _ in range(TRIES):
        params = AugmentParams.draw(WARPS, LENGTH, rng)
        frames, masks = warp(*still, params.turn, params.zoom, params.shift, params.bend)
        if masks[0].sum() > 0.5 * mask.sum():
            return (frames.flip(-1), masks.flip(-1)) if params.flip else (frames, masks)
    return still


class OnlineTracker(Tracker):
    """Two trackers: the model as it is, and a copy that learns each object where it begins; the mean of what both say.

    Its code of a frame is the model's, and the frame: what the copy makes of it depends on what it has learnt.
    """

    def __init__(self, model: BaseModel, precision: str, steps: int) -> None:
        with torch.inference_mode(False):
            learner = copy.deepcopy(model)
        self.views, self.steps = (Tracker(model, precision), Tracker(learner, precision)), steps
        self.losses: list[float] = []  # of every step of learning so far

    def encode(self, frames: Tensor) -> list[Code]:
        return list(zip(self.views[0].encode(frames), frames.split(1), strict=True))

    def watch(self, code: Code, whole: bool = True) -> None:
        self.views[0].watch(code[0], whole)
        self.views[1].watched, self.views[1].video_state = self.views[0].watched, self.views[0].video_state

    def step(self, code: Code) -> Tensor:
        seen, learner = self.views[0].step(code[0]), self.views[1]
        return (seen + learner.step(learner.encode(code[1])[0])) / 2

    def begin(self, frame: Tensor, masks: Tensor, kept: list[int]) -> None:
        before, learner = self.views
        with torch.inference_mode(False), torch.enable_grad():
            self.losses += learn_first_frame(learner.model, frame.clone(), masks.clone(), self.steps)
        learner.code = learner.encode(frame)[0]
        for view in (before, learner):
            view.begin(frame, masks, kept)
