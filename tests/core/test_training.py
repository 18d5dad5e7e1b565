"""Training: the loss, one clip over-fitted, the plain loop and the Trainer, a checkpoint that comes back as it was."""

from dataclasses import replace
from itertools import count

import pytest
import torch
from helpers.training_runs import FEW, SMALL, clips_of, new_model, weights_of

from vos.clips import ClipDataset, prepare_batch
from vos.config import TrainConfig
from vos.engine.checkpoints import export_checkpoint, load_checkpoint
from vos.engine.log import read_log
from vos.engine.trainer import Trainer
from vos.fast.optimizer import Optimizer
from vos.fast.precision import fastest_precision
from vos.files import VosError
from vos.networks import build
from vos.training import (
    ClipBatchSampler,
    fit,
    learning_rate,
    mask_loss,
    size_at,
    soft_iou_losses,
    train_step,
)


@pytest.fixture(scope="module")
def clips(small_set):
    return clips_of(small_set)


@pytest.fixture
def one_thread():
    """Sums in one order: with more threads the last bits may differ from run to run."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_loss_is_bce_on_logits():
    """One sigmoid, inside the loss: the loss of a probability p is -log p, whatever the logit's size."""
    logits = torch.tensor([2.0, -3.0, 100.0, -100.0]).reshape(1, 4, 1, 1, 1)
    masks = torch.tensor([1.0, 1, 0, 1, 0]).reshape(1, 5, 1, 1, 1)
    p = torch.sigmoid(logits.flatten())
    expected = -(p[0].log() + (1 - p[1]).log() + 0 + 0) / 4
    torch.testing.assert_close(mask_loss(logits, masks, torch.ones(1, 5)), expected)


def test_soft_iou_is_one_minus_j_where_the_model_is_certain():
    """It is 1 - J of certain masks, but for the pixel that keeps it from dividing by zero."""
    masks = torch.zeros(1, 5, 1, 20, 20)
    masks[:, :, :, 5:15, 5:15] = 1
    masks[:, 3:] = 0
    predicted = torch.zeros(1, 4, 1, 20, 20)
    predicted[:, :, :, 5:15, 10:20] = 1  # half of it, and as much again beside it
    predicted[:, 2] = 0
    logits = (predicted - 0.5) * 200
    expected = torch.tensor([[1 - 51 / 151, 1 - 51 / 151, 0, 1 - 1 / 101]])
    torch.testing.assert_close(soft_iou_losses(logits, masks), expected)
    every = torch.zeros(1, 4, 1, 20, 20, requires_grad=True)
    soft_iou_losses(every, masks).sum().backward()
    assert (every.grad[0, :2, 0, 5:15, 5:15] < 0).all() and (every.grad[0, :2, 0, :5] > 0).all()


def test_soft_iou_is_minimised_with_its_weight_and_the_cross_entropy_is_returned(clips):
    returned, gradients = [], []
    for weight in (0.0, 0.5):
        torch.manual_seed(0)
        model = new_model("base").eval()
        batch = prepare_batch(clips.read_clip((0, 3)))
        extra = soft_iou_losses(model(batch.frames, batch.masks[:, 0]), batch.masks).mean()
        of_extra = torch.autograd.grad(extra, model.decoder.last.weight)[0]
        returned.append(train_step(model, Optimizer(model, 0.0), batch, 0.0, max_grad_norm=1e9, soft_iou=weight))
        gradients.append(model.decoder.last.weight.grad)
    assert returned[0] == returned[1]
    torch.testing.assert_close(gradients[1], gradients[0] + 0.5 * of_extra)


def test_small_first_large_last(clips):
    """The size of the clips follows the fraction that is done, and training takes it."""
    sizes = ((0.0, 32, 64), (0.5, 64, 112))
    config = replace(FEW, iterations=4, sizes=sizes)
    assert [size_at(config, done) for done in (0, 0.49, 0.5, 1)] == [(32, 64)] * 2 + [(64, 112)] * 2
    assert size_at(FEW, 0.7) is None
    model, seen = new_model("base"), []
    model.register_forward_pre_hook(lambda model, args: seen.append(tuple(args[0].shape[-2:])))
    fit(model, clips, replace(config, precision="float32"))
    assert seen == [(32, 64)] * 2 + [(64, 112)] * 2


