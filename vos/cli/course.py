"""`python -m vos course`: for whoever gives the course, a copy to hand out, and marks for what comes back."""

import argparse
import sys
from pathlib import Path

from vos.files import names_in_words
from vos.files.atomic import written_whole
from vos.files.outputs import check_output_file

WARNING = (
    "Marking runs the students' code, with all the rights of your account: it can read, change and send your files. "
    "Do it only with code you would run yourself, or in a container or an account that holds nothing else. The "
    "limits guard against accidents, not against malice, and a student who wants to can forge the marks of a copy."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m vos course`, which has two actions."""
    actions = parser.add_subparsers(required=True, metavar="COMMAND", dest="action")

    def action(name: str, text: str, epilog: str | None = None) -> argparse.ArgumentParser:
        return actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", epilog=epilog)

    add = action("student-copy", "write the notebooks without outputs and answers, to hand out").add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="folder to make")
    add("--with-answers", action="store_true", help="keep the answers; hints are kept in any case")

    grade_parser = action("grade", "run the exercises of students' copies against their checks", WARNING)
    grade_parser.set_defaults(bounds={"minutes": (0.001, 1440)})
    add = grade_parser.add_argument
    add("folder", type=Path, metavar="DIR", help="holds STUDENT/*.ipynb, STUDENT/notebooks/*.ipynb or STUDENT.ipynb")
    add("--out", type=Path, default=Path("marks.csv"), metavar="FILE.csv", help="a row for each student "
        "(default: %(default)s)")  # fmt: skip
    add(
        "--minutes",
        type=float,
        default=1.0,
        metavar="M",
        help="the most an exercise may take (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> None:
    """Do what was asked for."""
    {"student-copy": copy, "grade": grade}[args.action](args)


def copy(args: argparse.Namespace) -> None:
    """Write the notebooks to hand out."""
    from vos.course.student_copy import write_student_copy

    count = write_student_copy(args.out, args.with_answers)
    print(f"{args.out}: {count} notebooks without outputs{'' if args.with_answers else ' and answers'}, and a README")


def grade(args: argparse.Namespace) -> None:
    """Mark the copies, and print the points of each."""
    from vos.course.grading import find_copies, is_marks, mark_copies, write_marks

    check_output_file(args.out, is_marks)
    copies, ignored = find_copies(args.folder)
    ignored = [name for name in ignored if (args.folder / name).resolve() != args.out.resolve()]
    if ignored:
        print(f"vos: {args.folder}: ignored {names_in_words(ignored)}", file=sys.stderr)
    with written_whole(args.out) as part:
        part.touch()  # where nothing can be written, that is told before the work
        rows = mark_copies(copies, args.minutes)
        write_marks(part, rows)
    width = max(len(row.student) for row in rows)
    for row in rows:
        print(f"{row.student:<{width}}  {row.points} passed{'  ' * bool(row.problems)}{'; '.join(row.problems)}")
    print(f"wrote {args.out}")
