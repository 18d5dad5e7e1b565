"""Bad input of every kind: one clear line, exit code 2, nothing left behind. helpers/bad_input_set.py has the world."""

import errno
import os
import shlex
import shutil
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.bad_input_set import (  # noqa: F401, as fixtures are named by arguments
    CHECK,
    DAVIS,
    EVALUATE,
    LIST,
    META,
    RESUME,
    SEGMENT,
    SIZE,
    SUBMIT,
    SYNTHETIC,
    TRAIN,
    Code,
    checkpoint,
    claims,
    closed,
    copied_world,
    cut,
    dangling,
    deer,
    each,
    file_at,
    flip,
    folder_at,
    gone,
    ids,
    indexed,
    made_template,
    object_1,
    picture,
    renamed_object,
    replaced,
    save_video,
    write,
)
from helpers.training_runs import SMALL
from PIL import Image

from vos.cli import main
from vos.engine.checkpoints import read_checkpoint
from vos.engine.distributed import Distributed
from vos.networks import build

GOOD = (SEGMENT, CHECK, DAVIS, TRAIN, RESUME, EVALUATE, SUBMIT)

FRAME = "set/train/JPEGImages/deer/00001.jpg"
MASK = "set/train/Annotations/deer/00001.png"
STEPS = np.tile(np.arange(0, 240, 6, dtype=np.uint8), (SIZE[0], 1))  # many greys, as interpolation leaves


def weights(change):
    return checkpoint(lambda held: change(held["model"]))


def spoil_nan(model):
    next(value for value in model.values() if value.is_floating_point()).fill_(float("nan"))


def smaller_state(root):
    """A whole model of ours in last.pt, with another config than the preset's."""
    from dataclasses import asdict, replace

    config = replace(SMALL, state_channels=8)
    with torch.random.fork_rng():
        model = build("base", config).state_dict()
    checkpoint(lambda held: held.update(model=model, model_config=asdict(config)), "run/last.pt")(root)


def missing_key(path):
    return checkpoint(lambda held: held["model"].popitem(), path)


root_reads_all = pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="root may read everything")

