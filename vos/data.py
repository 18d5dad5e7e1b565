"""Video object segmentation sets on disk: YouTube-VOS, DAVIS-2017 and DAVIS-2016 folders, one reader for all.

    YouTube-VOS   ROOT/{train,valid,test}/{JPEGImages,Annotations}/<video>/<00000>.{jpg,png} and meta.json
                  (ROOT/valid_truth, where it exists, holds all annotations of valid: the synthetic set has it)
    DAVIS         ROOT/{JPEGImages,Annotations}/480p/<sequence>/<00000>.{jpg,png}, ROOT/ImageSets/

Four splits: train; valid and test, which give away only what a method may see, the annotation of each object's first
frame; valid_truth, the videos of valid with every annotation, which only the scorer reads.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vos.files import VosError
from vos.files.images import frame_size, read_rgb
from vos.files.layouts import ListedVideo, davis_splits, find_layout, missing_split, youtube_vos_splits
from vos.masks import VOID, object_ids, read_mask, stretch_ids

SPLITS = ("train", "valid", "valid_truth", "test")
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class VideoObject:
    """One annotated object. first: index of its first annotated frame; frames: indices of all of them."""

    id: int
    category: str | None
    first: int
    frames: tuple[int, ...]


@dataclass(frozen=True)
class Video:
    """One video. frame_paths are sorted; mask_paths holds None where a frame has no annotation to be seen."""

    name: str
    frame_paths: tuple[Path, ...]
    mask_paths: tuple[Path | None, ...]
    objects: tuple[VideoObject, ...]

    def __len__(self) -> int:
        return len(self.frame_paths)

    @property
    def frame_names(self) -> tuple[str, ...]:
        """File names without ending: what meta.json and prediction folders call the frames."""
        return tuple(path.stem for path in self.frame_paths)

    @cached_property
    def size(self) -> tuple[int, int]:
        """Native (H, W) in pixels as the first frame is shown, from its header."""
        return frame_size(self.frame_paths[0])

    @property
    def annotated(self) -> tuple[int, ...]:
        """Indices of the frames that have an annotation."""
        return tuple(i for i, path in enumerate(self.mask_paths) if path is not None)

    def frame(self, index: int, size: tuple[int, int] | None = None) -> np.ndarray:
        """Frame `index` as uint8 (H, W, 3) RGB, stretched to `size` (H, W) where given."""
        return read_frame(self.frame_paths[index], size)

    def mask(self, index: int, size: tuple[int, int] | None = None) -> np.ndarray:
        """The annotated id map of frame `index`, uint8 (H, W), stretched to `size` (H, W) where given.

        VOID counts as background, as DAVIS scores it. VosError where the file is not of the video's size.
        """
        path = self.mask_paths[index]
        if path is None:
            raise VosError(f"{self.frame_paths[index]}: this frame has no annotation")
        ids = read_mask(path)
        if problem := size_problem(path, ids.shape, self.size):
            raise VosError(problem)
        ids = ids if size is None else stretch_ids(ids, size)
        ids[ids == VOID] = 0
        return ids

    def given(self, index: int) -> np.ndarray | None:
        """What a method is given at frame `index`: the id map of the objects that first appear there, or None."""
        new = [o.id for o in self.objects if o.first == index]
        return only_ids(self.mask(index), new) if new and self.mask_paths[index] is not None else None


class Videos(tuple[Video, ...]):
    """The videos of one split, sorted by name."""

    def named(self, name: str) -> Video:
        """The video called `name`."""
        for video in self:
            if video.name == name:
                return video
        raise VosError(f"{name}: this split has no such video; it has {len(self)} others")


class VOSDataset:
    """A YouTube-VOS or DAVIS folder, read once: `train`, `valid`, `valid_truth` and "test" are its splits.

    root: the folder. hold_out: True takes the validation videos out of the training list (every sequence whose index
        in the sorted list gives remainder 3 or 4 by 5, of two or three the last), and `train` is then the rest; None
        does so exactly where the folder has no validation videos with their annotations.
    all_frames: take the training frames from train_all_frames/, where that is there.
    layout: "YouTube-VOS" or "DAVIS". categories: those of the training list (what "seen" means), None for a set
        without categories.
    Raises VosError where the folder is not such a set; and where a split is asked for that has no videos.
    """

    def __init__(self, root: Path, hold_out: bool | None = False, all_frames: bool = False) -> None:
        self.root = Path(root)
        self.layout = find_layout(self.root)
        listed = davis_splits(self.root) if self.layout == "DAVIS" else youtube_vos_splits(self.root, all_frames)
        train, valid, test = ([video_of(video) for video in listed[number]] for number in (0, 1, 3))
        truth = valid if listed[2] is listed[1] else [video_of(video) for video in listed[2]]
        self.held_out = not truth if hold_out is None else hold_out
        categories = {o.category for video in train for o in video.objects if o.category is not None}
        self.categories: set[str] | None = categories or None
        if self.held_out:
            chosen = {i for i in range(len(train)) if i % 5 in (3, 4)} or {*range(1, len(train))[-1:]}
            valid = truth = [video for index, video in enumerate(train) if index in chosen]
            train = [video for index, video in enumerate(train) if index not in chosen]
        self._splits = {
            "train": Videos(train),
            "valid": Videos(map(only_first_masks, valid)),
            "valid_truth": Videos(truth),
            "test": Videos(map(only_first_masks, test)),
        }

    @property
    def train(self) -> Videos:
        """The videos to train on, with every annotation."""
        return self.split("train")

    @property
    def valid(self) -> Videos:
        """The validation videos, with what a method may see."""
        return self.split("valid")

    @property
    def valid_truth(self) -> Videos:
        """The validation videos, with every annotation."""
        return self.split("valid_truth")

    def split(self, name: str) -> Videos:
        """The split called "train", "valid", "valid_truth" or "test"."""
        if name not in SPLITS:
            raise ValueError(f"split must be one of {SPLITS}, not {name!r}")
        if not self._splits[name]:
            raise VosError(f"{self.root}: {missing_split(name, self.held_out)}")
        return self._splits[name]


def video_of(listed: ListedVideo) -> Video:
    """A video as its layout lists it. DAVIS lists no objects: they are the ids of the first mask, in every frame."""
    objects = listed.objects
    if objects is None:
        first, every = listed.masks[0], tuple(range(len(listed.frames)))
        assert first is not None
        objects = dict.fromkeys(object_ids(read_mask(first)), (None, 0, every))
    entries = tuple(VideoObject(number, *entry) for number, entry in objects.items())
    return Video(listed.name, listed.frames, listed.masks, entries)


def only_first_masks(video: Video) -> Video:
    """The video without the annotations a method must not see."""
    first = {o.first for o in video.objects}
    return replace(video, mask_paths=tuple(p if i in first else None for i, p in enumerate(video.mask_paths)))


def only_ids(ids: np.ndarray, wanted: Iterable[int]) -> np.ndarray:
    """An id map (H, W), uint8, in which all but the `wanted` ids are background."""
    return np.where(np.isin(ids, list(wanted)), ids, 0).astype(np.uint8)


def size_problem(path: Path, mask: tuple[int, ...], frame: tuple[int, ...]) -> str:
    """What to say of a mask of another size (H, W) than its frame; empty where they are the same."""
    if mask == frame:
        return ""
    return f"{path}: is {mask[0]}x{mask[1]}, its frame is {frame[0]}x{frame[1]} (height x width); replace the mask"


def read_frame(path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """A frame as uint8 (H, W, 3) RGB, stretched to `size` (H, W) where given; vos/files/images.py says what is read."""
    picture = read_rgb(path, size)
    return np.array(stretch(picture, size or (picture.height, picture.width)))


def stretch(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A frame at another size (H, W), bilinear."""
    if (picture.height, picture.width) == size:
        return picture
    return picture.resize((size[1], size[0]), Image.Resampling.BILINEAR)


def normalize_frames(frames: np.ndarray | Tensor) -> Tensor:
    """uint8 (..., H, W, 3) RGB -> float (..., 3, H, W) with ImageNet's mean and standard deviation (report 3.1)."""
    pixels = torch.as_tensor(frames).movedim(-1, -3).to(torch.float32, memory_format=torch.contiguous_format)
    mean, std = (pixels.new_tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    return pixels.div_(255).sub_(mean).div_(std)
