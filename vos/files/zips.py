"""Zips that may be anything: what reading one raises, and how much it may claim to unpack to."""

import struct
import zipfile
import zlib

HIGHEST_RATIO = 1100  # of unpacked bytes to packed ones; deflate reaches 1032
# What zipfile raises for bytes that are no zip, or a damaged one.
UNREADABLE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, SyntaxError, ValueError, RuntimeError)
