"""How test processes share the machine, and the sets that many tests share.

Two folders are not part of the project and may be named: VOS_TEST_DAVIS, the DAVIS-2016 videos, and VOS_TEST_GOLDEN,
golden_real.json and golden_real.npz, the DAVIS toolkit's scores of real masks.
"""

import os
from pathlib import Path

import pytest
import torch
from helpers.golden_set import GoldenSet, folder_of


def pytest_configure() -> None:
    """Test processes side by side have a core each; more threads than cores wait for one another."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The two files that take longest go first, one in each of two processes, so that the processes end together."""
    longest = ("test_report.py", "test_report_on_real_video.py")
    items.sort(key=lambda item: item.path.name not in longest)


@pytest.fixture(scope="session")
def davis() -> Path:
    """The folder of the real DAVIS-2016 videos."""
    return folder_of("VOS_TEST_DAVIS", "real videos (DAVIS)")


@pytest.fixture(scope="session")
def golden_real() -> GoldenSet:
    """The golden vectors of real masks."""
    return GoldenSet(folder_of("VOS_TEST_GOLDEN", "golden vectors of real masks") / "golden_real")


@pytest.fixture(scope="session")
def small_set(tmp_path_factory) -> Path:
    """A small synthetic set: 6 training and 6 validation videos."""
    from vos.synthetic.dataset import draw_dataset

    folder = tmp_path_factory.mktemp("synthetic") / "set"
    draw_dataset(folder, train=6, valid=6, seed=3)
    return folder


@pytest.fixture(scope="session")
def valid(small_set):
    """The validation videos of the small set, with the masks a method may see."""
    from vos.data import VOSDataset

    return VOSDataset(small_set).valid


@pytest.fixture(scope="session")
def clean(valid, tmp_path_factory) -> Path:
    """A submission without a fault: every first mask copied."""
    from vos.inference import copy_first
    from vos.submission.write import write_submission

    path = tmp_path_factory.mktemp("clean") / "clean.zip"
    write_submission(path, valid, copy_first)
    return path
