"""The synthetic set: videos in exact YouTube-VOS layout, each drawn from (seed, split, index) and nothing else."""

import multiprocessing
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import starmap
from pathlib import Path

import numpy as np
from PIL import Image

from vos.files import VosError, read_json, write_json
from vos.files.progress import tracked
from vos.masks import write_mask
from vos.synthetic.plan import SPLITS
from vos.synthetic.video import draw_video

VERSION = 1  # raise it whenever a picture changes
ALL_FRAMES = 2  # videos per split that also exist with every frame
MARK = "synthetic.json"  # written last: a set that has it is whole
CONTENTS = {MARK, "train", "valid", "valid_truth", "train_all_frames", "valid_all_frames"}


def is_drawn(out: Path, train: int = 300, valid: int = 60, seed: int = 0) -> bool:
    """Whether `out` holds the whole synthetic set of this version, these counts and this seed."""
    try:
        return read_json(Path(out) / MARK) == description(train, valid, seed)
    except VosError:
        return False


def description(train: int, valid: int, seed: int) -> dict:
    """What synthetic.json says."""
    return {"synthetic": "drawn by vos", "version": VERSION, "train": train, "valid": valid, "seed": seed}


def draw_dataset(
    out: Path, train: int = 300, valid: int = 60, seed: int = 0, workers: int | None = None, progress: bool = True
) -> None:
    """Draw the whole set into `out`: train, valid, valid_truth, and a few videos with every frame.

    workers: processes (None: one per core; 1: no others). The set is drawn beside `out` and renamed when whole. If the
    same one stands there already, nothing happens; another synthetic set is replaced. VosError where `out` holds
    anything else, or a number makes no sense.
    """
    out = Path(out)
    if min(train, valid) < 1 or seed < 0:
        raise VosError(f"train {train}, valid {valid}, seed {seed}: give at least one video each, and no negative seed")
    if is_drawn(out, train, valid, seed):
        return
    check_replaceable(out)
    partial, old = (out.with_name(f".{out.name}.{os.getpid()}.{word}") for word in ("partial", "old"))
    meta: dict[str, dict] = {split: {} for split in SPLITS}
    counts = zip(SPLITS, (train, valid), strict=True)
    jobs = [(split, index, seed, partial) for split, count in counts for index in range(count)]
    try:
        drawn = run(jobs, workers or os.cpu_count() or 1)
        for split, name, objects in tracked(drawn, "drawing videos", len(jobs), "video", shown=progress):
            meta[split][name] = {"objects": objects}
        for folder, split in (("train", "train"), ("valid", "valid"), ("valid_truth", "valid")):
            write_json(partial / folder / "meta.json", {"videos": dict(sorted(meta[split].items()))})
        write_json(partial / MARK, description(train, valid, seed))
        if not is_drawn(out, train, valid, seed):  # another process may have been faster
            if out.exists():
                out.replace(old)
            partial.replace(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def check_replaceable(out: Path) -> None:
    """VosError unless `out` is missing, an empty folder, or a synthetic set with nothing of anyone else's in it."""
    if out.exists() and not out.is_dir():
        raise VosError(f"{out}: is a file; give a folder for the synthetic data set")
    held = {path.name for path in out.iterdir()} if out.exists() else set()
    if strange := sorted(held - CONTENTS):
        raise VosError(f"{out}: holds {strange[0]}, which is not ours; give another folder or move it away")
    if held and read_json(out / MARK).get("synthetic") != "drawn by vos":
        raise VosError(f"{out}: holds another data set; give another folder or move it away")


def run(jobs: list[tuple], workers: int) -> Iterator[tuple[str, str, dict]]:
    """What write_video returns for each job."""
    if workers == 1:
        yield from starmap(write_video, jobs)
        return
    # spawn: a process that has started threads (PyTorch, Jupyter) must not be forked
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(write_video, *zip(*jobs, strict=True))


def write_video(split: str, index: int, seed: int, root: Path) -> tuple[str, str, dict]:
    """Draw a video and write its files under `root`; return split, name and objects."""
    every_frame = index < ALL_FRAMES
    name, frames, masks, objects = draw_video(split, index, seed, every_frame)
    write_frames(root / split / "JPEGImages" / name, {frame: frames[frame] for frame in masks})
    if every_frame:
        write_frames(root / f"{split}_all_frames" / "JPEGImages" / name, frames)
    truth = root / ("train" if split == "train" else "valid_truth") / "Annotations" / name
    for frame, ids in masks.items():
        write_mask(truth / f"{frame}.png", ids)
    if split == "valid":
        for frame in {entry["frames"][0] for entry in objects.values()}:
            new = [int(number) for number, entry in objects.items() if entry["frames"][0] == frame]
            shown = np.where(np.isin(masks[frame], new), masks[frame], 0)
            write_mask(root / "valid" / "Annotations" / name / f"{frame}.png", shown)
    return split, name, objects


def write_frames(folder: Path, frames: dict[str, np.ndarray]) -> None:
    """Write frames {name: uint8 (H, W, 3)} as JPEG files."""
    folder.mkdir(parents=True)
    for name, picture in frames.items():
        Image.fromarray(picture).save(folder / f"{name}.jpg", quality=90)
