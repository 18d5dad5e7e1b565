"""The table of deviations quotes the experiment, and leaves no choice of it out."""

import importlib.util
from statistics import mean

import pytest

from vos.course.ablation import changes, deviation_table, read_deviations
from vos.course.workspace import ROOT
from vos.files import read_json


@pytest.fixture(scope="module")
def experiment():
    spec = importlib.util.spec_from_file_location("ablation", ROOT / "experiments/ablation.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_choice_stands_in_the_table_once(experiment):
    undone = [name for row in read_deviations() for name in row["undone"]]
    compared = {experiment.RECIPE, experiment.UPDATED}
    assert sorted(undone) == sorted(set(experiment.CHOICES) - compared)


def test_every_row_says_what_theirs_ours_and_why():
    rows = read_deviations()
    assert all(row.keys() == {"what", "theirs", "ours", "why", "undone"} for row in rows)
    assert len({row["what"] for row in rows}) == len(rows) == 29


def test_every_choice_undoes_something(experiment):
    """A choice whose settings equal the recipe's would measure nothing."""
    recipe = experiment.CHOICES[experiment.RECIPE]
    assert [name for name, choice in experiment.CHOICES.items() if choice == recipe] == [experiment.RECIPE]


def test_published_choices_are_whole(experiment):
    rows = read_json(ROOT / "data/results/ablation.json")["rows"]
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
    ablation = read_json(ROOT / "data/results/ablation.json")
    table = deviation_table()
    for name, values in changes(ablation["rows"]).items():
        assert name == experiment.UPDATED or f"{name}: {mean(values):+.3f}" in table


@pytest.mark.slow
def test_choices_are_trained_by_the_plain_loop(experiment, small_set, monkeypatch, tmp_path):
    """Two steps of processor time, of a choice that averages weights and one that does not."""
    monkeypatch.setenv("VOS_DATA", str(small_set))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(experiment, "OBJECTS", 2)
    for name in ("moving average of weights, 0.99", experiment.UPDATED):
        row = experiment.train_choice(name, 1, 0.002)
        assert row["choice"] == name and row["against"] == experiment.RECIPE and row["seed"] == 1
        assert row["iterations"] >= 1 and 0 <= row["J"] <= 1 and row["parameters"] > 900_000
    assert not list(tmp_path.iterdir())  # nothing is written
