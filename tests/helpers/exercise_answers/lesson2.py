"""Right and typical wrong answers to exercises of lesson 2."""

import torch


def all_frames_at_once(layer, x):
    B, T = x.shape[:2]
    y = layer(x.reshape(B * T, *x.shape[2:]))
    return y.reshape(B, T, *y.shape[1:])


def lstm_weights(inputs, channels, kernel):
    W_x = kernel * kernel * inputs * channels
    W_h = 9 * channels * channels
    return 4 * (W_x + W_h + channels)


def receptive_field(layers):
    cells = 1
    for kernel, stride in reversed(layers):
        cells = (cells - 1) * stride + kernel
    return cells


def forwards(layers, early=False):
    sees, jump = 1, 1
    for kernel, stride in layers:
        jump *= stride if early else 1
        sees += (kernel - 1) * jump
        jump *= 1 if early else stride
    return sees


def product(layers):
    result = 1
    for kernel, _ in layers:
        result *= kernel
    return result


RIGHT = {
    "all_frames_at_once": [all_frames_at_once],
    "lstm_weights": [lstm_weights],
    "receptive_field": [receptive_field, forwards],
}
WRONG = [
    ("all_frames_at_once", lambda f, x: torch.stack([f(x[:, t]) for t in range(x.shape[1])], 1), "BatchNorm",
     "called anew"),
    ("all_frames_at_once", lambda f, x: f(x.flatten(0, 1)), "two videos", "still one axis"),
    ("all_frames_at_once", lambda f, x: torch.stack([f(x_t) for x_t in x.unbind(1)]), "two videos", "exchanged"),
    ("all_frames_at_once", lambda f, x: f(x.flatten(0, 1)).unflatten(0, (x.shape[1], -1)), "two videos",
     "unfolded as (T, B)"),
    ("all_frames_at_once", lambda f, x: f(x.transpose(0, 1).flatten(0, 1)).unflatten(0, x.shape[:2]), "two videos",
     "landed in another"),
    ("lstm_weights", lambda D, C, k: lstm_weights(D, C, k) // 4, "different numbers", "one gate"),
    ("lstm_weights", lambda D, C, k: lstm_weights(D, C, k) + 4 * C, "different numbers", "counted twice"),
    ("lstm_weights", lambda D, C, k: lstm_weights(D, C, k) - 4 * C, "different numbers", "biases are missing"),
    ("lstm_weights", lambda D, C, k: 4 * (k * k * (D + C) * C + C), "W_x 1 x 1", "whatever the size of W_x"),
    ("lstm_weights", lambda D, C, k: 4 * (k * D * C + 9 * C * C + C), "different numbers", "k squared"),
    ("lstm_weights", lambda D, C, k: 4 * (k * k * D * C + C), "different numbers", "W_h is missing"),
    ("lstm_weights", lambda D, C, k: 4 * (k * k * D * C + 9 * D * C + C), "different numbers", "C channels, not D"),
    ("receptive_field", lambda layers: sum(k for k, _ in layers), "two 3 x 3", "adds 2 pixels"),
    ("receptive_field", lambda layers: forwards([(k, 1) for k, _ in layers]), "a pooling", "strides are left out"),
    ("receptive_field", lambda layers: forwards(layers, early=True), "a pooling", "not its own"),
    ("receptive_field", product, "two 3 x 3", "each adds"),
]  # fmt: skip
