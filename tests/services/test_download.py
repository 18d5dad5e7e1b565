"""`data davis` against a server that cuts connections, changes its mind and lies, and with archives that mean harm."""

import errno
import hashlib
import io
import json
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
from pathlib import Path

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
    """Serves one file, as badly as its fields say; `log` holds (Range, status, bytes sent) of each answer."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.data, self.headers, self.log = GOOD, {"ETag": '"one"'}, []
        self.ranges, self.cuts, self.length, self.statuses, self.kind = True, [], None, [], "application/zip"
        self.url = f"http://127.0.0.1:{self.server_port}/set.zip"

    def handle_error(self, *which):
        pass  # the client may go at any time


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, asked = self.server, self.headers.get("Range")
        if server.statuses:
            status = server.statuses.pop(0)
            server.log.append((asked, status, 0))
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", "/other.zip")
            self.end_headers()
            return
        begin, versions = 0, [server.headers.get(name) for name in ("ETag", "Last-Modified")]
        condition = self.headers.get("If-Range")
        if asked and server.ranges and (condition is None or (condition in versions and condition[:2] != "W/")):
            begin = int(asked.removeprefix("bytes=").removesuffix("-"))
        total = len(server.data)
        body, status = server.data[begin:], 206 if begin else 200
        if begin and begin >= total:
            body, status = b"", 416
        body = body[: server.cuts.pop(0)] if server.cuts else body
        server.log.append((asked, status, len(body)))
        self.send_response(status)
        if status == 206:
            self.send_header("Content-Range", f"bytes {begin}-{total - 1}/{total}")
        for name, value in server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", server.kind)
        if server.length != "":
            self.send_header("Content-Length", str((total if server.length is None else server.length) - begin))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(download, "WAITS", (0, 0, 0))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def call(server, tmp_path, capsys):
    """Run the command on the server; returns (exit code, stdout, stderr). The set goes to tmp_path / "out"."""

    def run(*words):
        code = main(["data", "davis", "--out", str(tmp_path / "out"), "--url", server.url, *words])
        out, err = capsys.readouterr()
        assert err.count("\n") == (code != 0), err
        return code, out, err

    return run


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def left(out):
    """What lies in the folder, by name."""
    return sorted(path.name for path in out.iterdir()) if out.exists() else []


PARTIAL = f".{download.NAME}.partial"
NOTES = f".{download.NAME}.json"


def test_downloads_checks_and_unpacks(server, call, out):
    code, printed, _ = call()
    assert code == 0 and left(out) == ["DAVIS"]
    files = {name: data for name, data in entries().items() if not name.endswith("/")}
    assert {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()} == files
    assert hashlib.sha256(GOOD).hexdigest() in printed
    assert "2 training and 1 validation sequences, 9 frames" in printed
    assert f"python -m vos report --data {out / 'DAVIS'}" in printed and "data check" in printed
    assert [video.name for video in VOSDataset(out / "DAVIS").valid] == ["goat"]
    assert server.log == [(None, 200, len(GOOD))]


def test_keep_keeps_the_archive(call, out):
    assert call("--keep")[0] == 0
    assert left(out) == sorted(["DAVIS", download.NAME])
    assert (out / download.NAME).read_bytes() == GOOD


def test_help_names_all_options_and_what_is_checked(capsys):
    with pytest.raises(SystemExit):
        main(["data", "davis", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    for word in ("--out", "--url", "--sha256", "--keep", "CRC", "always checked", "DIR/DAVIS"):
        assert word in text


@pytest.mark.parametrize("version", [{"ETag": '"one"'}, {"ETag": 'W/"weak"', "Last-Modified": "Mon, 01 Jan 2018"}])
def test_a_cut_connection_is_taken_up_where_it_broke(server, call, out, version):
    server.headers, server.cuts = version, [1000]
    code, printed, _ = call()
    assert code == 0 and left(out) == ["DAVIS"]
    assert server.log == [(None, 200, 1000), ("bytes=1000-", 206, len(GOOD) - 1000)]
    assert f"going on after 1,000 of {len(GOOD):,} bytes" in printed and "trying again" in printed


def test_after_the_last_attempt_the_same_command_goes_on(server, call, out):
    server.cuts = [1000, 500, 500, 0]
    code, _, error = call()
    assert code == 2 and "of 4 attempts" in error and "the same command goes on" in error
    assert left(out) == [NOTES, PARTIAL] and (out / PARTIAL).read_bytes() == GOOD[:2000]
    server.log.clear()
    code, printed, _ = call()
    assert code == 0 and left(out) == ["DAVIS"]
    assert server.log == [("bytes=2000-", 206, len(GOOD) - 2000)] and "going on after 2,000" in printed


def interrupted(server, call, out):
    """Have 1500 bytes downloaded and the connection gone."""
    server.cuts = [1500, 0, 0, 0]
    assert call()[0] == 2 and (out / PARTIAL).stat().st_size == 1500
    server.cuts, server.log[:] = [], []


def test_without_ranges_the_download_starts_over(server, call, out):
    server.ranges = False
    server.cuts = [1500]
    code, printed, _ = call("--keep")
    assert code == 0 and (out / download.NAME).read_bytes() == GOOD
    assert server.log == [(None, 200, 1500), ("bytes=1500-", 200, len(GOOD))]
    assert "starting over, as the server cannot go on in the middle" in printed


def test_without_a_version_nothing_is_joined(server, call, out):
    """No ETag and no date: nobody knows whether the rest belongs to the same file."""
    server.headers = {}
    server.cuts = [1500]
    assert call()[0] == 0
    assert server.log == [(None, 200, 1500), (None, 200, len(GOOD))]


def test_a_file_that_changed_on_the_server_is_downloaded_afresh(server, call, out):
    interrupted(server, call, out)
    server.data, server.headers = zipped(entries() | {README: b"another"}), {"ETag": '"two"'}
    code, printed, _ = call()
    assert code == 0 and "starting over, as the server has another file now" in printed
    assert server.log == [("bytes=1500-", 200, len(server.data))]
    assert (out / README).read_bytes() == b"another"


@pytest.mark.parametrize(("tag", "text"), [('"two"', b"another"), ('"one"', b"of another size")])
def test_a_server_that_ignores_if_range_cannot_join_two_files(server, call, out, tag, text, monkeypatch):
    """The rest of another file is known by its version, or where that stayed the same by the size of the whole."""
    interrupted(server, call, out)
    server.data, server.headers = zipped(entries() | {README: text}), {"ETag": tag}
    assert (len(server.data) == len(GOOD)) == (tag == '"two"')
    plain = Handler.do_GET

    def ignores(handler):
        del handler.headers["If-Range"]
        plain(handler)

    monkeypatch.setattr(Handler, "do_GET", ignores)
    code, printed, _ = call()
    assert code == 0 and "has changed" in printed
    assert (out / README).read_bytes() == text


def test_another_address_starts_afresh(server, call, out):
    interrupted(server, call, out)
    server.url += "?mirror"
    assert call()[0] == 0 and server.log == [(None, 200, len(GOOD))]


def test_notes_spoiled_by_a_crash_start_afresh(server, call, out):
    interrupted(server, call, out)
    (out / NOTES).write_text("")
    assert call()[0] == 0 and server.log == [(None, 200, len(GOOD))]


def test_a_whole_download_is_not_asked_for_again(server, call, out):
    out.mkdir()
    (out / PARTIAL).write_bytes(GOOD)
    (out / NOTES).write_text(json.dumps({"url": server.url, "version": None, "size": len(GOOD)}))
    assert call()[0] == 0 and server.log == [] and left(out) == ["DAVIS"]


@pytest.mark.parametrize(
    ("statuses", "named", "asked"),
    [
        ([404] * 9, "404 Not Found; look on davischallenge.org", 1),
        ([403] * 9, "403 Forbidden; look on davischallenge.org", 1),
        ([500] * 9, "500 Internal Server Error, at the last of 4 attempts", 4),
        ([302] * 40, "302 The HTTP server returned a redirect error that would lead to an infinite loop", None),
    ],
)
def test_answers_without_a_file_are_one_line(server, call, out, statuses, named, asked):
    server.statuses = statuses
    code, _, error = call()
    assert code == 2 and named in error and server.url in error and left(out) == []
    assert asked in (None, len(server.log))


@pytest.mark.parametrize("statuses", [[503], [503, 429, 500], [302], [307]])
def test_a_server_in_trouble_and_a_redirect_are_got_over(server, call, out, statuses):
    server.statuses = [*statuses]
    code, printed, _ = call()
    assert code == 0 and left(out) == ["DAVIS"]
    assert ("leads on to" if statuses[0] < 400 else "trying again") in printed


def test_range_not_satisfiable_is_one_line_and_a_fresh_start(server, call, out):
    """The server announces 100 bytes more than it has, and so can never send them."""
    server.length = len(GOOD) + 100
    code, _, error = call()
    assert code == 2 and "416" in error and "less than it announced" in error and left(out) == []
    server.length = None
    assert call()[0] == 0


def test_a_length_that_is_too_small_gives_a_damaged_zip(server, call, out):
    server.length = len(GOOD) - 100
    code, _, error = call()
    assert code == 2 and "no zip or a damaged one" in error and left(out) == []


@pytest.mark.parametrize("length", ["", 10**13])
def test_a_size_that_is_missing_or_absurd_is_refused(server, call, out, length):
    server.length = length
    code, _, error = call()
    assert code == 2 and f"sends application/zip, {length or '?'} bytes" in error and left(out) == []


def test_no_server_and_no_such_host_are_one_line(server, call, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # taken but not listening
        server.url = f"http://127.0.0.1:{taken.getsockname()[1]}/set.zip"
        code, _, error = call()
    assert code == 2 and "Connection refused, at the last of 4 attempts" in error

    def fails(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    code, _, error = call()
    assert code == 2 and "Name or service not known" in error


def test_a_silent_server_is_given_up(server, call, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.05)
    waiting = threading.Event()
    monkeypatch.setattr(Handler, "do_GET", lambda handler: waiting.wait(5))
    code, _, error = call()
    waiting.set()
    assert code == 2 and "timed out" in error


def test_a_web_page_does_not_replace_what_was_downloaded(server, call, out):
    """As a hotel's network answers, with 200, to whatever is asked."""
    interrupted(server, call, out)
    server.data, server.kind, server.headers = b"<html>log in</html>", "text/html", {}
    code, _, error = call()
    assert code == 2 and "sends text/html" in error and "log in" in error
    server.data, server.kind, server.headers = GOOD, "application/zip", {"ETag": '"one"'}
    assert call()[0] == 0 and server.log[-1] == ("bytes=1500-", 206, len(GOOD) - 1500)


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
HOSTILE = {ascii(name): (plus(name), f"{printable(name)!r} is not a plain path below DAVIS/") for name in NOT_PLAIN} | {
    "twice": (plus(README), "'DAVIS/README.md' is there twice"),
    "twice but for capitals": (plus("DAVIS/ReadMe.md"), "is there twice, or differs from another in capitals only"),
    "folder twice but for capitals": (plus("DAVIS/jpegimages/480p/x/00000.jpg"), "is there twice"),
    "file in a file": (plus("DAVIS/README.md/x"), "is there twice"),
    "file in place of a folder": (plus("DAVIS/JPEGImages"), "is there twice"),
    "symlink": (plus("DAVIS/x", b"/etc/passwd", stat.S_IFLNK | 0o777), "'DAVIS/x' is a link or a device"),
    "symlink as a folder": (plus("DAVIS/x/", b"/etc", stat.S_IFLNK | 0o777), "is a link or a device"),
    "device": (plus("DAVIS/x", b"", stat.S_IFCHR | 0o666), "is a link or a device"),
    "pipe": (plus("DAVIS/x", b"", stat.S_IFIFO | 0o666), "is a link or a device"),
    "encrypted": (patched(README, 8, "<H", 1), "'DAVIS/README.md' is encrypted"),
    "bomb": (plus("DAVIS/x", bytes(10**6), method=zipfile.ZIP_BZIP2), "'DAVIS/x' unpacks to far too much"),
    "absurd size": (patched(README, 20, "<LL", 60_000_000, 60_000_000), "README.md' unpacks to far too much"),
    "absurd ratio": (patched(README, 24, "<L", 10_000), "'DAVIS/README.md' unpacks to far too much"),
    "absurd sum": (patched(README, 24, "<L", 4_294_967_290), "4,000,000,000 bytes unpacked, so not the set"),
    "too many": (zipped({f"DAVIS/{i}": b"" for i in range(50_001)}, zipfile.ZIP_STORED), "more than 50,000 files"),
    "page": (b"<!DOCTYPE html><html>moved</html>", "no zip or a damaged one"),
    "nothing": (b"", "no zip or a damaged one"),
    "cut off": (GOOD[:-300], "no zip or a damaged one"),
}
DAMAGED = {
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


@pytest.mark.parametrize(("data", "named"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_archives_are_refused_before_anything_is_written(server, call, out, data, named, monkeypatch):
    server.data = data
    monkeypatch.setattr(shutil, "copyfileobj", lambda *_: pytest.fail("something was unpacked"))
    code, _, error = call()
    assert code == 2 and named in error and "the download was removed" in error
    assert [path.name for path in out.parent.rglob("*")] == ["out"]


@pytest.mark.parametrize(("data", "named"), DAMAGED.values(), ids=DAMAGED)
def test_damage_found_while_unpacking_leaves_no_half_set(server, call, out, data, named):
    server.data = data
    code, _, error = call()
    assert code == 2 and named in error and "the download was removed" in error and ".partial" not in error
    assert [path.name for path in out.parent.rglob("*")] == ["out"]


def test_a_set_that_is_there_stays_as_it_is(server, call, out):
    assert call()[0] == 0
    server.log.clear()
    (out / "DAVIS/mine.txt").write_text("mine")
    code, printed, _ = call()
    assert code == 0 and "is there already (2 training and 1 validation sequences, 9 frames)" in printed
    (out / "DAVIS/Annotations/480p/goat/00001.png").unlink()
    code, _, error = call()
    assert code == 2 and "is there, but not whole" in error and "480p/goat: lacks the mask" in error
    assert server.log == [] and (out / "DAVIS/mine.txt").exists() and left(out) == ["DAVIS"]


def test_what_a_killed_run_left_does_not_get_into_the_set(call, out):
    (out / ".DAVIS.partial/DAVIS/JPEGImages").mkdir(parents=True)
    (out / ".DAVIS.partial/DAVIS/README.md").write_text("half")
    (out / ".DAVIS.partial/DAVIS/old.txt").write_text("old")
    assert call()[0] == 0 and left(out) == ["DAVIS"]
    assert not (out / "DAVIS/old.txt").exists() and (out / README).read_bytes() == b"read me"


@pytest.fixture
def disk(monkeypatch):
    """A disk with room for `disk[0]` more bytes in files that are opened to be appended to or made."""
    room, plain = [0], Path.open

    class File(io.FileIO):
        def write(self, data):
            data = data[: room[0]]
            room[0] -= len(data)
            if not data:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(data)

    def opened(path, mode="r", *rest, **others):
        return io.BufferedWriter(File(path, mode)) if mode in ("ab", "xb") else plain(path, mode, *rest, **others)

    monkeypatch.setattr(Path, "open", opened)
    return room


def test_a_disk_that_fills_up_while_downloading(server, call, out, disk):
    disk[0] = 2000
    code, _, error = call()
    assert code == 2 and f"{out}: cannot be written (No space left on device)" in error and "goes on" in error
    assert len(server.log) == 1 and (out / PARTIAL).read_bytes() == GOOD[:2000]
    disk[0] = 10**6
    assert call()[0] == 0 and server.log[-1] == ("bytes=2000-", 206, len(GOOD) - 2000)


def test_a_disk_that_fills_up_while_unpacking(server, call, out, disk):
    disk[0] = len(GOOD) + 3000
    code, _, error = call()
    assert code == 2 and "No space left on device" in error and left(out) == [NOTES, PARTIAL]
    disk[0] = 10**6
    assert call()[0] == 0 and len(server.log) == 1 and left(out) == ["DAVIS"]


def test_room_is_looked_for_before_downloading_and_before_unpacking(server, call, out, monkeypatch):
    def free(size):
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(0, 0, size))

    free(2 * len(GOOD) - 1)
    code, _, error = call()
    assert code == 2 and f"{out}: needs 0.00 GB, has 0.00 GB; make room" in error and left(out) == []
    free(2 * len(GOOD))
    code, _, error = call()
    files = [data for name, data in entries().items() if not name.endswith("/")]
    needed = sum(len(data) + 4096 for data in files)
    assert code == 2 and f"needs {needed / 1e9:.2f} GB" in error and left(out) == [NOTES, PARTIAL]
    free(needed - 1)
    assert call()[0] == 2
    free(needed)
    assert call()[0] == 0 and [status for _, status, _ in server.log] == [200, 200]


@pytest.mark.parametrize("where", ["copyfileobj", "sleep"])
def test_ctrl_c_keeps_the_download_and_says_how_to_go_on(server, call, out, monkeypatch, where):
    def stop(*_):
        raise KeyboardInterrupt

    server.cuts = [1500]
    with monkeypatch.context() as patch:
        patch.setattr(shutil if where == "copyfileobj" else download.time, where, stop)
        code, printed, error = call()
    assert code == 130 and f"{out}: what is downloaded is kept, and the same command goes on" in printed
    assert error == "vos: stopped\n" and left(out) == [NOTES, PARTIAL]
    assert call()[0] == 0 and left(out) == ["DAVIS"]
    assert [asked for asked, _, _ in server.log] == [None, "bytes=1500-"]
