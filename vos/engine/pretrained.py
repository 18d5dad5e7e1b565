"""ImageNet weights for the backbones of the report preset (report 3.2, 3.3)."""

from pathlib import Path

import torch

from vos.files import VosError
from vos.networks import BaseModel


def load_imagenet_weights(model: BaseModel) -> None:
    """Give both backbones torchvision's VGG-16 weights (528 MB, once). VosError if they cannot be had or do not fit."""
    from torchvision.models import VGG16_Weights  # here, as importing torchvision takes a second

    weights = VGG16_Weights.IMAGENET1K_V1
    try:
        state = weights.get_state_dict(progress=True, check_hash=True)
    except Exception as error:  # torch.load raises whatever the bytes of a damaged file lead it to
        path = Path(torch.hub.get_dir()) / "checkpoints" / weights.url.rsplit("/", 1)[1]
        raise VosError(
            f"VGG-16's ImageNet weights could not be downloaded ({error}). Put {weights.url} at {path} by hand, "
            "or train without them: --from-scratch"
        ) from None
    copy_vgg16(state, model)


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
