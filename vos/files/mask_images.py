"""Masks in image files."""

from pathlib import Path

import numpy as np


def read_first_mask(path: Path, threshold: bool = False) -> tuple[np.ndarray, str]:
    """As vos.masks.read_mask, for now."""
    from vos.masks import read_mask

    return read_mask(path), ""


def describe_ids(ids: np.ndarray) -> str:
    """What an id map (H, W) holds in words."""
    counts = np.bincount(ids.ravel(), minlength=255)[:255]
    found = np.flatnonzero(counts[1:]) + 1
    words = "; ".join(f"id {i}, {100 * counts[i] / ids.size:.1f} %" for i in found)
    return f"{len(found)} object{'s' if len(found) > 1 else ''}: {words}"
