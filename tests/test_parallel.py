from __future__ import annotations

import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinynet
from tinynet.execution.cores import available_cores, share_of_cores
from tinynet.execution.parallel import cut, run


@given(samples=st.integers(1, 10_000), shards=st.integers(1, 40))
def test_shards_cover_all_samples_in_order_and_are_of_almost_one_size(samples, shards):
    parts = cut(samples, shards)
    sizes = [part.stop - part.start for part in parts]
    assert len(parts) == min(shards, samples)
    assert [part.start for part in parts] == [0, *(part.stop for part in parts[:-1])]
    assert parts[-1].stop == samples
    assert 1 <= min(sizes) <= max(sizes) <= min(sizes) + 1


# run


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("count", [0, 1, 2, 20])
def test_results_come_in_order(set_threads, threads, count):
    set_threads(threads)

    def slow_first(i):
        time.sleep(0.02 * (i == 0))
        return i * i

    assert run(slow_first, count) == [i * i for i in range(count)]


def test_as_many_calls_at_once_as_threads(set_threads):
    set_threads(3)
    together = threading.Barrier(3)
    run(lambda i: together.wait(20), 3)  # a barrier that is not reached by three threads at once breaks
    used = set()

    def work(i):
        used.add(threading.get_ident())
        time.sleep(0.002)

    run(work, 30)
    assert len(used) <= 3
    assert threading.get_ident() in used


def test_one_thread_is_the_calling_one(set_threads):
    set_threads(1)
    assert set(run(lambda i: threading.get_ident(), 5)) == {threading.get_ident()}


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("failing", [0, 3, 7])
def test_an_exception_reaches_the_caller_and_nothing_keeps_running(set_threads, threads, failing):
    set_threads(threads)
    running = []

    def work(i):
        running.append(i)
        try:
            if i == failing:
                raise ArithmeticError(i)
            time.sleep(0.01)
        finally:
            running.remove(i)

    with pytest.raises(ArithmeticError, match=str(failing)):
        run(work, 8)
    assert running == []
    assert run(lambda i: i, 8) == list(range(8))


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs POSIX signals")
def test_ctrl_c_while_waiting_leaves_nothing_running(set_threads):
    set_threads(2)
    caller = threading.current_thread()
    finished = threading.Event()
    both = threading.Barrier(2)

    def work(i):
        both.wait(20)
        if threading.current_thread() is not caller:
            time.sleep(0.1)  # by now the caller waits for this thread
            signal.pthread_kill(caller.ident, signal.SIGINT)
            time.sleep(0.2)
            finished.set()

    with pytest.raises(KeyboardInterrupt):
        run(work, 2)
    assert finished.is_set()


def test_several_threads_may_run_at_once(set_threads):
    set_threads(2)
    start = threading.Barrier(4)

    def use(thread):
        start.wait(20)
        return [run(lambda i: (thread, i), 5) for _ in range(50)]

    with ThreadPoolExecutor(4) as users:
        for thread, answers in enumerate(users.map(use, range(4))):
            assert answers == [[(thread, i) for i in range(5)]] * 50


def test_a_run_inside_a_run(set_threads):
    set_threads(2)
    assert run(lambda i: sum(run(lambda j: i * j, 4)), 4) == [0, 6, 12, 18]


def test_runs_inside_runs_of_several_threads_do_not_wait_for_each_other(run_python):
    # In another process, because threads that wait for each other would never let this one end.
    printed = run_python("""
import os, threading, time
from tinynet.execution import parallel

parallel.set_num_threads(2)

def outer(i):
    time.sleep(0.05)  # by now helpers of all users fill the pool
    return parallel.run(lambda j: time.sleep(0.001), 4)

users = [threading.Thread(target=parallel.run, args=(outer, 4), daemon=True) for _ in range(4)]
for user in users:
    user.start()
deadline = time.monotonic() + 10
for user in users:
    user.join(max(deadline - time.monotonic(), 0))
print(sum(user.is_alive() for user in users), flush=True)
os._exit(0)
""")
    assert printed == "0\n"


# The number of threads


def test_the_number_of_threads_can_be_set(set_threads):
    set_threads(3)
    assert tinynet.get_num_threads() == 3
    set_threads(np.int64(2))
    assert tinynet.get_num_threads() == 2


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2", None])
def test_an_impossible_number_of_threads(threads):
    before = tinynet.get_num_threads()
    with pytest.raises(ValueError, match="expected a positive integer; got"):
        tinynet.set_num_threads(threads)
    assert tinynet.get_num_threads() == before


SHOW_THREADS = """
import tinynet
try:
    print(tinynet.get_num_threads())
except ValueError as error:
    print(error)
"""


