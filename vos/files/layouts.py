"""How YouTube-VOS and DAVIS lay out a set: the layout of a folder, meta.json, lists of sequences, images in order."""

from collections import Counter
from collections.abc import Iterable
from itertools import compress, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from vos.files.errors import VosError
from vos.files.images import FRAME_ENDINGS
from vos.files.json_files import read_json
from vos.files.mask_images import VOID
from vos.files.names import NUMBER, natural_key

UNREAD = (".heic", ".heif", ".avif", ".gif", ".jp2", ".jxl", ".tga", ".exr", ".dng", ".psd")  # pictures all the same
OBJECT_IDS = {str(i): i for i in range(1, VOID)}  # as meta.json spells them


class ListedObject(NamedTuple):
    """An object of meta.json: its category, where it has one, and the names of its frames in natural order."""

    category: str | None
    frames: tuple[str, ...]


class ListedVideo(NamedTuple):
    """A video of a set: its frames in order; its masks, None where there is none; and its objects by id.

    An object is its category, the index of its first frame with a mask, and the indices of all frames it is listed in.
    objects is None where the set lists none, and the first frame then has a mask.
    """

    name: str
    frames: tuple[Path, ...]
    masks: tuple[Path | None, ...]
    objects: dict[int, tuple[str | None, int, tuple[int, ...]]] | None


Splits = tuple[list[ListedVideo], ...]  # train, valid, valid with all its masks, test

RESOLUTIONS = ("480p", "Full-Resolution", "1080p")  # folders of DAVIS's downloads, the first that is there counts
HELD_OUT = "give a set with more, or name its validation videos (DAVIS: ImageSets/2017/val.txt)"


def find_layout(root: Path) -> str:
    """ "YouTube-VOS" or "DAVIS". VosError says what was expected where `root` is neither."""
    if not root.is_dir():
        raise VosError(f"{root}: no such folder; give the folder of a YouTube-VOS or DAVIS set")
    if any((root / split / "JPEGImages").is_dir() for split in ("train", "valid", "test")):
        return "YouTube-VOS"
    if davis_resolution(root):
        return "DAVIS"
    if (root / "JPEGImages").is_dir() and (root / "meta.json").is_file():
        raise VosError(f"{root}: this is one split of a YouTube-VOS set; give the folder above it")
    wanted = "JPEGImages in train/, valid/ or test/ (YouTube-VOS) nor JPEGImages/480p (DAVIS)"
    raise VosError(f"{root}: holds neither {wanted}")


def davis_resolution(root: Path) -> str | None:
    """Which of RESOLUTIONS a DAVIS folder has."""
    return next((name for name in RESOLUTIONS if (root / "JPEGImages" / name).is_dir()), None)


def missing_split(name: str, held_out: bool) -> str:
    """What to say of a split without videos."""
    if held_out:
        return f"one video is too few to hold any out for {name}; {HELD_OUT}"
    where = {"valid_truth": "valid_truth/, or DAVIS's val.txt", "test": "test/, or DAVIS's test-dev.txt"}
    folder = where.get(name, f"{name}/, or DAVIS's {name.removesuffix('id')}.txt")
    return f"has no videos for the split {name!r} ({folder}); unpack them there, or use another split"


def read_meta(path: Path) -> dict[str, dict[int, ListedObject]]:
    """The objects of every video of a meta.json, by video and id, both sorted. VosError where it is none."""
    entries = read_json(path).get("videos")
    if not isinstance(entries, dict):
        raise VosError(f'{path}: has no "videos" object; is it the meta.json of YouTube-VOS?')
    videos = {}
    for name, entry in sorted(entries.items()):
        check_name(name, path)
        listed = entry.get("objects") if isinstance(entry, dict) else None
        if not isinstance(listed, dict):
            raise VosError(f'{path}: video {name}: has no "objects" by id; is it the meta.json of YouTube-VOS?')
        objects = {}
        for key, value in listed.items():
            if key not in OBJECT_IDS:
                raise VosError(f"{path}: video {name}: object id {key!r} must be a number from 1 to {VOID - 1}")
            objects[OBJECT_IDS[key]] = listed_object(f"{path}: video {name}: object {key}", value)
        videos[name] = dict(sorted(objects.items()))
    return videos


