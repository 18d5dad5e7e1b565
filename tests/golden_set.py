"""Reading the golden vectors: mask pairs and the J and F the official DAVIS toolkit gave for them, to the last bit."""

import json
from pathlib import Path

import numpy as np

SYNTH = Path(__file__).parent / "golden" / "golden_synth"
REAL = Path(__file__).parents[2] / "shared" / "golden" / "golden_real"


class GoldenSet:
    """`expected` is the JSON file; `golden[i]` is label map i of the npz file, uint8 (H, W)."""

    def __init__(self, path: Path) -> None:
        self.expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        with np.load(path.with_suffix(".npz")) as arrays:
            self.data, self.start, self.shape = arrays["data"], arrays["off"], arrays["shape"]

    def __getitem__(self, index: int) -> np.ndarray:
        return self.data[self.start[index] : self.start[index + 1]].reshape(self.shape[index])