def test_frames_that_do_not_count_do_not_count():
    logits, masks = torch.randn(2, 4, 1, 3, 3), torch.rand(2, 5, 1, 3, 3).round()
    weights = torch.tensor([[1.0, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    before = mask_loss(logits, masks, weights)
    logits[0, 2:] = 50
    assert mask_loss(logits, masks, weights) == before
    assert mask_loss(logits, masks, torch.zeros(2, 5)) == 0


def test_loss_may_not_be_averaged_away_by_padding():
    logits, masks = torch.zeros(1, 4, 1, 2, 2), torch.ones(1, 5, 1, 2, 2)
    some = torch.tensor([[1.0, 1, 0, 0, 0]])
    torch.testing.assert_close(mask_loss(logits, masks, some), mask_loss(logits, masks, torch.ones(1, 5)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["base", "updated"])
def test_one_clip_is_learnt_by_heart(name, clips, tmp_path):
    class OneClip(ClipDataset):
        def __init__(self):
            self.clip = clips.read_clip((0, 4))

        def read_clip(self, item):
            return self.clip

    model = new_model(name)
    config = TrainConfig(iterations=250, curriculum=((0.0, 4, 1),), learning_rate=5e-3, precision="float32")
    log = Trainer(model, OneClip(), config, tmp_path).fit()
    assert log[-1]["loss"] < 0.35 * log[0]["loss"]
    frames, masks, *_ = clips[0, 4]
    model.train()  # one clip: its own statistics are the ones it was trained with
    predicted = model(frames[None], masks[None, 0])[0] > 0
    truth = masks[1:] > 0
    assert (predicted & truth).sum() / (predicted | truth).sum() > 0.8


def test_checkpoint_comes_back(clips, tmp_path):
    model = build("updated", SMALL)
    log = Trainer(model, clips, FEW, tmp_path / "run").fit()
    again, metadata = load_checkpoint(tmp_path / "run" / "last.pt")
    assert type(again) is type(model) and again.config == SMALL and not again.training
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), again.state_dict().values(), strict=True))
    assert metadata["train_config"]["seed"] == 0 and metadata["iterations"] == 6
    assert "model" in torch.load(tmp_path / "run" / "last.pt", weights_only=True)
    assert read_log(tmp_path / "run" / "log.csv")["loss"] == pytest.approx([row["loss"] for row in log])


def test_a_halved_checkpoint_is_the_same_model_to_three_digits(clips, tmp_path):
    model = build("base", SMALL)
    Trainer(model, clips, FEW, tmp_path).fit()
    trained, metadata = load_checkpoint(tmp_path / "last.pt")
    export_checkpoint(trained, metadata, tmp_path / "half.pt")
    again, same = load_checkpoint(tmp_path / "half.pt")
    assert same == metadata
    for a, b in zip(model.parameters(), again.parameters(), strict=True):
        assert b.dtype == torch.float32
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-3)
    assert (tmp_path / "half.pt").stat().st_size < 0.7 * (tmp_path / "last.pt").stat().st_size


def test_same_seed_same_weights(clips, tmp_path):
    weights = []
    for run in ("a", "b"):
        model = new_model("base", seed=5)
        Trainer(model, clips, FEW, tmp_path / run).fit()
        weights.append(torch.cat([p.flatten() for p in model.parameters()]))
    assert torch.equal(*weights)


@pytest.mark.parametrize(("name", "muon"), [("base", 0.0), ("updated", 3.0)])
def test_the_plain_loop_is_the_trainer(clips, tmp_path, one_thread, name, muon):
    """The loop of a page trains to the same bits as the one with checkpoints and processes around it."""
    config = replace(FEW, curriculum=((0.0, 2, 4), (0.5, 3, 2)), muon=muon, max_grad_norm=0.5)
    plain, trained = new_model(name), new_model(name)
    log, expected = fit(plain, clips, config), Trainer(trained, clips, config, tmp_path).fit()
    assert torch.equal(weights_of(plain), weights_of(trained)) and not plain.training
    assert not torch.equal(weights_of(plain), weights_of(new_model(name)))
    assert [row | {"seconds": 0} for row in log] == [row | {"seconds": 0} for row in expected]


def test_the_plain_loop_shows_its_log_and_ends_in_time(clips):
    """With a clock of one second a look, 10 seconds are a few steps, however slow the machine is."""
    clock, seen = count(), []
    config = replace(FEW, iterations=1000, minutes=10 / 60, curriculum=((0.0, 2, 2), (0.5, 3, 1)))
    log = fit(new_model("base"), clips, config, lambda log: seen.append(len(log)), lambda: next(clock))
    assert seen == list(range(1, len(log) + 1)) and len(log) == 5  # two looks a step
    assert [row["length"] for row in log] == [2, 2, 2, 3, 3]
    rates = [row["learning_rate"] for row in log]
    assert rates[-1] < 0.1 * config.learning_rate and rates[1:] == sorted(rates[1:], reverse=True)


