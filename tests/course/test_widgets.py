"""The explorer: its sliders are moved by program; pictures and captions must follow."""

import io

import numpy as np
import pytest
from PIL import Image

from vos.course.widgets import LARGEST, explorer, view
from vos.data import Video, VideoObject
from vos.files import VosError
from vos.masks import write_mask


def write_video(root, name, shape, count, objects, without=()):
    """A video on disk whose object k is a square that moves with t; frames in `without` have no mask."""
    rng = np.random.default_rng(len(name))
    frames, masks = [], []
    for t in range(count):
        frames.append(root / name / f"{5 * t:05d}.jpg")
        frames[-1].parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (*shape, 3), np.uint8)).save(frames[-1])
        ids = np.zeros(shape, np.uint8)
        for row, o in enumerate(objects):
            ids[10 * row : 10 * row + 10, t : t + 10] = o.id if t >= o.first else 0
        masks.append(None if t in without else frames[-1].with_suffix(".png"))
        if masks[-1]:
            write_mask(masks[-1], ids)
    return Video(name, tuple(frames), tuple(masks), tuple(objects))


@pytest.fixture
def videos(tmp_path):
    two = [VideoObject(2, "tiger", 0, (0, 1, 2, 3)), VideoObject(7, "bird <b>", 2, (2, 3))]
    return [
        write_video(tmp_path, "ant & bee", (40, 60), 4, two, without=(1,)),
        write_video(tmp_path, "portrait", (90, 50), 2, [VideoObject(1, None, 0, (0, 1))]),
    ]


def controls(box):
    (video, chosen), (play, frame, strength) = box.children[0].children, box.children[1].children
    return video, chosen, play, frame, strength, *box.children[2:]


def test_explorer_starts_with_a_picture_and_a_caption(videos):
    video, chosen, play, frame, _, picture, caption = controls(explorer(videos))
    assert [name for name, _ in video.options] == ["ant & bee", "portrait"]
    assert [name for name, _ in chosen.options] == ["all objects", "2: tiger", "7: bird <b>"]
    assert (frame.min, frame.max, play.max) == (0, 3, 3)
    assert Image.open(io.BytesIO(picture.value)).size == (60, 40)
    assert "<b>ant &amp; bee</b>, frame 00000 (1 of 4)" in caption.value
    assert "2 tiger, 4.2 %" in caption.value  # 100 of 2400 pixels
    assert "7 bird &lt;b&gt;, not in this frame" in caption.value


def test_every_control_changes_the_picture(videos):
    _, chosen, _, frame, strength, picture, caption = controls(explorer(videos))
    seen = {picture.value}
    for control, value in ((frame, 2), (chosen, 7), (strength, 0.0), (strength, 1.0), (chosen, 0)):
        control.value = value
        assert picture.value not in seen, (control.description, value)
        seen.add(picture.value)
    assert "frame 00010 (3 of 4)" in caption.value and "7 bird &lt;b&gt;, 4.2 %" in caption.value


def test_one_object_hides_the_others(videos):
    _, chosen, _, _, _, _, caption = controls(explorer(videos))
    chosen.value = 7
    assert "tiger" not in caption.value and "7 bird" in caption.value
    painted, _ = view(videos[0], 0, chosen=7)
    np.testing.assert_array_equal(painted, videos[0].frame(0))


def test_frame_without_annotation_says_so(videos):
    _, _, _, frame, _, picture, caption = controls(explorer(videos))
    frame.value = 1
    assert caption.value.endswith("not annotated")
    np.testing.assert_array_equal(view(videos[0], 1)[0], videos[0].frame(1))
    assert picture.value


def test_changing_to_a_shorter_video_starts_it_anew(videos):
    video, chosen, play, frame, _, picture, caption = controls(explorer(videos))
    frame.value, chosen.value = 3, 7
    video.value = 1
    assert (frame.value, frame.max, play.value, play.max, chosen.value) == (0, 1, 0, 1, 0)
    assert Image.open(io.BytesIO(picture.value)).size == (50, 90)
    assert [name for name, _ in chosen.options] == ["all objects", "object 1"]
    assert "portrait" in caption.value and "1, 2.2 %" in caption.value
    video.value = 0
    assert frame.max == 3 and "ant" in caption.value


def test_large_frames_are_sent_small_with_exact_areas(tmp_path):
    video = write_video(tmp_path, "large", (100, 1600), 1, [VideoObject(3, "fish", 0, (0,))])
    painted, caption = view(video, 0)
    assert painted.shape == (45, LARGEST, 3)
    assert f"3 fish, {100 * 100 / 160000:.1f} %" in caption


def test_no_videos_is_an_error():
    with pytest.raises(ValueError, match="at least one video"):
        explorer([])


def test_a_mask_of_another_size_is_named(videos):
    video = videos[1]
    write_mask(video.mask_paths[1], np.ones((48, 80), np.uint8))
    _, _, _, frame, *_ = controls(explorer([video]))
    with pytest.raises(VosError, match=r"00005\.png: is 48x80, its frame is 90x50"):
        frame.value = 1
    with pytest.raises(VosError, match=r"00005\.png"):
        view(video, 1)
