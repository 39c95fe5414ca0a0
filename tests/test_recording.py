"""How often training steps and predictions are recorded."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tinynet import Sequential, layers
from tinynet.execution import recording
from tinynet.execution.recording import Recorded
from tinynet.kernels import program, update

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


# Bounds


def doubled(x):
    y = np.empty_like(x)
    update.add_up(x, y, True)
    update.add_up(x, y, False)
    return [[y]]


def test_recordings_are_kept_by_use_within_their_bytes(monkeypatch, recordings):
    function = Recorded(doubled, only_kernels=True)
    sizes = [1000, 2000, 3000]
    for size in sizes:
        function(np.ones(size))
    each = [idle[0].nbytes for idle in function.idle.values()]
    np.testing.assert_allclose(each, [2 * 8 * size for size in sizes], rtol=0.01)  # the inputs' copies, too
    monkeypatch.setattr(recording, "MAX_BYTES", sum(each) + 100)
    function(np.ones(1000))  # used last, though recorded first
    function(np.full(500, 3.0))  # too much: 2000 goes
    assert {shapes[0][0] for shapes, idle in function.idle.items() if idle} == {1000, 3000, 500}
    made = len(recordings)
    for size in (1000, 3000, 500):
        np.testing.assert_array_equal(function(np.full(size, 2.0))[0], np.full(size, 4.0))
    assert len(recordings) == made
    function(np.ones(2000))
    assert len(recordings) == made + 1
    assert function.room() >= 0


def test_one_recording_is_kept_however_large(monkeypatch, recordings):
    monkeypatch.setattr(recording, "MAX_BYTES", 10)
    function = Recorded(doubled, only_kernels=True)
    for size in (5, 5, 7, 7, 7, 5):
        np.testing.assert_array_equal(function(np.ones(size))[0], np.full(size, 2.0))
    assert len(recordings) == 3


def test_what_is_there_anyway_does_not_count():
    weights = np.ones(10_000)

    def add_weights(x):
        y = np.empty_like(x)
        update.add_up(x, y, True)
        update.add_up(weights[5 : 5 + len(x)], y, False)
        return [[y]]

    for lasting, most in (([], 90_000), ([weights[:3]], 2000)):
        function = Recorded(add_weights, only_kernels=True, lasting=lasting)
        np.testing.assert_array_equal(function(np.ones(50))[0], np.full(50, 2.0))
        assert 800 < function.made[0].nbytes < most


def test_more_callers_than_recordings_get_the_same_by_calls(monkeypatch):
    monkeypatch.setattr(recording, "MAX_CALLERS", 3)
    started, go_on, depth = threading.Barrier(6), threading.Event(), []

    def slow(x):
        if len(depth) < 6:  # all six are inside at once
            depth.append(1)
            started.wait(30)
            go_on.wait(30)
        return doubled(x)

    function = Recorded(slow, only_kernels=True)
    with ThreadPoolExecutor(6) as users:
        results = [users.submit(function, np.full(4, float(i))) for i in range(6)]
        go_on.set()
        for i, result in enumerate(results):
            np.testing.assert_array_equal(result.result(30)[0], np.full(4, 2.0 * i))
    assert len(function.made) == 3
    assert sum(len(idle) for idle in function.idle.values()) == 3


def test_a_function_that_fails_while_it_is_recorded_is_recorded_the_next_time():
    fails = [True]

    def function(x):
        if fails:
            raise ArithmeticError
        return doubled(x)

    recorded = Recorded(function, only_kernels=True)
    for _ in range(recording.MAX_CALLERS + 1):
        with pytest.raises(ArithmeticError):
            recorded(np.ones(3))
    fails.clear()
    recorded(np.ones(3))
    assert len(recorded.made) == 1


# A call of a model


def test_a_call_of_a_model_is_what_predict_records(recordings):
    model, (x, _) = tiny(), batch(3)
    expected = model.predict(x)
    made = len(recordings)
    assert model(x).numpy().tobytes() == expected.tobytes()
    assert np.array_equal(model(x.tolist()), expected)
    assert len(recordings) == made
    model.layers[0].kernel.value[...] = 0
    assert np.array_equal(model(x), model.forward(x))
    assert not np.array_equal(model(x), expected)
    x[0, 0] = np.nan
    assert np.isnan(model(x)[0]).all()
    assert np.isfinite(model(x)[1:]).all()


def test_a_call_in_training_and_one_that_is_recorded_run_the_layers(recordings):
    model, (x, _) = tiny(), batch(3)
    model.predict(x)
    y, made = model(x, training=True), len(recordings)
    model.backward(np.ones_like(y))
    outer = program.Program()
    with outer.recording():
        model(x)
    assert len(recordings) == made + 1
    assert len(outer.calls) >= 3


class Mean(layers.Layer):
    """Takes away the mean of the batch, which a part of it does not know."""

    def forward(self, x, training=False):
        return x - x.mean(axis=0)


def test_a_call_of_a_model_with_a_layer_of_ones_own_takes_the_whole_batch(set_threads):
    set_threads(2)
    model = Sequential([Mean()], 5)
    x, _ = batch(200)
    model.predict(x)
    np.testing.assert_array_equal(model(x), x - x.mean(axis=0))


@pytest.mark.parametrize("threads", [1, 2])
def test_one_sample_of_a_large_dense_layer_is_many_tasks_with_the_batch_s_bits(set_threads, threads):
    set_threads(threads)
    model = Sequential([layers.Dense(1000, "relu"), layers.Dense(700), layers.Dense(3)], 401)
    x = np.random.default_rng(0).normal(size=(30, 401)).astype(np.float32)
    expected = model.predict(x)
    for i in range(30):
        assert model.predict(x[i : i + 1]).tobytes() == expected[i].tobytes()
    (one,) = model.infer.recorded.idle[((1, 401),)]
    assert [len(stage) > 1 for stage in one.program.plan.kept] == [False, True, True, False]


def test_addresses():
    x = np.zeros((3, 2))
    assert recording.address_of(x) == x.ctypes.data
    assert recording.address_of(x[1:]) == x.ctypes.data + 16
    x.setflags(write=False)
    assert recording.address_of(x) == x.ctypes.data
    assert recording.address_of(np.zeros((0, 3))) >= 0


@pytest.mark.parametrize("place", [0, 41, 42, 149])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_predict_refuses_what_is_not_finite_wherever_it_is(set_threads, place, bad):
    set_threads(2)
    model = tiny()
    x, _ = batch(150)
    for _ in range(2):
        expected = model.predict(x)
        x[place, 3] = bad
        with pytest.raises(ValueError, match=rf"NaN or infinite values, the first at \({place}, 3\)"):
            model.predict(x)
        x[place, 3] = 0
        assert model.predict(x).shape == expected.shape


def test_one_sample_may_be_the_first_thing_that_a_process_computes(run_python):
    code = (
        "from tinynet import Sequential, layers as l; Sequential([l.Dense(3)], 2).predict([[1, 2]]); print(1)"
    )
    assert run_python(code) == "1\n"
