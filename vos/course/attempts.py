"""A learner's attempts at the exercises: found in a notebook, and checked with what they need of it and nothing else.

An attempt is a cell that calls `exercises.NAME(...)`. A notebook takes minutes to run, so only that call is made, after
the imports, functions, classes and values that it uses, directly or through one another, wherever they stand.

As a program, `python -m vos.course.attempts JOB RESULTS`, this is the process in which `vos.course.grading` has
attempts checked: RESULTS gets a line when the checks are loaded, and one for each attempt of JOB.
"""

import ast
import io
import json
import os
import re
import symtable
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import NamedTuple

from vos.files import VosError, first_line, read_json

CALL = re.compile(r"\bexercises\.([A-Za-z]\w*)\s*\(")
CELL_MAGIC = re.compile(r"\A\s*%%.*")
CHECKS = "vos.course."  # how the modules are called in which checks are written
CHECK = "check of the exercise"  # no name that a learner's code could bind
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
DONE = ("passed", "not yet")  # the marks that an attempt has not lost to what another left behind
MOST_WORDS = 2000  # characters of what a check prints


class Attempt(NamedTuple):
    """An exercise by the name of its check, the notebook, and which of its code cells calls the check."""

    exercise: str
    notebook: Path
    cell: int


class Mark(NamedTuple):
    """What came of an attempt, in a word, and what is to be said of it."""

    status: str  # "passed", "failed", "not yet", "error", "timed out"
    words: str


class Statement(NamedTuple):
    """A statement of a cell, the names that it binds, and those that it uses of what is around it."""

    node: ast.stmt
    binds: set[str]
    uses: set[str]


def code_cells(path: Path) -> list[str]:
    """The sources of a notebook's code cells. VosError where the file is no notebook."""
    cells = read_json(path).get("cells")
    sources = []
    for cell in cells if isinstance(cells, list) else [None]:
        cell = cell if isinstance(cell, dict) else {}
        lines = cell.get("source")
        lines = [lines] if isinstance(lines, str) else lines
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise VosError(f"{path}: is JSON, but no notebook of format 4; ask for the file as Jupyter saves it")
        if cell.get("cell_type") == "code":
            sources.append("".join(lines))
    return sources


def attempts_in(path: Path) -> list[Attempt]:
    """Every attempt of a notebook, in its order. VosError where the file is no notebook."""
    return [
        Attempt(name, path, number)
        for number, source in enumerate(code_cells(path))
        for name in dict.fromkeys(CALL.findall(source))
    ]


def parsed(source: str) -> list[ast.stmt]:
    """The statements of a cell, which may hold magics. SyntaxError where it is no Python."""
    from IPython.core.inputtransformer2 import TransformerManager

    return ast.parse(TransformerManager().transform_cell(CELL_MAGIC.sub("", source)), "the cell").body


