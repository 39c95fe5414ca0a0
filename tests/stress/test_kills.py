"""Processes that are stopped while they train and write: nothing is lost, torn or left behind."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time

import numpy as np
import pytest
from rounds import rounds
from test_backup import CASES, kill_and_go_on

import tinynet
from tinynet import Sequential, data, layers

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and signals"),
]


@pytest.mark.parametrize("case", CASES)
def test_a_training_that_is_killed_at_random_moments_goes_on(case, tmp_path):
    for seed in rounds(1):
        kill_and_go_on(case, tmp_path / str(seed), 2, random.Random(seed))


def network():
    made = Sequential([layers.Dense(60, "relu"), layers.Dense(50)], 40, seed=0)
    made.compile("adam", "mse")
    return made


def write_without_end(model, path):
    """Write a file again and again, each time with other numbers, all of which are the same."""
    number = 0.0
    while True:
        number += 1
        if path.name.startswith("array"):
            data.write_idx(path, np.full((30, 900), number))
            continue
        model.set_weights([np.full_like(value, number) for value in model.get_weights()])
        if path.name.startswith("weights"):
            model.save_weights(path)
        else:
            model.save(path)


def number_in(model, path):
    """The number that a file is full of."""
    if path.name.startswith("array"):
        numbers = [data.read_idx(path)]
    elif path.name.startswith("weights"):
        model.load_weights(path)
        numbers = model.get_weights()
    else:
        numbers = tinynet.load_model(path).get_weights()
    assert {float(number) for value in numbers for number in (value.min(), value.max())} == {
        numbers[0].flat[0]
    }
    return numbers[0].flat[0]


def child(model, path):
    """What a forked process does: write until a signal comes, which may be Ctrl-C."""
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with contextlib.suppress(KeyboardInterrupt):
            write_without_end(model, path)
        status = 0
    finally:
        os._exit(status)


def stopped(process, number):
    """Send a process a signal until it has ended, and return its exit code.

    Python ignores a Ctrl-C that comes while it removes something from a dictionary of weak references, of
    which h5py has one: a person presses it again.
    """
    for _ in range(30):
        os.kill(process, number)
        for _ in range(1000):
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.001)
    raise AssertionError("it does not end")


NAMES = [
    "model.safetensors",
    "model.keras",
    "model.h5",
    "weights.weights.h5",
    "weights.safetensors",
    "array.idx.gz",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("number", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_a_file_is_whole_whenever_its_writer_is_stopped(name, number, tmp_path):
    model, path = network(), tmp_path / name
    model.predict(np.zeros((1, 40), np.float32))
    for seed in rounds(5):
        path.unlink(missing_ok=True)
        process = os.fork()
        if process == 0:
            child(model, path)
        while not path.exists():
            time.sleep(0.001)
        time.sleep(random.Random(f"{seed} {name} {number}").uniform(0, 0.06))
        status = stopped(process, getattr(signal, number))
        assert status == (0 if number == "SIGINT" else -getattr(signal, number))
        assert number_in(model, path) >= 1
        left = [one for one in tmp_path.iterdir() if one != path]
        assert len(left) <= (
            number != "SIGINT"
        )  # who is killed in the microseconds before it renames the file
        for one in left:
            os.utime(one, (0, 0))
        data.write_idx(path, np.zeros(3))
        assert [*tmp_path.iterdir()] == [path]
