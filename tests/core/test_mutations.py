"""Would anybody notice? Plausible mistakes are planted in the metric, one at a time, and each must change a score.

A mistake is a piece of source text and what a hurried person might have written instead. The changed modules are
loaded beside the real ones and compared with the golden values and a few cases that those do not have.
"""

import sys
import types
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from helpers.golden_set import SYNTH, GoldenSet, all_at_once, one_by_one, wrong_pairs

import vos

pytestmark = pytest.mark.slow  # all of it is for the whole suite

MISTAKES = {
    # J
    "two empty masks score 0": ("metrics", "if union else 1.0", "if union else 0.0"),
    "union counts the overlap twice": ("counting", "predicted)) - both", "predicted))"),
    "intersection over truth": ("metrics", "prediction | truth)", "truth)"),
    # F, from the counts
    "two empty boundaries score 0": ("metrics", "1.0 if predicted == true else 0.0", "0.0"),
    "one empty boundary scores 1": ("metrics", "1.0 if predicted == true else 0.0", "1.0"),
    "arithmetic mean": ("metrics", "2 * precision * recall / (precision + recall)", "(precision + recall) / 2"),
    "other order of float operations": (
        "metrics",
        "2 * precision * recall / (precision + recall)",
        "2 / (1 / precision + 1 / recall) if precision * recall else 0.0",
    ),
    # the radius
    "radius rounded down": ("metrics", "math.ceil(bound_th", "math.floor(bound_th"),
    "radius rounded": ("metrics", "math.ceil(bound_th", "round(bound_th"),
    "radius from the width": ("metrics", "math.sqrt(height * height + width * width)", "width"),
    "radius in pixels taken for a share": ("metrics", "if bound_th >= 1:\n", "if bound_th >= 1000:\n"),
    # the boundary
    "border of the image as background": (
        "metrics",
        "edge[:-1] |= below",
        "edge[:-1] |= below\n    edge[:, -1] |= mask[:, -1]",
    ),
    "boundary down and right": ("metrics", "edge[:, :-1] = right", "edge[:, 1:] = right"),
    "no diagonal neighbour": ("metrics", "edge[:-1, :-1] |= right[1:]", "edge[:-1, :-1] |= right[:-1]"),
    "border as background, fast form": ("counting", "rows[-1] = rows[-2]", "rows[-1] = 0"),
    "right border as background, fast form": ("counting", "width] = packed[:, -1]", "width] = 0"),
    # the disk
    "square disk": ("metrics", "while (half_width + 1) ** 2 + dy * dy <= radius * radius", "while half_width < radius"),
    "strict inequality": ("metrics", "<= radius * radius", "< radius * radius"),
    "square disk, fast form": ("counting", "isqrt(radius * radius - dy * dy)", "radius"),
    "strict inequality, fast form": (
        "counting",
        "isqrt(radius * radius - dy * dy)",
        "isqrt(max(radius**2 - dy**2 - 1, 0))",
    ),
    "diamond, fast form": ("counting", "isqrt(radius * radius - dy * dy)", "radius - dy"),
    "rows leak into one another": ("counting", "width + radius + 1", "width + 1"),
    "compared with itself": ("counting", "(near >> GROUP) | (near << GROUP)", "near"),
    # the crop and the strips
    "crop without the row above": ("counting", "BAND * filled[0] - 1", "BAND * filled[0]"),
    "crop without the column to the left": ("counting", "filled[0] - 1, 0), filled[-1]", "filled[0], 0), filled[-1]"),
    "crop without the column to the right": ("counting", "filled[-1] + 2", "filled[-1] + 1"),
    "crop without the row below": ("counting", "(filled[-1] + 1) + 1", "(filled[-1] + 1)"),
    "strips that leave rows out": ("counting", "-(-height // strips)", "max(height // strips, 1)"),
    "strips that do not see each other": ("counting", "whole[radius : radius + height]", "whole[:height]"),
    # ids and void
    "ids off by one": (
        "metrics",
        "object_counts(predicted, true, objects,",
        "object_counts(predicted, true, [i + 1 for i in objects],",
    ),
    "objects in the order of their ids": (
        "metrics",
        "(predicted, true, objects,",
        "(predicted, true, sorted(objects),",
    ),
    "objects past the fourth left out": (
        "counting",
        "range(0, len(objects), GROUP)",
        "range(0, min(len(objects), GROUP), GROUP)",
    ),
    "any object is the object": ("counting", "prediction == number", "prediction > 0"),
    "void ignored": ("metrics", "prediction & ~void, truth & ~void", "prediction, truth"),
    "void taken from the truth alone": ("metrics", "prediction & ~void, truth & ~void", "prediction, truth & ~void"),
    "void ignored in id maps": ("metrics", "if void is not None:\n            judged", "if False:\n            judged"),
    "void taken from the true id map alone": (
        "metrics",
        "predicted * judged, true * judged",
        "predicted, true * judged",
    ),
    # the statistics
    "recall counts a half": ("metrics", "> 0.5", ">= 0.5"),
    "decay the other way round": ("metrics", "first.mean() - last.mean()", "last.mean() - first.mean()"),
    "edges of the quarters in a byte": ("metrics", "[int(edge) for", "[np.uint8(int(edge) % 256) for"),
    "quarters that share no frame": ("metrics", "values[edges[0] : edges[1] + 1]", "values[edges[0] : edges[1]]"),
    "quarters rounded down": ("metrics", "np.round(np.linspace", "np.floor(np.linspace"),
}


