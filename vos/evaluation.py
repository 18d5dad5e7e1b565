"""Scoring folders of predicted masks against folders of true ones.

What counts is planned first (vos.protocols) and every missing file is reported at once; then the masks are read
frame by frame, so that memory does not grow with the length of a video.
"""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from vos.files import VosError, write_json
from vos.masks import object_ids, read_mask
from vos.metrics import score_frames, seen_unseen_summary, statistics
from vos.protocols import ScoredVideo, check_files, plan_davis, plan_youtube_vos

PROTOCOLS = ("davis", "youtube-vos")
COLUMNS = tuple(f"{name}_{key}" for name in "JF" for key in ("mean", "recall", "decay"))
WORKERS = 2  # threads: Pillow and NumPy let go of Python's lock in their long loops


def evaluate(
    truth: Path,
    prediction: Path,
    protocol: str = "davis",
    include_last: bool = True,
    progress: bool = True,
    train_meta: Path | None = None,
    videos: Sequence[str] | None = None,
) -> dict:
    """Score a folder of predictions; the result is plain data, ready for JSON.

    protocol "davis": truth is one video's PNGs, or a folder of them for each video. Objects are 1 to the highest
        id of the first frame, whether all of them occur or not; the first and the last frame are not scored; id
        255 is background. A prediction with a higher id is refused, as the DAVIS toolkit does.
    protocol "youtube-vos": truth holds Annotations/ and meta.json (or is that Annotations/). Each object is
        scored on the frames meta.json lists for it after its first; other ids are background to it.
    prediction: a folder of PNGs for each video of the truth, or PNGs themselves where the truth is one video.
    include_last: youtube-vos: does the last annotated frame of a video count? (The official rule is unknown.)
    train_meta: meta.json of the training set, whose categories are the seen ones; by default that of the folder
        train/ beside the truth. Without it, or without categories, J_seen and the like are None.
    videos: score only these.

    Returns {"protocol", "global": {"J&F", "J_mean", "J_recall", "J_decay", "F_mean", "F_recall", "F_decay"},
    "objects": [{"video", "object", "J_mean", ..., "F_decay", "J", "F": one value a frame, "frames": their
    names}]}. youtube-vos adds "J_seen", "J_unseen", "F_seen", "F_unseen", "overall" to "global", and "category",
    "seen" to each object. Scores lie between 0 and 1; global ones are means over objects.
    Raises VosError where a file is missing, broken or of the wrong size.
    """
    truth, prediction = Path(truth), Path(prediction)
    if protocol not in PROTOCOLS:
        raise VosError(f"protocol {protocol!r} is unknown; choose one of {', '.join(PROTOCOLS)}")
    if not prediction.is_dir():
        raise VosError(f"{prediction}: no such folder; name the folder that holds the predicted PNG masks")
    if protocol == "davis":
        plan = plan_davis(truth, prediction, videos)
    else:
        plan = plan_youtube_vos(truth, prediction, include_last, train_meta, videos)
    if not any(video.objects for video in plan):
        raise VosError(f"{truth}: no object has a frame to score; check that the truth is whole")
    check_files(plan, truth, prediction)

    with ThreadPoolExecutor(WORKERS) as pool:
        scores = pool.map(_score_objects, plan, [protocol] * len(plan))
        hidden = None if progress else True  # None: shown on a terminal only
        bar = tqdm(scores, "scoring", len(plan), leave=False, unit="video", disable=hidden)
        objects = [entry for video in bar for entry in video]
    return {"protocol": protocol, "global": _global_numbers(objects, protocol), "objects": objects}


