"""Scoring folders: the DAVIS toolkit's numbers to the last bit, YouTube-VOS style rules, and errors that say it all."""

import argparse
import json
import shutil

import numpy as np
import pytest
from golden_set import SYNTH, GoldenSet
from PIL import Image

from vos.evaluation import COLUMNS, add_arguments, evaluate, run, score_video, table_text
from vos.files import VosError
from vos.masks import write_mask


def square(object_id=1, shift=0, shape=(24, 40), size=10):
    """An id map with one square object."""
    ids = np.zeros(shape, np.uint8)
    ids[6 : 6 + size, 5 + shift : 5 + shift + size] = object_id
    return ids


def write_video(folder, maps):
    for t, ids in enumerate(maps):
        write_mask(folder / f"{t:05}.png", ids)


def write_grey(folder, maps):
    folder.mkdir(parents=True)
    for t, ids in enumerate(maps):
        Image.fromarray(np.where(ids > 0, 255, 0).astype(np.uint8)).save(folder / f"{t:05}.png")


def scores(result, video, object_id):
    (entry,) = [e for e in result["objects"] if (e["video"], e["object"]) == (video, object_id)]
    return entry


@pytest.fixture
def two_videos(tmp_path):
    """(truth, prediction) folders of two videos of 5 frames; the prediction is 2 pixels off."""
    for video in ("a", "b"):
        write_video(tmp_path / "truth" / video, [square()] * 5)
        write_video(tmp_path / "prediction" / video, [square(shift=2)] * 5)
    return tmp_path / "truth", tmp_path / "prediction"


def test_davis_toolkit_to_the_last_bit(tmp_path):
    golden = GoldenSet(SYNTH)
    case = golden.expected["evaluator"]
    for video, maps in case["videos"].items():
        write_video(tmp_path / "truth" / video, [golden[i] for i in maps["gt"]])
        write_video(tmp_path / "prediction" / video, [golden[i] for i in maps["pr"]])
    result = evaluate(tmp_path / "truth", tmp_path / "prediction", progress=False)
    expect = case["expect"]
    assert [f"{e['video']}_{e['object']}" for e in result["objects"]] == expect["objects"]
    for column, key in zip(COLUMNS, ("J_M", "J_R", "J_D", "F_M", "F_R", "F_D"), strict=True):
        assert [e[column].hex() for e in result["objects"]] == expect[key], column
    assert [result["global"][key].hex() for key in ("J&F", *COLUMNS)] == expect["global_"]


def test_first_and_last_frame_are_not_scored(tmp_path):
    write_video(tmp_path / "truth", [square()] * 4)
    wrong = square(shift=20)
    write_video(tmp_path / "prediction", [wrong, square(), square(), wrong])
    entry = evaluate(tmp_path / "truth", tmp_path / "prediction")["objects"][0]
    assert entry["frames"] == ["00001", "00002"]
    assert entry["J"] == entry["F"] == [1.0, 1.0]


def test_objects_keep_their_ids(tmp_path):
    """Ids 2 and 4 of the truth: 1 and 3 are scored as the toolkit does, and no id slips to its neighbour."""
    truth = square(2) + square(4, shift=15)
    write_video(tmp_path / "truth", [truth] * 3)
    write_video(tmp_path / "prediction", [np.where(truth == 4, 3, truth).astype(np.uint8)] * 3)
    result = evaluate(tmp_path / "truth", tmp_path / "prediction")
    assert {e["object"]: e["J_mean"] for e in result["objects"]} == {1: 1.0, 2: 1.0, 3: 0.0, 4: 0.0}


def test_void_of_the_truth_is_background_in_davis(tmp_path):
    truth = square()
    truth[:, 25:] = 255
    write_video(tmp_path / "truth", [truth] * 3)
    predicted = square()
    predicted[6:16, 25:35] = 1
    write_video(tmp_path / "prediction", [predicted] * 3)
    (entry,) = evaluate(tmp_path / "truth", tmp_path / "prediction")["objects"]
    assert entry["object"] == 1
    assert entry["J"] == [0.5]


@pytest.mark.parametrize("write_truth", [write_grey, write_video])
@pytest.mark.parametrize("write_prediction", [write_grey, write_video])
def test_black_and_white_is_one_object(tmp_path, write_truth, write_prediction):
    write_truth(tmp_path / "truth", [square()] * 3)
    write_prediction(tmp_path / "prediction", [square(shift=5)] * 3)
    (entry,) = evaluate(tmp_path / "truth", tmp_path / "prediction")["objects"]
    assert (entry["object"], entry["J"]) == (1, [50 / 150])


def test_an_id_that_the_truth_does_not_have_is_refused(tmp_path):
    write_video(tmp_path / "truth", [square()] * 3)
    write_video(tmp_path / "prediction", [square(), square(2), square()])
    with pytest.raises(VosError, match=r"00001\.png: holds object id 2.*1 to 1"):
        evaluate(tmp_path / "truth", tmp_path / "prediction")


