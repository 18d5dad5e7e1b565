"""How scoring runs: on all cores, with little memory, the same numbers each time; and what the command writes."""

import argparse
import csv
import io
import json
import signal
import sys
import threading
import time
import tracemalloc

import numpy as np
import pytest
from helpers.scored_folders import square, write_two_videos, write_video, write_youtube_vos

from vos.cli.evaluate import add_arguments, run
from vos.files import VosError
from vos.files.progress import tqdm
from vos.masks import read_mask, write_mask
from vos.scoring.evaluate import evaluate, usable_cores
from vos.scoring.tables import COLUMNS, table_text

pytestmark = pytest.mark.slow  # all of it is for the whole suite


@pytest.fixture
def two_videos(tmp_path):
    return write_two_videos(tmp_path)


@pytest.fixture
def long_video(tmp_path):
    """(truth, prediction) of one video of 100 frames, whose prediction drifts away."""
    write_video(tmp_path / "truth", [square()] * 100)
    write_video(tmp_path / "prediction", [square(shift=t // 5) for t in range(100)])
    return tmp_path / "truth", tmp_path / "prediction"


def slow_down(monkeypatch, seconds):
    """Let every mask take this long to read; returns the list of (path, thread) that have been read."""
    read = []

    def slowly(path):
        read.append((path, threading.get_ident()))
        time.sleep(seconds)
        return read_mask(path)

    monkeypatch.setattr("vos.scoring.evaluate.read_mask", slowly)
    return read


def command(*words):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    run(parser.parse_args([str(word) for word in words]))


def test_the_number_of_workers_changes_no_bit(long_video, tmp_path, monkeypatch):
    truth = tmp_path / "many"
    for video in range(5):
        write_video(truth / str(video), [square(1, t % 3) + square(2, 15 + video) for t in range(11)])
        write_video(tmp_path / "found" / str(video), [square(1) + square(2, 15 + t % 4) for t in range(11)])
    for folders in (long_video, (truth, tmp_path / "found")):
        alone = evaluate(*folders, workers=1)
        assert alone == evaluate(*folders) == evaluate(*folders, workers=7)
        slow_down(monkeypatch, 0.001)  # so that chunks end out of order
        assert alone == evaluate(*folders, workers=7)
    assert [e["video"] for e in alone["objects"]] == [str(v) for v in range(5) for _ in range(2)]
    values = evaluate(*long_video)["objects"][0]["J"]
    assert values == sorted(values, reverse=True) and len(values) == 98


def test_one_video_is_shared_by_all_workers(long_video, monkeypatch):
    read = slow_down(monkeypatch, 0.001)
    evaluate(*long_video, workers=3)
    assert len({thread for _, thread in read}) == 3
    read.clear()
    evaluate(*long_video)
    assert len({thread for _, thread in read}) == usable_cores()


def test_memory_does_not_grow_with_the_length(tmp_path):
    """100 frames of 400x600 are 48 MB, and stay far below that."""
    write_video(tmp_path / "truth", [square(shape=(400, 600), size=200)] * 100)
    write_video(tmp_path / "prediction", [square(shape=(400, 600), size=210)] * 100)
    tracemalloc.start()
    evaluate(tmp_path / "truth", tmp_path / "prediction", workers=2)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8e6


def test_of_many_broken_masks_the_first_is_named(long_video, monkeypatch):
    truth, prediction = long_video
    for t in (30, 60, 90):
        path = prediction / f"{t:05}.png"
        path.write_bytes(path.read_bytes()[:-30])  # the header is whole
    for workers in (1, 7):
        with pytest.raises(VosError, match=r"00030\.png: cannot be read"):
            evaluate(truth, prediction, workers=workers)
    write_mask(prediction / "00025.png", square(2))
    with pytest.raises(VosError, match=r"00025\.png: holds object id 2.*1 to 1"):
        evaluate(truth, prediction)


def test_an_error_or_ctrl_c_stops_at_once(long_video, monkeypatch):
    read = slow_down(monkeypatch, 0.02)  # 2 s for all of them

    def interrupt():
        while len(read) < 10:  # by then all is under way, however busy the machine is
            time.sleep(0.002)
        signal.raise_signal(signal.SIGINT)

    timer = threading.Thread(target=interrupt)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        evaluate(*long_video, workers=2)
    timer.join()
    signal.signal(signal.SIGINT, before)
    assert len(read) < 120
    count = len(read)
    time.sleep(0.1)
    assert len(read) == count  # nobody works on
    read.clear()
    (long_video[1] / "00001.png").write_bytes((long_video[1] / "00001.png").read_bytes()[:-30])
    with pytest.raises(VosError, match=r"00001\.png"):
        evaluate(*long_video, workers=2)
    assert len(read) < 60


def test_a_bar_counts_frames_on_a_terminal_only(two_videos, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    class Bar(tqdm):
        def close(self):
            ended.append((self.n, self.total))
            super().close()

    ended = []
    monkeypatch.setattr("vos.files.progress.tqdm", Bar)
    for stderr, progress, shown in ((Terminal(), True, True), (Terminal(), False, False), (io.StringIO(), True, False)):
        monkeypatch.setattr(sys, "stderr", stderr)
        evaluate(*two_videos, progress=progress)
        assert bool(stderr.getvalue()) is shown
        if shown:
            assert ended[0] == (6, 6) and "frame" in stderr.getvalue()


def test_without_a_terminal_a_line_comes_once_in_a_while(two_videos, monkeypatch, capsys):
    monkeypatch.setattr("vos.files.progress.EVERY", 0.0)
    evaluate(*two_videos)
    assert capsys.readouterr().err.splitlines() == [f"scoring: {share}% done, 0 min left" for share in (50, 100)]
    evaluate(*two_videos, progress=False)
    assert capsys.readouterr().err == ""


def test_command_prints_a_table_and_writes_json(two_videos, tmp_path, capsys):
    truth, prediction = two_videos
    file = tmp_path / "out" / "scores.json"
    command("--truth", truth, "--prediction", prediction, "--json", file, "--strict")
    result = evaluate(truth, prediction)
    assert json.loads(file.read_text()) == result
    assert list(result["global"]) == ["J&F", *COLUMNS]
    assert list(result)[:1] + list(result)[2:4] == ["protocol", "global", "objects"]
    printed = capsys.readouterr()
    assert table_text(result) in printed.out
    assert printed.err == ""


def test_command_says_what_was_missing(two_videos, tmp_path, capsys):
    truth, prediction = two_videos
    (prediction / "a" / "00002.png").unlink()
    command("--truth", truth, "--prediction", prediction, "--lenient", "--json", tmp_path / "s.json")
    assert capsys.readouterr().err == f"vos: {prediction}: 1 mask missing and counted as empty: a (00002.png)\n"
    written = json.loads((tmp_path / "s.json").read_text())
    assert written["missing"] == ["a/00002.png"] and written["rules"]["lenient"] is True
    with pytest.raises(VosError, match="1 mask missing"):
        command("--truth", truth, "--prediction", prediction)


def test_every_switch_reaches_the_rules(tmp_path):
    truth, maps = write_youtube_vos(tmp_path)
    write_video(tmp_path / "prediction" / "v", maps)
    words = ["--truth", truth, "--prediction", tmp_path / "prediction", "--protocol", "youtube-vos"]
    switches = ["--with-first", "--without-last", "--frames", "annotated", "--mean", "videos", "--void", "255"]
    for chosen in ([], [*switches, "--lenient"], ["--void", "none"]):
        command(*words, *chosen, "--json", tmp_path / "s.json")
        rules = json.loads((tmp_path / "s.json").read_text())["rules"]
        assert list(rules) == ["first", "last", "frames", "mean", "void", "lenient"]
        wanted = (
            [True, False, "annotated", "videos", 255, True]
            if len(chosen) > 2
            else [False, True, "listed", "objects", None, False]
        )
        assert list(rules.values()) == wanted


def test_csv_holds_every_number(tmp_path):
    truth, maps = write_youtube_vos(tmp_path, train_categories=("tiger",))
    write_video(tmp_path / "prediction" / "v", [np.roll(ids, 1, axis=1) for ids in maps])
    words = ["--truth", truth, "--prediction", tmp_path / "prediction"]
    command(*words, "--protocol", "youtube-vos", "--csv", tmp_path / "out" / "s.csv")
    result = evaluate(truth, tmp_path / "prediction", "youtube-vos")
    with (tmp_path / "out" / "s.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["video", "object", "category", "seen", "frame", "J", "F"]
    assert len(rows) == 5 + 3
    for entry in result["objects"]:
        mine = [row for row in rows if row["object"] == str(entry["object"])]
        assert [row["frame"] for row in mine] == entry["frames"]
        assert [float(row["J"]) for row in mine] == entry["J"] and [float(row["F"]) for row in mine] == entry["F"]
        assert {(row["video"], row["category"], row["seen"]) for row in mine} == {
            (entry["video"], entry["category"], str(entry["seen"]))
        }
    with (tmp_path / "out" / "s_objects.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["video", "object", "category", "seen", *COLUMNS]
    assert [[float(row[c]) for c in COLUMNS] for row in rows] == [[e[c] for c in COLUMNS] for e in result["objects"]]


def test_csv_of_davis_has_no_categories(two_videos, tmp_path):
    command("--truth", two_videos[0], "--prediction", two_videos[1], "--csv", tmp_path / "s.csv")
    assert (tmp_path / "s.csv").read_bytes().startswith(b"video,object,frame,J,F\na,1,00001,0.6666666666666666,0.5")
    assert (tmp_path / "s_objects.csv").read_text().startswith("video,object,J_mean,J_recall")


def test_files_that_cannot_be_written(two_videos, tmp_path, monkeypatch):
    words = ["--truth", two_videos[0], "--prediction", two_videos[1]]
    (tmp_path / "folder").mkdir()
    monkeypatch.setattr("vos.scoring.evaluate.check_files", lambda *_: pytest.fail("the work has started"))
    with pytest.raises(VosError, match="folder: is a folder"):
        command(*words, "--json", tmp_path / "folder")
    with pytest.raises(VosError, match=r"s_objects\.csv: would be written twice"):
        command(*words, "--json", tmp_path / "s_objects.csv", "--csv", tmp_path / "s.csv")
    monkeypatch.undo()
    (tmp_path / "file").write_text("")
    for flag in ("--json", "--csv"):
        with pytest.raises(VosError, match=r"scores: cannot be written"):
            command(*words, flag, tmp_path / "file" / "scores")


def test_table_of_many_objects_shows_the_worst(tmp_path):
    truth, maps = write_youtube_vos(tmp_path, train_categories=("tiger", "bird"))
    write_video(tmp_path / "prediction" / "v", [np.where(ids == 5, 0, ids).astype(np.uint8) for ids in maps])
    result = evaluate(truth, tmp_path / "prediction", "youtube-vos")
    text = table_text(result, rows=1)
    lines = text.splitlines()
    assert lines[1].split()[:3] == ["v", "5", "0.000"]
    assert "1 objects with the lowest J of 2" in lines[2]
    assert "J_seen 0.5000, J_unseen -" in text and "mean over objects" in text
