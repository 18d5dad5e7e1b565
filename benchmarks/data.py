"""Does the loader keep ahead of the model? Against decoding alone, on real video.

    python benchmarks/data.py --data DAVIS [--json] [--save]

Clips of 5 frames with their masks, as training takes them, on as many workers as there are cores, in clips a second:
decoding alone (JPEG at reduced scale, PNG masks, stretched to the model's size); the loader, which also draws clips
and hands batches over; and the two with what the training does to them on its device, here the processor: normalised
only, and augmented. And the clips a second that the model takes on this machine.
"""

import os
import time
from pathlib import Path
from statistics import median

import harness
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset
from training import Step

from vos.clips import ClipDataset, RawClips, clip_indices, collate_clips, prepare_batch
from vos.config import NO_AUGMENTATION, PRESETS
from vos.data import VOSDataset
from vos.training import REAL

LENGTH, CLIPS, REPEATS = 5, 40, 5


class Decoding(Dataset):
    """The same files as the clips of another set, read and stretched, and nothing else."""

    def __init__(self, clips: ClipDataset) -> None:
        self.clips = clips

    def __len__(self) -> int:
        return CLIPS

    def __getitem__(self, item: tuple[int, int]) -> int:
        number, length = item
        order = np.random.default_rng((0, 0, 0)).permutation(len(self.clips.pairs))
        video, target = self.clips.pairs[order[number % len(order)]]
        rng = np.random.default_rng((0, 1, number))
        total = 0
        for index in clip_indices(video, target, length, 1, rng):
            frame, ids = self.clips.load(video, index)
            total += int(frame[0, 0, 0]) + int(ids[0, 0])
        return total


def clips_per_second(dataset: Dataset, workers: int, finish: bool) -> float:
    """Of a loader that is running already."""
    batches = [[(2 * number, LENGTH), (2 * number + 1, LENGTH)] for number in range(CLIPS // 2 + 4)]
    collate = collate_clips if isinstance(dataset, RawClips) else None
    loader = iter(DataLoader(dataset, batch_sampler=batches, num_workers=workers, collate_fn=collate))
    for _ in range(4):
        next(loader)  # workers have started
    start = time.perf_counter()
    for batch in loader:
        if finish:
            prepare_batch(batch)
    return CLIPS / (time.perf_counter() - start)


def main() -> None:
    """Measure, print, and save where asked."""
    parser = harness.arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DAVIS", help="a DAVIS folder")
    args = parser.parse_args()
    videos = VOSDataset(args.data).train
    workers, rows = os.cpu_count() or 1, []
    for preset in ("course", "report"):
        config = PRESETS[preset]
        plain = ClipDataset(videos, config.size, augment=NO_AUGMENTATION, cache=False)
        full = ClipDataset(videos, config.size, augment=REAL.augment, cache=False)
        kinds = {
            "decoding": (Decoding(plain), False),
            "loader": (RawClips(full), False),
            "normalised": (RawClips(plain), True),
            "augmented": (RawClips(full), True),
        }
        rates: dict[str, list[float]] = {name: [] for name in kinds}
        for _ in range(REPEATS):
            for name, (dataset, finish) in kinds.items():
                rates[name].append(clips_per_second(dataset, workers, finish))
        rate = {name: median(values) for name, values in rates.items()}
        row = {"benchmark": "loader", "preset": preset, "workers": workers}
        row |= {f"{name}_clips_per_s": value for name, value in rate.items()}
        row |= {f"{name}_over_decoding_ratio": rate[name] / rate["decoding"] for name in list(kinds)[1:]}
        step = Step(preset, "bfloat16", LENGTH, 1 if preset == "report" else 8)
        step()
        start = time.perf_counter()
        step()
        row["model_clips_per_s"] = len(step.batch.frames) / (time.perf_counter() - start)
        row["loader_over_model_ratio"] = rate["loader"] / row["model_clips_per_s"]
        rows.append(row)
        harness.emit([row], args.json)
    if args.save:
        harness.save("data", rows)


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
