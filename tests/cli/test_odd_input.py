"""Input that looks odd, but is good: every command works on it. The world is in helpers/bad_input_set.py."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.bad_input_set import (  # noqa: F401, as fixtures are named by arguments
    CHECK,
    DAVIS,
    FRAMES,
    LIST,
    META,
    RESUME,
    SEGMENT,
    SIZE,
    TRAIN,
    copied_world,
    cut,
    each,
    folder_at,
    gone,
    ids,
    indexed,
    made_template,
    picture,
    replaced,
    write,
)
from PIL import Image

from vos.cli import main
from vos.engine.checkpoints import read_checkpoint
from vos.masks import object_ids, read_mask


def renamed(old, new):
    return lambda root: (root / old).rename(root / new)


def upper_case(root):
    for path in sorted((root / "video").iterdir()):
        path.rename(path.with_suffix(".JPG"))


def sized(height, width):
    """A video of one frame of this size, whose first mask is a block."""

    def make(root):
        gone("video")(root)
        (root / "video").mkdir()
        Image.new("RGB", (width, height), (90, 20, 60)).save(root / "video/00000.jpg")
        block = np.zeros((height, width), np.uint8)
        block[: max(1, height // 2), : max(1, width // 2)] = 3
        indexed("first.png", block)(root)

    return make


def without_order(root):
    """Frames that were made last first, and whose names sort unlike their numbers' lengths."""
    for path in sorted((root / "video").iterdir(), reverse=True):
        path.rename(path.with_name(f"b {path.name}"))
    shutil.copy(root / "video/b 00000.jpg", root / "video/a.jpg")


# what looks odd, how it comes about, the command, a file that is then there
WORKS = [
    ("spaces and emoji in every name",
     each(renamed("video", "wide árvíz 🎬"), renamed("first.png", "erste Maske ü.png"),
     renamed("small.pt", "モデ .pt")),
     'segment --checkpoint "モデ .pt" --frames "wide árvíz 🎬" --mask "erste Maske ü.png" --out "aus gabe 🎉/x"',
     "aus gabe 🎉/x/00003.png"),
    ("emoji in the name of a set", renamed("set", "ein Satz 🎬"), 'data check "ein Satz 🎬"', None),
    ("emoji in the name of a video", each(renamed("set/train/JPEGImages/deer", "set/train/JPEGImages/der Hirsch 🦌"),
     renamed("set/train/Annotations/deer", "set/train/Annotations/der Hirsch 🦌"),
     lambda root: (root / META).write_text((root / META).read_text().replace("deer", "der Hirsch 🦌"), "utf-8")),
     TRAIN, "new/last.pt"),
    ("spaces in the name of a sequence", each(renamed("davis/JPEGImages/480p/bear", "davis/JPEGImages/480p/a bear"),
     renamed("davis/Annotations/480p/bear", "davis/Annotations/480p/a bear"),
     write(LIST, b"a bear\n")), DAVIS, None),
    ("Windows line ends and a byte order mark", write(LIST, b"\xef\xbb\xbfbear\r\n\r\n"), DAVIS,
     None),
    ("meta.json with a byte order mark",
     lambda root: (root / META).write_bytes(b"\xef\xbb\xbf" + (root / META).read_bytes()), CHECK, None),
    ("endings in upper case", upper_case, SEGMENT, "out/00003.png"),
    ("frames in no order", without_order, SEGMENT, "out/b 00003.png"),
    ("void in a mask", indexed("first.png", ids(1, 2, 255)), SEGMENT, "out/00003.png"),
    ("black and white for a mask", picture("first.png", ids(255)), SEGMENT, "out/00003.png"),
    ("ids in 16 bits", picture("first.png", ids(1).astype(np.uint16)), SEGMENT, "out/00003.png"),
    ("PNG among JPEG frames", each(gone("video/00003.jpg"), picture("video/00003.png", np.zeros((*SIZE, 3), np.uint8))),
     SEGMENT, "out/00003.png"),
    ("a grey frame", picture("video/00002.jpg", np.zeros(SIZE, np.uint8)), SEGMENT, "out/00002.png"),
    ("one frame", gone(*[f"video/{name}.jpg" for name in FRAMES[1:]]), SEGMENT, "out/00000.png"),
    ("one pixel", sized(1, 1), SEGMENT, "out/00000.png"),
    ("an odd size", sized(101, 57), SEGMENT, "out/00000.png"),
    ("a frame very wide", sized(1, 3000), SEGMENT, "out/00000.png"),
    ("32 million pixels", sized(4000, 8000), SEGMENT, "out/00000.png"),
    ("files of a file manager", each(write("video/._00000.jpg"), write("video/Thumbs.db")), SEGMENT, "out/00003.png"),
    ("a line break in a folder's name", None, replaced(SEGMENT, out="a\nb"), "a\nb/00003.png"),
    ("an output folder that is there", folder_at("out"), SEGMENT, "out/overlay.gif"),
    ("a damaged last.pt with a whole previous.pt", each(
     lambda root: shutil.copy(root / "run/last.pt", root / "run/previous.pt"), cut("run/last.pt")), RESUME,
     "run/last.pt"),
]  # fmt: skip


def rows_of_works():
    """WORKS, each by its name; the large one is slow."""
    for row in WORKS:
        yield pytest.param(*row, id=row[0], marks=pytest.mark.slow if "million" in row[0] else ())


@pytest.mark.parametrize(("what", "make", "command", "result"), list(rows_of_works()))
def test_odd_input_works(world, capfd, what, make, command, result):
    if make:
        make(world)
    assert main(shlex.split(command)) == 0, capfd.readouterr().err
    assert result is None or (world / result).is_file()
    if result and result.endswith(".png"):  # only ids that were given come out
        given = set(object_ids(read_mask(next(p for p in world.glob("*.png") if p.name[0] in "fe"))))
        assert set(object_ids(read_mask(world / result))) <= given
    if result and result.endswith(".pt"):
        assert read_checkpoint(world / result)["iterations"] >= 1
    assert not list(world.rglob("*.partial"))


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="names of any bytes")
def test_a_name_that_is_no_text_is_printed_all_the_same(world):
    """In a process of its own, as only there is stdout a real one."""
    odd = os.fsencode(world) + b"/a\xff"
    (world / "set").rename(os.fsdecode(odd))
    package = Path(__file__).parents[2]
    command = [sys.executable, "-m", "vos", "data", "check", odd]
    done = subprocess.run(command, cwd=package, capture_output=True, env=os.environ | {"PYTHONIOENCODING": "utf-8"})
    assert done.returncode == 0 and b"no problem found" in done.stdout, done.stderr
