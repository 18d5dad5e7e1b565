"""The notebooks of the course: which there are, what each asks, its exercises, and running them all."""

import os
import re
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from vos.course.attempts import CALL
from vos.course.workspace import ROOT, Workspace, provenance
from vos.files import VosError, write_json
from vos.files.atomic import written_whole
from vos.files.progress import progress_bar

TIME = re.compile(r"^\*\*Time:\*\* about (\d+) minutes", re.MULTILINE)
EXERCISE = re.compile(r"^#+ Exercise: (.+)\n+\*Difficulty: (\w+) · about (\d+) minutes(.*)\*$", re.MULTILINE)


class Exercise(NamedTuple):
    """An exercise as its heading has it, and the name of its check; None where no check decides."""

    title: str
    difficulty: str
    minutes: int
    waiting: bool  # most of the minutes are the computer's
    check: str | None


def notebook_paths(root: Path = ROOT) -> list[Path]:
    """The notebooks of notebooks/, in their order."""
    return sorted((root / "notebooks").glob("*.ipynb"))


def question(path: Path) -> str:
    """What a notebook asks, from its first cell: the first line that is all bold, else the title without its number."""
    first = nbformat.read(path, as_version=4).cells[0].source
    bold, title = re.search(r"^\*\*(.+\?)\*\*$", first, re.MULTILINE), re.match(r"# (?:\d+ ?[.·:]? ?)?(.+)", first)
    found = bold or title
    if found is None:
        raise VosError(f"{path}: its first cell must begin with a title, as `# 1. What is a mask?`")
    return found[1]


def minutes_to_read_and_solve(path: Path) -> int:
    """What a notebook says of itself, without the time that it runs."""
    found = TIME.search(nbformat.read(path, as_version=4).cells[0].source)
    if found is None:
        raise VosError(f"{path}: its first cell must say `**Time:** about N minutes to read and solve`")
    return int(found[1])


def exercises_of(path: Path) -> list[Exercise]:
    """The exercises of a notebook, in their order."""
    found: list[Exercise] = []
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            for title, difficulty, minutes, rest in EXERCISE.findall(cell.source):
                found.append(Exercise(title, difficulty, int(minutes), "computer" in rest, None))
        elif found and found[-1].check is None and (call := CALL.search(cell.source)):
            found[-1] = found[-1]._replace(check=call[1])
    return found


def run_notebooks(paths: Sequence[Path], workspace: Workspace, run: Path) -> None:
    """Execute notebooks in order and write them, with their outputs, to RUN/notebooks, and how long each took."""
    wanted = {"VOS_DATA": str(workspace.data), "VOS_RUN": str(run.resolve()), "VOS_FAST": str(int(workspace.fast))}
    seconds: dict[str, float] = {}
    with progress_bar("notebooks", len(paths), "notebook") as bar:
        for source in paths:
            bar.set_postfix({"running": source.stem})
            notebook = nbformat.read(source, as_version=4)
            started = time.perf_counter()
            client = NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(source.parent)}})
            try:
                client.execute(env=os.environ | wanted, stderr=subprocess.DEVNULL)  # the kernel talks of its sockets
            except CellExecutionError as error:
                raise VosError(f"{source}: a cell failed: {error.ename}: {error.evalue}") from error
            finally:
                with written_whole(run / "notebooks" / source.name) as temporary:
                    nbformat.write(without_machine(notebook), temporary)
            seconds[source.stem] = round(time.perf_counter() - started, 1)
            bar.update()
    write_json(workspace.results / "notebooks.json", {"seconds": seconds, "provenance": provenance()})


def without_machine(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook without times, widget state and error streams, what was printed in one piece for each cell."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        outputs: list[dict] = []
        for output in cell.outputs:
            if output.get("name") == "stdout" and outputs and outputs[-1].get("name") == "stdout":
                outputs[-1]["text"] += output["text"]
            elif output.get("name") != "stderr":
                outputs.append(output)
        cell.outputs = outputs
    return notebook
