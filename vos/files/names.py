"""The order of names with numbers in them: 2 before 10, however many zeros are before them."""

import re

NUMBER = re.compile(r"([0-9]+)")


def natural_key(name: str) -> tuple[tuple[str | tuple[int, str], ...], str]:
    """Sort key by which numbers in names count by their value, and capitals are as small letters; no two are equal.

    key[0] is the same for names that differ only in capitals or leading zeros.
    """
    parts = NUMBER.split(name.lower())  # text, number, text, ...: like is compared with like
    digits = (part.lstrip("0") for part in parts)
    return tuple((len(d), d) if i % 2 else part for i, (part, d) in enumerate(zip(parts, digits, strict=True))), name
