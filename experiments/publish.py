"""Publish a run: what is committed comes from one whole run, and README.md and docs/ quote it.

    python experiments/publish.py [RUN]    (RUN: default runs/report; or `make publish`)

What stands between <!-- NAME --> and <!-- /NAME --> in a page is made from data/results; the prose around it is not.
"""

import argparse
import shutil
import sys
from operator import itemgetter
from pathlib import Path
from statistics import mean

from recipe import VARIANTS as RECIPES

from vos.course.ablation import deviation_table
from vos.course.comparison import PAIRS, difference, paired_scores
from vos.course.notebooks import exercises_of, minutes_to_read_and_solve, notebook_paths, question
from vos.course.report import MODELS
from vos.course.tables import markdown_table, number, score_table
from vos.course.workspace import ROOT, repository
from vos.files import VosError, read_json
from vos.files.atomic import written_whole

FIGURES = tuple(f"figure{n}.png" for n in range(1, 6))
PLACES = {"notebooks": "notebooks", "figures": "figures", "results": "data/results", "checkpoints": "data/checkpoints"}


def publish(run: Path, root: Path = ROOT) -> None:
    """Copy a run's notebooks, figures, results and checkpoints into the tracked folders and rewrite the pages' numbers.

    VosError names everything the run lacks, before anything is touched.
    """
    repository()
    wanted = [f"notebooks/{path.name}" for path in notebook_paths()]
    wanted += [f"figures/{name}" for name in FIGURES]
    wanted += [f"checkpoints/{name}.pt" for name in MODELS]
    wanted += ["results/table1.json", "results/notebooks.json"]
    missing = [name for name in wanted if not (run / name).is_file()]
    if missing:
        raise VosError(f"{run}: must be a whole run, and lacks {', '.join(missing)}; `python -m vos report` makes one")
    for source, target in PLACES.items():
        for path in sorted(p for p in (run / source).iterdir() if p.is_file()):
            with written_whole(root / target / path.name) as temporary:
                shutil.copyfile(path, temporary)
    update_pages(root)


def update_pages(root: Path = ROOT) -> None:
    """Write the tables of data/results between the markers of README.md and docs/*.md."""
    for name, blocks in generated_blocks(root).items():
        text = with_blocks((root / name).read_text(encoding="utf-8"), blocks, name)
        with written_whole(root / name) as temporary:
            temporary.write_text(text, encoding="utf-8")


def generated_blocks(root: Path = ROOT) -> dict[str, dict[str, str]]:
    """What stands between the markers of each page, in Markdown, by page and marker."""
    benchmarks = {"training": training_table(root), "facts": facts_table(root), "metrics": metrics_table(root)}
    benchmarks |= {"course_step": course_step_table(root), "real": real_speed_table(root)}
    table1 = score_table(read_json(root / "data/results/table1.json")["rows"])
    return {
        "README.md": {"notebooks": notebook_table(root), "table1": table1},
        "docs/ablation.md": {
            "deviations": deviation_table(root),
            "recipe": recipe_table(root),
            "comparison": comparison_table(root),
            "differences": difference_table(root),
        },
        "docs/real_video.md": {
            "real": real_table(root),
            "real_ablation": against_first_table(root, "real_ablation"),
            "real_inference": against_first_table(root, "real_inference"),
        },
        "docs/teaching.md": {"minutes": minutes_table(root), "exercises": exercise_table(root)},
        "docs/benchmarks.md": {f"benchmark_{name}": table for name, table in benchmarks.items()},
    }


def with_blocks(text: str, blocks: dict[str, str], name: str) -> str:
    """A page's text with its blocks replaced; name: of the page, for the VosError where it lacks a marker."""
    for marker, block in blocks.items():
        start, end = f"<!-- {marker} -->", f"<!-- /{marker} -->"
        if text.count(start) != 1 or text.count(end) != 1:
            raise VosError(f"{name}: needs {start} and {end} once each, around the numbers of data/results")
        before, rest = text.split(start)
        text = f"{before}{start}\n{block}\n{end}{rest.split(end)[1]}"
    return text


