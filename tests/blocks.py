"""Layers made of layers, as users write them, and a training step by hand: what several test modules use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinynet import layers, losses
from tinynet.layers import Dense, Dropout, Layer


@dataclass(eq=False, repr=False)
class Residual(Layer):
    """x + second(drop(first(x))): sublayers in attributes, made in `__post_init__`."""

    units: int
    rate: float = 0.0

    def __post_init__(self):
        self.first = Dense(self.units, activation="tanh")
        self.drop = Dropout(self.rate)
        self.second = Dense(self.units)

    def declare(self, input_shape, random):
        return self.second.build(self.drop.build(self.first.build(input_shape)))

    def forward(self, x, training=False):
        y = self.drop.forward(self.first.forward(x, training), training)
        return np.asarray(x) + self.second.forward(y, training)

    def backward(self, dy):
        return dy + self.first.backward(self.drop.backward(self.second.backward(dy)))


@dataclass(eq=False, repr=False)
class Late(Layer):
    """Sublayers in nested containers, made in `declare`, and built with the layer's own seed and dtype."""

    units: int

    def declare(self, input_shape, random):
        self.rows = {"a": [Dense(self.units, "tanh"), (Dropout(0.25),)], "b": {"c": Dense(self.units)}}
        shape = input_shape
        for layer in self.order():
            shape = layer.build(shape, self.seed, self.dtype)
        return shape

    def order(self):
        return [self.rows["a"][0], self.rows["a"][1][0], self.rows["b"]["c"]]

    def forward(self, x, training=False):
        for layer in self.order():
            x = layer.forward(x, training)
        return x

    def backward(self, dy):
        for layer in reversed(self.order()):
            dy = layer.backward(dy)
        return dy


@dataclass(eq=False, repr=False)
class Held(Layer):
    """Sublayers that are given, in any container, one after another."""

    children: Any

    def order(self):
        return list(self.children.values() if hasattr(self.children, "values") else self.children)

    def declare(self, input_shape, random):
        shape = input_shape
        for layer in self.order():
            shape = layer.build(shape)
        return shape

    def forward(self, x, training=False):
        for layer in self.order():
            x = layer.forward(x, training)
        return x

    def backward(self, dy):
        for layer in reversed(self.order()):
            dy = layer.backward(dy)
        return dy


@dataclass(eq=False, repr=False)
class Recordable(Held, only_kernels=True):
    """The same, with the promise to do nothing else."""


@dataclass(eq=False, repr=False)
class Times(Layer):
    """x * factor, where the factor is an attribute that may change at any time."""

    def __post_init__(self):
        self.factor = 1.0

    def forward(self, x, training=False):
        return np.asarray(x) * self.factor

    def backward(self, dy):
        return np.asarray(dy) * self.factor


def nested():
    """Return layers for 4 features and 3 outputs: rows in blocks in rows, with dropout at each depth."""
    return [
        layers.Chain([Dense(5, "relu"), layers.Chain([Dropout(0.2), Dense(4)])]),
        Late(4),
        Held([Residual(4, 0.5), layers.Chain([Held([Residual(4, 0.5)]), Dropout(0.1)])]),
        Dense(3),
    ]


def recordable():
    """Return the same of layers that call nothing but kernels."""
    return [
        layers.Chain([Dense(5, "relu"), layers.Chain([Dropout(0.2), Dense(4)])]),
        Recordable([Dense(4, layers.LeakyReLU(0.3)), Dropout(0.5), Recordable((Dense(4), Dropout(0.5)))]),
        layers.Chain([Recordable([layers.Chain([Dense(4), Dropout(0.3)])]), layers.BatchNormalization()]),
        Dense(3),
    ]


LOSS = losses.SparseCategoricalCrossentropy(from_logits=True)  # its steps are recorded where layers allow it


def problem(samples=9, seed=0, features=4):
    """Return inputs and labels below 3."""
    random = np.random.default_rng(seed)
    return random.normal(size=(samples, features)), random.integers(0, 3, samples)


def by_hand(model, x, y):
    """Return the loss of the model's next step and the gradients, of the whole batch at once."""
    kept = [parameter.value.copy() for parameter in model.parameters]
    for _, part in model.parts():
        part.step = model.steps_trained
    value, dy = LOSS.value_and_gradient(y, model.forward(x, training=True))
    model.backward(dy)
    gradients = [parameter.grad.copy() for parameter in model.parameters if parameter.trainable]
    for parameter, before in zip(model.parameters, kept, strict=True):  # running means that forward moves
        parameter.value = before
        parameter.grad[...] = np.nan
    return value, gradients


def check_steps(model, x, y, steps=3, rate=0.1):
    """Check that training steps of a model compiled with SGD(rate) and LOSS are those by hand."""
    for _ in range(steps):
        value, gradients = by_hand(model, x, y)
        trained = [parameter for parameter in model.parameters if parameter.trainable]
        before = [parameter.value.copy() for parameter in trained]
        np.testing.assert_allclose(model.train_on_batch(x, y), value, rtol=1e-12)
        for parameter, old, gradient in zip(trained, before, gradients, strict=True):
            np.testing.assert_allclose(parameter.value, old - rate * gradient, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(model.predict(x), model.forward(x))
