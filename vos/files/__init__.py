"""Files: the error type, JSON, whole writes (atomic), images, layouts of sets, zips. It imports nothing else of vos."""

from vos.files.errors import VosError, first_line, names_in_words, printable
from vos.files.json_files import read_json, write_json

__all__ = ["VosError", "first_line", "names_in_words", "printable", "read_json", "write_json"]
