"""Exercises of lesson 2: the ConvLSTM."""

from collections.abc import Callable

import torch
from torch import Tensor

from vos.config import ModelConfig
from vos.course.exercises.compare import compare
from vos.networks import ConvLSTM


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
