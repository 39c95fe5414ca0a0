"""Signal handlers that predict and train: what they interrupt comes out the same."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import small_models
from attacks import Interruptions, in_child
from processes import in_fresh_processes
from small_models import assert_close, cnn, problem, train_and_predict

import tinynet
from tinynet import Sequential, layers


def handlers(model, make):
    """Things to do in a signal handler while `model` trains and predicts, by name."""
    other, x, y = make(seed=7), *problem(9)
    picture = np.zeros((28, 28), np.uint8)
    picture[4:24, 12:16] = 255
    expected, seeds = other.forward(x), iter(range(10_000))

    def predict_another():
        assert_close(other.predict(x), expected)

    def predict_the_same():
        assert np.isfinite(model.predict(x)).all()

    def predict_a_new_model():
        new = make(next(seeds))
        assert_close(new.predict(x), new.forward(x))

    def predict_another_size():
        count = 1 + next(seeds) % 40
        inputs, _ = problem(count)
        assert_close(other.predict(inputs), other.forward(inputs))

    def forward():
        np.testing.assert_array_equal(other.forward(x), expected)
        assert np.isfinite(model.forward(x)).all()

    def read_a_picture():
        assert tinynet.predict_image(picture).digit == 1

    def train_another():
        assert np.isfinite(other.train_on_batch(x, y, return_dict=True)["loss"])

    def train_a_new_model():
        assert np.isfinite(make(next(seeds)).train_on_batch(x, y, return_dict=True)["loss"])

    def change_the_number_of_threads():
        tinynet.set_num_threads(1 + next(seeds) % 3)
        assert_close(other.predict(x), expected)

    return {name: value for name, value in locals().items() if callable(value)}


HANDLERS = [
    "predict_another", "predict_the_same", "predict_a_new_model", "predict_another_size", "forward",
    "read_a_picture", "train_another", "train_a_new_model", "change_the_number_of_threads",
]  # fmt: skip


@pytest.mark.parametrize("make", ["cnn", "with_python_layer"])
@pytest.mark.parametrize("what", HANDLERS)
@in_fresh_processes(runs=1, seconds=60)
def test_a_signal_handler_changes_nothing_in_the_first_steps_and_predictions_that_it_interrupts(what, make):
    make, models = getattr(small_models, make), range(4)
    calm = in_child(lambda: " ".join(train_and_predict(make(seed)) for seed in models), 60)
    digests, calls = [], 0
    for seed in models:
        model = make(seed)
        with Interruptions(handlers(model, make)[what], most=100) as attack:
            digests.append(train_and_predict(model))
        calls += attack.calls
    assert calls
    assert " ".join(digests) == calm


@in_fresh_processes(runs=1, imported=False)
def test_a_signal_handler_may_predict_while_the_main_thread_imports_the_kernels():
    importlib.import_module("numpy.random")
    calm = in_child(lambda: train_and_predict(cnn()), 60)
    model, (x, _) = Sequential([layers.ReLU()], (12, 12, 1)), problem(9)
    outputs = []
    with Interruptions(lambda: outputs.append(model.predict(x)), most=100):
        assert train_and_predict(cnn()) == calm
    assert outputs
    for y in outputs:
        np.testing.assert_array_equal(y, np.maximum(x, 0))
