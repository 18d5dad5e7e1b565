"""Properties that J, F and what goes into them have for all masks: drawn at random, and the same ones in every run.

Noise alone would be a poor draw: its boundary is everywhere, and it has no straight edge along the border of the
image. So there are also rectangles, lines and blobs, empty and full masks, and pairs of masks that nearly agree.
"""

import math
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vos.inference import merge_objects
from vos.metrics import boundary, contour_accuracy, dilate, region_similarity, score_frames, statistics

pytestmark = pytest.mark.slow  # all of it is for the whole suite

draws = settings(deadline=None, max_examples=100, derandomize=True, database=None)
bounds = st.sampled_from([0, 0.008, 0.05, 0.3, 1, 2, 3, 5, 60])  # shares of the diagonal and pixels
seeds = st.integers(0, 2**32 - 1)


@st.composite
def shapes(draw):
    """(H, W); a single row or column is one, too."""
    side = st.integers(8, 45) | st.integers(1, 30)
    return draw(side), draw(side)


@st.composite
def masks(draw, shape):
    """A mask of this shape."""
    height, width = shape
    y, x = np.mgrid[:height, :width]
    corner = st.tuples(st.integers(0, height - 1), st.integers(0, width - 1))
    mask = np.zeros(shape, bool)
    kind = draw(st.sampled_from(["blob", "rectangle", "noise", "line", "blob", "rectangle", "noise", "empty"]))
    if kind == "rectangle":
        (top, bottom), (left, right) = (sorted(ends) for ends in zip(draw(corner), draw(corner), strict=True))
        mask[top : bottom + 1, left : right + 1] = True
    elif kind == "line":
        ends = np.array([draw(corner), draw(corner)])
        steps = np.abs(ends[1] - ends[0]).max() + 1
        mask[tuple(np.linspace(*ends, steps).round().astype(int).T)] = True
    elif kind == "blob":
        for (row, column), radius in draw(st.lists(st.tuples(corner, st.integers(0, 9)), min_size=1, max_size=3)):
            mask |= (y - row) ** 2 + (x - column) ** 2 <= radius**2
    elif kind == "noise":
        mask = np.random.default_rng(draw(seeds)).random(shape) < draw(st.sampled_from([0.02, 0.3, 0.7, 0.98]))
    return ~mask if draw(st.integers(0, 3)) == 3 else mask  # the inverse of an empty mask is a full one


@st.composite
def nearly(draw, picture):
    """A picture (H, W) that has something to do with another: equal, moved, or with a part taken from elsewhere."""
    moved = np.roll(picture, (draw(st.integers(-3, 3)), draw(st.integers(-3, 3))), axis=(0, 1))
    return np.where(draw(masks(picture.shape)), moved, picture)


@st.composite
def pairs(draw):
    """(prediction, truth), masks of one shape."""
    shape = draw(shapes())
    truth = draw(masks(shape))
    return draw(masks(shape) | nearly(truth)), truth


@st.composite
def videos(draw, ids=(1, 2, 3, 77, 254)):
    """(prediction, truth), id maps (T, H, W) that hold some of the ids, and 0, and perhaps 255."""
    shape, frames = draw(shapes()), draw(st.integers(1, 3))
    prediction, truth = np.zeros((2, frames, *shape), np.uint8)
    for t in range(frames):
        for number in draw(st.lists(st.sampled_from([*ids, 0, 255]), min_size=1, max_size=7)):
            truth[t][draw(masks(shape))] = number
        prediction[t] = draw(nearly(truth[t]))
        for number in draw(st.lists(st.sampled_from([*ids, 0]), max_size=2)):
            prediction[t][draw(masks(shape))] = number
    return prediction, truth


objects = st.permutations([1, 2, 3, 77, 254]) | st.lists(st.sampled_from([1, 2, 3, 4, 77, 254]), max_size=9)
voids = st.sampled_from([None, 255])


def scores(prediction, truth, bound_th=0.008, void=None):
    """(J, F) of one object."""
    J = region_similarity(prediction, truth, void)
    return J, contour_accuracy(prediction, truth, bound_th, void)


# One object


@draws
@given(pairs(), bounds)
def test_scores_are_symmetric_and_between_0_and_1(pair, bound_th):
    prediction, truth = pair
    J, F = scores(prediction, truth, bound_th)
    assert (J, F) == scores(truth, prediction, bound_th)
    assert 0 <= J <= 1 and 0 <= F <= 1


@draws
@given(pairs(), bounds, st.data())
def test_only_what_is_judged_counts(pair, bound_th, data):
    prediction, truth = pair
    void = data.draw(masks(truth.shape) | st.none())
    judged = np.ones_like(truth) if void is None else ~void
    J, F = scores(prediction, truth, bound_th, void)
    assert (J == 1) == (prediction[judged] == truth[judged]).all()
    assert J < 1 or F == 1  # but not the other way round: F forgives a few pixels
    assert (J, F) == scores(np.where(judged, prediction, data.draw(masks(truth.shape))), truth, bound_th, void)