def test_long_sequences(tmp_path):
    """300 frames, the object lost in the last quarter."""
    write_video(tmp_path / "truth", [square()] * 300)
    write_video(tmp_path / "prediction", [square()] * 224 + [square(shift=20)] * 76)
    (entry,) = evaluate(tmp_path / "truth", tmp_path / "prediction")["objects"]
    assert len(entry["J"]) == 298
    assert entry["J_decay"] == 1.0


def test_missing_folder_frames_and_wrong_sizes_are_said_at_once(two_videos):
    truth, prediction = two_videos
    write_video(truth / "c", [square()] * 5)
    (prediction / "a" / "00001.png").unlink()
    (prediction / "a" / "00003.png").unlink()
    write_mask(prediction / "b" / "00002.png", square(shape=(20, 30)))
    with pytest.raises(VosError) as caught:
        evaluate(truth, prediction)
    message = str(caught.value)
    for part in (
        "no folder for c",
        "a lacks 00001.png, 00003.png",
        "b has the wrong size in 00002.png (30x20, not 40x24)",
    ):
        assert part in message
    assert str(prediction) in message and "\n" not in message


def test_frames_that_are_not_scored_may_be_missing(two_videos):
    truth, prediction = two_videos
    for name in ("00000.png", "00004.png"):
        (prediction / "a" / name).unlink()
    assert scores(evaluate(truth, prediction), "a", 1)["frames"] == ["00001", "00002", "00003"]


def test_a_long_list_of_missing_frames_is_cut(tmp_path):
    write_video(tmp_path / "truth", [square()] * 30)
    write_video(tmp_path / "prediction", [square()])
    with pytest.raises(VosError, match=r"00010\.png and 18 more"):
        evaluate(tmp_path / "truth", tmp_path / "prediction")


def test_broken_and_absent_folders(two_videos, tmp_path):
    truth, prediction = two_videos
    (prediction / "a" / "00001.png").write_bytes(b"no image")
    with pytest.raises(VosError, match=r"a has the wrong size in 00001\.png \(unreadable, not 40x24\)"):
        evaluate(truth, prediction)
    for pair in ((tmp_path / "none", prediction), (truth, tmp_path / "none")):
        with pytest.raises(VosError, match="none: no such folder"):
            evaluate(*pair)
    (tmp_path / "empty").mkdir()
    with pytest.raises(VosError, match="holds no PNG masks"):
        evaluate(tmp_path / "empty", prediction)
    write_video(tmp_path / "short", [square()] * 2)
    with pytest.raises(VosError, match="at least 3"):
        evaluate(tmp_path / "short", prediction)
    with pytest.raises(VosError, match="protocol 'coco'"):
        evaluate(truth, prediction, protocol="coco")


def test_one_video_and_many(two_videos):
    """PNGs directly, a folder for each video, and a choice of videos give the same numbers."""
    truth, prediction = two_videos
    alone = evaluate(truth / "a", prediction / "a")
    assert alone["objects"] == evaluate(truth, prediction, videos=["a"])["objects"]
    assert alone["objects"] == evaluate(truth / "a", prediction)["objects"]
    assert alone["objects"] == evaluate(truth, prediction)["objects"][:1]
    with pytest.raises(VosError, match="has no video z"):
        evaluate(truth, prediction, videos=["a", "z"])


def write_youtube_vos(root, train_categories=("tiger",)):
    """valid_truth/ with a tiger (id 1, from frame 0) and a bird (id 5, from frame 2), and train/meta.json."""
    objects = {
        "1": {"category": "tiger", "frames": [f"{t:05}" for t in range(6)]},
        "5": {"category": "bird", "frames": [f"{t:05}" for t in range(2, 6)]},
    }
    maps = [square(1) + (square(5, shift=15) if t >= 2 else 0) for t in range(6)]
    write_video(root / "valid_truth" / "Annotations" / "v", maps)
    (root / "valid_truth" / "meta.json").write_text(json.dumps({"videos": {"v": {"objects": objects}}}))
    listed = {str(i + 1): {"category": name, "frames": ["00000"]} for i, name in enumerate(train_categories)}
    (root / "train").mkdir()
    (root / "train" / "meta.json").write_text(json.dumps({"videos": {"t": {"objects": listed}}}))
    return root / "valid_truth", maps


def test_late_objects_are_scored_after_their_own_first_frame(tmp_path):
    truth, maps = write_youtube_vos(tmp_path)
    predictions = [ids.copy() for ids in maps]
    predictions[2][predictions[2] == 5] = 0  # given there, so not scored there
    predictions[1][:3, :3] = 5  # before the object is there: not scored either
    predictions[5][predictions[5] == 5] = 0
    write_video(tmp_path / "prediction" / "v", predictions)
    result = evaluate(truth, tmp_path / "prediction", protocol="youtube-vos")
    tiger, bird = scores(result, "v", 1), scores(result, "v", 5)
    assert tiger["frames"] == ["00001", "00002", "00003", "00004", "00005"]
    assert bird["frames"] == ["00003", "00004", "00005"]
    assert (tiger["J"], bird["J"]) == ([1.0] * 5, [1.0, 1.0, 0.0])
    assert [(e["category"], e["seen"]) for e in (tiger, bird)] == [("tiger", True), ("bird", False)]
    assert result["global"]["J_seen"] == 1.0
    assert result["global"]["J_unseen"] == pytest.approx(2 / 3)
    assert result["global"]["overall"] == pytest.approx((1 + 2 / 3 + 1 + 2 / 3) / 4)
    without = evaluate(truth, tmp_path / "prediction", protocol="youtube-vos", include_last=False)
    assert scores(without, "v", 5)["frames"] == ["00003", "00004"]
    assert without["global"]["overall"] == 1.0


