"""Sets as they are downloaded or made by hand: what is read of each, and what the commands say of them."""

import io
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from helpers.real_sets import SIZE, davis, save_mask, scene, youtube_vos
from PIL import Image

from vos.cli import main
from vos.data import VOSDataset
from vos.datasets.check import check_files, check_folder
from vos.engine.checkpoints import export_checkpoint
from vos.files import VosError
from vos.masks import read_mask
from vos.networks import build
from vos.submission.write import write_submission

TRAIN = [f"t{i}" for i in range(1, 7)]
ODD = {"v1": (90, 161), "v2": (161, 90)}  # of valid: odd sizes, one of them portrait


def downloaded(root: Path, year: int) -> Path:
    """YouTube-VOS as its zips unpack: train whole, valid and test with first masks only, without categories."""
    youtube_vos(root, "train", TRAIN)
    youtube_vos(root, "valid", ODD if year == 2018 else ODD | {"v3": SIZE}, category=None, late=(3, 7), first=True)
    return youtube_vos(root, "test", ["x1"], category=None, first=True)


def only(root: Path, split: str) -> Path:
    """The set with one of its splits only."""
    for path in root.iterdir():
        if path.name != split:
            shutil.rmtree(path)
    return root


def names(dataset: VOSDataset, split: str) -> list[str]:
    """The videos of a split; empty where it has none."""
    try:
        return [video.name for video in dataset.split(split)]
    except VosError:
        return []


def all_frames(root: Path) -> Path:
    """YouTube-VOS with train_all_frames beside it, 30 frames a second of one video."""
    for t in range(26):
        path = root / "train_all_frames/JPEGImages/t1" / f"{t:05d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(scene(t // 5)[0]).save(path)
    return root


def pairs(listed: list[str], resolution: str) -> list[str]:
    """A list of DAVIS-2016: a frame's and its mask's path a line."""
    return [f"/JPEGImages/{resolution}/{n}/00000.jpg /Annotations/{resolution}/{n}/00000.png" for n in listed]


LAYOUTS = {  # what: (how to make it, {split: its videos})
    "YouTube-VOS 2018": (
        lambda d: downloaded(d, 2018), {"train": TRAIN, "valid": ["v1", "v2"], "test": ["x1"]}),
    "YouTube-VOS 2019": (
        lambda d: downloaded(d, 2019), {"train": TRAIN, "valid": ["v1", "v2", "v3"], "test": ["x1"]}),
    "train/ alone": (lambda d: only(downloaded(d, 2018), "train"), {"train": TRAIN}),
    "valid/ alone": (lambda d: only(downloaded(d, 2019), "valid"), {"valid": ["v1", "v2", "v3"]}),
    "test/ alone": (lambda d: only(downloaded(d, 2018), "test"), {"test": ["x1"]}),
    "train/ and train_all_frames/": (lambda d: all_frames(youtube_vos(d, "train", TRAIN)), {"train": TRAIN}),
    "DAVIS-2016": (
        lambda d: davis(d, "abc", {"480p/train.txt": pairs(["a", "b"], "480p"), "480p/val.txt": pairs(["c"], "480p")},
                        grey=True),
        {"train": ["a", "b"], "valid": ["c"], "valid_truth": ["c"]}),
    "DAVIS-2016, 1080p": (
        lambda d: davis(d, "ab", {"1080p/train.txt": pairs(["a"], "1080p"), "1080p/val.txt": pairs(["b"], "1080p")},
                        resolution="1080p"),
        {"train": ["a"], "valid": ["b"], "valid_truth": ["b"]}),
    "DAVIS-2017": (
        lambda d: davis(d, "abc", {"2017/train.txt": ["a", "b"], "2017/val.txt": ["c"]}),
        {"train": ["a", "b"], "valid": ["c"], "valid_truth": ["c"]}),
    "DAVIS-2017, Full-Resolution": (
        lambda d: davis(d, "ab", {"2017/train.txt": ["a"], "2017/val.txt": ["b"]}, resolution="Full-Resolution"),
        {"train": ["a"], "valid": ["b"], "valid_truth": ["b"]}),
    "DAVIS-2017 test-dev": (lambda d: davis(d, "ab", {"2017/test-dev.txt": ["a", "b"]}), {"test": ["a", "b"]}),
    "own, DAVIS layout, PNG frames": (lambda d: davis(d, "abcde", frame="{:05d}.png"), {"train": list("abcde")}),
    "own, BMP frames, masks in capitals": (
        lambda d: davis(d, "ab", frame="f{}.BMP", mask="f{}.PNG", count=12), {"train": ["a", "b"]}),
    "own, without ImageSets": (lambda d: davis(d, "ba", {}), {"train": ["a", "b"]}),
    "own, one sequence": (lambda d: davis(d, "a"), {"train": ["a"]}),
    "own, three sequences": (lambda d: davis(d, "abc"), {"train": ["a", "b", "c"]}),
}  # fmt: skip


