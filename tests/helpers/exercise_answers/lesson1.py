"""Right and typical wrong answers to exercises of lesson 1."""

import numpy as np
import torch

from vos import data

MEAN, STD = np.array(data.IMAGENET_MEAN), np.array(data.IMAGENET_STD)


def object_masks(ids, *others, present=None):
    present = [k for k in np.unique(ids) if k not in (others or (0, 255))] if present is None else present
    return present, np.array([ids == k for k in present], bool).reshape(len(present), *ids.shape)


def normalize_frames(frames, divide=255, mean=MEAN, std=STD):
    return np.transpose((frames / divide - mean) / std, (0, 3, 1, 2))


RIGHT = {
    "object_masks": [object_masks],
    "normalize_frames": [data.normalize_frames, normalize_frames, lambda x: torch.from_numpy(normalize_frames(x))],
}
WRONG = [
    ("object_masks", lambda ids: object_masks(ids, 255), "one object", "0 is the background"),
    ("object_masks", lambda ids: object_masks(ids, -1), "one object", "0 is the background"),
    ("object_masks", lambda ids: object_masks(ids, 0), "a void border", "255 is void"),
    ("object_masks", lambda ids: object_masks(ids, present=range(1, ids.max() + 1)), "ids with gaps", "not all up to"),
    ("object_masks", lambda ids: (object_masks(ids)[0], ids > 0), "one object", "each needs its own"),
    ("object_masks", lambda ids: object_masks(ids)[1], "one object", "expected 2 values, got ndarray"),
    ("normalize_frames", lambda x: normalize_frames(x, divide=1), "five frames", "divide by 255"),
    ("normalize_frames", lambda x: (x / 255 - MEAN) / STD, "five frames", "the last axis"),
    ("normalize_frames", lambda x: ((x / 255 - MEAN) / STD).reshape(len(x), 3, *x.shape[1:3]), "five frames",
     "reshape keeps the order"),
    ("normalize_frames", lambda x: normalize_frames(x[..., ::-1]), "five frames", "B, G, R"),
    ("normalize_frames", lambda x: normalize_frames(x, 255, x.mean((0, 1, 2)) / 255, (x / 255).std((0, 1, 2), ddof=1)),
     "five frames", "take ImageNet's"),
]  # fmt: skip
