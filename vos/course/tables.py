"""Tables as text, for the terminal or in Markdown: one way for the report, README, docs and notebooks."""

from collections.abc import Sequence

NUMBERS = ("J_seen", "J_unseen", "F_seen", "F_unseen", "overall")


def number(value: float | None, how: str) -> str:
    """A number in a format such as ".3f", or a dash where there is none."""
    return "–" if value is None else format(value, how)


def markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    first, *others = (f"| {' | '.join(cells)} |" for cells in (heads, *rows))
    return "\n".join([first, "|" + "---|" * len(heads), *others])


def plain_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table for the terminal: the first column to the left, the others to the right."""
    first, *others = (max(map(len, column)) for column in zip(heads, *rows, strict=True))
    return "\n".join(
        f"{cells[0]:<{first}}" + "".join(f"  {text:>{width}}" for text, width in zip(cells[1:], others, strict=True))
        for cells in (heads, *rows)
    )


def parts_of_overall(rows: Sequence[dict]) -> tuple[str, ...]:
    """What overall is the mean of, in rows of table1.json: without seen and unseen categories J and F themselves."""
    ours = [row for row in rows if row["videos"] is not None]
    return NUMBERS[:-1] if all(row[key] is not None for row in ours for key in NUMBERS) else ("J", "F")


def score_table(rows: Sequence[dict]) -> str:
    """Table 1 in Markdown; rows: of table1.json."""
    lines, keys = [], ("overall", *parts_of_overall(rows))
    for row in rows:
        trained = number(row["parameters"] or None, ",d"), number(row["minutes"] or None, ".1f")
        lines.append([row["name"], row["source"], *(number(row[key], ".3f") for key in keys), *trained])
    heads = ["", "measured on", *(key.replace("_", " ") for key in keys), "parameters", "training, min"]
    return markdown_table(heads, lines)
