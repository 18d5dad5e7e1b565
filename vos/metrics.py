"""How good is a mask? Region similarity J, contour accuracy F, and what a whole sequence of them amounts to.

J and F are those of the DAVIS benchmark (Perazzi et al., CVPR 2016; Pont-Tuset et al., arXiv:1704.00675) and
agree with its toolkit to the last bit: pixels are counted in integers, and the few float operations keep its order.
A mask is a boolean (H, W) array, True where the object is; `void` marks pixels nobody is judged on.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vos.fast.counting import object_counts


def region_similarity(prediction: np.ndarray, truth: np.ndarray, void: np.ndarray | None = None) -> float:
    """J, the intersection over the union of two masks (H, W), between 0 and 1; 1 where both are empty.

    void: mask of pixels to leave out. Raises ValueError where shapes differ or an array is no mask.
    """
    prediction, truth = _judged(prediction, truth, void)
    return intersection_over_union(_count(prediction & truth), _count(prediction | truth))


def contour_accuracy(
    prediction: np.ndarray, truth: np.ndarray, bound_th: float = 0.008, void: np.ndarray | None = None
) -> float:
    """F, the harmonic mean of precision and recall of two masks' boundary pixels (H, W), between 0 and 1.

    A boundary pixel is right if the other mask has one within r pixels.
    bound_th: r as a share of the image diagonal (rounded up) where below 1, else r itself in whole pixels.
    void: mask of pixels to leave out. Raises ValueError where shapes differ or an array is no mask.
    A mask of the whole frame has no boundary: against an empty one its J is 0, but its F is 1.
    """
    prediction, truth = _judged(prediction, truth, void)
    radius = bound_radius(truth.shape, bound_th)
    predicted_edge, true_edge = boundary(prediction), boundary(truth)
    return f_measure(
        _count(predicted_edge & dilate(true_edge, radius)),
        _count(predicted_edge),
        _count(true_edge & dilate(predicted_edge, radius)),
        _count(true_edge),
    )


def score_frames(
    prediction: np.ndarray,
    truth: np.ndarray,
    objects: Sequence[int],
    bound_th: float = 0.008,
    void: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """J and F of many objects in many frames, two float64 arrays (T, K): the same numbers, counted for all at once.

    prediction, truth: id maps (T, H, W), integers 0 to 255. objects: the K ids to score, 1 to 255.
    void: id in the truth whose pixels are left out of both. The counting is done by vos.fast.counting.
    Raises ValueError where shapes differ, a map is no id map, or an id cannot be.
    """
    prediction, truth = _id_maps(prediction, "prediction"), _id_maps(truth, "truth")
    if prediction.shape != truth.shape:
        raise ValueError(f"prediction {prediction.shape} and truth {truth.shape} differ in shape")
    if any(not 0 < number < 256 for number in objects):
        raise ValueError(f"object ids lie between 1 and 255, not {list(objects)}")
    radius = bound_radius(truth.shape[1:], bound_th)
    J, F = np.empty((2, len(truth), len(objects)))
    for t, (predicted, true) in enumerate(zip(prediction, truth, strict=True)):
        if void is not None:
            judged = true != void
            predicted, true = predicted * judged, true * judged
        for k, count in enumerate(object_counts(predicted, true, objects, radius)):
            J[t, k] = intersection_over_union(count.intersection, count.union)
            F[t, k] = f_measure(
                count.predicted_matched, count.predicted_boundary, count.true_matched, count.true_boundary
            )
    return J, F


def intersection_over_union(intersection: int, union: int) -> float:
    """J from the numbers of pixels; 1 where there are none."""
    return float(intersection / union) if union else 1.0


def f_measure(predicted_matched: int, predicted: int, true_matched: int, true: int) -> float:
    """F from the numbers of boundary pixels: those of the prediction that match, all of them, and so for the truth."""
    if predicted == 0 or true == 0:
        return 1.0 if predicted == true else 0.0
    precision, recall = predicted_matched / predicted, true_matched / true
    if precision + recall == 0:
        return 0.0
    return float(2 * precision * recall / (precision + recall))


def bound_radius(shape: tuple[int, int], bound_th: float = 0.008) -> int:
    """How far apart, in pixels, two boundaries may be in an image of shape (H, W) and still match."""
    if bound_th < 0 or (bound_th >= 1 and bound_th != int(bound_th)):
        raise ValueError(f"bound_th is a share of the diagonal below 1 or a number of whole pixels, not {bound_th}")
    if bound_th >= 1:
        return int(bound_th)
    height, width = shape
    return math.ceil(bound_th * math.sqrt(height * height + width * width))


def boundary(mask: np.ndarray) -> np.ndarray:
    """The boundary of a mask (H, W): pixels whose 2x2 window (itself, right, below, diagonal) holds both values.

    The line is one pixel wide and lies half a pixel up and left of the true one. The border of the image is no
    boundary: the last row looks only to the right, the last column only below, the last corner at nothing.
    """
    mask = _binary(mask, "mask")
    right = mask[:, 1:] != mask[:, :-1]
    below = mask[1:] != mask[:-1]
    edge = np.zeros_like(mask)
    edge[:, :-1] = right
    edge[:-1] |= below
    edge[:-1, :-1] |= right[1:]  # the window's lower pair; its right pair cannot differ alone
    return edge


def dilate(mask: np.ndarray, radius: int) -> np.ndarray:
    """A mask (H, W) grown by a disk: all pixels within `radius` pixels of the mask, dx² + dy² <= radius².

    A disk is a stack of horizontal runs: from its top row to its middle they only get longer, so the mask is
    widened step by step, and each width is dropped into the rows above and below that have it.
    """
    mask = _binary(mask, "mask")
    grown = np.zeros_like(mask)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return grown
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    height = bottom - top
    wide = np.pad(mask[top:bottom, left:right], ((0, 0), (radius, radius)))
    disk = np.zeros((height + 2 * radius, wide.shape[1]), bool)
    half_width = 0
    for dy in range(radius, -1, -1):
        while (half_width + 1) ** 2 + dy * dy <= radius * radius:
            wider = wide.copy()
            wider[:, 1:] |= wide[:, :-1]
            wider[:, :-1] |= wide[:, 1:]
            wide, half_width = wider, half_width + 1
        disk[radius - dy : radius - dy + height] |= wide
        disk[radius + dy : radius + dy + height] |= wide
    up, over = max(top - radius, 0), max(left - radius, 0)  # what hangs over the border of the image is cut off
    inside = disk[up - top + radius :, over - left + radius :]
    target = grown[up : bottom + radius, over : right + radius]
    target[:] = inside[: target.shape[0], : target.shape[1]]
    return grown


class Statistics(NamedTuple):
    """One number a frame, summed up as DAVIS does."""

    mean: float
    recall: float  # share of frames strictly above 0.5
    decay: float  # mean of the first quarter less mean of the last: what is lost over the sequence


def statistics(scores: Sequence[float] | np.ndarray) -> Statistics:
    """Mean, recall and decay of one object's J or F, one value a frame (T,). ValueError where there is none.

    The quarters share their border frames, as in the toolkit. The toolkit keeps their edges in uint8, which
    wraps round and gives a wrong decay from 256 frames on; plain integers are right at any length.
    """
    values = np.ascontiguousarray(scores, dtype=np.float64)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"statistics need one value for each frame, at least one, not an array {values.shape}")
    edges = [int(edge) for edge in np.round(np.linspace(1, values.size, 5) + 1e-10) - 1]
    first, last = values[edges[0] : edges[1] + 1], values[edges[3] : edges[4] + 1]
    return Statistics(float(values.mean()), float((values > 0.5).mean()), float(first.mean() - last.mean()))


def seen_unseen_summary(J: Sequence[float], F: Sequence[float], seen: Sequence[bool | None]) -> dict[str, float | None]:
    """YouTube-VOS style numbers of K objects: J_seen, J_unseen, F_seen, F_unseen and overall, their mean.

    J, F: each object's mean over its frames. seen: does its category occur in training? None where unknown.
    A number with no object to it is None, and overall is the mean of those that exist; where it is known of no
    object, overall is the mean of J and F. ("Style", as the official scorer is not public.)
    """
    summary: dict[str, float | None] = {}
    for name, values in (("J", J), ("F", F)):
        for kind, wanted in (("seen", True), ("unseen", False)):
            chosen = [value for value, known in zip(values, seen, strict=True) if known is wanted]
            summary[f"{name}_{kind}"] = float(np.mean(chosen)) if chosen else None
    parts = [value for value in summary.values() if value is not None]
    summary["overall"] = float(np.mean(parts or [float(np.mean(J)), float(np.mean(F))]))
    return summary


def _count(mask: np.ndarray) -> int:
    """The number of pixels that are set."""
    return int(np.count_nonzero(mask))


def _binary(mask: np.ndarray, name: str) -> np.ndarray:
    """`mask` as boolean (H, W): True where it is not 0. Fractions are refused: a threshold was forgotten."""
    mask = np.asarray(mask)
    if mask.dtype == bool and mask.ndim == 2:
        return mask
    if mask.ndim != 2:
        raise ValueError(f"{name} must be one mask of shape (H, W), not {mask.shape}")
    if not np.issubdtype(mask.dtype, np.integer) and not np.isin(mask, (0, 1)).all():
        raise ValueError(f"{name} holds {mask.dtype} values other than 0 and 1; compare it with a threshold first")
    return mask != 0


def _id_maps(maps: np.ndarray, name: str) -> np.ndarray:
    """`maps` as uint8 (T, H, W)."""
    maps = np.asarray(maps)
    if maps.ndim != 3 or not np.issubdtype(maps.dtype, np.integer):
        raise ValueError(f"{name} must be id maps, integers of shape (T, H, W), not {maps.dtype} {maps.shape}")
    if maps.dtype != np.uint8 and maps.size and (maps.min() < 0 or maps.max() > 255):
        raise ValueError(f"{name} holds ids outside of 0 to 255")
    return np.ascontiguousarray(maps, np.uint8)


def _judged(prediction: np.ndarray, truth: np.ndarray, void: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Both masks as boolean arrays of one shape, without the void pixels."""
    prediction, truth = _binary(prediction, "prediction"), _binary(truth, "truth")
    if prediction.shape != truth.shape:
        raise ValueError(f"prediction {prediction.shape} and truth {truth.shape} differ in shape")
    if void is None:
        return prediction, truth
    void = _binary(void, "void")
    if void.shape != truth.shape:
        raise ValueError(f"void {void.shape} and truth {truth.shape} differ in shape")
    return prediction & ~void, truth & ~void
