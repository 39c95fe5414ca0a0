"""Ctrl-C at random moments: the model goes on afterwards."""

from __future__ import annotations

import gc
import itertools
import os
import random
import signal
import threading
import time

import numpy as np
import pytest
import small_models
from processes import SEED, in_fresh_processes
from small_models import assert_close, cnn, problem


def first_step(model, x, y, count):
    model = cnn(count)
    model.train_on_batch(x, y)
    return model


def first_prediction(model, x, y, count):
    model = cnn(count)
    model.predict(x)
    return model


def another_size(model, x, y, count):
    model.train_on_batch(x[: 2 + count % 40], y[: 2 + count % 40])
    model.predict(x[: 2 + count % 40])
    return model


def fit(model, x, y, count):
    model.fit(x, y, batch_size=20, epochs=3, verbose=0)
    return model


def predict(model, x, y, count):
    model.predict(x)
    return model


ACTIONS = [first_step, first_prediction, another_size, fit, predict]


@pytest.mark.parametrize("make", ["cnn", "with_python_layer"])
@pytest.mark.parametrize("action", [action.__name__ for action in ACTIONS])
@in_fresh_processes(runs=1)
def test_ctrl_c_interrupts_and_the_model_goes_on_afterwards(action, make):
    interrupt_many_times(globals()[action], getattr(small_models, make), times=15, longest=0.05)


@in_fresh_processes(runs=1, imported=False)
def test_ctrl_c_interrupts_the_import_of_the_kernels_and_the_model_goes_on_afterwards():
    interrupt_many_times(first_step, cnn, times=1, longest=0.6)


@in_fresh_processes(runs=1, cold=True, seconds=150)
def test_ctrl_c_interrupts_compilation_and_the_model_goes_on_afterwards():
    interrupt_many_times(first_step, cnn, times=3, longest=0.6)


@in_fresh_processes(runs=1)
def test_ctrl_c_never_leaves_half_a_module_with_llvm():
    from numba import types

    from tinynet.kernels import calling

    signal.signal(signal.SIGINT, signal.default_int_handler)
    new = (
        (types.none, *types_)
        for count in itertools.count(1)
        for types_ in itertools.product([types.int64, types.float32, types.float64], repeat=count)
    )
    for number in range(50):
        arrived = threading.Event()

        def interrupt(number=number, arrived=arrived):
            time.sleep(random.Random(f"{SEED} {number}").uniform(0, 0.02))
            while not arrived.is_set():
                os.kill(os.getpid(), signal.SIGINT)
                arrived.wait(3)

        sender = threading.Thread(target=interrupt)
        try:
            sender.start()
            while True:
                calling.callers([next(new)])
        except KeyboardInterrupt:
            arrived.set()
        sender.join()
        gc.collect()
    assert calling.callers([next(new), next(new)])


def interrupt_many_times(action, make, times, longest):
    signal.signal(signal.SIGINT, signal.default_int_handler)
    model, (x, y) = make(), problem(60)
    for number in range(times):
        arrived, count = threading.Event(), 0

        def interrupt(number=number, arrived=arrived):
            time.sleep(random.Random(f"{SEED} {number}").uniform(0, longest))
            while not arrived.is_set():  # Python loses an exception that is raised in a finalizer
                os.kill(os.getpid(), signal.SIGINT)
                arrived.wait(3)

        sender = threading.Thread(target=interrupt)
        try:
            sender.start()
            while True:
                model = action(model, x, y, count)
                count += 1
        except KeyboardInterrupt:
            arrived.set()
        sender.join()
        assert_close(model.predict(x), model.forward(x))
        for size in (20, 60):
            assert np.isfinite(model.train_on_batch(x[:size], y[:size], return_dict=True)["loss"])
        assert np.isfinite(model.predict(x)).all()
        assert_close(model.predict(x), model.forward(x))
