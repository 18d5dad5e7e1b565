"""The synthetic data set: layout, sameness, and that it is neither too easy nor too hard."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from helpers.reference import draw_reference as reference
from PIL import Image

from vos.files import VosError
from vos.masks import object_ids, read_mask
from vos.synthetic import dataset
from vos.synthetic.creatures import CATEGORIES
from vos.synthetic.dataset import draw_dataset, is_drawn
from vos.synthetic.plan import SIZES, plan_video
from vos.synthetic.video import SMALLEST, draw_video

pytestmark = pytest.mark.slow  # all of it is for the whole suite

NAMES = [f"{5 * k:05d}" for k in range(20)]
PLANS = {split: [plan_video(split, i, 0) for i in range(n)] for split, n in (("train", 300), ("valid", 60))}


def tree(folder: Path) -> dict[str, bytes]:
    """The bytes of every file under a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def cast(plan) -> list[str]:
    return [actor.category for actor in plan.actors if actor.number]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("drawn") / "set"
    draw_dataset(folder, train=4, valid=5, seed=3, workers=1, progress=False)
    return folder


# -- layout -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", ["train", "valid"])
def test_layout_is_that_of_youtube_vos(drawn: Path, split: str) -> None:
    truth = drawn / ("train" if split == "train" else "valid_truth")
    videos = json.loads((drawn / split / "meta.json").read_text())["videos"]
    assert videos == json.loads((truth / "meta.json").read_text())["videos"]
    assert len(videos) == (4 if split == "train" else 5)
    for name, entry in videos.items():
        assert len(name) == 10 and int(name, 16) >= 0
        frames = sorted((drawn / split / "JPEGImages" / name).iterdir())
        assert [path.stem for path in frames] == NAMES
        masks = {path.stem: read_mask(path) for path in sorted((truth / "Annotations" / name).glob("*.png"))}
        assert list(masks) == NAMES
        assert {Image.open(path).size[::-1] for path in frames} == {mask.shape for mask in masks.values()}
        objects = {int(number): info for number, info in entry["objects"].items()}
        assert any(info["frames"][0] == "00000" for info in objects.values())
        for number, info in objects.items():
            assert info["frames"] == [frame for frame in NAMES if (masks[frame] == number).any()]
            assert (masks[info["frames"][0]] == number).sum() >= SMALLEST
        assert set().union(*(object_ids(mask) for mask in masks.values())) == set(objects)


def test_validation_shows_each_object_once(drawn: Path) -> None:
    videos = json.loads((drawn / "valid" / "meta.json").read_text())["videos"]
    assert not (drawn / "valid_truth" / "JPEGImages").exists()
    assert any(len({info["frames"][0] for info in entry["objects"].values()}) > 1 for entry in videos.values())
    for name, entry in videos.items():
        first = {int(number): info["frames"][0] for number, info in entry["objects"].items()}
        given = {path.stem: read_mask(path) for path in (drawn / "valid" / "Annotations" / name).glob("*.png")}
        assert set(given) == set(first.values())
        for frame, mask in given.items():
            truth = read_mask(drawn / "valid_truth" / "Annotations" / name / f"{frame}.png")
            new = [number for number, start in first.items() if start == frame]
            np.testing.assert_array_equal(mask, np.where(np.isin(truth, new), truth, 0))


def test_all_frames_hold_the_annotated_ones(drawn: Path) -> None:
    for split in ("train", "valid"):
        folders = sorted((drawn / f"{split}_all_frames" / "JPEGImages").iterdir())
        assert len(folders) == dataset.ALL_FRAMES
        for folder in folders:
            assert [path.stem for path in sorted(folder.iterdir())] == [f"{k:05d}" for k in range(96)]
            for name in NAMES:
                few = drawn / split / "JPEGImages" / folder.name / f"{name}.jpg"
                assert few.read_bytes() == (folder / f"{name}.jpg").read_bytes()


# -- sameness ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_same_bytes_whatever_the_workers(tmp_path: Path) -> None:
    for workers in (1, 2):
        draw_dataset(tmp_path / str(workers), train=3, valid=1, seed=5, workers=workers, progress=False)
    one, two = tree(tmp_path / "1"), tree(tmp_path / "2")
    assert one == two and len(one) > 100


def test_a_video_drawn_alone_is_the_one_in_the_set(drawn: Path) -> None:
    name, _, masks, _ = draw_video("valid", 4, seed=3)
    for frame, ids in masks.items():
        np.testing.assert_array_equal(ids, read_mask(drawn / "valid_truth" / "Annotations" / name / f"{frame}.png"))


def test_seeds_and_splits_differ() -> None:
    names = {plan_video(split, 7, seed).name for split in ("train", "valid") for seed in range(3)}
    assert len(names) == 6
    with pytest.raises(ValueError, match="test"):
        draw_video("test", 0)


