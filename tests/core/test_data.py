"""One reader for YouTube-VOS, DAVIS-2017 and DAVIS-2016 folders, with everything that makes real folders hard."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vos.files.layouts
from vos.data import Videos, VOSDataset, read_frame
from vos.datasets.check import check_folder
from vos.files import VosError
from vos.masks import write_mask


def save_video(root: Path, folder: str, name: str, masks: dict[int, np.ndarray | None], size=(24, 40)) -> None:
    """Frames 0, 5, 10 ... and their masks, written last first, so that a listing is unsorted where it can be."""
    for i in sorted(masks, reverse=True):
        frame = root / "JPEGImages" / folder / name / f"{5 * i:05d}.jpg"
        frame.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((*size, 3), 10 * i, np.uint8)).save(frame)
        if masks[i] is not None:
            write_mask(root / "Annotations" / folder / name / f"{5 * i:05d}.png", masks[i])


def ids(size=(24, 40), **objects: slice) -> np.ndarray:
    """An id map; id_7=slice(3, 9) paints rows 3 to 8 with 7."""
    out = np.zeros(size, np.uint8)
    for key, rows in objects.items():
        out[rows] = int(key.split("_")[1])
    return out


@pytest.fixture
def youtube_vos(tmp_path):
    """Two videos: ids 2 and 7, the later one late; a portrait one with sparse annotation."""
    root = tmp_path / "yt"
    for split in ("train", "valid"):
        first, both = ids(id_2=slice(0, 6)), ids(id_2=slice(2, 8), id_7=slice(12, 20))
        masks = {0: first, 1: first, 2: both, 3: both} if split == "train" else {0: first, 1: None, 2: both, 3: None}
        save_video(root / split, "", "aaa", masks)
        tall = ids((40, 24), id_1=slice(0, 9))
        save_video(root / split, "", "bbb", {0: tall, 1: None, 2: tall if split == "train" else None}, (40, 24))
        listed = {
            "aaa": {
                "objects": {
                    "7": {"category": "tiger", "frames": ["00010", "00015"]},
                    "2": {"category": "person", "frames": ["00000", "00005", "00010", "00015"]},
                }
            },
            "bbb": {"objects": {"1": {"category": "owl", "frames": ["00000", "00010"]}}},
        }
        (root / split / "meta.json").write_text(json.dumps({"videos": listed}))
    return root


def test_youtube_vos(youtube_vos):
    dataset = VOSDataset(youtube_vos, hold_out=False)
    videos = dataset.train
    video = videos.named("aaa")
    assert dataset.layout == "YouTube-VOS" and not dataset.held_out and type(videos) is Videos and len(videos) == 2
    assert video.frame_names == ("00000", "00005", "00010", "00015")
    assert [(o.id, o.category, o.first, o.frames) for o in video.objects] == [
        (2, "person", 0, (0, 1, 2, 3)),
        (7, "tiger", 2, (2, 3)),
    ]
    assert dataset.categories == {"person", "tiger", "owl"}
    assert videos.named("bbb").size == (40, 24) and videos.named("bbb").annotated == (0, 2)


def test_valid_gives_away_only_first_masks(youtube_vos):
    video = VOSDataset(youtube_vos, hold_out=False).valid.named("aaa")
    assert video.annotated == (0, 2)
    assert set(np.unique(video.given(0))) == {0, 2}
    assert set(np.unique(video.given(2))) == {0, 7}  # the late object only: the other one is the model's to find
    assert video.given(1) is None


def test_without_truth_the_training_list_is_split(davis):
    dataset = VOSDataset(davis, hold_out=None)
    train, valid = dataset.train, dataset.valid_truth
    names = sorted(p.name for p in (davis / "JPEGImages/480p").iterdir())
    assert [v.name for v in valid] == [n for i, n in enumerate(names) if i % 5 in (3, 4)]
    assert sorted(v.name for v in [*train, *valid]) == names
    assert dataset.held_out and dataset.categories is None and dataset.layout == "DAVIS"


def test_davis_2016_is_one_object(davis):
    dataset = VOSDataset(davis, hold_out=None)
    video = dataset.valid_truth[0]
    assert [o.id for o in video.objects] == [1] and set(np.unique(video.mask(3))) == {0, 1}
    assert len(dataset.valid[0].annotated) == 1


@pytest.fixture
def davis_2017(tmp_path):
    root = tmp_path / "d17"
    for name in ("zebra", "ant"):
        save_video(root, "480p", name, {0: ids(id_1=slice(0, 4), id_3=slice(6, 9), id_255=slice(20, 24)), 1: ids()})
    lists = root / "ImageSets" / "2017"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("zebra\n")
    (lists / "val.txt").write_text("ant\n")
    return root


def test_davis_2017_void_is_no_object(davis_2017):
    dataset = VOSDataset(davis_2017)
    train = dataset.train
    assert [v.name for v in train] == ["zebra"] and not dataset.held_out
    assert [o.id for o in train[0].objects] == [1, 3]
    assert 255 not in train[0].mask(0)
    assert [v.name for v in dataset.valid] == ["ant"]


def test_meta_json_is_parsed_once(youtube_vos, monkeypatch):
    count = []
    read = vos.files.layouts.read_json
    monkeypatch.setattr(vos.files.layouts, "read_json", lambda path: count.append(path) or read(path))
    dataset = VOSDataset(youtube_vos, hold_out=False)
    for video in (*dataset.train, *dataset.valid, *dataset.train):
        for i in video.annotated:
            video.frame(i), video.mask(i)
    assert len(count) == 2  # train's and valid's


def test_a_first_mask_is_opened_once_for_all_splits(davis_2017, monkeypatch):
    """What a DAVIS set's objects are stands in its first masks; and a video's size in its first frame."""
    opened = []
    real = Image.open
    monkeypatch.setattr(Image, "open", lambda path, *more: opened.append(path) or real(path, *more))
    dataset = VOSDataset(davis_2017)
    assert len(dataset.train) == len(dataset.valid) == len(dataset.valid_truth) == 1
    first = [davis_2017 / "Annotations/480p" / name / "00000.png" for name in ("zebra", "ant")]
    assert sorted(opened) == sorted(2 * first)  # once for the checksums, once for the pixels
    opened.clear()
    assert [dataset.train[0].size for _ in range(5)] == [(24, 40)] * 5
    assert opened == [dataset.train[0].frame_paths[0]]


def test_one_video_in_five_groups_can_be_held_out(small_set):
    """hold_out=True: every sequence whose place gives remainder 3 or 4 by 5, whatever the folder has beside them."""
    whole, split = VOSDataset(small_set), VOSDataset(small_set, hold_out=True)
    names = [video.name for video in whole.train]
    assert not whole.held_out and split.held_out
    assert [video.name for video in split.valid_truth] == [name for i, name in enumerate(names) if i % 5 in (3, 4)]
    assert sorted(v.name for v in (*split.train, *split.valid)) == names
    assert split.categories == whole.categories  # what is seen is a matter of the whole list
    assert {v.name for v in whole.valid}.isdisjoint(names)


def test_splits_by_name_and_what_is_not_there(youtube_vos):
    dataset = VOSDataset(youtube_vos, hold_out=False)
    assert dataset.split("train") is dataset.train and dataset.split("valid") is dataset.valid
    with pytest.raises(ValueError, match="must be one of"):
        dataset.split("validation")
    for name, where in (("valid_truth", "valid_truth/"), ("test", "test/, or DAVIS's test-dev.txt")):
        with pytest.raises(VosError, match=f"no videos for the split '{name}' .{where}"):
            dataset.split(name)
    with pytest.raises(VosError, match=r"ccc: this split has no such video"):
        dataset.train.named("ccc")


def test_frames_are_stretched_not_cropped(tmp_path):
    picture = np.zeros((100, 50, 3), np.uint8)
    picture[50:] = (255, 0, 0)  # the lower half is red, in RGB
    Image.fromarray(picture).save(tmp_path / "f.jpg", quality=95)
    small = read_frame(tmp_path / "f.jpg", (16, 32))
    assert small.shape == (16, 32, 3)
    assert small[12, 5, 0] > 240 and small[12, 5, 2] < 15 and small[3, 5].max() < 15


def test_reduced_decoding_shows_the_same_picture(small_set):
    video = VOSDataset(small_set).train[0]
    full = Image.fromarray(video.frame(0)).resize((112, 64), Image.Resampling.BILINEAR)
    difference = np.abs(np.asarray(full, float) - video.frame(0, (64, 112)))
    assert difference.mean() < 4  # grey levels


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda r: (r / "train/meta.json").unlink(), "meta.json: no such file"),
        (lambda r: (r / "train/meta.json").write_text("{"), "cannot be read as JSON"),
        (lambda r: (r / "train/meta.json").write_text("{}"), '"videos"'),
        (lambda r: (r / "train/JPEGImages/aaa/00015.jpg").unlink(), "00015"),
        (lambda r: [p.unlink() for p in (r / "train/JPEGImages/aaa").iterdir()], "holds no .jpg"),
    ],
)
def test_what_is_missing_is_named(youtube_vos, spoil, words):
    spoil(youtube_vos)
    with pytest.raises(VosError, match=words):
        VOSDataset(youtube_vos)


def test_a_folder_that_is_no_set(tmp_path, youtube_vos):
    with pytest.raises(VosError, match="no such folder"):
        VOSDataset(tmp_path / "nowhere")
    with pytest.raises(VosError, match="neither"):
        VOSDataset(tmp_path)
    with pytest.raises(VosError, match="the folder above"):
        VOSDataset(youtube_vos / "train")


def test_check_finds_every_problem_at_once(youtube_vos):
    (youtube_vos / "train/JPEGImages/aaa/00005.jpg").write_bytes(b"")
    write_mask(youtube_vos / "train/Annotations/aaa/00010.png", ids((10, 10), id_9=slice(0, 3)))
    (youtube_vos / "train/Annotations/aaa/00015.png").write_bytes(b"no png")
    lines, problems = check_folder(youtube_vos)
    assert any("2 videos" in line or "1 videos" in line for line in lines)
    text = "\n".join(problems)
    for words in ("00005.jpg: cannot be read", "00010.png: is 10x10", "holds id 9", "00015.png: cannot be read"):
        assert words in text


def test_check_of_a_whole_set(small_set):
    lines, problems = check_folder(small_set)
    assert problems == [] and "6 videos" in "\n".join(lines)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"train": 3471, "valid": 507}, "YouTube-VOS 2019, whole"),
        ({"train": 3471}, "YouTube-VOS 2018 or YouTube-VOS 2019; its validation videos are missing"),
        ({"train": 30}, "DAVIS-2016; its validation"),
        ({"train": 60, "valid": 30, "valid_truth": 30}, "DAVIS-2017, whole"),
    ],
)
def test_releases_are_recognised(counts, words):
    from vos.datasets.check import release

    assert words in release(counts)[0]
    assert release(counts | {"train": 5}) == []
