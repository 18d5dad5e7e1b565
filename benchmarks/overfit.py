"""Does the full-size model learn? One real clip by heart, at 256x448 on this processor, until J is above 0.9.

    python benchmarks/overfit.py --data DAVIS [--sequence bear] [--json] [--save]

The report preset (VGG-16 twice, state 512x8x14) from random weights: ImageNet's are used where torchvision has them
on disk or can fetch them, and the row says which. J is the mean over the predicted frames at 256x448, threshold 0.5.
"""

import time
from pathlib import Path

import harness
import torch

from vos.clips import ClipDataset, prepare_batch
from vos.config import TrainConfig
from vos.data import VOSDataset
from vos.engine.pretrained import load_imagenet_weights
from vos.fast.optimizer import Optimizer
from vos.fast.precision import fastest_precision
from vos.files import VosError
from vos.metrics import region_similarity
from vos.networks import build
from vos.training import learning_rate, train_step


def main() -> None:
    """Train until J is above the goal, or the time is up."""
    parser = harness.arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DAVIS", help="a DAVIS folder")
    parser.add_argument("--sequence", default="bear", help="default: %(default)s")
    parser.add_argument("--frames", type=int, default=5, help="of the clip (default: %(default)s)")
    parser.add_argument("--learning-rate", type=float, default=1e-4, help="default: %(default)s")
    parser.add_argument("--goal", type=float, default=0.9, help="J to reach (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=40, help="give up after (default: %(default)s)")
    args = parser.parse_args()

    torch.manual_seed(0)
    model = build("base", "report")
    try:
        load_imagenet_weights(model)
        weights = "ImageNet"
    except VosError:
        weights = "random"
    precision = fastest_precision(model.encoder, model.config.size)
    video = VOSDataset(args.data, hold_out=False).train.named(args.sequence)
    batch = prepare_batch(ClipDataset([video], model.config.size).read_clip((0, args.frames)))
    truth = (batch.masks[0, 1:, 0] > 0).numpy()
    config = TrainConfig(learning_rate=args.learning_rate, warm_up=10, anneal=False)
    seen: list[torch.Tensor] = []  # logits of a step's own forward pass: another one for J would take a third more time
    model.register_forward_hook(lambda _model, _inputs, logits: seen.append(logits.detach()))
    optimizer, started, iteration, J = Optimizer(model, 0.0), time.perf_counter(), 0, 0.0
    model.train()
    while J <= args.goal and time.perf_counter() - started < 60 * args.minutes:
        rate = learning_rate(config, iteration, 0.0)
        loss = train_step(model, optimizer, batch, rate, config.max_grad_norm, precision)
        predicted = (seen.pop()[0, :, 0] > 0).numpy()
        J = sum(region_similarity(p, y) for p, y in zip(predicted, truth, strict=True)) / len(truth)
        iteration += 1
        if not args.json:
            print(f"iteration {iteration:4d}  loss {loss:.4f}  J {J:.3f}", flush=True)
    minutes = (time.perf_counter() - started) / 60
    row = {"benchmark": "overfit", "sequence": args.sequence, "frames": args.frames, "weights": weights}
    row |= {"precision": precision, "learning_rate": args.learning_rate, "iterations": iteration}
    row |= {"minutes": minutes, "J": J, "loss": loss}
    harness.emit([row], args.json)
    if args.save:
        harness.save("overfit", [row])
    if args.goal >= J:
        raise SystemExit(f"J {J:.3f} after {minutes:.1f} minutes: the goal of {args.goal} was not reached")


if __name__ == "__main__":
    main()