def test_a_loss_that_is_not_finite_ends_the_plain_loop(clips):
    with pytest.raises(FloatingPointError, match="loss is"):
        fit(new_model("base"), clips, replace(FEW, iterations=60, learning_rate=1e30, warm_up=0))


def test_a_step_without_a_finite_loss_changes_no_weight(clips):
    model = new_model("base").eval()  # or the statistics of BatchNorm would be changed by the frames
    optimizer, before = Optimizer(model, weight_decay=0.1), weights_of(model)
    batch = prepare_batch(clips.read_clip((0, 3)))
    with pytest.raises(FloatingPointError, match="loss is nan"):
        train_step(model, optimizer, batch._replace(frames=batch.frames * float("nan")), rate=0.1)
    assert torch.equal(weights_of(model), before)
    assert train_step(model, optimizer, batch, rate=0.1) > 0
    assert not torch.equal(weights_of(model), before)


@pytest.mark.slow
def test_training_ends_in_time_with_its_learning_rate_annealed(clips, tmp_path):
    config = replace(FEW, iterations=100_000, minutes=0.05)
    log = Trainer(new_model("base"), clips, config, tmp_path).fit()
    assert 1 < len(log) < 100_000 and log[-1]["seconds"] < 8
    assert log[-1]["learning_rate"] < 0.1 * config.learning_rate


def test_schedule():
    config = TrainConfig(iterations=100, warm_up=10, learning_rate=1.0)
    assert learning_rate(config, 0, 0) == pytest.approx(0.1)
    assert learning_rate(config, 50, 0.5) == pytest.approx(0.5)
    assert learning_rate(config, 99, 1.0) == pytest.approx(0)
    constant = replace(config, anneal=False)
    assert [learning_rate(constant, i, i / 100) for i in (0, 50, 99)] == pytest.approx([0.1, 1, 1])


def test_batches_follow_the_curriculum():
    batches = []
    sampler = ClipBatchSampler(
        TrainConfig(iterations=10, curriculum=((0.0, 5, 8), (0.6, 9, 4))), lambda: len(batches) / 10
    )
    for batch in sampler:
        batches.append(batch)
    assert [len(b) for b in batches] == [8] * 6 + [4] * 4
    assert [b[0][1] for b in batches] == [5] * 6 + [9] * 4
    drawn = [n for batch in batches for n, _, _ in batch]
    assert drawn == list(range(len(drawn)))  # no sample twice, none left out


@pytest.mark.slow
def test_a_limit_in_minutes_still_reaches_the_last_clip_length(clips, tmp_path):
    config = replace(FEW, iterations=100_000, minutes=0.05, curriculum=((0.0, 2, 2), (0.5, 4, 1)))
    lengths = [row["length"] for row in Trainer(new_model("base"), clips, config, tmp_path).fit()]
    assert set(lengths) == {2, 4} and lengths == sorted(lengths)


def test_a_loss_that_is_not_finite_ends_the_training(clips, tmp_path):
    with pytest.raises(VosError, match="learning rate"):
        Trainer(new_model("base"), clips, replace(FEW, iterations=60, learning_rate=1e30, warm_up=0), tmp_path).fit()


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda p: None, "no such checkpoint"),
        (lambda p: p.write_bytes(b""), "is not a checkpoint"),
        (lambda p: torch.save({"model": {}}, p), "is not a checkpoint"),
        (lambda p: torch.save(print, p), "is not a checkpoint"),  # code: weights_only refuses it
    ],
)
def test_files_that_are_no_checkpoint(tmp_path, write, words):
    write(tmp_path / "c.pt")
    with pytest.raises(VosError, match=words):
        load_checkpoint(tmp_path / "c.pt")


def test_precision_is_measured():
    assert fastest_precision(new_model("base").encoder, SMALL.size) in ("float32", "bfloat16")


@pytest.mark.parametrize(
    ("of_a_frame", "expected", "tried"), [(0.1, "bfloat16", 5), (1.0, "float32", 5), (30.0, "float32", 1)]
)
def test_where_bfloat16_is_imitated_one_frame_is_enough_to_know(monkeypatch, of_a_frame, expected, tried):
    """Seconds of a frame in bfloat16, where one in float32 takes 1: it is tried on one frame, then on eight."""
    frames = []

    def seconds(encoder, given, precision):
        frames.extend([len(given)] if precision == "bfloat16" else [])
        return len(given) * (of_a_frame if precision == "bfloat16" else 1.0)

    monkeypatch.setattr("vos.fast.precision.seconds", seconds)
    assert fastest_precision(new_model("base").encoder, SMALL.size) == expected
    assert frames == [1, 8, 8, 8, 8][:tried]
