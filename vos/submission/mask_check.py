"""Checking the masks of a submission one video at a time: sizes, ids, given masks, and the traces of known faults."""

import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from io import BytesIO
from typing import NamedTuple

import numpy as np
from PIL import Image

from vos.data import Video
from vos.files import names_in_words
from vos.files.zips import UNREADABLE
from vos.masks import VOID, object_ids
from vos.metrics import bound_radius

KINDS = {"L": "grey (mode L)", "LA": "grey with alpha (mode LA)", "1": "1-bit (mode 1)"}
RINGED = 3  # in how many masks of a video rings must be seen before it is said
FEWEST = 10  # pixels: fewer are no ring
Reader = Callable[[int], np.ndarray]  # from the index of a frame to its id map; raises Unfit


class Finding(NamedTuple):
    """One fault. severity: "error" (refused, or scores are wrong) or "warning" (suspicious). where: file or files."""

    severity: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


error, warning = partial(Finding, "error"), partial(Finding, "warning")


class Unfit(Exception):
    """A file of the zip is no mask of its video; the message says why."""


def asked_frames(video: Video) -> list[int]:
    """Indices of the frames that a submission holds: all that the objects of the video list."""
    return sorted({index for listed in video.objects for index in listed.frames})


def most_bytes(size: tuple[int, int]) -> int:
    """More bytes than the PNG of a mask of this size (H, W) can need."""
    return size[0] * size[1] * 4 + 65536  # a PNG has more than its pixels


def read_ids(archive: zipfile.ZipFile, info: zipfile.ZipInfo, size: tuple[int, int]) -> np.ndarray:
    """The id map, uint8 (H, W), of one file of the zip. Unfit where it is no indexed PNG of this size (H, W).

    Stricter than vos.masks.read_mask, which also reads what a leader board would misread.
    """
    try:
        with archive.open(info) as file:
            data = file.read(most_bytes(size))
    except UNREADABLE:
        raise Unfit("is damaged inside the zip; write it again") from None
    if len(data) != info.file_size:
        raise Unfit("is not as large as the zip says, or larger than a mask can be; write it again")
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        raise Unfit("is not a PNG; save masks as indexed PNGs")
    try:
        width, height = struct.unpack(">II", data[16:24])  # of the header, before anything of that size is made
        if (height, width) != size:
            native = f"its frames are {size[0]}x{size[1]} (height x width)"
            raise Unfit(f"is {height}x{width}, but {native}; write masks at native size")
        with Image.open(BytesIO(data), formats=["PNG"]) as image:
            if image.size != (width, height):
                raise ValueError("a second header")
            if image.mode != "P":
                kind = KINDS.get(image.mode, "16-bit grey" if image.mode.startswith("I") else image.mode)
                advice = "the leader board takes a pixel's value for its id: save ids as an indexed PNG"
                raise Unfit(f"is {kind}, not indexed (mode P); {advice}")
            return np.array(image)
    except (*UNREADABLE, Image.DecompressionBombError):
        raise Unfit("is a broken PNG; write it again") from None


