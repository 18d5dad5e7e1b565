"""Does h_video help? Variants of the models, several seeds each, scored on 200 videos drawn for this alone.

    python experiments/comparison.py [NAME ...] [--seeds 0 1 2] [--steps 1000] [--jobs 2] [--data path/to/shared/data]

The preset "course" on the synthetic set. Every training takes the same number of steps, on one thread in one precision,
so a run of it again on the same machine gives the same weights; a training that was stopped goes on, and a row that is
there is kept. With --data the models, which have seen only drawings, are also scored on the real sequences that real.py
holds out.
"""

import argparse
import multiprocessing
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from real import davis_split, keep_rows, scores_of
from torch import Tensor

from vos.config import PRECISIONS, PRESETS, ModelConfig, TrainConfig
from vos.course.report import predict_into
from vos.course.workspace import ROOT, synthetic_set
from vos.data import Video, Videos, VOSDataset
from vos.engine.checkpoints import LAST, read_checkpoint
from vos.engine.trainer import Trainer, clips_for
from vos.fast.precision import fastest_precision
from vos.files import read_json
from vos.files.progress import tracked
from vos.inference import Segmenter, segment
from vos.networks import BaseModel, State, UpdatedModel, build, count_parameters
from vos.scoring.evaluate import evaluate
from vos.synthetic.dataset import draw_dataset, is_drawn
from vos.tracking import Tracker
from vos.training import SYNTHETIC

COURSE = PRESETS["course"]
JUDGES = 200, 1  # validation videos, and the seed of the set that they are drawn for
SAME = "name", "seed", "steps"  # a row with these is there already


def unchanged(model: BaseModel) -> None:
    """The model as it is built."""


def usual_tracker(model: BaseModel, another: Video) -> type[Tracker]:
    """The tracker of a model that is unchanged."""
    return Tracker


@dataclass(frozen=True)
class Variant:
    """A model, its network and training, what is changed in it, and the tracker it then needs, given the model and
    another video. longer: steps for one of the others, where a step takes another time.
    """

    model: str
    network: ModelConfig = COURSE
    training: TrainConfig = SYNTHETIC
    longer: float = 1.0
    change: Callable[[BaseModel], None] = unchanged
    tracker: Callable[[BaseModel, Video], type[Tracker]] = usual_tracker


def without_h_video(model: BaseModel) -> None:
    """h_video is zeros, in training and in the test: all else of the updated model stays."""
    assert isinstance(model, UpdatedModel)
    fuse = model.fuse
    # A product, so that the video ConvLSTM has a gradient, which is zero.
    model.fuse = lambda encoded, h_video: fuse(encoded, 0 * h_video)  # type: ignore[method-assign]


def with_h_video_of_another(model: BaseModel) -> None:
    """h_video is that of another clip of the batch; `tracker_with_h_video_of` does the same in the test."""
    assert isinstance(model, UpdatedModel)
    fuse = model.fuse

    def fused(encoded: Tensor, h_video: Tensor) -> Tensor:
        return fuse(encoded, h_video.roll(1, dims=0))

    model.fuse = fused  # type: ignore[method-assign]


def tracker_with_h_video_of(model: BaseModel, another: Video) -> type[Tracker]:
    """A tracker whose h_video is that of another video."""
    segmenter = Segmenter(model, tracker=Tracker)
    with torch.inference_mode():
        next(segmenter.encoded_frames(another))  # has watched all of it by then
    state = segmenter.tracker.video_state

    class OfAnother(Tracker):
        def inputs(self, encoded: Tensor) -> Tensor:
            self.video_state = state
            return super().inputs(encoded)

    return OfAnother


def without_memory(model: BaseModel) -> None:
    """Every step of the mask ConvLSTM starts from h_0 and c_0: attention alone finds the object in a frame."""
    lstm = model.mask_lstm

    def forward(inputs: Tensor, state: State) -> tuple[Tensor, State]:
        gates = lstm.input_to_gates(inputs.flatten(0, 1)).unflatten(0, inputs.shape[:2])
        return torch.stack([lstm.step(one, state)[0] for one in gates.unbind(1)], dim=1), state

    lstm.forward = forward  # type: ignore[method-assign, assignment]


class Forgetful(Tracker):
    """A tracker that takes every step from the state in which the objects began."""

    begun: State | None = None

    def step(self, code: object) -> Tensor:
        self.state = self.begun
        return super().step(code)

    def begin(self, frame: Tensor, masks: Tensor, kept: list[int]) -> None:
        self.state = self.begun
        super().begin(frame, masks, kept)
        self.begun = self.state


def forgetful_tracker(model: BaseModel, another: Video) -> type[Tracker]:
    """The tracker of a model `without_memory`."""
    return Forgetful


VARIANTS = {
    "base": Variant("base"),
    "base, wider": Variant("base", replace(COURSE, state_channels=114)),  # a few more weights than the updated model
    "updated": Variant("updated"),
    "updated, h_video zero": Variant("updated", change=without_h_video),
    "updated, h_video of another": Variant("updated", change=with_h_video_of_another, tracker=tracker_with_h_video_of),
    "attention": Variant("attention"),
    "attention, state not carried on": Variant("attention", change=without_memory, tracker=forgetful_tracker),
}


def train(variant: Variant, steps: int, seed: int, precision: str, out: Path) -> None:
    """Train a variant into `out`, or go on with it; precision: "float32" or "bfloat16"."""
    torch.manual_seed(seed)
    model = build(variant.model, variant.network)
    variant.change(model)
    how = {"precision": precision, "checkpoint_every": 100, "workers": 0}
    config = replace(variant.training, minutes=None, iterations=steps, seed=seed, **how)
    clips = clips_for(model, VOSDataset(synthetic_set(fast=False)).train, config)
    # Processor time is of this process alone, whatever else the machine is doing.
    Trainer(model, clips, config, out, clock=time.process_time).fit(resume=True)


