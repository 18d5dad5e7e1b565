"""Training: the loss, the loop, and checkpoints (report 3.6)."""

import csv
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import DataLoader
from tqdm import tqdm

from vos.clips import ClipDataset
from vos.files import VosError, written_whole
from vos.networks import MODELS, BaseModel, build
from vos.optimiser import Optimiser
from vos.presets import NetworkSettings


@dataclass(frozen=True)
class TrainingSettings:
    """How a model is trained.

    iterations, minutes: training ends, its learning rate annealed, after whichever comes first; minutes None
        sets no limit and makes the result depend on the seed alone.
    stages: (from this share of the training on, clip length T, clips in a batch). Xu et al. lengthen clips too.
    learning_rate: its peak, after `warm_up` iterations; a cosine takes it to zero at the end.
    muon: Muon's learning rate for the hidden convolutions, in units of learning_rate; 0: AdamW for all weights.
    precision: "float32", "bfloat16" (autocast), or "auto", the faster of the two, measured on this machine.
    workers: processes that load clips; 0 loads them in the training process.
    """

    iterations: int = 1400
    minutes: float | None = None
    stages: tuple[tuple[float, int, int], ...] = ((0.0, 2, 24), (0.35, 5, 8), (0.65, 10, 4))
    learning_rate: float = 2e-3
    muon: float = 0.0
    weight_decay: float = 1e-4
    warm_up: int = 30
    clip_gradient: float = 1.0
    precision: str = "auto"
    seed: int = 0
    workers: int = 0


def mask_loss(logits: Tensor, masks: Tensor, weights: Tensor) -> Tensor:
    """Binary cross entropy of the predicted frames (report 3.6), averaged over pixels of the frames that count.

    logits (B, T-1, 1, H, W) for y_1..y_{T-1}; masks (B, T, 1, H, W) in {0, 1}; weights (B, T), 0 for a frame
    without annotation. Takes logits: the sigmoid is inside, once.
    """
    loss = binary_cross_entropy_with_logits(logits.float(), masks[:, 1:], reduction="none").mean(dim=(2, 3, 4))
    counted = weights[:, 1:]
    return (loss * counted).sum() / counted.sum().clamp(min=1)


def train(
    model: BaseModel, clips: ClipDataset, settings: TrainingSettings, run: Path, name: str = "", line: int = 0
) -> list[dict]:
    """Train `model` on `clips`; writes RUN/last.pt and RUN/log.csv and returns the log.

    The log holds a dict an iteration: iteration, loss, learning_rate, length (of the clips), seconds (since the
    start). Ctrl-C saves what there is before it ends the program. A loss that is not finite ends the training
    with a VosError and keeps the last checkpoint. name, line: title of the progress bar, and its line of the terminal.
    """
    torch.manual_seed(settings.seed)
    device = next(model.parameters()).device
    precision = fastest_precision(model) if settings.precision == "auto" else settings.precision
    optimiser = Optimiser(model, settings.weight_decay, settings.muon)
    numbers = BatchNumbers(settings)
    batches = iter(DataLoader(clips, batch_sampler=numbers, num_workers=settings.workers))
    log: list[dict] = []
    started = time.perf_counter()
    model.train()
    bar = tqdm(total=settings.iterations, desc=f"training {name}".strip(), unit="it", leave=False, position=line)
    try:
        for iteration in range(settings.iterations):
            seconds = time.perf_counter() - started
            done = iteration / settings.iterations
            if settings.minutes is not None:
                done = max(done, seconds / (60 * settings.minutes))
                if done >= 1:
                    break
            rate = learning_rate(settings, iteration, done)
            numbers.done = done
            batch = next(batches)
            frames, masks, weights = (batch[key].to(device) for key in ("frames", "masks", "weights"))
            with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
                logits = model(frames, masks[:, 0])
            loss = mask_loss(logits, masks, weights)
            if not torch.isfinite(loss):
                raise VosError(f"{run}: the loss of iteration {iteration} is {loss.item()}; lower the learning rate")
            model.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip_gradient)
            optimiser.step(rate)
            seconds = time.perf_counter() - started
            row = {"iteration": iteration, "loss": loss.item(), "learning_rate": rate, "length": frames.shape[1]}
            log.append({**row, "seconds": seconds})
            bar.update()
            bar.set_postfix(loss=f"{recent_loss(log):.4f}", refresh=False)
    finally:
        bar.close()
        model.eval()
        if log:
            save_checkpoint(run / "last.pt", model, settings, log, precision)
            write_log(run / "log.csv", log)
    return log