# what is wrong, how it comes about, the command, words that must be said
BAD = [
    # frames
    ("JPEG cut in half", cut("video/00001.jpg"), SEGMENT, "video/00001.jpg: cannot be read|truncated|replace"),
    ("JPEG of zero bytes", write("video/00002.jpg"), SEGMENT, "video/00002.jpg: cannot be read|replace"),
    ("text called .jpg", write("video/00000.jpg", b"hello"), SEGMENT, "video/00000.jpg: cannot be read|replace"),
    ("folder called .jpg", folder_at("video/00003.jpg"), SEGMENT, "video/00003.jpg: cannot be read|directory"),
    ("link to nowhere", dangling("video/00002.jpg"), SEGMENT, "video/00002.jpg: no such image"),
    ("frame of another size", picture("video/00002.jpg", np.zeros((9, 7, 3), np.uint8)), SEGMENT, "00002.jpg: is 9x7"),
    ("JPEG that claims 30000x30000", claims("video/00000.jpg"), SEGMENT, "00000.jpg: cannot be read|bomb"),
    (
        "PNG frame that claims 30000x30000",
        each(gone("video/00003.jpg"), picture("video/00003.png", ids()), claims("video/00003.png")),
        SEGMENT,
        "00003.png: cannot be read|bomb",
    ),
    ("two frames of one name", picture("video/00001.png", ids()), SEGMENT, "00001|same frame by its name|remove one"),
    ("no frame at all", each(gone("video"), folder_at("video")), SEGMENT, "video: holds no .jpg"),
    ("file for the folder of frames", file_at("video"), SEGMENT, "video: is a file|--video"),
    ("broken frame, checked", cut(FRAME), CHECK, f"{FRAME}: cannot be read|set: 1 problem"),
    ("broken first frame, checked", write(FRAME.replace("1.jpg", "0.jpg")), CHECK, "deer/00000.jpg: cannot be read"),
    ("broken frame, trained on", cut(FRAME), TRAIN, f"{FRAME}: cannot be read"),
    ("link to nowhere, checked", dangling(FRAME), CHECK, f"{FRAME}: no such image"),
    # masks
    ("PNG of zero bytes", write("first.png"), SEGMENT, "first.png: cannot be read|replace"),
    ("PNG cut in half", cut("first.png", 0.95), SEGMENT, "first.png: cannot be read|replace"),
    ("PNG with a wrong checksum", flip("first.png", -14), SEGMENT, "first.png: cannot be read|replace"),
    ("no such mask", gone("first.png"), SEGMENT, "first.png: no such mask"),
    ("folder for a mask", folder_at("first.png"), SEGMENT, "first.png: cannot be read|directory"),
    ("mask of another size", indexed("first.png", ids(1, size=(12, 20))), SEGMENT,
     "first.png: is 12x20|24x40|same proportions"),
    ("mask without an object", indexed("first.png", ids()), SEGMENT, "first.png: holds no object|give the mask"),
    ("mask of void alone", indexed("first.png", ids(255)), SEGMENT, "first.png: holds no object"),
    ("mask that claims 30000x30000", claims("first.png"), SEGMENT, "first.png: cannot be read|bomb"),
    ("interpolated grey mask", picture("first.png", STEPS), SEGMENT, "first.png: holds 39 grey levels|threshold"),
    (
        "mask with foreign colours",
        picture("first.png", np.full((*SIZE, 3), (1, 2, 3), np.uint8)),
        SEGMENT,
        "first.png: holds (1, 2, 3)|palette",
    ),
    ("JPEG called .png", picture("first.png", ids(1), format="JPEG"), SEGMENT, "first.png: is a JPEG"),
    ("cut mask, checked", cut(MASK, 0.9), CHECK, f"{MASK}: cannot be read"),
    ("cut mask, trained on", cut(MASK, 0.9), TRAIN, f"{MASK}: cannot be read"),
    ("mask of another size, checked", indexed(MASK, ids(1, 2, size=(12, 20))), CHECK, f"{MASK}: is 12x20"),
    ("id that no object has", indexed(MASK, ids(1, 2, 7)), CHECK, f"{MASK}: holds id 7|no object of video deer"),
    (
        "first mask of another size, submitted",
        indexed("set/valid/Annotations/owl/00000.png", ids(1, 2, size=(12, 20))),
        SUBMIT,
        "owl/00000.png: is 12x20|24x40",
    ),
    # meta.json
    ("no meta.json", gone(META), TRAIN, f"{META}: no such file"),
    ("meta.json that is no JSON", write(META, b'{"videos": '), CHECK, f"{META}: cannot be read as JSON|replace"),
    ("meta.json in UTF-16", write(META, '{"videos": {}}'.encode("utf-16")), CHECK, f"{META}: cannot be read as JSON"),
    ("meta.json nested 100000 deep", write(META, b"[" * 100_000), CHECK, f"{META}: cannot be read as JSON"),
    ("meta.json, number of 9999 digits", write(META, b"9" * 9999), CHECK, f"{META}: cannot be read as JSON"),
    ("meta.json that is a list", write(META, b"[]"), CHECK, f"{META}: holds a JSON list"),
    ("meta.json without videos", write(META, b"{}"), CHECK, f'{META}: has no "videos"'),
    ("folder for meta.json", folder_at(META), CHECK, f"{META}: cannot be read as JSON|directory"),
    ("video that is a list", deer(lambda entry: []), CHECK, f'{META}: video deer: has no "objects"'),
    ("video without objects", deer(lambda entry: entry.clear()), CHECK, 'video deer: has no "objects"'),
    ("video of no object", deer(lambda entry: entry["objects"].clear()), CHECK, "video deer has no object"),
    ("object x", renamed_object("x"), CHECK, f"{META}: video deer: object id 'x' must be a number from 1 to 254"),
    ("object 0", renamed_object("0"), CHECK, "video deer: object id '0' must be"),
    ("object 300", renamed_object("300"), CHECK, "video deer: object id '300' must be"),
    ("object that is a number", deer(lambda entry: entry["objects"].update({"1": 5})), CHECK, 'object 1: "frames"'),
    ("frames that are a word", object_1(frames="00000"), CHECK, 'deer: object 1: "frames" must be a list'),
    ("frames that are numbers", object_1(frames=[0, 1]), CHECK,
     'deer: object 1: "frames" must be a list of frame names'),
    ("category that is a list", object_1(category=["dog"]), CHECK, 'deer: object 1: "category" must be a name'),
    ("object in no frame", object_1(frames=[]), CHECK, "deer: object 1 has no annotation"),
    ("object never painted", lambda root: [indexed(p, ids(2))(root) for p in (root / MASK).parent.iterdir()], CHECK,
     "deer: object 1 is listed but in no annotation"),
    ("frame missing on disk", gone(FRAME, MASK), TRAIN, f"{META}: video deer: object 1 is in frame '00001'|on disk"),
    ("frame missing under a mask", gone(FRAME), CHECK, f"{MASK}: |deer has no frame"),
    ("video missing on disk", gone("set/train/JPEGImages/deer"), CHECK, "JPEGImages/deer: no such folder"),
    ("masks of a video missing", gone("set/train/Annotations/deer"), CHECK, "Annotations/deer: no such folder"),
    ("video that is not listed", lambda root: save_video(root / "set/train/JPEGImages/wolf", None), CHECK,
     f"wolf: {META} does not list"),
    ("video that leads out of the set", write(META, b'{"videos": {"../deer": {}}}'), CHECK,
     "'../deer' cannot be the name"),
    ("line break in a video's name", write(META, b'{"videos": {"a\\nb": {"objects": {}}}}'), TRAIN,
     "a\\nb: no such folder"),
    # DAVIS
    ("frame missing in a sequence", gone("davis/JPEGImages/480p/bear/00002.jpg"), DAVIS, "bear/00002.png: |no frame"),
    ("first mask missing", gone("davis/Annotations/480p/bear/00000.png"), DAVIS, "bear: the first frame 00000 has no"),
    ("id only in a later mask", indexed("davis/Annotations/480p/bear/00002.png", ids(1, 2, 3)), DAVIS, "holds id 3"),
    ("void alone in a first mask", indexed("davis/Annotations/480p/bear/00000.png", ids(255)), DAVIS,
     "video bear has no object"),
    ("lists that are empty", each(*[write(f"davis/ImageSets/2017/{k}.txt") for k in ("train", "val")]), DAVIS,
     "ImageSets: no train.txt|names a sequence"),
    ("list of a missing sequence", write(LIST, b"wolf\n"), DAVIS, "480p/wolf: no such folder"),
    ("list that is no text", write(LIST, b"\xff\xfe\x00"), DAVIS, "train.txt: cannot be read"),
    ("list that leads out of the set", write(LIST, b"..\n"), DAVIS, "'..' cannot be the name"),
    # folders and files in one another's place
    ("no such set", gone("set"), CHECK, "set: no such folder"),
    ("file for a set", file_at("set"), TRAIN, "set: no such folder"),
    ("empty folder for a set", each(gone("set"), folder_at("set")), CHECK, "set: holds neither"),
    ("one split for a set", None, "data check set/train", "set/train: this is one split|the folder above"),
    ("file at --out of segment", file_at("out"), SEGMENT, "out: is a file|a new folder"),
    ("the folder of the frames for --out of segment", None, replaced(SEGMENT, out="video"), "video: is video, which"),
    ("the current folder for --out of segment", None, replaced(SEGMENT, out="."), ".: holds video, which is read"),
    ("file at --out of train", file_at("new"), TRAIN, "new: is a file|a new folder"),
    ("folder of other things at --out of train", each(folder_at("new"), write("new/mine.txt")), TRAIN,
     "new: holds mine.txt|a new folder"),
    ("the set for --out of train", None, replaced(TRAIN, out="set"), "set: is set, which is read"),
    ("another's file for --json", write("scores.json", b"{}"), EVALUATE, "scores.json: is there already"),
    ("file at --out of synthetic", file_at("drawn"), SYNTHETIC, "drawn: is a file"),
    ("folder of other things at --out of synthetic", None, replaced(SYNTHETIC, out="set"),
     "set/synthetic.json: no such"),
    ("folder at --out of submit", folder_at("sent.zip"), SUBMIT, "sent.zip: is a folder"),
    ("folder at --json", folder_at("scores.json"), EVALUATE, "scores.json: |folder"),
    ("file over --json", file_at("here"), replaced(EVALUATE, json="here/scores.json"), "here/scores.json: cannot be"),
    ("file for --truth", None, replaced(EVALUATE, truth="first.png"), "first.png: no such folder"),
    ("predicted mask missing", lambda root: shutil.copytree(root / "davis/Annotations/480p", root / "p") and gone(
        "p/boat/00001.png")(root), replaced(EVALUATE, prediction="p"), "p: |boat"),
    # checkpoints
    ("no checkpoint", gone("small.pt"), SEGMENT, "small.pt: no such checkpoint"),
    ("folder for a checkpoint", None, replaced(SEGMENT, checkpoint="run"), "run: is a folder|run/last.pt"),
    ("checkpoint of zero bytes", write("small.pt"), SEGMENT, "small.pt: is not a checkpoint"),
    ("checkpoint cut in half", cut("small.pt"), SEGMENT, "small.pt: is damaged or cut off"),
    ("text for a checkpoint", write("small.pt", b"hello"), SEGMENT, "small.pt: is not a checkpoint"),
    ("foreign weights", lambda root: torch.save({"features.0.weight": torch.ones(3)}, root / "small.pt"), SEGMENT,
     "small.pt: is not a checkpoint of this project"),
    ("a tensor alone", lambda root: torch.save(torch.ones(3), root / "small.pt"), SEGMENT, "small.pt: is not a check"),
    ("a checkpoint that runs code", lambda root: torch.save(Code(), root / "small.pt"), SEGMENT,
     "small.pt: is not a checkpoint|more than tensors"),
    ("weights of another shape", weights(lambda w: w.update({min(w): torch.ones(2)})), SEGMENT,
     "small.pt: its weights and config|is [2], not"),
    ("weights that are missing", missing_key("small.pt"), SEGMENT, "small.pt: its weights|is missing"),
    ("weights too many", weights(lambda w: w.update(more=torch.ones(2))), SEGMENT, "small.pt: its weights|too many"),
    ("weights that are words", weights(lambda w: w.update({min(w): "x"})), SEGMENT, "small.pt: its weights"),
    ("weights that are NaN", weights(spoil_nan), SEGMENT, "small.pt: its weights|NaN"),
    ("a config that cannot be", checkpoint(lambda held: held["model_config"].update(patch=7)), SEGMENT,
     "small.pt: its"),
    ("kind that is unknown", checkpoint(lambda held: held.update(kind="cat")), SEGMENT, "small.pt: its|cat"),
    ("resumed with another model", smaller_state, RESUME, "run/last.pt: was made with|state_channels 8|another --out"),
    ("resumed with another seed", None, f"{RESUME} --seed 4", "run/last.pt: was made with seed 0"),
    ("resumed weights are missing", missing_key("run/last.pt"), RESUME, "run/last.pt: its weights|is missing"),
    ("resumed weights are NaN", checkpoint(lambda held: spoil_nan(held["model"]), "run/last.pt"), RESUME, "NaN"),
    ("resumed without a state", checkpoint(lambda held: held.pop("state"), "run/last.pt"), RESUME,
     "run/last.pt: holds no state of a training to go on with"),
    ("resumed from zero bytes", write("run/last.pt"), RESUME, "run/last.pt: is not a checkpoint"),
    # numbers
    ("no iteration", None, replaced(TRAIN, iterations="0"), "--iterations: is 0; give a number from 1"),
    ("seed below none", None, f"{TRAIN} --seed -1", "--seed: is -1; give a number from 0"),
    ("learning rate that is no number", None, f"{TRAIN} --learning-rate nan", "--learning-rate: is nan"),
    ("no time", None, f"{TRAIN} --minutes nan", "--minutes: is nan"),
    ("share above one", None, f"{TRAIN} --unannotated 5", "--unannotated: is 5.0; give a number from 0 to 1"),
    ("iterations below none", None, replaced(TRAIN, iterations="-1"), "--iterations: is -1"),
    ("no clip in a batch", None, replaced(TRAIN, batch="0"), "--batch: is 0"),
    ("minutes below none", None, f"{TRAIN} --minutes -1", "--minutes: is -1"),
    ("every video held out", None, f"{TRAIN} --hold-out 1", "--hold-out: 1 keeps every video"),
    ("learning rate far too high", None, f"{replaced(TRAIN, iterations='9')} --learning-rate 1e30",
     "new: iteration |the loss is |lower the learning rate"),
    ("less memory for BatchNorm", None, f"{TRAIN} --save-memory", "--save-memory: --preset course has BatchNorm"),
    ("no thread", None, f"{EVALUATE} --workers 0", "--workers: is 0; give a number from 1"),
    ("void that is no id", None, f"{EVALUATE} --void 256", "--void: is 256; give a number from 1 to 255"),
    ("no video to draw", None, replaced(SYNTHETIC, train="0"), "train 0|at least one"),
    # closed to us
    pytest.param("closed folder", closed("video"), SEGMENT, "video: cannot be listed", marks=root_reads_all),
    pytest.param("closed frame", closed("video/00001.jpg"), SEGMENT, "00001.jpg: cannot be", marks=root_reads_all),
    pytest.param("closed set", closed("set"), CHECK, "JPEGImages: Permission denied", marks=root_reads_all),
    pytest.param("closed mask", closed("first.png"), SEGMENT, "first.png: cannot be read", marks=root_reads_all),
    pytest.param("closed --out", each(folder_at("out"), closed("out")), SEGMENT, "out: cannot be written",
                 marks=root_reads_all),
]  # fmt: skip


