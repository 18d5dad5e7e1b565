"""Video object segmentation sets on disk: YouTube-VOS, DAVIS-2017 and DAVIS-2016 folders, one reader for all.

    YouTube-VOS   ROOT/{train,valid}/{JPEGImages,Annotations}/<video>/<00000>.{jpg,png} and meta.json
                  (ROOT/valid_truth, where it exists, holds all annotations of valid: the embedded set has it)
    DAVIS         ROOT/{JPEGImages,Annotations}/480p/<sequence>/<00000>.{jpg,png}, ROOT/ImageSets/

Three splits: "train"; "valid", which gives away only what a method may see, the annotation of each object's
first frame; "valid_truth", the same videos with every annotation, which only the scorer reads.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from vos.files import VosError, opened_image, read_json
from vos.masks import VOID, object_ids, read_mask

SPLITS = ("train", "valid", "valid_truth")
OBJECT_IDS = {str(i): i for i in range(1, VOID)}  # as meta.json spells them


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

    @property
    def size(self) -> tuple[int, int]:
        """Native (H, W) in pixels, from the first frame's header."""
        with opened_image(self.frame_paths[0]) as image:
            return image.height, image.width

    def frame(self, index: int, size: tuple[int, int] | None = None) -> np.ndarray:
        """Frame `index` as uint8 (H, W, 3) RGB, stretched to `size` (H, W) where given."""
        return read_frame(self.frame_paths[index], size)

    def mask(self, index: int, size: tuple[int, int] | None = None) -> np.ndarray:
        """The annotated id map of frame `index`, uint8 (H, W). VOID counts as background, as DAVIS scores it."""
        path = self.mask_paths[index]
        if path is None:
            raise VosError(f"{self.frame_paths[index]}: this frame has no annotation")
        ids = read_mask(path, size)
        ids[ids == VOID] = 0
        return ids

    def given(self, index: int) -> np.ndarray | None:
        """What a method is given at frame `index`: the id map of the objects that first appear there, or None.

        VosError where it is not of the video's size.
        """
        new = [o.id for o in self.objects if o.first == index]
        if not new:
            return None
        ids = self.mask(index)
        if problem := size_problem(self.mask_paths[index], ids.shape, self.size):
            raise VosError(problem)
        return np.where(np.isin(ids, new), ids, 0).astype(np.uint8)

    @property
    def annotated(self) -> tuple[int, ...]:
        """Indices of the frames that have an annotation."""
        return tuple(i for i, path in enumerate(self.mask_paths) if path is not None)


class VideoObjectSegmentation(Sequence[Video]):
    """The videos of one split, sorted by name.

    root: a YouTube-VOS or DAVIS folder. split: "train", "valid" or "valid_truth".
    held_out: True takes the two validation splits out of the training list (every sequence whose place in the
        sorted list gives remainder 3 or 4 by 5), and "train" is then the rest; None does so exactly where the
        folder has no validation videos with their annotations.
    categories: the categories of "train" (what "seen" means), None for a set without categories.
    Raises VosError where the folder is not such a set.
    """

    def __init__(self, root: Path, split: str, held_out: bool | None = None) -> None:
        if split not in SPLITS:
            raise ValueError(f"split is one of {SPLITS}, not {split!r}")
        self.root, self.split = Path(root), split
        self.layout = find_layout(self.root)
        lists = davis_lists(self.root) if self.layout == "DAVIS" else youtube_vos_lists(self.root)
        self.held_out = not lists.valid_truth if held_out is None else held_out
        if self.held_out:
            wanted = [
                split != "train" if place % 5 in (3, 4) else split == "train" for place in range(len(lists.train))
            ]
            videos = [video for video, take in zip(lists.train, wanted, strict=True) if take]
        else:
            videos = getattr(lists, split)
        if not videos:
            raise VosError(f"{self.root}: no videos for the split {split!r}; `python -m vos data check` says more")
        self.videos = [only_first_masks(v) for v in videos] if split == "valid" else list(videos)
        categories = {o.category for v in lists.train for o in v.objects} - {None}
        self.categories: set[str] | None = categories or None

    def __len__(self) -> int:
        return len(self.videos)

    def __getitem__(self, index: int) -> Video:
        return self.videos[index]

    def __iter__(self) -> Iterator[Video]:
        return iter(self.videos)

    def named(self, name: str) -> Video:
        """The video called `name`."""
        for video in self.videos:
            if video.name == name:
                return video
        raise VosError(f"{self.root}: the split {self.split!r} has no video {name!r}")


