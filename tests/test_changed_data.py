"""Data that somebody changes while `fit` trains on it: no loss of 0, and no wrong cause."""

from __future__ import annotations

import numpy as np
import pytest

from tinynet import Sequential, callbacks, layers

X, THREE = np.ones((64, 4), np.float32), np.arange(64) % 3
CASES = {
    "sparse": ("sparse_categorical_crossentropy", "softmax", THREE, 7, "Label 7 at index 0 is out of range"),
    "floats": ("sparse_categorical_crossentropy", "softmax", THREE * 1.0, -1, "out of range"),
    "no softmax": ("sparse_categorical_crossentropy", "sigmoid", THREE, 3, "out of range"),
    "rows": ("categorical_crossentropy", "softmax", np.eye(3)[THREE], 0, "row 0 sums to 0.0"),
    "binary": ("binary_crossentropy", "sigmoid", THREE % 2, 5, "outside 0..1"),
    "numbers": ("mse", None, THREE * 1.0, np.nan, "not a finite number"),
}


@pytest.mark.parametrize("place", ["training", "validation", "on_batch"])
@pytest.mark.parametrize("case", CASES)
def test_targets_that_are_changed_after_their_check_are_refused(case, place):
    loss, activation, targets, value, error = CASES[case]
    model = Sequential([layers.Dense(3 if "categorical" in loss else 1, activation)], 4, seed=0)
    model.compile("sgd", loss, metrics=["accuracy"] if loss != "mse" else None)
    given, held_out = targets.copy(), targets.copy()

    def spoil(*_):
        (held_out if place == "validation" else given)[...] = value

    keywords = {"validation_data": (X, held_out), "epochs": 2, "batch_size": 16, "verbose": 0}
    hook = "on_train_batch_begin" if place == "on_batch" else "on_train_batch_end"
    data = [X, given]
    if place == "on_batch":
        data, keywords = [iter([(X, given)])], {"verbose": 0}
    with pytest.raises(ValueError, match=f"changed since they were checked.*{error}"):
        model.fit(*data, **keywords, callbacks=[callbacks.LambdaCallback(**{hook: spoil})])
    assert np.isfinite(model.flat.value).all()


def test_nan_of_augment_is_no_learning_rate_too_high():
    model = Sequential([layers.Dense(1)], 4, seed=0)
    model.compile("sgd", "mse")

    def augment(images, *, seed, epoch, indices):
        return np.full_like(images, np.nan)

    with pytest.warns(UserWarning, match="cause: x holds NaN or infinite values, of augment="):
        model.fit(X, THREE, augment=augment, verbose=0)
