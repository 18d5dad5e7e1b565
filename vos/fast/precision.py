"""In which precision a processor is faster: measured, not assumed."""

import time

import torch
from torch import nn


def fastest_precision(encoder: nn.Module, size: tuple[int, int]) -> str:
    """ "bfloat16" where `encoder` is clearly faster in it on frames of `size` (H, W), else "float32". Takes 1 s."""
    device = next(encoder.parameters()).device
    frames = torch.zeros(8, 3, *size, device=device)
    seconds = {}
    for precision in ("float32", "bfloat16"):
        times = []
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            for _ in range(4):
                start = time.perf_counter()
                encoder(frames).sum().item()  # .item() waits for a GPU
                times.append(time.perf_counter() - start)
        seconds[precision] = min(times)
    return "bfloat16" if seconds["bfloat16"] < 0.8 * seconds["float32"] else "float32"