def notebook_table(root: Path) -> str:
    """The map of the notebooks with the minutes each took when published."""
    seconds = read_json(root / "data/results/notebooks.json")["seconds"]
    rows = []
    for path in notebook_paths(root):
        minutes = number(seconds[path.stem] / 60 if path.stem in seconds else None, ".1f")
        rows.append([f"[{path.stem}](notebooks/{path.name})", question(path), minutes])
    return markdown_table(["notebook", "question", "minutes"], rows)


def minutes_table(root: Path) -> str:
    """How long each notebook takes to read, to solve and to run; without exercises that are left to the computer."""
    seconds, rows = read_json(root / "data/results/notebooks.json")["seconds"], []
    for path in notebook_paths(root):
        solve = sum(exercise.minutes for exercise in exercises_of(path) if not exercise.waiting)
        rows.append((path, minutes_to_read_and_solve(path) - solve, solve, seconds.get(path.stem)))
    cells = [
        [f"[{path.stem}](../notebooks/{path.name})", str(read), str(solve), number(run and run / 60, ".1f")]
        for path, read, solve, run in rows
    ]
    cells.append(["together", *(str(sum(row[i] for row in rows)) for i in (1, 2)), f"{sum(seconds.values()) / 60:.1f}"])
    return markdown_table(["notebook", "minutes to read", "to solve", "to run"], cells)


def exercise_table(root: Path) -> str:
    """Every exercise, how long it takes, and its column in a file of marks."""
    rows = []
    for path in notebook_paths(root):
        for title, difficulty, minutes, waiting, check in exercises_of(path):
            long = f"{minutes}, mostly the computer's" if waiting else str(minutes)
            rows.append([path.stem.split("_")[0], title, difficulty, long, f"`{check}`" if check else "–"])
    return markdown_table(["notebook", "exercise", "difficulty", "minutes", "marked as"], rows)


def benchmark(root: Path, name: str) -> dict:
    """What one run of benchmarks/<name>.py measured."""
    return read_json(root / f"data/results/benchmark_{name}.json")


def machine(result: dict) -> str:
    """Where a result was measured."""
    return f"{result['provenance']['cores']} cores of {result['provenance']['processor']}"


def training_table(root: Path) -> str:
    """How fast the full size trains and segments."""
    rows = []
    for row in benchmark(root, "training")["rows"]:
        if row["benchmark"] == "step":
            port = row["plain_port_float32_s"]
            times = f"{row['ours_s']:.2f} s", f"{port:.2f} s", f"{row['plain_port_ratio']:.2f}"
            limit = f"{port / row['convolutions_s']:.2f}", f"{row['limit_ratio']:.0%}"
            rows.append([f"training step, 5 frames, {row['precision']}", *times, *limit])
    for row in benchmark(root, "inference")["rows"]:
        if row["benchmark"] == "frame":
            times = f"{row['ours_s']:.2f} s", f"{row['plain_port_s']:.2f} s", f"{row['plain_port_ratio']:.2f}"
            rows.append([f"a frame with {row['objects']} objects, {row['precision']}", *times, "–", "–"])
    heads = ["full size, 256x448", "this package", "plain port, float32", "times", "at most", "of the limit"]
    return markdown_table(heads, rows)


def course_step_table(root: Path) -> str:
    """How near a step of each stage of the course's training is to its convolutions alone."""
    result, rows = benchmark(root, "course_step"), []
    for row in result["rows"]:
        times = (f"{row[f'{part}_s']:.2f} s" for part in ("step", "convolutions", "optimizer"))
        stage = f"{row['clips']} clips of {row['frames']} frames, {row['precision']}"
        rows.append([stage, *times, f"{row['limit_ratio']:.0%}"])
    heads = [f"one thread on {machine(result)}", "a step", "its convolutions alone", "the optimizer", "of the limit"]
    return markdown_table(heads, rows)


