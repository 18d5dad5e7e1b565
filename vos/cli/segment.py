"""`python -m vos segment`: one video, a file or a folder of frames, from the mask of its first frame."""

import argparse
import sys
import tempfile
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageColor

from vos.config import PRECISIONS, PRESETS, InferenceConfig, inference_config
from vos.files import VosError, names_in_words
from vos.files.atomic import written_whole
from vos.files.images import FRAME_ENDINGS, frame_size
from vos.files.layouts import images_in, stray_images
from vos.files.names import natural_key
from vos.files.outputs import check_names, check_output_folder, filled_whole
from vos.files.progress import progress_bar
from vos.masks import VOID, describe_ids, object_ids, overlay, read_first_mask, stretch_ids

if TYPE_CHECKING:
    from vos.data import Video
    from vos.networks import BaseModel
    from vos.video.results import Ground, Results

SHIPPED = Path(__file__).resolve().parents[2] / "data/checkpoints/real.pt"  # in a clone
BOUNDS = {"every": (1, 1e9), "start": (0, 1e9), "end": (0, 1e9), "size": (16, 1e5), "online_steps": (0, 1e6)}
ONE_VIDEO = ("every", "start", "end", "size")  # options that a folder of frames has not
TRIED = 8  # frames that say how long it will take
COMMAND = "segment"
BESIDE = ("cutout/*", "cutout.mp4", "overlay.gif", "overlay.mp4", "contact_sheet.jpg", "first_mask.jpg")

Item = tuple[str, float, np.ndarray, np.ndarray]  # a frame's name, second, picture (H, W, 3) and id map (H, W)


