"""Copies of students: their exercises are found, run with what they need, and marked, whatever the code does."""

import csv
import json
import os

import pytest
from helpers.student_copies import DICE, IMPORTS, MERGE, REGION, STUB, attempt, save_notebook

from vos.cli import main
from vos.course import exercises, grading
from vos.course.attempts import Attempt, Mark, attempts_in, checked
from vos.files import VosError


def read_csv(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def mark(tmp_path, name, *cells):
    """The mark of the last attempt at an exercise in a notebook of these cells."""
    path = save_notebook(tmp_path / "copy.ipynb", *cells)
    (found,) = [a for a in attempts_in(path) if a.exercise == name][-1:]
    return checked(found, getattr(exercises, name))


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Copies of every kind, marked with a limit of two seconds: the rows by student."""
    desk = tmp_path_factory.mktemp("desk")
    folder = desk / "in"
    save_notebook(folder / "anna/notebooks/05.ipynb", IMPORTS, REGION)
    save_notebook(folder / "anna/notebooks/06.ipynb", IMPORTS, "HALF = 0.5", MERGE)
    save_notebook(folder / "ben.ipynb", IMPORTS, DICE, STUB, attempt("merge_objects", "return nothing_of_that_name"))
    endless = attempt(
        "region_similarity", "while True:\n    try:\n        pass\n    except BaseException:\n        pass"
    )
    children = "import os, time\nif not os.fork():\n    time.sleep(60)\nwhile True: pass"
    save_notebook(folder / "carl/05.ipynb", IMPORTS, endless, attempt("box_of", children), "HALF = 0.5", MERGE)
    rude = {
        "region_similarity": "import os\nos._exit(3)",
        "attention": "import os\nos.fork()\nraise KeyboardInterrupt",
        "weights_that_learn": "import sys\nsys.modules.clear()\nreturn 1",
    }
    cells = [attempt(name, body) for name, body in rude.items()]
    save_notebook(folder / "dora/all.ipynb", IMPORTS, *cells, "HALF = 0.5", MERGE)
    (folder / "eve").mkdir()
    (folder / "eve/05.ipynb").write_text('{"cells": [')
    (folder / "eve/notes.txt").write_text("sorry")
    (folder / "frank.pdf").write_text("a print")

    (desk / "out").mkdir()
    assert main(["course", "grade", str(folder), "--out", str(desk / "out/marks.csv"), "--minutes", "0.033"]) == 0
    assert [path.name for path in (desk / "out").iterdir()] == ["marks.csv"]
    return read_csv(desk / "out/marks.csv")


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="forks")
def test_copies_of_every_kind(graded):
    rows = graded
    marks = {name: {k: v for k, v in row.items() if v not in ("missing", name)} for name, row in rows.items()}
    said = {name: row.pop("message") for name, row in marks.items()}
    assert list(rows) == ["anna", "ben", "carl", "dora", "eve"]
    assert marks == {
        "anna": {"points": "2", "region_similarity": "passed", "merge_objects": "passed"},
        "ben": {"points": "0", "region_similarity": "failed", "merge_objects": "failed", "box_of": "not yet"},
        "carl": {"points": "1", "region_similarity": "timed out", "merge_objects": "passed", "box_of": "timed out"},
        "dora": {
            "points": "1",
            "region_similarity": "error",
            "merge_objects": "passed",
            "attention": "error",
            "weights_that_learn": "failed",
        },
        "eve": {
            "points": "0",
            **dict.fromkeys(set(rows["eve"]) - {"student", "points", "message"}, "unreadable"),
        },
    }
    assert said["anna"] == ""
    assert "this is Dice" in said["ben"] and "NameError" in said["ben"]
    assert "stopped after 1.98 seconds" in said["carl"]
    assert "exit code 3" in said["dora"] and "attention: KeyboardInterrupt" in said["dora"]
    assert "eve/05.ipynb: cannot be read as JSON" in said["eve"]
    assert all(len(text) < 5000 and text.isprintable() for text in said.values())


def test_a_stub_is_not_yet_and_what_a_check_prints_is_kept(tmp_path, capsys):
    assert mark(tmp_path, "box_of", IMPORTS, STUB).status == "not yet"
    status, words = mark(tmp_path, "region_similarity", IMPORTS, f"print('Not yet')\n{DICE}")
    assert status == "failed" and words.startswith("Case 1") and "this is Dice" in words
    loud = attempt("mask_loss", "print('x' * 10**7)\nfor _ in range(10**4): print('Not yet')\nreturn 1.0")
    status, words = mark(tmp_path, "mask_loss", IMPORTS, loud)
    assert status == "failed" and words.startswith("Case 1") and len(words) < 1000
    assert capsys.readouterr().out == ""


def test_helpers_are_found_wherever_they_stand(tmp_path):
    cells = (
        "raise RuntimeError('no cell is run that is not needed')",
        IMPORTS,
        "this cell = is not finished",
        "from math import *\nONE = 1\nONE += 0",
        "%matplotlib inline\n!ls\n" + attempt("region_similarity", "return ratio(*(x.sum() for x in both(*a)))"),
        "ratio = lambda a, b: a / b if b else floor(float(ONE))",
        "@staticmethod\ndef both(p, t):\n    return Pair(p, t).parts()",
        "class Pair:\n    def __init__(self, p, t):\n        self.p, self.t = p, t\n    def parts(self):\n"
        "        return np.logical_and(self.p, self.t), self.p | self.t",
    )
    assert mark(tmp_path, "region_similarity", *cells).status == "passed"


def test_a_name_is_what_it_was_last_bound_to(tmp_path):
    wrong = "def ratio(a, b):\n    return 0.0"
    right = "def ratio(a, b):\n    return a / b if b else 1.0"
    call = attempt("region_similarity", "p, t = a\nreturn ratio((p & t).sum(), (p | t).sum())")
    assert mark(tmp_path, "region_similarity", IMPORTS, wrong, right, call).status == "passed"
    assert mark(tmp_path, "region_similarity", IMPORTS, right, call, wrong).status == "passed"
    assert mark(tmp_path, "region_similarity", IMPORTS, right, wrong, call).status == "failed"


def test_local_names_drag_in_nothing(tmp_path):
    lesson = "union = open('/no/such/file')"
    assert mark(tmp_path, "region_similarity", lesson, IMPORTS, REGION).status == "passed"


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("def f(:\n    pass\nexercises.box_of(f)", "SyntaxError"),
        ("# exercises.box_of(f)", "is not called"),
        ("exercises.box_of(missing)", "NameError: name 'missing'"),
        ("x = 1 / 0\nexercises.box_of(x)", "ZeroDivisionError"),
        ("exercises.box_of()", "TypeError"),
        (attempt("box_of", "import sys\nsys.exit('bye')"), "SystemExit: bye"),
        ("import no_such_package\nexercises.box_of(no_such_package.f)", "No module named"),
        ("\ud800 = 1\nexercises.box_of(f)", "Unicode"),
        (f"{'(' * 5000}\nexercises.box_of(f)", "parenthes"),
    ],
)
def test_what_cannot_be_run_is_an_error(tmp_path, cell, words):
    path = tmp_path / "copy.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": [cell]}]}))
    status, said = checked(Attempt("box_of", path, 0), exercises.box_of)
    assert status == "error" and words in said


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"cells": 1}',
        '{"cells": [1]}',
        '{"cells": [{"cell_type": "code"}]}',
        '{"cells": [{"source": [1]}]}',
        '{"worksheets": []}',
        "[" * 10**5,
    ],
)
def test_an_unreadable_notebook_names_the_file(tmp_path, text):
    path = tmp_path / "a.ipynb"
    path.write_text(text)
    row = grading.mark_copy("ada", [path], ["box_of"], seconds=1)
    assert row.status("box_of") == "unreadable" and str(path) in row.message() and row.points == 0


def test_the_better_of_two_attempts_counts(tmp_path, monkeypatch):
    marks = [Mark("failed", "no"), Mark("passed", ""), Mark("not yet", "")]
    monkeypatch.setattr(grading, "run_attempts", lambda attempts, seconds: (marks, Mark("error", "")))
    path = save_notebook(tmp_path / "a.ipynb", STUB, STUB, STUB, "exercises.mine(f)")
    row = grading.mark_copy("ada", [path], ["box_of"], seconds=1)
    assert row.points == 1 and row.message() == "exercises.mine is no check of the course"


def test_copies_are_found(tmp_path):
    for name in ("b/02.ipynb", "b/notebooks/01.ipynb", "b/deep/x.ipynb", "a.ipynb", "b/.ipynb_checkpoints/02.ipynb"):
        save_notebook(tmp_path / name)
    for name in ("b/README.md", "b/essay.pdf", "list.csv", ".DS_Store", "c/photo.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    copies, ignored = grading.find_copies(tmp_path)
    found = {name: [p.relative_to(tmp_path).as_posix() for p in paths] for name, paths in copies.items()}
    assert found == {"a": ["a.ipynb"], "b": ["b/02.ipynb", "b/notebooks/01.ipynb"]}
    assert ignored == ["b/deep", "b/essay.pdf", "c/photo.jpg", "list.csv"]


@pytest.mark.parametrize("name", ["notebooks/x.ipynb", "05_evaluation.ipynb", "nothing.txt"])
def test_a_folder_that_holds_no_copies_is_refused(tmp_path, name):
    save_notebook(tmp_path / name)
    with pytest.raises(VosError, match=r"is a single copy|holds no STUDENT"):
        grading.find_copies(tmp_path)


def test_marks_are_no_formulas(tmp_path):
    rows = [grading.Row("=A1", {"box_of": Mark("failed", "a\nb\x1b")}), grading.Row("Zoë")]
    grading.write_marks(tmp_path / "marks.csv", rows)
    found = read_csv(tmp_path / "marks.csv")
    assert found["'=A1"]["message"] == "box_of: a b?"
    assert found["Zoë"] == {"student": "Zoë", "points": "0", "box_of": "missing", "message": ""}
    assert grading.is_marks(tmp_path / "marks.csv")
