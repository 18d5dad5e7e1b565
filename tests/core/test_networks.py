"""The networks: shapes, and that the quick forms equal the plain ones, taken step by step."""

import itertools
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.testing import assert_close
from torch.utils.flop_counter import FlopCounterMode

from vos.config import PRESETS, ModelConfig
from vos.engine.pretrained import copy_vgg16
from vos.fast.layers import LastConvolution, UpsampledConvolution
from vos.files import VosError
from vos.networks import MODELS, AttentionModel, ConvLSTM, Fusion, UpdatedModel, build, count_parameters
from vos.training import REPORT, learning_rate

SMALL = ModelConfig((16, 32), ((6,), (8,)), 5, (6, 4), batch_norm=True, video_state_channels=2)
REPEATED = ModelConfig((16, 32), ((6,), (8,)), 5, (6, 4), batch_norm=True, decoder_border="replicate")
LITE = ModelConfig(
    (32, 48), (), 5, (6, 4), batch_norm=False, patch=2, backbone="efficientnet-lite0", skips=True, key_channels=3
)
PATCHED = ModelConfig((16, 32), ((6, 8),), 5, (6,), batch_norm=True, patch=2, input_kernel=1)


def clip(frames=4, batch=2, size=SMALL.size):
    torch.manual_seed(0)
    return torch.randn(batch, frames, 3, *size), (torch.rand(batch, 1, *size) > 0.5).float()


