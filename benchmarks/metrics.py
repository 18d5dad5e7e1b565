"""How fast are J and F? Against the same definitions with OpenCV, on masks of real size; one core.

    pip install -e '.[benchmark]'
    python benchmarks/metrics.py [--data DAVIS] [--json] [--save]

- score: milliseconds for J and F of one object in one frame of 480x854, with 1, 2, 3 and 5 objects in the frame.
  OpenCV's way is lean: boundary by array slices, cv2.dilate with the disk, no more passes than the definition needs.
  The toolkit's way has the steps of the DAVIS-2017 toolkit (toolkit_way.py).
- folders: from two folders of PNGs to the final numbers, in one process on one core, and decoding alone, the floor.
- command: `python -m vos evaluate` on all cores against decoding alone on all cores, and its peak memory.

--data: a DAVIS folder, for real masks (scored against the masks some frames before) beside the drawn ones.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import cv2
import harness
import numpy as np
import toolkit_way
from matplotlib.figure import Figure

from vos.course.workspace import ROOT
from vos.figures.style import BASE, WIDTH, save, styled
from vos.masks import read_mask, write_mask
from vos.metrics import boundary, score_frames
from vos.scoring.evaluate import evaluate, usable_cores

SIZE = (480, 854)
OBJECTS = (1, 2, 3, 5)
FRAMES, REPEATS = 12, 7
VIDEOS, LENGTH = 8, 60  # of the folders
Scores = tuple[np.ndarray, np.ndarray]


def with_opencv(prediction: np.ndarray, truth: np.ndarray, objects: list[int]) -> Scores:
    """J and F, (T, K) each, of id maps (T, H, W), object by object: the lean way."""
    element = toolkit_way.disk(math.ceil(0.008 * math.hypot(*truth.shape[1:])))
    J, F = np.empty((2, len(truth), len(objects)))
    for t in range(len(truth)):
        for k, number in enumerate(objects):
            p, y = prediction[t] == number, truth[t] == number
            union = np.count_nonzero(p | y)
            J[t, k] = np.count_nonzero(p & y) / union if union else 1.0
            edges = boundary(p), boundary(y)
            near_p, near_y = (cv2.dilate(edge.view(np.uint8), element) for edge in edges)
            sizes = [np.count_nonzero(edge) for edge in edges]
            if 0 in sizes:
                F[t, k] = float(sizes[0] == sizes[1])
                continue
            precision = np.count_nonzero(edges[0] & (near_y > 0)) / sizes[0]
            recall = np.count_nonzero(edges[1] & (near_p > 0)) / sizes[1]
            F[t, k] = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return J, F


def blobs(count: int, frames: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Id maps (T, H, W) of `count` wobbly blobs, of the sizes real objects have, and a prediction that is a bit off."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    maps = np.zeros((2, frames, *SIZE), np.uint8)
    for number in range(1, count + 1):
        centre = rng.uniform((0.2, 0.2), (0.8, 0.8)) * SIZE
        reach, waves, phase = rng.uniform(40, 110), rng.integers(3, 9), rng.uniform(0, 6)
        for side in range(2):
            for t in range(frames):
                dy, dx = y - centre[0] - 3 * t - 5 * side, x - centre[1] - 5 * t - 4 * side
                outline = reach * (1 + 0.25 * np.sin(waves * np.arctan2(dy, dx) + phase + 0.1 * t + 0.2 * side))
                maps[side, t][np.hypot(dy, dx) < outline] = number
    return maps[0], maps[1]


def score_rows(data: Path | None) -> list[dict]:
    """Milliseconds for an object in a frame; the last drawn row sums up the others."""
    cases: dict[str, Callable[[], tuple[np.ndarray, np.ndarray]]] = {
        f"drawn, objects {n}": lambda n=n: blobs(n, FRAMES, n) for n in OBJECTS
    }
    if data is not None:
        cases["DAVIS-2016, objects 1"] = lambda: real_pairs(data)
    rows, total = [], np.zeros(4)
    for name, make in cases.items():
        truth, prediction = make()
        objects = list(range(1, int(name[-1]) + 1))
        for other in (with_opencv, toolkit_way.score_video):
            for ours, theirs in zip(
                score_frames(prediction, truth, objects), other(prediction, truth, objects), strict=True
            ):
                np.testing.assert_array_equal(ours, theirs)
        ways = (score_frames, with_opencv, toolkit_way.score_video)
        runs = {way.__name__: lambda way=way: way(prediction, truth, objects) for way in ways}  # noqa: B023
        seconds = list(harness.medians(runs, REPEATS).values())
        rows.append(score_row(name, len(truth) * len(objects), *seconds))
        if name.startswith("drawn"):
            total += [len(truth) * len(objects), *seconds]
    return [*rows[: len(OBJECTS)], score_row("drawn, all", *total), *rows[len(OBJECTS) :]]


def score_row(name: str, units: float, ours: float, opencv: float, toolkit: float) -> dict:
    """One row of milliseconds for an object in a frame."""
    ms = {"ms": 1000 * ours / units, "opencv_ms": 1000 * opencv / units, "toolkit_ms": 1000 * toolkit / units}
    ratios = {"opencv_ratio": opencv / ours, "toolkit_ratio": toolkit / ours}
    return {"benchmark": "score", "masks": name} | ms | ratios


def real_pairs(data: Path) -> tuple[np.ndarray, np.ndarray]:
    """Real masks, and as a prediction those two frames before, of every third sequence."""
    folders = sorted((data / "Annotations/480p").iterdir())[::3]
    pairs = [sorted(folder.glob("*.png"))[10:13:2] for folder in folders]
    maps = np.array([[read_mask(path) for path in pair] for pair in pairs if len(pair) == 2])
    maps = maps[[m.shape == SIZE for m in maps[:, 0]]]
    return np.ascontiguousarray(maps[:, 1]), np.ascontiguousarray(maps[:, 0])


def write_videos(folder: Path) -> tuple[Path, Path]:
    """(truth, prediction): folders of VIDEOS videos of LENGTH frames, with 1, 2, 3 and 5 objects in turn."""
    for number in range(VIDEOS):
        maps = blobs(OBJECTS[number % len(OBJECTS)], LENGTH, 100 + number)
        for side, stack in zip(("truth", "prediction"), maps, strict=True):
            for t, ids in enumerate(stack):
                write_mask(folder / side / f"video{number}" / f"{t:05}.png", ids)
    return folder / "truth", folder / "prediction"


def evaluate_lean(truth: Path, prediction: Path) -> list[float]:
    """The mean J and F of every object with the lean way to score: whole videos in memory, one after the other."""
    numbers = []
    for folder in sorted(truth.iterdir()):
        names = sorted(path.name for path in folder.iterdir())
        maps = [np.array([read_mask(side / folder.name / name) for name in names]) for side in (prediction, truth)]
        objects = list(range(1, int(maps[1][0].max()) + 1))
        J, F = with_opencv(maps[0][1:-1], maps[1][1:-1], objects)
        numbers += [column.mean() for column in (*J.T, *F.T)]
    return numbers


def decode(truth: Path, prediction: Path, workers: int = 1) -> None:
    """Read every pair that is scored, and do nothing with it."""
    names = [path.relative_to(truth) for folder in sorted(truth.iterdir()) for path in sorted(folder.iterdir())[1:-1]]
    with ThreadPoolExecutor(workers) as pool:
        for side in (truth, prediction):
            for _ in pool.map(lambda name: read_mask(side / name).sum(), names):  # noqa: B023
                pass


def folder_row(truth: Path, prediction: Path) -> dict:
    """Seconds from PNG folders to numbers, one core. The toolkit's way runs in a process that is not tuned by ours."""
    toolkit: list[dict] = []

    def by_toolkit() -> None:
        words = [sys.executable, str(Path(toolkit_way.__file__)), str(truth), str(prediction)]
        toolkit.append(json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout))

    runs = {
        "ours": lambda: evaluate(truth, prediction, progress=False, workers=1),
        "opencv": lambda: evaluate_lean(truth, prediction),
        "toolkit": by_toolkit,
        "decoding": lambda: decode(truth, prediction),
    }
    s = harness.medians(runs, 3)
    s["toolkit"] = median(run["seconds"] for run in toolkit)  # without starting Python
    mine = [
        entry[key] for entry in evaluate(truth, prediction, progress=False)["objects"] for key in ("J_mean", "F_mean")
    ]
    np.testing.assert_allclose(sorted(mine), sorted(toolkit[0]["numbers"]), rtol=1e-12)
    np.testing.assert_allclose(sorted(mine), sorted(evaluate_lean(truth, prediction)), rtol=1e-12)
    ratios = {f"{name}_ratio": s[name] / s["ours"] for name in ("opencv", "toolkit")}
    return (
        {"benchmark": "folders", "masks": f"{VIDEOS} videos of {LENGTH} frames"}
        | {f"{name}_s": value for name, value in s.items()}
        | ratios
        | {"over_decoding_ratio": s["ours"] / s["decoding"]}
    )


