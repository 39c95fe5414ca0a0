"""Shards that meet: sums in the midst of a call, from any depth, recorded and called."""

from __future__ import annotations

import gc
import sys
import threading
import time
import weakref
from dataclasses import dataclass

import numpy as np
import pytest

from tinynet import Sequential, layers, losses, optim, waiting
from tinynet.execution import meeting
from tinynet.execution.meeting import meet, together
from tinynet.execution.recording import Recorded
from tinynet.kernels import update
from tinynet.training import step as shards


def busy():
    """The number of threads of shards that do not wait for a task."""
    deadline = time.monotonic() + 10
    while True:
        threads = [thread for thread in threading.enumerate() if thread.name == "tinynet shard"]
        count = len(threads) - len(meeting._idle)
        if count == 0 or time.monotonic() > deadline:
            return count
        time.sleep(0.001)


def test_alone_the_part_is_the_sum():
    part = np.arange(3.0)
    assert meet(part) is part
    assert together(lambda i: meet(part) is part, 1) == [True]


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("count", [2, 3, 8])
def test_each_shard_gets_the_sum_of_all_as_often_as_they_meet(set_threads, threads, count):
    set_threads(threads)

    def deep(levels, part):
        return meet(part) if levels == 0 else deep(levels - 1, part)

    def shard(i):
        first = deep(i, np.array([i, 1.0]))  # from any depth of calls
        second = meet(first * i)
        return first.tolist(), second.tolist()

    total = count * (count - 1) / 2
    assert together(shard, count) == [([total, count], [total**2, total * count])] * count
    assert busy() == 0


def test_shards_that_cannot_have_a_thread_each_say_so(monkeypatch):
    def refused(thread):
        raise RuntimeError("can't start new thread")

    idle = [*meeting._idle]
    meeting._idle.clear()
    monkeypatch.setattr(waiting, "_told", [])
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        with (
            pytest.warns(RuntimeWarning, match="could not be started"),
            pytest.raises(RuntimeError, match=r"a thread for each of them .*ulimit"),
        ):
            together(lambda i: meet(np.ones(1)), 2)
    meeting._idle.extend(idle)
    assert together(lambda i: meet(np.ones(1)).tolist(), 2) == [[2.0], [2.0]]
    assert busy() == 0


def test_parts_are_added_in_the_order_of_the_shards(set_threads):
    set_threads(3)
    values = np.float32([1e8, 1.0, -1e8, 3.0])  # in another order the sum is another one
    expected = ((values[0] + values[1]) + values[2]) + values[3]
    for _ in range(20):
        sums = together(lambda i: float(meet(values[i : i + 1])[0]), 4)
        assert sums == [float(expected)] * 4


def test_an_error_of_one_shard_ends_them_all():
    ended = []

    def shard(i):
        try:
            meet(np.zeros(1))
            if i == 1:
                raise ArithmeticError("in the midst")
            meet(np.zeros(1))
        finally:
            ended.append(i)

    with pytest.raises(ArithmeticError, match="in the midst"):
        together(shard, 3)
    assert sorted(ended) == [0, 1, 2]
    assert busy() == 0


