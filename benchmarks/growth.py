"""Does cost grow as it should? Against clip length T, batch, resolution, objects K and number of videos.

    python benchmarks/growth.py [--json] [--save]

- T, batch: seconds and memory of a training step, course preset; T at full size, with and without --save-memory.
- resolution: seconds of a training step of the course's network on larger pictures.
- K: seconds a frame at inference, course preset, 1 to 8 objects.
- videos: seconds to open a set of so many videos (as many as YouTube-VOS has, at the end) and to draw a clip of it.
Each in a process of its own, in which the first time is not counted; the median of five.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import harness
import numpy as np
from inference import exhaust, video_in
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from training import Step

from vos.clips import ClipDataset
from vos.config import PRESETS, InferenceConfig
from vos.course.workspace import ROOT, Workspace
from vos.data import VOSDataset
from vos.figures.style import BASE, UPDATED, WIDTH, save, styled
from vos.files import read_json, write_json
from vos.inference import object_probabilities
from vos.networks import build

YOUTUBE_VOS = 3471  # training videos
HEIGHTS = (64, 96, 128, 192, 256)
FULL, SAVING = "full size, T", "full size, T, save memory"
CASES = {
    "T": (2, 5, 10, 20),
    "batch": (2, 4, 8, 16),
    "resolution": HEIGHTS,
    FULL: (2, 5, 11),
    SAVING: (2, 5, 11),
    "K": (1, 2, 4, 6, 8),
    "videos": (100, 300, 1000, YOUTUBE_VOS),
}


def step_of(against: str, value: int) -> Step:
    """The training step of a case."""
    if against in (FULL, SAVING):
        return Step("report", "bfloat16", value, save_memory=against == SAVING)
    config, length, batch = PRESETS["course"], 5, 4
    if against == "T":
        length = value
    elif against == "batch":
        batch = value
    else:
        config = replace(config, size=(value, value * 7 // 4))
    return Step(config, "bfloat16", length, batch)


def seconds_of(run: Callable[[], object]) -> float:
    """The median of five, after one that does not count."""
    times = []
    for _ in range(6):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return median(times[1:])


def one_case(against: str, value: int) -> str:
    """What `measured_apart` runs: seconds, and for a step the peak of memory less what stood before, as JSON."""
    if against == "videos":
        return json.dumps(open_and_draw(value))
    if against == "K":
        with tempfile.TemporaryDirectory() as folder:
            model, video, once = build("base").eval(), video_in(Path(folder), 20, value), InferenceConfig(mirror=False)
            return json.dumps({"s": seconds_of(lambda: exhaust(object_probabilities(model, video, once))) / 20})
    step = step_of(against, value)
    before = harness.memory_MB("VmRSS")
    return json.dumps({"s": seconds_of(step), "MB": harness.memory_MB() - before})


def open_and_draw(count: int) -> dict[str, float]:
    """Seconds to open a set of `count` videos, the synthetic ones again and again under other names, and to draw."""
    source = Workspace.find().data / "train"
    videos = read_json(source / "meta.json")["videos"]
    names = list(videos)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "train")
        for kind in ("JPEGImages", "Annotations"):
            (target / kind).mkdir(parents=True)
        listed = {}
        for number in range(count):
            name, again = names[number % len(names)], f"{number:05d}"
            listed[again] = videos[name]
            for kind in ("JPEGImages", "Annotations"):
                (target / kind / again).symlink_to(source / kind / name)
        write_json(target / "meta.json", {"videos": listed})
        opening = seconds_of(lambda: VOSDataset(Path(folder), hold_out=False))
        clips = ClipDataset(VOSDataset(Path(folder), hold_out=False).train, PRESETS["course"].size, cache=False)
        numbers = iter(range(1000))
        drawing = seconds_of(lambda: [clips.read_clip((next(numbers), 5)) for _ in range(20)]) / 20
    return {"s": opening, "drawing_s": drawing}


def measured_apart(against: str, value: int) -> dict:
    """A row, measured in a process of its own."""
    words = [sys.executable, "-c", f"import growth; print(growth.one_case({against!r}, {value!r}))"]
    done = subprocess.run(words, check=True, capture_output=True, text=True, cwd=Path(__file__).parent)
    return {"benchmark": "growth", "against": against, "value": value} | json.loads(done.stdout.splitlines()[-1])


def figure(rows: list[dict]) -> Figure:
    """Six panels: what grows against what, and a grey line in proportion to the last value."""
    panels = (
        ("Training step, course", "T or batch", "seconds", "s", ("T", "batch")),
        ("Training step, full size", "T", "seconds", "s", (FULL, SAVING)),
        ("Its memory", "T", "MB", "MB", (FULL, SAVING)),
        ("Training step, course network", "pixels of a frame, thousands", "seconds", "s", ("resolution",)),
        ("Inference, course", "objects K", "seconds a frame", "s", ("K",)),
        ("Opening a set of videos", "videos", "seconds", "s", ("videos",)),
    )
    with styled():
        drawn = Figure(figsize=(WIDTH, 5.8), layout="constrained")
        for axes, (title, along, up, key, names) in zip(drawn.subplots(2, 3).flat, panels, strict=True):
            for name, color, line in zip(names, (BASE, UPDATED), ("-", "--"), strict=False):
                chosen = [row for row in rows if row["against"] == name]
                x, y = (np.array([row[k] for row in chosen], float) for k in ("value", key))
                if name == "resolution":
                    x = x * (x * 7 // 4) / 1000
                label = {FULL: "as it is", SAVING: "--save-memory", "videos": "open the set"}.get(name, name)
                if name != "batch":
                    axes.plot([0, x[-1]], [0, y[-1]], color="#BBBBBB", linewidth=1, zorder=1)
                axes.plot(x, y, marker="o", color=color, linestyle=line, label=label)
                if name == "videos":
                    drawing = [row["drawing_s"] for row in chosen]
                    axes.plot(x, drawing, marker="s", color=UPDATED, linestyle="--", label="draw a clip")
            axes.set(title=title, xlabel=along, ylabel=up)
            axes.set_xlim(left=0)
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
            axes.set_ylim(bottom=0)
            if len(axes.lines) > 2:
                axes.legend()
    return drawn


def main() -> None:
    """Measure, print, and save where asked."""
    args = harness.arguments(__doc__).parse_args()
    Workspace.find()  # draws the set where it is missing, once
    rows = []
    for against, values in CASES.items():
        rows += [measured_apart(against, value) for value in values]
        harness.emit(rows[-len(values) :], args.json)
    if args.save:
        harness.save("growth", rows)
        save(figure(rows), ROOT / "figures/benchmark_growth.png")


if __name__ == "__main__":
    main()
