"""`python -m vos data davis`: DAVIS-2017 from the net to a folder, in steps that can be taken up where they ended.

OUT/.DAVIS-2017-trainval-480p.zip.partial   what has arrived, and beside it .json: of which file on the server
OUT/.DAVIS.partial/                         the set while it is being unpacked
OUT/DAVIS/                                  the set, whole or not there
"""

import errno
import hashlib
import re
import shutil
import stat
import time
import zipfile
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from vos.files import VosError, printable, read_json, write_json
from vos.files.layouts import davis_names, davis_video
from vos.files.progress import progress_bar, tracked
from vos.files.zips import HIGHEST_RATIO, UNREADABLE
from vos.masks import read_mask

NAME, TOP = "DAVIS-2017-trainval-480p.zip", "DAVIS"
URL = f"https://data.vision.ee.ethz.ch/csergi/share/davis/{NAME}"
# From tensorflow_datasets/video/davis/checksums.tsv. The makers name none that we know of, so it is not insisted on.
RECORDED = "e3d0b5b77c3d031b000a19e0e25e3e2cac65d183755601bc2cf066df1a2aa492"
WAITS, TIMEOUT = (1, 3, 9), 30  # seconds: before each further attempt; without a byte
DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES}  # no second attempt mends these
MOST_MEMBERS, MOST_BYTES, LARGEST = 50_000, 4_000_000_000, 50_000_000  # the set: 12,416 images, 0.8 GB
PLAIN = re.compile(rf"{TOP}(/\.?[\w-]+(\.[\w-]+)*)*/?", re.ASCII)  # no .., backslash, colon, or dot at an end fits
AGAIN = "what is downloaded is kept, and the same command goes on from there"


class Unusable(VosError):
    """An archive that must not be unpacked, and is not kept."""


def get_davis(out: Path, url: str = URL, sha256: str | None = None, keep: bool = False) -> Path:
    """Download and unpack DAVIS-2017 into the folder `out`; returns out/DAVIS, which is whole or not there.

    sha256: 64 hexadecimal digits that the archive must have. keep: the archive stays, as out/NAME.
    Raises VosError for anything wrong with arguments, network, server, disk or archive. One run at a time in `out`.
    """
    target, partial = out / TOP, out / f".{NAME}.partial"
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
    try:
        out.mkdir(parents=True, exist_ok=True)
        download(url, partial)
        with partial.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        print(f"sha256 {found}{' (TensorFlow Datasets records the same)' if found == RECORDED else ''}", flush=True)
        if sha256 and found != sha256.lower():
            raise Unusable(f"wrong sha256, expected {sha256.lower()}, found {found}")
        print(f"{target}: {unpack(partial, out)}")
        if keep:
            partial.replace(out / NAME)
        forget(partial)
    except Unusable as error:
        forget(partial)
        raise VosError(f"{url}: {error}; the download was removed: run again, or give another --url") from None
    except OSError as error:
        raise VosError(f"{out}: cannot be written ({reason(error)}); make room or change --out; {AGAIN}") from None
    except KeyboardInterrupt:
        print(f"{out}: {AGAIN}", flush=True)
        raise
    return target


def download(url: str, partial: Path) -> None:
    """Make the file `partial` the whole of `url`, going on from what is there of the same file on the server.

    Raises VosError where that fails; what has arrived stays in `partial`, unless the server disowns it.
    """
    for wait in (*WAITS, None):
        try:
            return fetch(url, partial)
        except HTTPError as error:
            fault = f"the server answers {error.code} {reason(error)}"
            if error.code == 416:
                forget(partial)
                raise VosError(f"{url}: {fault}: it has less than it announced; run again to start over") from None
            if error.code < 500 and error.code != 429:
                raise VosError(f"{url}: {fault}; look on davischallenge.org and give another --url") from None
        except (OSError, HTTPException) as error:
            if getattr(error, "errno", None) in DISK:
                raise
            fault = reason(error)
        if wait is None:
            raise VosError(f"{url}: {fault}, at the last of {len(WAITS) + 1} attempts; {AGAIN}")
        print(f"{url}: {fault}; trying again in {wait} s", flush=True)
        time.sleep(wait)


