"""J, F and their statistics: the official toolkit's to the last bit, and right where it is easy to go wrong."""

import numpy as np
import pytest
from helpers.golden_set import SYNTH, GoldenSet, all_at_once, one_by_one, wrong_pairs

from vos import metrics
from vos.metrics import (
    bound_radius,
    boundary,
    contour_accuracy,
    dilate,
    region_similarity,
    score_frames,
    seen_unseen_summary,
    statistics,
)


@pytest.fixture(scope="module")
def synth():
    return GoldenSet(SYNTH)


@pytest.mark.parametrize("score", [one_by_one, all_at_once])
def test_made_up_masks_to_the_last_bit(synth, score):
    assert len(synth.expected["pairs"]) == 405
    assert list(wrong_pairs(synth, metrics, score)) == []


@pytest.mark.parametrize("score", [one_by_one, all_at_once])
def test_real_masks_to_the_last_bit(golden_real, score):
    assert list(wrong_pairs(golden_real, metrics, score)) == []


def test_many_objects_and_many_frames_in_one_call():
    """More objects than a byte has room for, ids with gaps and void among them: the same as one by one."""
    rng = np.random.default_rng(0)
    ids = [1, 2, 5, 9, 10, 77, 200, 254, 3]
    truth, prediction = (rng.choice([0, *ids, 255], (3, 40, 57)).repeat(2, 1).astype(np.uint8) for _ in range(2))
    J, F = score_frames(prediction, truth, ids, void=255)
    for t in range(3):
        expected = one_by_one(metrics, prediction[t], truth[t], ids, 0.008, truth[t] == 255)
        assert (J[t].tolist(), F[t].tolist()) == expected


def test_every_place_in_the_frame():
    """The fast form looks at a box around the objects, found in bands of rows: no place may fall off its sides."""
    for place in range(36):
        prediction, truth = np.zeros((2, 40, 36), np.uint8)
        truth[max(place - 2, 0) : place + 1, place] = prediction[place : place + 5, max(place - 3, 0) : place] = 1
        for bound_th in (0, 1, 3):
            J, F = score_frames(prediction[None], truth[None], [1], bound_th)
            assert ([J[0, 0]], [F[0, 0]]) == one_by_one(metrics, prediction, truth, [1], bound_th, None), place


@pytest.mark.parametrize(
    ("prediction", "truth", "ids", "words"),
    [
        (np.zeros((1, 4, 4), int), np.zeros((1, 4, 5), int), [1], "differ in shape"),
        (np.zeros((4, 4), int), np.zeros((4, 4), int), [1], "id maps"),
        (np.zeros((1, 4, 4)), np.zeros((1, 4, 4)), [1], "id maps"),
        (np.full((1, 4, 4), 256), np.zeros((1, 4, 4), int), [1], "outside"),
        (np.zeros((1, 4, 4), int), np.zeros((1, 4, 4), int), [0], "between 1 and 255"),
    ],
)
def test_what_is_no_id_map_is_refused(prediction, truth, ids, words):
    with pytest.raises(ValueError, match=words):
        score_frames(prediction, truth, ids)


def test_statistics_to_the_last_bit(synth):
    for case in synth.expected["statistics"]:
        found = statistics([float.fromhex(value) for value in case["values"]])
        assert [number.hex() for number in found] == case["MRD"], f"{len(case['values'])} frames"


def mask(*rows):
    return np.array([[pixel == "#" for pixel in row] for row in rows])


def test_regions_by_hand():
    truth, prediction = mask("##..", "##.."), mask(".##.", ".##.")
    assert region_similarity(prediction, truth) == 2 / 6
    assert region_similarity(truth, truth) == 1.0
    assert region_similarity(~truth, truth) == 0.0
    assert region_similarity(np.zeros((2, 4), bool), np.zeros((2, 4), bool)) == 1.0


def test_zeros_and_ones_are_masks_too_and_results_are_plain_floats():
    truth, prediction = mask("##..", "##.."), mask(".##.", ".##.")
    for kind in (np.uint8, int, float):
        assert region_similarity(prediction.astype(kind), truth.astype(kind)) == 2 / 6
        assert contour_accuracy(prediction.astype(kind), truth.astype(kind)) == contour_accuracy(prediction, truth)
    assert type(region_similarity(prediction, truth)) is type(contour_accuracy(prediction, truth)) is float


def test_boundary_is_up_and_left_and_the_image_border_is_none():
    assert (boundary(mask("....", ".##.", ".##.", "....")) == mask("###.", "#.#.", "###.", "....")).all()
    assert (boundary(mask("..", ".#")) == mask("##", "#.")).all()
    assert not boundary(np.ones((4, 5), bool)).any()
    assert (boundary(mask("#.#")) == mask("##.")).all()


def test_disk_is_round():
    dot = np.zeros((11, 11), bool)
    dot[5, 5] = True
    dy, dx = np.mgrid[-5:6, -5:6]
    for radius in range(6):
        assert (dilate(dot, radius) == (dx**2 + dy**2 <= radius**2)).all(), radius


