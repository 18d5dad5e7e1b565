"""Marks for the students' copies of the notebooks: each exercise run against its check, and a table as CSV.

A student's code is run here, and it may do anything: never come back, end its process, print for ever. So each copy has
a process of its own, which is ended with all that it started when an attempt has had its time; a new one goes on with
the attempt after. One that fails after others in the same process is run again in a new one. All this guards against
accidents and not against malice: the code has all the rights of who runs it.
"""

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from json import dumps, loads
from pathlib import Path
from tempfile import TemporaryDirectory

from vos.course.attempts import DONE, Attempt, Mark, attempts_in
from vos.course.notebooks import notebook_paths
from vos.course.workspace import ROOT, repository
from vos.files import VosError, printable
from vos.files.names import natural_key
from vos.files.outputs import MARK
from vos.files.progress import tracked

LOADING = 300.0  # seconds that loading the checks may take, on a busy machine
BEST_FIRST = ("passed", "failed", "error", "timed out", "not yet")  # the better of two attempts at one exercise counts
HANDED_OUT = ("README.md", MARK)  # what a student copy holds beside its notebooks
FORMULA = ("=", "+", "-", "@")  # how a cell begins that a spreadsheet would compute


@dataclass
class Row:
    """The marks of one student, by exercise, and whatever else is to be said of the copy."""

    student: str
    marks: dict[str, Mark] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    unreadable: bool = False

    @property
    def points(self) -> int:
        """How many exercises are passed."""
        return sum(mark.status == "passed" for mark in self.marks.values())

    def status(self, exercise: str) -> str:
        """The mark for an exercise in a word."""
        missing = Mark("unreadable" if self.unreadable else "missing", "")
        return self.marks.get(exercise, missing).status

    def message(self) -> str:
        """What was said of the exercises that are tried and not passed, on one line."""
        tried = [(name, mark) for name, mark in self.marks.items() if mark.status not in ("passed", "not yet")]
        said = [f"{name}: {' '.join(mark.words.split())}" for name, mark in tried]
        return printable(" | ".join([*self.problems, *said]))


def exercises_of_the_course() -> list[str]:
    """The names of all checks that the notebooks of the repository call, in their order."""
    paths = notebook_paths(repository())
    return list(dict.fromkeys(attempt.exercise for path in paths for attempt in attempts_in(path)))


def find_copies(folder: Path) -> tuple[dict[str, list[Path]], list[str]]:
    """The notebooks of each student in FOLDER, and the names of what else is there; names with a dot in front do not
    count. VosError where there is no copy, or where `folder` is itself the copy of one student.
    """
    if not folder.is_dir():
        raise VosError(f"{folder}: no such folder; give the one that holds a folder or a notebook for each student")
    if (folder / "notebooks").is_dir() or any((folder / path.name).exists() for path in notebook_paths()):
        raise VosError(f"{folder}: is a single copy; move it into a folder of its own, and give that folder")
    copies: dict[str, list[Path]] = {}
    ignored = []
    for path in visible(folder):
        files = [path]
        if path.is_dir():
            files = [p for p in visible(path) if p.name not in HANDED_OUT and not is_notebooks_folder(p)]
            files += [p for inner in visible(path) if is_notebooks_folder(inner) for p in visible(inner)]
        found = [file for file in files if file.suffix == ".ipynb" and file.is_file()]
        if found:
            copies.setdefault(path.name if path.is_dir() else path.stem, []).extend(found)
        ignored += [p.relative_to(folder).as_posix() for p in files or [path] if p not in found]
    if not copies:
        raise VosError(f"{folder}: holds no STUDENT/*.ipynb, STUDENT/notebooks/*.ipynb or STUDENT.ipynb to mark")
    return copies, [printable(name) for name in ignored]


def visible(folder: Path) -> list[Path]:
    """What is in a folder, in natural order, without hidden names as .ipynb_checkpoints."""
    return sorted((p for p in folder.iterdir() if p.name[0] != "."), key=lambda path: natural_key(path.name))


def is_notebooks_folder(path: Path) -> bool:
    """Whether it is the folder `notebooks` of a copy."""
    return path.name == "notebooks" and path.is_dir()


