"""The notebooks of the course: which there are, what each asks, its exercises, and running them all."""

import asyncio
import os
import re
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import nbformat
import torch
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

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
    """Execute notebooks and write them, with their outputs, to RUN/notebooks, and how long each took.

    Two at a time where there are two cores: much of a lesson, drawing above all, leaves a second core idle. VosError
    where a cell fails; then no other notebook goes on.
    """
    at_once = min(2, torch.get_num_threads())
    seconds: dict[str, float] = {}
    with progress_bar("notebooks", len(paths), "notebook") as bar:

        async def run_in_turn(path: Path, turn: asyncio.Semaphore) -> None:
            async with turn:
                bar.set_postfix({"running": path.stem})
                seconds[path.stem] = await run_notebook(path, workspace, run, torch.get_num_threads() // at_once)
                bar.update()

        async def run_all() -> None:
            turn = asyncio.Semaphore(at_once)
            async with asyncio.TaskGroup() as together:
                for path in paths:
                    together.create_task(run_in_turn(path, turn))

        try:
            asyncio.run(run_all())
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
    made = {"seconds": dict(sorted(seconds.items())), "provenance": provenance()}
    write_json(workspace.results / "notebooks.json", made)


async def run_notebook(source: Path, workspace: Workspace, run: Path, threads: int) -> float:
    """Execute one notebook and write it to RUN/notebooks; returns the seconds. VosError where a cell fails."""
    wanted = {"VOS_DATA": str(workspace.data), "VOS_RUN": str(run.resolve()), "VOS_FAST": str(int(workspace.fast))}
    wanted["OMP_NUM_THREADS"] = str(threads)
    notebook = nbformat.read(source, as_version=4)
    started = time.perf_counter()
    client = NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(source.parent)}})
    try:
        await client.async_execute(env=os.environ | wanted, stderr=subprocess.DEVNULL)  # kernels talk of their sockets
    except CellExecutionError as error:
        raise VosError(f"{source}: a cell failed: {error.ename}: {error.evalue}") from error
    except DeadKernelError:
        raise VosError(f"{source}: its kernel was ended, by Ctrl-C or for lack of memory") from None
    finally:
        with written_whole(run / "notebooks" / source.name) as temporary:
            nbformat.write(without_machine(notebook), temporary)
    return round(time.perf_counter() - started, 1)


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