class BatchNumbers:
    """Batches of (sample number, clip length) for ClipDataset. `done`, the share of the training behind us, picks
    the stage: with a limit in minutes only the training loop knows it."""

    def __init__(self, settings: TrainingSettings) -> None:
        self.settings = settings
        self.done = 0.0

    def __len__(self) -> int:
        return self.settings.iterations

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        number = 0
        for _ in range(self.settings.iterations):
            _, length, batch = max(stage for stage in self.settings.stages if stage[0] <= self.done)
            yield [(n, length) for n in range(number, number + batch)]
            number += batch


def learning_rate(settings: TrainingSettings, iteration: int, done: float) -> float:
    """Linear warm-up, then half a cosine down to zero; `done` is the share of the training behind us, 0 to 1."""
    warm = min(1.0, (iteration + 1) / settings.warm_up) if settings.warm_up else 1.0
    return settings.learning_rate * warm * (0.5 + 0.5 * torch.cos(torch.tensor(torch.pi * done)).item())


def recent_loss(log: list[dict], window: int = 20) -> float:
    """Mean loss of the last iterations."""
    last = log[-window:]
    return sum(row["loss"] for row in last) / len(last)


def fastest_precision(model: BaseModel) -> str:
    """ "bfloat16" where this machine runs the encoder clearly faster in it, else "float32". Takes a second."""
    device = next(model.parameters()).device
    frames = torch.zeros(8, 3, *model.settings.size, device=device)
    seconds = {}
    for precision in ("float32", "bfloat16"):
        times = []
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            for _ in range(4):
                start = time.perf_counter()
                model.encoder(frames).sum().item()  # .item() waits for a GPU
                times.append(time.perf_counter() - start)
        seconds[precision] = min(times)
    return "bfloat16" if seconds["bfloat16"] < 0.8 * seconds["float32"] else "float32"


def save_checkpoint(path: Path, model: BaseModel, settings: TrainingSettings, log: list[dict], precision: str) -> None:
    """Write weights and settings as plain dicts, numbers and tensors, which `weights_only` loads."""
    names = {cls: name for name, cls in MODELS.items()}
    checkpoint = {
        "model": model.state_dict(),
        "kind": names[type(model)],
        "network": asdict(model.settings),
        "training": asdict(settings),
        "iterations": len(log),
        "minutes": log[-1]["seconds"] / 60,
        "precision": precision,
    }
    with written_whole(path) as temporary:
        torch.save(checkpoint, temporary)


def halve_checkpoint(path: Path, target: Path) -> None:
    """Copy a checkpoint with its weights in float16, half the size. Loading makes them float32 again."""
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    weights = checkpoint["model"]
    checkpoint["model"] = {k: v.half() if v.is_floating_point() else v for k, v in weights.items()}
    with written_whole(target) as temporary:
        torch.save(checkpoint, temporary)


def load_checkpoint(path: Path) -> tuple[BaseModel, dict]:
    """The model of a checkpoint, in evaluation mode, and the rest of what the file says.

    Raises VosError where the file is missing, broken, or not a checkpoint of this project.
    """
    if not Path(path).is_file():
        raise VosError(f"{path}: no such checkpoint; `python -m vos train` writes one, `python -m vos report` both")
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        settings = NetworkSettings(**{k: as_tuple(v) for k, v in checkpoint["network"].items()})
        model = build(checkpoint["kind"], settings)
        model.load_state_dict(checkpoint.pop("model"))
    except Exception as error:  # torch.load raises whatever the bytes lead it to
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise VosError(f"{path}: is no checkpoint of this project or is damaged ({reason})") from None
    return model.eval(), checkpoint


def as_tuple(value: object) -> object:
    """Lists, as files hold them, back as the tuples that settings hold."""
    return tuple(as_tuple(v) for v in value) if isinstance(value, list | tuple) else value


def write_log(path: Path, log: list[dict]) -> None:
    """The training log as CSV, whole or not at all."""
    with written_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(log[0]))
        writer.writeheader()
        writer.writerows(log)


def read_log(path: Path) -> dict[str, list[float]]:
    """A training log as columns."""
    if not Path(path).is_file():
        raise VosError(f"{path}: no such training log; `python -m vos train` writes one")
    with Path(path).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {key: [float(row[key]) for row in rows] for key in (rows[0] if rows else [])}
