"""Exercises of lesson 6: from probabilities to masks, an example by a rule, and what went wrong in numbers."""

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from vos import inference
from vos.course.examples import Painted, median_entry
from vos.course.exercises.compare import compare
from vos.masks import stretch_ids


def best_threshold(attempt: Callable) -> bool:
    """Notebook 06: attempt(p (H, W)) -> the threshold whose mask has the highest expected J, at least 0.1."""

    def expected(p: np.ndarray, outside: bool = True, descending: bool = True) -> float:
        ranked = np.sort(p, axis=None)[::-1] if descending else np.sort(p, axis=None)
        inside, size = ranked.cumsum(), np.arange(1, p.size + 1)
        return float((inside / (size + (inside[-1] - inside if outside else 0))).max())

    def threshold(J: float, least: float = inference.LEAST_PROBABLE) -> float:
        return max(J / (1 + J), least)

    rng = np.random.default_rng(1)
    seen_well = np.array([[0.98, 0.95, 0.02], [0.9, 0.4, 0.01]])
    cases = [
        ("seen well", (seen_well,)),
        ("hardly made out", (np.array([[0.3, 0.5, 0.02], [0.35, 0.4, 0.01]]),)),
        ("random", (rng.random((12, 20)) ** 3,)),
        ("certain", ((rng.random((6, 8)) > 0.7).astype(float),)),
        ("out of sight", (np.full((6, 8), 0.001),)),
    ]
    mistakes = [
        ("never below 0.1: where the object is out of sight, faint clouds would be painted.",
         lambda p: threshold(expected(p), least=0)),
        ("this is the expected J itself; the threshold is J / (1 + J).", lambda p: expected(p)),
        ("the least probable pixels are taken first.", lambda p: threshold(expected(p, descending=False))),
        ("the expected union is the size of the mask and the sum of p outside of it.",
         lambda p: threshold(expected(p, outside=False))),
        ("one half makes the fewest wrong pixels, but not the best J.", lambda p: 0.5),
    ]  # fmt: skip
    return compare(attempt, inference.best_threshold, cases, mistakes)


def merge_objects(attempt: Callable) -> bool:
    """Notebook 06: attempt(probabilities (K, H, W), ids) -> id map (H, W), as `vos.inference.merge_objects`."""

    def last_wins(probabilities: np.ndarray, ids: list[int]) -> np.ndarray:
        merged = np.zeros(probabilities.shape[1:], int)
        for p, number in zip(probabilities, ids, strict=True):
            merged[p > 0.5] = number
        return merged

    rng = np.random.default_rng(1)
    cases = [
        ("one object", (rng.random((1, 5, 7)), [1])),
        ("three objects", (rng.random((3, 5, 7)), [1, 2, 3])),
        ("ids with gaps", (rng.random((3, 5, 7)), [2, 5, 9])),
        ("nobody above one half", (0.4 * rng.random((2, 5, 7)), [1, 2])),
    ]
    mistakes = [
        ("where no object is above one half, the id is 0.", lambda p, ids: np.array(ids)[p.argmax(axis=0)]),
        ("a later object overwrites the earlier ones; the most probable one gets the pixel.", last_wins),
        ("places in the list instead of ids.", lambda p, ids: np.where(p.max(axis=0) > 0.5, p.argmax(axis=0) + 1, 0)),
    ]
    return compare(attempt, inference.merge_objects, cases, mistakes)


def ids_at_size(attempt: Callable) -> bool:
    """Notebook 06: attempt(probabilities (K, h, w), ids, (H, W)) -> id map (H, W), by the rule of one half."""
    Size = tuple[int, int]

    def reference(p: Tensor, ids: list[int], size: Size) -> np.ndarray:
        return inference.merge_objects(inference.upsample_probabilities(p, size), ids)

    def small(p: Tensor, ids: list[int]) -> np.ndarray:
        return inference.merge_objects(p.numpy(), ids)

    def between(p: Tensor, ids: list[int], size: Size) -> np.ndarray:
        return np.array(Image.fromarray(small(p, ids)).resize(size[::-1], Image.Resampling.BILINEAR))

    def corners(p: Tensor, ids: list[int], size: Size) -> np.ndarray:
        large = interpolate(p[None], size, mode="bilinear", align_corners=True)[0]
        return inference.merge_objects(large.numpy(), ids)

    def thresholded(p: Tensor, ids: list[int], size: Size) -> np.ndarray:
        return reference((p > 0.5).float(), ids, size)

    torch.manual_seed(1)
    cases = [
        ("three objects, four times as large", (torch.rand(3, 6, 8), [1, 2, 5], (24, 32))),
        ("one object at a size that is no multiple", (torch.rand(1, 6, 8), [1], (17, 30))),
        ("nobody above one half", (0.4 * torch.rand(2, 4, 5), [1, 2], (12, 9))),
    ]
    mistakes = [
        ("ids are chosen at the small size and then copied: the outline is a staircase. Interpolate, then choose.",
         lambda p, ids, size: stretch_ids(small(p, ids), size)),
        ("ids are interpolated: on the way from 5 to 0 lie objects 1 to 4. Interpolate the probabilities.", between),
        ("the threshold comes before the interpolation; what is not quite one half is lost.", thresholded),
        ("align_corners=True holds the corners' centres together; a pixel is an area: align_corners=False.", corners),
        ("a size is (H, W), and Pillow wants (W, H).", lambda p, ids, size: reference(p, ids, size[::-1])),
        ("the background has no say: below one half the id is 0.",
         lambda p, ids, size: np.array(ids)[inference.upsample_probabilities(p, size).argmax(axis=0)]),
    ]  # fmt: skip
    return compare(attempt, reference, cases, mistakes)


