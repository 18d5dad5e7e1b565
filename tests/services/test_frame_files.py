"""Frames as people have them: what every viewer shows is what is read, in the order that people mean."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from vos.data import Video, VideoObject, VOSDataset, read_frame
from vos.datasets.check import check_folder
from vos.files import VosError
from vos.files.images import FRAME_ENDINGS, frame_size
from vos.files.layouts import images_in, stray_images
from vos.files.names import natural_key
from vos.masks import write_mask

SQUARE = np.zeros((48, 80), np.uint8)  # the object of every scene here
SQUARE[8:24, 8:40] = 1
SCENE = np.full((48, 80, 3), 60, np.uint8)
SCENE[SQUARE == 1] = 230, 40, 40
PICTURE = Image.fromarray(SCENE)
GREY = np.array(PICTURE.convert("L"))
TIFF_TAG, ORIENTATION = 274, 0x0112
# How a camera that lies thus stores what should be seen: the turn that the orientation asks for, undone.
STORED = {
    1: lambda image: image,
    2: lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    3: lambda image: image.transpose(Image.Transpose.ROTATE_180),
    4: lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
    6: lambda image: image.transpose(Image.Transpose.ROTATE_90),
    7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
    8: lambda image: image.transpose(Image.Transpose.ROTATE_270),
}


def exif(orientation: int) -> bytes:
    data = Image.Exif()
    data[ORIENTATION] = orientation
    return data.tobytes()


def save_turned(path, orientation, image=PICTURE):
    """What a viewer shows as `image`, stored with an EXIF orientation."""
    stored, ending = STORED[orientation](image), path.suffix.lower()
    if ending.startswith(".tif"):
        stored.save(path, tiffinfo={TIFF_TAG: orientation})
    else:
        lossless = {".webp": {"lossless": True}, ".jpg": {"quality": 95, "subsampling": 0}}.get(ending, {})
        stored.save(path, exif=exif(orientation), **lossless)
    return path


def close(frame, picture, far=12):
    """The same but for what JPEG changes."""
    return frame.shape == picture.shape and np.abs(frame.astype(int) - picture).max() <= far


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("ending", "mode"),
    [(".jpg", "RGB"), (".png", "RGB"), (".webp", "RGB"), (".tif", "RGB"), (".tif", "CMYK"), (".jpg", "L")],
)
def test_a_frame_is_turned_as_exif_says(tmp_path, ending, mode, orientation):
    path = save_turned(tmp_path / f"x{ending}", orientation, PICTURE.convert(mode))
    assert close(read_frame(path), np.array(PICTURE.convert(mode).convert("RGB")))
    assert frame_size(path) == (48, 80)
    small = read_frame(path, (12, 20))  # JPEG at a built-in scale of the picture as it lies
    assert close(small, np.array(PICTURE.convert(mode).convert("RGB").resize((20, 12), Image.Resampling.BILINEAR)), 60)


def late_exif(orientation: int) -> bytes:
    """A PNG that says its orientation after its pixels."""
    stream = io.BytesIO()
    STORED[orientation](PICTURE).save(stream, format="PNG", exif=exif(orientation))
    data = stream.getvalue()
    start = data.index(b"eXIf") - 4
    end = start + 12 + struct.unpack(">I", data[start : start + 4])[0]
    rest = data[:start] + data[end:]
    return rest[:-12] + data[start:end] + rest[-12:]


def test_a_turned_jpeg_is_decoded_as_large_as_is_asked_for(tmp_path):
    """Six columns need an eighth of this picture's 80, but 30 rows need all of its 48."""
    stripes = Image.fromarray(np.repeat(np.uint8(np.arange(48) % 6 * 50), 80).reshape(48, 80))
    path = save_turned(tmp_path / "x.jpg", 6, stripes)
    right = np.array(stripes.convert("RGB").resize((6, 30), Image.Resampling.BILINEAR))
    assert close(read_frame(path, (30, 6)), right, 4)


