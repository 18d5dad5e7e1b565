"""A real JupyterLab in a headless browser, to try what only a hand can do.

with JupyterLab(folder, shots) as lab, lab.opened(notebook, "try", "img") as hand:    # every cell has run
    hand.does("drag", "frame", 0.5)
"""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from helpers.hand import PATIENCE, Hand

ROOT = Path(__file__).parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), "")
QUIET = ("no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
         "disable-component-update", "disable-sync", "disable-dev-shm-usage", "force-color-profile=srgb")  # fmt: skip
RAN = """() => {
    const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputArea-prompt')].map(e => e.innerText.trim());
    return prompts.some(p => /\\[\\d+\\]/.test(p)) && !prompts.some(p => p.includes('*'))
        && document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle' }"""
ERROR = re.compile(rb'"msg_type": ?"error".*?"ename": ?"(.*?)".*?"evalue": ?"(.*?)"', re.DOTALL)


def missing() -> str:
    """What there is not to drive a browser with; "" where all is there."""
    try:
        import jupyterlab  # noqa: F401
        import playwright.sync_api  # noqa: F401
    except ImportError as error:
        return f"{error.name} is not installed (pip install -e '.[browser]')"
    return "" if CHROMIUM and Path(CHROMIUM).exists() else f"no Chromium at {CHROMIUM or NAMES}; CHROMIUM names another"


class JupyterLab:
    """A server whose files lie in `folder`, and a browser; its kernels import the vos of this repository.

    All settings are private, and nothing outside the machine is asked for. Pictures of the page go to `shots`.
    """

    def __init__(self, folder: Path, shots: Path, environment: dict[str, str] | None = None) -> None:
        self.folder, self.shots, self.environment = folder, shots, environment or {}

    def __enter__(self) -> "JupyterLab":
        from playwright.sync_api import sync_playwright

        with ExitStack() as stack:
            self.base, self.token = stack.enter_context(server(self.folder, self.environment))
            tools = stack.enter_context(sync_playwright())
            self.browser = tools.chromium.launch(executable_path=CHROMIUM, args=[f"--{word}" for word in QUIET])
            stack.callback(self.browser.close)
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    @contextmanager
    def opened(self, notebook: Path, title: str, picture: str) -> Iterator[Hand]:
        """Open a notebook of the folder, run all its cells and yield a hand. `title` begins the names of its pictures.

        AssertionError where a cell raises, or later what a widget calls. A picture of the page is taken then as well.
        """
        page = self.browser.new_page(viewport={"width": 1200, "height": 1000})
        page.set_default_timeout(1000 * PATIENCE)
        page.route(lambda url: not url.startswith((self.base, "data:", "blob:")), lambda route: route.abort())
        ready: list[bool] = []  # the indicator says "idle" before the kernel's socket is open
        hand = Hand(page, self.shots, title, picture)

        def hear(frame: str | bytes) -> None:
            words = frame if isinstance(frame, bytes) else frame.encode()
            if b"kernel_info_reply" in words:
                ready.append(True)
            hand.errors.extend(b": ".join(found).decode() for found in ERROR.findall(words))

        page.on("websocket", lambda socket: socket.on("framereceived", hear))
        try:
            self.run_all(page, notebook.relative_to(self.folder).as_posix(), ready)
            hand.sees_no_error()
            yield hand
            hand.sees_no_error()
        except BaseException:
            hand.shot("failed")
            raise
        finally:
            page.close()

    def run_all(self, page: Any, path: str, ready: list[bool]) -> None:
        """Open a notebook on a page, wait until its kernel answers, and run all cells."""
        page.goto(f"{self.base}/doc/tree/{path}?reset&token={self.token}")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.wait_for_selector("#jupyterlab-splash", state="detached")
        deadline = time.monotonic() + PATIENCE
        while not ready:  # until then Run All is dropped without a word
            assert time.monotonic() < deadline, "no kernel; does the notebook's metadata name one?"
            page.wait_for_timeout(100)
        page.keyboard.press("Escape")
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        page.wait_for_function(RAN)


@contextmanager
def server(folder: Path, environment: dict[str, str]) -> Iterator[tuple[str, str]]:
    """JupyterLab on a free port of this machine: (address, token)."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    private = folder / ".private"
    places = {f"JUPYTER_{name}_DIR": str(private / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    places |= {f"JUPYTERLAB_{name}_DIR": str(private / name) for name in ("SETTINGS", "WORKSPACES")}
    places |= {"IPYTHONDIR": str(private / "ipython"), "PYTHONPATH": str(ROOT)} | environment
    settings = {
        "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
        "notebook-extension/tracker": {"windowingMode": "none"},  # every cell is drawn
    }
    for name, values in settings.items():
        path = private / f"SETTINGS/@jupyterlab/{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    token, base = secrets.token_hex(8), f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
               "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}",
               "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.news_url=None",
               "--LabApp.extension_manager=readonly"]  # fmt: skip
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(command, env=os.environ | places, stdout=log, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + PATIENCE
        while not answers(f"{base}/api?token={token}"):
            late = process.poll() is not None or time.monotonic() > deadline
            assert not late, (folder / "server.log").read_text()[-2000:]
            time.sleep(0.1)
        yield base, token
    finally:
        process.terminate()  # which ends the kernels as well
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
        shutil.rmtree(private, ignore_errors=True)


def answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=2).read()
    except OSError:
        return False
    return True
