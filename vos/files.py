"""Files: one error type for everything a person can put right, and writes that leave nothing half-done."""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class VosError(Exception):
    """Bad input. The message is one line that names the file or argument and says what to do."""


@contextmanager
def written_whole(path: Path, durable: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it replaces `path` only if the block ends without an error.

    durable: wait until the disk has it, so that not even a power cut leaves half a file. A full disk, or a folder
    that may not be written, is a VosError that names the file.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        if durable:
            sync(temporary)
        temporary.replace(path)
        if durable and os.name == "posix":  # Windows has no handle on a folder
            sync(path.parent)
    except OSError as error:
        advice = "free some space" if error.errno == errno.ENOSPC else "name another place or change its permissions"
        raise VosError(f"{path}: cannot be written ({error.strerror or error}); {advice}") from None
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


def read_json(path: Path) -> dict:
    """The JSON object in `path`. VosError where it is missing or is not a JSON object."""
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise VosError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise VosError(f"{path}: cannot be read as JSON ({error}); replace the file by a whole one") from None
    if not isinstance(value, dict):
        raise VosError(f"{path}: holds a JSON {type(value).__name__}, not an object; replace the file")
    return value


def write_json(path: Path, value: dict) -> None:
    """Write `value` as indented JSON, whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
