"""Five hundred random mutations of a small set and a small checkpoint: a VosError comes out, or nothing does."""

import hashlib
import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.training_runs import SMALL, new_model
from PIL import Image, ImageOps

from vos.clips import ClipDataset
from vos.data import SPLITS, VOSDataset
from vos.datasets.check import check_folder
from vos.engine.checkpoints import load_checkpoint, write_checkpoint
from vos.files import VosError
from vos.masks import read_first_mask

CASES, SEED = 500, 20
FRAMES = 5
SIZE = (32, 56)


@pytest.fixture(scope="module")
def tiny(small_set, tmp_path_factory) -> Path:
    """Two training videos and one to validate, five small frames each, and model.pt."""
    root = tmp_path_factory.mktemp("fuzz")
    for split, count in (("train", 2), ("valid", 1), ("valid_truth", 1)):
        listed = json.loads((small_set / split / "meta.json").read_text())["videos"]
        kept = {name: cut_down(listed[name]) for name in listed}
        kept = dict([(name, entry) for name, entry in sorted(kept.items()) if entry["objects"]][:count])
        for name in kept:
            for kind in ("JPEGImages", "Annotations"):
                source = small_set / split / kind / name
                if not source.is_dir():
                    continue
                (root / split / kind / name).mkdir(parents=True)
                for path in sorted(source.iterdir()):
                    if path.stem in FIRST:
                        with Image.open(path) as image:
                            how = Image.Resampling.NEAREST if kind == "Annotations" else Image.Resampling.BILINEAR
                            image.resize(SIZE[::-1], how).save(root / split / kind / name / path.name)
        (root / split / "meta.json").write_text(json.dumps({"videos": kept}))
    write_checkpoint(root / "model.pt", new_model("updated"), {"train_config": {}})
    return root


FIRST = [f"{5 * i:05d}" for i in range(FRAMES)]


def cut_down(entry: dict) -> dict:
    """A video's entry with the objects of its first frame, in its first frames."""
    objects = {
        number: item | {"frames": [frame for frame in item["frames"] if frame in FIRST]}
        for number, item in entry["objects"].items()
        if item["frames"][0] == FIRST[0]
    }
    return {"objects": objects}


def read_everything(root: Path, checkpoint: bool = True) -> None:
    """All that the course does with files of a stranger. The errors that may come out are VosErrors.

    checkpoint: whether to read model.pt as well, half of the time.
    """
    problems: list[VosError] = []

    def attempt(step, *args):
        try:
            return step(*args)
        except VosError as error:
            problems.append(error)
            return None

    dataset = attempt(VOSDataset, root, False)
    sets = [attempt(dataset.split, split) if dataset else None for split in SPLITS[:3]]  # it has no test
    found = attempt(check_folder, root)
    for videos in sets:
        for video in videos or ():
            for index in range(len(video)):
                attempt(video.frame, index)
                if index in video.annotated:
                    attempt(video.mask, index)
                    attempt(video.given, index)
                    found_ids = attempt(read_first_mask, video.mask_paths[index], index % 2 == 1)
                    assert not found_ids or found_ids[0].dtype == np.uint8
    if sets[0]:
        clips = attempt(ClipDataset, sets[0], SMALL.size)
        for number in range(2 if clips else 0):
            attempt(clips.__getitem__, (number, 3))
    if checkpoint:
        attempt(load_checkpoint, root / "model.pt")
    messages = [str(problem) for problem in problems] + (found[1] if found else [])
    for message in messages:
        assert str(root) in message, f"names no file: {message}"
    if problems:
        assert not found or found[1] or "model.pt" in str(problems[0]), f"`data check` saw nothing of: {problems[0]}"
        raise problems[0]


