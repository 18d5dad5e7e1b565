"""Paired differences: what their interval must hold, and the sentence that follows from it."""

import numpy as np
import pytest

from vos.course.comparison import Difference, paired_difference, scores_by_seed, verdict


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
