"""Right and typical wrong answers to exercises of lesson 6."""

import numpy as np
import torch
from PIL import Image
from torch.nn.functional import interpolate

from vos import inference
from vos.course.examples import Painted


def best_threshold(p, J_only=False, descending=True, outside=True, least=0.1):
    p, best = sorted(p.ravel(), reverse=descending), 0
    for size in range(1, len(p) + 1):
        best = max(best, sum(p[:size]) / (size + (sum(p[size:]) if outside else 0)))
    return best if J_only else max(best / (1 + best), least)


def chosen(p, ids):
    return np.where(p.max(axis=0) > 0.5, np.take(ids, p.argmax(axis=0)), 0)


def ids_at_size(p, ids, size, align=False):
    return chosen(interpolate(p[None], size=size, mode="bilinear", align_corners=align)[0].numpy(), ids)


def resized(p, ids, size, how):
    small = Image.fromarray(chosen(p.numpy(), ids).astype(np.uint8))
    return np.array(small.resize((size[1], size[0]), how))


def painted(maps, truth, k, others=lambda t, k: (t != k) & (t != 0), found=lambda m, k: m == k, least=1):
    m = found(maps, k)
    n, there = max(m.sum(), least), max((truth == k).sum(), least)
    with np.errstate(invalid="ignore"):
        return (
            (m & (truth == k)).sum() / n,
            (m & others(truth, k)).sum() / n,
            (m & (truth == 0)).sum() / n,
            m.sum() / there,
        )


def of_the_true(maps, truth, k):
    where = truth == k, (truth != k) & (truth != 0), truth == 0
    return *((maps == k)[w].sum() / max(w.sum(), 1) for w in where), painted(maps, truth, k)[3]


def median_example(J, categories, wanted, sort=True, upper=False, inner=False):
    places = [i for i, name in enumerate(categories) if name == wanted] or list(range(len(J)))
    ranked = sorted(places, key=lambda i: J[i]) if sort else places
    chosen = ranked[(len(ranked) - (not upper)) // 2]
    return places.index(chosen) if inner else chosen


def nearest_mean(J, categories, wanted):
    some = [i for i, name in enumerate(categories) if name == wanted] or range(len(J))
    mean = sum(J[i] for i in some) / len(some)
    return min(some, key=lambda i: abs(J[i] - mean))


RIGHT = {
    "best_threshold": [inference.best_threshold, best_threshold],
    "median_example": [median_example],
    "ids_at_size": [ids_at_size, lambda *a: torch.from_numpy(ids_at_size(*a))],
    "painted": [Painted.of, painted],
}
WRONG = [
    ("best_threshold", lambda p: best_threshold(p, J_only=True), "seen well", "J / (1 + J)"),
    ("best_threshold", lambda p: best_threshold(p, descending=False), "seen well", "least probable"),
    ("best_threshold", lambda p: best_threshold(p, outside=False), "seen well", "sum of p outside"),
    ("best_threshold", lambda p: best_threshold(p, least=0), "out of sight", "faint clouds"),
    ("best_threshold", lambda p: 0.5, "seen well", "fewest wrong pixels"),
    ("ids_at_size", lambda *a: resized(*a, Image.Resampling.NEAREST), "three objects", "staircase"),
    ("ids_at_size", lambda *a: resized(*a, Image.Resampling.BILINEAR), "three objects", "objects 1 to 4"),
    ("ids_at_size", lambda p, *a: ids_at_size((p > 0.5).float(), *a), "three objects", "before the interpolation"),
    ("ids_at_size", lambda *a: ids_at_size(*a, align=True), "three objects", "align_corners=False"),
    ("ids_at_size", lambda p, ids, size: ids_at_size(p, ids, size[::-1]), "three objects", "Pillow wants"),
    ("median_example", lambda *a: median_example(*a, inner=True), "five birds", "in the whole list"),
    ("median_example", lambda J, c, _: median_example(J, c, ""), "five birds", "not looked at"),
    ("median_example", lambda *a: median_example(*a, sort=False), "five birds", "sort by J"),
    ("median_example", nearest_mean, "five birds", "nearest to the mean"),
    ("median_example", lambda *a: median_example(*a, upper=True), "four birds", "take the lower"),
    ("median_example", lambda *a: a[0][median_example(*a)], "five birds", "its place in the list"),
    ("median_example", lambda J, c, w: int(np.flatnonzero(np.array(c) == w)[0]), "five birds", "expected"),
    ("painted", of_the_true, "five frames", "how many lie where"),
    ("painted", lambda *a: painted(*a, others=lambda t, k: t > 0), "five frames", "among the others"),
    ("painted", lambda *a: painted(*a, found=lambda m, k: m > 0), "five frames", "only the pixels painted as k"),
    ("painted", lambda *a: (*painted(*a)[:3], 1 / max(painted(*a)[3], 1e-9)), "five frames", "upside down"),
    ("painted", lambda *a: painted(*a, least=0), "nothing is painted", "0 / 0"),
    ("painted", lambda m, t, k: np.mean([painted(m[i], t[i], k) for i in range(len(m))], axis=0), "five frames",
     "expected 4 values"),
    ("painted", lambda m, t, k: tuple(np.mean([painted(m[i], t[i], k) for i in range(len(m))], axis=0)), "five frames",
     "of all frames together"),
]  # fmt: skip
