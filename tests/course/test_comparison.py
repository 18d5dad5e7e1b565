"""Does h_video help? The variants that are compared, paired differences, and the sentence that follows from them."""

from dataclasses import replace

import comparison as experiment
import numpy as np
import pytest
import recipe
import torch
from helpers.training_runs import SMALL
from torch.testing import assert_close

from vos.course.comparison import (
    PAIRS,
    Difference,
    difference,
    paired_difference,
    paired_scores,
    scores_by_seed,
    verdict,
)
from vos.course.workspace import ROOT
from vos.data import VOSDataset
from vos.files import read_json
from vos.inference import Segmenter
from vos.networks import build


def test_the_interval_of_a_constant_difference_is_that_difference():
    a = np.random.default_rng(0).random((3, 40))
    assert paired_difference(a, a + 0.1) == pytest.approx((0.1, 0.1, 0.1))


def test_the_interval_has_the_width_that_theory_gives():
    """Independent differences of variance 1 between videos and of s^2 between seeds: var = s^2 / S + 1 / V."""
    rng = np.random.default_rng(0)
    widths = []
    for _ in range(40):
        difference = rng.normal(0, 0.2, (8, 1)) + rng.normal(0, 1, (1, 100))
        found = paired_difference(np.zeros((8, 100)), difference, draws=1000)
        widths.append(found.high - found.low)
    expected = 2 * 1.96 * np.sqrt(0.2**2 / 8 + 1 / 100)
    assert np.mean(widths) == pytest.approx(expected, rel=0.12)


def test_two_seeds_are_as_far_apart_as_the_variance_of_their_mean_says():
    """The variance of the mean of two is (a - b)^2 / 4 by the data; drawn again, they have half of that."""
    found = paired_difference(np.zeros((2, 30)), np.array([[0.1], [0.3]]) * np.ones((1, 30)))
    assert found == pytest.approx((0.2, 0.2 - 0.1 * np.sqrt(2), 0.2 + 0.1 * np.sqrt(2)))


def test_seeds_that_disagree_widen_the_interval_even_where_all_videos_agree():
    same, seeds = np.zeros((4, 50)), np.array([[0.3], [-0.3], [0.3], [-0.3]]) * np.ones((1, 50))
    found = paired_difference(same, seeds)
    assert found.low < -0.1 and found.high > 0.1 and found.mean == pytest.approx(0)


def test_a_difference_of_pairs_is_seen_where_means_alone_would_hide_it():
    rng = np.random.default_rng(0)
    hard = rng.random((1, 60)) * np.ones((3, 1))  # videos differ much more than the models do
    found = paired_difference(hard, hard + 0.02 + rng.normal(0, 0.01, (3, 60)))
    assert 0.015 < found.low < 0.02 < found.high < 0.025


@pytest.mark.parametrize("shapes", [((3, 4), (3, 5)), ((4,), (4,)), ((0, 4), (0, 4))])
def test_scores_that_are_not_paired_are_refused(shapes):
    with pytest.raises(ValueError, match="one shape"):
        paired_difference(*map(np.zeros, shapes))


def test_scores_come_by_seed():
    rows = [{"name": n, "seed": s, "by_video": [s, s + 0.5]} for s in (2, 0) for n in ("base", "updated")]
    assert scores_by_seed(rows, "base").tolist() == [[0, 0.5], [2, 2.5]]
    rows = [{"name": n, "seed": 0, "real": {"b": 0.25 + more, "a": more}} for n, more in (("base", 0), ("updated", 1))]
    assert scores_by_seed(rows, "updated", "real").tolist() == [[1, 1.25]]
    assert difference(rows, "updated", "base", "real") == (1, 1, 1)
    assert difference([*rows, {"name": "base", "seed": 1, "real": {}}], "updated", "base", "real") == (1, 1, 1)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Difference(0.02, 0.01, 0.03), "updated scores higher than base"),
        (Difference(-0.02, -0.03, -0.01), "updated scores lower than base"),
        (Difference(0.01, -0.02, 0.04), "no difference that could be seen, and none larger than 0.040"),
    ],
)
def test_the_verdict_follows_from_the_interval(found, words):
    assert words in verdict("updated", "base", found)


def small_variant(name):
    """A variant of the experiment, made small, and a new model of it."""
    torch.manual_seed(0)
    variant = replace(experiment.VARIANTS[name], network=SMALL)
    model = build(variant.model, variant.network)
    variant.change(model)
    return variant, model.eval()


