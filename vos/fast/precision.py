"""In which precision a processor is faster: measured, not assumed."""

import time

import torch
from torch import Tensor, nn


def fastest_precision(encoder: nn.Module, size: tuple[int, int]) -> str:
    """ "bfloat16" where `encoder` is clearly faster in it on frames of `size` (H, W), else "float32". Takes 1 s.

    Where a processor only imitates bfloat16, it can take a hundred times as long: one frame says so.
    """
    frames = torch.zeros(8, 3, *size, device=next(encoder.parameters()).device)
    float32 = min(seconds(encoder, frames, "float32") for _ in range(4))
    if seconds(encoder, frames[:1], "bfloat16") > 2 * float32:
        return "float32"
    bfloat16 = min(seconds(encoder, frames, "bfloat16") for _ in range(4))
    return "bfloat16" if bfloat16 < 0.8 * float32 else "float32"


@torch.no_grad()
def seconds(encoder: nn.Module, frames: Tensor, precision: str) -> float:
    """How long the encoder takes for frames (N, 3, H, W)."""
    start = time.perf_counter()
    with torch.autocast(frames.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        encoder(frames).sum().item()  # .item() waits for a GPU
    return time.perf_counter() - start
