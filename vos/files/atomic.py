"""Files: one error type for everything a person can put right, and writes that leave nothing half-done."""

import errno
import json
import os
import shutil
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from PIL import Image

# What Pillow raises for bytes that are no image, or only a part of one.
BROKEN_IMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
    AttributeError,
    EOFError,
    struct.error,
    Image.DecompressionBombError,
)


class VosError(Exception):
    """Bad input. The message is one line that names the file or argument and says what to do."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Make an OSError of the block, as of a full disk or a folder that may not be written, a VosError about `path`."""
    try:
        yield
    except OSError as error:
        advice = "free some space" if error.errno == errno.ENOSPC else "name another place or change its permissions"
        raise VosError(f"{path}: cannot be written ({error.strerror or error}); {advice}") from None


@contextmanager
def new_folder(folder: Path) -> Iterator[None]:
    """Make a folder and those above it; whichever of the new ones are empty at the end are removed again."""
    new = [f for f in (folder, *folder.parents) if not f.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for made in new:
            with suppress(OSError):
                made.rmdir()  # refuses where anything is in it


@contextmanager
def written_whole(path: Path, durable: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it replaces `path` only if the block ends without an error.

    durable: wait until the disk has it, so that not even a power cut leaves half a file. A full disk, or a folder
    that may not be written, is a VosError that names the file.
    """
    path = Path(path)
    with writing(path), new_folder(path.parent):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
        try:
            yield temporary
            if durable:
                sync(temporary)
            temporary.replace(path)
            if durable and os.name == "posix":  # Windows has no handle on a folder
                sync(path.parent)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


@contextmanager
def files_written_whole(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder; its files move into `folder` only if the block ends without an error.

    Errors as `written_whole`; a message about a temporary file names the file it was to become.
    """
    folder = Path(folder)
    temporary = folder / f".{os.getpid()}.partial"
    with writing(folder), new_folder(folder):
        try:
            temporary.mkdir()
            yield temporary
            for file in sorted(temporary.iterdir()):
                file.replace(folder / file.name)
        except VosError as error:
            raise VosError(str(error).replace(str(temporary), str(folder))) from None
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def opened_image(path: Path, kind: str = "image") -> Iterator[Image.Image]:
    """Open an image lazily (header only); VosError names the file, also where its pixels are read in the block.

    kind: what the file should be, for the message.
    """
    try:
        with Image.open(path) as image:
            yield image
    except FileNotFoundError:
        raise VosError(f"{path}: no such {kind}; is the set whole?") from None
    except BROKEN_IMAGE as error:
        reason = getattr(error, "strerror", None) or error or type(error).__name__
        raise VosError(f"{path}: cannot be read as {kind} ({reason}); replace the file") from None


def sync(path: Path) -> None:
    """Wait until the disk has what was written to a file or folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_json(path: Path) -> dict:
    """The JSON object in `path`. VosError where it is missing or is not a JSON object."""
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise VosError(f"{path}: no such file") from None
    except (OSError, ValueError, RecursionError) as error:  # a number of 5000 digits is a ValueError
        raise VosError(f"{path}: cannot be read as JSON ({error}); replace the file by a whole one") from None
    if not isinstance(value, dict):
        raise VosError(f"{path}: holds a JSON {type(value).__name__}, not an object; replace the file")
    return value


def write_json(path: Path, value: dict) -> None:
    """Write `value` as indented JSON, whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
