"""A small model and few iterations, for tests of training."""

import torch

from vos.clips import ClipDataset
from vos.config import ModelConfig, TrainConfig
from vos.data import VOSDataset
from vos.networks import build

SMALL = ModelConfig((32, 56), ((8,), (16,)), 12, (8, 8), batch_norm=True)
FEW = TrainConfig(iterations=6, curriculum=((0.0, 3, 2),), warm_up=2, precision="float32")


def clips_of(folder):
    """The training clips of a set, at the small model's size."""
    return ClipDataset(VOSDataset(folder).train, SMALL.size)


def new_model(name, seed=0):
    """A small model with the weights of a seed."""
    torch.manual_seed(seed)
    return build(name, SMALL)


def weights_of(model):
    """All weights and statistics of a model in one vector."""
    return torch.cat([value.double().flatten() for value in model.state_dict().values()])