def check_masks(video: Video, names: dict[int, str], read: Reader, folder: str) -> Iterator[Finding]:
    """The faults of one video's masks, of which one is in memory at a time.

    names: {index of the frame: name of its file} of the masks that can be read, in order. folder: where they lie.
    """
    known = {listed.id for listed in video.objects}
    seen: set[int] = set()  # objects found after they were given
    strange: dict[str, set[int]] = {}  # ids of no object, by the masks that have them
    count, ringed, nested = 0, 0, False  # nested: do the true objects look like rings, a tyre around a wheel?
    for index, name in names.items():
        try:
            ids = read(index)
        except Unfit as unfit:
            yield error(f"{folder}/{name}", str(unfit))
            continue
        count += 1
        present = {int(value) for value in np.flatnonzero(np.bincount(ids.ravel()))} - {0}
        seen |= {listed.id for listed in video.objects if listed.first < index} & present
        if present - known:
            strange[name] = present - known
        ringed += len(present) > 1 and has_rings(ids)
        if (given := video.given(index)) is not None:
            nested |= has_rings(given)
            if fault := given_fault(ids, given):
                holder = holder_of(given, index, names, read)
                shifted = f"; {holder} holds exactly that mask: are the masks shifted by a frame?" if holder else ""
                yield error(f"{folder}/{name}", fault + shifted)

    rings = ringed >= max(RINGED, count / 4) and not nested
    advice = "they lie in thin rings along outlines, as where ids were interpolated: stretch probabilities, not ids"
    if strange:
        alien = set[int]().union(*strange.values())
        fault = f"holds id {joined(alien)} in {len(strange)} of its masks, first in {next(iter(strange))}, "
        fault += f"but the objects of this video are {joined(known)}"
        fault += f"; {VOID} is void, which is no prediction" if VOID in alien else ""
        yield error(folder, fault + (f"; {advice}" if rings else ""))
    elif rings:
        yield error(folder, f"ids in {ringed} of its masks are suspicious: {advice}")
    lost = {listed.id for listed in video.objects if listed.frames[-1] > listed.first} - seen
    if not lost or strange or count < len(asked_frames(video)):  # then what is lost may only be misread
        return
    if seen:
        yield warning(folder, f"object {joined(lost)} is in no mask after its first")
    else:
        yield error(folder, "every mask after the given one is empty; whole videos without any object score nothing")


def joined(ids: set[int]) -> str:
    """Ids in words."""
    return names_in_words([str(i) for i in sorted(ids)])


def given_fault(ids: np.ndarray, given: np.ndarray) -> str | None:
    """What is wrong with a mask where objects begin, or None. given: their id map, 0 elsewhere; both (H, W)."""
    new = object_ids(given)
    wrong = np.count_nonzero(np.where(np.isin(ids, new), ids, 0) != given)
    if not wrong:
        return None
    taken = {i: int(np.bincount(ids[given == i]).argmax()) for i in new}  # the id that stands in each object's place
    agree = sum(np.count_nonzero((given == i) & (ids == j)) for i, j in taken.items())
    pairs = ", ".join(f"{i}->{j}" for i, j in taken.items() if i != j)
    if pairs and len({*taken.values()} - {0}) == len(new) and agree >= 0.9 * np.count_nonzero(given):
        return f"its ids look permuted: {pairs} (given->here); keep the ids of the given masks"
    return f"differs from the given mask in {wrong:,} pixels; where an object begins, copy the given mask"


def holder_of(given: np.ndarray, index: int, names: dict[int, str], read: Reader) -> str | None:
    """The name of the mask just after or just before mask `index` that holds exactly the given one, or None."""
    order = list(names)
    place = order.index(index)
    for near in (*order[place + 1 : place + 2], *order[max(place - 1, 0) : place]):
        with suppress(Unfit):  # said when its turn comes
            if given_fault(read(near), given) is None:
                return names[near]
    return None


def has_rings(ids: np.ndarray) -> bool:
    """Do thin rings of ids between lie along most outlines of an id map (H, W), like 0 1 2 4 5 at object 5?

    Every place where a row or column passes through ids in one direction is looked at: through thin runs of ids
    between; through a thick run; or directly over the ids between. In clean maps a twentieth of them are thin, where
    some object just shows behind another; thin parts of an object (0 1 1 0) are none. Of interpolated ids most are.
    """
    thickest = bound_radius(ids.shape)  # pixels: rings grow with the picture
    thin = others = 0
    for lines in (ids, ids.T):
        row, column = np.nonzero(lines[:, 1:] != lines[:, :-1])
        step = lines[row, column + 1].astype(int) - lines[row, column]
        onward = (row[1:] == row[:-1]) & (step[1:] * step[:-1] > 0)
        ring = onward & (column[1:] - column[:-1] <= thickest)
        in_ring = np.append(ring, False) | np.insert(ring, 0, False)
        thin += int(np.count_nonzero(ring))
        others += int(np.count_nonzero(onward & ~ring) + np.count_nonzero((np.abs(step) > 1) & ~in_ring))
    return bool(thin >= FEWEST and thin > others)
