"""The same numbers, sooner: two layers of the Decoder, and time's way in and out. Skip them on a first reading."""

from collections.abc import Sequence
from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, pad


class LastConvolution(nn.Conv2d):
    """A convolution, computed as a transposed convolution with the flipped kernel.

    It is the same sum, and its backward pass is up to five times as fast on processors when outputs are few.
    """

    padding: tuple[int, int]  # not one of the words that Conv2d also takes

    def forward(self, x: Tensor) -> Tensor:
        flipped = self.weight.flip(-1, -2).transpose(0, 1)
        return conv_transpose2d(x, flipped, self.bias, padding=self.padding)


def first_cell(kernel: int, half: int) -> int:
    """Offset of the leftmost low-resolution cell that contributes to an output pixel in this half of a cell (1-D)."""
    cell, second = divmod(half - kernel // 2, 2)
    return cell if second else cell - 1


def cells_in_taps(kernel: int) -> Tensor:
    """(2, cells, kernel): the weight of each low-resolution cell in each kernel tap, for outputs in either half (1-D).

    A cell is a pixel of the map before upsampling, a tap an entry of the kernel. For output 2k + half, tap j meets the
    upsampled pixel 2k + half + j - kernel // 2, and that is 3/4 of the cell it lies in and 1/4 of the nearer neighbour.
    Entry a is cell k + first_cell(kernel, half) + a.
    """
    shares = torch.zeros(2, kernel // 2 + 2, kernel)
    for half in (0, 1):
        for tap in range(kernel):
            cell, second = divmod(half + tap - kernel // 2, 2)
            neighbour = cell + 1 if second else cell - 1
            shares[half, cell - first_cell(kernel, half), tap] += 0.75
            shares[half, neighbour - first_cell(kernel, half), tap] += 0.25
    return shares


class UpsampledConvolution(nn.Conv2d):
    """Upsampling x2 and a convolution of odd kernel: (N, inputs, h, w) -> (N, outputs, 2h, 2w).

    Equals `Upsample(2, "bilinear")`, then `Conv2d(..., padding_mode="replicate")`. An upsampled pixel is a mean of
    cells, so a convolution of upsampled pixels is a smaller one of cells: one for each quarter of a cell that an
    output can lie in. A 5x5 kernel has 25 taps, and they reach over 4x4 cells: 16 products instead of 25, and the
    upsampled map is never written. With zeros beyond the border it would not hold there.
    """

    shares: Tensor

    def __init__(self, inputs: int, outputs: int, kernel: int, bias: bool = True) -> None:
        super().__init__(inputs, outputs, kernel, padding=kernel // 2, padding_mode="replicate", bias=bias)
        self.register_buffer("shares", cells_in_taps(kernel), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        first, second = (first_cell(self.kernel_size[0], half) for half in (0, 1))
        start = (0, second - first)  # of what each half depends on, in the padded map
        height, width = (size + self.shares.shape[1] - 1 for size in x.shape[-2:])
        x = pad(x, [-first] * 4, mode="replicate")

        def quarter(p: int, q: int) -> Tensor:
            cells = x[:, :, start[p] : start[p] + height, start[q] : start[q] + width]
            return conv2d(cells, self.weight_of_cells(p, q), self.bias).permute(0, 2, 3, 1)

        rows = [torch.stack([quarter(p, 0), quarter(p, 1)], dim=3) for p in (0, 1)]
        quarters = torch.stack(rows, dim=2)  # (N, h, 2, w, 2, outputs), as a channels_last map lies in memory
        return quarters.flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2)

    def weight_of_cells(self, p: int, q: int) -> Tensor:
        """(outputs, inputs, cells, cells): for outputs in half p of a cell's height and half q of its width."""
        device = self.weight.device.type
        knows_autocast = torch.amp.is_autocast_available(device)  # "meta", which counts FLOPs, does not
        # Without autocast, for the weights are to be rounded once: when they are used.
        with torch.autocast(device, enabled=False) if knows_autocast else nullcontext():
            shares = torch.kron(self.shares[p], self.shares[q])  # (cells * cells, kernel * kernel)
            weight = shares @ self.weight.permute(0, 2, 3, 1).flatten(1, 2)
        return weight.unflatten(1, self.shares.shape[1:2] * 2).permute(0, 3, 1, 2)


def unbind_time(x: Tensor) -> tuple[Tensor, ...]:
    """`x.unbind(1)` of (B, T, C, h, w), whose gradient is written in channels_last again, as convolutions want it."""
    return tuple(frame.permute(0, 3, 1, 2) for frame in x.permute(0, 1, 3, 4, 2).unbind(1))


def stack_time(frames: Sequence[Tensor]) -> Tensor:
    """`torch.stack(frames, dim=1)` of T maps (B, C, h, w), in channels_last as they are."""
    return torch.stack([frame.permute(0, 2, 3, 1) for frame in frames], dim=1).permute(0, 1, 4, 2, 3)
