from __future__ import annotations

import math

import numpy as np
import pytest

from tinynet import Sequential, layers, losses, shards
from tinynet.shards import Replicas


@pytest.mark.parametrize("samples", [1, 3, 4, 13, 30])
@pytest.mark.parametrize("cache_bytes", [2**20, 100])
@pytest.mark.parametrize("threads", [1, 2])
def test_the_sum_over_uneven_shards_is_the_gradient_of_the_batch(
    set_threads, monkeypatch, samples, cache_bytes, threads
):
    set_threads(threads)
    monkeypatch.setattr(shards, "CACHE_BYTES", cache_bytes)  # a small one gives the most shards
    random = np.random.default_rng(samples)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model = Sequential(
        [
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.MaxPool2D(2),
            layers.Dropout(0.3),
            layers.Flatten(),
            layers.Dense(5, activation="tanh"),
            layers.Dense(3),
        ],
        (6, 6, 2),
        dtype="float64",
    )
    replicas = Replicas(model.layers, model.flat, loss)
    for step, count in enumerate([samples, 30, samples]):  # what a larger batch left behind must not count
        x, y = random.normal(size=(count, 6, 6, 2)), random.integers(0, 3, count)
        model.layers[2].step = step
        outputs = model.forward(x, training=True)
        model.backward(loss.gradient(outputs, y))
        expected = model.flat.grad.copy()
        model.flat.grad[:] = np.nan
        value, parts = replicas.gradient(lambda part, x=x, y=y: (x[part], y[part]), count, step)
        np.testing.assert_allclose(model.flat.grad, expected, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(np.concatenate(parts), outputs, rtol=1e-12)
        assert value == pytest.approx(loss(outputs, y), rel=1e-12)
        assert len(parts) == min(count, 2 if cache_bytes > 100 else 8)


def test_the_number_of_shards_does_not_depend_on_the_number_of_threads(set_threads):
    model = Sequential([layers.Dense(2)], 3)
    model.compile("sgd", "mse")
    counts = []
    for threads in (1, 2, 9):
        set_threads(threads)
        _, parts = model.trainer.replicas.gradient(
            lambda part: (np.ones((50, 3))[part], np.ones((50, 2))[part]), 50, 0
        )
        counts.append([len(part) for part in parts])
    assert counts == [[25, 25]] * 3


def test_a_model_without_parameters_can_be_evaluated_and_fitted():
    model = Sequential([layers.Flatten(), layers.Softmax()], (2, 2))
    model.compile("sgd")
    history = model.fit(np.zeros((9, 2, 2)), np.zeros(9, int), verbose=0).history
    assert history["loss"] == [pytest.approx(math.log(4))]
