"""A drawing without a screen: polygons at the frame's size, objects, strokes, and a way back from everything."""

import numpy as np
import pytest

from vos.course.drawing import Drawing, State, box_of, stroke_mask
from vos.files import VosError
from vos.video.drawn import box_corners, polygon_mask

SQUARE = [(2, 1), (5, 1), (5, 3), (2, 3)]


@pytest.mark.parametrize(
    ("points", "rows", "columns"),
    [
        (SQUARE, slice(1, 4), slice(2, 6)),  # the outline belongs to it
        (SQUARE[::-1], slice(1, 4), slice(2, 6)),  # either way round
        ([(1.6, 0.7), (5.4, 1.2), (5, 3), (2, 2.8)], slice(1, 4), slice(2, 6)),  # to the nearest pixels
        ([(-9, -9), (30, -9), (30, 2), (-9, 2)], slice(0, 3), slice(0, 10)),  # cut off at the frame
        ([(0, 0), (9, 0), (9, 7), (0, 7)], slice(0, 8), slice(0, 10)),  # all of it
        ([(4, 4), (4, 4), (4, 4)], slice(4, 5), slice(4, 5)),  # one pixel
    ],
)
def test_polygons(points, rows, columns):
    right = np.zeros((8, 10), bool)
    right[rows, columns] = True
    assert (polygon_mask(points, (8, 10)) == right).all()


def test_a_polygon_has_its_area_whatever_the_frames_size():
    shape = np.array([(0.2, 0.1), (0.8, 0.25), (0.6, 0.9), (0.15, 0.7)])
    x, y = shape.T
    area = abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
    for height, width in ((1080, 1920), (1920, 1080), (301, 97)):
        mask = polygon_mask([*(shape * (width, height))], (height, width))
        assert mask.shape == (height, width) and mask.mean() == pytest.approx(area, rel=0.03)


@pytest.mark.parametrize(
    ("points", "words"),
    [([], "0 corners"), (SQUARE[:2], "2 corners"), ([(20, 20), (30, 20), (30, 30)], "outside the frame")],
)
def test_what_is_no_polygon(points, words):
    with pytest.raises(VosError, match=words):
        polygon_mask(points, (8, 10))


@pytest.mark.parametrize("box", [(2, 1, 4, 3), (0, 0, 10, 8), (9, 7, 1, 1), (3, 2, 1, 5)])
def test_a_box_and_its_corners_are_the_same(box):
    assert box_of(polygon_mask(box_corners(*box), (8, 10))) == box


def test_strokes_are_as_wide_as_the_brush():
    assert stroke_mask([(10, 10)], 8, (20, 40)).sum() == pytest.approx(np.pi * 16, rel=0.25)
    line = stroke_mask([(5, 10), (35, 10)], 6, (20, 40))
    assert 6 <= line[:, 20].sum() <= 7 and line[10, 3:38].all() and not line[:5].any()


def drawn(drawing: Drawing, points=SQUARE) -> Drawing:
    for point in points:
        drawing.add_corner(point)
    drawing.close()
    return drawing


def test_objects_get_ids_in_order_and_later_ones_lie_on_top():
    drawing = drawn(Drawing((8, 10)))
    assert drawing.new_object() == 2
    drawn(drawing, [(4, 2), (8, 2), (8, 6), (4, 6)])
    ids = drawing.id_map
    assert ids.dtype == np.uint8 and ids.shape == (8, 10)
    assert (ids == 1).sum() == 12 - 4 and (ids == 2).sum() == 25
    assert drawing.areas == {1: 8 / 80, 2: 25 / 80}
    drawing.choose(1)
    assert drawing.new_object() == 3
    assert drawing.new_object() == 3, "one of which nothing is drawn is enough"


def test_every_step_can_be_undone():
    """A walk through all kinds of steps, back by as many: each state is met again, and at last nothing."""
    drawing, seen = Drawing((8, 10)), []
    steps = [
        *(lambda p=p: drawing.add_corner(p) for p in SQUARE),
        drawing.close,
        lambda: drawing.add_stroke([(7, 6), (9, 6)], 2),
        lambda: drawing.add_stroke([(3, 2)], 1, erase=True),
        lambda: drawing.add_corner((0, 0)),
        drawing.drop_corners,
        drawing.clear,
    ]
    for step in steps:
        seen.append((drawing.state, drawing.id_map))
        step()
    assert drawing.state == State() and not drawing.id_map.any()
    for state, ids in reversed(seen):
        assert drawing.undo()
        assert drawing.state == state and (drawing.id_map == ids).all()
    assert not drawing.undo()


def test_undoing_a_closed_polygon_opens_it_again():
    drawing = drawn(Drawing((8, 10)))
    drawing.undo()
    assert drawing.state.corners == tuple(SQUARE) and not drawing.id_map.any()
    drawing.undo()
    assert drawing.state.corners == tuple(SQUARE[:3])


def test_the_eraser_takes_from_every_object():
    drawing = drawn(Drawing((8, 10)))
    drawing.new_object()
    drawn(drawing, [(6, 1), (9, 1), (9, 3), (6, 3)])
    drawing.add_stroke([(0, 2), (9, 2)], 1, erase=True)
    assert not drawing.id_map[2].any() and {*np.unique(drawing.id_map)} == {0, 1, 2}
    drawing.add_stroke([(0, 0), (9, 7)], 30, erase=True)
    assert drawing.areas == {} and drawing.drawn == [1, 2]


@pytest.mark.parametrize(("corners", "area"), [(4, 12), (3, 8), (2, 0), (1, 0), (0, 0)])
def test_what_is_open_is_closed_when_something_else_begins(corners, area):
    for begin in (Drawing.new_object, lambda d: d.choose(1), Drawing.settle):
        drawing = Drawing((8, 10))
        for point in SQUARE[:corners]:
            drawing.add_corner(point)
        begin(drawing)
        assert drawing.state.corners == ()
        assert (drawing.id_map == 1).sum() == pytest.approx(area, abs=1)


def test_an_open_polygon_does_not_close_before_its_third_corner():
    drawing = Drawing((8, 10))
    for point in SQUARE[:2]:
        drawing.add_corner(point)
        assert not drawing.close() and drawing.state.shapes == ()


def test_points_beside_the_frame_are_drawn_in():
    drawing = drawn(Drawing((8, 10)), [(-5, -5), (30, -5), (30, 30), (-5, 30)])
    assert (drawing.id_map == 1).all()


def test_the_id_map_is_the_callers_own():
    drawing = drawn(Drawing((8, 10)))
    drawing.id_map[:] = 9
    assert {*np.unique(drawing.id_map)} == {0, 1}
