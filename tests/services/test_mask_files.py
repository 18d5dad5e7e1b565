"""Masks as people paint them and programs write them: read by what the picture shows, or refused; never a guess.

Two pictures: ONE object, or TWO, on the background. Each is stored in many ways.
"""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageColor, ImageFilter, PngImagePlugin

from vos.files import VosError
from vos.masks import PALETTE, describe_ids, read_first_mask, read_mask

ONE = np.zeros((48, 80), np.uint8)
ONE[8:28, 6:36] = 1
TWO = ONE.copy()
TWO[30:44, 50:74] = 2
TWO[8:20, 36:44] = 2  # they touch

BLACK, WHITE, RED, GREEN, BLUE = (0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255)
DAVIS_RED, DAVIS_GREEN = (128, 0, 0), (0, 128, 0)


def grey(levels):
    return Image.fromarray(np.asarray(levels, np.uint8))


def painted(ids, *colors, ground=BLACK):
    """RGB, or RGBA where the colours have four numbers."""
    return Image.fromarray(np.array([ground, *colors], np.uint8)[ids])


def indexed(ids, *colors):
    """An indexed image with these colours at 0, 1, ..."""
    image = Image.fromarray(ids)
    image.putpalette(np.array(colors, np.uint8).tobytes())
    return image


def with_alpha(levels, alpha):
    return Image.fromarray(np.dstack([levels, np.broadcast_to(np.uint8(alpha), levels.shape)]).astype(np.uint8))


