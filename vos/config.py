"""Every setting of model, training, augmentation and inference, and the presets made of them.

All are frozen dataclasses; `dataclasses.replace` makes another one. A value that makes no sense is a ValueError.
"""

from dataclasses import dataclass

PRECISIONS = ("float32", "bfloat16")


def require(holds: bool, message: str) -> None:
    """ValueError with `message` unless `holds`."""
    if not holds:
        raise ValueError(message)


def require_one_of(config: object, name: str, values: tuple[str, ...]) -> None:
    """ValueError where the setting called `name` is none of `values`."""
    value = getattr(config, name)
    require(value in values, f"{name} must be one of {values}, not {value!r}")


@dataclass(frozen=True)
class ModelConfig:
    """What a network is made of.

    size: (H, W) in pixels that frames and masks are stretched to; H and W divide by `output_stride`.
    widths: convolution widths of the backbone, one tuple per pooling (VGG-16: its thirteen layers in five).
    state_channels: channels C of h and c.
    decoder_channels: channels after each of the upsampling blocks.
    batch_norm: BatchNorm behind each convolution of backbone, fusion and decoder. VGG-16 as published has none.
    decoder_kernel: of the decoder's convolutions; the report's are 5.
    decoder_border: what its blocks see beyond the border, "zeros" or the last values again, "replicate". With the
        latter, upsampling and convolution are computed in one (vos/fast/layers.py): fewer products with 5x5 kernels.
    state_activation: "tanh" (Shi et al., whom the report cites) or "relu" (Xu et al.): h' = o * activation(c').
    forget_bias: what the forget gate's bias starts from. Xu et al. report 1; the report is silent.
    fc_width: width of VGG-16's first fully connected layer, taken as a 7x7 convolution behind the backbone
        (Xu et al.: 4096); 0 leaves it out, as the report does.
    context_channels: widths of further 3x3 convolutions behind the last pooling, so that with few poolings a cell
        sees as much of the picture as with VGG-16's many; VGG-16 has none.
    patch: p; the first convolution has stride p and a kernel of 2p, the Decoder's last one writes p x p pixels
        (PixelShuffle). VGG-16: 1, a 3x3 convolution at every pixel.
    input_kernel: of the convolution W_x of both ConvLSTMs; the report's is 3.
    video_state_channels: channels of h_video; 0: as many as state_channels. The report does not say.
    backbone: "vgg", the stack that `widths` describes, or "efficientnet-lite0" (vos/backbones.py), which has no widths.
    frozen_norm: the statistics of EfficientNet-Lite0's BatchNorm stay as ImageNet left them.
    skips: the Decoder also sees the Encoder's finer maps (as U-Net; Ronneberger et al. 2015).
    key_channels: D, of the keys of the attention model.
    mask_weight: what the mask's weights start from where the Initializer turns four channels into three. Frames have
        values of about -2 to 2: above that, a network with random weights can tell the mask from the picture.
    """

    size: tuple[int, int]
    widths: tuple[tuple[int, ...], ...]
    state_channels: int
    decoder_channels: tuple[int, ...]
    batch_norm: bool
    decoder_kernel: int = 5
    decoder_border: str = "zeros"
    state_activation: str = "tanh"
    forget_bias: float = 1.0
    fc_width: int = 0
    context_channels: tuple[int, ...] = ()
    patch: int = 1
    input_kernel: int = 3
    video_state_channels: int = 0
    backbone: str = "vgg"
    frozen_norm: bool = True
    skips: bool = False
    key_channels: int = 64
    mask_weight: float = 1.0

    def __post_init__(self) -> None:
        stride, blocks, poolings = self.output_stride, len(self.decoder_channels), len(self.widths)
        divides = self.size[0] % stride == 0 and self.size[1] % stride == 0
        require_one_of(self, "backbone", ("vgg", "efficientnet-lite0"))
        if self.backbone == "vgg":
            require(divides, f"size {self.size} does not divide by {stride}: patch {self.patch}, {poolings} poolings")
            require(blocks == poolings, f"{blocks} decoder blocks cannot undo {poolings} poolings")
            require(not self.skips, "skips: the backbone vgg gives none; take efficientnet-lite0")
        else:
            require(self.size[0] % 16 == 0 == self.size[1] % 16, f"size {self.size} does not divide by 16")
            require((blocks, self.patch) == (2, 2), f"{blocks} decoder blocks, patch {self.patch}: both must be 2")
        require_one_of(self, "decoder_border", ("zeros", "replicate"))
        require_one_of(self, "state_activation", ("tanh", "relu"))

    @property
    def output_stride(self) -> int:
        """Pixels of the input along one side of a cell of the state."""
        return self.patch * 2 ** (len(self.widths) if self.backbone == "vgg" else 2)

    @property
    def feature_size(self) -> tuple[int, int]:
        """(h, w), the cells of the state."""
        return self.size[0] // self.output_stride, self.size[1] // self.output_stride


