"""The report transcribed, in plain PyTorch: VGG-16 called frame by frame, one object a pass. Imports nothing of ours.

    python benchmarks/plain_port.py train|infer [--repeats N] [--bfloat16] [--frames T] [--objects K]

prints {"seconds"}: the median of a training step on one clip of 5 frames at 256x448 (report 3.1 to 3.6), or of a
frame at inference, every object by itself. Random weights: what they are does not change the time.
"""

import argparse
import json
import time
from statistics import median

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy
from torchvision.models import vgg16

SIZE = (256, 448)


class PlainConvLSTM(nn.Module):
    """One convolution each for the input and the state of every gate (report 3.4)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.of_input = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(4))
        self.of_state = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1, bias=False) for _ in range(4))

    def forward(self, x: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        h, c = state
        i, f, o, g = (a(x) + b(h) for a, b in zip(self.of_input, self.of_state, strict=True))
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return c.tanh() * torch.sigmoid(o), c


class PlainModel(nn.Module):
    """Initializer, Encoder, ConvLSTM and Decoder of the report (3.2 to 3.5)."""

    def __init__(self) -> None:
        super().__init__()
        self.to_rgb = nn.Conv2d(4, 3, 3, padding=1)
        self.first = vgg16(weights=None).features
        self.to_h, self.to_c = nn.Conv2d(512, 512, 1), nn.Conv2d(512, 512, 1)
        self.every = vgg16(weights=None).features
        self.project = nn.Conv2d(512, 512, 1)
        self.lstm = PlainConvLSTM(512)
        layers: list[nn.Module] = []
        for inputs, outputs in ((512, 512), (512, 256), (256, 128), (128, 64), (64, 64)):
            layers += [
                nn.Upsample(scale_factor=2, mode="bilinear"),
                nn.Conv2d(inputs, outputs, 5, padding=2),
                nn.ReLU(),
            ]
        self.decoder = nn.Sequential(*layers, nn.Conv2d(64, 1, 5, padding=2), nn.Sigmoid())

    def forward(self, frames: torch.Tensor, mask: torch.Tensor) -> list[torch.Tensor]:
        features = self.first(self.to_rgb(torch.cat([frames[:, 0], mask], dim=1)))
        state = self.to_h(features), self.to_c(features)
        masks = []
        for t in range(1, frames.shape[1]):
            state = self.lstm(self.project(self.every(frames[:, t])), state)
            masks.append(self.decoder(state[0]))
        return masks


def train_seconds(repeats: int, frames: int, bfloat16: bool) -> float:
    """The median time of a training step."""
    model = PlainModel()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    clip, truth = torch.randn(1, frames, 3, *SIZE), (torch.rand(1, frames, 1, *SIZE) > 0.5).float()
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            masks = model(clip, truth[:, 0])
        loss = sum(binary_cross_entropy(mask.float(), truth[:, t + 1]) for t, mask in enumerate(masks)) / len(masks)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seconds.append(time.perf_counter() - start)
    return median(seconds[1:])


@torch.no_grad()
def infer_seconds(repeats: int, frames: int, objects: int) -> float:
    """The median time of a frame of a video with some objects, each in a pass of its own."""
    model = PlainModel().eval()
    clip, mask = torch.randn(1, frames, 3, *SIZE), torch.zeros(1, 1, *SIZE)
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(objects):
            model(clip, mask)
        seconds.append((time.perf_counter() - start) / frames)
    return median(seconds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("train", "infer"))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--frames", type=int, default=5)
    parser.add_argument("--objects", type=int, default=3)
    parser.add_argument("--bfloat16", action="store_true")
    args = parser.parse_args()
    if args.what == "train":
        found = train_seconds(args.repeats, args.frames, args.bfloat16)
    else:
        found = infer_seconds(args.repeats, args.frames, args.objects)
    print(json.dumps({"seconds": found}))
