"""The alternative texts of a notebook's pictures, and which pictures have none."""

import html
import re

import nbformat

SHOWN = re.compile(r'<img alt="([^"]*)" src="data:image/(?:png|jpeg);base64,[\w+/=]+">')  # as figures.show makes it
ELEMENT = re.compile(r"<(img|video|svg|canvas)\b[^>]*>")
MARKDOWN = re.compile(r"!\[([^\]]*)\]\(")


def texts_of(notebook: nbformat.NotebookNode) -> tuple[list[str], list[str]]:
    """The alternative texts of all pictures of a notebook, and what has none, by the number of the cell."""
    texts, lacking = [], []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            texts += MARKDOWN.findall(cell.source)
            if ELEMENT.search(cell.source):
                lacking.append(f"cell {number}: a picture in HTML; write it as ![words](file)")
        for data in (output.data for output in cell.get("outputs", []) if "data" in output):
            shown = SHOWN.fullmatch(data.get("text/html", ""))
            if shown and html.unescape(shown[1]) == data.get("text/plain"):
                texts.append(data["text/plain"])
                continue
            for element in ELEMENT.finditer(data.get("text/html", "")):
                label = re.search(r'aria-label="([^"]*)"', element[0])
                if element[1] == "video" and label:
                    texts.append(html.unescape(label[1]))
                else:
                    lacking.append(f"cell {number}: {element[1]} without alternative text")
            lacking += [f"cell {number}: {kind}; use figures.show" for kind in data if kind.startswith("image/")]
    return texts, lacking
