"""The threshold slider by keyboard, in JupyterLab: picture and scores follow the arrow keys."""

import nbformat
import pytest
from helpers.jupyter_lab import jupyter_lab, missing

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing()), reason=f"needs JupyterLab, playwright and Chromium: {missing()}"),
]
CODE = """
import torch
from vos.course.widgets import threshold_slider
from vos.data import VOSDataset

video = VOSDataset({folder!r}).train[0]
p = torch.linspace(0, 1, 112).expand(1, 64, 112)
ids = [video.objects[0].id]
threshold_slider([video], {{video.name: [(ids, p)] * len(video)}})
"""
READS = """[document.querySelector('.jp-OutputArea table').innerText, document.querySelector('.widget-image').src]"""


def test_threshold_and_frame_are_chosen_by_keyboard(small_set, tmp_path):
    cell = nbformat.v4.new_code_cell(CODE.format(folder=str(small_set)))
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=kernel), tmp_path / "slider.ipynb")
    with jupyter_lab(tmp_path / "slider.ipynb") as page:
        page.locator(".jp-OutputArea table").wait_for()
        shown = f"() => {READS}"
        for control, key in (("threshold", "ArrowRight"), ("frame", "ArrowRight"), ("threshold", "ArrowLeft")):
            before = page.evaluate(shown)
            page.locator(".widget-inline-hbox", has_text=control).locator(".noUi-handle").press(key)
            page.wait_for_function(f"before => {READS}.every((now, i) => now !== before[i])", arg=before)
        page.screenshot(path=tmp_path / "slider.png")
