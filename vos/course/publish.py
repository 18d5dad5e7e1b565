"""`python -m vos publish`: what is committed comes from one whole run, and README.md quotes it."""

import shutil
from pathlib import Path

from vos.course.ablation import deviation_table
from vos.course.report import MODELS, NOTEBOOKS, NUMBERS, cell
from vos.course.workspace import ROOT
from vos.files import VosError, read_json
from vos.files.atomic import written_whole

FIGURES = tuple(f"figure{n}.png" for n in range(1, 6))


def publish(run: Path, root: Path = ROOT) -> None:
    """Copy a run's notebooks, figures, results and checkpoints into the tracked folders and rewrite README's numbers.

    VosError names everything the run lacks, before anything is touched.
    """
    wanted = [run / "notebooks" / f"{name}.ipynb" for name in NOTEBOOKS]
    wanted += [run / "figures" / name for name in FIGURES]
    wanted += [run / "checkpoints" / f"{name}.pt" for name in MODELS]
    wanted += [run / "results" / name for name in ("table1.json", "notebooks.json")]
    missing = [str(path.relative_to(run)) for path in wanted if not path.is_file()]
    if missing:
        raise VosError(f"{run}: is no whole run, it lacks {', '.join(missing)}; `python -m vos report` makes one")
    places = {
        "notebooks": "notebooks",
        "figures": "figures",
        "results": "data/results",
        "checkpoints": "data/checkpoints",
    }
    for source, target in places.items():
        for path in sorted(p for p in (run / source).iterdir() if p.is_file()):
            with written_whole(root / target / path.name) as temporary:
                shutil.copyfile(path, temporary)
    update_readme(root)


def update_readme(root: Path = ROOT) -> None:
    """Write the numbers of data/results between README.md's markers."""
    path = root / "README.md"
    with written_whole(path) as temporary:
        temporary.write_text(with_numbers(path.read_text(encoding="utf-8"), root), encoding="utf-8")


def with_numbers(text: str, root: Path = ROOT) -> str:
    """README's text with the blocks between <!-- NAME --> and <!-- /NAME --> made anew from data/results."""
    blocks = {"table1": score_table(root), "notebooks": notebook_table(root), "benchmark_metrics": metrics_table(root)}
    blocks["benchmark_training"] = speed_table(root)
    blocks["deviations"] = deviation_table(read_json(root / "data/results/choices.json"))
    for name, block in blocks.items():
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        if text.count(start) != 1 or text.count(end) != 1:
            raise VosError(f"README.md: needs {start} and {end} once each, around the numbers of data/results")
        before, rest = text.split(start)
        text = f"{before}{start}\n{block}\n{end}{rest.split(end)[1]}"
    return text


def score_table(root: Path) -> str:
    """Table 1 as Markdown: the report's numbers and ours, each with the data they were measured on."""
    rows = read_json(root / "data/results/table1.json")["rows"]
    heads = ["", "measured on", "overall", "J seen", "J unseen", "F seen", "F unseen", "parameters", "training, min"]
    keys = ("overall", *NUMBERS[:-1])
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for row in rows:
        cells = [row["name"], row["source"], *(cell(row[key], ".3f") for key in keys)]
        cells += [cell(row["parameters"], ",d"), cell(row["minutes"], ".1f")]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


QUESTIONS = {
    "01_data_exploration": "What is in a video object segmentation set, and what will the model see?",
    "02_base_model": "How can a recurrent network carry a mask through a video?",
    "03_video_representation": "What does a representation of the whole video add?",
    "04_training": "How do the two models learn?",
    "05_evaluation": "How is a segmentation judged, and how do our models do?",
    "06_qualitative_figures": "What do the models get right and wrong, to the eye?",
}


def notebook_table(root: Path) -> str:
    """The map of the notebooks with the minutes each took when published."""
    seconds = read_json(root / "data/results/notebooks.json")["seconds"]
    lines = ["| notebook | question | minutes |", "|---|---|---|"]
    for name, question in QUESTIONS.items():
        lines.append(f"| [{name}](notebooks/{name}.ipynb) | {question} | {seconds[name] / 60:.1f} |")
    return "\n".join(lines)


