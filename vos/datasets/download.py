"""`python -m vos data davis`: DAVIS-2017 from the net, or from an archive that is there, to a folder.

OUT/DAVIS-2017-trainval-480p.zip    the archive: downloaded if it is not there, and used if it is
OUT/.DAVIS.partial/                 the set while it is being unpacked
OUT/DAVIS/                          the set, whole or not there
"""

import hashlib
import re
import shutil
import socket
import zipfile
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError

from vos.files import VosError, first_line, printable
from vos.files.atomic import new_folder, writing
from vos.files.layouts import davis_names, davis_video
from vos.files.progress import tracked
from vos.files.zips import UNREADABLE
from vos.masks import read_mask

NAME, TOP = "DAVIS-2017-trainval-480p.zip", "DAVIS"
URL = f"https://data.vision.ee.ethz.ch/csergi/share/davis/{NAME}"
# From tensorflow_datasets/video/davis/checksums.tsv. The makers name none that we know of, so it is not insisted on.
RECORDED = "e3d0b5b77c3d031b000a19e0e25e3e2cac65d183755601bc2cf066df1a2aa492"
SIZE, MOST_BYTES = 0.85e9, 4e9  # of the archive, and about as much again when it is unpacked; of no DAVIS
TIMEOUT = 30  # seconds without a byte
PLAIN = re.compile(rf"{TOP}(/\.?[\w-]+(\.[\w-]+)*)*/?", re.ASCII)  # no .., backslash, colon, or dot at an end fits


class Unusable(VosError):
    """An archive that is not the set."""


def get_davis(out: Path, url: str = URL, sha256: str | None = None, keep: bool = False) -> Path:
    """Download and unpack DAVIS-2017 into the folder `out`; returns out/DAVIS, which is whole or not there.

    sha256: 64 hexadecimal digits that the archive must have. keep: the archive stays, as out/NAME.
    Raises VosError for anything wrong with arguments, network, server, disk or archive. An archive that was there
    before is never removed.
    """
    target, archive = out / TOP, out / NAME
    if not re.fullmatch(r"https?://[\w.-]+(:\d+)?(/[!-~]*)?", url, re.ASCII):
        raise VosError(f"--url {url}: must be a web address that begins with https:// or http://")
    if sha256 is not None and not re.fullmatch("[0-9a-fA-F]{64}", sha256):
        raise VosError(f"--sha256 {sha256}: must be a SHA-256, 64 hexadecimal digits")
    if target.exists():
        try:
            print(f"{target}: is there already ({whole_set(target)}); nothing to do")
        except VosError as error:
            raise VosError(f"{target}: is there, but not whole ({error}); move it away or name another --out") from None
        return target
    with writing(out), new_folder(out):
        found = archive.is_file()
        if not found:
            download(url, archive)
        try:
            check_sum(archive, sha256)
            print(f"{target}: {unpack(archive, out)}")
        except Unusable as error:
            if found:
                raise VosError(f"{archive}: {error}; move it away, and run again to download it") from None
            archive.unlink()
            raise VosError(f"{url}: {error}; the download was removed: run again, or give another --url") from None
        if not (found or keep):
            archive.unlink()
    return target


def download(url: str, archive: Path) -> None:
    """Download `url` to the file `archive`, which is whole or not there. VosError where that fails."""
    from torch.hub import download_url_to_file

    check_room(archive.parent, 2 * SIZE)
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        download_url_to_file(url, str(archive))
    except HTTPError as error:
        fault = f"the server answers {error.code} {error.reason}"
        raise VosError(f"{url}: {fault}; look on davischallenge.org and give another --url") from None
    except (URLError, ConnectionError, TimeoutError, HTTPException) as error:
        advice = f"run again, or download it with another program to {archive}"
        raise VosError(f"{url}: {getattr(error, 'reason', error)}; {advice}") from None
    finally:
        socket.setdefaulttimeout(before)


def check_sum(archive: Path, sha256: str | None) -> None:
    """Print the SHA-256 of the archive. Unusable where it is another than the wanted one."""
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    print(f"sha256 {found}{' (TensorFlow Datasets records the same)' if found == RECORDED else ''}", flush=True)
    if sha256 and found != sha256.lower():
        raise Unusable(f"wrong sha256, expected {sha256.lower()}, found {found}")


def check_room(folder: Path, needed: float) -> None:
    """VosError where fewer than `needed` bytes are free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise VosError(f"{folder}: needs {needed / 1e9:.2f} GB, has {free / 1e9:.2f} GB; make room or change --out")


def unpack(archive: Path, out: Path) -> str:
    """Unpack to out/DAVIS, whole or not at all; returns what it holds, in words. Unusable if the archive is."""
    temporary = out / f".{TOP}.partial"
    shutil.rmtree(temporary, ignore_errors=True)  # of a run that was killed
    try:
        with zipfile.ZipFile(archive) as zipped:
            members = zipped.infolist()
            names = (info.orig_filename for info in members)  # `filename` hides what was meant
            for name in (printable(name) for name in names if not PLAIN.fullmatch(name)):
                raise Unusable(f"in the archive, {name!r} is not a plain path below {TOP}/; nothing was unpacked")
            size = sum(info.file_size for info in members)
            if size > MOST_BYTES:
                raise Unusable(f"more than {MOST_BYTES:,.0f} bytes unpacked, so not the set")
            check_room(out, size)
            for info in tracked(members, "unpacking", len(members), "file"):
                zipped.extract(info, temporary)  # never outside of it, links as plain files, CRC compared
        try:
            counts = whole_set(temporary / TOP)
        except VosError as error:
            raise Unusable(str(error).replace(str(temporary), NAME)) from None
        (temporary / TOP).rename(out / TOP)
        return counts
    except OSError:
        raise  # the disk's fault, not the archive's
    except UNREADABLE as error:
        raise Unusable(f"no zip or a damaged one ({printable(first_line(error))})") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def whole_set(root: Path) -> str:
    """What a DAVIS-2017 folder holds, in words; VosError where a list, or a frame's image or mask, is missing."""
    lists = root / "ImageSets" / "2017"
    train, val = ([davis_video(root, n) for n in davis_names(lists / f"{kind}.txt")] for kind in ("train", "val"))
    if not train or not val:
        raise VosError(f"{lists}: train.txt or val.txt is missing or empty")
    for video in train + val:
        if None in video.masks:
            raise VosError(f"{root / 'Annotations' / '480p' / video.name}: lacks the mask of a frame")
        read_mask(root / "Annotations" / "480p" / video.name / f"{video.frames[0].stem}.png")
    frames = sum(len(video.frames) for video in train + val)
    return f"{len(train)} training and {len(val)} validation sequences, {frames} frames"
