"""Draw the small reference that other machines are compared with: python tests/helpers/reference/draw_reference.py"""

from pathlib import Path

import numpy as np

from vos.synthetic.video import draw_video

REFERENCE = Path(__file__).with_name("synthetic.npz")
VIDEOS = (("train", 0), ("train", 9), ("valid", 10))
FRAMES = ("00000", "00060")


def small_pictures() -> dict[str, np.ndarray]:
    """Every fourth pixel of some frames and every second of their masks, by name."""
    pictures = {}
    for split, index in VIDEOS:
        _, frames, masks, _ = draw_video(split, index)
        for name in FRAMES:
            pictures[f"{split}_{index}_{name}_frame"] = frames[name][::4, ::4]
            pictures[f"{split}_{index}_{name}_mask"] = masks[name][::2, ::2]
    return pictures


if __name__ == "__main__":
    np.savez_compressed(REFERENCE, **small_pictures())
