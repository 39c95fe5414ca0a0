"""Activations by name, as functions and as layers."""

from __future__ import annotations

import numpy as np
import pytest

import tinynet
from tinynet import Sequential, activations, layers, load_model, models
from tinynet.training.logits import split_at_logits

NAMES = [name for name in layers.activation.BY_NAME if name != "gelu_approximate"]


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


@pytest.mark.parametrize(
    "function", ["softmax", activations.softmax, layers.Softmax(), layers.Softmax(axis=1)]
)
@pytest.mark.parametrize("inside", [True, False])
def test_softmax_is_cancelled_by_the_loss(function, inside):
    last = [layers.Dense(3, function)] if inside else [layers.Dense(3), layers.Activation(function)]
    model = Sequential(last, 2)
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.layers[0].kernel.value[:] = [[1000, 0, 0], [0, 0, 0]]
    assert model.evaluate([[1.0, 0.0]], [1]) == pytest.approx(1000)  # and not the logarithm of 0
    np.testing.assert_array_equal(model.predict([[1.0, 0.0]]), [[1, 0, 0]])
    model.train_on_batch([[1.0, 0.0]], [1])
    np.testing.assert_allclose(model.layers[0].kernel.value[0], [1000 - 0.01, 0.01, 0], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("function", ["sigmoid", activations.sigmoid, layers.Sigmoid()])
@pytest.mark.parametrize("inside", [True, False])
def test_sigmoid_is_cancelled_by_the_loss(function, inside):
    last = [layers.Dense(1, function)] if inside else [layers.Dense(1), layers.Activation(function)]
    model = Sequential(last, 1)
    model.compile("sgd", "binary_crossentropy")
    model.layers[0].kernel.value[:] = 1000
    assert model.evaluate([[1.0]], [[0.0]]) == pytest.approx(1000)


def test_functional_models_are_cut_at_their_logits_too():
    inputs = tinynet.Input((2,))
    model = tinynet.Model(inputs, activations.softmax(layers.Dense(3)(inputs)))
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.layers[1].kernel.value[:] = [[1000, 0, 0], [0, 0, 0]]
    assert model.evaluate([[1.0, 0.0]], [1]) == pytest.approx(1000)


def test_other_activations_before_a_crossentropy():
    model = Sequential([layers.Dense(1, "hard_sigmoid")], 1)
    model.compile("sgd", "binary_crossentropy")
    model.layers[0].kernel.value[:], model.layers[0].bias.value[:] = 0, 1.5
    assert model.evaluate([[1.0]], [[1.0]]) == pytest.approx(-np.log(0.75), rel=1e-5)
    for last in ("gelu", "log_softmax", "relu6", "softplus"):
        model = Sequential([layers.Dense(3, last)], 1)
        with pytest.warns(UserWarning, match="takes probabilities"):
            model.compile("sgd", "sparse_categorical_crossentropy")


@pytest.mark.parametrize(("axis", "cancelled"), [(-1, True), (2, True), (1, False), (-2, False)])
def test_softmax_along_another_axis_is_not_cancelled(axis, cancelled):
    flow = Sequential([layers.ReLU(), layers.Softmax(axis)], (3, 2)).flow()
    _, activation, _ = split_at_logits(flow, tinynet.losses.CategoricalCrossentropy())
    assert (activation is not None) == cancelled


def test_softmax_in_the_midst():
    model = Sequential([layers.Softmax(axis=1), layers.Flatten()], (3, 2))
    model.compile("sgd", "categorical_crossentropy")
    x, y = np.random.default_rng(0).normal(size=(4, 3, 2)), np.eye(6)[:4]
    expected = tinynet.losses.CategoricalCrossentropy()(y, model.predict(x))
    assert model.evaluate(x, y) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "relu", [layers.ReLU(6), layers.ReLU(negative_slope=0.1), layers.ReLU(threshold=0.1)]
)
def test_only_plain_relu_joins_the_layer_before_it(relu):
    for made in ([layers.Dense(5), relu], [layers.Dense(5, activation=relu)]):
        model = Sequential(made, 4, seed=0)
        x = 5 * np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
        linear = Sequential([layers.Dense(5)], 4, seed=0)
        linear.set_weights(model.get_weights())
        arguments = {"max_value": relu.max_value, "threshold": relu.threshold}
        expected = activations.relu(linear.predict(x), negative_slope=relu.negative_slope, **arguments)
        np.testing.assert_array_equal(model.predict(x), expected)


def test_activations_are_described_by_name(tmp_path):
    model = Sequential([
        layers.Dense(3, activations.tanh), layers.Activation(activations.relu), layers.Activation(None),
        layers.Activation(layers.LeakyReLU(0.5)),
    ], 2)  # fmt: skip
    configs = model.config()["layers"]
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
