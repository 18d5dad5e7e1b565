"""The networks: the boxes of the report's figure 1.

    BaseModel    Initializer, Encoder, ConvLSTM, Decoder      (report 3.2 to 3.5; Xu et al. 2018)
    VideoModel   the same, and a second ConvLSTM over the encoded frames alone with a Fusion block (report 3.8)

One set of classes serves both presets; a preset is a frozen `NetworkSettings` (vos/presets.py). What does not
depend on the recurrent state is computed for all frames at once, with time folded into the batch;
`tests/test_networks.py` and notebooks 02 and 03 assert that this equals the equations taken step by step.

Shapes: B batch, T time, C channels of the state, H W pixels of the input, h w cells of the state.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv_transpose2d
from torch.utils.checkpoint import checkpoint

from vos.presets import PRESETS, NetworkSettings
from vos.upsampling import UpsampledConvolution

State = tuple[Tensor, Tensor]  # (h, c), each (B, C, h, w)


def convolution(inputs: int, outputs: int, kernel: int, normalise: bool, stride: int = 1) -> list[nn.Module]:
    """Convolution with SAME padding (stride 1; else the size divides by the stride), BatchNorm where asked, ReLU."""
    padding = (kernel - stride + 1) // 2
    return followed(nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=not normalise))


def followed(layer: nn.Conv2d) -> list[nn.Module]:
    """The layer, BatchNorm where it has no bias of its own, ReLU.

    He's initialisation keeps the signal's size through VGG-16's thirteen layers, which have no BatchNorm.
    """
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    if layer.bias is None:
        return [layer, nn.BatchNorm2d(layer.out_channels), nn.ReLU(inplace=True)]
    nn.init.zeros_(layer.bias)
    return [layer, nn.ReLU(inplace=True)]


class LastConvolution(nn.Conv2d):
    """A convolution to a few channels, calculated as the transposed convolution by the flipped kernel.

    It is the same sum; but backwards, processors take up to five times as long for a convolution with few outputs.
    """

    def forward(self, x: Tensor) -> Tensor:
        flipped = self.weight.flip(-1, -2).transpose(0, 1)
        return conv_transpose2d(x, flipped, self.bias, padding=self.padding)


class Backbone(nn.Sequential):
    """VGG's convolution layers: (B, 3, H, W) -> (B, width, h, w). The layers stand in torchvision's order."""

    def __init__(self, settings: NetworkSettings) -> None:
        layers: list[nn.Module] = []
        width = 3
        for stage in settings.stages:
            for next_width in stage:
                stride = 1 if layers else settings.patch
                layers += convolution(width, next_width, 3 if stride == 1 else 2 * stride, settings.normalise, stride)
                width = next_width
            layers.append(nn.MaxPool2d(2))
        for next_width in settings.context:
            layers += convolution(width, next_width, 3, settings.normalise)
            width = next_width
        if settings.fc_width:
            layers += convolution(width, settings.fc_width, 7, settings.normalise)
            width = settings.fc_width
        super().__init__(*layers)
        self.width = width


class Initializer(nn.Module):
    """[x_0 ; y_0] -> (h_0, c_0), each (B, C, h, w) (report 3.2). Two 1x1 convolutions behind one backbone."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        self.to_rgb = nn.Conv2d(4, 3, 3, padding=1)
        self.backbone = Backbone(settings)
        self.hidden = nn.Conv2d(self.backbone.width, settings.state, 1)
        self.cell = nn.Conv2d(self.backbone.width, settings.state, 1)
        with torch.no_grad():  # starts as the frame plus a trace of the mask: what a pretrained backbone knows
            nn.init.dirac_(self.to_rgb.weight)
            self.to_rgb.weight[:, 3, 1, 1] = settings.mask_weight * torch.tensor([1.0, -1.0, 1.0])
            self.to_rgb.bias.zero_()

    def forward(self, frame: Tensor, mask: Tensor) -> State:
        """frame (B, 3, H, W) normalised, mask (B, 1, H, W) in {0, 1}."""
        features = self.backbone(self.to_rgb(torch.cat([frame, mask], dim=1)))
        return self.hidden(features), self.cell(features)


