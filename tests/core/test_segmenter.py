"""Frames in memory: a Segmenter follows objects frame by frame, as `segment` follows those of a video in files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vos.config import PRESETS, REPORT_INFERENCE, InferenceConfig, ModelConfig
from vos.data import Video, VideoObject, normalize_frames, read_frame
from vos.engine.checkpoints import load_checkpoint
from vos.inference import Segmenter, merge_objects, object_probabilities, segment, upsample_probabilities
from vos.masks import VOID, object_ids, write_mask
from vos.networks import build

ROOT = Path(__file__).parents[2]
SMALL = ModelConfig((16, 32), ((6,), (8,)), 5, (6, 4), batch_norm=True, video_state_channels=3)
SIZE = (40, 60)
LATE = 3  # the frame in which the second object enters

CONFIGS = pytest.mark.parametrize("config", [InferenceConfig(), REPORT_INFERENCE], ids=["course", "report"])
MODELS = pytest.mark.parametrize("name", ["base", "updated", "attention"])


def new_model(name, config=SMALL):
    torch.manual_seed(0)
    return build(name, config)


@pytest.fixture(scope="module")
def frames():
    """Ten frames of noise; a red square moves right, and from frame 3 on a green one moves up."""
    pictures = np.random.default_rng(0).integers(0, 80, (10, *SIZE, 3), dtype=np.uint8)
    for t, picture in enumerate(pictures):
        picture[6:22, 4 + 3 * t : 20 + 3 * t] = (220, 30, 30)
        if t >= LATE:
            picture[40 - 2 * t : 40, 34:56] = (30, 200, 60)
    return list(pictures)


@pytest.fixture(scope="module")
def id_maps():
    """The first masks by frame: id 2 in frame 0, id 9 in frame 3."""
    first, late = np.zeros((2, *SIZE), np.uint8)
    first[6:22, 4:20] = 2
    late[34:40, 34:56] = 9
    return {0: first, LATE: late}


@pytest.fixture(scope="module")
def video(frames, id_maps, tmp_path_factory):
    """The same in files, as PNG, which changes no pixel."""
    folder, paths, masks = tmp_path_factory.mktemp("video"), [], []
    for t, frame in enumerate(frames):
        paths.append(folder / f"frame{t:02d}.png")
        Image.fromarray(frame).save(paths[-1])
        masks.append(folder / f"mask{t:02d}.png" if t in id_maps else None)
        if masks[-1]:
            write_mask(masks[-1], id_maps[t])
    objects = tuple(
        VideoObject(number, None, first, tuple(range(first, len(frames)))) for number, first in ((2, 0), (9, LATE))
    )
    return Video("square", tuple(paths), tuple(masks), objects)


def followed(segmenter, frames, id_maps):
    """The id map of every frame; objects begin where `id_maps` has one."""
    return [
        segmenter.start(frame, id_maps[t]) if t in id_maps else segmenter.step(frame) for t, frame in enumerate(frames)
    ]


def assert_alike(found, expected):
    """The same id maps, but for a pixel or two: frames encoded together may differ from one by one in the last bit."""
    assert len(found) == len(expected)
    for t, (one, other) in enumerate(zip(found, expected, strict=True)):
        assert (one != other).sum() <= 2, f"frame {t}"


def assert_id_map(found, ids):
    assert found.dtype == np.uint8 and found.shape == SIZE and set(np.unique(found)) <= {0, *ids}


@pytest.mark.parametrize("source", ["random base", "random updated", "committed base"])
def test_the_lines_of_the_readme(frames, id_maps, source):
    if source == "committed base":
        model, _ = load_checkpoint(ROOT / "data" / "checkpoints" / "base.pt")
    else:
        model = new_model(source.split()[1], PRESETS["course"])
    segmenter = Segmenter(model)
    first = segmenter.start(frames[0], id_maps[0])
    masks = [first, *(segmenter.step(frame) for frame in frames[1:3])]
    for found in masks:
        assert_id_map(found, [2])
    assert (first == id_maps[0]).all()
    if source == "committed base":  # which can follow a square
        truth = np.zeros(SIZE, bool)
        truth[6:22, 10:26] = True
        assert (truth & (masks[2] == 2)).sum() > 0.6 * (truth | (masks[2] == 2)).sum()


@MODELS
@CONFIGS
@pytest.mark.parametrize("chunk", [1, 8])
def test_frame_by_frame_is_the_video_in_files(frames, id_maps, video, name, config, chunk, monkeypatch):
    """Two objects, one of them late, over more frames than are encoded at once."""
    monkeypatch.setattr("vos.inference.CHUNK", chunk)
    model = new_model(name)
    segmenter = Segmenter(model, config)
    segmenter.watch(frames)
    found = followed(segmenter, frames, id_maps)
    expected = list(segment(model, video, config))
    assert_alike(found, expected)
    assert chunk > 1 or (np.stack(found) == np.stack(expected)).all()
    for t, ids in enumerate(found):
        assert_id_map(ids, [2, 9] if t >= LATE else [2])
    assert any(9 in one for one in found[LATE + 1 :]) and any(2 in one for one in found[LATE + 1 :])


@CONFIGS
def test_with_one_object_or_from_its_own_first_frame_on(frames, id_maps, video, config):
    """A video that begins where the late object enters is one whose frames before that were never seen."""
    model = new_model("base")
    found = followed(Segmenter(model, config), frames[LATE:], {0: id_maps[LATE]})
    late = replace(video, objects=video.objects[1:])
    assert_alike(found, list(segment(model, late, config))[LATE:])


@MODELS
def test_a_new_object_keeps_the_predictions_of_the_others(frames, id_maps, name):
    model = new_model(name)
    alone, both = Segmenter(model), Segmenter(model)
    for segmenter in (alone, both):
        followed(segmenter, frames[:LATE], {0: id_maps[0]})
    expected, found = alone.step(frames[LATE]), both.start(frames[LATE], id_maps[LATE])
    given = id_maps[LATE] > 0
    assert (found[given] == 9).all() and (found[~given] == expected[~given]).all()
    assert_id_map(both.step(frames[LATE + 1]), [2, 9])


@CONFIGS
def test_an_object_begins_anew_from_the_mask_it_is_given(frames, id_maps, config):
    """What was known of it is forgotten: from there on it is followed as in a video that begins there."""
    corrected = np.zeros(SIZE, np.uint8)
    corrected[6:22, 13:29] = 2
    model = new_model("base")
    once, fresh = Segmenter(model, config), Segmenter(model, config)
    once.start(frames[0], id_maps[0] + id_maps[LATE])  # both, so that one goes on
    for frame in frames[1:3]:
        once.step(frame)
    again = once.start(frames[3], corrected)
    assert (again[corrected > 0] == 2).all() and not (again[corrected == 0] == 2).all()
    assert once.ids == [9, 2]  # the one that goes on, then the new one
    fresh.start(frames[3], corrected)
    for t in (4, 5):
        found, expected = once.step(frames[t]), fresh.step(frames[t])
        assert ((found == 2) <= (expected == 2)).all()  # except where object 9 is more probable
        assert_id_map(found, [2, 9])


def test_the_state_of_an_object_that_begins_anew_is_new(frames, id_maps):
    model = new_model("base")
    once, fresh = (Segmenter(model, REPORT_INFERENCE) for _ in range(2))
    once.start(frames[0], id_maps[0])
    once.step(frames[1])
    once.start(frames[2], id_maps[0])
    fresh.start(frames[2], id_maps[0])
    assert once.ids == fresh.ids == [2]
    for one, other in zip(once.tracker.state, fresh.tracker.state, strict=True):
        torch.testing.assert_close(one, other)


def test_without_watching_h_video_is_that_of_the_frames_so_far(frames, id_maps):
    """Against the model's parts by hand: at frame t the video ConvLSTM has seen frames 0 to t."""
    model = new_model("updated").eval()
    found = followed(Segmenter(model, REPORT_INFERENCE), frames, {0: id_maps[0]})
    pictures = np.stack([Image.fromarray(frame).resize((32, 16), Image.Resampling.BILINEAR) for frame in frames])
    small = np.asarray(Image.fromarray(id_maps[0]).resize((32, 16), Image.Resampling.NEAREST)) == 2
    with torch.inference_mode():
        tensors, mask = normalize_frames(pictures)[None], torch.from_numpy(small).float()[None, None]
        encoded, state = model.encode(tensors), model.initialize(tensors[:, 0], mask)
        for t in range(1, len(frames)):
            h_video = model.video_representation(encoded[:, : t + 1])
            state = model.step(model.fuse(encoded[:, t : t + 1], h_video)[:, 0], state)
            probabilities = model.decode(state[0][:, None])[:, 0, 0].sigmoid()
            expected = merge_objects(upsample_probabilities(probabilities, SIZE), [2], 0.5)
            assert (found[t] == expected).mean() > 0.999, t
    watched = Segmenter(model, REPORT_INFERENCE)
    watched.watch(frames)
    assert (np.stack(followed(watched, frames, {0: id_maps[0]})) != np.stack(found)).any()