def one_frame(root):
    """Videos of one frame each, which can be segmented, but teach nothing."""
    for index in (1, 2, 3):
        for name in ("deer", "fish"):
            gone(f"set/train/JPEGImages/{name}/0000{index}.jpg", f"set/train/Annotations/{name}/0000{index}.png")(root)
    text = (root / META).read_text()
    (root / META).write_text(text.replace(', "00001", "00002", "00003"', ""))


BAD.append(("videos of one frame, trained on", one_frame, TRAIN, "JPEGImages: there is nothing to train on|annotate"))


def contents(root):
    """Every file with its bytes, and every folder."""
    readable = {path for path in root.rglob("*") if path.is_file() and os.access(path, os.R_OK)}
    return {path: path.read_bytes() if path in readable else None for path in root.rglob("*")}


def one_line(capfd, *words):
    """What was said: exactly one line on stderr; `words` stand there or in the list on stdout."""
    out, error = capfd.readouterr()
    assert error.startswith("vos: ") and error.endswith("\n") and error.count("\n") == 1 and "\r" not in error, error
    assert "Traceback" not in out + error and ".partial" not in error
    for word in words:
        assert word in out + error, f"{word!r} is not said in: {out}{error}"


@pytest.mark.parametrize("command", GOOD)
def test_before_anything_is_spoilt_every_command_works(world, command):
    assert main(shlex.split(command)) == 0


