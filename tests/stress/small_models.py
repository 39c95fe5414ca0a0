"""Small models that attacks train, and digests of what comes out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from tinynet import Sequential, layers


def cnn(seed=0, size=12):
    model = Sequential(
        [
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.MaxPool2D(2),
            layers.Dropout(0.25),
            layers.AveragePool2D(2),
            layers.LeakyReLU(0.1),
            layers.Flatten(),
            layers.Dense(8, activation="relu"),
            layers.Dense(3, activation="softmax"),
        ],
        (size, size, 1),
        seed=seed,
    )
    model.compile("adam")
    return model


@dataclass(eq=False)
class Doubling(layers.Layer):
    """A layer made of NumPy, as a user writes it."""

    def forward(self, x, training=False):
        return self.check_input(x) * np.float32(2)

    def backward(self, dy):
        return np.asarray(dy, self.dtype) * np.float32(2)


def with_python_layer(seed=0):
    model = Sequential(
        [layers.Flatten(), Doubling(), layers.Dense(8, activation="tanh"), layers.Dense(3, "softmax")],
        (12, 12, 1),
        seed=seed,
    )
    model.compile("adam")
    return model


def problem(samples, size=12, seed=0):
    x = np.random.default_rng(seed).normal(size=(samples, size, size, 1)).astype(np.float32)
    return x, np.arange(samples) % 3


def assert_close(outputs, expected):
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-7)


def train_and_predict(model, sizes=(20, 33, 7)):
    """Make first steps and predictions; return a digest of all that came out."""
    outputs = []
    for size in sizes:
        x, y = problem(size, model.input_shape[0])
        for _ in range(2):
            model.train_on_batch(x, y)
            outputs += [model.flat.value.tobytes(), model.predict(x).tobytes()]
    return hashlib.sha256(b"".join(outputs)).hexdigest()
