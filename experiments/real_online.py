"""Does a model get better when it learns the first frame? J before, after, and of the mean of both, by steps.

    python experiments/real_online.py --steps 5 10 20 40

On the sequences that experiments/real.py holds out, with the committed weights; every number of steps starts from those
weights. What a model says before and after learning is merged apart and together, as `Segmenter` merges the mean.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
from real import davis_split

from vos.config import InferenceConfig
from vos.course.workspace import ROOT, provenance
from vos.data import Video, only_first_masks
from vos.engine.checkpoints import load_checkpoint
from vos.files import write_json
from vos.inference import Segmenter
from vos.metrics import region_similarity
from vos.networks import BaseModel

WAYS = ("before", "after", "mean")


@torch.inference_mode()
def follow(model: BaseModel, video: Video, steps: int) -> dict:
    """J of every frame but the first and the last, by way; the losses of learning and its seconds; one object."""
    segmenter, found = Segmenter(model, InferenceConfig(online_steps=steps)), {way: [] for way in WAYS}
    tracker, (item,), seconds = segmenter.tracker, video.objects, 0.0
    before, learner = tracker.views
    for index, (frame, (code, picture)) in enumerate(segmenter.encoded_frames(only_first_masks(video))):
        said = before.step(code), learner.step(learner.encode(picture)[0])
        if index == 0:
            begun = time.perf_counter()
            segmenter.begin(frame, video.mask(0))
            seconds = time.perf_counter() - begun
        elif index < len(video) - 1:
            truth = video.mask(index) == item.id
            for way, p in zip(WAYS, (*said, sum(said) / 2), strict=True):
                J = region_similarity(segmenter.merge(p, video.size) == item.id, truth)
                found[way].append(round(float(J), 4))
    return {"steps": steps, "J": found, "losses": [round(x, 4) for x in tracker.losses], "seconds": seconds}


def main() -> None:
    """Measure, print and write data/results/real_online.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--steps", type=int, nargs="+", default=[5, 10, 20, 40])
    args = parser.parse_args()
    model, sequences = load_checkpoint(ROOT / "data/checkpoints/real.pt")[0].eval(), {}
    for video in davis_split(args.data)[1]:
        sequences[video.name] = [follow(model, video, steps) for steps in args.steps]
        for run in sequences[video.name]:
            words = "  ".join(f"{way} {np.mean(J):.3f}" for way, J in run["J"].items())
            print(f"{video.name:<12}{run['steps']:>4} steps, {run['seconds']:5.1f} s  {words}", flush=True)
    write_json(ROOT / "data/results/real_online.json", {"sequences": sequences, "provenance": provenance()})


if __name__ == "__main__":
    sys.exit(main())
