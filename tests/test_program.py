"""Programs: kernel calls that are recorded, run again, moved to other arrays, and shared by a crew.

A crew that hangs must fail a test, not stop the suite: what could hang runs in `within`, on a thread that is
given up after a while.
"""

from __future__ import annotations

import gc
import os
import struct
import threading
import time

import layer_cases
import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layer_cases import case_name
from numba import types

import tinynet
from tinynet import layers, losses
from tinynet.execution import parallel
from tinynet.execution.parallel import Crew, run_programs
from tinynet.execution.recording import Recording
from tinynet.kernels import elementwise, gather_gemm, pooling, update
from tinynet.kernels.calling import cells_of
from tinynet.kernels.jit import Kernel, recorder
from tinynet.kernels.program import (
    BASE,
    DONE,
    LEADING,
    LIMIT,
    PLACES,
    STOPPED,
    TABLES,
    Plan,
    Program,
    independent,
    serve,
    wait_for,
)
from tinynet.layers.conv_pool import ConvPool

SECONDS = 30


def within(function, *arguments):
    """Return what a function returns, or fail if it takes too long."""
    results, errors = [], []

    def work():
        try:
            results.append(function(*arguments))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(SECONDS)
    assert not thread.is_alive(), "it hangs"
    if errors:
        raise errors[0]
    return results[0]


def recorded(function, *inputs):
    """Call a function, and return the recording of it."""
    recording = Recording(tuple(x.shape for x in inputs))
    recording.record(function, *inputs)
    return recording


def tables_of(programs):
    """The addresses and lengths of programs' tables, as a stage of a `Plan`."""
    return np.array([(program.table.ctypes.data, len(program.table)) for program in programs], np.int64)


def wait_until(condition):
    """Return whether something becomes true before too long."""
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


# Arguments as cells


@given(st.floats(allow_nan=True))
def test_a_float_is_the_cell_of_its_bits(value):
    assert struct.pack("q", *cells_of(types.float64, value)) == struct.pack("d", value)


@given(st.integers(-(2**63), 2**63 - 1))
def test_an_integer_is_a_cell(value):
    assert cells_of(types.int64, value) == [value]
    assert cells_of(types.int64, np.int64(value)) == [value]


def test_a_boolean_is_a_cell():
    assert cells_of(types.boolean, True) == [1]
    assert cells_of(types.boolean, False) == [0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint32])
@pytest.mark.parametrize("shape", [(0,), (5,), (2, 3), (4, 3, 2, 1)])
def test_an_array_is_its_size_address_shape_and_strides(dtype, shape):
    x = np.zeros(shape, dtype)
    kind = numba.typeof(x)
    size, address = x.itemsize, x.__array_interface__["data"][0]
    assert cells_of(kind, x) == [0, 0, int(np.prod(shape)), size, address, *shape, *x.strides]
    assert all(type(cell) is int for cell in cells_of(kind, x))


def test_an_array_with_gaps_keeps_its_strides():
    x = np.zeros((6, 8))[1::2, 3:]
    assert cells_of(numba.typeof(x), x)[4:] == [x.ctypes.data, 3, 5, 128, 8]


# Recording and running again, for every layer that can be replayed


def conv_pool(shape, *, pool_size=2, **arguments):
    def build(dtype):
        conv, pool = layers.Conv2D(**arguments), layers.MaxPool2D(pool_size)
        pool.build(conv.build(shape, 0, dtype), 0, dtype)
        return ConvPool(conv, pool)

    return pytest.param(shape, build, id=f"ConvPool-{shape}")


CASES = [
    *(
        pytest.param(case.shape, case.build, id=case_name(case))
        for case in layer_cases.CASES
        if case.build().only_kernels
    ),
    conv_pool((6, 8, 2), filters=4, kernel_size=3, padding="same", activation="relu"),
    conv_pool((7, 8, 3), filters=17, kernel_size=2, pool_size=(3, 2), use_bias=False),
]

every_case = pytest.mark.parametrize(("shape", "build"), CASES)


def test_most_layers_can_be_replayed():
    made = [case.make() for case in layer_cases.CASES if not case.build().only_kernels]
    called = {type(layer) for layer in made if getattr(layer, "data_format", None) != "channels_first"}
    assert called == {layers.Conv1D, layers.Conv2D}  # method="im2col"