def metrics_table(root: Path) -> str:
    """How fast J and F are, as Markdown: what one run of benchmarks/metrics.py measured."""
    result = read_json(root / "data/results/benchmark_metrics.json")
    lines = ["| | this package | lean OpenCV | the toolkit's way | decoding alone |", "|---|---|---|---|---|"]
    for row in result["rows"]:
        if row["benchmark"] == "score":
            cells = [f"an object in a frame, {row['masks']}", f"{row['ms']:.2f} ms"]
            cells += [f"{row[f'{way}_ms']:.2f} ms, {row[f'{way}_ratio']:.1f}x" for way in ("opencv", "toolkit")] + ["–"]
        elif row["benchmark"] == "folders":
            cells = [f"PNG folders to numbers, {row['masks']}", f"{row['ours_s']:.1f} s"]
            cells += [f"{row[f'{way}_s']:.1f} s, {row[f'{way}_ratio']:.1f}x" for way in ("opencv", "toolkit")]
            cells += [f"{row['decoding_s']:.1f} s"]
        else:
            cells = [f"`python -m vos evaluate`, all cores, {row['masks']}"]
            cells += [f"{row['command_s']:.1f} s, {row['peak_MB']:.0f} MB", "–", "–", f"{row['decoding_s']:.1f} s"]
        lines.append(f"| {' | '.join(cells)} |")
    made = result["provenance"]
    about = f"One run on {made['cores']} cores of {made['processor']}, medians; the first rows use one core."
    return "\n".join([*lines, "", f"{about} Masks of 480x854 pixels; `python benchmarks/metrics.py` measures it anew."])


def speed_table(root: Path) -> str:
    """How fast training and inference are, as Markdown: what one run each of their benchmarks measured."""
    files = {
        name: read_json(root / f"data/results/benchmark_{name}.json")
        for name in ("training", "inference", "data", "overfit", "kills")
    }
    heads = ["full size, 256x448", "this package", "plain port, float32", "times", "at most", "of the limit"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for row in files["training"]["rows"]:
        if row["benchmark"] == "step":
            cells = [f"training step, 5 frames, {row['precision']}", f"{row['ours_s']:.2f} s"]
            cells += [
                f"{row['plain_port_float32_s']:.2f} s",
                f"{row['plain_port_ratio']:.2f}",
                f"{row['plain_port_float32_s'] / row['convolutions_s']:.2f}",
                f"{row['limit_ratio']:.0%}",
            ]
            lines.append(f"| {' | '.join(cells)} |")
    for row in files["inference"]["rows"]:
        if row["benchmark"] == "frame":
            cells = [f"a frame with {row['objects']} objects, {row['precision']}", f"{row['ours_s']:.2f} s"]
            cells += [f"{row['plain_port_s']:.2f} s", f"{row['plain_port_ratio']:.2f}", "–", "–"]
            lines.append(f"| {' | '.join(cells)} |")
    rows = {row["benchmark"]: row for row in files["inference"]["rows"] + files["training"]["rows"]}
    loader = next(row for row in files["data"]["rows"] if row["preset"] == "report")
    memory = max(r["memory_ratio"] for r in files["inference"]["rows"] if r["benchmark"] == "memory")
    made = files["training"]["provenance"]
    lines += [
        "",
        "The limit, and at most: a step that were its convolutions in the same precision and nothing else. The plain "
        "port makes more of them: our Decoder upsamples and convolves in one (`vos/fast/layers.py`).",
    ]
    facts = [
        f"At inference a further object costs {rows['objects']['further_ratio']:.0%} of the first",
        f"the course preset segments {rows['course']['frames_per_s']:.0f} frames a second (with the mirror image "
        f"{rows['course']['with_mirror_frames_per_s']:.0f})",
        f"1,000 frames need {memory:.2f} times the memory of 100",
        f"the loader reaches {loader['loader_over_decoding_ratio']:.0%} of the speed of decoding alone",
        f"a course step spends {rows['kernel']['kernel_ratio']:.1%} of its time in the kernel",
    ]
    (learnt,), (killed,) = files["overfit"]["rows"], files["kills"]["rows"]
    facts += [
        f"the `report` preset learns a real clip of {learnt['frames']} frames ({learnt['sequence']}) to J "
        f"{learnt['J']:.2f} in {learnt['iterations']} steps, {learnt['minutes']:.0f} minutes, from {learnt['weights']} "
        "weights",
        f"a training killed {killed['kills']} times ends with {'the same' if killed['same_bits'] else 'OTHER'} bits",
    ]
    about = f"Measured on {made['cores']} cores of {made['processor']} by the scripts in `benchmarks/`, medians."
    return "\n".join([*lines, "", "; ".join(facts) + ".", about])
