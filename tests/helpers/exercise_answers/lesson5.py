"""Right and typical wrong answers to exercises of lesson 5."""

import numpy as np

from vos import metrics


def contour_accuracy(prediction, truth, r, how="harmonic", edge=metrics.boundary, order=2, strict=False, careful=True):
    m, g = np.argwhere(edge(prediction)), np.argwhere(edge(truth))
    if not careful and not len(m) + len(g):
        return np.nan
    if not len(m) or not len(g):
        return float(len(m) == len(g))
    distance = np.linalg.norm(m[:, None] - g[None], axis=2, ord=order)
    near = distance < r if strict else distance <= r
    P, R = near.any(axis=1).mean(), near.any(axis=0).mean()
    if how != "harmonic":
        return {"mean": (P + R) / 2, "precision": P, "recall": R}[how]
    return 2 * P * R / (P + R) if P + R else 0.0


def grown(prediction, truth, r):
    edges = metrics.boundary(prediction), metrics.boundary(truth)
    if not all(edge.any() for edge in edges):
        return 1 if not any(edge.any() for edge in edges) else 0
    P = (edges[0] & metrics.dilate(edges[1], r)).sum() / edges[0].sum()
    R = (edges[1] & metrics.dilate(edges[0], r)).sum() / edges[1].sum()
    return 2 * P * R / max(P + R, 1e-12)


def statistics(scores, recall=lambda s: (s > 0.5).mean(), sign=1, share=1):
    e = np.linspace(0, len(scores) - 1, 5).round().astype(int)
    first, last = scores[: e[1] + share], scores[e[3] + 1 - share :]
    return scores.mean(), recall(scores), sign * (first.mean() - last.mean())


RIGHT = {
    "contour_accuracy": [lambda p, t, r: metrics.contour_accuracy(p, t, r), contour_accuracy, grown],
    "statistics": [metrics.statistics, statistics],
}
WRONG = [
    ("contour_accuracy", lambda *a: contour_accuracy(*a, how="mean"), "two blobs", "harmonic"),
    ("contour_accuracy", lambda *a: contour_accuracy(*a, how="precision"), "two blobs", "precision alone"),
    ("contour_accuracy", lambda *a: contour_accuracy(*a, how="recall"), "two blobs", "recall alone"),
    ("contour_accuracy", lambda *a: contour_accuracy(*a, edge=lambda mask: mask), "two blobs", "take their boundaries"),
    ("contour_accuracy", lambda *a: contour_accuracy(*a, order=np.inf), "two blobs", "is a square"),
    ("contour_accuracy", lambda *a: contour_accuracy(*a, strict=True), "two blobs", "not `<`"),
    ("contour_accuracy", lambda *a: contour_accuracy(*a, careful=False), "nothing there", "0 / 0"),
    ("contour_accuracy", lambda p, t, r: contour_accuracy(p, t, r) if p.any() else 0.0, "nothing there", "is F = 1"),
    ("statistics", lambda s: statistics(s, recall=lambda s: (s >= 0.5).mean()), "nine frames", "exactly 0.5"),
    ("statistics", lambda s: statistics(s, recall=lambda s: (s > 0.5).sum()), "nine frames", "not their number"),
    ("statistics", lambda s: statistics(s, sign=-1), "nine frames", "less the last"),
    ("statistics", lambda s: statistics(s, share=0), "nine frames", "share their border"),
    ("statistics", lambda s: (*statistics(s)[:2], s[0] - s[-1]), "nine frames", "first frame less"),
    ("statistics", lambda s: statistics(s)[0], "nine frames", "expected 3 values"),
]  # fmt: skip
