"""Training with less memory: activations are computed again when their gradient is, instead of being kept."""

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from vos.fast.layers import stack_time, unbind_time


def recomputed_over_time(layers: nn.Module, x: Tensor) -> Tensor:
    """Apply layers for (B, ...) to (B, T, ...) frame by frame, keeping no activations inside them.

    Raises ValueError for layers with BatchNorm, which would see one frame at a time, and each twice.
    """
    if any(isinstance(layer, nn.BatchNorm2d) for layer in layers.modules()):
        raise ValueError("save_memory would change what BatchNorm sees: it goes with networks without it")
    frames: list[Tensor] = [checkpoint(layers, frame, use_reentrant=False) for frame in unbind_time(x)]  # type: ignore
    return stack_time(frames)