class Encoder(nn.Module):
    """x_t -> e_t: (N, 3, H, W) -> (N, C, h, w), the same weights at every t (report 3.3)."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        self.backbone = Backbone(settings)
        self.project = nn.Conv2d(self.backbone.width, settings.state, 1)

    def forward(self, frames: Tensor) -> Tensor:
        return self.project(self.backbone(frames))


class ConvLSTM(nn.Module):
    """Shi et al. 2015 without peepholes (report 3.4), * convolution 3x3 SAME, o elementwise:

    i, f, o = sigmoid(W_x* x + W_h* h + b),  g = tanh(W_xg* x + W_hg* h + b_g)
    c' = f o c + i o g,  h' = o o activation(c')

    The four gates share one convolution each for x and h. `input_half` needs no state, so it runs for all
    frames at once; only `step` is sequential.
    """

    def __init__(self, inputs: int, settings: NetworkSettings, channels: int = 0) -> None:
        """channels: of the state; 0: settings.state."""
        super().__init__()
        channels = channels or settings.state
        kernel = settings.input_kernel
        self.input_half = nn.Conv2d(inputs, 4 * channels, kernel, padding=kernel // 2)
        self.state_half = nn.Conv2d(channels, 4 * channels, 3, padding=1, bias=False)
        self.activation = torch.tanh if settings.state_activation == "tanh" else torch.relu
        nn.init.zeros_(self.input_half.bias)
        nn.init.constant_(self.input_half.bias[channels : 2 * channels], settings.forget_bias)

    def step(self, from_input: Tensor, state: State) -> State:
        """One time step: from_input = input_half(x_t), (B or 1, 4C, h, w); returns (h_t, c_t)."""
        h, c = state
        i, f, o, g = (from_input + self.state_half(h)).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * self.activation(c), c

    def zero_state(self, like: Tensor) -> State:
        """Zeros for h and c beside an input half (B, 4C, h, w)."""
        zeros = like.new_zeros(like.shape[0], like.shape[1] // 4, *like.shape[2:])
        return zeros, zeros


class Fusion(nn.Module):
    """[e_t ; h_video] -> the mask ConvLSTM's input, (N, C, h, w) (report 3.8, "a convolutional block").

    A convolution of concatenated maps is the sum of two convolutions, and h_video's is needed once per video.
    """

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        channels = settings.state
        self.frame_half = nn.Conv2d(channels, channels, 3, padding=1)
        self.video_half = nn.Conv2d(settings.video_state or channels, channels, 3, padding=1, bias=False)
        self.finish = nn.Sequential(*convolution(channels, channels, 3, settings.normalise)[1:])

    def forward(self, encoded: Tensor, from_video: Tensor) -> Tensor:
        """encoded (N, C, h, w); from_video = video_half(h_video), (N or 1, C, h, w)."""
        return self.finish(self.frame_half(encoded) + from_video)


class Decoder(nn.Module):
    """h_t -> logits of y_t: (N, C, h, w) -> (N, 1, H, W) (report 3.5).

    Blocks of bilinear upsampling x2, convolution, ReLU, and a last convolution to one value a pixel. The sigmoid is
    left to the loss and to inference, where it is exact. `decoder_border` chooses how a block is calculated.
    """

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = settings.state
        kernel = settings.decoder_kernel
        for next_width in settings.decoder:
            if settings.decoder_border == "replicate":
                layers += followed(UpsampledConvolution(width, next_width, kernel, bias=not settings.normalise))
            else:
                layers.append(nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False))
                layers += convolution(width, next_width, kernel, settings.normalise)
            width = next_width
        self.blocks = nn.Sequential(*layers)
        self.last = LastConvolution(width, settings.patch**2, kernel, padding=kernel // 2)
        self.to_pixels = nn.PixelShuffle(settings.patch)  # patch * patch values a cell -> as many pixels

    def forward(self, h: Tensor) -> Tensor:
        return self.to_pixels(self.last(self.blocks(h)))


class BaseModel(nn.Module):
    """The base paper's model: Initializer, then Encoder, ConvLSTM and Decoder at every t."""

    needs_video = False  # whether h_video must be known before the first mask is predicted

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        self.settings = settings
        self.save_memory = False  # keep no activations inside Encoder and Decoder, but compute them again
        self.initializer = Initializer(settings)
        self.encoder = Encoder(settings)
        self.mask_lstm = ConvLSTM(settings.state, settings)
        self.decoder = Decoder(settings)

    def video_representation(self, encoded: list[Tensor], state: State | None = None) -> State | None:
        """The base model has none."""
        return None

    def mask_inputs(self, encoded: Tensor, h_video: Tensor | None) -> Tensor:
        """The input half of the mask ConvLSTM's gates: (B, T, C, h, w) -> (B, T, 4C, h, w)."""
        return folded(self.mask_lstm.input_half, encoded)

    def forward(self, frames: Tensor, first_mask: Tensor) -> Tensor:
        """frames (B, T, 3, H, W) ImageNet-normalised, first_mask (B, 1, H, W) in {0, 1} belongs to frames[:, 0].

        Returns logits (B, T-1, 1, H, W) of y_1..y_{T-1}.
        """
        encoded = self.framewise(self.encoder, frames if self.needs_video else frames[:, 1:])
        video = self.video_representation(list(encoded.unbind(1)))
        inputs = self.mask_inputs(encoded[:, 1 - frames.shape[1] :], None if video is None else video[0])
        state = self.initializer(frames[:, 0], first_mask)
        hidden = []
        for from_input in inputs.unbind(1):
            state = self.mask_lstm.step(from_input, state)
            hidden.append(state[0])
        return self.framewise(self.decoder, torch.stack(hidden, dim=1))

    def framewise(self, layers: nn.Module, x: Tensor) -> Tensor:
        """`folded`; or, to save memory in training, frame by frame, each computed again when its gradient is."""
        if not (self.save_memory and self.training and torch.is_grad_enabled()):
            return folded(layers, x)
        if self.settings.normalise:
            raise ValueError("save_memory would change what BatchNorm sees: it goes with networks without it")
        return torch.stack([checkpoint(layers, frame, use_reentrant=False) for frame in x.unbind(1)], dim=1)


class VideoModel(BaseModel):
    """The updated model: a video ConvLSTM sees e_0..e_{T-1} and no mask; its last h is h_video (report 3.8)."""

    needs_video = True

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__(settings)
        self.video_lstm = ConvLSTM(settings.state, settings, settings.video_state)
        self.fusion = Fusion(settings)

    def video_representation(self, encoded: list[Tensor], state: State | None = None) -> State:
        """Run the video ConvLSTM over e_t (each (B, C, h, w)) from `state`, zero at first; returns (h, c)."""
        inputs = folded(self.video_lstm.input_half, torch.stack(encoded, dim=1))
        if state is None:
            state = self.video_lstm.zero_state(inputs[:, 0])
        for from_input in inputs.unbind(1):
            state = self.video_lstm.step(from_input, state)
        return state

    def mask_inputs(self, encoded: Tensor, h_video: Tensor | None) -> Tensor:
        if h_video is None:
            raise ValueError("the updated model needs h_video: run video_representation over the whole video first")
        frames = encoded.shape[1]
        from_video = self.fusion.video_half(h_video).repeat_interleave(frames, dim=0)
        fused = self.fusion(encoded.flatten(0, 1), from_video)
        return self.mask_lstm.input_half(fused).unflatten(0, (-1, frames))


def folded(layer: nn.Module, x: Tensor) -> Tensor:
    """Apply a layer for (N, ...) to (B, T, ...), time folded into the batch."""
    return layer(x.flatten(0, 1)).unflatten(0, x.shape[:2])


MODELS = {"base": BaseModel, "video": VideoModel}


def build(model: str = "base", preset: str | NetworkSettings = "course") -> BaseModel:
    """A new model with random weights: "base" or "video", preset "course" or "report" or settings of your own."""
    if model not in MODELS:
        raise ValueError(f"model is one of {sorted(MODELS)}, not {model!r}")
    if isinstance(preset, str) and preset not in PRESETS:
        raise ValueError(f"preset is one of {sorted(PRESETS)}, not {preset!r}")
    settings = PRESETS[preset] if isinstance(preset, str) else preset
    return MODELS[model](settings).to(memory_format=torch.channels_last)


def count_parameters(model: nn.Module) -> int:
    """The number of weights that training changes."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def best_device() -> torch.device:
    """An NVIDIA GPU where there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
