"""Do the files on disk fit a plan of scoring (protocols.py)? All is said at once, before the long work starts."""

from collections import defaultdict
from pathlib import Path

from vos.files import VosError, names_in_words
from vos.files.images import opened_image
from vos.scoring.protocols import Plan, mask_names, video_folders

MODES = (
    "1",
    "L",
    "LA",
    "P",
    "RGB",
    "RGBA",
    "I;16",
    "I",
)  # of PNGs; read_mask may refuse the pixels
OF_ONE_VIDEO = 3  # how many masks of one video a message names

Faults = defaultdict[tuple[str, str], list[str]]  # names of files by (what they should be, what is wrong)


def check_files(plan: Plan, lenient: bool = False) -> tuple[list[str], list[str]]:
    """Compare a plan with the files on disk, of which only the headers are read.

    lenient: a missing predicted mask, or folder of them, is no error.
    Returns the missing predicted masks, and what the prediction has and the truth has not: masks are named
    video/frame.png, whole videos video.
    Raises one VosError that names all that is missing, unreadable, no PNG mask, or not of the truth's size.
    """
    missing: list[str] = []
    of_truth, of_prediction = Faults(list), Faults(list)
    for video in plan.videos:
        absent = bool(video.frames) and not video.prediction.is_dir()
        if absent and not lenient:
            of_prediction["video", "missing"].append(video.name)
        for file in (f"{frame}.png" for frame in video.frames):
            name, true, predicted = f"{video.name}/{file}", video.truth / file, video.prediction / file
            size = png_size(true, name, of_truth)
            if not predicted.is_file() and (absent or lenient):
                missing.append(name)
            elif (found := png_size(predicted, name, of_prediction)) and size and found != size:
                of_prediction["mask", "of the wrong size"].append(f"{name} is {found}, not {size}")
    texts = []
    for folder, faults, advice in (
        (plan.truth, of_truth, "the truth must hold a mask for every frame that is scored"),
        (plan.prediction, of_prediction, "write a PNG mask of the truth's size for every frame that is scored"),
    ):
        if faults:
            found = "; ".join(summary(*fault, names) for fault, names in faults.items())
            texts.append(f"{folder}: {found}; {advice}")
    if texts:
        raise VosError("; ".join(texts))
    return missing, extra_names(plan)


def png_size(path: Path, name: str, faults: Faults) -> str | None:
    """Width x height of a PNG that may be a mask, from its header; None where it is none, which goes into `faults`."""
    if not path.is_file():
        faults["mask", "missing"].append(name)
        return None
    try:
        with opened_image(path) as image:
            if image.format == "PNG" and image.mode in MODES:
                return f"{image.width}x{image.height}"
            fault = f"has mode {image.mode}" if image.format == "PNG" else f"is {image.format}, not PNG"
    except VosError:
        fault = "is unreadable"
    faults["file", "that cannot be a mask"].append(f"{name} {fault}")
    return None


def extra_names(plan: Plan) -> list[str]:
    """Videos and masks of the prediction that the truth does not have."""
    found: list[str] = []
    if not mask_names(plan.truth):  # it holds a folder for each video
        found += [f.name for f in video_folders(plan.prediction) if not (plan.truth / f.name).is_dir()]
    for video in plan.videos:
        true_names = set(mask_names(video.truth))
        found += [f"{video.name}/{name}.png" for name in mask_names(video.prediction) if name not in true_names]
    return found


def summary(noun: str, what: str, names: list[str]) -> str:
    """How many there are, and the first of them: '3 masks missing: a (00001.png, 00002.png), b (00004.png)'."""
    videos: dict[str, list[str]] = {}
    for video, *masks in (name.split("/", 1) for name in names):
        videos.setdefault(video, []).extend(masks)
    texts = [f"{video} ({names_in_words(masks, OF_ONE_VIDEO)})" if masks else video for video, masks in videos.items()]
    return f"{len(names)} {noun}{'s' if len(names) > 1 else ''} {what}: {names_in_words(texts)}"


def notices(missing: list[str], extra: list[str]) -> list[str]:
    """What check_files found that is no error, in words."""
    kinds = {
        ("mask", "missing and counted as empty"): missing,
        ("video", "that the truth does not have, not scored"): [name for name in extra if "/" not in name],
        ("mask", "that the truth does not have, not scored"): [name for name in extra if "/" in name],
    }
    return [summary(*kind, names) for kind, names in kinds.items() if names]
