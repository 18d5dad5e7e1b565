"""Checkpoints: a model with its settings in one file, and with what a training needs to go on from there.

Everything in the file is a tensor, number, string, list or dict, which `torch.load(weights_only=True)` reads: a
checkpoint from a stranger cannot run code. A file is whole or not there: written beside, synced, renamed.
"""

import pickle
from dataclasses import asdict
from pathlib import Path

import torch

from vos.files import VosError, written_whole
from vos.networks import MODELS, BaseModel, build
from vos.presets import NetworkSettings

LAST, PREVIOUS, BEST = "last.pt", "previous.pt", "best.pt"
ADVICE = "name one that `python -m vos train` wrote"


def write_checkpoint(path: Path, model: BaseModel, about: dict) -> None:
    """Write weights, settings and `about` (plain data). VosError where the file cannot be written."""
    checkpoint = {"model": model.state_dict(), "kind": kind_of(model), "network": asdict(model.settings)} | about
    try:
        with written_whole(path, durable=True) as temporary:
            torch.save(checkpoint, temporary)
            if path.name == LAST and path.is_file():
                path.replace(path.with_name(PREVIOUS))  # the last two are kept
    except RuntimeError as error:  # what torch makes of a full disk
        raise VosError(f"{path}: cannot be written ({first_line(error)}); free some space") from None


def kind_of(model: BaseModel) -> str:
    """ "base" or "video"."""
    return next(name for name, cls in MODELS.items() if type(model) is cls)


def read_checkpoint(path: Path) -> dict:
    """The contents of a checkpoint. VosError where it is missing, damaged, foreign or not plain data."""
    path = Path(path)
    if path.is_dir():
        raise VosError(f"{path}: is a folder; name the checkpoint in it, as {path / LAST}")
    if not path.is_file():
        raise VosError(f"{path}: no such checkpoint; `python -m vos train` writes one, `python -m vos report` both")
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, EOFError, LookupError):
        reason = "it holds more than tensors, numbers and strings, or is no PyTorch file at all"
        raise VosError(f"{path}: is no checkpoint of this project, {reason}; {ADVICE}") from None
    except Exception as error:  # torch.load raises whatever the bytes lead it to
        raise VosError(f"{path}: is damaged or cut off ({first_line(error)}); use another checkpoint") from None
    lacking = {"model", "kind", "network", "training"} - set(checkpoint if isinstance(checkpoint, dict) else ())
    if lacking:
        lacks = ", ".join(sorted(lacking))
        raise VosError(f"{path}: is no checkpoint of this project, it lacks {lacks}; {ADVICE}")
    try:
        with torch.device("meta"):  # shapes without weights: whatever the settings say, it takes no memory
            problem = misfit(checkpoint["model"], model_of(checkpoint).state_dict())
    except Exception as error:  # a foreign file may hold anything under these names
        problem = first_line(error)
    if problem:
        raise VosError(f"{path}: its weights and settings make no model of ours ({problem}); use another checkpoint")
    return checkpoint


def model_of(checkpoint: dict) -> BaseModel:
    """A new model with the settings of a checkpoint."""
    settings = {key: as_tuple(value) for key, value in checkpoint["network"].items()}
    return build(checkpoint["kind"], NetworkSettings(**settings))


def misfit(weights: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> str:
    """Why weights are not those of a model whose own are `expected`; empty where they are."""
    for key in sorted(expected.keys() | weights.keys()):
        if key not in weights or key not in expected:
            return f"{key} is {'missing' if key in expected else 'too many'}"
        if weights[key].shape != expected[key].shape:
            return f"{key} is {list(weights[key].shape)}, not {list(expected[key].shape)}"
        if not weights[key].isfinite().all():
            return f"{key} holds NaN or infinity"
    return ""


def load_checkpoint(path: Path) -> tuple[BaseModel, dict]:
    """The model of a checkpoint, in evaluation mode, and the rest of what it says; errors as `read_checkpoint`."""
    checkpoint = read_checkpoint(path)
    checkpoint.pop("state", None)
    model = model_of(checkpoint)
    model.load_state_dict(checkpoint.pop("model"))
    return model.eval(), checkpoint


def halve_checkpoint(path: Path, target: Path) -> None:
    """Copy a checkpoint with its weights in float16 and without the state of its training: a quarter of the size.

    Loading makes the weights float32 again.
    """
    checkpoint = read_checkpoint(path)
    checkpoint.pop("state", None)
    weights = checkpoint["model"]
    checkpoint["model"] = {k: v.half() if v.is_floating_point() else v for k, v in weights.items()}
    with written_whole(target) as temporary:
        torch.save(checkpoint, temporary)


def newest_checkpoint(run: Path) -> tuple[Path, dict] | None:
    """RUN/last.pt and its contents, or RUN/previous.pt where the last one is damaged; None where there is neither.

    VosError where all that is there is damaged.
    """
    problem: VosError | None = None
    for path in (run / LAST, run / PREVIOUS):
        if path.is_file():
            try:
                return path, read_checkpoint(path)
            except VosError as error:
                problem = problem or error
    if problem:
        raise problem
    return None


def as_tuple(value: object) -> object:
    """Lists, as files hold them, back as the tuples that settings hold."""
    return tuple(as_tuple(v) for v in value) if isinstance(value, list | tuple) else value


def first_line(error: Exception) -> str:
    """An exception's message in one line."""
    lines = str(error).strip().splitlines()
    return lines[0].strip() if lines else type(error).__name__
