"""Segmenting one video from a folder of frames and the mask of its first frame: `python -m vos segment`."""

from pathlib import Path

import numpy as np
from PIL import Image

from vos.data import Video, VideoObject, images_in
from vos.files import VosError
from vos.files.atomic import files_written_whole, written_whole
from vos.files.images import opened_image
from vos.masks import VOID, object_ids, overlay, read_mask, write_mask

ANIMATION_WIDTH = 480  # pixels; a GIF of full frames would be tens of megabytes


def segment_folder(checkpoint: Path, frames: Path, mask: Path, out: Path, precision: str = "float32") -> int:
    """Write an indexed PNG at native size for each frame of `frames` into `out`, and overlay.gif; returns their number.

    mask: the id map of the first frame, in the order of names. Its ids are the ids that come out. Raises VosError
    where a file is missing, broken or of another size; then nothing is left in `out`.
    """
    from tqdm import tqdm

    from vos.engine.checkpoints import load_checkpoint
    from vos.engine.distributed import best_device
    from vos.inference import segment

    video = video_of(frames, mask)
    model, _ = load_checkpoint(checkpoint)
    results = segment(model.to(best_device()), video, precision=precision)
    # disable None: shown on a terminal only
    bar = tqdm(results, desc="segmenting", total=len(video), unit="frame", leave=False, disable=None)
    painted: list[Image.Image] = []
    with files_written_whole(out) as folder, bar:
        for index, ids in enumerate(bar):
            write_mask(folder / f"{video.frame_names[index]}.png", ids)
            painted.append(small_picture(video.frame(index), ids))
        with written_whole(folder / "overlay.gif") as temporary:
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
    """Masks (H, W) over their frame, at most ANIMATION_WIDTH wide and high, with the 256 colours a GIF may have."""
    picture = Image.fromarray(frame)
    picture.thumbnail((ANIMATION_WIDTH, ANIMATION_WIDTH))  # painted small: an overlay takes 40 bytes a pixel
    small = Image.fromarray(ids).resize(picture.size, Image.Resampling.NEAREST)
    return Image.fromarray(overlay(np.array(picture), np.array(small))).quantize(256)
