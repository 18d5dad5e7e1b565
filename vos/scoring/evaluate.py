"""Scoring folders of predicted masks against folders of true ones.

What counts is planned first (protocols.py) and compared with the files (file_check.py), so that all problems are said
at once. Then the masks are read frame by frame on all cores: memory does not grow with the length of a video.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np

from vos.files import VosError
from vos.files.progress import progress_bar
from vos.masks import object_ids, read_mask
from vos.metrics import score_frames, seen_unseen_summary, statistics
from vos.scoring.file_check import check_files
from vos.scoring.protocols import DEFAULTS, Plan, Rules, ScoredVideo, make_plan, mask_path
from vos.scoring.tables import COLUMNS

CHUNK = 8  # frames: the unit of work, so that one long video keeps all cores busy, too


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
        255 is background. As in the DAVIS toolkit, a prediction with a higher id is refused, and an object that is
        never predicted counts as empty.
    protocol "youtube-vos": truth holds Annotations/ and meta.json (or is that Annotations/). Each object is
        scored on the frames meta.json lists for it after its first; other ids are background to it.
    prediction: a folder of PNGs for each video of the truth, or PNGs themselves where the truth is one video.
    rules: what the protocols leave open, and whether a missing mask is an error. videos: score only these.
    train_meta: meta.json of the training set, whose categories are the seen ones; by default that of the folder
        train/ beside the truth. Without it, or without categories, J_seen and the like are None.
    workers: threads, None for one a core; no score depends on it. progress: show how much is done.

    Returns {"protocol", "rules", "global": {"J&F", "J_mean", "J_recall", "J_decay", "F_mean", "F_recall", "F_decay"},
    "objects": [{"video", "object", "J_mean", ..., "F_decay", "J", "F": one value a frame, "frames": their
    names}], "missing": [masks that counted as empty], "extra": [videos and masks that the truth does not have],
    "absent": {video: [ids that count although its first mask lacks them]}}.
    youtube-vos adds "J_seen", "J_unseen", "F_seen", "F_unseen", "overall" to "global", and "category", "seen" to each
    object. Scores lie between 0 and 1; global ones are means over objects, or over videos (rules.mean).
    Raises VosError with all files that are missing, unreadable, no PNG masks or of the wrong size; ValueError where a
    protocol or a number of workers makes no sense.
    """
    workers = usable_cores() if workers is None else workers
    if workers < 1:
        raise ValueError(f"workers must be at least 1, not {workers}")
    plan = make_plan(Path(truth), Path(prediction), protocol, rules, videos, train_meta)
    missing, extra = check_files(plan, rules.lenient)
    objects = score_plan(plan, protocol, rules, set(missing), workers, progress)
    result = {"protocol": protocol, "rules": asdict(rules), "global": global_numbers(objects, protocol, rules.mean)}
    absent = {video.name: [scored.id for scored in video.objects if scored.absent] for video in plan.videos}
    absent = {name: ids for name, ids in absent.items() if ids}
    return result | {"objects": objects, "missing": missing, "extra": extra, "absent": absent}