def test_no_error_of_a_shard_is_lost_beside_busy_threads():
    done = threading.Event()
    others = [threading.Thread(target=lambda: [0 for _ in iter(done.is_set, True)]) for _ in range(3)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for other in others:
            other.start()

        def shard(i):
            if i:
                raise ArithmeticError
            return np.ones(2)

        for _ in range(300):
            with pytest.raises(ArithmeticError):
                together(shard, 2)
    finally:
        sys.setswitchinterval(interval)
        done.set()
        for other in others:
            other.join()


def test_what_shards_worked_on_is_let_go_at_once():
    gc.disable()
    try:
        x = np.ones((4, 100))
        reference = weakref.ref(x)
        together(lambda i, x=x: meet(x[i].copy()), 4)
        del x
        assert reference() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("part", [1.0, [1.0, 2.0], np.arange(3), np.ones((4, 4))[:, :2]], ids=type)
def test_a_part_is_an_array_of_floats(part):
    for count in (1, 2):
        with pytest.raises(TypeError, match="contiguous array of float32 or float64"):
            together(lambda i: meet(part), count)


def test_shards_that_meet_unequally_often_are_refused():
    with pytest.raises(RuntimeError, match="more often than others"):
        together(lambda i: meet(np.zeros(1)) if i else None, 3)
    with pytest.raises(ValueError, match="different parts"):
        together(lambda i: meet(np.zeros(1 + i)), 3)
    assert busy() == 0


def test_errors_of_numpy_are_what_the_caller_has_chosen():
    def shard(i):
        meet(np.zeros(1))
        return np.float64(1) / np.zeros(1)

    with np.errstate(divide="ignore"):
        assert np.isinf(together(shard, 2)).all()
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        together(shard, 2)


@pytest.mark.parametrize("threads", [1, 3])
def test_meeting_is_recorded_as_more_stages(set_threads, threads):
    set_threads(threads)
    parts, results = np.zeros((3, 2)), np.zeros((3, 2))

    def function(x):
        def shard(i):
            update.add_up(x[i], parts[i], True)
            total = meet(parts[i])
            update.add_up(total, results[i], True)
            update.add_up(x[i], results[i], False)
            return [results[i : i + 1]]

        return together(shard, 3)

    recorded = Recorded(function, only_kernels=True)
    random = np.random.default_rng(0)
    for _ in range(5):
        x = random.normal(size=(3, 2))
        np.testing.assert_allclose(recorded(x)[0], x + x.sum(axis=0), rtol=1e-14)
    (recording,) = recorded.made
    assert [len(stage) for stage in recording.program.plan.kept] == [3, 1, 3]


# Batch normalisation on shards


@dataclass(eq=False, repr=False)
class Block(layers.Layer, only_kernels=True):
    """A user's plain block: it knows nothing of shards."""

    units: int

    def __post_init__(self):
        self.dense, self.norm = layers.Dense(self.units), layers.BatchNormalization()
        self.after = layers.LeakyReLU()

    def declare(self, input_shape, random):
        return self.after.build(self.norm.build(self.dense.build(input_shape)))

    def forward(self, x, training=False):
        return self.after.forward(self.norm.forward(self.dense.forward(x, training), training), training)

    def backward(self, dy):
        return self.dense.backward(self.norm.backward(self.after.backward(dy)))


class CalledBlock(Block):
    """The same, and no promise to call only kernels."""


def deep_network(block, **arguments):
    return Sequential(
        [
            layers.Conv2D(3, 3, activation="relu"),
            layers.BatchNormalization(momentum=0.8),
            layers.MaxPool2D(2),
            layers.Flatten(),
            layers.Chain([block(7), layers.Dropout(0.3), block(5)]),
            layers.Dense(4, activation="softmax"),
        ],
        (8, 7, 2),
        seed=3,
        **arguments,
    )


@pytest.mark.parametrize("block", [Block, CalledBlock], ids=["recorded", "called"])
@pytest.mark.parametrize("cache_bytes", [2**20, 100])  # two shards, and eight
@pytest.mark.parametrize("threads", [1, 3])
def test_batch_normalization_in_a_block_is_that_of_the_whole_batch(
    set_threads, monkeypatch, block, cache_bytes, threads
):
    set_threads(threads)
    monkeypatch.setattr(shards, "CACHE_BYTES", cache_bytes)
    model, whole = deep_network(block, dtype="float64"), deep_network(block, dtype="float64")
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optim.SGD(0.05))
    logits = [*whole.flow().layers[:-1], layers.Dense(4)]
    logits[-1].build(5, dtype="float64")
    for ours, theirs in zip(logits[-1].parameters, whole.layers[-1].parameters, strict=True):
        ours.value = theirs.value
    random = np.random.default_rng(0)
    for step, samples in enumerate([13, 13, 30, 13, 9]):
        x, y = random.normal(size=(samples, 8, 7, 2)), random.integers(0, 4, samples)
        for layer in logits:
            for _, part in layer.parts():
                part.step = step
        output = x
        for layer in logits:
            output = layer.forward(output, training=True)
        dy = loss.gradient(y, output)
        for layer in reversed(logits):
            dy = layer.backward(dy)
        assert model.train_on_batch(x, y) == pytest.approx(loss(y, output), rel=1e-12)
        by_hand = [parameter for layer in logits for parameter in layer.parameters]
        for ours, theirs in zip(model.parameters, by_hand, strict=True):
            if ours.trainable:
                np.testing.assert_allclose(ours.grad, theirs.grad, rtol=1e-12, atol=1e-13)
                theirs.value -= 0.05 * theirs.grad
            np.testing.assert_allclose(ours.value, theirs.value, rtol=1e-12, atol=1e-13)
    step = model.trainer.steps.sizes[((13, 8, 7, 2),)]
    assert bool(step.outputs.idle) == (block is Block)
    assert len(step.shards) == (2 if cache_bytes > 100 else 8)


def test_the_bits_do_not_depend_on_the_threads_with_normalization_in_between(set_threads, monkeypatch):
    monkeypatch.setattr(shards, "CACHE_BYTES", 3000)
    random = np.random.default_rng(1)
    x, y = random.normal(size=(61, 8, 7, 2)).astype(np.float32), random.integers(0, 4, 61)
    for block in (Block, CalledBlock):
        results = set()
        for threads in (1, 2, 3, 5):
            set_threads(threads)
            model = deep_network(block)
            model.compile("adam")
            model.fit(x, y, batch_size=20, epochs=2, verbose=0)
            results.add(b"".join(array.tobytes() for array in [*model.get_weights(), model.predict(x)]))
        assert len(results) == 1
