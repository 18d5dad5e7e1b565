"""The explorer and the threshold slider: moved by program; pictures, captions and scores must follow."""

import io
import re
import time

import numpy as np
import pytest
import torch
from PIL import Image

from vos.course.widgets import LARGEST, explorer, threshold_slider, threshold_view, view
from vos.data import Video, VideoObject
from vos.files import VosError
from vos.inference import best_threshold
from vos.masks import write_mask
from vos.metrics import contour_accuracy, region_similarity


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


def said_of(video):
    """What a model says that is sure of half of each object, and of something beside it half as sure."""
    frames = []
    for t in range(len(video)):
        ids = [item.id for item in video.objects if item.first < t]
        p = torch.full((len(ids), *video.size), 0.01)
        for k, number in enumerate(ids):
            row = 10 * [item.id for item in video.objects].index(number)
            p[k, row : row + 10, t : t + 5], p[k, row : row + 10, t + 5 : t + 10] = 0.9, 0.45
            p[k, row : row + 10, t + 10 : t + 20] = 0.25
        frames.append((ids, p))
    return frames


def slider_controls(box):
    (threshold, video), frame, picture, caption = box.children[0].children, *box.children[1:]
    return threshold, video, frame, picture, caption


def rows(caption):
    """The table below the picture: the numbers of each row by its name."""
    found = re.findall(r"<tr>(.*?)</tr>", caption)
    cells = [[re.sub("<.*?>", "", cell) for cell in re.findall(r"<td.*?>(.*?)</td>", row)] for row in found]
    return {name: numbers for name, *numbers in cells}


def test_the_threshold_slider_scores_the_mask_that_it_shows(videos):
    kept = {video.name: said_of(video) for video in videos}
    threshold, _, frame, picture, caption = slider_controls(threshold_slider(videos, kept))
    assert Image.open(io.BytesIO(picture.value)).size == (120, 40)  # the mask beside the truth
    assert (threshold.value, frame.value) == (0.5, 1)
    assert "no annotation" in caption.value
    frame.value = 3
    seen, truth = set(), videos[0].mask(3)
    for value, width in ((0.2, 20), (0.3, 10), (0.6, 5), (0.94, 0)):
        threshold.value = value
        assert picture.value not in seen
        seen.add(picture.value)
        found = rows(caption.value)
        for row, number in enumerate((2, 7)):
            mask = np.zeros(videos[0].size, bool)
            mask[10 * row : 10 * row + 10, 3 : 3 + width] = True
            right = [f"{score(mask, truth == number):.3f}" for score in (region_similarity, contour_accuracy)]
            best = best_threshold(said_of(videos[0])[3][1][row].numpy())
            assert found[f"object {number}"] == [*right, f"{best:.2f}"]
        assert float(found["mean"][0]) == pytest.approx(min(width / 10, 10 / max(width, 1)), abs=1e-3)


def test_the_threshold_slider_leaves_out_what_has_not_been_given(videos):
    kept = {video.name: said_of(video) for video in videos}
    _, video, frame, picture, caption = slider_controls(threshold_slider(videos, kept))
    frame.value = 2
    assert rows(caption.value).keys() == {"ant &amp; bee, frame 00010", "object 2"}  # a mean of one is no news
    frame.value = 0
    assert "no object has been given before it" in caption.value
    frame.value, video.value = 3, 1
    assert frame.max == 1 and "portrait" in caption.value and "object 1" in rows(caption.value)
    assert Image.open(io.BytesIO(picture.value)).size == (100, 90)
    with pytest.raises(ValueError, match="at least one video"):
        threshold_slider([], {})


def test_an_object_out_of_sight_is_called_so(videos):
    write_mask(videos[1].mask_paths[1], np.zeros((90, 50), np.uint8))
    _, text = threshold_view(videos[1], 1, said_of(videos[1])[1], 0.95)
    assert rows(text)["object 1, out of sight"][:2] == ["1.000", "1.000"]


def test_a_frame_is_scored_in_a_tenth_of_a_second(tmp_path):
    objects = [VideoObject(k, None, 0, (0, 1)) for k in (1, 2, 3)]
    video, seconds = write_video(tmp_path, "of the course", (256, 448), 2, objects), []
    p = torch.full((3, 64, 112), 0.1)
    p[0, :30, :50], p[1, 20:50, 60:], p[2, 40:, 10:70] = 0.8, 0.7, 0.6
    for _ in range(5):
        began = time.process_time()  # of this process, whatever else the machine does
        threshold_view(video, 1, ([1, 2, 3], p), 0.5)
        seconds.append(time.process_time() - began)
    assert min(seconds) < 0.1
