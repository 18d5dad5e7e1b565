"""The exercise of notebook 10: how far two fingerprints are apart."""

from collections.abc import Callable

import numpy as np

from vos.course.exercises.compare import compare
from vos.course.faults import distance


def fingerprint_distance(attempt: Callable) -> bool:
    """Notebook 10: attempt(a (4,), b (4,)) -> the mean factor between two fingerprints, as a power of ten."""
    report, ours = np.array([0.005, 0.003, 0.07, 0.041]), np.array([0.69, 0.001, 0.02, 0.6])
    cases = [
        ("higher in some, lower in others", (ours, report)),
        ("the same", (report, report)),
        ("nothing but zeros", (np.zeros(4), report)),
    ]
    mistakes = [
        ("differences, not factors: take the logarithms first.", lambda a, b: np.abs(a - b).mean()),
        ("without absolute values, too high and too low cancel.",
         lambda a, b: np.log10((a + 1e-3) / (b + 1e-3)).mean()),
        ("the natural logarithm; powers of ten want log10.", lambda a, b: distance(a, b) * np.log(10)),
        ("without the thousandth, a zero is infinitely far from everything.",
         lambda a, b: np.abs(np.log10(a / b)).mean() if a.all() else np.inf),
        ("the sum; the mean of the four is asked for.", lambda a, b: 4 * distance(a, b)),
    ]  # fmt: skip
    return compare(attempt, distance, cases, mistakes)