NAMES = [(row.values if hasattr(row, "values") else row)[0] for row in BAD]


def test_the_table_is_long_and_names_each_case_once():
    assert len(set(NAMES)) == len(BAD) > 100


@pytest.mark.parametrize(("what", "spoil", "command", "words"), BAD, ids=NAMES)
def test_bad_input(world, capfd, what, spoil, command, words):
    if spoil:
        spoil(world)
    before = contents(world)
    assert main(shlex.split(command)) == 2
    one_line(capfd, *words.split("|"))
    assert contents(world) == before


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("command", "owner", "name", "calls"),
    [
        (SEGMENT, Image.Image, "save", 0),
        (SEGMENT, Image.Image, "save", 1),  # of the overlay, into which the other masks are written and painted
        (SEGMENT, Image.Image, "save", 2),  # in the middle of the video
        (SEGMENT, Image.Image, "save", 4),  # at its end
        (SEGMENT, Path, "replace", 1),
        (TRAIN, torch, "save", 0),
        (TRAIN, Path, "replace", 0),
        (EVALUATE, Path, "write_text", 0),
        (SYNTHETIC, Image.Image, "save", 3),
    ],
    ids=str,
)
def test_no_space_left(world, capfd, monkeypatch, command, owner, name, calls):
    real, count = getattr(owner, name), iter(range(1000))

    def full(*args, **options):
        if next(count) >= calls:
            raise FULL
        return real(*args, **options)

    monkeypatch.setattr(owner, name, full)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)  # draws in this process
    before = contents(world)
    assert main(shlex.split(command)) == 2
    one_line(capfd, "cannot be written (No space left on device)", "free some space")
    assert contents(world) == before