def listed_object(where: str, value: Any) -> ListedObject:
    """One object's entry in meta.json; `where` begins the message of a VosError."""
    frames = value.get("frames") if isinstance(value, dict) else None
    if not isinstance(frames, list) or not all(isinstance(name, str) for name in frames):
        raise VosError(f'{where}: "frames" must be a list of frame names')
    category = value.get("category")
    if not isinstance(category, str | None):
        raise VosError(f'{where}: "category" must be a name, or be left out')
    return ListedObject(category, tuple(sorted(set(frames), key=natural_key)))


def davis_splits(root: Path) -> Splits:
    """DAVIS-2017's lists where they are there, else DAVIS-2016's; without ImageSets/, all sequences are for training.

    A sequence of val without annotations is left out.
    """
    lists, annotations = root / "ImageSets", root / "Annotations" / str(davis_resolution(root))
    test = first_list(lists / "2017" / f"{name}.txt" for name in ("test-dev", "test-challenge"))
    for year in ("2017", *RESOLUTIONS, "2016"):
        train, val = (davis_names(lists / year / f"{kind}.txt") for kind in ("train", "val"))
        if train or val:
            break
    else:
        if not test and lists.is_dir():
            advice = "name a sequence in 2017/train.txt, or remove ImageSets/ to train on all"
            raise VosError(
                f"{lists}: no train.txt, val.txt or test-dev.txt in 2017/ or 480p/ names a sequence; {advice}"
            )
        train = [] if test else sorted(path.name for path in annotations.glob("[!.]*") if path.is_dir())
    valid = [davis_video(root, name) for name in val if (annotations / name).is_dir()]
    return [davis_video(root, name) for name in train], valid, valid, [davis_video(root, name) for name in test]


def first_list(paths: Iterable[Path]) -> list[str]:
    """The sequence names of the first of these lists that has any."""
    return next((names for path in paths if (names := davis_names(path))), [])


def davis_video(root: Path, name: str) -> ListedVideo:
    """One sequence. VosError where its first frame has no mask, which says what the objects are."""
    resolution = str(davis_resolution(root))
    annotations = root / "Annotations" / resolution / name
    frames, masks = frames_and_masks(root / "JPEGImages" / resolution / name, annotations)
    if frames[0].stem not in masks:
        raise VosError(f"{annotations}: the first frame {frames[0].stem} has no annotation; is the set whole?")
    return ListedVideo(name, frames, tuple(masks.get(path.stem) for path in frames), None)


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


def check_name(name: str, path: Path) -> None:
    """VosError where a list names a video by what cannot be a folder's name, as it may lead out of the set."""
    if name in ("", ".", "..") or Path(name).name != name or len(name.encode(errors="replace")) > 255:
        raise VosError(f"{path}: {name[:80]!r} cannot be the name of a video; name a folder of the set")


def images_in(folder: Path, endings: tuple[str, ...], without: Path | None = None) -> tuple[Path, ...]:
    """The images of a folder in the natural order of their names, which no file system promises, without strays.

    without: a file that is none of them, wherever it lies. VosError where there is no image, or two are one frame.
    """
    images, strays = images_and_strays(folder, endings, without)
    if not images:
        advice = f"convert {strays[0].name} and the others to one of these" if strays else "is the set whole?"
        raise VosError(f"{folder}: holds no {' or '.join(endings)} files; {advice}")
    for one, other in pairwise(images):
        if one.stem == other.stem:
            raise VosError(f"{one}: {other.name} is the same frame by its name; remove one of the two")
        if natural_key(one.stem)[0] == natural_key(other.stem)[0]:
            raise VosError(f"{one}: {other.name} has the same number; remove or rename one of the two")
    return images


def stray_images(folder: Path, endings: tuple[str, ...], without: Path | None = None) -> tuple[Path, ...]:
    """The images of a folder that images_in leaves out: of another kind, or named unlike the others, as cover.jpg."""
    return images_and_strays(folder, endings, without)[1]


