"""The report, end to end: data, both models, scores, table 1, and the notebooks with their figures, in one run."""

import multiprocessing
import os
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from vos.course.workspace import ROOT, Workspace, provenance, synthetic_set
from vos.data import VOSDataset
from vos.files import VosError, read_json, write_json
from vos.scoring.evaluate import evaluate

MODELS = {"base": "base", "updated": "video"}  # the report's words -> the package's
NUMBERS = ("J_seen", "J_unseen", "F_seen", "F_unseen", "overall")
REPORTED = {  # the report's table 1
    "report base": (0.00494019075989, 0.00301982829088, 0.0704420090413, 0.0412339302126, 0.0299089895762),
    "report updated": (0.0105933667722, 0.0371834866469, 0.0648245982349, 0.0659458405945, 0.0446368230621),
}
NOTEBOOKS = (
    "01_data_exploration",
    "02_base_model",
    "03_video_representation",
    "04_training",
    "05_evaluation",
    "06_qualitative_figures",
)


def make_report(
    data: Path | None = None, run: Path | None = None, seed: int = 0, reuse: bool = False, fast: bool = False
) -> Path:
    """Train, score and draw everything into `run`, and print table 1; returns the folder.

    data: a YouTube-VOS or DAVIS folder; None is the synthetic set. run: default runs/report, or runs/<data's name>.
    reuse: keep the checkpoints and scores that `run` has, and run the notebooks again.
    fast: a small set and a few iterations, the same code.
    """
    started = time.perf_counter()
    run = run or ROOT / "runs" / (data.resolve().name if data else "report")
    data = data.resolve() if data else synthetic_set(fast)
    place = Workspace.of_run(data, run, fast)
    train_videos, valid = place.videos("train"), place.videos("valid")
    announce(f"{data.name}: {len(train_videos)} training and {len(valid)} validation videos. Writing to {run}", started)
    missing = [name for name in MODELS if not (reuse and (place.checkpoints / f"{name}.pt").exists())]
    if missing:
        announce(f"Training: {' and '.join(missing)}", started)
        train_models(missing, place, seed)
    if not (reuse and (place.results / "table1.json").exists()):
        announce("Scoring empty, copy-first, base and updated on the validation videos", started)
        score_methods(place, valid)
    announce("Running the notebooks", started)
    run_notebooks(place, run)
    announce("Done", started)
    print_tables(place)
    return run


def announce(text: str, started: float) -> None:
    """A line about what comes next, with the minutes since the start."""
    minutes, seconds = divmod(int(time.perf_counter() - started), 60)
    print(f"[{minutes:2d}:{seconds:02d}] {text}", flush=True)


def train_models(names: Sequence[str], place: Workspace, seed: int) -> None:
    """Train the models, on a processor side by side with an equal share of the cores each.

    Layers this small leave a second core waiting at the end of each; with a model of its own it has no reason to.
    """
    import torch

    if torch.cuda.is_available() or torch.get_num_threads() < len(names):
        for name in names:
            train_model(name, place, seed)
        return
    spawn = multiprocessing.get_context("spawn")  # a process that has started threads must not be forked
    with ProcessPoolExecutor(len(names), spawn, tqdm.set_lock, (spawn.RLock(),)) as pool:
        jobs = [pool.submit(train_model, name, place, seed, len(names), line) for line, name in enumerate(names)]
        for job in jobs:
            job.result()