@dataclass(frozen=True)
class Job:
    """What is to be segmented: the number of frames (of a file an estimate), their size, and what yields them all.

    first: the first frame, uint8 (H, W, 3); ids: its id map (H, W). frames: a fresh run through all frames.
    items: (model, config) -> the results, one a frame. masks: the name of the folder for the masks, "" for none.
    """

    count: int
    first: np.ndarray
    ids: np.ndarray
    frames: Callable[[], Iterable[np.ndarray]]
    items: Callable[["BaseModel", InferenceConfig], Iterator[Item]]
    masks: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m vos segment`."""
    add = parser.add_argument
    add("--checkpoint", type=Path, default=SHIPPED, metavar="CKPT", help="default: data/checkpoints/real.pt")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--frames", type=Path, metavar="DIR", help="folder of frames (JPEG, PNG, ...)")
    source.add_argument("--video", type=Path, metavar="FILE", help="video file (MP4, MOV, MKV, WebM, AVI, ...)")
    add("--mask", type=Path, metavar="FIRST.png", help="mask of the first frame")
    add("--box", action="append", default=[], metavar="X,Y,W,H", help="an object of the first frame; may be repeated")
    add("--polygon", action="append", default=[], nargs="+", metavar="X,Y", help="the same, by three or more corners")
    add("--threshold-mask", action="store_true", help="make the soft edges of --mask hard")
    add("--out", type=Path, required=True, metavar="DIR", help="a new folder, or that of an earlier run")
    add("--every", type=int, metavar="N", help="of a video file, every N-th frame only")
    add("--start", type=float, metavar="S", help="second of a video file to start from; --mask is of that frame")
    add("--end", type=float, metavar="S", help="second to end at")
    add("--size", type=int, metavar="N", help="make the frames of a video file smaller: shorter side in pixels")
    add("--cutout", metavar="GROUND", help="the objects alone, on: transparent, white, black, green or #rrggbb")
    add("--mirror", action="store_true", help="also look at the mirror image: a little better, half as fast")
    add("--online-steps", type=int, default=0, metavar="N", help="first learn each object in N steps, 20 or so")
    add("--precision", choices=PRECISIONS, default="float32", help="bfloat16 is faster on new processors")


def run(args: argparse.Namespace) -> None:
    """Segment one video into a folder."""
    from vos.video import VideoWarning

    cutout = None if args.cutout is None else (ground_of(args.cutout),)
    check_words(args)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", VideoWarning)
        try:
            segment_job(args, video_job(args) if args.video else frames_job(args), cutout)
        finally:
            for text in dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, VideoWarning)):
                print(f"vos: {text}", file=sys.stderr)


def check_words(args: argparse.Namespace) -> None:
    """VosError where the options do not fit together, or the output folder is not one to write to."""
    drawn = bool(args.box or args.polygon)
    if drawn == (args.mask is not None):
        raise VosError("--mask: give the first frame's mask as a file, or draw it by --box or --polygon, not both")
    if args.threshold_mask and drawn:
        raise VosError("--threshold-mask: is for a --mask; a box or polygon has hard edges")
    if args.end is not None and args.end <= (args.start or 0):
        raise VosError(f"--end: is {args.end:g}; give a second after --start ({args.start or 0:g})")
    given = [f"--{name}" for name in ONE_VIDEO if getattr(args, name) is not None]
    if args.frames and given:
        raise VosError(f"{given[0]}: is for --video; of a folder of frames all are taken")
    if args.frames and args.frames.is_file():
        raise VosError(f"{args.frames}: is a file; give --video for a video file, or --frames a folder of frames")
    if args.video and args.video.is_dir():
        raise VosError(f"{args.video}: is a folder; give --frames for a folder of frames, or --video a video file")
    inputs = [path for path in (args.frames, args.video, args.mask, args.checkpoint) if path is not None]
    for folder in (args.out, args.out / "masks", args.out / "cutout") if args.out.is_dir() else (args.out,):
        if folder == args.out or folder.is_symlink():
            check_output_folder(folder, COMMAND, inputs)


def ground_of(text: str) -> "Ground":
    """The ground of a cut-out: None for a transparent one, else (R, G, B)."""
    if text == "transparent":
        return None
    try:
        return ImageColor.getrgb({"green": "#00ff00"}.get(text, text))[:3]  # type: ignore[return-value]
    except ValueError:
        raise VosError(f"--cutout: {text!r} is no ground; give transparent, white, black, green or #rrggbb") from None


def frames_job(args: argparse.Namespace) -> Job:
    """A folder of frames."""
    from vos.inference import segment
    from vos.video import has_pyav

    paths = images_in(args.frames, FRAME_ENDINGS, args.mask)
    if strays := stray_images(args.frames, FRAME_ENDINGS, args.mask):
        print(f"left out, by name or kind no frames: {names_in_words([p.name for p in strays])}")
    check_output_folder(args.out, COMMAND, paths)
    names = [path.stem for path in paths]
    check_names(args.out, [*(f"{name}.png" for name in names), *BESIDE])
    size = frame_size(paths[0])
    for path in paths:
        if (found := frame_size(path)) != size:
            raise VosError(
                f"{path}: is {found[0]}x{found[1]}, but {paths[0].name} is {size[0]}x{size[1]} "
                "(height x width); replace the frame"
            )
    if args.mask and args.mask.stem != names[0]:
        same = [name for name in names if natural_key(name)[0] == natural_key(args.mask.stem)[0]]
        if same and same[0] != names[0]:
            print(f"note: {args.mask} has the name of frame {same[0]}, and is taken for the first frame, {names[0]}")
    ids = first_ids(args, size, size, "its frame")
    video = as_video(args.frames.name, paths, ids)
    if not has_pyav():
        print("no overlay.mp4 without PyAV: pip install 'vos[video]' (in a clone: pip install -e '.[video]')")

    def items(model: "BaseModel", config: InferenceConfig) -> Iterator[Item]:
        for index, found in enumerate(segment(model, video, config)):
            yield names[index], 0.08 * index, video.frame(index), found  # seconds: a folder says nothing of its times

    return Job(len(paths), video.frame(0), ids, lambda: map(video.frame, range(len(paths))), items, "")


def as_video(name: str, paths: tuple[Path, ...], ids: np.ndarray) -> "Video":
    """Frames in files as a Video that starts from an id map."""
    from vos.data import Video, VideoObject, only_ids

    @dataclass(frozen=True)
    class Started(Video):
        def given(self, index: int) -> np.ndarray | None:
            return only_ids(ids, object_ids(ids)) if index == 0 else None

    every = tuple(range(len(paths)))
    objects = tuple(VideoObject(number, None, 0, every) for number in object_ids(ids))
    return Started(name, paths, (None,) * len(paths), objects)


def video_job(args: argparse.Namespace) -> Job:
    """A video file."""
    from vos.video import segmented_frames, timed_frames, video_info

    info = video_info(args.video)
    check_names(args.out, ["masks/*", *BESIDE])
    every, start = args.every or 1, args.start or 0.0
    part = max(min(args.end or info.seconds, info.seconds) - start, 0) / info.seconds if args.start or args.end else 1
    count = max(-(-round(info.frames * part) // every), 1)
    times: deque[float] = deque()  # of the frames that are read and not yet segmented: a few

    def frames() -> Iterator[np.ndarray]:
        times.clear()
        for second, frame in timed_frames(args.video, every, start, args.end, args.size):
            times.append(second)
            yield frame

    reading = frames()
    first = next(reading)
    reading.close()  # type: ignore[attr-defined]
    ids = first_ids(args, info.size, (first.shape[0], first.shape[1]), "the video as it is shown")

    def items(model: "BaseModel", config: InferenceConfig) -> Iterator[Item]:
        for index, (frame, found) in enumerate(segmented_frames(model, frames, ids, config)):
            yield f"{index:05d}", times.popleft(), frame, found

    return Job(count, first, ids, frames, items, "masks")


def first_ids(args: argparse.Namespace, full: tuple[int, int], size: tuple[int, int], whose: str) -> np.ndarray:
    """The id map of the first frame, (H, W) of `size`, drawn or read at that size or `full`; says what is in it."""
    from vos.video.drawn import drawn_mask

    if args.mask is None:
        ids, how = drawn_mask(full, args.box, [" ".join(words) for words in args.polygon]), ""
    else:
        ids, how = read_first_mask(args.mask, args.threshold_mask)
        if not object_ids(ids):
            raise VosError(f"{args.mask}: holds no object (all 0 or {VOID}); give the mask of the first frame")
        if ids.shape not in (full, size):
            (high, wide), advice = ids.shape, "give the mask of the first frame at that size"
            if abs(high * full[1] - wide * full[0]) < max(full):
                advice = "it has the same proportions: resize it to that, by nearest neighbour"
            raise VosError(f"{args.mask}: is {high}x{wide}, {whose} is {full[0]}x{full[1]} (height x width); {advice}")
    ids = stretch_ids(ids, size)
    print(f"first mask: {describe_ids(ids)}{f' ({how})' if how else ''}")
    return ids


def segment_job(args: argparse.Namespace, job: Job, cutout: "tuple[Ground] | None") -> None:
    """Say how long it takes, do it, and say what was done."""
    import torch

    from vos.engine.checkpoints import load_checkpoint
    from vos.engine.distributed import best_device
    from vos.engine.trainer import interrupts_noted
    from vos.video import has_pyav
    from vos.video.results import Results

    model = load_checkpoint(args.checkpoint)[0].to(best_device())
    config = replace(inference_config(model.config), precision=args.precision, online_steps=args.online_steps)
    config = replace(config, mirror=config.mirror or args.mirror)

    def results_in(folder: Path) -> Results:
        return Results(folder, job.masks, video=has_pyav(), animation=not job.masks, cutout=cutout)

    if model.config == PRESETS["course"]:  # so small that the others had better decode and write meanwhile
        torch.set_num_threads(max(torch.get_num_threads() // 2, 1))
    if args.online_steps:
        say_how_long_learning_takes(model, job, args.online_steps)
    if job.count > 2 * TRIED:
        say_how_long(job, model, config, results_in)
    stopped = False
    with filled_whole(args.out, COMMAND) as folder, interrupts_noted() as signals:
        with written_whole(folder / "first_mask.jpg") as temporary:
            Image.fromarray(overlay(job.first, job.ids)).save(temporary, format="JPEG", quality=90)
        with results_in(folder) as results, progress_bar("segmenting", job.count, "frame") as bar:
            begun = time.monotonic()
            for item in job.items(model, config):
                results.add(*item)
                bar.update()
                if not sys.stderr.isatty():  # the bar says it by itself
                    bar.set_postfix({"frames/s": f"{results.count / (time.monotonic() - begun):.1f}"})
                if signals:
                    stopped = True
                    break
        results.finish()
    if stopped:
        about = "about " if job.masks else ""
        raise KeyboardInterrupt(f"{results.count} of {about}{job.count} frames are done, and whole in {args.out}")
    names = [name for name in ("overlay.mp4", "overlay.gif", "contact_sheet.jpg") if (args.out / name).exists()]
    print(f"{args.out / job.masks}: {results.count} masks; beside them {', '.join(names)} and first_mask.jpg")


def say_how_long_learning_takes(model: "BaseModel", job: Job, steps: int) -> None:
    """Try a step of online learning, and print how long all will take."""
    from vos.inference import Segmenter
    from vos.online import seconds_of_learning

    frame, all_steps = Segmenter(model).encode([job.first])[0], steps * len(object_ids(job.ids))
    seconds = seconds_of_learning(model, frame, all_steps)
    print(f"learning from the first mask, {all_steps} steps: about {seconds:.0f} seconds", flush=True)


def say_how_long(
    job: Job, model: "BaseModel", config: InferenceConfig, results_in: Callable[[Path], "Results"]
) -> None:
    """Try a few frames, and print how long all of them will take."""
    from vos.networks import UpdatedModel
    from vos.video import segmented_frames

    config = replace(config, online_steps=0, mirror=config.mirror or config.online_steps > 0)  # both are two views
    reading = iter(job.frames())
    few = [frame for frame, _ in zip(reading, range(TRIED), strict=False)]
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):  # the first time is not taken: much is done once
            begun = time.monotonic()
            with results_in(Path(folder)) as results:
                for index, (frame, ids) in enumerate(segmented_frames(model, lambda: few, job.ids, config)):
                    results.add(f"{index:05d}", index / 25, frame, ids)
    rate = len(few) / (time.monotonic() - begun)
    minutes = job.count / rate / 60
    twice = "; this model watches all of it first" if isinstance(model, UpdatedModel) else ""
    length = f"{minutes:.1f} minutes" if minutes > 1 else f"{60 * minutes:.0f} seconds"
    size = f"{job.first.shape[0]}x{job.first.shape[1]}"
    print(f"{job.count} frames of {size} at {rate:.1f} frames a second: about {length}{twice}", flush=True)
