"""Is the package still as fast as it was? An earlier commit against this one, on one machine, in one run.

    git worktree add /tmp/earlier COMMIT
    python benchmarks/compare.py /tmp/earlier [--only WORDS] [--repeats N] [--json]

- course step: seconds of a training step, base model, 8 clips of 5 frames; bfloat16 where this processor is faster so.
- full-size step: the same of the report preset, 1 clip of 5 frames.
- inference: frames a second of the course preset, a drawn video of 60 frames on disk, mirror on, both models.
- loader: clips a second of the course recipe, no worker, frames read anew each time or kept in memory.

Both sides take turns, each in a process of its own with the same interpreter, and read the same drawn set. Medians;
the first run of each is not timed. ratio: how many times as fast this commit is. That both compute the same is
checked on the first run.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import harness
from probe import MEASURES

from vos.fast.precision import fastest_precision
from vos.networks import build
from vos.synthetic.dataset import draw_dataset

NEW = Path(__file__).parents[1]
ALIKE = 0.01  # relative; another order of sums changes the last digits, another computation more than that


class Side:
    """One checkout with one measurement: a process that waits for its turn."""

    def __init__(self, checkout: Path, measure: str, data: Path) -> None:
        self.checkout, checkout = checkout, checkout.resolve()
        api = "probe_new" if (checkout / "vos/config.py").is_file() else "probe_old"
        words = [sys.executable, str(Path(__file__).with_name("probe.py")), api, measure, str(data)]
        environment = harness.untuned() | {"PYTHONPATH": str(checkout), "CUDA_VISIBLE_DEVICES": ""}
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        ready = self.answer()
        package = Path(ready["package"]).resolve()
        if not package.is_relative_to(checkout):  # an installed package would win over PYTHONPATH
            raise SystemExit(f"{self.checkout}: its process imported {package} instead; uninstall that")
        self.value: float = ready["value"]

    def __enter__(self) -> "Side":
        return self

    def __exit__(self, *_error: object) -> None:
        with self.process:  # closes its stdin, which ends it, and waits
            pass

    def answer(self) -> dict:
        """The next line that the process prints."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.checkout}: its process has ended; its message stands above")
        return json.loads(line)

    def run(self) -> dict:
        """One run: its seconds, and how much was done."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.answer()


def compare(measure: str, checkouts: tuple[Path, Path], data: Path, repeats: int) -> dict:
    """A row: the median of either side."""
    with Side(checkouts[0], measure, data) as old, Side(checkouts[1], measure, data) as new:
        seconds: dict[Side, list[float]] = {old: [], new: []}
        amount = 1
        for repeat in range(repeats):
            for side in (old, new) if repeat % 2 == 0 else (new, old):
                found = side.run()
                seconds[side].append(found["seconds"])
                amount = found["amount"]
        was, now = (median(values) for values in seconds.values())
        alike = math.isclose(old.value, new.value, rel_tol=ALIKE)
    unit = MEASURES[measure][0]
    numbers = {"old": was, "new": now} if unit == "s" else {"old": amount / was, "new": amount / now}
    return {"benchmark": "compare", "measure": measure, "unit": unit} | numbers | {"ratio": was / now, "alike": alike}


def main() -> None:
    """Draw the set, measure, print; exit code 1 where the two do not compute the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path, metavar="OLD_CHECKOUT", help="folder with an earlier commit")
    parser.add_argument("--only", default="", metavar="WORDS", help="measure only what has these words in its name")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each side (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line instead of a table")
    args = parser.parse_args()
    if not (args.old / "vos/__init__.py").is_file():
        parser.error(f"{args.old}: holds no checkout of this project, as there is no vos/__init__.py")
    course = build("base", "course")
    measures = [name for name in MEASURES if args.only in name]
    if fastest_precision(course.encoder, course.config.size) != "bfloat16":
        measures = [name for name in measures if "bfloat16" not in name]
    rows = []
    if not args.json:
        print(f"{'':24} {'old':>9} {'new':>9} {'ratio':>7}")
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "set"
        draw_dataset(data, train=6, valid=1, seed=0, progress=False)
        for measure in measures:
            row = compare(measure, (args.old, NEW), data, args.repeats)
            rows.append(row)
            if args.json:
                harness.emit([row], as_json=True)
                continue
            words = f"{measure:24} {row['old']:9.4g} {row['new']:9.4g} {row['ratio']:7.3f}  {row['unit']}"
            print(words if row["alike"] else f"{words}  NOT THE SAME", flush=True)
    if not all(row["alike"] for row in rows):
        raise SystemExit("old and new do not compute the same: their times say nothing about each other")


if __name__ == "__main__":
    main()
