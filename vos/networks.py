"""The networks: the boxes of the report's figure 1.

    BaseModel       Initializer, Encoder, ConvLSTM, Decoder      (report 3.2 to 3.5; Xu et al. 2018)
    UpdatedModel    the same, and a second ConvLSTM over the encoded frames alone with a Fusion block (report 3.8)
    AttentionModel  the same as the base model, and Attention to the first frame with a Fusion block  (report 6)

What does not depend on the recurrent state is computed for all frames at once, with time folded into the batch;
`tests/core/test_networks.py` and notebooks 02 and 03 assert that this equals the equations taken step by step.

Shapes: B batch, T time, C channels of the state, H W pixels of the input, h w cells of the state.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vos.attention import Attention, Memory
from vos.backbones import BACKBONES, Features, conv_block, conv_norm_relu
from vos.config import PRESETS, ModelConfig
from vos.fast.layers import LastConvolution, UpsampledConvolution, stack_time, unbind_time
from vos.fast.recompute import recomputed_over_time

State = tuple[Tensor, Tensor]  # (h, c), each (B, C, h, w)


class Initializer(nn.Module):
    """[x_0 ; y_0] -> (h_0, c_0), each (B, C, h, w) (report 3.2). Two 1x1 convolutions behind one backbone."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.to_rgb = nn.Conv2d(4, 3, 3, padding=1)
        self.backbone = BACKBONES[config.backbone](config)
        self.hidden = nn.Conv2d(self.backbone.width, config.state_channels, 1)
        self.cell = nn.Conv2d(self.backbone.width, config.state_channels, 1)
        assert self.to_rgb.bias is not None
        with torch.no_grad():  # starts as the frame plus a trace of the mask: what a pretrained backbone knows
            nn.init.dirac_(self.to_rgb.weight)
            self.to_rgb.weight[:, 3, 1, 1] = config.mask_weight * torch.tensor([1.0, -1.0, 1.0])
            self.to_rgb.bias.zero_()

    def forward(self, frame: Tensor, mask: Tensor) -> State:
        """frame (B, 3, H, W) normalised, mask (B, 1, H, W) in {0, 1}."""
        features = self.backbone(self.to_rgb(torch.cat([frame, mask], dim=1)))
        return self.hidden(features), self.cell(features)


class Encoder(nn.Module):
    """x_t -> e_t: (N, 3, H, W) -> (N, C, h, w), the same weights at every t (report 3.3)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.backbone = BACKBONES[config.backbone](config)
        self.project = nn.Conv2d(self.backbone.width, config.state_channels, 1)

    def forward(self, frames: Tensor) -> Tensor:
        return self.project(self.backbone(frames))

    def features(self, frames: Tensor) -> Features:
        """e_t, and the finer maps of the same frames for the Decoder's skip connections."""
        deep, skips = self.backbone.features(frames)
        return Features(self.project(deep), skips)


