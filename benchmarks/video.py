"""How fast is `segment --video`, and how much memory does it take? 40 and 1,200 frames of 480x854 H.264; 120 of 1080p.

    python benchmarks/video.py --davis DIR [--json] [--save]

DIR is a DAVIS folder (480p); a sequence of it, forth and back, is encoded as the video. Each row is a process of its
own: seconds from the first frame to the last file (without loading), and the peak of its memory (VmHWM).
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import harness
import numpy as np
from PIL import Image

from vos.course.workspace import ROOT
from vos.video import video_writer

CASES = ((40, (480, 854)), (1200, (480, 854)), (120, (1080, 1920)))
SCRIPT = """
import json, sys, time
sys.path.insert(0, "benchmarks")
import harness
from vos.cli import main
from vos.video.results import Results
times, add = [], Results.add
Results.add = lambda self, *item: (times.append(time.perf_counter()), add(self, *item))[1]
assert main(sys.argv[1:]) == 0
print(json.dumps({"seconds": time.perf_counter() - times[-COUNT], "peak_MB": harness.memory_MB()}))
"""


def encode(path: Path, frames: Path, count: int, size: tuple[int, int]) -> None:
    """An H.264 video of so many frames (H, W), from the JPEGs of a folder."""
    pictures = [np.array(Image.open(p).convert("RGB").resize(size[::-1])) for p in sorted(frames.iterdir())]
    pictures += pictures[-2:0:-1]
    with video_writer(path) as write:
        for index in range(count):
            write(pictures[index % len(pictures)], index / 25)


def row(davis: Path, scratch: Path, count: int, size: tuple[int, int]) -> dict:
    """One run of `segment --video`."""
    video, mask = scratch / "clip.mp4", scratch / "first.png"
    encode(video, davis / "JPEGImages/480p/bear", count, size)
    with Image.open(davis / "Annotations/480p/bear/00000.png") as first:
        first.resize(size[::-1], Image.Resampling.NEAREST).save(mask)
    checkpoint, out = ROOT / "data/checkpoints/base.pt", scratch / f"out{count}"
    words = ["--checkpoint", checkpoint, "--video", video, "--mask", mask, "--out", out]
    script = SCRIPT.replace("COUNT", str(count))  # those before are the trial that says how long it takes
    done = subprocess.run(
        [sys.executable, "-c", script, "segment", *map(str, words)],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    return {
        "benchmark": "video", "frames": count, "size": f"{size[0]}x{size[1]}",
        "frames_per_s": count / found["seconds"], "peak_MB": found["peak_MB"],
    }  # fmt: skip


def main() -> None:
    """Measure, print, and save where asked."""
    parser = harness.arguments(__doc__)
    parser.add_argument("--davis", type=Path, required=True, help="folder of DAVIS at 480p")
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for count, size in CASES:
            rows.append(row(args.davis, Path(scratch), count, size))
            harness.emit(rows[-1:], args.json)
    if args.save:
        harness.save("video", rows)


if __name__ == "__main__":
    main()
