"""How fast is the model that is shipped for real video? From frames of 480x854 in files to id maps of that size.

    python benchmarks/real.py [--json] [--save]

- frames: frames a second with 1 and 3 objects, with and without the mirror image.
- memory: peak of 1,000 frames over that of 100, one object, in processes of their own.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import harness
import numpy as np
import torch
from PIL import Image

from vos.config import InferenceConfig
from vos.data import Video, VideoObject
from vos.inference import segment
from vos.masks import write_mask
from vos.networks import build

FRAMES, SIZE = 40, (480, 854)


def video_in(folder: Path, frames: int, objects: int) -> Video:
    """A still of noise and squares, on disk once, however many frames it has."""
    rng = np.random.default_rng(0)
    picture, mask = rng.integers(0, 255, (*SIZE, 3), np.uint8), np.zeros(SIZE, np.uint8)
    for number in range(objects):
        mask[150:330, 60 + 260 * number : 260 + 260 * number] = number + 1
        picture[mask == number + 1] = 80 * (number + 1)
    frame, ids = folder / f"frame{objects}.jpg", folder / f"mask{objects}.png"
    Image.fromarray(picture).save(frame)
    write_mask(ids, mask)
    every = tuple(range(frames))
    found = tuple(VideoObject(number + 1, None, 0, every) for number in range(objects))
    return Video("noise", (frame,) * frames, (ids, *[None] * (frames - 1)), found)


def frame_rows(folder: Path) -> list[dict]:
    """1 and 3 objects, one view and two; all take turns."""
    model = build("attention", "real").eval()
    runs, rows = {}, []
    for objects in (1, 3):
        video = video_in(folder, FRAMES, objects)
        for mirror in (False, True):
            config = InferenceConfig(mirror=mirror)
            runs[f"{objects} {mirror}"] = lambda video=video, config=config: list(segment(model, video, config))
            rows.append({"benchmark": "frames", "objects": objects, "mirror": mirror})
    seconds = harness.medians(runs, 3)
    return [row | {"frames_per_s": FRAMES / s} for row, s in zip(rows, seconds.values(), strict=True)]


def peak_memory(frames: int) -> float:
    """MB at the peak of segmenting a video, in a process of its own."""
    script = f"import real; real.segment_long({frames})"
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=Path(__file__).parent
    )
    return float(done.stdout)


def segment_long(frames: int) -> None:
    """What `peak_memory` runs."""
    with tempfile.TemporaryDirectory() as folder:
        for _ in segment(build("attention", "real").eval(), video_in(Path(folder), frames, 1)):
            pass
    print(harness.memory_MB())


def main() -> None:
    """Measure, print, and save where asked."""
    args = harness.arguments(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        rows = frame_rows(Path(scratch))
    short, long = peak_memory(100), peak_memory(1000)
    rows.append({"benchmark": "memory", "frames_100_MB": short, "frames_1000_MB": long, "memory_ratio": long / short})
    harness.emit(rows, args.json)
    if args.save:
        harness.save("real", rows)


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