def score_video(
    truth_maps: Iterable[np.ndarray], prediction_maps: Iterable[np.ndarray], ids: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """J and F of every frame and object, two float64 arrays (T, K), from id maps (H, W) that may be streamed.

    Raises ValueError where one side has more frames than the other or two maps differ in shape.
    """
    J, F = [], []
    for truth, prediction in zip(truth_maps, prediction_maps, strict=True):
        J_t, F_t = score_frames(prediction[None], truth[None], ids)
        J.append(J_t[0])
        F.append(F_t[0])
    shape = len(J), len(ids)
    return np.array(J, np.float64).reshape(shape), np.array(F, np.float64).reshape(shape)


def _score_objects(video: ScoredVideo, protocol: str) -> list[dict]:
    """The entries of the result for the objects of one video."""
    ids = [scored.id for scored in video.objects]
    highest = max(ids, default=0) if protocol == "davis" else None
    truth, prediction = _maps(video.truth, video.frames), _maps(video.prediction, video.frames, highest)
    J, F = score_video(truth, prediction, ids)
    row = {frame: i for i, frame in enumerate(video.frames)}
    entries = []
    for k, scored in enumerate(video.objects):
        rows = [row[frame] for frame in scored.frames]
        J_k, F_k = J[rows, k], F[rows, k]
        entry: dict = {"video": video.name, "object": scored.id}
        if protocol == "youtube-vos":
            entry |= {"category": scored.category, "seen": scored.seen}
        entry |= dict(zip(COLUMNS, (*statistics(J_k), *statistics(F_k)), strict=True))
        entries.append(entry | {"J": J_k.tolist(), "F": F_k.tolist(), "frames": list(scored.frames)})
    return entries


def _maps(folder: Path, frames: Sequence[str], highest: int | None = None) -> Iterator[np.ndarray]:
    """The id maps of the frames, one at a time. VosError where one holds an id above `highest` (but 255 may be)."""
    for frame in frames:
        path = folder / f"{frame}.png"
        ids = read_mask(path)
        if highest is not None and (found := max(object_ids(ids), default=0)) > highest:
            advice = f"the true ids are 1 to {highest}; a predicted object keeps the id of its first mask"
            raise VosError(f"{path}: holds object id {found}, but {advice}")
        yield ids


def _global_numbers(objects: list[dict], protocol: str) -> dict[str, float | None]:
    """Means over objects, and for YouTube-VOS those over seen and unseen ones."""
    means = {column: float(np.mean([entry[column] for entry in objects])) for column in COLUMNS}
    numbers = {"J&F": (means["J_mean"] + means["F_mean"]) / 2} | means
    if protocol == "youtube-vos":
        J, F, seen = ([entry[key] for entry in objects] for key in ("J_mean", "F_mean", "seen"))
        numbers |= seen_unseen_summary(J, F, seen)
    return numbers


def table_text(result: dict, rows: int = 40) -> str:
    """A result of `evaluate` as a table for the terminal; of more than `rows` objects, those with the lowest J."""
    numbers, objects = result["global"], result["objects"]
    shown = objects if len(objects) <= rows else sorted(objects, key=lambda entry: entry["J_mean"])[:rows]
    width = max(5, *(len(entry["video"]) for entry in shown))

    def line(video: str, count: object, cells: Iterable[str]) -> str:
        return f"{video:{width}}  {count:>6}" + "".join(f"{cell:>10}" for cell in cells)

    lines = [line("video", "object", COLUMNS)]
    for entry in shown:
        lines.append(line(entry["video"], entry["object"], (f"{entry[column]:.3f}" for column in COLUMNS)))
    if len(shown) < len(objects):
        lines.append(f"(the {len(shown)} objects with the lowest J of {len(objects)})")
    lines.append(line("mean", "", (f"{numbers[column]:.3f}" for column in COLUMNS)))
    videos = len({entry["video"] for entry in objects})
    lines.append(f"\n{result['protocol']}: videos {videos}, objects {len(objects)}, J&F {numbers['J&F']:.4f}")
    if "overall" in numbers:
        keys = ("J_seen", "J_unseen", "F_seen", "F_unseen", "overall")
        lines.append(", ".join(f"{key} {'-' if numbers[key] is None else f'{numbers[key]:.4f}'}" for key in keys))
    return "\n".join(lines)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m vos evaluate`."""
    add = parser.add_argument
    add("--truth", type=Path, required=True, metavar="DIR", help="one video's PNGs, or a folder of them for each "
        "video, or (youtube-vos) the folder with Annotations/ and meta.json")  # fmt: skip
    add("--prediction", type=Path, required=True, metavar="DIR", help="predicted PNGs, laid out as the true ones")
    add("--protocol", choices=PROTOCOLS, default="davis", help="which objects and frames count (%(default)s)")
    add("--train-meta", type=Path, metavar="FILE", help="youtube-vos: meta.json of the training set, whose "
        "categories are the seen ones (default: ../train/meta.json of the truth, if it is there)")  # fmt: skip
    add("--without-last", action="store_true", help="youtube-vos: leave out the last frame of each video")
    add("--videos", nargs="+", metavar="NAME", help="score only these videos")
    add("--json", type=Path, metavar="FILE", help="write all scores, frame by frame, to this file")


def run(args: argparse.Namespace) -> None:
    """`python -m vos evaluate`: print the table, and write the JSON file where one is named."""
    result = evaluate(
        args.truth,
        args.prediction,
        protocol=args.protocol,
        include_last=not args.without_last,
        train_meta=args.train_meta,
        videos=args.videos,
    )
    print(table_text(result))
    if args.json:
        write_json(args.json, result)
        print(f"wrote {args.json}")
