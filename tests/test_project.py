"""What holds the project's files together: environment.yml, pyproject.toml, README, the command line."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from vos.cli import COMMANDS, parser

ROOT = Path(__file__).parents[1]
CONDA_NAMES = {"pytorch": "torch", "matplotlib-base": "matplotlib"}
SETS = (["data", "synthetic"], ["data", "davis"], ["data", "check"], ["course", "student-copy"], ["course", "grade"])


def bounds(lines: list[str]) -> dict[str, str]:
    """{"torch": ">=2.4"} from requirement lines of either file."""
    found = (re.fullmatch(r"([\w-]+)\s*(>=[\d.]+)", line.strip()) for line in lines)
    return {CONDA_NAMES.get(m[1], m[1]): m[2] for m in found if m}


def test_environment_and_pyproject_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [
        line for extra in ("test", "video", "widget", "imagenet") for line in project["optional-dependencies"][extra]
    ]
    wanted = bounds(project["dependencies"] + extras)
    environment = (ROOT / "environment.yml").read_text()
    listed = bounds([line.strip(" -") for line in environment.splitlines()])
    assert listed.pop("python") == project["requires-python"]
    assert listed == wanted
    channels = environment.split("channels:")[1].split("dependencies:")[0].split()
    assert channels == ["-", "conda-forge", "-", "nodefaults"]


def test_help_is_quick_and_does_not_import_torch():
    code = "import sys, vos.cli; vos.cli.parser().format_help(); assert 'torch' not in sys.modules, 'torch'"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_help_of_the_program(capsys):
    with pytest.raises(SystemExit) as end:
        parser().parse_args(["--help"])
    text = capsys.readouterr().out
    assert end.value.code == 0 and all(f"    {command} " in text for command in COMMANDS)


@pytest.mark.parametrize("words", [*SETS, *([command] for command in COMMANDS)])
def test_help_of_every_command(words, capsys):
    with pytest.raises(SystemExit) as end:
        parser().parse_args([*words, "--help"])
    assert end.value.code == 0 and "usage" in capsys.readouterr().out
