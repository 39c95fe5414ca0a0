"""Weights of Keras's files, layer by layer: by order, by name, and those that fit."""

from __future__ import annotations

import numpy as np
import pytest

from tinynet import Sequential
from tinynet.layers import BatchNormalization, Dense, ReLU
from tinynet.models.storage.keras_weights import keras_assignments


def network(units=4):
    stack = [Dense(3, name="a"), BatchNormalization(name="norm"), ReLU(), Dense(units, name="b")]
    return Sequential(stack, 2)


def held(**changes):
    ones = {"a": [(2, 3), (3,)], "norm": [(3,)] * 4, "re_lu": [], "b": [(3, 4), (4,)]} | changes
    return [
        (name, [np.full(shape, i + 1.0) for shape in shapes]) for i, (name, shapes) in enumerate(ones.items())
    ]


def given(model, *arguments, **keywords):
    """What each of a model's weights gets, by its path."""
    names = {id(parameter): name for name, parameter in model.named_parameters().items()}
    pairs = keras_assignments(model, *arguments, **keywords)
    assert all(parameter.shape == array.shape for parameter, array in pairs)
    return {names[id(parameter)]: float(array.flat[0]) for parameter, array in pairs}


ALL = {
    "a/kernel": 1, "a/bias": 1, "b/kernel": 4, "b/bias": 4,
    "norm/gamma": 2, "norm/beta": 2, "norm/moving_mean": 2, "norm/moving_variance": 2,
}  # fmt: skip


def test_layers_with_weights_belong_together_in_their_order():
    assert given(network(), held()) == ALL
    assert given(network(), [(f"dense_{i}", arrays) for i, (_, arrays) in enumerate(held())]) == ALL
    model = network()
    model.layers[1].trainable = False
    assert given(model, held()) == ALL


def test_by_name():
    model = network()
    assert given(model, held()[::-1], by_name=True) == ALL
    assert given(model, [("b", held()[3][1]), ("c", held()[0][1])], by_name=True) == {
        "b/kernel": 4,
        "b/bias": 4,
    }
    with pytest.raises(ValueError, match=r"its layers, x, have none of the names a, norm, b"):
        given(model, [("x", held()[0][1])], by_name=True)


def test_what_does_not_fit():
    with pytest.raises(ValueError, match=r"Dense 'b' has weights of shapes \[\(3, 5\), \(5,\)\], and 'b' in"):
        given(network(5), held())
    with pytest.raises(
        ValueError, match=r"it has 2 layers with weights, a, b, and the model has 3, a, norm, b"
    ):
        given(network(), held(norm=[]))
    with pytest.raises(ValueError, match=r"Dense 'a' has .*; BatchNormalization 'norm' has"):
        given(network(), held(norm=[(3,)] * 2, a=[(2, 3)]))


def test_skip_mismatch():
    with pytest.warns(UserWarning, match=r"passed over.* Dense 'b'") as caught:
        found = given(network(5), held(), skip_mismatch=True)
    assert found == {name: one for name, one in ALL.items() if not name.startswith("b/")}
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match=r"passed over"):
        found = given(network(), held(b=[(7, 4), (4,)], norm=[(3,)]), skip_mismatch=True)
    assert found == {"a/kernel": 1, "a/bias": 1, "b/bias": 4}  # as Keras does: each array that fits
