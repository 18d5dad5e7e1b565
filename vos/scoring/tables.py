"""The scores of evaluate.py as a table for the terminal and as CSV files."""

import csv
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from vos.files.atomic import written_whole

COLUMNS = tuple(f"{name}_{key}" for name in "JF" for key in ("mean", "recall", "decay"))


def table_text(result: dict, rows: int = 40) -> str:
    """A result of `evaluate` as a table for the terminal; of more than `rows` objects, those with the lowest J."""
    numbers, objects = result["global"], result["objects"]
    shown = objects if len(objects) <= rows else sorted(objects, key=lambda entry: entry["J_mean"])[:rows]
    width = max(5, *(len(entry["video"]) for entry in shown))

    def line(video: str, number: int | str, scores: dict) -> str:
        return f"{video:{width}}  {number:>6}" + "".join(f"{scores[column]:>10.3f}" for column in COLUMNS)

    lines = [f"{'video':{width}}  object" + "".join(f"{column:>10}" for column in COLUMNS)]
    lines += [line(entry["video"], entry["object"], entry) for entry in shown]
    if len(shown) < len(objects):
        lines.append(f"(the {len(shown)} objects with the lowest J of {len(objects)})")
    lines.append(line("mean", "", numbers))
    counts = f"videos {len({entry['video'] for entry in objects})}, objects {len(objects)}"
    lines.append(f"\n{result['protocol']}: {counts}, mean over {result['rules']['mean']}, J&F {numbers['J&F']:.4f}")
    if "overall" in numbers:
        keys = ("J_seen", "J_unseen", "F_seen", "F_unseen", "overall")
        lines.append(", ".join(f"{key} {'-' if numbers[key] is None else f'{numbers[key]:.4f}'}" for key in keys))
    return "\n".join(lines)


def objects_file(path: Path) -> Path:
    """Where write_csv puts the scores of whole objects: scores.csv -> scores_objects.csv."""
    return path.with_name(f"{path.stem}_objects{path.suffix}")


def write_csv(path: Path, result: dict) -> None:
    """Write a result of `evaluate` as two CSV files, each whole or not at all.

    path: a row for each object in each frame: video, object, frame, J, F.
    objects_file(path): a row for each object: video, object, J_mean, J_recall, J_decay, F_mean, F_recall, F_decay.
    For youtube-vos, category and seen (True, False, empty where unknown) follow object. Numbers have all their digits.
    """
    objects = result["objects"]
    keys = ["video", "object", *(key for key in ("category", "seen") if key in objects[0])]
    frames = (
        [*(entry[key] for key in keys), *scores]
        for entry in objects
        for scores in zip(entry["frames"], entry["J"], entry["F"], strict=True)
    )
    with written_whole(path) as frames_part, written_whole(objects_file(path)) as objects_part:
        write_rows(frames_part, [*keys, "frame", "J", "F"], frames)
        write_rows(objects_part, [*keys, *COLUMNS], ([entry[key] for key in (*keys, *COLUMNS)] for entry in objects))


def write_rows(path: Path, header: list[str], rows: Iterable[list]) -> None:
    """One CSV file; the csv module writes a float by its repr, and None as nothing."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(chain([header], rows))
