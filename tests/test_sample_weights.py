"""Samples that count more or less than others: in losses, in training steps, in evaluation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loss_cases import CONFIGURATIONS, example

from tinynet import Sequential, layers, losses, optim
from tinynet.training.data import Batch


@dataclass(frozen=True)
class Own(losses.Loss):
    """A loss of one's own, which says only what the mean is."""

    def check(self, y_true, shape):
        pass

    def _value(self, y_true, y_pred):
        return float(np.mean(np.abs(y_pred - y_true) ** 3))

    def _gradient(self, y_true, y_pred):
        return 3 * (y_pred - y_true) * np.abs(y_pred - y_true) / y_pred.size


ALL = [*CONFIGURATIONS, Own()]


@pytest.mark.parametrize("shape", [(5, 4), (1, 2), (3, 2, 4), (2, 3, 1, 5)])
@pytest.mark.parametrize("loss", ALL, ids=repr)
def test_each_sample_s_loss_and_gradient_are_multiplied_by_its_weight(loss, shape):
    y_pred, y_true = example(loss, shape)
    weights = np.random.default_rng(1).normal(size=shape[0])
    alone = [loss.value_and_gradient(y_true[n : n + 1], y_pred[n : n + 1]) for n in range(shape[0])]
    expected = np.mean([w * value for w, (value, _) in zip(weights, alone, strict=True)])
    slopes = np.concatenate([w * slope for w, (_, slope) in zip(weights, alone, strict=True)]) / shape[0]
    assert loss(y_true, y_pred, weights) == pytest.approx(expected, rel=1e-12)
    value, gradient = loss.value_and_gradient(y_true, y_pred, sample_weight=weights)
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-12)
    np.testing.assert_allclose(loss.gradient(y_true, y_pred, weights), slopes, rtol=1e-12)


@pytest.mark.parametrize("loss", ALL, ids=repr)
def test_weights_of_one_change_nothing_and_those_of_zero_leave_samples_out(loss):
    y_pred, y_true = example(loss, (6, 3))
    assert loss(y_true, y_pred, np.ones(6)) == pytest.approx(loss(y_true, y_pred), rel=1e-14)
    np.testing.assert_array_equal(loss.gradient(y_true, y_pred, np.ones(6)), loss.gradient(y_true, y_pred))
    half = loss(y_true, y_pred, [1, 1, 1, 0, 0, 0])
    assert half == pytest.approx(loss(y_true[:3], y_pred[:3]) / 2, rel=1e-12)
    assert not loss.gradient(y_true, y_pred, [1, 1, 1, 0, 0, 0])[3:].any()


def test_worked_by_hand():
    loss = losses.MeanSquaredError()
    # (2 * 1 + 3 * 4) / 2, and 2 / 2 * w * difference
    assert loss([[0.0], [0.0]], [[1.0], [2.0]], [2.0, 3.0]) == 7.0
    np.testing.assert_array_equal(loss.gradient([[0.0], [0.0]], [[1.0], [2.0]], [2.0, 3.0]), [[2.0], [6.0]])


@pytest.mark.parametrize("given", ["rows", "columns", "ones"])
def test_weights_of_rows(given):
    loss = losses.MeanSquaredError()
    y_pred, y_true = example(loss, (3, 4, 2))
    weights = np.random.default_rng(2).uniform(size=(3, 4))
    shaped = {"rows": weights, "columns": weights[..., None], "ones": weights[:, :1]}[given]
    wide = np.broadcast_to(shaped.reshape(3, -1), (3, 4))
    expected = (np.square(y_pred - y_true).mean(-1) * wide).mean()
    assert loss(y_true, y_pred, shaped) == pytest.approx(expected, rel=1e-14)
    gradient = (y_pred - y_true) * 2 * wide[..., None] / y_pred.size
    np.testing.assert_allclose(loss.gradient(y_true, y_pred, shaped), gradient, rtol=1e-14)


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ([1.0, 2.0], ValueError, r"need sample weights of shape \(3,\), one for each sample; not \(2,\)"),
        (1.0, ValueError, r"not \(\)"),
        ([[1.0, 2.0]] * 3, ValueError, r"not \(3, 2\)"),
        ([1.0, np.nan, 1.0], ValueError, "NaN or infinite"),
        (["a", "b", "c"], TypeError, "must be numbers"),
    ],
)
def test_wrong_weights_are_refused(weights, error, message):
    loss = losses.MeanSquaredError()
    for method in (loss, loss.gradient, loss.value_and_gradient):
        with pytest.raises(error, match=message):
            method(np.zeros((3, 2)), np.zeros((3, 2)), sample_weight=weights)