@draws
@given(pairs())
def test_regions_have_no_direction_and_boundaries_can_be_transposed(pair):
    """Window and disk are their own transposes, and what the last row cannot see the last column cannot either."""
    prediction, truth = pair
    for turned in (np.fliplr, np.flipud, np.rot90, lambda mask: np.rot90(mask, 2)):
        assert region_similarity(turned(prediction), turned(truth)) == region_similarity(prediction, truth)
    for bound_th in (0, 0.008, 0.05, 0.1, 0.2, 1, 3):
        assert scores(prediction.T, truth.T, bound_th) == scores(prediction, truth, bound_th)


@draws
@given(pairs(), bounds)
def test_F_has_no_direction_away_from_the_border(pair, bound_th):
    """In the mirror the window at x becomes the one at W - 2 - x: the boundary is mirrored and moved left by one pixel,
    in both masks alike, so all distances stay. The exception is column W - 1, whose window is cut off: it sees only
    the last column, and of the mirror image only the first. Where both are empty, it has no boundary before or after.
    So one empty pixel at either end of the axis is enough; half and quarter turns are mirrors and transpositions.
    """
    beside = [np.pad(mask, ((0, 0), (1, 1))) for mask in pair]
    assert scores(*map(np.fliplr, beside), bound_th) == scores(*beside, bound_th)
    above = [np.pad(mask, ((1, 1), (0, 0))) for mask in pair]
    assert scores(*map(np.flipud, above), bound_th) == scores(*above, bound_th)


@pytest.mark.parametrize(
    ("turned", "F"),
    [(np.array, 1 / 3), (np.fliplr, 1 / 2), (np.flipud, 1 / 2), (lambda mask: np.rot90(mask, 2), 3 / 5)],
)
def test_F_has_a_direction_at_the_border(turned, F):
    """A dot in the first corner has one boundary pixel, in the last corner three (left, above and between), and in the
    other two corners two. The prediction adds a dot in the middle, whose four are wrong: F is n / (n + 2).
    """
    truth, prediction = np.zeros((2, 9, 9), bool)
    truth[0, 0] = prediction[0, 0] = prediction[4, 4] = True
    assert contour_accuracy(turned(prediction), turned(truth), 1) == pytest.approx(F)


@draws
@given(pairs(), bounds, st.tuples(*[st.integers(1, 6)] * 4))
def test_both_masks_can_be_moved_away_from_the_border(pair, bound_th, margins):
    up, left, down, right = margins
    here = [np.pad(mask, ((up, down), (left, right))) for mask in pair]
    there = [np.pad(mask, ((down, up), (right, left))) for mask in pair]
    assert scores(*here, bound_th) == scores(*there, bound_th)


@draws
@given(pairs(), st.sampled_from([[0, 0.008, 0.02, 0.05, 0.1, 0.3, 0.99], [1, 2, 3, 4, 6, 9, 60]]))
def test_a_greater_tolerance_never_lowers_F(pair, growing):
    """Among shares, and among whole pixels: 1 is one pixel, and less than the share 0.99."""
    F = [contour_accuracy(*pair, bound_th) for bound_th in growing]
    assert F == sorted(F)


@draws
@given(shapes().flatmap(masks))
def test_boundary_is_its_definition(mask):
    height, width = mask.shape
    expected = [[np.unique(mask[y : y + 2, x : x + 2]).size == 2 for x in range(width)] for y in range(height)]
    expected[-1][-1] = False
    assert boundary(mask).tolist() == expected


@draws
@given(shapes().flatmap(masks), st.integers(0, 12) | st.just(60))
def test_dilation_is_its_definition(mask, radius):
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
    rows, columns = np.nonzero(mask)
    near = (y[..., None] - rows) ** 2 + (x[..., None] - columns) ** 2 <= radius**2
    assert (dilate(mask, radius) == near.any(axis=-1)).all()


# Many objects


def assert_same(found, expected):
    """Two (J, F) with the same bits."""
    for name, a, b in zip("JF", found, expected, strict=True):
        assert a.shape == b.shape and a.tobytes() == b.tobytes(), f"{name}: {a} and {b}"


@pytest.mark.slow
@settings(draws, max_examples=300)
@given(videos(), objects, bounds, voids)
def test_all_at_once_is_one_by_one(video, ids, bound_th, void):
    prediction, truth = video
    one_by_one = [
        [scores(p == i, t == i, bound_th, None if void is None else t == void) for i in ids]
        for p, t in zip(prediction, truth, strict=True)
    ]
    J, F = np.array(one_by_one, float).reshape(len(truth), len(ids), 2).transpose(2, 0, 1)
    assert_same(score_frames(prediction, truth, ids, bound_th, void), (J, F))


@draws
@given(videos(ids=range(1, 8)), seeds, bounds, voids)
def test_renamed_objects_keep_their_scores(video, seed, bound_th, void):
    renamed = np.arange(256, dtype=np.uint8)
    renamed[1:8] = np.random.default_rng(seed).permutation(7) + 1
    J, F = score_frames(*video, range(1, 8), bound_th, void)
    column = renamed[1:8] - 1
    found = score_frames(*(renamed[maps] for maps in video), range(1, 8), bound_th, void)
    assert_same([scored[:, column] for scored in found], (J, F))


