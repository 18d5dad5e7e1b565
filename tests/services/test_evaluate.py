"""Scoring folders: the DAVIS toolkit's numbers to the last bit, YouTube-VOS style rules and what they leave open."""

import json
import shutil

import numpy as np
import pytest
from helpers.golden_set import SYNTH, GoldenSet
from helpers.scored_folders import scores, square, write_two_videos, write_video, write_youtube_vos
from PIL import Image

from vos.files import VosError
from vos.masks import write_mask
from vos.scoring.evaluate import COLUMNS, evaluate, score_video
from vos.scoring.protocols import Rules


def write_grey(folder, maps):
    folder.mkdir(parents=True)
    for t, ids in enumerate(maps):
        Image.fromarray(np.where(ids > 0, 255, 0).astype(np.uint8)).save(folder / f"{t:05}.png")


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


def test_one_video_and_many(tmp_path):
    """PNGs directly, a folder for each video, and a choice of videos give the same numbers."""
    truth, prediction = write_two_videos(tmp_path)
    alone = evaluate(truth / "a", prediction / "a")
    assert alone["objects"] == evaluate(truth, prediction, videos=["a"])["objects"]
    assert alone["objects"] == evaluate(truth / "a", prediction)["objects"]
    assert alone["objects"] == evaluate(truth, prediction)["objects"][:1]
    with pytest.raises(VosError, match="has no video z"):
        evaluate(truth, prediction, videos=["a", "z"])


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
    without = evaluate(truth, tmp_path / "prediction", "youtube-vos", Rules(last=False))
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


def listed_as(number):
    return f'{{"videos": {{"v": {{"objects": {{"{number}": {{"frames": ["00000", "00001"]}}}}}}}}}}'