class Stack:
    """A layer between two that copy what they get, on a replica as training uses it."""

    def __init__(self, shape, build, dtype):
        before, layer, after = layers.LeakyReLU(1.0), build(dtype), layers.LeakyReLU(1.0)
        before.build(shape, 0, dtype)
        after.build(layer.output_shape, 0, dtype)
        self.layers = [before, layer, after]
        self.step = np.zeros(1, np.int64)
        self.replicas = [one.replica(self.step) for one in self.layers]
        self.dtype, self.shape, self.output_shape = np.dtype(dtype), shape, layer.output_shape

    def data(self, random, samples):
        """Return new x and dy, and give the layers new weights and the next step."""
        self.step += 1
        for parameter in self.layers[1].trainable_parameters():
            parameter.value[...] = random.normal(size=parameter.value.shape)
        shapes = (samples, *self.shape), (samples, *self.output_shape)
        return [random.normal(size=shape).astype(self.dtype) for shape in shapes]

    def forward_and_backward(self, x, dy):
        """Run the replicas; what is called directly once, and recorded."""
        for one in self.replicas:
            x = one.forward(x, training=True)
        for one in reversed(self.replicas):
            dy = one.backward(dy)
        self.results = [x, dy, *(parameter.grad for parameter in self.replicas[1].trainable_parameters())]
        return [x]

    def expected(self, x, dy):
        """Return the same from the layers themselves, which are no replicas, by direct calls."""
        for _, part in self.layers[1].parts():
            part.step = int(self.step[0])
        for one in self.layers:
            x = one.forward(x, training=True)
        for one in reversed(self.layers):
            dy = one.backward(dy)
        return [x, dy, *(parameter.grad for parameter in self.layers[1].trainable_parameters())]

    def check(self, x, dy):
        for result, expected in zip(self.results, self.expected(x, dy), strict=True):
            assert result.tobytes() == expected.tobytes()

    def forget(self):
        """Overwrite the results, so that they have to be computed again."""
        for result in self.results:
            result[...] = np.nan


@every_case
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_program_repeats_a_layer_on_what_its_arrays_hold_now(shape, build, dtype):
    random, stack, program = np.random.default_rng(0), Stack(shape, build, dtype), Program()
    x, dy = stack.data(random, 3)
    with program.recording():
        stack.forward_and_backward(x, dy)
    stack.check(x, dy)
    for _ in range(3):
        x[...], dy[...] = stack.data(random, 3)
        stack.forget()
        program.run()
        stack.check(x, dy)


@every_case
@pytest.mark.parametrize("samples", [1, 4])
def test_a_recording_takes_other_arrays_and_leaves_the_old_ones(shape, build, samples):
    random, stack = np.random.default_rng(0), Stack(shape, build, "float32")
    arrays = stack.data(random, samples)
    recording = recorded(stack.forward_and_backward, *arrays)
    for spaces in (0, 3, 1):
        old = arrays
        arrays = stack.data(random, samples)
        for i, array in enumerate(arrays):  # anywhere in memory
            buffer = np.full(array.size + 2 * spaces, np.nan, array.dtype)
            arrays[i] = buffer[spaces : spaces + array.size].reshape(array.shape)
            arrays[i][...] = array
        for array in old:
            array[...] = np.nan
        stack.forget()
        recording.run(*arrays)
        stack.check(*arrays)
        assert recording.result[0] is stack.results[0]


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0])
def test_a_recorded_loss(smoothing):
    random = np.random.default_rng(0)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    gradient, value = np.empty((5, 4), np.float32), np.empty(1)

    def compute(logits, labels):
        loss.write(labels, logits, 0.25, gradient, value)
        return [gradient]

    recording = None
    for _ in range(3):
        logits, labels = random.normal(size=(5, 4)).astype(np.float32), random.integers(0, 4, 5)
        if recording is None:
            recording = recorded(compute, logits, labels)
        else:
            gradient[...], value[...] = np.nan, np.nan
            recording.run(logits, labels)
        expected_value, expected = loss.value_and_gradient(labels, logits)
        assert value[0] == pytest.approx(expected_value, rel=1e-12)
        np.testing.assert_allclose(gradient, 0.25 * expected, rtol=1e-6, atol=1e-9)


# What is recorded


