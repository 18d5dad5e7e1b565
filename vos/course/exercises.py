"""Checks for the exercises: each compares an attempt with the package's own function on random and edge inputs.

So solution and package cannot drift apart. A stub that still returns nothing is answered "not yet", so that a notebook
always runs to its end. Where an attempt goes wrong just as a typical mistake does, the mistake is named.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy

import numpy as np
import torch
from torch import Tensor

from vos import inference, metrics, training
from vos.attention import affinity
from vos.config import ModelConfig
from vos.course import drawing
from vos.files.mask_images import one_object_if_black_and_white
from vos.networks import ConvLSTM, build
from vos.online import learns

SHAPES = ((4, 5), (4, 6), (3, 6))  # of keys and values in the exercise on attention: (D, P), (D, Q), (C, Q)

Case = tuple[str, tuple]  # (what is special about it, the arguments)
Mistake = tuple[str, Callable]  # (what to say to it, a function that makes it)


def compare(attempt: Callable, reference: Callable, cases: Sequence[Case], mistakes: Sequence[Mistake] = ()) -> bool:
    """Print how `attempt` fares against `reference`: not yet, the first case that differs, or all agree."""
    for number, (what, arguments) in enumerate(cases, 1):
        where = f"Case {number} of {len(cases)} ({what})"
        try:
            got = attempt(*deepcopy(arguments))  # one that writes into them changes nothing
        except NotImplementedError:
            got = None
        except Exception as error:  # a learner's code may raise anything; the notebook goes on
            print(f"{where} raises {type(error).__name__}: {error}")
            return False
        if got is None or got is Ellipsis:
            print("Not yet: the function returns nothing. Replace the ... and run this cell again.")
            return False
        if difference := differs(got, reference(*deepcopy(arguments))):
            print(f"{where}: {difference}")
            with np.errstate(invalid="ignore"):
                made = [words for words, wrong in mistakes if not differs(got, wrong(*deepcopy(arguments)))]
            if made:
                print(f"This is what you get from a typical mistake: {made[0]}")
            return False
    print(f"Well done: all {len(cases)} cases agree with the package, {', '.join(what for what, _ in cases)}.")
    return True


def differs(got: object, expected: object) -> str:
    """What is different, in words; "" if nothing is."""
    if isinstance(expected, tuple):
        if not isinstance(got, tuple | list) or len(got) != len(expected):
            return f"expected {len(expected)} values, got {type(got).__name__}"
        found = [(i, differs(*pair)) for i, pair in enumerate(zip(got, expected, strict=True))]
        return next((f"value {i}: {text}" for i, text in found if text), "")
    try:
        a, b = (np.asarray(v.detach() if isinstance(v, Tensor) else v).astype(float) for v in (got, expected))
    except (TypeError, ValueError, RuntimeError):  # RuntimeError: a list of tensors that need a gradient
        return f"expected numbers, got {type(got).__name__}"
    if a.shape != b.shape:
        return f"expected shape {b.shape}, got {a.shape}"
    wrong = ~np.isclose(a, b, atol=1e-5, rtol=1e-4, equal_nan=True)
    if not wrong.any():
        return ""
    if b.ndim == 0:
        return f"expected {b:.6g}, got {a:.6g}"
    where = tuple(int(i) for i in np.argwhere(wrong)[0])
    return f"{wrong.sum()} of {wrong.size} values differ; at {where} expected {b[where]:.6g}, got {a[where]:.6g}"


def black_and_white(attempt: Callable) -> bool:
    """Notebook 01: attempt(ids) as `vos.files.mask_images.one_object_if_black_and_white`."""
    rng = np.random.default_rng(1)
    cases = [
        ("DAVIS-2016, 0 and 255", (255 * rng.integers(0, 2, (6, 8)).astype(np.uint8),)),
        ("ids 0, 1 and 2", (rng.integers(0, 3, (6, 8)).astype(np.uint8),)),
        ("ids with a void border", (np.array([[0, 1, 255], [0, 1, 255]], np.uint8),)),
        ("an empty mask", (np.zeros((4, 5), np.uint8),)),
        ("all object", (np.full((4, 5), 255, np.uint8),)),
    ]
    mistakes = [
        ("255 is taken for void, and the object of DAVIS-2016 is gone.", lambda ids: np.where(ids == 255, 0, ids)),
        ("255 becomes object 1 beside other ids, where it is void.", lambda ids: np.where(ids == 255, 1, ids)),
        ("every id becomes 1; only a map of nothing but 0 and 255 is one object.", lambda ids: ids > 0),
    ]
    return compare(attempt, one_object_if_black_and_white, cases, mistakes)


def lstm_step(attempt: Callable) -> bool:
    """Notebook 02: attempt(gates (B, 4C, h, w), c (B, C, h, w)) -> (h', c'), the gates in the order i, f, o, g."""

    def reference(gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        lstm = small_lstm(4, c.shape[1])
        torch.nn.init.zeros_(lstm.hidden_to_gates.weight)  # the gates are given: the state adds nothing to them
        return lstm.step(gates, (torch.zeros_like(c), c))

    def as_torch(gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        i, f, g, o = gates.chunk(4, dim=1)
        return reference(torch.cat([i, f, o, g], dim=1), c)

    def without_tanh(gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        c = reference(gates, c)[1]
        return gates.chunk(4, dim=1)[2].sigmoid() * c, c

    torch.manual_seed(1)
    kept = torch.cat([torch.full((1, 2, 2, 2), value) for value in (-20.0, 20.0, 20.0, 0.0)], dim=1)
    cases = [
        ("one cell", (torch.randn(1, 4, 1, 1), torch.randn(1, 1, 1, 1))),
        ("a zero state", (torch.randn(2, 12, 3, 4), torch.zeros(2, 3, 3, 4))),
        ("a forget gate wide open", (kept, torch.randn(1, 2, 2, 2))),
        ("random", (torch.randn(2, 32, 8, 14), torch.randn(2, 8, 8, 14))),
    ]
    mistakes = [
        ("h' and c' are swapped; return (h', c').", lambda gates, c: reference(gates, c)[::-1]),
        ("the gates are taken in torch.nn.LSTM's order i, f, g, o; here it is i, f, o, g.", as_torch),
        ("h' = o * c', without tanh around c'.", without_tanh),
    ]
    return compare(attempt, reference, cases, mistakes)


def small_lstm(inputs: int, channels: int) -> ConvLSTM:
    """A ConvLSTM of the package with few channels."""
    return ConvLSTM(inputs, ModelConfig((16, 16), ((4,),), channels, (4,), batch_norm=False))


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
    mistakes = [
        ("each prediction is compared with the mask before it; logits begin at t = 1, so masks[:, 1:].",
         lambda x, y, w: training.mask_loss(x, y.roll(1, dims=1), w)),
        ("frames that do not count are counted in the mean; divide by the sum of the weights.",
         lambda x, y, w: (training.frame_losses(x, y) * w[:, 1:]).mean()),
        ("frames that do not count are in the loss; multiply by the weights.",
         lambda x, y, w: training.frame_losses(x, y).mean()),
        ("0 / 0 where no frame counts; `clamp(min=1)` what you divide by.",
         lambda x, y, w: (training.frame_losses(x, y) * w[:, 1:]).sum() / w[:, 1:].sum()),
    ]  # fmt: skip
    return compare(attempt, training.mask_loss, cases, mistakes)


def region_similarity(attempt: Callable) -> bool:
    """Notebook 05: attempt(prediction (H, W), truth (H, W)) -> J, both boolean."""
    rng = np.random.default_rng(1)
    some, other = rng.random((12, 20)) > 0.6, rng.random((12, 20)) > 0.4
    none = np.zeros_like(some)
    cases = [("random", (some, other)), ("equal", (some, some)), ("disjoint", (some, ~some))]
    cases += [("nothing predicted", (none, some)), ("an absent object, rightly not predicted", (none, none))]
    mistakes = [
        ("this is Dice, 2 |A and B| / (|A| + |B|).", lambda p, t: 2 * (p & t).sum() / (p.sum() + t.sum())),
        ("the background that both agree on is counted as right; J leaves it out.", lambda p, t: (p == t).mean()),
        ("the intersection is divided by the true mask, not by the union.", lambda p, t: (p & t).sum() / t.sum()),
        ("0 / 0; nothing there and nothing found is J = 1.", lambda p, t: (p & t).sum() / (p | t).sum()),
    ]
    return compare(attempt, metrics.region_similarity, cases, mistakes)


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


def box_of(attempt: Callable) -> bool:
    """Notebook 07: attempt(mask (H, W) boolean) -> (x, y, width, height), as `vos.course.drawing.box_of`."""

    def rows_first(mask: np.ndarray) -> tuple[int, ...]:
        x, y, width, height = drawing.box_of(mask)
        return y, x, height, width

    def one_short(mask: np.ndarray) -> tuple[int, ...]:
        x, y, width, height = drawing.box_of(mask)
        return x, y, width - 1, height - 1

    def two_corners(mask: np.ndarray) -> tuple[int, ...]:
        x, y, width, height = drawing.box_of(mask)
        return x, y, x + width - 1, y + height - 1

    block, pixel, corner = np.zeros((3, 9, 14), bool)
    block[2:5, 4:11], pixel[6, 3], corner[7:, 10:] = True, True, True
    scattered = np.random.default_rng(1).random((9, 14)) > 0.97
    cases = [("a block", (block,)), ("one pixel", (pixel,)), ("in the corner", (corner,)), ("scattered", (scattered,))]
    cases += [("nothing at all", (np.zeros((9, 14), bool),))]
    mistakes = [
        ("rows and columns are exchanged; x counts columns, and NumPy's first axis is rows.", rows_first),
        ("a box from column 4 to column 10 is 7 wide: the last minus the first, plus 1.", one_short),
        ("these are two corners; the last two numbers are width and height.", two_corners),
    ]
    return compare(attempt, drawing.box_of, cases, mistakes)


def weights_that_learn(attempt: Callable) -> bool:
    """Notebook 09: attempt(names) -> for each name of a weight, whether online learning may change it."""
    cases = [
        (f"the {name} model", ([key for key, _ in build(name, "real").named_parameters()],))
        for name in ("attention", "updated", "base")
    ]

    def all_but(*parts: str) -> Callable:
        return lambda names: [not any(part in name for part in parts) for name in names]

    mistakes = [
        ("these are the ones that stay.", lambda names: [not learns(name) for name in names]),
        ("the backbones learn, too.", all_but("_lstm.")),
        ("the ConvLSTMs learn, too.", all_but(".backbone.")),
        ("the second ConvLSTM, video_lstm, learns.", all_but(".backbone.", "mask_lstm.")),
        ("all of Encoder and Initializer stays.", all_but("encoder.", "initializer.", "_lstm.")),
    ]  # fmt: skip
    return compare(attempt, lambda names: [learns(name) for name in names], cases, mistakes)


def attention(attempt: Callable) -> bool:
    """Notebook 08: attempt(ours (B, D, P), theirs (B, D, Q), values (B, C, Q)) -> what is read, (B, C, P)."""
    torch.manual_seed(1)
    far = torch.eye(4)[None] * 20.0
    cases = [
        ("two batches, more cells to look at than cells that look", tuple(torch.randn(2, n, m) for n, m in SHAPES)),
        ("keys so far apart that one cell takes all", (far.flip(-1), far, torch.arange(8.0).reshape(1, 2, 4))),
        ("one long key", (torch.ones(1, 3, 2), torch.tensor([[[1.0, 9.0]] * 3]), torch.tensor([[[1.0, 0.0]]]))),
    ]

    def read(score: Callable[[Tensor, Tensor], Tensor], over: int = -1) -> Callable:
        return lambda ours, theirs, values: values @ score(ours, theirs).softmax(dim=over).mT

    def nearness(ours: Tensor, theirs: Tensor) -> Tensor:
        return -torch.cdist(ours.mT, theirs.mT).square()

    root = SHAPES[0][0] ** 0.5
    mistakes = [
        ("the product of keys, not their distance.", read(lambda a, b: a.mT @ b / root)),
        ("the softmax runs over the cells that look; it is over those that are looked at.",
         read(lambda a, b: nearness(a, b) / root, over=-2)),
        ("not divided by the square root of D.", read(nearness)),
        ("a distance without its minus: the farthest cell takes most.", read(lambda a, b: -nearness(a, b) / root)),
    ]  # fmt: skip
    return compare(attempt, lambda a, b, values: values @ affinity(a, b).mT, cases, mistakes)