@dataclass(frozen=True)
class Lists:
    """The videos of a folder, split by split, with every annotation it has."""

    train: list[Video]
    valid: list[Video]
    valid_truth: list[Video]


def find_layout(root: Path) -> str:
    """ "YouTube-VOS" or "DAVIS". VosError says what was expected where `root` is neither."""
    if not root.is_dir():
        raise VosError(f"{root}: no such folder; give the folder of a YouTube-VOS or DAVIS set")
    if (root / "train" / "JPEGImages").is_dir():
        return "YouTube-VOS"
    if (root / "JPEGImages" / "480p").is_dir():
        return "DAVIS"
    if (root / "JPEGImages").is_dir() and (root / "meta.json").is_file():
        raise VosError(f"{root}: this is one split of a YouTube-VOS set; give the folder above it")
    raise VosError(f"{root}: holds neither train/JPEGImages (YouTube-VOS) nor JPEGImages/480p (DAVIS)")


def youtube_vos_lists(root: Path) -> Lists:
    """Read train, and where they exist valid and valid_truth. Each meta.json is parsed once."""
    train = youtube_vos_videos(root / "train", root / "train")
    valid = youtube_vos_videos(root / "valid", root / "valid") if (root / "valid").is_dir() else []
    truth = youtube_vos_videos(root / "valid", root / "valid_truth") if (root / "valid_truth").is_dir() else []
    return Lists(train, valid, truth)


def youtube_vos_videos(frames_root: Path, masks_root: Path) -> list[Video]:
    """Videos with frames from `frames_root`/JPEGImages, annotations and meta.json from `masks_root`."""
    meta = masks_root / "meta.json"
    entries = read_json(meta).get("videos")
    if not isinstance(entries, dict):
        raise VosError(f'{meta}: has no "videos" object; is it the meta.json of YouTube-VOS?')
    videos = []
    for name, entry in sorted(entries.items()):
        check_name(name, meta)
        frames, masks = frames_and_masks(frames_root / "JPEGImages" / name, masks_root / "Annotations" / name)
        objects = listed_objects(f"{meta}: video {name}", entry, frames, masks)
        videos.append(Video(name, frames, tuple(masks.get(p.stem) for p in frames), objects))
    return videos


def listed_objects(
    where: str, entry: object, frames: Sequence[Path], masks: dict[str, Path]
) -> tuple[VideoObject, ...]:
    """The objects of a video's entry in meta.json, sorted by id; `where` begins the message of a VosError."""
    listed = entry.get("objects") if isinstance(entry, dict) else None
    if not isinstance(listed, dict):
        raise VosError(f'{where}: has no "objects" by id; is it the meta.json of YouTube-VOS?')
    index = {path.stem: i for i, path in enumerate(frames)}
    objects = []
    for key, value in listed.items():
        if key not in OBJECT_IDS:
            raise VosError(f"{where}: {key!r} is no object id; give a number from 1 to {VOID - 1}")
        names = value.get("frames") if isinstance(value, dict) else None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise VosError(f'{where}: object {key}: "frames" is no list of frame names; make it one')
        category = value.get("category")
        if not isinstance(category, str | None):
            raise VosError(f'{where}: object {key}: "category" is no name; make it one, or leave it out')
        if lost := sorted(set(names) - set(index)):
            raise VosError(f"{where}: object {key} is in frame {lost[0]!r}, which is not on disk; is the set whole?")
        places = tuple(sorted({index[name] for name in names}))
        first = next((i for i in places if frames[i].stem in masks), None)
        if first is None:
            raise VosError(f"{where}: object {key} has no annotation on disk; add its masks or take it off the list")
        objects.append(VideoObject(OBJECT_IDS[key], category, first, places))
    return tuple(sorted(objects, key=lambda item: item.id))


