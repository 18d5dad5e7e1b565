"""What notebooks say of their time and exercises, which docs/teaching.md adds up."""

import re

import pytest

from vos.course import exercises
from vos.course.notebooks import exercises_of, minutes_to_read_and_solve, notebook_paths
from vos.course.workspace import ROOT


@pytest.mark.parametrize("path", notebook_paths(), ids=lambda path: path.stem)
def test_every_exercise_has_its_time_and_a_check_that_exists(path):
    found = exercises_of(path)
    assert len(found) == path.read_text(encoding="utf-8").count("# Exercise: ")
    assert sum(exercise.minutes for exercise in found if not exercise.waiting) < minutes_to_read_and_solve(path)
    assert all(callable(getattr(exercises, exercise.check)) for exercise in found if exercise.check)


def test_schedules_name_sections_and_exercises_that_exist():
    text = (ROOT / "docs/teaching.md").read_text(encoding="utf-8").split("## Three schedules")[1].split("\n## ")[0]
    known = {exercise.check for path in notebook_paths() for exercise in exercises_of(path)}
    assert {*re.findall(r"`(\w+)`", text)} <= known
    headings = " ".join(path.read_text(encoding="utf-8") for path in notebook_paths())
    assert all(f"## {number} " in headings for number in re.findall(r"\b[1-9A]\.\d+\b", text))
