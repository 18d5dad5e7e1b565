"""What is scored by the rules of DAVIS and of YouTube-VOS: which videos, objects and frames.

A plan is made from the truth alone, and then compared with the prediction folder, so that everything missing is
said at once and before the long work starts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vos.data import opened_image
from vos.files import VosError, read_json
from vos.masks import object_ids, read_mask

LISTED = 10  # how many names of one kind an error message spells out


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


def plan_davis(truth: Path, prediction: Path, names: Sequence[str] | None = None) -> list[ScoredVideo]:
    """What counts in DAVIS 2017, semi-supervised (Pont-Tuset et al., arXiv:1704.00675, as its toolkit has it).

    truth, prediction: folders of PNGs, or of one such folder for each video. names: take only these videos.
    """
    plan = []
    for video, folder, predicted in _folder_pairs(truth, prediction, names):
        frames = _mask_names(folder)
        if len(frames) < 3:
            raise VosError(f"{folder}: needs at least 3 masks, as DAVIS scores neither the first nor the last")
        highest = max(object_ids(read_mask(folder / f"{frames[0]}.png")), default=0)
        objects = tuple(ScoredObject(i, tuple(frames[1:-1])) for i in range(1, highest + 1))
        plan.append(ScoredVideo(video, folder, predicted, objects))
    return plan


def plan_youtube_vos(
    truth: Path,
    prediction: Path,
    include_last: bool = True,
    train_meta: Path | None = None,
    names: Sequence[str] | None = None,
) -> list[ScoredVideo]:
    """What counts in YouTube-VOS style scoring: each object, on the frames meta.json lists for it after its first.

    truth: a folder with Annotations/ and meta.json, or that Annotations/. The other arguments as in `evaluate`.
    An object listed in one frame only is given there and never scored.
    """
    if truth.resolve().name == "Annotations":
        truth = truth.resolve().parent
    meta = _listed_objects(truth / "meta.json")
    seen_categories = _seen_categories(truth, train_meta)
    if (prediction / "Annotations").is_dir():  # laid out as the leader board wants it
        prediction = prediction / "Annotations"
    pairs = _folder_pairs(truth / "Annotations", prediction, names)
    _compare_with_meta(truth, meta, {video for video, _, _ in pairs}, whole=names is None)
    plan = []
    for video, folder, predicted in pairs:
        last = None if include_last else _mask_names(folder)[-1]
        objects = []
        for object_id, (category, frames) in sorted(meta[video].items()):
            scored = tuple(frame for frame in frames[1:] if frame != last)
            seen = None if seen_categories is None or category is None else category in seen_categories
            if scored:
                objects.append(ScoredObject(object_id, scored, category, seen))
        plan.append(ScoredVideo(video, folder, predicted, tuple(objects)))
    return plan


def check_files(plan: list[ScoredVideo], truth: Path, prediction: Path) -> None:
    """Raise one VosError that names every scored frame that is missing or of the wrong size; reads headers only."""
    lost = [
        f"{video.name}/{frame}.png"
        for video in plan
        for frame in video.frames
        if not (video.truth / f"{frame}.png").is_file()
    ]
    if lost:
        raise VosError(f"{truth}: lacks {_spelled(lost)}; the truth must hold every frame that is scored")
    absent = [video.name for video in plan if video.objects and not video.prediction.is_dir()]
    problems = [f"no folder for {_spelled(absent)}"] if absent else []
    for video in plan:
        if video.name in absent:
            continue
        missing, misshapen = [], []
        for frame in video.frames:
            path = video.prediction / f"{frame}.png"
            if not path.is_file():
                missing.append(path.name)
            elif (size := _png_size(path)) != (wanted := _png_size(video.truth / path.name)):
                misshapen.append(f"{path.name} ({size}, not {wanted})")
        problems += [f"{video.name} lacks {_spelled(missing)}"] if missing else []
        problems += [f"{video.name} has the wrong size in {_spelled(misshapen)}"] if misshapen else []
    if problems:
        advice = "write a mask of the truth's size for every scored frame"
        raise VosError(f"{prediction}: {'; '.join(problems)}; {advice}")


def _folder_pairs(truth: Path, prediction: Path, names: Sequence[str] | None) -> list[tuple[str, Path, Path]]:
    """(video, folder of its truth, folder of its prediction), sorted by video."""
    if not truth.is_dir():
        raise VosError(f"{truth}: no such folder; name the folder that holds the true PNG masks")
    if _mask_names(truth):
        folders = [truth.resolve()]  # "." has a name, too
    else:
        folders = sorted(folder for folder in truth.iterdir() if folder.is_dir() and _mask_names(folder))
    if not folders:
        advice = "name the folder with the videos (of DAVIS: Annotations/480p), or use the youtube-vos protocol"
        raise VosError(f"{truth}: holds no PNG masks, nor folders of them; {advice}")
    if names is not None:
        unknown = sorted(set(names) - {folder.name for folder in folders})
        if unknown:
            raise VosError(f"{truth}: has no video {_spelled(unknown)}; leave it out or name another folder")
        folders = [folder for folder in folders if folder.name in names]
    if len(folders) == 1 and _mask_names(prediction):
        return [(folders[0].name, folders[0], prediction)]
    return [(folder.name, folder, prediction / folder.name) for folder in folders]


def _mask_names(folder: Path) -> list[str]:
    """Names of the PNGs in a folder, without ending, sorted: no file system promises an order."""
    return sorted(path.stem for path in folder.glob("*.png") if path.name[0] != ".")


def _listed_objects(meta: Path) -> dict[str, dict[int, tuple[str | None, list[str]]]]:
    """{video: {id: (category, sorted frames)}} of a meta.json."""
    try:
        return {
            video: {
                int(object_id): (entry.get("category"), sorted(set(entry["frames"])))
                for object_id, entry in listed["objects"].items()
            }
            for video, listed in read_json(meta)["videos"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        layout = '{"videos": {name: {"objects": {id: {"category": str, "frames": [str]}}}}}'
        raise VosError(f"{meta}: is not laid out as in YouTube-VOS ({error!r}); make it {layout}") from None


def _compare_with_meta(truth: Path, listed: Sequence[str], on_disk: set[str], whole: bool) -> None:
    """VosError where meta.json and the folders of Annotations/ name different videos."""
    if unlisted := sorted(on_disk - set(listed)):
        raise VosError(f"{truth / 'meta.json'}: does not list {_spelled(unlisted)}; list objects and frames")
    if whole and (lost := sorted(set(listed) - on_disk)):
        raise VosError(f"{truth / 'Annotations'}: lacks {_spelled(lost)}, which meta.json lists; add the masks")


def _seen_categories(truth: Path, train_meta: Path | None) -> set[str] | None:
    """The categories of the training set, or None where there is no such file or it names none."""
    if train_meta is None:
        train_meta = truth.resolve().parent / "train" / "meta.json"
        if not train_meta.is_file():
            return None
    objects = [entry for video in _listed_objects(train_meta).values() for entry in video.values()]
    return {category for category, _ in objects if category is not None} or None


def _png_size(path: Path) -> str:
    """Width x height of an image from its header, without decoding it."""
    try:
        with opened_image(path) as image:
            return f"{image.width}x{image.height}"
    except VosError:
        return "unreadable"


def _spelled(names: Sequence[str]) -> str:
    rest = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + rest
