"""Online learning: the first frame is learnt by heart, by a copy, in the parts that may learn, and it is repeatable."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from vos.config import PRESETS, InferenceConfig, ModelConfig
from vos.inference import Segmenter, segment
from vos.networks import build
from vos.online import LENGTH, OnlineTracker, learn_first_frame, seconds_of_learning, warped_clip
from vos.tracking import Tracker

SMALL = ModelConfig((32, 48), ((6,), (8,)), 5, (6, 4), batch_norm=True, video_state_channels=2)
LITE = ModelConfig((32, 48), (), 5, (6, 4), batch_norm=False, patch=2, backbone="efficientnet-lite0", skips=True)
MODELS = pytest.mark.parametrize(("name", "config"), [("base", SMALL), ("updated", SMALL), ("attention", LITE)])


def new_model(name, config):
    torch.manual_seed(0)
    return build(name, config).eval()


def first_frame():
    """A bright square on a dark ground, (1, 3, H, W), and its mask."""
    mask = torch.zeros(1, 1, 32, 48)
    mask[..., 8:20, 12:28] = 1
    return mask.expand(-1, 3, -1, -1) * 2 - 1, mask


def weights_of(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


@MODELS
def test_only_what_may_learn_learns(name, config):
    """ConvLSTMs, backbones and all statistics stay to the bit; every other weight changes; no gradient is left."""
    model = new_model(name, config)
    before = weights_of(model)
    learn_first_frame(model, *first_frame(), steps=2)
    for key, value in model.state_dict().items():
        stays = ".backbone." in key or "_lstm." in key or "running" in key or "num_batches" in key
        assert torch.equal(value, before[key]) == stays, key
    assert all(weight.grad is None for weight in model.parameters())


def test_the_first_frame_is_learnt(monkeypatch):
    monkeypatch.setattr("vos.online.LEARNING_RATE", 1e-2)  # the weights are random
    losses = learn_first_frame(new_model("base", SMALL), *first_frame(), steps=40)
    assert len(losses) == 40 and np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])


def test_each_object_has_its_steps_and_learning_can_be_repeated():
    frame, mask = first_frame()
    both = torch.cat([mask, mask.flip(-1)])
    learnt = []
    for _ in range(2):
        model = new_model("base", SMALL)
        assert len(learn_first_frame(model, frame, both, steps=3)) == 6
        learnt.append(weights_of(model))
    assert all(torch.equal(learnt[0][key], learnt[1][key]) for key in learnt[0])


def test_warped_clips_move_frame_and_mask_together():
    rng, (frame, mask) = np.random.default_rng(0), first_frame()
    for _ in range(5):
        frames, masks = warped_clip(frame, mask, rng)
        assert frames.shape == (LENGTH, 3, 32, 48) and masks.shape == (LENGTH, 1, 32, 48)
        assert masks[0].sum() > 0.5 * mask.sum() and set(masks.unique().tolist()) <= {0.0, 1.0}
        assert ((frames[:, :1] > 0).float() - masks).abs().mean() < 0.05
    for nothing in (torch.zeros_like(mask), torch.nn.functional.pad(torch.ones(1, 1, 1, 1), (0, 47, 0, 31))):
        assert warped_clip(frame, nothing, rng)[1].shape == (
            LENGTH,
            1,
            32,
            48,
        )  # too small to warp: it ends all the same


@MODELS
def test_the_model_itself_stays_and_the_answer_is_the_mean(name, config, frames_and_ids):
    frames, ids = frames_and_ids
    model = new_model(name, config)
    before = weights_of(model)
    segmenter = Segmenter(model, InferenceConfig(mirror=True), online_steps=2)
    tracker = segmenter.tracker
    assert isinstance(tracker, OnlineTracker)
    assert (segmenter.start(frames[0], ids) == ids).all()
    found = segmenter.step(frames[1])
    assert found.shape == ids.shape
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    learner = tracker.views[1].model
    assert not torch.equal(learner.decoder.last.weight, model.decoder.last.weight)
    with torch.inference_mode():
        small, (code,) = segmenter.encode([frames[2]])
        states = [(view.state, view.video_state) for view in tracker.views]
        mean = tracker.step(code)
        alone = []
        for view, state in zip(tracker.views, states, strict=True):
            again = copy.copy(view)
            again.state, again.video_state = state
            alone.append(Tracker.step(again, again.encode(small)[0]))
    assert_close(mean, (alone[0] + alone[1]) / 2, atol=1e-5, rtol=1e-4)
    assert not torch.equal(alone[0], alone[1])


@pytest.fixture
def frames_and_ids():
    rng = np.random.default_rng(1)
    ids = np.zeros((40, 60), np.uint8)
    ids[10:25, 15:35] = 3
    return list(rng.integers(0, 255, (4, 40, 60, 3), dtype=np.uint8)), ids


def test_without_steps_it_is_inference_as_ever(frames_and_ids):
    frames, ids = frames_and_ids
    answers = []
    for config, steps in ((InferenceConfig(mirror=False), None), (InferenceConfig(mirror=False, online_steps=4), 0)):
        segmenter = Segmenter(new_model("base", SMALL), config, online_steps=steps)
        answers.append([segmenter.start(frames[0], ids), *map(segmenter.step, frames[1:])])
    assert all((a == b).all() for a, b in zip(*answers, strict=True))
    with pytest.raises(ValueError, match="online_steps must not be negative, and is -1"):
        Segmenter(new_model("base", SMALL), online_steps=-1)


@MODELS
def test_objects_that_begin_later_are_learnt_when_they_begin(name, config, frames_and_ids):
    frames, ids = frames_and_ids
    late = np.zeros_like(ids)
    late[2:8, 40:55] = 5
    segmenter = Segmenter(new_model(name, config), online_steps=2)
    segmenter.start(frames[0], ids)
    learner = segmenter.tracker.views[1].model
    before = weights_of(learner)
    found = segmenter.start(frames[1], late)
    assert (found[late == 5] == 5).all() and segmenter.ids == [3, 5]
    assert not torch.equal(learner.decoder.last.weight, before["decoder.last.weight"])
    assert set(np.unique(segmenter.step(frames[2]))) <= {0, 3, 5}


def test_a_video_in_files_is_the_same_as_its_frames(valid):
    """`segment` encodes some frames ahead: what the copy makes of them must be what it makes after it has learnt."""
    model = new_model("attention", replace(SMALL, size=PRESETS["course"].size))
    video = next(v for v in valid if {o.first for o in v.objects} == {0})
    config = InferenceConfig(online_steps=1)
    segmenter = Segmenter(model, config)
    frames = [video.frame(i) for i in range(6)]
    wanted = [segmenter.start(frames[0], video.given(0)), *map(segmenter.step, frames[1:])]
    for ours, theirs in zip(segment(model, video, config), wanted, strict=False):
        assert (ours == theirs).mean() > 0.995  # a frame read at the model's size differs in its last bits


def test_how_long_it_takes_is_measured():
    frame, _ = first_frame()
    one, ten = (seconds_of_learning(new_model("base", SMALL), frame, steps) for steps in (1, 10))
    assert 0 < one < ten
