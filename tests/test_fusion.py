"""Layers that run as one with the layer after them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import tinynet
from tinynet import Sequential, layers, optim
from tinynet.layers.flow import Flow
from tinynet.layers.fusion import fuse

SHAPE = (9, 8, 2)


@dataclass(eq=False, repr=False)
class MyReLU(layers.ReLU, only_kernels=True):
    """A class of one's own, which may do something else."""


def convolutional(relu=layers.ReLU, dtype="float64"):
    parts = [
        layers.Conv2D(5, 3, padding="same"), relu(), layers.MaxPool2D(2),
        layers.Conv2D(4, 2, use_bias=False), relu(), layers.Flatten(),
        layers.Dense(7), relu(), layers.Dropout(0.3), layers.Dense(3, activation="softmax"),
    ]  # fmt: skip
    return Sequential(parts, SHAPE, seed=0, dtype=dtype)


def problem(samples=11, dtype="float64"):
    random = np.random.default_rng(samples)
    return random.normal(size=(samples, *SHAPE)).astype(dtype), random.integers(0, 3, samples)


def kinds(flow):
    return [type(layer).__name__ for layer in flow.layers]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_relu_joins_the_layer_before_it_bit_for_bit(dtype):
    model = convolutional(dtype=dtype)
    assert kinds(model.fused()) == ["ConvPool", "Conv2D", "Flatten", "Dense", "Dropout", "Dense"]
    for samples in (1, 2, 70):
        x, _ = problem(samples, dtype)
        np.testing.assert_array_equal(model.predict(x), model.forward(x))
    x, _ = problem(3, dtype)
    x[1] = np.nan
    (fused,) = model.fused().forward([x])
    np.testing.assert_array_equal(fused, model.forward(x))
    assert np.isnan(fused[1]).all()


def test_a_step_is_that_of_the_layers_one_by_one():
    x, y = problem()
    model, loss = convolutional(), tinynet.losses.SparseCategoricalCrossentropy()
    model.compile(optim.SGD(0.1))
    for layer in model.layers:
        layer.step = 0
    outputs = model.forward(x, training=True)
    model.backward(loss.gradient(y, outputs))
    expected = [p.value - 0.1 * p.grad for p in model.parameters]
    model.train_on_batch(x, y)
    for parameter, value in zip(model.parameters, expected, strict=True):
        np.testing.assert_allclose(parameter.value, value, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("relu", [MyReLU, lambda: layers.LeakyReLU(0.1), layers.Tanh])
def test_other_activations_stay(relu):
    assert len(convolutional(relu).fused().layers) == len(convolutional(relu).layers)


def test_a_layer_with_an_activation_stays():
    model = Sequential([layers.Dense(3, activation="tanh"), layers.ReLU(), layers.ReLU()], 4)
    assert kinds(model.fused()) == ["Dense", "ReLU", "ReLU"]


@pytest.mark.parametrize("joined", [True, False])
def test_what_is_used_twice_is_computed_by_itself(joined):
    inputs = tinynet.Input(SHAPE)
    convolution = layers.Conv2D(3, 3, padding="same")(inputs)
    pooled = layers.MaxPool2D(2)(layers.ReLU()(convolution))
    other = layers.MaxPool2D(2)(layers.Conv2D(3, 3, padding="same")(inputs) if joined else convolution)
    model = tinynet.Model(inputs, layers.Add()([pooled, other]))
    assert kinds(model.fused()).count("ConvPool") == (2 if joined else 0)
    x, _ = problem(dtype="float32")
    np.testing.assert_array_equal(model.predict(x), model.forward(x))


def test_an_output_is_used():
    inputs = tinynet.Input(4)
    dense = layers.Dense(3)(inputs)
    model = tinynet.Model(inputs, [dense, layers.ReLU()(dense)])
    assert kinds(model.fused()) == ["Dense", "ReLU"]
    below, above = model.predict(np.random.default_rng(0).normal(size=(5, 4)))
    assert (below < 0).any()
    np.testing.assert_array_equal(above, np.maximum(below, 0))


def test_nothing_is_fused_to_nothing():
    assert fuse(Flow([(3,)])).calls == []