def predicted_folder(truth: Path, folder: Path) -> Path:
    """A prediction for real masks: each one some pixels to the side, as palette PNGs."""
    for path in sorted(truth.glob("*/*.png")):
        write_mask(folder / path.parent.name / path.name, np.roll(read_mask(path), (5, 9), axis=(0, 1)))
    return folder


def command_row(truth: Path, prediction: Path) -> dict:
    """`python -m vos evaluate` on all cores: seconds, those of decoding alone, and the peak of its memory."""
    words = [sys.executable, "-m", "vos", "evaluate", "--truth", str(truth), "--prediction", str(prediction)]
    # A small process in between: the peak of a child that is started from here would count this process's memory.
    measure = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
    measure += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
    peaks: list[float] = []

    def evaluate_by_command() -> None:
        done = subprocess.run([sys.executable, "-c", measure, *words], check=True, capture_output=True, text=True)
        peaks.append(float(done.stdout))

    runs = {"command": evaluate_by_command, "decoding": lambda: decode(truth, prediction, usable_cores())}
    s = harness.medians(runs, 3)
    return {
        "benchmark": "command",
        "masks": f"{sum(1 for _ in truth.iterdir())} sequences",
        "command_s": s["command"],
        "decoding_s": s["decoding"],
        "over_decoding_ratio": s["command"] / s["decoding"],
        "peak_MB": max(peaks),
    }


