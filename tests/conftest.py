"""Small sets that many tests share."""

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session")
def davis() -> Path:
    """The real DAVIS-2016 videos, where they are there."""
    folder = SHARED / "data" / "DAVIS"
    if not folder.is_dir():
        pytest.skip(f"no real video at {folder}")
    return folder


@pytest.fixture(scope="session")
def small_set(tmp_path_factory) -> Path:
    """A small embedded set: 6 training and 6 validation videos."""
    from vos.embedded import draw_dataset

    folder = tmp_path_factory.mktemp("embedded") / "set"
    draw_dataset(folder, train=6, valid=6, seed=3, progress=False)
    return folder