def test_the_base_model_needs_no_watching(frames, id_maps):
    segmenter = Segmenter(new_model("base"))
    segmenter.watch(frame for frame in ())  # nor does it look
    segmenter.watch(iter([None]))
    assert_id_map(segmenter.start(frames[0], id_maps[0]), [2])


def test_a_model_in_training_is_put_into_evaluation(frames, id_maps):
    model = new_model("updated").train()
    expected = Segmenter(new_model("updated").eval()).start(frames[0], id_maps[0])
    assert (Segmenter(model).start(frames[0], id_maps[0]) == expected).all() and not model.training


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int32, np.int64, np.uint16, np.uint32, np.uint64])
def test_ids_may_be_any_integers(frames, id_maps, kind):
    with_void = id_maps[0].astype(kind)
    with_void[:3] = VOID
    found = Segmenter(new_model("base")).start(frames[0], with_void)
    assert_id_map(found, [2])
    assert (found == id_maps[0]).all()  # nothing is predicted yet, and void is background


@MODELS
def test_an_object_without_a_pixel_is_not_followed_and_breaks_nothing(video, tmp_path, name):
    """Lists of real sets name objects in frames whose mask does not show them."""
    write_mask(tmp_path / "empty.png", np.zeros(SIZE, np.uint8))
    masks = tuple(tmp_path / "empty.png" if t == LATE else path for t, path in enumerate(video.mask_paths))
    model, unseen = new_model(name), replace(video, mask_paths=masks)
    alone = replace(video, objects=video.objects[:1])
    assert_alike(list(segment(model, unseen)), list(segment(model, alone)))
    assert all(9 not in ids for ids, _ in object_probabilities(model, unseen))


