"""Looking inside the networks: rules that choose clips, pictures of gates, and the two widgets, moved by program."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from vos.course import inside
from vos.data import Video, VideoObject
from vos.masks import write_mask

SIZE = (32, 56)  # of a network, in pixels; a video has twice as many along each axis
NAMES = ("input gate", "forget gate", "output gate", "candidate", "cell state", "hidden state")


def write_video(root, name, masks):
    """A video on disk of grey frames with one object, from its masks, bool (T, H, W)."""
    frames = [root / name / f"{t:05d}.jpg" for t in range(len(masks))]
    frames[0].parent.mkdir()
    for path, mask in zip(frames, masks, strict=True):
        Image.fromarray(np.full((*mask.shape, 3), 128, np.uint8)).save(path)
        write_mask(path.with_suffix(".png"), mask.astype(np.uint8))
    paths = tuple(path.with_suffix(".png") for path in frames)
    return Video(name, tuple(frames), paths, (VideoObject(1, None, 0, tuple(range(len(masks)))),))


def box(top, left, high, wide, size=(64, 112)):
    """A mask (H, W) with one filled rectangle."""
    mask = np.zeros(size, bool)
    mask[top : top + high, left : left + wide] = True
    return mask


@pytest.fixture
def videos(tmp_path):
    """Three objects: one stays, one moves, one is tiny and moves most; the first has a tail."""
    tailed = box(10, 10, 30, 40) | box(20, 50, 2, 30)
    return [
        write_video(tmp_path, "stays", np.stack([tailed] * 4)),
        write_video(tmp_path, "moves", np.stack([box(10, 10 + 8 * t, 30, 40) for t in range(4)])),
        write_video(tmp_path, "tiny", np.stack([box(10, 10 + 20 * t, 8, 8) for t in range(4)])),
    ]


def maps_of(T=5, C=3, seed=0):
    """Made-up values of each gate and state, (T-1, C, 8, 14)."""
    random = torch.Generator().manual_seed(seed)
    values = [torch.randn(T - 1, C, 8, 14, generator=random) for _ in NAMES]
    return {name: v.sigmoid() if name in inside.GATES else 3 * v for name, v in zip(NAMES, values, strict=True)}


def clip_of(T=5):
    """Frames and masks of a square that moves, at SIZE."""
    masks = np.stack([box(8, 4 + 6 * t, 12, 12, SIZE) for t in range(T)])
    return np.random.default_rng(0).integers(0, 256, (T, *SIZE, 3), np.uint8), masks


def test_the_moving_object_is_not_tiny(videos):
    assert inside.moving_object(videos, SIZE)[0].name == "moves"
    assert inside.moving_object(videos[::2], SIZE)[0].name == "stays"  # the tiny one moves more
    assert inside.moving_object(videos[2:], SIZE)[0].name == "tiny"  # where all are tiny, one of them


def test_a_clip_is_every_annotated_frame_or_every_fifth(tmp_path):
    video = write_video(tmp_path, "long", np.stack([box(0, t, 9, 9) for t in range(26)]))
    assert inside.clip_indices(video, 5) == (0, 5, 10, 15, 20, 25)
    assert inside.clip_indices(video, 7) == tuple(range(20))  # too short to leave any out
    frames, masks = inside.load_clip(video, video.objects[0], SIZE, stride=5, most=3)
    assert frames.shape == (3, *SIZE, 3) and masks.shape == (3, *SIZE) and masks.dtype == bool
    np.testing.assert_array_equal(masks[1], video.mask(5, SIZE) == 1)


def test_thin_parts_are_what_no_disk_fits_into():
    mask = box(10, 10, 30, 40) | box(20, 50, 2, 30)
    thin = inside.thin_parts(mask, 2)
    assert thin[20:22, 53:80].all()  # the tail, but for what a disk in the body reaches
    assert not thin[10:40, 13:47].any() and not (thin & ~mask).any()
    assert not inside.thin_parts(box(0, 0, 64, 112), 2)[2:-2, 2:-2].any()  # the border of the picture is no hole
    assert inside.thin_parts(box(5, 5, 3, 9), 2).sum() == 27  # all of it is thin


def test_the_thin_object_has_the_largest_share_of_thin_parts(videos):
    assert inside.pixel_width(videos[0], SIZE) == 2
    assert inside.thin_object(videos, SIZE)[0].name == "stays"
    assert inside.thin_object(videos[1:], SIZE)[0].name == "moves"  # the other covers too little


def test_mistakes_are_told_apart():
    truth, predicted = box(0, 0, 12, 20), box(0, 10, 12, 20)
    picture = inside.mistakes(predicted, truth)
    assert {*map(tuple, picture[truth & predicted])} == {(190, 190, 190)}
    assert {*map(tuple, picture[predicted & ~truth])} == {(0, 114, 178)}
    assert {*map(tuple, picture[truth & ~predicted])} == {(213, 94, 0), (245, 190, 140)}  # two colours: stripes
    assert (picture[~(truth | predicted)] == 255).all()
    assert inside.cut_out(picture, box(20, 30, 10, 40)).shape == (10 + 2 * 4, 40 + 2 * 4, 3)
    assert inside.cut_out(picture, box(0, 0, 64, 112)).shape == picture.shape


def test_rows_of_the_state_say_what_they_show():
    frames, masks = clip_of()
    maps = maps_of()
    channels = {name: k % 3 for k, name in enumerate(NAMES)}
    figure = inside.state_rows(frames, masks, maps, channels, [1, 3])
    axes = figure.axes[: 2 * 7]
    assert [a.get_ylabel().replace("\n", " ") for a in axes[::2]] == [
        "frame and truth",
        *(f"{name} channel {channels[name]}" for name in NAMES),
    ]
    np.testing.assert_array_equal(axes[3].images[0].get_array(), maps["input gate"][2, 0])  # t = 3 of 1 .. 4
    ranges = [axes[2 * k].images[0].get_clim() for k in range(1, 7)]
    assert ranges[:3] == [(0, 1)] * 3
    largest = float(maps["cell state"][:, channels["cell state"]].abs().max())
    assert ranges[4] == pytest.approx((-largest, largest))


def test_every_slider_of_the_state_changes_picture_and_words():
    frames, masks = clip_of()
    maps = maps_of()
    map_slider, channel, frame, picture, caption = inside.state_explorer(frames, masks, maps, channel=2).children
    assert map_slider.options == NAMES and (channel.max, frame.min, frame.max) == (2, 1, 4)
    assert caption.value.startswith("<b>input gate</b>, channel 2, frame 1 of 4: ")
    assert "black 0, shut; white 1, open" in caption.value
    seen = {picture.value}
    for control, value in ((frame, 3), (channel, 0), (map_slider, "cell state"), (frame, 4)):
        control.value = value
        assert picture.value not in seen, control.description
        seen.add(picture.value)
    values = maps["cell state"][3, 0].numpy()
    assert f"values from {values.min():.2f} to {values.max():.2f}" in caption.value
    limit = maps["cell state"][:, 0].abs().max()
    assert f"blue -{limit:.2f}, white 0, red {limit:.2f}" in caption.value
    assert Image.open(io.BytesIO(picture.value)).height == inside.WIDEST * SIZE[0] // SIZE[1]


def test_the_mean_on_the_object_is_in_the_words():
    mask = box(0, 0, 32, 28, SIZE)  # the left half of an 8 x 14 grid
    values = np.zeros((8, 14), np.float32)
    values[:, :7] = 0.75
    assert inside.in_words(mask, values, False, 1.0).endswith("0.75 on average on the object, 0.00 elsewhere")
    assert "object out of sight, 0.38 elsewhere" in inside.in_words(mask & False, values, False, 1.0)
    assert inside.in_words(mask | True, values, False, 1.0).endswith("0.38 on average on the object")


def test_the_masks_are_made_with_the_chosen_h_video():
    frames, truth = clip_of()
    clips = {"one": (frames, truth), "two": (frames[:3], truth[:3])}
    own = {"one": torch.tensor(1.0), "two": torch.tensor(2.0)}
    asked = []

    def predict(name, h_video):
        """The truth with its own h_video, else the mask of the frame before."""
        asked.append((name, h_video.item()))
        true = clips[name][1]
        return (true[1:] if h_video == own[name] else true[:-1])[None]

    choices, frame, picture, caption = inside.swap_explorer(clips, {"zeros": torch.tensor(0.0)}, own, predict).children
    video, source = choices.children
    assert [label for label, _ in source.options] == ["its own", "zeros", "of one", "of two"]
    assert "Frame 1 of 4: J 1.00" in caption.value and asked == [("one", 1.0)]
    before = picture.value
    source.value = "zeros"
    J = 6 * 12 / (18 * 12)
    assert f"J {J:.2f}. " in caption.value and f"<b>J {J:.2f}</b>, with its own h_video 1.00" in caption.value
    assert picture.value != before and asked == [("one", 1.0), ("one", 0.0)]
    frame.value = 4
    assert len(asked) == 2  # another frame wants no other prediction
    video.value = "two"
    assert (frame.max, frame.value) == (2, 2) and "Frame 2 of 2" in caption.value
    assert asked[2:] == [("two", 0.0), ("two", 2.0)]
    source.value = "one"
    assert asked[-1] == ("two", 1.0)
