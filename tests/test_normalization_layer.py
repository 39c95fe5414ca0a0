"""Normalization finds its numbers in data, and keeps them in models and files."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynet import Input, Model, Sequential, layers, load_model, optim


@settings(max_examples=30)
@given(
    st.tuples(st.integers(2, 9), st.integers(1, 4), st.integers(1, 4)),
    st.sampled_from([None, -1, 1, (1, 2)]),
    st.integers(1, 8),
    st.integers(0, 2**32),
)
def test_data_has_mean_0_and_variance_1_afterwards(shape, axis, cut, seed):
    data = np.random.default_rng(seed).normal(size=shape) * 7 + 100
    layer = layers.Normalization(axis)
    layer.adapt([data[:cut], data[cut:]])
    kept = [] if axis is None else [a % 3 for a in np.atleast_1d(axis)]
    axes = tuple(a for a in range(3) if a not in kept)
    np.testing.assert_allclose(layer.found_mean.value, data.mean(axes), rtol=1e-5)
    np.testing.assert_allclose(layer.found_variance.value, data.var(axes), rtol=1e-5, atol=1e-8)
    undo = layers.Normalization(axis, invert=True)
    undo.build(shape[1:])
    undo.set_weights(layer.get_weights())
    np.testing.assert_allclose(undo(layer(data)), data, rtol=1e-5)


def test_it_keeps_its_numbers_in_models_and_files(tmp_path, blobs):
    x, y = blobs
    x = 100 + 30 * x
    layer = layers.Normalization()
    layer.adapt(x)
    numbers = layer.get_weights()
    models = [
        Sequential([layer, layers.Dense(3, "softmax")], x.shape[1]),
        Sequential([Input(x.shape[1:]), layer, layers.Dense(3, "softmax")]),
        Sequential([layer, layers.Dense(3, "softmax")]),
    ]
    inputs = Input(x.shape[1:])
    models.append(Model(inputs, layers.Dense(3, "softmax")(layer(inputs))))
    for model in models:
        model.compile(optim.Adam(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(x, y, epochs=5, verbose=0)
        assert model.only_kernels
        assert model.evaluate(x, y, verbose=0)[1] > 0.8
        for value, before in zip(layer.get_weights(), numbers, strict=True):
            np.testing.assert_array_equal(value, before)
    model.save(tmp_path / "model")
    again = load_model(tmp_path / "model")
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    layer.adapt(x + 10)  # in a model that has predicted
    np.testing.assert_allclose(model.predict(x + 10), again.predict(x), atol=1e-5)


def test_a_column_of_numbers_is_adapted_to():
    layer = layers.Normalization(axis=None)
    layer.adapt(np.array([1.0, 3.0]))
    np.testing.assert_array_equal(layer([[1.0], [5.0]]), [[-1], [3]])


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: layers.Normalization(0), "axis must be None, or one or more of a sample's axes.*got 0"),
        (lambda: layers.Normalization("a"), "axis must be"),
        (lambda: layers.Normalization(mean=1), "mean and variance must be given together"),
        (lambda: layers.Normalization(mean="a", variance=1), "mean must be a finite number"),
        (lambda: layers.Normalization(mean=[1], variance=1), r"the same shape.*got \(1,\) and \(\)"),
        (lambda: layers.Normalization(None, [1], [1]), "of at most 0 axes"),
        (lambda: layers.Normalization(3).build((4,)), r"axis 3 is none of a sample of shape \(4,\)"),
        (lambda: layers.Normalization(-1, [1, 2], [1, 2]).build((3,)), r"arrays of shape \(3,\); got \(2,\)"),
        (lambda: layers.Normalization(-1, 1, 2).adapt(np.zeros((2, 3))), "was given its mean and variance"),
        (lambda: layers.Normalization().adapt(np.zeros((0, 3))), "at least one sample"),
        (lambda: layers.Normalization().adapt([]), "at least one sample"),
        (
            lambda: layers.Normalization().adapt([np.ones((2, 1)), [[1], [np.nan]]]),
            r"data holds NaN.*\(3, 0\)",
        ),
        (
            lambda: layers.Normalization().adapt(np.array([[np.inf]])),
            r"infinite values, the first at \(0, 0\)",
        ),
        (
            lambda: layers.Normalization().adapt([np.ones((1, 3)), np.ones((1, 2))]),
            r"expected data \(N, \*\(3,",
        ),
        (lambda: layers.Rescaling("a"), "scale must be a finite number"),
        (lambda: layers.Rescaling(1, float("nan")), "offset must be a finite number"),
        (lambda: layers.Rescaling([1, 2]).build((3, 4)), r"scale of shape \(2,\) does not broadcast"),
    ],
)
def test_what_makes_no_sense_is_refused(act, message):
    with pytest.raises(ValueError, match=message):
        act()