@draws
@given(videos(), objects, bounds, voids, seeds)
def test_ids_that_are_not_asked_for_do_not_matter(video, ids, bound_th, void, seed):
    others = np.array([i for i in range(255) if i not in ids], np.uint8)
    noise = np.random.default_rng(seed).choice(others, (2, *video[0].shape))
    changed = [np.where(np.isin(maps, others), other, maps) for maps, other in zip(video, noise, strict=True)]
    assert_same(score_frames(*changed, ids, bound_th, void), score_frames(*video, ids, bound_th, void))


@draws
@given(videos(), objects, bounds, voids)
def test_frames_know_nothing_of_one_another(video, ids, bound_th, void):
    J, F = score_frames(*video, ids, bound_th, void)
    alone = [score_frames(*(maps[[t]] for maps in video), ids, bound_th, void) for t in range(len(J))]
    assert_same([np.concatenate(parts) for parts in zip(*alone, strict=True)], (J, F))
    assert_same(score_frames(*(maps[::-1] for maps in video), ids, bound_th, void), (J[::-1], F[::-1]))


@pytest.mark.slow
@draws
@given(videos(), objects, bounds, voids)
def test_objects_score_the_same_wherever_they_are(video, ids, bound_th, void):
    """One frame moved down row by row, so that it also begins and ends where the kernel's bands of rows do."""
    moved = [np.stack([np.pad(maps[0], ((1 + t, 17 - t), (1, 1))) for t in range(17)]) for maps in video]
    J, F = score_frames(*moved, ids, bound_th, void)
    assert_same((J, F), (J[[0] * 17], F[[0] * 17]))


def test_threads_do_not_disturb_one_another():
    rng = np.random.default_rng(0)
    sizes = [(1, 120, 214), (2, 90, 160), (1, 120, 214), (1, 33, 200)] * 6
    maps = [rng.integers(0, 6, (2, *size), np.uint8).repeat(3, axis=2) for size in sizes]
    jobs = [(*pair, range(1, 2 + k % 6)) for k, pair in enumerate(maps)]
    expected = [score_frames(*job) for job in jobs]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda job: score_frames(*job), jobs))
    finally:
        sys.setswitchinterval(interval)
    for one, other in zip(found, expected, strict=True):
        assert_same(one, other)


# From frames to numbers, from probabilities to ids


@draws
@given(st.integers(1, 2000) | st.integers(1, 12), seeds)
def test_statistics_are_their_definition(frames, seed):
    values = np.random.default_rng(seed).integers(0, 9, frames) / 8  # 0.5 is often among them, and is not above 0.5
    edges = [(quarter * (frames - 1) + 2) // 4 for quarter in range(5)]  # the nearest frame; a half is rounded up

    def mean(part):
        return math.fsum(part) / len(part)

    found = statistics(values)
    assert found.mean == pytest.approx(mean(values), abs=1e-12)
    assert found.recall == sum(value > 0.5 for value in values) / frames
    first, last = values[edges[0] : edges[1] + 1], values[edges[3] : edges[4] + 1]
    assert found.decay == pytest.approx(mean(first) - mean(last), abs=1e-12)


@st.composite
def probability_maps(draw):
    """(maps (K, H, W) with no two equal numbers, K ids, K thresholds)."""
    ids = draw(st.lists(st.integers(1, 254), unique=True, max_size=6))
    size = (len(ids), *draw(shapes()))
    maps = np.random.default_rng(draw(seeds)).permutation(math.prod(size)).reshape(size) / max(math.prod(size), 1)
    thresholds = [draw(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.8, 1.0])) for _ in ids]
    return maps, ids, thresholds


@draws
@given(probability_maps(), st.randoms(use_true_random=False))
def test_merging_does_not_depend_on_the_order_of_the_objects(drawn, random):
    maps, ids, thresholds = drawn
    merged = merge_objects(maps, ids, thresholds)
    assert merged.shape == maps.shape[1:] and set(np.unique(merged)) <= {0, *ids}
    order = random.sample(range(len(ids)), len(ids))
    again = merge_objects(maps[order], [ids[k] for k in order], [thresholds[k] for k in order])
    assert (again == merged).all()


@draws
@given(probability_maps(), st.data())
def test_a_higher_threshold_never_adds_pixels(drawn, data):
    maps, ids, thresholds = drawn
    for k, number in enumerate(ids):
        raised = [*thresholds]
        raised[k] += data.draw(st.sampled_from([0.05, 0.2, 0.5]))
        before, after = merge_objects(maps, ids, thresholds), merge_objects(maps, ids, raised)
        assert not ((after == number) & (before != number)).any()
        assert (after[(before != number)] == before[before != number]).all()  # and takes none from the others
        assert (maps[k][after == number] > raised[k]).all()
