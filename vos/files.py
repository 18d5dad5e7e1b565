"""Files: one error type for everything a person can put right, and writes that leave nothing half-done."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class VosError(Exception):
    """Bad input. The message is one line that names the file or argument and says what to do."""


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it replaces `path` only if the block ends without an error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


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
