"""A training on disk: the step of vos/training.py with checkpoints, exact resume, validation, one process or many.

A training is a pure function of its config and the number of steps done: sample numbers say what a batch holds
(vos/clips.py), and a checkpoint holds all that a step changes. So one that was killed goes on as if it had not been.
"""

import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from vos.clips import Batch, Clip, ClipDataset, MixedClips, RawBatch, RawClips, collate_clips, prepare_batch
from vos.config import TrainConfig
from vos.data import Videos
from vos.engine.checkpoints import BEST, LAST, name_of, newest_checkpoint, plain, write_checkpoint
from vos.engine.distributed import Distributed, all_reduce_sum, broadcast, wrap_ddp
from vos.engine.log import write_log
from vos.fast.optimizer import Optimizer
from vos.fast.precision import fastest_precision
from vos.files import VosError
from vos.metrics import region_similarity
from vos.networks import BaseModel
from vos.training import ClipBatchSampler, Log, learning_rate, progress, size_at, train_step

RESUMABLE = {"iterations", "minutes", "workers", "checkpoint_every"}  # may change when a training is resumed
KEPT = ("sample_index", "seconds", "best", "log")  # of a Trainer, in the state of a checkpoint under these names
MAX_VAL_CLIPS = 32  # they stay in memory


def clips_for(model: BaseModel, videos: Sequence, config: TrainConfig) -> ClipDataset:
    """The clips of `videos` as a config asks for them, at the model's size."""
    return ClipDataset(videos, model.config.size, config.strides, config.augment, config.seed, config.late_start)


def held_out_clips(model: BaseModel, videos: Sequence, config: TrainConfig) -> list[Clip]:
    """Up to MAX_VAL_CLIPS clips of `videos`, as long as the training's longest, to measure J on."""
    clips = ClipDataset(videos, model.config.size, seed=config.seed, cache=False)
    longest = max(length for _, length, _ in config.curriculum)
    return [clips[number, longest] for number in range(min(len(clips), MAX_VAL_CLIPS))]


def split_videos(videos: Videos, every: int) -> tuple[Videos, Videos]:
    """(to train on, to measure J on): every so many-th video is held out; 0 holds out none."""
    seen = [video for i, video in enumerate(videos, 1) if not every or i % every]
    return Videos(seen), Videos(videos[every - 1 :: every] if every else ())


