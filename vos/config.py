"""What a network is made of, and the two presets: `course` for two processor cores, `report` as the report had it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NetworkSettings:
    """What a network is made of. `course` and `report` below are the two presets.

    size: (H, W) in pixels that frames and masks are stretched to; H and W divide by `scale`.
    patch: pixels in a row or column that the first convolution of the backbone takes as one (it steps by `patch` and
        is twice as wide); the Decoder's last convolution writes patch x patch pixels at once. VGG-16: 1, its first
        convolution is 3x3 at every pixel.
    stages: convolution widths of the backbone, one tuple per pooling stage (VGG-16: its thirteen layers).
    state: channels C of h and c. decoder: channels after each of the upsampling blocks.
    decoder_kernel: of the decoder's convolutions; the report's are 5.
    decoder_border: what its blocks see beyond the border, "zeros" or the last values again, "replicate". With the
        latter, upsampling and convolution are calculated in one (vos/upsampling.py): fewer products with 5x5 kernels,
        as many with 3x3.
    normalise: BatchNorm behind each convolution of backbone, fusion and decoder. VGG-16 as published has none.
    state_activation: "tanh" (Shi et al.) or "relu": h' = o * activation(c'). Xu et al. report ReLU; the report
        is silent and cites Shi et al.
    forget_bias: what the forget gate's bias starts from. Xu et al. report 1; the report is silent.
    fc_width: width of VGG-16's first fully connected layer, taken as a 7x7 convolution behind the backbone
        (Xu et al.: 4096); 0 leaves it out, as the report does.
    context: widths of further 3x3 convolutions behind the last pooling. With few poolings they let a cell see
        as much of the picture as VGG-16's deeper stages do; VGG-16 has none.
    input_kernel: of the convolution W_x of both ConvLSTMs; the report's is 3. What it reads has been through the 3x3
        convolutions of the Encoder.
    video_state: channels of the video ConvLSTM's state, of which h_video is the last; 0: as many as `state`. The
        report does not say.
    mask_weight: what the mask's weights start from where the Initializer turns four channels into three. The
        frame has values of about -2 to 2. Above that, a network that starts from random weights can tell the
        mask from the picture it is painted on; ImageNet weights know nothing beyond.
    """

    size: tuple[int, int]
    stages: tuple[tuple[int, ...], ...]
    state: int
    decoder: tuple[int, ...]
    normalise: bool
    decoder_kernel: int = 5
    decoder_border: str = "zeros"
    state_activation: str = "tanh"
    forget_bias: float = 1.0
    fc_width: int = 0
    context: tuple[int, ...] = ()
    patch: int = 1
    input_kernel: int = 3
    video_state: int = 0
    mask_weight: float = 1.0

    def __post_init__(self) -> None:
        if self.size[0] % self.scale or self.size[1] % self.scale:
            raise ValueError(
                f"size {self.size} does not divide by {self.scale}: patch {self.patch}, {len(self.stages)} stages"
            )
        if len(self.decoder) != len(self.stages):
            raise ValueError(f"{len(self.decoder)} decoder blocks cannot undo {len(self.stages)} poolings")
        if self.decoder_border not in ("zeros", "replicate"):
            raise ValueError(f"decoder_border is 'zeros' or 'replicate', not {self.decoder_border!r}")
        if self.state_activation not in ("tanh", "relu"):
            raise ValueError(f"state_activation is 'tanh' or 'relu', not {self.state_activation!r}")

    @property
    def scale(self) -> int:
        """Pixels of the input along one side of a cell of the state."""
        return self.patch * 2 ** len(self.stages)

    @property
    def grid(self) -> tuple[int, int]:
        """(h, w), the cells of the state."""
        return self.size[0] // self.scale, self.size[1] // self.scale


PRESETS = {
    "course": NetworkSettings(
        size=(64, 112),
        patch=2,
        stages=((48, 64),),
        context=(96, 96, 96),
        state=96,
        input_kernel=1,
        video_state=32,
        decoder=(48,),
        decoder_kernel=3,
        normalise=True,
        mask_weight=5.0,
    ),
    "report": NetworkSettings(
        size=(256, 448),
        stages=((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)),
        state=512,
        decoder=(512, 256, 128, 64, 64),
        decoder_border="replicate",
        normalise=False,
    ),
}
