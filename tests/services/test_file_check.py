"""What is wrong with the files is said at once, before any pixel is read; lenient scoring counts what is missing."""

import shutil

import numpy as np
import pytest
from helpers.scored_folders import scores, square, write_two_videos, write_video, write_youtube_vos
from PIL import Image

from vos.files import VosError
from vos.masks import write_mask
from vos.scoring.evaluate import evaluate
from vos.scoring.file_check import notices, summary
from vos.scoring.protocols import Rules

LENIENT = Rules(lenient=True)


@pytest.fixture
def two_videos(tmp_path):
    return write_two_videos(tmp_path)


def test_all_that_is_wrong_is_said_at_once(two_videos, monkeypatch):
    truth, prediction = two_videos
    write_video(truth / "c", [square()] * 5)
    for folder in (truth, prediction):
        write_video(folder / "d", [square()] * 5)
    (prediction / "a" / "00001.png").unlink()
    (prediction / "a" / "00003.png").unlink()
    write_mask(prediction / "b" / "00002.png", square(shape=(20, 30)))
    Image.fromarray(square()).save(prediction / "d" / "00001.png", format="JPEG")
    Image.fromarray(square()).save(prediction / "d" / "00002.png", format="TIFF")
    (truth / "d" / "00003.png").write_bytes(b"no image")
    monkeypatch.setattr("vos.scoring.evaluate.read_mask", lambda path: pytest.fail("the long work has started"))
    with pytest.raises(VosError) as caught:
        evaluate(truth, prediction)
    of_truth, of_prediction = str(caught.value).split(f"; {prediction}: ")
    assert of_truth.startswith(f"{truth}: 1 file that cannot be a mask: d (00003.png is unreadable); the truth must")
    assert of_prediction.split("; ")[:-1] == [
        "2 masks missing: a (00001.png, 00003.png)",
        "1 mask of the wrong size: b (00002.png is 30x20, not 40x24)",
        "1 video missing: c",
        "2 files that cannot be a mask: d (00001.png is JPEG, not PNG, 00002.png is TIFF, not PNG)",
    ]
    assert "\n" not in str(caught.value)


def test_what_is_not_scored_may_be_missing(two_videos):
    truth, prediction = two_videos
    for name in ("00000.png", "00004.png"):
        (prediction / "a" / name).unlink()
    result = evaluate(truth, prediction)
    assert scores(result, "a", 1)["frames"] == ["00001", "00002", "00003"]
    assert result["missing"] == result["extra"] == []


def test_thousands_of_names_stay_readable():
    names = [f"video{v:03}/{t:05}.png" for v in range(300) for t in range(70)]
    text = summary("mask", "missing", names)
    assert text.startswith("21000 masks missing: video000 (00000.png, 00001.png, 00002.png and 67 more), video001 (")
    assert text.endswith(" and 290 more") and len(text) < 700
    assert summary("video", "missing", ["x"]) == "1 video missing: x"


def test_absent_and_empty_folders(two_videos, tmp_path):
    truth, prediction = two_videos
    for pair in ((tmp_path / "none", prediction), (truth, tmp_path / "none")):
        with pytest.raises(VosError, match="none: no such folder"):
            evaluate(*pair)
    with pytest.raises(VosError, match=r"here and .*there: no such folder"):
        evaluate(tmp_path / "here", tmp_path / "there", rules=LENIENT)
    (tmp_path / "empty").mkdir()
    with pytest.raises(VosError, match="holds no PNG masks"):
        evaluate(tmp_path / "empty", prediction)
    for video in ("x", "y"):
        write_video(tmp_path / "short" / video, [square()] * 2)
    with pytest.raises(VosError, match="short: x, y needs at least 3"):
        evaluate(tmp_path / "short", prediction)
    with pytest.raises(ValueError, match=r"protocol must be one of .*'coco'"):
        evaluate(truth, prediction, protocol="coco")
    with pytest.raises(ValueError, match="workers must be at least 1, not 0"):
        evaluate(truth, prediction, workers=0)


def test_lenient_counts_what_is_missing_as_empty(two_videos):
    truth, prediction = two_videos
    write_video(truth / "c", [square()] * 3 + [np.zeros((24, 40), np.uint8)] * 2)
    (prediction / "a" / "00002.png").unlink()
    result = evaluate(truth, prediction, rules=LENIENT)
    assert scores(result, "a", 1)["J"] == [80 / 120, 0.0, 80 / 120]
    assert scores(result, "c", 1)["J"] == [0.0, 0.0, 1.0]  # nothing predicted where nothing is
    assert result["missing"] == ["a/00002.png", "c/00001.png", "c/00002.png", "c/00003.png"]
    empty = np.zeros((24, 40), np.uint8)
    write_mask(prediction / "a" / "00002.png", empty)
    write_video(prediction / "c", [empty] * 5)
    written = evaluate(truth, prediction, rules=LENIENT)
    assert written["objects"] == result["objects"] and written["missing"] == []
    shutil.rmtree(prediction / "b")
    (prediction / "a" / "00002.png").unlink()
    with pytest.raises(VosError, match=r"1 mask missing: a \(00002\.png\); 1 video missing: b;"):
        evaluate(truth, prediction)


def test_lenient_forgives_nothing_else(two_videos):
    truth, prediction = two_videos
    (prediction / "a" / "00001.png").unlink()
    write_mask(prediction / "b" / "00002.png", square(shape=(20, 30)))
    (prediction / "b" / "00003.png").write_bytes(b"no image")
    with pytest.raises(VosError) as caught:
        evaluate(truth, prediction, rules=LENIENT)
    assert "30x20, not 40x24" in str(caught.value) and "00003.png is unreadable" in str(caught.value)
    assert "missing" not in str(caught.value)


def test_what_the_truth_does_not_have_is_a_notice(two_videos):
    truth, prediction = two_videos
    write_video(prediction / "z", [square()] * 3)
    write_mask(prediction / "a" / "00009.png", square())
    (prediction / "notes").mkdir()
    result = evaluate(truth, prediction)
    assert result["extra"] == ["z", "a/00009.png"]
    assert notices(["b/00001.png"], result["extra"]) == [
        "1 mask missing and counted as empty: b (00001.png)",
        "1 video that the truth does not have, not scored: z",
        "1 mask that the truth does not have, not scored: a (00009.png)",
    ]
    assert notices([], []) == []
    assert evaluate(truth, prediction, videos=["b"])["extra"] == ["z"]  # a is known, and not asked for
    assert evaluate(truth / "b", prediction)["extra"] == []
    assert evaluate(truth / "a", prediction / "a")["extra"] == ["a/00009.png"]


def test_broken_youtube_vos_truth(tmp_path):
    truth, maps = write_youtube_vos(tmp_path)
    write_video(tmp_path / "prediction" / "v", maps[:5])
    (truth / "Annotations" / "v" / "00004.png").unlink()
    with pytest.raises(
        VosError, match=r"Annotations: 1 mask missing: v \(00004.*prediction: 1 mask missing: v \(00005"
    ):
        evaluate(truth, tmp_path / "prediction", "youtube-vos")
    with pytest.raises(VosError, match=r"Annotations: 1 mask missing: v \(00004"):
        evaluate(truth, tmp_path / "prediction", "youtube-vos", LENIENT)
