# ruff: noqa: I001  (vos.recipes is no longer there, so its import is not told to be ours)
"""OLD API: the measurements of compare.py in the package as it was before vos/config.py. For one comparison only.

It computes what probe_new.py does. Two commits that both have vos/config.py are compared without it.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from probe import Run

from vos.clips import ClipDataset
from vos.data import VideoObjectSegmentation
from vos.inference import segment
from vos.networks import build
from vos.recipes import recipe
from vos.training import Training


def training_of(preset: str, data: Path, cache: bool, **changes: Any) -> Training:
    """The training of a new base model by the recipe of the drawn set, with some settings changed."""
    torch.manual_seed(0)
    model, chosen = build("base", preset), recipe(preset, embedded=True)
    settings, videos = replace(chosen.training, minutes=None, **changes), VideoObjectSegmentation(data, "train")
    how = chosen.strides, chosen.augmentation, settings.seed, chosen.late_start
    torch.manual_seed(settings.seed)
    return Training(model, ClipDataset(videos, model.settings.size, *how, cache), settings, data)


def training_step(preset: str, precision: str, batch: int, data: Path) -> Run:
    """A step on a batch of clips of 5 frames; its value is the loss."""
    training = training_of(preset, data, cache=False, precision=precision, stages=((0.0, 5, batch),))
    clips = training.next_batch(training.loader())

    def run() -> tuple[int, float]:
        training.step(clips, training.done())
        return 1, training.log[-1]["loss"]

    return run


def inference(updated: bool, data: Path) -> Run:
    """A video of 60 frames with the course preset, mirror on; its value is the number of painted pixels."""
    torch.manual_seed(0)
    model, video = build("video" if updated else "base", "course"), VideoObjectSegmentation(data, "valid")[0]
    masks = (*video.mask_paths, *[None] * (2 * len(video)))
    video = replace(video, frame_paths=3 * video.frame_paths, mask_paths=masks)
    return lambda: (len(video), sum(np.count_nonzero(ids) for ids in segment(model, video)))


def loader(cache: bool, data: Path) -> Run:
    """The clips of 20 batches of the course recipe, all its lengths; their value is the sum of all pixels."""
    training = training_of("course", data, cache, precision="float32", iterations=20)

    def run() -> tuple[int, float]:
        batches = training.loader()
        found = [training.next_batch(batches) for _ in range(20)]
        return sum(len(batch["frames"]) for batch in found), sum(batch["frames"].sum().item() for batch in found)

    return run