def facts_table(root: Path) -> str:
    """What else the benchmarks of training, inference, loading and checkpoints found, a fact a row."""
    training, inference = benchmark(root, "training"), benchmark(root, "inference")["rows"]
    rows = {row["benchmark"]: row for row in inference + training["rows"]}
    loader = next(row for row in benchmark(root, "data")["rows"] if row["preset"] == "report")
    (learnt,), (killed,) = benchmark(root, "overfit")["rows"], benchmark(root, "kills")["rows"]
    memory = max(row["memory_ratio"] for row in inference if row["benchmark"] == "memory")
    clip = f"a real clip of {learnt['frames']} frames ({learnt['sequence']}), from {learnt['weights']} weights"
    facts = {
        "a further object at inference, of the cost of the first": f"{rows['objects']['further_ratio']:.0%}",
        "course preset, frames a second": f"{rows['course']['frames_per_s']:.0f}",
        "the same with the mirror image": f"{rows['course']['with_mirror_frames_per_s']:.0f}",
        "memory for 1,000 frames, of that for 100": f"{memory:.2f}",
        "loader, of the speed of decoding alone": f"{loader['loader_over_decoding_ratio']:.0%}",
        "time of a course step in the kernel": f"{rows['kernel']['kernel_ratio']:.1%}",
        f"`report` preset on {clip}": f"J {learnt['J']:.2f} in {learnt['iterations']} steps, "
        f"{learnt['minutes']:.0f} minutes",
        f"a training killed {killed['kills']} times ends with": "the same bits"
        if killed["same_bits"]
        else "OTHER bits",
        "measured on": machine(training),
    }
    return markdown_table(["", "measured"], list(facts.items()))


def real_speed_table(root: Path) -> str:
    """How fast the preset "real" segments."""
    rows = []
    for row in benchmark(root, "real")["rows"]:
        if row["benchmark"] == "frames":
            views = "with the mirror image" if row["mirror"] else "one view"
            objects = f"{row['objects']} object{'s' if row['objects'] > 1 else ''}"
            rows.append([f"{objects}, {views}", f"{row['frames_per_s']:.1f}"])
        else:
            rows.append(["memory for 1,000 frames, of that for 100", f"{row['memory_ratio']:.2f}"])
    heads = [f"preset `real`, 480x854, float32, on {machine(benchmark(root, 'real'))}", "frames a second"]
    return markdown_table(heads, rows)


def real_table(root: Path) -> str:
    """J on held-out real videos, by method."""
    rows = []
    for row in read_json(root / "data/results/real.json")["rows"]:
        between = " to ".join(f"{x:.3f}" for x in row["interval"])
        rows.append([row["name"], f"{row['J']:.3f}", between, *(f"{x:.2f}" for x in row["sequences"].values())])
    names = list(read_json(root / "data/results/real.json")["rows"][0]["sequences"])
    return markdown_table(["", "J", "95 % over sequences", *names], rows)


def against_first_table(root: Path, name: str) -> str:
    """J on held-out real videos of what an experiment tried, each held against its first row."""
    first, *others = read_json(root / f"data/results/{name}.json")["rows"]
    rows = [[first["name"], f"{first['J']:.3f}", "", ""]]
    for row in others:
        gains = [J - first["sequences"][video] for video, J in row["sequences"].items()]
        rows.append([row["name"], f"{row['J']:.3f}", f"{row['J'] - first['J']:+.3f}", f"{sum(x > 0 for x in gains)}"])
    return markdown_table(["", "J", "difference", f"higher, of {len(first['sequences'])} sequences"], rows)


def recipe_table(root: Path) -> str:
    """What recipes reach, each held against the first after as long a training: means over their seeds."""
    every, rows = read_json(root / "data/results/recipe.json")["rows"], []
    for run in every:
        run["length"] = round(run["steps"] / RECIPES[run["name"]].longer)  # in steps of the first
    first = {(run["length"], run["seed"]): run["overall"] for run in every if run["name"] == every[0]["name"]}
    groups = list(every[0]["J_by_objects"])
    for length, name in sorted({(run["length"], run["name"]): None for run in every}, key=itemgetter(0)):
        runs = [run for run in every if (run["length"], run["name"]) == (length, name)]
        overall, minutes = mean(run["overall"] for run in runs), mean(run["minutes"] for run in runs)
        difference = mean(run["overall"] - first[length, run["seed"]] for run in runs)
        by_objects = [f"{mean(run['J_by_objects'][group] for run in runs):.3f}" for group in groups]
        counts = f"{runs[0]['steps']:,}", f"{minutes:.1f}", f"{overall:.3f}", f"{difference:+.3f}", str(len(runs))
        rows.append([name, *counts, *by_objects])
    objects = (f"J, {group}" + (" object" if group == "1" else "") for group in groups)
    return markdown_table(["", "steps", "minutes", "overall", "difference", "seeds", *objects], rows)