def train_model(name: str, place: Workspace, seed: int, abreast: int = 1, line: int = 0) -> None:
    """Train one model; writes its checkpoint, its log, and a result file that says how it was made.

    Real sets that fit a laptop are small, so there training goes on from the synthetic set's weights.
    abreast: how many models are trained at once; each has its share of the cores, and as many times the minutes.
    line: of the terminal, counted from 0, where the progress bar goes.
    """
    import torch

    from vos.config import recipe
    from vos.engine.checkpoints import export_checkpoint, load_checkpoint
    from vos.engine.trainer import train_by_recipe
    from vos.networks import build, count_parameters

    synthetic = ROOT / "data/checkpoints" / f"{name}.pt"
    torch.manual_seed(seed)
    if not place.synthetic and synthetic.exists():
        model, _ = load_checkpoint(synthetic)
        begun = str(synthetic.relative_to(ROOT))
    else:
        model, begun = build(MODELS[name], "course"), "random weights"
    torch.set_num_threads(max(1, torch.get_num_threads() // abreast))
    chosen = recipe("course", place.synthetic, place.fast)
    minutes = chosen.training.minutes and chosen.training.minutes * abreast
    chosen = replace(chosen, training=replace(chosen.training, seed=seed, minutes=minutes))
    folder = place.checkpoints / f".{name}"
    log = train_by_recipe(model, place.videos("train"), chosen, folder, name, line)
    export_checkpoint(folder / "last.pt", place.checkpoints / f"{name}.pt")  # small enough to be committed
    (folder / "last.pt").unlink()
    place.results.mkdir(parents=True, exist_ok=True)
    (folder / "log.csv").replace(place.results / f"training_{name}.csv")
    folder.rmdir()
    _, about = load_checkpoint(place.checkpoints / f"{name}.pt")
    made = {"seed": seed, "dtype": about["precision"], "minutes": round(about["minutes"], 2)}
    made |= {"torch_threads": torch.get_num_threads()} | provenance()
    about = {"iterations": len(log), "parameters": count_parameters(model), "initialized_from": begun}
    write_json(
        place.results / f"training_{name}.json", {"model": name, "data": place.data.name} | about | {"provenance": made}
    )


def score_methods(place: Workspace, valid: VOSDataset) -> None:
    """Predict and score the two baselines and the two models; writes table1.json and scores_<method>.json."""
    import torch

    from vos.engine.checkpoints import load_checkpoint
    from vos.engine.distributed import best_device
    from vos.inference import copy_first, empty, predict_into, predictor_of

    methods = {"empty": empty, "copy-first": copy_first}
    methods |= {n: predictor_of(load_checkpoint(place.checkpoints / f"{n}.pt")[0].to(best_device())) for n in MODELS}
    source = f"ours, {place.data.name} validation"
    rows = [
        {"name": name, "source": "report, YouTube-VOS validation", **dict(zip(NUMBERS, values, strict=True))}
        | {"J": None, "F": None, "videos": None, "objects": None, "parameters": None, "minutes": None}
        for name, values in REPORTED.items()
    ]
    for name, method in methods.items():
        started = time.perf_counter()
        folder = place.checkpoints.parent / "predictions" / name
        predict_into(folder, method, valid)
        scores = score_predictions(valid, folder)
        trained = read_json(place.results / f"training_{name}.json") if name in MODELS else None
        seed = trained["provenance"]["seed"] if trained else None  # the baselines draw nothing at random
        made = {"seed": seed, "dtype": "float32", "torch_threads": torch.get_num_threads()}
        minutes = {"minutes": round((time.perf_counter() - started) / 60, 2)}
        write_json(place.results / f"scores_{name}.json", scores | {"provenance": made | minutes | provenance()})
        numbers = scores["global"]
        rows.append(
            {"name": name, "source": source}
            | {key: numbers.get(key) for key in NUMBERS}
            | {"overall": numbers.get("overall", numbers["J&F"]), "J": numbers["J_mean"], "F": numbers["F_mean"]}
            | {"videos": len(valid), "objects": len(scores["objects"])}
            | {"parameters": trained["parameters"] if trained else 0}
            | {"minutes": trained["provenance"]["minutes"] if trained else 0}
        )
    seeds = {name: read_json(place.results / f"training_{name}.json")["provenance"]["seed"] for name in MODELS}
    write_json(
        place.results / "table1.json", {"rows": rows, "provenance": {"seeds": seeds, "dtype": "float32"} | provenance()}
    )


def score_predictions(valid: VOSDataset, prediction: Path) -> dict:
    """Score a prediction folder by the protocol of the set: DAVIS's, or YouTube-VOS style."""
    names = [video.name for video in valid]
    if valid.layout == "DAVIS":
        return evaluate(valid.root / "Annotations" / "480p", prediction, "davis", videos=names)
    truth = valid.root / ("train" if valid.held_out else "valid_truth")
    return evaluate(truth, prediction, "youtube-vos", videos=names)


def run_notebooks(place: Workspace, run: Path) -> None:
    """Execute the notebooks of notebooks/ in order and write them, with their outputs, to RUN/notebooks."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    from vos.files.atomic import written_whole

    wanted = {"VOS_DATA": str(place.data), "VOS_RUN": str(run.resolve()), "VOS_FAST": str(int(place.fast))}
    seconds: dict[str, float] = {}
    bar = tqdm(NOTEBOOKS, desc="notebooks", unit="notebook", leave=False)
    for name in bar:
        bar.set_postfix_str(name)
        source = ROOT / "notebooks" / f"{name}.ipynb"
        notebook = nbformat.read(source, as_version=4)
        started = time.perf_counter()
        client = NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(source.parent)}})
        try:
            client.execute(env=os.environ | wanted, stderr=subprocess.DEVNULL)  # the kernel talks of its sockets
        except CellExecutionError as error:
            raise VosError(f"{source}: a cell failed: {error.ename}: {error.evalue}") from error
        finally:
            with written_whole(run / "notebooks" / source.name) as temporary:
                nbformat.write(without_machine(notebook), temporary)
        seconds[name] = round(time.perf_counter() - started, 1)
    write_json(place.results / "notebooks.json", {"seconds": seconds, "provenance": provenance()})


def without_machine(notebook: dict) -> dict:
    """The notebook without times, widget state and error streams, what was printed in one piece for each cell."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        outputs: list[dict] = []
        for output in cell.outputs:
            if output.get("name") == "stdout" and outputs and outputs[-1].get("name") == "stdout":
                outputs[-1]["text"] += output["text"]
            elif output.get("name") != "stderr":
                outputs.append(output)
        cell.outputs = outputs
    return notebook


def print_tables(place: Workspace) -> None:
    """Table 1 of this run; on the synthetic set, beside it the committed overall score and what made the difference."""
    committed_file = ROOT / "data/results/table1.json"
    beside = place.synthetic and committed_file.exists()
    committed = {r["name"]: r for r in read_json(committed_file)["rows"]} if beside else {}
    print("\nTable 1")
    print(table_text(place.table(), committed))
    if beside:
        print("\n" + steps_text(place.results, committed_file.parent))
    print(f"\nFigures: {place.figures}\nNotebooks, as run: {place.figures.parent / 'notebooks'}")


def steps_text(results: Path, committed: Path) -> str:
    """How many training steps stand behind a run's scores and behind the committed ones."""
    lines = ["Trainings are given minutes, so a slower processor takes fewer steps and scores lower:"]
    for name in MODELS:
        here, there = (read_json(folder / f"training_{name}.json") for folder in (results, committed))
        steps = [f"{t['iterations']:,} steps in {t['provenance']['dtype']}" for t in (here, there)]
        lines.append(f"{name:<16} {steps[0]}; committed: {steps[1]}")
    return "\n".join(lines)


def table_text(rows: list[dict], committed: dict[str, dict] | None = None) -> str:
    """Table 1 as text. committed: rows by name, whose overall score is shown in a last column."""
    columns = [*NUMBERS, "parameters", "minutes"] + (["committed"] if committed else [])
    lines = [f"{'':<16}" + "".join(f"{column:>11}" for column in columns)]
    for row in rows:
        cells = [cell(row[key], ".4f") for key in NUMBERS]
        cells += [cell(row["parameters"], ",d"), cell(row["minutes"], ".1f")]
        if committed:
            cells.append(cell(committed.get(row["name"], {}).get("overall"), ".4f"))
        lines.append(f"{row['name']:<16}" + "".join(f"{text:>11}" for text in cells))
    return "\n".join(lines)


def cell(value: float | None, how: str) -> str:
    """A number, or a dash where there is none."""
    return "–" if value is None else format(value, how)
