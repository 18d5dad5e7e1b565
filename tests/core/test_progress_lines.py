"""What a person sees of long work: a bar on a terminal, a plain line a minute in a log file."""

import io

import pytest
from tqdm import tqdm

from vos.files import progress
from vos.files.progress import PlainProgress, progress_bar, tracked


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still unless a test moves it: `clock.seconds += 30`."""

    class Clock:
        seconds = 1000.0

        def monotonic(self):
            return self.seconds

    made = Clock()
    monkeypatch.setattr(progress, "time", made)
    return made


def test_without_a_terminal_there_is_a_line_a_minute(clock, capsys):
    """Ten minutes of work in twenty steps: a line after each whole minute, with what is done and what is left."""
    for _ in tracked(range(20), "scoring", 20, "video"):
        clock.seconds += 30
    out, said = capsys.readouterr()
    assert out == "" and "\r" not in said and "\x1b" not in said
    lines = said.splitlines()
    assert lines[0] == "scoring: 10% done, 9 min left" and lines[4] == "scoring: 50% done, 5 min left"
    assert lines[-1] == "scoring: 100% done, 0 min left" and len(lines) == 10


def test_short_work_says_nothing(clock, capsys):
    for _ in tracked(range(5), "scoring", 5):
        clock.seconds += 11
    assert capsys.readouterr() == ("", "")


def test_steps_longer_than_a_minute_have_a_line_each(clock, capsys):
    with progress_bar("downloading", 1000, "B") as bar:
        clock.seconds += 90
        bar.update(250)
        clock.seconds += 59
        bar.update(250)
        clock.seconds += 1
        bar.update(0)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["downloading: 25% done, 4 min left", "downloading: 50% done, 2 min left"]


def test_what_was_done_before_does_not_count_as_speed(clock, capsys):
    """A download that goes on at three quarters: a minute for a tenth of the whole leaves a minute and a half."""
    with progress_bar("downloading", 100, "B", initial=75) as bar:
        clock.seconds += 60
        bar.update(10)
    assert capsys.readouterr().err == "downloading: 85% done, 2 min left\n"


def test_the_share_may_be_another_than_the_count(clock, capsys):
    """A training with a limit in minutes is half done when half of its minutes are, and knows itself what is left."""
    done = 0.0
    with progress_bar("training base", 100_000, fraction=lambda: done) as bar:
        clock.seconds += 60
        done = 0.5
        bar.set_postfix({"loss": "0.1234", "J": "0.600", "left": "9.5 min"}, refresh=False)
        bar.update(7)
    assert capsys.readouterr().err == "training base: 50% done, 9.5 min left, loss 0.1234, J 0.600\n"


def test_nothing_is_shown_where_nothing_is_asked_for(clock, capsys, monkeypatch):
    for stream in (None, Terminal()):
        if stream:
            monkeypatch.setattr("sys.stderr", stream)
        for _ in tracked(range(3), "scoring", 3, shown=False):
            clock.seconds += 100
    assert stream.getvalue() == "" and capsys.readouterr() == ("", "")


def test_nothing_at_all_to_do(clock, capsys):
    assert list(tracked([], "scoring", 0)) == []
    with progress_bar("scoring", 0) as bar:
        clock.seconds += 60
        bar.update(0)
    assert capsys.readouterr().err == "scoring: 100% done, 0 min left\n"


def test_the_items_come_through_one_by_one(clock):
    seen = []
    for item in tracked(iter("abc"), "letters", 3):
        seen.append(item)
        if item == "b":
            break
    assert seen == ["a", "b"]


def test_on_a_terminal_it_is_tqdm(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with progress_bar("scoring", 4, "video", position=0) as bar:
        assert isinstance(bar, tqdm) and not isinstance(bar, PlainProgress)
        bar.update(3)
        bar.set_postfix({"loss": "0.1"})
    drawn = terminal.getvalue()
    assert "\r" in drawn and "scoring" in drawn and "3/4" in drawn and "video" in drawn and "loss=0.1" in drawn
    *_, cleared, last = drawn.split("\r")
    assert not cleared.strip() and last == ""  # nothing of it is left


def test_on_a_terminal_bytes_are_counted_in_large_units_and_go_on_where_they_were(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with progress_bar("downloading", 4_000_000, "B", initial=1_000_000) as bar:
        assert bar.n == 1_000_000
        bar.update(1_000_000)
        bar.refresh()
    assert "2.00M/4.00M" in terminal.getvalue()
