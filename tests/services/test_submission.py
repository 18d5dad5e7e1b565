"""Submissions are the same bytes each time and written whole or not at all; `submit` writes and checks them."""

import re
import shutil
import stat
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.submission_draft import ONE, PAIR, Draft, blobs, path_of
from PIL import Image

from vos.cli import main
from vos.config import ModelConfig
from vos.data import VOSDataset
from vos.engine.checkpoints import write_checkpoint
from vos.files import VosError
from vos.inference import copy_first, empty
from vos.masks import write_mask
from vos.networks import build
from vos.submission.check import check_submission
from vos.submission.write import write_submission


def test_a_clean_submission_has_no_fault(clean, valid):
    assert check_submission(clean, valid) == []
    with zipfile.ZipFile(clean) as archive:
        infos = archive.infolist()
        assert Image.open(archive.open(infos[0])).getpalette()[3:6] == [128, 0, 0]
    names = [info.filename for info in infos]
    assert names == sorted(f"Annotations/{v.name}/{n}.png" for v in valid for n in v.frame_names)
    assert {(i.date_time, i.create_system, i.external_attr >> 16, i.compress_type) for i in infos} == {
        ((1980, 1, 1, 0, 0, 0), 3, stat.S_IFREG | 0o644, zipfile.ZIP_STORED)
    }


def test_only_the_frames_asked_for_are_written(valid, tmp_path):
    """In place of a set with every frame: one object that is listed in every third frame."""
    (video,) = [v for v in valid if v.name == ONE]
    sparse = replace(video, objects=(replace(video.objects[0], frames=tuple(range(0, 20, 3))),))
    assert write_submission(tmp_path / "sparse.zip", [sparse], copy_first, progress=False) == 7
    assert Draft(tmp_path / "sparse.zip").names() == [path_of(ONE, place) for place in range(0, 20, 3)]
    assert check_submission(tmp_path / "sparse.zip", [sparse]) == []
    assert [str(f).split(": ")[1][:5] for f in check_submission(tmp_path / "sparse.zip", [video])] == ["lacks"]


def test_same_masks_same_bytes(clean, valid, tmp_path):
    again = tmp_path / "new" / "again.zip"
    assert write_submission(again, reversed(list(valid)), copy_first, progress=False) == 120
    assert again.read_bytes() == clean.read_bytes()


def truth_of(videos):
    """A method that knows the answer. videos: with all annotations."""
    known = {video.name: video for video in videos}
    return lambda video: (known[video.name].mask(index) for index in range(len(video)))


def test_true_masks_raise_no_alarm(valid, small_set, davis, tmp_path):
    """Real shapes and drawn ones, one object and several, thin parts and occlusions."""
    for name, given, root in (("drawn", valid, small_set), ("real", VOSDataset(davis, True).valid, davis)):
        truth = truth_of(VOSDataset(root, hold_out=None).valid_truth)
        path = tmp_path / f"{name}.zip"
        write_submission(path, given, truth, progress=False)
        assert check_submission(path, given) == [], name


def test_the_empty_baseline_is_refused(valid, tmp_path):
    write_submission(tmp_path / "empty.zip", valid, empty, progress=False)
    found = [str(finding) for finding in check_submission(tmp_path / "empty.zip", valid)]
    assert any("every mask after the given one is empty" in line for line in found)
    assert sum("differs from the given mask" in line for line in found) == 8  # 6 videos, 2 of them with a late object


# --- writing that fails


