"""Every exercise takes the right answer, and says of typical wrong ones what is wrong with them."""

import sys
import warnings
from copy import deepcopy

import numpy as np
import pytest
import torch
from helpers.exercise_answers import lesson1, lesson2, lesson3, lesson4, lesson5, lesson6, lesson7, lessons8to10

from vos import inference, metrics, training
from vos.course import drawing, exercises
from vos.course.exercises.compare import compare
from vos.files.mask_images import one_object_if_black_and_white


def lstm_step(gates, c):
    i, f, o, g = gates.chunk(4, dim=1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def video_representation(lstm, encoded, take=0):
    state = lstm.zero_state(lstm.input_to_gates(encoded[:, 0]))
    for x in encoded.unbind(1):
        state = lstm.step(lstm.input_to_gates(x), state)
    return state[take]


def restarted(lstm, encoded):
    for x in encoded.unbind(1):
        gates = lstm.input_to_gates(x)
        state = lstm.step(gates, lstm.zero_state(gates))
    return state[0]


def mean_of_all(lstm, encoded):
    state, hidden = None, []
    for x in encoded.unbind(1):
        gates = lstm.input_to_gates(x)
        state = lstm.step(gates, state or lstm.zero_state(gates))
        hidden.append(state[0])
    return torch.stack(hidden).mean(dim=0)


def mask_loss(logits, masks, weights, shift=True, weigh=True, count=True, least=1):
    truth, weights = (masks[:, 1:], weights[:, 1:]) if shift else (masks[:, :-1], weights[:, 1:])
    pixels = logits.clamp(min=0) - logits * truth + torch.log1p(torch.exp(-logits.abs()))
    frames = pixels.mean(dim=(2, 3, 4)) * (weights if weigh else 1)
    if not weigh or not count:
        return frames.mean()
    return frames.sum() / weights.sum().clamp(min=least)


def region_similarity(prediction, truth):
    union = (prediction | truth).sum()
    return (prediction & truth).sum() / union if union else 1.0


def undivided(prediction, truth):
    with np.errstate(invalid="ignore"):
        return (prediction & truth).sum() / (prediction | truth).sum()


def merge_objects(probabilities, ids):
    merged = np.array(ids)[probabilities.argmax(axis=0)]
    merged[probabilities.max(axis=0) <= 0.5] = 0
    return merged


def overwritten(probabilities, ids):
    merged = np.zeros(probabilities.shape[1:], int)
    for p, number in zip(probabilities, ids, strict=True):
        merged[p > 0.5] = number
    return merged


def box_of(mask):
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return 0, 0, 0, 0
    return columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1


def attend(ours, theirs, values, score="distance", over=-1, root=True):
    """Cell by cell, as the equations stand."""
    apart = (ours[..., :, None] - theirs[..., None, :]).square().sum(dim=1)
    scores = {"distance": -apart, "far": apart, "product": (ours[..., :, None] * theirs[..., None, :]).sum(dim=1)}[
        score
    ]
    weights = (scores / (ours.shape[1] ** 0.5 if root else 1)).softmax(dim=over)
    return torch.einsum("bcq,bpq->bcp", values, weights)


def weights_that_learn(names, *frozen):
    """Whether each is in no part that is frozen."""
    return [not any(part in name for part in frozen or (".backbone.", "_lstm.")) for name in names]


RIGHT = {
    "attention": [attend],
    "black_and_white": [
        one_object_if_black_and_white,
        lambda ids: (ids == 255).astype(np.uint8) if np.isin(ids, (0, 255)).all() else ids,
    ],
    "lstm_step": [lstm_step],
    "video_representation": [video_representation],
    "mask_loss": [training.mask_loss, mask_loss],
    "region_similarity": [metrics.region_similarity, region_similarity],
    "merge_objects": [inference.merge_objects, merge_objects],
    "box_of": [drawing.box_of, box_of],
    "weights_that_learn": [weights_that_learn],
}
WRONG = [  # exercise, answer, case it fails at, what is said
    ("weights_that_learn", lambda names: [".backbone." in name for name in names], "attention model", "values differ"),
    ("weights_that_learn", lambda names: [not x for x in weights_that_learn(names)], "attention model", "that stay"),
    ("weights_that_learn", lambda names: weights_that_learn(names, "_lstm."), "attention model", "backbones learn"),
    ("weights_that_learn", lambda names: weights_that_learn(names, ".backbone."), "attention model", "ConvLSTMs learn"),
    ("weights_that_learn", lambda names: weights_that_learn(names, ".backbone.", "mask_lstm."), "updated model",
     "second ConvLSTM"),
    ("weights_that_learn", lambda names: weights_that_learn(names, "encoder.", "initializer.", "_lstm."),
     "attention model", "all of Encoder"),
    ("attention", lambda *a: attend(*a, score="product"), "two batches", "product of keys"),
    ("attention", lambda *a: attend(*a, over=-2), "two batches", "over the cells that look"),
    ("attention", lambda *a: attend(*a, root=False), "two batches", "square root of D"),
    ("attention", lambda *a: attend(*a, score="far"), "two batches", "without its minus"),
    ("attention", lambda *a: attend(*a).mT, "two batches", "shape"),
    ("black_and_white", lambda ids: ids * (ids < 255), "0 and 255", "255 is taken for void"),
    ("black_and_white", lambda ids: np.minimum(ids, 1), "ids 0, 1 and 2", "every id becomes 1"),
    ("black_and_white", lambda ids: np.where(ids == 255, 1, ids), "void border", "beside other ids"),
    ("lstm_step", lambda gates, c: lstm_step(gates, c)[::-1], "one cell", "swapped"),
    ("lstm_step", lambda gates, c: lstm_step(gates.unflatten(1, (4, -1))[:, [0, 1, 3, 2]].flatten(1, 2), c),
     "one cell", "order i, f, g, o"),
    ("lstm_step", lambda gates, c: (gates.chunk(4, 1)[2].sigmoid() * lstm_step(gates, c)[1], lstm_step(gates, c)[1]),
     "one cell", "without tanh"),
    ("lstm_step", lambda gates, c: lstm_step(gates, c)[0], "one cell", "expected 2 values, got Tensor"),
    ("video_representation", lambda lstm, x: video_representation(lstm, x, take=1), "one frame", "c is returned"),
    ("video_representation", restarted, "five frames", "starts from zeros"),
    ("video_representation", mean_of_all, "five frames", "the mean of all"),
    ("mask_loss", lambda *a: mask_loss(*a, shift=False), "every frame counts", "begin at t = 1"),
    ("mask_loss", lambda *a: mask_loss(*a, count=False), "without annotation", "divide by the sum of the weights"),
    ("mask_loss", lambda *a: mask_loss(*a, weigh=False), "without annotation", "multiply by the weights"),
    ("mask_loss", lambda *a: mask_loss(*a, least=0), "no frame counts", "clamp"),
    ("region_similarity", lambda p, t: 2 * (p & t).sum() / max(p.sum() + t.sum(), 1), "random", "Dice"),
    ("region_similarity", lambda p, t: (p == t).sum() / p.size, "random", "background"),
    ("region_similarity", lambda p, t: (p & t).sum() / max(t.sum(), 1), "random", "the true mask"),
    ("region_similarity", lambda p, t: (p & t).sum() / max((p | t).sum(), 1), "absent", "expected 1, got 0"),
    ("region_similarity", undivided, "absent", "nothing found is J = 1"),
    ("merge_objects", lambda p, ids: np.take(ids, p.argmax(axis=0)), "one object", "the id is 0"),
    ("merge_objects", overwritten, "three objects", "overwrites"),
    ("merge_objects", lambda p, ids: (p.argmax(axis=0) + 1) * (p.max(axis=0) > 0.5), "ids with gaps", "places"),
    ("box_of", lambda mask: box_of(mask.T), "a block", "rows and columns"),
    ("box_of", lambda mask: tuple(np.subtract(box_of(mask), (0, 0, 1, 1))), "a block", "7 wide"),
    ("box_of", lambda mask: (*box_of(mask)[:2], *np.add(box_of(mask)[:2], np.subtract(box_of(mask)[2:], 1))),
     "a block", "two corners"),
    ("box_of", lambda mask: box_of(mask) if mask.any() else (0, 0, 1, 1), "nothing at all", "expected 0, got 1"),
]  # fmt: skip
for lesson in (lesson1, lesson2, lesson3, lesson4, lesson5, lesson6, lesson7, lessons8to10):
    RIGHT |= lesson.RIGHT
    WRONG += lesson.WRONG


@pytest.mark.parametrize(("name", "answer"), [(name, answer) for name, answers in RIGHT.items() for answer in answers])
def test_a_right_answer_passes(name, answer, capsys):
    assert getattr(exercises, name)(answer)
    assert capsys.readouterr().out.startswith("Well done")


@pytest.mark.parametrize(("name", "answer", "case", "said"), WRONG)
def test_a_wrong_answer_is_told_what_is_wrong(name, answer, case, said, capsys):
    assert not getattr(exercises, name)(answer)
    printed = capsys.readouterr().out
    assert case in printed.splitlines()[0] and said in printed


@pytest.mark.parametrize("name", RIGHT)
def test_a_stub_is_not_yet_and_nonsense_never_raises(name, capsys):
    def stub(*arguments):
        raise NotImplementedError

    for answer, said in (
        (lambda *a: None, "Not yet"),
        (lambda *a: ..., "Not yet"),
        (stub, "Not yet"),
        (lambda *a: "J", "expected"),
        (lambda *a: a[0] / "J", "raises TypeError"),
        (lambda *a: [torch.ones(2, requires_grad=True)], "expected"),
    ):
        assert not getattr(exercises, name)(answer)
        assert said in capsys.readouterr().out


def test_an_attempt_that_writes_into_its_arguments_changes_nothing(capsys):
    def greedy(probabilities, ids):
        merged = merge_objects(probabilities, ids)
        probabilities[:] = 0
        return merged

    assert exercises.merge_objects(greedy)


def test_every_exercise_has_a_right_answer_and_three_wrong_ones():
    wrong = [name for name, *_ in WRONG]
    assert sorted(RIGHT) == exercises.__all__
    assert all(wrong.count(name) >= 3 for name in RIGHT)


@pytest.mark.parametrize("name", RIGHT)
def test_every_mistake_is_told_as_itself_and_can_be_made_in_every_case(name, capsys, monkeypatch):
    check = getattr(exercises, name)
    monkeypatch.setattr(sys.modules[check.__module__], "compare", lambda *arguments: arguments)
    _, reference, cases, mistakes = check(None)
    for words, wrong in mistakes:
        with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings(action="error"):
            for _, arguments in cases:
                wrong(*deepcopy(arguments))
            assert not compare(wrong, reference, cases, mistakes)
        assert words in capsys.readouterr().out