def test_only_what_is_called_inside_is_recorded():
    x, y = np.zeros(3), np.zeros(3)
    program = Program()
    elementwise.fill(x, 1.0)
    with program.recording():
        assert len(program.calls) == 0
        elementwise.fill(y, 2.0)
    elementwise.fill(x, 3.0)
    assert len(program.calls) == 1
    x[:], y[:] = 7, 7
    program.run()
    np.testing.assert_array_equal([x, y], [[7, 7, 7], [2, 2, 2]])


def test_a_kernel_that_calls_kernels_is_one_call():
    program = Program()
    with program.recording():
        elementwise.pad(np.ones((1, 1, 1, 1)), np.ones((1, 2, 2, 1)), 1, 0)
    assert len(program.calls) == 1


def test_calls_are_repeated_in_order_and_each_with_its_own_arguments():
    x, program = np.zeros(4), Program()
    with program.recording():
        for i in range(20):
            elementwise.fill(x[i % 4 :], float(i))
    x[:] = -1
    program.run()
    np.testing.assert_array_equal(x, [16, 17, 18, 19])
    program.run()
    np.testing.assert_array_equal(x, [16, 17, 18, 19])


def test_what_another_thread_calls_meanwhile_is_not_recorded():
    x, y, program = np.zeros(3), np.zeros(3), Program()
    other = Program()

    def elsewhere():
        elementwise.fill(y, 2.0)
        with other.recording():
            elementwise.fill(y, 3.0)
            elementwise.fill(y, 4.0)

    with program.recording():
        within(elsewhere)
        elementwise.fill(x, 1.0)
        parallel.run(lambda i: elementwise.fill(y[i : i + 1], 5.0), 1)
    assert len(program.calls) == 2  # the second one was on this thread
    assert len(other.calls) == 2
    assert getattr(recorder, "program", None) is None


def test_after_an_error_nothing_is_recorded_any_more():
    x, program = np.zeros(3), Program()

    def fails(x):
        elementwise.fill(x, 1.0)
        raise ArithmeticError

    with pytest.raises(ArithmeticError), program.recording():
        fails(x)
    with pytest.raises(ArithmeticError):
        recorded(fails, x)
    with pytest.raises(TypeError), program.recording():
        elementwise.fill(x)  # a kernel that cannot be called
    assert recorder.program is None
    count = len(program.calls)
    elementwise.fill(x, 2.0)
    assert len(program.calls) == count


def test_an_empty_program_does_nothing():
    program = Program()
    program.run()
    with program.recording():
        pass
    program.run()
    run_programs(Plan([tables_of([program, program, program])]))
    run_programs(Plan([tables_of([program])]))


def test_no_programs_at_all():
    run_programs(Plan([tables_of([])]))


def test_a_program_keeps_the_arrays_that_it_works_on():
    total, program = np.zeros(1000), Program()
    expected = 0

    def record(number):
        rows = np.full((1, 1000), float(number))
        with program.recording():
            gather_gemm.dense_kernel_gradient(np.ones((1, 1)), rows, total.reshape(1, 1000), accumulate=True)

    for number in range(5):
        record(number)
        expected += number
    gather_gemm.steps.cache_clear()  # the offsets, too
    gather_gemm.offsets.cache_clear()
    gc.collect()
    junk = [np.full(1000, np.nan) for _ in range(50)] + [np.full(i % 9, -(10**9)) for i in range(500)]
    total[:] = 0
    program.run()
    assert (total == expected).all()
    del junk


def test_places_of_finds_an_array_and_parts_of_it_and_nothing_else():
    buffer, program = np.zeros(30), Program()
    x, others = buffer[10:20], [buffer[:10], buffer[20:]]
    with program.recording():
        elementwise.fill(x, 1.0)
        elementwise.fill(x[4:], 2.0)
        for other in others:
            elementwise.fill(other, 3.0)
    places = program.places_of(x)
    assert [offset for *_, offset in places] == [0, 32]
    assert program.places_of(np.zeros(10)) == []
    assert program.places_of(buffer[:0]) == []


def test_numbers_of_numpy_as_hyperparameters():
    x = np.random.default_rng(0).normal(size=(3, 4))
    for number in (np.float32(0.5), np.float64(0.5), np.int64(1), np.int32(1)):
        model = tinynet.Sequential([layers.LeakyReLU(number)], 4)
        np.testing.assert_array_equal(model.predict(x), model.forward(x), err_msg=repr(number))
        np.testing.assert_array_equal(model.predict(-x), model.forward(-x), err_msg=repr(number))
        if number < 1:
            model = tinynet.Sequential([layers.Dropout(number), layers.Dense(3, "softmax")], 4)
            model.compile()
            assert np.isfinite(model.train_on_batch(x, [0, 1, 2]))


