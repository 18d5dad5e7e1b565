"""JSON objects in files, whole or not there."""

import json
from pathlib import Path

from vos.files.atomic import written_whole
from vos.files.errors import VosError


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
