"""Where a notebook or a report finds its data, checkpoints and results, and where its figures go.

Three environment variables decide, so that the very same notebooks run by hand, in a report and in a test:

    VOS_DATA   folder of a video set; without it the synthetic set, drawn into data/synthetic if it is missing
    VOS_RUN    folder of a report's run; without it results and checkpoints are the committed ones
    VOS_FAST   1: smaller defaults, the same code
"""

import os
import platform
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from vos.data import VOSDataset
from vos.engine.checkpoints import load_checkpoint
from vos.engine.log import read_log
from vos.files import VosError, read_json
from vos.networks import BaseModel
from vos.synthetic.dataset import MARK, draw_dataset, is_drawn

ROOT = Path(__file__).resolve().parents[2]  # the repository, where the package lies in one
FULL_SET, FAST_SET = (300, 60), (12, 12)  # training and validation videos of the synthetic set
SYNTHETIC_SEED = 0
MEASURED_ONCE = ("ablation", "comparison", "faults", "training_faults")  # by experiments/


def repository() -> Path:
    """ROOT. VosError where the package is installed without notebooks beside it: nothing is written there then."""
    if not (ROOT / "notebooks").is_dir():
        raise VosError(
            f"{ROOT}: has no notebooks/, which notebooks and `report` need; run them in a clone of the "
            "repository. The other commands work in the working directory"
        )
    return ROOT


def fast_mode() -> bool:
    """Whether VOS_FAST asks for smaller defaults."""
    return os.environ.get("VOS_FAST", "0") not in ("", "0")


@dataclass(frozen=True)
class Workspace:
    """A video set, and the folders of checkpoints, results and figures; VosError where there is no repository."""

    data: Path
    checkpoints: Path
    results: Path
    figures: Path
    fast: bool  # asks for smaller defaults

    def __post_init__(self) -> None:
        repository()

    @classmethod
    def find(cls) -> "Workspace":
        """The workspace that the environment names; draws the synthetic set where no set is named."""
        fast, data, run = fast_mode(), os.environ.get("VOS_DATA"), os.environ.get("VOS_RUN")
        folder = Path(data) if data else synthetic_set(fast)
        if run:
            return cls.of_run(folder, Path(run), fast)
        return cls(folder, ROOT / "data/checkpoints", ROOT / "data/results", ROOT / "runs/by-hand/figures", fast)

    @classmethod
    def of_run(cls, data: Path, run: Path, fast: bool) -> "Workspace":
        """The workspace of a report's run."""
        return cls(data, run / "checkpoints", run / "results", run / "figures", fast)

    @cached_property
    def dataset(self) -> VOSDataset:
        """The video set, read once: `.train`, `.valid` and `.valid_truth`, held out of train where the set has none."""
        return VOSDataset(self.data, hold_out=None)

    @property
    def synthetic(self) -> bool:
        """Whether the set is the synthetic one."""
        return (self.data / MARK).is_file()

    @property
    def stride(self) -> int:
        """Annotated frames from one to the next that make about six a second: DAVIS annotates every one of 24."""
        return 5 if self.dataset.layout == "DAVIS" else 1

    def describe(self) -> None:
        """Print what the notebook works on, and where its results stand in a clone, once `publish` has copied them."""
        dataset, places = self.dataset, (self.checkpoints, self.results, self.figures)
        if self.synthetic and self.checkpoints != ROOT / "data/checkpoints":
            places = ROOT / "data/checkpoints", ROOT / "data/results", ROOT / "figures"
        checkpoints, results, figures = (path_in_words(path) for path in places)
        counts = f"{len(dataset.train)} training and {len(dataset.valid)} validation videos"
        print(f"Video: {counts} of {path_in_words(self.data)}")
        print(f"Checkpoints: {checkpoints}. Results: {results}. Figures go to {figures}.")

    def pick(self, full: int, fast: int) -> int:
        """Return `full`, or `fast` when VOS_FAST=1."""
        return fast if self.fast else full

    def checkpoint(self, name: str) -> tuple[BaseModel, dict]:
        """The model "base" or "updated", trained, and what its checkpoint says of the training.

        "real" is the committed one: no report trains it.
        """
        return load_checkpoint((ROOT / "data/checkpoints" if name == "real" else self.checkpoints) / f"{name}.pt")

    def training_log(self, name: str) -> dict[str, list[float]]:
        """The log of a model's training, as columns."""
        return read_log(self.results / f"training_{name}.csv")

    def result(self, name: str) -> dict:
        """A result file, "table1" ...; the committed one of what no report measures, as "ablation" or a benchmark."""
        measured_once = name in MEASURED_ONCE or name.startswith(("benchmark_", "real"))
        return read_json((ROOT / "data/results" if measured_once else self.results) / f"{name}.json")

    def scores(self, method: str) -> dict:
        """The scores of "empty", "copy-first", "base" or "updated" on the validation videos, as `evaluate` has them."""
        return self.result(f"scores_{method}")

    def table(self) -> list[dict]:
        """The rows of table 1."""
        return self.result("table1")["rows"]


def synthetic_set(fast: bool) -> Path:
    """The folder of the synthetic set, drawn first if it is missing (about a minute on two cores)."""
    train, valid = FAST_SET if fast else FULL_SET
    folder = repository() / ("runs/fast/synthetic" if fast else "data/synthetic")
    if not is_drawn(folder, train, valid, SYNTHETIC_SEED):
        print(f"Drawing the synthetic set: {train} training and {valid} validation videos ...", flush=True)
        try:
            draw_dataset(folder, train, valid, SYNTHETIC_SEED)
        except (OSError, VosError) as error:  # VosError: of one of its files
            advice = "draw it elsewhere with `python -m vos data synthetic`, and name that folder in VOS_DATA"
            raise VosError(
                f"{folder}: cannot be written ({getattr(error, 'strerror', None) or error}); {advice}"
            ) from None
    return folder


def path_in_words(path: Path) -> str:
    """A path for people: inside the repository relative to it, elsewhere its last part."""
    path = path.resolve()
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name


def provenance() -> dict[str, str | int]:
    """The machine and the versions a result was made with."""
    processor = platform.processor() or platform.machine()
    with suppress(OSError, StopIteration):  # only Linux has this file, and not every processor a name in it
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        processor = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    versions = {name: version(name) for name in ("torch", "torchvision", "numpy", "pillow")}
    return {"processor": processor, "cores": os.cpu_count() or 1, "python": platform.python_version(), **versions}