def plain_step(lstm: ConvLSTM, x, h, c):
    """Shi et al., gate by gate, from the concatenation [x ; h]."""
    of_input = lstm.input_to_gates.weight
    of_input = nn.functional.pad(of_input, [(3 - of_input.shape[-1]) // 2] * 4)  # 1x1 as the middle of 3x3
    weight = torch.cat([of_input, lstm.hidden_to_gates.weight], dim=1)
    gates = nn.functional.conv2d(torch.cat([x, h], 1), weight, lstm.input_to_gates.bias, padding=1)
    n = h.shape[1]
    i, f, o = (torch.sigmoid(gates[:, k * n : (k + 1) * n]) for k in range(3))
    g = torch.tanh(gates[:, 3 * n :])
    c = f * c + i * g
    return o * torch.tanh(c), c


def plain_forward(model, frames, mask):
    """The report's equations one frame at a time, nothing shared and nothing folded."""
    encoded = [model.encoder(x) for x in frames.unbind(1)]
    if isinstance(model, UpdatedModel):
        hv, cv = model.video_lstm.zero_state(model.video_lstm.input_to_gates(encoded[0]))
        for e in encoded:
            hv, cv = plain_step(model.video_lstm, e, hv, cv)
        of_frame, of_video = model.fusion.frame_conv, model.fusion.context_conv
        weight = torch.cat([of_frame.weight, of_video.weight], dim=1)
        fused = [nn.functional.conv2d(torch.cat([e, hv], 1), weight, of_frame.bias, padding=1) for e in encoded]
        encoded = [model.fusion.norm_relu(x) for x in fused]
    h, c = model.initializer(frames[:, 0], mask)
    if isinstance(model, AttentionModel):
        encoded = plain_attention(model, encoded, (h, c), mask)
    logits = []
    for x, e in list(zip(frames.unbind(1), encoded, strict=True))[1:]:
        h, c = plain_step(model.mask_lstm, e, h, c)
        logits.append(model.decoder(h, model.encoder.features(x).skips if model.config.skips else ()))
    return torch.stack(logits, 1)


def plain_attention(model, encoded, state, mask):
    """Cell by cell: what the mask ConvLSTM reads where every cell looks at the cells of frame 0."""
    attention, (height, width) = model.attention, encoded[0].shape[-2:]
    share = mask.unfold(2, mask.shape[2] // height, mask.shape[2] // height)
    share = share.unfold(3, mask.shape[3] // width, mask.shape[3] // width).mean(dim=(-1, -2))
    values = attention.to_value(torch.cat([*state, share], dim=1))
    theirs, inputs = attention.to_key(encoded[0]), []
    for e in encoded:
        ours, read = attention.to_key(e), torch.zeros_like(values)
        for b, y, x in itertools.product(range(len(e)), range(height), range(width)):
            apart = (ours[b, :, y, x, None, None] - theirs[b]).square().sum(dim=0) / theirs.shape[1] ** 0.5
            read[b, :, y, x] = (torch.exp(-apart) / torch.exp(-apart).sum() * values[b]).sum(dim=(1, 2))
        inputs.append(model.fusion(e, model.fusion.context_conv(read)))
    return inputs


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("config", [SMALL, PATCHED, REPEATED, LITE], ids=["3x3", "patches", "border", "lite"])
def test_forward_equals_the_plain_form(name, config):
    torch.manual_seed(1)
    model = build(name, config).eval()
    frames, mask = clip(size=config.size)
    out = model(frames, mask)
    assert out.shape == (2, 3, 1, *config.size)
    assert_close(out, plain_forward(model, frames, mask), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("frames", [1, 3])
def test_states_of_many_objects_share_the_skips_of_their_frames(frames):
    torch.manual_seed(1)
    model = build("base", LITE).eval()
    skips = model.features(clip(frames, 1, LITE.size)[0]).skips
    hidden = torch.randn(2, frames, LITE.state_channels, *LITE.feature_size)
    apart = torch.cat([model.decode(one, skips) for one in hidden.split(1)])
    assert_close(model.decode(hidden, skips), apart, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_is_registered_and_learns(name):
    model = build(name, SMALL)
    frames, mask = clip()
    model(frames, mask).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


@pytest.mark.parametrize("name", MODELS)
def test_course_preset(name):
    model = build(name)
    height, width = PRESETS["course"].size
    frames, mask = clip(3, 1, (height, width))
    assert model(frames, mask).shape == (1, 2, 1, height, width)
    assert model.encoder(frames[:, 0]).shape[-2:] == PRESETS["course"].feature_size
    assert count_parameters(model) < 4e6  # a checkpoint small enough to commit


@pytest.mark.parametrize("patch", [2, 4])
def test_patches_tile_the_picture(patch):
    """The first convolution gives one cell a patch, and a cell sees as far to the left as to the right."""
    backbone = build("base", ModelConfig((16, 32), ((4,),), 5, (6,), batch_norm=False, patch=patch)).encoder.backbone
    first = backbone[0]
    picture = torch.zeros(1, 3, 16, 32, requires_grad=True)
    cells = first(picture)
    assert cells.shape[-2:] == (16 // patch, 32 // patch)
    nn.init.ones_(first.weight)
    first(picture)[0, 0, 1, 2].backward()
    columns = picture.grad[0, 0].sum(dim=0).nonzero()
    centre = 2.5 * patch - 0.5  # of the third patch, counted in pixels
    assert columns.min() + columns.max() == 2 * centre and len(columns) == 2 * patch


@pytest.mark.slow
def test_report_preset_has_the_shapes_the_report_names():
    """3.2 to 3.5: 512x8x14 for c_0, h_0, e_t and h_t, and 1x256x448 at the end."""
    model = build("updated", "report").eval()
    frames, mask = clip(2, 1, (256, 448))
    seen = {}
    for key, module in {"e": model.encoder, "state": model.initializer, "fused": model.fusion}.items():
        module.register_forward_hook(lambda m, i, out, key=key: seen.update({key: out}))
    with torch.inference_mode():
        out = model(frames, mask)
        h_video = model.video_representation(seen["e"].unflatten(0, (1, 2)))
    maps = [*seen["state"], seen["e"], seen["fused"], h_video]
    assert [tuple(t.shape[1:]) for t in maps] == [(512, 8, 14)] * 5
    assert out.shape == (1, 1, 1, 256, 448)
    assert len([m for m in model.encoder.modules() if isinstance(m, nn.Conv2d)]) == 13 + 1
    assert model.initializer.backbone is not model.encoder.backbone


@pytest.mark.slow
def test_report_preset_takes_vgg16s_weights():
    """Our backbone with torchvision's weights is torchvision's VGG-16."""
    from torchvision.models.vgg import cfgs, make_layers

    torch.manual_seed(0)
    features = make_layers(cfgs["D"])
    model = build("base", "report").eval()
    copy_vgg16({f"features.{key}": value for key, value in features.state_dict().items()}, model)
    x = torch.randn(1, 3, 32, 64)
    with torch.inference_mode():
        assert_close(model.encoder.backbone(x), features(x))
        assert_close(model.initializer.backbone(x), features(x))


def test_weights_that_do_not_fit_are_refused():
    with pytest.raises(VosError, match="report preset"):
        copy_vgg16({"features.0.weight": torch.zeros(64, 3, 3, 3)}, build())


@pytest.mark.slow
def test_report_preset_one_step_lowers_the_loss():
    """The first step of the report's own recipe: Adam, warming up to 1e-4."""
    torch.manual_seed(0)
    model = build("base", "report")
    frames, mask = clip(2, 1, (256, 448))
    optimizer = torch.optim.AdamW(model.parameters(), learning_rate(REPORT, 0, 0), weight_decay=0)

    def loss():
        return nn.functional.binary_cross_entropy_with_logits(model(frames, mask), mask[:, None])

    before = loss()
    before.backward()
    optimizer.step()
    with torch.no_grad():
        assert loss() < before


@pytest.mark.parametrize("name", MODELS)
def test_the_verbs_make_the_forward_pass(name):
    """encode, initialize, step and decode, one frame at a time, as inference and notebook 02 use them."""
    model = build(name, SMALL).eval()
    frames, mask = clip()
    encoded = model.encode(frames)
    assert_close(encoded[:, 2], model.encoder(frames[:, 2]), atol=1e-5, rtol=1e-4)
    state, hidden, inputs = model.initialize(frames[:, 0], mask), [], encoded
    if name != "base":
        ask = {"updated": lambda: model.video_representation(encoded)}
        ask["attention"] = lambda: model.attention.remember(encoded[:, 0], state, mask)
        inputs = model.fuse(encoded, ask[name]())
    for x in inputs[:, 1:].unbind(1):
        state = model.step(x, state)
        hidden.append(state[0])
    assert_close(model.decode(torch.stack(hidden, dim=1)), model(frames, mask), atol=1e-5, rtol=1e-4)


def test_a_convlstm_goes_through_a_sequence_as_nn_lstm_does():
    """All h and the last (h, c); without a state it starts from zeros; two halves are the whole."""
    torch.manual_seed(0)
    lstm, x = ConvLSTM(3, SMALL), torch.randn(2, 5, 3, 4, 6)
    hidden, (h, c) = lstm(x)
    assert hidden.shape == (2, 5, 5, 4, 6) and torch.equal(hidden[:, -1], h)
    first, state = lstm(x[:, :2])
    second, (h_2, c_2) = lstm(x[:, 2:], state)
    assert_close((torch.cat([first, second], 1), h_2, c_2), (hidden, h, c))
    zeros = torch.zeros(2, 5, 4, 6)
    assert_close(lstm(x, (zeros, zeros))[0], hidden)
    plain = zeros, zeros
    for frame in x.unbind(1):
        plain = plain_step(lstm, frame, *plain)
    assert_close((h, c), plain, atol=1e-5, rtol=1e-4)


def test_saved_memory_changes_no_gradient():
    """Encoder and Decoder are computed again on the way back; with BatchNorm that would not be the same."""
    torch.manual_seed(0)
    model = build("updated", replace(SMALL, batch_norm=False))
    frames, mask = clip()
    gradients = []
    for saved in (False, True):
        model.save_memory = saved
        model.zero_grad()
        model(frames, mask).square().mean().backward()
        gradients.append([weight.grad.clone() for weight in model.parameters()])
    assert_close(*gradients, atol=1e-6, rtol=1e-4)
    refused = build("base", SMALL)
    refused.save_memory = True
    with pytest.raises(ValueError, match="BatchNorm"):
        refused(frames, mask)


def test_h_video_has_no_object_in_it_and_sees_the_whole_clip():
    model = build("updated", SMALL).eval()
    frames, mask = clip()
    other = frames.clone()
    other[:, -1] += 1
    first = model(frames, mask)[:, 0]
    assert not torch.equal(first, model(other, mask)[:, 0])  # a later frame changes the first prediction
    base = build("base", SMALL).eval()
    assert torch.equal(base(frames, mask)[:, 0], base(other, mask)[:, 0])


def test_state_order_and_forget_bias():
    lstm = ConvLSTM(3, SMALL)
    assert lstm.input_to_gates.bias.reshape(4, -1).mean(1).tolist() == [0, 1, 0, 0]
    nn.init.zeros_(lstm.input_to_gates.weight)
    nn.init.zeros_(lstm.hidden_to_gates.weight)
    h, c = lstm.step(lstm.input_to_gates(torch.zeros(1, 3, 2, 2)), (torch.zeros(1, 5, 2, 2), torch.ones(1, 5, 2, 2)))
    expected = torch.sigmoid(torch.tensor(1.0))  # f * c: only the cell is carried over
    assert_close(c, expected.expand_as(c))
    assert_close(h, (0.5 * torch.tanh(expected)).expand_as(h))


def test_fusion_equals_one_convolution_of_both():
    fusion = Fusion(SMALL, 2).eval()
    e, h = torch.randn(3, 5, 4, 6), torch.randn(3, 2, 4, 6)
    joined = nn.Conv2d(7, 5, 3, padding=1)
    joined.weight.data = torch.cat([fusion.frame_conv.weight, fusion.context_conv.weight], 1)
    joined.bias.data = fusion.frame_conv.bias
    expected = fusion.norm_relu(joined(torch.cat([e, h], 1)))
    assert_close(fusion(e, fusion.context_conv(h)), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size": (15, 32)}, "does not divide by 4"),
        ({"patch": 3}, "does not divide by 12"),
        ({"decoder_channels": (4,)}, "1 decoder blocks cannot undo 2 poolings"),
        ({"state_activation": "gelu"}, "state_activation must be one of .*'gelu'"),
        ({"decoder_border": "x"}, "decoder_border must be one of .*'x'"),
    ],
)
def test_settings_that_cannot_be_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        replace(SMALL, **change)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="course"):
        build("base", "huge")
    with pytest.raises(ValueError, match="updated"):
        build("video")


def test_the_last_convolution_is_a_convolution():
    """However it is calculated: outputs and all three gradients."""
    torch.manual_seed(0)
    layer, x = LastConvolution(16, 4, 5, padding=2), torch.randn(2, 16, 9, 11, requires_grad=True)
    plain = nn.functional.conv2d(x, layer.weight, layer.bias, padding=2)
    assert_close(layer(x), plain, atol=1e-5, rtol=1e-4)
    of = (x, layer.weight, layer.bias)
    both = [torch.autograd.grad(y.square().sum(), of) for y in (layer(x), plain)]
    assert_close(*both, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
@pytest.mark.parametrize("size", [(6, 7), (1, 2)])
def test_upsampling_and_convolution_in_one(kernel, size):
    """Upsample, then a convolution with repeated borders: the outputs, borders too, and all three gradients."""
    torch.manual_seed(0)
    layer, x = UpsampledConvolution(3, 4, kernel), torch.randn(2, 3, *size, requires_grad=True)
    apart = nn.Conv2d(3, 4, kernel, padding=kernel // 2, padding_mode="replicate")
    apart.weight, apart.bias = layer.weight, layer.bias
    outputs = layer(x), apart(nn.functional.interpolate(x, scale_factor=2, mode="bilinear"))
    assert_close(*outputs, atol=1e-5, rtol=1e-4)
    of = (x, layer.weight, layer.bias)
    both = [torch.autograd.grad(y.square().sum(), of) for y in outputs]
    assert_close(*both, atol=1e-4, rtol=1e-4)


def test_upsampling_in_one_keeps_the_layout_and_the_weights_precision():
    """channels_last stays so (else every later layer converts), and autocast rounds weights once, not on the way."""
    torch.manual_seed(0)
    layer, x = UpsampledConvolution(8, 4, 5), torch.randn(2, 8, 6, 7)
    assert layer(x).is_contiguous(memory_format=torch.channels_last)
    exact = layer.weight_of_cells(0, 1)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer.weight_of_cells(0, 1), exact) and layer(x).dtype == torch.bfloat16


def test_the_report_preset_upsamples_in_one():
    kinds = {name: [type(layer) for layer in build("base", name).decoder.blocks] for name in PRESETS}
    assert kinds["report"] == [UpsampledConvolution, nn.ReLU] * 5
    assert kinds["course"] == [nn.Upsample, nn.Conv2d, nn.BatchNorm2d, nn.ReLU]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("kind", sorted(MODELS))
def test_work_is_counted_without_doing_it(kind, preset):
    """On the device "meta", where notebooks 02 and 04 count the FLOPs of a preset, forwards and back."""
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        model = build(kind, preset)
        frames, mask = torch.empty(1, 3, 3, *model.config.size), torch.empty(1, 1, *model.config.size)
        output = model(frames, mask)
        forwards = counter.get_total_flops()
        output.sum().backward()
    assert counter.get_total_flops() > 2.5 * forwards > 0


def test_objects_that_began_together_share_their_keys():
    """One set of keys read for all, or the same keys once for each: the same; other values, another answer."""
    torch.manual_seed(0)
    attention = build("attention", SMALL).attention
    encoded, state = torch.randn(1, 3, 5, 4, 8), (torch.randn(2, 5, 4, 8), torch.randn(2, 5, 4, 8))
    memory = attention.remember(encoded[:, 0], state, torch.rand(2, 1, 16, 32).round())
    assert memory.keys.shape == (1, 64, 4, 8) and memory.values.shape == (2, 5, 4, 8)
    read = attention.read(encoded, memory)
    assert read.shape == (2, 3, 5, 4, 8) and not torch.equal(read[0], read[1])
    assert_close(attention.read(encoded, memory._replace(keys=memory.keys.expand(2, -1, -1, -1))), read)


def test_attention_finds_what_moved():
    """Where the keys are far apart, a cell reads the value of the cell it was before."""
    torch.manual_seed(0)
    attention = build("attention", SMALL).attention
    with torch.no_grad():
        attention.to_key.weight.zero_()
        attention.to_key.weight[torch.arange(5), torch.arange(5), 1, 1] = 30.0  # keys are the cells themselves
    first = torch.randn(1, 5, 4, 8)
    order = torch.randperm(32)
    later = first.flatten(2)[..., order].unflatten(2, (4, 8))
    memory = attention.remember(first, (torch.randn(1, 5, 4, 8), torch.randn(1, 5, 4, 8)), torch.zeros(1, 1, 16, 32))
    weights = attention.weights(later[:, None], memory.keys)
    assert_close(weights.sum(dim=-1), torch.ones(1, 32))
    assert torch.equal(weights[0].argmax(dim=-1), order)
    assert_close(attention.read(later[:, None], memory)[0, 0].flatten(1), memory.values[0].flatten(1)[:, order])
