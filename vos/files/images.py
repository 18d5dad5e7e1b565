"""Opening an image that may be anything, errors name the file; and the pixels of a frame, as a viewer shows them.

what the frame holds                      what is read
8 bits, grey, colour, palette, 1 bit, CMYK  its colours; an alpha channel is left out
an EXIF orientation                       turned as it says: size and pixels
16 bits, grey                             v / 257; where no pixel of the file exceeds 4095, 12 bits: v * 255 / 4095
16 bits, colour                           the higher 8 bits
a phone's MPO (a second picture inside)   the first picture
several pages, an animation, 32 bits      refused
"""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin
from PIL.ExifTags import Base

from vos.files.errors import VosError

FRAME_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")  # in capitals, too
# What Pillow raises for bytes that are no image, or only a part of one.
BROKEN_IMAGE = (OSError, SyntaxError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError, EOFError,
                struct.error, Image.DecompressionBombError)  # fmt: skip

# Photoshop and renderers write megabytes of texts and colour profiles into a PNG, where Pillow reads one.
PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY = 2**26, 2**28
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")  # of broken metadata, which is not used

TURNS = {  # by the orientation of EXIF
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
LYING = (5, 6, 7, 8)  # the orientations by which width and height change places
ORIENTED = {"exif", "Raw profile type exif", "XML:com.adobe.xmp", "xmp"}  # where Pillow keeps it
PNG_ORIENTATION = b"eXIf", b"Raw profile type exif", b"XML:com.adobe.xmp"  # where a PNG may have one


@contextmanager
def opened_image(path: Path, kind: str = "image") -> Iterator[Image.Image]:
    """Open an image lazily (header only); VosError names the file, also where its pixels are read in the block.

    kind: what the file should be, for the message.
    """
    try:
        with Image.open(path) as image:
            if image.format == "TIFF":
                image.filename = ""  # Pillow maps a plain TIFF into memory by name, and garbles one that it must turn
            yield image
    except FileNotFoundError:
        raise VosError(f"{path}: no such {kind}; is the set whole?") from None
    except BROKEN_IMAGE as error:
        reason = getattr(error, "strerror", None) or error or type(error).__name__
        raise VosError(f"{path}: cannot be read as {kind} ({reason}); replace the file") from None


def orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8, that Pillow leaves to be done; 1 where there is none. It decodes a PNG."""
    if image.format == "PNG":
        image.load()  # it may say so after its pixels
    if image.format != "TIFF" and not ORIENTED & image.info.keys():
        return 1  # nearly every image: to look for tags takes a while
    try:
        found = image.getexif().get(Base.Orientation, 1)
    except BROKEN_IMAGE:  # broken metadata of a whole picture
        return 1
    return found if found in TURNS else 1


def turned(image: Image.Image) -> Image.Image:
    """The decoded image, turned as its EXIF orientation says."""
    image.load()  # a TIFF is turned by Pillow itself; a PNG may say it after its pixels
    turn = TURNS.get(orientation(image))
    return image if turn is None else image.transpose(turn)


def frame_size(path: Path) -> tuple[int, int]:
    """(H, W) in pixels of a frame as it is shown, by its header."""
    with opened_image(path) as image:
        width, height = image.size
        if image.format == "TIFF":
            width, height = image.tag_v2[256], image.tag_v2[257]  # type: ignore[attr-defined]  # Pillow's size may be turned
        may_lie = image.format != "PNG" or any(mark in path.read_bytes() for mark in PNG_ORIENTATION)
        return (width, height) if may_lie and orientation(image) in LYING else (height, width)


def read_rgb(path: Path, size: tuple[int, int] | None = None) -> Image.Image:
    """A frame as an RGB image, turned as EXIF says. VosError where it is no still picture of 8 to 16 bits.

    size: (H, W); JPEG is decoded at the smallest of its built-in scales that is still as large.
    """
    with opened_image(path) as image:
        if size is not None and image.format in ("JPEG", "MPO"):
            height, width = size
            image.draft("RGB", (height, width) if orientation(image) in LYING else (width, height))
        elif getattr(image, "is_animated", False) and image.format != "MPO":
            count = image.n_frames  # type: ignore[attr-defined]
            raise VosError(f"{path}: holds {count} pictures; save each as a file of its own, such as 00001.png")
        image.info.pop("transparency", None)  # of a palette: alpha is left out, and Pillow would warn of it
        if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG"):
            grey = eight_bits(np.array(turned(image)), inverted=is_negative(image))
            return Image.fromarray(grey).convert("RGB")
        if image.mode in ("I", "F"):
            raise VosError(f"{path}: has 32-bit or signed pixels, whose white is not known; save it with 8 or 16 bits")
        return turned(image).convert("RGB")


def is_negative(image: Image.Image) -> bool:
    """Is this a TIFF whose 0 is white?"""
    return image.format == "TIFF" and image.tag_v2.get(262) == 0  # type: ignore[attr-defined]


def eight_bits(levels: np.ndarray, inverted: bool = False) -> np.ndarray:
    """Levels of 16 bits (H, W) as uint8: v / 257, or, where none exceeds 4095, as the 12 bits of many cameras."""
    white = np.uint32(4095 if levels.max() <= 4095 else 65535)
    levels = levels.astype(np.uint32)
    return (((white - levels if inverted else levels) * 255 + white // 2) // white).astype(np.uint8)
