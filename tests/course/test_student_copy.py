"""The notebooks to hand out: no outputs, no answers, hints kept, and nothing of the user's overwritten."""

import csv
import re

import nbformat
import pytest

from vos.cli import main
from vos.course.notebooks import notebook_paths
from vos.course.student_copy import without_answers, write_student_copy
from vos.files import VosError


@pytest.fixture(scope="module")
def handout(tmp_path_factory):
    folder = tmp_path_factory.mktemp("handout")
    assert main(["course", "student-copy", "--out", str(folder)]) == 0
    return folder


def all_source(path):
    return "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)


@pytest.mark.parametrize("original", notebook_paths(), ids=lambda path: path.stem)
def test_a_copy_has_hints_and_no_answers(handout, original):
    path = handout / "notebooks" / original.name
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    before, after = all_source(original), all_source(path)
    assert [cell.source for cell in code] == [
        cell.source for cell in nbformat.read(original, as_version=4).cells if cell.cell_type == "code"
    ]
    assert set(re.findall(r"<summary>(\w+)", after)) <= {"Hint"}
    assert after.count("<details>") == after.count("</details>") == before.count("<summary>Hint")
    assert after.count("### Exercise") == before.count("### Exercise")
    assert not re.search(r"\]\(\.\./", after)


def test_its_readme_lists_the_notebooks(handout):
    text = (handout / "README.md").read_text()
    assert all(f"(notebooks/{path.name}): " in text for path in notebook_paths())


@pytest.mark.slow
def test_its_stubs_are_not_yet(handout, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/ada").symlink_to(handout)
    assert main(["course", "grade", str(tmp_path / "in"), "--out", str(tmp_path / "marks.csv")]) == 0
    with (tmp_path / "marks.csv").open(encoding="utf-8-sig") as file:
        (row,) = csv.DictReader(file)
    assert (row.pop("student"), row.pop("points"), row.pop("message")) == ("ada", "0", "")
    assert len(row) >= 9 and {*row.values()} == {"not yet"}


def test_answers_may_be_kept(tmp_path):
    write_student_copy(tmp_path / "new", with_answers=True)
    for original in notebook_paths():
        kept = all_source(tmp_path / "new/notebooks" / original.name)
        assert kept.count("<details>") == all_source(original).count("<details>")


def test_what_is_folded_and_no_hint_goes():
    solution = "<details open>\n<summary> Solution </summary>\n\n`x`\n</details>"
    hint = "<details><summary>Hint 2</summary>y</details>"
    assert without_answers(f"Why?\n\n{solution}\n\nSo:\n{hint}") == f"Why?\n\nSo:\n{hint}"


def test_work_is_never_overwritten(handout, tmp_path):
    out = tmp_path / "copy"
    write_student_copy(out)
    (out / "mine.txt").write_text("mine")
    write_student_copy(out)  # as nothing has changed
    notebook = out / "notebooks/05_evaluation.ipynb"
    notebook.write_text(notebook.read_text().replace("...", "return 1"))
    worked_on = notebook.read_text()
    with pytest.raises(VosError, match=r"05_evaluation\.ipynb: is not as it would be written now"):
        write_student_copy(out)
    assert notebook.read_text() == worked_on and (out / "mine.txt").read_text() == "mine"


def test_a_folder_of_the_users_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(VosError, match=r"holds thesis\.tex"):
        write_student_copy(tmp_path)
    with pytest.raises(VosError, match="which is read"):
        write_student_copy(notebook_paths()[0].parents[1])