def ready():
    """A segmenter that has seen a frame."""
    segmenter, id_map = Segmenter(new_model("base")), np.zeros(SIZE, np.uint8)
    id_map[5:9, 5:9] = 1
    segmenter.start(np.zeros((*SIZE, 3), np.uint8), id_map)
    return segmenter


FRAME, IDS = np.zeros((*SIZE, 3), np.uint8), np.pad(np.ones((10, 10), np.uint8), ((5, 25), (5, 45)))

BAD_FRAMES = {
    "float": (FRAME / 255, r"frame must be .*uint8 \(H, W, 3\) RGB, not float64 \(40, 60, 3\)"),
    "grey": (FRAME[..., 0], r"not uint8 \(40, 60\)"),
    "RGBA": (np.zeros((*SIZE, 4), np.uint8), r"not uint8 \(40, 60, 4\)"),
    "channels first": (np.moveaxis(FRAME, -1, 0), r"not uint8 \(3, 40, 60\)"),
    "a batch": (FRAME[None], r"not uint8 \(1, 40, 60, 3\)"),
    "list": (FRAME.tolist(), r"must be a NumPy array .*, not list"),
    "tensor": (torch.from_numpy(FRAME), "must be a NumPy array .*, not Tensor"),
    "picture": (Image.fromarray(FRAME), "must be a NumPy array .*, not Image"),
    "nothing": (None, "must be a NumPy array .*, not NoneType"),
}
BAD_ID_MAPS = {
    "other size": (IDS[:, :-1], r"id map must be .* integers \(40, 60\), as its frame, not uint8 \(40, 59\)"),
    "turned": (IDS.T, r"integers \(40, 60\), as its frame, not uint8 \(60, 40\)"),
    "float": (IDS.astype(float), r"integers .*, not float64 \(40, 60\)"),
    "booleans": (IDS > 0, r"integers .*, not bool \(40, 60\)"),
    "colours": (np.repeat(IDS[..., None], 3, axis=2), r"not uint8 \(40, 60, 3\)"),
    "list": (IDS.tolist(), "must be a NumPy array of integers .*, not list"),
    "nothing": (None, "must be a NumPy array of integers .*, not NoneType"),
    "negative": (IDS.astype(int) - 2, "objects 1 to 254 .* -2 to -1"),
    "too large": (IDS.astype(int) * 300, "objects 1 to 254 .* 0 to 300"),
    "no object": (IDS * 0, "objects 1 to 254 .* 0 to 0"),
    "only void": (IDS * VOID, "objects 1 to 254 .* 0 to 255"),
}


