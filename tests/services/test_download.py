"""`data davis` against a server that cuts connections and lies, and with archives that are damaged or mean harm."""

import errno
import hashlib
import io
import os
import shutil
import socket
import stat
import struct
import threading
import warnings
import zipfile
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

from vos.cli import main
from vos.data import VOSDataset
from vos.datasets import download
from vos.files import printable

SEQUENCES = {"bear": "train", "bmx-trees": "train", "goat": "val"}
FILE = stat.S_IFREG | 0o644
README = "DAVIS/README.md"


@cache
def image(kind, seed):
    """A noisy image as bytes, which no compression makes small."""
    levels = np.random.default_rng(seed).integers(0, 3, (24, 32), np.uint8)
    file = io.BytesIO()
    if kind == "jpg":
        Image.fromarray(levels * 80).convert("RGB").save(file, "JPEG")
    else:
        Image.fromarray(levels, "P").save(file, "PNG")
    return file.getvalue()


def entries():
    """{name: bytes} of an archive shaped as that of DAVIS: folders, three sequences of three frames, lists, texts."""
    files = {"DAVIS/": b"", README: b"read me", "DAVIS/SOURCES.md": b"sources"}
    for folder in ("JPEGImages", "Annotations"):
        files |= {f"DAVIS/{folder}/": b"", f"DAVIS/{folder}/480p/": b""}
    for name in SEQUENCES:
        for frame in range(3):
            files[f"DAVIS/JPEGImages/480p/{name}/{frame:05}.jpg"] = image("jpg", frame)
            files[f"DAVIS/Annotations/480p/{name}/{frame:05}.png"] = image("png", frame)
    for year in ("2016", "2017"):
        for kind in ("train", "val"):
            names = [name for name, its in SEQUENCES.items() if its == kind]
            files[f"DAVIS/ImageSets/{year}/{kind}.txt"] = "".join(f"{name}\n" for name in names).encode()
    return files


def zipped(files, method=zipfile.ZIP_DEFLATED):
    """A zip as bytes. files: {name: bytes, or (bytes, mode)}, or pairs of these."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, warnings.catch_warnings(action="ignore"):  # of names twice
        for name, data in files.items() if isinstance(files, dict) else files:
            data, mode = data if isinstance(data, tuple) else (data, stat.S_IFDIR if name.endswith("/") else FILE)
            info = zipfile.ZipInfo("placeholder")
            info.filename = info.orig_filename = name  # past the cleaning that ZipInfo does
            info.external_attr, info.compress_type = mode << 16, method
            archive.writestr(info, data)
    return file.getvalue()


GOOD = zipped(entries())


class Server(ThreadingHTTPServer):
    """Serves one file, as badly as its fields say; `sent` holds the status of each answer."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.data, self.kind, self.status, self.cut, self.sent = GOOD, "application/zip", 200, None, []
        self.url = f"http://127.0.0.1:{self.server_port}/set.zip"

    def handle_error(self, *which):
        pass  # the client may go at any time


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.sent.append(server.status)
        self.send_response(server.status)
        self.send_header("Content-Type", server.kind)
        self.send_header("Content-Length", str(len(server.data)))
        self.end_headers()
        self.wfile.write(server.data[: server.cut] if server.status == 200 else b"")

    def log_message(self, *words):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(download, "SIZE", 1e6)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def call(server, tmp_path, capsys):
    """Run the command on the server; returns (exit code, stdout, last line of stderr). The set goes to out/."""

    def run(*words):
        code = main(["data", "davis", "--out", str(tmp_path / "out"), "--url", server.url, *words])
        out, err = capsys.readouterr()
        lines = [line for line in err.splitlines() if line.startswith("vos: ")]  # the others are progress
        assert len(lines) == (code != 0), err
        return code, out, lines[-1] if lines else ""

    return run


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def left(out):
    """What lies in the folder, by name."""
    return sorted(path.name for path in out.iterdir()) if out.exists() else []


def test_downloads_checks_and_unpacks(server, call, out):
    code, printed, _ = call()
    assert code == 0 and left(out) == ["DAVIS"]
    files = {name: data for name, data in entries().items() if not name.endswith("/")}
    assert {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()} == files
    assert hashlib.sha256(GOOD).hexdigest() in printed
    assert "2 training and 1 validation sequences, 9 frames" in printed
    assert f"python -m vos report --data {out / 'DAVIS'}" in printed and "data check" in printed
    assert [video.name for video in VOSDataset(out / "DAVIS").valid] == ["goat"]
    assert server.sent == [200]


def test_keep_keeps_the_archive(call, out):
    assert call("--keep")[0] == 0
    assert left(out) == sorted(["DAVIS", download.NAME])
    assert (out / download.NAME).read_bytes() == GOOD


