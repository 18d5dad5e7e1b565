"""The report, end to end: data, both models, scores, table 1, and the notebooks with their figures, in one run."""

import multiprocessing
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from vos.config import PRESETS, TrainConfig
from vos.course.notebooks import notebook_paths, run_notebooks
from vos.course.tables import NUMBERS, number, parts_of_overall, plain_table
from vos.course.workspace import ROOT, Workspace, fast_mode, provenance, repository, synthetic_set
from vos.data import Video
from vos.datasets.check import check_files
from vos.engine.checkpoints import LAST, export_checkpoint, load_checkpoint
from vos.engine.distributed import best_device
from vos.engine.log import TrainingBar, write_log
from vos.engine.pretrained import find_lite0, load_imagenet_weights
from vos.engine.trainer import Trainer, clips_for
from vos.files import read_json, write_json
from vos.files.outputs import check_output_folder, mark_output_folder
from vos.files.progress import tracked
from vos.inference import copy_first, empty, segment
from vos.masks import write_mask
from vos.networks import BaseModel, build, count_parameters
from vos.scoring.evaluate import evaluate
from vos.training import train_config

MODELS = ("base", "updated")  # that the report compares
UNFINISHED = "unfinished.json"  # in the folder of a report that is not whole
REAL_MINUTES, FAST_SIZE = 8.0, (128, 224)  # of a training on real video; its frames where VOS_FAST asks for few steps
CHECKPOINT_EVERY = 100  # iterations, a minute or two: what a failure may cost
Predictor = Callable[[Video], Iterator[np.ndarray]]  # yields the id map of every frame


# A row of table 1. source: whose numbers, on which videos; NUMBERS as in YouTube-VOS; J and F: means over objects;
# None: not known; parameters and minutes (of training): 0 for a method that is not trained.
KEYS_OF_ROW = ("name", "source", *NUMBERS, "J", "F", "videos", "objects", "parameters", "minutes")
REPORTED = {  # the report's table 1
    "report base": (0.00494019075989, 0.00301982829088, 0.0704420090413, 0.0412339302126, 0.0299089895762),
    "report updated": (0.0105933667722, 0.0371834866469, 0.0648245982349, 0.0659458405945, 0.0446368230621),
}


def make_report(
    data: Path | None = None, run: Path | None = None, seed: int = 0, reuse: bool = False, steps: int | None = None
) -> Path:
    """Train, score and draw everything into `run`, and print table 1; returns the folder.

    data: a YouTube-VOS or DAVIS folder; None is the synthetic set. run: default runs/report, or runs/<data's name>.
    reuse: keep the checkpoints and scores that `run` has, and run the notebooks again. steps: of each training, in
    place of the recipe's minutes; a run can then be repeated on another processor, however long that takes.
    VOS_FAST=1 takes a small set and a few iterations, the same code.
    """
    started, fast = time.perf_counter(), fast_mode()

    def announce(text: str) -> None:
        minutes, seconds = divmod(int(time.perf_counter() - started), 60)
        print(f"[{minutes:2d}:{seconds:02d}] {text}", flush=True)

    run = run or repository() / "runs" / (data.resolve().name if data else "report")
    workspace = Workspace.of_run(data.resolve() if data else synthetic_set(fast), run, fast)
    check_output_folder(run, "report", [data] if data else [], known=("results", "notebooks"))
    dataset = workspace.dataset
    missing = [name for name in MODELS if not (reuse and (workspace.checkpoints / f"{name}.pt").exists())]
    if missing and not workspace.synthetic:
        find_lite0()  # without ImageNet's weights a report ends here, and not after its checks
    counts = f"{len(dataset.train)} training and {len(dataset.valid)} validation videos"
    held_out = ", held out of the training list" if dataset.held_out else ""
    announce(f"{workspace.data.name}: {counts}{held_out}. Writing to {run}")
    for note in check_files([*dataset.train, *dataset.valid_truth], data) if data else ():
        print(f"vos: {note}", file=sys.stderr)
    scored = begin_or_go_on(run, {"data": str(workspace.data), "seed": seed, "fast": fast, "steps": steps})
    if missing and not scored:
        announce(f"Training: {' and '.join(missing)}")
        train_models(missing, workspace, seed, steps)
    if not (scored or (reuse and (workspace.results / "table1.json").exists())):
        announce("Scoring empty, copy-first, base and updated on the validation videos")
        score_methods(workspace)
        write_json(run / UNFINISHED, read_json(run / UNFINISHED) | {"scored": True})
    announce("Running the notebooks")
    run_notebooks(notebook_paths(), workspace, run)
    (run / UNFINISHED).unlink()
    shutil.rmtree(run / "training", ignore_errors=True)
    announce("Done")
    print_tables(workspace)
    return run


