"""The floors of the house: a module imports only from below its own. And no module grows too long to be read.

    leaves      files, fast                                 nothing of vos but their own
    core        masks, data, config, clips, ...             leaves, and the core modules before them
    services    synthetic, datasets, engine, ...            leaves, core, their own; never one another
    course      what only the course needs                  all below
    cli         one file a command, and all of argparse     everything

Read from the syntax trees, so that an import inside a function counts as well.
"""

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LEAVES = ("files", "fast")
EIGHT = ("masks", "data", "config", "clips", "networks", "training", "inference", "metrics")  # one question each
BESIDE = (
    "augment",
    "backbones",
    "attention",
    "tracking",
    "online",
)  # parts of them that would make them too long to be read
CORE = (  # in reading order
    *("masks", "data", "config", "augment", "clips", "backbones", "attention", "networks"),
    *("training", "tracking", "online", "inference", "metrics"),
)
SERVICES = ("synthetic", "datasets", "engine", "scoring", "submission", "figures", "video")
FLOORS = (LEAVES, CORE, SERVICES, ("course",), ("cli",), ("__main__",))
MOST_LINES, MOST_LINES_OF_EIGHT, MOST_LINES_BESIDE = 300, 1750, 650


def may_import(room: str) -> set[str]:
    """The modules and folders of vos/ that one of them may import from. KeyError where it is on no floor."""
    if room == "__init__":
        return set(LEAVES)
    height = next((i for i, floor in enumerate(FLOORS) if room in floor), None)
    if height is None:
        raise KeyError(room)
    below = {other for floor in FLOORS[:height] for other in floor}
    earlier = CORE[: CORE.index(room)] if room in CORE else ()
    return below | {room, *earlier}


def imports(source: str, package: list[str]) -> Iterator[tuple[int, str]]:
    """(line, full name) of everything a module imports, wherever it does; package: the names above it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)


def wrong_imports(path: Path, source: str) -> Iterator[str]:
    """What a module imports from its own floor or above; path: the file's, from the folder of vos/ on."""
    inner = path.parts[1:]  # within vos/
    room = inner[0].removesuffix(".py")
    try:
        allowed = may_import(room)
    except KeyError:
        yield f"{path}: {room} stands on no floor; say in tests/test_floors.py on which"
        return
    for line, name in imports(source, list(path.parts[:-1])):
        first, *rest = name.split(".")
        known = {other for floor in FLOORS for other in floor}
        if first == "vos" and rest and rest[0] in known - allowed:
            yield f"{path}:{line}: imports {name}, and {room} may not import from {rest[0]}"
        if first == "argparse" and room != "cli":
            yield f"{path}:{line}: imports {name}, and only vos/cli reads the command line"


def problems(root: Path) -> list[str]:
    """The wrong imports of all modules of ROOT/vos."""
    files = sorted((root / "vos").rglob("*.py"))
    return [found for file in files for found in wrong_imports(file.relative_to(root), file.read_text("utf-8"))]


def lines(path: Path) -> int:
    return path.read_text("utf-8").count("\n")


def test_every_import_leads_down():
    assert problems(ROOT) == []


def test_every_folder_is_used():
    """The floors name what there is, and all of it."""
    there = {path.stem for path in (ROOT / "vos").iterdir() if path.suffix == ".py" or path.is_dir()}
    assert there - {"__init__", "__pycache__"} == {room for floor in FLOORS for room in floor}


