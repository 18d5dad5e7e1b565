"""Segmenting one video from a folder of frames and the mask of its first frame: `python -m vos segment`."""

from pathlib import Path

import numpy as np
from PIL import Image

from vos.data import Video, VideoObject, images_in
from vos.files import VosError, written_whole
from vos.masks import VOID, object_ids, overlay, read_mask, write_mask

ANIMATION_WIDTH = 480  # pixels; a GIF of full frames would be tens of megabytes


def segment_folder(checkpoint: Path, frames: Path, mask: Path, out: Path) -> int:
    """Write an indexed PNG at native size for each frame of `frames` into `out`, and overlay.gif; returns their number.

    mask: the id map of the first frame, in the order of names. Its ids are the ids that come out.
    """
    from tqdm import tqdm

    from vos.checkpoints import load_checkpoint
    from vos.inference import segment
    from vos.networks import best_device

    video = video_of(frames, mask)
    model, _ = load_checkpoint(checkpoint)
    results = segment(model.to(best_device()), video)
    painted: list[Image.Image] = []
    for index, ids in enumerate(tqdm(results, desc="segmenting", total=len(video), unit="frame", leave=False)):
        write_mask(out / f"{video.frame_names[index]}.png", ids)
        painted.append(small_picture(overlay(video.frame(index), ids)))
    with written_whole(out / "overlay.gif") as temporary:
        painted[0].save(temporary, format="GIF", save_all=True, append_images=painted[1:], duration=80, loop=0)
    return len(video)


def video_of(frames: Path, mask: Path) -> Video:
    """The frames of a folder as a Video that starts from one mask."""
    paths = images_in(frames, (".jpg", ".jpeg", ".png"))
    ids = object_ids(read_mask(mask))
    if not ids:
        raise VosError(f"{mask}: holds no object (all 0 or {VOID}); give the mask of the first frame")
    every = tuple(range(len(paths)))
    video = Video(
        frames.name, paths, (mask, *[None] * (len(paths) - 1)), tuple(VideoObject(i, None, 0, every) for i in ids)
    )
    shape = read_mask(mask).shape
    if shape != video.size:
        raise VosError(
            f"{mask}: is {shape[0]}x{shape[1]}, but {paths[0]} is {video.size[0]}x{video.size[1]} (height x width)"
        )
    return video


def small_picture(picture: np.ndarray) -> Image.Image:
    """A picture at most ANIMATION_WIDTH wide, with the 256 colours a GIF may have."""
    image = Image.fromarray(picture)
    image.thumbnail((ANIMATION_WIDTH, ANIMATION_WIDTH))
    return image.quantize(256)
