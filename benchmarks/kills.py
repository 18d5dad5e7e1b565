"""Twenty SIGKILLs at random moments of one training: does it end with the same bits as one that was never stopped?

    python benchmarks/kills.py [--kills N] [--seed S] [--json] [--save]

One thread and float32, on six drawn videos, the course preset: `python -m vos train ... --resume` is started, killed,
and started again, until it has been killed often enough; then it may end, and its weights are compared.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import harness
import torch

from vos.engine.checkpoints import read_checkpoint
from vos.engine.log import read_rows
from vos.synthetic.dataset import draw_dataset

ITERATIONS = 120


def command(data: Path, run: Path) -> list[str]:
    """The training's command."""
    words = ["train", "--data", data, "--out", run, "--resume", "--model", "updated", "--iterations", ITERATIONS]
    words += ["--batch", 2, "--checkpoint-every", 3, "--precision", "float32"]
    return [sys.executable, "-m", "vos", *map(str, words)]


def main() -> None:
    """Kill, resume, compare."""
    parser = harness.arguments(__doc__)
    parser.add_argument("--kills", type=int, default=20, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: %(default)s)")
    args = parser.parse_args()
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    moments, kills, within = random.Random(args.seed), 0, []
    with tempfile.TemporaryDirectory() as scratch:
        data, whole, run = (Path(scratch) / name for name in ("set", "whole", "run"))
        draw_dataset(data, train=6, valid=1, seed=0, progress=False)
        subprocess.run(command(data, whole), check=True, capture_output=True, env=environment)
        pace = read_rows(whole / "log.csv")[-1]["seconds"] / ITERATIONS
        while kills < args.kills:
            process = subprocess.Popen(
                command(data, run), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
            )
            assert process.stdout is not None
            process.stdout.readline()  # the training is about to begin
            time.sleep(moments.uniform(0, 8 * pace) + (0 if (run / "last.pt").exists() else 4 * pace))
            if process.poll() is not None:
                raise SystemExit("the training ended before it was killed often enough: more iterations are needed")
            process.kill()
            process.wait()
            kills += 1
            within.append(read_checkpoint(run / "last.pt")["iterations"] if (run / "last.pt").exists() else 0)
        subprocess.run(command(data, run), check=True, capture_output=True, env=environment)
        ours, theirs = (read_checkpoint(folder / "last.pt")["model"] for folder in (run, whole))
        same = ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in ours)
    row = {"benchmark": "kills", "kills": kills, "iterations": ITERATIONS, "checkpoints_at_kills": within}
    harness.emit([row | {"same_bits": same}], args.json)
    if args.save:
        harness.save("kills", [row | {"same_bits": same}])
    if not same:
        raise SystemExit("the weights differ")


if __name__ == "__main__":
    main()
