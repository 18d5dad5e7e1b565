"""What the tests of many processes run under torchrun: python parallel_training.py DATA RUN ITERATIONS [DIES AT]

DIES AT: the second process kills itself after so many iterations.
"""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import torch
from training_runs import FEW, clips_of, new_model

from vos import training
from vos.engine.distributed import joined

SETTINGS = replace(FEW, iterations=8, stages=((0.0, 2, 4), (0.5, 3, 2)), muon=3.0, checkpoint_every=2)


def main(data: Path, run: Path, stop: int, dies_at: int = 0) -> None:
    """Train up to an iteration, going on from what is there."""
    torch.set_num_threads(1)
    with joined() as ranks:
        step = training.Trainer.step

        def limited_step(self, *arguments, **named):
            if ranks.rank == 1 and dies_at and self.iteration == dies_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return step(self, *arguments, **{**named, "stop": named.get("stop") or self.iteration + 1 == stop})

        training.Trainer.step = limited_step
        model = new_model("video")
        try:
            training.train(model, clips_of(data), SETTINGS, run, ranks=ranks, resume=True)
        except KeyboardInterrupt:
            pass  # stopped where it was asked to
        if ranks.first:
            torch.save(gradients_of(model), run / "gradients.pt")


def gradients_of(model):
    """The gradients of the last step in one vector."""
    return torch.cat([weight.grad.flatten() for weight in model.parameters()])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:]))