def figure(rows: list[dict]) -> Figure:
    """Milliseconds for J and F of one object in one frame, three ways, by what is in the frame."""
    scores = [row for row in rows if row["benchmark"] == "score" and "all" not in row["masks"]]
    with styled():
        drawn = Figure(figsize=(WIDTH, 3.8), layout="constrained")
        axes = drawn.add_subplot()
        ways = (
            ("ms", "vos", BASE),
            ("opencv_ms", "OpenCV, lean", "#979797"),
            ("toolkit_ms", "as the toolkit", "#636363"),
        )
        for position, (key, label, color) in enumerate(ways):
            bars = axes.bar(np.arange(len(scores)) + 0.27 * (position - 1), [row[key] for row in scores], 0.25)
            for bar, row in zip(bars, scores, strict=True):
                bar.set(color=color)
                axes.annotate(f"{row[key]:.2f}", (bar.get_x() + 0.125, row[key]), ha="center", va="bottom", fontsize=8)
            bars.set_label(label)
        axes.set_xticks(range(len(scores)), [row["masks"] for row in scores])
        axes.set(ylabel="milliseconds", title="J and F of one object in a frame of 480 x 854, one core")
        drawn.legend(loc="outside lower center", ncols=3)
    return drawn


def main() -> None:
    """Measure, print, and save where asked."""
    parser = harness.arguments(__doc__)
    parser.add_argument("--data", type=Path, metavar="DAVIS", help="a DAVIS folder, for real masks as well")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    rows = score_rows(args.data)
    harness.emit(rows, args.json)
    with tempfile.TemporaryDirectory() as scratch:
        truth, prediction = write_videos(Path(scratch))
        rows.append(folder_row(truth, prediction))
        harness.emit(rows[-1:], args.json)
        if args.data:
            truth = args.data / "Annotations/480p"
            prediction = predicted_folder(truth, Path(scratch) / "real")
        rows.append(command_row(truth, prediction))
        harness.emit(rows[-1:], args.json)
    if args.save:
        harness.save("metrics", rows)
        save(figure(rows), ROOT / "figures/benchmark_metrics.png")


if __name__ == "__main__":
    main()
