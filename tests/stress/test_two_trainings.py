"""Two trainings of one model at the same time: one of them is refused."""

from __future__ import annotations

import sys
import time

import numpy as np
import pytest
from attacks import Interruptions, in_threads
from processes import in_fresh_processes
from small_models import cnn, problem

from tinynet import Sequential, callbacks, layers


@in_fresh_processes(runs=1)
def test_a_second_thread_that_fits_the_same_model_is_refused_at_once_and_the_first_goes_on():
    model = Sequential([layers.Flatten(), layers.Dense(10, "softmax")], (224, 224, 3))
    model.compile("adam")
    x = np.random.default_rng(0).normal(size=(256, 224, 224, 3)).astype(np.float32)
    y = np.arange(256) % 10
    refused, ended = [], []

    def fit(_):
        until_refused = callbacks.LambdaCallback(
            on_train_batch_end=lambda *_: setattr(model, "stop_training", bool(refused))
        )
        try:
            model.fit(x, y, batch_size=64, epochs=20, verbose=0, callbacks=[until_refused])
            ended.append(bool(refused))
        except RuntimeError as error:
            refused.append(str(error))

    assert in_threads(fit, 2) == []
    assert len(refused) == 1
    assert "already" in refused[0]
    assert ended == [True]  # the other had been refused by then
    assert np.isfinite(model.flat.value).all()
    model.fit(x[:64], y[:64], verbose=0)


@in_fresh_processes(runs=1)
def test_steps_of_one_model_on_two_threads_are_made_or_refused():
    model = Sequential([layers.Flatten(), layers.Dense(10, "softmax")], (224, 224, 3))
    model.compile("adam")
    x = np.random.default_rng(0).normal(size=(64, 224, 224, 3)).astype(np.float32)
    y = np.arange(64) % 10
    made, refused = [], []

    def train(_):
        for _ in range(25):
            try:
                model.train_on_batch(x.copy(), y)
                made.append(1)
            except RuntimeError as error:
                refused.append("already" in str(error))
                time.sleep(0.001)

    sys.setswitchinterval(1e-5)
    assert in_threads(train, 2) == []
    assert made
    assert all(refused)
    assert np.isfinite(model.flat.value).all()
    assert model.steps_trained == len(made)


@in_fresh_processes(runs=1)
def test_a_step_inside_of_the_same_models_fit_is_refused_and_changes_nothing():
    x, y = problem(64)
    calm, model, refused = cnn(), cnn(), []

    def step():
        with pytest.raises(RuntimeError, match="already"):
            model.train_on_batch(x[:16], y[:16])
        refused.append(1)

    attack = Interruptions(step, most=400)
    during = callbacks.LambdaCallback(
        on_epoch_begin=lambda _: attack.__enter__(), on_epoch_end=lambda *_: attack.__exit__()
    )
    model.fit(x, y, batch_size=16, epochs=50, verbose=0, callbacks=[during])
    assert refused
    calm.fit(x, y, batch_size=16, epochs=50, verbose=0)
    assert model.flat.value.tobytes() == calm.flat.value.tobytes()
