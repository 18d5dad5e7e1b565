"""Training: the loss, one clip over-fitted, a checkpoint that comes back as it was."""

from dataclasses import replace

import pytest
import torch

from vos.engine.checkpoints import export_checkpoint, load_checkpoint
from vos.clips import ClipDataset
from vos.data import VOSDataset
from vos.files import VosError
from vos.networks import build
from vos.config import ModelConfig
from vos.training import ClipBatchSampler, learning_rate
from vos.config import TrainConfig
from vos.engine.trainer import fastest_precision, train
from vos.training import mask_loss
from vos.engine.log import read_log

SMALL = ModelConfig((32, 56), ((8,), (16,)), 12, (8, 8), batch_norm=True)
FEW = TrainConfig(iterations=6, stages=((0.0, 3, 2),), warm_up=2, precision="float32")


@pytest.fixture(scope="module")
def clips(small_set):
    return ClipDataset(VOSDataset(small_set, "train").videos, SMALL.size)


def test_loss_is_bce_on_logits():
    """One sigmoid, inside the loss: the loss of a probability p is -log p, whatever the logit's size."""
    logits = torch.tensor([2.0, -3.0, 100.0, -100.0]).reshape(1, 4, 1, 1, 1)
    masks = torch.tensor([1.0, 1, 0, 1, 0]).reshape(1, 5, 1, 1, 1)
    p = torch.sigmoid(logits.flatten())
    expected = -(p[0].log() + (1 - p[1]).log() + 0 + 0) / 4
    torch.testing.assert_close(mask_loss(logits, masks, torch.ones(1, 5)), expected)


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


@pytest.mark.parametrize("name", ["base", "video"])
def test_one_clip_is_learnt_by_heart(name, clips, tmp_path):
    class OneClip(ClipDataset):
        def __init__(self):
            self.clip = clips.drawn((0, 4))

        def drawn(self, item):
            return self.clip

    torch.manual_seed(0)
    model = build(name, SMALL)
    config = TrainConfig(iterations=250, stages=((0.0, 4, 1),), learning_rate=5e-3, precision="float32")
    log = train(model, OneClip(), config, tmp_path)
    assert log[-1]["loss"] < 0.35 * log[0]["loss"]
    masks = clips[(0, 4)]["masks"]
    model.train()  # one clip: its own statistics are the ones it was trained with
    predicted = model(clips[(0, 4)]["frames"][None], masks[None, 0])[0] > 0
    truth = masks[1:] > 0
    assert (predicted & truth).sum() / (predicted | truth).sum() > 0.8


def test_checkpoint_comes_back(clips, tmp_path):
    model = build("video", SMALL)
    log = train(model, clips, FEW, tmp_path / "run")
    again, about = load_checkpoint(tmp_path / "run" / "last.pt")
    assert type(again) is type(model) and again.config == SMALL and not again.training
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), again.state_dict().values(), strict=True))
    assert about["training"]["seed"] == 0 and about["iterations"] == 6
    assert "model" in torch.load(tmp_path / "run" / "last.pt", weights_only=True)
    assert read_log(tmp_path / "run" / "log.csv")["loss"] == pytest.approx([row["loss"] for row in log])


def test_a_halved_checkpoint_is_the_same_model_to_three_digits(clips, tmp_path):
    model = build("base", SMALL)
    train(model, clips, FEW, tmp_path)
    export_checkpoint(tmp_path / "last.pt", tmp_path / "half.pt")
    again, _ = load_checkpoint(tmp_path / "half.pt")
    for a, b in zip(model.parameters(), again.parameters(), strict=True):
        assert b.dtype == torch.float32
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-3)
    assert (tmp_path / "half.pt").stat().st_size < 0.7 * (tmp_path / "last.pt").stat().st_size


def test_same_seed_same_weights(clips, tmp_path):
    weights = []
    for run in ("a", "b"):
        torch.manual_seed(5)
        model = build("base", SMALL)
        train(model, clips, FEW, tmp_path / run)
        weights.append(torch.cat([p.flatten() for p in model.parameters()]))
    assert torch.equal(*weights)


def test_training_ends_in_time_with_its_learning_rate_annealed(clips, tmp_path):
    config = replace(FEW, iterations=100_000, minutes=0.05)
    log = train(build("base", SMALL), clips, config, tmp_path)
    assert 1 < len(log) < 100_000 and log[-1]["seconds"] < 8
    assert log[-1]["learning_rate"] < 0.1 * config.learning_rate


def test_schedule():
    config = TrainConfig(iterations=100, warm_up=10, learning_rate=1.0)
    assert learning_rate(config, 0, 0) == pytest.approx(0.1)
    assert learning_rate(config, 50, 0.5) == pytest.approx(0.5)
    assert learning_rate(config, 99, 1.0) == pytest.approx(0)


def test_batches_follow_the_stages():
    numbers = ClipBatchSampler(TrainConfig(iterations=10, stages=((0.0, 5, 8), (0.6, 9, 4))))
    batches = []
    for i, batch in enumerate(numbers):
        batches.append(batch)
        numbers.done = (i + 1) / 10
    assert [len(b) for b in batches] == [8] * 6 + [4] * 4
    assert [b[0][1] for b in batches] == [5] * 6 + [9] * 4
    drawn = [n for batch in batches for n, _, _ in batch]
    assert drawn == list(range(len(drawn)))  # no sample twice, none left out


def test_a_limit_in_minutes_still_reaches_the_last_stage(clips, tmp_path):
    config = replace(FEW, iterations=100_000, minutes=0.05, stages=((0.0, 2, 2), (0.5, 4, 1)))
    lengths = [row["length"] for row in train(build("base", SMALL), clips, config, tmp_path)]
    assert set(lengths) == {2, 4} and lengths == sorted(lengths)


def test_a_loss_that_is_not_finite_ends_the_training(clips, tmp_path):
    with pytest.raises(VosError, match="learning rate"):
        train(build("base", SMALL), clips, replace(FEW, iterations=60, learning_rate=1e30, warm_up=0), tmp_path)


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda p: None, "no such checkpoint"),
        (lambda p: p.write_bytes(b""), "no checkpoint"),
        (lambda p: torch.save({"model": {}}, p), "no checkpoint"),
        (lambda p: torch.save(print, p), "no checkpoint"),  # code: weights_only refuses it
    ],
)
def test_files_that_are_no_checkpoint(tmp_path, write, words):
    write(tmp_path / "c.pt")
    with pytest.raises(VosError, match=words):
        load_checkpoint(tmp_path / "c.pt")


def test_precision_is_measured():
    assert fastest_precision(build("base", SMALL)) in ("float32", "bfloat16")