def test_seen_needs_the_training_set(tmp_path):
    truth, maps = write_youtube_vos(tmp_path)
    write_video(tmp_path / "prediction" / "Annotations" / "v", maps)
    other = shutil.move(tmp_path / "train", tmp_path / "elsewhere") / "meta.json"
    unknown = evaluate(truth, tmp_path / "prediction", "youtube-vos")
    assert [e["seen"] for e in unknown["objects"]] == [None, None]
    assert unknown["global"]["J_seen"] is None and unknown["global"]["F_unseen"] is None
    assert unknown["global"]["overall"] == unknown["global"]["J&F"] == 1.0
    named = evaluate(truth / "Annotations", tmp_path / "prediction", "youtube-vos", train_meta=other)
    assert [e["seen"] for e in named["objects"]] == [True, False]


def test_unlisted_ids_are_background_in_youtube_vos(tmp_path):
    truth, maps = write_youtube_vos(tmp_path)
    predictions = [np.where(ids == 1, 7, ids).astype(np.uint8) for ids in maps]
    write_video(tmp_path / "prediction" / "v", predictions)
    result = evaluate(truth, tmp_path / "prediction", "youtube-vos")
    assert (scores(result, "v", 1)["J_mean"], scores(result, "v", 5)["J_mean"]) == (0.0, 1.0)


def test_broken_youtube_vos_truth(tmp_path):
    truth, maps = write_youtube_vos(tmp_path)
    write_video(tmp_path / "prediction" / "v", maps)
    (truth / "Annotations" / "v" / "00004.png").unlink()
    with pytest.raises(VosError, match=r"valid_truth: lacks v/00004\.png"):
        evaluate(truth, tmp_path / "prediction", "youtube-vos")
    write_video(truth / "Annotations" / "w", maps)
    with pytest.raises(VosError, match=r"meta\.json: does not list w"):
        evaluate(truth, tmp_path / "prediction", "youtube-vos")
    shutil.rmtree(truth / "Annotations" / "w")
    meta = json.loads((truth / "meta.json").read_text())
    meta["videos"]["x"] = meta["videos"]["v"]
    (truth / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(VosError, match=r"lacks x, which meta\.json lists"):
        evaluate(truth, tmp_path / "prediction", "youtube-vos")
    for text in ('{"videos": []}', '{"videos": {"v": {"objects": {"one": {"frames": []}}}}}', "{}"):
        (truth / "meta.json").write_text(text)
        with pytest.raises(VosError, match=r"meta\.json: is not laid out"):
            evaluate(truth, tmp_path / "prediction", "youtube-vos")
    (truth / "meta.json").unlink()
    with pytest.raises(VosError, match=r"meta\.json: no such file"):
        evaluate(truth, tmp_path / "prediction", "youtube-vos")


def test_score_video_streams_and_compares_lengths():
    maps = [square(1) + square(2, shift=15)] * 4
    J, F = score_video(iter(maps), (ids for ids in maps), [2, 1, 3])
    assert J.shape == F.shape == (4, 3) and J.dtype == F.dtype == np.float64
    assert (J == 1).all() and (F == 1).all()
    assert score_video([], [], [1, 2])[0].shape == (0, 2)
    with pytest.raises(ValueError, match="shorter"):
        score_video(maps, maps[:3], [1])


def test_command_prints_a_table_and_writes_json(two_videos, tmp_path, capsys):
    truth, prediction = two_videos
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    file = tmp_path / "out" / "scores.json"
    run(parser.parse_args(["--truth", str(truth), "--prediction", str(prediction), "--json", str(file)]))
    result = evaluate(truth, prediction)
    assert json.loads(file.read_text()) == result
    assert list(result["global"]) == ["J&F", *COLUMNS]
    printed = capsys.readouterr()
    assert table_text(result) in printed.out
    assert printed.err == ""


def test_table_of_many_objects_shows_the_worst(tmp_path):
    truth, maps = write_youtube_vos(tmp_path, train_categories=("tiger", "bird"))
    write_video(tmp_path / "prediction" / "v", [np.where(ids == 5, 0, ids).astype(np.uint8) for ids in maps])
    result = evaluate(truth, tmp_path / "prediction", "youtube-vos")
    text = table_text(result, rows=1)
    lines = text.splitlines()
    assert lines[1].split()[:3] == ["v", "5", "0.000"]
    assert "1 objects with the lowest J of 2" in lines[2]
    assert "J_seen 0.5000, J_unseen -" in text
