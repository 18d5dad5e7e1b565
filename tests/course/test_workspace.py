"""Where a notebook finds its things: by hand, in a report's run, and outside a repository."""

from pathlib import Path

import pytest
from publish import publish

from vos.course import workspace as module
from vos.course.report import make_report
from vos.course.workspace import ROOT, Workspace, fast_mode, path_in_words, synthetic_set
from vos.files import VosError


def test_root_is_the_repository():
    assert Path(__file__).parents[2] == ROOT and (ROOT / "notebooks").is_dir()


@pytest.mark.parametrize(("value", "fast"), [(None, False), ("", False), ("0", False), ("1", True), ("yes", True)])
def test_fast_mode(monkeypatch, small_set, value, fast):
    monkeypatch.delenv("VOS_FAST", raising=False)
    if value is not None:
        monkeypatch.setenv("VOS_FAST", value)
    monkeypatch.setenv("VOS_DATA", str(small_set))
    assert fast_mode() == Workspace.find().fast == fast
    assert Workspace.find().pick(12, 3) == (3 if fast else 12)


def test_by_hand_a_notebook_reads_what_is_committed(monkeypatch, small_set):
    monkeypatch.delenv("VOS_RUN", raising=False)
    monkeypatch.setenv("VOS_DATA", str(small_set))
    workspace = Workspace.find()
    assert workspace.synthetic and workspace.stride == 1
    assert workspace.checkpoints == ROOT / "data/checkpoints" and workspace.results == ROOT / "data/results"
    assert [row["name"] for row in workspace.table()][-2:] == ["base", "updated"]
    model, metadata = workspace.checkpoint("updated")
    assert type(model).__name__ == "UpdatedModel" and metadata["iterations"] > 0
    assert len(workspace.training_log("base")["loss"]) == workspace.result("training_base")["iterations"]
    assert workspace.scores("base")["objects"] and workspace.result("ablation")["rows"]


def test_in_a_run_results_are_the_run_s_and_benchmarks_the_committed_ones(monkeypatch, small_set, tmp_path):
    monkeypatch.setenv("VOS_DATA", str(small_set))
    monkeypatch.setenv("VOS_RUN", str(tmp_path))
    workspace = Workspace.find()
    assert workspace.figures == tmp_path / "figures"
    with pytest.raises(VosError, match=r"table1\.json: no such file"):
        workspace.table()
    assert workspace.result("benchmark_training")["rows"] and workspace.result("ablation")["rows"]


def test_the_set_is_read_once(small_set, tmp_path, monkeypatch):
    reads = []
    monkeypatch.setattr(module, "VOSDataset", lambda root, hold_out: reads.append((root, hold_out)))
    workspace = Workspace.of_run(small_set, tmp_path, fast=False)
    assert workspace.dataset is workspace.dataset
    assert reads == [(small_set, None)]  # held out of training where there is no other way


def test_describe_names_folders_that_a_clone_has(monkeypatch, small_set, tmp_path, capsys):
    """A report works in runs/, which no clone has; on the synthetic set its results are what is published."""
    Workspace.of_run(small_set, tmp_path, fast=False).describe()
    assert capsys.readouterr().out == (
        "Video: 6 training and 6 validation videos of set\n"
        "Checkpoints: data/checkpoints. Results: data/results. Figures go to figures.\n"
    )
    monkeypatch.setenv("VOS_DATA", str(small_set))
    monkeypatch.delenv("VOS_RUN", raising=False)
    Workspace.find().describe()
    assert "Results: data/results. Figures go to runs/by-hand/figures." in capsys.readouterr().out


def test_describe_names_the_run_where_it_is_not_published(davis, capsys):
    workspace = Workspace.of_run(davis, ROOT / "runs/DAVIS", fast=False)
    workspace.describe()
    assert workspace.stride == 5
    assert "Checkpoints: runs/DAVIS/checkpoints. Results: runs/DAVIS/results." in capsys.readouterr().out


def test_path_in_words_keeps_what_is_outside_short():
    assert path_in_words(ROOT / "data" / "results") == "data/results"
    assert path_in_words(Path("/somewhere/else/DAVIS")) == "DAVIS"


def test_outside_a_repository_nothing_is_written(monkeypatch, small_set, tmp_path):
    """Installed as a wheel, ROOT is site-packages."""
    packages = tmp_path / "site-packages"
    packages.mkdir()
    monkeypatch.setattr(module, "ROOT", packages)
    monkeypatch.setenv("VOS_DATA", str(small_set))
    for attempt in (
        Workspace.find,
        lambda: Workspace.of_run(small_set, tmp_path / "run", fast=True),
        lambda: synthetic_set(fast=True),
        lambda: make_report(),
        lambda: make_report(small_set, tmp_path / "run"),
        lambda: publish(tmp_path / "run"),
    ):
        with pytest.raises(VosError, match="need; run them in a clone of the repository"):
            attempt()
    assert [path.name for path in tmp_path.iterdir()] == ["site-packages"] and not list(packages.iterdir())


@pytest.mark.parametrize(
    "error",
    [
        PermissionError(13, "Permission denied", "data/.synthetic.7.partial"),
        VosError("data/.synthetic.7.partial/a.png: cannot be written (Permission denied)"),
    ],
)
def test_a_folder_that_may_not_be_written_is_named_with_a_way_out(monkeypatch, tmp_path, error):
    """The course on a read-only disk, its synthetic set not drawn yet."""

    def refused(*_):
        raise error

    monkeypatch.setattr(module, "ROOT", tmp_path)
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setattr(module, "draw_dataset", refused)
    monkeypatch.delenv("VOS_DATA", raising=False)
    with pytest.raises(VosError, match=r"data/synthetic: cannot be written \(.*Permission denied.*\); .* VOS_DATA"):
        Workspace.find()
