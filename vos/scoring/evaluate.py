"""Scoring folders of predicted masks against folders of true ones.

What counts is planned first (vos.protocols) and compared with the files (vos.score_check), so that all problems are
said at once. Then the masks are read frame by frame on all cores: memory does not grow with the length of a video.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

from vos.files import VosError, write_json
from vos.masks import object_ids, read_mask
from vos.metrics import score_frames, seen_unseen_summary, statistics
from vos.scoring.file_check import check_files, notices
from vos.scoring.protocols import DEFAULTS, FRAMES, MEANS, PROTOCOLS, Plan, Rules, ScoredVideo, make_plan
from vos.scoring.tables import COLUMNS, objects_file, table_text, write_csv

CHUNK = 8  # frames: the unit of work, so that one long video keeps all cores busy, too

DAVIS_TOOLKIT = (
    "The DAVIS-2017 toolkit is strict: it stops at the first predicted mask that is missing, unreadable or of another "
    "size, and at an id above the highest of the truth's first frame. An object that is never predicted counts as "
    "empty. All of this is so here, but every missing mask is named at once, and --lenient counts them as empty."
)


def evaluate(
    truth: Path,
    prediction: Path,
    protocol: str = "davis",
    rules: Rules = DEFAULTS,
    *,
    videos: Sequence[str] | None = None,
    train_meta: Path | None = None,
    workers: int | None = None,
    progress: bool = True,
) -> dict:
    """Score a folder of predictions; the result is plain data, ready for JSON.

    protocol "davis": truth is one video's PNGs, or a folder of them for each video. Objects are 1 to the highest
        id of the first frame, whether all of them occur or not; the first and the last frame are not scored; id
        255 is background. A prediction with a higher id is refused, as the DAVIS toolkit does.
    protocol "youtube-vos": truth holds Annotations/ and meta.json (or is that Annotations/). Each object is
        scored on the frames meta.json lists for it after its first; other ids are background to it.
    prediction: a folder of PNGs for each video of the truth, or PNGs themselves where the truth is one video.
    rules: what the protocols leave open, and whether a missing mask is an error or counts as empty.
    videos: score only these.
    train_meta: meta.json of the training set, whose categories are the seen ones; by default that of the folder
        train/ beside the truth. Without it, or without categories, J_seen and the like are None.
    workers: threads; None is one for each core. The scores do not depend on it, to the last bit.
    progress: show a bar where stderr is a terminal.

    Returns {"protocol", "rules", "global": {"J&F", "J_mean", "J_recall", "J_decay", "F_mean", "F_recall", "F_decay"},
    "objects": [{"video", "object", "J_mean", ..., "F_decay", "J", "F": one value a frame, "frames": their
    names}], "missing": [masks that counted as empty], "extra": [videos and masks that the truth does not have]}.
    youtube-vos adds "J_seen", "J_unseen", "F_seen", "F_unseen", "overall" to "global", and "category", "seen" to each
    object. Scores lie between 0 and 1; global ones are means over objects, or over videos (rules.mean).

    The DAVIS-2017 toolkit stops at the first mask that is missing, unreadable or of another size, and at an id above
    the truth's; an object that is never predicted counts as empty. rules.lenient takes back only the first of these.
    Raises VosError with all files that are missing, unreadable, no PNG masks or of the wrong size.
    """
    workers = usable_cores() if workers is None else workers
    if workers < 1:
        raise VosError(f"workers {workers}: at least one must work; name a number from 1")
    plan = make_plan(Path(truth), Path(prediction), protocol, rules, videos, train_meta)
    missing, extra = check_files(plan, rules.lenient)
    objects = _score_plan(plan, protocol, rules, set(missing), workers, progress)
    numbers = _global_numbers(objects, protocol, rules.mean)
    told = {"missing": missing, "extra": extra}
    return {"protocol": protocol, "rules": asdict(rules), "global": numbers, "objects": objects} | told


def score_video(
    truth_maps: Iterable[np.ndarray],
    prediction_maps: Iterable[np.ndarray],
    ids: Sequence[int],
    void: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """J and F of every frame and object, two float64 arrays (T, K), from id maps (H, W) that may be streamed.

    void: id of the truth whose pixels are left out.
    Raises ValueError where one side has more frames than the other or two maps differ in shape.
    """
    return _score_pairs(zip(truth_maps, prediction_maps, strict=True), ids, void)


def _score_pairs(
    pairs: Iterable[tuple[np.ndarray, np.ndarray]], ids: Sequence[int], void: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """As `score_video`, from pairs of a true and a predicted map."""
    J, F = [], []
    for truth, prediction in pairs:
        J_t, F_t = score_frames(prediction[None], truth[None], ids, void=void)
        J.append(J_t[0])
        F.append(F_t[0])
    shape = len(J), len(ids)
    return np.array(J, np.float64).reshape(shape), np.array(F, np.float64).reshape(shape)


def usable_cores() -> int:
    """How many cores this process may use, which are fewer than the machine has where it is pinned to some."""
    if hasattr(os, "process_cpu_count"):  # Python 3.13
        return os.process_cpu_count() or 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _score_plan(plan: Plan, protocol: str, rules: Rules, missing: set[str], workers: int, progress: bool) -> list[dict]:
    """The entries of the result for all objects, in the order of the plan.

    Threads: Pillow and NumPy let go of Python's lock in their long loops, and no process has to be started.
    """
    chunks = []
    for video in plan.videos:
        frames = video.frames
        chunks += [(video, frames[start : start + CHUNK]) for start in range(0, len(frames), CHUNK)]

    def score(chunk: tuple[ScoredVideo, Sequence[str]]) -> tuple[np.ndarray, np.ndarray]:
        ids = [scored.id for scored in chunk[0].objects]
        highest = max(ids) if protocol == "davis" else 255
        return _score_pairs(_pairs(*chunk, missing, highest, rules.void), ids, rules.void)

    scores: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {video.name: [] for video in plan.videos}
    pool = ThreadPoolExecutor(workers)
    total = sum(len(frames) for _, frames in chunks)
    hidden = None if progress else True  # None: shown on a terminal only
    try:
        with tqdm(desc="scoring", total=total, leave=False, unit="frame", disable=hidden) as bar:
            for (video, frames), scored in zip(chunks, pool.map(score, chunks), strict=True):
                scores[video.name].append(scored)
                bar.update(len(frames))
    finally:
        pool.shutdown(cancel_futures=True)  # an error or Ctrl-C does not wait for the rest
    return [entry for video in plan.videos for entry in _entries(video, scores[video.name], protocol)]


def _pairs(
    video: ScoredVideo, frames: Sequence[str], missing: set[str], highest: int, void: int | None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The true and the predicted id map of each frame. VosError where one is predicted to hold an id above `highest`.

    Neither 255 nor void is an object. missing: masks that count as empty.
    """
    for name in (f"{frame}.png" for frame in frames):
        truth = read_mask(video.truth / name)
        if f"{video.name}/{name}" in missing:
            yield truth, np.zeros_like(truth)
            continue
        prediction = read_mask(video.prediction / name)
        if prediction.max() > highest and (above := {i for i in object_ids(prediction) if i > highest} - {void}):
            advice = f"the true ids are 1 to {highest}; a predicted object keeps the id of its first mask"
            raise VosError(f"{video.prediction / name}: holds object id {max(above)}, but {advice}")
        yield truth, prediction


