"""The fault laboratory: a right prediction is perfect, and faults leave their marks on masks whose answer is known."""

import numpy as np
import pytest
import torch
from PIL import Image

from vos.course import faults
from vos.course.faults import RUNS, WRITES, fingerprint, frame_order
from vos.course.widgets import fault_chooser
from vos.data import Video, VideoObject
from vos.inference import inference_config, object_probabilities
from vos.masks import write_mask
from vos.networks import build

SIZE = (64, 112)


@pytest.fixture(scope="module")
def course_model():
    torch.manual_seed(0)
    return build("base", "course").eval()


def planted(name):
    return next(fault.plant for fault in (*WRITES, *RUNS) if fault.name == name)


@pytest.fixture
def video(tmp_path):
    """Four frames with two squares, the second from frame 1 on; ids 1 and 3."""
    frames, masks = [], []
    for t in range(4):
        frames.append(tmp_path / f"{t:05d}.jpg")
        Image.fromarray(np.random.default_rng(t).integers(0, 255, (*SIZE, 3), np.uint8)).save(frames[-1])
        ids = np.zeros(SIZE, np.uint8)
        ids[8:40, 8 + 4 * t : 40 + 4 * t] = 1
        if t:
            ids[20:60, 60:100] = 3
        masks.append(frames[-1].with_suffix(".png"))
        write_mask(masks[-1], ids)
    objects = (VideoObject(1, "tiger", 0, (0, 1, 2, 3)), VideoObject(3, "bird", 1, (1, 2, 3)))
    return Video("squares", tuple(frames), tuple(masks), objects)


def true_maps(video):
    """Probabilities that are the truth."""
    for index in range(len(video)):
        ids = [item.id for item in video.objects if item.first < index]
        truth = video.mask(index)
        yield ids, torch.from_numpy(np.stack([truth == n for n in ids]) if ids else np.zeros((0, *SIZE))).float()


def scores(video, name):
    return fingerprint([video], true_maps, planted(name), lambda category: category == "tiger")


def test_the_right_way_is_perfect(video):
    assert set(scores(video, "none").values()) == {1.0}


@pytest.mark.parametrize(
    ("fault", "J", "F"),
    [
        ("palette read as grey", 0, 0),
        ("0 and 255 for ids", 0, 0),
        ("ids off by one", 0, 0),
        ("probabilities to uint8", 1, 1),  # 1.0 is the one value that survives
        ("threshold 0.9", 1, 1),
    ],
)
def test_what_a_fault_leaves_of_a_perfect_prediction(video, fault, J, F):
    found = scores(video, fault)
    assert (found["J"], found["F"]) == (J, F)


def test_permuted_ids_and_all_as_one(video):
    assert scores(video, "ids permuted")["J"] < 0.05
    found = scores(video, "all objects are id 1")
    assert found["J_unseen"] == 0 and 0.2 < found["J_seen"] < 0.8  # id 3 is gone, id 1 holds both


def test_interpolated_grey_keeps_a_ring_and_loses_the_inside(video):
    write, (ids, p) = planted("grey, interpolated"), list(true_maps(video))[3]
    found, scale = write(p, ids, (720, 1260)), 720 / 64
    top, left, bottom, right = (round(scale * edge) for edge in (8, 20, 40, 52))  # of the square with id 1
    assert set(np.unique(found[top + 12 : bottom - 12, left + 12 : right - 12])) == {38}  # its dark red, as grey
    ring = found == 1
    assert ring.any() and ring.sum() < 0.1 * 32 * 32 * scale**2


@pytest.mark.parametrize("fault", [fault.name for fault in WRITES])
def test_every_fault_of_writing_gives_an_id_map(video, fault):
    for ids, p in list(true_maps(video))[1:]:
        found = planted(fault)(p, ids, (100, 150))
        assert found.shape == (100, 150) and found.dtype == np.uint8


def test_frames_sorted_as_text():
    assert frame_order(12) == [0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9]


def test_running_without_a_fault_is_the_package_s_own(video, course_model):
    config = inference_config(course_model.config)
    ours = list(faults.run(course_model, video))
    theirs = list(object_probabilities(course_model, video, type(config)(mirror=False)))
    for (ids, p), (their_ids, their_p) in zip(ours, theirs, strict=True):
        assert ids == their_ids
        torch.testing.assert_close(p, their_p)


@pytest.mark.parametrize("fault", [fault.name for fault in RUNS])
def test_every_fault_of_running_changes_what_the_model_says_and_not_the_model(video, course_model, fault):
    before = {name: value.clone() for name, value in course_model.state_dict().items()}
    right, wrong = (list(run(course_model, video)) for run in (faults.run, planted(fault)))
    same = [a[0] == b[0] and torch.equal(a[1], b[1]) for a, b in zip(right, wrong, strict=True)]
    expected = fault == "frames sorted as text" or (fault == "state restarted")  # of four frames, these change none
    assert all(same) == expected
    assert all(torch.equal(value, before[name]) for name, value in course_model.state_dict().items())


def test_the_chooser_follows_its_controls(video):
    kept = {video.name: list(true_maps(video))}
    chooser = fault_chooser([video], kept, WRITES)
    (fault_box, _), frame, picture, caption = chooser.children[0].children, *chooser.children[1:]
    first = picture.value
    fault_box.value = [fault.name for fault in WRITES].index("0 and 255 for ids")
    assert picture.value != first and "values 0 255; J 0.000" in caption.value
    frame.value = 3
    assert "values 0 1 3; J 1.000" in caption.value
    with pytest.raises(ValueError, match="at least one video"):
        fault_chooser([], kept, WRITES)
