"""What a training does when: its settings, the samples of every batch, and the learning rate."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from vos.files import VosError


@dataclass(frozen=True)
class TrainingSettings:
    """How a model is trained.

    iterations, minutes: training ends, its learning rate annealed, after whichever comes first; minutes None
        sets no limit and makes the result depend on the seed alone.
    stages: (from this share of the training on, clip length T, clips in a batch). Xu et al. lengthen clips too. With
        several processes each takes its share of the batch.
    unannotated: (from this share of the training on, share of clips that take every frame, annotated or not; those
        without annotation do not count in the loss). Xu et al. do so late in training.
    learning_rate: its peak, after `warm_up` iterations; a cosine takes it to zero at the end.
    muon: Muon's learning rate for the hidden convolutions, in units of learning_rate; 0: AdamW for all weights.
    precision: "float32", "bfloat16" (autocast), or "auto", the faster of the two, measured on this machine.
    save_memory: keep only a part of the activations and compute the others again: less memory, a third more time.
    checkpoint_every: iterations between checkpoints; 0 writes one at the end only.
    workers: processes that load clips; 0 loads them in the training process.
    """

    iterations: int = 1400
    minutes: float | None = None
    stages: tuple[tuple[float, int, int], ...] = ((0.0, 2, 24), (0.35, 5, 8), (0.65, 10, 4))
    unannotated: tuple[float, float] = (1.0, 0.0)
    learning_rate: float = 2e-3
    muon: float = 0.0
    weight_decay: float = 1e-4
    warm_up: int = 30
    clip_gradient: float = 1.0
    precision: str = "auto"
    save_memory: bool = False
    checkpoint_every: int = 0
    seed: int = 0
    workers: int = 0


class BatchNumbers:
    """This process's share of every batch, as (sample number, clip length, share of unannotated clips) for ClipDataset.

    `done`, the share of the training behind us, picks the stage: with a limit in minutes only the loop knows it.
    """

    def __init__(self, settings: TrainingSettings, rank: int = 0, ranks: int = 1) -> None:
        odd = [batch for _, _, batch in settings.stages if batch % ranks]
        if odd:
            raise VosError(
                f"--batch: {odd[0]} clips are not to be shared out evenly among {ranks} processes; change it"
            )
        self.settings, self.rank, self.ranks = settings, rank, ranks
        self.done, self.iteration, self.number = 0.0, 0, 0

    def begin(self, iteration: int, number: int) -> None:
        """Begin at an iteration, whose batch starts at sample `number`."""
        self.iteration, self.number = iteration, number

    def __len__(self) -> int:
        return self.settings.iterations - self.iteration

    def __iter__(self) -> Iterator[list[tuple[int, int, float]]]:
        number = self.number
        for iteration in range(self.iteration, self.settings.iterations):
            done = max(self.done, iteration / self.settings.iterations)  # loading may run ahead of the loop
            _, length, batch = max(stage for stage in self.settings.stages if stage[0] <= done)
            begins, share = self.settings.unannotated
            every = share if done >= begins else 0.0
            yield [(n, length, every) for n in range(number + self.rank, number + batch, self.ranks)]
            number += batch


def learning_rate(settings: TrainingSettings, iteration: int, done: float) -> float:
    """Linear warm-up, then half a cosine down to zero; `done` is the share of the training behind us, 0 to 1."""
    warm = min(1.0, (iteration + 1) / settings.warm_up) if settings.warm_up else 1.0
    return settings.learning_rate * warm * (0.5 + 0.5 * math.cos(math.pi * done))