# Kernels that fail


def failing_kernel():
    """Return a kernel that raises where its array holds 1, and else adds 10."""

    def fail(x):
        if x[0] == 1:
            raise ValueError
        x[0] += 10

    compiled = numba.njit(nogil=True)(fail)
    compiled.__class__ = Kernel
    return compiled


def test_a_kernel_that_fails_ends_its_program_and_reaches_the_caller(set_threads):
    fail = failing_kernel()
    cells, programs = np.zeros((6, 2)), [Program() for _ in range(6)]
    for cell, program in zip(cells, programs, strict=True):
        with program.recording():
            fail(cell)
            elementwise.fill(cell[1:], 5.0)
    for threads in (1, 3):
        set_threads(threads)
        cells[:] = 0
        cells[3, 0] = 1
        with pytest.raises(MemoryError):
            within(run_programs, Plan([tables_of(programs)]))
        expected = [[10, 5]] * 6
        expected[3] = [1, 0]
        np.testing.assert_array_equal(cells, expected)
        cells[:] = 0
        within(run_programs, Plan([tables_of(programs)]))  # the failure is forgotten
        np.testing.assert_array_equal(cells, [[10, 5]] * 6)
    cells[0, 0] = 1
    with pytest.raises(MemoryError):
        programs[0].run()
    with pytest.raises(MemoryError):
        run_programs(Plan([tables_of(programs[:1])]))


def test_a_program_without_independent_parts_is_one_stage():
    y, program = np.zeros(3), Program()
    with program.recording():
        elementwise.fill(y, 1.0)
        for part in independent([slice(0, 3)]):  # one part is none
            update.add_up(np.ones(3), y[part], False)
        elementwise.fill(np.zeros(1), 1.0)
    assert [stage.tolist() for stage in program.plan.kept] == [tables_of([program])[0][None].tolist()]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_independent_parts_run_after_what_is_before_and_before_what_is_after(set_threads, threads):
    set_threads(threads)
    size, parts = 4000, [slice(0, 1000), slice(1000, 1010), slice(1010, 4000)]
    x, doubled, total, program = np.ones(size), np.zeros(size), np.zeros(size), Program()
    with program.recording():
        elementwise.fill(doubled, 0.0)
        for part in independent(parts):
            update.add_up(x[part], doubled[part], False)
            update.add_up(x[part], doubled[part], False)
        update.add_up(doubled, total, True)
        for part in independent(reversed(parts)):
            update.add_up(doubled[part], total[part], False)
    assert [len(stage) for stage in program.plan.kept] == [1, 3, 1, 3]
    assert sum(length for stage in program.plan.kept for _, length in stage) == len(program.table)
    for number in range(1, 200):
        x[:] = number
        within(run_programs, program.plan)
        assert (total == 4 * number).all()


def test_independent_parts_are_a_plain_loop_where_nothing_records():
    assert list(independent(iter("abc"))) == ["a", "b", "c"]


# Crews


class Counters:
    """Programs that count how often each of them has run."""

    def __init__(self, programs, size=1):
        self.one, self.totals = np.ones(size), np.zeros((programs, size))
        self.programs = [Program() for _ in range(programs)]
        for total, program in zip(self.totals, self.programs, strict=True):
            with program.recording():
                update.add_up(self.one, total, False)
        self.totals[...] = 0
        self.tables = tables_of(self.programs)

    def run(self, times, pause=0.0):
        for _ in range(times):
            run_programs(Plan([self.tables]))
            time.sleep(pause) if pause else None

    def failures(self, goes_on):
        """Run while goes_on(number of runs); return the runs after which a count was wrong, or an error."""
        number, failed = 0, []
        try:
            while goes_on(number):
                run_programs(Plan([self.tables]))
                number += 1
                if not (self.totals == number).all():
                    failed.append(number)
        except BaseException as error:
            failed.append(error)
        return failed


def helpers():
    """The threads of all crews that there are."""
    return {thread for thread in threading.enumerate() if thread.name == "tinynet"}


