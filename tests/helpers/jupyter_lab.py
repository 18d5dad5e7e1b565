"""A real JupyterLab in a headless browser, to try what only a hand can do.

with jupyter_lab(notebook) as page:         # every cell has run
    page.locator(".widget-button").click()
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
ROOT = Path(__file__).parents[2]
PATIENCE = float(os.environ.get("LAB_PATIENCE", "120"))  # seconds for anything to happen
QUIET = ("no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
         "disable-component-update", "disable-sync", "disable-dev-shm-usage", "force-color-profile=srgb")  # fmt: skip
RAN = """() => {
    const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputArea-prompt')].map(e => e.innerText.trim());
    return prompts.some(p => /\\[\\d+\\]/.test(p)) && !prompts.some(p => p.includes('*'))
        && document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle' }"""


def missing() -> str:
    """What there is not to drive a browser with; "" where all is there."""
    try:
        import jupyterlab
        import playwright.sync_api  # noqa: F401
    except ImportError as error:
        return f"{error.name} is not installed"
    return "" if CHROMIUM.exists() and jupyterlab else f"no browser at {CHROMIUM} (CHROMIUM names another)"


@contextmanager
def jupyter_lab(notebook: Path, width: int = 1200, height: int = 1000) -> Iterator[Any]:
    """Open a notebook, run all its cells and yield the page; its kernel imports the vos of this repository.

    AssertionError where a cell raises. All settings are private, and nothing outside the machine is asked for.
    """
    from playwright.sync_api import sync_playwright

    with server(notebook.parent) as (base, token), sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=CHROMIUM, args=[f"--{word}" for word in QUIET])
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(1000 * PATIENCE)
        page.route(lambda url: not url.startswith((base, "data:", "blob:")), lambda route: route.abort())
        ready: list[bool] = []  # the indicator says "idle" before the kernel's socket is open

        def hear(frame: str | bytes) -> None:
            if b"kernel_info_reply" in (frame if isinstance(frame, bytes) else frame.encode()):
                ready.append(True)

        page.on("websocket", lambda socket: socket.on("framereceived", hear))
        page.goto(f"{base}/doc/tree/{notebook.name}?reset&token={token}")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.wait_for_selector("#jupyterlab-splash", state="detached")
        deadline = time.monotonic() + PATIENCE
        while not ready:
            assert time.monotonic() < deadline, "no kernel; does the notebook's metadata name one?"
            page.wait_for_timeout(100)
        page.keyboard.press("Escape")
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        page.wait_for_function(RAN)
        errors = page.locator("[data-mime-type='application/vnd.jupyter.error']")
        assert errors.count() == 0, errors.first.inner_text()
        yield page
        browser.close()


@contextmanager
def server(folder: Path) -> Iterator[tuple[str, str]]:
    """JupyterLab on a free port of this machine: (address, token)."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    private = folder / ".private"
    places = {f"JUPYTER_{name}_DIR": str(private / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    places |= {f"JUPYTERLAB_{name}_DIR": str(private / name) for name in ("SETTINGS", "WORKSPACES")}
    places |= {"IPYTHONDIR": str(private / "ipython"), "PYTHONPATH": str(ROOT)}
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
