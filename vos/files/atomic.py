"""Writes that leave nothing half-done: a file or folder is whole or not there."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vos.files.errors import VosError


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


def sync(path: Path) -> None:
    """Wait until the disk has what was written to a file or folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
