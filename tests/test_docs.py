"""What the Markdown files say is so: their commands run, their Python runs, their links lead somewhere.

A command runs as it is written, in a folder that has what its paths name. One that would take long gets options that
make it short, and one that would change the machine or need the net (make, pip, conda, a download) is only parsed.
"""

import argparse
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from torch.distributed.run import get_args_parser

import vos
from vos.cli import main, parser
from vos.course.report import predict_into
from vos.data import VOSDataset
from vos.files.outputs import mark_output_folder
from vos.inference import copy_first
from vos.video import video_info, write_overlay

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "data/README.md"])
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"\s*(make|pip|conda|torchrun|(\S*/)?python)\s")
SHORTER = {  # the last of an option given twice counts
    "train": "--preset course --iterations 2 --batch 2 --hold-out 2 --precision float32",
    "data synthetic": "--train 2 --valid 2 --out drawn",
}
ONLY_PARSED = ("report", "data davis")
SLOW = ("train", "data synthetic", "submit", "course grade")


def blocks(text: str, language: str) -> list[str]:
    """The blocks of one language."""
    return [body for _, known, body in BLOCK.findall(text) if known == language]


def commands(text: str) -> list[list[str]]:
    """The words of every command of a page, without comments."""
    found = []
    for line in "".join(blocks(text, "sh")).splitlines():
        words = shlex.split(line, comments=True)
        while "&&" in words:
            found.append(words[: words.index("&&")])
            words = words[words.index("&&") + 1 :]
        found += [words] if words else []
    return found


def is_ours(words: list[str]) -> bool:
    """Whether it is a command of `python -m vos`."""
    return bool(re.fullmatch(r"(\S*/)?python", words[0])) and words[1:3] == ["-m", "vos"]


def name_of(words: list[str]) -> str:
    """The name of a command of ours: the words before the first option or argument."""
    return " ".join(words[:2] if words[0] in ("data", "course") else words[:1])


def shortened(words: list[str]) -> list[str]:
    """A command of ours with what makes it short."""
    return words + SHORTER.get(name_of(words), "").split()


COMMANDS = [
    pytest.param(
        words,
        id=f"{page.name}: {' '.join(words)}",
        marks=[pytest.mark.slow] if is_ours(words) and name_of(words[3:]) in SLOW else [],
    )
    for page in PAGES
    for words in commands(page.read_text(encoding="utf-8"))
]


@pytest.fixture(scope="module")
def desk(small_set, clean, tmp_path_factory) -> Path:
    """A folder with everything that the pages' commands name."""
    folder = tmp_path_factory.mktemp("desk")
    for name in ("path/to/YouTube-VOS", "data/synthetic"):
        shutil.copytree(small_set, folder / name)
    shutil.copytree(ROOT / "data/checkpoints", folder / "data/checkpoints")
    shutil.copy(clean, folder / "submission.zip")
    dataset = VOSDataset(small_set)
    predict_into(folder / "runs/report/predictions/base", copy_first, dataset.valid)

    video = next(v for v in dataset.valid_truth if v.objects[0].first == 0 and None not in v.mask_paths)
    masks = [path for path in video.mask_paths if path]
    for name, paths in (("my_video", video.frame_paths), ("my_truth", masks), ("my_masks", masks)):
        (folder / name).mkdir()
        for path in paths[:6]:
            shutil.copy(path, folder / name)
    mark_output_folder(folder / "my_masks", "segment", [path.name for path in masks[:6]])  # as if it had written them
    shutil.copy(masks[0], folder / "my_mask.png")
    frames = [video.frame(i) for i in range(6)]
    write_overlay(folder / "my_video.mp4", frames, [np.zeros(video.size, np.uint8)] * 6, fps=1 / 4)  # 24 seconds

    (folder / "submissions").mkdir()
    shutil.copy(ROOT / "notebooks/01_data_exploration.ipynb", folder / "submissions/ada.ipynb")

    davis = folder / "path/to/DAVIS"
    (davis / "ImageSets/2017").mkdir(parents=True)
    from_the_start = [video for video in dataset.train if all(o.first == 0 for o in video.objects)]
    (davis / "ImageSets/2017/train.txt").write_text("\n".join(video.name for video in from_the_start))
    for video in from_the_start:
        shutil.copytree(video.frame_paths[0].parent, davis / "JPEGImages/480p" / video.name)
        shutil.copytree(small_set / "train/Annotations" / video.name, davis / "Annotations/480p" / video.name)
    return folder


def check_make(words: list[str]) -> None:
    targets = [word for word in words[1:] if "=" not in word]
    known = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert known
    assert {*targets} <= {*known[1].split()}, words
    if shutil.which("make"):
        done = subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, capture_output=True, text=True, check=True)
        assert all(word.split("=")[1] in done.stdout for word in words[1:] if "=" in word)


def check_script(words: list[str]) -> None:
    script = ROOT / words[1]
    known = script.read_text() + script.with_name("harness.py").read_text()
    assert [word for word in words[2:] if word.startswith("--") and f'"{word}"' not in known] == []


