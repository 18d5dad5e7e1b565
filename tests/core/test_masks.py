"""Masks: what goes in comes out, ids are ids, and what would have to be guessed is refused."""

import struct
import zlib
from itertools import product

import numpy as np
import pytest
from PIL import Image

from vos.files import VosError
from vos.files.atomic import written_whole
from vos.files.mask_images import YOUTUBE_VOS_PALETTE
from vos.inference import LEAST_PROBABLE, best_threshold, merge_objects
from vos.masks import PALETTE, VOID, object_ids, overlay, read_mask, write_mask


def test_palette_is_that_of_davis():
    assert PALETTE[:4].tolist() == [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]]
    assert PALETTE[VOID].tolist() == [224, 224, 192]


def test_round_trip_keeps_ids(tmp_path):
    ids = np.array([[0, 1, 7], [9, 254, 255]], np.uint8)
    write_mask(tmp_path / "m.png", ids)
    assert (read_mask(tmp_path / "m.png") == ids).all()
    assert Image.open(tmp_path / "m.png").mode == "P"


def test_stretching_makes_no_new_ids(tmp_path):
    ids = np.zeros((60, 80), np.uint8)
    ids[10:40, 20:60] = 6
    write_mask(tmp_path / "m.png", ids)
    assert object_ids(read_mask(tmp_path / "m.png", (17, 23))) == [6]
    assert read_mask(tmp_path / "m.png", (17, 23)).shape == (17, 23)


def grey(*levels):
    return Image.fromarray(np.array([levels], np.uint8))


def coloured(*colors):
    """RGB, or RGBA where the colours have four numbers."""
    return Image.fromarray(np.array([colors], np.uint8))


def indexed(ids, palette=PALETTE):
    image = grey(*ids)
    image.putpalette(palette.tobytes())
    return image


def png(bits, colour_type, width, row):
    """The bytes of a PNG with one row of pixels: Pillow does not write every kind that it reads."""
    header = struct.pack(">IIBBBBB", width, 1, bits, colour_type, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" + row)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )


def in_file(path, content, **options):
    """Write an image (as PNG, unless the options say another format), or bytes as they are."""
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content.save(path, **{"format": "PNG", **options})
    return path


BLACK, WHITE, RED, OLIVE, MID_GREY = (0, 0, 0), (255, 255, 255), (128, 0, 0), (128, 128, 0), (128, 128, 128)
BLOB = Image.fromarray(np.pad(np.full((9, 7), 255, np.uint8), 5))


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        # palettes: the pixel values where black comes first; by colours of DAVIS at other places
        (indexed([0, 1, 7, 254, 255]), [0, 1, 7, 254, VOID]),
        (indexed([0, 38, 255], palette=PALETTE[::-1]), [VOID, 217, 0]),
        (indexed([0, 255]), [0, VOID]),
        # black and white: one object
        (grey(0, 255, 255).convert("1"), [0, 1, 1]),
        (grey(0, 255, 255), [0, 1, 1]),
        (grey(255, 255), [1, 1]),
        (grey(0, 0), [0, 0]),
        # grey levels as ids
        (grey(0, 1, 2, 3), [0, 1, 2, 3]),
        (grey(0, 1, 3), [0, 1, 3]),
        (grey(0, 5), [0, 5]),
        (grey(0, 10, 20), [0, 10, 20]),
        (grey(0, 16, 17), [0, 16, 17]),
        (grey(0, 100, 200), [0, 100, 200]),
        (grey(0, 14, 38), [0, 14, 38]),  # 38 is the grey of a colour, 14 is none
        (grey(0, 38, 138), [0, 38, 138]),  # of two palettes
        (grey(0, 38, 255), [0, 38, VOID]),
        (grey(0, 1, 63, 255), [0, 1, 63, VOID]),
        (grey(*range(33), 255), [*range(33), VOID]),  # 32 objects and void
        # colours
        (coloured(*PALETTE), list(range(256))),
        (coloured(BLACK, OLIVE, MID_GREY), [0, 3, 7]),
        (coloured(*YOUTUBE_VOS_PALETTE), list(range(7))),
        (coloured(YOUTUBE_VOS_PALETTE[2]), [2]),
        (coloured(BLACK, WHITE), [0, 1]),
        (coloured(BLACK), [0]),
        (coloured((*BLACK, 255), (*OLIVE, 255)), [0, 3]),
        (coloured((*BLACK, 255), (*WHITE, 255)), [0, 1]),
    ],
)
def test_what_is_read(tmp_path, content, ids):
    found = read_mask(in_file(tmp_path / "mask.png", content))
    assert found.tolist() == [ids] and found.dtype == np.uint8