def statements_of(source: str) -> list[Statement]:
    """The statements of a cell; none where it is no Python, as an unfinished cell may be."""
    try:
        return [Statement(node, *names_of(node)) for node in parsed(source)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def names_of(node: ast.AST) -> tuple[set[str], set[str]]:
    """The names that code binds, and those that it uses of what is around it, inside its functions as well."""
    top = symtable.symtable(ast.unparse(node), "cell", "exec")
    binds = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    uses = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    inner = list(top.get_children())
    for table in inner:
        uses |= {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}
        inner += table.get_children()
    if not isinstance(node, DEFINITIONS):  # x += 1 needs the x before it, and so does what may leave x as it was
        changed = [part.target for part in ast.walk(node) if isinstance(part, ast.AugAssign)]
        uses |= {target.id for target in changed if isinstance(target, ast.Name)}
        uses |= binds if isinstance(node, ast.If | ast.Try) else set()
    return binds, uses


def needed(statements: Sequence[Statement], call: ast.Call, before: int) -> list[ast.stmt]:
    """Those statements that a call needs, in their order; before: how many of them stand before the call.

    A name is what it was last bound to before it is looked up, as in a notebook that is run from the top; a function
    looks its names up when it is called. What is bound only further down is taken from there.
    """
    found: set[int] = set()
    wanted = [(name, before) for name in names_of(call)[1]]
    while wanted:
        name, place = wanted.pop()
        binders = [i for i, statement in enumerate(statements) if name in statement.binds]
        earlier = [i for i in binders if i < place]
        for i in {*(earlier[-1:] or binders[:1])} - found:
            found.add(i)
            looked_up = before if isinstance(statements[i].node, DEFINITIONS) else i
            wanted += [(used, looked_up) for used in statements[i].uses]
    everything = [i for i, statement in enumerate(statements) if is_star_import(statement.node)]
    return [statements[i].node for i in sorted({*found, *everything})]


def is_star_import(node: ast.stmt) -> bool:
    """Whether it is `from somewhere import *`, which binds nobody knows what."""
    return isinstance(node, ast.ImportFrom) and node.names[0].name == "*"


class Heard(io.TextIOBase):
    """A stdout that keeps what the checks print, and not what an attempt does, as that may be megabytes."""

    def __init__(self) -> None:
        self.words = ""

    def write(self, text: str) -> int:
        writer = str(sys._getframe(1).f_globals.get("__name__"))
        if writer.startswith(CHECKS) and len(self.words) < MOST_WORDS:
            self.words += text
        return len(text)


def checked(attempt: Attempt, check: Callable) -> Mark:
    """Run the check of an attempt on what its notebook defines."""
    heard = Heard()
    try:
        cells = code_cells(attempt.notebook)
        here = parsed(cells[attempt.cell])  # an error in this cell is to be told
        calls = [(i, call) for i, node in enumerate(here) for call in calls_in(node, attempt.exercise)]
        if not calls:
            return Mark("error", f"exercises.{attempt.exercise}(...) is not called: is it in a comment?")
        above = [statement for source in cells[: attempt.cell] for statement in statements_of(source)]
        below = [statement for source in cells[attempt.cell :] for statement in statements_of(source)]
        number, call = calls[-1]
        program = ast.Module(needed([*above, *below], call, len(above) + number), [])
        call.func = ast.copy_location(ast.Name(CHECK, ast.Load()), call.func)
        names = {"__name__": "__main__", CHECK: check}
        with redirect_stdout(heard):
            exec(compile(program, attempt.notebook.name, "exec"), names)
            passed = eval(compile(ast.Expression(call), attempt.notebook.name, "eval"), names)
    except BaseException as error:  # SystemExit and KeyboardInterrupt, too: the other attempts are still to be checked
        return Mark("error", f"{type(error).__name__}: {first_line(error)}")  # type: ignore[arg-type]
    if passed is True:
        return Mark("passed", heard.words)
    not_yet = any(line.startswith("Not yet") for line in heard.words.splitlines())
    return Mark("not yet" if not_yet else "failed", heard.words)


def calls_in(statement: ast.stmt, name: str) -> list[ast.Call]:
    """Every `exercises.NAME(...)` of a statement."""
    calls = (node for node in ast.walk(statement) if isinstance(node, ast.Call))
    return [call for call in calls if ast.unparse(call.func) == f"exercises.{name}"]


def main(job: Path, results: Path) -> None:
    """Check the attempts of a job, and write a line about each as soon as it is known."""
    from vos.course import exercises

    process = os.getpid()

    def tell(line: list) -> None:
        if os.getpid() != process:  # a process that an attempt forked, and that came back from there
            os._exit(1)
        with results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    attempts = [Attempt(name, Path(path), cell) for name, path, cell in read_json(job)["attempts"]]
    checks = [getattr(exercises, attempt.exercise) for attempt in attempts]
    tell(["ready", ""])
    for number, (attempt, check) in enumerate(zip(attempts, checks, strict=True)):
        mark = checked(attempt, check)
        tell(list(mark))
        if number and mark.status not in DONE:
            break  # to be tried again by itself: an attempt before it may have spoilt something
    os._exit(0)  # at once, whatever threads an attempt has left running


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
