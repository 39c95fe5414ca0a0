"""A training that diverges says so, and nothing counts its NaN as an answer."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from tinynet import Sequential, callbacks, layers, metrics, optim

X = np.linspace(-1, 1, 40, dtype=np.float32).reshape(20, 2)
Y = X.sum(axis=1, keepdims=True)


def regression(rate, momentum=0.0, **arguments):
    """A model that diverges where the rate is too high."""
    model = Sequential([layers.Dense(4), layers.Dense(1)], 2, seed=1, **arguments)
    model.compile(optim.SGD(rate, momentum), "mse")
    return model


def warned(function):
    """The warnings of a call, as texts."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        function()
    return [str(one.message) for one in found]


def test_a_loss_that_becomes_infinite_is_told_once_with_the_step_and_the_rate():
    model = regression(50.0)
    (text,) = warned(lambda: model.fit(X, Y, epochs=20, batch_size=10, verbose=0))
    assert "the training has diverged" in text
    assert "learning rate, 50.0" in text
    assert warned(lambda: model.fit(X, Y, verbose=0))  # once for each fit


def test_the_step_is_the_one_whose_loss_it_was():
    model = regression(0.1)
    values = {3: math.inf, 5: math.nan}

    def spoil(batch, logs):
        if model.steps_trained in values:
            model.flat.value[:] = values[model.steps_trained]

    (text,) = warned(
        lambda: model.fit(
            X,
            Y,
            batch_size=5,
            epochs=3,
            verbose=0,
            callbacks=[callbacks.LambdaCallback(on_train_batch_end=spoil)],
        )
    )
    assert text.startswith("fit: the training has diverged: at step 4 the loss is nan")


def test_inputs_that_are_not_scaled_are_the_likeliest_cause():
    model = regression(0.01)
    (text,) = warned(lambda: model.fit(1000 * X, Y, epochs=20, verbose=0))
    assert "x reaches 1e+03" in text
    (text,) = warned(lambda: regression(0.2).fit(X, 1e30 * Y, epochs=20, verbose=0))
    assert "the targets reach 1.9" in text


def test_weights_that_become_infinite_in_the_last_step_are_told_and_named():
    model = regression(0.1)

    def spoil(batch, logs):
        model.layers[1].kernel.value[2, 0] = math.inf

    (text,) = warned(
        lambda: model.fit(X, Y, verbose=0, callbacks=[callbacks.LambdaCallback(on_train_batch_end=spoil)])
    )
    assert "after step 1, dense_1/kernel holds NaN or infinite weights" in text


def test_train_on_batch_tells_once():
    model = regression(0.1)
    model.flat.value[:] = math.nan
    (text,) = warned(lambda: [model.train_on_batch(X, Y) for _ in range(3)])
    assert text.startswith("train_on_batch: the training has diverged: at step 1 the loss is nan")
    assert "the first weights" in text


def test_what_does_not_diverge_says_nothing():
    assert not warned(lambda: regression(0.1).fit(X, Y, epochs=3, verbose=0))


def test_callbacks_say_why_they_stopped(capsys):
    model = regression(0.1)
    model.flat.value[:] = math.nan
    stop = callbacks.EarlyStopping("loss", patience=1)
    assert len(warned(lambda: model.fit(X, Y, epochs=9, verbose=0, callbacks=[stop]))) == 1
    assert capsys.readouterr().out == "\nEpoch 2: training stops, because loss is nan.\n"


def test_terminate_on_nan_says_why(capsys):
    model = regression(0.1)
    model.flat.value[:] = math.nan
    (text,) = warned(lambda: model.fit(X, Y, batch_size=5, verbose=0, callbacks=[callbacks.TerminateOnNaN()]))
    assert "the training has diverged" in text
    assert (
        capsys.readouterr().out
        == "\nBatch 0: the loss is nan, so training stops. Try a lower learning rate.\n"
    )


NAN = math.nan


@pytest.mark.parametrize(
    ("name", "y_true", "y_pred", "expected"),
    [
        ("accuracy", [0, 0, 1], [[NAN, NAN], [0.9, 0.1], [0.1, 0.9]], [0, 1, 1]),
        ("accuracy", [1, 0, 1], [[0.1, NAN], [NAN, 0.1], [0.1, 0.9]], [0, 0, 1]),
        ("accuracy", [0, 0, 1], [[NAN], [0.1], [0.9]], [0, 1, 1]),
        ("sparse_categorical_accuracy", [0, 1], [[NAN, NAN], [0.1, 0.9]], [0, 1]),
        ("categorical_accuracy", [[1, 0], [1, 0]], [[NAN, NAN], [0.9, 0.1]], [0, 1]),
        ("binary_accuracy", [[0, 0]], [[NAN, 0.1]], [[0, 1]]),
        ("top_k_categorical_accuracy", [[1, 0, 0], [1, 0, 0]], [[NAN] * 3, [0.9, 0.1, 0]], [0, 1]),
        ("sparse_top_k_categorical_accuracy", [0, 0], [[0.9, NAN, NAN], [0.9, 0.1, 0]], [0, 1]),
    ],
)  # fmt: skip
def test_rows_with_nan_are_missed(name, y_true, y_pred, expected):
    function = getattr(metrics, name)
    keywords = {"k": 1} if "top_k" in name else {}
    result = function(np.array(y_true), np.array(y_pred), **keywords)
    if name == "accuracy":
        assert result == np.mean(expected)
    else:
        assert result.tolist() == expected


def test_a_confusion_matrix_refuses_nan():
    with pytest.raises(ValueError, match="NaN"):
        metrics.confusion_matrix([0, 1], [[NAN, NAN], [0.5, 0.5]], classes=2)


@pytest.mark.parametrize("suffix", ["safetensors", "keras", "h5"])
@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_to_save_weights_that_are_no_numbers_warns(suffix, value, tmp_path):
    model = regression(0.1)
    model.layers[1].bias.value[0] = value
    methods = {"save": tmp_path / f"a.{suffix}"}
    if suffix != "keras":
        methods["save_weights"] = tmp_path / f"b.weights.{suffix}"
    for method, path in methods.items():
        (text,) = warned(lambda method=method, path=path: getattr(model, method)(path))
        assert text.startswith(f"{method}: dense_1/bias holds NaN or infinite weights")
        assert path.exists()
    model.layers[1].bias.value[0] = 0
    assert not warned(lambda: model.save(tmp_path / f"a.{suffix}"))


def test_weights_of_samples_that_are_too_large_are_the_likeliest_cause():
    model = regression(0.1)
    (text,) = warned(lambda: model.fit(X, Y, sample_weight=np.full(20, 1e30), epochs=5, verbose=0))
    assert "the sample weights reach 1e+30" in text
