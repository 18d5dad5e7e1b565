"""Right and typical wrong answers to the exercise of lesson 10."""

import numpy as np


def fingerprint_distance(a, b, log=np.log10, absolute=np.abs, least=0.001, over=np.mean):
    with np.errstate(divide="ignore"):
        return over(absolute(log((a + least) / (b + least))))


RIGHT = {"fingerprint_distance": [fingerprint_distance]}
WRONG = [
    ("fingerprint_distance", lambda a, b: np.abs(a - b).mean(), "higher in some", "not factors"),
    ("fingerprint_distance", lambda a, b: fingerprint_distance(a, b, absolute=np.array), "higher in some", "cancel"),
    (
        "fingerprint_distance",
        lambda a, b: fingerprint_distance(a, b, log=np.log),
        "higher in some",
        "natural logarithm",
    ),
    ("fingerprint_distance", lambda a, b: fingerprint_distance(a, b, least=0), "higher in some", "infinitely far"),
    ("fingerprint_distance", lambda a, b: fingerprint_distance(a, b, over=np.sum), "higher in some", "the sum"),
]
