"""How fast is a training step at full size? Against a plain port, and against the machine's own limit.

    python benchmarks/training.py [--json] [--save] [--repeats N]

- step: one clip of 5 frames, one object, 256x448, in float32 and bfloat16: seconds of ours, of the same convolutions
  alone (forward and both gradients, same precision and layout), and of the plain port (plain_port.py) in a process of
  its own that nothing has tuned. limit_ratio: convolutions alone / ours, 1 is the limit.
- kernel: the share of a course step's processor time that is spent in the kernel.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import harness
import torch
from torch.nn.functional import conv2d, conv_transpose2d
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from vos.clips import Batch
from vos.config import PRECISIONS, ModelConfig
from vos.fast.optimizer import Optimizer
from vos.networks import BaseModel, build
from vos.training import train_step


def random_batch(model: BaseModel, length: int, clips: int) -> Batch:
    """Noise and random masks of the model's size; every frame counts."""
    frames = torch.randn(clips, length, 3, *model.config.size)
    masks = (torch.rand(clips, length, 1, *model.config.size) > 0.5).float()
    return Batch(frames, masks, torch.ones(clips, length), ["noise"] * clips)


class Step:
    """A training step of a new base model, ready to be called again and again."""

    def __init__(
        self,
        preset: str | ModelConfig,
        precision: str,
        length: int = 5,
        clips: int = 1,
        save_memory: bool = False,
        muon: float = 0.0,
    ) -> None:
        torch.manual_seed(0)
        self.model, self.precision = build("base", preset), precision
        self.model.save_memory = save_memory
        self.optimizer = Optimizer(self.model, 0.0, muon)
        self.batch = random_batch(self.model, length, clips)

    def __call__(self) -> None:
        train_step(self.model, self.optimizer, self.batch, rate=1e-4, precision=self.precision)


class Convolutions(TorchFunctionMode):
    """Notes every convolution that is called: the function, its arguments, and whether its input needs a gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.called: list[tuple[Callable, list[torch.Size], bool]] = []

    def __torch_function__(self, called: Callable, types: tuple, args: tuple = (), named: dict | None = None) -> object:
        named = named or {}
        if called in (conv2d, conv_transpose2d):
            x, weight, _, *further = args

            def alone(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
                return called(x, weight, None, *further, **named)

            self.called.append((alone, [x.shape, weight.shape], x.requires_grad))
        return called(*args, **named)


def convolutions_alone(step: Step) -> float:
    """Seconds of the step's convolutions and their gradients, each by itself, in its precision and layout."""
    with Convolutions() as convolutions:
        step.model(step.batch.frames, step.batch.masks[:, 0])
    dtype = getattr(torch, step.precision)
    seconds = 0.0
    for convolve, shapes, needs_gradient in convolutions.called:
        x, weight = (torch.randn(s, dtype=dtype).contiguous(memory_format=torch.channels_last) for s in shapes)
        of = (x.requires_grad_(), weight.requires_grad_()) if needs_gradient else (weight.requires_grad_(),)
        times = []
        for _ in range(3):
            start = time.perf_counter()
            y = convolve(x, weight)
            middle = time.perf_counter()
            gradient = torch.ones_like(y)
            begin = time.perf_counter()
            torch.autograd.grad(y, of, gradient)
            times.append(middle - start + time.perf_counter() - begin)
        seconds += min(times)
    return seconds


def plain_seconds(repeats: int, bfloat16: bool = False) -> float:
    """Seconds of the plain port's step, in an untuned process."""
    words = [sys.executable, str(Path(__file__).with_name("plain_port.py")), "train", "--repeats", str(repeats)]
    words += ["--bfloat16"] * bfloat16
    done = subprocess.run(words, check=True, capture_output=True, text=True, env=harness.untuned())
    return json.loads(done.stdout)["seconds"]


def step_rows(repeats: int) -> list[dict]:
    """Full size, both precisions. All take turns."""
    steps = {precision: Step("report", precision) for precision in PRECISIONS}
    with FlopCounterMode(display=False) as counter:
        steps["float32"]()
    flops = counter.get_total_flops()
    seconds: dict[str, list[float]] = {}
    for _ in range(repeats):
        seconds.setdefault("plain", []).append(plain_seconds(1))
        for precision, step in steps.items():
            step()  # as the plain port's: a step is timed after another one
            start = time.perf_counter()
            step()
            seconds.setdefault(precision, []).append(time.perf_counter() - start)
            seconds.setdefault(f"{precision} alone", []).append(convolutions_alone(step))
    s = {name: median(values) for name, values in seconds.items()}
    return [
        {"benchmark": "step", "precision": precision, "TFLOP": flops / 1e12, "ours_s": s[precision]}
        | {"convolutions_s": s[f"{precision} alone"], "plain_port_float32_s": s["plain"]}
        | {"GFLOP_per_s": flops / s[precision] / 1e9}
        | {"limit_ratio": s[f"{precision} alone"] / s[precision], "plain_port_ratio": s["plain"] / s[precision]}
        for precision in PRECISIONS
    ]


def kernel_row() -> dict:
    """The share of processor time in the kernel, over ten course steps."""
    step = Step("course", "bfloat16", 5, 8)
    step()
    before = resource.getrusage(resource.RUSAGE_SELF)
    for _ in range(10):
        step()
    after = resource.getrusage(resource.RUSAGE_SELF)
    kernel, user = after.ru_stime - before.ru_stime, after.ru_utime - before.ru_utime
    return {"benchmark": "kernel", "kernel_ratio": kernel / (kernel + user), "user_s": user, "kernel_s": kernel}


def main() -> None:
    """Measure, print, and save where asked."""
    parser = harness.arguments(__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="full-size steps of each kind (default: %(default)s)")
    args = parser.parse_args()
    rows = step_rows(args.repeats)
    harness.emit(rows, args.json)
    rows.append(kernel_row())
    harness.emit(rows[-1:], args.json)
    if args.save:
        harness.save("training", rows)


if __name__ == "__main__":
    main()
