"""Inference over whole videos: late objects, native size, exactly the ids that exist, constant memory."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from vos.config import InferenceConfig, ModelConfig
from vos.course.report import predict_into
from vos.data import Video, VideoObject, VOSDataset, normalize_frames
from vos.inference import copy_first, empty, object_probabilities, segment
from vos.masks import object_ids, read_mask, write_mask
from vos.networks import build

ONE_VIEW = InferenceConfig(mirror=False)
SMALL = ModelConfig((16, 32), ((6,), (8,)), 5, (6, 4), batch_norm=True)
LITE = ModelConfig((32, 48), (), 5, (6, 4), batch_norm=False, patch=2, backbone="efficientnet-lite0", skips=True)
MODELS = [("base", SMALL), ("updated", SMALL), ("attention", SMALL), ("updated", LITE), ("attention", LITE)]


@pytest.fixture
def video(tmp_path):
    """Five frames of 40x60; id 2 from the start, id 9 from frame 2 on."""
    rng = np.random.default_rng(0)
    frames, masks = [], []
    for i in range(5):
        frames.append(tmp_path / f"{i:05d}.jpg")
        Image.fromarray(rng.integers(0, 255, (40, 60, 3), np.uint8)).save(frames[-1])
    first, late = np.zeros((40, 60), np.uint8), np.zeros((40, 60), np.uint8)
    first[5:20, 5:20], late[25:38, 30:55] = 2, 9
    for i, ids in ((0, first), (2, late)):
        write_mask(tmp_path / f"{i:05d}.png", ids)
    masks = (tmp_path / "00000.png", None, tmp_path / "00002.png", None, None)
    objects = (VideoObject(2, None, 0, (0, 1, 2, 3, 4)), VideoObject(9, None, 2, (2, 3, 4)))
    return Video("v", tuple(frames), masks, objects)


class Certain(torch.nn.Module):
    """A decoder that is always certain of an object, so that what inference does with it can be seen."""

    def __init__(self, size):
        super().__init__()
        self.size = size

    def forward(self, h, skips=()):
        return torch.full((h.shape[0], 1, *self.size), 9.0)


@pytest.mark.parametrize(("name", "config"), MODELS)
def test_late_objects_start_late_and_leave_the_others_alone(video, name, config):
    torch.manual_seed(0)
    model = build(name, config).eval()
    model.decoder = Certain(config.size)
    out = list(segment(model, video))
    assert [ids.shape for ids in out] == [(40, 60)] * 5
    assert (out[0] == video.mask(0)).all()
    assert object_ids(out[1]) == [2]
    given = video.given(2)
    assert (out[2][given > 0] == 9).all() and (out[2][given == 0] == 2).all()  # 2's prediction is kept elsewhere
    assert all(set(object_ids(ids)) <= {2, 9} for ids in out)


@pytest.mark.parametrize(("name", "config"), MODELS)
def test_each_object_is_followed_as_if_alone(video, name, config):
    """Objects share frames, not state: object 9's probabilities do not depend on object 2 being there."""
    torch.manual_seed(0)
    model = build(name, config).eval()
    both = [maps[-1] for ids, maps in object_probabilities(model, video, ONE_VIEW) if ids == [2, 9]]
    late = replace(video, objects=video.objects[1:])
    alone = [maps for ids, maps in object_probabilities(model, late, ONE_VIEW) if ids]
    assert len(both) == len(alone) == 2
    for a, b in zip(both, alone, strict=True):
        torch.testing.assert_close(a, b[0], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize(("name", "config"), MODELS)
def test_inference_is_the_models_forward(video, name, config, mirror, monkeypatch):
    """State carried over the whole video, never restarted between chunks; frames and masks as in training.

    With the mirror, the mean of that and of what the model says of the mirror image, mirrored back.
    """
    monkeypatch.setattr("vos.inference.CHUNK", 2)
    torch.manual_seed(0)
    model = build(name, config).eval()
    one = replace(video, objects=video.objects[:1])
    how = InferenceConfig(mirror=mirror)
    stepwise = [maps[0] for ids, maps in object_probabilities(model, one, how) if ids]
    frames = normalize_frames(np.stack([one.frame(i, config.size) for i in range(5)]))[None]
    mask = torch.from_numpy(one.mask(0, config.size) == 2).float()[None, None]
    with torch.inference_mode():
        expected = model(frames, mask).sigmoid()
        if mirror:
            expected = (expected + model(frames.flip(-1), mask.flip(-1)).sigmoid().flip(-1)) / 2
    torch.testing.assert_close(torch.stack(stepwise), expected[0, :, 0], atol=1e-5, rtol=1e-4)


def test_left_and_right_are_alike(video, tmp_path):
    """With the mean over both views, the mirrored video gets the mirrored masks; with one view it does not."""
    torch.manual_seed(0)
    model = build("base", SMALL).eval()
    frames, masks = [], []
    for i in range(5):
        frames.append(tmp_path / f"{i}.png")
        Image.fromarray(video.frame(i)[:, ::-1].copy()).save(frames[-1])
        masks.append(tmp_path / f"mask{i}.png" if video.mask_paths[i] else None)
        if masks[-1]:
            write_mask(masks[-1], video.mask(i)[:, ::-1].copy())
    turned = replace(video, frame_paths=tuple(frames), mask_paths=tuple(masks))

    def share_alike(mirror):
        config = InferenceConfig(threshold=0.5, mirror=mirror)
        pairs = zip(segment(model, video, config), segment(model, turned, config), strict=True)
        return np.mean([(a == b[:, ::-1]).mean() for a, b in pairs])

    assert share_alike(True) > 0.98 > share_alike(False)


def test_baselines(video):
    copied = list(copy_first(video))
    assert object_ids(copied[1]) == [2] and object_ids(copied[4]) == [2, 9]
    assert not any(ids.any() for ids in empty(video))


def test_predictions_are_written_at_native_size(video, tmp_path):
    predict_into(tmp_path / "out", copy_first, [video])
    ids = read_mask(tmp_path / "out" / "v" / "00004.png")
    assert ids.shape == (40, 60) and object_ids(ids) == [2, 9]


def test_more_than_five_objects_are_kept(video, tmp_path):
    ids = np.zeros((40, 60), np.uint8)
    for k in range(8):
        ids[:, 7 * k : 7 * k + 6] = k + 1
    write_mask(tmp_path / "00000.png", ids)
    many = tuple(VideoObject(k + 1, None, 0, (0, 1, 2, 3, 4)) for k in range(8))
    model = build("base", SMALL).eval()
    model.decoder = torch.nn.Conv2d(5, 1, 1)
    crowd = replace(video, objects=many, mask_paths=(tmp_path / "00000.png", None, None, None, None))
    assert object_ids(next(segment(model, crowd))) == list(range(1, 9))


def test_on_the_synthetic_set(small_set):
    valid = VOSDataset(small_set).valid
    model = build("updated").eval()
    for ids, name in zip(segment(model, valid[0]), valid[0].frame_names, strict=True):
        assert ids.shape == valid[0].size, name
