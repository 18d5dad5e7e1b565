"""Reading the golden vectors: mask pairs and the J and F the official DAVIS toolkit gave for them, to the last bit."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

SYNTH = Path(__file__).parent / "golden" / "golden_synth"


class GoldenSet:
    """`expected` is the JSON file; `golden[i]` is label map i of the npz file, uint8 (H, W)."""

    def __init__(self, path: Path) -> None:
        self.expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        with np.load(path.with_suffix(".npz")) as arrays:
            self.data, self.start, self.shape = arrays["data"], arrays["off"], arrays["shape"]

    def __getitem__(self, index: int) -> np.ndarray:
        return self.data[self.start[index] : self.start[index + 1]].reshape(self.shape[index])


def folder_of(variable: str, what: str) -> Path:
    """The folder that an environment variable names; the test is skipped where it is not set."""
    if variable not in os.environ:
        pytest.skip(f"no {what}: {variable}=DIR names their folder")
    folder = Path(os.environ[variable])
    if not folder.is_dir():
        pytest.fail(f"{variable}: no such folder as {folder}")
    return folder


def one_by_one(metrics, prediction, truth, ids, bound_th, void):
    """J and F of each object, from boolean masks."""
    J = [metrics.region_similarity(prediction == i, truth == i, void) for i in ids]
    return J, [metrics.contour_accuracy(prediction == i, truth == i, bound_th, void) for i in ids]


def all_at_once(metrics, prediction, truth, ids, bound_th, void):
    """The same from id maps, in one call. The golden void is a mask; here it is an id of the truth."""
    number = None
    if void is not None:
        number = next(i for i in range(255, 0, -1) if i not in ids and not (truth == i).any())
        truth = np.where(void, number, truth)
    J, F = metrics.score_frames(prediction[None], truth[None], ids, bound_th, number)
    assert J.shape == F.shape == (1, len(ids)) and J.dtype == F.dtype == np.float64
    return J[0].tolist(), F[0].tolist()


def wrong_pairs(golden, metrics, score):
    """Yield the names of the pairs with a J or F that differs in any bit."""
    for pair in golden.expected["pairs"]:
        void = None if pair["void"] is None else golden[pair["void"]] != 0
        J, F = score(metrics, golden[pair["pr"]], golden[pair["gt"]], pair["ids"], pair["bound_th"], void)
        if ([x.hex() for x in J], [x.hex() for x in F]) != (pair["J"], pair["F"]):
            yield pair["name"]
