"""Which recipe is best at the length of a report? Base models at the preset "course", judged by videos of their own.

    python experiments/recipe.py [NAME ...] [--seeds 0 1] [--steps 1000] [--jobs 2]

As comparison.py: a number of steps on one thread, so a row can be made again on the same machine; where a step takes
another time, as many more as fill the same minutes. 60 videos judge that are drawn for this alone: the validation
videos of table 1 and those of the comparison have no part in it.
"""

from dataclasses import replace
from typing import Any

from comparison import COURSE, Variant, compare

from vos.training import SYNTHETIC

JUDGES = 60, 2  # videos, and the seed of the set that they are drawn for


def recipe(network: dict[str, Any] | None = None, longer: float = 1.0, **training: Any) -> Variant:
    """The base model with another network or another training."""
    return Variant("base", replace(COURSE, **(network or {})), replace(SYNTHETIC, **training), longer)


HALF = tuple((begin, length, clips // 2) for begin, length, clips in SYNTHETIC.curriculum)
# What experiments/ablation.py found better after two minutes, one by one.
FOUR: dict[str, Any] = {
    "network": {"state_activation": "relu"},
    "warm_up": 0,
    "max_grad_norm": 1e9,
    "curriculum": SYNTHETIC.curriculum[:-1],
}
SMALL_FIRST = ((0.0, 48, 80), (0.5, 64, 112))
VARIANTS = {
    "the course's recipe": recipe(),
    "soft IoU beside cross entropy": recipe(soft_iou=0.5),
    "half the clips in a batch": recipe(longer=2.0, curriculum=HALF),
    "small pictures first": recipe(longer=1.29, sizes=SMALL_FIRST),
    "soft IoU, half the clips, small pictures first": recipe(
        longer=2.58, soft_iou=0.5, curriculum=HALF, sizes=SMALL_FIRST
    ),
    "ReLU, no warm-up, no gradient clipping, no clips of 20": recipe(**FOUR),
    "those four and soft IoU": recipe(soft_iou=0.5, **FOUR),
}

if __name__ == "__main__":
    compare(VARIANTS, JUDGES, "recipe", __doc__)