@contextmanager
def interrupts_noted() -> Iterator[list[int]]:
    """Ctrl-C (and a polite kill) fill the list, so that a step is always finished; a second one ends at once."""
    signals: list[int] = []

    def note(number: int, frame: object) -> None:
        if signals:
            raise KeyboardInterrupt
        signals.append(number)

    heard = threading.current_thread() is threading.main_thread()  # elsewhere no signal ever arrives
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM) if heard}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_interrupts(worker: int) -> None:
    """A process that loads clips leaves Ctrl-C to the training, which ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def check_shared_memory(config: TrainConfig, size: tuple[int, int]) -> None:
    """VosError where /dev/shm is too small for what loading processes hand on; they would wait for ever."""
    shared = Path("/dev/shm")
    largest = max(batch * length for _, length, batch in config.curriculum) * size[0] * size[1] * 4  # RGB and a mask
    needed = 2 * config.workers * largest  # each process is two batches ahead
    if shared.is_dir() and (free := shutil.disk_usage(shared).free) < needed:
        fault = f"has {free / 1e6:.0f} MB free, and --workers {config.workers} needs {needed / 1e6:.0f} MB"
        advice = "enlarge it (docker run --shm-size=...), or give --workers 0 or a smaller --batch"
        raise VosError(f"{shared}: {fault}; {advice}")


class Trainer:
    """A training under way: all that changes from step to step, and how it is written down and resumed.

    clips: to train on. run_dir: where last.pt, best.pt and log.csv go. dist: this process among those that train
    together. val_clips: clips that the training never sees; with them best.pt keeps the weights of the highest J.
    on_step: is shown the log and the fraction that is done. on_checkpoint: is shown the log. clock: seconds, for a
    limit in minutes; `time.process_time` counts what this process computes, beside other work.
    """

    def __init__(
        self,
        model: BaseModel,
        clips: ClipDataset | MixedClips,
        config: TrainConfig,
        run_dir: Path,
        *,
        dist: Distributed | None = None,
        val_clips: Sequence[Clip] = (),
        on_step: Callable[[Log, float], None] = lambda log, done: None,
        on_checkpoint: Callable[[Log], None] = lambda log: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        torch.manual_seed(config.seed)
        self.dist = dist or Distributed()
        self.model, self.config, self.run_dir, self.val_clips = model.to(self.dist.device), config, run_dir, val_clips
        self.on_step, self.on_checkpoint, self.clock = on_step, on_checkpoint, clock
        self.optimizer = Optimizer(model, config.weight_decay, config.muon, config.backbone_rate)
        self.precision = config.precision
        if config.precision == "auto":
            self.precision = broadcast(fastest_precision(model.encoder, model.config.size), self.dist)
        self.sampler = ClipBatchSampler(config, self.progress, self.dist.rank, self.dist.world_size)
        self.clips, self.log = clips, Log()
        self.iteration, self.sample_index, self.seconds, self.best, self.saved = 0, 0, 0.0, -1.0, 0
        self.parallel = wrap_ddp(model, self.dist)
        model.save_memory = config.save_memory

    def progress(self) -> float:
        """The fraction of the training behind us, 0 to 1."""
        return progress(self.config, self.iteration, self.seconds)

    def fit(self, resume: bool = False) -> Log:
        """Train to the end and return the log; writes RUN/last.pt and RUN/log.csv.

        The log has val_J at checkpoints, where there are clips to measure it on. resume: go on from RUN's newest
        checkpoint. Ctrl-C saves, says how to go on and ends the program. A loss that is not finite ends the training
        with a VosError and keeps the last checkpoint.
        """
        if resume:
            self.resume()
        batches = self.loader()
        self.model.train()
        started = self.clock() - self.seconds
        try:
            with interrupts_noted() as signals:
                while self.progress() < 1:
                    self.step(self.next_batch(batches))
                    # One clock for all processes; and all stop where one was asked to.
                    seconds = self.clock() - started if self.dist.is_main else 0.0
                    self.seconds, stops = all_reduce_sum([seconds, float(bool(signals))], self.dist)
                    self.log[-1]["seconds"] = self.seconds
                    self.on_step(self.log, self.progress())
                    every = self.config.checkpoint_every
                    if stops or (every and self.iteration % every == 0):
                        self.checkpoint()
                    if stops:
                        where = f"{self.run_dir / LAST} holds iteration {self.iteration}"
                        raise KeyboardInterrupt(f"{where}; the same command with --resume goes on")
            if self.saved < self.iteration:
                self.checkpoint(last=True)
        finally:
            self.model.eval()
        return self.log

    def step(self, batch: Batch) -> None:
        """One step on this process's share of a batch, and its row of the log."""
        rate, length = learning_rate(self.config, self.iteration, self.progress()), batch.frames.shape[1]
        config, together = self.config, (partial(all_reduce_sum, dist=self.dist), self.dist.world_size)
        how = config.max_grad_norm, self.precision, config.soft_iou, *together
        try:
            loss = train_step(self.parallel, self.optimizer, batch, rate, *how)
        except FloatingPointError as error:
            raise VosError(f"{self.run_dir}: iteration {self.iteration}: {error}; lower the learning rate") from None
        self.log.append({"iteration": self.iteration, "loss": loss, "learning_rate": rate, "length": length})
        self.iteration += 1
        self.sample_index += len(batch.frames) * self.dist.world_size

    def loader(self) -> Iterator[RawBatch]:
        """The batches from here on; `prepare_batch` is still to be applied."""
        self.sampler.begin(self.iteration, self.sample_index)
        pin, workers = self.dist.device.type == "cuda", self.config.workers
        if workers:
            check_shared_memory(self.config, self.model.config.size)
        how: dict[str, Any] = {"collate_fn": collate_clips, "worker_init_fn": ignore_interrupts, "pin_memory": pin}
        return iter(DataLoader(RawClips(self.clips), batch_sampler=self.sampler, num_workers=workers, **how))

    def next_batch(self, batches: Iterator[RawBatch]) -> Batch:
        """The next batch, on the model's device; where a file cannot be read, what has been learnt is saved first."""
        try:
            return prepare_batch(next(batches), self.dist.device, size_at(self.config, self.progress()))
        except VosError as error:
            self.checkpoint()
            # From a loading process the message comes with a traceback before it.
            message = str(error).strip().splitlines()[-1]
            raise VosError(message.removeprefix(f"{VosError.__module__}.VosError: ")) from None

    def checkpoint(self, last: bool = False) -> None:
        """Validate and write files. A full disk is reported and training continues; the `last` checkpoint raises."""
        if not (self.dist.is_main and self.log):
            return
        try:
            if self.val_clips:
                J = self.log[-1]["val_J"] = self.validate()
                if J > self.best:
                    self.best = J
                    self.save(BEST)
            self.save()
            self.on_checkpoint(self.log)
        except VosError as error:
            if last:
                raise
            tqdm.write(f"vos: {error}; the training goes on", file=sys.stderr)

    @torch.no_grad()
    def validate(self) -> float:
        """Mean J over the predicted frames of the held-out clips, at the model's size, masks at one half."""
        training = self.model.training
        self.model.eval()
        values = []
        for clip in self.val_clips:
            frames, masks = clip.frames[None].to(self.dist.device), clip.masks.to(self.dist.device)
            predicted, truth = self.model(frames, masks[None, 0])[0, :, 0] > 0, masks[1:, 0] > 0
            counted = (clip.frame_weights[1:] > 0).tolist()
            pairs = zip(predicted.cpu().numpy(), truth.cpu().numpy(), counted, strict=True)
            values += [region_similarity(mask, true) for mask, true, counts in pairs if counts]
        self.model.train(training)
        return sum(values) / len(values)

    def save(self, name: str = LAST) -> None:
        """Write RUN/<name> and RUN/log.csv, and keep the last checkpoint before it."""
        random_cuda = torch.cuda.get_rng_state(self.dist.device) if self.dist.device.type == "cuda" else None
        random = {"random": torch.get_rng_state(), "random_cuda": random_cuda}
        state = {key: getattr(self, key) for key in KEPT} | {"optimizer": self.optimizer.state_dict()} | random
        metadata = {"train_config": asdict(self.config), "iterations": self.iteration, "minutes": self.seconds / 60}
        metadata |= {"precision": self.precision, "state": state}
        write_checkpoint(self.run_dir / name, self.model, metadata, keep_previous=name == LAST)
        write_log(self.run_dir / "log.csv", self.log)
        self.saved = self.iteration if name == LAST else self.saved

    def resume(self) -> None:
        """Go on from RUN's newest checkpoint, if there is one. VosError where it does not fit."""
        found = broadcast(newest_checkpoint(self.run_dir) if self.dist.is_main else None, self.dist)
        said = f"{self.run_dir}: nothing to go on from"
        if found:
            path, checkpoint = found
            try:
                self.load_state(checkpoint, path)
            except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
                raise VosError(f"{path}: holds no state of a training to go on with ({error!r}); start anew") from None
            said = f"{path}: going on after iteration {self.iteration}"
        if self.dist.is_main:
            tqdm.write(said)

    def load_state(self, checkpoint: dict, path: Path) -> None:
        """Be where the training of a checkpoint was. VosError where it was made with another config."""
        model = {"kind": name_of(self.model)} | asdict(self.model.config)
        saved = {"kind": checkpoint["kind"]} | checkpoint["model_config"]
        for held, wanted in ((saved, model), (checkpoint["train_config"], asdict(self.config))):
            held, wanted = plain(held), plain(wanted)
            odd = [key for key, value in wanted.items() if key not in RESUMABLE and held.get(key, value) != value]
            if odd:
                was = ", ".join(f"{key} {held[key]}" for key in odd)
                raise VosError(f"{path}: was made with {was}; give the same options, or another --out")
        state = checkpoint["state"]
        self.model.load_state_dict(checkpoint["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        for key in KEPT:
            setattr(self, key, state[key])
        self.iteration = self.saved = checkpoint["iterations"]
        self.precision = checkpoint["precision"]
        torch.set_rng_state(state["random"])
        if self.dist.device.type == "cuda":
            torch.cuda.set_rng_state(state["random_cuda"], self.dist.device)
