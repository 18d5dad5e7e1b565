"""Thin rings of ids along outlines: seen where ids were interpolated, and not where objects are thin or nested."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.submission_draft import PAIR, blobs
from PIL import Image

from vos.data import VOSDataset
from vos.masks import write_mask
from vos.submission.check import check_submission
from vos.submission.mask_check import has_rings
from vos.submission.write import write_submission

RINGED = [
    blobs((5, 120, 160, 60)),
    blobs((2, 100, 80, 50), (1, 100, 220, 50)),
    blobs((2, 120, 120, 60), (6, 120, 200, 60)),
]


@pytest.mark.parametrize("ids", RINGED, ids=["0 to 5", "0 to 2 beside 1", "2 to 6"])
@pytest.mark.parametrize("change", ["nothing", "nearest", "twice as large", "eight times as large", "smoothed"])
def test_rings_are_seen_in_interpolated_maps_only(ids, change):
    image, size = Image.fromarray(ids), ids.shape[::-1]
    changed = {
        "nothing": image,
        "nearest": image.resize((40, 30), Image.Resampling.NEAREST).resize(size, Image.Resampling.NEAREST),
        "twice as large": image.resize((160, 120), Image.Resampling.NEAREST).resize(size, Image.Resampling.BILINEAR),
        "eight times as large": image.resize((40, 30), Image.Resampling.NEAREST).resize(size, Image.Resampling.BICUBIC),
        "smoothed": image.resize((301, 223), Image.Resampling.LANCZOS).resize(size, Image.Resampling.LANCZOS),
    }
    assert has_rings(np.array(changed[change])) == (change not in ("nothing", "nearest"))


ROPE = blobs((1, 120, 80, 50), (3, 120, 250, 40))
ROPE[:, 160] = ROPE[30:32] = 2
BESIDE = {
    "a rope": ROPE,
    "a shirt on a person": blobs((1, 120, 160, 90), (2, 120, 160, 60)),
    "a bag at a person's side": blobs((1, 120, 160, 90), (2, 120, 187, 60)),
    "somebody who just shows behind another": blobs((1, 120, 122, 30), (2, 120, 155, 60)),
    "a buckle of one pixel": blobs((1, 120, 160, 2), (2, 120, 160, 0)),
    "nothing": np.zeros((240, 320), np.uint8),
}


@pytest.mark.parametrize("name", BESIDE)
def test_thin_and_nested_objects_are_no_rings(name):
    assert not has_rings(BESIDE[name])


PLAIN = blobs((1, 120, 90, 50), (2, 120, 260, 50), shape=(256, 448))
TYRE = blobs((1, 120, 160, 60), (2, 120, 160, 57), shape=(256, 448))


def faults_of(small_set, folder, maps):
    """What is said of a video of two objects with these masks, the first of them given."""
    video = VOSDataset(small_set).valid.named(PAIR)
    write_mask(folder / "given.png", maps[0])
    objects = tuple(replace(listed, frames=tuple(range(len(maps)))) for listed in video.objects)
    paths, masks = video.frame_paths[: len(maps)], (folder / "given.png", *[None] * (len(maps) - 1))
    video = replace(video, frame_paths=paths, mask_paths=masks, objects=objects)
    write_submission(folder / "rings.zip", [video], lambda _: iter(maps), progress=False)
    return check_submission(folder / "rings.zip", [video])


@pytest.mark.parametrize(("frames", "ringed", "alarm"), [(20, 4, False), (20, 5, True), (6, 2, False), (6, 3, True)])
def test_rings_in_a_few_masks_may_be_chance(small_set, tmp_path, frames, ringed, alarm):
    assert bool(faults_of(small_set, tmp_path, [PLAIN] * (frames - ringed) + [TYRE] * ringed)) == alarm


def test_a_tyre_around_a_wheel_is_known_by_the_given_mask(small_set, tmp_path):
    assert has_rings(TYRE) and not has_rings(PLAIN)
    assert faults_of(small_set, tmp_path, [TYRE] * 6) == []
