"""Video files: every frame once, as a player shows it; what is written plays; masks are those of `segment`."""

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch
from helpers.clips import SIZE, encode, scene, scenes, square
from PIL import Image

from vos.config import InferenceConfig, ModelConfig
from vos.data import Video, VideoObject
from vos.files import VosError
from vos.inference import segment
from vos.masks import overlay, write_mask
from vos.networks import build
from vos.video import (
    VideoWarning,
    read_video,
    segment_frames,
    timed_frames,
    video_info,
    video_writer,
    write_overlay,
)
from vos.video.pictures import EvenSample, painted

pytestmark = pytest.mark.slow  # all of it is for the whole suite

pytest.importorskip("av")
COUNT = 20


def near(frame, row, column, color, within=6):
    assert np.abs(frame[row, column].astype(int) - color).max() <= within, frame[row, column]


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.mp4", "libx264", "yuv420p"),
        ("a.mov", "libx264", "yuv422p"),
        ("a.mkv", "libx265", "yuv420p"),
        ("ten bits.mp4", "libx265", "yuv420p10le"),
        ("a.webm", "libvpx-vp9", "yuv420p"),
        ("a.avi", "mpeg4", "yuv420p"),
        ("a.ts", "libx264", "yuv420p"),
        ("full.mp4", "libx264", "yuvj420p"),
        ("a.gif", "gif", "rgb8"),
    ],
)
def test_every_container_and_codec(tmp_path, name, codec, pixels):
    path = encode(tmp_path / name, scenes(COUNT), codec, pixels=pixels, full=pixels == "yuvj420p")
    info = video_info(path)
    assert info.size == SIZE and info.fps == pytest.approx(25, abs=0.1)
    assert info.frames == pytest.approx(COUNT, abs=1) and info.seconds == pytest.approx(COUNT / 25, abs=0.1)
    frames = list(read_video(path))
    assert len(frames) == COUNT and all(f.dtype == np.uint8 and f.shape == (*SIZE, 3) for f in frames)
    for t, frame in enumerate(frames):
        assert np.abs(np.subtract(square(frame), square(scene(t)[0]))).max() <= 1, t
        near(frame, 35, 23 + 4 * t, (230, 40, 40), {"a.gif": 50, "a.avi": 15}.get(name, 6))


@pytest.mark.parametrize(
    ("turn", "size", "where"),
    [
        ((0,), (96, 160), (20, 49, 8, 37)),
        ((90,), (160, 96), (122, 151, 20, 49)),
        ((180,), (96, 160), (46, 75, 122, 151)),
        ((270,), (160, 96), (8, 37, 46, 75)),
        ((0, True), (96, 160), (20, 49, 122, 151)),
        ((0, False, True), (96, 160), (46, 75, 8, 37)),
        ((90, True), (160, 96), (122, 151, 46, 75)),
    ],
)
def test_a_phone_held_any_way(tmp_path, turn, size, where):
    path = encode(tmp_path / "a.mp4", scenes(3), turn=turn)
    assert video_info(path).size == size
    frame = next(read_video(path))
    assert frame.shape[:2] == size and frame.flags.c_contiguous
    assert np.abs(np.subtract(square(frame), where)).max() <= 1


@pytest.mark.parametrize(("size", "shown"), [((97, 161), (97, 161)), ((96, 159), (96, 159)), ((2, 2), (2, 2))])
def test_odd_sizes(tmp_path, size, shown):
    path = encode(tmp_path / "a.mp4", [np.full((*size, 3), 90, np.uint8)] * 2, pixels="yuv444p")
    assert video_info(path).size == shown and next(read_video(path)).shape == (*shown, 3)


def test_pixels_that_are_no_squares(tmp_path):
    path = encode(tmp_path / "a.mp4", scenes(2), aspect=Fraction(2, 1))
    assert video_info(path).size == (96, 320)
    assert np.abs(np.subtract(square(next(read_video(path))), (20, 49, 16, 75))).max() <= 2
    path = encode(tmp_path / "b.mp4", scenes(2), aspect=Fraction(2, 1), turn=(90,))
    assert video_info(path).size == (320, 96) and next(read_video(path)).shape == (320, 96, 3)


@pytest.mark.parametrize(
    ("space", "tags"),
    [
        ("ITU709", {"colorspace": 1, "color_range": 1}),
        ("ITU601", {"colorspace": 6, "color_range": 1}),
        ("ITU601", {}),  # a small picture that does not say
    ],
)
@pytest.mark.parametrize("color", [(230, 40, 40), (20, 200, 60), (30, 60, 220), (250, 250, 250), (5, 5, 5)])
def test_colors(tmp_path, space, tags, color):
    path = encode(tmp_path / "a.mp4", [np.full((*SIZE, 3), color, np.uint8)] * 2, space=space, tags=tags)
    near(next(read_video(path)), 40, 40, color, 5)


