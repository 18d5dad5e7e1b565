"""Every picture of a committed notebook says in words what it shows, and JupyterLab hands the words on."""

from pathlib import Path

import nbformat
import pytest
from helpers.alt_text import texts_of
from helpers.jupyter_lab import JupyterLab, missing

from vos.course.notebooks import notebook_paths

SHORTEST = 30  # characters


@pytest.mark.parametrize("path", notebook_paths(), ids=lambda path: path.stem)
def test_every_picture_has_a_text_of_its_own(path: Path):
    texts, lacking = texts_of(nbformat.read(path, as_version=4))
    assert texts and not lacking, "\n".join(lacking)
    assert [text for text in texts if len(text) < SHORTEST] == []
    assert [text for text in texts if texts.count(text) > 1] == []


CODE = """
import matplotlib.pyplot as plt, numpy as np
from vos import figures
figures.use_style()
---
fig, ax = plt.subplots()
ax.plot([1, 2])
figures.show(fig, 'A line that rises: "1 < 2" & more')
---
figures.show(figures.contact_sheet(np.zeros((3, 64, 112, 3), np.uint8)), "Three black pictures")
"""
PICTURES = """() => [...document.querySelectorAll('.jp-OutputArea-output img')].map(i => [i.alt, i.naturalWidth])"""


@pytest.mark.slow
@pytest.mark.skipif(bool(missing()), reason=f"needs JupyterLab, playwright and Chromium: {missing()}")
def test_jupyterlab_shows_each_figure_once_with_its_text(tmp_path):
    cells = [nbformat.v4.new_code_cell(source.strip()) for source in CODE.split("---")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, tmp_path / "figures.ipynb")
    with JupyterLab(tmp_path, tmp_path) as lab, lab.opened(tmp_path / "figures.ipynb", "figures", "img") as hand:
        assert hand.page.evaluate(PICTURES) == [
            ['A line that rises: "1 < 2" & more', 900],
            ["Three black pictures", 990],
        ]
