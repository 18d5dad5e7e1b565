"""Training: the loss, the schedule and the loop (report 3.6), from one core to many processes.

A training is a pure function of its settings and the number of steps done: sample numbers say what a batch holds
(vos.clips), and a checkpoint holds all that a step changes. So one that was killed goes on as if it had not been.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import DataLoader
from tqdm import tqdm

from vos.checkpoints import BEST, LAST, as_tuple, kind_of, newest_checkpoint, write_checkpoint
from vos.clips import ClipDataset, DrawnClips, finished_batch, gathered
from vos.files import VosError
from vos.interrupts import ignore_interrupts, interrupts_noted
from vos.networks import BaseModel
from vos.optimiser import Optimiser
from vos.parallel import Ranks, from_first, single, summed, wrapped
from vos.schedule import BatchNumbers, TrainingSettings, learning_rate
from vos.training_log import progress_words, write_log

MAY_CHANGE = {"iterations", "minutes", "workers", "checkpoint_every"}  # when a training is taken up again


def frame_losses(logits: Tensor, masks: Tensor) -> Tensor:
    """Binary cross entropy of every predicted frame, (B, T-1), averaged over its pixels (report 3.6).

    logits (B, T-1, 1, H, W) for y_1..y_{T-1}; masks (B, T, 1, H, W) in {0, 1}. The sigmoid is inside, once.
    """
    return binary_cross_entropy_with_logits(logits.float(), masks[:, 1:], reduction="none").mean(dim=(2, 3, 4))


def mask_loss(logits: Tensor, masks: Tensor, weights: Tensor) -> Tensor:
    """The mean of `frame_losses` over the frames that count; weights (B, T), 0 for a frame without annotation."""
    counted = weights[:, 1:]
    return (frame_losses(logits, masks) * counted).sum() / counted.sum().clamp(min=1)


class Training:
    """A training under way: all that changes from step to step, and how it is written down and taken up again.

    held_out: samples of clips the training never sees; with them RUN/best.pt keeps the weights of the highest J.
    """

    def __init__(
        self,
        model: BaseModel,
        clips: ClipDataset,
        settings: TrainingSettings,
        run: Path,
        ranks: Ranks | None = None,
        held_out: Sequence[dict[str, Tensor]] = (),
    ) -> None:
        self.model, self.settings, self.run, self.held_out = model, settings, Path(run), held_out
        self.ranks = ranks or single()
        self.optimiser = Optimiser(model, settings.weight_decay, settings.muon)
        measured = settings.precision == "auto"
        self.precision = from_first(fastest_precision(model), self.ranks) if measured else settings.precision
        self.batches = BatchNumbers(settings, self.ranks.rank, self.ranks.count)
        self.clips, self.log = clips, []
        self.iteration, self.number, self.seconds, self.best, self.saved = 0, 0, 0.0, -1.0, 0
        self.parallel = wrapped(model, self.ranks)
        model.save_memory = settings.save_memory

    def restore(self) -> Path | None:
        """Go on from RUN's newest checkpoint, if there is one; returns its path. VosError where it does not fit."""
        found = from_first(newest_checkpoint(self.run) if self.ranks.first else None, self.ranks)
        if found is None:
            return None
        path, checkpoint = found
        try:
            self.take_up(checkpoint, path)
        except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise VosError(f"{path}: holds no state of a training to go on with ({error!r}); start anew") from None
        return path

    def take_up(self, checkpoint: dict, path: Path) -> None:
        """Be where the training of a checkpoint was. VosError where it was made with other settings."""
        model = {"kind": kind_of(self.model)} | asdict(self.model.settings)
        saved = {"kind": checkpoint["kind"]} | checkpoint["network"]
        for held, wanted in ((saved, model), (checkpoint["training"], asdict(self.settings))):
            held = {key: as_tuple(value) for key, value in held.items()}
            odd = [k for k, v in wanted.items() if k not in MAY_CHANGE and held.get(k, v) != v]
            if odd:
                was = ", ".join(f"{key} {held[key]}" for key in odd)
                raise VosError(f"{path}: was made with {was}; give the same options, or another --out")
        state = checkpoint["state"]
        self.model.load_state_dict(checkpoint["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.iteration, self.number = checkpoint["iterations"], state["number"]
        self.saved, self.log = self.iteration, state["log"]
        self.seconds, self.best, self.precision = state["seconds"], state["best"], checkpoint["precision"]
        torch.set_rng_state(state["random"])
        if self.ranks.device.type == "cuda":
            torch.cuda.set_rng_state(state["random_cuda"], self.ranks.device)

    def save(self, name: str = LAST) -> None:
        """Write RUN/<name> (the first process does), and keep the last checkpoint before it."""
        if not self.ranks.first:
            return
        cuda = self.ranks.device.type == "cuda"
        state = {
            "optimiser": self.optimiser.state_dict(),
            "number": self.number,
            "seconds": self.seconds,
            "best": self.best,
            "log": self.log,
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state(self.ranks.device) if cuda else None,
        }
        about = {
            "training": asdict(self.settings),
            "iterations": self.iteration,
            "minutes": self.seconds / 60,
            "precision": self.precision,
            "state": state,
        }
        write_checkpoint(self.run / name, self.model, about)
        write_log(self.run / "log.csv", self.log)
        self.saved = self.iteration if name == LAST else self.saved

    def done(self) -> float:
        """The share of the training behind us, 0 to 1: of iterations or of minutes, whichever is further."""
        limit = self.settings.minutes
        return min(1.0, max(self.iteration / self.settings.iterations, self.seconds / (60 * limit) if limit else 0.0))

    def step(self, batch: dict[str, Tensor], done: float, stop: bool = False) -> bool:
        """One step on this process's share of a batch; returns whether any process was asked to stop."""
        frames, masks, counted = batch["frames"], batch["masks"], batch["weights"][:, 1:]
        frames_counted, stops = summed([counted.sum().item(), float(stop)], self.ranks)
        with torch.autocast(self.ranks.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            logits = self.parallel(frames, masks[:, 0])
        # Over the frames of all processes, whose mean gradient, times their number, is then that of one process.
        loss = (frame_losses(logits, masks) * counted).sum() / max(frames_counted, 1)
        (total,) = summed([loss.item()], self.ranks)
        if not torch.isfinite(torch.tensor(total)):
            raise VosError(f"{self.run}: the loss of iteration {self.iteration} is {total}; lower the learning rate")
        self.model.zero_grad(set_to_none=True)
        (loss * self.ranks.count).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip_gradient)
        rate = learning_rate(self.settings, self.iteration, done)
        self.optimiser.step(rate)
        row = {"iteration": self.iteration, "loss": total, "learning_rate": rate, "length": frames.shape[1]}
        self.log.append(row)
        self.iteration += 1
        self.number += len(frames) * self.ranks.count
        return stops > 0

    @torch.no_grad()
    def validate(self) -> float:
        """Mean J over the predicted frames of the held-out clips, at the model's size, masks at one half."""
        self.model.eval()
        values = []
        for clip in self.held_out:
            frames, masks = clip["frames"][None].to(self.ranks.device), clip["masks"].to(self.ranks.device)
            predicted, truth = self.model(frames, masks[None, 0])[0] > 0, masks[1:] > 0
            union = (predicted | truth).sum(dim=(1, 2, 3))
            J = torch.where(union > 0, (predicted & truth).sum(dim=(1, 2, 3)) / union, 1.0)
            values += J[clip["weights"][1:].to(J.device) > 0].tolist()
        self.model.train()
        return sum(values) / len(values)

    def loader(self) -> Iterator[dict[str, Tensor]]:
        """The batches from here on, drawn; `next_batch` finishes them."""
        self.batches.begin(self.iteration, self.number)
        pinned = self.ranks.device.type == "cuda"
        workers = self.settings.workers
        return iter(
            DataLoader(
                DrawnClips(self.clips),
                batch_sampler=self.batches,
                collate_fn=gathered,
                num_workers=workers,
                pin_memory=pinned,
                worker_init_fn=ignore_interrupts if workers else None,
            )
        )

    def next_batch(self, batches: Iterator[dict[str, Tensor]]) -> dict[str, Tensor]:
        """The next batch, on the model's device; where a file cannot be read, what has been learnt is saved first."""
        try:
            return finished_batch(next(batches), self.ranks.device)
        except VosError as error:
            self.checkpoint()
            # From a loading process the message comes with a traceback before it.
            raise VosError(str(error).strip().splitlines()[-1].removeprefix("vos.files.VosError: ")) from None

    def checkpoint(self, watch: Callable[[list[dict]], None] | None = None, last: bool = False) -> None:
        """Validate and write files. Until the last time, a disk that is full is said, and the training goes on."""
        if not (self.ranks.first and self.log):
            return
        J = -1.0
        if self.held_out:
            J = self.log[-1]["held_out_J"] = self.validate()
        try:
            if self.best < J:
                self.best = J
                self.save(BEST)
            self.save()
            if watch:
                watch(self.log)
        except VosError as error:
            if last:
                raise
            tqdm.write(f"vos: {error}; the training goes on", file=sys.stderr)


def train(
    model: BaseModel,
    clips: ClipDataset,
    settings: TrainingSettings,
    run: Path,
    name: str = "",
    line: int = 0,
    ranks: Ranks | None = None,
    held_out: Sequence[dict[str, Tensor]] = (),
    resume: bool = False,
    watch: Callable[[list[dict]], None] | None = None,
) -> list[dict]:
    """Train `model` on `clips`; writes RUN/last.pt and RUN/log.csv and returns the log.

    The log holds a dict an iteration: iteration, loss, learning_rate, length (of the clips), seconds (since the
    start), and held_out_J at checkpoints. Ctrl-C saves, says how to go on and ends the program. A loss that is not
    finite ends the training with a VosError and keeps the last checkpoint. name, line: title of the progress bar, and
    its line of the terminal. ranks, held_out: as in `Training`. resume: go on from RUN's newest checkpoint. watch: is
    shown the log at every checkpoint.
    """
    torch.manual_seed(settings.seed)
    training = Training(model, clips, settings, run, ranks, held_out)
    path = training.restore() if resume else None
    if resume and training.ranks.first:
        tqdm.write(
            f"{path}: going on after iteration {training.iteration}" if path else f"{run}: nothing to go on from"
        )
    batches = training.loader()
    model.train()
    started = time.perf_counter() - training.seconds
    title = f"training {name}".strip()
    bar = tqdm(
        desc=title,
        total=settings.iterations,
        initial=training.iteration,
        leave=False,
        unit="it",
        position=line,
        disable=None if training.ranks.first else True,  # None: shown on a terminal only
    )
    try:
        with interrupts_noted() as signals:
            while (done := training.done()) < 1:
                training.batches.done = done
                stopped = training.step(training.next_batch(batches), done, stop=bool(signals))
                clock = time.perf_counter() - started if training.ranks.first else 0.0  # one clock for all processes
                (training.seconds,) = summed([clock], training.ranks)
                training.log[-1]["seconds"] = training.seconds
                bar.update()
                bar.set_postfix(progress_words(training.log, training.seconds, training.done()), refresh=False)
                every = settings.checkpoint_every
                if stopped or (every and training.iteration % every == 0):
                    training.checkpoint(watch)
                if stopped:
                    how = f"{run / LAST} holds iteration {training.iteration}; the same command with --resume goes on"
                    raise KeyboardInterrupt(how)
        if training.saved < training.iteration:
            training.checkpoint(watch, last=True)
    finally:
        bar.close()
        model.eval()
    return training.log


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
