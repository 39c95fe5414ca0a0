"""Attacks with threads, signals, forks and Ctrl-C: nothing may crash, hang, or come out wrong.

The body of each test runs in fresh processes, several times, because what it looks for depends on chance.
"""

from __future__ import annotations

import contextlib
import copy
import faulthandler
import functools
import gc
import hashlib
import importlib
import itertools
import os
import pickle
import pkgutil
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import tinynet
from tinynet import Sequential, callbacks, layers

pytestmark = [
    pytest.mark.stress,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and signals"),
]


RUN = int(os.environ.get("STRESS_RUN", "0"))  # in a test's process: which of its runs this is


def in_fresh_processes(runs, seconds=40, cold=False, imported=True):
    """Let the body of a test run so many times, each in its own process, which must end well in that time.

    Args:
        runs: how often.
        seconds: a limit against hanging for each run.
        cold: whether the kernels are compiled anew in each process.
        imported: whether Numba and the kernels' modules are imported, though not compiled, before the body.
    """

    def decorate(body):
        @functools.wraps(body)
        def test(**arguments):
            failures = {}
            for number in range(1, runs + 1):
                code = "import test_stress as test; " + "test.import_kernels(); " * imported
                code += f"test.{body.__name__}.__wrapped__(**{arguments!r})"
                failure = failure_of(code, number, seconds, cold)
                if failure:
                    failures[number] = failure
            if failures:
                texts = [f"run {number}: {failure}" for number, failure in failures.items()]
                pytest.fail("\n".join([f"{len(failures)} of {runs} runs failed", *texts]), pytrace=False)

        return test

    return decorate


def failure_of(code, number, seconds, cold):
    """Run code in a fresh process; return what went wrong, or ""."""
    paths = [str(Path(tinynet.__file__).parents[1]), str(Path(__file__).parent)]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-W", "ignore::DeprecationWarning", "-c", code],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(paths),
                **({"NUMBA_CACHE_DIR": folder} if cold else {}),
                "STRESS_RUN": str(number),
            },
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            code = process.wait(seconds)
            what = "" if code == 0 else f"exit code {code}" if code > 0 else signal.Signals(-code).name
        except subprocess.TimeoutExpired:
            what = f"no end within {seconds} s"
            process.send_signal(signal.SIGABRT)  # shows where it hangs
            time.sleep(1)
        finally:
            kill_family(process)
        output.seek(0)
        text = output.read().partition("\nExtension modules")[0]
        return what and f"{what}\n{text[-2500:]}"


def kill_family(process):
    """Kill what is left of a process and its children, which are a session of their own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


# What the attacks are made of


def import_kernels():
    for module in pkgutil.iter_modules(tinynet.kernels.__path__):
        importlib.import_module(f"tinynet.kernels.{module.name}")
    for module in ("numpy.random", "numpy.ma"):  # NumPy and Numba import them when they first need them
        importlib.import_module(module)


def cnn(seed=0, size=12):
    model = Sequential(
        [
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.MaxPool2D(2),
            layers.Dropout(0.25),
            layers.AveragePool2D(2),
            layers.LeakyReLU(0.1),
            layers.Flatten(),
            layers.Dense(8, activation="relu"),
            layers.Dense(3, activation="softmax"),
        ],
        (size, size, 1),
        seed=seed,
    )
    model.compile("adam")
    return model


@dataclass(eq=False)
class Doubling(layers.Layer):
    """A layer made of NumPy, as a user writes it."""

    def forward(self, x, training=False):
        return self.check_input(x) * np.float32(2)

    def backward(self, dy):
        return np.asarray(dy, self.dtype) * np.float32(2)


def with_python_layer(seed=0):
    model = Sequential(
        [layers.Flatten(), Doubling(), layers.Dense(8, activation="tanh"), layers.Dense(3, "softmax")],
        (12, 12, 1),
        seed=seed,
    )
    model.compile("adam")
    return model


def problem(samples, size=12, seed=0):
    x = np.random.default_rng(seed).normal(size=(samples, size, size, 1)).astype(np.float32)
    return x, np.arange(samples) % 3


def assert_close(outputs, expected):
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-7)


def train_and_predict(model, sizes=(20, 33, 7)):
    """Make first steps and predictions; return a digest of all that came out."""
    outputs = []
    for size in sizes:
        x, y = problem(size, model.input_shape[0])
        for _ in range(2):
            model.train_on_batch(x, y)
            outputs += [model.flat.value.tobytes(), model.predict(x).tobytes()]
    return hashlib.sha256(b"".join(outputs)).hexdigest()


def in_child(function, seconds=20):
    """Return what a function returns, a string, in a forked child; raise if the child does not end well."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.setitimer(signal.ITIMER_REAL, 0)
            faulthandler.dump_traceback_later(seconds, exit=True)
            os.write(writer, function().encode())
            status = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader) as answer:
        text = answer.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == 0, f"A forked child ended with {status}."
    return text


