"""Exercises of lesson 3: the video representation and the updated model."""

from collections.abc import Callable

import torch

from vos.course.exercises.compare import compare
from vos.course.exercises.networks import small_lstm


def video_representation(attempt: Callable) -> bool:
    """Notebook 03: attempt(lstm, encoded (B, T, C, h, w)) -> h_video (B, C, h, w), from a zero start."""
    torch.manual_seed(1)
    lstm = small_lstm(6, 6)
    cases = [
        ("one frame", (lstm, torch.randn(1, 1, 6, 2, 3))),
        ("five frames", (lstm, torch.randn(2, 5, 6, 8, 14))),
        ("a still video", (lstm, torch.ones(1, 7, 6, 4, 4))),
    ]
    mistakes = [
        ("c is returned; h_video is the last h.", lambda lstm, x: lstm(x)[1][1]),
        ("every frame starts from zeros; hand the state on.", lambda lstm, x: lstm(x[:, -1:])[1][0]),
        ("the mean of all h_t; h_video is the last one.", lambda lstm, x: lstm(x)[0].mean(dim=1)),
    ]
    return compare(attempt, lambda lstm, x: lstm(x)[1][0], cases, mistakes)
