"""Activations do what they do in Keras on PyTorch: the same names, defaults, values and gradients."""

from __future__ import annotations

import inspect
import os

import numpy as np
import pytest

import tinynet
from tinynet import activations, layers

torch = pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")
if keras.backend.backend() != "torch":
    pytest.skip("these tests need Keras's backend torch", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings(  # predict asks PyTorch in NumPy 1's way
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)

NAMES = [
    "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "swish", "softplus", "softsign", "sigmoid",
    "hard_sigmoid", "hard_silu", "hard_swish", "mish", "tanh", "exponential", "linear", "softmax",
    "log_softmax",
]  # fmt: skip
ARGUMENTS = [
    ("relu", {"negative_slope": 0.3}),
    ("relu", {"max_value": 1.5}),
    ("relu", {"threshold": 0.7}),
    ("relu", {"negative_slope": 0.3, "max_value": 1.5, "threshold": 0.7}),
    ("relu", {"negative_slope": 0.3, "max_value": 6}),
    ("leaky_relu", {"negative_slope": 0.01}),
    ("elu", {"alpha": 0.4}),
    ("gelu", {"approximate": True}),
    ("softmax", {"axis": 1}),
    ("softmax", {"axis": -2}),
    ("softmax", {"axis": 0}),
    ("log_softmax", {"axis": 1}),
]
LAYERS = [
    ("ReLU", {}),
    ("ReLU", {"max_value": 1.0, "negative_slope": 0.2, "threshold": 0.5}),
    ("LeakyReLU", {}),
    ("LeakyReLU", {"negative_slope": 0.05}),
    ("ELU", {}),
    ("ELU", {"alpha": 2.0}),
    ("Softmax", {}),
    ("Softmax", {"axis": 1}),
    *(("Activation", {"activation": name}) for name in NAMES),
]
WITH_PARAMETERS = [{}, {"shared_axes": [1]}, {"shared_axes": 1}, {"shared_axes": [1, 2]}]
DTYPES = {"float32": 1e-6, "float64": 1e-7}  # Keras computes some of its constants in float32


def theirs(function, x, dy):
    """Return what a function of Keras gives for x, and its gradient for the upstream dy."""
    tensor = torch.tensor(x, requires_grad=True)
    y = function(tensor)
    y.backward(torch.tensor(dy))
    return y.detach().numpy(), tensor.grad.numpy()


def data(dtype, shape=(3, 4, 17)):
    random = np.random.default_rng(0)
    x = random.normal(size=shape) * np.exp(random.normal(size=shape))
    return x.astype(dtype), random.normal(size=shape).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("kind", "arguments"), LAYERS, ids=str)
def test_layers(kind, arguments, dtype):
    x, dy = data(dtype)
    layer = getattr(layers, kind)(**arguments)
    layer.build(x.shape[1:], dtype=dtype)
    y, dx = layer.forward(x, training=True), layer.backward(dy)
    expected_y, expected_dx = theirs(getattr(keras.layers, kind)(dtype=dtype, **arguments), x, dy)
    np.testing.assert_allclose(y, expected_y, rtol=DTYPES[dtype] * 10, atol=DTYPES[dtype])
    np.testing.assert_allclose(dx, expected_dx, rtol=DTYPES[dtype] * 10, atol=DTYPES[dtype] * 5)


@pytest.mark.parametrize("arguments", WITH_PARAMETERS, ids=str)
def test_prelu(arguments):
    x, dy = data("float32")
    layer, other = layers.PReLU(**arguments), keras.layers.PReLU(**arguments)
    layer.build(x.shape[1:])
    other.build(x.shape)
    assert layer.alpha.value.shape == other.alpha.shape
    assert (layer.alpha.value == 0).all()
    layer.alpha.value[:] = np.random.default_rng(1).normal(size=other.alpha.shape)
    other.set_weights(layer.get_weights())
    y, dx = layer.forward(x, training=True), layer.backward(dy)
    expected_y, expected_dx = theirs(other, x, dy)
    np.testing.assert_allclose(y, expected_y, rtol=1e-6)
    np.testing.assert_allclose(dx, expected_dx, rtol=1e-6)
    np.testing.assert_allclose(layer.alpha.grad, other.alpha.value.grad.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "arguments"), [*((name, {}) for name in NAMES), *ARGUMENTS], ids=str)
def test_functions(name, arguments, dtype):
    x, _ = data(dtype)
    y = getattr(activations, name)(x, **arguments)
    expected = getattr(keras.activations, name)(torch.tensor(x), **arguments).numpy()
    assert y.dtype == expected.dtype == dtype
    np.testing.assert_allclose(y, expected, rtol=DTYPES[dtype] * 10, atol=DTYPES[dtype])


@pytest.mark.parametrize("name", NAMES)
def test_functions_have_the_same_arguments_and_defaults(name):
    ours = inspect.signature(getattr(activations, name)).parameters.values()
    same = inspect.signature(getattr(keras.activations, name)).parameters.values()
    assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in same]
    assert activations.serialize(activations.get(name)) == keras.activations.serialize(
        keras.activations.get(name)
    )


@pytest.mark.parametrize("kind", ["ReLU", "LeakyReLU", "ELU", "Softmax"])
def test_layers_have_the_same_arguments_and_defaults(kind):
    ours = list(inspect.signature(getattr(layers, kind)).parameters.values())
    same = list(inspect.signature(getattr(keras.layers, kind)).parameters.values())[:-1]  # without **kwargs
    assert [(p.name, p.default) for p in ours][: len(same)] == [(p.name, p.default) for p in same]


@pytest.mark.parametrize("name", NAMES)
def test_special_values(name):
    largest, least = np.finfo(np.float32).max, np.float32(1e-45)
    values = [
        0.0,
        -0.0,
        np.inf,
        -np.inf,
        np.nan,
        largest,
        -largest,
        least,
        -least,
        1e30,
        -1e30,
        88.5,
        -88.5,
        3,
        -3,
    ]
    x = np.array([(value, 1) for value in values], np.float32)
    y = getattr(activations, name)(x)
    expected = getattr(keras.activations, name)(torch.tensor(x)).numpy()
    # PyTorch has NaN for gelu of infinity, and infinity for hard_silu of the largest number: steps overflow.
    known = np.isfinite(expected) | ~np.isin(name, ["gelu", "hard_silu", "hard_swish"])
    np.testing.assert_allclose(y[known], expected[known], rtol=1e-5, atol=1e-6)
    assert np.isnan(y[4, 0])


def test_what_keras_refuses_is_refused():
    for arguments in ({"max_value": -1}, {"negative_slope": -1}, {"threshold": -1}, {"negative_slope": None}):
        for library in (keras.layers, layers):
            with pytest.raises(ValueError, match=r"negative|at least 0"):
                library.ReLU(**arguments)


def test_a_model_by_names_is_that_of_keras():
    x, _ = data("float32", (5, 8))
    kinds = ["gelu", "mish", "selu", "hard_silu", "softplus", "softmax"]
    model = tinynet.Sequential([layers.Dense(7, activation=kind) for kind in kinds], 8, seed=0)
    other = keras.Sequential([keras.Input((8,)), *(keras.layers.Dense(7, kind) for kind in kinds)])
    other.set_weights(model.get_weights())
    np.testing.assert_allclose(model.predict(x), other.predict(x, verbose=0), rtol=1e-5)
    activated = [layer["activation"] for layer in model.config()["layers"]]
    assert activated == [layer.get_config()["activation"] for layer in other.layers] == kinds
