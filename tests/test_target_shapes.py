"""Targets (N,) of a single output (N, 1): what losses and metrics of one's own get."""

from __future__ import annotations

import numpy as np
import pytest

from tinynet import Sequential, gradcheck, layers, losses, metrics, optim

RANDOM = np.random.default_rng(0)
X, Y, WEIGHTS = RANDOM.normal(size=(9, 3)), RANDOM.normal(size=9), RANDOM.uniform(0.5, 2, 9)


class Quartic(losses.Loss):
    def _value(self, y_true, y_pred):
        return float(((y_pred - y_true) ** 4).mean())

    def _gradient(self, y_true, y_pred):
        return 4 * (y_pred - y_true) ** 3 / y_pred.size


class Largest(metrics.Metric):
    def reset_state(self):
        self.largest = 0.0

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.largest = max(self.largest, float(np.abs(y_true - y_pred).max()))

    def result(self):
        return self.largest


def distance(y_true, y_pred):
    return np.abs(y_true - y_pred).mean(axis=-1)


def compiled():
    model = Sequential([layers.Dense(1)], 3, seed=0, dtype="float64")
    own = {"metrics": [distance, Largest()], "weighted_metrics": [distance]}
    model.compile(optim.SGD(0.01), Quartic(), **own)
    return model


PATHS = {
    "evaluate": lambda model, y, w: model.evaluate(X, y, sample_weight=w),
    "evaluate batches": lambda model, y, w: model.evaluate(
        (X[i : i + 4], y[i : i + 4], w[i : i + 4]) for i in (0, 4, 8)
    ),
    "test_on_batch": lambda model, y, w: model.test_on_batch(X, y, w),
    "train_on_batch": lambda model, y, w: [model.train_on_batch(X, y, w) for _ in range(2)],
    "train_on_batch alike": lambda model, y, w: [model.train_on_batch(X, y) for _ in range(2)],
    "fit": lambda model, y, w: list(
        model.fit(X, y, 4, 2, 0, validation_split=0.3, sample_weight=w).history.values()
    ),
    "gradcheck": lambda model, y, w: [*gradcheck(model, X, y).values()],
    "loss": lambda model, y, w: model.loss(y, X[:, :1], w),
    "value and gradient": lambda model, y, w: model.loss.value_and_gradient(y, X[:, :1], w)[0],
}


@pytest.mark.parametrize("path", PATHS)
def test_one_number_a_sample_is_one_output(path):
    expected = PATHS[path](compiled(), Y[:, None], WEIGHTS)
    np.testing.assert_allclose(PATHS[path](compiled(), Y, WEIGHTS), expected, rtol=1e-12)


def test_a_worked_case():
    loss = Quartic()
    assert loss([0.0, 1.0], [[1.0], [3.0]]) == (1 + 16) / 2  # of (2, 2) it would be (1 + 0 + 81 + 16) / 4
    assert loss.gradient([0.0, 1.0], [[1.0], [3.0]]).tolist() == [[2.0], [16.0]]
    assert loss.of_rows([0.0, 1.0], [[1.0], [3.0]]).tolist() == [1.0, 16.0]


def test_other_shapes_are_still_refused():
    with pytest.raises(ValueError, match="need targets of shape"):
        compiled().evaluate(X, np.zeros((9, 2)))


def test_a_loss_of_ones_own_is_that_of_a_function_in_keras(keras):
    ours = compiled()
    theirs = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    theirs.set_weights(ours.get_weights())
    # Keras does so for functions; its classes of one's own compare all with all.
    theirs.compile("sgd", lambda y_true, y_pred: keras.ops.mean((y_pred - y_true) ** 4, axis=-1))
    for y in (Y, Y[:, None]):
        assert ours.evaluate(X, y)[0] == pytest.approx(float(theirs.evaluate(X, y, verbose=0)), rel=1e-5)
