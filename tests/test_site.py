"""The course as web pages: every lesson, with words for its figures, and nothing asked of other machines."""

import html
import importlib.util
import re
import subprocess
import sys
from collections import defaultdict
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from helpers.alt_text import texts_of
from helpers.hand import PATIENCE
from helpers.jupyter_lab import CHROMIUM, QUIET, missing

from vos.course.notebooks import notebook_paths

ROOT = Path(__file__).parents[1]
WIDGET = "application/vnd.jupyter.widget-view+json"
LACKING = [
    name for name in ("myst_nb", "sphinx_book_theme", "sphinx-mathjax-offline") if not importlib.util.find_spec(name)
]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(LACKING), reason=f"pip install -e '.[site]' for {LACKING}"),
]


class Page(HTMLParser):
    """What a page holds: its ids, its links, what it loads, and the alternative texts of its pictures."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.ids, self.links, self.loads, self.texts = path, set(), [], [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        self.loads += [found[name] for name in ("src", "srcset", "data", "poster") if name in found and tag != "a"]
        if tag == "link" and found.get("rel") not in ("canonical", "next", "prev", "index", "search", "author"):
            self.loads.append(found["href"])
        if tag == "img":
            self.texts.append(found.get("alt", ""))
        elif tag == "video":
            self.texts.append(found.get("aria-label", ""))


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", str(folder / "doctrees")]
    done = subprocess.run(
        [*command, "-c", "docs/site", ".", str(folder / "out")], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "out"


@pytest.fixture(scope="module")
def pages(site) -> dict[Path, Page]:
    return {path: Page(path) for path in sorted(site.rglob("*.html")) if "_static" not in path.parts}


@pytest.mark.parametrize("path", notebook_paths(), ids=lambda path: path.stem)
def test_every_lesson_is_a_page_with_words_for_its_figures(site, pages, path):
    notebook = nbformat.read(path, as_version=4)
    page = pages[site / f"notebooks/{path.stem}.html"]
    assert page.texts == texts_of(notebook)[0]
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    widgets = sum(WIDGET in output.get("data", {}) for output in outputs)
    assert page.path.read_text(encoding="utf-8").count('class="widget-note"') == widgets


def test_guides_and_readme_are_pages(site, pages):
    expected = ["index.html", "README.html", "CONTRIBUTING.html", "CHANGELOG.html", "data/README.html"]
    expected += [f"docs/{path.stem}.html" for path in (ROOT / "docs").glob("*.md")]
    assert {site / name for name in expected} <= set(pages)
    assert "Exercise" in html.unescape((site / "searchindex.js").read_text(encoding="utf-8"))


def test_every_link_leads_somewhere(pages):
    broken = []
    for page in pages.values():
        for link in map(urlsplit, page.links):
            if link.scheme or link.netloc:
                continue
            target = (page.path.parent / unquote(link.path)).resolve() if link.path else page.path
            anchors = pages[target].ids if target in pages else {link.fragment}
            if not target.is_file() or link.fragment not in {*anchors, "", "top"}:
                broken.append(f"{page.path.name}: {link.geturl()}")
    assert broken == []


def test_no_page_loads_anything_from_elsewhere(site, pages):
    loaded = {(page.path.name, load[:100]) for page in pages.values() for load in page.loads if urlsplit(load).netloc}
    for sheet in {*site.rglob("*.css")}:
        text = sheet.read_text(encoding="utf-8")
        loaded |= {(sheet.name, url) for url in re.findall(r"(?:url\(|@import\s*)['\"]?((?:https?:)?//[^'\")]+)", text)}
    assert loaded == set()


PICTURES = "() => [...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src.slice(0, 100))"
FORMULAS = "() => ['.math', 'mjx-container', '[data-mml-node=merror]'].map(s => document.querySelectorAll(s).length)"
DRAWN = "() => !window.MathJax?.startup?.promise || MathJax.startup.promise.then(() => true)"


@pytest.mark.skipif(bool(missing()), reason=f"needs playwright and Chromium: {missing()}")
def test_a_browser_draws_all_of_it_without_a_network(pages):
    from playwright.sync_api import sync_playwright

    asked, wrong, formulas = set(), defaultdict(list), 0
    with sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=CHROMIUM, args=[f"--{word}" for word in QUIET])
        tab = browser.new_page()
        tab.set_default_timeout(1000 * PATIENCE)
        tab.route(
            lambda url: not url.startswith(("file:", "data:", "blob:")),
            lambda route: (asked.add(route.request.url), route.abort()),
        )
        tab.on("pageerror", lambda error: wrong[tab.url].append(str(error)))
        tab.on("requestfailed", lambda request: wrong[tab.url].append(request.url))
        for path in pages:
            tab.goto(path.as_uri(), wait_until="load")
            tab.wait_for_function(DRAWN)
            wrong[tab.url] += tab.evaluate(PICTURES)
            written, drawn, errors = tab.evaluate(FORMULAS)
            formulas += drawn
            assert (drawn, errors) == (written, 0), path.name
        browser.close()
    assert asked == set()
    assert {url: found for url, found in wrong.items() if found} == {}
    assert formulas > 100