PRESETS = {
    "course": ModelConfig(  # for two processor cores
        size=(64, 112),
        patch=2,
        widths=((48, 64),),
        context_channels=(96, 96, 96),
        state_channels=96,
        input_kernel=1,
        video_state_channels=32,
        decoder_channels=(48,),
        decoder_kernel=3,
        batch_norm=True,
        mask_weight=5.0,
    ),
    "report": ModelConfig(  # the sizes of the report
        size=(256, 448),
        widths=((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)),
        state_channels=512,
        decoder_channels=(512, 256, 128, 64, 64),
        decoder_border="replicate",
        batch_norm=False,
    ),
    "real": ModelConfig(  # for real video on two processor cores
        size=(256, 448),
        backbone="efficientnet-lite0",
        widths=(),
        skips=True,
        patch=2,
        state_channels=96,
        input_kernel=1,
        decoder_channels=(64, 32),
        decoder_kernel=3,
        batch_norm=False,
    ),
}


@dataclass(frozen=True)
class AugmentConfig:
    """How far a clip is changed; one draw per clip, the same for all its frames.

    flip, reverse, permute: probabilities of a left-right flip, of time running backwards, of another order of
    the colour channels. turn: degrees. zoom: largest factor. shift: pixels of the model's input.
    light: largest relative change of brightness and of contrast. wobble: pixels, and as many tenths of a degree, by
    which each frame is moved on its own, as by a hand-held camera. drift: pixels, and as many tenths of a degree and
    thousandths of the size, by which each frame is moved further than the one before; bend: pixels by which the last
    frame is bent out of shape, those before it less: together they make a clip of a still. paste: probability that the
    object of the batch's next clip is pasted onto the clip, in front of its object or as what is to be followed.
    """

    flip: float = 0.5
    reverse: float = 0.25
    permute: float = 0.5
    turn: float = 8.0
    zoom: float = 1.2
    shift: float = 6.0
    light: float = 0.2
    wobble: float = 0.0
    drift: float = 0.0
    bend: float = 0.0
    paste: float = 0.0

    def __post_init__(self) -> None:
        for name in ("flip", "reverse", "permute", "paste"):
            require(0 <= getattr(self, name) <= 1, f"{name} must be a probability, not {getattr(self, name)}")
        for name in ("turn", "shift", "light", "wobble", "drift", "bend"):
            require(getattr(self, name) >= 0, f"{name} must not be negative, and is {getattr(self, name)}")
        require(self.zoom >= 1, f"zoom must be a factor of at least 1, not {self.zoom}")


