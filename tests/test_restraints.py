"""Regularizers and constraints: alone, in models, in recorded steps, in files, and as in Keras."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynet
from tinynet import Input, Model, Sequential, constraints, layers, load_model, optim, regularizers
from tinynet.kernels import penalties

floats = st.floats(-10, 10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [0, 1, 127, 128, 300])
def test_the_kernels_of_penalties(size, dtype):
    random = np.random.default_rng(0)
    whole = random.normal(size=size + 8).astype(dtype)
    weights, gradient = whole[4 : 4 + size], np.full(size + 8, 7.0, dtype)
    weights[::5] = 0
    expected = 0.3 * np.abs(weights.astype(float)).sum() + 0.2 * (weights.astype(float) ** 2).sum()
    assert penalties.penalty(weights, 0.3, 0.2) == pytest.approx(expected, rel=1e-12)
    penalties.add_gradient(weights, gradient[4 : 4 + size], 0.3, 0.2)
    wanted = 7 + 0.3 * np.sign(weights.astype(float)) + 2 * 0.2 * weights
    np.testing.assert_allclose(gradient[4 : 4 + size], wanted, rtol=1e-6)
    assert (gradient[:4] == 7).all()
    assert (gradient[4 + size :] == 7).all()


@settings(max_examples=50)
@given(st.lists(floats, max_size=20), st.floats(0, 5), st.floats(0, 5))
def test_penalties_are_what_they_say(weights, l1, l2):
    expected = l1 * sum(map(abs, weights)) + l2 * sum(weight**2 for weight in weights)
    assert regularizers.L1L2(l1, l2)(weights) == pytest.approx(expected)
    assert regularizers.L1(l1)(weights) + regularizers.L2(l2)(weights) == pytest.approx(expected)


@settings(max_examples=50)
@given(st.integers(0, 2**32), st.floats(0, 3), st.floats(0, 3), st.sampled_from([0, 1, (0, 1), [0, 1, 2]]))
def test_norms_lie_within_their_bounds(seed, low, more, axis):
    weights = np.random.default_rng(seed).normal(size=(3, 4, 2)) * 2
    axes = axis if isinstance(axis, int) else tuple(axis)
    for constraint, least, most in [
        (constraints.MaxNorm(low, axis), 0, low),
        (constraints.MinMaxNorm(low, low + more, 1.0, axis), low, low + more),
        (constraints.UnitNorm(axis), 1, 1),
    ]:
        norms = np.sqrt((constraint(weights) ** 2).sum(axes))
        assert (norms >= least - 1e-4).all()
        assert (norms <= most + 1e-4).all()
    assert (constraints.NonNeg()(weights) >= 0).all()


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda: regularizers.L2(-1), ValueError, "L2: l2 must be a finite number of at least 0; got -1"),
        (lambda: regularizers.L1(math.nan), ValueError, "L1: l1 must be"),
        (lambda: regularizers.L1L2("a"), ValueError, "L1L2: l1 must be"),
        (lambda: regularizers.get("l3"), ValueError, "Unknown regularizer 'l3'"),
        (lambda: regularizers.get(lambda w: 0), TypeError, "whose gradient is known"),
        (lambda: constraints.MaxNorm(-1), ValueError, "max_value must be a number of at least 0; got -1"),
        (lambda: constraints.UnitNorm("x"), ValueError, "axis must be an integer or several"),
        (lambda: constraints.get("maxnorm"), ValueError, "Unknown constraint.*Did you mean"),
        (lambda: constraints.get(3), TypeError, "A constraint is a name such as"),
        (lambda: constraints.Constraint()(1), NotImplementedError, "does not define"),
        (lambda: layers.Dense(2, kernel_regularizer="l9"), ValueError, "Dense: kernel_regularizer: Unknown"),
        (lambda: layers.Conv2D(2, 1, bias_constraint="l9"), ValueError, "Conv2D: bias_constraint: Unknown"),
        (lambda: layers.Dense(2, activity_regularizer="l2"), ValueError, "Dense: activity_regularizer"),
    ],
)
def test_what_is_refused(act, error, message):
    with pytest.raises(error, match=message):
        act()


def penalized(make=layers, sequential=Sequential, **options):
    l2, l1 = ("l2", "l1") if make is layers else ("L2", "L1")
    both = {"class_name": "L1L2", "config": {"l1": 0.01, "l2": 0.02}}
    row = [
        make.Input((6, 5, 2), dtype=options.get("dtype", "float32")),
        make.Conv2D(3, 3, activation="relu", kernel_regularizer=l2, bias_regularizer=l1),
        make.DepthwiseConv2D(2, depthwise_regularizer=l1),
        make.SeparableConv2D(3, 2, depthwise_regularizer=l2, pointwise_regularizer=both),
        make.Flatten(),
        make.Dense(40, kernel_regularizer=both, activation="relu"),
        make.Dense(3, bias_regularizer=l2),
    ]
    return sequential(row, **options)


def data(dtype="float32", samples=21):
    random = np.random.default_rng(0)
    x = random.normal(size=(samples, 6, 5, 2)).astype(dtype)
    return x, random.normal(size=(samples, 3)).astype(dtype)


def expected_penalty(model):
    found = [parameter for layer in model.layers for parameter in layer.parameters]
    return sum(one.regularizer(one.value) for one in found if one.regularizer is not None)


def test_the_loss_includes_the_penalty_and_the_gradient_follows_from_it():
    model, (x, y) = penalized(dtype="float64", seed=3), data("float64")
    random = np.random.default_rng(1)
    model.set_weights([random.normal(size=value.shape) / 2 for value in model.get_weights()])  # away from 0
    model.compile(optim.SGD(1e-3), "mse")
    assert model.only_kernels
    plain = np.mean((model.predict(x) - y) ** 2)
    penalty = expected_penalty(model)
    assert penalty > 0.1
    assert model.evaluate(x, y, verbose=0) == pytest.approx(plain + penalty, rel=1e-9)
    for _ in range(3):  # called, recorded and replayed
        before = model.get_weights()
        loss = model.evaluate(x, y, verbose=0)
        assert model.train_on_batch(x, y) == pytest.approx(loss, rel=1e-9)
        after = model.get_weights()
        gradients = [(old - new) / 1e-3 for old, new in zip(before, after, strict=True)]
        directions = [random.normal(size=value.shape) for value in before]
        losses = []
        for step in (1e-6, -1e-6):
            model.set_weights([v + step * d for v, d in zip(before, directions, strict=True)])
            losses.append(model.evaluate(x, y, verbose=0))
        slope = sum(np.vdot(g, d) for g, d in zip(gradients, directions, strict=True))
        assert (losses[0] - losses[1]) / 2e-6 == pytest.approx(slope, rel=1e-5)
        model.set_weights(after)


@pytest.mark.parametrize("clipnorm", [None, 0.5])
def test_recorded_steps_do_what_called_ones_do(clipnorm, monkeypatch):
    from tinynet.execution import recording

    models = []
    for trusted in (True, False):
        monkeypatch.setattr(recording, "trusted", lambda value=trusted: value)
        model = penalized(seed=3)
        model.compile(optim.Adam(0.01, clipnorm=clipnorm), "mse")
        history = model.fit(
            *data(samples=50), epochs=3, batch_size=16, verbose=0, validation_split=0.2
        ).history
        models.append((history, model.get_weights()))
    assert models[0][0] == models[1][0]
    for one, other in zip(models[0][1], models[1][1], strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_same_bits_on_any_number_of_threads():
    before, results = tinynet.get_num_threads(), []
    for threads in (1, 2, 3):
        tinynet.set_num_threads(threads)
        model = penalized(seed=3)
        model.compile("adam", "mse")
        model.fit(*data(), epochs=2, verbose=0)
        results.append(model.get_weights())
    tinynet.set_num_threads(before)
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_frozen_layers_have_no_penalty_and_shared_ones_have_it_once():
    inputs = Input((3,))
    shared = layers.Dense(3, kernel_regularizer="l2", kernel_constraint="unit_norm")
    model = Model(inputs, shared(shared(inputs)), seed=1)
    model.compile(optim.SGD(0.1), "mse")
    x = np.random.default_rng(0).normal(size=(5, 3))
    plain = np.mean((model.predict(x) - 1) ** 2)
    penalty = regularizers.L2()(shared.kernel.value)
    assert model.evaluate(x, np.ones((5, 3)), verbose=0) == pytest.approx(plain + penalty, rel=1e-5)
    model.train_on_batch(x, np.ones((5, 3)))
    np.testing.assert_allclose((shared.kernel.value**2).sum(axis=0), 1, rtol=1e-5)
    shared.trainable = False
    model.compile("sgd", "mse")
    plain = np.mean((model.predict(x) - 1) ** 2)
    assert model.evaluate(x, np.ones((5, 3)), verbose=0) == pytest.approx(plain, rel=1e-5)


@pytest.mark.parametrize("clipnorm", [None, 1.0])
def test_constraints_hold_after_each_step(clipnorm):
    model = Sequential(
        [
            layers.Conv2D(
                4, 3, kernel_constraint=constraints.MaxNorm(0.5, [0, 1, 2]), bias_constraint="non_neg"
            ),
            layers.Flatten(),
            layers.Dense(3, kernel_constraint=constraints.UnitNorm(), bias_constraint="min_max_norm"),
        ],
        (6, 5, 2),
    )
    model.compile(optim.SGD(0.5, clipnorm=clipnorm), "mse")
    conv, _, dense = model.layers
    for _ in range(3):
        model.train_on_batch(*data())
        assert np.sqrt((conv.kernel.value**2).sum(axis=(0, 1, 2))).max() <= 0.5 + 1e-5
        assert (conv.bias.value >= 0).all()
        np.testing.assert_allclose((dense.kernel.value**2).sum(axis=0), 1, rtol=1e-5)
        assert (dense.bias.value**2).sum() <= 1 + 1e-5


def test_restraints_survive_in_files(tmp_path):
    model = penalized(seed=3)
    bounds = constraints.MinMaxNorm(0.1, 3.0, 0.5, 0)
    model.add(layers.Dense(2, kernel_constraint=bounds, bias_constraint="non_neg"))
    model.compile("sgd", "mse")
    model.save(tmp_path / "model")
    again = load_model(tmp_path / "model")
    assert again.layers[0].kernel_regularizer == regularizers.L2()
    assert again.layers[-1].kernel_constraint == bounds
    x, y = data()
    loss = model.evaluate(x, y[:, :2], verbose=0)
    again.compile("sgd", "mse")
    assert again.evaluate(x, y[:, :2], verbose=0) == loss
    text = json.dumps(model.config())
    assert json.loads(text) == again.config()


# As in Keras.


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("MaxNorm", {}),
        ("MaxNorm", {"max_value": 1.5, "axis": [0, 1]}),
        ("NonNeg", {}),
        ("UnitNorm", {"axis": 1}),
        ("MinMaxNorm", {}),
        ("MinMaxNorm", {"min_value": 2, "max_value": 3, "rate": 0.3, "axis": 1}),
    ],
)
def test_constraints_do_what_they_do_in_keras(kind, arguments, keras):
    weights = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32) * 2
    theirs = getattr(keras.constraints, kind)(**arguments)
    ours = getattr(constraints, kind)(**arguments)
    assert ours == constraints.get(keras.constraints.serialize(theirs))
    assert ours.config()["config"] == theirs.get_config()
    np.testing.assert_allclose(ours(weights), theirs(weights).numpy(), rtol=1e-6)


@pytest.mark.parametrize(
    ("kind", "arguments"), [("L1", {}), ("L2", {"l2": 0.3}), ("L1L2", {}), ("L1L2", {"l1": 0.1, "l2": 0.2})]
)
def test_regularizers_do_what_they_do_in_keras(kind, arguments, keras):
    weights = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    theirs = getattr(keras.regularizers, kind)(**arguments)
    ours = getattr(regularizers, kind)(**arguments)
    again = regularizers.get(keras.regularizers.serialize(theirs))
    assert type(again) is type(ours)
    assert again.config()["config"] == pytest.approx(ours.config()["config"])
    assert ours.config()["config"] == pytest.approx(theirs.get_config())
    assert ours(weights) == pytest.approx(float(theirs(weights)), rel=1e-5)


@pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
def test_training_is_what_it_is_in_keras(keras):
    ours, theirs = penalized(seed=3), penalized(keras.layers, keras.Sequential)
    for model, library in ((ours, layers), (theirs, keras.layers)):
        constraint = {"class_name": "MaxNorm", "config": {"max_value": 0.8, "axis": 0}}
        model.add(library.Dense(2, kernel_constraint=constraint, bias_constraint="non_neg"))
    theirs.set_weights(ours.get_weights())
    ours.compile(optim.SGD(0.1, momentum=0.9), "mse")
    theirs.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    x, y = data()
    history = [
        model.fit(
            x, y[:, :2], epochs=4, batch_size=8, shuffle=False, verbose=0, validation_data=(x, y[:, :2])
        ).history
        for model in (ours, theirs)
    ]
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(history[0][name], history[1][name], rtol=1e-4)
    for value, expected in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-3, atol=1e-5)
