"""Opening an image that may be anything: errors name the file."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from vos.files.errors import VosError

# What Pillow raises for bytes that are no image, or only a part of one.
BROKEN_IMAGE = (OSError, SyntaxError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError, EOFError,
                struct.error, Image.DecompressionBombError)  # fmt: skip


@contextmanager
def opened_image(path: Path, kind: str = "image") -> Iterator[Image.Image]:
    """Open an image lazily (header only); VosError names the file, also where its pixels are read in the block.

    kind: what the file should be, for the message.
    """
    try:
        with Image.open(path) as image:
            yield image
    except FileNotFoundError:
        raise VosError(f"{path}: no such {kind}; is the set whole?") from None
    except BROKEN_IMAGE as error:
        reason = getattr(error, "strerror", None) or error or type(error).__name__
        raise VosError(f"{path}: cannot be read as {kind} ({reason}); replace the file") from None