@pytest.mark.parametrize(("make", "splits"), LAYOUTS.values(), ids=LAYOUTS)
def test_each_layout_is_read_as_what_it_is(tmp_path, make, splits):
    dataset = VOSDataset(make(tmp_path))
    assert {split: names(dataset, split) for split in ("train", "valid", "valid_truth", "test")} == {
        "train": [], "valid": [], "valid_truth": [], "test": [], **splits
    }  # fmt: skip
    lines, problems = check_folder(tmp_path)
    assert problems == [] and all(any(line.startswith(f"  {split}: ") for line in lines) for split in splits)
    for split in splits:
        videos = dataset.split(split)
        assert check_files(videos, tmp_path) == []
        for video in videos:
            assert video.given(0) is not None and len(video) >= 6
            assert list(video.frame_names) == sorted(video.frame_names, key=lambda name: int(name.strip("f")))


@pytest.mark.parametrize(("count", "held"), [(2, 1), (3, 1), (4, 1), (5, 2), (9, 3)])
def test_held_out_videos_are_asked_for_by_name(tmp_path, count, held):
    """YouTube-VOS's valid has no truth, and is never replaced by training videos unless that is said."""
    root = youtube_vos(tmp_path, "train", [f"t{i}" for i in range(count)])
    youtube_vos(root, "valid", ["v1"], category=None, first=True)
    assert names(VOSDataset(root), "valid") == ["v1"] and len(names(VOSDataset(root), "train")) == count
    split = VOSDataset(root, hold_out=None)
    assert split.held_out and len(split.valid_truth) == held and len(split.train) == count - held
    assert {v.name for v in split.valid}.isdisjoint(v.name for v in split.train)


def test_one_video_is_too_few_to_hold_any_out(tmp_path):
    root = davis(tmp_path, "a")
    with pytest.raises(VosError, match="one video is too few to hold any out"):
        _ = VOSDataset(root, hold_out=None).valid
    lines, problems = check_folder(root)
    assert problems == [] and "too few for a report" in "\n".join(lines)


def test_all_frames_are_taken_where_they_are_asked_for(tmp_path):
    root = all_frames(youtube_vos(tmp_path, "train", ["t1", "t2"]))
    usual, every = VOSDataset(root).train, VOSDataset(root, all_frames=True).train
    assert [len(v) for v in usual] == [6, 6] and [len(v) for v in every] == [26, 6]
    assert every[0].annotated == (0, 5, 10, 15, 20, 25) and every[0].objects[0].first == 0


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "base.pt"
    model = build("base", "course")
    export_checkpoint(model, {"train_config": {}, "iterations": 0, "precision": "float32", "minutes": 0.0}, path)
    return path


