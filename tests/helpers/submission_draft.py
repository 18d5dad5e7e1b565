"""Submissions to plant faults in, made from a clean one."""

import io
import stat
import struct
import zipfile

import numpy as np
from PIL import Image

# Videos of the small set, 20 frames each, 00000 to 00095 in steps of 5, and the ids of their objects.
ONE = "34caab9a45"  # 1
GAPS = "40d53196fa"  # 1 and 5
LATE = "6fdd2907c4"  # 1 and 2, and 3 from frame 00015 on; upright
PAIR = "b8acbbcf5b"  # 1 and 2
NAMES = [f"{number:05}.png" for number in range(0, 100, 5)]


class Draft:
    """A submission to plant faults in: the members of the zip in order, and changes of its directory."""

    def __init__(self, path):
        with zipfile.ZipFile(path) as archive:
            self.members = [(info, archive.read(info)) for info in archive.infolist()]
        self.patches = []

    def names(self, video=""):
        return [info.filename for info, _ in self.members if video in info.filename]

    def rename(self, change, video=""):
        """Give the members another path. change: from the old path to the new one."""
        for info, _ in self.members:
            if video in info.filename:
                info.filename = change(info.filename)

    def remove(self, *names):
        assert set(names) <= set(self.names())
        self.members = [(info, data) for info, data in self.members if info.filename not in names]

    def add(self, name, data=b"", mode=stat.S_IFREG | 0o644, method=zipfile.ZIP_STORED):
        info = zipfile.ZipInfo(name)
        info.external_attr, info.compress_type = mode << 16, method
        self.members.append((info, data))

    def data(self, name, data):
        """Put other bytes in a member."""
        assert name in self.names()
        self.members = [(info, data if info.filename == name else old) for info, old in self.members]

    def ids(self, video, change, first=1):
        """Change the id maps of a video from place `first` on."""
        for name in self.names(video)[first:]:
            self.data(name, png(change(self.map(name))))

    def map(self, name):
        (data,) = [data for info, data in self.members if info.filename == name]
        return np.array(Image.open(io.BytesIO(data)))

    def directory(self, name, offset, layout, value):
        """Overwrite a number in the directory entry of a member once the zip is written."""
        self.patches.append((name, offset, layout, value))

    def save(self, path):
        with zipfile.ZipFile(path, "w") as archive:
            for info, data in self.members:
                archive.writestr(info, data)
        written = bytearray(path.read_bytes())
        for name, offset, layout, value in self.patches:
            entry = written.rindex(name.encode()) - 46  # the name follows the entry's 46 bytes
            struct.pack_into(layout, written, entry + offset, value)
        path.write_bytes(written)


def png(ids, mode="P"):
    """An id map as the bytes of a PNG; modes other than P keep the numbers."""
    image = Image.fromarray(ids.astype(np.uint16 if mode == "I;16" else np.uint8))
    if mode == "P":
        image.putpalette([0] * 768)
    elif mode != "I;16":
        image = image.convert(mode)
    file = io.BytesIO()
    image.save(file, format="PNG")
    return file.getvalue()


def stretched(ids, factor=3):
    """An id map as bilinear interpolation leaves it."""
    height, width = ids.shape
    small = Image.fromarray(ids).resize((width // factor, height // factor), Image.Resampling.NEAREST)
    return np.array(small.resize((width, height), Image.Resampling.BILINEAR))


def exchange(ids, table):
    """An id map with other ids: {old: new}."""
    new = ids.copy()
    for old, number in table.items():
        new[ids == old] = number
    return new


def path_of(video, place):
    """The file of a mask. place: 0 to 19."""
    return f"Annotations/{video}/{NAMES[place]}"


def blobs(*objects, shape=(240, 320)):
    """An id map of discs: (id, row, column, radius), later ones in front."""
    rows, columns = np.indices(shape)
    ids = np.zeros(shape, np.uint8)
    for number, row, column, radius in objects:
        ids[(rows - row) ** 2 + (columns - column) ** 2 <= radius**2] = number
    return ids
