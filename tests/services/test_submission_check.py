"""Every fault of a submission that can be seen without the truth is found, and said once."""

import io
import re
import stat
import struct
import tracemalloc
import zipfile
import zlib
from dataclasses import replace

import numpy as np
import pytest
from helpers.submission_draft import GAPS, LATE, ONE, PAIR, Draft, exchange, path_of, png, stretched
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from vos.files import VosError
from vos.inference import copy_first
from vos.submission.check import check_submission
from vos.submission.write import write_submission

pytestmark = pytest.mark.slow  # all of it is for the whole suite


def keep_one_video(draft, folder):
    """Only the first video's masks, in another folder."""
    draft.members = draft.members[:20]
    draft.rename(lambda name: folder + name[-9:])


def renumber(change):
    """Other names for the masks of ONE."""
    return lambda draft: draft.rename(lambda name: f"Annotations/{ONE}/{change(int(name[-9:-4]))}.png", ONE)


def add_strays(draft):
    for name in ("__MACOSX/._a.png", "Annotations/.DS_Store", "readme.txt"):
        draft.add(name)


def replace_by_link(draft):
    draft.remove(path_of(ONE, 1))
    draft.add(path_of(ONE, 1), b"/etc/passwd", mode=stat.S_IFLNK | 0o777)


def compress_by_lzma(draft):
    draft.remove(path_of(ONE, 1))
    draft.add(path_of(ONE, 1), png(np.ones((256, 448))), method=zipfile.ZIP_LZMA)


def encrypt(draft):
    for name in draft.names():
        draft.directory(name, 8, "<H", 1)


def halve(draft):
    draft.ids(ONE, lambda ids: ids[::2, ::2], first=0)
    draft.data(path_of(GAPS, 0), png(draft.map(path_of(GAPS, 0))[::2, ::2]))


def save_as_jpeg_and_as_nothing(draft):
    file = io.BytesIO()
    Image.fromarray(draft.map(path_of(ONE, 2))).save(file, format="JPEG")
    draft.data(path_of(ONE, 2), file.getvalue())
    draft.data(path_of(ONE, 3), b"")


