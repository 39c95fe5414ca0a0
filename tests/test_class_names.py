"""The names of a model's classes: what may be set, and where they are kept."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from tinynet import Input, Model, Sequential, layers, load_model, models
from tinynet.models.class_names import checked_names, classes_in


def model_of(units=3):
    return Sequential([layers.Dense(units)], 2)


def test_a_model_has_none_until_they_are_set():
    model = model_of()
    assert model.class_names is None
    assert "class_names" not in model.config()
    model.class_names = ("cat", "dog", "cow")
    assert model.class_names == ["cat", "dog", "cow"]
    model.class_names.append("hen")  # of a copy
    assert model.class_names == ["cat", "dog", "cow"]
    model.class_names = None
    assert model.class_names is None


def test_files_texts_and_copies_keep_them(tmp_path):
    inputs = Input((2,))
    for model in (model_of(), Model(inputs, layers.Dense(3)(inputs))):
        model.class_names = ["Katze", "Hünd", "牛"]
        model.save(tmp_path / "model.safetensors")
        same = [
            load_model(tmp_path / "model.safetensors"), models.clone_model(model), copy.deepcopy(model),
            pickle.loads(pickle.dumps(model)), models.model_from_json(model.to_json()),
            type(model).from_config(json.loads(json.dumps(model.config()))),
        ]  # fmt: skip
        assert [one.class_names for one in same] == [model.class_names] * 6


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        (["a", "b"], ValueError, r"has 3 outputs and needs 3 names; got 2: a, b\."),
        (list("abcdefg"), ValueError, r"got 7: a, b, c, d, e, \.\.\.\."),
        (["a", "b", "a"], ValueError, "'a' is there twice"),
        ("abc", TypeError, "expected a list of texts"),
        (b"abc", TypeError, "expected a list of texts"),
        ({"a": 0, "b": 1, "c": 2}, TypeError, "in their order; got"),
        (["a", None, "c"], TypeError, "got None among them"),
        ([True, 1, 2], TypeError, "got True among them"),
    ],
)
def test_others_are_refused_and_change_nothing(names, error, message):
    model = model_of()
    model.class_names = range(3)
    with pytest.raises(error, match=f"^class_names: .*{message}"):
        model.class_names = names
    assert model.class_names == ["0", "1", "2"]


def test_one_output_has_two_names():
    model = model_of(1)
    model.class_names = ["no", "yes"]
    with pytest.raises(ValueError, match="one output, which says yes or no, and needs 2 names; got 1: yes"):
        model.class_names = ["yes"]


def test_a_model_that_is_not_built_takes_any_number():
    model = Sequential([layers.Dense(3)])
    model.class_names = ["a", "b"]
    assert model.class_names == ["a", "b"]


def test_a_file_with_other_names_is_damaged():
    config = {**model_of().config(), "class_names": ["a"]}
    with pytest.raises(ValueError, match="needs 3 names"):
        Sequential.from_config(config)


@pytest.mark.parametrize(
    ("shape", "count"),
    [
        ((10,), 10), ((1, 1, 10), 10), ((10, 1), 10), ((1,), 2), ((), 2), ((2,), 2), ((7, 7, 10), None),
        ((None, 10), None), (((10,), (2,)), None), (None, None),
    ],
)  # fmt: skip
def test_how_many_classes_an_output_tells_apart(shape, count):
    assert classes_in(shape) == count
    if count is None:
        assert checked_names("labels", ["a"], shape) == ("a",)
