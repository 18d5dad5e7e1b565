"""The painter without a browser: its canvas is told where the mouse is, its buttons are clicked by program."""

import sys

import numpy as np
import pytest
from PIL import Image

from vos.config import PRESETS
from vos.course.following import Film, follow
from vos.files import VosError
from vos.masks import read_mask
from vos.networks import BaseModel
from vos.video import read_video, video_info, write_overlay
from vos.video.drawn import polygon_mask

pytest.importorskip("ipycanvas", reason="drawing needs the extra 'widget'")
pytest.importorskip("av", reason="playing needs the extra 'video'")

from vos.course.painter import BRUSH, ERASER, Painter

SQUARE = [(10, 10), (30, 10), (30, 25), (10, 25)]


def frames_of(size: tuple[int, int], count: int = 4) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.integers(0, 255, (*size, 3), np.uint8) for _ in range(count)]


@pytest.fixture(scope="module")
def model():
    return BaseModel(PRESETS["course"])


def click(painter: Painter, *points) -> None:
    """Click on pixels (x, y) of the frame."""
    for point in points:
        place = painter.easel.place(point)
        painter.easel.move(*place)
        painter.easel.press(*place)
        painter.easel.release(*place)


def drag(painter: Painter, *points) -> None:
    """Drag over pixels (x, y) of the frame."""
    places = [painter.easel.place(point) for point in points]
    painter.easel.press(*places[0])
    for place in places[1:]:
        painter.easel.move(*place)
    painter.easel.release(*places[-1])


@pytest.mark.parametrize("size", [(1080, 1920), (1920, 1080), (256, 448), (45, 61)])
def test_what_is_clicked_lies_where_it_was_at_the_frames_own_size(size):
    painter = Painter(frames_of(size, 1))
    height, width = painter.easel.view
    assert height <= 540 and width <= 720 and (height == 540 or width == 720)
    assert height / width == pytest.approx(size[0] / size[1], rel=0.01)
    corners = [(round(x * size[1]), round(y * size[0])) for x, y in ((0.2, 0.2), (0.8, 0.3), (0.5, 0.9))]
    click(painter, *corners, corners[0])
    assert painter.id_map.shape == size and painter.id_map.dtype == np.uint8
    assert (painter.id_map == polygon_mask(corners, size)).all()


def test_three_ways_to_close():
    for end in (
        lambda p: click(p, SQUARE[-1]),  # a double click
        lambda p: click(p, SQUARE[0]),
        lambda p: p.easel.key("Enter"),
    ):
        painter = Painter(frames_of((64, 112)))
        click(painter, *SQUARE)
        assert "4 corners" in painter.hint.value and not painter.id_map.any()
        end(painter)
        assert (painter.id_map == polygon_mask(SQUARE, (64, 112))).all()
        assert "Object 1 covers" in painter.hint.value


@pytest.mark.parametrize(
    ("key", "held", "corners"),
    [("Backspace", {}, 2), ("z", {"ctrl": True}, 2), ("Z", {"meta": True}, 2), ("z", {}, 3), ("Escape", {}, 0)],
)
def test_keys_that_take_back(key, held, corners):
    painter = Painter(frames_of((64, 112)))
    click(painter, *SQUARE[:3])
    painter.easel.key(key, **held)
    assert len(painter.drawing.state.corners) == corners


def test_objects_by_button_and_key():
    painter = Painter(frames_of((64, 112)))
    assert painter.another.disabled and painter.back.disabled
    click(painter, *SQUARE, SQUARE[-1])
    painter.another.click()
    click(painter, (60, 20), (90, 20), (90, 50), (60, 20))
    painter.easel.key("n")
    click(painter, (60, 5), (90, 5), (90, 10))
    painter.easel.key("1")  # which closes what is open
    assert {*np.unique(painter.id_map)} == {0, 1, 2, 3} and painter.drawing.state.current == 1
    assert [chip.description[:8] for chip in painter.chips.children] == ["object 1", "object 2", "object 3", "New obje"]
    assert [bool(chip.icon) for chip in painter.chips.children[:3]] == [True, False, False]
    painter.chips.children[1].click()
    assert painter.drawing.state.current == 2