@pytest.mark.parametrize("room", [10, 20_000, -10], ids=["at once", "half-way", "at the very end"])
@pytest.mark.parametrize("older", [True, False], ids=["an older submission", "none before"])
def test_a_full_disk_leaves_nothing_behind(clean, valid, tmp_path, room, older):
    """The system itself refuses to let a file grow beyond a limit, as a full disk does."""
    resource = pytest.importorskip("resource")
    out = tmp_path / "out.zip"
    if older:
        shutil.copy(clean, out)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    limit = room if room > 0 else clean.stat().st_size + room
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(VosError, match=rf"^{re.escape(str(out))}: cannot be written.* \(File too large\);"):
            write_submission(out, valid, copy_first, progress=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == ([clean.read_bytes()] if older else [])


def test_a_full_temporary_folder_names_the_submission_too(valid, tmp_path, monkeypatch):
    def refuse(path, ids):
        raise VosError(f"{path}: cannot be written (No space left on device); free some space")

    monkeypatch.setattr("vos.submission.write.write_mask", refuse)
    with pytest.raises(VosError, match=r"out\.zip: cannot be written, as .*mask\.png: .*free some space$"):
        write_submission(tmp_path / "out.zip", valid, copy_first, progress=False)
    assert not list(tmp_path.iterdir())


def test_a_method_that_fails_leaves_nothing_behind(valid, tmp_path):
    def failing(video):
        yield from list(copy_first(video))[:5]
        raise VosError("no such frame")

    with pytest.raises(VosError, match="no such frame"):
        write_submission(tmp_path / "out.zip", valid, failing, progress=False)
    with pytest.raises(ValueError, match="shorter"):
        write_submission(tmp_path / "out.zip", valid, lambda video: list(copy_first(video))[:5], progress=False)
    assert not list(tmp_path.iterdir())


def test_places_that_cannot_be_written(valid, tmp_path):
    (tmp_path / "file").write_text("")
    for out, words in ((tmp_path, "is a folder"), (tmp_path / "file" / "out.zip", "cannot be written")):
        with pytest.raises(VosError, match=f"^{re.escape(str(out))}: {words}"):
            write_submission(out, valid, copy_first, progress=False)


# --- the command line


@pytest.fixture
def tiny_davis(tmp_path):
    """A DAVIS-2017 set of one validation video: four frames of 48x64, objects 1 and 3."""
    root, rng = tmp_path / "DAVIS", np.random.default_rng(0)
    (root / "ImageSets" / "2017").mkdir(parents=True)
    (root / "ImageSets" / "2017" / "val.txt").write_text("v\n")
    (root / "JPEGImages" / "480p" / "v").mkdir(parents=True)
    for place in range(4):
        picture = Image.fromarray(rng.integers(0, 255, (48, 64, 3), np.uint8))
        picture.save(root / "JPEGImages" / "480p" / "v" / f"{place:05}.jpg")
        ids = blobs((1, 20, 20, 12), (3, 30, 40 + place, 12), shape=(48, 64))
        write_mask(root / "Annotations" / "480p" / "v" / f"{place:05}.png", ids)
    return root


def test_submit_writes_and_checks(tiny_davis, tmp_path, capsys):
    """From a checkpoint to the zip; what the checker says of the model's masks decides the exit code."""
    torch.manual_seed(0)
    model = build("base", ModelConfig((16, 32), ((6,), (8,)), 5, (6, 4), batch_norm=True))
    out = tmp_path / "out" / "base.zip"
    words = ["submit", "--checkpoint", tmp_path / "model.pt", "--data", tiny_davis, "--out", out]
    everywhere = "WARNING  Annotations/v: object 3 is in no mask after its first\n"  # object 1 is before it
    nowhere = "ERROR    Annotations/v: every mask after the given one is empty; whole videos without any object score"
    for bias, code, words_of_checker in ((99.0, 0, everywhere), (-99.0, 2, nowhere)):
        torch.nn.init.constant_(model.decoder.last.bias, bias)
        write_checkpoint(tmp_path / "model.pt", model, {"train_config": {}})
        assert main([str(word) for word in words]) == code
        printed = capsys.readouterr()
        assert printed.out.startswith(f"{out}: 4 masks of 1 video")
        assert words_of_checker in printed.out
        assert printed.err == (f"vos: {out}: 1 error, named above\n" if code else "")
        assert main(["submit", "--check", str(out), "--data", str(tiny_davis)]) == code
        assert words_of_checker in capsys.readouterr().out
    assert Draft(out).names() == [f"Annotations/v/{place:05}.png" for place in range(4)]


def test_exit_codes_of_the_check(small_set, clean, tmp_path, capsys):
    def checked(path):
        return main(["submit", "--check", str(path), "--data", str(small_set)]), *capsys.readouterr()

    assert checked(clean) == (0, "no problem found\n", "")
    draft, path = Draft(clean), tmp_path / "faulty.zip"
    draft.add("readme.txt")
    draft.save(path)
    code, out, err = checked(path)
    assert (
        (code, err) == (0, "") and out.startswith("WARNING  readme.txt: is none of") and "1 to look at, no err" in out
    )
    draft.remove(path_of(ONE, 1), *draft.names(PAIR))
    draft.save(path)
    code, out, err = checked(path)
    assert code == 2 and err == f"vos: {path}: 2 errors, named above\n"
    assert [line.split()[0] for line in out.splitlines()] == ["ERROR", "ERROR", "WARNING"]


@pytest.mark.parametrize(
    "words",
    [[], ["--out", "o.zip"], ["--checkpoint", "c.pt"], ["--check", "o.zip", "--out", "o.zip", "--checkpoint", "c.pt"]],
)
def test_half_a_command_is_refused(small_set, words, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert main(["submit", "--data", str(small_set), *words]) == 2
    assert "give --checkpoint and --out to write a submission, or --check alone" in capsys.readouterr().err
    assert main(["submit", "--data", "nowhere", "--check", "o.zip"]) == 2
    assert "nowhere: no such folder" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