def judges(out: Path, count: int, seed: int) -> VOSDataset:
    """The videos that judge, drawn where they are missing."""
    if not is_drawn(out, 1, count, seed):
        draw_dataset(out, 1, count, seed)
    return VOSDataset(out)


def score(variant: Variant, dataset: VOSDataset, folder: Path, data: Path | None) -> dict:
    """The row of a training: means, and what is needed to pair it with others, video by video.

    Masks are of one view, without the mirror image: what a variant changes belongs to a single tracker.
    """
    out = folder / "predictions"
    checkpoint = read_checkpoint(folder / LAST)
    model = build(variant.model, variant.network)
    model.load_state_dict(checkpoint["model"])
    variant.change(model.eval())
    videos = dataset.valid

    def predictions(videos: Videos) -> Callable[[Video], Iterator[np.ndarray]]:
        other = {video.name: videos[i - 1] for i, video in enumerate(videos)}
        return lambda video: segment(model, video, tracker=variant.tracker(model, other[video.name]))

    predict_into(out, predictions(videos), tracked(videos, folder.name, len(videos)))
    scores = evaluate(dataset.root / "valid_truth", out, "youtube-vos", videos=[video.name for video in videos])
    means, objects = scores["global"], scores["objects"]
    row = {"steps": checkpoint["iterations"], "precision": checkpoint["precision"]}
    row |= {"minutes": round(checkpoint["minutes"], 4), "parameters": count_parameters(model)}
    row |= {key: means[key] for key in ("overall", "J_seen", "J_unseen", "F_seen", "F_unseen")}
    row |= {"J": means["J_mean"], "F": means["F_mean"]} | by_group(objects)
    if data:
        held_out = davis_split(data)[1]
        row["real"] = scores_of(predictions(held_out), held_out)["sequences"]
    return row


def by_group(objects: list[dict]) -> dict:
    """J and F together of every video, J by how many objects it has, and J by frame after the object's first."""
    by_video, frames = defaultdict(list), defaultdict(list)
    for entry in objects:
        by_video[entry["video"]].append(entry)
        for age, J in enumerate(entry["J"]):
            frames[age].append(J)
    J_by_objects = defaultdict(list)
    for entries in by_video.values():
        together = str(len(entries)) if len(entries) < 3 else "3 and more"
        J_by_objects[together] += [entry["J_mean"] for entry in entries]
    return {
        "by_video": [
            round(float(np.mean([(e["J_mean"] + e["F_mean"]) / 2 for e in entries])), 4)
            for _, entries in sorted(by_video.items())
        ],
        "J_by_objects": {key: float(np.mean(J_by_objects[key])) for key in sorted(J_by_objects)},
        "J_by_frame": [round(float(np.mean(frames[age])), 4) for age in sorted(frames)],
    }


def train_and_score(
    name: str,
    variant: Variant,
    seed: int,
    steps: int,
    precision: str,
    judged_by: tuple[int, int],
    out: Path,
    data: Path | None,
) -> dict:
    """One cell of a comparison, on one core."""
    torch.set_num_threads(1)
    folder = out / f"{name.replace(',', '').replace(' ', '_')}_{steps}_{seed}"
    train(variant, steps, seed, precision, folder)
    return {"name": name, "seed": seed} | score(variant, judges(out / "judges", *judged_by), folder, data)


def compare(variants: dict[str, Variant], judged_by: tuple[int, int], name: str, description: str | None) -> None:
    """Train and score what is lacking of some variants; writes data/results/NAME.json row by row.

    judged_by: how many videos judge, and the seed of the set that they are drawn for.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {'; '.join(variants)} (default: all)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--precision", choices=PRECISIONS, help="default: the faster one here")
    parser.add_argument("--jobs", type=int, default=2, help="trainings side by side, one core each")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / name)
    parser.add_argument("--result", type=Path, default=ROOT / f"data/results/{name}.json")
    parser.add_argument("--data", type=Path, help="the folder that holds DAVIS/")
    args = parser.parse_args()
    if unknown := set(args.names) - set(variants):
        parser.error(f"no such variant: {', '.join(sorted(unknown))}")
    synthetic_set(fast=False)  # drawn once, before the processes start, as are the judges
    judges(args.out / "judges", *judged_by)
    rows = read_json(args.result)["rows"] if args.result.is_file() else []
    steps = {name: round(variant.longer * args.steps) for name, variant in variants.items()}
    there = [tuple(row[key] for key in SAME) for row in rows]
    # Seed by seed, so that a stopped comparison still compares.
    cells = [(name, seed) for seed in args.seeds for name in args.names or variants]
    todo = [(name, seed) for name, seed in cells if (name, seed, steps[name]) not in there]
    precision = args.precision or fastest_precision(build("base", COURSE).encoder, COURSE.size)
    how = precision, judged_by, args.out, args.data
    with ProcessPoolExecutor(args.jobs, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        jobs = [pool.submit(train_and_score, name, variants[name], seed, steps[name], *how) for name, seed in todo]
        for job in as_completed(jobs):
            row = job.result()
            print(f"{row['name']:<34} seed {row['seed']}  overall {row['overall']:.4f}  J {row['J']:.4f}", flush=True)
            order = lambda row: (row["steps"], list(variants).index(row["name"]), row["seed"])  # noqa: E731
            keep_rows(args.result, [row], order, same=SAME)


if __name__ == "__main__":
    compare(VARIANTS, JUDGES, "comparison", __doc__)
