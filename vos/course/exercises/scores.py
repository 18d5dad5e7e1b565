"""Exercises of lesson 5: J, F and the numbers of a sequence."""

from collections.abc import Callable

import numpy as np

from vos import metrics
from vos.course.exercises.compare import compare


def region_similarity(attempt: Callable) -> bool:
    """Notebook 05: attempt(prediction (H, W), truth (H, W)) -> J, both boolean."""
    rng = np.random.default_rng(1)
    some, other = rng.random((12, 20)) > 0.6, rng.random((12, 20)) > 0.4
    none = np.zeros_like(some)
    cases = [("random", (some, other)), ("equal", (some, some)), ("disjoint", (some, ~some))]
    cases += [("nothing predicted", (none, some)), ("an absent object, rightly not predicted", (none, none))]
    mistakes = [
        ("0 / 0; nothing there and nothing found is J = 1.", lambda p, t: (p & t).sum() / (p | t).sum()),
        ("this is Dice, 2 |A and B| / (|A| + |B|).", lambda p, t: 2 * (p & t).sum() / (p.sum() + t.sum())),
        ("the background that both agree on is counted as right; J leaves it out.", lambda p, t: (p == t).mean()),
        ("the intersection is divided by the true mask, not by the union.", lambda p, t: (p & t).sum() / t.sum()),
    ]
    return compare(attempt, metrics.region_similarity, cases, mistakes)


def contour_accuracy(attempt: Callable) -> bool:
    """Notebook 05: attempt(prediction (H, W), truth (H, W), r) -> F, both boolean; r: the tolerance in pixels."""

    def distances(one: np.ndarray, other: np.ndarray, square: bool = False) -> np.ndarray:
        """From each pixel of a mask to the nearest one of another, (N,)."""
        apart = np.argwhere(one)[:, None] - np.argwhere(other)[None]
        if not apart.size:
            return np.full(len(apart), np.inf)
        return (np.abs(apart).max(axis=2) if square else np.sqrt((apart**2).sum(axis=2))).min(axis=1)

    def parts(p: np.ndarray, t: np.ndarray, r: float, square: bool = False) -> tuple[float, float]:
        """Precision and recall of two sets of pixels, NaN where there are none."""
        near = [distances(*pair, square=square) <= r for pair in ((p, t), (t, p))]
        return tuple(float(matched.sum() / np.float64(len(matched))) for matched in near)  # type: ignore[return-value]

    def harmonic(P: float, R: float) -> float:
        return float(np.float64(2 * P * R) / (P + R))

    def edges(p: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return metrics.boundary(p), metrics.boundary(t)

    square, lower, far = np.zeros((3, 12, 16), bool)
    square[2:7, 2:7], lower[3:8, 3:8], far[9:12, 12:15] = True, True, True
    rng = np.random.default_rng(1)
    blobs = metrics.dilate(rng.random((20, 30)) > 0.985, 3), metrics.dilate(rng.random((20, 30)) > 0.98, 2)
    none = np.zeros_like(square)
    cases = [
        ("two blobs", (*blobs, 1)),
        ("a square one pixel down and right", (lower, square, 1)),
        ("a tolerance of 3 pixels", (*blobs, 3)),
        ("equal", (square, square, 1)),
        ("far apart", (far, square, 2)),
        ("nothing predicted", (none, square, 1)),
        ("nothing there and nothing found", (none, none, 1)),
    ]
    mistakes = [
        ("0 / 0: without any boundary, nothing there and nothing found, F is 1; without a match it is 0.",
         lambda p, t, r: harmonic(*parts(*edges(p, t), r))),
        ("the arithmetic mean of P and R; F is the harmonic one, 2 P R / (P + R).",
         lambda p, t, r: sum(parts(*edges(p, t), r)) / 2),
        ("precision alone.", lambda p, t, r: parts(*edges(p, t), r)[0]),
        ("recall alone.", lambda p, t, r: parts(*edges(p, t), r)[1]),
        ("whole masks are compared; take their boundaries.", lambda p, t, r: harmonic(*parts(p, t, r))),
        ("the neighbourhood is a square; a diagonal neighbour is farther than 1.",
         lambda p, t, r: harmonic(*parts(*edges(p, t), r, square=True))),
        ("at most r pixels apart, so `<=` and not `<`.",
         lambda p, t, r: harmonic(*parts(*edges(p, t), np.nextafter(r, 0)))),
        ("nothing there and nothing found is F = 1.", lambda p, t, r: 0.0),
    ]  # fmt: skip
    return compare(attempt, lambda p, t, r: metrics.contour_accuracy(p, t, bound_th=r), cases, mistakes)


def statistics(attempt: Callable) -> bool:
    """Notebook 05: attempt(scores (T,)) -> (mean, recall, decay), as `vos.metrics.statistics`."""

    def apart(s: np.ndarray) -> float:
        n = max(len(s) // 4, 1)
        return s[:n].mean() - s[-n:].mean()

    right, rng = metrics.statistics, np.random.default_rng(1)
    falling = np.linspace(0.95, 0.2, 30) + 0.04 * rng.random(30)
    cases = [
        ("nine frames, one of them exactly 0.5", (np.array([0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2]),)),
        ("thirty frames", (falling,)),
        ("a score that rises", (falling[::-1].copy(),)),
        ("two frames", (np.array([0.8, 0.3]),)),
        ("one frame", (np.array([0.6]),)),
    ]
    mistakes = [
        ("recall counts frames above 0.5; exactly 0.5 is not.",
         lambda s: right(s)._replace(recall=(s >= 0.5).mean())),
        ("recall is a fraction of the frames, not their number.", lambda s: right(s)._replace(recall=(s > 0.5).sum())),
        ("decay is what is lost: the first quarter less the last.", lambda s: right(s)._replace(decay=-right(s).decay)),
        ("neighbouring quarters share their border frame; a quarter's last index belongs to it.",
         lambda s: right(s)._replace(decay=apart(s))),
        ("the first frame less the last; the quarters count.", lambda s: right(s)._replace(decay=s[0] - s[-1])),
        ("halves; the quarters count.",
         lambda s: right(s)._replace(decay=s[: (len(s) + 1) // 2].mean() - s[len(s) // 2 :].mean())),
    ]  # fmt: skip
    return compare(attempt, right, cases, mistakes)
