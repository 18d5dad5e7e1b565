"""Right and typical wrong answers to exercises of lesson 4 and of its appendix."""

import math

import torch

from vos import training


def soft_iou(logits, masks, squash=lambda x: x.sigmoid(), shift=1, more=1, off=1, count=1):
    p, y = squash(logits), masks[:, shift : masks.shape[1] - 1 + shift]
    both, sums = (p * y).sum(dim=(-1, -2, -3)), p.sum(dim=(-1, -2, -3)) + y.sum(dim=(-1, -2, -3))
    return 1 - (count * both + more) / (sums - off * both + more)


def learning_rate(peak, w, i, d, first=1, most=1.0, half=0.5):
    warm = min(most, (i + first) / w) if w else 1
    return peak * warm * (1 + math.cos(math.pi * d)) * half


def curriculum_stage(curriculum, d):
    for begins, T, B in curriculum:
        if begins <= d:
            found = T, B
    return found


def begun_before(curriculum, d):
    T, B = curriculum[0][1:]
    for begins, *stage in curriculum:
        T, B = stage if begins < d else (T, B)
    return T, B


def muon_step(G, sign=-1, keep=0, rows=1):
    matrix = G.reshape(math.prod(G.shape[:rows]), -1)
    U, s, V = torch.svd(matrix)
    return (sign * U @ torch.diag(s**keep) @ V.T).reshape(G.shape)


def newton_schulz(G):
    X = G.double().flatten(1) / G.norm()
    for _ in range(60):
        X = 1.5 * X - 0.5 * X @ X.T @ X
    return -X.float().view_as(G)


def convolution_flop(inputs, outputs, k, H, W, two=2, passes=3):
    return two * passes * inputs * outputs * k**2 * H * W


RIGHT = {
    "soft_iou": [training.soft_iou_losses, soft_iou],
    "learning_rate": [learning_rate],
    "curriculum_stage": [curriculum_stage, lambda stages, d: list(max(s for s in stages if s[0] <= d)[1:])],
    "muon_step": [muon_step, newton_schulz],
    "convolution_flop": [convolution_flop, lambda *a: float(convolution_flop(*a))],
}
WRONG = [
    ("muon_step", lambda G: muon_step(G, sign=1), "a few directions", "down the gradient"),
    ("muon_step", lambda G: -G / G.square().sum().sqrt(), "a few directions", "by its length"),
    ("muon_step", lambda G: -G / torch.linalg.svdvals(G.flatten(1))[0], "a few directions", "largest singular value"),
    ("muon_step", lambda G: -torch.sign(G), "a few directions", "one speed for every weight"),
    ("muon_step", lambda G: muon_step(G, keep=1), "a few directions", "still in it"),
    ("muon_step", lambda G: muon_step(G, rows=2), "a few directions", "flatten from dimension 1"),
    ("muon_step", lambda G: muon_step(G).flatten(1), "a few directions", "(6, 4, 3, 3)"),
    ("convolution_flop", lambda *a: convolution_flop(*a, passes=1), "single number", "backward pass is missing"),
    ("convolution_flop", lambda *a: convolution_flop(*a, two=1), "single number", "are two operations"),
    ("convolution_flop", lambda *a: convolution_flop(*a, passes=2), "single number", "two convolutions"),
    ("convolution_flop", lambda i, *a: convolution_flop(1, *a), "more outputs", "over all inputs"),
    ("convolution_flop", lambda i, o, k, H, W: convolution_flop(i, o, 1, H, W) * k, "more outputs", "k x k"),
    ("convolution_flop", lambda i, o, k, *a: i * o * k**2, "single number", "once for every pixel"),
    ("soft_iou", lambda x, y: soft_iou(x, y, shift=0), "two clips", "begin at t = 1"),
    ("soft_iou", lambda x, y: soft_iou(x, y, squash=lambda x: x), "two clips", "sigmoid round them"),
    ("soft_iou", lambda x, y: soft_iou(x, y, squash=lambda x: (x > 0).float()), "two clips", "no gradient"),
    ("soft_iou", lambda x, y: 1 - soft_iou(x, y), "two clips", "missing to 1"),
    ("soft_iou", lambda x, y: soft_iou(x, y, off=0), "two clips", "counts the intersection twice"),
    ("soft_iou", lambda x, y: soft_iou(x, y, off=0, count=2), "two clips", "Dice"),
    ("soft_iou", lambda x, y: soft_iou(x, y, more=0), "two clips", "add 1"),
    ("soft_iou", lambda x, y: soft_iou(x, y, more=1e-6), "two clips", "values differ"),
    ("soft_iou", lambda x, y: soft_iou(x, y).mean(), "two clips", "one number for all"),
    ("learning_rate", lambda *a: learning_rate(*a, first=0), "the first iteration", "(i + 1) / w"),
    ("learning_rate", lambda *a: learning_rate(*a, most=1e9), "after the warm-up", "no factor above 1"),
    ("learning_rate", lambda *a: learning_rate(*a, half=1), "the first iteration", "halve it"),
    ("learning_rate", lambda peak, w, i, d: learning_rate(peak, 0, i, d), "the first iteration", "no warm-up"),
    ("learning_rate", lambda p, w, i, d: learning_rate(p, w, i, 0) * (1 - d), "half-way", "straight line"),
    ("learning_rate", lambda p, w, i, d: learning_rate(p, w, i, d / 2) * 2 - learning_rate(p, w, i, 0), "half-way",
     "quarter of a cosine"),
    ("learning_rate", lambda p, w, i, d: learning_rate(p, w or 1 / (w - w), i, d), "no warm-up", "ZeroDivisionError"),
    ("curriculum_stage", lambda stages, d: next(s for s in stages if s[0] <= d)[1:], "within", "always the first"),
    ("curriculum_stage", lambda stages, d: stages[-1][1:], "the start", "has to have begun"),
    ("curriculum_stage", begun_before, "where a stage begins", "not `<`"),
    ("curriculum_stage", lambda stages, d: next((s for s in stages if s[0] > d), stages[-1])[1:], "the start",
     "one stage too far"),
    ("curriculum_stage", lambda *a: curriculum_stage(*a)[::-1], "the start", "(T, B)"),
    ("curriculum_stage", lambda *a: curriculum_stage(*a)[0], "the start", "expected 2 values, got int"),
]  # fmt: skip
