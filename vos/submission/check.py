"""Checking a leader-board submission: what can be known without the truth, each fault said in plain words.

The zip is not trusted. Names and sizes are judged from its directory before anything is unpacked; then the masks are
read one at a time, never more bytes of one than a mask of its video can need, and nothing is written to disk.
"""

import re
import stat
import zipfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from vos.data import Video
from vos.files import VosError, names_in_words, printable
from vos.files.names import natural_key
from vos.files.progress import tracked
from vos.files.zips import HIGHEST_RATIO, UNREADABLE
from vos.submission.mask_check import Finding, asked_frames, check_masks, error, most_bytes, read_ids, warning

TOP = "Annotations"
LAYOUT = f"{TOP}/<video>/<frame>.png"
STRAYS = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"}
BAD_PATHS = {
    r"(^|[/\\])\.\.([/\\]|$)": "leads out of the folder that the zip is unpacked in; use plain relative paths",
    r"^[/\\]|^[A-Za-z]:": f"is an absolute path; make it {LAYOUT}",
    r"\\": "has a backslash in its path; join the parts of a path by /",
    r"[\x00-\x1f\x7f]": "has control characters in its name; rename it",
}
NUMBERED = re.compile(r"[0-9]{1,9}\.png")

Members = dict[tuple[str, ...], zipfile.ZipInfo | None]  # by the parts of the path; None: not to be read
Masks = dict[str, zipfile.ZipInfo | None]  # of one video, by the name of the file


def check_submission(path: Path, videos: Iterable[Video], progress: bool = True) -> list[Finding]:
    """All faults of a submission in YouTube-VOS leader-board layout, errors first; none if it is fit to upload.

    videos: those of the split "valid", with the masks that are given. A mask is an indexed PNG of the native size
    of its video, holds only ids of the video's objects, and holds the given mask where an object begins.
    Raises VosError where `path` cannot be opened.
    """
    wanted = {video.name: video for video in videos if video.objects}
    if not wanted:
        raise VosError(f"{path}: cannot be checked, as no video of the set has an object; name another set")
    faults: list[Finding] = []
    try:
        with Path(path).open("rb") as file:
            begun = file.read(4) == b"PK\x03\x04"
            try:
                archive = zipfile.ZipFile(file)
            except UNREADABLE:
                kind = "is a zip that is cut off or damaged" if begun else "is not a zip"
                return [error(str(path), f"{kind}; write it again")]
            members = listed_members(archive, max(most_bytes(video.size) for video in wanted.values()), faults)
            found = find_videos(members, wanted, str(path), faults)
            for folder, masks in tracked(found.items(), "checking", len(found), "video", shown=progress):
                check_video(archive, wanted[folder.split("/")[-1]], masks, folder, faults)
    except OSError as problem:
        raise VosError(f"{path}: cannot be read ({problem.strerror}); name the zip of a submission") from None
    return merged(faults)


def merged(faults: list[Finding]) -> list[Finding]:
    """The same fault in many files as one finding; errors first."""
    places: dict[tuple[str, str], list[str]] = {}
    for fault in faults:
        places.setdefault((fault.severity, fault.what), []).append(fault.where)
    made = [Finding(kind, printable(names_in_words(where)), printable(what)) for (kind, what), where in places.items()]
    return sorted(made, key=lambda finding: finding.severity)


def listed_members(archive: zipfile.ZipFile, largest: int, faults: list[Finding]) -> Members:
    """The files that the zip's directory lists. largest: the most bytes that a mask of the set can have.

    A path is made plain once its fault is noted, so that it is not noted again as a missing mask.
    """
    members: Members = {}
    for info in archive.infolist():
        name = info.orig_filename
        parts = tuple(part for part in re.split(r"[/\\]", name) if part not in ("", ".", "..") and part[1:] != ":")
        if fault := next((text for pattern, text in BAD_PATHS.items() if re.search(pattern, name)), None):
            faults.append(error(name, fault))
        if any(part in STRAYS or part.startswith("._") for part in parts):
            faults.append(warning(name, "was left by an operating system; zip without it"))
            continue
        if not parts or name.endswith(("/", "\\")):
            continue
        fault = "is there more than once; keep one" if parts in members else member_fault(info, largest)
        if fault:
            faults.append(error(name, fault))
        members[parts] = None if fault else info
    return members