def test_few_bits_of_a_palette_are_ids_too(tmp_path):
    for bits in (1, 2, 4):
        ids = list(range(2**bits))
        assert read_mask(in_file(tmp_path / "mask.png", indexed(ids), bits=bits)).tolist() == [ids]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        # a palette turned grey
        (indexed([0, 1, 2, 3]).convert("L"), "turned grey (levels 38, 75, 113)"),
        (grey(0, 38), "turned grey (levels 38)"),
        (indexed([0, 4]).convert("L"), "turned grey (levels 15)"),
        (indexed([0, 20, VOID]).convert("L"), "turned grey (levels 52, 220)"),
        (indexed([*range(7)], YOUTUBE_VOS_PALETTE).convert("L"), "turned grey (levels 138, 144, 155, 169, ...)"),
        (grey(0, 169), "turned grey (levels 169)"),
        # soft edges
        (BLOB.resize((40, 40), Image.Resampling.BILINEAR), "soft edges"),
        (BLOB.resize((9, 10), Image.Resampling.BOX), "soft edges"),
        (grey(0, 64, 255), "soft edges (levels 64 beside 255)"),
        (grey(0, 1, 2, 200, 255), "soft edges (levels 1, 2, 200 beside 255)"),
        # probabilities
        (grey(*range(34)), "33 grey levels (1, 2, 3, 4, ...)"),
        (grey(*range(255)), "threshold"),
        # colours
        (coloured(BLACK, MID_GREY), "saved in colour, where (128, 128, 128)"),
        (coloured(BLACK, WHITE, (250, 250, 250)), "(250, 250, 250)"),
        (coloured(BLACK, RED, (127, 1, 0)), "holds (127, 1, 0)"),
        (coloured(BLACK, *YOUTUBE_VOS_PALETTE[1:], (236, 95, 104)), "holds (236, 95, 104)"),
        (coloured(BLACK, RED, WHITE), "holds (255, 255, 255)"),
        (coloured(RED, OLIVE, YOUTUBE_VOS_PALETTE[1]), "holds (236, 95, 103)"),
        (coloured((*BLACK, 0), (*RED, 255), (*RED, 99)), "partly transparent"),
        # other kinds of PNG
        (Image.fromarray(np.array([[0, 1000]], np.uint16)), "holds the value 1000"),
        (png(16, 2, 1, b"\0\x80\0\0\0\0"), "16 bits"),
        (png(16, 4, 1, b"\0\x01\xff\xff"), "16 bits"),
        (png(16, 6, 1, b"\0\x80\0\0\0\0\xff\xff"), "16 bits"),
        (png(2, 0, 4, b"\x1b"), "grey with 2 bits"),
        (png(4, 0, 2, b"\x12"), "grey with 4 bits"),
    ],
)
def test_what_is_refused(tmp_path, content, words):
    path = in_file(tmp_path / "mask.png", content)
    with pytest.raises(VosError) as error:
        read_mask(path)
    message = str(error.value)
    assert message.startswith(f"{path}: ") and words in message and "indexed (palette) PNG" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("image", "options", "words"),
    [
        (grey(0, 255), {"format": "JPEG"}, "is a JPEG, whatever it is called"),
        (coloured(BLACK, RED), {"format": "MPO", "save_all": True, "append_images": [coloured(RED, RED)]}, "JPEG"),
        (indexed([0, 1]), {"format": "GIF"}, "is a GIF file"),
        (indexed([0, 1]), {"format": "BMP"}, "is a BMP file"),
        (indexed([0, 1]), {"format": "TIFF"}, "is a TIFF file"),
        (grey(0, 1).convert("F"), {"format": "TIFF"}, "is a TIFF file"),
        (coloured(BLACK).convert("CMYK"), {"format": "TIFF"}, "is a TIFF file"),
        (indexed([0, 1]), {"save_all": True, "append_images": [indexed([1, 1])]}, "animated and holds 2 pictures"),
    ],
)
def test_files_that_are_no_plain_png_are_refused(tmp_path, image, options, words):
    path = in_file(tmp_path / "mask.png", image, **options)
    with pytest.raises(VosError) as error:
        read_mask(path)
    message = str(error.value)
    assert message.startswith(f"{path}: ") and words in message and "indexed (palette) PNG" in message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cannot be read"),
        (b"no image at all", "cannot be read"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 40, "cannot be read"),
        (png(8, 3, 900, b"\x01" * 20), "cannot be read"),  # cut off
        (png(8, 3, 2, b"\x01\x02").replace(b"IDAT", b"tEXt"), "cannot be read"),
        (None, "no such mask"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, content, words):
    path = tmp_path / "mask.png"
    if content is not None:
        in_file(path, content)
    with pytest.raises(VosError, match=words) as error:
        read_mask(path)
    assert str(error.value).startswith(f"{path}: ")


