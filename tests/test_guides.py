"""What the pages of the documentation show runs, from the first line to the last, on few images.

What a page says with "# prints" is what its program prints.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from tinynet import data

DOCS = Path(__file__).parent.parent / "docs"
LESSONS = DOCS.parent / "examples" / "notebooks"  # which the build of the documentation runs


def programs(page):
    """Return the Python blocks of a page."""
    block = r"^```(?:python|\{code-cell\} ipython3)\n(.*?)^```"
    return re.findall(block, page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


NEEDS = {"to_onnx": ["onnx", "onnxruntime"], "several_machines": ["mpi4py"], "plots": ["matplotlib"]}
GUIDES = sorted((DOCS / "guides").glob("*.md"))
PAGES = [page for page in [DOCS / "index.md", DOCS / "tutorial.md", *GUIDES] if programs(page)]


def few(count):
    random = np.random.default_rng(count)
    return random.integers(0, 256, (count, 28, 28), "uint8"), np.arange(count, dtype="uint8") % 10


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_runs_and_prints_what_it_says(page, tmp_path, monkeypatch, capsys):
    for package in NEEDS.get(page.stem, []):
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(data, "load_mnist", lambda: (few(100), few(60)))
    program = "\n".join(programs(page))
    exec(program, {"__name__": "__main__"})
    printed = capsys.readouterr().out
    assert [said for said in re.findall(r"# prints (\[.*?\]|[^\s:]+)", program) if said not in printed] == []


def test_the_page_of_scikit_learn_runs():
    """Its first program is run by tests/test_sklearn.py."""
    pytest.importorskip("sklearn")
    known = {}
    exec("\n".join(programs(DOCS / "sklearn.md")[1:]), known)
    assert known["model"].score(known["x"][240:], known["price"][240:]) > 0.8


def test_every_guide_is_found_from_the_start_page():
    start = (DOCS / "index.md").read_text("utf-8")
    listed = (DOCS / "guides" / "index.md").read_text("utf-8")
    for page in GUIDES:
        if page.stem != "index":
            assert f"(guides/{page.name})" in start, page
            assert f"\n{page.stem}\n" in listed, page


@pytest.mark.parametrize("lesson", sorted(LESSONS.glob("*.ipynb")), ids=lambda lesson: lesson.stem)
def test_a_lesson_is_kept_without_what_it_prints(lesson):
    cells = json.loads(lesson.read_text("utf-8"))["cells"]
    assert [cell["outputs"] for cell in cells if cell["cell_type"] == "code" and cell["outputs"]] == []
    assert {cell["execution_count"] for cell in cells if cell["cell_type"] == "code"} == {None}
