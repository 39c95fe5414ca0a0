"""What `fit` does with its arguments, beside Keras 3: the same data, weights and numbers."""

from __future__ import annotations

import os

import numpy as np
import pytest

from tinynet import Sequential, layers, optim, utils

pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")
if keras.backend.backend() != "torch":
    pytest.skip("these tests need Keras's backend torch", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning",
    "ignore:Your input ran out",
    "ignore:fit. the data was over",
)

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(43, 5)).astype("float32"), RANDOM.integers(0, 3, 43)
WEIGHTS = RANDOM.uniform(0, 2, 43).astype("float32")


def pair(metrics=("accuracy",)):
    """The same small model in tinynet and in Keras."""
    ours = Sequential([layers.Dense(4, activation="tanh"), layers.Dense(3, activation="softmax")], 5, seed=1)
    theirs = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(3, "softmax")]
    )
    theirs.set_weights(ours.get_weights())
    ours.compile(optim.SGD(0.1), "sparse_categorical_crossentropy", metrics=[*metrics])
    theirs.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=[*metrics])
    return ours, theirs


def batches(kind, size=8):
    """Batches as a sequence of the library's own class."""
    parts = [(X[i : i + size], Y[i : i + size], WEIGHTS[i : i + size]) for i in range(0, len(X), size)]

    class Data(kind):
        def __len__(self):
            return len(parts)

        def __getitem__(self, index):
            return parts[index]

    return Data()


def generator(size=8):
    while True:
        yield from ((X[i : i + size], Y[i : i + size]) for i in range(0, len(X), size))


CASES = {
    "plain": {"epochs": 3},
    "weights of classes": {"class_weight": {0: 3.0, 2: 0.5}, "epochs": 2},
    "weights of samples": {"sample_weight": WEIGHTS, "epochs": 2},
    "validation split": {"validation_split": 0.3, "epochs": 2},
    "split with weights": {"validation_split": 0.3, "sample_weight": WEIGHTS},
    "validation data": {"validation_data": (X[:9], Y[:9], WEIGHTS[:9]), "epochs": 2},
    "every other epoch": {"validation_data": (X[:9], Y[:9]), "epochs": 5, "validation_freq": 2},
    "some epochs": {"validation_data": (X[:9], Y[:9]), "epochs": 4, "validation_freq": [1, 4]},
    "part of the validation": {"validation_data": (X, Y), "validation_steps": 2, "validation_batch_size": 7},
    "later": {"epochs": 5, "initial_epoch": 3},
    "no epochs": {"epochs": 2, "initial_epoch": 2},
    "few steps": {"epochs": 5, "steps_per_epoch": 4},
    "one step": {"epochs": 7, "steps_per_epoch": 1},
    "steps that divide": {"epochs": 5, "steps_per_epoch": 3},
    "too many steps": {"epochs": 3, "steps_per_epoch": 9},
    "batches of one size": {"epochs": 2, "batch_size": 43},
    "no batch size": {"epochs": 2, "batch_size": None},
}


def assert_alike(ours, theirs, history, expected):
    assert history.epoch == expected.epoch
    assert {*history.history} == {*expected.history}
    for name, values in expected.history.items():
        np.testing.assert_allclose(history.history[name], values, rtol=2e-4, err_msg=name)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_arrays(name):
    ours, theirs = pair()
    keywords = {"batch_size": 8, "shuffle": False, "verbose": 0} | CASES[name]
    history = ours.fit(X, Y, **keywords)
    assert_alike(ours, theirs, history, theirs.fit(X, Y, **keywords))


@pytest.mark.parametrize("steps", [None, 1, 3, 4, 6, 8])
def test_sequences(steps):
    ours, theirs = pair()
    keywords = {"steps_per_epoch": steps, "epochs": 4, "shuffle": False, "verbose": 0}
    history = ours.fit(batches(utils.PyDataset), **keywords)
    assert_alike(ours, theirs, history, theirs.fit(batches(keras.utils.PyDataset), **keywords))
    measured = ours.evaluate(batches(utils.PyDataset), steps=steps)
    assert measured == pytest.approx(
        theirs.evaluate(batches(keras.utils.PyDataset), steps=steps, verbose=0), rel=2e-4
    )


def test_generators():
    ours, theirs = pair()
    keywords = {"steps_per_epoch": 4, "epochs": 3, "validation_data": (X, Y), "verbose": 0}
    history = ours.fit(generator(), **keywords)
    assert_alike(ours, theirs, history, theirs.fit(generator(), shuffle=False, **keywords))
    expected = theirs.predict(generator(), steps=3, verbose=0)
    np.testing.assert_allclose(ours.predict(generator(), steps=3), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("steps", [1, 3, 6])
def test_predictions_of_some_steps(steps):
    ours, theirs = pair()
    np.testing.assert_allclose(
        ours.predict(X, steps=steps, batch_size=8),
        theirs.predict(X, steps=steps, batch_size=8, verbose=0),
        rtol=1e-4,
        atol=1e-6,
    )
