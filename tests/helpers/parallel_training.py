"""What the tests of many processes run under torchrun: python parallel_training.py DATA RUN ITERATIONS [DIES AT]

DIES AT: the second process kills itself after so many iterations.
"""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import torch
from helpers.training_runs import FEW, clips_of, new_model

from vos.engine.distributed import init_distributed
from vos.engine.trainer import Trainer

CONFIG = replace(FEW, iterations=8, curriculum=((0.0, 2, 4), (0.5, 3, 2)), muon=3.0, checkpoint_every=2)


def main(data: Path, run: Path, stop: int, dies_at: int = 0) -> None:
    """Train up to an iteration, going on from what is there."""

    class LimitedTrainer(Trainer):
        """Its last process is interrupted in the last step, or its second one killed before a step."""

        def step(self, batch):
            if self.dist.rank == 1 and dies_at and self.iteration == dies_at:
                os.kill(os.getpid(), signal.SIGKILL)
            if self.iteration + 1 == stop and self.dist.rank == self.dist.world_size - 1:
                signal.raise_signal(signal.SIGINT)
            super().step(batch)

    torch.set_num_threads(1)
    with init_distributed() as dist:
        model = new_model("updated")
        try:
            shown = keep_first_gradients(model, run) if dist.is_main else lambda log, done: None
            LimitedTrainer(model, clips_of(data), CONFIG, run, dist=dist, on_step=shown).fit(resume=True)
        except KeyboardInterrupt:
            pass  # stopped where it was asked to


def keep_first_gradients(model, run: Path):
    """An `on_step` that writes the gradients of the first step, in one vector, to RUN/gradients.pt."""

    def keep(log, done):
        if len(log) == 1:
            torch.save(torch.cat([weight.grad.flatten() for weight in model.parameters()]), run / "gradients.pt")

    return keep


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:]))