NO_AUGMENTATION = AugmentConfig(flip=0, reverse=0, permute=0, turn=0, zoom=1, shift=0, light=0)


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained, and on which clips.

    iterations, minutes: training ends, its learning rate annealed, after whichever comes first; minutes None
        sets no limit and makes the result depend on the seed alone.
    curriculum: (from this fraction of the training on, clip length T, clips in a batch of all processes together).
    unannotated: (from this fraction of the training on, fraction of clips that take every frame, annotated or not).
        Frames without annotation do not count in the loss. Xu et al. lengthen clips and take such frames late, too.
    sizes: (from this fraction of the training on, H, W in pixels that clips are stretched to); none: the model's size.
    soft_iou: weight of the soft intersection over union beside binary cross entropy.
    learning_rate: its peak, after `warm_up` iterations. anneal: a cosine takes it to zero at the end; else it stays.
    backbone_rate: learning rate of backbones that come with ImageNet's weights, in units of learning_rate.
    muon: Muon's learning rate for the hidden convolutions, in units of learning_rate; 0: AdamW for all weights.
    precision: "float32", "bfloat16" (autocast), or "auto", the faster of the two, measured on this machine.
    save_memory: keep only a part of the activations and compute the others again: less memory, a third more time.
    checkpoint_every: iterations between checkpoints; 0 writes one at the end only.
    workers: processes that load clips; 0 loads them in the training process.
    augment: how clips are changed.
    strides: a clip takes every stride-th annotated frame, the stride drawn anew from these.
    late_start: of the clips of an object that enters late, the fraction that begin where it enters.
    """

    iterations: int = 1400
    minutes: float | None = None
    curriculum: tuple[tuple[float, int, int], ...] = ((0.0, 2, 24), (0.35, 5, 8), (0.65, 10, 4))
    unannotated: tuple[float, float] = (1.0, 0.0)
    sizes: tuple[tuple[float, int, int], ...] = ()
    soft_iou: float = 0.0
    learning_rate: float = 2e-3
    anneal: bool = True
    backbone_rate: float = 1.0
    muon: float = 0.0
    weight_decay: float = 1e-4
    warm_up: int = 30
    max_grad_norm: float = 1.0
    precision: str = "auto"
    save_memory: bool = False
    checkpoint_every: int = 0
    seed: int = 0
    workers: int = 0
    augment: AugmentConfig = NO_AUGMENTATION
    strides: tuple[int, ...] = (1,)
    late_start: float = 0.0

    def __post_init__(self) -> None:
        require(self.iterations >= 1, f"iterations must be at least 1, not {self.iterations}")
        require(self.minutes is None or self.minutes > 0, f"minutes must be positive or None, not {self.minutes}")
        for name, stages in (("curriculum", self.curriculum), ("sizes", self.sizes or ((0, 1, 1),))):
            begins = [begin for begin, _, _ in stages]
            ordered = begins[:1] == [0] and begins == sorted(begins) and begins[-1] <= 1
            require(ordered, f"{name} must begin at 0 and go on in order up to 1, not {begins}")
        for _, length, batch in self.curriculum:
            require(length >= 2 and batch >= 1, f"clips of {length} frames, {batch} in a batch: give at least 2 and 1")
        for name in ("learning_rate", "max_grad_norm"):
            require(getattr(self, name) > 0, f"{name} must be positive, not {getattr(self, name)}")
        for name in (
            "soft_iou",
            "backbone_rate",
            "muon",
            "weight_decay",
            "warm_up",
            "checkpoint_every",
            "seed",
            "workers",
        ):
            require(getattr(self, name) >= 0, f"{name} must not be negative, and is {getattr(self, name)}")
        require_one_of(self, "precision", ("auto", *PRECISIONS))
        require(min(self.strides, default=0) >= 1, f"strides must be numbers of at least 1, not {self.strides}")
        for fraction in (*self.unannotated, self.late_start):
            require(0 <= fraction <= 1, f"unannotated and late_start must be fractions from 0 to 1, not {fraction}")


@dataclass(frozen=True)
class InferenceConfig:
    """How probabilities become masks.

    threshold: a pixel goes to the most probable of the objects that are above it there; None: each object's best
        threshold in each frame (vos.inference.best_threshold).
    mirror: probabilities are the mean of what the model says of the video and of its mirror image, at twice the work.
    precision: "float32", or "bfloat16", twice as fast where the processor has it.
    online_steps: for each object, of learning from its first mask (vos/online.py); probabilities are then the mean of
        what the model says before and after, and not of the mirror image.
    """

    threshold: float | None = None
    mirror: bool = True
    precision: str = "float32"
    online_steps: int = 0

    def __post_init__(self) -> None:
        fraction = self.threshold is None or 0 <= self.threshold <= 1
        require(fraction, f"threshold must be a probability from 0 to 1 or None, not {self.threshold}")
        require_one_of(self, "precision", PRECISIONS)
        require(self.online_steps >= 0, f"online_steps must not be negative, and is {self.online_steps}")


COURSE_INFERENCE = InferenceConfig()
REAL_INFERENCE = InferenceConfig(mirror=False)  # what the mirror image adds to it is not worth twice the time
REPORT_INFERENCE = InferenceConfig(threshold=0.5, mirror=False)  # "we went with ... 0.5" (report 3.7), asked once


def inference_config(model: ModelConfig) -> InferenceConfig:
    """What is taken where nothing is said: what suits the preset of a model."""
    return COURSE_INFERENCE if model.backbone == "vgg" else REAL_INFERENCE
