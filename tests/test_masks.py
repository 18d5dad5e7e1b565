"""Masks: what goes in comes out, ids are ids, and what would have to be guessed is refused."""

from itertools import product

import numpy as np
import pytest
from PIL import Image

from vos.files import VosError, written_whole
from vos.masks import (
    LEAST_PROBABLE,
    PALETTE,
    VOID,
    best_threshold,
    merge_objects,
    object_ids,
    overlay,
    read_mask,
    write_mask,
)


def test_palette_is_that_of_davis():
    assert PALETTE[:4].tolist() == [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]]
    assert PALETTE[VOID].tolist() == [224, 224, 192]


def test_round_trip_keeps_ids(tmp_path):
    ids = np.array([[0, 1, 7], [9, 254, 255]], np.uint8)
    write_mask(tmp_path / "m.png", ids)
    assert (read_mask(tmp_path / "m.png") == ids).all()
    assert Image.open(tmp_path / "m.png").mode == "P"


def test_black_and_white_is_one_object(tmp_path):
    """DAVIS-2016: 255 is the object there, not void."""
    Image.fromarray(np.array([[0, 255], [255, 0]], np.uint8)).save(tmp_path / "grey.png")
    assert read_mask(tmp_path / "grey.png").tolist() == [[0, 1], [1, 0]]
    write_mask(tmp_path / "palette.png", np.array([[0, 255]], np.uint8))
    assert read_mask(tmp_path / "palette.png").tolist() == [[0, VOID]]


def test_stretching_makes_no_new_ids(tmp_path):
    ids = np.zeros((60, 80), np.uint8)
    ids[10:40, 20:60] = 6
    write_mask(tmp_path / "m.png", ids)
    assert object_ids(read_mask(tmp_path / "m.png", (17, 23))) == [6]
    assert read_mask(tmp_path / "m.png", (17, 23)).shape == (17, 23)


@pytest.mark.parametrize(
    ("save", "words"),
    [
        (lambda p: Image.new("RGB", (4, 4)).save(p), "RGB"),
        (lambda p: Image.fromarray(np.zeros((4, 4), np.uint16)).save(p), "I;16"),
        (lambda p: p.write_bytes(b""), "cannot be read"),
        (lambda p: p.write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 40), "cannot be read"),
        (lambda p: None, "no such mask"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, save, words):
    path = tmp_path / "mask.png"
    save(path)
    with pytest.raises(VosError, match=words) as error:
        read_mask(path)
    assert str(path) in str(error.value)


def test_merge_gives_exactly_the_ids_there_are():
    p = np.array([[[0.9, 0.2, 0.6, 0.5]], [[0.1, 0.3, 0.7, 0.4]]])
    assert merge_objects(p, [3, 8]).tolist() == [[3, 0, 8, 0]]
    assert merge_objects(np.zeros((0, 2, 3)), []).shape == (2, 3)


def test_an_absent_object_stays_absent():
    """No per-frame stretching that lifts the largest of small probabilities to 1."""
    assert not merge_objects(np.full((1, 3, 3), 0.01) * np.arange(9).reshape(1, 3, 3), [1]).any()


def test_each_object_has_its_own_threshold():
    p = np.array([[[0.9, 0.4, 0.3, 0.3]], [[0.1, 0.45, 0.35, 0.2]]])
    assert merge_objects(p, [3, 8], [0.25, 0.5]).tolist() == [[3, 3, 3, 3]]
    assert merge_objects(p, [3, 8], [0.5, 0.25]).tolist() == [[3, 8, 8, 0]]


@pytest.mark.parametrize("seed", range(20))
def test_no_mask_has_a_higher_expected_J_than_the_one_of_the_best_threshold(seed):
    """Against all 2^9 masks of nine pixels, some of them nearly sure, some not."""
    rng = np.random.default_rng(seed)
    p = rng.random((3, 3)) ** rng.choice([0.3, 1, 3])

    def expected_J(mask):
        return p[mask].sum() / (mask.sum() + p[~mask].sum())

    every = [np.array(bits, bool).reshape(3, 3) for bits in product((0, 1), repeat=9)]
    chosen = expected_J(p > best_threshold(p))
    assert chosen == pytest.approx(max(expected_J(mask) for mask in every), abs=1e-12)


def test_a_faint_cloud_is_not_painted():
    assert best_threshold(np.full((4, 4), 0.03)) == LEAST_PROBABLE
    assert best_threshold(np.zeros((4, 4))) == LEAST_PROBABLE
    assert best_threshold(np.ones((4, 4))) == 0.5


def test_overlay_strength():
    frame, ids = np.full((8, 8, 3), 100, np.uint8), np.zeros((8, 8), np.uint8)
    ids[2:6, 2:6] = 1
    assert (overlay(frame, ids, 0) == frame).all()
    assert overlay(frame, ids, 1)[4, 4].tolist() == PALETTE[1].tolist()
    assert (overlay(frame, ids, 1)[0, 0] == 100).all()


def test_nothing_is_left_half_written(tmp_path):
    path = tmp_path / "out.png"
    path.write_text("old")
    with pytest.raises(RuntimeError), written_whole(path) as temporary:
        temporary.write_text("ne")
        raise RuntimeError
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["out.png"]