def fetch(url: str, partial: Path) -> None:
    """One attempt of `download`. OSError or HTTPException where another may do better."""
    notes_path = partial.with_suffix(".json")
    try:
        notes = read_json(notes_path)
        have, size = (partial.stat().st_size, notes["size"]) if notes["url"] == url else (0, -1)
    except (VosError, FileNotFoundError, KeyError):
        have, size = 0, -1  # nothing there, or spoiled by a crash
    if have == size:
        print(f"{partial}: is whole already, so it is not downloaded")
        return
    request = Request(url, headers={"User-Agent": "vos"})
    if have and notes["version"]:  # without a version, halves of two files could be joined
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", notes["version"])
    with urlopen(request, timeout=TIMEOUT) as answer:
        if answer.url != url:
            print(f"{url}: leads on to {printable(answer.url)}", flush=True)
        tag = answer.headers.get("ETag", "")
        version = tag if tag.startswith('"') else answer.headers.get("Last-Modified")  # If-Range takes no weak tag
        changed = have and version not in (None, notes["version"])
        if have and answer.status == 206:
            if changed or answer.headers.get("Content-Range") != f"bytes {have}-{size - 1}/{size}":
                forget(partial)
                raise ConnectionError("the file on the server has changed, so the download starts over")
            print(f"{partial}: going on after {have:,} of {size:,} bytes", flush=True)
        else:
            length, kind = answer.headers.get("Content-Length", ""), answer.headers.get_content_type()
            if kind == "text/html" or not length.isdecimal() or int(length) > MOST_BYTES:
                raise VosError(f"{url}: sends {kind}, {length or '?'} bytes; log in to the network or change --url")
            if have:
                why = "has another file now" if changed else "cannot go on in the middle"
                print(f"{partial}: starting over, as the server {why}", flush=True)
            have, size = 0, int(length)
        check_room(partial.parent, size - have + size)  # the set is about as large as its archive
        if not have:
            partial.write_bytes(b"")  # before the notes, so that old bytes never stand under a new version
            write_json(notes_path, {"url": url, "version": version, "size": size})
        with partial.open("ab") as file, progress_bar(NAME, size, "B", initial=have) as bar:
            while have < size:
                piece = answer.read1(min(1 << 20, size - have))
                if not piece:
                    raise ConnectionError(f"the connection ended after {have:,} of {size:,} bytes")
                have += file.write(piece)
                bar.update(len(piece))


def forget(partial: Path) -> None:
    """Remove a download and its notes."""
    partial.unlink(missing_ok=True)
    partial.with_suffix(".json").unlink(missing_ok=True)


def reason(error: Exception) -> str:
    """What an error says, on one line."""
    inner = getattr(error, "reason", error)  # an HTTPError's is text, a URLError's an error
    return " ".join(str(getattr(inner, "strerror", None) or inner).split()) or type(inner).__name__


def check_room(folder: Path, needed: int) -> None:
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
            check_members(zipped.infolist())
            files = [info for info in zipped.infolist() if not info.is_dir()]
            check_room(out, sum(info.file_size + 4096 for info in files))  # a file may waste a block
            for info in tracked(files, "unpacking", len(files), "file"):
                place = temporary / info.filename
                place.parent.mkdir(parents=True, exist_ok=True)
                with zipped.open(info) as packed, place.open("xb") as file:
                    shutil.copyfileobj(packed, file)  # compares the CRC at the end
        try:
            counts = whole_set(temporary / TOP)
        except VosError as error:
            raise Unusable(str(error).replace(str(temporary), NAME)) from None
        (temporary / TOP).rename(out / TOP)
        return counts
    except OSError:
        raise  # the disk's fault, not the archive's
    except UNREADABLE as error:
        raise Unusable(f"no zip or a damaged one ({printable(reason(error))})") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_members(members: list[zipfile.ZipInfo]) -> None:
    """Unusable where a member is no plain file or folder below DAVIS/, or is one that no honest archive has."""
    if len(members) > MOST_MEMBERS or sum(info.file_size for info in members) > MOST_BYTES:
        raise Unusable(f"more than {MOST_MEMBERS:,} files or {MOST_BYTES:,} bytes unpacked, so not the set")
    listed: set[str] = set()
    spellings: dict[str, str] = {}  # every path and folder above it, by its lower case, as some systems see it
    for info in members:
        name, kind = info.orig_filename, stat.S_IFMT(info.external_attr >> 16)  # `filename` hides what was meant
        parts = name.rstrip("/").split("/")
        places = ["/".join(parts[:count]) + "/" for count in range(1, len(parts))] + [name]
        twice = name in listed or any(spellings.setdefault(p.rstrip("/").lower(), p) != p for p in places)
        listed.add(name)
        faults = {
            f"is not a plain path below {TOP}/": not PLAIN.fullmatch(name),
            "is there twice, or differs from another in capitals only": twice,
            "is a link or a device": kind not in (0, stat.S_IFDIR if name.endswith("/") else stat.S_IFREG),
            "is encrypted": info.flag_bits & 1,
            "unpacks to far too much": info.file_size > min(LARGEST, HIGHEST_RATIO * info.compress_size),
        }
        for fault in (text for text, found in faults.items() if found):
            raise Unusable(f"in the archive, {printable(name)!r} {fault}; nothing was unpacked")


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
