"""The whole chain on real video: a report on a few sequences of DAVIS, with all notebooks."""

import json
from pathlib import Path

import pytest
from helpers.checkout import run_report


@pytest.mark.slow
def test_the_same_notebooks_run_on_real_video(davis, tmp_path):
    printed = run_report(tmp_path / "DAVIS", "--data", str(davis_of_five(davis, tmp_path)))
    rows = {r["name"]: r for r in json.loads((tmp_path / "DAVIS/results/table1.json").read_text())["rows"]}
    assert rows["base"]["J_seen"] is None
    assert rows["base"]["overall"] == pytest.approx((rows["base"]["J"] + rows["base"]["F"]) / 2)
    assert rows["copy-first"]["overall"] > 0.1 and "Table 1" in printed
    assert "committed" not in printed  # that is of another set


def davis_of_five(davis: Path, folder: Path) -> Path:
    """Five sequences of six frames, linked: three to train on, two held out."""
    root = folder / "five"
    names = sorted(p.name for p in (davis / "JPEGImages/480p").iterdir())[:5]
    for kind in ("JPEGImages", "Annotations"):
        for name in names:
            target = root / kind / "480p" / name
            target.mkdir(parents=True)
            for path in sorted((davis / kind / "480p" / name).iterdir())[:6]:
                (target / path.name).symlink_to(path)
    lists = root / "ImageSets" / "480p"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("".join(f"/JPEGImages/480p/{n}/00000.jpg x\n" for n in names))
    return root
