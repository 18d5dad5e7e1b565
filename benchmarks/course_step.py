"""How near is a step of the course's training to its convolutions alone? On one thread, as a report trains.

    python benchmarks/course_step.py [--json] [--save] [--repeats N]

One row for each stage of the recipe of the synthetic set and each precision that this processor has: seconds of a step
of the base model, with Muon, of its convolutions and their gradients alone (forward and both gradients, same precision
and layout), and of the optimizer; limit_ratio: convolutions alone / step, 1 is the limit. All take turns; medians.
"""

from statistics import median

import harness
import torch
from training import Step, convolutions_alone

from vos.config import PRESETS
from vos.fast.precision import fastest_precision
from vos.networks import build
from vos.training import SYNTHETIC


def stage_row(precision: str, length: int, clips: int, repeats: int) -> dict:
    """A stage of the curriculum: clips of `length` frames."""
    step = Step("course", precision, length, clips, muon=SYNTHETIC.muon)
    step()
    runs = {"step": step, "optimizer": lambda: step.optimizer.step(1e-4, precision)}
    rounds = [harness.medians(runs, 1) | {"convolutions": convolutions_alone(step)} for _ in range(repeats)]
    seconds = {name: median(found[name] for found in rounds) for name in rounds[0]}
    row = {"benchmark": "course step", "precision": precision, "frames": length, "clips": clips}
    row |= {f"{name}_s": value for name, value in seconds.items()}
    return row | {"limit_ratio": seconds["convolutions"] / seconds["step"]}


def main() -> None:
    """Measure, print, and save where asked."""
    parser = harness.arguments(__doc__)
    parser.add_argument("--repeats", type=int, default=7, help="steps of each kind (default: %(default)s)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    fastest = fastest_precision(build("base").encoder, PRESETS["course"].size)
    rows = []
    for precision in dict.fromkeys(("float32", fastest)):
        for _, length, clips in SYNTHETIC.curriculum:
            rows.append(stage_row(precision, length, clips, args.repeats))
            harness.emit(rows[-1:], args.json)
    if args.save:
        harness.save("course_step", rows)


if __name__ == "__main__":
    main()
