"""How does it learn? The loss, the schedule, the samples of every batch, one step, and the plain loop.

vos/engine/trainer.py takes the same step, with what a long training needs: checkpoints, exact resume, many processes.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import DataLoader

from vos.clips import Batch, ClipDataset, RawClips, collate_clips, prepare_batch
from vos.config import NO_AUGMENTATION, AugmentConfig, TrainConfig
from vos.fast.optimizer import Optimizer
from vos.fast.precision import fastest_precision
from vos.networks import BaseModel

# A dict a step: iteration, loss (cross entropy), learning_rate, length (of the clips), seconds (since the start).
Log = list[dict]

# On the synthetic set: pairs of frames first, as two show how a mask is drawn and cost a third of five; then longer
# clips teach to stay on the object. Minutes are short and videos are not, so the only augmentation is the mirror.
SYNTHETIC = TrainConfig(
    iterations=2500,
    minutes=5.5,
    muon=3.0,
    curriculum=((0.0, 2, 24), (0.25, 5, 8), (0.5, 10, 4), (0.8, 20, 2)),
    augment=replace(NO_AUGMENTATION, flip=0.5),
    late_start=0.7,
)
# The course preset on real video, made to go on from such weights: no pairs, smaller steps. DAVIS annotates every
# frame: strides up to 5 show motion as large as YouTube-VOS's 6 annotated frames a second.
REAL = TrainConfig(
    iterations=1000,
    minutes=5.0,
    learning_rate=1e-3,
    curriculum=((0.0, 5, 8), (0.6, 10, 4)),
    augment=AugmentConfig(turn=15, zoom=1.35, shift=10, light=0.3),
    strides=(1, 2, 3, 4, 5),
    late_start=0.7,
)
# The report's own: clips of 5, no augmentation, Adam with 1e-4 (3.1, 3.6). It names no batch size.
REPORT = TrainConfig(iterations=100_000, learning_rate=1e-4, weight_decay=0.0, curriculum=((0.0, 5, 4),))

# The real preset, from ImageNet's weights: most steps see small pictures, the last ones the full size. Every frame goes
# its own way a little, and objects are pasted from clip to clip, so that 30 videos do not look like 30.
VIDEO = TrainConfig(
    iterations=100_000,
    minutes=60.0,
    learning_rate=1e-3,
    backbone_rate=0.3,
    warm_up=50,
    soft_iou=0.5,
    curriculum=((0.0, 6, 6), (0.6, 8, 4)),
    sizes=((0.0, 128, 224), (0.35, 192, 336), (0.65, 256, 448)),
    augment=AugmentConfig(turn=12, zoom=1.3, shift=30, light=0.3, permute=0.1, drift=2, wobble=2, paste=0.25),
    strides=(1, 2, 3, 4, 5),
)


def train_config(preset: str, synthetic: bool, fast: bool = False) -> TrainConfig:
    """How a preset is trained on the synthetic set or on real video; fast: a few iterations only."""
    config = {"report": REPORT, "real": VIDEO}.get(preset, SYNTHETIC if synthetic else REAL)
    few = replace(config, iterations=8, minutes=None, curriculum=((0.0, 5, 2),), sizes=(), warm_up=2)
    return few if fast else config


def frame_losses(logits: Tensor, masks: Tensor) -> Tensor:
    """Binary cross entropy of every predicted frame, (B, T-1), averaged over its pixels (report 3.6).

    logits (B, T-1, 1, H, W) for y_1..y_{T-1}; masks (B, T, 1, H, W) in {0, 1}. The sigmoid is inside, once.
    """
    return binary_cross_entropy_with_logits(logits.float(), masks[:, 1:], reduction="none").mean(dim=(2, 3, 4))


def mask_loss(logits: Tensor, masks: Tensor, frame_weights: Tensor) -> Tensor:
    """The mean of `frame_losses` over the frames that count; frame_weights (B, T), 0 for one without annotation."""
    counted = frame_weights[:, 1:]
    return (frame_losses(logits, masks) * counted).sum() / counted.sum().clamp(min=1)


def soft_iou_losses(logits: Tensor, masks: Tensor) -> Tensor:
    """1 - the intersection over union of probabilities and mask, of every predicted frame, (B, T-1).

    Binary cross entropy counts pixels, so a small object weighs little; this counts every object alike. Of a frame
    without the object the union is that of a pixel at least.
    """
    p, y = torch.sigmoid(logits.float()), masks[:, 1:]
    both, sums = (p * y).sum(dim=(2, 3, 4)), (p + y).sum(dim=(2, 3, 4))
    return 1 - (both + 1) / (sums - both + 1)


def size_at(config: TrainConfig, done: float) -> tuple[int, int] | None:
    """(H, W) that clips are stretched to when this fraction of the training is done; None: as they are read."""
    return next((size[1:] for size in reversed(config.sizes) if size[0] <= done), None)


def progress(config: TrainConfig, iteration: int, seconds: float) -> float:
    """The fraction of the training behind us, 0 to 1: of iterations or of minutes, whichever is further."""
    of_minutes = seconds / (60 * config.minutes) if config.minutes else 0.0
    return min(1.0, max(iteration / config.iterations, of_minutes))


def learning_rate(config: TrainConfig, iteration: int, done: float) -> float:
    """Linear warm-up, then half a cosine down to zero where it anneals; done: the fraction behind us, 0 to 1."""
    warm = min(1.0, (iteration + 1) / config.warm_up) if config.warm_up else 1.0
    return config.learning_rate * warm * (0.5 + 0.5 * math.cos(math.pi * done) if config.anneal else 1.0)


class ClipBatchSampler:
    """The samples of every batch, or one process's share of them, as items (n, T, fraction) of `ClipDataset`.

    done: says how far the training is, which picks the clips' length; with a limit in minutes only the loop knows it.
    rank, world_size: this process among those that train together. Raises ValueError where they cannot share evenly.
    """

    def __init__(
        self, config: TrainConfig, done: Callable[[], float] = lambda: 0.0, rank: int = 0, world_size: int = 1
    ) -> None:
        for _, _, batch in config.curriculum:
            if batch % world_size:
                raise ValueError(f"{batch} clips in a batch cannot be shared evenly among {world_size} processes")
        self.config, self.done, self.rank, self.world_size = config, done, rank, world_size
        self.iteration, self.sample_index = 0, 0

    def begin(self, iteration: int, sample_index: int) -> None:
        """Begin at an iteration, whose batch starts at sample `sample_index`."""
        self.iteration, self.sample_index = iteration, sample_index

    def __len__(self) -> int:
        return self.config.iterations - self.iteration

    def __iter__(self) -> Iterator[list[tuple[int, int, float]]]:
        first = self.sample_index
        for iteration in range(self.iteration, self.config.iterations):
            done = max(self.done(), iteration / self.config.iterations)  # loading may run ahead of the loop
            _, length, batch = max(stage for stage in self.config.curriculum if stage[0] <= done)
            begins, fraction = self.config.unannotated
            every = fraction if done >= begins else 0.0
            yield [(n, length, every) for n in range(first + self.rank, first + batch, self.world_size)]
            first += batch


def train_step(
    model: nn.Module,
    optimizer: Optimizer,
    batch: Batch,
    rate: float,
    max_grad_norm: float = 1.0,
    precision: str = "float32",
    soft_iou: float = 0.0,
    all_reduce_sum: Callable[[Sequence[float]], list[float]] = list,
    world_size: int = 1,
) -> float:
    """One step on a batch, or on this process's share of it; returns the cross entropy, of all that is minimised.

    all_reduce_sum: sums values over the `world_size` processes that train together; by itself one has the sums.
    Raises FloatingPointError where the loss is not finite; then the weights are as before.
    """
    counted = batch.frame_weights[:, 1:]
    (frames_counted,) = all_reduce_sum([counted.sum().item()])
    with torch.autocast(batch.frames.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        logits = model(batch.frames, batch.masks[:, 0])
    # Over the frames of all processes, whose mean gradient, times their number, is then that of one process.
    of_pixels = frame_losses(logits, batch.masks)
    losses = of_pixels + soft_iou * soft_iou_losses(logits, batch.masks) if soft_iou else of_pixels
    loss, cross_entropy = ((each * counted).sum() / max(frames_counted, 1) for each in (losses, of_pixels))
    total, shown = all_reduce_sum([loss.item(), cross_entropy.item()])
    if not math.isfinite(total):
        raise FloatingPointError(f"the loss is {total}")
    model.zero_grad(set_to_none=True)
    (loss * world_size).backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)
    optimizer.step(rate, precision)
    return shown


def fit(
    model: BaseModel,
    clips: ClipDataset,
    config: TrainConfig,
    after_step: Callable[[Log], None] = lambda log: None,
    clock: Callable[[], float] = time.perf_counter,
) -> Log:
    """The plain loop: train `model` on `clips` in this process and return the log. Nothing is written.

    after_step: is shown the log after every step. clock: seconds, for a limit in minutes. Ends in evaluation mode.
    """
    device = next(model.parameters()).device
    optimizer, log = Optimizer(model, config.weight_decay, config.muon, config.backbone_rate), Log()
    precision = fastest_precision(model.encoder, model.config.size) if config.precision == "auto" else config.precision
    start, done = clock(), 0.0
    sampler = ClipBatchSampler(config, lambda: done)
    loader = iter(DataLoader(RawClips(clips), batch_sampler=sampler, collate_fn=collate_clips))
    model.save_memory = config.save_memory
    model.train()
    while done < 1:
        batch = prepare_batch(next(loader), device, size_at(config, done))
        rate = learning_rate(config, len(log), done)
        loss = train_step(model, optimizer, batch, rate, config.max_grad_norm, precision, config.soft_iou)
        row = {"iteration": len(log), "loss": loss, "learning_rate": rate, "length": batch.frames.shape[1]}
        log.append(row | {"seconds": clock() - start})
        after_step(log)
        done = progress(config, len(log), clock() - start)
    model.eval()
    return log
