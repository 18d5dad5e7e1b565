"""Where a notebook or a report finds its data, checkpoints and results, and where its figures go.

Three environment variables decide, so that the very same notebooks run by hand, in a report and in a test:

    VOS_DATA   folder of a video set; without it the synthetic set, drawn into data/synthetic if it is missing
    VOS_RUN    folder of a report's run; without it results and checkpoints are the committed ones
    VOS_FAST   1: smaller defaults, the same code
"""

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from vos.data import VOSDataset
from vos.files import read_json
from vos.synthetic.dataset import draw_dataset, is_drawn

ROOT = Path(__file__).resolve().parents[1]
FULL_SET, FAST_SET = (300, 60), (12, 12)  # training and validation videos of the synthetic set
SYNTHETIC_SEED = 0


@dataclass(frozen=True)
class Workspace:
    """The folders; `fast` asks for smaller defaults."""

    data: Path
    checkpoints: Path
    results: Path
    figures: Path
    fast: bool

    @classmethod
    def find(cls) -> "Workspace":
        """The workspace that the environment names; draws the synthetic set where no set is named."""
        fast = os.environ.get("VOS_FAST", "0") not in ("", "0")
        named = os.environ.get("VOS_DATA")
        data = Path(named) if named else synthetic_set(fast)
        run = os.environ.get("VOS_RUN")
        if run:
            return cls.of_run(data, Path(run), fast)
        return cls(data, ROOT / "data/checkpoints", ROOT / "data/results", ROOT / "runs/by-hand/figures", fast)

    @classmethod
    def of_run(cls, data: Path, run: Path, fast: bool) -> "Workspace":
        """The workspace of a report's run."""
        return cls(data, run / "checkpoints", run / "results", run / "figures", fast)

    @property
    def synthetic(self) -> bool:
        """Whether the set is the synthetic one."""
        return (self.data / "synthetic.json").is_file()

    def videos(self, split: str) -> VOSDataset:
        """The videos of "train", "valid" or "valid_truth"."""
        return VOSDataset(self.data, split)

    def describe(self, notebook: str) -> None:
        """Print what the notebook is about to work on, and how long it took when it was last published."""
        train, valid = self.videos("train"), self.videos("valid")
        print(f"Video: {len(train)} training and {len(valid)} validation videos of {shown(self.data)}")
        print(f"Checkpoints and results: {shown(self.results.parent)}. Figures go to {shown(self.figures)}")
        timings = ROOT / "data/results/notebooks.json"
        seconds = read_json(timings)["seconds"].get(notebook) if timings.exists() else None
        if seconds:
            print(f"When last published, this notebook ran in {seconds:.0f} seconds.")

    def table(self) -> list[dict]:
        """The rows of table 1."""
        return read_json(self.results / "table1.json")["rows"]

    def smaller(self, usual: int, fast: int) -> int:
        """`usual`, or `fast` where VOS_FAST asks for smaller defaults."""
        return fast if self.fast else usual


def synthetic_set(fast: bool) -> Path:
    """The folder of the synthetic set, drawn first if it is missing (about a minute on two cores)."""
    train, valid = FAST_SET if fast else FULL_SET
    folder = ROOT / ("runs/fast/synthetic" if fast else "data/synthetic")
    if not is_drawn(folder, train, valid, SYNTHETIC_SEED):
        print(f"Drawing the synthetic set: {train} training and {valid} validation videos ...", flush=True)
        draw_dataset(folder, train, valid, SYNTHETIC_SEED)
    return folder


def shown(path: Path) -> str:
    """A path for people: inside the project relative to it, elsewhere its last part."""
    path = path.resolve()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name


def provenance() -> dict[str, str | int]:
    """The machine and the versions a result was made with."""
    packages = ("torch", "torchvision", "numpy", "pillow")
    names = {"python": platform.python_version()} | {name: version(name) for name in packages}
    return {"processor": processor(), "cores": os.cpu_count() or 1, **names}


def processor() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
