"""What is scored by the rules of DAVIS and of YouTube-VOS: which videos, objects and frames.

A plan is made from the truth alone, and then compared with the prediction folder, so that everything missing is
said at once and before the long work starts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vos.files import VosError, names_in_words
from vos.files.layouts import read_meta
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
        """ValueError where a value is not one of those above."""
        for name, choices in (("frames", FRAMES), ("mean", MEANS)):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} must be one of {choices}, not {getattr(self, name)!r}")
        if self.void is not None and not 1 <= self.void <= 255:
            raise ValueError(f"void must be an id from 1 to 255 or None, not {self.void}")


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
    objects: tuple[ScoredObject, ...]

    @property
    def frames(self) -> tuple[str, ...]:
        """The frames that any of the objects is scored on, sorted."""
        return tuple(sorted({frame for scored in self.objects for frame in scored.frames}))


@dataclass(frozen=True)
class Plan:
    """What is scored. truth, prediction: the folders in which those of the videos lie, or the masks of the only one."""

    truth: Path
    prediction: Path
    videos: tuple[ScoredVideo, ...]


def make_plan(
    truth: Path,
    prediction: Path,
    protocol: str,
    rules: Rules = DEFAULTS,
    names: Sequence[str] | None = None,
    train_meta: Path | None = None,
) -> Plan:
    """What is scored by a protocol; the arguments as in evaluate.py, names: take only these videos."""
    if protocol not in PROTOCOLS:
        raise ValueError(f"protocol must be one of {PROTOCOLS}, not {protocol!r}")
    if absent := dict.fromkeys(str(folder) for folder in (truth, prediction) if not folder.is_dir()):
        raise VosError(f"{' and '.join(absent)}: no such folder; name the folders of the true and the predicted masks")
    if protocol == "davis":
        plan = plan_davis(truth, prediction, rules, names)
    else:
        plan = plan_youtube_vos(truth, prediction, rules, names, train_meta)
    ids = {scored.id for video in plan.videos for scored in video.objects}
    if not ids:
        raise VosError(f"{truth}: no object has a frame to score; check that the truth is whole")
    if rules.void in ids:
        raise VosError(f"{truth}: void {rules.void} is the id of an object; name the id of what is not to be scored")
    return plan


def plan_davis(truth: Path, prediction: Path, rules: Rules, names: Sequence[str] | None) -> Plan:
    """What counts in DAVIS 2017, semi-supervised (Pont-Tuset et al., arXiv:1704.00675, as its toolkit has it).

    truth, prediction: folders of PNGs, or of one such folder for each video.
    """
    if replace(rules, first=DEFAULTS.first, last=DEFAULTS.last, frames=DEFAULTS.frames) != rules:
        raise VosError("protocol davis: it is known which frames count; leave out the choice of first, last and frames")
    videos = []
    pairs = folder_pairs(truth, prediction, names)
    masks = {video: mask_names(folder) for video, folder, _ in pairs}
    if short := [video for video in masks if len(masks[video]) < 3]:
        raise VosError(f"{truth}: {names_in_words(short)} needs at least 3 masks: DAVIS scores neither first nor last")
    for video, folder, predicted in pairs:
        first, *scored, _ = masks[video]
        ids = set(object_ids(read_mask(folder / f"{first}.png"))) - {rules.void}
        objects = tuple(ScoredObject(i, tuple(scored)) for i in range(1, max(ids, default=0) + 1))
        videos.append(ScoredVideo(video, folder, predicted, objects))
    return Plan(truth, prediction, tuple(videos))


def plan_youtube_vos(
    truth: Path,
    prediction: Path,
    rules: Rules,
    names: Sequence[str] | None,
    train_meta: Path | None,
) -> Plan:
    """What counts in YouTube-VOS style scoring: each object, on the frames meta.json lists for it after its first.

    truth: a folder with Annotations/ and meta.json, or that Annotations/.
    An object without a frame that counts, as when it is listed only where it is given, is left out.
    """
    if truth.resolve().name == "Annotations":
        truth = truth.resolve().parent
    meta = read_meta(truth / "meta.json")
    seen_in_training = seen_categories(truth, train_meta)
    if (prediction / "Annotations").is_dir():  # laid out as the leader board wants it
        prediction = prediction / "Annotations"
    pairs = folder_pairs(truth / "Annotations", prediction, names)
    compare_with_meta(truth, meta, {video for video, _, _ in pairs}, whole=names is None)
    videos = []
    for video, folder, predicted in pairs:
        annotated = mask_names(folder)
        objects = []
        for object_id, (category, listed) in meta[video].items():
            if not listed:
                continue
            frames = [f for f in annotated if f >= listed[0]] if rules.frames == "annotated" else listed
            scored = tuple(
                frame
                for frame in frames
                if (rules.first or frame != listed[0]) and (rules.last or frame != annotated[-1])
            )
            seen = None if seen_in_training is None or category is None else category in seen_in_training
            if scored:
                objects.append(ScoredObject(object_id, scored, category, seen))
        videos.append(ScoredVideo(video, folder, predicted, tuple(objects)))
    return Plan(truth / "Annotations", prediction, tuple(videos))


def folder_pairs(truth: Path, prediction: Path, names: Sequence[str] | None) -> list[tuple[str, Path, Path]]:
    """(video, folder of its truth, folder of its prediction), sorted by video."""
    if not truth.is_dir():
        raise VosError(f"{truth}: no such folder; name the folder that holds the true PNG masks")
    if mask_names(truth):
        folders = [truth.resolve()]  # "." has a name, too
    else:
        folders = sorted(folder for folder in truth.iterdir() if folder.is_dir() and mask_names(folder))
    if not folders:
        advice = "name the folder with the videos (of DAVIS: Annotations/480p), or use the youtube-vos protocol"
        raise VosError(f"{truth}: holds no PNG masks, nor folders of them; {advice}")
    if names is not None:
        unknown = sorted(set(names) - {folder.name for folder in folders})
        if unknown:
            raise VosError(f"{truth}: has no video {names_in_words(unknown)}; leave it out or name another folder")
        folders = [folder for folder in folders if folder.name in names]
    if len(folders) == 1 and mask_names(prediction):
        return [(folders[0].name, folders[0], prediction)]
    return [(folder.name, folder, prediction / folder.name) for folder in folders]


def mask_names(folder: Path) -> list[str]:
    """Names of the PNGs in a folder, without ending, sorted: no file system promises an order."""
    return sorted(path.stem for path in folder.glob("*.png") if path.name[0] != ".")


def compare_with_meta(truth: Path, listed: Iterable[str], on_disk: set[str], whole: bool) -> None:
    """VosError where meta.json and the folders of Annotations/ name different videos."""
    if unlisted := sorted(on_disk - set(listed)):
        raise VosError(f"{truth / 'meta.json'}: does not list {names_in_words(unlisted)}; list objects and frames")
    if whole and (lost := sorted(set(listed) - on_disk)):
        raise VosError(f"{truth / 'Annotations'}: lacks {names_in_words(lost)}, which meta.json lists; add the masks")


def seen_categories(truth: Path, train_meta: Path | None) -> set[str] | None:
    """The categories of the training set, or None where there is no such file or it names none."""
    if train_meta is None:
        train_meta = truth.resolve().parent / "train" / "meta.json"
        if not train_meta.is_file():
            return None
    objects = [listed for video in read_meta(train_meta).values() for listed in video.values()]
    return {listed.category for listed in objects if listed.category is not None} or None