def member_fault(info: zipfile.ZipInfo, largest: int) -> str | None:
    """Why a file of the zip must not be read, or None; judged from the zip's directory alone."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return f"is a {'symbolic link' if kind == stat.S_IFLNK else 'device'}, not a file; zip the masks themselves"
    if info.flag_bits & 1:
        return "is encrypted; zip without a password"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"is compressed by method {info.compress_type}, which few programs read; store or deflate it"
    if info.file_size > largest:
        return f"would unpack to {info.file_size:,} bytes, where no mask of the set needs {largest:,}; left unread"
    if info.file_size > HIGHEST_RATIO * info.compress_size:
        return f"claims to unpack to more than {HIGHEST_RATIO} times its size; left unread"
    return None


def find_videos(members: Members, wanted: dict[str, Video], zip_name: str, faults: list[Finding]) -> dict[str, Masks]:
    """{path of a video's folder: its masks} for the wanted videos that are there."""
    masks = [parts for parts in members if parts[-1].endswith(".png")]
    roots = Counter(parts[:-2] for parts in masks if len(parts) > 1 and parts[-2] in wanted)
    if not roots:
        places = sorted({"/".join(parts[:-1]) or "the top of the zip" for parts in masks})
        strayed = f"its PNGs lie in {names_in_words(places)}, not in folders of videos of the set"
        expected = f"expected {LAYOUT}, and videos such as {min(wanted)}"
        faults.append(error(zip_name, f"{strayed if masks else 'holds no PNG'}; {expected}"))
        return {}
    root = max(roots, key=lambda parts: (roots[parts], parts == (TOP,)))
    if root != (TOP,):
        place = f"in {'/'.join(root)}/" if root else "at its top"
        faults.append(error(zip_name, f"the video folders lie {place}, not in {TOP}/; make the paths {LAYOUT}"))
    found: dict[str, Masks] = {}
    for parts, info in members.items():
        if parts[:-2] == root and len(parts) == len(root) + 2 and parts[-1].endswith(".png"):
            found.setdefault(parts[-2], {})[parts[-1]] = info
        else:
            faults.append(warning("/".join(parts), f"is none of the masks {LAYOUT}; zip without it"))
    if missing := sorted(set(wanted) - set(found)):
        faults.append(error(zip_name, f"lacks the videos {names_in_words(missing)}; add their masks"))
    if extra := sorted(set(found) - set(wanted)):
        fault = f"has videos that the set does not have: {names_in_words(extra)}; zip without them"
        faults.append(warning(zip_name, fault))
    return {"/".join((*root, name)): found[name] for name in sorted(set(found) & set(wanted))}


def check_video(archive: zipfile.ZipFile, video: Video, masks: Masks, folder: str, faults: list[Finding]) -> None:
    """Add the faults of one video. masks: its files. folder: their path."""
    names = named_frames(video, masks, folder, faults)
    kept = {index: info for index, name in names.items() if (info := masks[name])}
    faults += check_masks(video, {i: names[i] for i in kept}, lambda i: read_ids(archive, kept[i], video.size), folder)


def named_frames(video: Video, masks: Masks, folder: str, faults: list[Finding]) -> dict[int, str]:
    """{index of the frame: its file} for the frames asked for, seeing through names that are all wrong in one way."""
    asked = asked_frames(video)
    names = [f"{video.frame_names[index]}.png" for index in asked]
    if how := renaming(masks, names):
        there = sorted(masks, key=number)
        pair = f"{there[0]} to {there[-1]} instead of {names[0]} to {names[-1]}"
        faults.append(error(folder, f"the names look {how}: {pair}; name masks as their frames"))
        return dict(zip(asked, there, strict=True))
    if missing := sorted(set(names) - set(masks), key=natural_key):
        faults.append(error(folder, f"lacks {names_in_words(missing)}; write a mask for every frame asked for"))
    if extra := sorted(set(masks) - set(names), key=natural_key):
        faults.append(warning(folder, f"has masks that nobody asks for: {names_in_words(extra)}; zip without them"))
    return {index: name for index, name in zip(asked, names, strict=True) if name in masks}


def renaming(there: Masks, names: list[str]) -> str | None:
    """How the names of a video's masks came from those they should have, or None where they are right or no rule is."""
    if len(there) != len(names) or set(there) == set(names) or not all(map(NUMBERED.fullmatch, [*there, *names])):
        return None
    found = sorted(map(number, there))
    offsets = {new - number(old) for new, old in zip(found, names, strict=True)}
    if offsets == {0}:
        return "short of leading zeros"
    if len(offsets) == 1:
        return f"shifted by {offsets.pop()}"
    return "counted one by one" if found == list(range(found[0], found[0] + len(found))) else None


def number(name: str) -> int:
    """The number of a file called 00005.png."""
    return int(name.removesuffix(".png"))
