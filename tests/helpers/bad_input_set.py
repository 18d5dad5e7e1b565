"""A small world of good files for the tests of bad input, and ways to spoil it. All paths are relative to its folder.

set/    YouTube-VOS layout: train has deer and fish, valid has owl      video/, first.png   for `segment`
davis/  DAVIS-2017 layout: train has bear, val has boat                 small.pt            a tiny model
run/    a training of one iteration with set/
"""

import json
import shlex
import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.training_runs import SMALL
from PIL import Image

from vos.cli import main
from vos.config import PRESETS
from vos.masks import write_mask

FRAMES = [f"{i:05d}" for i in range(4)]
SIZE = (24, 40)
META = "set/train/meta.json"
LIST = "davis/ImageSets/2017/train.txt"
SEGMENT = "segment --checkpoint small.pt --frames video --mask first.png --out out"
CHECK = "data check set"
DAVIS = "data check davis"
TRAIN = "train --data set --out new --iterations 1 --batch 2 --precision float32"
RESUME = "train --data set --out run --iterations 2 --batch 2 --precision float32 --resume"
EVALUATE = "evaluate --truth davis/Annotations/480p --prediction davis/Annotations/480p --json scores.json"
SYNTHETIC = "data synthetic --train 1 --valid 1 --out drawn"
SUBMIT = "submit --data set --checkpoint small.pt --out sent.zip"


def ids(*which: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """An id map with a stripe for each id."""
    out = np.zeros(size, np.uint8)
    for place, number in enumerate(which):
        out[5 * place : 5 * place + 4] = number
    return out


def save_video(frames: Path, masks: Path | None, shown: int = len(FRAMES)) -> None:
    """Four frames, and masks with the ids 1 and 2 for the first `shown`."""
    frames.mkdir(parents=True)
    noise = np.random.default_rng(0).integers(0, 255, (len(FRAMES), *SIZE, 3), np.uint8)
    for index, name in enumerate(FRAMES):
        Image.fromarray(noise[index]).save(frames / f"{name}.jpg")
        if masks and index < shown:
            write_mask(masks / f"{name}.png", ids(1, 2))


def make_world(root: Path) -> None:
    """Write the world; the course preset must already be SMALL."""
    for split, names in (("train", ("deer", "fish")), ("valid", ("owl",))):
        folder, listed = root / "set" / split, {}
        for name in names:
            save_video(folder / "JPEGImages" / name, folder / "Annotations" / name, 4 if split == "train" else 1)
            listed[name] = {"objects": {i: {"category": "animal", "frames": FRAMES} for i in ("1", "2")}}
        (folder / "meta.json").write_text(json.dumps({"videos": listed}))
    save_video(root / "unused", root / "set/valid_truth/Annotations/owl")
    shutil.copy(root / "set/valid/meta.json", root / "set/valid_truth/meta.json")
    shutil.rmtree(root / "unused")
    for name in ("bear", "boat"):
        save_video(root / "davis/JPEGImages/480p" / name, root / "davis/Annotations/480p" / name)
    lists = root / "davis/ImageSets/2017"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("bear\n")
    (lists / "val.txt").write_text("boat\n")
    save_video(root / "video", None)
    write_mask(root / "first.png", ids(1, 2))
    assert PRESETS["course"] == SMALL
    words = ["--out", root / "run", "--iterations", "1", "--batch", "2", "--precision", "float32"]
    assert main([str(word) for word in ["train", "--data", root / "set", *words]]) == 0
    shutil.copy(root / "run/last.pt", root / "small.pt")


# Each of these returns a function that spoils the world in a folder.


def write(path, data=b""):
    return lambda root: (root / path).write_bytes(data)


def cut(path, share=0.5):
    def spoil(root):
        data = (root / path).read_bytes()
        (root / path).write_bytes(data[: int(share * len(data))])

    return spoil


def flip(path, place):
    """Change one byte, counted from a place or the end."""

    def spoil(root):
        data = bytearray((root / path).read_bytes())
        data[place] ^= 0xFF
        (root / path).write_bytes(data)

    return spoil


def gone(*paths):
    def spoil(root):
        for path in paths:
            shutil.rmtree(root / path) if (root / path).is_dir() else (root / path).unlink()

    return spoil


def folder_at(path):
    def spoil(root):
        if (root / path).exists():
            gone(path)(root)
        (root / path).mkdir()

    return spoil


def file_at(path):
    def spoil(root):
        if (root / path).exists():
            gone(path)(root)
        (root / path).write_text("a file")

    return spoil


def closed(path):
    return lambda root: (root / path).chmod(0)


def dangling(path):
    def spoil(root):
        (root / path).unlink()
        (root / path).symlink_to("nowhere.jpg")

    return spoil


def picture(path, pixels, **options):
    """Save an array or an image; uint16 becomes a 16-bit PNG."""

    def spoil(root):
        image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
        image.save(root / path, **options)

    return spoil


def indexed(path, pixels):
    return lambda root: write_mask(root / path, pixels)


def claims(path, side=30000):
    """Let the header of a PNG or JPEG claim to be side x side pixels."""

    def spoil(root):
        data = (root / path).read_bytes()
        number = side.to_bytes(4 if data[:4] == b"\x89PNG" else 2, "big")
        start = 16 if len(number) == 4 else data.index(b"\xff\xc0") + 5
        data = data[:start] + 2 * number + data[start + 2 * len(number) :]
        if len(number) == 4:
            data = data[:29] + zlib.crc32(data[12:29]).to_bytes(4, "big") + data[33:]
        (root / path).write_bytes(data)

    return spoil


def deer(change):
    """Change the entry of deer in set/train/meta.json; what `change` returns, if anything, replaces it."""

    def spoil(root):
        meta = root / "set/train/meta.json"
        value = json.loads(meta.read_text())
        new = change(value["videos"]["deer"])
        value["videos"]["deer"] = value["videos"]["deer"] if new is None else new
        meta.write_text(json.dumps(value))

    return spoil


def object_1(**fields):
    """Change fields of object 1 of deer."""
    return deer(lambda entry: entry["objects"]["1"].update(fields))


def renamed_object(name):
    return deer(lambda entry: entry["objects"].update({name: entry["objects"].pop("1")}))


def checkpoint(change, path="small.pt"):
    """Change a loaded checkpoint in place and write it back."""

    def spoil(root):
        value = torch.load(root / path, weights_only=True)
        change(value)
        torch.save(value, root / path)

    return spoil


class Code:
    """Pickled, it makes a file called ran where it is loaded without care."""

    def __reduce__(self):
        return Path.touch, (Path("ran"),)


def each(*spoils):
    def spoil(root):
        for one in spoils:
            one(root)

    return spoil


def replaced(command, **options):
    """The command with other values for some options."""
    words = shlex.split(command)
    for name, value in options.items():
        words[words.index(f"--{name}") + 1] = value
    return shlex.join(words)


@pytest.fixture(scope="module", name="template")
def made_template(tmp_path_factory):
    root = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRESETS, "course", SMALL)
        make_world(root)
    return root


@pytest.fixture(name="world")
def copied_world(template, tmp_path, monkeypatch):
    """A copy of the world, which is also the current folder."""
    monkeypatch.setitem(PRESETS, "course", SMALL)
    root = tmp_path / "world"
    shutil.copytree(template, root)
    monkeypatch.chdir(root)
    yield root
    for path in (root / "set", root / "video", root / "out"):
        path.exists() and path.chmod(0o755)  # so that it can be removed
