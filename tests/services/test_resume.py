"""A training that is killed and taken up again ends with the same bits as one that never was."""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
from training_runs import FEW, clips_of, new_model, weights_of

from vos.engine.checkpoints import load_checkpoint, read_checkpoint
from vos.files import VosError
from vos.engine.trainer import train
from vos.engine.log import read_rows


class Stopped(Exception):
    """What a test raises where a process would have been killed."""


def stop_after(iterations):
    def watch(log):
        if len(log) >= iterations:
            raise Stopped

    return watch


@pytest.fixture(scope="module")
def clips(small_set):
    return clips_of(small_set)


@pytest.mark.parametrize(("name", "muon", "workers"), [("base", 0.0, 0), ("video", 3.0, 2)])
def test_resumed_is_the_same_to_the_bit(clips, tmp_path, name, muon, workers):
    config = replace(
        FEW, iterations=9, stages=((0.0, 2, 4), (0.5, 3, 2)), muon=muon, workers=workers, checkpoint_every=2
    )
    whole = new_model(name)
    expected, run = train(whole, clips, config, tmp_path / "whole"), tmp_path / "run"
    for iterations, seed in ((2, 0), (4, 7), (6, 8)):  # the weights a resumed training starts with do not matter
        with pytest.raises(Stopped):
            train(new_model(name, seed), clips, config, run, watch=stop_after(iterations), resume=True)
    again = new_model(name, seed=8)
    log = train(again, clips, config, run, resume=True)
    assert torch.equal(weights_of(whole), weights_of(again))
    assert [row["loss"] for row in log] == [row["loss"] for row in expected]
    assert [row["iteration"] for row in read_rows(run / "log.csv")] == list(range(9))


def test_last_two_are_kept_and_the_older_one_serves_where_the_newer_is_damaged(clips, tmp_path):
    config = replace(FEW, iterations=6, checkpoint_every=2)
    train(new_model("base"), clips, config, tmp_path)
    assert read_checkpoint(tmp_path / "last.pt")["iterations"] == 6
    assert read_checkpoint(tmp_path / "previous.pt")["iterations"] == 4
    whole = (tmp_path / "last.pt").read_bytes()
    (tmp_path / "last.pt").write_bytes(whole[: len(whole) // 2])
    log = train(new_model("base", seed=3), clips, config, tmp_path, resume=True)
    assert len(log) == 6
    assert torch.equal(weights_of(load_checkpoint(tmp_path / "last.pt")[0]), weights_of_bytes(whole, tmp_path))


def weights_of_bytes(data, folder):
    (folder / "kept.pt").write_bytes(data)
    return weights_of(load_checkpoint(folder / "kept.pt")[0])


@pytest.mark.parametrize(
    ("change", "words"),
    [({"seed": 5}, "seed 0"), ({"learning_rate": 1e-3}, "learning_rate"), ({"stages": ((0.0, 3, 4),)}, "stages")],
)
def test_other_settings_are_refused(clips, tmp_path, change, words):
    train(new_model("base"), clips, replace(FEW, iterations=2), tmp_path)
    with pytest.raises(VosError, match=rf"last\.pt: was made with .*{words}"):
        train(new_model("base"), clips, replace(FEW, iterations=4, **change), tmp_path, resume=True)


def test_another_model_is_refused(clips, tmp_path):
    train(new_model("base"), clips, replace(FEW, iterations=2), tmp_path)
    with pytest.raises(VosError, match="kind base"):
        train(new_model("video"), clips, replace(FEW, iterations=2), tmp_path, resume=True)


def test_more_iterations_may_be_asked_for(clips, tmp_path):
    train(new_model("base"), clips, replace(FEW, iterations=2), tmp_path)
    assert len(train(new_model("base"), clips, replace(FEW, iterations=5), tmp_path, resume=True)) == 5


def command(small_set, run, iterations=12, *more):
    words = ["train", "--data", small_set, "--out", run, "--iterations", iterations, "--batch", 2, "--resume"]
    words += ["--checkpoint-every", 2, "--precision", "float32", *more]
    return [sys.executable, "-m", "vos", *map(str, words)]


ONE_THREAD = os.environ | {"OMP_NUM_THREADS": "1"}


@pytest.mark.slow
def test_killed_at_random_moments(small_set, tmp_path):
    """Three SIGKILLs here; benchmarks/kills.py sends twenty."""
    whole = tmp_path / "whole"
    subprocess.run(command(small_set, whole), check=True, env=ONE_THREAD, capture_output=True)
    seconds = read_rows(whole / "log.csv")[-1]["seconds"]
    chance, run, kills = random.Random(0), tmp_path / "run", 0
    while kills < 3:
        process = subprocess.Popen(
            command(small_set, run), env=ONE_THREAD, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        time.sleep(1)
        while not (run / "last.pt").exists() and process.poll() is None:
            time.sleep(0.05)
        time.sleep(chance.uniform(0, seconds / 2))
        if process.poll() is not None:
            break
        process.kill()
        process.wait()
        kills += 1
    assert kills >= 1
    subprocess.run(command(small_set, run), check=True, env=ONE_THREAD, capture_output=True)
    ours, theirs = (weights_of(load_checkpoint(folder / "last.pt")[0]) for folder in (run, whole))
    assert torch.equal(ours, theirs)


@pytest.mark.slow
def test_ctrl_c_saves_says_how_to_go_on_and_ends_with_130(small_set, tmp_path):
    process = subprocess.Popen(
        command(small_set, tmp_path, 100_000), env=ONE_THREAD, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not (tmp_path / "last.pt").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    held = read_checkpoint(tmp_path / "last.pt")["iterations"]
    assert f"holds iteration {held}; the same command with --resume goes on" in errors
    assert errors.strip().count("\n") == 0


def test_a_full_disk_is_said_and_the_training_goes_on(clips, tmp_path, monkeypatch, capfd):
    from vos.engine import checkpoints

    real, calls = torch.save, []

    def save(value, path):
        calls.append(path)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        real(value, path)

    monkeypatch.setattr(checkpoints.torch, "save", save)
    log = train(new_model("base"), clips, replace(FEW, iterations=6, checkpoint_every=2), tmp_path)
    assert len(log) == 6 and read_checkpoint(tmp_path / "last.pt")["iterations"] == 6
    assert read_checkpoint(tmp_path / "previous.pt")["iterations"] == 2
    said = capfd.readouterr().err
    assert said.count("No space left on device") == 1 and "the training goes on" in said
    assert not list(tmp_path.glob(".*partial"))