def mark_copies(copies: dict[str, list[Path]], minutes: float) -> list[Row]:
    """Run every attempt of every copy, each for so many minutes at most. VosError where the checks do not load."""
    known = exercises_of_the_course()
    if run_attempts([], seconds=0)[1].status == "error":
        raise VosError(f"the checks cannot be loaded; `{sys.executable} -c 'import vos.course.exercises'` says why")
    students = tracked(copies.items(), "marking", len(copies), "copy")
    return [mark_copy(printable(name), paths, known, 60 * minutes) for name, paths in students]


def mark_copy(student: str, paths: Sequence[Path], known: Sequence[str], seconds: float) -> Row:
    """Run the attempts of one copy."""
    row, attempts = Row(student), []
    for path in paths:
        try:
            attempts += attempts_in(path)
        except VosError as error:
            row.problems.append(str(error))
            row.unreadable = True
    strange = dict.fromkeys(a.exercise for a in attempts if a.exercise not in known)
    row.problems += [f"exercises.{name} is no check of the course" for name in strange]
    attempts = [attempt for attempt in attempts if attempt.exercise in known]
    marks: list[Mark] = []
    while len(marks) < len(attempts):
        told, end = run_attempts(attempts[len(marks) :], seconds)
        if len(told) > 1 and told[-1].status not in DONE:
            told.pop()  # that attempt is run again, in a process where no other has spoilt anything
        elif len(marks) + len(told) < len(attempts):
            told.append(end)
        marks += told
    for attempt, mark in zip(attempts, marks, strict=True):
        other = row.marks.get(attempt.exercise, mark)
        row.marks[attempt.exercise] = min(mark, other, key=lambda one: BEST_FIRST.index(one.status))
    return row


def run_attempts(attempts: Sequence[Attempt], seconds: float) -> tuple[list[Mark], Mark]:
    """Check attempts in a new process: the marks as far as it came, and what is to be said of the attempt after them.

    seconds: for each attempt.
    """
    with TemporaryDirectory(prefix="vos-marking-", ignore_cleanup_errors=True) as folder:
        job, results, desk = (Path(folder, name) for name in ("job.json", "results", "desk"))
        desk.mkdir()
        results.touch()
        job.write_text(dumps({"attempts": [(a.exercise, str(a.notebook.resolve()), a.cell) for a in attempts]}))
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        process = subprocess.Popen(
            [sys.executable, "-m", "vos.course.attempts", job, results],
            cwd=desk,
            env=os.environ | {"PYTHONPATH": path, "MPLBACKEND": "Agg", "VOS_FAST": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            lines, deadline = 0, time.monotonic() + LOADING
            while process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
                if (now := results.read_bytes().count(b"\n")) > lines:
                    lines, deadline = now, time.monotonic() + seconds
            late = process.poll() is None
        finally:
            end_group(process)
        told = read_marks(results)
    if late and told:
        return told[1:], Mark("timed out", f"stopped after {seconds:g} seconds")
    if not told or told[0].status != "ready":
        return [], Mark("error", "the checks could not be loaded")
    return told[1:], Mark("error", f"the code ended its process, with exit code {process.returncode}")


def read_marks(results: Path) -> list[Mark]:
    """The lines that a process wrote, up to the first that is none of ours: it shares them with a student's code."""
    marks: list[Mark] = []
    with suppress(ValueError, TypeError):
        for line in results.read_text(encoding="utf-8").splitlines():
            status, words = loads(line)
            if status not in (BEST_FIRST if marks else ("ready",)) or not isinstance(words, str):
                break
            marks.append(Mark(status, words))
    return marks


def end_group(process: subprocess.Popen) -> None:
    """End a process and all that it started and that still runs, which on Windows is the process alone."""
    with suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def is_marks(path: Path) -> bool:
    """Is this file one that write_marks wrote?"""
    return path.read_bytes().removeprefix(b"\xef\xbb\xbf").startswith(b"student,points,")


def write_marks(path: Path, rows: Sequence[Row]) -> None:
    """Write a row for each student: student, points, a column for each exercise, message.

    An exercise that nobody handed in has no column. The file begins with a mark by which spreadsheets know UTF-8.
    """
    known = exercises_of_the_course()
    columns = [name for name in known if any(name in row.marks for row in rows)] or known
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["student", "points", *columns, "message"])
        for row in rows:
            table.writerow([plain(row.student), row.points, *map(row.status, columns), plain(row.message())])


def plain(text: str) -> str:
    """Text for a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text
