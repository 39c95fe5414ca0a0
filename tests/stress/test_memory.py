"""What predictions on many threads leave behind, and what they read."""

from __future__ import annotations

import gc
import random
import sys
from pathlib import Path

import numpy as np
import pytest
from attacks import in_threads
from processes import in_fresh_processes, resident
from small_models import cnn, problem

from tinynet import Sequential, layers


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
@in_fresh_processes(runs=1)
def test_predictions_on_many_threads_leave_little_memory_behind():
    made = []
    for _ in range(3):
        made += [layers.Conv2D(32, 3, padding="same", activation="relu"), layers.MaxPool2D(2)]
        made += [layers.Dropout(0.25)]
    made += [layers.Flatten(), layers.Dense(128, "relu"), layers.Dense(10, "softmax")]
    model = Sequential(made, (28, 28, 1))
    x = np.random.default_rng(0).normal(size=(512, 28, 28, 1)).astype(np.float32)
    expected = model.predict(x)
    before = resident()

    def predict(_):
        for _ in range(3):
            np.testing.assert_array_equal(model.predict(x), expected)

    assert in_threads(predict, 32) == []
    gc.collect()
    left = resident() - before
    assert left < 300e6, f"{left / 1e6:.0f} MB"


@in_fresh_processes(runs=1)
def test_predictions_on_arrays_that_are_freed_at_once_are_right():
    model, inputs = cnn(), [problem(1 + size, seed=size)[0] for size in range(40)]
    expected = [model.forward(x) for x in inputs]

    def predict(number):
        chance, junk = random.Random(number), []
        for count in range(60):
            i = chance.randrange(len(inputs))
            np.testing.assert_array_equal(model.predict(inputs[i].copy()), expected[i])
            junk = [np.full(inputs[i].shape, np.nan, np.float32) for _ in range(3)]
            if count % 20 == 0:
                gc.collect()
        del junk

    sys.setswitchinterval(1e-5)
    assert in_threads(predict, 6) == []