def _entries(video: ScoredVideo, scores: list[tuple[np.ndarray, np.ndarray]], protocol: str) -> list[dict]:
    """The entries of the result for the objects of one video; scores: those of its chunks, in order."""
    J, F = (np.concatenate(chunks) for chunks in zip(*scores, strict=True)) if scores else (None, None)
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


def _global_numbers(objects: list[dict], protocol: str, mean: str) -> dict[str, float | None]:
    """Means over objects or videos, and for YouTube-VOS those over seen and unseen ones."""
    entries = _video_means(objects, "video") if mean == "videos" else objects
    means = {column: float(np.mean([entry[column] for entry in entries])) for column in COLUMNS}
    numbers = {"J&F": (means["J_mean"] + means["F_mean"]) / 2} | means
    if protocol == "youtube-vos":
        entries = _video_means(objects, "video", "seen") if mean == "videos" else objects
        J, F, seen = ([entry[key] for entry in entries] for key in ("J_mean", "F_mean", "seen"))
        numbers |= seen_unseen_summary(J, F, seen)
    return numbers


def _video_means(objects: list[dict], *keys: str) -> list[dict]:
    """One entry, of means, for all objects that agree in these keys."""
    groups: dict[tuple, list[dict]] = {}
    for entry in objects:
        groups.setdefault(tuple(entry[key] for key in keys), []).append(entry)
    return [
        dict(zip(keys, group, strict=True)) | {c: float(np.mean([entry[c] for entry in entries])) for c in COLUMNS}
        for group, entries in groups.items()
    ]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m vos evaluate`."""
    parser.epilog = DAVIS_TOOLKIT
    add = parser.add_argument
    add("--truth", type=Path, required=True, metavar="DIR", help="one video's PNGs, or a folder of them for each "
        "video, or (youtube-vos) the folder with Annotations/ and meta.json")  # fmt: skip
    add("--prediction", type=Path, required=True, metavar="DIR", help="predicted PNGs, laid out as the true ones")
    add("--protocol", choices=PROTOCOLS, default="davis", help="which objects and frames count (%(default)s)")
    add("--train-meta", type=Path, metavar="FILE", help="youtube-vos: meta.json of the training set, whose "
        "categories are the seen ones (default: ../train/meta.json of the truth, if it is there)")  # fmt: skip
    add("--videos", nargs="+", metavar="NAME", help="score only these videos")
    add("--workers", type=int, metavar="N", help="threads (default: one for each core); the scores stay the same")
    add("--json", type=Path, metavar="FILE", help="write all scores, frame by frame, to this file")
    add("--csv", type=Path, metavar="FILE.csv", help="write a row for each object in each frame to this file, and one "
        "for each object to FILE_objects.csv")  # fmt: skip

    text = "The scorer of YouTube-VOS is not public, so what is unknown of it is a switch."
    group = parser.add_argument_group("what counts", text)
    parser.set_defaults(lenient=DEFAULTS.lenient)
    strictness = group.add_mutually_exclusive_group()
    strictness.add_argument("--strict", dest="lenient", action="store_false", help="a missing mask is an error "
        "(default, as in DAVIS's toolkit)")  # fmt: skip
    strictness.add_argument("--lenient", action="store_true", help="a missing mask, or a whole missing video, counts "
        "as empty; one that is unreadable or of another size stays an error")  # fmt: skip
    add = group.add_argument
    add("--with-first", action="store_true", help="youtube-vos: count the frame where an object is given, too "
        "(default: no, as there is nothing to predict)")  # fmt: skip
    add("--without-last", action="store_true", help="youtube-vos: leave out the last annotated frame of each video "
        "(default: it counts, as only DAVIS is known to leave it out)")  # fmt: skip
    add("--frames", choices=FRAMES, default=DEFAULTS.frames, help="youtube-vos: score an object on the frames that "
        "meta.json lists for it, or on all with a true mask after its first (default: %(default)s, as the list is "
        "there for this)")  # fmt: skip
    add("--mean", choices=MEANS, default=DEFAULTS.mean, help="means over objects, or over videos of the mean of each "
        "(default: %(default)s, as in DAVIS's toolkit)")  # fmt: skip
    add("--void", type=id_or_none, default=DEFAULTS.void, metavar="ID|none", help="leave the pixels out where the "
        "truth has this id (default: none; 255 is background, as in DAVIS's toolkit)")  # fmt: skip


def id_or_none(text: str) -> int | None:
    """What --void takes."""
    return None if text == "none" else int(text)


def run(args: argparse.Namespace) -> None:
    """`python -m vos evaluate`: print the table, and write the files that are named."""
    files = [path for path in (args.json, args.csv, args.csv and objects_file(args.csv)) if path]
    for path in files:
        if path.is_dir() or files.count(path) > 1:
            raise VosError(f"{path}: {'is a folder' if path.is_dir() else 'would be written twice'}; name another file")
    rules = Rules(args.with_first, not args.without_last, args.frames, args.mean, args.void, args.lenient)
    result = evaluate(
        args.truth,
        args.prediction,
        args.protocol,
        rules,
        videos=args.videos,
        train_meta=args.train_meta,
        workers=args.workers,
    )
    for notice in notices(result["missing"], result["extra"]):
        print(f"vos: {args.prediction}: {notice}", file=sys.stderr)
    print(table_text(result))
    for path, write in ((args.json, write_json), (args.csv, write_csv)):
        try:
            if path:
                write(path, result)
        except OSError as error:
            raise VosError(f"{path}: cannot be written ({error.strerror or error}); name another place") from None
    for path in files:
        print(f"wrote {path}")
