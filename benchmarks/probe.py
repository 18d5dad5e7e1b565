"""What compare.py runs in a process of its own, once for each checkout: one measurement, again and again.

    python benchmarks/probe.py probe_new|probe_old MEASURE DATA

Says first which package it has imported and what the measurement comes to, then after each line on stdin the seconds
of one run and how much was done in it. An API is a module with `training_step`, `inference` and `loader`.
"""

import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

Run = Callable[[], tuple[int, float]]  # what is timed; returns how much was done, and a number to compare
# What is measured, in which unit: with an API on the set in a folder.
MEASURES: dict[str, tuple[str, Callable[[ModuleType, Path], Run]]] = {
    "course step, float32": ("s", lambda api, data: api.training_step("course", "float32", 8, data)),
    "course step, bfloat16": ("s", lambda api, data: api.training_step("course", "bfloat16", 8, data)),
    "full-size step, float32": ("s", lambda api, data: api.training_step("report", "float32", 1, data)),
    "inference, base": ("frames/s", lambda api, data: api.inference(False, data)),
    "inference, updated": ("frames/s", lambda api, data: api.inference(True, data)),
    "loader, cache off": ("clips/s", lambda api, data: api.loader(False, data)),
    "loader, cache on": ("clips/s", lambda api, data: api.loader(True, data)),
}


def main() -> None:
    """Make ready, run once without the clock, then once a line."""
    api, measure, data = sys.argv[1:]
    run = MEASURES[measure][1](import_module(api), Path(data))
    _, value = run()
    print(json.dumps({"package": sys.modules["vos"].__file__, "value": float(value)}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        amount, _ = run()
        print(json.dumps({"seconds": time.perf_counter() - start, "amount": amount}), flush=True)


if __name__ == "__main__":
    main()
