"""`python -m vos course`: bad input is one line, named before any work, and files of the user's stay as they are."""

import pytest
from helpers.student_copies import IMPORTS, STUB, save_notebook

from vos.cli import main, parser


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("student-copy --out file.txt", "file.txt: is a file"),
        ("student-copy --out mine", "mine: holds notes.md"),
        ("grade no_such", "no_such: no such folder"),
        ("grade mine", "mine: holds no STUDENT"),
        ("grade in --out file.txt", "file.txt: is there already"),
        ("grade in --out mine", "mine: is a folder"),
        ("grade in --out file.txt/marks.csv", "file.txt/marks.csv: cannot be written"),
        ("grade in --minutes 0", "--minutes: is 0"),
        ("grade in --minutes nan", "--minutes: is nan"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_left(words, named, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.txt").write_text("mine")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.md").write_text("mine")
    save_notebook(tmp_path / "in/ada.ipynb", IMPORTS, STUB)
    before = sorted(tmp_path.rglob("*"))
    assert main(["course", *words.split()]) == 2
    error = capsys.readouterr().err
    assert error.startswith("vos: ") and named in error and error.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before and (tmp_path / "file.txt").read_text() == "mine"


def test_help_warns_of_untrusted_code(capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(["course", "grade", "--help"])
    assert "all the rights of your account" in " ".join(capsys.readouterr().out.split())