@pytest.mark.parametrize("year", [2018, 2019])
@pytest.mark.parametrize("alone", [True, False])
def test_submit_and_its_check_mean_the_videos_of_valid(tmp_path, checkpoint, capsys, year, alone):
    root, out = downloaded(tmp_path / "set", year), tmp_path / "o.zip"
    if alone:
        only(root, "valid")
    assert main(["submit", "--checkpoint", str(checkpoint), "--data", str(root), "--out", str(out)]) in (0, 2)
    with zipfile.ZipFile(out) as archive:
        folders = sorted({name.split("/")[1] for name in archive.namelist()})
    assert folders == ["v1", "v2"] + ["v3"] * (year == 2019)
    right = tmp_path / "right.zip"
    write_submission(right, VOSDataset(root).valid, true_masks)
    capsys.readouterr()
    assert main(["submit", "--data", str(root), "--check", str(right)]) == 0
    assert "no problem found" in capsys.readouterr().out


def test_submit_for_the_test_videos_by_name(tmp_path, capsys):
    root, right = downloaded(tmp_path / "set", 2019), tmp_path / "right.zip"
    write_submission(right, VOSDataset(root).split("test"), true_masks)
    assert main(["submit", "--data", str(root), "--split", "test", "--check", str(right)]) == 0
    assert main(["submit", "--data", str(root), "--check", str(right)]) == 2
    assert "videos such as v1" in capsys.readouterr().out


def true_masks(video):
    """The id maps of scene(t), with the late objects of `youtube_vos`."""
    late = [o.id for o in video.objects if o.first]
    for t in range(len(video)):
        ids = scene(t, video.size)[1]
        for place, number in enumerate(late):
            ids[video.size[0] - 20 :, 20 * place : 20 * place + 18] = number if t >= 2 else 0
        yield ids


def without_video(files):
    return {name: data for name, data in files.items() if "/v2/" not in name}


def without_frame(files):
    return {name: data for name, data in files.items() if not name.endswith("v1/00015.png")}


def with_training_video(files):
    return files | {name.replace("/v1/", "/t1/"): data for name, data in files.items() if "/v1/" in name}


def with_another_size(files):
    return files | {"Annotations/v1/00010.png": files["Annotations/v2/00010.png"]}


def without_late_object(files):
    return files | {"Annotations/v1/00010.png": files["Annotations/v1/00005.png"]}


@pytest.mark.parametrize("year", [2018, 2019])
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (without_video, "lacks the videos v2"),
        (without_frame, "00015"),
        (with_training_video, "videos that the set does not have: t1"),
        (with_another_size, "161x90"),
        (without_late_object, "differs from the given mask"),
    ],
)
def test_a_planted_fault_is_found(tmp_path, capsys, year, spoil, words):
    root, right, wrong = downloaded(tmp_path / "set", year), tmp_path / "right.zip", tmp_path / "wrong.zip"
    write_submission(right, VOSDataset(root).valid, true_masks)
    with zipfile.ZipFile(right) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(wrong, "w") as archive:
        for name, data in spoil(files).items():
            archive.writestr(name, data)
    main(["submit", "--data", str(root), "--check", str(wrong)])
    assert words in capsys.readouterr().out


def no_first_object(t, mask):
    return mask if t else 0 * mask


BEFORE_WORK = {  # what: (how to make the set, what is said)
    "masks transposed": (
        lambda d: davis(d, "abcde", ids=lambda t, m: m.T), "a/00000.png: is 160x96, its frame is 96x160"),
    "masks half as large": (lambda d: davis(d, "abcde", ids=lambda t, m: m[::2, ::2]), "00000.png: is 48x80"),
    "one mask of another size": (
        lambda d: davis(d, "abcde", ids=lambda t, m: m[:, ::2] if t == 4 else m), "00004.png: is 96x80"),
    "a mask that is cut off": (
        lambda d: cut(davis(d, "abcde") / "Annotations/480p/c/00003.png"), "c/00003.png: cannot be read as mask"),
    "a frame that is cut off": (
        lambda d: cut(davis(d, "abcde") / "JPEGImages/480p/e/00005.jpg"), "e/00005.jpg: cannot be read as image"),
}  # fmt: skip


def cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-200])
    return path.parents[3]


@pytest.mark.parametrize(("make", "words"), BEFORE_WORK.values(), ids=BEFORE_WORK)
@pytest.mark.parametrize("command", ["train", "report"])
def test_what_is_wrong_with_files_is_said_before_a_training(tmp_path, capsys, monkeypatch, make, words, command):
    monkeypatch.setattr("vos.engine.trainer.Trainer.fit", lambda *_: pytest.fail("it trained"))
    root, out = make(tmp_path / "set"), tmp_path / "run"
    assert main([command, "--data", str(root), "--out", str(out)]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert words in error and "`python -m vos data check" in error and not out.exists()


LATE = {  # an object that the first mask lacks, in DAVIS layout: what, how, which ids
    "enters at the second frame": (no_first_object, "1"),
    "beside one that is there": (lambda t, m: m + 2 * (m[:, ::-1] * (t > 2)), "2"),
    "two of them": (lambda t, m: m + 4 * np.roll(m, 40, 0) * (t > 3) + 8 * np.roll(m, 60, 1) * (t > 4), "4, 8"),
}  # fmt: skip


@pytest.mark.parametrize(("ids", "said"), LATE.values(), ids=LATE)
def test_a_late_object_in_davis_layout_is_one_line_with_the_remedy(tmp_path, capsys, ids, said):
    root = davis(tmp_path / "set", ["b", "c", "d"])
    davis(root, ["a"], {}, ids=ids)
    (root / "ImageSets/2017/train.txt").write_text("a\nb\nc\nd")
    _, problems = check_folder(root)
    (line,) = problems
    assert f"holds id {said}, " in line and "video a has" in line and "meta.json lists late ones" in line
    assert check_files(VOSDataset(root).train, root) == [line]  # said before a training, and no hindrance


def test_before_long_work_a_few_of_many_oddities_are_named(tmp_path):
    root = davis(tmp_path, [f"s{i:02d}" for i in range(13)], count=2, ids=no_first_object)
    *named, last = check_files(VOSDataset(root).train, root)
    assert len(named) == 10 and "3 more of this kind" in last and f"data check {root}" in last
    assert len(check_folder(root)[1]) == 13


@pytest.mark.parametrize("stray", ["JPEGImages/480p/b/cover.jpg", "Annotations/480p/b/all.png"])
def test_an_image_that_is_no_frame_is_named_and_left_out(tmp_path, stray):
    root = davis(tmp_path, "abc")
    shutil.copy(next((root / stray).parent.iterdir()), root / stray)
    _, (problem,) = check_folder(root)
    assert f"{root / stray}: it is left out" in problem
    assert len(VOSDataset(root).train[1]) == 6 and check_files(VOSDataset(root).train, root) == [problem]


@pytest.mark.slow
def test_a_reader_that_has_had_enough_ends_quietly(tmp_path):
    """`data check DIR | head -1`, in processes of their own, as only there a pipe can break."""
    many = davis(tmp_path / "many", [f"s{i}" for i in range(90)], count=2, ids=no_first_object)
    few = davis(tmp_path / "few", ["a"], count=2, ids=no_first_object)
    for words in (["data", "check", many], ["data", "check", few], ["evaluate", "--help"]):
        command = subprocess.Popen(
            [sys.executable, "-m", "vos", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        command.stdout.close()  # nobody reads
        assert "roken pipe" not in (error := command.stderr.read()) and "Traceback" not in error
        assert command.wait() in (0, 2, 141)


def test_evaluate_reads_masks_in_capitals(tmp_path, capsys):
    for folder, ending in (("truth", "PNG"), ("prediction", "PNG"), ("mixed", "png")):
        for t in range(5):
            save_mask(tmp_path / folder / "a" / f"{t}.{ending}", scene(t)[1])
    for prediction in ("prediction", "mixed"):
        assert main(["evaluate", "--truth", str(tmp_path / "truth"), "--prediction", str(tmp_path / prediction)]) == 0
        assert "J&F 1.0000" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("ids", "said", "score"),
    [((100, 200), "a (id 1-99, 101-199)", 0.99), ((2,), "a (id 1)", 0.5), ((1, 3), "a (id 2)", 1 / 3), ((1, 2), "", 0)],
)
def test_objects_that_nobody_sees_are_named(tmp_path, capsys, ids, said, score):
    for t in range(4):
        truth = np.zeros(SIZE, np.uint8)
        for place, number in enumerate(ids):
            truth[20 * place : 20 * place + 18, 8 + 4 * t : 38 + 4 * t] = number
        save_mask(tmp_path / "truth/a" / f"{t:05d}.png", truth)
        save_mask(tmp_path / "empty/a" / f"{t:05d}.png", 0 * truth)
    assert main(["evaluate", "--truth", str(tmp_path / "truth"), "--prediction", str(tmp_path / "empty")]) == 0
    out, err = capsys.readouterr()
    assert f"J&F {score:.4f}" in out and said in err and ("in no first mask" in err) == bool(said)


def test_small_shared_memory_is_said_at_once(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(0, 0, 10**6))
    root = davis(tmp_path / "set", "abcde")
    assert main(["train", "--data", str(root), "--out", str(tmp_path / "r"), "--workers", "2"]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "/dev/shm: has 1 MB free" in error and "--workers 0" in error


def test_a_training_is_not_begun_over_another_or_over_files_of_somebody(tmp_path, capsys):
    root = davis(tmp_path / "set", "abcde")
    mine, run = tmp_path / "mine", tmp_path / "run"
    mine.mkdir(), run.mkdir()
    (mine / "thesis.tex").write_text("mine"), (run / "last.pt").write_text("a training")
    for out, words in ((mine, "holds thesis.tex"), (run, "holds a training; --resume"), (root, "is read")):
        assert main(["train", "--data", str(root), "--out", str(out)]) == 2
        assert words in capsys.readouterr().err.splitlines()[-1]
    assert (mine / "thesis.tex").read_text() == "mine" and (run / "last.pt").read_text() == "a training"


def test_files_of_somebody_are_not_replaced_and_our_own_are(tmp_path, capsys, checkpoint):
    """--json, --csv with its second file, and the zip of submit: refused before any work where they are not ours."""
    for t in range(4):
        save_mask(tmp_path / "truth/a" / f"{t:05d}.png", scene(t)[1])
    score = ["evaluate", "--truth", str(tmp_path / "truth"), "--prediction", str(tmp_path / "truth")]
    youtube_vos(tmp_path / "set", "valid", ["v1"], category=None, first=True)
    submit = ["submit", "--data", str(tmp_path / "set"), "--checkpoint", str(checkpoint)]
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("Annotations/v1/00000.png", b"by another program")
    for command, option, name, theirs in (
        (score, "--json", "meta.json", b'{"videos": {}}'),
        (score, "--csv", "grades.csv", b"name,grade"),
        (submit, "--out", "mine.zip", zipped.getvalue()),
        (submit, "--out", "thesis.zip", b"no zip"),
    ):
        path = tmp_path / name
        path.write_bytes(theirs)
        assert main([*command, option, str(path)]) == 2
        assert f"{path}: is there already" in capsys.readouterr().err.splitlines()[-1] and path.read_bytes() == theirs
        path.unlink()
        assert {main([*command, option, str(path)]) for _ in range(2)} <= {0, 2} and path.read_bytes() != theirs
        assert "is there already" not in capsys.readouterr().err
    (tmp_path / "new_objects.csv").write_text("mine")
    assert main([*score, "--csv", str(tmp_path / "new.csv")]) == 2 and not (tmp_path / "new.csv").exists()


def test_read_mask_reads_what_the_builder_saves(tmp_path):
    save_mask(tmp_path / "m.png", scene(0)[1])
    assert (read_mask(tmp_path / "m.png") == scene(0)[1]).all()
