"""The whole chain, small: `python -m vos report` with VOS_FAST=1, its notebooks, and what publishing does with it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import torch

from vos.files import VosError
from vos.course.publish import FIGURES, publish, with_numbers
from vos.config import SYNTHETIC
from vos.course.report import NOTEBOOKS, NUMBERS, steps_text, table_text, train_model
from vos.course.workspace import Workspace

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "data/results"


def tracked_state() -> str:
    """What git thinks of the tracked files; "" outside a checkout."""
    git = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True)
    return git.stdout


def run_report(out: Path, *words: str) -> str:
    before = tracked_state()
    command = [sys.executable, "-m", "vos", "report", "--out", str(out), *words]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"VOS_FAST": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert tracked_state() == before  # nothing tracked is written
    return done.stdout


@pytest.fixture(scope="module")
def run(tmp_path_factory, small_set):
    out = tmp_path_factory.mktemp("report") / "run"
    (out / "printed.txt").parent.mkdir(parents=True)
    (out / "printed.txt").write_text(run_report(out, "--data", str(small_set)))
    return out


@pytest.mark.parametrize("abreast", [1, 2])
def test_models_side_by_side_share_cores_and_have_the_minutes_for_it(small_set, tmp_path, monkeypatch, abreast):
    """The work that the recipe's minutes stand for is the same, however many models are trained at once."""

    def stop(model, videos, chosen, *others):
        raise VosError(f"{chosen.training.minutes} minutes, {torch.get_num_threads()} threads")

    monkeypatch.setattr("vos.config.train_by_recipe", stop)
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        with pytest.raises(VosError, match=f"{SYNTHETIC.training.minutes * abreast} minutes, {4 // abreast} threads"):
            train_model("base", Workspace.of_run(small_set, tmp_path, fast=False), 0, abreast)
    finally:
        torch.set_num_threads(before)


@pytest.mark.slow
def test_the_chain_makes_table_and_figures(run):
    rows = {row["name"]: row for row in json.loads((run / "results/table1.json").read_text())["rows"]}
    assert list(rows) == ["report base", "report updated", "empty", "copy-first", "base", "updated"]
    for name in ("empty", "copy-first", "base", "updated"):
        row = rows[name]
        assert row["videos"] == 6 and row["objects"] >= 6
        four = [row[key] for key in NUMBERS[:-1] if row[key] is not None]
        assert row["overall"] == pytest.approx(sum(four) / len(four))
    assert rows["report base"]["overall"] == pytest.approx(0.0299089895762)
    assert rows["updated"]["parameters"] > rows["base"]["parameters"]
    for name in (*FIGURES[:4],):
        assert (run / "figures" / name).stat().st_size > 10_000, name
    printed = (run / "printed.txt").read_text()
    assert "Table 1" in printed and "committed" in printed and steps_text(run / "results", RESULTS) in printed
    for name in ("base", "updated"):
        made = json.loads((run / f"results/training_{name}.json").read_text())["provenance"]
        assert {"seed", "dtype", "minutes", "processor", "python", "torch"} <= set(made)


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebooks_ran_clean(run, name):
    notebook = nbformat.read(run / "notebooks" / f"{name}.ipynb", as_version=4)
    check_outputs(notebook)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_committed_notebooks_are_one_clean_run(name):
    path = ROOT / "notebooks" / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    check_outputs(notebook)
    assert path.stat().st_size < 1_500_000
    code = [c for c in notebook.cells if c.cell_type == "code"]
    lines = sorted(len([x for x in c.source.splitlines() if x.strip()]) for c in code)
    assert lines[len(lines) // 2] <= 8 and lines[-1] <= 40


def check_outputs(notebook):
    code = [c for c in notebook.cells if c.cell_type == "code" and c.source.strip()]
    assert [c.execution_count for c in code] == list(range(1, len(code) + 1))
    assert "widgets" not in notebook.metadata
    for output in (o for c in code for o in c.outputs):
        assert output.output_type != "error" and output.get("name") != "stderr"
        assert "/root/" not in str(output) and "/home/" not in str(output) and str(ROOT) not in str(output)


@pytest.mark.slow
def test_the_same_notebooks_run_on_real_video(davis, tmp_path):
    printed = run_report(tmp_path / "DAVIS", "--data", str(davis_of_five(davis, tmp_path)))
    rows = {r["name"]: r for r in json.loads((tmp_path / "DAVIS/results/table1.json").read_text())["rows"]}
    assert rows["base"]["J_seen"] is None
    assert rows["base"]["overall"] == pytest.approx((rows["base"]["J"] + rows["base"]["F"]) / 2)
    assert rows["copy-first"]["overall"] > 0.1 and "Table 1" in printed
    assert "committed" not in printed  # that is of another set


def davis_of_five(davis: Path, folder: Path) -> Path:
    """Five sequences of ten frames, linked: three to train on, two held out."""
    root = folder / "five"
    names = sorted(p.name for p in (davis / "JPEGImages/480p").iterdir())[:5]
    for kind in ("JPEGImages", "Annotations"):
        for name in names:
            target = root / kind / "480p" / name
            target.mkdir(parents=True)
            for path in sorted((davis / kind / "480p" / name).iterdir())[:10]:
                (target / path.name).symlink_to(path)
    lists = root / "ImageSets" / "480p"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("".join(f"/JPEGImages/480p/{n}/00000.jpg x\n" for n in names))
    return root


@pytest.mark.slow
def test_publish_copies_a_whole_run_and_only_a_whole_run(run, tmp_path):
    root = tmp_path / "project"
    root.mkdir()
    shutil.copy(ROOT / "README.md", root)
    (root / "data/results").mkdir(parents=True)
    quoted = [*RESULTS.glob("benchmark_*.json"), RESULTS / "choices.json"]
    for path in quoted:  # README quotes them, and no report makes them
        shutil.copy(path, root / "data/results")
    if not (run / "figures/figure5.png").exists():  # a small set may have no two objects of a category
        shutil.copy(run / "figures/figure4.png", run / "figures/figure5.png")
    publish(run, root)
    assert (root / "data/results/table1.json").read_bytes() == (run / "results/table1.json").read_bytes()
    assert (root / "notebooks/06_qualitative_figures.ipynb").exists()
    (run / "figures/figure2.png").unlink()
    with pytest.raises(VosError, match=r"lacks figures/figure2\.png"):
        publish(run, root)


def test_readme_quotes_the_committed_results():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert with_numbers(text) == text


def test_steps_text_names_a_run_and_the_committed_one(tmp_path):
    for name in ("base", "updated"):
        made = {"iterations": 1293, "provenance": {"dtype": "float32"}}
        (tmp_path / f"training_{name}.json").write_text(json.dumps(made))
    committed = json.loads((RESULTS / "training_base.json").read_text())["iterations"]
    line = steps_text(tmp_path, RESULTS).splitlines()[1]
    assert line.startswith("base ") and "1,293 steps in float32" in line and f"committed: {committed:,} steps" in line


def test_table_text_shows_dashes_where_there_is_no_number():
    row = dict.fromkeys((*NUMBERS, "parameters", "minutes")) | {"name": "x", "overall": 0.5}
    assert "0.5000" in table_text([row]) and "–" in table_text([row])
