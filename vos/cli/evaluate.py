"""`python -m vos evaluate`: score a folder of predicted masks."""

import argparse
import sys
from pathlib import Path

from vos.files import VosError, write_json
from vos.files.outputs import check_output_file
from vos.scoring.protocols import DEFAULTS, FRAMES, MEANS, PROTOCOLS, Rules

DAVIS_TOOLKIT = (
    "The DAVIS-2017 toolkit is strict: it stops at the first predicted mask that is missing, unreadable or of another "
    "size, and at an id above the highest of the truth's first frame. An object that is never predicted counts as "
    "empty. All of this is so here, but every missing mask is named at once, and --lenient counts them as empty."
)
BOUNDS = {"workers": (1, 10**6), "void": (1, 255)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m vos evaluate`."""
    parser.epilog = DAVIS_TOOLKIT
    add = parser.add_argument
    add("--truth", type=Path, required=True, metavar="DIR", help="one video's PNGs, or a folder of them for each "
        "video, or (youtube-vos) the folder with Annotations/ and meta.json")  # fmt: skip
    add("--prediction", type=Path, required=True, metavar="DIR", help="predicted PNGs, laid out as the true ones")
    add("--protocol", choices=PROTOCOLS, default="davis", help="which objects and frames count (%(default)s)")
    add("--train-meta", type=Path, metavar="FILE", help="youtube-vos: meta.json of the training set, whose "
        "categories are the seen ones (default: ../train/meta.json of the truth, if it is there)")  # fmt: skip
    add("--videos", nargs="+", metavar="NAME", help="score only these videos")
    add("--workers", type=int, metavar="N", help="threads (default: one for each core); the scores stay the same")
    add("--json", type=Path, metavar="FILE", help="write all scores, frame by frame, to this file")
    add("--csv", type=Path, metavar="FILE.csv", help="write a row for each object in each frame to this file, and one "
        "for each object to FILE_objects.csv")  # fmt: skip

    text = "The scorer of YouTube-VOS is not public, so what is unknown of it is a switch."
    group = parser.add_argument_group("what counts", text)
    parser.set_defaults(lenient=DEFAULTS.lenient)
    strictness = group.add_mutually_exclusive_group()
    strictness.add_argument("--strict", dest="lenient", action="store_false", help="a missing mask is an error "
        "(default, as in DAVIS's toolkit)")  # fmt: skip
    strictness.add_argument("--lenient", action="store_true", help="a missing mask, or a whole missing video, counts "
        "as empty; one that is unreadable or of another size stays an error")  # fmt: skip
    add = group.add_argument
    add("--with-first", action="store_true", help="youtube-vos: count the frame where an object is given, too "
        "(default: no, as there is nothing to predict)")  # fmt: skip
    add("--without-last", action="store_true", help="youtube-vos: leave out the last annotated frame of each video "
        "(default: it counts, as only DAVIS is known to leave it out)")  # fmt: skip
    add("--frames", choices=FRAMES, default=DEFAULTS.frames, help="youtube-vos: score an object on the frames that "
        "meta.json lists for it, or on all with a true mask after its first (default: %(default)s, as the list is "
        "there for this)")  # fmt: skip
    add("--mean", choices=MEANS, default=DEFAULTS.mean, help="means over objects, or over videos of the mean of each "
        "(default: %(default)s, as in DAVIS's toolkit)")  # fmt: skip
    add("--void", type=id_or_none, default=DEFAULTS.void, metavar="ID|none", help="leave the pixels out where the "
        "truth has this id (default: none; 255 is background, as in DAVIS's toolkit)")  # fmt: skip


def id_or_none(text: str) -> int | None:
    """What --void takes."""
    return None if text == "none" else int(text)


def is_result(path: Path) -> bool:
    """Is this file one that --json or --csv wrote?"""
    begin = path.read_bytes()[:14]
    return begin.startswith(b"video,object,") or begin == b'{\n "protocol":'


def run(args: argparse.Namespace) -> None:
    """Print the table, and write the files that are named."""
    from vos.scoring.evaluate import evaluate
    from vos.scoring.file_check import notices
    from vos.scoring.tables import objects_file, table_text, write_csv

    files = [path for path in (args.json, args.csv, args.csv and objects_file(args.csv)) if path]
    for path in files:
        if files.count(path) > 1:
            raise VosError(f"{path}: would be written twice; name another file")
        check_output_file(path, is_result)
    rules = Rules(args.with_first, not args.without_last, args.frames, args.mean, args.void, args.lenient)
    result = evaluate(
        args.truth,
        args.prediction,
        args.protocol,
        rules,
        videos=args.videos,
        train_meta=args.train_meta,
        workers=args.workers,
    )
    for notice in notices(result["missing"], result["extra"], result["absent"]):
        print(f"vos: {args.prediction}: {notice}", file=sys.stderr)
    print(table_text(result))
    for path, write in ((args.json, write_json), (args.csv, write_csv)):
        if path:
            write(path, result)
    for path in files:
        print(f"wrote {path}")
