"""The optimizer: AdamW, and Muon, with which the course learns in fewer steps. Skip it on a first reading."""

import torch
from torch import Tensor, nn


class Optimizer:
    """AdamW, and where it is asked for Muon for the convolutions between hidden layers, behind one `step`.

    Muon (Jordan et al. 2024) reads the gradient of a convolution as one matrix, outputs x (inputs * kernel), and steps
    along the nearest matrix whose singular values are all equal: all directions are learnt equally fast, also the
    many weak ones. The first and last layers, biases and BatchNorm stay with AdamW.

    model: its convolutions in channels_last, as `vos.networks.build` makes them; such a weight is a matrix without
    a copy. muon: learning rate of Muon in units of AdamW's; 0 leaves all weights to AdamW. weight_decay: AdamW's.
    backbone_rate: learning rate of the backbones (with AdamW, then) in the same units.
    """

    def __init__(self, model: nn.Module, weight_decay: float, muon: float = 0.0, backbone_rate: float = 1.0) -> None:
        backbones = [w for name, w in model.named_parameters() if ".backbone." in name and backbone_rate != 1]
        slower = {id(w) for w in backbones}
        self.convolutions = [w for w in model.parameters() if muon and is_hidden_convolution(w) and id(w) not in slower]
        self.matrices = [nn.Parameter(as_matrix(w.detach())) for w in self.convolutions]
        taken = slower | {id(w) for w in self.convolutions}
        others = [w for w in model.parameters() if id(w) not in taken]
        adamw = torch.optim.AdamW(others, weight_decay=weight_decay, fused=True)
        self.parts: list[tuple[torch.optim.Optimizer, float]] = [(adamw, 1.0)]
        if backbones:
            self.parts.append((torch.optim.AdamW(backbones, weight_decay=weight_decay, fused=True), backbone_rate))
        self.muon = Muon(self.matrices) if self.matrices else None
        if self.muon:
            self.parts.append((self.muon, muon))

    def step(self, rate: float, precision: str = "float32") -> None:
        """Change the weights by their gradients; rate: AdamW's learning rate; precision: of Muon's products."""
        for matrix, weight in zip(self.matrices, self.convolutions, strict=True):
            assert weight.grad is not None
            matrix.grad = as_matrix(weight.grad.contiguous(memory_format=torch.channels_last))
        if self.muon:
            self.muon.dtype = getattr(torch, precision)
        for optimizer, factor in self.parts:
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
            optimizer.step()

    def state_dict(self) -> list[dict]:
        """What the steps so far have left behind, as plain data."""
        return [optimizer.state_dict() for optimizer, _ in self.parts]

    def load_state_dict(self, states: list[dict]) -> None:
        """Go on as after these steps."""
        for (optimizer, _), state in zip(self.parts, states, strict=True):
            optimizer.load_state_dict(state)


class Muon(torch.optim.Optimizer):
    """torch.optim.Muon, but its products are of a dtype that can be chosen.

    PyTorch's takes bfloat16, in which a processor that only imitates it computes twenty times as long as in float32:
    there a course step spent half of its time in it.
    """

    def __init__(self, matrices: list[nn.Parameter], momentum: float = 0.95) -> None:
        super().__init__(matrices, {"lr": 0.0, "momentum": momentum})
        self.dtype = torch.float32

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for matrix in group["params"]:
                state, momentum = self.state[matrix], group["momentum"]
                if not state:
                    state["momentum_buffer"] = torch.zeros_like(matrix)
                mean = state["momentum_buffer"].lerp_(matrix.grad, 1 - momentum)
                direction = orthogonal(matrix.grad.lerp(mean, momentum).to(self.dtype))
                # As long as AdamW's steps (Liu et al. 2025).
                matrix.sub_(direction, alpha=group["lr"] * 0.2 * max(matrix.shape) ** 0.5)


def orthogonal(matrix: Tensor) -> Tensor:
    """The matrix with all singular values near 1, by five rounds of Newton and Schulz (Jordan et al. 2024)."""
    if matrix.shape[0] > matrix.shape[1]:
        return orthogonal(matrix.T).T
    x = matrix / matrix.norm().clamp(min=1e-7)
    for _ in range(5):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
    return x


def is_hidden_convolution(weight: Tensor) -> bool:
    """Whether a weight is of a convolution that neither reads the picture nor writes the mask."""
    return weight.ndim == 4 and min(weight.shape[:2]) > 4


def as_matrix(weight: Tensor) -> Tensor:
    """(outputs, inputs, k, k) in channels_last -> (outputs, k * k * inputs), sharing its memory."""
    return weight.permute(0, 2, 3, 1).view(len(weight), -1)
