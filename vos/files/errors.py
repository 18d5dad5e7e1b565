"""The one error type, and names from files in its messages."""

from collections.abc import Sequence

LISTED = 10  # how many names of one kind a message spells out


class VosError(Exception):
    """Bad input. The message is one line that names the file or argument and says what to do."""


def names_in_words(names: Sequence[str], most: int = LISTED) -> str:
    """The first `most` names with commas, and how many more there are."""
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def printable(text: str) -> str:
    """Text with names from an untrusted file, on one line and without what could confuse a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def first_line(error: Exception) -> str:
    """An exception's message in one line."""
    lines = str(error).strip().splitlines()
    return lines[0].strip() if lines else type(error).__name__
