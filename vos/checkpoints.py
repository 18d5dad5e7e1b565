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
    if not path.is_file():
        raise VosError(f"{path}: no such checkpoint; `python -m vos train` writes one, `python -m vos report` both")
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        reason = "it holds more than tensors, numbers and strings, or is no PyTorch file at all"
        raise VosError(f"{path}: is not loaded, as {reason}; name a checkpoint of this project") from None
    except Exception as error:  # torch.load raises whatever the bytes lead it to
        raise VosError(f"{path}: is damaged or cut off ({first_line(error)}); use another checkpoint") from None
    lacking = {"model", "kind", "network", "training"} - set(checkpoint if isinstance(checkpoint, dict) else ())
    if lacking:
        raise VosError(f"{path}: is no checkpoint of this project, it lacks {', '.join(sorted(lacking))}")
    return checkpoint


def load_checkpoint(path: Path) -> tuple[BaseModel, dict]:
    """The model of a checkpoint, in evaluation mode, and the rest of what it says; errors as `read_checkpoint`."""
    checkpoint = read_checkpoint(path)
    checkpoint.pop("state", None)
    try:
        settings = NetworkSettings(**{key: as_tuple(value) for key, value in checkpoint["network"].items()})
        model = build(checkpoint["kind"], settings)
        model.load_state_dict(checkpoint.pop("model"))
    except Exception as error:  # a foreign file may hold anything under these names
        raise VosError(f"{path}: its weights and settings make no model of ours ({first_line(error)})") from None
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
