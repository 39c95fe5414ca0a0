"""How often training steps and predictions are recorded."""

from __future__ import annotations

import numpy as np
import pytest

from tinynet import Sequential, layers
from tinynet.kernels import program

SIZES = [2, 4, 6, 8, 10, 12, 14, 16]


@pytest.fixture
def recordings(monkeypatch):
    """A list that grows by one with each program that is recorded."""
    made, make = [], program.Program.__init__

    def count(self, *arguments, **options):
        made.append(1)
        make(self, *arguments, **options)

    monkeypatch.setattr(program.Program, "__init__", count)
    return made


def tiny():
    model = Sequential([layers.Dense(4, "relu"), layers.Dense(3, "softmax")], 5)
    model.compile("adam")
    return model


def batch(size):
    return np.random.default_rng(size).normal(size=(size, 5)).astype(np.float32), np.arange(size) % 3


@pytest.mark.parametrize("sizes", [SIZES[:5], SIZES], ids=len)
def test_eight_batch_sizes_in_turns_are_each_recorded_once(recordings, set_threads, sizes):
    set_threads(2)
    model, rounds = tiny(), []
    for _ in range(4):
        for size in sizes:
            model.train_on_batch(*batch(size))
        rounds.append(len(recordings))
    assert rounds[0] > 0  # else nothing is counted here
    assert rounds[1:] == [rounds[1]] * 3


@pytest.mark.parametrize("sizes", [SIZES[:5], SIZES], ids=len)
def test_predictions_of_eight_batch_sizes_in_turns_are_each_recorded_once(recordings, set_threads, sizes):
    set_threads(2)
    model, rounds = tiny(), []
    for _ in range(4):
        for size in sizes:
            x, _ = batch(size)
            np.testing.assert_array_equal(model.predict(x), model.forward(x))
        rounds.append(len(recordings))
    assert rounds[0] > 0
    assert rounds[1:] == [rounds[1]] * 3