@pytest.fixture
def no_crew():
    """Leave no crew to this test, nor behind."""
    parallel.set_num_threads(parallel.get_num_threads())
    yield helpers()
    parallel.set_num_threads(parallel.get_num_threads())


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
@pytest.mark.parametrize("patience", [0, 1, 20_000])
def test_every_program_is_run_once(set_threads, monkeypatch, threads, patience):
    monkeypatch.setattr(parallel, "PATIENCE", patience)  # helpers that always sleep, or mostly look
    set_threads(threads)
    for count in (1, 2, 3, 40):
        counters = Counters(count)
        within(counters.run, 100)
        assert (counters.totals == 100).all()


def test_what_the_caller_wrote_is_seen_and_what_was_computed_is_there(set_threads):
    set_threads(3)
    size, count = 5000, 6
    source, results, programs = np.zeros(size), np.zeros((count, size)), []
    for result in results:
        programs.append(Program())
        with programs[-1].recording():
            update.add_up(source, result, True)
    tables = tables_of(programs)

    def repeat():
        for number in range(300):
            source[:] = number
            run_programs(Plan([tables]))
            if not (results == number).all():
                return number
        return None

    assert within(repeat) is None


def test_a_crew_that_sleeps_is_woken_and_rests_between(set_threads, no_crew, monkeypatch):
    set_threads(4)
    served, serve = [], Crew.__init__

    def counting(crew, count):
        serve(crew, count)
        original = crew.serve
        crew.serve = lambda *arguments: served.append(original(*arguments))

    monkeypatch.setattr(Crew, "__init__", counting)
    counters = Counters(8)
    within(counters.run, 1)
    crew = parallel._crews["crew"]
    for number in range(1, 4):
        assert wait_until(lambda: crew.sleeping == 3)
        served.clear()
        within(counters.run, 1)
        assert (counters.totals == number + 1).all()
        assert wait_until(lambda: len(served) >= 3)  # all looked out for work again
    assert wait_until(lambda: crew.sleeping == 3)
    before = time.process_time()
    time.sleep(0.2)
    assert time.process_time() - before < 0.1


@pytest.mark.parametrize("threads", [4])
def test_who_predicts_now_and_then_spends_nothing_on_looking_out(set_threads, no_crew, threads):
    set_threads(threads)
    counters = Counters(threads)
    within(counters.run, 30, 0.005)
    before = time.process_time()
    within(counters.run, 100, 0.005)
    assert time.process_time() - before < 0.1  # to look out for a millisecond each time takes 0.3


def test_only_as_many_helpers_are_woken_as_there_are_programs_for(set_threads, no_crew, monkeypatch):
    set_threads(6)
    counters = Counters(2)
    within(counters.run, 1)
    crew = parallel._crews["crew"]
    time.sleep(0.05)  # who was woken by the first run is asleep again
    assert wait_until(lambda: crew.sleeping == 5)
    woken, original = [], crew.serve
    crew.serve = lambda *arguments: woken.append(1) or original(*arguments)
    within(counters.run, 1)
    assert (counters.totals == 2).all()
    time.sleep(0.05)
    assert len(woken) <= 1


def test_helpers_stay_awake_while_somebody_leads_and_no_longer():
    queue, status = np.zeros(PLACES, np.int64), []
    queue[LEADING] = 1
    thread = threading.Thread(target=lambda: status.append(serve(queue, 2**60, 1)), daemon=True)
    thread.start()
    time.sleep(0.05)
    assert thread.is_alive()
    queue[LEADING] = 0
    thread.join(SECONDS)
    assert not thread.is_alive(), "it hangs"
    queue[LEADING] = 1
    within(serve, queue, 1000, 1)  # not for ever, either


def test_the_leader_sleeps_while_it_waits_for_long(set_threads):
    queue = np.zeros(PLACES, np.int64)
    before = time.process_time()
    threading.Timer(0.4, queue.__setitem__, (DONE, 1)).start()
    within(wait_for, queue, 1)
    assert time.process_time() - before < 0.2


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs threads on one core")
def test_who_waits_lets_a_thread_on_the_same_core_go_on():
    counters, queue = Counters(1), np.zeros(PLACES, np.int64)
    queue[TABLES] = counters.tables.ctypes.data

    def share_a_core():
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # of this thread, and of what it starts
        helper = threading.Thread(target=serve, args=(queue, 2**60, 2**60), daemon=True)
        helper.start()
        for number in range(101):
            if number == 1:  # all is compiled
                before = time.process_time()
            queue[BASE] = number
            queue[LIMIT] = number + 1
            wait_for(queue, number + 1)
        queue[STOPPED] = 1
        helper.join()
        return time.process_time() - before

    assert within(share_a_core) < 0.1  # to look out until a slice of time is over takes 0.2 and more
    assert (counters.totals == 101).all()