def score_video(
    truth_maps: Iterable[np.ndarray], prediction_maps: Iterable[np.ndarray], ids: Sequence[int], void: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """J and F of every frame and object, two float64 arrays (T, K), from id maps (H, W) that may be streamed.

    void: id of the truth whose pixels are left out.
    Raises ValueError where one side has more frames than the other or two maps differ in shape.
    """
    pairs = zip(truth_maps, prediction_maps, strict=True)
    scores = [score_frames(prediction[None], truth[None], ids, void=void) for truth, prediction in pairs]
    J, F = np.concatenate([np.empty((2, 0, len(ids))), *scores], axis=1)
    return J, F


def usable_cores() -> int:
    """How many cores this process may use, which are fewer than the machine has where it is pinned to some."""
    if hasattr(os, "process_cpu_count"):  # Python 3.13
        return os.process_cpu_count() or 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def score_plan(plan: Plan, protocol: str, rules: Rules, missing: set[str], workers: int, progress: bool) -> list[dict]:
    """The entries of the result for all objects, in the order of the plan. missing: masks that count as empty.

    Threads: Pillow and NumPy let go of Python's lock in their long loops, and no process has to be started.
    """
    videos = [video for video in plan.videos if video.frames]
    chunks = [(v, v.frames[start : start + CHUNK]) for v in videos for start in range(0, len(v.frames), CHUNK)]

    def score(chunk: tuple[ScoredVideo, Sequence[str]]) -> tuple[np.ndarray, np.ndarray]:
        video, frames = chunk
        ids = [scored.id for scored in video.objects]
        highest = max(ids) if protocol == "davis" else 255
        truth = (read_mask(mask_path(video.truth, frame)) for frame in frames)
        prediction = (predicted_map(video, frame, missing, highest, rules.void) for frame in frames)
        return score_video(truth, prediction, ids, rules.void)

    scores: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {video.name: [] for video in videos}
    pool = ThreadPoolExecutor(workers)
    try:
        with progress_bar("scoring", sum(len(video.frames) for video in videos), "frame", shown=progress) as bar:
            for (video, frames), scored in zip(chunks, pool.map(score, chunks), strict=True):
                scores[video.name].append(scored)
                bar.update(len(frames))
    finally:
        pool.shutdown(cancel_futures=True)  # an error or Ctrl-C does not wait for the rest
    return [e for v in videos for e in object_entries(v, np.concatenate(scores[v.name], axis=1), protocol)]


def predicted_map(video: ScoredVideo, frame: str, missing: set[str], highest: int, void: int | None) -> np.ndarray:
    """One predicted id map. VosError where it holds an id above `highest`; neither 255 nor void is an object."""
    if f"{video.name}/{frame}.png" in missing:
        return np.zeros_like(read_mask(mask_path(video.truth, frame)))
    path = mask_path(video.prediction, frame)
    prediction = read_mask(path)
    if prediction.max() > highest and (above := {i for i in object_ids(prediction) if i > highest} - {void}):
        advice = f"the true ids are 1 to {highest}; a predicted object keeps the id of its first mask"
        raise VosError(f"{path}: holds object id {max(above)}, but {advice}")
    return prediction


def object_entries(video: ScoredVideo, scores: np.ndarray, protocol: str) -> Iterator[dict]:
    """The entries of the result for the objects of one video; scores: J and F of each frame and object, (2, T, K)."""
    row = {frame: i for i, frame in enumerate(video.frames)}
    for k, scored in enumerate(video.objects):
        J, F = scores[:, [row[frame] for frame in scored.frames], k]
        entry: dict = {"video": video.name, "object": scored.id}
        if protocol == "youtube-vos":
            entry |= {"category": scored.category, "seen": scored.seen}
        entry |= dict(zip(COLUMNS, (*statistics(J), *statistics(F)), strict=True))
        yield entry | {"J": J.tolist(), "F": F.tolist(), "frames": list(scored.frames)}


def global_numbers(objects: list[dict], protocol: str, mean: str) -> dict[str, float | None]:
    """Means over objects or videos, and for YouTube-VOS those over seen and unseen ones."""
    means = mean_columns(video_means(objects, "video") if mean == "videos" else objects)
    numbers: dict[str, float | None] = {"J&F": (means["J_mean"] + means["F_mean"]) / 2, **means}
    if protocol == "youtube-vos":
        entries = video_means(objects, "video", "seen") if mean == "videos" else objects
        numbers |= seen_unseen_summary(*([entry[key] for entry in entries] for key in ("J_mean", "F_mean", "seen")))
    return numbers


def video_means(objects: list[dict], *keys: str) -> list[dict]:
    """One entry, of means, for all objects that agree in these keys."""
    groups: dict[tuple, list[dict]] = {}
    for entry in objects:
        groups.setdefault(tuple(entry[key] for key in keys), []).append(entry)
    return [dict(zip(keys, group, strict=True)) | mean_columns(entries) for group, entries in groups.items()]


def mean_columns(entries: list[dict]) -> dict[str, float]:
    """The means of J_mean, J_recall and so on."""
    return {column: float(np.mean([entry[column] for entry in entries])) for column in COLUMNS}
