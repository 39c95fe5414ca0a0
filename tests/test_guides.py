"""What the pages of the documentation show runs, from its first line to its last."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"


def programs(page):
    """Return the Python blocks of a page."""
    return re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


NEEDS = {"to_onnx": "onnx", "several_machines": "mpi4py"}
PAGES = [page for page in sorted((DOCS / "guides").glob("*.md")) if programs(page)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_runs(page, tmp_path, monkeypatch):
    if page.stem in NEEDS:
        pytest.importorskip(NEEDS[page.stem])
    monkeypatch.chdir(tmp_path)
    exec("\n".join(programs(page)), {"__name__": "__main__"})