def refused(words, function, *arguments):
    """It raises ValueError, in one line."""
    with pytest.raises(ValueError, match=words) as error:
        function(*arguments)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", BAD_FRAMES)
def test_what_is_no_frame_is_refused(name):
    frame, words = BAD_FRAMES[name]
    refused(words, Segmenter(new_model("base")).start, frame, IDS)
    refused(words, ready().step, frame)
    refused(words, Segmenter(new_model("updated")).watch, [frame])


@pytest.mark.parametrize("name", BAD_ID_MAPS)
def test_what_is_no_id_map_is_refused(name):
    id_map, words = BAD_ID_MAPS[name]
    refused(words, Segmenter(new_model("base")).start, FRAME, id_map)


def test_a_step_needs_a_start():
    refused(r"no object to follow: .*start\(frame, id_map\)", Segmenter(new_model("base")).step, FRAME)


def test_frames_of_a_video_have_one_size():
    narrow, ids = np.zeros((40, 59, 3), np.uint8), np.ones((40, 59), np.uint8)
    words = r"this frame is .*40.*59.* those before it .*40.*60"
    refused(words, ready().step, narrow)
    refused(words, ready().start, narrow, ids)
    refused(words, Segmenter(new_model("updated")).watch, [FRAME, narrow])
    watched = Segmenter(new_model("updated"))
    watched.watch([FRAME])
    refused(words, watched.start, narrow, ids)


def test_what_was_refused_leaves_no_trace(frames, id_maps):
    """A frame and an id map of different sizes: whichever of them was wrong, the next call may be right."""
    segmenter, fresh = Segmenter(new_model("base")), Segmenter(new_model("base"))
    refused("id map must be", segmenter.start, np.zeros((20, 30, 3), np.uint8), id_maps[0])
    refused("no object to follow", segmenter.step, np.zeros((20, 31, 3), np.uint8))
    found, expected = (followed(each, frames[:3], {0: id_maps[0]}) for each in (segmenter, fresh))
    assert (np.stack(found) == np.stack(expected)).all()
    refused("uint8", segmenter.step, frames[3] / 255)
    refused("objects 1 to 254", segmenter.start, frames[3], 0 * id_maps[0])
    assert (segmenter.step(frames[3]) == fresh.step(frames[3])).all()


def test_frames_and_files_are_stretched_alike(frames, video):
    """`segment` reads files at the model's size, a Segmenter stretches arrays: the same pixels, where no JPEG is."""
    small = np.asarray(Image.fromarray(frames[0]).resize((32, 16), Image.Resampling.BILINEAR))
    assert (read_frame(video.frame_paths[0], (16, 32)) == small).all()
    assert object_ids(video.given(0)) == [2]


@MODELS
def test_watching_comes_before_following(name, frames, id_maps):
    segmenter = Segmenter(new_model(name))
    segmenter.start(frames[0], id_maps[0])
    with pytest.raises(ValueError, match="watch"):
        segmenter.watch(frames)
