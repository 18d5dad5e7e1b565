"""The repository that the tests stand in, and a report that is made in it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def tracked_state() -> str:
    """What git thinks of the tracked files; "" outside a checkout."""
    git = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True)
    return git.stdout


def run_report(out: Path, *words: str) -> str:
    """Make a small report; returns what it prints. Nothing that git tracks may change by it."""
    before = tracked_state()
    command = [sys.executable, "-m", "vos", "report", "--out", str(out), *words]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"VOS_FAST": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert tracked_state() == before  # nothing tracked is written
    return done.stdout
