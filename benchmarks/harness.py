"""What every benchmark shares: interleaved timing, medians, a table or JSON lines, and a results file."""

import argparse
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

from vos.course.workspace import ROOT, provenance
from vos.files import write_json


def medians(runs: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """The median seconds of each run. They take turns, so that a busy machine is busy for all of them alike."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return {name: median(values) for name, values in seconds.items()}


def untuned() -> dict[str, str]:
    """The environment for a process that is to run as if this package had never been imported."""
    return {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}


def memory_MB(what: str = "VmHWM") -> float:
    """The peak of this process's memory since it started (VmHWM), or what it has now (VmRSS); Linux.

    The peak that getrusage tells would begin with that of the process which started this one.
    """
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) / 1024


def arguments(description: str) -> argparse.ArgumentParser:
    """A parser with the options that all benchmarks have."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object a line instead of a table")
    parser.add_argument("--save", action="store_true", help="write data/results/ and figures/, as committed")
    return parser


def emit(rows: list[dict], as_json: bool) -> None:
    """Print rows as they are measured: JSON lines, or words."""
    for row in rows:
        words = (f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}" for key, value in row.items())
        print(json.dumps(row) if as_json else "  ".join(words), flush=True)


def save(name: str, rows: list[dict]) -> Path:
    """Write data/results/benchmark_NAME.json: all rows of one run, and what they were measured on."""
    path = ROOT / "data/results" / f"benchmark_{name}.json"
    write_json(path, {"rows": rows, "provenance": provenance()})
    return path
