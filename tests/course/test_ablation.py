"""The table of deviations quotes the experiment, and leaves no choice of it out."""

import importlib.util
from statistics import mean

import pytest

from vos.course.ablation import DEVIATIONS, changes, deviation_table
from vos.files import read_json
from vos.course.workspace import ROOT


@pytest.fixture(scope="module")
def experiment():
    spec = importlib.util.spec_from_file_location("choices", ROOT / "experiments/choices.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_choice_stands_in_the_table_once(experiment):
    undone = [name for row in DEVIATIONS for name in row.undone]
    compared = {experiment.RECIPE, experiment.UPDATED}
    assert sorted(undone) == sorted(set(experiment.CHOICES) - compared)


def test_every_choice_undoes_something(experiment):
    """A choice whose settings equal the recipe's would measure nothing."""
    recipe = experiment.CHOICES[experiment.RECIPE]
    assert [name for name, choice in experiment.CHOICES.items() if choice == recipe] == [experiment.RECIPE]


def test_published_choices_are_whole(experiment):
    rows = read_json(ROOT / "data/results/choices.json")["rows"]
    wanted = [(name, seed) for name, seeds in experiment.SEEDS.items() for seed in seeds]
    assert [(row["choice"], row["seed"]) for row in rows] == wanted


def test_a_choice_is_compared_with_the_same_seed():
    rows = [
        {"choice": "recipe", "seed": 0, "against": "recipe", "J": 0.4},
        {"choice": "recipe", "seed": 1, "against": "recipe", "J": 0.5},
        {"choice": "other", "seed": 0, "against": "recipe", "J": 0.35},
        {"choice": "other", "seed": 1, "against": "recipe", "J": 0.55},
        {"choice": "wide", "seed": 1, "against": "other", "J": 0.5},
    ]
    found = changes(rows)
    assert found["other"] == pytest.approx([-0.05, 0.05]) and found["wide"] == pytest.approx([-0.05])


def test_the_table_quotes_what_was_measured(experiment):
    choices = read_json(ROOT / "data/results/choices.json")
    table = deviation_table(choices)
    for name, values in changes(choices["rows"]).items():
        assert name == experiment.UPDATED or f"{name}: {mean(values):+.3f}" in table
