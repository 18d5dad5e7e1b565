"""What is scored by the rules of DAVIS and of YouTube-VOS: which videos, objects and frames.

A plan is made from the truth alone, and then compared with the prediction folder, so that everything missing is
said at once and before the long work starts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from vos.config import require, require_one_of
from vos.files import VosError, names_in_words
from vos.files.layouts import read_meta
from vos.files.names import natural_key
from vos.masks import object_ids, read_mask

PROTOCOLS = ("davis", "youtube-vos")
FRAMES = ("listed", "annotated")
MEANS = ("objects", "videos")


@dataclass(frozen=True)
class Rules:
    """What is left open. The scorer of YouTube-VOS is not public, so its unknowns are switches.

    first: youtube-vos: does the frame count where an object is given? No: there is nothing to predict in it.
    last: youtube-vos: does the last annotated frame of a video count? Yes: only DAVIS is known to leave it out.
    frames: youtube-vos: is an object scored on the frames that meta.json lists for it, "listed", or on all that are
        "annotated" after its first? Listed: that is what the list is for. Where an object is out of sight and not
        listed, it then costs nothing to predict it.
    mean: are global numbers means over "objects", or over "videos" of the mean of each? Objects: DAVIS's toolkit
        does so. By videos, one with many objects weighs no more than others.
    void: the id of truth pixels that are left out of truth and prediction; None: of none. In DAVIS's toolkit, the
        void of the truth, 255, is background.
    lenient: does a missing mask, or a whole missing video, count as empty? No, it is an error: so it is in DAVIS's
        toolkit.
    """

    first: bool = False
    last: bool = True
    frames: str = "listed"
    mean: str = "objects"
    void: int | None = None
    lenient: bool = False

    def __post_init__(self) -> None:
        require_one_of(self, "frames", FRAMES)
        require_one_of(self, "mean", MEANS)
        require(self.void in (None, *range(1, 256)), f"void must be an id from 1 to 255 or None, not {self.void}")


DEFAULTS = Rules()


@dataclass(frozen=True)
class ScoredObject:
    """One object and the names of the frames it is scored on, in order."""

    id: int
    frames: tuple[str, ...]
    category: str | None = None
    seen: bool | None = None  # does its category occur in training? None where unknown


@dataclass(frozen=True)
class ScoredVideo:
    """One video: its two folders of PNGs (that of the prediction may be missing) and its objects."""

    name: str
    truth: Path
    prediction: Path
    objects: tuple[ScoredObject, ...] = ()

    @cached_property
    def frames(self) -> tuple[str, ...]:
        """The frames that any of the objects is scored on, in natural order."""
        return tuple(sorted({frame for scored in self.objects for frame in scored.frames}, key=natural_key))


@dataclass(frozen=True)
class Plan:
    """What is scored. truth, prediction: the folders in which those of the videos lie, or the masks of the only one."""

    truth: Path
    prediction: Path
    videos: tuple[ScoredVideo, ...]


def make_plan(
    truth: Path, prediction: Path, protocol: str, rules: Rules, names: Sequence[str] | None, train_meta: Path | None
) -> Plan:
    """What is scored by a protocol; the arguments as in evaluate.py, names: take only these videos."""
    require(protocol in PROTOCOLS, f"protocol must be one of {PROTOCOLS}, not {protocol!r}")
    if absent := dict.fromkeys(str(folder) for folder in (truth, prediction) if not folder.is_dir()):
        raise VosError(f"{' and '.join(absent)}: no such folder; name the folders of the true and the predicted masks")
    if protocol == "davis":
        plan = Plan(truth, prediction, plan_davis(truth, prediction, rules, names))
    else:
        root = truth.resolve().parent if truth.resolve().name == "Annotations" else truth
        if (prediction / "Annotations").is_dir():  # laid out as the leader board wants it
            prediction = prediction / "Annotations"
        plan = Plan(root / "Annotations", prediction, plan_youtube_vos(root, prediction, rules, names, train_meta))
    ids = {scored.id for video in plan.videos for scored in video.objects}
    if not ids:
        raise VosError(f"{truth}: no object has a frame to score; check that the truth is whole")
    if rules.void in ids:
        raise VosError(f"{truth}: void {rules.void} is the id of an object; name the id of what is not to be scored")
    return plan


def plan_davis(truth: Path, prediction: Path, rules: Rules, names: Sequence[str] | None) -> tuple[ScoredVideo, ...]:
    """What counts in DAVIS 2017, semi-supervised (Pont-Tuset et al., arXiv:1704.00675, as its toolkit has it)."""
    if replace(rules, first=DEFAULTS.first, last=DEFAULTS.last, frames=DEFAULTS.frames) != rules:
        raise VosError("protocol davis: it is known which frames count; leave out the choice of first, last and frames")
    videos = find_videos(truth, prediction, names)
    masks = {video.name: mask_names(video.truth) for video in videos}
    if short := [name for name in masks if len(masks[name]) < 3]:
        raise VosError(f"{truth}: {names_in_words(short)} needs at least 3 masks: DAVIS scores neither first nor last")

    def objects_of(video: ScoredVideo) -> tuple[ScoredObject, ...]:
        first, *scored, _ = masks[video.name]
        ids = set(object_ids(read_mask(video.truth / f"{first}.png"))) - {rules.void}
        return tuple(ScoredObject(i, tuple(scored)) for i in range(1, max(ids, default=0) + 1))

    return tuple(replace(video, objects=objects_of(video)) for video in videos)


def plan_youtube_vos(
    root: Path, prediction: Path, rules: Rules, names: Sequence[str] | None, train_meta: Path | None
) -> tuple[ScoredVideo, ...]:
    """What counts in YouTube-VOS style scoring: each object, on the frames meta.json lists for it after its first.

    root: a folder with Annotations/ and meta.json. An object without a frame that counts is left out.
    """
    meta = read_meta(root / "meta.json")
    seen_in_training = seen_categories(root, train_meta)
    videos = find_videos(root / "Annotations", prediction, names)
    on_disk = {video.name for video in videos}
    if unlisted := sorted(on_disk - set(meta)):
        raise VosError(f"{root / 'meta.json'}: does not list {names_in_words(unlisted)}; list objects and frames")
    if names is None and (lost := sorted(set(meta) - on_disk)):
        raise VosError(f"{root / 'Annotations'}: lacks {names_in_words(lost)}, which meta.json lists; add the masks")

    def objects_of(video: ScoredVideo) -> Iterator[ScoredObject]:
        annotated = mask_names(video.truth)
        for object_id, (category, listed) in meta[video.name].items():
            if not listed:
                continue
            begin = natural_key(listed[0])
            frames = [f for f in annotated if natural_key(f) >= begin] if rules.frames == "annotated" else listed
            scored = tuple(f for f in frames if (rules.first or f != listed[0]) and (rules.last or f != annotated[-1]))
            seen = None if seen_in_training is None or category is None else category in seen_in_training
            if scored:
                yield ScoredObject(object_id, scored, category, seen)

    return tuple(replace(video, objects=tuple(objects_of(video))) for video in videos)


def find_videos(truth: Path, prediction: Path, names: Sequence[str] | None) -> list[ScoredVideo]:
    """The videos of a truth, sorted by name, with their folders but without their objects."""
    if not truth.is_dir():
        raise VosError(f"{truth}: no such folder; name the folder that holds the true PNG masks")
    folders = [truth.resolve()] if mask_names(truth) else video_folders(truth)  # resolved, as "." has a name, too
    if not folders:
        advice = "name the folder with the videos (of DAVIS: Annotations/480p), or use the youtube-vos protocol"
        raise VosError(f"{truth}: holds no PNG masks, nor folders of them; {advice}")
    if names is not None:
        if unknown := sorted(set(names) - {folder.name for folder in folders}):
            raise VosError(f"{truth}: has no video {names_in_words(unknown)}; leave it out or name another folder")
        folders = [folder for folder in folders if folder.name in names]
    alone = len(folders) == 1 and mask_names(prediction)
    return [ScoredVideo(f.name, f, prediction if alone else prediction / f.name) for f in folders]


def video_folders(root: Path) -> list[Path]:
    """The folders of PNGs in a folder, sorted."""
    return sorted(folder for folder in root.iterdir() if folder.is_dir() and mask_names(folder))


def mask_names(folder: Path) -> list[str]:
    """Names of the PNGs in a folder, without ending, in natural order: no file system promises one."""
    return sorted((path.stem for path in folder.glob("*.png") if path.name[0] != "."), key=natural_key)


def seen_categories(truth: Path, train_meta: Path | None) -> set[str] | None:
    """The categories of the training set, or None where there is no such file or it names none."""
    if train_meta is None:
        train_meta = truth.resolve().parent / "train" / "meta.json"
        if not train_meta.is_file():
            return None
    listed = [item.category for video in read_meta(train_meta).values() for item in video.values()]
    return {category for category in listed if category is not None} or None