def test_an_environment_variable_sets_the_number_of_threads(run_python):
    assert run_python(SHOW_THREADS, TINYNET_NUM_THREADS="3") == "3\n"
    assert run_python(SHOW_THREADS, TINYNET_NUM_THREADS="", OMP_NUM_THREADS="") == f"{available_cores()}\n"


@pytest.mark.parametrize(
    ("text", "cores"), [("1", 1), ("1,4", 1), (" 2 ", 2), ("64", 3), ("0", 3), ("many", 3), ("", 3)]
)
def test_threads_are_no_more_than_omp_num_threads(monkeypatch, text, cores):
    monkeypatch.setattr("tinynet.execution.cores.available_cores", lambda: 3)
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    assert share_of_cores() == cores


def test_an_impossible_environment_variable(run_python):
    expected = "TINYNET_NUM_THREADS must be a positive integer; got 'many'.\n"
    assert run_python(SHOW_THREADS, TINYNET_NUM_THREADS="many") == expected


# Where there are more threads than cores

MANY_THREADS = """
import os, time
import numpy as np
import tinynet
from tinynet import Sequential, layers

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
parts = [layers.Conv2D(16, 3, activation="relu"), layers.Flatten(), layers.Dense(10)]
model = Sequential(parts, (20, 20, 1), 1)
model.compile(loss="mse")
x, y = np.random.default_rng(0).random((64, 20, 20, 1)), np.ones((64, 10))

def seconds(threads):
    tinynet.set_num_threads(threads)
    for _ in range(3):
        model.train_on_batch(x, y)
    start = time.process_time()
    for _ in range(60):
        model.train_on_batch(x, y)
    return time.process_time() - start

one = seconds(1)
print(seconds(16) / one)
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs cores to choose from")
def test_many_threads_on_one_core_cost_little_more_than_one(run_python):
    assert (
        float(run_python(MANY_THREADS)) < 4
    )  # looking out for each other without sleep took 10 times as long


# Where the system starts no threads

FEW_THREADS = """
import hashlib, threading, warnings
import numpy as np
import tinynet
from tinynet import Sequential, layers

tinynet.set_num_threads(4)
start, left = threading.Thread.start, [{left}]

def limited(thread):
    if thread.name.startswith("tinynet"):
        left[0] -= 1
        if left[0] < 0:
            raise RuntimeError("can't start new thread")
    start(thread)

def digest():
    parts = [layers.Conv2D(4, 3, activation="relu"), layers.Flatten(), layers.Dense(3)]
    model = Sequential(parts, (8, 8, 1), 1)
    model.compile(loss="mse")
    x, y = np.random.default_rng(0).random((64, 8, 8, 1)), np.ones((64, 3))
    model.fit(x, y, epochs=2, verbose=0)
    answers = model.predict(x, verbose=0)
    squares = tinynet.execution.parallel.run(lambda i: i * i, 20)
    content = model.flat.value.tobytes() + answers.tobytes() + str(squares).encode()
    return hashlib.sha256(content).hexdigest()

with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    if {real}:
        threading.stack_size(2**45)  # no system has so much
    else:
        threading.Thread.start = limited
    first = [digest(), digest()]
    threading.Thread.start = start
    threading.stack_size(0)
    tinynet.set_num_threads(3)
    print(len(said), str(said[0].message).split(":")[0], {{*first}} == {{digest()}})
"""


@pytest.mark.parametrize("left", [0, 1, 2, 4])
def test_where_no_more_threads_can_be_started_it_goes_on_with_those_there_are(run_python, left):
    said = "1 A thread could not be started (can't start new thread) True\n"
    assert run_python(FEW_THREADS.format(left=left, real=False)) == said


@pytest.mark.skipif(sys.platform != "linux", reason="how large a stack may be is the system's affair")
def test_where_the_system_refuses_every_thread(run_python):
    said = "1 A thread could not be started (can't start new thread) True\n"
    assert run_python(FEW_THREADS.format(left=0, real=True)) == said


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_trains_like_its_parent(run_python):
    printed = run_python("""
import hashlib, os, signal, threading, warnings
import numpy as np
import tinynet
from tinynet import Sequential, layers

warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of fork beside threads
tinynet.set_num_threads(2)
model = Sequential([layers.Dense(8, "relu"), layers.Dense(3, "softmax")], 4)
model.compile()
x, y = np.ones((32, 4)), np.arange(32) % 3

def train():
    model.fit(x, y, epochs=2, verbose=0)
    return hashlib.sha256(model.flat.value).hexdigest()

train()  # the parent's threads have started
reader, writer = os.pipe()
child = os.fork()
if child == 0:
    signal.alarm(20)
    both = threading.Barrier(2)
    tinynet.execution.parallel.run(lambda i: both.wait(), 2)  # the child has two threads of its own
    os.write(writer, train().encode())
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), os.read(reader, 64).decode() == train())
""")
    assert printed == "0 True\n"