def in_threads(function, count):
    """Call function(0), ..., function(count - 1) on threads that start together; return what was raised."""
    start, errors = threading.Barrier(count), []

    def work(i):
        start.wait()
        try:
            function(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


class Interruptions:
    """Calls a function in a signal handler, about a millisecond after it has returned again and again.

    Args:
        function: called in the midst of whatever the main thread does.
        most: after so many calls it is enough.
    """

    def __init__(self, function, most=200):
        self.function, self.left, self.calls, self.on = function, most, 0, False
        self.random = random.Random(RUN)
        self.error = None

    def handle(self, *_):
        if not self.on:  # the last signal came late
            return
        self.left -= 1
        try:
            self.function()
            self.calls += 1
        except BaseException as error:
            self.error = self.error or error
        self.arm()

    def arm(self):
        if self.left > 0:
            signal.setitimer(signal.ITIMER_REAL, self.random.uniform(2e-4, 2e-3))

    def __enter__(self):
        signal.signal(signal.SIGALRM, self.handle)
        self.on = True
        self.arm()
        return self

    def __exit__(self, *_):
        self.on = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        if self.error:
            raise self.error


# Two trainings of one model


@in_fresh_processes(runs=6)
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


@in_fresh_processes(runs=6)
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


@in_fresh_processes(runs=6)
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


# Signal handlers


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
@in_fresh_processes(runs=4, seconds=20)
def test_a_signal_handler_changes_nothing_in_the_first_steps_and_predictions_that_it_interrupts(what, make):
    make, models = globals()[make], range(4)
    calm = in_child(lambda: " ".join(train_and_predict(make(seed)) for seed in models), 60)
    digests, calls = [], 0
    for seed in models:
        model = make(seed)
        with Interruptions(handlers(model, make)[what], most=100) as attack:
            digests.append(train_and_predict(model))
        calls += attack.calls
    assert calls
    assert " ".join(digests) == calm


@in_fresh_processes(runs=6, imported=False)
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


# Forks


@in_fresh_processes(runs=6, imported=False)
def test_a_child_forked_while_another_thread_imports_the_kernels_predicts_and_trains():
    importlib.import_module("numpy.random")
    thread = threading.Thread(target=train_and_predict, args=(cnn(1),))
    thread.start()
    time.sleep(0.06 * RUN)
    answer = in_child(lambda: train_and_predict(cnn()), 15)
    thread.join()
    assert answer == train_and_predict(cnn())


@pytest.mark.parametrize("what", ["predict", "train", "both"])
@in_fresh_processes(runs=4)
def test_a_child_forked_while_another_thread_records_predicts_and_trains(what):
    fork_beside_a_busy_thread(what, forks=25)


@in_fresh_processes(runs=3, cold=True)
def test_a_child_forked_while_another_thread_compiles_predicts_and_trains():
    fork_beside_a_busy_thread("both", forks=5, pause=0.7)


def fork_beside_a_busy_thread(what, forks, pause=0.02):
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
            time.sleep(random.Random(f"{RUN} {number}").uniform(0, pause))
            answers.append(in_child(lambda: train_and_predict(cnn(1000)), 15))
    finally:
        done.set()
        thread.join()
    assert answers == [train_and_predict(cnn(1000))] * forks


@pytest.mark.parametrize("make", ["cnn", "with_python_layer"])
@in_fresh_processes(runs=4)
def test_a_child_goes_on_with_the_model_that_another_thread_was_training_at_the_fork(make):
    done = threading.Event()
    x, y = problem(50)
    model = globals()[make]()

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
        for number in range(20):
            time.sleep(random.Random(f"{RUN} {number}").uniform(0, 0.05))
            assert in_child(go_on, 15) == "True"
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("make", ["cnn", "with_python_layer"])
@in_fresh_processes(runs=4)
def test_a_child_forked_by_a_signal_handler_in_a_first_step_predicts_and_trains(make):
    make = globals()[make]
    calm = in_child(lambda: train_and_predict(make()), 60)
    answers = []
    for _ in range(4):
        attack = Interruptions(lambda: answers.append(in_child(lambda: train_and_predict(make()), 15)), 5)
        with attack:
            assert train_and_predict(make()) == calm
    assert answers == [calm] * len(answers) != []


# Ctrl-C


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
@in_fresh_processes(runs=2)
def test_ctrl_c_interrupts_and_the_model_goes_on_afterwards(action, make):
    interrupt_many_times(globals()[action], globals()[make], times=80, longest=0.05)


@in_fresh_processes(runs=6, imported=False)
def test_ctrl_c_interrupts_the_import_of_the_kernels_and_the_model_goes_on_afterwards():
    interrupt_many_times(first_step, cnn, times=1, longest=0.1 * RUN)


@in_fresh_processes(runs=2, cold=True, seconds=90)
def test_ctrl_c_interrupts_compilation_and_the_model_goes_on_afterwards():
    interrupt_many_times(first_step, cnn, times=12, longest=0.6)


@in_fresh_processes(runs=2)
def test_ctrl_c_never_leaves_half_a_module_with_llvm():
    from numba import types

    from tinynet.kernels import calling

    signal.signal(signal.SIGINT, signal.default_int_handler)
    new = (
        (types.none, *types_)
        for count in itertools.count(1)
        for types_ in itertools.product([types.int64, types.float32, types.float64], repeat=count)
    )
    for number in range(150):
        arrived = threading.Event()

        def interrupt(number=number, arrived=arrived):
            time.sleep(random.Random(f"{RUN} {number}").uniform(0, 0.02))
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
            time.sleep(random.Random(f"{RUN} {number}").uniform(0, longest))
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


# Memory


def resident():
    """The memory that this process holds, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
@in_fresh_processes(runs=2)
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


@in_fresh_processes(runs=4)
def test_predictions_on_arrays_that_are_freed_at_once_are_right():
    model, inputs = cnn(), [problem(1 + size, seed=size)[0] for size in range(40)]
    expected = [model.forward(x) for x in inputs]

    def predict(number):
        chance, junk = random.Random(number), []
        for count in range(300):
            i = chance.randrange(len(inputs))
            np.testing.assert_array_equal(model.predict(inputs[i].copy()), expected[i])
            junk = [np.full(inputs[i].shape, np.nan, np.float32) for _ in range(3)]
            if count % 20 == 0:
                gc.collect()
        del junk

    sys.setswitchinterval(1e-5)
    assert in_threads(predict, 6) == []


# Other things at the same time


@in_fresh_processes(runs=4)
def test_the_number_of_threads_may_change_while_models_train_and_predict():
    done = threading.Event()
    calm = [train_and_predict(make(seed)) for make in (cnn, with_python_layer) for seed in range(2)]

    def work(i):
        if i == 4:
            for count in range(400):
                tinynet.set_num_threads(1 + count % 5)
                time.sleep(0.001)
            done.set()
            return
        while not done.is_set():
            assert train_and_predict((cnn, with_python_layer)[i // 2](i % 2)) == calm[i]

    sys.setswitchinterval(1e-4)
    assert in_threads(work, 5) == []


@in_fresh_processes(runs=4)
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
            for _ in range(60):
                for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
                    assert_close(other.predict(x), other.forward(x))
                    assert np.isfinite(other.train_on_batch(x, y, return_dict=True)["loss"])
        finally:
            done.set()

    assert in_threads(work, 2) == []


@in_fresh_processes(runs=4)
def test_models_may_be_let_go_while_they_predict_and_train():
    x, y = problem(40)

    def work(number):
        for count in range(40):
            model = cnn(number)
            thread = threading.Thread(target=model.predict if count % 2 else model.train_on_batch,
                                      args=(x,) if count % 2 else (x, y))  # fmt: skip
            thread.start()
            del model
            gc.collect()
            thread.join()

    assert in_threads(work, 3) == []


@in_fresh_processes(runs=4)
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
@in_fresh_processes(runs=8)
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


@in_fresh_processes(runs=4)
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


@in_fresh_processes(runs=4)
def test_an_augmentation_may_predict_with_the_model_that_trains():
    model, (x, y) = cnn(), problem(60)

    def augment(images, **_):
        assert np.isfinite(model.predict(images)).all()
        return images[:, ::-1]

    for batch_size in (7, 20, 32, 60):
        model.fit(x, y, batch_size=batch_size, epochs=5, verbose=0, augment=augment)
    np.testing.assert_array_equal(model.predict(x), model.forward(x))
