"""Exercises of lesson 3: the video representation and the updated model."""

from collections.abc import Callable

import torch
from torch import Tensor

from vos.config import ModelConfig
from vos.course.exercises.compare import Case, compare
from vos.course.exercises.networks import small_lstm
from vos.networks import ConvLSTM, Fusion, UpdatedModel


def videos_to_watch() -> list[Case]:
    """A ConvLSTM and encoded frames (B, T, C, h, w), three times."""
    torch.manual_seed(1)
    lstm = small_lstm(6, 6)
    return [
        ("one frame", (lstm, torch.randn(1, 1, 6, 2, 3))),
        ("two videos of five frames", (lstm, torch.randn(2, 5, 6, 8, 14))),
        ("a still video", (lstm, torch.ones(1, 7, 6, 4, 4))),
    ]


def video_representation(attempt: Callable) -> bool:
    """Notebook 03: attempt(lstm, encoded (B, T, C, h, w)) -> h_video (B, C, h, w), from a zero start."""
    mistakes = [
        ("c is returned; h_video is the last h.", lambda lstm, x: lstm(x)[1][1]),
        ("every frame starts from zeros; hand the state on.", lambda lstm, x: lstm(x[:, -1:])[1][0]),
        ("the mean of all h_t; h_video is the last one.", lambda lstm, x: lstm(x)[0].mean(dim=1)),
    ]
    return compare(attempt, lambda lstm, x: lstm(x)[1][0], videos_to_watch(), mistakes)


