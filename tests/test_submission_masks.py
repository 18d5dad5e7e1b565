"""Thin rings of ids along outlines: seen where ids were interpolated, and not where objects are thin or nested."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from submission_draft import PAIR, blobs

from vos.data import VideoObjectSegmentation
from vos.masks import write_mask
from vos.submission import write_submission
from vos.submission_check import check_submission
from vos.submission_masks import has_rings

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


def test_thin_and_nested_objects_are_no_rings():
    rope = blobs((1, 120, 80, 50), (3, 120, 250, 40))
    rope[:, 160] = rope[30:32] = 2
    assert not has_rings(rope)
    assert not has_rings(blobs((1, 120, 160, 90), (2, 120, 160, 60)))  # a shirt on a person
    assert not has_rings(blobs((1, 120, 150, 60), (2, 120, 155, 60)))  # one behind the other: a sliver of 1 at 2
    assert not has_rings(np.zeros((240, 320), np.uint8))


@pytest.mark.parametrize("given_in_rings", [True, False])
def test_a_tyre_around_a_wheel_is_known_by_the_given_mask(small_set, tmp_path, given_in_rings):
    video = VideoObjectSegmentation(small_set, "valid").named(PAIR)
    tyre = blobs((1, 120, 160, 60), (2, 120, 160, 57), shape=(256, 448))
    plain = blobs((1, 120, 90, 50), (2, 120, 260, 50), shape=(256, 448))
    assert has_rings(tyre) and not has_rings(plain)
    write_mask(tmp_path / "given.png", tyre if given_in_rings else plain)
    other = replace(video, mask_paths=(tmp_path / "given.png", *video.mask_paths[1:]))
    rolling = lambda video: iter([video.given(0)] + [tyre] * (len(video) - 1))  # noqa: E731
    write_submission(tmp_path / "tyre.zip", [other], rolling, progress=False)
    assert len(check_submission(tmp_path / "tyre.zip", [other])) == (0 if given_in_rings else 1)
