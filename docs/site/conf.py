"""The course as a static site: `make site` writes it to runs/site/html, from what is committed, and runs no notebook.

Sources lie where they always lie, below the root of the repository; here are only settings, contents.md and site.css.
"""

import json
import shutil
from importlib.resources import files
from pathlib import Path

HERE = Path(__file__).parent

project = "Video object segmentation"
root_doc = "README"
include_patterns = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md", "docs/*.md", "notebooks/*.ipynb"]
exclude_patterns = [".*", "runs", "data/synthetic", "data/checkpoints"]  # large folders without pages
extensions = ["myst_nb"]

nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4  # links to headings, as GitHub has them

html_theme = "sphinx_book_theme"
html_title = project
html_theme_options = {"use_fullscreen_button": False}
html_css_files = ["site.css"]
html_show_sphinx = False
# MathJax as one file of a package: the pages ask nothing of other machines.
mathjax_path = "tex-svg-full.js"
html_static_path = ["site.css", str(files("sphinx-mathjax-offline") / "static/mathjax" / mathjax_path)]

WIDGET = "application/vnd.jupyter.widget-view+json"
NOTE = (
    '<p class="widget-note">Run the notebook to use this widget: it needs Python beside it (<code>make lab</code>).</p>'
)


def prepare(app, docname, source):
    """The front page gets the table of contents, and notebooks a note in place of each widget."""
    if docname == root_doc:
        source[0] += (HERE / "contents.md").read_text(encoding="utf-8")
    elif docname.startswith("notebooks/"):
        notebook = json.loads(source[0])
        for output in (output for cell in notebook["cells"] for output in cell.get("outputs", [])):
            if WIDGET in output.get("data", {}):
                output["data"] = {"text/html": NOTE}
        source[0] = json.dumps(notebook)


def add_index(app, error):
    """Web servers and browsers open index.html."""
    if error is None:
        shutil.copy(Path(app.outdir, f"{root_doc}.html"), Path(app.outdir, "index.html"))


def setup(app):
    """Sphinx calls it."""
    app.connect("source-read", prepare)
    app.connect("build-finished", add_index)
