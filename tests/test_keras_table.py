"""docs/keras.md: which of Keras's names are there is true, in tinynet and in Keras."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

import pytest

from tinynet.keras.names import NAMES

GENERATORS = {"DirectoryIterator", "ImageDataGenerator", "Iterator", "NumpyArrayIterator"}
DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture(scope="module")
def table():
    spec = importlib.util.spec_from_file_location("keras_table", DOCS / "keras_table.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def module(place):
    return importlib.import_module(f"tinynet.keras.{place}".rstrip("."))


def test_the_page_is_up_to_date(table):
    assert (DOCS / "keras.md").read_text("utf-8") == table.page(), "run python docs/keras_table.py"


@pytest.mark.parametrize("place", NAMES)
def test_names_are_there_or_say_that_they_are_not(table, place):
    found = table.statuses(place)
    if place == "wrappers":
        pytest.importorskip("sklearn")
    for name, status in found.items():
        if status == "absent":
            if isinstance(vars(module(place)).get(name), type(pytest)):
                continue  # a module that says so when it is asked; see test_keras_tree
            with pytest.raises(AttributeError, match=f"has no {name}"):
                getattr(module(place), name)
        else:
            assert getattr(module(place), name) is not None
    for name in table.differences(place):
        assert name == "*" or found.get(name) in ("same", "differs"), f"{place}.{name} is not there"


@pytest.mark.parametrize("place", NAMES)
def test_the_names_are_keras_s(place, keras):
    theirs = importlib.import_module(f"keras.{place}".rstrip("."))
    names = {name for name in dir(theirs) if not name.startswith("_") and name != "src"}
    older = {
        "preprocessing": {"image", "sequence"},
        "preprocessing.image": GENERATORS,
        "wrappers": {"KerasClassifier", "KerasRegressor"},
    }
    assert {*NAMES[place].split()} == names | older.get(place, set()), keras.__version__