def test_a_large_picture_that_does_not_say_its_colors(tmp_path):
    path = encode(tmp_path / "a.mp4", [np.full((720, 320, 3), (20, 200, 60), np.uint8)] * 2, space="ITU709")
    near(next(read_video(path)), 40, 40, (20, 200, 60), 5)


def test_variable_frame_rate(tmp_path):
    times = [0, 33, 67, 100, 500, 533, 1400, 1433, 1466, 3000]
    path = encode(tmp_path / "a.mp4", scenes(len(times)), times=times)
    found = list(timed_frames(path))
    assert [round(1000 * second) for second, _ in found] == pytest.approx(times, abs=1)
    assert all(np.abs(np.subtract(square(f), square(scene(t)[0]))).max() <= 1 for t, (_, f) in enumerate(found))
    masks = [scene(t)[1] for t in range(len(times))]
    write_overlay(tmp_path / "o.mp4", (f for _, f in found), masks, (second for second, _ in found))
    assert [round(1000 * second) for second, _ in timed_frames(tmp_path / "o.mp4")] == pytest.approx(times, abs=1)


@pytest.mark.parametrize("name", ["a.mp4", "a.ts", "a.webm", "a.avi"])
@pytest.mark.parametrize("start", [0.04, 0.4, 0.43, 1.17, 1.56])
def test_a_start_is_exact(tmp_path, name, start):
    codec = {"webm": "libvpx-vp9", "avi": "mpeg4"}.get(name[2:], "libx264")
    path = encode(tmp_path / name, scenes(40), codec)
    everything = list(timed_frames(path))
    found = list(timed_frames(path, start=start))
    wanted = [pair for pair in everything if pair[0] >= start - 1e-6]
    assert [round(t, 3) for t, _ in found] == [round(t, 3) for t, _ in wanted]
    assert all((a == b).all() for (_, a), (_, b) in zip(found, wanted, strict=True))


def test_every_end_and_size(tmp_path):
    path = encode(tmp_path / "a.mp4", scenes(25))
    seconds = [round(second, 2) for second, _ in timed_frames(path, every=3, start=0.2, end=0.6)]
    assert seconds == [0.2, 0.32, 0.44, 0.56]
    assert next(read_video(path, size=48)).shape == (48, 80, 3)
    assert next(read_video(path, size=500)).shape == (*SIZE, 3)
    assert len(list(read_video(path, every=1000))) == 1


def test_sound_beside_it_and_one_frame_only(tmp_path):
    assert len(list(read_video(encode(tmp_path / "a.mp4", scenes(5), sound=True)))) == 5
    path = encode(tmp_path / "b.mp4", scenes(1))
    assert len(list(read_video(path))) == 1 and video_info(path).frames == 1


def test_a_file_that_was_cut_off_is_read_as_far_as_it_goes(tmp_path):
    write_overlay(tmp_path / "a.mp4", scenes(200), (scene(t % 30)[1] for t in range(200)), 25)
    data = (tmp_path / "a.mp4").read_bytes()  # its index is at the front
    (tmp_path / "b.mp4").write_bytes(data[: len(data) * 2 // 3])
    with pytest.warns(VideoWarning, match=r"b.mp4: is damaged or cut off"):
        frames = list(read_video(tmp_path / "b.mp4"))
    assert 20 < len(frames) < 199
    damaged = bytearray(data)
    damaged[len(data) // 2 : len(data) // 2 + 300] = bytes(300)
    (tmp_path / "c.mp4").write_bytes(damaged)
    with pytest.warns(VideoWarning, match=r"c.mp4: is damaged"):
        assert len(list(read_video(tmp_path / "c.mp4"))) > 100


def only_sound(path):
    import wave

    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(8000))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(bytes(500)), "cannot be read as video"),
        (lambda path: path.write_text("a line\n" * 50), "cannot be read as video"),
        (only_sound, "holds no video .only audio"),
        (lambda path: path.write_bytes(encode(path.parent / "x.mp4", scenes(9)).read_bytes()[:900]), "cannot be read"),
    ],
)
@pytest.mark.parametrize("name", ["clip.mp4", "clip.txt", "clip"])
def test_what_is_no_video_is_one_error_that_names_it(tmp_path, make, words, name):
    make(tmp_path / name)
    for read in (video_info, lambda path: list(read_video(path))):
        with pytest.raises(VosError, match=words) as error:
            read(tmp_path / name)
        assert str(tmp_path / name) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "words", [{"every": 0}, {"start": -1.0}, {"start": 2.0, "end": 1.0}, {"size": 0}, {"start": 9}]
)
def test_a_range_that_is_none(tmp_path, words):
    path = encode(tmp_path / "a.mp4", scenes(5))
    with pytest.raises(VosError):
        list(read_video(path, **words))


