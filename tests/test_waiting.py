"""Waiting that neither Ctrl-C nor a signal handler breaks, and the place for one at a time."""

from __future__ import annotations

import contextlib
import copy
import os
import signal
import threading
import time

import numpy as np
import pytest

from tinynet import Sequential, callbacks, layers, waiting
from tinynet.waiting import Alone, Gate, Task, apart


@pytest.fixture
def alarm():
    """Calls a function in a signal handler, after a while."""
    before = signal.getsignal(signal.SIGALRM)

    def after(seconds, function):
        signal.signal(signal.SIGALRM, lambda *_: function())
        signal.setitimer(signal.ITIMER_REAL, seconds)

    yield after
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def later(seconds, function):
    threading.Timer(seconds, function).start()


def interrupt():
    raise KeyboardInterrupt


def test_an_open_gate_lets_everybody_through_until_it_is_closed():
    gate = Gate()
    gate.open()
    gate.open()
    for _ in range(3):
        gate.wait()
    gate.close()
    gate.close()
    later(0.05, gate.open)
    gate.wait()
    gate.wait()


def test_a_wait_goes_on_after_an_interruption_which_is_raised_at_its_end(alarm):
    gate, opened = Gate(), []
    alarm(0.05, interrupt)
    later(0.2, lambda: (opened.append(1), gate.open()))
    with pytest.raises(KeyboardInterrupt):
        gate.wait()
    assert opened == [1]
    gate.wait()


def test_a_handler_may_wait_at_the_same_gate(alarm):
    gate, waited = Gate(), []
    alarm(0.05, lambda: (gate.wait(), waited.append(1)))
    later(0.2, gate.open)
    gate.wait()
    assert waited == [1]


def test_a_task_that_has_not_begun_never_does():
    done = []
    task = Task(lambda: done.append(1))
    task.finish()
    task.finish()
    task()
    assert done == []


def test_a_task_that_has_begun_is_waited_for_and_keeps_its_error():
    def slow():
        time.sleep(0.1)
        raise ArithmeticError

    task = Task(slow)
    threading.Thread(target=task).start()
    while not task.begun:
        time.sleep(0.001)
    task.finish()
    assert isinstance(task.error, ArithmeticError)


def test_apart_is_another_thread_for_the_main_one_only():
    main = threading.current_thread()
    other = apart(threading.current_thread)
    assert other is not main
    seen = []
    thread = threading.Thread(target=lambda: seen.append(apart(threading.current_thread)))
    thread.start()
    thread.join()
    assert seen == [thread]
    with np.errstate(all="raise"):
        assert apart(np.geterr)["divide"] == "raise"
    with pytest.raises(ArithmeticError, match="there"):
        apart(lambda: (_ for _ in ()).throw(ArithmeticError("there")))


def test_apart_ends_before_ctrl_c_is_raised(alarm):
    ended = []
    alarm(0.05, interrupt)
    with pytest.raises(KeyboardInterrupt):
        apart(lambda: (time.sleep(0.2), ended.append(1)))
    assert ended == [1]


# One at a time


def test_a_second_call_is_refused_whatever_its_thread_and_may_enter_afterwards():
    alone, refused = Alone("occupied"), []

    def enter():
        try:
            with alone:
                pass
        except RuntimeError as error:
            refused.append(str(error))

    with alone:
        enter()
        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        with copy.deepcopy(alone):  # a copy is another place
            pass
    assert refused == ["occupied"] * 2
    enter()
    assert len(refused) == 2


def test_who_ended_without_leaving_is_not_inside_any_more():
    alone = Alone("occupied")

    def enter():
        alone.__enter__()  # interrupted before it could leave

    for _ in range(2):
        enter()
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    with alone:
        pass


@pytest.mark.parametrize("second", ["fit", "train_on_batch"])
@pytest.mark.parametrize("thread", ["another", "the same"])
def test_a_model_trains_one_call_at_a_time(blobs, second, thread):
    x, y = blobs
    model = Sequential([layers.Dense(3, "softmax")], 2)
    model.compile("sgd")
    refused, other = [], Sequential([layers.Dense(3, "softmax")], 2)
    other.compile("sgd")

    def attempt():
        other.train_on_batch(x, y)
        model.predict(x)
        model.evaluate(x, y)
        try:
            getattr(model, second)(x, y)
        except RuntimeError as error:
            refused.append(str(error))

    def during(epoch, logs):
        if thread == "the same":
            attempt()
        else:
            worker = threading.Thread(target=attempt)
            worker.start()
            worker.join()

    history = model.fit(x, y, epochs=2, verbose=0, callbacks=[callbacks.LambdaCallback(on_epoch_end=during)])
    assert len(history.history["loss"]) == 2
    assert len(refused) == 2
    assert "being trained already" in refused[0]
    model.train_on_batch(x, y)


def test_after_ctrl_c_a_model_can_be_trained_again(blobs):
    x, y = blobs
    model = Sequential([layers.Dense(3, "softmax")], 2)
    model.compile("sgd")
    stop = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: interrupt())
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, verbose=0, callbacks=[stop])
    assert np.isfinite(model.fit(x, y, verbose=0).history["loss"]).all()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_holds_locks_that_were_made_while_it_waited_for_others(monkeypatch):
    class Importing(contextlib.nullcontext):
        def __enter__(self):
            waiting.hold_over_fork(compiling)

    compiling = threading.RLock()
    monkeypatch.setattr(waiting, "_locks", [*waiting._locks, Importing()])
    free = []

    def attempt():  # what another thread may do while this one forks
        free.append(compiling.acquire(blocking=False))

    waiting._before_fork()
    try:
        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join()
    finally:
        waiting._after_fork()
    assert free == [False]