def make(ends="softmax", shape=(6,)):
    row = [layers.Dense(5, activation="relu"), layers.Dense(3, activation=ends)]
    return Sequential(row, shape, seed=3, dtype="float64")


def data(samples=37, seed=0):
    random = np.random.default_rng(seed)
    x = random.normal(size=(samples, 6))
    return x, random.integers(0, 3, samples), random.uniform(0, 3, samples)


@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "mse", Own()], ids=str)
def test_a_step_with_weights_is_the_step_by_hand(loss):
    """Also where it is recorded and replayed, and where steps without weights come in between."""
    x, labels, weights = data()
    y = labels if loss == "sparse_categorical_crossentropy" else np.eye(3)[labels]
    ends = "softmax" if loss == "sparse_categorical_crossentropy" else None
    model, other = make(ends), make(ends)
    for one in (model, other):
        one.compile(optim.SGD(0.1), loss)
    for number, chosen in enumerate([weights, None, weights[::-1].copy(), None, weights]):
        logs = model.trainer.step(Batch([x], y, chosen), number)
        flow, _, whole = other.trainer.split()
        outputs = flow.forward([x], training=True)[0]
        value, dy = whole.value_and_gradient(y, outputs, chosen)
        flow.backward([dy])
        for parameter in other.parameters:
            parameter.value -= 0.1 * parameter.grad
        assert logs["loss"] == pytest.approx(value, rel=1e-12)
        for ours, theirs in zip(model.parameters, other.parameters, strict=True):
            np.testing.assert_allclose(ours.value, theirs.value, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy"])
def test_weights_of_one_train_to_the_same_bits_and_zeros_leave_out(loss):
    x, y, _ = data()
    models = [make(), make()]
    for model in models:
        model.compile(optim.SGD(0.1), loss)
    for number in range(3):
        first = models[0].trainer.step(Batch([x], y), number)
        second = models[1].trainer.step(Batch([x], y, np.ones(len(x))), number)
        assert first == second
    for ours, theirs in zip(models[0].parameters, models[1].parameters, strict=True):
        np.testing.assert_array_equal(ours.value, theirs.value)


def test_a_step_with_weights_is_recorded():
    x, y, weights = data()
    model = make()
    model.compile(optim.SGD(0.1), "sparse_categorical_crossentropy")
    model.trainer.step(Batch([x], y, weights), 0)
    (step,) = model.trainer.steps.sizes.values()
    assert [len(recording.shapes) for recording in step.outputs.made] == [3]
    model.trainer.step(Batch([x], y), 1)
    assert [len(recording.shapes) for recording in step.outputs.made] == [3, 2]


def test_evaluation_is_weighted_and_its_metrics_are_not():
    x, y, weights = data()
    model = make()
    model.compile("sgd", "sparse_categorical_crossentropy", ["accuracy"])
    plain = model.evaluate(x, y, return_dict=True)
    weighted = model.evaluate(x, y, sample_weight=weights, return_dict=True)
    expected = losses.SparseCategoricalCrossentropy()(y, model.predict(x), weights)
    assert weighted["loss"] == pytest.approx(expected, rel=1e-10)
    assert weighted["accuracy"] == plain["accuracy"]
    assert plain["loss"] != weighted["loss"]


@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "mse"])
def test_a_step_on_predictions_of_several_rows_a_sample(loss):
    random = np.random.default_rng(4)
    x, weights = random.normal(size=(9, 2, 2, 2)), random.uniform(size=9)
    labels = random.integers(0, 3, (9, 2, 2))
    y = labels if loss == "sparse_categorical_crossentropy" else np.eye(3)[labels]
    ends = "softmax" if loss == "sparse_categorical_crossentropy" else None
    model = Sequential([layers.Conv2D(3, 1, activation=ends)], (2, 2, 2), dtype="float64")
    model.compile(optim.SGD(0.1), loss)
    y_pred = model.predict(x)
    rows = [model.loss(y[n : n + 1], y_pred[n : n + 1]) for n in range(9)]
    expected = pytest.approx(np.mean(weights * rows), rel=1e-12)
    assert model.evaluate(x, y, sample_weight=weights) == expected
    assert model.train_on_batch(x, y, weights) == expected
    before, after = y_pred, model.predict(x)
    assert model.loss(y, after, weights) < model.loss(y, before, weights)


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(1, 5))
def test_weights_are_linear(seed, samples, outputs):
    random = np.random.default_rng(seed)
    loss = losses.MeanSquaredError()
    y_true, y_pred = random.normal(size=(2, samples, outputs))
    first, second = random.normal(size=(2, samples))
    both = loss(y_true, y_pred, first + second)
    separate = loss(y_true, y_pred, first) + loss(y_true, y_pred, second)
    assert both == pytest.approx(separate, rel=1e-9, abs=1e-12)
