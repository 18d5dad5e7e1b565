"""The measurements of compare.py in the package's present API. probe_old.py computes the same."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from probe import Run

from vos.clips import ClipDataset
from vos.data import VOSDataset
from vos.engine.trainer import Trainer
from vos.inference import segment
from vos.networks import build
from vos.training import train_config


def trainer_of(preset: str, data: Path, cache: bool, **changes: Any) -> Trainer:
    """The training of a new base model by the recipe of the drawn set, with some settings changed."""
    torch.manual_seed(0)
    model, config = build("base", preset), replace(train_config(preset, synthetic=True), minutes=None, **changes)
    how = config.strides, config.augment, config.seed, config.late_start
    return Trainer(model, ClipDataset(VOSDataset(data).train, model.config.size, *how, cache), config, data)


def training_step(preset: str, precision: str, batch: int, data: Path) -> Run:
    """A step on a batch of clips of 5 frames; its value is the loss."""
    trainer = trainer_of(preset, data, cache=False, precision=precision, curriculum=((0.0, 5, batch),))
    clips = trainer.next_batch(trainer.loader())

    def run() -> tuple[int, float]:
        trainer.step(clips)
        return 1, trainer.log[-1]["loss"]

    return run


def inference(updated: bool, data: Path) -> Run:
    """A video of 60 frames with the course preset, mirror on; its value is the number of painted pixels."""
    torch.manual_seed(0)
    model, video = build("updated" if updated else "base", "course"), VOSDataset(data).valid[0]
    masks = (*video.mask_paths, *[None] * (2 * len(video)))
    video = replace(video, frame_paths=3 * video.frame_paths, mask_paths=masks)
    return lambda: (len(video), sum(np.count_nonzero(ids) for ids in segment(model, video)))


def loader(cache: bool, data: Path) -> Run:
    """The clips of 20 batches of the course recipe, all its lengths; their value is the sum of all pixels."""
    trainer = trainer_of("course", data, cache, precision="float32", iterations=20)

    def run() -> tuple[int, float]:
        batches = trainer.loader()
        found = [trainer.next_batch(batches) for _ in range(20)]
        return sum(len(batch.frames) for batch in found), sum(batch.frames.sum().item() for batch in found)

    return run
