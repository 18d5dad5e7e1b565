"""Shapes, pen, creatures, scenes and camera of the drawn videos."""

import math

import numpy as np
import pytest

from vos.synthetic.creatures import CATEGORIES
from vos.synthetic.pen import Pen, noise_tile, pattern_tile
from vos.synthetic.plan import curve
from vos.synthetic.scenes import SCENES, paint_scene
from vos.synthetic.shapes import block, capsule, chain, ellipse, polygon, rgb, union
from vos.synthetic.video import appear, view


def canvas(height: int = 120, width: int = 160) -> tuple[np.ndarray, np.ndarray]:
    return np.full((3, height, width), 0.5, np.float32), np.zeros((height, width), np.uint8)


SHAPES = {
    "capsule": (capsule((0, 0), (2, 0), 1), (1, -2), 1.0),
    "tapered": (capsule((0, 0), (2, 0), 1, 0.5), (3, 0), 0.5),
    "centre of an ellipse": (ellipse((1, 1), 3, 2), (1, 1), -2.0),
    "circle": (ellipse((1, 1), 2, 2), (1, 4), 1.0),
    "ellipse": (ellipse((0, 0), 3, 1, math.pi / 2), (0, 3), 0.0),
    "polygon": (polygon([(0, 0), (2, 0), (2, 2), (0, 2)]), (1, 1), -1.0),
    "outside a polygon": (polygon([(0, 0), (2, 0), (2, 2), (0, 2)]), (3, 1), 1.0),
    "rounded polygon": (polygon([(0, 0), (2, 0), (2, 2), (0, 2)], 0.5), (3, 1), 0.5),
    "block": (block(-1, -1, 1, 1, 0.5), (2, 0), 1.0),
    "chain": (chain([(0, 0), (1, 0), (1, 1)], 0.2, 0.2), (1.5, 1), 0.3),
    "union": (union(ellipse((0, 0), 1, 1), ellipse((4, 0), 1, 1)), (2.5, 0), 0.5),
}


@pytest.mark.parametrize("name", SHAPES)
def test_distance(name: str) -> None:
    shape, (u, v), expected = SHAPES[name]
    distance = shape.distance(np.array([[u]], np.float32), np.array([[v]], np.float32))
    np.testing.assert_allclose(distance, expected, atol=1e-5)


@pytest.mark.parametrize("name", SHAPES)
def test_bounds_hold_the_shape(name: str) -> None:
    shape = SHAPES[name][0]
    v, u = np.mgrid[-6:6:0.05, -6:6:0.05].astype(np.float32)
    inside = shape.distance(u, v) < -1e-3
    left, top, right, bottom = shape.bounds
    assert inside.any()
    assert left <= u[inside].min() and u[inside].max() <= right
    assert top <= v[inside].min() and v[inside].max() <= bottom


def test_circle_covers_its_area() -> None:
    color, ids = canvas()
    Pen(color, ids, 7, 80, 60, 40).fill(ellipse((0, 0), 1, 1), rgb("#ff0000"))
    assert set(np.unique(ids)) == {0, 7}
    assert abs((ids == 7).sum() / (math.pi * 40**2) - 1) < 0.01
    assert color.dtype == np.float32 and color[0, 60, 80] > 0.9 > 0.1 > color[1, 60, 80]


def test_facing_left_mirrors_the_mask() -> None:
    masks = []
    for facing in (1, -1):
        color, ids = canvas(121, 161)
        CATEGORIES["tiger"].draw(Pen(color, ids, 1, 80, 110, 80, facing=facing), 0.7, (0.5,) * 6)
        masks.append(ids)
    assert (masks[0] != masks[1][:, ::-1]).mean() < 2e-3
    assert (masks[0] != masks[1]).mean() > 0.02


def test_pen_off_the_canvas_paints_nothing() -> None:
    color, ids = canvas()
    Pen(color, ids, 1, -500, 60, 40).fill(ellipse((0, 0), 1, 1), rgb("#ff0000"))
    Pen(color, ids, 1, -500, 60, 40).soft((0, 0), 1, 1, rgb("#ff0000"), 1)
    assert not ids.any() and (color == 0.5).all()


@pytest.mark.parametrize("name", CATEGORIES)
def test_categories_move_and_cover_the_area_they_claim(name: str) -> None:
    entry = CATEGORIES[name]
    areas, pictures = [], []
    for phase in np.arange(4) * math.pi / 2:
        color, ids = canvas(400, 400)
        entry.draw(Pen(color, ids, 1, 200, 240, 100), float(phase) + 0.4, (0.3, 0.6, 0.4, 0.2, 0.5, 0.5))
        areas.append(ids.sum() / 100**2)
        pictures.append(color)
    assert 0.6 < np.mean(areas) / entry.area < 1.6
    assert any((picture != pictures[0]).sum() > 200 for picture in pictures[1:])


def test_tiles_join_at_their_edges() -> None:
    tile = noise_tile(0)
    assert np.abs(tile[0] - tile[-1]).max() < 4 * np.abs(np.diff(tile, axis=0)).max()
    assert tile.min() == 0 and tile.max() == 1
    with pytest.raises(ValueError, match="tartan"):
        pattern_tile("tartan")


@pytest.mark.parametrize("name", SCENES)
def test_scenes_are_textured(name: str) -> None:
    picture = paint_scene(name, np.random.Generator(np.random.PCG64(1)), 120, 200)
    assert picture.shape == (3, 120, 200) and picture.dtype == np.float32
    assert np.isfinite(picture).all() and -0.2 < picture.min() and picture.max() < 1.3
    assert np.abs(np.diff(picture, axis=2)).mean() > 0.001


def test_view_moves_by_parts_of_a_pixel() -> None:
    slope = np.broadcast_to(np.arange(60, dtype=np.float32), (3, 40, 60)).copy()
    still = view(slope, (20, 30), (0, 0, 1))
    np.testing.assert_allclose(view(slope, (20, 30), (0.25, 0, 1)), still + 0.25, atol=1e-4)
    np.testing.assert_allclose(view(slope, (20, 30), (0, 3.5, 1)), still, atol=1e-4)
    assert np.ptp(view(slope, (20, 30), (0, 0, 2))) == pytest.approx(np.ptp(still) / 2, abs=1e-3)


def test_curve_goes_through_its_points() -> None:
    assert [curve((3, 7, 5), tau) for tau in (0, 0.5, 1)] == [3, 7, 5]


def test_slivers_before_an_object_appears_are_erased() -> None:
    masks = {f"{k:05d}": np.zeros((50, 50), np.uint8) for k in range(4)}
    for name, rows in zip(masks, (1, 4, 40, 0), strict=True):
        masks[name][:rows] = 3
    assert appear(masks, 3, 0.25) == ["00002"]
    assert not masks["00001"].any() and masks["00002"].any()