def check_installation(words: list[str]) -> None:
    """pip, conda and venv: what they name is there."""
    text = " ".join(words)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extra = re.fullmatch(r"\S*pip install -e '?\.\[([\w,]+)\]'?", text)
    environment = re.fullmatch(r"conda env create -f (\S+)|conda activate (\w+)", text)
    if extra:
        assert set(extra[1].split(",")) <= set(project["optional-dependencies"])
    elif environment:
        file = (ROOT / (environment[1] or "environment.yml")).read_text()
        assert not environment[2] or f"name: {environment[2]}\n" in file
    else:
        assert text == "python -m venv .venv", f"nobody knows how to check {text!r}"


def run_on(desk: Path, monkeypatch, words: list[str]) -> None:
    """Run a command of ours, or parse it where it would take too long."""
    monkeypatch.chdir(desk)
    parser().parse_args(words)
    if name_of(words) not in ONLY_PARSED:
        assert main(shortened(words)) == 0


@pytest.mark.parametrize("words", COMMANDS)
def test_command(words, desk, monkeypatch):
    if is_ours(words):
        run_on(desk, monkeypatch, words[3:])
    elif words[0] == "torchrun":
        get_args_parser().parse_args(words[1:])
        parser().parse_args(words[words.index("vos") + 1 :])
    elif words[0] == "make":
        check_make(words)
    elif words[0] == "python" and words[1].endswith(".py"):
        check_script(words)
    else:
        check_installation(words)


@pytest.mark.slow
def test_torchrun_on_one_machine(desk):
    """The command for eight processes, with two."""
    (words,) = next(param.values for param in COMMANDS if "--standalone" in param.values[0])
    start = words.index("-m")
    launch = [re.sub(r"(--nproc-per-node=)\d+", r"\g<1>2", word) for word in words[1:start]]
    command = [sys.executable, "-m", "torch.distributed.run", *launch, "-m", "vos", *shortened(words[start + 2 :])]
    subprocess.run(command, cwd=desk, check=True, timeout=300, capture_output=True)
    assert (desk / words[words.index("--out") + 1] / "last.pt").is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_command_hides(page):
    """Blocks are shell, Python or plain text, and commands stand in blocks of shell; inline ones exist, too."""
    text = page.read_text(encoding="utf-8")
    assert {language for _, language, _ in BLOCK.findall(text)} <= {"sh", "python", "text"}
    prose = BLOCK.sub("", text)
    assert "```" not in prose
    assert [line for line in prose.splitlines() if re.match("    |\t", line) and COMMAND.match(line)] == []
    assert [line for body in blocks(text, "text") for line in body.splitlines() if COMMAND.match(line)] == []
    for inline in re.findall(r"`([^`\n]+)`", prose):
        words = inline.split()
        if words[0] == "make" and len(words) > 1:
            check_make(words)
        elif words[:3] == ["python", "-m", "vos"] and len(words) > 3:
            with pytest.raises(SystemExit) as end:
                parser().parse_args([*name_of(words[3:]).split(), "--help"])
            assert end.value.code == 0


def test_six_lines_segment_frames_in_memory(monkeypatch):
    (code,) = blocks(README, "python")
    assert len([line for line in code.splitlines() if line]) == 6
    monkeypatch.chdir(ROOT)
    frames = [np.full((60, 100, 3), 90, np.uint8) for _ in range(3)]
    id_map = np.zeros((60, 100), int)
    id_map[20:40, 30:60] = 7
    names: dict = {"frames": frames, "id_map": id_map}
    exec(code, names)
    masks = names["masks"]
    assert [mask.shape for mask in masks] == [(60, 100)] * 3
    assert (masks[0] == id_map).all()
    assert {*np.unique(masks)} <= {0, 7}


def test_python_for_your_own_video(desk, monkeypatch):
    painting, following = blocks((ROOT / "docs/your_own_video.md").read_text(encoding="utf-8"), "python")
    monkeypatch.chdir(desk)
    names: dict = {}
    exec(following, names)
    assert video_info(desk / "overlay.mp4").frames == 6
    pytest.importorskip("ipycanvas", reason="drawing needs the extra 'widget'")
    exec(painting, names)
    assert len(names["painter"].film) == 6


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures(page):
    for bang, words, target in re.findall(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        assert words or not bang, f"{target} has no alt text"
        if re.match("https?:", target):
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in map(slug, headings), target


def test_readme_is_short():
    assert README.count("\n") <= 110
    assert len(README.split()) < 1300


def test_training_options_are_all_explained():
    text = (ROOT / "docs/training.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.split("## Options")[1].splitlines() if line.startswith("| `--")]
    listed = re.findall(r"--[\w-]+", "".join(rows))
    known = {option for action in train_parser()._actions for option in action.option_strings} - {"-h", "--help"}
    assert len(listed) == len({*listed})
    assert {*listed} == known


def train_parser():
    """The parser of `python -m vos train`."""
    from vos.cli import train

    made = argparse.ArgumentParser()
    train.add_arguments(made)
    return made


def test_one_version():
    assert "version" in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dynamic"]
    assert f"\nversion: {vos.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    newest = re.search(r"^## (\S+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest
    assert newest[1] == vos.__version__
