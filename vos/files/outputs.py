"""Folders to write to: a new one, or one that the same command made before. Nothing of the user's is overwritten.

A folder of ours says so in a small file, MARK: which command made it, and the names it wrote there.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vos.files.atomic import new_folder, writing
from vos.files.errors import VosError, names_in_words
from vos.files.json_files import read_json, write_json

MARK = "made_by_vos.json"


def check_output_folder(out: Path, command: str, inputs: Iterable[Path] = (), known: Iterable[str] = ()) -> None:
    """VosError where `out` is no folder for `command` to write to: call it before any work.

    inputs: files and folders that are read; `out` may neither be one of them nor hold one. known: names that only this
    command writes, by which a folder without a MARK is recognised.
    """
    place = out.resolve()
    for path in inputs:
        read = path.resolve()
        if place == read or place in read.parents:
            relation = "is" if place == read else "holds"
            raise VosError(f"{out}: {relation} {path}, which is read; give --out a folder of its own")
    if not out.exists():
        return
    if not out.is_dir():
        raise VosError(f"{out}: is a file; give --out a new folder")
    with writing(out):
        there = sorted(path.name for path in out.iterdir())
    if MARK in there:
        maker = read_json(out / MARK).get("made by")
        if maker != command:
            raise VosError(f"{out}: was made by `python -m vos {maker}`; give --out a new folder")
    elif there and not set(known) & set(there):
        names = names_in_words(there, 3)
        raise VosError(
            f"{out}: holds {names}, which may be yours and would be mixed with results; give --out a new folder"
        )


def check_output_file(path: Path, is_ours: Callable[[Path], bool]) -> None:
    """VosError where `path` is there and `is_ours` does not know it for one that the same command wrote."""
    if path.is_dir():
        raise VosError(f"{path}: is a folder; name another file")
    if path.exists() and not is_ours(path):
        raise VosError(f"{path}: is there already, and this command did not write it; name another file")


def mark_output_folder(out: Path, command: str, names: Iterable[str] = ()) -> None:
    """Say in `out` that `command` made it, and which names it wrote there, so that a later run may replace them."""
    write_json(out / MARK, {"made by": command, "files": sorted(names)})


def replaceable_names(out: Path) -> set[str]:
    """The names in `out` that a run of the command that made it wrote, and may replace or remove."""
    return set(read_json(out / MARK).get("files", ())) if (out / MARK).is_file() else set()


def check_names(out: Path, names: Iterable[str]) -> None:
    """VosError where one of these names (or patterns, as masks/*.png) is in `out` and not of an earlier run."""
    ours = replaceable_names(out)
    for name in names:
        for path in sorted(out.glob(name)) if "*" in name else [out / name]:
            if path.is_symlink() or (path.exists() and path.relative_to(out).as_posix() not in ours):
                raise VosError(f"{path}: is not of an earlier run, and would be replaced; give --out a new folder")


@contextmanager
def filled_whole(out: Path, command: str) -> Iterator[Path]:
    """Yield a temporary folder, whose files move into `out` only if the block ends without an error.

    Those of an earlier run that are not written again are removed, and `out` is marked. What else is in it stays: a
    name that is in the way is a VosError.
    """
    temporary = out / f".{os.getpid()}.partial"
    with writing(out), new_folder(out):
        try:
            temporary.mkdir()
            yield temporary
            names = sorted(p.relative_to(temporary).as_posix() for p in temporary.rglob("*") if p.is_file())
            check_names(out, names)
            before = replaceable_names(out)
            mark_output_folder(out, command, before | set(names))  # whatever happens from here on, it is ours
            for name in names:
                (out / name).parent.mkdir(exist_ok=True)
                (temporary / name).replace(out / name)
            for old in before - set(names):
                remove_inside(out, old)
            mark_output_folder(out, command, names)
        except VosError as error:
            raise VosError(str(error).replace(str(temporary), str(out))) from None
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def remove_inside(out: Path, name: str) -> None:
    """Remove a file of `out`, and its folder if that is empty then; a name that leads elsewhere is left alone."""
    path = out / name
    if path.is_file() and out.resolve() in path.resolve().parents:
        path.unlink()
        with suppress(OSError):
            path.parent.rmdir()  # refuses where anything is in it, as in `out`
