"""Activations by name, as functions and as layers."""

from __future__ import annotations

import numpy as np
import pytest

import tinynet
from tinynet import Sequential, activations, layers, load_model, models

NAMES = ["relu", "leaky_relu", "sigmoid", "tanh", "softmax"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_a_function_and_a_layer_are_the_same(name):
    x = np.random.default_rng(0).normal(size=(4, 7)).astype(np.float32)
    function = getattr(activations, name)
    expected = function(x)
    for layer in (
        layers.Activation(name),
        layers.Activation(function),
        layers.Activation(layers.activation.get(name)),
        layers.Dense(7, name),
    ):
        layer.build(7)
        if layer.parameters:
            layer.kernel.value[:] = np.eye(7)
        np.testing.assert_array_equal(layer.forward(x), expected)
    assert activations.get(name) is function is activations.deserialize(activations.serialize(function))
    assert layers.Dense(7, function).build(3) == (7,)


def test_functions_take_any_shape_and_keep_float64():
    for x in (np.float64(-2), np.zeros(0), np.full((2, 3, 1, 2), -2.0)):
        y = activations.relu(x)
        assert y.shape == np.shape(x)
        assert y.dtype == np.float64
    assert activations.relu([-1, 2]).dtype == np.float32
    assert activations.linear([1]) == [1]


def test_functions_of_arrays_take_no_seed():
    tinynet.set_random_seed(3)
    first = Sequential([layers.Dense(2)], 2).get_weights()[0]
    tinynet.set_random_seed(3)
    activations.softmax(np.ones((2, 2)))
    np.testing.assert_array_equal(Sequential([layers.Dense(2)], 2).get_weights()[0], first)


def test_functions_join_graphs(tmp_path):
    inputs = tinynet.Input((3,))
    x = activations.relu(layers.Dense(4)(inputs))
    model = tinynet.Model(inputs, activations.softmax(layers.Dense(2)(activations.leaky_relu(x, 0.5))))
    model.save(tmp_path / "model")
    x = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_array_equal(load_model(tmp_path / "model").predict(x), model.predict(x))


def sequence(relu, softmax):
    return [layers.Dense(4), relu(), layers.Dense(3), softmax()]


def test_an_activation_layer_runs_and_trains_as_its_activation(blobs):
    x, y = blobs
    weights = []
    for given in (
        sequence(layers.ReLU, layers.Softmax),
        sequence(lambda: layers.Activation("relu"), lambda: layers.Activation(activations.softmax)),
    ):
        model = Sequential(given, 2, seed=1)
        assert [type(layer).__name__ for layer in model.fused().layers] == ["Dense", "Dense", "Softmax"]
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(x, y, epochs=2, verbose=0)
        assert model.only_kernels
        weights.append(np.concatenate([array.reshape(-1) for array in model.get_weights()]))
    np.testing.assert_array_equal(*weights)


def test_softmax_in_an_activation_layer_is_cancelled_by_the_loss():
    for last in (["softmax"], [activations.softmax]):
        model = Sequential([layers.Dense(3), layers.Activation(*last)], 2)
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.layers[0].kernel.value[:] = [[1000, 0, 0], [0, 0, 0]]
        assert model.evaluate([[1.0, 0.0]], [1]) == pytest.approx(1000)


def test_activations_are_described_by_name(tmp_path):
    model = Sequential([
        layers.Dense(3, activations.tanh), layers.Activation(activations.relu), layers.Activation(None),
        layers.Activation(layers.LeakyReLU(0.5)),
    ], 2)  # fmt: skip
    configs = model.get_config()["layers"]
    assert configs[0]["activation"] == "tanh"
    assert configs[1] == {"class": "Activation", "activation": "relu"}
    again = models.model_from_json(model.to_json())
    assert repr(again.layers[-1]) == "Activation(activation=LeakyReLU(negative_slope=0.5))"
    model.save(tmp_path / "model")
    x = np.random.default_rng(0).normal(size=(5, 2))
    np.testing.assert_array_equal(load_model(tmp_path / "model").predict(x), model.predict(x))


def test_a_layer_takes_arrays_of_other_shapes():
    layer = layers.Activation("relu")
    assert layer(-np.ones((2, 3))).shape == (2, 3)
    assert layer(-np.ones((2, 4, 1))).shape == (2, 4, 1)


def mine(x):
    return x


@pytest.mark.parametrize("make", [layers.Activation, lambda a: layers.Dense(3, activation=a)])
def test_a_function_of_ones_own_is_refused(make):
    for function, name in ((mine, "mine"), (lambda x: x, "<lambda>"), (np.tanh, "tanh")):
        with pytest.raises(TypeError, match=f"'{name}' is a function .*write a layer.*forward.*backward"):
            make(function)
    with pytest.raises(ValueError, match=r"Unknown activation 'rleu'\. Did you mean 'relu'"):
        make("rleu")
    with pytest.raises(TypeError, match="make it a layer of the model"):
        make(layers.Dense(2))
    with pytest.raises(ValueError, match="Unknown activation 3"):
        make(3)


def test_an_unknown_name_lists_the_names():
    with pytest.raises(ValueError, match=r"Unknown activation 'rleu'\. Did you mean 'relu'"):
        activations.get("rleu")
