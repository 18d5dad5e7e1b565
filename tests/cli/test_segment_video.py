"""`segment` on a file and on a folder: what is written, what is said, what is refused; no input is changed."""

import hashlib
import os
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.clips import SIZE, encode, scene, scenes
from PIL import Image

from vos.cli import main
from vos.config import ModelConfig, TrainConfig
from vos.engine.checkpoints import write_checkpoint
from vos.masks import read_mask, write_mask
from vos.networks import build
from vos.video import read_video, timed_frames, video_info

pytestmark = pytest.mark.slow  # all of it is for the whole suite

pytest.importorskip("av")
COUNT = 12
HERE = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
VIDEO = "segment --checkpoint small.pt --video clip.mp4 --mask first.png --out out"
FRAMES = "segment --checkpoint small.pt --frames v --mask first.png --out out"


@pytest.fixture
def world(tmp_path, monkeypatch, small_checkpoint):
    """clip.mp4 and the same frames in v/, first.png, small.pt."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.pt").write_bytes(small_checkpoint.read_bytes())
    encode(tmp_path / "clip.mp4", scenes(COUNT))
    (tmp_path / "v").mkdir()
    for t, frame in enumerate(scenes(COUNT)):
        Image.fromarray(frame).save(tmp_path / f"v/{t:05d}.png")
    write_mask(tmp_path / "first.png", scene(0)[1])
    return tmp_path


def small_model():
    torch.manual_seed(0)
    return build("base", ModelConfig((16, 32), ((6,), (8,)), 5, (6, 4), batch_norm=True, video_state_channels=3))


@pytest.fixture(scope="module")
def small_checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("small") / "small.pt"
    write_checkpoint(path, small_model(), {"train_config": asdict(TrainConfig())})
    return path


def hashes(root):
    return {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(root.rglob("*")) if p.is_file()}


def ran(words, capsys):
    """Run a command: (exit code, stdout, stderr)."""
    code = main(shlex.split(words))
    out, err = capsys.readouterr()
    return code, out, err


def names_in(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


BESIDE = ["contact_sheet.jpg", "first_mask.jpg", "made_by_vos.json", "overlay.mp4"]


def test_a_video_file_becomes_masks_an_overlay_and_a_sheet(world, capsys):
    before = hashes(world)
    code, out, err = ran(VIDEO, capsys)
    assert code == 0 and err == "" and "first mask: 1 object: id 1, 5.9 %" in out and "12 masks" in out
    assert names_in(world / "out") == sorted([*BESIDE, *(f"masks/{t:05d}.png" for t in range(COUNT))])
    assert (read_mask(world / "out/masks/00000.png") == scene(0)[1]).all()
    assert len(list(read_video(world / "out/overlay.mp4"))) == COUNT
    assert video_info(world / "out/overlay.mp4").seconds == pytest.approx(COUNT / 25, abs=0.01)
    with Image.open(world / "out/contact_sheet.jpg") as sheet:
        assert sheet.width <= 1600
    with Image.open(world / "out/first_mask.jpg") as picture:
        assert picture.size == SIZE[::-1] and np.array(picture)[35, 20, 1] < 40  # painted dark red
    assert {path: text for path, text in hashes(world).items() if "out" not in path.parts} == before


@pytest.mark.parametrize(
    ("words", "count", "size"),
    [
        ("--every 3", 4, SIZE),
        ("--start 0.2", 7, SIZE),
        ("--start 0.08 --end 0.2 --every 2", 2, SIZE),
        ("--size 48", COUNT, (48, 80)),
    ],
)
def test_a_part_of_a_video(world, capsys, words, count, size):
    assert ran(f"{VIDEO} {words}", capsys)[0] == 0
    masks = sorted((world / "out/masks").iterdir())
    assert len(masks) == count and all(read_mask(path).shape == size for path in masks)


@pytest.mark.parametrize(
    ("ground", "files"), [("transparent", COUNT), ("white", 1), ("black", 1), ("green", 1), ("#0080ff", 1)]
)
def test_cut_outs(world, capsys, ground, files):
    assert ran(f"{VIDEO} --cutout '{ground}'", capsys)[0] == 0
    names = [name for name in names_in(world / "out") if "cutout" in name]
    assert len(names) == files
    if ground == "transparent":
        alpha = np.array(Image.open(world / "out" / names[0]))[..., 3]
        assert (alpha == 255 * scene(0)[1]).all()
    else:
        frame = next(read_video(world / "out/cutout.mp4"))
        color = {"white": (255, 255, 255), "black": (0, 0, 0), "green": (0, 255, 0)}.get(ground, (0, 128, 255))
        assert np.abs(frame[80, 80].astype(int) - color).max() < 8
        assert np.abs(frame[35, 20].astype(int) - (230, 40, 40)).max() < 12


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("--box 8,20,30,30", scene(0)[1]),
        ("--polygon 8,20 37,20 37,49 8,49", scene(0)[1]),
        ("--polygon '8,20 37,20 37,49 8,49'", scene(0)[1]),
        ("--box 0,0,160,96 --box 8,20,30,30", scene(0)[1] + 1),
        ("--box 0,0,1,1", np.pad([[1]], ((0, 95), (0, 159)))),
    ],
)
@pytest.mark.parametrize("command", [VIDEO, FRAMES])
def test_a_first_mask_from_the_command_line(world, capsys, command, words, wanted):
    assert ran(command.replace("--mask first.png", words), capsys)[0] == 0
    assert (read_mask(world / "out" / ("masks" if "clip" in command else "") / "00000.png") == wanted).all()


def test_a_turned_video_wants_the_mask_as_it_is_shown(world, capsys):
    encode(world / "clip.mp4", scenes(3), turn=(90,))
    code, _, err = ran(VIDEO, capsys)
    assert code == 2 and "first.png: is 96x160, the video as it is shown is 160x96" in err
    write_mask(world / "first.png", np.rot90(scene(0)[1]))
    assert ran(VIDEO, capsys)[0] == 0 and read_mask(world / "out/masks/00002.png").shape == (160, 96)


def test_times_of_a_variable_frame_rate_are_kept(world, capsys):
    times = [0, 33, 67, 400, 433, 1000]
    encode(world / "clip.mp4", scenes(6), times=times)
    assert ran(VIDEO, capsys)[0] == 0
    found = [round(1000 * second) for second, _ in timed_frames(world / "out/overlay.mp4")]
    assert found == pytest.approx(times, abs=1)


def links_into_output(world):
    """v/ holds links to what an earlier run wrote."""
    (world / "v").rename(world / "out")
    (world / "out/made_by_vos.json").write_text('{"made by": "segment"}')
    (world / "v").mkdir()
    for t in range(COUNT):
        (world / f"v/{t}.png").symlink_to(world / f"out/{t:05d}.png")


REFUSED = [
    # what, how the world is changed, command, what the one line says
    ("frames for the output (16)", None, FRAMES.replace("out out", "out v"), "v: is v, which is read"),
    ("the output holds the video", None, VIDEO.replace("out out", "out ."), ".: holds clip.mp4, which is read"),
    ("the output holds the mask", lambda w: (w / "o").mkdir() or (w / "first.png").rename(w / "o/first.png"),
     VIDEO.replace("first.png", "o/first.png").replace("out out", "out o"), "o: holds o/first.png, which is read"),
    ("the output by another name", lambda w: (w / "link").symlink_to("v"), FRAMES.replace("out out", "out link"),
     "link: is v, which is read"),
    ("frames that are links into the output", links_into_output, FRAMES, "out: holds v/0.png"),
    ("a folder of the user's", lambda w: (w / "out").mkdir() or (w / "out/notes.txt").write_text("mine"), VIDEO,
     "out: holds notes.txt, which may be yours"),
    ("masks painted by hand", lambda w: (w / "out").mkdir() or write_mask(w / "out/00003.png", scene(3)[1]), FRAMES,
     "out: holds 00003.png"),
    ("a folder of another command", lambda w: (w / "out").mkdir() or (w / "out/made_by_vos.json").write_text(
        '{"made by": "train"}'), VIDEO, "out: was made by `python -m vos train`"),
    ("a file for --frames (45)", lambda w: (w / "x.mp4").write_bytes(bytes(500)),
     FRAMES.replace("--frames v", "--frames x.mp4"), "x.mp4: is a file; give --video"),
    ("the video for --frames", None, FRAMES.replace("--frames v", "--frames clip.mp4"), "clip.mp4: is a file"),
    ("one frame for --frames", None, FRAMES.replace("--frames v", "--frames v/00000.png"), "00000.png: is a file"),
    ("a folder for --video", None, VIDEO.replace("clip.mp4", "v"), "v: is a folder; give --frames"),
    ("no such video", None, VIDEO.replace("clip", "clap"), "clap.mp4: no such file"),
    ("a video of zeros", lambda w: (w / "clip.mp4").write_bytes(bytes(500)), VIDEO, "clip.mp4: cannot be read"),
    ("a mask of half the size", lambda w: write_mask(w / "first.png", scene(0)[1][::2, ::2]), VIDEO,
     "first.png: is 48x80, the video as it is shown is 96x160 (height x width); it has the same proportions"),
    ("a mask of another size", lambda w: write_mask(w / "first.png", scene(0)[1][:50]), VIDEO, "first.png: is 50x160"),
    ("an empty mask", lambda w: write_mask(w / "first.png", 0 * scene(0)[1]), VIDEO, "first.png: holds no object"),
    ("a mask and a box", None, f"{VIDEO} --box 1,1,5,5", "--mask: "),
    ("no mask", None, VIDEO.replace("--mask first.png", ""), "--mask: "),
    ("a box not in the frame", None, VIDEO.replace("--mask first.png", "--box 150,20,30,30"), "does not lie in"),
    ("a box of words", None, VIDEO.replace("--mask first.png", "--box a,b,c,d"), "--box: 'a,b,c,d' must be 4 numbers"),
    ("a box of three", None, VIDEO.replace("--mask first.png", "--box 1,2,3"), "--box: '1,2,3' must be 4 numbers"),
    ("a flat box", None, VIDEO.replace("--mask first.png", "--box 1,2,0,3"), "--box: '1,2,0,3' is 0 wide"),
    ("a line", None, VIDEO.replace("--mask first.png", "--polygon 1,1 5,5"), "has 2 corners"),
    ("NaN", None, VIDEO.replace("--mask first.png", "--polygon 1,1 5,nan 7,7"), "must be 2 numbers"),
    ("a box under a box", None, VIDEO.replace("--mask first.png", "--box 9,9,5,5 --box 5,5,20,20"), "hidden wholly"),
    ("an end before the start", None, f"{VIDEO} --start 2 --end 1", "--end: is 1"),
    ("a start after the end of it", None, f"{VIDEO} --start 100", "clip.mp4: has no frame from second 100"),
    ("every 0", None, f"{VIDEO} --every 0", "--every: is 0"),
    ("every, of frames", None, f"{FRAMES} --every 2", "--every: is for --video"),
    ("no color", None, f"{VIDEO} --cutout plaid", "--cutout: 'plaid' is no ground"),
    ("no checkpoint", None, VIDEO.replace("small.pt", "no.pt"), "no.pt: no such checkpoint"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "make", "words", "said"), REFUSED, ids=[row[0] for row in REFUSED])
def test_refused_before_any_work_and_nothing_is_changed(world, capsys, what, make, words, said):
    if make:
        make(world)
    before, folders = hashes(world), {p for p in world.rglob("*") if p.is_dir()}
    code, _, err = ran(words, capsys)
    assert code == 2 and err.count("\n") == 1 and said in err, err
    assert hashes(world) == before and {p for p in world.rglob("*") if p.is_dir()} == folders


def test_a_second_run_replaces_the_first_and_nothing_else(world, capsys):
    assert ran(f"{VIDEO} --cutout transparent", capsys)[0] == 0
    (world / "out/mine.txt").write_text("mine")
    (world / "out/masks/mine.png").write_bytes((world / "first.png").read_bytes())
    code, _, err = ran(f"{VIDEO} --every 2", capsys)
    assert code == 2 and "out/masks/mine.png: is not of an earlier run" in err
    (world / "out/masks/mine.png").unlink()
    assert ran(f"{VIDEO} --every 2", capsys)[0] == 0
    wanted = [*BESIDE, "mine.txt", *(f"masks/{t:05d}.png" for t in range(COUNT // 2))]
    assert names_in(world / "out") == sorted(wanted) and not (world / "out/cutout").exists()
    assert (world / "out/mine.txt").read_text() == "mine"


def test_a_mark_that_leads_elsewhere_removes_nothing(world, capsys):
    assert ran(VIDEO, capsys)[0] == 0
    mark = world / "out/made_by_vos.json"
    mark.write_text(mark.read_text().replace('"files": [', '"files": ["../first.png", "../v/00000.png",'))
    before = {p: h for p, h in hashes(world).items() if "out" not in p.parts}
    assert ran(VIDEO, capsys)[0] == 0
    assert {p: h for p, h in hashes(world).items() if "out" not in p.parts} == before


@pytest.mark.parametrize("name", ["v/first.png", "v/00000_mask.png", "v/a.png", "v/zzz.png"])
def test_the_mask_among_the_frames_is_no_frame(world, capsys, name):
    """14."""
    (world / "first.png").rename(world / name)
    assert ran(FRAMES.replace("first.png", name), capsys)[0] == 0
    masks = sorted(p.name for p in (world / "out").glob("*.png"))
    assert masks == [f"{t:05d}.png" for t in range(COUNT)]
    assert (read_mask(world / "out/00000.png") == scene(0)[1]).all()


@pytest.mark.parametrize(("name", "said"), [("00003", True), ("3", True), ("00000", False), ("first", False)])
def test_a_mask_named_as_another_frame_is_said(world, capsys, name, said):
    """40."""
    (world / "first.png").rename(world / f"{name}.png")
    code, out, _ = ran(FRAMES.replace("first.png", f"{name}.png"), capsys)
    assert code == 0 and ("has the name of frame 00003" in out) == said


def test_strays_are_named(world, capsys):
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(world / "v/cover.jpg")
    code, out, _ = ran(FRAMES, capsys)
    assert code == 0 and "cover.jpg" in out and len(list((world / "out").glob("*.png"))) == COUNT


def test_frames_with_transparent_palettes_are_quiet(world, capfd):
    """49."""
    for path in (world / "v").iterdir():
        frame = Image.open(path).convert("RGB").quantize(64)
        frame.save(path, transparency=bytes([255] * 40 + [10] * 24))
    assert main(shlex.split(FRAMES)) == 0 and capfd.readouterr().err == ""


def test_frames_give_an_animation_and_an_overlay(world, capsys):
    assert ran(FRAMES, capsys)[0] == 0
    assert names_in(world / "out") == sorted([*BESIDE, "overlay.gif", *(f"{t:05d}.png" for t in range(COUNT))])
    with Image.open(world / "out/overlay.gif") as animation:
        assert animation.n_frames == COUNT


def test_a_damaged_video_is_segmented_as_far_as_it_goes_and_said(world, capsys):
    encode(world / "long.mkv", scenes(100))
    data = (world / "long.mkv").read_bytes()
    (world / "long.mkv").write_bytes(data[: len(data) // 2])
    code, _, err = ran(VIDEO.replace("clip.mp4", "long.mkv"), capsys)
    assert code == 0 and err.count("\n") == 1 and "long.mkv: is damaged or cut off" in err
    assert 10 < len(list((world / "out/masks").iterdir())) < 99


def test_how_long_it_takes_is_said_before_the_work(world, capsys):
    encode(world / "clip.mp4", scenes(40))
    _, out, _ = ran(VIDEO, capsys)
    assert "40 frames of 96x160 at " in out.splitlines()[1] and "frames a second: about" in out.splitlines()[1]


@pytest.mark.slow
@pytest.mark.parametrize("command", [VIDEO, FRAMES])
def test_ctrl_c_keeps_what_is_done(world, command):
    encode(world / "clip.mp4", scenes(3000))
    for t in range(COUNT, 1500):
        (world / f"v/{t:05d}.png").symlink_to(world / "v/00011.png")
    running = subprocess.Popen(
        [sys.executable, "-m", "vos", *shlex.split(command)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=HERE,
    )  # fmt: skip
    masks = "masks/" if command is VIDEO else ""
    while not list((world / "out").glob(f".*/{masks}00030.png")) and running.poll() is None:
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130 and "frames are done, and whole in out" in err and "Traceback" not in err
    done = len(list((world / "out" / masks).glob("0*.png")))
    assert 30 <= done < 1500 and f"stopped; {done} of" in err
    assert len(list(read_video(world / "out/overlay.mp4"))) == done
    assert not list((world / "out").glob(".*"))
    for path in (world / "out" / masks).glob("0*.png"):
        read_mask(path)


def test_another_error_leaves_nothing(world, capsys, monkeypatch):
    from vos.video.results import Results

    add = Results.add

    def full(self, name, *rest):
        if name == "00005":
            raise OSError(28, "No space left on device")
        add(self, name, *rest)

    monkeypatch.setattr(Results, "add", full)
    before = hashes(world)
    code, _, err = ran(VIDEO, capsys)
    assert code == 2 and "No space left" in err and hashes(world) == before and not (world / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize("command", [VIDEO, FRAMES])
def test_memory_does_not_grow_with_the_video(world, command):
    """The peak of a process; 120 frames more, if it kept them, were 88 MB more."""
    frames, peaks = [np.kron(f, np.ones((4, 4, 1), np.uint8)) for f in scenes(20)], []
    write_mask(world / "first.png", np.kron(scene(0)[1], np.ones((4, 4), np.uint8)))
    for t, frame in enumerate(frames):
        Image.fromarray(frame).save(world / f"{t}.png", compress_level=1)
    for count in (50, 170):
        if command is VIDEO:
            encode(world / "clip.mp4", (frames[t % 20] for t in range(count)))
        else:
            for t in range(count):
                (world / f"v/{t:05d}.png").unlink(missing_ok=True)
                (world / f"v/{t:05d}.png").symlink_to(world / f"{t % 20}.png")
        script = (
            "import pathlib, shlex; from vos.cli import main; "
            f"assert main(shlex.split({command.replace('out out', f'out out{count}')!r})) == 0; "
            "lines = pathlib.Path('/proc/self/status').read_text().splitlines(); "
            "print(next(line.split()[1] for line in lines if line.startswith('VmHWM')))"
        )
        done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, env=HERE)
        peaks.append(int(done.stdout.split()[-1]))
    assert peaks[1] < 1.05 * peaks[0], peaks
    assert all(path.stat().st_size < 10e6 for path in world.glob("out*/overlay.gif"))


def test_without_a_checkpoint_the_shipped_one_is_taken(world, capsys, monkeypatch):
    monkeypatch.setattr("vos.cli.segment.SHIPPED", world / "small.pt")
    assert ran(VIDEO.replace("--out out", "--out named"), capsys)[0] == 0
    code, _, err = ran(VIDEO.replace("--checkpoint small.pt ", ""), capsys)
    assert code == 0, err
    assert (world / "out/masks/00007.png").read_bytes() == (world / "named/masks/00007.png").read_bytes()


@pytest.mark.parametrize("command", [VIDEO, FRAMES])
def test_it_learns_the_object_first_and_says_how_long_that_takes(world, capsys, command):
    code, out, err = ran(f"{command} --online-steps 3", capsys)
    assert code == 0, err
    assert "learning from the first mask, 3 steps: about " in out
    assert len([name for name in names_in(world / "out") if name.endswith(".png") and "cutout" not in name]) == COUNT
    code, _, err = ran(f"{command} --online-steps -1", capsys)
    assert code == 2 and "--online-steps" in err


def test_the_mirror_image_is_looked_at_where_it_is_asked_for(world, capsys, monkeypatch):
    """The shipped model does without; a small one has it in any case."""
    asked = []
    seen = "vos.inference.segment"
    monkeypatch.setattr(seen, lambda model, video, config: asked.append(config) or iter([scene(0)[1]] * COUNT))
    lite = ModelConfig((32, 48), (), 5, (6, 4), batch_norm=False, patch=2, backbone="efficientnet-lite0")
    write_checkpoint(world / "lite.pt", build("base", lite), {"train_config": asdict(TrainConfig())})
    for words in (
        FRAMES,
        f"{FRAMES} --mirror",
        FRAMES.replace("small", "lite"),
        FRAMES.replace("small", "lite") + " --mirror",
    ):
        assert ran(words, capsys)[0] == 0
    assert [config.mirror for config in asked] == [True, True, False, True]
