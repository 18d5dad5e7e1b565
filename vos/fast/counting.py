"""The counts behind J and F (vos.metrics), for up to four objects of a frame in one pass.

It counts the same pixels as vos.metrics.boundary and vos.metrics.dilate, in integers only:

- Bits. A byte holds eight yes-or-no pictures: bit k says whether the truth has object k at this pixel, bit 4 + k
  whether the prediction has it. One operation on bytes does the work for all of them.
- Crop. Outside the box around all objects there is no boundary. One row above and one column to the left belong to
  it, as a boundary pixel lies up and left of what differs.
- Boundary. The four pixels of a 2x2 window are not all equal where one of them is set and one is not: the OR of the
  four XOR their AND, for every bit by itself. Beyond the border of the image the last row and column repeat, which
  adds no difference.
- Fold. One or two objects leave bits free. The rows are cut into four or two strips that lie over one another, each
  in bits of its own and with the `radius` rows above and below that its pixels can see.
- Disk. dx^2 + dy^2 <= r^2 is, for each dy, a run of dx from -w to w. The rows lie behind one another in memory with
  r zeros between them, so a run is the OR of 2w + 1 slices, each shifted by one cell, and no row leaks into another.
  From the top of the disk to its middle the runs only get longer: one of length m + s, s <= m, is the OR of two of
  length m, s cells apart.
- Matches. A boundary pixel of the prediction is right where the grown boundary of the truth has its bit, and the other
  way round. Both are read at the boundary pixels alone, which are few.
"""

from collections.abc import Sequence
from functools import reduce
from math import isqrt
from typing import NamedTuple

import numpy as np

GROUP = 4  # objects in a byte: a bit of truth and a bit of prediction each
BAND = 16  # rows looked at together: five times as fast as one by one
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
    """The counts of each object of two id maps, uint8 (H, W), C-contiguous, with at least one pixel."""
    box = occupied(prediction, truth)
    prediction, truth = np.ascontiguousarray(prediction[box]), np.ascontiguousarray(truth[box])
    counts: list[Counts] = []
    for start in range(0, len(objects), GROUP):
        group = objects[start : start + GROUP]
        packed, areas = pack(prediction, truth, group)
        if len(objects) > GROUP:
            packed = packed[occupied(packed)]  # the box of these objects alone
        lengths = boundary_counts(packed, len(group), radius)
        counts += [Counts(*area, *length) for area, length in zip(areas, lengths, strict=True)]
    return counts


def occupied(*maps: np.ndarray) -> tuple[slice, slice]:
    """A box around all that is not 0 in maps (H, W), with a row above, a column to the left, and below and right.

    Its top and bottom are exact to BAND rows only. One pixel where there is nothing.
    """
    height, width = maps[0].shape
    bands = np.arange(0, height * width, BAND * width)
    filled = np.flatnonzero(reduce(np.bitwise_or, [np.bitwise_or.reduceat(m.ravel(), bands) for m in maps]))
    if not len(filled):
        return slice(0, 1), slice(0, 1)
    rows = slice(max(BAND * filled[0] - 1, 0), BAND * (filled[-1] + 1) + 1)
    filled = np.flatnonzero(reduce(np.bitwise_or, [np.bitwise_or.reduce(m[rows], axis=0) for m in maps]))
    return rows, slice(max(filled[0] - 1, 0), filled[-1] + 2)


def pack(prediction: np.ndarray, truth: np.ndarray, objects: Sequence[int]) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Up to GROUP objects of two id maps (h, w) as bits, uint8 (h, w), and the (intersection, union) of each."""
    bits, areas = [], []
    for k, number in enumerate(objects):
        true, predicted = truth == number, prediction == number
        both = int(np.count_nonzero(true & predicted))
        areas.append((both, int(np.count_nonzero(true) + np.count_nonzero(predicted)) - both))
        # NumPy multiplies bytes ten times as fast as it shifts them to the left.
        bits += [true.view(np.uint8) * np.uint8(1 << k), predicted.view(np.uint8) * np.uint8(1 << (k + GROUP))]
    return reduce(np.bitwise_or, bits), areas


def boundary_counts(packed: np.ndarray, objects: int, radius: int) -> list[list[int]]:
    """[predicted_boundary, true_boundary, predicted_matched, true_matched] of each object of a packed picture."""
    edge = boundary_bits(packed, radius)
    strips = GROUP // objects
    folded = fold(edge, strips, objects, radius)
    mine = folded[radius : len(folded) - radius].ravel()
    where = np.flatnonzero(mine != 0)  # ten times as fast on booleans as on bytes
    mine, near = mine.take(where), disk_bits(folded, radius).take(where)
    near = (near >> GROUP) | (near << GROUP)  # each side is compared with the other's
    pixels = np.stack([np.bincount(bits, minlength=256) for bits in (mine, mine & near)]) @ BITS  # (2, 8)
    pixels = pixels.reshape(2, 2, GROUP)[:, ::-1, : strips * objects]  # [all or matched, predicted or true]
    return pixels.reshape(4, strips, objects).sum(axis=1).T.tolist()


def fold(edge: np.ndarray, strips: int, objects: int, radius: int) -> np.ndarray:
    """Strips of rows laid over one another, each in bits of its own: (h, w) -> (h / strips + 2 radius, w).

    The first and last `radius` rows are there to be seen from the others: they are counted in the next strip.
    """
    height, width = edge.shape
    rows = -(-height // strips)
    whole = np.zeros((strips * rows + 2 * radius, width), np.uint8)
    whole[radius : radius + height] = edge
    folded = whole[: rows + 2 * radius]
    for strip in range(1, strips):
        folded = folded | whole[strip * rows : (strip + 1) * rows + 2 * radius] * np.uint8(1 << strip * objects)
    return folded


def boundary_bits(packed: np.ndarray, radius: int) -> np.ndarray:
    """The boundary of each bit's picture (h, w), as (h, w + radius + 1) with zeros to the right of each row."""
    height, width = packed.shape
    stride = width + radius + 1
    flat = np.empty((height + 1) * stride + 1, np.uint8)
    rows = flat[:-1].reshape(height + 1, stride)
    rows[:-1, :width] = packed
    rows[:-1, width] = packed[:, -1]
    rows[-1] = rows[-2]
    some, every = flat[:-1] | flat[1:], flat[:-1] & flat[1:]
    edge = (some[:-stride] | some[stride:]) ^ (every[:-stride] & every[stride:])
    edge = edge.reshape(height, stride)
    edge[:, width:] = 0
    return edge


def disk_bits(edge: np.ndarray, radius: int) -> np.ndarray:
    """Each bit's picture grown by a disk, flat, without the first and last `radius` rows of edge (h, w).

    The rows of edge end with at least `radius` zeros.
    """
    stride = edge.shape[1]
    size = edge.size - 2 * radius * stride
    run = np.zeros(edge.size + 2 * radius, np.uint8)
    run[radius : radius + edge.size] = edge.ravel()
    length = 1  # run[i] is the OR of so many cells from i on
    grown = np.zeros(size, np.uint8)
    for dy in range(radius, -1, -1):
        half = isqrt(radius * radius - dy * dy)
        while length < 2 * half + 1:
            step = min(2 * half + 1 - length, length)
            run, length = run[:-step] | run[step:], length + step
        for row in {radius - dy, radius + dy}:
            start = radius + row * stride - half
            grown |= run[start : start + size]
    return grown