def comparison_table(root: Path) -> str:
    """What the variants of the comparison reach: means over their seeds."""
    every, rows = read_json(root / "data/results/comparison.json")["rows"], []
    scores = ("overall", "J_seen", "J_unseen", "F_seen", "F_unseen")
    groups = list(every[0]["J_by_objects"])
    for name in dict.fromkeys(run["name"] for run in every):
        runs = [run for run in every if run["name"] == name]
        found = (
            [*(run[key] for key in scores), *run["J_by_objects"].values(), mean(run["real"].values())] for run in runs
        )
        means = [f"{mean(column):.3f}" for column in zip(*found, strict=True)]
        overall = [run["overall"] for run in runs]
        spread = f"{len(runs)}: {min(overall):.3f} to {max(overall):.3f}"
        minutes = f"{mean(run['minutes'] for run in runs):.1f}"
        rows.append([name, f"{runs[0]['parameters']:,}", minutes, means[0], spread, *means[1:]])
    objects = (f"J, {group}" + (" object" if group == "1" else "") for group in groups)
    heads = ["", "weights", "minutes", "overall", "seeds", *(key.replace("_", " ") for key in scores[1:]), *objects]
    return markdown_table([*heads, "J, real video"], rows)


def difference_table(root: Path) -> str:
    """Paired differences between variants of the comparison, with intervals over seeds and videos."""
    trained, rows = read_json(root / "data/results/comparison.json")["rows"], []
    for name, other in PAIRS:
        found = (difference(trained, name, other, key) for key in ("by_video", "real"))
        intervals = [f"{one.mean:+.3f}, {one.low:+.3f} to {one.high:+.3f}" for one in found]
        rows.append([f"{name} less {other}", str(len(paired_scores(trained, name, other)[0])), *intervals])
    return markdown_table(["", "seeds", "200 drawn videos, mean of J and F", "six real sequences, J"], rows)


def metrics_table(root: Path) -> str:
    """How fast J and F are."""
    result, rows = benchmark(root, "metrics"), []
    for row in result["rows"]:
        if row["benchmark"] == "score":
            others = [f"{row[f'{way}_ms']:.2f} ms, {row[f'{way}_ratio']:.1f}x" for way in ("opencv", "toolkit")]
            rows.append([f"an object in a frame, {row['masks']}", f"{row['ms']:.2f} ms", *others, "–"])
        elif row["benchmark"] == "folders":
            others = [f"{row[f'{way}_s']:.1f} s, {row[f'{way}_ratio']:.1f}x" for way in ("opencv", "toolkit")]
            times = f"{row['ours_s']:.1f} s", *others, f"{row['decoding_s']:.1f} s"
            rows.append([f"PNG folders to numbers, {row['masks']}", *times])
        else:
            times = f"{row['command_s']:.1f} s, {row['peak_MB']:.0f} MB", "–", "–", f"{row['decoding_s']:.1f} s"
            rows.append([f"`python -m vos evaluate`, all cores, {row['masks']}", *times])
    heads = [f"on {machine(result)}", "this package", "lean OpenCV", "the toolkit's way", "decoding alone"]
    return markdown_table(heads, rows)


def main() -> None:
    """Publish the run that is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, nargs="?", default=ROOT / "runs/report", metavar="RUN")
    try:
        publish(parser.parse_args().run)
    except VosError as error:
        sys.exit(f"publish: {error}")


if __name__ == "__main__":
    main()