def test_merge_gives_exactly_the_ids_there_are():
    p = np.array([[[0.9, 0.2, 0.6, 0.5]], [[0.1, 0.3, 0.7, 0.4]]])
    assert merge_objects(p, [3, 8]).tolist() == [[3, 0, 8, 0]]
    assert merge_objects(np.zeros((0, 2, 3)), []).shape == (2, 3)


def test_an_absent_object_stays_absent():
    """No per-frame stretching that lifts the largest of small probabilities to 1."""
    assert not merge_objects(np.full((1, 3, 3), 0.01) * np.arange(9).reshape(1, 3, 3), [1]).any()


def test_each_object_has_its_own_threshold():
    p = np.array([[[0.9, 0.4, 0.3, 0.3]], [[0.1, 0.45, 0.35, 0.2]]])
    assert merge_objects(p, [3, 8], [0.25, 0.5]).tolist() == [[3, 3, 3, 3]]
    assert merge_objects(p, [3, 8], [0.5, 0.25]).tolist() == [[3, 8, 8, 0]]


@pytest.mark.parametrize("seed", range(20))
def test_no_mask_has_a_higher_expected_J_than_the_one_of_the_best_threshold(seed):
    """Against all 2^9 masks of nine pixels, some of them nearly sure, some not."""
    rng = np.random.default_rng(seed)
    p = rng.random((3, 3)) ** rng.choice([0.3, 1, 3])

    def expected_J(mask):
        return p[mask].sum() / (mask.sum() + p[~mask].sum())

    every = [np.array(bits, bool).reshape(3, 3) for bits in product((0, 1), repeat=9)]
    chosen = expected_J(p > best_threshold(p))
    assert chosen == pytest.approx(max(expected_J(mask) for mask in every), abs=1e-12)


def test_a_faint_cloud_is_not_painted():
    assert best_threshold(np.full((4, 4), 0.03)) == LEAST_PROBABLE
    assert best_threshold(np.zeros((4, 4))) == LEAST_PROBABLE
    assert best_threshold(np.ones((4, 4))) == 0.5


def test_overlay_strength():
    frame, ids = np.full((8, 8, 3), 100, np.uint8), np.zeros((8, 8), np.uint8)
    ids[2:6, 2:6] = 1
    assert (overlay(frame, ids, 0) == frame).all()
    assert overlay(frame, ids, 1)[4, 4].tolist() == PALETTE[1].tolist()
    assert (overlay(frame, ids, 1)[0, 0] == 100).all()


def test_nothing_is_left_half_written(tmp_path):
    path = tmp_path / "out.png"
    path.write_text("old")

    def cut_off():
        with written_whole(path) as temporary:
            temporary.write_text("ne")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        cut_off()
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["out.png"]