def test_an_archive_that_is_there_is_used_and_stays(server, call, out):
    """As a download manager leaves it, which goes on where a connection was cut."""
    out.mkdir()
    (out / download.NAME).write_bytes(GOOD)
    assert call()[0] == 0 and server.sent == [] and left(out) == sorted(["DAVIS", download.NAME])


def test_an_archive_that_is_there_but_damaged_is_not_removed(server, call, out):
    out.mkdir()
    (out / download.NAME).write_bytes(GOOD[:-300])
    code, _, error = call()
    assert code == 2 and f"{out / download.NAME}: no zip or a damaged one" in error and "move it away" in error
    assert server.sent == [] and (out / download.NAME).read_bytes() == GOOD[:-300]


def test_help_names_all_options_and_what_is_checked(capsys):
    with pytest.raises(SystemExit):
        main(["data", "davis", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    for word in ("--out", "--url", "--sha256", "--keep", "CRC", "always checked", "DIR/DAVIS"):
        assert word in text


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_answers_without_a_file_are_one_line(server, call, out, status):
    server.status = status
    code, _, error = call()
    assert code == 2 and f"answers {status}" in error and server.url in error and "another --url" in error
    assert left(out) == []


def test_a_cut_connection_leaves_nothing_half(server, call, out):
    server.cut = 1000
    code, _, error = call()
    assert code == 2 and server.url in error and "run again" in error and left(out) == []
    server.cut = None
    assert call()[0] == 0


def test_no_server_and_no_such_host_are_one_line(server, call, out, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # taken but not listening
        server.url = f"http://127.0.0.1:{taken.getsockname()[1]}/set.zip"
        code, _, error = call()
    assert code == 2 and "Connection refused; run again" in error and str(out / download.NAME) in error

    def fails(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    code, _, error = call()
    assert code == 2 and "Name or service not known" in error and left(out) == []


def test_a_silent_server_is_given_up(server, call, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.05)
    waiting = threading.Event()
    monkeypatch.setattr(Handler, "do_GET", lambda handler: waiting.wait(5))
    code, _, error = call()
    waiting.set()
    assert code == 2 and "timed out" in error and socket.getdefaulttimeout() is None


def test_checksum(server, call, out):
    right = hashlib.sha256(GOOD).hexdigest()
    wrong = right[::-1]
    code, _, error = call("--sha256", wrong)
    assert code == 2 and f"expected {wrong}, found {right}" in error and "removed" in error and left(out) == []
    assert call("--sha256", right.upper())[0] == 0


@pytest.mark.parametrize("same", [True, False])
def test_a_checksum_that_others_recorded_is_pointed_out(call, monkeypatch, same):
    if same:
        monkeypatch.setattr(download, "RECORDED", hashlib.sha256(GOOD).hexdigest())
    assert ("TensorFlow Datasets records the same" in call()[1]) == same


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--sha256", "12ab"], "--sha256 12ab"),
        (["--url", "file:///etc/passwd"], "--url file:///etc/passwd"),
        (["--url", "davis.zip"], "--url davis.zip"),
        (["--url", "http://["], "--url http://["),
    ],
)
def test_bad_arguments(call, out, words, named):
    code, _, error = call(*words)
    assert code == 2 and named in error and not out.exists()


def test_an_out_that_is_a_file(call, out):
    out.write_text("")
    code, _, error = call()
    assert code == 2 and f"{out}: cannot be written" in error


def patched(name, offset, layout, *values):
    """The good archive, not compressed, with numbers in the directory entry of a member overwritten."""
    data = bytearray(zipped(entries(), zipfile.ZIP_STORED))
    struct.pack_into(layout, data, data.rindex(name.encode()) - 46 + offset, *values)  # the name follows 46 bytes
    return bytes(data)


def without(text):
    """The good archive without the members that have this in their names."""
    return zipped({name: data for name, data in entries().items() if text not in name})


def plus(name, data=b"x", mode=FILE, method=zipfile.ZIP_DEFLATED):
    """The good archive and one more member, the last."""
    return zipped([*entries().items(), (name, (data, mode))], method)


NOT_PLAIN = [
    "/tmp/x", "/DAVIS/x", "DAVIS/../../x", "DAVIS/..", "DAVIS/./x", "DAVIS//x", "DAVIS\\..\\..\\x", "C:/x", "DAVIS/x:y",
    "DAVIS/x\0y", "DAVIS/\x1b[2Jx", "DAVIS/x\n", "DAVIS/x.", "DAVIS/x ", "other/x", "DAVIS2/x", "x", "",
]  # fmt: skip
DAMAGED = {
    "page": (b"<!DOCTYPE html><html>moved</html>", "no zip or a damaged one"),
    "nothing": (b"", "no zip or a damaged one"),
    "cut off": (GOOD[:-300], "no zip or a damaged one"),
    "encrypted": (patched(README, 8, "<H", 1), "is encrypted"),
    "absurd sum": (patched(README, 24, "<L", 4_294_967_290), "4,000,000,000 bytes unpacked, so not the set"),
    "wrong CRC": (patched(README, 16, "<L", 1), "Bad CRC-32 for file 'DAVIS/README.md'"),
    "smaller than it says": (patched(README, 24, "<L", 5), "no zip or a damaged one"),
    "two names": (patched("EADME.md", 45, "B", ord("T")), "no zip or a damaged one"),
    "unknown method": (patched(README, 10, "<H", 77), "That compression method is not supported"),
    "no lists": (without("2017"), "val.txt is missing or empty"),
    "empty list": (zipped(entries() | {"DAVIS/ImageSets/2017/val.txt": b""}), "val.txt is missing or empty"),
    "list of bytes": (
        zipped(entries() | {"DAVIS/ImageSets/2017/val.txt": b"\xff"}),
        "val.txt: cannot be read as a list of sequences",
    ),
    "no images": (without("JPEGImages/480p/goat"), "DAVIS-2017-trainval-480p.zip/DAVIS/JPEGImages/480p/goat: no such"),
    "no mask": (without("goat/00001.png"), "DAVIS/Annotations/480p/goat: lacks the mask"),
}


@pytest.mark.parametrize("name", NOT_PLAIN, ids=ascii)
def test_a_hostile_archive_is_refused_before_anything_is_written(server, call, out, name, monkeypatch):
    server.data = plus(name)
    monkeypatch.setattr(zipfile.ZipFile, "extract", lambda *_: pytest.fail("something was unpacked"))
    code, _, error = call()
    assert code == 2 and f"{printable(name)!r} is not a plain path below DAVIS/" in error and left(out) == []


def test_a_link_is_unpacked_as_a_plain_file(server, call, out):
    server.data = plus("DAVIS/x", b"/etc/passwd", stat.S_IFLNK | 0o777)
    assert call()[0] == 0 and (out / "DAVIS/x").read_bytes() == b"/etc/passwd" and not (out / "DAVIS/x").is_symlink()


@pytest.mark.parametrize(("data", "named"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_archive_leaves_no_half_set(server, call, out, data, named):
    server.data = data
    code, _, error = call()
    assert code == 2 and named in error and "the download was removed" in error and ".partial" not in error
    assert left(out) == []


def test_a_set_that_is_there_stays_as_it_is(server, call, out):
    assert call()[0] == 0
    server.sent.clear()
    (out / "DAVIS/mine.txt").write_text("mine")
    code, printed, _ = call()
    assert code == 0 and "is there already (2 training and 1 validation sequences, 9 frames)" in printed
    (out / "DAVIS/Annotations/480p/goat/00001.png").unlink()
    code, _, error = call()
    assert code == 2 and "is there, but not whole" in error and "480p/goat: lacks the mask" in error
    assert server.sent == [] and (out / "DAVIS/mine.txt").exists() and left(out) == ["DAVIS"]


def test_what_a_killed_run_left_does_not_get_into_the_set(call, out):
    (out / ".DAVIS.partial/DAVIS/JPEGImages").mkdir(parents=True)
    (out / ".DAVIS.partial/DAVIS/README.md").write_text("half")
    (out / ".DAVIS.partial/DAVIS/old.txt").write_text("old")
    assert call()[0] == 0 and left(out) == ["DAVIS"]
    assert not (out / "DAVIS/old.txt").exists() and (out / README).read_bytes() == b"read me"


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))])
def test_a_full_disk_or_ctrl_c_while_unpacking_keeps_the_download(server, call, out, monkeypatch, stop):
    def stops(*_):
        raise stop

    with monkeypatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "extract", stops)
        code, _, error = call()
    assert code == (130 if stop is KeyboardInterrupt else 2) and left(out) == [download.NAME]
    assert stop is KeyboardInterrupt or f"{out}: cannot be written (No space left on device)" in error
    server.sent.clear()
    assert call()[0] == 0 and server.sent == []


def test_room_is_looked_for_before_downloading_and_before_unpacking(server, call, out, monkeypatch):
    def free(size):
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(0, 0, size))

    free(2 * download.SIZE - 1)
    code, _, error = call()
    assert code == 2 and f"{out}: needs 0.00 GB, has 0.00 GB; make room" in error and server.sent == []
    monkeypatch.setattr(download, "SIZE", 0)
    free(100)
    assert call()[0] == 2 and left(out) == [download.NAME]
    free(sum(map(len, entries().values())))
    assert call()[0] == 0 and server.sent == [200]
