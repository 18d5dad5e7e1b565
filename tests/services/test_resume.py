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
from helpers.training_runs import FEW, clips_of, new_model, weights_of

from vos.config import AugmentConfig
from vos.data import VOSDataset
from vos.engine.checkpoints import load_checkpoint, read_checkpoint
from vos.engine.log import read_rows
from vos.engine.trainer import Trainer, clips_for, held_out_clips, split_videos
from vos.files import VosError
from vos.metrics import region_similarity

pytestmark = pytest.mark.slow  # all of it is for the whole suite


class Stopped(Exception):
    """What a test raises where a process would have been killed."""


def stop_after(iterations):
    """An `on_checkpoint` that ends the training as a kill would."""

    def stop(log):
        if len(log) >= iterations:
            raise Stopped

    return stop


@pytest.fixture(scope="module")
def clips(small_set):
    return clips_of(small_set)


@pytest.mark.parametrize(("name", "muon", "workers"), [("base", 0.0, 0), ("updated", 3.0, 2)])
def test_resumed_is_the_same_to_the_bit(clips, tmp_path, name, muon, workers):
    config = replace(
        FEW, iterations=9, curriculum=((0.0, 2, 4), (0.5, 3, 2)), muon=muon, workers=workers, checkpoint_every=2
    )
    whole = new_model(name)
    expected, run = Trainer(whole, clips, config, tmp_path / "whole").fit(), tmp_path / "run"
    for iterations, seed in ((2, 0), (4, 7), (6, 8)):  # the weights a resumed training starts with do not matter
        trainer = Trainer(new_model(name, seed), clips, config, run, on_checkpoint=stop_after(iterations))
        with pytest.raises(Stopped):
            trainer.fit(resume=True)
    again = new_model(name, seed=8)
    log = Trainer(again, clips, config, run).fit(resume=True)
    assert torch.equal(weights_of(whole), weights_of(again))
    assert [row["loss"] for row in log] == [row["loss"] for row in expected]
    assert [row["iteration"] for row in read_rows(run / "log.csv")] == list(range(9))


def test_last_two_are_kept_and_the_older_one_serves_where_the_newer_is_damaged(clips, tmp_path):
    config = replace(FEW, iterations=6, checkpoint_every=2)
    Trainer(new_model("base"), clips, config, tmp_path).fit()
    assert read_checkpoint(tmp_path / "last.pt")["iterations"] == 6
    assert read_checkpoint(tmp_path / "previous.pt")["iterations"] == 4
    whole = (tmp_path / "last.pt").read_bytes()
    (tmp_path / "last.pt").write_bytes(whole[: len(whole) // 2])
    log = Trainer(new_model("base", seed=3), clips, config, tmp_path).fit(resume=True)
    assert len(log) == 6
    assert torch.equal(weights_of(load_checkpoint(tmp_path / "last.pt")[0]), weights_of_bytes(whole, tmp_path))


def weights_of_bytes(data, folder):
    (folder / "kept.pt").write_bytes(data)
    return weights_of(load_checkpoint(folder / "kept.pt")[0])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 5}, "seed 0"),
        ({"learning_rate": 1e-3}, "learning_rate"),
        ({"curriculum": ((0.0, 3, 4),)}, "curriculum"),
        ({"augment": AugmentConfig()}, "augment"),
    ],
)
def test_other_settings_are_refused(clips, tmp_path, change, words):
    Trainer(new_model("base"), clips, replace(FEW, iterations=2), tmp_path).fit()
    trainer = Trainer(new_model("base"), clips, replace(FEW, iterations=4, **change), tmp_path)
    with pytest.raises(VosError, match=rf"last\.pt: was made with .*{words}"):
        trainer.fit(resume=True)


def test_another_model_is_refused(clips, tmp_path):
    Trainer(new_model("base"), clips, replace(FEW, iterations=2), tmp_path).fit()
    trainer = Trainer(new_model("updated"), clips, replace(FEW, iterations=2), tmp_path)
    with pytest.raises(VosError, match="kind base"):
        trainer.fit(resume=True)


def test_J_on_held_out_clips_is_measured_at_checkpoints_and_chooses_the_best(small_set, tmp_path):
    """val_J is the mean region similarity over the predicted frames that count; a resumed training knows the best."""
    seen, held_out = split_videos(VOSDataset(small_set).train, 3)
    config = replace(FEW, iterations=4, checkpoint_every=2, learning_rate=1e-2)
    model = new_model("base")
    val_clips = held_out_clips(model, held_out, config)
    assert len(held_out) == 2 and len(seen) == 4 and not {v.name for v in held_out} & {v.name for v in seen}
    assert {clip.name.split("/")[0] for clip in val_clips} == {v.name for v in held_out}
    assert {clip.frames.shape[0] for clip in val_clips} == {3}
    val_clips[0].frame_weights[-1] = 0  # a frame without annotation
    val_clips[0].masks[-1] = 0
    shown = []
    trainer = Trainer(
        model, clips_for(model, seen, config), config, tmp_path, val_clips=val_clips, on_checkpoint=shown.append
    )
    log = trainer.fit()
    assert len(shown) == 2 and [i for i, row in enumerate(log) if "val_J" in row] == [1, 3]
    expected = []
    with torch.no_grad():
        for clip in val_clips:
            predicted = model(clip.frames[None], clip.masks[None, 0])[0] > 0
            expected += [
                region_similarity(predicted[t - 1, 0].numpy(), clip.masks[t, 0].numpy() > 0)
                for t in range(1, 3)
                if clip.frame_weights[t]
            ]
    assert len(expected) == 2 * len(val_clips) - 1
    assert log[3]["val_J"] == pytest.approx(sum(expected) / len(expected))
    values = [row["val_J"] for row in log if "val_J" in row]
    best = max(values)
    assert read_checkpoint(tmp_path / "best.pt")["iterations"] == 2 * (1 + values.index(best))
    again = Trainer(new_model("base"), clips_for(model, seen, config), config, tmp_path, val_clips=val_clips)
    again.fit(resume=True)
    assert again.best == best


def test_on_step_is_shown_every_step_and_how_far_it_is(clips, tmp_path):
    seen = []
    Trainer(new_model("base"), clips, FEW, tmp_path, on_step=lambda log, done: seen.append((len(log), done))).fit()
    assert [count for count, _ in seen] == [1, 2, 3, 4, 5, 6]
    assert [done for _, done in seen] == pytest.approx([count / 6 for count, _ in seen])


def test_more_iterations_may_be_asked_for(clips, tmp_path):
    Trainer(new_model("base"), clips, replace(FEW, iterations=2), tmp_path).fit()
    trainer = Trainer(new_model("base"), clips, replace(FEW, iterations=5), tmp_path)
    assert len(trainer.fit(resume=True)) == 5


def command(small_set, run, iterations=6, *more):
    words = ["train", "--data", small_set, "--out", run, "--iterations", iterations, "--batch", 2, "--resume"]
    words += ["--checkpoint-every", 1, "--precision", "float32", *more]
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
    log = Trainer(new_model("base"), clips, replace(FEW, iterations=6, checkpoint_every=2), tmp_path).fit()
    assert len(log) == 6 and read_checkpoint(tmp_path / "last.pt")["iterations"] == 6
    assert read_checkpoint(tmp_path / "previous.pt")["iterations"] == 2
    said = capfd.readouterr().err
    assert said.count("No space left on device") == 1 and "the training goes on" in said
    assert not list(tmp_path.glob(".*partial"))
