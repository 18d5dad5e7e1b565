"""Many processes train as one does."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from helpers.parallel_training import CONFIG, keep_first_gradients
from helpers.training_runs import clips_of, new_model, weights_of

from vos.cli import main
from vos.engine.checkpoints import load_checkpoint, read_checkpoint
from vos.engine.distributed import Distributed, SyncBatchNorm, convert_batch_norm
from vos.engine.log import read_log
from vos.engine.trainer import Trainer
from vos.training import ClipBatchSampler

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tests" / "helpers" / "parallel_training.py"
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}


def torchrun(*words):
    """Run something in two processes."""
    return subprocess.run([*TORCHRUN, *map(str, words)], env=ENVIRONMENT, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def alone(small_set, tmp_path_factory):
    """The run of one process."""
    run, model = tmp_path_factory.mktemp("alone"), new_model("updated")
    Trainer(model, clips_of(small_set), CONFIG, run, on_step=keep_first_gradients(model, run)).fit()
    return run


def assert_same_training(run, alone):
    """Losses to float tolerance, and weights as near as the optimiser lets them be.

    Adam makes a step of full length of a gradient that is nearly zero, whatever its sign.
    """
    ours, theirs = (weights_of(load_checkpoint(folder / "last.pt")[0]) for folder in (run, alone))
    moved = (theirs - weights_of(new_model("updated"))).abs()
    assert moved.mean() > 1e-3 and (ours - theirs).abs().mean() < 0.02 * moved.mean()
    losses = (torch.tensor(read_log(folder / "log.csv")["loss"]) for folder in (run, alone))
    torch.testing.assert_close(*losses, rtol=2e-3, atol=0)


@pytest.mark.slow
def test_two_processes_train_as_one(small_set, alone, tmp_path):
    """The first gradients are those of one process with the joined batch."""
    done = torchrun(SCRIPT, small_set, tmp_path, 8)
    assert done.returncode == 0, done.stderr
    ours, theirs = (torch.load(run / "gradients.pt") for run in (tmp_path, alone))
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-6 * theirs.abs().max().item())
    assert_same_training(tmp_path, alone)


@pytest.mark.slow
def test_two_processes_begin_and_one_goes_on(small_set, alone, tmp_path):
    done = torchrun(SCRIPT, small_set, tmp_path, 4)
    assert done.returncode == 0 and read_checkpoint(tmp_path / "last.pt")["iterations"] == 4, done.stderr
    log = Trainer(new_model("updated", seed=9), clips_of(small_set), CONFIG, tmp_path).fit(resume=True)
    assert len(log) == 8
    assert_same_training(tmp_path, alone)


@pytest.mark.slow
def test_a_process_that_dies_ends_the_job_and_leaves_a_checkpoint(small_set, tmp_path):
    done = torchrun(SCRIPT, small_set, tmp_path, 8, 3)
    assert done.returncode != 0
    assert "SIGKILL" in done.stderr or "exitcode: -9" in done.stderr
    assert read_checkpoint(tmp_path / "last.pt")["iterations"] == 2


@pytest.mark.slow
def test_the_command_under_torchrun(small_set, tmp_path):
    words = ["--data", small_set, "--out", tmp_path, "--iterations", 2, "--batch", 2, "--precision", "float32"]
    done = torchrun("-m", "vos", "train", *words)
    assert done.returncode == 0, done.stderr
    assert "in 2 processes" in done.stdout and done.stdout.count("parameters") == 1
    assert read_checkpoint(tmp_path / "last.pt")["iterations"] == 2


def test_a_batch_that_cannot_be_shared_is_refused_by_the_command(small_set, tmp_path, monkeypatch, capsys):
    @contextmanager
    def two_processes():
        yield Distributed(rank=0, world_size=2, device=torch.device("cpu"))

    monkeypatch.setattr("vos.engine.distributed.init_distributed", two_processes)
    words = ["train", "--data", small_set, "--out", tmp_path / "run", "--batch", 3, "--precision", "float32"]
    assert main(list(map(str, words))) == 2
    said = capsys.readouterr().err
    assert said == "vos: --batch: 3 clips in a batch cannot be shared evenly among 2 processes; change it\n"
    assert not (tmp_path / "run").exists()


def test_shares_of_a_batch_are_all_of_it():
    everyone = next(iter(ClipBatchSampler(CONFIG)))
    shares = [next(iter(ClipBatchSampler(CONFIG, rank=rank, world_size=2))) for rank in range(2)]
    assert sorted(shares[0] + shares[1]) == everyone
    with pytest.raises(ValueError, match="4 clips in a batch cannot be shared evenly among 3 processes"):
        ClipBatchSampler(CONFIG, rank=0, world_size=3)


def test_normalisation_is_the_usual_one_in_a_single_process():
    torch.manual_seed(0)
    usual, ours = torch.nn.BatchNorm2d(3), torch.nn.Sequential(torch.nn.BatchNorm2d(3))
    convert_batch_norm(ours)
    assert type(ours[0]) is SyncBatchNorm
    x = torch.randn(4, 3, 5, 5)
    assert torch.equal(usual(x), ours(x))
