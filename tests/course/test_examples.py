"""The rules that choose what a lesson shows: on sets with categories and without, small and odd."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from vos.clips import ClipDataset
from vos.config import PRESETS
from vos.course import examples
from vos.data import VideoObject, Videos, VOSDataset
from vos.files import VosError
from vos.video.drawn import polygon_mask

SIZE = PRESETS["course"].size


@pytest.fixture(scope="module")
def dataset(small_set):
    return VOSDataset(small_set)


@pytest.fixture(scope="module")
def plain(dataset):
    """The training videos as of a set that names no categories, one object each."""
    return Videos(replace(v, objects=(replace(v.objects[0], category=None),)) for v in dataset.train)


class Drawn:
    """A video of id maps in memory, (T, H, W)."""

    def __init__(self, name, maps, categories):
        self.name, self.maps = name, np.array(maps, np.uint8)
        self.annotated = tuple(range(len(maps)))
        self.objects = tuple(
            VideoObject(k, category, int(np.argmax((self.maps == k).any((1, 2)))), self.annotated)
            for k, category in categories.items()
        )

    def mask(self, index, size=None):
        return self.maps[index]


def boxes(*ids):
    """A map (8, 30) of boxes of 5 x 3, three columns apart; ids may be 0."""
    ids_map = np.zeros((8, 30), np.uint8)
    for place, k in enumerate(ids):
        ids_map[2:7, 3 * place : 3 * place + 3] = k
    return ids_map


def test_evenly_spaced_has_both_ends():
    assert examples.evenly_spaced(range(11), 3) == [0, 5, 10]
    assert examples.evenly_spaced("ab", 5) == ["a", "a", "a", "b", "b"]


def test_a_small_set_holds_out_half_at_most():
    assert examples.hold_out("abcdef", 2) == (list("cdef"), list("ab"))
    assert examples.hold_out("abcd", 8) == (list("cd"), list("ab"))


def test_a_half_sure_mask_is_of_a_video_with_one_object_where_there_is_one():
    def said(*fractions):
        """Of each frame: an object whose pixels have a probability, and whose expected J is that."""
        return [([7], torch.full((1, 4, 4), fraction)) for fraction in fractions]

    one = Drawn("one", [boxes(7)] * 3, {7: None})
    two = Drawn("two", [boxes(7, 8)] * 3, {7: None, 8: None})
    kept = {
        "one": [([], torch.zeros(0, 4, 4)), *said(0.9, 0.3)],
        "two": said(0.9, 0.5, 0.1),
    }  # J / (1 + J): 1 / 3 at 0.5
    assert examples.half_sure_mask([two, one], kept) == (one, 2, 0)
    assert examples.half_sure_mask([two], kept) == (two, 1, 0)
    one.annotated = (0, 1)
    assert examples.half_sure_mask([two, one], kept) == (one, 1, 0)


def test_crowded_video_has_three_objects_or_the_most_there_are():
    two, three = (
        Drawn("two", [boxes(1, 2)], {1: None, 2: None}),
        Drawn("three", [boxes(1, 2, 3)], dict.fromkeys((1, 2, 3))),
    )
    small = Drawn("small", [np.where(boxes(1, 2, 3) == 3, 0, boxes(1, 2, 3))], dict.fromkeys((1, 2, 3)))
    small.maps[0, 0, 0] = 3
    four = Drawn("four", [boxes(1, 2, 3, 4)], dict.fromkeys((1, 2, 3, 4)))
    late = Drawn("late", [boxes(1, 2), boxes(1, 2, 3, 4)], dict.fromkeys((1, 2, 3, 4)))
    assert examples.crowded_video([two, small, three, four]) is three
    assert examples.crowded_video([late, four]) is late
    assert examples.crowded_video([four]) is four


def test_largest_and_late_objects():
    early = Drawn("early", [boxes(1, 1, 1), boxes(1)], {1: None})
    late = Drawn("late", [boxes(0, 2), boxes(1, 2), boxes(1, 2, 3, 3)], dict.fromkeys((1, 2, 3)))
    assert examples.largest_late_object([early, late]) == (late, late.objects[2])
    assert examples.largest_late_object([early]) == (early, early.objects[0])
    assert examples.largest_object([late, early]) == (early, early.objects[0])
    assert examples.first_area(early, early.objects[0]) == 45 / 240
    assert examples.frames_from_first(late, late.objects[2]) == [2]
    assert [item.id for _, item in examples.first_frame_objects([early, late], SIZE)] == [1, 2]


def test_highest_first_id_passes_over_specks():
    speck = boxes(1)
    speck[0, 29] = 9
    videos = [Drawn("two", [boxes(1, 2)], {1: None, 2: None}), Drawn("speck", [speck], {1: None, 9: None})]
    assert examples.highest_first_id(videos).name == "two"


def test_moving_clip_is_the_one_that_copying_scores_least(dataset, plain):
    for videos in (dataset.train, plain):
        clips = ClipDataset(videos, SIZE, seed=2)
        clip, J = examples.moving_clip(clips, 6)
        assert J == examples.copy_first_J(clip) and clip.frames.shape == (5, 3, *SIZE)
        large = [c for c in (clips[n, 5] for n in range(6)) if c.masks.mean(dim=(1, 2, 3)).min() > 0.04]
        assert J == min(examples.copy_first_J(c) for c in large or [clips[n, 5] for n in range(6)])
        assert examples.moving_clip(clips, 3, smallest=1)[1] == min(
            examples.copy_first_J(clips[n, 5]) for n in range(3)
        )


def test_oddest_shape(dataset):
    ratios = {v.name: abs(np.log(v.size[0] / v.size[1])) for v in dataset.train}
    assert ratios[examples.oddest_shape(dataset.train, (64, 64)).name] == max(ratios.values())


def test_the_tiger_that_a_person_covers_most():
    categories = {1: "tiger", 2: "person"}
    half = np.where(np.arange(30) < 1, boxes(1), boxes(0, 2))
    half[2:7, 1:3] = 2
    covered = Drawn("covered", [boxes(1, 0, 0, 2), boxes(1, 2), half, boxes(1, 0, 2)], categories)
    beside = Drawn("beside", [boxes(1, 0, 0, 2), boxes(1, 0, 2)], categories)
    item = covered.objects[0]
    assert examples.covered_by_a_person(covered, item) == (pytest.approx(1 / 3), 2)
    assert examples.covered_by_a_person(beside, beside.objects[0]) == (1.0, 0)
    example = examples.tiger_and_person([beside, covered], None)
    assert example.video is covered and example.item is item and example.frames == [0, 1, 2]
    assert example.why == "a person covers it; at the end, 33% of its first area is visible"


def test_without_tiger_and_person_the_median(plain):
    scores = {video.name: score for video, score in zip(plain, (0.1, 0.9, 0.4, 0.3, 0.2, 0.8), strict=True)}
    example = examples.tiger_and_person(plain, lambda video, item: scores[video.name], count=99)
    assert scores[example.video.name] == 0.3
    assert example.frames == [i for i in example.video.annotated if i >= example.item.first]
    assert example.why == "the median of 6 videos, whole"


def entries_of(videos, J):
    pairs = [(v, item) for v in videos for item in v.objects]
    return [
        {"video": v.name, "object": item.id, "category": item.category, "J_mean": value}
        for (v, item), value in zip(pairs, J, strict=False)
    ]


def test_median_and_worst_entries():
    videos = [Drawn("a", [boxes(1, 2)], {1: "bird", 2: "fox"}), Drawn("b", [boxes(1, 2)], {1: "bird", 2: "bird"})]
    entries = entries_of(videos, (0.5, 0.1, 0.3, 0.9))
    assert examples.median_entry(entries, "bird")["J_mean"] == 0.5
    assert examples.median_entry(entries, "cow") == examples.median_entry(entries) == entries[2]
    assert examples.worst_entry(entries, [0.1, 0.001, 0.1, 0.1]) == entries[2]
    assert examples.worst_entry(entries, [0.001] * 4) == entries[1]
    assert examples.by_kind(entries) == {"bird": [0, 2, 3], "fox": [1]}
    assert examples.by_kind([e | {"category": None} for e in entries]) == {"a": [0, 1], "b": [2, 3]}
    assert examples.find_object(Videos(videos), entries[3]) == (videos[1], videos[1].objects[1])


def test_pairs_of_one_kind():
    herd = Drawn("herd", [boxes(1, 2, 3), boxes(1, 2, 3, 4)], {1: "cow", 2: "cow", 3: "fox", 4: "fox"})
    entries = entries_of([herd], (0.2, 0.4, 0.5, 0.6))
    pair = {"video": "herd", "objects": [1, 2], "category": "cow", "J_mean": pytest.approx(0.3)}
    assert examples.same_kind_pairs([herd], entries) == [pair]
    assert examples.same_kind_pairs([herd], entries[1:]) == []  # scored are all but one
    assert examples.same_kind_pairs([Drawn("x", [boxes(1, 2)], {1: None, 2: None})], entries) == []


def test_busiest_video_is_one_that_was_scored(dataset):
    videos = dataset.valid_truth
    entries = entries_of(videos[:3], np.zeros(99))
    assert len(examples.busiest_video(videos, entries).objects) == max(len(v.objects) for v in videos[:3])
    assert examples.scored_entries(videos[2:], entries) == [e for e in entries if e["video"] == videos[2].name] != []
    with pytest.raises(VosError, match="made on another set"):
        examples.busiest_video(videos, [{"video": "x"}])


@pytest.mark.parametrize(
    ("predicted", "said"),
    [
        (boxes(), "lost the object"),
        (boxes(0, 1, 1), "followed another"),
        (boxes(0, 0, 0, 1, 1), "drifted off"),
        (np.where(np.arange(30) < 1, boxes(1), 0), "held on to a part"),
        (boxes(1, 0, 0, 0), "but not its shape"),
    ],
)
def test_failures_in_words(predicted, said):
    painted = examples.Painted.of(predicted[None], boxes(1, 2, 2)[None], 1)
    assert said in painted.verdict()
    assert sum(painted[:3]) == pytest.approx(1 if predicted.any() else 0)


def test_painting_too_much():
    assert "too much" in examples.Painted(0.5, 0.1, 0.4, 2.5).verdict()
    assert examples.Painted.of(boxes(1, 1)[None], boxes(1, 2)[None], 1) == (0.5, 0.5, 0.0, 2.0)


@pytest.mark.parametrize(
    ("mask", "least"),
    [
        (np.hypot(*np.mgrid[-40:41, -60:61]) < 35, 0.93),  # a disc
        (np.abs(np.mgrid[-40:41, -60:61]).sum(axis=0) < 35, 0.9),  # a square on its corner
        (np.pad(np.ones((10, 50), bool), 20), 0.9),  # a bar
        (np.pad(np.ones((1, 2), bool), 4), 1),  # hardly anything
        (np.pad(np.ones((1, 1), bool), 4), 1),
    ],
)
def test_corners_around_enclose_what_they_go_around(mask, least):
    corners = examples.corners_around(mask)
    drawn = polygon_mask(corners, mask.shape)
    assert 3 <= len(corners) <= 12 and all(mask[y, x] for x, y in corners)
    assert (drawn & mask).sum() / (drawn | mask).sum() >= least


@pytest.mark.parametrize("grid", [(8, 14), (16, 28)])
def test_a_cell_inside_one_at_the_edge_and_one_outside(grid):
    mask = np.zeros((64, 112), bool)
    mask[20:52, 12:50] = True
    cells = examples.inside_edge_outside(mask, grid)
    high, wide = 64 // grid[0], 112 // grid[1]
    held = {name: mask[r * high : (r + 1) * high, c * wide : (c + 1) * wide].mean() for name, (r, c) in cells.items()}
    assert held["inside"] == 1 and held["outside"] == 0 and 0.2 <= held["at the edge"] <= 0.8
    row, _ = cells["inside"]
    assert 20 + 8 <= (row + 0.5) * high <= 52 - 8 and cells["outside"][1] == grid[1] - 2
    for nothing in (mask & False, mask | True):
        assert len(examples.inside_edge_outside(nothing, grid)) == 3
