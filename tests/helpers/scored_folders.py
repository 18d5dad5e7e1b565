"""Small folders of masks to score."""

import json

import numpy as np

from vos.masks import write_mask


def square(object_id=1, shift=0, shape=(24, 40), size=10):
    """An id map with one square object."""
    ids = np.zeros(shape, np.uint8)
    ids[6 : 6 + size, 5 + shift : 5 + shift + size] = object_id
    return ids


def write_video(folder, maps):
    for t, ids in enumerate(maps):
        write_mask(folder / f"{t:05}.png", ids)


def write_two_videos(root):
    """(truth, prediction) folders of two videos of 5 frames; the prediction is 2 pixels off."""
    for video in ("a", "b"):
        write_video(root / "truth" / video, [square()] * 5)
        write_video(root / "prediction" / video, [square(shift=2)] * 5)
    return root / "truth", root / "prediction"


def write_youtube_vos(root, train_categories=("tiger",)):
    """valid_truth/ with a tiger (id 1, from frame 0) and a bird (id 5, from frame 2), and train/meta.json."""
    objects = {
        "1": {"category": "tiger", "frames": [f"{t:05}" for t in range(6)]},
        "5": {"category": "bird", "frames": [f"{t:05}" for t in range(2, 6)]},
    }
    maps = [square(1) + (square(5, shift=15) if t >= 2 else 0) for t in range(6)]
    write_video(root / "valid_truth" / "Annotations" / "v", maps)
    (root / "valid_truth" / "meta.json").write_text(json.dumps({"videos": {"v": {"objects": objects}}}))
    listed = {str(i + 1): {"category": name, "frames": ["00000"]} for i, name in enumerate(train_categories)}
    (root / "train").mkdir()
    (root / "train" / "meta.json").write_text(json.dumps({"videos": {"t": {"objects": listed}}}))
    return root / "valid_truth", maps


def scores(result, video, object_id):
    """The entry of one object."""
    (entry,) = [e for e in result["objects"] if (e["video"], e["object"]) == (video, object_id)]
    return entry
