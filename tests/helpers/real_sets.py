"""Sets in the layouts that people have, built in small from their documented shapes: a bright square moves right."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from vos.masks import PALETTE

SIZE = 96, 160  # height, width


def scene(t, size=SIZE):
    """Frame t, uint8 (H, W, 3), and its id map (H, W)."""
    frame, mask = np.full((*size, 3), 60, np.uint8), np.zeros(size, np.uint8)
    frame[20:50, 8 + 4 * t : 38 + 4 * t] = 230, 40, 40
    mask[20:50, 8 + 4 * t : 38 + 4 * t] = 1
    return frame, mask


def save_mask(path: Path, ids, palette=PALETTE):
    """An id map as a palette PNG, by Pillow alone; palette None: of one object, in black and white."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(ids * 255 if palette is None else ids, np.uint8))
    if palette is not None:
        image.putpalette(np.asarray(palette).ravel().tolist())
    image.save(path, format="PNG")


def save_frame(path: Path, frame):
    """A frame, in the format of its ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(frame).save(path)


def davis(
    root: Path,
    names,
    lists=None,
    count=6,
    resolution="480p",
    frame="{:05d}.jpg",
    mask="{:05d}.png",
    ids=None,
    grey=False,
) -> Path:
    """A set in DAVIS layout. lists: {"2017/train.txt": names ...}, by default all for training; {}: no ImageSets.

    ids: what becomes of the id map of frame t. grey: masks in black and white, as DAVIS-2016 has them.
    """
    for name in names:
        for t in range(count):
            picture, truth = scene(t)
            save_frame(root / "JPEGImages" / resolution / name / frame.format(t), picture)
            path = root / "Annotations" / resolution / name / mask.format(t)
            save_mask(path, ids(t, truth) if ids else truth, None if grey else PALETTE)
    for path, listed in ({"2017/train.txt": names} if lists is None else lists).items():
        (root / "ImageSets" / path).parent.mkdir(parents=True, exist_ok=True)
        (root / "ImageSets" / path).write_text("\n".join(listed))
    return root


def youtube_vos(root: Path, split: str, videos, count=6, stride=5, category="cat", late=(), first=False) -> Path:
    """A split of YouTube-VOS: frames 00000, 00005, ...; first: annotated only where an object first appears.

    videos: names, or {name: (H, W)}. late: ids that enter at the third frame, each a block of its own at the bottom.
    category None: as valid has none.
    """
    sizes = videos if isinstance(videos, dict) else dict.fromkeys(videos, SIZE)
    meta = {}
    names = [f"{stride * t:05d}" for t in range(count)]
    for video, size in sizes.items():
        for t, name in enumerate(names):
            frame, ids = scene(t, size)
            for place, number in enumerate(late):
                ids[size[0] - 20 :, 20 * place : 20 * place + 18] = number if t >= 2 else 0
            save_frame(root / split / "JPEGImages" / video / f"{name}.jpg", frame)
            if not first or t == 0 or (late and t == 2):
                save_mask(root / split / "Annotations" / video / f"{name}.png", ids)
        listed = {"1": names} | {str(number): names[2:] for number in late}
        kind = {"category": category} if category else {}
        meta[video] = {"objects": {number: kind | {"frames": frames} for number, frames in listed.items()}}
    (root / split / "meta.json").write_text(json.dumps({"videos": meta}))
    return root
