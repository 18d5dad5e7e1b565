"""The counts behind J and F (vos.metrics), for up to four objects of a frame in one pass.

It counts the same pixels as vos.metrics.boundary and vos.metrics.dilate, in integers only:

- Bits. A byte holds eight yes-or-no pictures: bit k says whether the truth has object k at this pixel, bit 4 + k
  whether the prediction has it. One operation on bytes does the work for all of them.
- Crop. Outside the box around all objects there is no boundary. One row above and one column to the left belong to
  it, as a boundary pixel lies up and left of what differs.
- Boundary. The four pixels of a 2x2 window are not all equal where one of them is set and one is not: the OR of the
  four XOR their AND, for every bit by itself. Beyond the border of the image the last row and column repeat, which
  adds no difference.
- Disk. dx^2 + dy^2 <= r^2 is, for each dy, a run of dx from -w to w. The rows lie behind one another in memory with
  r zeros before each and after the last. So a run is the OR of slices shifted by -w..w, and one of w grows out of a
  shorter one of v by shifting that by up to 2v + 1, w - v at a time. No shift reaches further than the zeros, so no
  row leaks into another.
- Matches. A boundary pixel of the prediction is right where the grown boundary of the truth has its bit, and the other
  way round. Both are read at the boundary pixels alone, which are few.
"""

from collections.abc import Sequence
from math import isqrt
from typing import NamedTuple

import numpy as np

GROUP = 4  # objects in a byte: a bit of truth and a bit of prediction each
BITS = (np.arange(256)[:, None] >> np.arange(8) & 1).astype(np.int64)  # (256, 8): the bits of each byte


class Counts(NamedTuple):
    """Pixels of one object in one frame."""

    intersection: int
    union: int
    predicted_boundary: int
    true_boundary: int
    predicted_matched: int  # of the predicted boundary, within the radius of the true one
    true_matched: int


def object_counts(prediction: np.ndarray, truth: np.ndarray, objects: Sequence[int], radius: int) -> list[Counts]:
    """The counts of each object of two id maps, uint8 (H, W), C-contiguous."""
    box = occupied(prediction, truth)
    if box is None:
        return [Counts(0, 0, 0, 0, 0, 0)] * len(objects)
    prediction, truth = prediction[box], truth[box]
    counts: list[Counts] = []
    for start in range(0, len(objects), GROUP):
        counts += group_counts(prediction, truth, objects[start : start + GROUP], radius)
    return counts


def occupied(prediction: np.ndarray, truth: np.ndarray) -> tuple[slice, slice] | None:
    """The box around all that is not 0, with one more row above and column to the left, and below and right."""
    either = prediction | truth
    columns = np.flatnonzero(np.bitwise_or.reduce(either, axis=0))
    if not len(columns):
        return None
    flat, width = either.tobytes(), either.shape[1]
    top = (len(flat) - len(flat.lstrip(b"\0"))) // width
    bottom = (len(flat.rstrip(b"\0")) - 1) // width
    return slice(max(top - 1, 0), bottom + 2), slice(max(columns[0] - 1, 0), columns[-1] + 2)


def group_counts(prediction: np.ndarray, truth: np.ndarray, objects: Sequence[int], radius: int) -> list[Counts]:
    """The counts of up to GROUP objects of two cropped id maps (h, w)."""
    height, width = truth.shape
    packed = np.zeros((height, width), np.uint8)
    areas = []
    for k, number in enumerate(objects):
        true, predicted = truth == number, prediction == number
        both = int(np.count_nonzero(true & predicted))
        areas.append((both, int(np.count_nonzero(true) + np.count_nonzero(predicted)) - both))
        packed |= true.view(np.uint8) << k
        packed |= predicted.view(np.uint8) << (k + GROUP)
    stride = width + radius
    edge = np.zeros(radius + height * stride, np.uint8)
    edge[radius:].reshape(height, stride)[:, :width] = boundary_bits(packed)
    where = np.flatnonzero(edge)
    mine = edge[where]
    near = disk_bits(edge, stride, radius)[where]
    near = (near >> GROUP) | (near << GROUP)  # each side is compared with the other's
    lengths = np.bincount(mine, minlength=256) @ BITS
    matched = np.bincount(mine & near, minlength=256) @ BITS
    return [
        Counts(*areas[k], *(int(n) for n in (lengths[k + GROUP], lengths[k], matched[k + GROUP], matched[k])))
        for k in range(len(objects))
    ]


def boundary_bits(packed: np.ndarray) -> np.ndarray:
    """The boundary of each bit's picture, uint8 (h, w)."""
    some, every = packed.copy(), packed.copy()
    some[:, :-1] |= packed[:, 1:]
    every[:, :-1] &= packed[:, 1:]
    some[:-1] |= some[1:]
    every[:-1] &= every[1:]
    return some ^ every


def disk_bits(flat: np.ndarray, stride: int, radius: int) -> np.ndarray:
    """Each bit's picture grown by a disk; flat: `radius` zeros, then rows of `stride` that end with as many zeros."""
    run, half = flat, 0
    grown = np.zeros_like(flat)
    for dy in range(radius, -1, -1):
        wanted = isqrt(radius * radius - dy * dy)
        while half < wanted:
            step = min(wanted - half, 2 * half + 1)
            wider = run.copy()
            wider[step:] |= run[:-step]
            wider[:-step] |= run[step:]
            run, half = wider, half + step
        shift = dy * stride
        if shift == 0:
            grown |= run
        elif shift < len(flat):
            grown[shift:] |= run[:-shift]
            grown[:-shift] |= run[shift:]
    return grown
