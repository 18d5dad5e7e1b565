"""The command line, called as a person calls it."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from vos.cli import main
from vos.masks import read_mask, write_mask


@pytest.fixture(scope="module")
def checkpoint(small_set, tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    words = ["train", "--data", small_set, "--model", "updated", "--iterations", "2", "--seed", "1", "--out", run]
    assert main([str(w) for w in words]) == 0
    return run / "last.pt"


@pytest.mark.slow
def test_train_writes_a_checkpoint_that_weights_only_reads(checkpoint):
    loaded = torch.load(checkpoint, weights_only=True)
    assert loaded["train_config"]["seed"] == 1 and loaded["kind"] == "updated" and "model" in loaded
    assert (checkpoint.parent / "log.csv").read_text().count("\n") == 3


@pytest.mark.slow
def test_segment_then_evaluate_on_real_video(davis, checkpoint, tmp_path, capsys):
    """854x480, a 0/255 mask."""
    frames = tmp_path / "frames"
    frames.mkdir()
    truth = davis / "Annotations/480p/bear"
    for path in sorted((davis / "JPEGImages/480p/bear").iterdir())[:6]:
        (frames / path.name).symlink_to(path)
    out = tmp_path / "out"
    words = ["segment", "--checkpoint", checkpoint, "--frames", frames, "--mask", truth / "00000.png", "--out", out]
    assert main([str(w) for w in words]) == 0
    assert read_mask(out / "00003.png").shape == (480, 854)
    assert set(np.unique(read_mask(out / "00003.png"))) <= {0, 1}
    assert (read_mask(out / "00000.png") == read_mask(truth / "00000.png")).all()
    assert Image.open(out / "overlay.gif").n_frames == 6

    some = tmp_path / "truth"
    some.mkdir()
    for path in sorted(truth.iterdir())[:6]:
        (some / path.name).symlink_to(path)
    report = tmp_path / "scores.json"
    assert main(["evaluate", "--truth", str(some), "--prediction", str(out), "--json", str(report)]) == 0
    result = json.loads(report.read_text())
    assert set(result["global"]) >= {"J&F", "J_mean", "J_recall", "J_decay", "F_mean", "F_recall", "F_decay"}
    assert len(result["objects"]) == 1 and len(result["objects"][0]["J"]) == 4
    assert "J&F" in capsys.readouterr().out


@pytest.mark.slow
def test_segment_keeps_the_ids_of_the_mask(small_set, checkpoint, tmp_path):
    video = next((small_set / "valid/JPEGImages").iterdir())
    with Image.open(next(video.iterdir())) as image:
        ids = np.zeros((image.height, image.width), np.uint8)
    ids[20:90, 30:90], ids[100:180, 100:200] = 4, 200
    write_mask(tmp_path / "first.png", ids)
    words = ["segment", "--checkpoint", checkpoint, "--frames", video, "--mask", tmp_path / "first.png"]
    assert main([str(w) for w in [*words, "--out", tmp_path / "out"]]) == 0
    masks = sorted((tmp_path / "out").glob("*.png"))
    assert len(masks) == 20 and all(set(np.unique(read_mask(p))) <= {0, 4, 200} for p in masks)


@pytest.mark.slow
def test_the_overlay_of_a_long_video_leaves_frames_out(small_set, checkpoint, tmp_path, monkeypatch):
    """Its masks are all there, and it plays as long."""
    monkeypatch.setattr("vos.video.pictures.GIF_FRAMES", 6)
    name = next((small_set / "valid/JPEGImages").iterdir()).name
    first = min((small_set / "valid/Annotations" / name).iterdir())
    words = ["segment", "--checkpoint", checkpoint, "--frames", small_set / "valid/JPEGImages" / name, "--mask", first]
    assert main([str(w) for w in [*words, "--out", tmp_path / "out"]]) == 0
    assert len(list((tmp_path / "out").glob("*.png"))) == 20
    with Image.open(tmp_path / "out/overlay.gif") as animation:
        assert animation.n_frames == 5 and animation.info["duration"] == 4 * 80


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["data", "check", "nowhere"], "nowhere: no such folder"),
        (["train", "--data", "nowhere", "--out", "run"], "nowhere: no such folder"),
        (["evaluate", "--truth", "nowhere", "--prediction", "nowhere"], "nowhere: no such folder"),
        (["evaluate", "--truth", "nowhere", "--prediction", "nowhere", "--workers", "0"], "--workers: is 0"),
        (["evaluate", "--truth", "nowhere", "--prediction", "nowhere", "--void", "300"], "--void: is 300"),
        (["report", "--data", "nowhere"], "nowhere: no such folder"),
        (["report", "--steps", "0"], "--steps: is 0"),
        (["segment", "--checkpoint", "c.pt", "--frames", "nowhere", "--mask", "m.png", "--out", "o"], "nowhere"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(words, named, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and named in error
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_mask_of_another_size_is_refused(small_set, checkpoint, tmp_path, capsys):
    video = next((small_set / "valid/JPEGImages").iterdir())
    write_mask(tmp_path / "first.png", np.ones((10, 10), np.uint8))
    words = ["segment", "--checkpoint", checkpoint, "--frames", video, "--mask", tmp_path / "first.png"]
    assert main([str(w) for w in [*words, "--out", tmp_path / "out"]]) == 2
    assert "first.png: is 10x10" in capsys.readouterr().err


def test_data_check(small_set, capsys):
    assert main(["data", "check", str(small_set)]) == 0
    assert "no problem found" in capsys.readouterr().out


@pytest.mark.slow
def test_the_real_preset_trains_and_its_checkpoint_segments(small_set, tmp_path):
    out = tmp_path / "run"
    words = ["train", "--data", small_set, "--model", "attention", "--preset", "real", "--from-scratch", "--out", out]
    assert main([str(w) for w in [*words, "--iterations", 1, "--batch", 1, "--hold-out", 0]]) == 0
    held = torch.load(out / "last.pt", weights_only=True)
    assert held["kind"] == "attention" and held["model_config"]["backbone"] == "efficientnet-lite0"
    video = next((small_set / "valid/JPEGImages").iterdir())
    mask = small_set / "valid/Annotations" / video.name / "00000.png"
    words = ["segment", "--checkpoint", out / "last.pt", "--frames", video, "--mask", mask, "--out", tmp_path / "masks"]
    assert main([str(w) for w in words]) == 0
