"""Muon for the hidden convolutions, AdamW for the rest."""

import pytest
import torch
from helpers.training_runs import SMALL, new_model
from torch import nn

from vos.clips import Batch
from vos.config import PRECISIONS
from vos.fast.optimizer import Muon, Optimizer, as_matrix, is_hidden_convolution
from vos.networks import build
from vos.training import train_step


def stepped(muon):
    """A model after one step, and the weights and gradients it had before."""
    model = new_model("base")
    before = {name: w.detach().clone() for name, w in model.named_parameters()}
    model(torch.randn(2, 3, 3, 32, 56), torch.ones(2, 1, 32, 56)).square().mean().backward()
    Optimizer(model, weight_decay=0, muon=muon).step(0.01)
    return model, before


def test_muon_takes_the_hidden_convolutions_only():
    names = {name for name, w in build("base", SMALL).named_parameters() if is_hidden_convolution(w)}
    assert {"mask_lstm.input_to_gates.weight", "mask_lstm.hidden_to_gates.weight", "decoder.blocks.1.weight"} <= names
    first_and_last = {"initializer.to_rgb.weight", "encoder.backbone.0.weight", "decoder.last.weight"}
    assert not names & first_and_last and all(name.endswith("weight") for name in names)


def test_the_matrix_is_the_weight_itself():
    weight = torch.randn(6, 5, 3, 3).to(memory_format=torch.channels_last)
    as_matrix(weight)[2, 7] = 42
    assert weight[2, 2, 0, 1] == 42  # row 0, column 1 of the kernel, input 2 of 5
    with pytest.raises(RuntimeError):
        as_matrix(torch.randn(6, 5, 3, 3))  # in another layout the steps would be lost


def test_muon_steps_are_equally_long_in_all_directions():
    model, before = stepped(muon=1.0)
    for name, w in model.named_parameters():
        step = before[name] - w.detach()
        assert step.abs().max() > 0, name
        if is_hidden_convolution(w):
            sizes = torch.linalg.svdvals(step.flatten(1))
            assert sizes.max() < 2.5 * sizes.min(), name  # Newton-Schulz in five rounds is rough


@pytest.mark.parametrize(("precision", "apart"), [("bfloat16", 0.0), ("float32", 0.02)])
def test_muon_is_pytorchs_to_the_bit_in_bfloat16_and_nearly_in_float32(precision, apart):
    torch.manual_seed(0)
    shapes = (24, 90), (90, 24), (16, 16)
    ours, theirs = ([nn.Parameter(torch.ones(shape)) for shape in shapes] for _ in range(2))
    muon, pytorchs = Muon(ours), torch.optim.Muon(theirs, weight_decay=0, adjust_lr_fn="match_rms_adamw")
    muon.dtype, muon.param_groups[0]["lr"] = getattr(torch, precision), 0.01
    pytorchs.param_groups[0]["lr"] = 0.01
    for _ in range(3):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = other.grad = torch.randn_like(one)
        muon.step()
        pytorchs.step()
    for one, other in zip(ours, theirs, strict=True):
        length = (1 - other).norm()
        assert length > 0 and (one - other).norm() <= apart * length
    assert torch.equal(muon.state[ours[0]]["momentum_buffer"], pytorchs.state[theirs[0]]["momentum_buffer"])


def test_muon_computes_in_the_precision_of_the_training(monkeypatch):
    seen = []
    monkeypatch.setattr("vos.fast.optimizer.orthogonal", lambda matrix: seen.append(matrix.dtype) or matrix)
    model = build("base", SMALL)
    optimizer = Optimizer(model, weight_decay=0, muon=1.0)
    for precision in PRECISIONS:
        batch = Batch(torch.randn(1, 2, 3, 32, 56), torch.ones(1, 2, 1, 32, 56), torch.ones(1, 2), ["noise"])
        train_step(model, optimizer, batch, rate=0.01, precision=precision)
        assert set(seen) == {getattr(torch, precision)}
        seen.clear()


def test_without_muon_it_is_adamw():
    model, before = stepped(muon=0.0)
    again = [torch.nn.Parameter(w) for w in before.values()]
    for w, trained in zip(again, model.parameters(), strict=True):
        w.grad = trained.grad
    torch.optim.AdamW(again, 0.01, weight_decay=0).step()
    for w, trained in zip(again, model.parameters(), strict=True):
        torch.testing.assert_close(w, trained)


def test_backbones_may_learn_more_slowly():
    """A tenth of the rate: AdamW's first step is as long as the rate for every weight; Muon leaves backbones alone."""
    model = new_model("base")
    before = {name: w.detach().clone() for name, w in model.named_parameters()}
    model(torch.randn(2, 3, 3, 32, 56), torch.ones(2, 1, 32, 56)).square().mean().backward()
    optimizer = Optimizer(model, weight_decay=0, muon=1.0, backbone_rate=0.1)
    held = [id(w) for part, _ in optimizer.parts for group in part.param_groups for w in group["params"]]
    assert len(held) == len(set(held)) == len(list(model.parameters()))
    optimizer.step(0.01)
    for name, w in model.named_parameters():
        longest = (before[name] - w.detach()).abs().max().item()
        if ".backbone." in name:
            assert 0 < longest <= 0.0011, name
    assert (before["decoder.last.weight"] - model.decoder.last.weight.detach()).abs().max() > 0.005