def frames_of(model, video):
    """(T, 3, H, W), as inference shows them to the model."""
    return Segmenter(model).encode([video.frame(i, SMALL.size) for i in range(len(video))])[0]


@pytest.mark.parametrize("name", experiment.VARIANTS)
@torch.inference_mode()
def test_a_variant_computes_in_the_test_what_it_computed_in_training(name, valid):
    """A clip beside another one in a batch; and frame by frame with the variant's tracker."""
    variant, model = small_variant(name)
    one, another = (replace(v, frame_paths=v.frame_paths[:5], mask_paths=v.mask_paths[:5]) for v in valid[:2])
    frames = torch.stack([frames_of(model, video) for video in (one, another)])
    masks = (torch.rand(2, 1, *SMALL.size) > 0.5).float()
    expected = torch.sigmoid(model(frames, masks))[0, :, 0]
    tracker = variant.tracker(model, another)(model, "float32")
    codes = tracker.encode(frames[0])
    for code in codes:
        tracker.watch(code)
    tracker.step(codes[0])
    tracker.begin(frames[0, :1], masks[:1], [])
    assert_close(torch.cat([tracker.step(code) for code in codes[1:]]), expected)


@torch.inference_mode()
def test_h_video_that_is_zero_tells_nothing_and_that_of_another_video_something_else():
    frames, masks = torch.randn(2, 4, 3, *SMALL.size), (torch.rand(2, 1, *SMALL.size) > 0.5).float()
    found = {}
    for name in ("updated", "updated, h_video zero", "updated, h_video of another"):
        _, model = small_variant(name)
        found[name] = model(frames, masks)
        for weight in model.video_lstm.parameters():
            weight.mul_(2)
        assert torch.equal(model(frames, masks), found[name]) == (name == "updated, h_video zero")
    assert len({round(logits.sum().item(), 3) for logits in found.values()}) == 3


@torch.inference_mode()
def test_a_state_that_is_not_carried_on_has_no_order_of_frames():
    _, model = small_variant("attention, state not carried on")
    frames, masks = torch.randn(1, 5, 3, *SMALL.size), torch.ones(1, 1, *SMALL.size)
    order = [0, 3, 1, 4, 2]
    assert_close(model(frames[:, order], masks), model(frames, masks)[:, [i - 1 for i in order[1:]]])


def test_the_wider_base_model_has_as_many_weights_as_the_updated_one():
    counts = {
        name: sum(w.numel() for w in build(variant.model, variant.network).parameters())
        for name, variant in experiment.VARIANTS.items()
    }
    assert counts["updated"] <= counts["base, wider"] <= 1.01 * counts["updated"]


def test_every_row_of_the_recipes_is_of_one_of_them_and_as_long_as_it_says():
    for row in read_json(ROOT / "data/results/recipe.json")["rows"]:
        longer = recipe.VARIANTS[row["name"]].longer
        assert row["steps"] in (round(400 * longer), round(1200 * longer))


@pytest.mark.parametrize("name", [name for name in experiment.VARIANTS if ", " in name])
def test_a_cell_of_the_comparison_run_again_gives_the_same_row(name, small_set, tmp_path, monkeypatch):
    variant = replace(experiment.VARIANTS[name], network=SMALL)
    monkeypatch.setattr(experiment, "synthetic_set", lambda fast: small_set)
    monkeypatch.setattr(experiment, "judges", lambda out, count, seed: VOSDataset(small_set))
    how = "float32", (6, 1)
    rows = [experiment.train_and_score(name, variant, 1, 2, *how, tmp_path / run, None) for run in ("a", "b")]
    assert min(row.pop("minutes") for row in rows) > 0  # of computing, which no machine repeats
    assert rows[0] == rows[1]
    assert (rows[0]["name"], rows[0]["seed"], rows[0]["steps"], len(rows[0]["by_video"])) == (name, 1, 2, 6)
    assert rows[0]["overall"] > 0 and rows[0]["J_by_frame"][0] > 0


def test_the_committed_comparison_has_each_of_its_pairs_from_two_seeds_at_least_and_equal_steps():
    rows = read_json(ROOT / "data/results/comparison.json")["rows"]
    assert len({(row["steps"], row["precision"]) for row in rows}) == 1
    for name, other in PAIRS:
        for key, videos in (("by_video", experiment.JUDGES[0]), ("real", 6)):
            ours, theirs = paired_scores(rows, name, other, key)
            assert len(ours) >= 2 and ours.shape == theirs.shape == (len(ours), videos)