def test_meta_json_must_fit(tmp_path):
    truth, maps = write_youtube_vos(tmp_path)
    write_video(tmp_path / "prediction" / "v", maps)
    write_video(truth / "Annotations" / "w", maps)
    with pytest.raises(VosError, match=r"meta\.json: does not list w"):
        evaluate(truth, tmp_path / "prediction", "youtube-vos")
    shutil.rmtree(truth / "Annotations" / "w")
    meta = json.loads((truth / "meta.json").read_text())
    meta["videos"]["x"] = meta["videos"]["v"]
    (truth / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(VosError, match=r"lacks x, which meta\.json lists"):
        evaluate(truth, tmp_path / "prediction", "youtube-vos")
    wrong = {"{}": 'has no "videos" object', '{"videos": []}': 'has no "videos" object'}
    wrong |= {listed_as(i): f"video v: object id '{i}' must be a number from 1 to 254" for i in ("one", 255, 256)}
    for text, said in wrong.items():
        (truth / "meta.json").write_text(text)
        with pytest.raises(VosError, match=rf"meta\.json: {said}"):
            evaluate(truth, tmp_path / "prediction", "youtube-vos")
    (truth / "meta.json").unlink()
    with pytest.raises(VosError, match=r"meta\.json: no such file"):
        evaluate(truth, tmp_path / "prediction", "youtube-vos")


@pytest.fixture
def crossing(tmp_path):
    """(truth, prediction) in YouTube-VOS layout: in frame 3 the bird is out of sight, not listed, but predicted."""
    truth, maps = write_youtube_vos(tmp_path)
    write_video(tmp_path / "prediction" / "v", maps)
    write_mask(truth / "Annotations" / "v" / "00003.png", square(1))
    meta = json.loads((truth / "meta.json").read_text())
    meta["videos"]["v"]["objects"]["5"]["frames"].remove("00003")
    meta["videos"]["v"]["objects"]["9"] = {"category": "fish", "frames": []}
    (truth / "meta.json").write_text(json.dumps(meta))
    return truth, tmp_path / "prediction"


@pytest.mark.parametrize(
    ("rules", "frames", "J"),
    [
        (Rules(), [4, 5], [1.0, 1.0]),
        (Rules(first=True), [2, 4, 5], [1.0, 1.0, 1.0]),
        (Rules(frames="annotated"), [3, 4, 5], [0.0, 1.0, 1.0]),
        (Rules(first=True, last=False, frames="annotated"), [2, 3, 4], [1.0, 0.0, 1.0]),
    ],
)
def test_which_frames_count_is_a_choice(crossing, rules, frames, J):
    result = evaluate(*crossing, "youtube-vos", rules)
    bird = scores(result, "v", 5)
    assert bird["frames"] == [f"{t:05}" for t in frames] and bird["J"] == J
    assert result["rules"]["frames"] == rules.frames and result["rules"]["first"] is rules.first
    assert [e["object"] for e in result["objects"]] == [1, 5]


def test_means_over_objects_or_videos(tmp_path):
    """Of video v the seen tiger is found and the unseen bird lost; of w two of three unseen birds are found."""
    truth, maps = write_youtube_vos(tmp_path)
    write_video(tmp_path / "prediction" / "v", [np.where(ids == 5, 0, ids).astype(np.uint8) for ids in maps])
    birds = square(2, size=5) + square(3, 10, size=5) + square(4, 20, size=5)
    write_video(truth / "Annotations" / "w", [birds] * 3)
    write_video(tmp_path / "prediction" / "w", [np.where(birds == 4, 0, birds).astype(np.uint8)] * 3)
    meta = json.loads((truth / "meta.json").read_text())
    listed = {str(i): {"category": "bird", "frames": ["00000", "00001", "00002"]} for i in (2, 3, 4)}
    meta["videos"]["w"] = {"objects": listed}
    (truth / "meta.json").write_text(json.dumps(meta))

    by_object, by_video = (
        evaluate(truth, tmp_path / "prediction", "youtube-vos", Rules(mean=mean)) for mean in ("objects", "videos")
    )
    assert by_object["objects"] == by_video["objects"]
    for result, mean, unseen in ((by_object, 3 / 5, 2 / 4), (by_video, (1 / 2 + 2 / 3) / 2, (0 + 2 / 3) / 2)):
        numbers = result["global"]
        for key in ("J_mean", "F_mean", "J&F", "J_recall"):
            assert numbers[key] == pytest.approx(mean), key
        assert numbers["J_seen"] == numbers["F_seen"] == 1
        assert numbers["J_unseen"] == numbers["F_unseen"] == pytest.approx(unseen)
        assert numbers["overall"] == pytest.approx((1 + unseen) / 2)


def test_void_may_be_left_out(tmp_path):
    """The object is found, but beside it as much again, half of it in the void."""
    truth, predicted = square(), square() + square(shift=15)
    truth[6:16, 20:25] = 255
    write_video(tmp_path / "truth", [truth] * 3)
    write_video(tmp_path / "prediction", [predicted] * 3)
    folders = tmp_path / "truth", tmp_path / "prediction"
    assert evaluate(*folders)["objects"][0]["J"] == [100 / 200]
    assert evaluate(*folders, rules=Rules(void=255))["objects"][0]["J"] == [100 / 150]


def test_any_other_id_may_be_void(tmp_path):
    truth = square()
    truth[6:16, 20:25] = 200
    write_video(tmp_path / "truth", [truth] * 3)
    write_video(tmp_path / "prediction", [truth] * 3)
    folders = tmp_path / "truth", tmp_path / "prediction"
    assert len(evaluate(*folders)["objects"]) == 200
    (entry,) = evaluate(*folders, rules=Rules(void=200))["objects"]
    assert (entry["object"], entry["J"]) == (1, [1.0])
    with pytest.raises(VosError, match="void 1 is the id of an object"):
        evaluate(*folders, rules=Rules(void=1))


def test_rules_that_cannot_be(tmp_path):
    folders = write_two_videos(tmp_path)
    for wrong, said in (
        ({"void": 0}, "void must be an id from 1 to 255 or None, not 0"),
        ({"void": 256}, "void must be an id from 1 to 255 or None, not 256"),
        ({"frames": "all"}, r"frames must be one of \('listed', 'annotated'\), not 'all'"),
        ({"mean": "frames"}, "mean must be one of .*, not 'frames'"),
    ):
        with pytest.raises(ValueError, match=said):
            Rules(**wrong)
    for rules in (Rules(first=True), Rules(last=False), Rules(frames="annotated")):
        with pytest.raises(VosError, match="protocol davis: it is known which frames count"):
            evaluate(*folders, rules=rules)


def test_score_video_streams_and_compares_lengths():
    maps = [square(1) + square(2, shift=15)] * 4
    J, F = score_video(iter(maps), (ids for ids in maps), [2, 1, 3])
    assert J.shape == F.shape == (4, 3) and J.dtype == F.dtype == np.float64
    assert (J == 1).all() and (F == 1).all()
    assert score_video([], [], [1, 2])[0].shape == (0, 2)
    with pytest.raises(ValueError, match="shorter"):
        score_video(maps, maps[:3], [1])