def davis_lists(root: Path) -> Lists:
    """DAVIS-2017 where its lists are there, else DAVIS-2016. A list without annotations on disk is left out."""
    for year in ("2017", "480p", "2016"):
        names = {kind: davis_names(root / "ImageSets" / year / f"{kind}.txt") for kind in ("train", "val")}
        if names["train"] or names["val"]:
            break
    else:
        lists = root / "ImageSets"
        raise VosError(f"{lists}: no train.txt in 2017/ or 480p/ names a sequence; unpack the whole DAVIS archive")
    valid = [davis_video(root, n) for n in names["val"] if (root / "Annotations" / "480p" / n).is_dir()]
    return Lists([davis_video(root, name) for name in names["train"]], valid, valid)


def davis_names(path: Path) -> list[str]:
    """Sequence names of a list: one a line (2017), or one pair of image and annotation paths a line (2016)."""
    if not path.is_file():
        return []
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, ValueError) as error:
        raise VosError(f"{path}: cannot be read as a list of sequences ({error}); replace the file") from None
    names = {Path(line.split()[0]).parent.name if "/" in line else line for line in lines if line}
    for name in names:
        check_name(name, path)
    return sorted(names)


def davis_video(root: Path, name: str) -> Video:
    """One sequence. Its objects are the ids of the first frame, each to be followed through the whole video."""
    frames, masks = frames_and_masks(root / "JPEGImages" / "480p" / name, root / "Annotations" / "480p" / name)
    first = masks.get(frames[0].stem)
    if first is None:
        folder = root / "Annotations" / "480p" / name
        raise VosError(f"{folder}: the first frame {frames[0].stem} has no annotation; is the set whole?")
    every = tuple(range(len(frames)))
    objects = tuple(VideoObject(i, None, 0, every) for i in object_ids(read_mask(first)))
    return Video(name, frames, tuple(masks.get(p.stem) for p in frames), objects)


def only_first_masks(video: Video) -> Video:
    """The video without the annotations a method must not see."""
    first = {o.first for o in video.objects}
    return replace(video, mask_paths=tuple(p if i in first else None for i, p in enumerate(video.mask_paths)))


def check_name(name: str, path: Path) -> None:
    """VosError where a list names a video by what is no name of a folder, as it may lead out of the set."""
    if name in ("", ".", "..") or Path(name).name != name or len(name.encode(errors="replace")) > 255:
        raise VosError(f"{path}: {name[:80]!r} is no name of a video; name a folder of the set")


def frames_and_masks(frames_folder: Path, masks_folder: Path) -> tuple[tuple[Path, ...], dict[str, Path]]:
    """The frames of a video in order, and its masks by name. VosError where a mask has no frame."""
    frames = images_in(frames_folder, (".jpg", ".jpeg"))
    masks = {path.stem: path for path in images_in(masks_folder, (".png",))}
    if lost := sorted(set(masks) - {path.stem for path in frames}):
        raise VosError(f"{masks[lost[0]]}: {frames_folder} has no frame of this name; is the set whole?")
    return frames, masks


def images_in(folder: Path, endings: tuple[str, ...]) -> tuple[Path, ...]:
    """The images of a folder in the order of their names, which no file system promises by itself."""
    try:
        found = sorted(p for p in folder.iterdir() if p.suffix.lower() in endings and p.name[0] != ".")
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: what cannot be a name
        raise VosError(f"{folder}: no such folder; is the set whole?") from None
    except OSError as error:
        raise VosError(f"{folder}: cannot be listed ({error.strerror}); change its permissions") from None
    if not found:
        raise VosError(f"{folder}: holds no {' or '.join(endings)} files; is the set whole?")
    for one, other in pairwise(sorted(found, key=lambda path: path.stem)):
        if one.stem == other.stem:
            raise VosError(f"{one}: {other.name} is the same frame by its name; remove one of the two")
    return tuple(found)


def size_problem(path: Path, mask: tuple[int, int], frame: tuple[int, int]) -> str:
    """What to say of a mask of another size (H, W) than its frame; empty where they are the same."""
    if mask == frame:
        return ""
    return f"{path}: is {mask[0]}x{mask[1]}, its frame is {frame[0]}x{frame[1]} (height x width); replace the mask"


def read_frame(path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """A frame as uint8 (H, W, 3) RGB, stretched to `size` (H, W) where given.

    JPEG is decoded at the smallest of its built-in scales that is still as large as `size`.
    """
    with opened_image(path) as image:
        if size is not None:
            image.draft("RGB", (size[1], size[0]))
        picture = image.convert("RGB")
    if size is not None and size != (picture.height, picture.width):
        picture = picture.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    return np.array(picture)