class ConvLSTM(nn.Module):
    """Shi et al. 2015 without peepholes (report 3.4), * convolution 3x3 SAME, o elementwise:

    i, f, o = sigmoid(W_x* x + W_h* h + b),  g = tanh(W_xg* x + W_hg* h + b_g)
    c' = f o c + i o g,  h' = o o activation(c')

    The four gates share one convolution each for x and h. `input_to_gates` needs no state, so it runs for all
    frames at once; only `step` is sequential.
    """

    def __init__(self, inputs: int, config: ModelConfig, channels: int = 0) -> None:
        """channels: of the state; 0: config.state_channels."""
        super().__init__()
        channels = channels or config.state_channels
        kernel = config.input_kernel
        self.input_to_gates = nn.Conv2d(inputs, 4 * channels, kernel, padding=kernel // 2)
        self.hidden_to_gates = nn.Conv2d(channels, 4 * channels, 3, padding=1, bias=False)
        self.activation = torch.tanh if config.state_activation == "tanh" else torch.relu
        assert self.input_to_gates.bias is not None
        nn.init.zeros_(self.input_to_gates.bias)
        nn.init.constant_(self.input_to_gates.bias[channels : 2 * channels], config.forget_bias)

    def forward(self, inputs: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """A whole sequence, as nn.LSTM: inputs (B, T, D, h, w), state (h_0, c_0), zeros where there is none.

        Returns h_1..h_T, (B, T, C, h, w), and (h_T, c_T).
        """
        gates = over_time(self.input_to_gates, inputs)
        h, c = self.zero_state(gates[:, 0]) if state is None else state
        hidden = []
        for from_input in unbind_time(gates):
            h, c = self.step(from_input, (h, c))
            hidden.append(h)
        return stack_time(hidden), (h, c)

    def step(self, from_input: Tensor, state: State) -> State:
        """One time step: from_input = input_to_gates(x_t), (B or 1, 4C, h, w); returns (h_t, c_t)."""
        h, c = state
        i, f, o, g = (from_input + self.hidden_to_gates(h)).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * self.activation(c), c

    def zero_state(self, gates: Tensor) -> State:
        """Zeros for h and c beside input_to_gates(x_t), (B, 4C, h, w)."""
        zeros = gates.new_zeros(gates.shape[0], gates.shape[1] // 4, *gates.shape[2:])
        return zeros, zeros


class Fusion(nn.Module):
    """[e_t ; context] -> the mask ConvLSTM's input, (N, C, h, w) (report 3.8, "a convolutional block").

    A convolution of concatenated maps is the sum of two convolutions, and h_video's is needed once per video.
    """

    def __init__(self, config: ModelConfig, context_channels: int) -> None:
        super().__init__()
        channels = config.state_channels
        self.frame_conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.context_conv = nn.Conv2d(context_channels, channels, 3, padding=1, bias=False)
        self.norm_relu = nn.Sequential(*conv_block(channels, channels, 3, config.batch_norm)[1:])

    def forward(self, encoded: Tensor, from_context: Tensor) -> Tensor:
        """encoded (N or 1, C, h, w); from_context = context_conv(h_video), say, (N or 1, C, h, w)."""
        return self.norm_relu(self.frame_conv(encoded) + from_context)


class Decoder(nn.Module):
    """h_t -> logits of y_t: (N, C, h, w) -> (N, 1, H, W) (report 3.5).

    Blocks of bilinear upsampling x2, convolution, ReLU, and a last convolution to one value a pixel. The sigmoid is
    left to the loss and to inference, where it is exact. `decoder_border` chooses how a block is computed. With
    `skips`, each block's convolution also sees the Encoder's map of its own size (a sum, as in Fusion).
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width, kernel = config.state_channels, config.decoder_kernel
        for next_width in config.decoder_channels:
            if config.decoder_border == "replicate":
                layers += conv_norm_relu(UpsampledConvolution(width, next_width, kernel, bias=not config.batch_norm))
            else:
                layers.append(nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False))
                layers += conv_block(width, next_width, kernel, config.batch_norm)
            width = next_width
        self.blocks = nn.Sequential(*layers)
        seen = BACKBONES[config.backbone].skip_widths if config.skips else ()
        channels = zip(seen, config.decoder_channels, strict=False)
        self.skips = nn.ModuleList(nn.Conv2d(i, o, 3, padding=1, bias=False) for i, o in channels)
        self.last = LastConvolution(width, config.patch**2, kernel, padding=kernel // 2)
        self.to_pixels = nn.PixelShuffle(config.patch)  # patch * patch values a cell -> as many pixels

    def forward(self, h: Tensor, skips: Sequence[Tensor] = ()) -> Tensor:
        """skips: maps of the frames, (N or 1, c, 2h, 2w) and so on, one for each block, where there are `skips`."""
        each = len(self.blocks) // max(len(self.skips), 1)
        for number, (conv, skip) in enumerate(zip(self.skips, skips, strict=True)):
            upsample, convolution, *rest = self.blocks[each * number : each * (number + 1)]
            h = nn.Sequential(*rest)(convolution(upsample(h)) + conv(skip))
        return self.to_pixels(self.last(h if self.skips else self.blocks(h)))


class BaseModel(nn.Module):
    """The base paper's model: Initializer, then Encoder, ConvLSTM and Decoder at every t."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.save_memory = False  # keep no activations inside Encoder and Decoder, but compute them again
        self.initializer = Initializer(config)
        self.encoder = Encoder(config)
        self.mask_lstm = ConvLSTM(config.state_channels, config)
        self.decoder = Decoder(config)

    def forward(self, frames: Tensor, first_mask: Tensor) -> Tensor:
        """frames (B, T, 3, H, W) ImageNet-normalised, first_mask (B, 1, H, W) in {0, 1} belongs to frames[:, 0].

        Returns logits (B, T-1, 1, H, W) of y_1..y_{T-1}.
        """
        state = self.initialize(frames[:, 0], first_mask)
        encoded, skips = self.features(frames[:, 1:])
        hidden, _ = self.mask_lstm(encoded, state)
        return self.decode(hidden, skips)

    def encode(self, frames: Tensor) -> Tensor:
        """x_t -> e_t for all t: (B, T, 3, H, W) -> (B, T, C, h, w)."""
        return self.over_time(self.encoder, frames)

    def features(self, frames: Tensor) -> Features:
        """As `encode`, and what the Decoder's skip connections take: (B, T, ...) each."""
        if not self.config.skips:
            return Features(self.encode(frames))
        deep, skips = self.encoder.features(frames.flatten(0, 1))
        unfold = frames.shape[:2]
        return Features(deep.unflatten(0, unfold), tuple(skip.unflatten(0, unfold) for skip in skips))

    def initialize(self, frame: Tensor, mask: Tensor) -> State:
        """x_0 (B, 3, H, W) and y_0 (B, 1, H, W) -> (h_0, c_0), each (B, C, h, w)."""
        return self.initializer(frame, mask)

    def step(self, inputs: Tensor, state: State) -> State:
        """(h_{t-1}, c_{t-1}) -> (h_t, c_t); inputs: what the mask ConvLSTM reads at t, (B or 1, C, h, w)."""
        return self.mask_lstm.step(self.mask_lstm.input_to_gates(inputs), state)

    def decode(self, hidden: Tensor, skips: Sequence[Tensor] = ()) -> Tensor:
        """h_t -> logits of y_t for all t: (B, T, C, h, w) -> (B, T, 1, H, W); skips: of `features`, B may be 1."""
        if not self.config.skips:
            return self.over_time(self.decoder, hidden)
        every = [skip.expand(len(hidden), -1, -1, -1, -1).flatten(0, 1) for skip in skips]
        return self.decoder(hidden.flatten(0, 1), every).unflatten(0, hidden.shape[:2])

    def over_time(self, layers: nn.Module, x: Tensor) -> Tensor:
        """Apply layers for (N, ...) to (B, T, ...); with less memory in training where that is asked for."""
        recompute = self.save_memory and self.training and torch.is_grad_enabled()
        return recomputed_over_time(layers, x) if recompute else over_time(layers, x)


class UpdatedModel(BaseModel):
    """The updated model: a video ConvLSTM sees e_0..e_{T-1} and no mask; its last h is h_video (report 3.8)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.video_lstm = ConvLSTM(config.state_channels, config, config.video_state_channels)
        self.fusion = Fusion(config, config.video_state_channels or config.state_channels)

    def forward(self, frames: Tensor, first_mask: Tensor) -> Tensor:
        state = self.initialize(frames[:, 0], first_mask)
        encoded, skips = self.features(frames)
        h_video = self.video_representation(encoded)
        hidden, _ = self.mask_lstm(self.fuse(encoded[:, 1:], h_video), state)
        return self.decode(hidden, [skip[:, 1:] for skip in skips])

    def video_representation(self, encoded: Tensor) -> Tensor:
        """e_0..e_{T-1}, (B, T, C, h, w) -> h_video, the last h of the video ConvLSTM, (B, C, h, w)."""
        _, (h_video, _) = self.video_lstm(encoded)
        return h_video

    def fuse(self, encoded: Tensor, h_video: Tensor) -> Tensor:
        """[e_t ; h_video] -> what the mask ConvLSTM reads, for all t: (B, T, C, h, w)."""
        frames = encoded.shape[1]
        from_video = self.fusion.context_conv(h_video).repeat_interleave(frames, dim=0)
        return self.fusion(encoded.flatten(0, 1), from_video).unflatten(0, (-1, frames))


class AttentionModel(BaseModel):
    """The report's future work: where the updated model asks what is in the video, it asks where what it was shown is.

    Every cell of frame t looks for cells like it in frame 0 and reads what is known there of the object (report 6).
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.attention = Attention(config)
        self.fusion = Fusion(config, config.state_channels)

    def forward(self, frames: Tensor, first_mask: Tensor) -> Tensor:
        state = self.initialize(frames[:, 0], first_mask)
        encoded, skips = self.features(frames)
        memory = self.attention.remember(encoded[:, 0], state, first_mask)
        hidden, _ = self.mask_lstm(self.fuse(encoded[:, 1:], memory), state)
        return self.decode(hidden, [skip[:, 1:] for skip in skips])

    def fuse(self, encoded: Tensor, memory: Memory) -> Tensor:
        """[e_t ; what is read for it] -> what the mask ConvLSTM reads, (B, T, C, h, w).

        encoded (B or 1, T, C, h, w): frames that all objects share may be given once.
        """
        read = self.attention.read(encoded, memory)
        fused = self.fusion(encoded.flatten(0, 1), self.fusion.context_conv(read.flatten(0, 1)))
        return fused.unflatten(0, read.shape[:2])


def over_time(layers: nn.Module, x: Tensor) -> Tensor:
    """Apply layers for (N, ...) to (B, T, ...), time folded into the batch."""
    return layers(x.flatten(0, 1)).unflatten(0, x.shape[:2])


MODELS = {"base": BaseModel, "updated": UpdatedModel, "attention": AttentionModel}


def build(model: str = "base", preset: str | ModelConfig = "course") -> BaseModel:
    """A new model with random weights: one of MODELS, with one of PRESETS or a config of your own."""
    if model not in MODELS:
        raise ValueError(f"model must be one of {sorted(MODELS)}, not {model!r}")
    if isinstance(preset, str) and preset not in PRESETS:
        raise ValueError(f"preset must be one of {sorted(PRESETS)}, not {preset!r}")
    config = PRESETS[preset] if isinstance(preset, str) else preset
    return MODELS[model](config).to(memory_format=torch.channels_last)


def count_parameters(model: nn.Module) -> int:
    """The number of weights that training changes."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
