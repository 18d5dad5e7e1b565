"""Several processes that train one model (torchrun): who I am, sums over all, and BatchNorm over all.

With a single process nothing here does anything, so the training loop is the same for one core and for many GPUs.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn.parallel import DistributedDataParallel

from vos.networks import best_device


@dataclass(frozen=True)
class Ranks:
    """This process among those that train together: the rank-th of `count`, on a device of its own."""

    rank: int
    count: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this process prints, validates and writes files."""
        return self.rank == 0


def single() -> Ranks:
    """The only process there is."""
    return Ranks(0, 1, best_device())


@contextmanager
def joined() -> Iterator[Ranks]:
    """Join the other processes, where torchrun has started this one (RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR ...)."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield single()
        return
    device = best_device()
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Ranks(dist.get_rank(), dist.get_world_size(), device)
    finally:
        dist.destroy_process_group()
        # DistributedDataParallel keeps gloo's threads alive. One that still lets go of its last tensor while the
        # interpreter ends aborts the process (pytorch/pytorch#190489); asleep, we leave it the interpreter's lock.
        time.sleep(0.5)


def summed(values: Sequence[float], ranks: Ranks) -> list[float]:
    """Each value summed over all processes."""
    if ranks.count == 1:
        return list(values)
    total = torch.tensor(values, dtype=torch.float64, device=ranks.device)
    dist.all_reduce(total)
    return total.tolist()


def from_first(value: object, ranks: Ranks) -> object:
    """The first process's value, for all."""
    if ranks.count == 1:
        return value
    held = [value]
    dist.broadcast_object_list(held)
    return held[0]


def wrapped(model: nn.Module, ranks: Ranks) -> nn.Module:
    """The model as training calls it: with several processes, gradients are averaged over them."""
    if ranks.count == 1:
        return model
    synchronise_normalisation(model)
    devices = [ranks.device] if ranks.device.type == "cuda" else None
    return DistributedDataParallel(model, device_ids=devices, broadcast_buffers=False)


def synchronise_normalisation(model: nn.Module) -> None:
    """Let every BatchNorm of the model take its statistics over all processes: same weights, other class."""
    for module in model.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SynchronisedBatchNorm


class SynchronisedBatchNorm(nn.BatchNorm2d):
    """BatchNorm over the clips of all processes; torch's own SyncBatchNorm knows no processors, only GPUs."""

    def forward(self, x: Tensor) -> Tensor:
        if not (self.training and dist.is_initialized()):
            return super().forward(x)
        values = x.float()
        count = torch.tensor([values.numel() / values.shape[1]], device=x.device)
        sums = SumOverRanks.apply(torch.cat([values.sum(dim=(0, 2, 3)), count]))
        mean, count = sums[:-1] / sums[-1], sums[-1]
        centred = values - mean[:, None, None]
        variance = SumOverRanks.apply(centred.square().sum(dim=(0, 2, 3))) / count
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(x.dtype)


class SumOverRanks(torch.autograd.Function):
    """The sum of a tensor over all processes; so is its gradient, as every process's loss depends on the sum."""

    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        gradient = gradient.clone()
        dist.all_reduce(gradient)
        return gradient