@pytest.mark.slow
def test_without_pyav_it_says_how_to_get_it(tmp_path):
    script = (
        "import sys; sys.modules['av'] = None\nfrom vos.video import read_video\n"
        "from vos.files import VosError\ntry: next(read_video('a.mp4'))\nexcept VosError as e: print(e)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "reading video needs PyAV: pip install 'vos[video]'" in done.stdout


@pytest.mark.parametrize("size", [(96, 160), (97, 161), (1, 1), (3, 301)])
def test_an_overlay_plays_in_a_browser(tmp_path, size):
    import av

    frames = [np.full((*size, 3), (20, 200, 60), np.uint8)] * 3
    write_overlay(tmp_path / "o.mp4", frames, [np.zeros(size, np.uint8)] * 3, 10)
    with av.open(str(tmp_path / "o.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264" and stream.pix_fmt == "yuv420p"
        assert stream.width == size[1] + size[1] % 2 and stream.height == size[0] + size[0] % 2
        assert stream.codec_context.colorspace == stream.codec_context.color_primaries == 1
        assert stream.codec_context.color_range == 1
    data = (tmp_path / "o.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert [round(t, 2) for t, _ in timed_frames(tmp_path / "o.mp4")] == [0, 0.1, 0.2]
    near(next(read_video(tmp_path / "o.mp4")), 0, 0, (20, 200, 60), 6)
    assert [path.name for path in tmp_path.iterdir()] == ["o.mp4"]


@pytest.mark.parametrize(("error", "left"), [(KeyboardInterrupt, True), (VosError, False), (ZeroDivisionError, False)])
def test_a_writer_leaves_a_whole_file_or_none(tmp_path, error, left):
    def write_seven_and_stop():
        with video_writer(tmp_path / "o.mp4") as write:
            for index, frame in enumerate(scenes(7)):
                write(frame, index / 25)
            raise error

    with pytest.raises(error):
        write_seven_and_stop()
    assert [path.name for path in tmp_path.iterdir()] == (["o.mp4"] if left else [])
    if left:
        assert len(list(read_video(tmp_path / "o.mp4"))) == 7


@pytest.mark.parametrize("name", ["base", "updated", "attention"])
@pytest.mark.parametrize("start", [0, 4])
def test_masks_are_those_of_segment(tmp_path, name, start):
    torch.manual_seed(0)
    config = ModelConfig((16, 32), ((6,), (8,)), 5, (6, 4), batch_norm=True, video_state_channels=3)
    model = build(name, config)
    frames = np.random.default_rng(0).integers(0, 255, (19, 40, 60, 3), dtype=np.uint8)
    ids = np.zeros((40, 60), np.uint8)
    ids[6:22, 4:20], ids[20:30, 30:50] = 2, 7
    paths = tuple(tmp_path / f"{t:02d}.png" for t in range(len(frames)))
    for path, frame in zip(paths, frames, strict=True):
        Image.fromarray(frame).save(path)
    write_mask(tmp_path / "mask.png", ids)
    masks = tuple(tmp_path / "mask.png" if t == start else None for t in range(len(frames)))
    every = tuple(range(start, len(frames)))
    video = Video("v", paths, masks, tuple(VideoObject(i, None, start, every) for i in (2, 7)))
    for inference in (InferenceConfig(), InferenceConfig(mirror=False, threshold=0.5)):
        wanted = list(segment(model, video, inference))
        found = list(segment_frames(model, lambda: iter(frames), ids, inference, start))
        assert len(found) == len(wanted) and all((a == b).all() for a, b in zip(found, wanted, strict=True))
        assert not any(f.any() for f in found[:start]) and (found[start] == ids).all()
    with pytest.raises(VosError, match="only 19 frames"):
        list(segment_frames(model, lambda: iter(frames), ids, start=19))


def test_painting_a_box_is_painting_all(tmp_path):
    rng = np.random.default_rng(0)
    for _ in range(50):
        frame = rng.integers(0, 255, (30, 40, 3), dtype=np.uint8)
        ids = np.zeros((30, 40), np.uint8)
        y, x = rng.integers(0, 30), rng.integers(0, 40)
        ids[y : y + rng.integers(1, 20), x : x + rng.integers(1, 20)] = rng.choice([1, 2, 255])
        assert (painted(frame, ids) == overlay(frame, ids)).all()


@pytest.mark.parametrize("most", [1, 2, 5, 6, 24])
@pytest.mark.parametrize("count", [1, 5, 24, 25, 1000])
def test_an_even_sample(most, count):
    sample = EvenSample(most)
    for index in range(count):
        sample.offer(lambda index=index: index)
    assert sample.kept == list(range(0, count, sample.step)) and 0 < len(sample.kept) <= most


@pytest.mark.parametrize("masks", [2, 4])
def test_frames_without_a_mask_are_not_left_out_in_silence(tmp_path, masks):
    with pytest.raises(ValueError, match="zip"):
        write_overlay(tmp_path / "o.mp4", scenes(3), [np.zeros(SIZE, np.uint8)] * masks, fps=25)
    assert not list(tmp_path.iterdir())
