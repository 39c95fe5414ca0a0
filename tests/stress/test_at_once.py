"""Other things at the same time: copies, threads that come and go, finalizers, exceptions."""

from __future__ import annotations

import copy
import gc
import pickle
import random
import sys
import threading
import time
import warnings

import numpy as np
import pytest
from attacks import in_child, in_threads
from processes import in_fresh_processes
from small_models import assert_close, cnn, problem, train_and_predict, with_python_layer

import tinynet
from tinynet import callbacks


@in_fresh_processes(runs=1)
def test_the_number_of_threads_may_change_while_models_train_and_predict():
    done = threading.Event()
    calm = [train_and_predict(make(seed)) for make in (cnn, with_python_layer) for seed in range(2)]

    def work(i):
        if i == 4:
            for count in range(100):
                tinynet.set_num_threads(1 + count % 5)
                time.sleep(0.001)
            done.set()
            return
        while not done.is_set():
            assert train_and_predict((cnn, with_python_layer)[i // 2](i % 2)) == calm[i]

    sys.setswitchinterval(1e-4)
    assert in_threads(work, 5) == []


@in_fresh_processes(runs=1)
def test_a_model_can_be_copied_and_saved_while_it_trains_on_another_thread():
    model, done = cnn(), threading.Event()
    x, y = problem(50)

    def work(i):
        if i == 0:
            sizes = random.Random(0)
            while not done.is_set():
                model.fit(x, y, batch_size=sizes.randint(3, 50), verbose=0)
            return
        try:
            for _ in range(25):
                for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
                    assert_close(other.predict(x), other.forward(x))
                    assert np.isfinite(other.train_on_batch(x, y, return_dict=True)["loss"])
        finally:
            done.set()

    assert in_threads(work, 2) == []


@in_fresh_processes(runs=1)
def test_models_may_be_let_go_while_they_predict_and_train():
    x, y = problem(40)

    def work(number):
        for count in range(15):
            model = cnn(number)
            thread = threading.Thread(target=model.predict if count % 2 else model.train_on_batch,
                                      args=(x,) if count % 2 else (x, y))  # fmt: skip
            thread.start()
            del model
            gc.collect()
            thread.join()

    assert in_threads(work, 3) == []


@in_fresh_processes(runs=1)
def test_after_an_exception_in_a_callback_or_an_augmentation_a_model_can_be_trained_on():
    model, (x, y) = cnn(), problem(60)

    def fail(*_, **__):
        raise ArithmeticError

    for name in ("on_train_begin", "on_epoch_begin", "on_train_batch_end", "on_epoch_end", "on_train_end"):
        with pytest.raises(ArithmeticError):
            model.fit(x, y, verbose=0, callbacks=[callbacks.LambdaCallback(**{name: fail})])
    with pytest.raises(ArithmeticError):
        model.fit(x, y, verbose=0, augment=fail)
    train_and_predict(model)
    model.fit(x, y, verbose=0)
    assert_close(model.predict(x), model.forward(x))


@pytest.mark.parametrize("what", ["predict", "train", "record"])
@in_fresh_processes(runs=1)
def test_a_process_may_end_while_daemon_threads_predict_and_train(what):
    warnings.simplefilter("ignore")
    x, y = problem(60)

    def work(number):
        model = cnn(number)
        while True:
            if what == "record":
                model = cnn(number)
            if what != "predict":
                model.train_on_batch(x, y)
            if what != "train":
                model.predict(x)

    for number in range(3):
        threading.Thread(target=work, args=(number,), daemon=True).start()
    time.sleep(0.7)


class Predicts:
    """Predicts when the garbage collector finds it, as a finalizer may, and leaves another one behind."""

    left = 300

    def __init__(self, model, x, expected):
        self.model, self.x, self.expected, self.cycle = model, x, expected, self

    def __del__(self):
        np.testing.assert_array_equal(self.model.predict(self.x), self.expected)
        Predicts.left -= 1
        if Predicts.left > 0:
            Predicts(self.model, self.x, self.expected)


@in_fresh_processes(runs=1)
def test_finalizers_that_predict_change_nothing_in_the_first_steps_that_they_interrupt():
    calm = in_child(lambda: " ".join(train_and_predict(cnn(seed)) for seed in range(5)), 60)
    wrong, other, (x, _) = [], cnn(9), problem(9)
    sys.unraisablehook = lambda problem: wrong.append(problem.exc_value)
    gc.set_threshold(100, 1, 1)
    Predicts(other, x, other.forward(x))
    digests = [train_and_predict(cnn(seed)) for seed in range(5)]
    assert wrong == []
    assert Predicts.left < 300
    assert " ".join(digests) == calm


@in_fresh_processes(runs=1)
def test_an_augmentation_may_predict_with_the_model_that_trains():
    model, (x, y) = cnn(), problem(60)

    def augment(images, **_):
        assert np.isfinite(model.predict(images)).all()
        return images[:, ::-1]

    for batch_size in (7, 20, 32, 60):
        model.fit(x, y, batch_size=batch_size, epochs=5, verbose=0, augment=augment)
    np.testing.assert_array_equal(model.predict(x), model.forward(x))