def test_what_lies_in_the_output_folder_stays(world, monkeypatch):
    (world / "out").mkdir()
    (world / "out/notes.txt").write_text("mine")
    cut("video/00002.jpg")(world)
    assert main(shlex.split(SEGMENT)) == 2
    assert [path.name for path in (world / "out").iterdir()] == ["notes.txt"]


def test_a_loss_that_is_not_finite_keeps_the_last_good_checkpoint(world, capfd):
    words = "--learning-rate 1e30 --checkpoint-every 1"
    assert main(shlex.split(f"{replaced(TRAIN, iterations='9')} {words}")) == 2
    one_line(capfd, "new: iteration ", "the loss is ", "lower the learning rate")
    assert read_checkpoint(world / "new/last.pt")["iterations"] < 9  # its weights are finite, or it would be refused
    assert not list((world / "new").glob(".*"))


def test_a_batch_that_processes_cannot_share(world, capfd, monkeypatch):
    two = Distributed(rank=0, world_size=2, device=torch.device("cpu"))
    monkeypatch.setattr("vos.engine.distributed.init_distributed", lambda: nullcontext(two))
    before = contents(world)
    assert main(shlex.split(replaced(TRAIN, batch="3"))) == 2
    one_line(capfd, "--batch: 3 clips in a batch cannot be shared evenly among 2 processes; change it")
    assert contents(world) == before


def test_code_in_a_checkpoint_does_not_run(world):
    torch.save(Code(), world / "small.pt")
    torch.load(world / "small.pt", weights_only=False)
    assert (world / "ran").exists()  # it would have run
    (world / "ran").unlink()
    assert main(shlex.split(SEGMENT)) == 2 and not (world / "ran").exists()


@pytest.mark.parametrize(
    "words",
    ["segment --frames video", "train --data set --out new --iterations many", "train --model cat", "data", ""],
)
def test_half_a_command_is_refused_by_the_parser(words, capfd):
    with pytest.raises(SystemExit) as stop:
        main(shlex.split(words))
    assert stop.value.code == 2 and "error: " in capfd.readouterr().err


def test_damaged_imagenet_weights(tmp_path, monkeypatch):
    from vos.engine.pretrained import read_vgg16
    from vos.files import VosError

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    file = tmp_path / "hub/checkpoints/vgg16-397923af.pth"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"not whole")
    with pytest.raises(VosError) as error:
        read_vgg16()
    assert str(file) in str(error.value) and "\n" not in str(error.value)