def load(changed: str | None = None, old: str = "", new: str = "") -> types.ModuleType:
    """vos.metrics with vos.fast.counting under it, made anew from their files, one of them with `new` for `old`."""
    modules = {}
    for name in ("fast.counting", "metrics"):
        path = Path(vos.__file__).parent / f"{name.replace('.', '/')}.py"
        text = path.read_text(encoding="utf-8")
        if path.stem == changed:
            assert old in text, f"{path.name} has no {old!r} any more: plant the mistake elsewhere"
            text = text.replace(old, new)
        module = modules[f"vos.{name}"] = types.ModuleType(f"vos.{name}")
        with mock.patch.dict(sys.modules, modules):  # metrics takes the counting made here
            exec(compile(text, path, "exec"), module.__dict__)
    return module


def is_wrong(metrics: types.ModuleType, golden: GoldenSet) -> bool:
    """Does any score differ from what it must be, in any bit?"""
    return (
        any(wrong_pairs(golden, metrics, one_by_one))
        or any(wrong_pairs(golden, metrics, all_at_once))
        or any(
            [number.hex() for number in metrics.statistics([float.fromhex(value) for value in case["values"]])]
            != case["MRD"]
            for case in golden.expected["statistics"]
        )
        or metrics.statistics([0.5, 0.5]).recall != 0
        or metrics.statistics([1.0] * 250 + [0.0] * 750).decay != pytest.approx(1, abs=0.01)
        or forms_differ(metrics)
    )


def forms_differ(metrics: types.ModuleType) -> bool:
    """Six objects in another order than that of their ids, one more void, in all places a box can have."""
    noise = np.random.default_rng(0).integers(0, 8, (2, 1, 19, 17)).astype(np.uint8)
    for place in range(18):
        truth, prediction = np.pad(noise, ((0, 0), (0, 0), (place, 20 - place), (1, 1)))
        ids = [5, 1, 6, 2, 4, 3]
        J, F = metrics.score_frames(prediction, truth, ids, void=7)
        if (J[0].tolist(), F[0].tolist()) != one_by_one(metrics, prediction[0], truth[0], ids, 0.008, truth[0] == 7):
            return True
    return False


@pytest.fixture(scope="module")
def golden():
    return GoldenSet(SYNTH)


def test_without_a_mistake_nothing_differs(golden):
    assert not is_wrong(load(), golden)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_noticed(golden, name):
    changed = load(*MISTAKES[name])
    try:
        assert is_wrong(changed, golden)
    except (IndexError, ValueError, ZeroDivisionError):
        pass  # it was noticed, and loudly
