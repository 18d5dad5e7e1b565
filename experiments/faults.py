"""The fault laboratory's table: the scores that every fault leaves behind, planted in good and in weak predictions.

    python experiments/faults.py [--data path/to/DAVIS]

On the synthetic validation videos with the committed base model and with copy-first, a weak method; with --data, faults
of writing also on the sequences that experiments/real.py holds out, with the committed model for real video.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from real import davis_split

from vos.course.faults import RUNS, WRITES, Maps, as_it_should_be, fingerprint, run
from vos.course.workspace import ROOT, provenance
from vos.data import Video, VOSDataset
from vos.engine.checkpoints import load_checkpoint
from vos.files import write_json
from vos.files.progress import tracked
from vos.inference import copy_first


def copied(video: Video, size: tuple[int, int]) -> Maps:
    """Copy-first as a model that is certain: probabilities 0 and 1 at `size`."""
    ids: list[int] = []
    for index, found in enumerate(copy_first(video)):
        small = torch.from_numpy(np.stack([found == number for number in ids])).float() if ids else torch.zeros(0, 1, 1)
        yield list(ids), torch.nn.functional.interpolate(small[None], size, mode="area")[0] if ids else small
        given = video.given(index)
        ids += [] if given is None else [item.id for item in video.objects if item.first == index]


def rows_of(name: str, videos: list[Video], model: torch.nn.Module, categories: set[str] | None) -> Iterator[dict]:
    """A row for each fault of writing, in the predictions of model and copy-first; then of each of running."""
    seen = (lambda category: category in categories) if categories is not None else (lambda category: True)
    sources = {"model": lambda v: run(model, v), "copy-first": lambda v: copied(v, model.config.size)}
    for source, maps in sources.items():
        kept = {v.name: [(list(ids), p.clone()) for ids, p in maps(v)] for v in tracked(videos, source, len(videos))}
        for fault in WRITES:
            yield {"set": name, "predictions": source, "fault": fault.name} | fingerprint(
                videos, lambda v, kept=kept: kept[v.name], fault.plant, seen
            )
    for fault in RUNS if categories is not None else ():
        found = fingerprint(videos, lambda v, plant=fault.plant: plant(model, v), as_it_should_be, seen)
        yield {"set": name, "predictions": "model", "fault": fault.name} | found


def main() -> None:
    """Plant, score, print and write data/results/faults.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder that holds DAVIS/")
    args = parser.parse_args()
    drawn = VOSDataset(ROOT / "data/synthetic")
    sets = [("synthetic", list(drawn.valid_truth), "base", set(drawn.categories or ()))]
    if args.data:
        sets.append(("DAVIS-2016", list(davis_split(args.data)[1]), "real", None))
    rows = []
    for name, videos, checkpoint, categories in sets:
        model = load_checkpoint(ROOT / f"data/checkpoints/{checkpoint}.pt")[0].eval()
        for row in rows_of(name, videos, model, categories):
            rows.append({key: None if value != value else value for key, value in row.items()})
            print(f"{name:<11}{row['predictions']:<11}{row['fault']:<32}J {row['J']:.4f}  F {row['F']:.4f}", flush=True)
    write_json(ROOT / "data/results/faults.json", {"rows": rows, "provenance": provenance()})


if __name__ == "__main__":
    sys.exit(main())
