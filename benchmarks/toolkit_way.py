"""J and F in the steps of the DAVIS-2017 toolkit, from PNG folders to numbers. It imports nothing of this package.

    python benchmarks/toolkit_way.py TRUTH PREDICTION      prints {"seconds", "numbers"}

Like the toolkit it reads a whole video at a time into floating-point numbers, makes one-hot masks of them, leaves out
void pixels where there are none, and sums booleans. Our own words; the order of the steps is the toolkit's.
"""

import json
import math
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from PIL import Image


def disk(radius: int) -> np.ndarray:
    """The structuring element: dx^2 + dy^2 <= radius^2."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return (x * x + y * y <= radius * radius).astype(np.uint8)


def score_video(prediction: np.ndarray, truth: np.ndarray, objects: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """J and F, (T, K) each, of id maps (T, H, W): all objects of the video as one-hot masks, then one by one."""
    one_hot_p, one_hot_y = one_hot(prediction, objects), one_hot(truth, objects)
    element = disk(math.ceil(0.008 * np.linalg.norm(truth.shape[1:])))
    J, F = np.zeros((2, len(truth), len(objects)))
    for k in range(len(objects)):
        p, y = one_hot_p[k], one_hot_y[k]
        void = np.zeros_like(p)
        inter = np.sum((p & y) & np.logical_not(void), axis=(-2, -1))
        union = np.sum((p | y) & np.logical_not(void), axis=(-2, -1))
        J[:, k] = np.where(np.isclose(union, 0), 1.0, inter / np.maximum(union, 1))
        for t in range(len(truth)):
            nowhere = np.zeros_like(p[t])
            edge_p, edge_y = (shifted_boundary(mask[t] * np.logical_not(nowhere)) for mask in (p, y))
            near_p, near_y = (cv2.dilate(edge.astype(np.uint8), element) for edge in (edge_p, edge_y))
            matched_y, matched_p = edge_y * near_p, edge_p * near_y
            sizes = np.sum(edge_p), np.sum(edge_y)
            if 0 in sizes:
                F[t, k] = float(sizes[0] == sizes[1])
                continue
            precision, recall = np.sum(matched_p) / sizes[0], np.sum(matched_y) / sizes[1]
            F[t, k] = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return J, F


def one_hot(ids: np.ndarray, objects: list[int]) -> np.ndarray:
    """Id maps (T, H, W) as boolean masks (K, T, H, W)."""
    numbers = np.ones((len(objects), *ids.shape)) * np.array(objects)[:, None, None, None]
    return (numbers == ids.astype(float)[None]) > 0


def shifted_boundary(mask: np.ndarray) -> np.ndarray:
    """The boundary from three shifted copies of the mask."""
    right, below, diagonal = (np.zeros_like(mask) for _ in range(3))
    right[:, :-1], below[:-1], diagonal[:-1, :-1] = mask[:, 1:], mask[1:], mask[1:, 1:]
    edge = mask ^ right | mask ^ below | mask ^ diagonal
    edge[-1], edge[:, -1] = mask[-1] ^ right[-1], mask[:, -1] ^ below[:, -1]
    edge[-1, -1] = False
    return edge


def read_video(folder: Path, names: list[str]) -> np.ndarray:
    """The id maps of a video, (T, H, W)."""
    maps = [np.array(Image.open(folder / name)) for name in names]
    video = np.zeros((len(maps), *maps[0].shape))
    for t, ids in enumerate(maps):
        video[t] = ids
    return video


def evaluate(truth: Path, prediction: Path) -> list[float]:
    """The mean J and mean F of every object, video by video."""
    numbers: list[float] = []
    for folder in sorted(truth.iterdir()):
        names = sorted(path.name for path in folder.iterdir())
        y, p = (read_video(side / folder.name, names)[1:-1] for side in (truth, prediction))
        objects = list(range(1, int(np.max(read_video(folder, names[:1]))) + 1))
        J, F = score_video(p, y, objects)
        numbers += [float(column.mean()) for column in (*J.T, *F.T)]
    return numbers


if __name__ == "__main__":
    cv2.setNumThreads(1)
    started = time.perf_counter()
    found = evaluate(Path(sys.argv[1]), Path(sys.argv[2]))
    print(json.dumps({"seconds": time.perf_counter() - started, "numbers": found}))
