"""A copy of the notebooks to hand out: no outputs, no answers, and a README that says how to open them.

An answer is whatever is folded, `<details>`, and is not a hint: "Answer", "Solution", "How to read it". The functions
to write are stubs in the notebooks already.
"""

import re
from pathlib import Path

import nbformat

from vos.course.notebooks import notebook_paths, question
from vos.course.workspace import ROOT, repository
from vos.files import VosError
from vos.files.outputs import check_output_folder, filled_whole

COMMAND = "course student-copy"
FOLDED = re.compile(r"<details[^>]*>\s*<summary>(.*?)</summary>.*?</details>\s*", re.DOTALL)
LINK_OUT = re.compile(r"\[([^\]]+)\]\(\.\./([^)\s]+)\)")  # to a page beside notebooks/, which only a clone has

README = """# The notebooks of the course

{contents}

## Install

The notebooks import the package `vos`, so you need a clone of the course's repository (or its unpacked ZIP) and Python
3.11 or newer. In the folder of the clone:

```sh
python -m venv .venv
.venv/bin/pip install -e '.[video,widget,imagenet]'
```

On Windows write `.venv\\Scripts\\` for `.venv/bin/`.

## Open

This folder may lie anywhere; data and checkpoints are found in the clone. In this folder:

```sh
path/to/clone/.venv/bin/python -m jupyterlab notebooks
```

The first notebook that you run draws the videos of the course, which takes about a minute.

## Solve and hand in

Each exercise has a function to write. Replace its `...` and run the cell: it says what is wrong, or "Well done". Leave
the line `exercises.NAME(...)` where it is, as it is what gets marked. Helper functions may stand in any cell of the
same notebook.

Save the notebooks and hand in the folder `notebooks` with the names of its files as they are.
"""


def write_student_copy(out: Path, with_answers: bool = False) -> int:
    """Write OUT/notebooks and OUT/README.md and return how many notebooks there are.

    VosError where `out` is a folder of the user's, or holds a notebook that was changed since it was written there.
    """
    paths = notebook_paths(repository())
    check_output_folder(out, COMMAND, [ROOT / "notebooks"])
    contents = "\n".join(f"- [{path.stem}](notebooks/{path.name}): {question(path)}" for path in paths)
    texts = {"README.md": README.format(contents=contents)}
    for path in paths:
        notebook = student_notebook(nbformat.read(path, as_version=4), with_answers)
        texts[f"notebooks/{path.name}"] = nbformat.writes(notebook) + "\n"
    for name, text in texts.items():
        there = out / name
        if there.is_file() and there.read_text(encoding="utf-8", errors="replace") != text:
            raise VosError(f"{there}: is not as it would be written now, and may hold work; give --out a new folder")
    with filled_whole(out, COMMAND) as folder:
        for name, text in texts.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return len(paths)


def student_notebook(notebook: nbformat.NotebookNode, with_answers: bool = False) -> nbformat.NotebookNode:
    """The notebook, changed in place: no outputs, execution counts and widget states, and no answers."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        elif cell.cell_type == "markdown":
            cell.source = LINK_OUT.sub(r"\1 (`\2` in the clone)", cell.source)
            if not with_answers:
                cell.source = without_answers(cell.source)
    notebook.cells = [cell for cell in notebook.cells if cell.source or cell.cell_type == "code"]
    return notebook


def without_answers(text: str) -> str:
    """Markdown with no folded part other than its hints."""
    return FOLDED.sub(lambda part: part[0] if part[1].strip().lower().startswith("hint") else "", text).strip()