def test_brush_and_eraser():
    painter = Painter(frames_of((64, 112)))
    painter.tool.value = BRUSH
    painter.brush.value = 60
    drag(painter, (20, 30), (90, 30))
    rows, columns = np.nonzero(painter.id_map)
    assert np.ptp(rows) + 1 == pytest.approx(60 / painter.easel.scale, abs=1.5) and columns.min() < 20
    painter.tool.value = ERASER
    drag(painter, (55, 0), (55, 63))
    assert not painter.id_map[:, 55].any() and painter.id_map[30, 40] == 1
    drag(painter, (200, 200), (40, 30))  # from outside
    painter.easel.leave()
    painter.anew.click()
    assert not painter.id_map.any()


def test_each_frame_has_its_drawing():
    painter = Painter(frames_of((64, 112)))
    click(painter, *SQUARE)
    painter.slider.value = 2
    assert painter.frame_index == 2 and not painter.id_map.any() and "drawing on frame 0" in painter.hint.value
    painter.slider.value = 0
    assert painter.id_map.any(), "it was closed when the frame was left"


def test_follow_play_save(model, tmp_path):
    painter = Painter(frames_of((64, 112), 5), model, tmp_path / "out")
    assert painter.run.disabled and painter.keep.disabled
    painter.slider.value = 1
    click(painter, *SQUARE)
    painter.run.click()
    assert painter.player.children[1].value[4:8] == b"ftyp" and not painter.keep.disabled
    painter.keep.click()
    assert "Saved 5 masks" in painter.hint.value
    names = {path.name for path in (tmp_path / "out").iterdir()}
    pictures = {"first_mask.png", "first_mask.jpg", "contact_sheet.jpg"}
    assert names == {"masks", "overlay.mp4", "made_by_vos.json", *pictures}
    assert [path.name for path in sorted((tmp_path / "out/masks").iterdir())] == [f"{t:05d}.png" for t in range(5)]
    first = polygon_mask(SQUARE, (64, 112))
    assert not read_mask(tmp_path / "out/masks/00000.png").any()
    assert (read_mask(tmp_path / "out/masks/00001.png") == first).all()
    assert (read_mask(tmp_path / "out/first_mask.png") == first).all()
    assert video_info(tmp_path / "out/overlay.mp4").size == (64, 112)


def test_a_folder_of_the_users_is_not_touched(model, tmp_path):
    (tmp_path / "00000.png").write_bytes(b"mine")
    painter = Painter(frames_of((64, 112), 2), model, tmp_path)
    click(painter, *SQUARE)
    painter.run.click()
    painter.keep.click()
    assert "may be yours" in painter.hint.value
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"mine"]


def test_a_shorter_result_leaves_nothing_of_the_longer_one(model, tmp_path):
    ids = polygon_mask(SQUARE, (64, 112)).astype(np.uint8)
    for count in (4, 2):
        follow(model, Film(frames_of((64, 112), count)), ids).save(tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out/masks").iterdir()) == ["00000.png", "00001.png"]


def test_a_film_from_a_file_is_what_read_video_gives(model, tmp_path):
    path, shown = tmp_path / "clip.mp4", frames_of((64, 112), 8)
    write_overlay(path, shown, [np.zeros((64, 112), np.uint8)] * 8, 10)
    film = Film(path, every=2)
    assert (len(film), film.size, film.name) == (4, (64, 112), "clip")
    assert film.times == pytest.approx([0, 0.2, 0.4, 0.6])
    assert all((a == b).all() for a, b in zip(film.frames(), read_video(path, every=2), strict=True))
    assert Image.fromarray(film.picture(3)).size == (720, 411)
    result = follow(model, film, polygon_mask(SQUARE, (64, 112)).astype(np.uint8), start=3)
    assert len(result.mask_files) == 4 and video_info(result.folder / "overlay.mp4").seconds == pytest.approx(0.8)


def test_what_goes_wrong_is_said_below_the_canvas(model):
    painter = Painter(frames_of((64, 112), 2), model)
    painter.follow()
    assert "#B00020" in painter.hint.value and "must hold objects" in painter.hint.value


def test_without_ipycanvas_the_ways_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipycanvas", None)
    with pytest.raises(VosError, match=r"pip install 'vos\[widget\]'.*--box.*--polygon"):
        Painter(frames_of((8, 9)))


def test_no_frames():
    with pytest.raises(ValueError, match="at least one frame"):
        Film([])