def begin_or_go_on(run: Path, begun: dict) -> bool:
    """Begin a report, or go on with one that failed or was stopped: whether that had its scores already.

    begun: what the report is made of; a report of anything else than the last is begun anew. Its trainings go on from
    their checkpoints in RUN/training, which stay until it is whole.
    """
    before = read_json(run / UNFINISHED) if (run / UNFINISHED).is_file() else {}
    if begun.items() <= before.items():
        print(f"{run}: going on where the last report stopped", flush=True)
        return bool(before.get("scored"))
    shutil.rmtree(run / "training", ignore_errors=True)
    mark_output_folder(run, "report")
    write_json(run / UNFINISHED, begun)
    return False


def train_models(names: Sequence[str], workspace: Workspace, seed: int, steps: int | None = None) -> None:
    """Train the models, on a processor side by side: a second core would only wait at the end of each small layer."""
    if torch.cuda.is_available() or torch.get_num_threads() < len(names):
        for name in names:
            train_model(name, workspace, seed, steps=steps)
        return
    spawn = multiprocessing.get_context("spawn")  # a process that has started threads must not be forked
    with ProcessPoolExecutor(len(names), spawn, tqdm.set_lock, (spawn.RLock(),)) as pool:
        jobs = [pool.submit(train_model, name, workspace, seed, len(names), i, steps) for i, name in enumerate(names)]
        for job in jobs:
            job.result()


