"""Right and typical wrong answers to exercises of lessons 8 to 10."""

import numpy as np
import torch


def fingerprint_distance(a, b, log=np.log10, absolute=np.abs, least=0.001, over=np.mean):
    with np.errstate(divide="ignore"):
        return over(absolute(log((a + least) / (b + least))))


def reading(ours, keys, values):
    nearness = -torch.cdist(ours.mT, keys.mT).square() / ours.shape[1] ** 0.5
    return values @ nearness.softmax(dim=-1).mT


def read_from_two(ours, first, last):
    return reading(ours, torch.cat([first[0], last[0]], -1), torch.cat([first[1], last[1]], -1))


RIGHT = {
    "fingerprint_distance": [fingerprint_distance],
    "followed_by_attention": [lambda a, y: (a * y).sum(dim=1) > 0.5],
    "read_from_two": [read_from_two],
    "two_opinions": [lambda before, after: np.mean([before, after], axis=0) > 0.5],
}
WRONG = [
    ("followed_by_attention", lambda a, y: y[a.argmax(dim=1)] > 0.5, "look at many", "decides alone"),
    ("followed_by_attention", lambda a, y: y @ a > 0.5 if len(a) == len(y) else a.mean(dim=0) > 0.5,
     "each look at one", "not y_0 @ a"),
    ("followed_by_attention", lambda a, y: a @ y > 0, "look at many", "any attention at all"),
    ("followed_by_attention", lambda a, y: a @ y <= 0.5, "each look at one", "to the ground"),
    ("read_from_two", lambda k, a, b: (reading(k, *a) + reading(k, *b)) / 2, "one size", "half a say"),
    ("read_from_two", lambda k, a, b: reading(k, *a) + reading(k, *b), "one size", "add up to two"),
    ("read_from_two", lambda k, a, b: reading(k, *a), "one size", "only the first"),
    ("read_from_two", lambda k, a, b: reading(k, *b), "one size", "only the second"),
    ("two_opinions", lambda p, q: (p > 0.5) | (q > 0.5), "random", "either says so"),
    ("two_opinions", lambda p, q: (p > 0.5) & (q > 0.5), "random", "both say so"),
    ("two_opinions", lambda p, q: p + q > 0.5, "random", "the sum is compared"),
    ("two_opinions", lambda p, q: q > 0.5, "random", "second alone"),
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
]  # fmt: skip