def cut_pngs(draft):
    whole = png(np.random.default_rng(0).integers(0, 2, (256, 448)))
    draft.data(path_of(ONE, 2), whole[: len(whole) // 2])
    draft.data(path_of(ONE, 3), whole[:20])


def save_in_other_modes(draft):
    for place, mode in enumerate(("RGB", "RGBA", "L", "I;16", "1", "LA"), 1):
        draft.data(path_of(ONE, place), png(draft.map(path_of(ONE, place)), mode))


def lie_about_the_ratio(draft):
    draft.directory(path_of(ONE, 2), 20, "<I", 100)
    draft.directory(path_of(ONE, 2), 24, "<I", 400_000)


def blow_up_the_header(draft):
    data = bytearray(png(np.ones((256, 448))))
    struct.pack_into(">II", data, 16, 30000, 20000)
    draft.data(path_of(ONE, 2), bytes(data))


def interpolate_known_ids(draft):
    """What no list of ids can show: 1 all around 2, 1 and 2 all around 3."""
    draft.ids(PAIR, stretched)
    given = draft.map(path_of(LATE, 3))
    draft.ids(LATE, stretched)
    draft.data(path_of(LATE, 3), png(given))  # object 3 begins there


def empty_two(draft):
    for video in (ONE, PAIR):
        draft.ids(video, np.zeros_like)


def change_two_given_pixels(draft):
    ids = draft.map(path_of(ONE, 0))
    ids[tuple(np.argwhere(ids == 1)[0])] = 0
    ids[tuple(np.argwhere(ids == 0)[-1])] = 1
    draft.data(path_of(ONE, 0), png(ids))
    draft.ids(ONE, lambda ids: np.roll(ids, 1))  # else the next mask would be the given one


def begin_late(draft):
    for place in (3, 4):
        draft.data(path_of(LATE, place), png(exchange(draft.map(path_of(LATE, place)), {3: 0})))


def begin_a_frame_early(draft):
    given = draft.map(path_of(LATE, 3))
    draft.data(path_of(LATE, 2), png(given))
    draft.ids(LATE, lambda ids: np.where(given == 3, 0, np.where(np.roll(given, 9) == 3, 3, ids)), first=3)


ALL = rf"Annotations/{ONE}/00000\.png, .* and 110 more"
NOT_P = r"not indexed \(mode P\); the leader board takes a pixel's value for its id: save ids as an indexed PNG"
RINGS = r"they lie in thin rings along outlines, as where ids were interpolated: stretch probabilities, not ids"

# (name, how the fault is planted in a draft, what must be found: one regular expression for each finding)
FAULTS = [
    # folders
    ("no root", lambda d: d.rename(lambda n: n.removeprefix("Annotations/")),
     r"error .*\.zip: the video folders lie at its top, not in Annotations/"),
    ("folder around the root", lambda d: d.rename(lambda n: f"valid/{n}"),
     r"error .*\.zip: the video folders lie in valid/Annotations/, not in Annotations/"),
    ("folder inside the root", lambda d: d.rename(lambda n: n.replace("Annotations", "Annotations/480p")),
     r"error .*\.zip: the video folders lie in Annotations/480p/, not in Annotations/"),
    ("no folders", lambda d: keep_one_video(d, ""),
     r"error .*\.zip: its PNGs lie in the top of the zip, not in folders of videos .*expected Annotations/<video>/"),
    ("another set", lambda d: keep_one_video(d, "Annotations/other/"),
     rf"error .*\.zip: its PNGs lie in Annotations/other, not in folders of videos of the set.* such as {ONE}"),
    ("nothing in it", lambda d: d.members.clear(), r"error .*\.zip: holds no PNG; expected Annotations/<video>/"),
    ("strays", add_strays,
     r"warning __MACOSX/\._a\.png, Annotations/\.DS_Store: was left by an operating system; zip without it",
     r"warning readme\.txt: is none of the masks Annotations/<video>/<frame>\.png; zip without it"),
    # paths and members that mean harm or nothing
    ("path leads out", lambda d: d.rename(lambda n: f"../{n}", path_of(ONE, 0)),
     rf"error \.\./{path_of(ONE, 0)}: leads out of the folder that the zip is unpacked in"),
    ("absolute path", lambda d: d.rename(lambda n: f"/{n}"), rf"error /{ALL}: is an absolute path"),
    ("drive letter", lambda d: d.rename(lambda n: f"C:/{n}"), rf"error C:/{ALL}: is an absolute path"),
    ("backslashes", lambda d: d.rename(lambda n: n.replace("/", "\\")),
     rf"error Annotations\\{ONE}\\00000\.png, .* and 110 more: has a backslash in its path"),
    ("control characters", lambda d: d.add("evil\x1b[2Jname"),
     r"error evil\?\[2Jname: has control characters in its name", r"warning evil\?\[2Jname: is none of the masks"),
    ("link", replace_by_link, rf"error {path_of(ONE, 1)}: is a symbolic link, not a file"),
    ("file twice", lambda d: d.add(path_of(ONE, 1), b"?"), rf"error {path_of(ONE, 1)}: is there more than once; keep"),
    ("encrypted", encrypt, rf"error {ALL}: is encrypted; zip without a password"),
    ("rare compression", compress_by_lzma, rf"error {path_of(ONE, 1)}: is compressed by method 14, which few programs"),
    ("absurd size", lambda d: d.directory(path_of(ONE, 2), 24, "<I", 4_000_000_000),
     rf"error {path_of(ONE, 2)}: would unpack to 4,000,000,000 bytes, .*; left unread"),
    ("absurd ratio", lie_about_the_ratio,
     rf"error {path_of(ONE, 2)}: claims to unpack to more than 1100 times its size; left unread"),
    ("less than declared", lambda d: d.directory(path_of(ONE, 2), 24, "<I", 50_000),
     rf"error {path_of(ONE, 2)}: is not as large as the zip says"),
    ("wrong checksum", lambda d: d.directory(path_of(ONE, 2), 16, "<I", 12345),
     rf"error {path_of(ONE, 2)}: is damaged inside the zip"),
    # videos and frames
    ("missing videos", lambda d: d.remove(*d.names(GAPS), *d.names(LATE)),
     rf"error .*\.zip: lacks the videos {GAPS}, {LATE}; add their masks"),
    ("extra video", lambda d: d.add("Annotations/stranger/00000.png"),
     r"warning .*\.zip: has videos that the set does not have: stranger; zip without them"),
    ("missing frames", lambda d: d.remove(*d.names(ONE)[1:13]),
     rf"error Annotations/{ONE}: lacks 00005\.png, .*, 00050\.png and 2 more; write a mask for every frame asked for"),
    ("extra frame", lambda d: d.add(f"Annotations/{ONE}/00001.png"),
     rf"warning Annotations/{ONE}: has masks that nobody asks for: 00001\.png; zip without them"),
    ("names from 1 on", renumber(lambda n: f"{n + 1:05}"),
     rf"error Annotations/{ONE}: the names look shifted by 1: 00001\.png to 00096\.png instead of 00000\.png to 00095"),
    ("names a step late", renumber(lambda n: f"{n + 5:05}"),
     rf"error Annotations/{ONE}: the names look shifted by 5: 00005\.png to 00100\.png instead of"),
    ("counted names", renumber(lambda n: f"{n // 5:05}"),
     rf"error Annotations/{ONE}: the names look counted one by one: 00000\.png to 00019\.png instead of"),
    ("names without zeros", renumber(str),
     rf"error Annotations/{ONE}: the names look short of leading zeros: 0\.png to 95\.png instead of"),
    # images
    ("another size", halve,
     rf"error Annotations/{ONE}/00000\.png, .* and 11 more: is 128x224, but its frames are 256x448 \(height x width\)"),
    ("transposed", lambda d: d.data(path_of(LATE, 4), png(d.map(path_of(LATE, 4)).T)),
     rf"error {path_of(LATE, 4)}: is 256x448, but its frames are 448x256"),
    ("absurd size in the header", blow_up_the_header,
     rf"error {path_of(ONE, 2)}: is 20000x30000, but its frames are 256x448"),
    ("not PNG", save_as_jpeg_and_as_nothing, rf"error {path_of(ONE, 2)}, {path_of(ONE, 3)}: is not a PNG"),
    ("broken PNG", cut_pngs, rf"error {path_of(ONE, 2)}, {path_of(ONE, 3)}: is a broken PNG"),
    ("other modes", save_in_other_modes,
     rf"error {path_of(ONE, 1)}: is RGB, {NOT_P}", rf"error {path_of(ONE, 2)}: is RGBA, {NOT_P}",
     rf"error {path_of(ONE, 3)}: is grey \(mode L\), {NOT_P}", rf"error {path_of(ONE, 4)}: is 16-bit grey, {NOT_P}",
     rf"error {path_of(ONE, 5)}: is 1-bit \(mode 1\), {NOT_P}",
     rf"error {path_of(ONE, 6)}: is grey with alpha \(mode LA\), {NOT_P}"),
    # ids
    ("unknown ids", lambda d: d.ids(GAPS, lambda ids: exchange(ids, {1: 2, 5: 3})),
     rf"error Annotations/{GAPS}: holds id 2, 3 in 19 of its masks, first in 00005\.png, but the objects .* are 1, 5$"),
    ("255 for the object", lambda d: d.ids(ONE, lambda ids: ids * 255),
     rf"error Annotations/{ONE}: holds id 255 in 19 of .* are 1; 255 is void, which is no prediction$"),
    ("0 and 255 interpolated", lambda d: d.ids(ONE, lambda ids: stretched(ids * 255)),
     rf"error Annotations/{ONE}: holds id .* and \d+ more in 19 of .*; 255 is void, which is no prediction; {RINGS}"),
    ("interpolated, some ids unknown", lambda d: d.ids(GAPS, stretched),
     rf"error Annotations/{GAPS}: holds id 2, 3, 4 in 19 of .* are 1, 5; {RINGS}"),
    ("interpolated, all ids known", interpolate_known_ids,
     rf"error Annotations/{PAIR}: ids in 19 of its masks are suspicious: {RINGS}",
     rf"error Annotations/{LATE}: ids in 18 of its masks are suspicious: {RINGS}"),
    ("lost object", lambda d: d.ids(PAIR, lambda ids: exchange(ids, {2: 0})),
     rf"warning Annotations/{PAIR}: object 2 is in no mask after its first"),
    ("empty videos", empty_two,
     rf"error Annotations/{ONE}, Annotations/{PAIR}: every mask after the given one is empty"),
    # given masks
    ("changed given mask", change_two_given_pixels,
     rf"error {path_of(ONE, 0)}: differs from the given mask in 2 pixels; where an object begins, copy .* mask$"),
    ("late object begins late", begin_late, rf"error {path_of(LATE, 3)}: differs from the given mask in [\d,]+ pixels"),
    ("permuted ids", lambda d: d.ids(PAIR, lambda ids: exchange(ids, {1: 2, 2: 1}), first=0),
     rf"error {path_of(PAIR, 0)}: its ids look permuted: 1->2, 2->1 \(given->here\)"),
    ("masks a frame late", lambda d: d.data(path_of(ONE, 0), png(np.roll(d.map(path_of(ONE, 0)), 9))),
     rf"error {path_of(ONE, 0)}: differs .*; 00005\.png holds exactly that mask: are the masks shifted by a frame\?"),
    ("masks a frame early", begin_a_frame_early,
     rf"error {path_of(LATE, 3)}: differs .*; 00010\.png holds exactly that mask: are the masks shifted by a frame\?"),
]  # fmt: skip


@pytest.mark.parametrize(("plant", "expected"), [pytest.param(f[1], f[2:], id=f[0]) for f in FAULTS])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_planted_fault_is_found_and_nothing_else(plant, expected, clean, valid, tmp_path):
    draft = Draft(clean)
    plant(draft)
    draft.save(tmp_path / "planted.zip")
    found = [f"{finding.severity} {finding}" for finding in check_submission(tmp_path / "planted.zip", valid)]
    for words in expected:
        assert any(re.match(words, line) for line in found), f"{words} is not in {found}"
    assert len(found) == len(expected), found
    assert all(line.isprintable() for line in found)


def test_no_bomb_is_unpacked(clean, valid, tmp_path, monkeypatch):
    """A member may lie about its size: no more of it is read than a mask of its video can have."""
    draft, zeros = Draft(clean), bytes(60_000_000)
    honest, liar = path_of(ONE, 2), path_of(ONE, 3)
    draft.remove(honest, liar)
    for name in (honest, liar):
        draft.add(name, zeros, method=zipfile.ZIP_DEFLATED)
    draft.directory(liar, 24, "<I", 300_000)
    draft.save(tmp_path / "bomb.zip")
    del draft, zeros
    opened = []
    plain_open = zipfile.ZipFile.open
    monkeypatch.setattr(
        zipfile.ZipFile, "open", lambda zip, info: opened.append(info.filename) or plain_open(zip, info)
    )
    tracemalloc.start()
    found = [str(finding) for finding in check_submission(tmp_path / "bomb.zip", [v for v in valid if v.name == ONE])]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert any(line.startswith(f"{honest}: would unpack to 60,000,000 bytes") for line in found)
    assert any(line.startswith(f"{liar}: is damaged inside the zip") for line in found)
    assert liar in opened and honest not in opened and len(opened) == 19
    assert peak < 20_000_000


def test_a_png_with_two_headers_is_not_decoded_at_the_second_size(clean, valid, tmp_path, monkeypatch):
    data = png(np.ones((256, 448), np.uint8))
    header = bytearray(data[8:33])
    struct.pack_into(">II", header, 8, 9_000, 9_000)
    struct.pack_into(">I", header, 21, zlib.crc32(header[4:21]))
    draft = Draft(clean)
    draft.data(path_of(ONE, 2), data[:33] + bytes(header) + data[33:])
    draft.save(tmp_path / "two.zip")
    load = PngImageFile.load
    monkeypatch.setattr(PngImageFile, "load", lambda png: load(png) if png.width < 9_000 else pytest.fail("decoded"))
    (found,) = check_submission(tmp_path / "two.zip", valid)
    assert str(found).startswith(f"{path_of(ONE, 2)}: is a broken PNG")


def test_no_zip_and_half_a_zip(clean, valid, tmp_path):
    path = tmp_path / "half.zip"
    path.write_bytes(clean.read_bytes()[:-3000])
    (found,) = check_submission(path, valid)
    assert str(found) == f"{path}: is a zip that is cut off or damaged; write it again"
    path.write_text("no zip")
    (found,) = check_submission(path, valid)
    assert found.severity == "error" and str(found) == f"{path}: is not a zip; write it again"
    for bad in (tmp_path / "none.zip", tmp_path):
        with pytest.raises(VosError, match=f"{bad}: cannot be read"):
            check_submission(bad, valid)


def test_no_damage_is_a_crash(clean, valid, tmp_path):
    """Whatever bytes change, there is a list of findings."""
    (video,) = [v for v in valid if v.name == ONE]
    small = replace(video, objects=(replace(video.objects[0], frames=(0, 1)),))
    path, rng = tmp_path / "damaged.zip", np.random.default_rng(0)
    write_submission(path, [small], copy_first, progress=False)
    whole = path.read_bytes()
    found = 0
    for _ in range(300):
        data = bytearray(whole)
        for place in rng.integers(len(data) - 250 if rng.random() < 0.7 else 0, len(data), rng.integers(1, 4)):
            data[place] = rng.integers(256)
        path.write_bytes(data)
        found += bool(check_submission(path, [small], progress=False))
    assert found > 200
