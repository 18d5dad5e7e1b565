"""Checkpoints: a model with its settings in one file, and with what a training needs to go on from there.

Everything in the file is a tensor, number, string, list or dict, which `torch.load(weights_only=True)` reads: a
checkpoint from a stranger cannot run code. A file is whole or not there: written beside, synced, renamed.
"""

import pickle
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import torch

from vos.config import ModelConfig
from vos.files import VosError, first_line
from vos.files.atomic import written_whole
from vos.networks import MODELS, BaseModel, build

LAST, PREVIOUS, BEST = "last.pt", "previous.pt", "best.pt"
ADVICE = "name one that `python -m vos train` wrote"


def write_checkpoint(path: Path, model: BaseModel, metadata: dict, keep_previous: bool = False) -> None:
    """Write weights, config and plain `metadata`; keep_previous: the old file as previous.pt. VosError if it fails."""
    try:
        with written_whole(path, durable=True) as temporary:
            torch.save(contents(model, model.state_dict(), metadata), temporary)
            if keep_previous and path.is_file():
                path.replace(path.with_name(PREVIOUS))
    except RuntimeError as error:  # what torch makes of a full disk
        raise VosError(f"{path}: cannot be written ({first_line(error)}); free some space") from None


def contents(model: BaseModel, weights: dict[str, torch.Tensor], metadata: dict) -> dict:
    """What a checkpoint holds."""
    return {"model": weights, "kind": name_of(model), "model_config": asdict(model.config)} | metadata


def name_of(model: BaseModel) -> str:
    """ "base" or "updated"."""
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
        reason = "it holds more than tensors, numbers and strings, or is not a PyTorch file at all"
        raise VosError(f"{path}: is not a checkpoint of this project, {reason}; {ADVICE}") from None
    except Exception as error:  # torch.load raises whatever the bytes lead it to
        raise VosError(f"{path}: is damaged or cut off ({first_line(error)}); use another checkpoint") from None
    found = checkpoint if isinstance(checkpoint, dict) else ()
    if lacking := {"model", "kind", "model_config", "train_config"}.difference(found):
        raise VosError(f"{path}: is not a checkpoint of this project, it lacks {', '.join(sorted(lacking))}; {ADVICE}")
    try:
        with torch.device("meta"):  # shapes without weights: whatever the config says, it takes no memory
            problem = misfit(checkpoint["model"], model_of(checkpoint).state_dict())
    except Exception as error:  # a foreign file may hold anything under these names
        problem = first_line(error)
    if problem:
        raise VosError(f"{path}: its weights and config make no model of ours ({problem}); use another checkpoint")
    return checkpoint


def model_of(checkpoint: dict) -> BaseModel:
    """A new model with the config of a checkpoint."""
    return build(checkpoint["kind"], ModelConfig(**plain(checkpoint["model_config"])))


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


def export_checkpoint(model: BaseModel, metadata: dict, path: Path) -> None:
    """Write a model in float16 (loading makes it float32) and no state of its training: a quarter of the size."""
    half = {key: v.half() if v.is_floating_point() else v for key, v in model.state_dict().items()}
    with written_whole(path) as temporary:
        torch.save(contents(model, half, {key: v for key, v in metadata.items() if key != "state"}), temporary)


def newest_checkpoint(run: Path) -> tuple[Path, dict] | None:
    """RUN/last.pt or, if damaged, previous.pt, and its contents; None if neither is there, VosError if none whole."""
    paths = [path for path in (run / LAST, run / PREVIOUS) if path.is_file()]
    for path in paths:
        with suppress(VosError):
            return path, read_checkpoint(path)
    return (paths[0], read_checkpoint(paths[0])) if paths else None  # read again, to say what is wrong with it


def plain(value):
    """A config as files hold it, or as `dataclasses.asdict` makes it: with tuples for all lists."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return tuple(plain(item) for item in value) if isinstance(value, list | tuple) else value
