"""Is one model better than another? Paired differences over videos and seeds, and what follows from them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

DRAWS = 10_000
# What data/results/comparison.json is to answer: is the first of two variants better?
PAIRS = (
    ("updated", "base"),
    ("base, wider", "base"),
    ("updated", "base, wider"),
    ("updated", "updated, h_video zero"),
    ("updated", "updated, h_video of another"),
    ("attention", "base"),
    ("attention", "attention, state not carried on"),
)


class Difference(NamedTuple):
    """The mean of b - a, and the middle 95 % of it when seeds and videos are drawn again."""

    mean: float
    low: float
    high: float


def paired_difference(a: np.ndarray, b: np.ndarray, draws: int = DRAWS) -> Difference:
    """How much higher are the scores b than a? (seeds, videos) each, the same seeds and videos in the same places.

    A hierarchical bootstrap: a draw takes as many seeds as there are, with replacement, and as many videos, so that
    both what another training and what other videos would have changed is in the interval. Few seeds, drawn again,
    differ less than new ones would, by a factor of sqrt(1 - 1 / seeds), which is undone. ValueError where the two
    differ in shape or hold nothing.
    """
    if np.shape(a) != np.shape(b) or np.ndim(a) != 2 or not np.size(a):
        raise ValueError(f"scores must be (seeds, videos) of one shape, not {np.shape(a)} and {np.shape(b)}")
    differences = np.asarray(b, float) - np.asarray(a, float)
    rng = np.random.default_rng(0)
    seeds, videos = differences.shape
    of_seeds = differences.mean(axis=1, keepdims=True) - differences.mean()
    spread = differences + of_seeds * (np.sqrt(seeds / max(seeds - 1, 1)) - 1)
    of_seed = rng.multinomial(seeds, np.full(seeds, 1 / seeds), draws) / seeds  # how often each is drawn
    of_video = rng.multinomial(videos, np.full(videos, 1 / videos), draws) / videos
    means = ((of_seed @ spread) * of_video).sum(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Difference(float(differences.mean()), float(low), float(high))


def scores_by_seed(rows: Sequence[Mapping], name: str, key: str = "by_video") -> np.ndarray:
    """The scores of a variant, (seeds, videos), of the rows of data/results/comparison.json.

    key: "by_video", the mean of J and F on the drawn videos; or "real", J on the real sequences, by their names.
    """
    scores = [row[key] for row in sorted(rows, key=lambda row: row["seed"]) if row["name"] == name]
    return np.array([[one[video] for video in sorted(one)] if isinstance(one, Mapping) else one for one in scores])


def paired_scores(
    rows: Sequence[Mapping], name: str, other: str, key: str = "by_video"
) -> tuple[np.ndarray, np.ndarray]:
    """The scores of two variants, (seeds, videos) each, from the seeds that both have; as `scores_by_seed`."""
    of_name, of_other = ({row["seed"] for row in rows if row["name"] == each} for each in (name, other))
    rows = [row for row in rows if row["seed"] in of_name & of_other]
    return scores_by_seed(rows, name, key), scores_by_seed(rows, other, key)


def difference(rows: Sequence[Mapping], name: str, other: str, key: str = "by_video") -> Difference:
    """How much higher does a variant score than another one, of the same rows?"""
    ours, theirs = paired_scores(rows, name, other, key)
    return paired_difference(theirs, ours)


def verdict(name: str, other: str, found: Difference) -> str:
    """What the interval says, in a sentence: better, worse, or no difference that could be seen."""
    interval = f"{found.mean:+.3f}, 95 % {found.low:+.3f} to {found.high:+.3f}"
    if found.low > 0:
        return f"{name} scores higher than {other} ({interval})."
    if found.high < 0:
        return f"{name} scores lower than {other} ({interval})."
    largest = max(abs(found.low), abs(found.high))
    return f"{name} and {other}: no difference that could be seen, and none larger than {largest:.3f} ({interval})."
