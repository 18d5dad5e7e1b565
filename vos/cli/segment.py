"""`python -m vos segment`: one video, from a folder of frames and the mask of its first frame."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from vos.config import PRECISIONS, InferenceConfig
from vos.files import VosError
from vos.files.atomic import files_written_whole, written_whole
from vos.files.images import opened_image
from vos.files.layouts import images_in
from vos.files.progress import tracked
from vos.masks import VOID, object_ids, overlay, read_mask, write_mask

if TYPE_CHECKING:
    from vos.data import Video

GIF_SIDE = 480  # pixels; a GIF of full frames would be tens of megabytes
GIF_FRAMES = 300  # at most, as Pillow holds them all in memory until the last is there
GIF_DURATION = 80  # milliseconds a frame of the video


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m vos segment`."""
    add = parser.add_argument
    add("--checkpoint", type=Path, required=True, metavar="CKPT", help="e.g. data/checkpoints/base.pt")
    add("--frames", type=Path, required=True, metavar="DIR", help="folder of JPEG or PNG frames")
    add("--mask", type=Path, required=True, metavar="FIRST.png", help="id map of the first frame")
    add("--out", type=Path, required=True, metavar="DIR", help="indexed PNGs and overlay.gif go here")
    add("--precision", choices=PRECISIONS, default="float32", help="bfloat16 is faster on new processors")


def run(args: argparse.Namespace) -> None:
    """Segment one video into a folder."""
    count = segment_folder(args.checkpoint, args.frames, args.mask, args.out, InferenceConfig(precision=args.precision))
    print(f"{args.out}: {count} masks and overlay.gif")


def segment_folder(checkpoint: Path, frames: Path, mask: Path, out: Path, config: InferenceConfig) -> int:
    """Write an indexed PNG at native size for each frame of `frames` into `out`, and overlay.gif; returns their number.

    mask: the id map of the first frame, in the order of names. Its ids are the ids that come out. Raises VosError
    where a file is missing, broken or of another size; then nothing is left in `out`.
    """
    from vos.engine.checkpoints import load_checkpoint
    from vos.engine.distributed import best_device
    from vos.inference import segment

    video = video_of(frames, mask)
    model, _ = load_checkpoint(checkpoint)
    every = -(-len(video) // GIF_FRAMES)

    def painted(folder: Path) -> Iterator[Image.Image]:
        """Write the masks one by one, and hand out every so many-th frame with its mask."""
        results = segment(model.to(best_device()), video, config)
        for index, ids in enumerate(tracked(results, "segmenting", len(video), "frame")):
            write_mask(folder / f"{video.frame_names[index]}.png", ids)
            if index % every == 0:
                yield small_picture(video.frame(index), ids)

    with files_written_whole(out) as folder, written_whole(folder / "overlay.gif") as temporary:
        pictures = painted(folder)
        next(pictures).save(
            temporary, format="GIF", save_all=True, append_images=pictures, duration=every * GIF_DURATION, loop=0
        )
    return len(video)


def video_of(frames: Path, mask: Path) -> "Video":
    """The frames of a folder as a Video that starts from one mask."""
    from vos.data import Video, VideoObject

    paths = images_in(frames, (".jpg", ".jpeg", ".png"))
    ids = object_ids(read_mask(mask))
    if not ids:
        raise VosError(f"{mask}: holds no object (all 0 or {VOID}); give the mask of the first frame")
    every = tuple(range(len(paths)))
    video = Video(
        frames.name, paths, (mask, *[None] * (len(paths) - 1)), tuple(VideoObject(i, None, 0, every) for i in ids)
    )
    for path in paths:
        with opened_image(path) as image:
            height, width = image.height, image.width
        if (height, width) != video.size:
            raise VosError(
                f"{path}: is {height}x{width}, but {paths[0].name} is {video.size[0]}x{video.size[1]} "
                "(height x width); replace the frame"
            )
    video.given(0)  # refused here if it has another size: loading a model takes seconds
    return video


def small_picture(frame: np.ndarray, ids: np.ndarray) -> Image.Image:
    """Masks (H, W) over their frame, at most GIF_SIDE wide and high, with the 256 colours a GIF may have."""
    picture = Image.fromarray(frame)
    picture.thumbnail((GIF_SIDE, GIF_SIDE))  # painted small: an overlay takes 40 bytes a pixel
    small = Image.fromarray(ids).resize(picture.size, Image.Resampling.NEAREST)
    return Image.fromarray(overlay(np.array(picture), np.array(small))).quantize(256)