@pytest.mark.parametrize(
    ("file", "line", "words"),
    [
        # upwards
        ("vos/masks.py", "from vos.engine.trainer import Trainer", "vos.engine.trainer.Trainer"),
        ("vos/data.py", "def f():\n    import vos.submission.check", "vos.submission.check"),
        ("vos/files/mask_images.py", "from vos import masks", "vos.masks"),
        (
            "vos/fast/layers.py",
            "class A:\n    from vos.networks import Encoder as E",
            "vos.networks",
        ),
        ("vos/networks.py", "from .training import fit", "vos.training.fit"),
        ("vos/scoring/tables.py", "from ..course import report", "vos.course.report"),
        ("vos/course/report.py", "import os, vos.cli.train as t", "vos.cli.train"),
        ("vos/cli/train.py", "from vos.__main__ import main", "vos.__main__.main"),
        ("vos/__init__.py", "from .masks import read_mask", "vos.masks.read_mask"),
        # sideways: a later core module, another service, the other leaf
        ("vos/masks.py", "from vos.data import Video", "vos.data.Video"),
        ("vos/training.py", "import vos.metrics", "vos.metrics"),
        ("vos/engine/log.py", "if True:\n    from vos.figures.style import WIDTH", "vos.figures.style.WIDTH"),
        ("vos/datasets/download.py", "from vos import submission", "vos.submission"),
        ("vos/synthetic/video.py", "from ..figures import style", "vos.figures.style"),
        ("vos/files/atomic.py", "from vos.fast.counting import Counts", "vos.fast.counting.Counts"),
        # the command line
        ("vos/scoring/evaluate.py", "def run():\n    import argparse", "argparse"),
        ("vos/course/report.py", "from argparse import ArgumentParser", "argparse.ArgumentParser"),
        # a stranger
        ("vos/helpers.py", "", "on no floor"),
    ],
)
def test_an_import_that_leads_up_or_sideways_is_found(file, line, words):
    (found,) = wrong_imports(Path(file), line)
    assert found.startswith(file) and words in found


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("vos/clips.py", "from vos.data import Video\nfrom vos import config\nfrom vos.files import VosError"),
        ("vos/engine/trainer.py", "from vos.engine.log import write_log\nfrom . import pretrained\nimport vos.metrics"),
        ("vos/files/__init__.py", "from vos.files.errors import VosError\nfrom .json_files import read_json"),
        ("vos/course/report.py", "from vos.course import notebooks\nfrom vos.scoring.tables import table\nimport vos"),
        ("vos/cli/train.py", "import argparse\nfrom vos.cli import main\nfrom vos.figures import style"),
        ("vos/__init__.py", "from vos.fast.memory import keep_freed_memory"),
        ("vos/masks.py", "import data\nfrom clips import engine\nimport vosges.engine"),
    ],
)
def test_an_import_that_leads_down_is_none_of_them(file, line):
    assert list(wrong_imports(Path(file), line)) == []


def test_what_is_planted_in_the_house_is_found(tmp_path):
    shutil.copytree(ROOT / "vos", tmp_path / "vos", ignore=shutil.ignore_patterns("__pycache__"))
    for file, planted in (("inference.py", "from vos.engine import log"), ("figures/style.py", "import vos.scoring")):
        path = tmp_path / "vos" / file
        path.write_text(f"{path.read_text('utf-8')}\n\ndef planted():\n    {planted}\n", "utf-8")
    up, sideways = set(problems(tmp_path)) - set(problems(ROOT))
    if "inference" not in up:
        up, sideways = sideways, up
    assert "vos/inference.py" in up and "vos.engine.log" in up
    assert "vos/figures/style.py" in sideways and "vos.scoring" in sideways


def test_the_core_is_eight_modules_and_their_parts_and_can_be_read_in_a_day():
    top = sorted(path.stem for path in (ROOT / "vos").glob("*.py") if path.stem not in ("__init__", "__main__"))
    assert top == sorted(CORE) == sorted(EIGHT + BESIDE) and len(EIGHT) == 8
    for names, most in ((EIGHT, MOST_LINES_OF_EIGHT), (BESIDE, MOST_LINES_BESIDE)):
        assert sum(lines(ROOT / "vos" / f"{name}.py") for name in names) <= most


def test_modules_are_short():
    long = {str(path.relative_to(ROOT)): n for path in (ROOT / "vos").rglob("*.py") if (n := lines(path)) > MOST_LINES}
    assert not long
