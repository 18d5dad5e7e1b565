"""Checks for the exercises: each compares an attempt with the package's own function on random and edge inputs.

An exercise asks for a function the package has, so that solution and package cannot drift apart. A stub that
still returns nothing is answered "not yet", so that a notebook always runs to its end.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from vos import masks, metrics, training
from vos.config import ModelConfig
from vos.networks import ConvLSTM

Case = tuple[str, tuple]  # (what is special about it, the arguments)


def compare(attempt: Callable, reference: Callable, cases: Sequence[Case]) -> bool:
    """Print how `attempt` fares against `reference`: not yet, the first case that differs, or all agree."""
    for place, (what, arguments) in enumerate(cases, 1):
        try:
            got = attempt(*copies(arguments))
        except NotImplementedError:
            got = None
        except Exception as error:  # a learner's code may raise anything; the notebook goes on
            print(f"Case {place} of {len(cases)} ({what}) raises {type(error).__name__}: {error}")
            return False
        if got is None or got is Ellipsis:
            print("Not yet: the function returns nothing. Replace the ... and run this cell again.")
            return False
        difference = differs(got, reference(*copies(arguments)))
        if difference:
            print(f"Case {place} of {len(cases)} ({what}): {difference}")
            return False
    print(f"Well done: all {len(cases)} cases agree with the package, {', '.join(what for what, _ in cases)}.")
    return True


def copies(arguments: tuple) -> tuple:
    """The arguments, arrays copied, so that an attempt that writes into them changes nothing."""
    clone = {np.ndarray: np.copy, torch.Tensor: torch.clone}
    return tuple(clone.get(type(a), lambda value: value)(a) for a in arguments)


def differs(got: object, expected: object) -> str:
    """What is different, in words; "" if nothing is."""
    if isinstance(expected, tuple):
        if not isinstance(got, tuple | list) or len(got) != len(expected):
            return f"expected {len(expected)} values, got {type(got).__name__}"
        found = [(i, differs(*pair)) for i, pair in enumerate(zip(got, expected, strict=True))]
        return next((f"value {i}: {text}" for i, text in found if text), "")
    a, b = (np.asarray(v.detach() if isinstance(v, torch.Tensor) else v) for v in (got, expected))
    if a.shape != b.shape:
        return f"expected shape {b.shape}, got {a.shape}"
    if np.allclose(a.astype(float), b.astype(float), atol=1e-5, rtol=1e-4):
        return ""
    if b.ndim == 0:
        return f"expected {b:.6g}, got {a:.6g}"
    wrong = ~np.isclose(a.astype(float), b.astype(float), atol=1e-5, rtol=1e-4)
    where = tuple(int(i) for i in np.argwhere(wrong)[0])
    return f"{wrong.sum()} of {wrong.size} values differ; at {where} expected {b[where]:.6g}, got {a[where]:.6g}"


def black_and_white(attempt: Callable) -> bool:
    """Notebook 01: attempt(ids) as `vos.masks.one_object_if_black_and_white`."""
    rng = np.random.default_rng(1)
    cases = [
        ("DAVIS-2016, 0 and 255", (255 * rng.integers(0, 2, (6, 8)).astype(np.uint8),)),
        ("ids 0, 1 and 2", (rng.integers(0, 3, (6, 8)).astype(np.uint8),)),
        ("ids with a void border", (np.array([[0, 1, 255], [0, 1, 255]], np.uint8),)),
        ("an empty mask", (np.zeros((4, 5), np.uint8),)),
        ("all object", (np.full((4, 5), 255, np.uint8),)),
    ]
    return compare(attempt, masks.one_object_if_black_and_white, cases)


def lstm_step(attempt: Callable) -> bool:
    """Notebook 02: attempt(gates (B, 4C, h, w), c (B, C, h, w)) -> (h', c'), the gates in the order i, f, o, g."""

    def reference(gates: torch.Tensor, c: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        config = ModelConfig((16, 16), ((4,),), c.shape[1], (4,), batch_norm=False)
        lstm = ConvLSTM(4, config)
        torch.nn.init.zeros_(lstm.hidden_to_gates.weight)  # the gates are given: the state adds nothing to them
        with torch.no_grad():
            return lstm.step(gates, (torch.zeros_like(c), c))

    torch.manual_seed(1)
    kept = torch.cat([torch.full((1, 2, 2, 2), value) for value in (-20.0, 20.0, 20.0, 0.0)], dim=1)
    cases = [
        ("one cell", (torch.randn(1, 4, 1, 1), torch.randn(1, 1, 1, 1))),
        ("a zero state", (torch.randn(2, 12, 3, 4), torch.zeros(2, 3, 3, 4))),
        ("a forget gate wide open", (kept, torch.randn(1, 2, 2, 2))),
        ("random", (torch.randn(2, 32, 8, 14), torch.randn(2, 8, 8, 14))),
    ]
    return compare(attempt, reference, cases)


def video_representation(attempt: Callable) -> bool:
    """Notebook 03: attempt(lstm, encoded (B, T, C, h, w)) -> h_video (B, C, h, w), from a zero start."""

    def reference(lstm: ConvLSTM, encoded: torch.Tensor) -> torch.Tensor:
        state = lstm.zero_state(lstm.input_to_gates(encoded[:, 0]))
        for t in range(encoded.shape[1]):
            state = lstm.step(lstm.input_to_gates(encoded[:, t]), state)
        return state[0]

    torch.manual_seed(1)
    lstm = ConvLSTM(6, ModelConfig((16, 16), ((4,),), 6, (4,), batch_norm=False))
    cases = [
        ("one frame", (lstm, torch.randn(1, 1, 6, 2, 3))),
        ("five frames", (lstm, torch.randn(2, 5, 6, 8, 14))),
        ("a still video", (lstm, torch.ones(1, 7, 6, 4, 4))),
    ]
    return compare(attempt, reference, cases)


def mask_loss(attempt: Callable) -> bool:
    """Notebook 04: attempt(logits (B, T-1, 1, H, W), masks (B, T, 1, H, W), weights (B, T)) -> the loss."""
    torch.manual_seed(1)
    logits, truth = 3 * torch.randn(2, 4, 1, 6, 8), (torch.rand(2, 5, 1, 6, 8) > 0.7).float()
    some = torch.tensor([[1.0, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    cases = [
        ("every frame counts", (logits, truth, torch.ones(2, 5))),
        ("frames without annotation", (logits, truth, some)),
        ("logits of 100", (100 * logits.sign(), truth, some)),
        ("no frame counts", (logits, truth, torch.zeros(2, 5))),
    ]
    return compare(attempt, training.mask_loss, cases)


def region_similarity(attempt: Callable) -> bool:
    """Notebook 05: attempt(prediction (H, W), truth (H, W)) -> J, both boolean."""
    rng = np.random.default_rng(1)
    some, other = rng.random((12, 20)) > 0.6, rng.random((12, 20)) > 0.4
    none = np.zeros_like(some)
    cases = [("random", (some, other)), ("equal", (some, some)), ("disjoint", (some, ~some))]
    cases += [("nothing predicted", (none, some)), ("an absent object, rightly not predicted", (none, none))]
    return compare(attempt, metrics.region_similarity, cases)


def merge_objects(attempt: Callable) -> bool:
    """Notebook 06: attempt(probabilities (K, H, W), ids) -> id map (H, W), as `vos.masks.merge_objects`."""
    rng = np.random.default_rng(1)
    cases = [
        ("one object", (rng.random((1, 5, 7)), [1])),
        ("three objects", (rng.random((3, 5, 7)), [1, 2, 3])),
        ("ids with gaps", (rng.random((3, 5, 7)), [2, 5, 9])),
        ("nobody above one half", (0.4 * rng.random((2, 5, 7)), [1, 2])),
    ]
    return compare(attempt, masks.merge_objects, cases)