def test_reference_drawn_elsewhere() -> None:
    assert reference.REFERENCE.stat().st_size < 200_000
    ours = reference.small_pictures()
    with np.load(reference.REFERENCE) as theirs:
        assert set(theirs) == set(ours)
        for name in theirs:
            far = np.abs(theirs[name].astype(int) - ours[name])
            if name.endswith("mask"):  # an edge may fall on the other side of a pixel
                assert (far > 0).mean() < 1e-3, name
            else:
                assert (far > 2).mean() < 1e-3, name


# -- what is in it ----------------------------------------------------------------------------------


def test_cast() -> None:
    train, valid = (Counter(name for plan in PLANS[split] for name in cast(plan)) for split in ("train", "valid"))
    assert len(train) >= 10 and all(CATEGORIES[name].seen for name in train)
    unseen = {name: count for name, count in valid.items() if not CATEGORIES[name].seen}
    assert len(unseen) >= 4 and 0.4 < sum(unseen.values()) / sum(valid.values()) < 0.6
    for plan in PLANS["train"]:  # nothing unseen stands about either
        assert all(CATEGORIES[actor.category].seen for actor in plan.actors)
    assert len({plan.name for plans in PLANS.values() for plan in plans}) == 360
    assert sum(Counter(cast(plan))["person"] == 2 for plan in PLANS["valid"]) >= 3
    assert sum("bird" in cast(plan) for plan in PLANS["valid"]) >= 3


def test_variety() -> None:
    for plans in PLANS.values():
        assert {plan.size for plan in plans} == set(SIZES.values())
        assert 1.5 < np.mean([len(cast(plan)) for plan in plans]) < 2.2
        assert any(max(actor.number for actor in plan.actors) > len(cast(plan)) for plan in plans)
        assert any(len(plan.actors) > len(cast(plan)) for plan in plans)  # distractors
        assert any(plan.props for plan in plans)


def test_the_tiger_is_occluded_more_and_more() -> None:
    _, _, masks, objects = draw_video("train", 0)
    assert {info["category"] for info in objects.values()} == {"tiger", "person"}
    number = next(int(number) for number, info in objects.items() if info["category"] == "tiger")
    areas = [(masks[name] == number).sum() for name in NAMES]
    assert areas[12] > areas[15] > areas[18] and areas[-1] < 0.6 * areas[0]


@pytest.mark.slow
def test_copying_the_first_mask_scores_as_on_real_video() -> None:
    scores = []
    for index in range(10, 26):
        _, _, masks, objects = draw_video("valid", index)
        for number, info in objects.items():
            later = NAMES[NAMES.index(info["frames"][0]) :]
            shown = np.stack([masks[name] == int(number) for name in later])
            both = (shown[1:] & shown[0]).sum(axis=(1, 2))
            scores.append(np.mean(both / (shown[1:] | shown[0]).sum(axis=(1, 2))))
    assert 0.19 < np.mean(scores) < 0.28


# -- files that are there already -------------------------------------------------------------------


def test_a_whole_set_is_kept_and_another_replaced(drawn: Path, tmp_path: Path, monkeypatch) -> None:
    assert is_drawn(drawn, 4, 5, 3) and not is_drawn(drawn, 4, 5, 2) and not is_drawn(tmp_path, 4, 5, 1)
    before = (drawn / "synthetic.json").stat().st_mtime_ns
    draw_dataset(drawn, 4, 5, 3, progress=False)
    assert (drawn / "synthetic.json").stat().st_mtime_ns == before
    monkeypatch.setattr(dataset, "ALL_FRAMES", 0)
    for seed in (0, 1):
        draw_dataset(tmp_path / "set", 1, 1, seed, workers=1, progress=False)
    assert is_drawn(tmp_path / "set", 1, 1, 1) and [path.name for path in tmp_path.iterdir()] == ["set"]


def test_nobody_elses_files_are_touched(drawn: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(VosError, match=r"notes\.txt"):
        draw_dataset(tmp_path, 1, 1, progress=False)
    with pytest.raises(VosError, match="is a file"):
        draw_dataset(tmp_path / "notes.txt", 1, 1, progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    real = tmp_path / "youtube"
    (real / "train").mkdir(parents=True)
    with pytest.raises(VosError, match=r"synthetic\.json"):
        draw_dataset(real, 1, 1, progress=False)
    assert (real / "train").is_dir()


@pytest.mark.parametrize("numbers", [(0, 1, 0), (1, 0, 0), (1, 1, -1)])
def test_numbers_that_make_no_sense(tmp_path: Path, numbers: tuple[int, int, int]) -> None:
    with pytest.raises(VosError, match="at least one"):
        draw_dataset(tmp_path / "set", *numbers)


def test_an_interrupted_drawing_leaves_nothing(tmp_path: Path, monkeypatch) -> None:
    def interrupted(*_args) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dataset, "write_mask", interrupted)
    with pytest.raises(KeyboardInterrupt):
        draw_dataset(tmp_path / "set", 1, 1, workers=1, progress=False)
    assert not list(tmp_path.iterdir())
