"""Do the files on disk fit a plan of scoring (protocols.py)? All is said at once, before the long work starts."""

from collections import defaultdict
from pathlib import Path

from vos.files import VosError, names_in_words
from vos.files.images import opened_image
from vos.scoring.protocols import Plan, mask_names

MODES = ("1", "L", "P", "RGB", "RGBA")  # of what vos.masks.read_mask may read; the rest it says by the pixels
MISSING = "missing"
OF_ONE_VIDEO = 3  # how many masks of one video a message names
ADVICE = {
    "truth": "the truth must hold a mask for every frame that is scored",
    "prediction": "write a PNG mask of the truth's size for every frame that is scored",
}


def check_files(plan: Plan, lenient: bool = False) -> tuple[list[str], list[str]]:
    """Compare a plan with the files on disk, of which only the headers are read.

    lenient: a missing predicted mask, or folder of them, is no error.
    Returns the missing predicted masks, and what the prediction has and the truth has not: masks are named
    video/frame.png, whole videos video.
    Raises one VosError that names all that is missing, unreadable, no PNG mask, or not of the truth's size.
    """
    missing: list[str] = []
    faults: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)  # names by (side, noun, what is wrong)
    for video in plan.videos:
        frames = video.frames
        absent = bool(frames) and not video.prediction.is_dir()
        if absent and not lenient:
            faults["prediction", "video", MISSING].append(video.name)
        for name in (f"{frame}.png" for frame in frames):
            size, fault = probe_png(video.truth / name)
            predicted_size, predicted_fault = probe_png(video.prediction / name)
            if predicted_fault == MISSING and (absent or lenient):
                missing.append(f"{video.name}/{name}")
                predicted_fault = ""
            elif size and predicted_size and predicted_size != size:
                wrong = f"{video.name}/{name} is {predicted_size}, not {size}"
                faults["prediction", "mask", "of the wrong size"].append(wrong)
            for side, found in (("truth", fault), ("prediction", predicted_fault)):
                if found == MISSING:
                    faults[side, "mask", MISSING].append(f"{video.name}/{name}")
                elif found:
                    faults[side, "file", "that cannot be a mask"].append(f"{video.name}/{name} {found}")
    if faults:
        texts = []
        for side, folder in (("truth", plan.truth), ("prediction", plan.prediction)):
            parts = [summary(noun, what, names) for (where, noun, what), names in faults.items() if where == side]
            texts += ["; ".join([f"{folder}: {parts[0]}", *parts[1:], ADVICE[side]])] if parts else []
        raise VosError("; ".join(texts))
    return missing, extra_names(plan)


def probe_png(path: Path) -> tuple[str, str]:
    """(width x height, "") of a PNG that may be a mask, from its header, or ("", what is wrong with it)."""
    if not path.is_file():
        return "", MISSING
    try:
        with opened_image(path) as image:
            if image.format != "PNG":
                return "", f"is {image.format}, not PNG"
            if image.mode not in MODES:
                return "", f"has mode {image.mode}"
            return f"{image.width}x{image.height}", ""
    except VosError:
        return "", "is unreadable"


def extra_names(plan: Plan) -> list[str]:
    """Videos and masks of the prediction that the truth does not have."""
    found: list[str] = []
    if not mask_names(plan.truth):  # it holds a folder for each video
        folders = sorted(folder for folder in plan.prediction.iterdir() if folder.is_dir() and mask_names(folder))
        found += [folder.name for folder in folders if not (plan.truth / folder.name).is_dir()]
    for video in plan.videos:
        true_names = set(mask_names(video.truth))
        found += [f"{video.name}/{name}.png" for name in mask_names(video.prediction) if name not in true_names]
    return found


def summary(noun: str, what: str, names: list[str]) -> str:
    """How many there are, and the first of them: '3 masks missing: a (00001.png, 00002.png), b (00004.png)'."""
    videos: dict[str, list[str]] = {}
    for video, _, mask in (name.partition("/") for name in names):
        videos.setdefault(video, []).extend([mask] if mask else [])
    texts = [f"{video} ({names_in_words(masks, OF_ONE_VIDEO)})" if masks else video for video, masks in videos.items()]
    return f"{len(names)} {noun}{'s' if len(names) > 1 else ''} {what}: {names_in_words(texts)}"


def notices(missing: list[str], extra: list[str]) -> list[str]:
    """What check_files found that is no error, in words."""
    videos = [name for name in extra if "/" not in name]
    masks = [name for name in extra if "/" in name]
    kinds = {
        ("mask", "missing and counted as empty"): missing,
        ("video", "that the truth does not have, not scored"): videos,
        ("mask", "that the truth does not have, not scored"): masks,
    }
    return [summary(noun, what, names) for (noun, what), names in kinds.items() if names]
