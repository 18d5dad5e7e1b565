"""Many processes train as one does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from parallel_training import SETTINGS
from training_runs import clips_of, new_model, weights_of

from vos.engine.checkpoints import load_checkpoint, read_checkpoint
from vos.files import VosError
from vos.engine.distributed import SyncBatchNorm, convert_batch_norm
from vos.training import ClipBatchSampler
from vos.engine.trainer import train
from vos.engine.log import read_log

SCRIPT = Path(__file__).with_name("parallel_training.py")
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]


ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(SCRIPT.parents[1])}


def torchrun(*words):
    """Run something in two processes."""
    return subprocess.run([*TORCHRUN, *map(str, words)], env=ENVIRONMENT, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def alone(small_set, tmp_path_factory):
    """The run of one process."""
    run = tmp_path_factory.mktemp("alone")
    subprocess.run(
        [sys.executable, str(SCRIPT), str(small_set), str(run), "8"], check=True, capture_output=True, env=ENVIRONMENT
    )
    return run


def assert_same_training(run, alone):
    """Losses to float tolerance, and weights as near as the optimiser lets them be.

    Adam makes a step of full length of a gradient that is nearly zero, whatever its sign.
    """
    ours, theirs = (weights_of(load_checkpoint(folder / "last.pt")[0]) for folder in (run, alone))
    moved = (theirs - weights_of(new_model("video"))).abs()
    assert moved.mean() > 1e-3 and (ours - theirs).abs().mean() < 0.02 * moved.mean()
    losses = (torch.tensor(read_log(folder / "log.csv")["loss"]) for folder in (run, alone))
    torch.testing.assert_close(*losses, rtol=2e-3, atol=0)


def test_gradients_are_those_of_one_process_with_the_joined_batch(small_set, tmp_path):
    words = [str(small_set), str(tmp_path / "one"), "1"]
    subprocess.run([sys.executable, str(SCRIPT), *words], check=True, capture_output=True, env=ENVIRONMENT)
    done = torchrun(SCRIPT, small_set, tmp_path / "two", 1)
    assert done.returncode == 0, done.stderr
    ours, theirs = (torch.load(tmp_path / run / "gradients.pt") for run in ("two", "one"))
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-6 * theirs.abs().max().item())


def test_two_processes_train_as_one(small_set, alone, tmp_path):
    done = torchrun(SCRIPT, small_set, tmp_path, 8)
    assert done.returncode == 0, done.stderr
    assert_same_training(tmp_path, alone)


def test_two_processes_begin_and_one_goes_on(small_set, alone, tmp_path):
    done = torchrun(SCRIPT, small_set, tmp_path, 4)
    assert done.returncode == 0 and read_checkpoint(tmp_path / "last.pt")["iterations"] == 4, done.stderr
    log = train(new_model("video", seed=9), clips_of(small_set), SETTINGS, tmp_path, resume=True)
    assert len(log) == 8
    assert_same_training(tmp_path, alone)


def test_a_process_that_dies_ends_the_job_and_leaves_a_checkpoint(small_set, tmp_path):
    done = torchrun(SCRIPT, small_set, tmp_path, 8, 3)
    assert done.returncode != 0
    assert "SIGKILL" in done.stderr or "exitcode: -9" in done.stderr
    assert read_checkpoint(tmp_path / "last.pt")["iterations"] == 2


def test_the_command_under_torchrun(small_set, tmp_path):
    words = ["--data", small_set, "--out", tmp_path, "--iterations", 2, "--precision", "float32"]
    done = torchrun("-m", "vos", "train", *words)
    assert done.returncode == 0, done.stderr
    assert "in 2 processes" in done.stdout and done.stdout.count("parameters") == 1
    assert read_checkpoint(tmp_path / "last.pt")["iterations"] == 2


def test_shares_of_a_batch_are_all_of_it():
    everyone = next(iter(ClipBatchSampler(SETTINGS)))
    shares = [next(iter(ClipBatchSampler(SETTINGS, rank, 2))) for rank in range(2)]
    assert sorted(shares[0] + shares[1]) == everyone
    with pytest.raises(VosError, match="--batch"):
        ClipBatchSampler(SETTINGS, 0, 3)


def test_normalisation_is_the_usual_one_in_a_single_process():
    torch.manual_seed(0)
    usual, ours = torch.nn.BatchNorm2d(3), torch.nn.Sequential(torch.nn.BatchNorm2d(3))
    convert_batch_norm(ours)
    assert type(ours[0]) is SyncBatchNorm
    x = torch.randn(4, 3, 5, 5)
    assert torch.equal(usual(x), ours(x))