def test_dilation_is_cut_off_at_the_border_and_equals_its_definition():
    rng = np.random.default_rng(0)
    for shape in ((1, 1), (1, 9), (9, 1), (13, 7), (20, 31)):
        for radius in (0, 1, 2, 5, 40):
            points = rng.random(shape) < 0.05
            y, x = np.mgrid[: shape[0], : shape[1]]
            near = np.zeros(shape, bool)
            for row, column in np.argwhere(points):
                near |= (y - row) ** 2 + (x - column) ** 2 <= radius**2
            assert (dilate(points, radius) == near).all(), (shape, radius)


def test_radius_is_rounded_up():
    assert bound_radius((480, 854)) == 8  # 0.008 of a diagonal of 979.66 pixels is 7.84
    assert bound_radius((720, 1280)) == 12  # 11.75
    assert bound_radius((10, 10)) == 1
    assert bound_radius((10, 10), 3) == 3
    for wrong in (-0.1, 1.5):
        with pytest.raises(ValueError, match="bound_th"):
            bound_radius((10, 10), wrong)


def vertical_edge(column, width=60):
    """A mask whose boundary is the one vertical line at `column`."""
    return np.broadcast_to(np.arange(width) > column, (30, width))


def test_a_boundary_exactly_r_away_matches():
    truth = vertical_edge(20)
    assert contour_accuracy(vertical_edge(24), truth, bound_th=4) == 1.0
    assert contour_accuracy(vertical_edge(25), truth, bound_th=4) == 0.0


def test_diagonal_distance_is_that_of_a_disk():
    truth, prediction = np.zeros((30, 30), bool), np.zeros((30, 30), bool)
    truth[10, 10] = prediction[14, 14] = True
    assert contour_accuracy(prediction, truth, bound_th=4) == 0.0  # 3 right and 3 down is 4.24 away
    assert contour_accuracy(prediction, truth, bound_th=5) == 0.75  # 4 right and 4 down is 5.66 away, 4 and 3 is 5


def test_empty_and_full_masks():
    empty, full = np.zeros((20, 30), bool), np.ones((20, 30), bool)
    some = empty.copy()
    some[5:9, 5:9] = True
    assert contour_accuracy(empty, empty) == 1.0
    assert contour_accuracy(some, empty) == contour_accuracy(empty, some) == 0.0
    assert (region_similarity(full, empty), contour_accuracy(full, empty)) == (0.0, 1.0)


def test_void_is_nobodys():
    truth, prediction, void = mask("##....", "##...."), mask("##.###", "##.###"), mask("...###", "...###")
    assert region_similarity(prediction, truth) == 4 / 10
    assert region_similarity(prediction, truth, void) == 1.0
    assert contour_accuracy(prediction, truth, bound_th=0) < 1.0
    assert contour_accuracy(prediction, truth, bound_th=0, void=void) == 1.0
    assert region_similarity(prediction, truth, np.ones((2, 6), bool)) == 1.0


@pytest.mark.parametrize("score", [region_similarity, contour_accuracy])
def test_what_is_no_mask_is_refused(score):
    with pytest.raises(ValueError, match=r"\(2, 3\).*\(3, 2\)"):
        score(np.zeros((2, 3), bool), np.zeros((3, 2), bool))
    with pytest.raises(ValueError, match=r"void \(1, 3\).*\(2, 3\)"):
        score(np.zeros((2, 3), bool), np.zeros((2, 3), bool), void=np.zeros((1, 3), bool))
    with pytest.raises(ValueError, match="threshold"):
        score(np.full((2, 3), 0.4), np.zeros((2, 3), bool))
    with pytest.raises(ValueError, match=r"\(4, 2, 3\)"):
        score(np.zeros((4, 2, 3), bool), np.zeros((4, 2, 3), bool))


def test_recall_counts_only_what_is_above_a_half():
    assert statistics([0.5, 0.5, 0.6, 0.4]).recall == 0.25


@pytest.mark.parametrize("frames", [256, 257, 258, 1000])
def test_decay_of_long_sequences(frames):
    """uint8 edges wrap round here; the last quarter is the last quarter at any length."""
    values = np.zeros(frames)
    values[: frames // 8] = 1.0
    quarter = round((frames - 1) / 4) + 1
    assert statistics(values).decay == pytest.approx(frames // 8 / quarter, rel=0.02)
    assert statistics(values[::-1]).decay == pytest.approx(-(frames // 8) / quarter, rel=0.02)


def test_statistics_need_values():
    for nothing in ([], [[0.5, 0.5]]):
        with pytest.raises(ValueError, match="one value"):
            statistics(nothing)


def test_seen_and_unseen():
    J, F = [0.2, 0.4, 0.9], [0.3, 0.5, 0.7]
    both = seen_unseen_summary(J, F, [True, True, False])
    assert both == pytest.approx({"J_seen": 0.3, "J_unseen": 0.9, "F_seen": 0.4, "F_unseen": 0.7, "overall": 0.575})
    one = seen_unseen_summary(J, F, [True, True, True])
    assert one["J_unseen"] is None and one["F_unseen"] is None
    assert one["overall"] == pytest.approx(0.5)
    unknown = seen_unseen_summary(J, F, [None, None, None])
    assert [unknown[key] for key in ("J_seen", "J_unseen", "F_seen", "F_unseen")] == [None] * 4
    assert unknown["overall"] == pytest.approx(0.5)