def median_example(attempt: Callable) -> bool:
    """Notebook 06: attempt(J (N,), categories, wanted) -> the place in the list of the object with the median J."""
    Names = list[str]

    def reference(J: np.ndarray, categories: Names, wanted: str) -> int:
        pairs = zip(J, categories, strict=True)
        entries = [{"J_mean": score, "category": name, "video": i} for i, (score, name) in enumerate(pairs)]
        return median_entry(entries, wanted)["video"]

    def candidates(categories: Names, wanted: str) -> np.ndarray:
        names = np.array(categories)
        return np.flatnonzero(names == wanted) if wanted in categories else np.arange(len(names))

    def upper(J: np.ndarray, categories: Names, wanted: str) -> int:
        places = candidates(categories, wanted)
        return places[np.argsort(J[places])[len(places) // 2]]

    def middle(J: np.ndarray, categories: Names, wanted: str) -> int:
        places = candidates(categories, wanted)
        return places[(len(places) - 1) // 2]

    def nearest_mean(J: np.ndarray, categories: Names, wanted: str) -> int:
        places = candidates(categories, wanted)
        return places[np.abs(J[places] - J[places].mean()).argmin()]

    def among(J: np.ndarray, categories: Names, wanted: str) -> int:
        places = candidates(categories, wanted)
        return int(np.flatnonzero(places == reference(J, categories, wanted))[0])

    J = np.array([0.76, 0.54, 0.33, 0.84, 0.29, 0.87, 0.4, 0.63, 0.83])
    categories = ["cat", "bird", "bird", "bird", "cat", "bird", "dog", "cat", "bird"]
    cases = [
        ("five birds", (J, categories, "bird")),
        ("four birds, and so two in the middle", (J[:8], categories[:8], "bird")),
        ("no whale: all objects", (J, categories, "whale")),
        ("one dog", (J, categories, "dog")),
    ]
    mistakes = [
        ("the place among the birds; we need that in the whole list.", among),
        ("the category is not looked at.", lambda J, categories, wanted: reference(J, categories, "")),
        ("the middle of the list as it comes; sort by J first.", middle),
        ("nearest to the mean; a few very bad objects move the mean, and not the median.", nearest_mean),
        ("of two in the middle, take the lower.", upper),
        ("the J of the object; we need its place in the list.", lambda *a: a[0][reference(*a)]),
    ]
    return compare(attempt, reference, cases, mistakes)


def painted(attempt: Callable) -> bool:
    """Notebook 06: attempt(maps (T, H, W), truth (T, H, W), k) -> (on_it, on_others, on_background, amount)."""
    Four = tuple[float, float, float, float]

    def of(painted: np.ndarray, places: list[np.ndarray], whole: list[np.ndarray], least: int = 1) -> Four:
        """The number of painted pixels in each place, by the number in `whole`; then all of them by those of it."""
        parts = [np.float64((painted & p).sum()) / max(w.sum(), least) for p, w in zip(places, whole, strict=True)]
        return *parts, np.float64(painted.sum()) / max(places[0].sum(), least)  # type: ignore[return-value]

    def places(truth: np.ndarray, k: int) -> list[np.ndarray]:
        return [truth == k, (truth > 0) & (truth != k), truth == 0]

    def of_the_true(maps: np.ndarray, truth: np.ndarray, k: int) -> Four:
        return of(maps == k, places(truth, k), places(truth, k))

    def any_object(maps: np.ndarray, truth: np.ndarray, k: int) -> Four:
        return of(maps == k, [truth == k, truth > 0, truth == 0], [maps == k] * 3)

    def all_painted(maps: np.ndarray, truth: np.ndarray, k: int) -> Four:
        return of(maps > 0, places(truth, k), [maps > 0] * 3)

    def undivided(maps: np.ndarray, truth: np.ndarray, k: int) -> Four:
        return of(maps == k, places(truth, k), [maps == k] * 3, least=0)

    def by_frame(maps: np.ndarray, truth: np.ndarray, k: int) -> Four:
        return tuple(np.mean([Painted.of(m[None], t[None], k) for m, t in zip(maps, truth, strict=True)], axis=0))

    def upside_down(maps: np.ndarray, truth: np.ndarray, k: int) -> Four:
        *parts, amount = Painted.of(maps, truth, k)
        return *parts, 1 / max(amount, 1e-9)  # type: ignore[return-value]

    rng = np.random.default_rng(1)
    truth = rng.integers(0, 4, (5, 6, 8)) * (np.arange(8) > np.arange(5)[:, None, None])
    maps = np.where(rng.random(truth.shape) > 0.4, truth, rng.integers(0, 4, truth.shape))
    cases = [
        ("five frames of three objects", (maps, truth, 2)),
        ("one frame", (maps[:1], truth[:1], 3)),
        ("another object is followed", (np.where(truth == 1, 2, 0), truth, 2)),
        ("nothing is painted", (np.zeros_like(maps), truth, 1)),
        ("an object out of sight", (maps, np.where(truth == 3, 0, truth), 3)),
    ]
    mistakes = [
        ("parts of the true pixels; of the *painted* ones, how many lie where?", of_the_true),
        ("the object itself is counted among the others.", any_object),
        ("what is painted as other objects is counted; take only the pixels painted as k.", all_painted),
        ("a mean over the frames; count the pixels of all frames together.", by_frame),
        ("the last number is upside down: painted pixels by true ones.", upside_down),
        ("0 / 0; where there is no pixel, divide by 1.", undivided),
    ]
    return compare(attempt, Painted.of, cases, mistakes)
