"""The programs in README run as they stand, on few images; and what people read says nothing twice."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import tinynet
from tinynet import Sequential, data, datasets, layers

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PROGRAMS = {
    section: re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    for section, text in re.findall(r"^## (.*?)$(.*?)(?=^## )", README, re.DOTALL | re.MULTILINE)
    if "```python" in text and section != "Your own picture"
}


def few(count):
    random = np.random.default_rng(count)
    return random.integers(0, 256, (count, 28, 28), "uint8"), np.arange(count, dtype="uint8") % 10


@pytest.fixture(autouse=True)
def few_images(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(data, "load_mnist", lambda: (few(40), few(20)))
    monkeypatch.setattr(datasets.mnist, "load_data", lambda: (few(40), few(20)))


def some_files():
    """What the program on published models opens: a model of Keras's, and weights."""
    model, other = (Sequential([layers.Flatten(), layers.Dense(10, "softmax")], (28, 28)) for _ in "ab")
    model.compile("adam", "sparse_categorical_crossentropy")
    model.save("OCRDigit.h5")
    other.save_weights("net")
    Path("net").rename("net.pt")
    x_train, y_train = few(40)
    return {"tinynet": tinynet, "x_train": x_train, "y_train": y_train, "other": other}


@pytest.mark.parametrize("section", PROGRAMS)
@pytest.mark.filterwarnings("ignore:.*pixels:UserWarning")
def test_a_program_runs(section):
    known = {}
    if section == "A published model":
        pytest.importorskip("onnx")
        known = some_files()
    exec(PROGRAMS[section], known)


def test_all_programs_are_found():
    assert list(PROGRAMS) == [
        "Ten lines",
        "A script that was written for Keras",
        "A published model",
        "Looking inside",
    ]


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