def test_an_idle_crew_works_again(set_threads):
    set_threads(3)
    counters = Counters(7)
    within(counters.run, 8, 0.05)
    assert (counters.totals == 8).all()


@pytest.mark.parametrize("patience", [1, 20_000])
def test_several_threads_run_programs_at_once(set_threads, monkeypatch, patience):
    monkeypatch.setattr(parallel, "PATIENCE", patience)
    set_threads(3)
    users = [Counters(count) for count in (1, 2, 5, 9)]
    start = threading.Barrier(len(users))
    failures = []

    def use(counters):
        start.wait(SECONDS)
        failures.extend(counters.failures(lambda number: number < 200))

    threads = [threading.Thread(target=use, args=(user,), daemon=True) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert not any(thread.is_alive() for thread in threads), "it hangs"
    assert failures == []


@pytest.mark.parametrize("asleep", [False, True])
def test_the_helpers_of_an_old_crew_end(set_threads, no_crew, asleep):
    counters = Counters(8)
    for threads in (4, 2, 3, 1, 4, 1):
        set_threads(threads)
        within(counters.run, 3)
        crew = parallel._crews["crew"]
        assert len(helpers() - no_crew) >= threads - 1
        if asleep:
            assert wait_until(lambda crew=crew, threads=threads: crew.sleeping == threads - 1)
    set_threads(1)
    assert wait_until(lambda: helpers() <= no_crew), "threads are left over"


def test_changing_the_number_of_threads_while_programs_run(set_threads, no_crew):
    users, done = [Counters(6), Counters(3)], threading.Event()
    failures = []

    def use(counters):
        failures.extend(counters.failures(lambda number: not done.is_set() or number < 20))

    threads = [threading.Thread(target=use, args=(user,), daemon=True) for user in users]
    for thread in threads:
        thread.start()
    for number in range(60):
        set_threads(1 + number % 4)
        time.sleep(0.002 * (number % 3))
    done.set()
    for thread in threads:
        thread.join(SECONDS)
    assert not any(thread.is_alive() for thread in threads), "it hangs"
    assert failures == []
    set_threads(1)
    assert wait_until(lambda: helpers() <= no_crew), "threads are left over"


def test_a_stopped_crew_still_runs_what_it_is_given():
    crew, counters = Crew(2), Counters(6)
    within(crew.run, Plan([counters.tables]))
    crew.stop()
    within(crew.run, Plan([counters.tables]))
    within(crew.run, Plan([counters.tables[:1]]))
    np.testing.assert_array_equal(counters.totals[:, 0], [3, 2, 2, 2, 2, 2])


def test_a_crew_that_is_stopped_while_it_starts_ends_all_its_helpers(no_crew):
    crew = Crew(2)
    crew.start()
    assert wait_until(lambda: crew.sleeping == 2)
    crew.helpers = 1  # as if `start` had not counted the second one yet
    crew.stop()
    assert wait_until(lambda: helpers() <= no_crew), "threads are left over"


def test_one_thread_needs_no_helpers(set_threads, no_crew):
    set_threads(1)
    counters = Counters(5)
    within(counters.run, 2)
    assert helpers() <= no_crew
    assert (counters.totals == 2).all()


def test_max_pool_programs_of_several_sizes_side_by_side(set_threads):
    # Long and short programs together: the short ones are done while others run.
    set_threads(2)
    random, tasks, programs = np.random.default_rng(0), [], []
    for size in (2, 64, 4, 32, 2, 2):
        x, y = random.normal(size=(2, size, size, 3)), np.empty((2, size // 2, size // 2, 3))
        programs.append(Program())
        with programs[-1].recording():
            pooling.max_pool(x, y, 2, 2, 2, 2, 0, 0)
        tasks.append((x, y))
    tables = tables_of(programs)
    for _ in range(20):
        for x, y in tasks:
            x[...] = random.normal(size=x.shape)
            y[...] = np.nan
        within(run_programs, Plan([tables]))
        for x, y in tasks:
            blocks = x.reshape(2, len(x[0]) // 2, 2, len(x[0]) // 2, 2, 3)
            np.testing.assert_array_equal(y, blocks.max(axis=(2, 4)))
