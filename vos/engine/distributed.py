"""Several processes that train one model (torchrun): which one this is, sums over all, and BatchNorm over all.

With a single process nothing here does anything, so the training loop is the same for one core and for many GPUs.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.distributed.nn.functional import all_reduce
from torch.nn.parallel import DistributedDataParallel


def best_device() -> torch.device:
    """An NVIDIA GPU where there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@dataclass(frozen=True)
class Distributed:
    """This process among the `world_size` that train together, with a device of its own; by default the only one."""

    rank: int = 0
    world_size: int = 1
    device: torch.device = field(default_factory=best_device)

    @property
    def is_main(self) -> bool:
        """Whether this process prints, validates and writes files."""
        return self.rank == 0


@contextmanager
def init_distributed() -> Iterator[Distributed]:
    """Join the other processes, where torchrun has started this one (RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR ...)."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Distributed()
        return
    device = best_device()
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Distributed(distributed.get_rank(), distributed.get_world_size(), device)
    finally:
        distributed.destroy_process_group()
        # DistributedDataParallel keeps gloo's threads alive. One that still lets go of its last tensor while the
        # interpreter ends aborts the process (pytorch/pytorch#190489); asleep, we leave it the interpreter's lock.
        time.sleep(0.5)


def all_reduce_sum(values: Sequence[float], dist: Distributed) -> list[float]:
    """Each value summed over all processes."""
    if dist.world_size == 1:
        return list(values)
    total = torch.tensor(values, dtype=torch.float64, device=dist.device)
    distributed.all_reduce(total)
    return total.tolist()


def broadcast(value: Any, dist: Distributed) -> Any:
    """The main process's value, for all."""
    if dist.world_size == 1:
        return value
    held = [value]
    distributed.broadcast_object_list(held)
    return held[0]


def wrap_ddp(model: nn.Module, dist: Distributed) -> nn.Module:
    """The model as training calls it: with several processes, gradients are averaged over them."""
    if dist.world_size == 1:
        return model
    convert_batch_norm(model)
    devices = [dist.device] if dist.device.type == "cuda" else None
    return DistributedDataParallel(model, device_ids=devices, broadcast_buffers=False)


def convert_batch_norm(model: nn.Module) -> None:
    """Make every BatchNorm of the model one over all processes: the same module, with another `forward`."""
    for module in model.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SyncBatchNorm


class SyncBatchNorm(nn.BatchNorm2d):
    """BatchNorm over the clips of all processes; torch's own SyncBatchNorm knows no processors, only GPUs."""

    def forward(self, x: Tensor) -> Tensor:
        if not (self.training and distributed.is_initialized()):
            return super().forward(x)
        values = x.float()
        count = torch.tensor([values.numel() / values.shape[1]], device=x.device)
        # The gradient of `all_reduce` is itself summed over all processes, as every loss depends on the sum.
        sums = all_reduce(torch.cat([values.sum(dim=(0, 2, 3)), count]))
        mean, count = sums[:-1] / sums[-1], sums[-1]
        centred = values - mean[:, None, None]
        variance = all_reduce(centred.square().sum(dim=(0, 2, 3))) / count
        assert self.num_batches_tracked is not None and self.momentum is not None
        assert self.running_mean is not None and self.running_var is not None
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(x.dtype)