def train_model(
    name: str, workspace: Workspace, seed: int, n_parallel: int = 1, position: int = 0, steps: int | None = None
) -> None:
    """Train one model; writes its checkpoint, its log, and a result file that says how it was made.

    n_parallel: how many models are trained at once; each has its share of the cores, and as many times the minutes.
    position: line of the terminal, counted from 0, where the progress bar goes. steps: in place of minutes.
    It goes on from its last checkpoint in RUN/training, and is done at once where that is the end.
    """
    torch.manual_seed(seed)
    model, config, initialized_from = untrained(name, workspace)
    torch.set_num_threads(max(1, torch.get_num_threads() // n_parallel))
    minutes = config.minutes and config.minutes * n_parallel
    limits = {"minutes": minutes} if steps is None else {"minutes": None, "iterations": steps}
    config = replace(config, seed=seed, checkpoint_every=CHECKPOINT_EVERY, **limits)
    clips = clips_for(model, workspace.dataset.train, config)
    folder = workspace.checkpoints.parent / "training" / name
    with TrainingBar(name, config.iterations, position) as bar:
        try:
            log = Trainer(model, clips, config, folder, on_step=bar).fit(resume=(folder / LAST).exists())
        except KeyboardInterrupt:
            raise KeyboardInterrupt("the same command goes on from here") from None
    model, metadata = load_checkpoint(folder / LAST)
    export_checkpoint(model, metadata, workspace.checkpoints / f"{name}.pt")  # small enough to be committed
    write_log(workspace.results / f"training_{name}.csv", log)
    limit = f"{config.minutes:g} minutes" if config.minutes else f"{config.iterations} steps"
    facts = {
        "iterations": len(log),
        "limit": limit,
        "parameters": count_parameters(model),
        "initialized_from": initialized_from,
    }
    made = {"seed": seed, "dtype": metadata["precision"], "minutes": round(metadata["minutes"], 2)}
    made |= {"torch_threads": torch.get_num_threads()} | provenance()
    result = {"model": name, "data": workspace.data.name} | facts | {"provenance": made}
    write_json(workspace.results / f"training_{name}.json", result)


def untrained(name: str, workspace: Workspace) -> tuple[BaseModel, TrainConfig, str]:
    """A model for the set, how to train it, and what its weights are: real video needs ImageNet's, or a VosError."""
    if workspace.synthetic:
        return build(name, "course"), train_config("course", True, workspace.fast), "random weights"
    network, config = PRESETS["real"], train_config("real", False, workspace.fast)
    model = build(name, replace(network, size=FAST_SIZE) if workspace.fast else network)
    load_imagenet_weights(model)
    return model, config if workspace.fast else replace(config, minutes=REAL_MINUTES), "ImageNet's weights"


def score_methods(workspace: Workspace) -> None:
    """Predict and score the two baselines and the two models; writes table1.json and scores_<method>.json."""
    predictors: dict[str, Predictor] = {"empty": empty, "copy-first": copy_first}
    predictors |= {name: partial(segment, workspace.checkpoint(name)[0].to(best_device())) for name in MODELS}
    trained = {name: workspace.result(f"training_{name}") for name in MODELS}
    seeds = {name: result["provenance"]["seed"] for name, result in trained.items()}
    dataset, valid = workspace.dataset, workspace.dataset.valid
    truth, protocol = dataset.root / ("train" if dataset.held_out else "valid_truth"), "youtube-vos"
    if dataset.layout == "DAVIS":
        truth, protocol = dataset.root / "Annotations" / "480p", "davis"
    rows = [(name, "report, YouTube-VOS validation", *numbers) for name, numbers in REPORTED.items()]
    for name, predictor in predictors.items():
        started = time.perf_counter()
        folder = workspace.checkpoints.parent / "predictions" / name
        predict_into(folder, predictor, tracked(valid, f"segmenting, {name}", len(valid), "video"))
        scores = evaluate(truth, folder, protocol, videos=[video.name for video in valid])
        minutes = round((time.perf_counter() - started) / 60, 2)
        # The baselines draw nothing at random.
        made: dict[str, Any] = {"seed": seeds.get(name), "dtype": "float32", "torch_threads": torch.get_num_threads()}
        made |= {"minutes": minutes} | provenance()
        write_json(workspace.results / f"scores_{name}.json", scores | {"provenance": made})
        means, training = scores["global"], trained.get(name)
        by_category = *(means.get(key) for key in NUMBERS[:-1]), means.get("overall", means["J&F"])
        measured = *by_category, means["J_mean"], means["F_mean"], len(valid), len(scores["objects"])
        cost = (training["parameters"], training["provenance"]["minutes"]) if training else (0, 0)
        rows.append((name, f"ours, {workspace.data.name} validation", *measured, *cost))
    table = [dict(zip_longest(KEYS_OF_ROW, row)) for row in rows]
    made = {"seeds": seeds, "dtype": "float32"} | provenance()
    write_json(workspace.results / "table1.json", {"rows": table, "provenance": made})


def predict_into(folder: Path, predictor: Predictor, videos: Iterable[Video]) -> None:
    """Write a predictor's id maps as FOLDER/<video>/<frame>.png, palette PNGs at native size."""
    for video in videos:
        for name, ids in zip(video.frame_names, predictor(video), strict=True):
            write_mask(folder / video.name / f"{name}.png", ids)


def print_tables(workspace: Workspace) -> None:
    """Table 1 of this run; on the synthetic set, beside it the committed overall score and what made the difference."""
    committed_file = ROOT / "data/results/table1.json"
    beside = workspace.synthetic and committed_file.exists()
    committed = {r["name"]: r for r in read_json(committed_file)["rows"]} if beside else {}
    print(f"\nTable 1\n{table_text(workspace.table(), committed)}")
    if beside:
        print("\n" + steps_text(workspace.results, committed_file.parent))
    print(f"\nFigures: {workspace.figures}\nNotebooks, as run: {workspace.figures.parent / 'notebooks'}")


def steps_text(results: Path, committed: Path) -> str:
    """How many training steps stand behind a run's scores and behind the committed ones."""
    lines = ["A training that is given minutes takes fewer steps on a slower processor, and scores lower:"]
    for name in MODELS:
        here, there = (read_json(folder / f"training_{name}.json") for folder in (results, committed))
        steps = [f"{t['iterations']:,} steps in {t['provenance']['dtype']} ({t['limit']})" for t in (here, there)]
        lines.append(f"{name:<16} {steps[0]}; committed: {steps[1]}")
    return "\n".join(lines)


def table_text(rows: list[dict], committed: dict[str, dict] | None = None) -> str:
    """Table 1 as text. committed: rows by name, whose overall score is shown in a last column."""
    cells, keys = [], (*parts_of_overall(rows), "overall")
    for row in rows:
        counts = number(row["parameters"], ",d"), number(row["minutes"], ".1f")
        beside = [number(committed.get(row["name"], {}).get("overall"), ".4f")] if committed else []
        cells.append([row["name"], *(number(row[key], ".4f") for key in keys), *counts, *beside])
    heads = ["", *keys, "parameters", "minutes"] + (["committed"] if committed else [])
    return plain_table(heads, cells)
