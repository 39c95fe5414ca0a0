"""The program in README runs as it stands, on few images; and what people read says nothing twice."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tinynet import data, load_model

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
(PROGRAM,) = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def few(count):
    random = np.random.default_rng(count)
    return random.integers(0, 256, (count, 28, 28), "uint8"), np.arange(count, dtype="uint8") % 10


@pytest.fixture(autouse=True)
def few_images(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(data, "load_mnist", lambda: (few(40), few(20)))


@pytest.mark.filterwarnings("ignore:.*pixels:UserWarning")
def test_its_program_runs():
    known = {}
    exec(PROGRAM, known)
    assert load_model("digits.safetensors").count_params() == known["model"].count_params()
    assert sum(bool(line) for line in PROGRAM.splitlines()) == 10


def test_what_it_needs_is_what_is_installed():
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    needed = re.findall(
        r'^    "([a-z0-9]+)[>=]', text.split("dependencies = [")[1].split("]")[0], re.MULTILINE
    )
    named = re.search(r"The core needs (.*?)\.", README, re.DOTALL)[1]
    assert sorted(re.findall(r"\w+", named.replace(" and ", " "))) == sorted(needed)


@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md", "docs/design.md"])
def test_nothing_is_said_twice(page):
    lines = [line for line in (ROOT / page).read_text("utf-8").splitlines() if len(line) > 50]
    assert [line for line in lines if lines.count(line) > 1] == []