def test_a_turned_tiff_of_16_bits(tmp_path):
    path = save_turned(tmp_path / "x.tif", 6, Image.fromarray(GREY.astype(np.uint16) * 257))
    assert (read_frame(path) == GREY[..., None]).all() and frame_size(path) == (48, 80)


def test_an_orientation_after_the_pixels_of_a_png_counts_in_its_size_too(tmp_path):
    path = tmp_path / "late.png"
    path.write_bytes(late_exif(6))
    assert (read_frame(path) == SCENE).all() and frame_size(path) == (48, 80)


@pytest.mark.parametrize(
    "broken", [b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\0\0garbage", b"Exif\0\0MM\0*\0\0\0\x08\0\x01"]
)
def test_broken_exif_is_no_reason_to_refuse_a_frame(tmp_path, recwarn, broken):
    PICTURE.save(tmp_path / "x.jpg", exif=broken, quality=95, subsampling=0)
    assert close(read_frame(tmp_path / "x.jpg"), SCENE, 30) and frame_size(tmp_path / "x.jpg") == (48, 80)
    assert not [w for w in recwarn if w.category is UserWarning and "PIL" not in w.filename]


@pytest.mark.parametrize(
    ("levels", "ending"),
    [
        (GREY.astype(np.uint16) * 257, ".png"),
        (GREY.astype(np.uint16) * 257, ".tif"),
        ((GREY.astype(np.uint16) * 257).astype(">u2"), ".tif"),  # Motorola's order of bytes
        ((GREY.astype(np.uint32) * 4095 // 255).astype(np.uint16), ".png"),  # 12 bits
        ((GREY.astype(np.uint32) * 4095 // 255).astype(np.uint16), ".tif"),
    ],
)
def test_16_and_12_bits_are_read_by_their_white(tmp_path, levels, ending):
    path = tmp_path / f"x{ending}"
    Image.fromarray(levels).save(path)
    assert close(read_frame(path), np.dstack([GREY] * 3), 1)
    assert read_frame(path, (24, 40)).shape == (24, 40, 3)


def tiff_of_12_bits(levels) -> bytes:
    """A grey TIFF of packed 12 bits a pixel, which Pillow reads but does not write."""
    height, width = levels.shape
    first, second = levels[:, ::2].astype(int), levels[:, 1::2].astype(int)
    packed = np.dstack([first >> 4, (first & 15) << 4 | second >> 8, second & 255]).astype(np.uint8).tobytes()
    tags = [(256, width), (257, height), (258, 12), (259, 1), (262, 1), (273, 8), (277, 1), (278, height)]
    tags.append((279, len(packed)))
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return struct.pack("<2sHI", b"II", 42, 8 + len(packed)) + packed + struct.pack("<H", len(tags)) + entries + bytes(4)


def test_packed_12_bits(tmp_path):
    (tmp_path / "x.tif").write_bytes(tiff_of_12_bits(GREY.astype(np.uint32) * 4095 // 255))
    assert close(read_frame(tmp_path / "x.tif"), np.dstack([GREY] * 3), 1)


@pytest.mark.parametrize(
    ("image", "name", "right"),
    [
        (PICTURE, "x.BMP", SCENE),
        (PICTURE, "x.tiff", SCENE),
        (PICTURE.convert("CMYK"), "x.tif", SCENE),
        (PICTURE.convert("RGBA"), "x.png", SCENE),
        (PICTURE.convert("LA"), "x.png", np.dstack([GREY] * 3)),
        (Image.fromarray(SQUARE * 255).convert("1"), "x.png", np.dstack([SQUARE * 255] * 3)),
        (PICTURE.quantize(4), "x.png", SCENE),
    ],
)
def test_other_kinds_of_pixels(tmp_path, image, name, right):
    image.save(tmp_path / name)
    assert (read_frame(tmp_path / name) == right).all()


@pytest.mark.parametrize("transparency", [bytes([255, 10]), b"\0", 1])
def test_a_transparent_palette_is_read_quietly(tmp_path, recwarn, transparency):
    PICTURE.quantize(4).save(tmp_path / "x.png", transparency=transparency)
    assert (read_frame(tmp_path / "x.png") == SCENE).all() and not list(recwarn)


def long_text(**options):
    info = PngImagePlugin.PngInfo()
    info.add_text("x", "x" * 2_000_000, **options)
    return {"pnginfo": info}


@pytest.mark.parametrize("options", [long_text(zip=True), long_text(zip=False), {"icc_profile": bytes(3_000_000)}])
def test_megabytes_of_metadata_do_no_harm(tmp_path, options):
    PICTURE.save(tmp_path / "x.png", **options)
    assert (read_frame(tmp_path / "x.png") == SCENE).all() and frame_size(tmp_path / "x.png") == (48, 80)


@pytest.mark.parametrize(
    ("image", "name", "options", "words"),
    [
        (Image.fromarray(GREY.astype(np.float32)), "x.tif", {}, "save it with 8 or 16 bits"),
        (Image.fromarray(GREY.astype(np.int32)), "x.tif", {}, "save it with 8 or 16 bits"),
        (PICTURE, "x.png", {"save_all": True, "append_images": [PICTURE.rotate(180)]}, "holds 2 pictures"),
        (PICTURE, "x.tif", {"save_all": True, "append_images": [PICTURE.rotate(180)]}, "holds 2 pictures"),
        (PICTURE, "x.webp", {"save_all": True, "append_images": [PICTURE.rotate(180)]}, "holds 2 pictures"),
    ],
)
def test_what_is_no_frame_is_refused_with_advice(tmp_path, image, name, options, words):
    image.save(tmp_path / name, **options)
    with pytest.raises(VosError, match=words) as error:
        read_frame(tmp_path / name)
    assert str(error.value).startswith(f"{tmp_path / name}: ")


def test_the_second_picture_of_a_phone_is_left_out(tmp_path):
    path = tmp_path / "x.jpg"
    PICTURE.save(path, format="MPO", save_all=True, append_images=[PICTURE.rotate(180)], quality=95)
    assert Image.open(path).format == "MPO" and close(read_frame(path), SCENE, 80)


# names


@pytest.mark.parametrize(
    "ordered",
    [
        ["1", "2", "9", "10", "11", "100"],
        ["f1_1", "f1_2", "f1_10", "f2_1", "f10_1"],
        ["002", "02", "2", "10"],
        ["7", "7a", "a", "A7", "a8", "B"],
        ["0", "٣"],  # only ASCII digits are numbers
        ["9" * 5000, "1" + "0" * 5000],
    ],
)
def test_numbers_in_names_count_by_their_value(ordered):
    assert sorted(set(ordered), key=natural_key) == ordered


def files(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("names", "frames", "strays"),
    [
        (["1.jpg", "10.jpg", "2.jpg"], "1 2 10", ""),
        (["a.png", "b.PNG"], "a b", ""),
        (["00.jpg", "01.jpg", "02.jpg", "cover.jpg"], "00 01 02", "cover.jpg"),
        (["f1.jpg", "f2.jpg", "F3.JPG", "f2 (1).jpg"], "f1 f2 F3", "f2 (1).jpg"),
        (["img_1.png", "img_2.png", "img_3.png", "first.png"], "img_1 img_2 img_3", "first.png"),
        (["1.jpg", "2.jpg", "cover.jpg"], "1 2 cover", ""),  # two alike are too few to say
        (["1.jpg", "2.jpg", "3.jpg", "a.jpg", "b.jpg"], "1 2 3 a b", ""),  # as are three of five
        (["x.jpg", "y.jpg", "z.jpg", "x1.jpg"], "x x1 y z", ""),
        (["1.jpg", ".2.jpg", "._1.jpg", "notes.txt", "Thumbs.db"], "1", ""),
        (["1.jpg", "2.jpg", "3.HEIC"], "1 2", "3.HEIC"),  # of a kind that is not read, but a frame of somebody's
        (["1.webp", "2.tif", "3.bmp", "4.TIFF", "5.jpeg"], "1 2 3 4 5", ""),
    ],
)
def test_the_frames_of_a_folder(tmp_path, names, frames, strays):
    folder = files(tmp_path / "v", *names)
    assert [path.stem for path in images_in(folder, FRAME_ENDINGS)] == frames.split(" ")
    assert [path.name for path in stray_images(folder, FRAME_ENDINGS)] == ([strays] if strays else [])


def test_frames_of_another_kind_are_to_be_converted(tmp_path):
    with pytest.raises(VosError, match=r"holds no \.jpg .* files; convert 1\.heic and the others"):
        images_in(files(tmp_path / "v", "1.heic", "2.heic"), FRAME_ENDINGS)


@pytest.mark.parametrize("pair", [("00000.jpg", "00000.png"), ("1.jpg", "01.jpg"), ("f_2_b.png", "f_002_b.png")])
def test_two_files_of_one_frame_are_refused(tmp_path, pair):
    with pytest.raises(VosError, match="remove") as error:
        images_in(files(tmp_path / "v", "5.jpg", *pair), FRAME_ENDINGS)
    assert all(name in str(error.value) for name in pair)


def test_the_file_of_the_mask_is_no_frame(tmp_path):
    folder = files(tmp_path / "v", "1.png", "2.png", "0.png")
    (tmp_path / "link").symlink_to(folder)
    for without in (folder / "0.png", tmp_path / "link" / "0.png", folder / ".." / "v" / "0.png"):
        assert [path.name for path in images_in(folder, FRAME_ENDINGS, without)] == ["1.png", "2.png"]
    for without in (tmp_path / "0.png", None):  # another file, or none
        assert len(images_in(folder, FRAME_ENDINGS, without)) == 3


# whole sets


def davis(root, names, ending=".jpg", mask_ending=".png", orientation=1):
    """A set in DAVIS layout of two sequences with these names of frames."""
    for sequence in ("a", "b"):
        for name in names:
            frame = root / "JPEGImages/480p" / sequence / f"{name}{ending}"
            frame.parent.mkdir(parents=True, exist_ok=True)
            save_turned(frame, orientation) if orientation > 1 else PICTURE.save(frame)
            write_mask(root / "Annotations/480p" / sequence / f"{name}{mask_ending}", SQUARE)
    lists = root / "ImageSets/2017"
    lists.mkdir(parents=True)
    for split, name in (("train", "a"), ("val", "b")):
        (lists / f"{split}.txt").write_text(f"{name}\n")
    return root


@pytest.mark.parametrize(
    ("ending", "mask_ending"),
    [(".png", ".png"), (".jpg", ".PNG"), (".TIF", ".Png"), (".webp", ".png"), (".bmp", ".png")],
)
def test_a_set_may_have_any_kind_of_frame(tmp_path, ending, mask_ending):
    root = davis(tmp_path / "set", [str(t) for t in range(12)], ending, mask_ending)
    video = VOSDataset(root).train[0]
    assert video.frame_names == tuple(str(t) for t in range(12)) and video.annotated == tuple(range(12))
    assert check_folder(root)[1] == []


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_in_a_turned_set_masks_lie_on_their_frames(tmp_path, orientation):
    root = davis(tmp_path / "set", ["00000", "00001"], orientation=orientation)
    video = VOSDataset(root).train[0]
    assert video.size == (48, 80) and check_folder(root)[1] == []
    assert ((video.frame(1)[..., 0] > 150) == (video.mask(1) == 1)).mean() > 0.99


@pytest.mark.parametrize("size", [None, (24, 40)])
@pytest.mark.parametrize("mask", [SQUARE.T, SQUARE[:24, :40], np.zeros((49, 80), np.uint8)])
def test_a_mask_of_another_size_is_named(tmp_path, mask, size):
    PICTURE.save(tmp_path / "0.jpg")
    write_mask(tmp_path / "0.png", mask)
    video = Video("v", (tmp_path / "0.jpg",), (tmp_path / "0.png",), (VideoObject(1, None, 0, (0,)),))
    with pytest.raises(VosError, match=r"0\.png: is .*, its frame is 48x80"):
        video.mask(0, size)
