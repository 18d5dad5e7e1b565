"""How fast is inference? Against a plain port at full size; what a further object costs; memory on a long video.

    python benchmarks/inference.py [--json] [--save]

- frame: seconds a frame with 3 objects at 256x448, ours in float32 and bfloat16 (one view of the video, as the plain
  port has), and the plain port's, every object in a pass of its own, in a process of its own.
- objects: seconds a frame with 1 to 8 objects. further_ratio: the cost of one more object over that of the first.
- course: frames a second of the course preset from frames on disk to id maps at 256x448, one object.
- memory: peak of 1,000 frames over that of 100, both models, in processes of their own.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import harness
import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image

from vos.config import InferenceConfig
from vos.course.workspace import ROOT
from vos.data import Video, VideoObject
from vos.figures.style import BASE, UPDATED, WIDTH, save, styled
from vos.inference import object_probabilities, segment
from vos.masks import write_mask
from vos.networks import build

FRAMES, SIZE = 6, (256, 448)


def video_in(folder: Path, frames: int, objects: int) -> Video:
    """A video of noise that is on disk once, however many frames it has: each is the same file."""
    rng = np.random.default_rng(0)
    picture, mask = folder / "frame.jpg", folder / f"mask{objects}.png"
    Image.fromarray(rng.integers(0, 255, (*SIZE, 3), np.uint8)).save(picture)
    ids = np.zeros(SIZE, np.uint8)
    for number in range(objects):
        ids[60:200, 10 + 54 * number : 50 + 54 * number] = number + 1
    write_mask(mask, ids)
    every = tuple(range(frames))
    found = tuple(VideoObject(number + 1, None, 0, every) for number in range(objects))
    return Video("noise", (picture,) * frames, (mask, *[None] * (frames - 1)), found)


def exhaust(results: Iterator[object]) -> None:
    """Compute everything, keep nothing."""
    for _ in results:
        pass


def frame_rows(folder: Path) -> list[dict]:
    """Full size, 3 objects. All take turns."""
    model, video = build("base", "report").eval(), video_in(folder, FRAMES, 3)
    plain: list[float] = []

    def by_plain_port() -> None:
        words = [sys.executable, str(Path(__file__).with_name("plain_port.py")), "infer", "--repeats", "1"]
        words += ["--frames", str(FRAMES)]
        done = subprocess.run(words, check=True, capture_output=True, text=True, env=harness.untuned())
        plain.append(json.loads(done.stdout)["seconds"])

    runs = {"plain": by_plain_port}
    for precision in ("float32", "bfloat16"):
        config = InferenceConfig(mirror=False, precision=precision)
        runs[precision] = lambda config=config: exhaust(object_probabilities(model, video, config))
        runs[precision]()  # the first is not timed
    s = {name: seconds / FRAMES for name, seconds in harness.medians(runs, 3).items()}
    s["plain"] = float(np.median(plain))
    return [
        {"benchmark": "frame", "precision": precision, "objects": 3, "ours_s": s[precision], "plain_port_s": s["plain"]}
        | {"plain_port_ratio": s["plain"] / s[precision]}
        for precision in ("float32", "bfloat16")
    ]


def object_rows(folder: Path) -> list[dict]:
    """Full size, bfloat16, 1 to 8 objects."""
    model, config = build("base", "report").eval(), InferenceConfig(mirror=False, precision="bfloat16")
    counts = (1, 2, 3, 4, 6, 8)
    videos = {count: video_in(folder, FRAMES, count) for count in counts}
    runs = {
        str(count): lambda video=video: exhaust(object_probabilities(model, video, config))
        for count, video in videos.items()
    }
    s = {int(count): seconds / FRAMES for count, seconds in harness.medians(runs, 3).items()}
    further = (s[8] - s[1]) / 7 / s[1]
    return [
        {"benchmark": "objects", "objects": count, "frame_s": s[count], "further_ratio": further} for count in counts
    ]


def course_row(folder: Path) -> dict:
    """The course preset, from files to id maps."""
    model, video = build("base", "course").eval(), video_in(folder, 60, 1)
    runs = {
        "once": lambda: exhaust(segment(model, video, InferenceConfig(mirror=False))),
        "both views": lambda: exhaust(segment(model, video)),
    }
    s = harness.medians(runs, 3)
    return {"benchmark": "course", "frames_per_s": 60 / s["once"], "with_mirror_frames_per_s": 60 / s["both views"]}


def peak_memory(kind: str, frames: int) -> float:
    """MB at the peak of segmenting a video with the course preset, in a process of its own."""
    script = f"import inference; inference.segment_long({kind!r}, {frames})"
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=Path(__file__).parent
    )
    return float(done.stdout)


def segment_long(kind: str, frames: int) -> None:
    """What `peak_memory` runs."""
    with tempfile.TemporaryDirectory() as folder:
        exhaust(segment(build(kind, "course").eval(), video_in(Path(folder), frames, 2)))
    print(harness.memory_MB())


def memory_rows() -> list[dict]:
    """100 and 1,000 frames."""
    rows = []
    for kind in ("base", "updated"):
        short, long = peak_memory(kind, 100), peak_memory(kind, 1000)
        rows.append({"benchmark": "memory", "model": kind, "frames_100_MB": short, "frames_1000_MB": long})
        rows[-1]["memory_ratio"] = long / short
    return rows


def figure(rows: list[dict]) -> Figure:
    """Seconds a frame against the number of objects, and what as many passes would take."""
    chosen = [row for row in rows if row["benchmark"] == "objects"]
    counts, seconds = (np.array([row[key] for row in chosen]) for key in ("objects", "frame_s"))
    with styled():
        drawn = Figure(figsize=(WIDTH, 3.4), layout="constrained")
        axes = drawn.add_subplot()
        axes.plot(counts, seconds, marker="o", color=BASE, label="objects together: frames encoded once")
        axes.plot(counts, seconds[0] * counts, color=UPDATED, linestyle="--", label="a pass for each object")
        axes.set(xlabel="objects in the video", ylabel="seconds a frame", title="Inference at 256 x 448, bfloat16")
        axes.set_ylim(bottom=0)
        axes.legend()
    return drawn


def main() -> None:
    """Measure, print, and save where asked."""
    args = harness.arguments(__doc__).parse_args()
    rows: list[dict] = []
    with tempfile.TemporaryDirectory() as scratch:
        for measure in (frame_rows, object_rows, lambda folder: [course_row(folder)], lambda _: memory_rows()):
            found = measure(Path(scratch))
            harness.emit(found, args.json)
            rows += found
    if args.save:
        harness.save("inference", rows)
        save(figure(rows), ROOT / "figures/benchmark_inference.png")


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