def flip_bytes(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(chance.choice((1, 3, 30))):
        data[chance.randrange(len(data))] ^= chance.randrange(1, 256)
    path.write_bytes(data)


def flip_in_header(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[chance.randrange(min(len(data), 64))] = chance.randrange(256)
    path.write_bytes(data)


def cut(path: Path, chance: random.Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: chance.randrange(len(data))])


def zero(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    start = chance.randrange(len(data))
    end = start + chance.randrange(1, 200)
    data[start:end] = bytes(len(data[start:end]))
    path.write_bytes(data)


def double(path: Path, chance: random.Random) -> None:
    data = path.read_bytes()
    place = chance.randrange(len(data))
    path.write_bytes(data[:place] + data[place // 2 :])


def delete(path: Path, chance: random.Random) -> None:
    path.unlink()


def empty(path: Path, chance: random.Random) -> None:
    path.write_bytes(b"")


def folder(path: Path, chance: random.Random) -> None:
    path.unlink()
    path.mkdir()


def rename(path: Path, chance: random.Random) -> None:
    name = chance.choice(("00007", "5", "x", "cover", "ü 🎬", "a" * 200, path.stem.upper(), "00000", "00000 (1)"))
    ending = chance.choice((".jpg", ".JPG", ".jpeg", ".png", ".Png", ".webp", ".TIF", "", ".txt"))
    path.replace(path.with_name(name + ending))


def copy(path: Path, chance: random.Random) -> None:
    shutil.copy(path, path.with_name(chance.choice(("00001.jpg", "00000.jpeg", "99999.png", "a.png"))))


def swap(path: Path, chance: random.Random) -> None:
    root = next(folder for folder in path.parents if (folder / "model.pt").exists())
    other = chance.choice([p for p in sorted(root.rglob("*")) if p.is_file()])
    mine, theirs = path.read_bytes(), other.read_bytes()
    path.write_bytes(theirs)
    other.write_bytes(mine)


ODD_VALUES = (
    None, True, 0, -1, 7, 1e400, 10**30, "", "x", "..", "a/b", "\0", "a" * 999, "\ud800", "\n", [], [[]], {}, {"": {}},
    ["00000"], ["00000", "00000"], ["00000", 5], {"frames": []}, {"frames": ["00000"]},
)  # fmt: skip
ODD_KEYS = ("", "0", "255", "256", "-1", "1.5", "x", "²", "..", "/", "\0", "a" * 300, "00000", "\ud800")


def edit_json(path: Path, chance: random.Random) -> None:
    """Drop, rename or change one thing somewhere in a meta.json."""
    value = json.loads(path.read_text())
    place, steps = value, chance.randrange(5)
    while steps and isinstance(place, dict) and any(isinstance(v, dict) for v in place.values()):
        place = place[chance.choice([key for key, v in place.items() if isinstance(v, dict)])]
        steps -= 1
    key = chance.choice(sorted(place)) if place else "x"
    kind = chance.randrange(3)
    old = place.pop(key, None)
    if kind == 1:
        place[chance.choice(ODD_KEYS)] = old
    elif kind == 2:
        place[key] = chance.choice(ODD_VALUES)
    path.write_text(json.dumps(value))


def spoil_json(path: Path, chance: random.Random) -> None:
    """A meta.json that is no plain JSON object in UTF-8, or is nested deeply."""
    text = path.read_text()
    deep = '{"videos":' * 5000 + "1" + "}" * 5000
    path.write_bytes(
        chance.choice(
            (
                text.encode("utf-16"),
                text.replace('"', "'").encode(),
                b"\xff" + text.encode(),
                deep.encode(),
                b"9" * 6000,
                b"[" + text.encode() + b"]",
                b"null",
                text.encode() + b"}",
                text.replace("00000", "0\\ud8000").encode(),
            )
        )
    )


def save_as_people_do(path: Path, chance: random.Random) -> None:
    """The picture as another program writes it: turned by EXIF, in 16 bits, with alpha, its palette in any order."""
    with Image.open(path) as image:
        shown = image.convert("RGB")
    kind = chance.choice(("exif", "16 bits", "alpha", "grey and alpha", "quantised", "web", "inverted", "soft"))
    exif = Image.Exif()
    if kind == "exif":
        exif[0x112] = chance.randrange(1, 9)
    elif kind == "16 bits":
        shown = Image.fromarray(np.asarray(shown.convert("L")).astype(np.uint16) * chance.choice((1, 16, 257)))
    elif kind in ("alpha", "grey and alpha"):
        shown = shown.convert("RGBA" if kind == "alpha" else "LA")
        shown.putalpha(chance.choice((255, 128, shown.convert("L"), shown.convert("L").point(lambda v: 255 * (v > 0)))))
    elif kind == "quantised":
        shown = shown.quantize(chance.choice((2, 3, 7)))
    elif kind == "web":
        shown = shown.convert("P")
    elif kind == "inverted":
        shown = ImageOps.invert(shown)
    else:
        shown = shown.resize((20, 11)).resize(shown.size)
    shown.save(path, format="PNG", exif=exif)


def save_as_another(path: Path, chance: random.Random) -> None:
    """The pixels of an image, written whole again: another size, mode or format."""
    with Image.open(path) as image:
        picture = image.copy()
    width, height = chance.choice(((1, 1), (3, 70), SIZE, (56, 32)))
    picture = picture.resize((width, height), Image.Resampling.NEAREST)
    picture = picture.convert("RGB").convert(chance.choice(("RGB", "L", "1", "P", "CMYK", "YCbCr")))
    formats = ("BMP", "GIF", "TIFF") if picture.mode in "P1" else ("JPEG", "TIFF", "WEBP")
    picture = picture.convert("RGB") if (ending := chance.choice(formats)) == "WEBP" else picture
    picture.save(path, format=ending)


ON_FILES = (flip_bytes, flip_in_header, cut, zero, double, delete, empty, folder, rename, copy, swap)
ON_JSON = (edit_json, edit_json, edit_json, spoil_json)


def restore(root: Path, whole: dict[Path, bytes]) -> None:
    """Bring a folder back to the files it had."""
    for path in sorted(root.rglob("*"), reverse=True):
        if path not in whole and path.is_file():
            path.unlink()
        elif path in whole and path.is_dir():
            path.rmdir()
    for path, data in whole.items():
        if not path.is_file() or path.read_bytes() != data:
            path.write_bytes(data)


def hashes(root: Path) -> dict[Path, str]:
    """The SHA-256 of every file of a folder."""
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.mark.slow
def test_only_vos_errors_come_out(tiny, tmp_path):
    read_everything(tiny)  # without a mutation nothing is found
    root = tmp_path / "set"
    shutil.copytree(tiny, root)
    whole = {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
    groups = [[path for path in whole if path.suffix == ending] for ending in (".jpg", ".png", ".json", ".pt")]
    model = root / "model.pt"
    unspoilt, refused = hashes(root)[model], 0
    for case in range(CASES):
        chance = random.Random(f"{SEED} {case}")
        path = chance.choice(chance.choices(groups, (3, 3, 4, 1))[0])
        mutations = ON_FILES
        if path.suffix == ".json":
            mutations = (*ON_FILES[:6], *ON_JSON * 3)
        elif path.suffix in (".jpg", ".png"):
            mutations = (*ON_FILES, save_as_another, save_as_another, *[save_as_people_do] * 4)
        mutate = chance.choice(mutations)
        mutate(path, chance)
        mutated = hashes(root)
        try:
            read_everything(root, checkpoint=mutated.get(model) != unspoilt)
        except VosError as error:
            refused += 1
            assert str(error)  # noqa: PT017, as most cases may raise nothing
        except Exception as error:
            pytest.fail(f"seed {SEED}, case {case}: {mutate.__name__} of {path.relative_to(root)}: {error!r}")
        finally:
            assert hashes(root) == mutated, f"case {case}: a file of the user's was changed"
            restore(root, whole)
    assert 0.4 * CASES < refused < 0.95 * CASES, f"{refused} of {CASES} mutations were refused"
