"""What sees the picture: two stacks of convolutions behind one interface.

    VGG              the report's backbone: convolutions and poolings, one map of features        (report 3.2, 3.3)
    EfficientNetLite0   small and made for processors, with ImageNet's weights in a pip package   (Tan and Le 2019)

`features(x)` gives the deep map that becomes e_t, and finer ones for the Decoder's skip connections, if any.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate, pad

from vos.config import ModelConfig
from vos.data import IMAGENET_MEAN, IMAGENET_STD


class Features(NamedTuple):
    """What a backbone makes of pictures (N, 3, H, W): deep (N, width, h, w), and skips, from coarse to fine."""

    deep: Tensor
    skips: tuple[Tensor, ...] = ()


class VGG(nn.Sequential):
    """VGG's convolution layers: (B, 3, H, W) -> (B, width, h, w). The layers stand in torchvision's order."""

    skip_widths: tuple[int, ...] = ()

    def __init__(self, config: ModelConfig) -> None:
        layers: list[nn.Module] = []
        width = 3
        for widths in config.widths:
            for next_width in widths:
                stride = 1 if layers else config.patch
                layers += conv_block(width, next_width, 3 if stride == 1 else 2 * stride, config.batch_norm, stride)
                width = next_width
            layers.append(nn.MaxPool2d(2))
        for next_width in config.context_channels:
            layers += conv_block(width, next_width, 3, config.batch_norm)
            width = next_width
        if config.fc_width:
            layers += conv_block(width, config.fc_width, 7, config.batch_norm)
            width = config.fc_width
        super().__init__(*layers)
        self.width = width

    def features(self, x: Tensor) -> Features:
        return Features(self(x))


class EfficientNetLite0(nn.Module):
    """EfficientNet-Lite0 up to stride 16: (B, 3, H, W) -> (B, 152, H/8, W/8).

    Inverted residual blocks without squeeze-and-excitation, ReLU6. The deep map is that of stride 8 beside that of
    stride 16, enlarged. Skips have strides 4 and 2. It was trained on (pixel - 127) / 128, not on ImageNet's mean and
    standard deviation, which all our frames come with.
    """

    scale: Tensor
    shift: Tensor

    STAGES = (  # blocks, kernel, stride of the first, expansion, channels
        (1, 3, 1, 1, 16),
        (2, 3, 2, 6, 24),
        (2, 5, 2, 6, 40),
        (3, 3, 2, 6, 80),
        (3, 5, 1, 6, 112),
    )
    skip_widths = (24, 16)
    width = 40 + 112

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        frozen = config.frozen_norm
        mean, std = (torch.tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
        self.register_buffer("scale", 255 * std / 128, persistent=False)
        self.register_buffer("shift", (255 * mean - 127) / 128, persistent=False)
        self.stem = NormConv2d(3, 32, 3, 2, frozen=frozen)
        self.stages = nn.ModuleList()
        width = 32
        for blocks, kernel, stride, expansion, channels in self.STAGES:
            stage = nn.Sequential()
            for block in range(blocks):
                stage.append(InvertedResidual(width, channels, kernel, 1 if block else stride, expansion, frozen))
                width = channels
            self.stages.append(stage)

    def features(self, x: Tensor) -> Features:
        x = relu6(self.stem(x * self.scale + self.shift))
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        at_2, at_4, at_8, _, at_16 = maps
        deep = torch.cat([at_8, interpolate(at_16, at_8.shape[-2:], mode="bilinear", align_corners=False)], dim=1)
        return Features(deep, (at_4, at_2))

    def forward(self, x: Tensor) -> Tensor:
        return self.features(x).deep


class InvertedResidual(nn.Module):
    """1x1 to many channels, a convolution of each channel by itself, 1x1 back to few (Sandler et al. 2018)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int, frozen: bool) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expand = NormConv2d(inputs, wide, 1, frozen=frozen) if expansion > 1 else None
        self.depthwise = NormConv2d(wide, wide, kernel, stride, groups=wide, frozen=frozen)
        self.project = NormConv2d(wide, outputs, 1, frozen=frozen)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else relu6(self.expand(x))
        y = self.project(relu6(self.depthwise(y)))
        return x + y if self.adds else y


class NormConv2d(nn.Conv2d):
    """A convolution and its BatchNorm, padded as TensorFlow's SAME: where the stride is 2, more after than before.

    frozen: the statistics are never changed (a batch of clips is too small for them), so that the norm is a scale
    and a shift of the convolution's weights: one pass over the map for two, and the same gradients.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, frozen: bool = True
    ) -> None:
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01)
        self.frozen = frozen
        total = kernel - stride
        self.symmetric = max(total, 0) // 2 if total % 2 == 0 else None
        self.sides = [total // 2, total - total // 2] * 2

    def forward(self, x: Tensor) -> Tensor:
        if self.symmetric is None:
            x = pad(x, self.sides)
        padding = self.symmetric or 0
        if not self.frozen:
            return self.norm(conv2d(x, self.weight, None, self.stride, padding, groups=self.groups))
        norm = self.norm
        assert norm.running_mean is not None and norm.running_var is not None
        scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        weight, bias = self.weight * scale[:, None, None, None], norm.bias - norm.running_mean * scale
        return conv2d(x, weight, bias, self.stride, padding, groups=self.groups)


def relu6(x: Tensor) -> Tensor:
    """min(max(x, 0), 6), in place."""
    return nn.functional.relu6(x, inplace=True)


BACKBONES: dict[str, type[VGG] | type[EfficientNetLite0]] = {"vgg": VGG, "efficientnet-lite0": EfficientNetLite0}


def conv_block(inputs: int, outputs: int, kernel: int, batch_norm: bool, stride: int = 1) -> list[nn.Module]:
    """Convolution with SAME padding (stride 1; else the size divides by the stride), BatchNorm where asked, ReLU."""
    padding = (kernel - stride + 1) // 2
    return conv_norm_relu(nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=not batch_norm))


def conv_norm_relu(convolution: nn.Conv2d) -> list[nn.Module]:
    """The convolution, BatchNorm where it has no bias of its own, ReLU.

    He's initialisation keeps the signal's size through VGG-16's thirteen layers, which have no BatchNorm.
    """
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    if convolution.bias is None:
        return [convolution, nn.BatchNorm2d(convolution.out_channels), nn.ReLU(inplace=True)]
    nn.init.zeros_(convolution.bias)
    return [convolution, nn.ReLU(inplace=True)]