def two_convolutions(attempt: Callable) -> bool:
    """Notebook 03: attempt(encoded (T, C, h, w), h_video (1, V, h, w), weight (C, C+V, 3, 3), bias (C,)).

    -> the convolution of each e_t stacked with h_video, (T, C, h, w), before BatchNorm and ReLU: what `Fusion` adds up.
    """
    Inputs = tuple[Tensor, Tensor, Tensor, Tensor]

    def reference(encoded: Tensor, h_video: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        channels = encoded.shape[1]
        fusion = Fusion(ModelConfig((16, 16), ((4,),), channels, (4,), batch_norm=False), h_video.shape[1])
        weights = {"frame_conv.weight": weight[:, :channels], "context_conv.weight": weight[:, channels:]}
        fusion.load_state_dict(weights | {"frame_conv.bias": bias})
        return fusion.frame_conv(encoded) + fusion.context_conv(h_video)

    def inputs(frames: int, channels: int, video_channels: int) -> Inputs:
        encoded, h_video = torch.randn(frames, channels, 5, 6), torch.randn(1, video_channels, 5, 6)
        return encoded, h_video, torch.randn(channels, channels + video_channels, 3, 3), torch.randn(channels)

    def exchanged(encoded: Tensor, h_video: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        channels = encoded.shape[1]
        return reference(encoded, h_video, weight.roll(-channels, dims=1), bias)

    torch.manual_seed(1)
    cases = [
        ("one frame", inputs(1, 3, 3)),
        ("five frames and one h_video", inputs(5, 3, 3)),
        ("fewer channels in h_video", inputs(4, 4, 2)),
    ]
    mistakes = [
        ("both convolutions have the bias; it is to be counted once.",
         lambda e, v, w, b: reference(e, v, w, b) + b[:, None, None]),
        ("the bias is missing.", lambda e, v, w, b: reference(e, v, w, 0 * b)),
        ("the halves of the weights are exchanged; e_t is stacked first.", exchanged),
        ("without padding=1 a 3 x 3 convolution loses a cell on every side.",
         lambda e, v, w, b: reference(e, v, w, b)[..., 1:-1, 1:-1]),
        ("h_video's half is missing.", lambda e, v, w, b: reference(e, 0 * v, w, b)),
    ]  # fmt: skip
    return compare(attempt, reference, cases, mistakes)


def updated_forward(attempt: Callable) -> bool:
    """Notebook 03: attempt(model, frames (B, T, 3, H, W), first_mask (B, 1, H, W)) -> logits (B, T-1, 1, H, W)."""

    def masks_from(model: UpdatedModel, inputs: Tensor, frames: Tensor, first_mask: Tensor) -> Tensor:
        """The second pass; inputs: what the mask ConvLSTM reads."""
        return model.decode(model.mask_lstm(inputs, model.initialize(frames[:, 0], first_mask))[0])

    def late(model: UpdatedModel, frames: Tensor, first_mask: Tensor) -> Tensor:
        encoded = model.encode(frames)[:, 1:]
        return masks_from(model, model.fuse(encoded, model.video_representation(encoded)), frames, first_mask)

    def base(model: UpdatedModel, frames: Tensor, first_mask: Tensor) -> Tensor:
        return masks_from(model, model.encode(frames)[:, 1:], frames, first_mask)

    def live(model: UpdatedModel, frames: Tensor, first_mask: Tensor) -> Tensor:
        encoded = model.encode(frames)
        so_far = model.video_lstm(encoded)[0]
        fused = [model.fuse(encoded[:, [t]], so_far[:, t]) for t in range(1, frames.shape[1])]
        return masks_from(model, torch.cat(fused, dim=1), frames, first_mask)

    def from_zeros(model: UpdatedModel, frames: Tensor, first_mask: Tensor) -> Tensor:
        encoded = model.encode(frames)
        fused = model.fuse(encoded[:, 1:], model.video_representation(encoded))
        return model.decode(model.mask_lstm(fused)[0])

    def all_frames(model: UpdatedModel, frames: Tensor, first_mask: Tensor) -> Tensor:
        encoded = model.encode(frames)
        return masks_from(model, model.fuse(encoded, model.video_representation(encoded)), frames, first_mask)

    torch.manual_seed(1)
    config = ModelConfig((16, 16), ((4,),), 3, (4,), batch_norm=False, video_state_channels=2)
    model = UpdatedModel(config).eval().requires_grad_(False)
    for weights in model.parameters():
        weights.mul_(3)  # random weights are small, and so are the traces of a mistake
    cases = [
        (what, (model, torch.randn(B, T, 3, 16, 16), (torch.rand(B, 1, 16, 16) > 0.5).float()))
        for what, B, T in (("two clips of five frames", 2, 5), ("two frames", 1, 2), ("twelve frames", 1, 12))
    ]
    mistakes = [
        ("the first frame is left out of h_video; the video ConvLSTM sees all T.", late),
        ("h_video is not in it: this is the base model.", base),
        ("at frame t only the frames up to t have been seen; h_video is the last state, the same for all t.", live),
        ("the mask ConvLSTM starts from zeros; it starts from the Initializer's (h_0, c_0).", from_zeros),
        ("frame 0 is predicted, too; its mask is given, and the mask ConvLSTM begins at t = 1.", all_frames),
        ("probabilities are returned; stop before the sigmoid.", lambda model, x, y: model(x, y).sigmoid()),
    ]
    return compare(attempt, lambda model, x, y: model(x, y), cases, mistakes)


def representation_so_far(attempt: Callable) -> bool:
    """Notebook 03: attempt(lstm, encoded (B, T, C, h, w)) -> h_video of the frames up to each t, (B, T, C, h, w)."""

    def alone(lstm: ConvLSTM, x: Tensor) -> Tensor:
        return torch.stack([lstm(x_t[:, None])[1][0] for x_t in x.unbind(1)], dim=1)

    def every_c(lstm: ConvLSTM, x: Tensor) -> Tensor:
        return torch.stack([lstm(x[:, : t + 1])[1][1] for t in range(x.shape[1])], dim=1)

    def one_late(lstm: ConvLSTM, x: Tensor) -> Tensor:
        hidden = lstm(x)[0]
        return torch.cat([torch.zeros_like(hidden[:, :1]), hidden[:, :-1]], dim=1)

    mistakes = [
        ("c is returned; what is handed on to the block is h.", every_c),
        ("only the last one is returned; each t needs its own.", lambda lstm, x: lstm(x)[1][0]),
        ("every t has the last state, which has seen the future.", lambda lstm, x: lstm(x)[1][0][:, None].expand_as(x)),
        ("every frame starts from zeros; hand the state on.", alone),
        ("one frame late: what is handed on at t has seen frame t.", one_late),
    ]
    return compare(attempt, lambda lstm, x: lstm(x)[0], videos_to_watch(), mistakes)