def png(bits, colour_type, pixels):
    """The bytes of a PNG of (H, W[, C]) values: Pillow does not write every kind that it reads."""
    height, width = pixels.shape[:2]
    rows = pixels.reshape(height, -1)
    if bits == 16:
        packed = [row.astype(">u2").tobytes() for row in rows]
    else:
        weights = 1 << np.arange(8 - bits, -1, -bits)
        packed = [(row.reshape(-1, 8 // bits).astype(int) @ weights).astype(np.uint8).tobytes() for row in rows]
    data = zlib.compress(b"".join(b"\0" + row for row in packed))
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )


def in_file(folder, content, name="mask.png", **options):
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content.save(path, **options)
    return path


def soft(image):
    return image.filter(ImageFilter.GaussianBlur(1))


RGB_ONE, DEEP_RGB = np.array(painted(ONE, DAVIS_RED)), np.array(painted(ONE, WHITE)).astype(np.uint16)
HALF = soft(grey(ONE * 255))
RED_FIRST = indexed(1 - ONE, DAVIS_RED, BLACK)

READ = {  # in a set and as a first mask: what it is, the ids
    # indexed by a program, whose order of colours says nothing
    "DAVIS red, quantized": (painted(ONE, DAVIS_RED).quantize(2), ONE),
    "DAVIS red, black second": (RED_FIRST, ONE),
    "DAVIS colours, adaptive": (painted(TWO, DAVIS_RED, DAVIS_GREEN).convert("P", palette=Image.Palette.ADAPTIVE), TWO),
    "DAVIS green first": (indexed(TWO, BLACK, DAVIS_GREEN, DAVIS_RED), np.array([0, 2, 1], np.uint8)[TWO]),
    "red, quantized": (painted(ONE, RED).quantize(2), ONE),
    "white, black second": (indexed(1 - ONE, WHITE, BLACK), ONE),
    "black third": (indexed(np.array([2, 1], np.uint8)[ONE], (9, 9, 9), DAVIS_RED, BLACK), ONE),
    # indexed by a program that means its indices
    "own colours": (indexed(TWO, BLACK, (31, 119, 180), (255, 127, 14)), TWO),
    "own greys": (indexed(TWO, BLACK, (128, 128, 128), WHITE), TWO),
    "first object black's index unused": (indexed(ONE + 1, BLACK, (3, 4, 5), RED), ONE + 1),
    # grey palettes
    "white, grey palette": (grey(ONE * 255).convert("P"), ONE),
    "ids, grey palette": (grey(TWO).convert("P"), TWO),
    # transparency
    "white on transparent": (painted(ONE, (255, 255, 255, 255), ground=(0, 0, 0, 0)), ONE),
    "black on transparent": (painted(ONE, (0, 0, 0, 255), ground=(0, 0, 0, 0)), ONE),
    "red on transparent white": (painted(ONE, (255, 0, 0, 255), ground=(255, 255, 255, 0)), ONE),
    "half white on transparent": (painted(ONE, (255, 255, 255, 128), ground=(0, 0, 0, 0)), ONE),
    "DAVIS colours on transparent": (painted(TWO, (*DAVIS_RED, 255), (*DAVIS_GREEN, 255), ground=(9, 9, 9, 0)), TWO),
    "white on black, opaque": (painted(ONE, (255, 255, 255, 255), ground=(0, 0, 0, 255)), ONE),
    "white on black, half opaque": (painted(ONE, (255, 255, 255, 70), ground=(0, 0, 0, 70)), ONE),
    "grey with opaque alpha": (with_alpha(ONE * 255, 255), ONE),
    "grey with half opaque alpha": (with_alpha(ONE * 255, 99), ONE),
    "ids with opaque alpha": (with_alpha(TWO, 255), TWO),
    "white on transparent, grey": (with_alpha(ONE * 255, ONE * 255), ONE),
    "black on transparent, grey": (with_alpha(ONE * 0, ONE * 255), ONE),
    # one colour on black
    "red": (painted(ONE, RED), ONE),
    "yellow": (painted(ONE, (255, 255, 0)), ONE),
    "dark": (painted(ONE, (20, 30, 40)), ONE),
    # depths
    "16-bit ids": (Image.fromarray(TWO.astype(np.uint16)), TWO),
    "16-bit ids to 254": (Image.fromarray(TWO.astype(np.uint16) * 127), TWO * 127),
    "16-bit black and white": (Image.fromarray(ONE.astype(np.uint16) * 65535), ONE),
    "16-bit ids as 8-bit levels": (Image.fromarray(TWO.astype(np.uint16) * 257), TWO),
    "16-bit colours": (png(16, 2, RGB_ONE.astype(np.uint16) * 257), ONE),
    "16-bit grey and alpha": (png(16, 4, np.dstack([ONE, ONE * 0 + 1]).astype(np.uint16) * 65535), ONE),
    "16-bit on transparent": (png(16, 6, np.dstack([DEEP_RGB, ONE * np.uint16(255)]) * 257), ONE),
    "1-bit": (grey(ONE * 255).convert("1"), ONE),
    "2-bit black and white": (png(2, 0, ONE * 3), ONE),
    "4-bit black and white": (png(4, 0, ONE * 15), ONE),
}

REFUSED = {  # in a set and as a first mask: what it is, words of the reason
    "web palette, dithered": (painted(ONE, DAVIS_RED).convert("P"), "dithered"),
    "web palette, dithered blue": (painted(ONE, (90, 60, 200)).convert("P"), "dithered"),
    "web palette, dithered grey": (painted(ONE, (120, 120, 120)).convert("P"), "dithered|may be an id"),
    "1-bit, dithered": (grey(ONE * 128).convert("1"), "dithered"),
    "white ground": (indexed(ONE, WHITE, RED), "without black"),
    "white ground, not indexed": (painted(ONE, RED, ground=WHITE), "no colour of the palette|no black"),
    "two grounds": (indexed(TWO, BLACK, (9, 9, 9), BLACK), "same colour|black"),
    "all black": (indexed(TWO, BLACK, BLACK, BLACK), "same colour"),
    "soft, grey": (HALF, "soft edges"),
    "soft, indexed": (HALF.quantize(16), "may be an id|soft"),
    "soft, red": (soft(painted(ONE, RED)), "no colour of|soft"),
    "soft, indexed red": (
        indexed(np.digitize(HALF, [20, 200]).astype(np.uint8), BLACK, (120, 0, 0), RED),
        "soft",
    ),
    "soft alpha": (with_alpha(ONE * 0 + 255, np.array(HALF)), "partly transparent"),
    "soft alpha, colour": (Image.merge("RGBA", (*painted(ONE, RED).split(), HALF)), "partly transparent"),
    "16-bit, too high": (Image.fromarray(ONE.astype(np.uint16) * 1000), "value 1000"),
    "16-bit colours, inexact": (png(16, 2, RGB_ONE.astype(np.uint16) * 256), "16 bits"),
    "4-bit ids": (png(4, 0, TWO), "may be an id"),
    "JPEG": ("jpeg", "is a JPEG"),
    "BMP": ("bmp", "is a BMP"),
}


@pytest.mark.parametrize("name", READ)
def test_what_is_read(tmp_path, name):
    content, ids = READ[name]
    path = in_file(tmp_path, content)
    found, (first, _) = read_mask(path), read_first_mask(path)
    assert found.dtype == first.dtype == np.uint8
    assert (found == ids).all() and (first == ids).all()


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_what_to_do(tmp_path, name):
    content, words = REFUSED[name]
    if isinstance(content, str):
        path = in_file(tmp_path, grey(ONE * 255), format=content)
    else:
        path = in_file(tmp_path, content)
    for read in (read_mask, read_first_mask):
        with pytest.raises(VosError, match=words) as error:
            read(path)
        message = str(error.value)
        assert message.startswith(f"{path}: ") and "white on black" in message and "write_mask" in message


FIRST = {  # refused in a set, read as a first mask: what it is, ids, how it was understood
    "two colours": (painted(TWO, BLUE, RED), TWO, "(0, 0, 255) is object 1, (255, 0, 0) is object 2"),
    "two colours, indexed": (painted(TWO, BLUE, RED).quantize(3), TWO, "(255, 0, 0) is object 2"),
    "two colours on transparent": (
        painted(TWO, (*BLUE, 255), (*RED, 255), ground=(7, 7, 7, 0)),
        TWO,
        "(0, 0, 255) is object 1",
    ),
    "one grey in colour": (painted(ONE, (200, 200, 200)), ONE, "(200, 200, 200) is object 1"),
    "middle grey": (grey(ONE * 128), ONE, "grey 128 is object 1"),
}


@pytest.mark.parametrize("name", FIRST)
def test_what_a_person_paints_is_read_and_explained(tmp_path, name):
    content, ids, words = FIRST[name]
    path = in_file(tmp_path, content)
    with pytest.raises(VosError):
        read_mask(path)
    found, text = read_first_mask(path)
    assert (found == ids).all() and words in text


HARDENED = {  # refused as they are; with threshold=True: content, its name and options, ids
    "grey": (soft(grey(ONE * 255)), {}, ONE),
    "dim grey": (soft(grey(ONE * 150)), {}, ONE),
    "red": (soft(painted(ONE, RED)), {}, ONE),
    "two colours": (soft(painted(TWO, BLUE, RED)), {}, TWO),
    "indexed": (soft(grey(ONE * 255)).quantize(16), {}, ONE),
    "alpha": (with_alpha(ONE * 0 + 255, np.array(HALF)), {}, ONE),
    "colour with alpha": (Image.merge("RGBA", (*painted(ONE, RED).split(), HALF)), {}, ONE),
    "16 bits": (Image.fromarray(np.array(HALF).astype(np.uint16) * 200), {}, ONE),
    "JPEG": (grey(ONE * 255), {"format": "JPEG", "quality": 60}, ONE),
    "JPEG in colour": (painted(TWO, BLUE, RED), {"format": "JPEG", "quality": 90}, TWO),
    "BMP": (grey(ONE * 255), {"format": "BMP"}, ONE),
    "TIFF of ids": (grey(TWO), {"format": "TIFF"}, TWO),
    "lossless WebP": (painted(ONE, RED), {"format": "WEBP", "lossless": True}, ONE),
}


@pytest.mark.parametrize("name", HARDENED)
def test_soft_edges_are_made_hard_where_that_is_asked_for(tmp_path, name):
    content, options, ids = HARDENED[name]
    path = in_file(tmp_path, content, **options)
    with pytest.raises(VosError, match="threshold"):
        read_first_mask(path)
    found, _ = read_first_mask(path, threshold=True)
    assert set(np.unique(found)) == set(np.unique(ids))
    assert np.count_nonzero(found != ids) <= 0.05 * np.count_nonzero(ids)  # corners become round


@pytest.mark.parametrize("name", READ)
def test_hard_edges_are_left_as_they_are(tmp_path, name):
    content, ids = READ[name]
    assert (read_first_mask(in_file(tmp_path, content), threshold=True)[0] == ids).all()


@pytest.mark.parametrize("name", ["white ground", "all black", "two grounds", "1-bit, dithered"])
def test_a_threshold_does_not_help_where_the_background_is_not_known(tmp_path, name):
    with pytest.raises(VosError):
        read_first_mask(in_file(tmp_path, REFUSED[name][0]), threshold=True)


def test_a_small_object_within_another_is_no_soft_edge(tmp_path):
    ids = ONE.copy()
    ids[12:16, 12:18] = 2
    for colors in ((31, 119, 180), (255, 127, 14)), ((0, 0, 200), (0, 0, 90)):
        assert (read_mask(in_file(tmp_path, indexed(ids, BLACK, *colors))) == ids).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_exif_turns_a_mask_as_it_turns_a_frame(tmp_path, ending, orientation):
    from services.test_frame_files import save_turned

    path = save_turned(tmp_path / f"mask{ending}", orientation, indexed(TWO, BLACK, DAVIS_RED, DAVIS_GREEN))
    assert (read_first_mask(path, threshold=ending != ".png")[0] == TWO).all()


def test_megabytes_of_metadata_do_no_harm(tmp_path):
    info = PngImagePlugin.PngInfo()
    info.add_text("x", "x" * 2_000_000, zip=True)
    for options in ({"pnginfo": info}, {"icc_profile": bytes(3_000_000)}):
        assert (read_mask(in_file(tmp_path, indexed(TWO, BLACK, RED, GREEN), **options)) == TWO).all()


@pytest.mark.parametrize("colors", [("white", "black"), ("red", "black"), ("white", "red")])
def test_a_ground_that_is_not_black_is_not_taken_for_the_object(tmp_path, colors):
    """Index 0 is the ground for whoever wrote it, and the object for whoever looks: exchanged, or as it is?"""
    palette = [value for color in colors for value in ImageColor.getrgb(color)]
    image = Image.fromarray(ONE)
    image.putpalette(palette)
    with pytest.raises(VosError, match=r"mask\.png: is indexed"):
        read_mask(in_file(tmp_path, image))
    if "black" in colors:  # the object of the same colours, the other way round: nothing is open
        image = Image.fromarray(1 - ONE)
        image.putpalette(palette)
        assert (read_mask(in_file(tmp_path, image)) == ONE).all()


@given(
    ids=st.lists(st.integers(0, 255), min_size=1, max_size=5, unique=True),
    order=st.permutations(range(256)),
    as_index=st.booleans(),
    cells=st.lists(st.integers(0, 4), min_size=24, max_size=24),
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_of_a_palette_never_changes_a_mask(tmp_path, ids, order, as_index, cells):
    """Random maps in DAVIS's colours, at random places of the palette: the map, or an error that says so."""
    small = np.array([ids[cell % len(ids)] for cell in cells], np.uint8).reshape(4, 6)
    right = np.kron(small, np.ones((8, 8), np.uint8))
    places = np.arange(256) if as_index else np.array(order)  # the place of each colour
    palette = np.empty_like(PALETTE)
    palette[places] = PALETTE
    image = Image.fromarray(places.astype(np.uint8)[right])
    image.putpalette(palette.tobytes())
    path = in_file(tmp_path, image)
    try:
        found = read_mask(path)
    except VosError:
        assert not as_index and set(ids) <= {0, 7, 56, 63}  # these colours are grey, and may be another palette's
    else:
        assert (found == right).all()


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        (TWO, "2 objects: id 1, 15.6 % of the frame; id 2, 11.2 %"),
        (ONE * 7, "1 object: id 7, 15.6 % of the frame"),
        (ONE * 0, "no object"),
        (ONE * 255, "no object"),
        (
            1 - ONE,
            "1 object: id 1, 84.4 % of the frame; id 1 covers the corners and most of the frame: is the",
        ),
    ],
)
def test_what_was_understood_in_words(ids, words):
    assert describe_ids(ids).startswith(words)
