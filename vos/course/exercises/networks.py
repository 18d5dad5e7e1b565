"""Exercises of lesson 2: the ConvLSTM, and how far a cell sees."""

import math
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from vos.config import PRESETS, ModelConfig
from vos.course.exercises.compare import compare
from vos.networks import ConvLSTM, count_parameters, over_time

Layers = list[tuple[int, int]]  # (kernel, stride) of each
VGG16: Layers = [layer for count in (2, 2, 3, 3, 3) for layer in [*[(3, 1)] * count, (2, 2)]]


def lstm_step(attempt: Callable) -> bool:
    """Notebook 02: attempt(gates (B, 4C, h, w), c (B, C, h, w)) -> (h', c'), the gates in the order i, f, o, g."""

    def reference(gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        lstm = small_lstm(4, c.shape[1])
        torch.nn.init.zeros_(lstm.hidden_to_gates.weight)  # the gates are given: the state adds nothing to them
        return lstm.step(gates, (torch.zeros_like(c), c))

    def as_torch(gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        i, f, g, o = gates.chunk(4, dim=1)
        return reference(torch.cat([i, f, o, g], dim=1), c)

    def without_tanh(gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        c = reference(gates, c)[1]
        return gates.chunk(4, dim=1)[2].sigmoid() * c, c

    torch.manual_seed(1)
    kept = torch.cat([torch.full((1, 2, 2, 2), value) for value in (-20.0, 20.0, 20.0, 0.0)], dim=1)
    cases = [
        ("one cell", (torch.randn(1, 4, 1, 1), torch.randn(1, 1, 1, 1))),
        ("a zero state", (torch.randn(2, 12, 3, 4), torch.zeros(2, 3, 3, 4))),
        ("a forget gate wide open", (kept, torch.randn(1, 2, 2, 2))),
        ("random", (torch.randn(2, 32, 8, 14), torch.randn(2, 8, 8, 14))),
    ]
    mistakes = [
        ("h' and c' are swapped; return (h', c').", lambda gates, c: reference(gates, c)[::-1]),
        ("the gates are taken in torch.nn.LSTM's order i, f, g, o; here it is i, f, o, g.", as_torch),
        ("h' = o * c', without tanh around c'.", without_tanh),
    ]
    return compare(attempt, reference, cases, mistakes)


def small_lstm(inputs: int, channels: int) -> ConvLSTM:
    """A ConvLSTM of the package with few channels."""
    return ConvLSTM(inputs, ModelConfig((16, 16), ((4,),), channels, (4,), batch_norm=False))


def all_frames_at_once(attempt: Callable) -> bool:
    """Notebook 02: attempt(layer, x (B, T, D, h, w)) -> (B, T, C, h', w'), as `vos.networks.over_time`."""

    def one_by_one(layer: nn.Module, x: Tensor) -> Tensor:
        return torch.stack([layer(x_t) for x_t in x.unbind(1)], dim=1)

    def mixed_up(layer: nn.Module, x: Tensor) -> Tensor:
        return over_time(layer, x.transpose(0, 1).reshape(x.shape))

    torch.manual_seed(1)
    conv = nn.Conv2d(3, 4, 3, padding=1)
    cases = [
        ("two videos of four frames", (conv, torch.randn(2, 4, 3, 5, 6))),
        ("one frame", (conv, torch.randn(1, 1, 3, 5, 6))),
        ("a layer that halves the grid", (nn.Conv2d(3, 2, 3, stride=2, padding=1), torch.randn(3, 2, 3, 8, 6))),
        ("BatchNorm in training, which looks at its whole batch", (nn.BatchNorm2d(3), torch.randn(2, 3, 3, 4, 5))),
    ]
    mistakes = [
        ("the layer is called anew for each frame; fold time into the batch, and call it once.",
         one_by_one),
        ("time and batch are still one axis; unfold it again.", lambda layer, x: over_time(layer, x).flatten(0, 1)),
        ("the axes of batch and time are exchanged.", lambda layer, x: over_time(layer, x).transpose(0, 1)),
        ("frames of one video have landed in another: unfold in the order in which you folded.", mixed_up),
        ("unfolded as (T, B) what was folded as (B, T).",
         lambda layer, x: over_time(layer, x).flatten(0, 1).unflatten(0, (x.shape[1], x.shape[0]))),
    ]  # fmt: skip
    return compare(attempt, over_time, cases, mistakes)


def lstm_weights(attempt: Callable) -> bool:
    """Notebook 02: attempt(D, C, k) -> how many weights a ConvLSTM of C channels has, its frames D, W_x k x k."""

    def reference(inputs: int, channels: int, kernel: int) -> int:
        with torch.device("meta"):
            return count_parameters(ConvLSTM(inputs, replace(PRESETS["course"], input_kernel=kernel), channels))

    cases = [
        ("different numbers of channels", (7, 4, 3)),
        ("W_x 1 x 1", (5, 3, 1)),
        ("one channel of each", (1, 1, 1)),
        ("the report's", (512, 512, 3)),
    ]
    mistakes = [
        ("this is one gate; there are four.", lambda D, C, k: reference(D, C, k) // 4),
        ("the bias is counted twice; only W_x has one.", lambda D, C, k: reference(D, C, k) + 4 * C),
        ("the biases are missing, one number for each gate and channel.", lambda D, C, k: reference(D, C, k) - 4 * C),
        ("W_h is 3 x 3, whatever the size of W_x.", lambda D, C, k: 4 * C * (k * k * (D + C) + 1)),
        ("W_x is k x k: k squared weights for each pair of channels.", lambda D, C, k: 4 * C * (k * D + 9 * C + 1)),
        ("W_h is missing.", lambda D, C, k: 4 * C * (k * k * D + 1)),
        ("W_h reads the state: C channels, not D.", lambda D, C, k: 4 * C * (k * k * D + 9 * D + 1)),
    ]
    return compare(attempt, reference, cases, mistakes)


def receptive_field(attempt: Callable) -> bool:
    """Notebook 02: attempt([(kernel, stride), ...]) -> how many pixels along one axis a cell at the end depends on."""

    def reference(layers: Layers) -> int:
        """Of what one cell is made: the pixels that its gradient reaches."""
        widest = math.prod(stride for _, stride in layers) * (sum(kernel for kernel, _ in layers) + 1)
        pixels = torch.ones(1, 1, widest, requires_grad=True)
        cells: Tensor = pixels
        for kernel, stride in layers:
            cells = nn.functional.conv1d(cells, torch.ones(1, 1, kernel) / kernel, stride=stride)
        (gradient,) = torch.autograd.grad(cells[0, 0, 0], pixels)
        return int((gradient > 0).sum())

    def without_strides(layers: Layers) -> int:
        return 1 + sum(kernel - 1 for kernel, _ in layers)

    def stride_too_early(layers: Layers) -> int:
        sees, jump = 1, 1
        for kernel, stride in layers:
            jump *= stride
            sees += (kernel - 1) * jump
        return sees

    cases = [
        ("one 3 x 3", ([(3, 1)],)),
        ("two 3 x 3", ([(3, 1), (3, 1)],)),
        ("a pooling and a 3 x 3", ([(2, 2), (3, 1)],)),
        ("strides of 2", ([(4, 2), (3, 2), (3, 1)],)),
        ("VGG-16's convolutions and poolings", (VGG16,)),
    ]
    mistakes = [
        ("kernels overlap: the second 3 x 3 adds 2 pixels, not 3.", lambda layers: sum(k for k, _ in layers)),
        ("strides are left out: behind a stride of 2, the next kernel's steps are 2 pixels long.", without_strides),
        ("a layer's stride widens the steps of the layers behind it, not its own.", stride_too_early),
        ("kernels are multiplied; each adds.", lambda layers: math.prod(k for k, _ in layers)),
    ]
    return compare(attempt, reference, cases, mistakes)
