"""Attention to the first frame: where is what I was shown?                              (report 6; Vaswani et al. 2017)

    k_t = W_k * e_t                           keys, the same convolution for every frame
    v_0 = W_v * [h_0 ; c_0 ; y_0]             values: what is known of the object in each cell of frame 0
    a(p, q) = softmax over q of               how much cell p of frame t looks at cell q of frame 0
        -|k_t(p) - k_0(q)|^2 / sqrt(D)
    r_t(p) = sum over q of a(p, q) v_0(q)     what is read

The keys hold no mask, so all objects that begin in one frame share a. The distance instead of a product keeps a few
long keys from drawing all attention (Cheng et al. 2021).
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from vos.config import ModelConfig


class Memory(NamedTuple):
    """What is kept of frame 0: keys (B, D, h, w), or (1, ...) where all objects began in it; values (B, C, h, w)."""

    keys: Tensor
    values: Tensor


class Attention(nn.Module):
    """Cells of a frame look at the cells of frame 0 that are like them, and read what is known there."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        channels = config.state_channels
        self.to_key = nn.Conv2d(channels, config.key_channels, 3, padding=1)
        self.to_value = nn.Conv2d(2 * channels + 1, channels, 1)

    def remember(self, encoded: Tensor, state: tuple[Tensor, Tensor], mask: Tensor) -> Memory:
        """encoded: e_0 (B or 1, C, h, w); state (h_0, c_0) and mask y_0 (B, 1, H, W) of the objects."""
        small = adaptive_avg_pool2d(
            mask, (encoded.shape[-2], encoded.shape[-1])
        )  # the share of each cell that is the object's
        return Memory(self.to_key(encoded), self.to_value(torch.cat([*state, small.to(state[0].dtype)], dim=1)))

    def weights(self, encoded: Tensor, keys: Tensor) -> Tensor:
        """a: (B, T * h * w, cells of frame 0), each row of sum 1; encoded e_t (B, T, C, h, w), keys (B, D, h, w)."""
        ours = self.to_key(encoded.flatten(0, 1)).unflatten(0, encoded.shape[:2])
        return affinity(ours.transpose(1, 2).flatten(2), keys.flatten(2))

    def read(self, encoded: Tensor, memory: Memory) -> Tensor:
        """r_t for all t: e_t (B or 1, T, C, h, w) -> (B, T, C, h, w)."""
        objects, channels = memory.values.shape[:2]
        shared = len(memory.keys) == 1  # then all objects' values are read with the same weights
        values = memory.values.flatten(2).reshape(len(memory.keys), -1, memory.values[0, 0].numel())
        assert shared or len(memory.keys) == objects
        read = values @ self.weights(encoded.expand(len(memory.keys), -1, -1, -1, -1), memory.keys).mT
        read = read.reshape(objects, channels, encoded.shape[1], *encoded.shape[-2:])
        return read.transpose(1, 2)


def affinity(ours: Tensor, theirs: Tensor) -> Tensor:
    """a: keys of a frame (B, D, P) and of frame 0 (B, D, Q) -> (B, P, Q), each row of sum 1."""
    # |k - k_0|^2 = |k|^2 - 2 k k_0 + |k_0|^2, and |k|^2 is the same for all q.
    nearness = 2 * ours.mT @ theirs - theirs.square().sum(dim=1, keepdim=True)
    return (nearness / theirs.shape[1] ** 0.5).softmax(dim=-1)