def images_and_strays(
    folder: Path, endings: tuple[str, ...], without: Path | None
) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """The images that are not hidden, in natural order, and the strays among them.

    Where at least three images, and three quarters of all, have the same name but for the numbers in it, the others
    are strays; and so are pictures of a kind that is not read.
    """
    try:
        found = [p for p in folder.iterdir() if p.suffix.lower() in (*endings, *UNREAD) and p.name[0] != "."]
        found = [p for p in found if not (without and without.exists() and p.exists() and p.samefile(without))]
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: what cannot be a name
        raise VosError(f"{folder}: no such folder; is the set whole?") from None
    except OSError as error:
        raise VosError(f"{folder}: cannot be listed ({error.strerror}); change its permissions") from None
    found.sort(key=lambda path: (natural_key(path.stem), path.suffix))
    unread = tuple(path for path in found if path.suffix.lower() in UNREAD)
    found = [path for path in found if path not in unread]
    patterns = [NUMBER.sub("#", path.stem.lower()) for path in found]
    usual, count = max(Counter(patterns).items(), key=itemgetter(1), default=("", 0))
    if "#" not in usual or count < 3 or 4 * count < 3 * len(found):
        return tuple(found), unread
    alike = [pattern == usual for pattern in patterns]
    return tuple(compress(found, alike)), tuple(compress(found, (not same for same in alike))) + unread


def frames_and_masks(frames_folder: Path, masks_folder: Path) -> tuple[tuple[Path, ...], dict[str, Path]]:
    """The frames of a video in order, and its masks by name. VosError where a mask has no frame."""
    frames = images_in(frames_folder, FRAME_ENDINGS)
    masks = {path.stem: path for path in images_in(masks_folder, (".png",))}
    if lost := sorted(set(masks) - {path.stem for path in frames}, key=natural_key):
        raise VosError(f"{masks[lost[0]]}: {frames_folder} has no frame of this name; is the set whole?")
    return frames, masks


def youtube_vos_splits(root: Path, all_frames: bool = False) -> Splits:
    """Read train, valid, valid_truth and test where they exist. Each meta.json is parsed once.

    all_frames: the frames of train come from train_all_frames, for the videos that are there.
    """
    train, valid, truth, test = (root / name for name in ("train", "valid", "valid_truth", "test"))
    pairs = (train, train), (valid, valid), (valid, truth), (test, test)
    every = root / "train_all_frames" if all_frames else None
    return tuple(
        youtube_vos_videos(frames, masks, every if frames == train else None) if masks.is_dir() else []
        for frames, masks in pairs
    )


def youtube_vos_videos(frames_root: Path, masks_root: Path, every: Path | None = None) -> list[ListedVideo]:
    """Videos with frames from `frames_root`/JPEGImages, annotations and meta.json from `masks_root`.

    every: where JPEGImages/ holds all frames of some of the videos.
    """
    meta = masks_root / "meta.json"
    videos = []
    for name, listed in read_meta(meta).items():
        folder = frames_root / "JPEGImages" / name
        if every and (every / "JPEGImages" / name).is_dir():
            folder = every / "JPEGImages" / name
        frames, masks = frames_and_masks(folder, masks_root / "Annotations" / name)
        index = {path.stem: i for i, path in enumerate(frames)}
        objects = {}
        for number, (category, names) in listed.items():
            where = f"{meta}: video {name}: object {number}"
            if lost := sorted(set(names) - set(index), key=natural_key):
                raise VosError(f"{where} is in frame {lost[0]!r}, which is not on disk; is the set whole?")
            places = tuple(sorted(index[frame] for frame in names))
            first = next((i for i in places if frames[i].stem in masks), None)
            if first is None:
                raise VosError(f"{where} has no annotation on disk; add its masks or take it off the list")
            objects[number] = category, first, places
        videos.append(ListedVideo(name, frames, tuple(masks.get(path.stem) for path in frames), objects))
    return videos
