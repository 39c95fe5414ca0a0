"""Children that were forked while another thread was busy: they predict and train."""

from __future__ import annotations

import importlib
import random
import threading
import time

import numpy as np
import pytest
import small_models
from attacks import Interruptions, in_child
from processes import SEED, in_fresh_processes
from small_models import assert_close, cnn, problem, train_and_predict


@in_fresh_processes(runs=1, imported=False)
def test_a_child_forked_while_another_thread_imports_the_kernels_predicts_and_trains():
    importlib.import_module("numpy.random")
    thread = threading.Thread(target=train_and_predict, args=(cnn(1),))
    thread.start()
    time.sleep(random.Random(SEED).uniform(0, 0.4))
    answer = in_child(lambda: train_and_predict(cnn()), 30)
    thread.join()
    assert answer == train_and_predict(cnn())


@pytest.mark.parametrize("what", ["predict", "train", "both"])
@in_fresh_processes(runs=1)
def test_a_child_forked_while_another_thread_records_predicts_and_trains(what):
    fork_beside_a_busy_thread(what, forks=10)


@in_fresh_processes(runs=1, cold=True, seconds=150)
def test_a_child_forked_while_another_thread_compiles_predicts_and_trains():
    fork_beside_a_busy_thread("both", forks=2, pause=3, seconds=60)


def fork_beside_a_busy_thread(what, forks, pause=0.02, seconds=30):
    done = threading.Event()

    def work():
        count = 0
        while not done.is_set():
            model = cnn(count)
            for size in random.Random(count).sample(range(1, 60), 3):
                x, y = problem(size)
                if what != "train":
                    model.predict(x)
                if what != "predict":
                    model.train_on_batch(x, y)
            count += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        answers = []
        for number in range(forks):
            time.sleep(random.Random(f"{SEED} {number}").uniform(0, pause))
            answers.append(in_child(lambda: train_and_predict(cnn(1000)), seconds))
    finally:
        done.set()
        thread.join()
    assert answers == [train_and_predict(cnn(1000))] * forks


@pytest.mark.parametrize("make", ["cnn", "with_python_layer"])
@in_fresh_processes(runs=1)
def test_a_child_goes_on_with_the_model_that_another_thread_was_training_at_the_fork(make):
    done = threading.Event()
    x, y = problem(50)
    model = getattr(small_models, make)()

    def fit():
        sizes = random.Random(0)
        while not done.is_set():
            model.fit(x, y, batch_size=sizes.randint(5, 50), verbose=0)

    def go_on():
        model.train_on_batch(x[:9], y[:9])
        model.fit(x, y, verbose=0)
        assert_close(model.predict(x), model.forward(x))
        return str(np.isfinite(model.flat.value).all())

    thread = threading.Thread(target=fit)
    thread.start()
    try:
        for number in range(8):
            time.sleep(random.Random(f"{SEED} {number}").uniform(0, 0.05))
            assert in_child(go_on, 30) == "True"
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("make", ["cnn", "with_python_layer"])
@in_fresh_processes(runs=1)
def test_a_child_forked_by_a_signal_handler_in_a_first_step_predicts_and_trains(make):
    make = getattr(small_models, make)
    calm = in_child(lambda: train_and_predict(make()), 60)
    answers = []
    for _ in range(4):
        attack = Interruptions(lambda: answers.append(in_child(lambda: train_and_predict(make()), 30)), 3)
        with attack:
            assert train_and_predict(make()) == calm
    assert answers == [calm] * len(answers) != []
