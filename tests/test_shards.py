from __future__ import annotations

import copy
import gc
import itertools
import math
import os
import pickle
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tinynet import Sequential, get_num_threads, layers, losses, optim
from tinynet.execution.recording import Recorded
from tinynet.layers import conv_pool, workspace
from tinynet.layers.flow import Flow
from tinynet.layers.workspace import Room
from tinynet.training import blocks
from tinynet.training import step as shards
from tinynet.training.step import Step, Steps


@pytest.mark.parametrize("samples", [1, 3, 4, 13, 30])
@pytest.mark.parametrize("cache_bytes", [2**20, 100])
@pytest.mark.parametrize("threads", [1, 2])
def test_the_sum_over_uneven_shards_is_the_gradient_of_the_batch(
    set_threads, monkeypatch, samples, cache_bytes, threads
):
    set_threads(threads)
    monkeypatch.setattr(shards, "CACHE_BYTES", cache_bytes)  # a small one gives the most shards
    random = np.random.default_rng(samples)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model = Sequential(
        [
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.MaxPool2D(2),
            layers.Dropout(0.3),
            layers.Flatten(),
            layers.Dense(5, activation="tanh"),
            layers.Dense(3),
        ],
        (6, 6, 2),
        dtype="float64",
    )
    steps = Steps(model.fused, model.parameters, loss)
    for step, count in enumerate([samples, 30, samples]):  # what a larger batch left behind must not count
        x, y = random.normal(size=(count, 6, 6, 2)), random.integers(0, 3, count)
        model.layers[2].step = step
        outputs = model.forward(x, training=True)
        model.backward(loss.gradient(y, outputs))
        expected = model.flat.grad.copy()
        model.flat.grad[:] = np.nan
        value, together = steps([x], y, step)
        np.testing.assert_allclose(model.flat.grad, expected, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(together, outputs, rtol=1e-12)
        assert value == pytest.approx(loss(y, outputs), rel=1e-12)
        assert len(steps.sizes[(x.shape,)].shards) == min(count, 2 if cache_bytes > 100 else 8)


def test_the_number_of_shards_does_not_depend_on_the_number_of_threads(set_threads):
    model = Sequential([layers.Dense(2)], 3)
    model.compile("sgd", "mse")
    counts = []
    for threads in (1, 2, 9):
        set_threads(threads)
        model.train_on_batch(np.ones((50, 3)), np.ones((50, 2)))
        counts.append(model.trainer.steps.sizes.popitem()[1].shards)
    assert counts == [[slice(0, 25), slice(25, 50)]] * 3


@pytest.mark.parametrize(
    ("samples", "wide", "count"),
    [
        (1, 1, 1), (7, 1, 2), (63, 1, 2), (64, 1, 2), (127, 1, 2), (128, 1, 4), (255, 1, 4), (256, 1, 8),
        (511, 1, 8), (512, 1, 16), (1024, 1, 32), (9999, 1, 32),
        (5, 30_000, 2), (20, 30_000, 2), (60, 30_000, 4), (80, 30_000, 8), (128, 30_000, 8),
        (256, 30_000, 16), (600, 30_000, 32),
    ],
)  # fmt: skip
def test_a_batch_is_cut_into_a_power_of_two_of_shards(samples, wide, count):
    model = Sequential([layers.ReLU(), layers.Dense(1)], wide)
    model.compile("sgd", "mse")
    step = Step(model.trainer.steps, model.trainer.flow(), samples)
    assert len(step.shards) == count
    sizes = {shard.stop - shard.start for shard in step.shards}
    assert max(sizes) - min(sizes) <= 1


def test_a_model_without_parameters_can_be_evaluated_and_fitted():
    model = Sequential([layers.Flatten(), layers.Softmax()], (2, 2))
    model.compile("sgd")
    history = model.fit(np.zeros((9, 2, 2)), np.zeros(9, int), verbose=0).history
    assert history["loss"] == [pytest.approx(math.log(4))]


# Training by replaying programs


def mlp(loss_in_model=True, seed=0, **arguments):
    return Sequential(
        [
            layers.Flatten(),
            layers.Dense(20, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(130, activation=layers.LeakyReLU(0.1), use_bias=False),
            layers.Dense(4, activation="softmax" if loss_in_model else None),
        ],
        SHAPE,
        seed=seed,
        **arguments,
    )


def cnn(loss_in_model=True, rate=0.4, seed=0, **arguments):
    return Sequential(
        [
            layers.Conv2D(5, 3, activation="relu", padding="same"),
            layers.MaxPool2D(2),
            layers.Conv2D(4, (2, 3), strides=(2, 1), padding="same", activation="relu"),
            layers.Conv2D(6, 1, strides=(1, 2)),  # steps over pixels
            layers.Dropout(rate),
            layers.Flatten(),
            layers.Dense(4, activation="softmax" if loss_in_model else None),
        ],
        SHAPE,
        seed=seed,
        **arguments,
    )


def averaging(loss_in_model=True, **arguments):
    return Sequential(
        [
            layers.Dropout(0.1),
            layers.Conv2D(6, 3, activation=layers.LeakyReLU(0.2)),
            layers.AveragePool2D(2),
            layers.MaxPool2D(2, strides=1),
            layers.Conv2D(4, 2, padding="same", use_bias=False),
            layers.LeakyReLU(0.05),
            layers.ReLU(),
            layers.GlobalAveragePool2D(),
            *([layers.Softmax()] if loss_in_model else []),
        ],
        SHAPE,
        **arguments,
    )


SHAPE = (8, 7, 2)
MODELS = [mlp, cnn, averaging]
OPTIMIZERS = {
    "sgd": lambda: optim.SGD(0.1),
    "momentum": lambda: optim.SGD(optim.CosineDecay(0.1, 20), momentum=0.9, weight_decay=0.01),
    "nesterov": lambda: optim.SGD(0.05, momentum=0.8, nesterov=True),
    "adam": lambda: optim.Adam(optim.StepDecay(0.01, 3, 0.5)),
    "adamw": lambda: optim.AdamW(optim.ExponentialDecay(0.01, 7, 0.5), weight_decay=0.1),
    "clipped": lambda: optim.Adam(0.01, clipnorm=0.1),
    "clipped values": lambda: optim.Adam(0.01, amsgrad=True, clipvalue=0.01),
    "clipped together": lambda: optim.SGD(0.1, 0.9, global_clipnorm=0.1),
    "rmsprop": lambda: optim.RMSprop(0.01, momentum=0.5, centered=True, clipvalue=0.01),
    "adagrad": lambda: optim.Adagrad(0.01),
    "adadelta": lambda: optim.Adadelta(0.5),
    "adamax": lambda: optim.Adamax(0.01, weight_decay=0.01),
    "nadam": lambda: optim.Nadam(optim.PolynomialDecay(0.01, 20)),
}


every_optimizer_and_model = pytest.mark.parametrize(
    ("make", "optimizer"),
    [
        (mlp, "sgd"), (mlp, "momentum"), (mlp, "adam"), (mlp, "clipped"),
        (cnn, "nesterov"), (cnn, "adam"), (averaging, "adamw"),
        (mlp, "clipped values"), (mlp, "clipped together"), (mlp, "rmsprop"), (mlp, "adagrad"),
        (mlp, "adadelta"), (mlp, "adamax"), (mlp, "nadam"),
    ],
)  # fmt: skip


def problem(samples, seed=0):
    random = np.random.default_rng(seed)
    x, y = random.normal(size=(samples, *SHAPE)).astype(np.float32), random.integers(0, 4, samples)
    return x + (y / 2)[:, None, None, None].astype(np.float32), y


def train(make, optimizer="adam", between=lambda model: None, **arguments):
    """Train a new model in several ways, and return it and the losses."""
    model = make(seed=3, **arguments)
    model.compile(OPTIMIZERS[optimizer](), metrics=["accuracy"])
    x, y = problem(47)
    records = [model.fit(x, y, batch_size=20, epochs=2, verbose=0)]  # 20, 20, 7
    between(model)
    records.append(model.fit(x, y.astype(np.uint8)[:, None], batch_size=24, shuffle=False, verbose=0))
    between(model)
    records.append(model.fit(x[::2], y[::2], batch_size=20, validation_split=0.1, verbose=0))  # 20, 2
    return model, [value for record in records for name in record.history for value in record.history[name]]


def never_replay(patch):
    """Let layers and losses be called in every step, as they are where they do more than call kernels."""
    patch.setattr(Flow, "only_kernels", False)


def record_every_step(patch):
    """Let the kernels be called in every step, as they are in the first."""
    call = Recorded.__call__

    def record(self, *inputs):
        self.idle, self.made = {}, []
        return call(self, *inputs)

    patch.setattr(Recorded, "__call__", record)


@every_optimizer_and_model
def test_replayed_steps_are_the_recorded_one_bit_for_bit(monkeypatch, make, optimizer):
    replayed, measured = train(make, optimizer)
    assert all(size.outputs.idle for size in replayed.trainer.steps.sizes.values())
    with monkeypatch.context() as patch:
        record_every_step(patch)
        recorded, same = train(make, optimizer)
    assert replayed.flat.value.tobytes() == recorded.flat.value.tobytes()
    assert replayed.flat.grad.tobytes() == recorded.flat.grad.tobytes()
    assert measured == same


@every_optimizer_and_model
def test_training_by_replaying_is_training_without(monkeypatch, make, optimizer):
    # The loss's kernel multiplies by a shard's share before it rounds to float32, NumPy's path after it.
    start = make(seed=3).flat.value
    for dtype, rtol in [("float32", 1e-4), ("float64", 1e-9)][: 1 if make is mlp else 2]:
        replayed, measured = train(make, optimizer, dtype=dtype)
        with monkeypatch.context() as patch:
            never_replay(patch)
            called, same = train(make, optimizer, dtype=dtype)
        assert not any(size.outputs.idle for size in called.trainer.steps.sizes.values())
        moved = np.abs(called.flat.value - start).max()
        np.testing.assert_allclose(replayed.flat.value, called.flat.value, rtol=0, atol=rtol * moved)
        np.testing.assert_allclose(measured, same, rtol=rtol)


@pytest.mark.parametrize("make", [mlp, cnn])
def test_weights_do_not_depend_on_the_number_of_threads(set_threads, monkeypatch, make):
    monkeypatch.setattr(blocks, "BLOCK", 50)  # many blocks, also of a small model
    monkeypatch.setattr(shards, "CACHE_BYTES", 4000)  # and many shards
    monkeypatch.setattr(shards, "MAX_SHARDS", 4)
    results = []
    for threads in (1, 2, 3, 5):
        set_threads(threads)
        model, measured = train(make, between=lambda model: set_threads(1 + get_num_threads() % 5))
        results.append((model.flat.value.tobytes(), model.flat.grad.tobytes(), measured))
    assert max(len(size.shards) for size in model.trainer.steps.sizes.values()) > 2
    assert all(result == results[0] for result in results)


def test_blocks_and_shards_of_any_size_give_the_gradient(monkeypatch):
    x, y = problem(13)
    gradients = []
    for block, cache_bytes in [(2**16, 2**20), (1, 1), (300, 5000)]:
        monkeypatch.setattr(blocks, "BLOCK", block)
        monkeypatch.setattr(shards, "CACHE_BYTES", cache_bytes)
        monkeypatch.setattr(blocks, "ROWS_AT_ONCE", 14 if block == 1 else 112)
        model = mlp(dtype="float64")
        model.compile(optim.SGD(0.1))
        for _ in range(3):
            model.train_on_batch(x, y)
        gradients.append(np.concatenate([model.flat.grad, model.flat.value]))
    np.testing.assert_allclose(gradients[1], gradients[0], rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(gradients[2], gradients[0], rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("make", MODELS)
def test_the_gradient_of_every_step_is_the_one_by_hand(make, smoothing):
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    model = make(loss_in_model=False, dtype="float64")
    model.compile(optim.SGD(0.05), loss)
    for step, samples in enumerate([9, 9, 1, 9, 1, 2, 9]):
        x, y = problem(samples, seed=step)
        for layer in model.layers:
            layer.step = step
        outputs = model.forward(x, training=True)
        value, dy = loss.value_and_gradient(y, outputs)
        model.backward(dy)
        expected, before = model.flat.grad.copy(), model.flat.value.copy()
        model.flat.grad[:] = np.nan
        measured = model.train_on_batch(x, y)
        np.testing.assert_allclose(model.flat.grad, expected, rtol=1e-9, atol=1e-13)
        np.testing.assert_allclose(model.flat.value, before - 0.05 * expected, rtol=1e-9, atol=1e-13)
        assert measured == pytest.approx(value, rel=1e-12)


def test_more_sizes_of_batches_than_are_remembered(monkeypatch):
    most = 100_000
    monkeypatch.setattr(shards, "MAX_STEP_BYTES", most)
    order = [*range(1, 9), 3, 1, *range(8, 0, -1)]

    def steps():
        model = cnn(seed=1)
        model.compile("adam")
        for step, samples in enumerate(order):
            model.train_on_batch(*problem(samples, seed=step))
            sizes = model.trainer.steps.sizes
            assert len(sizes) == 1 or sum(size.nbytes for size in sizes.values()) <= most
        assert 2 <= len(sizes) < 8
        return model.flat.value.tobytes()

    replayed = steps()
    with monkeypatch.context() as patch:
        record_every_step(patch)
        assert steps() == replayed


def test_each_step_s_metrics_are_those_of_its_outputs():
    model = cnn(seed=1, rate=0.0)
    model.compile(optim.SGD(0.0), metrics=["accuracy"])
    for step in range(4):
        x, y = problem(30, seed=step)
        loss, accuracy = model.train_on_batch(x, y)
        outputs = model.forward(x)
        assert accuracy == np.mean(outputs.argmax(axis=1) == y)
        assert loss == pytest.approx(losses.SparseCategoricalCrossentropy()(y, outputs), rel=1e-5)
        assert model.evaluate(x, y) == pytest.approx([loss, accuracy], rel=1e-5)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])  # and no velocity, which moves on without a rate
def test_another_learning_rate_takes_effect_at_once(optimizer):
    model = mlp(seed=1)
    model.compile(OPTIMIZERS[optimizer]())
    model.optimizer.weight_decay = 0.0
    x, y = problem(12)
    for rate in (0.1, 0.1, 0.0, 0.05, 0.0):
        model.optimizer.learning_rate = rate
        before = model.flat.value.copy()
        model.train_on_batch(x, y)
        assert np.array_equal(before, model.flat.value) == (rate == 0)
    if optimizer == "sgd":
        gradients = []
        for rate in (0.5, 0.25):
            model.optimizer.learning_rate = rate
            before = model.flat.value.copy()
            model.train_on_batch(x, y)
            gradients.append((before - model.flat.value) / rate)
            np.testing.assert_allclose(gradients[-1], model.flat.grad, atol=1e-5)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "clipped"])
def test_an_optimizer_that_is_built_anew_starts_afresh(monkeypatch, optimizer):
    def build(model):
        model.optimizer.build([model.flat])
        assert model.optimizer.iterations == 0

    rebuilt, measured = train(mlp, optimizer, build)
    with monkeypatch.context() as patch:
        record_every_step(patch)
        recorded, same = train(mlp, optimizer, build)
    assert rebuilt.flat.value.tobytes() == recorded.flat.value.tobytes()
    assert measured == same
    assert rebuilt.optimizer.iterations == 2  # since then
    if optimizer == "adam":
        going_on, _ = train(mlp, optimizer)
        assert rebuilt.flat.value.tobytes() != going_on.flat.value.tobytes()


@pytest.mark.parametrize("optimizer", ["momentum", "adam", "clipped"])
@pytest.mark.parametrize("again", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
@pytest.mark.parametrize("make", [mlp, cnn])
def test_copies_go_on_by_themselves(make, again, optimizer):
    x, y = problem(30)
    model = make(seed=1)
    model.compile(OPTIMIZERS[optimizer]())
    model.fit(x, y, batch_size=12, verbose=0)
    model.predict(x)
    twin = again(model)
    before = model.flat.value.copy(), {name: np.copy(a) for name, a in model.optimizer.state.items()}
    twin.fit(x, y, batch_size=12, epochs=2, verbose=0)
    outputs = twin.predict(x)
    np.testing.assert_array_equal(outputs, twin.forward(x))
    np.testing.assert_array_equal(model.flat.value, before[0])  # the copy's training is its own
    for name, arrays in model.optimizer.state.items():
        np.testing.assert_array_equal(arrays, before[1][name])
    third = again(twin)
    assert third.flat.value.tobytes() == twin.flat.value.tobytes()
    model.fit(x, y, batch_size=12, epochs=2, verbose=0)
    assert model.flat.value.tobytes() == twin.flat.value.tobytes()
    np.testing.assert_array_equal(model.predict(x), outputs)
    np.testing.assert_array_equal(third.predict(x), outputs)


@pytest.mark.parametrize(
    "change",
    [
        lambda x, y: (np.asfortranarray(x), y),
        lambda x, y: (np.repeat(x, 2, axis=1)[:, ::2], y),
        lambda x, y: (x.astype(np.float64), y.astype(np.int8)),
        lambda x, y: (x.astype(">f4"), y[:, None].astype(">u2")),
        lambda x, y: (read_only(x), read_only(y)),
    ],
)
def test_any_array_may_be_trained_on(change):
    x, y = problem(24)
    results = []
    for data in ((x, y), change(x, y)):
        model = cnn(seed=1)
        model.compile("adam")
        for _ in range(3):
            model.train_on_batch(*data)
        model.train_on_batch(x[::-1], y[::-1])  # another array than the one recorded
        model.fit(*data, batch_size=24, verbose=0)
        results.append(model.flat.value.tobytes())
    assert results[0] == results[1]


def test_arrays_that_were_trained_on_are_not_read_again():
    x, y = problem(24)
    results = []
    for poison in (False, True):
        model = mlp(seed=1)
        model.compile("adam")
        for _ in range(4):
            own_x, own_y = x.copy(), y.copy()
            model.train_on_batch(own_x, own_y)
            np.testing.assert_array_equal(own_x, x)
            if poison:
                own_x[...], own_y[...] = np.nan, -1
        results.append(model.flat.value.tobytes())
    assert results[0] == results[1]
    assert np.isfinite(model.flat.value).all()


@pytest.mark.parametrize("ends", [[layers.Softmax], [layers.Dropout, layers.Softmax]])
def test_a_model_without_parameters_has_the_right_logs_in_every_step(ends):
    model = Sequential(
        [layers.Flatten(), *(kind(*[0.0] * (kind is layers.Dropout)) for kind in ends)], (2, 2)
    )
    model.compile("sgd", metrics=["accuracy"])
    random = np.random.default_rng(0)
    for _ in range(4):
        x, y = random.normal(size=(9, 2, 2)), random.integers(0, 4, 9)
        expected = [
            pytest.approx(losses.SparseCategoricalCrossentropy()(y, model.forward(x)), rel=1e-5),
            np.mean(x.reshape(9, 4).argmax(axis=1) == y),
        ]
        assert model.train_on_batch(x, y) == expected
        assert model.evaluate(x, y) == expected


def negative(kind):
    """Return a class that derives from a layer's and turns its output's sign around."""

    class Negative(kind):
        def forward(self, x, training=False):
            return -kind.forward(self, x, training)

        def backward(self, dy):
            return kind.backward(self, -np.asarray(dy))

    return Negative


@pytest.mark.parametrize("place", range(8))
def test_layers_of_one_s_own_that_derive_from_ours_do_what_they_say(place):
    made = [
        (layers.Conv2D, 4, 3), (layers.MaxPool2D, 2), (layers.LeakyReLU, 0.2), (layers.Conv2D, 3, 1),
        (layers.AveragePool2D, 2), (layers.Flatten,), (layers.Dense, 6), (layers.Dense, 4),
    ]  # fmt: skip
    kinds = [negative(kind) if i == place else kind for i, (kind, *_) in enumerate(made)]
    model = Sequential(
        [kind(*arguments) for kind, (_, *arguments) in zip(kinds, made, strict=True)], SHAPE, dtype="float64"
    )
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optim.SGD(0.1), loss)
    for seed in range(3):
        x, y = problem(9, seed)
        np.testing.assert_allclose(model.predict(x), model.forward(x), rtol=1e-12)
        model.backward(loss.gradient(y, model.forward(x, training=True)))
        expected = model.flat.grad.copy()
        model.train_on_batch(x, y)
        np.testing.assert_allclose(model.flat.grad, expected, rtol=1e-9, atol=1e-13)


def test_the_shards_of_a_size_that_equals_another_axis_do_not_share_arrays():
    # Shards of 6 and 6 samples, beside 6 units, 6 features, 6 filters, kernels of 6 x 6.
    for samples in (12, 11):
        model = Sequential(
            [
                layers.Conv2D(6, 6, activation="relu", padding="same"),
                layers.MaxPool2D(1),
                layers.Conv2D(6, 6),
                layers.Flatten(),
                layers.Dense(6, activation="relu"),
                layers.Dense(6),
                layers.Dense(4),
            ],
            (6, 6, 6),
            dtype="float64",
        )
        loss = losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optim.SGD(0.0), loss)
        random = np.random.default_rng(samples)
        for _ in range(3):
            x, y = random.normal(size=(samples, 6, 6, 6)), random.integers(0, 4, samples)
            model.backward(loss.gradient(y, model.forward(x, training=True)))
            expected = model.flat.grad.copy()
            model.train_on_batch(x, y)
            np.testing.assert_allclose(model.flat.grad, expected, rtol=1e-9, atol=1e-13)


def test_several_models_train_at_once():
    x, y = problem(40)

    def work(make):
        model = make(seed=5)
        model.compile("adam")
        model.fit(x, y, batch_size=16, epochs=6, verbose=0)
        return model.flat.value.tobytes()

    alone = [work(make) for make in MODELS]
    with ThreadPoolExecutor(3) as users:
        for _ in range(2):
            together = [users.submit(work, make) for make in MODELS]
            assert [future.result(60) for future in together] == alone


# Predictions


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("make", MODELS)
def test_a_prediction_does_not_depend_on_the_batch_or_the_threads(set_threads, make):
    x, _ = problem(200)
    model = make()
    expected = np.concatenate([model.forward(x[i : i + 1]) for i in range(200)])
    random = np.random.default_rng(0)
    for threads in (1, 2, 3, 5):
        set_threads(threads)
        for size in random.permutation(np.arange(1, 201))[:20]:
            start = int(random.integers(0, 201 - size))
            outputs = model.predict(x[start : start + size])
            assert outputs.tobytes() == expected[start : start + size].tobytes(), (threads, size)
    one_by_one = np.concatenate([model.predict(sample) for sample in x])
    assert one_by_one.tobytes() == expected.tobytes()


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_single_image_is_predicted_by_several_threads_with_the_same_bits(set_threads, monkeypatch, threads):
    monkeypatch.setattr(conv_pool, "BAND_FLOPS", 1)
    set_threads(threads)
    x, _ = problem(300)
    model = cnn()
    expected = model.forward(x)
    for image, wanted in zip(x, expected, strict=True):
        assert model.predict(image).tobytes() == wanted.tobytes()


@pytest.mark.parametrize("zeros", [0.5, 1.0])
def test_a_single_row_with_zeros_is_predicted_with_the_same_bits(zeros):
    x, _ = problem(30)
    x[np.random.default_rng(0).random(x.shape) < zeros] = 0
    model = mlp()
    together = model.predict(x)
    assert together.tobytes() == np.concatenate([model.predict(sample) for sample in x]).tobytes()


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_more_sizes_of_predictions_than_are_remembered(set_threads, threads):
    set_threads(threads)
    x, _ = problem(200)
    model = mlp()
    expected = model.forward(x)
    # Shards of many samples are remembered when others fill the memory, and a batch needs both kinds.
    for size in [*range(1, 8), 64, 73, 130, 200, *range(1, 20), 199, 150, *range(64, 90), *range(20, 0, -1)]:
        np.testing.assert_array_equal(model.predict(x[:size]), expected[:size])


@pytest.mark.parametrize(
    "made",
    [
        lambda: [layers.Flatten()],
        lambda: [layers.Dropout(0.5)],
        lambda: [layers.Flatten(), layers.Dropout(0.5)],
        lambda: [layers.Flatten(), layers.Softmax()],
        lambda: [layers.MaxPool2D(2), layers.Flatten()],
        lambda: [layers.Flatten(), layers.Dense(3, "tanh")],  # has no kernel for it
    ],
)
def test_outputs_are_new_arrays_and_of_the_input_given(made):
    model = Sequential(made(), SHAPE)
    x, _ = problem(5)
    others = [problem(5, seed=seed)[0] for seed in range(1, 4)]
    kept = [other.copy() for other in others]
    model.predict(x)
    for other, same in zip(others, kept, strict=True):
        expected = model.forward(same).copy()
        outputs = model.predict(other)
        np.testing.assert_array_equal(outputs, expected)
        outputs[...] = np.nan
        np.testing.assert_array_equal(other, same)
        np.testing.assert_array_equal(model.predict(other), expected)
    first = model.predict(others[0])
    values = first.copy()
    model.predict(others[1])
    np.testing.assert_array_equal(first, values)


@pytest.mark.parametrize(
    "change",
    [
        read_only,
        np.asfortranarray,
        lambda x: np.repeat(x, 2, axis=0)[::2],
        lambda x: x[::-1][::-1],
        lambda x: x.astype(np.float64),
        lambda x: x.astype(">f4"),
        lambda x: read_only(x)[:, ::-1][:, ::-1],
        np.ndarray.tolist,
    ],
)
def test_any_array_may_be_predicted(change):
    for make in (mlp, cnn):
        model = make()
        for seed in range(3):
            x, _ = problem(11, seed)
            if seed == 2:  # after another kind of array of that size
                model.predict(-x)
            np.testing.assert_array_equal(model.predict(change(x)), model.forward(x))
        x, _ = problem(150)
        np.testing.assert_array_equal(model.predict(change(x)), model.forward(x))


def test_evaluation_of_arrays_that_cannot_be_written_to():
    x, y = problem(150)
    model = cnn()
    model.compile(metrics=["accuracy"])
    expected = model.evaluate(x.copy(), y)
    model = cnn()
    model.compile(metrics=["accuracy"])
    assert model.evaluate(read_only(x), read_only(y)) == expected
    record = model.fit(x[:20], y[:20], validation_data=(read_only(x), y), verbose=0).history
    assert record["val_loss"][-1] == pytest.approx(model.evaluate(x, y)[0], rel=1e-12)


@pytest.mark.parametrize("make", MODELS)
def test_other_weights_take_effect_in_the_next_prediction(make):
    model, other = make(), make(seed=9)
    x, y = problem(70)
    model.predict(x)
    model.flat.value[:] = other.flat.value
    np.testing.assert_array_equal(model.predict(x), other.predict(x))
    for parameter in model.parameters:
        parameter.value = parameter.value * 2
        np.testing.assert_array_equal(model.predict(x), model.forward(x))
    model.compile("adam")
    for _ in range(3):
        model.train_on_batch(x, y)
        np.testing.assert_array_equal(model.predict(x), model.forward(x))


def test_an_input_that_changes_in_place_is_read_again():
    model = cnn()
    x, _ = problem(20)
    for seed in range(3):
        x[...] = problem(20, seed)[0]
        np.testing.assert_array_equal(model.predict(x), model.forward(x))


def test_arrays_that_were_predicted_or_trained_on_are_let_go():
    model = mlp()
    model.compile("adam")
    given = []
    for _ in range(2):
        for size in (5, 150):
            x, y = problem(size)
            given.append(weakref.ref(x))
            model.predict(x)
            x, y = problem(size)
            given.append(weakref.ref(x))
            model.train_on_batch(x, y)
    del x, y
    gc.collect()
    assert [array() is None for array in given] == [True] * len(given)


def test_many_threads_predict_at_once_while_another_trains(set_threads):
    set_threads(3)
    x, y = problem(120)
    # A learning rate of 0: the weights are written all the time, and stay.
    served, trained, alone = cnn(seed=1), mlp(seed=2), mlp(seed=2)
    served.compile(optim.SGD(0.0))
    for model in (trained, alone):
        model.compile("adam")
    sizes = [1, 2, 3, 5, 8, 13, 21, 34, 55, 64, 70, 89, 100, 119]  # more than are remembered
    expected = served.forward(x)
    done = threading.Event()

    def predict(seed):
        random, count = np.random.default_rng(seed), 0
        while not done.is_set() or count < 20:
            size = int(random.choice(sizes))
            start = int(random.integers(0, 121 - size))
            outputs = served.predict(x[start : start + size])
            np.testing.assert_array_equal(outputs, expected[start : start + size])
            assert np.isfinite(trained.predict(x[:size])).all()
            count += 1
        return count

    def fit(model):
        for _ in range(6):
            model.fit(x, y, batch_size=50, verbose=0)

    with ThreadPoolExecutor(6) as users:
        predicting = [users.submit(predict, seed) for seed in range(4)]
        training = [users.submit(fit, served), users.submit(fit, trained)]
        try:
            for future in training:
                future.result(60)
        finally:
            done.set()
        assert all(future.result(60) >= 20 for future in predicting)
    fit(alone)
    assert trained.flat.value.tobytes() == alone.flat.value.tobytes()
    np.testing.assert_array_equal(served.predict(x), expected)


def test_new_models_are_recorded_by_many_threads_at_once(run_python):
    # In another process, where nothing has been recorded yet.
    printed = run_python("""
import threading, numpy as np
from tinynet import Sequential, layers

kinds = [
    [layers.Dense(3)], [layers.Conv2D(2, 3, activation="relu"), layers.MaxPool2D(2)], [layers.MaxPool2D(2)],
    [layers.AveragePool2D(2)], [layers.LeakyReLU(0.5)], [layers.Softmax()],
    [layers.Conv2D(2, 2, padding="same")],
]
models = [Sequential(made, (5,) if isinstance(made[0], layers.Dense) else (6, 6, 2)) for made in kinds]
inputs = [np.random.default_rng(0).normal(size=(9, *model.input_shape)).astype("float32") for model in models]
expected = [model.forward(x) for model, x in zip(models, inputs)]  # compiles the kernels, records nothing
start, right = threading.Barrier(len(models)), []

def predict(i):
    start.wait(30)
    right.append(all(np.array_equal(models[i].predict(inputs[i]), expected[i]) for _ in range(5)))

threads = [threading.Thread(target=predict, args=(i,)) for i in range(len(models))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(right == [True] * len(models))
""")
    assert printed == "True\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_predicts_and_trains_and_both_processes_end(run_python):
    printed = run_python("""
import hashlib, os, signal, warnings
import numpy as np
import tinynet
from tinynet import Sequential, layers
from tinynet.execution import parallel

warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of fork beside threads
signal.alarm(40)
tinynet.set_num_threads(3)
model = Sequential(
    [
        layers.Conv2D(3, 3, activation="relu"), layers.MaxPool2D(2),
        layers.Flatten(), layers.Dense(3, "softmax"),
    ],
    (6, 6, 1),
)
model.compile("adam")
x, y = np.random.default_rng(0).normal(size=(100, 6, 6, 1)), np.arange(100) % 3

def use():
    outputs = [model.predict(x[:size]).tobytes() for size in (100, 1, 33)]
    model.fit(x, y, epochs=2, verbose=0)
    outputs += [model.flat.value.tobytes(), model.predict(x).tobytes()]
    return hashlib.sha256(b"".join(outputs)).hexdigest()

use()  # programs are recorded, and the helpers run
crew, answers = parallel._crews["crew"], []
for _ in range(2):  # at once, and while they sleep
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        assert "crew" not in parallel._crews
        os.write(writer, use().encode())
        assert parallel._crews["crew"] is not crew
        os._exit(0)
    answers.append((os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), os.read(reader, 64).decode()))
    answers.append((0, use()))
    import time; time.sleep(0.05)
print(answers[0] == answers[1] and answers[2] == answers[3] and answers[0] != answers[2])
model.predict(x)  # the helpers look out for work when the process ends
""")
    assert printed == "True\n"


def test_labels_of_several_axes_are_cut_with_their_images(monkeypatch):
    def train():
        model = Sequential([layers.Conv2D(4, 3, padding="same", activation="softmax")], (3, 2, 1), seed=3)
        model.compile("sgd")
        random = np.random.default_rng(0)
        x, y = random.normal(size=(9, 3, 2, 1)), random.integers(0, 4, (9, 3, 2))
        for _ in range(3):
            model.train_on_batch(x, y)
        return model

    replayed = train()
    assert replayed.trainer.steps.sizes[((9, 3, 2, 1),)].outputs.only_kernels
    never_replay(monkeypatch)
    np.testing.assert_allclose(replayed.flat.value, train().flat.value, rtol=1e-5, atol=1e-7)


def test_an_augmentation_must_return_as_many_images():
    model = Sequential([layers.Flatten(), layers.Dense(3, "softmax")], (2, 2, 1))
    model.compile()
    with pytest.raises(
        ValueError, match=r"augment must return images of shape \(\d, 2, 2, 1\); got \(\d, 2, 2, 1\)"
    ):
        model.fit(
            np.ones((8, 2, 2, 1)), np.zeros(8, int), batch_size=8, verbose=0,
            augment=lambda images, **_: images[1:],
        )  # fmt: skip


@pytest.mark.parametrize("clip", ["clipnorm", "clipvalue", "global_clipnorm"])
def test_clipping_may_begin_after_compiling(clip):
    def train(limit):
        model = Sequential([layers.Dense(3, "softmax")], 2, seed=1)
        model.compile(optim.SGD(0.5, **{clip: limit}))
        model.optimizer.learning_rate = 0.0
        for _ in range(2):  # recorded, without clipping in one of the two
            model.train_on_batch(np.ones((6, 2)), np.arange(6) % 3)
        model.optimizer.learning_rate = 0.5
        setattr(model.optimizer, clip, 0.01)
        for _ in range(3):
            model.train_on_batch(np.ones((6, 2)), np.arange(6) % 3)
        return model.flat.value

    np.testing.assert_array_equal(train(None), train(0.01))


# The memory of steps


def of_all_kinds():
    convolution = {"padding": "same", "activation": "relu"}
    made = [
        layers.Conv2D(16, 3, **convolution),
        layers.MaxPool2D(2),
        layers.Dropout(0.2),
        layers.Conv2D(16, 3, **convolution),  # by Winograd, as the next one with other channels
        layers.BatchNormalization(),
        layers.Conv2D(8, 3, method="winograd", padding="same"),
        layers.MaxPool2D(2),
        layers.DepthwiseConv2D(3),
        layers.Flatten(),
        layers.Dense(9, activation="tanh"),
        layers.Dense(3, activation="softmax"),
    ]
    model = Sequential(made, (14, 14, 2), seed=5)
    model.compile(optim.Adam(0.01), metrics=["accuracy"])
    return model


def images(samples, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=(samples, 14, 14, 2)).astype(np.float32), random.integers(0, 3, samples)


def test_what_a_step_left_in_memory_does_not_count():
    one, other = of_all_kinds(), of_all_kinds()
    for number, samples in enumerate([40, 23, 40, 7, 23, 40]):
        batch = images(samples, number)
        assert one.train_on_batch(*batch) == other.train_on_batch(*batch)
        for block in other.trainer.steps.memory:
            block.fill(0xFF)  # NaN, whatever the type
    assert one.flat.value.tobytes() == other.flat.value.tobytes()


def test_batches_of_all_sizes_work_in_the_same_memory():
    model = of_all_kinds()
    model.train_on_batch(*images(40))
    memory = model.trainer.steps.memory
    before = [block.ctypes.data for block in memory]
    for samples in (39, 23, 7, 1):
        model.train_on_batch(*images(samples))
    assert [block.ctypes.data for block in model.trainer.steps.memory] == before
    for step in model.trainer.steps.sizes.values():
        assert 0 < step.room.nbytes <= model.trainer.steps.sizes[((40, 14, 14, 2),)].room.nbytes
        assert np.may_share_memory(step.replicas[0].layers[-1].x, memory[0])


def test_arrays_lie_apart_and_begin_with_a_line_of_the_cache(monkeypatch):
    monkeypatch.setattr(workspace, "BLOCK_BYTES", 4096)
    blocks, random = [], np.random.default_rng(0)
    for _ in range(2):
        room, arrays = Room(blocks), []
        for number in range(200):
            shape = tuple(random.integers(0, 9, random.integers(0, 4)).tolist())
            arrays.append(room.empty(shape, np.dtype(random.choice(["float32", "float64", "uint8"]))))
            arrays[-1].fill(number)
        arrays.append(room.empty((5000,), np.dtype(np.float64)))
        assert all(array.ctypes.data % 64 == 0 for array in arrays)
        assert all((array == number).all() for number, array in enumerate(arrays[:-1]))


def test_threads_lay_arrays_at_the_same_time():
    for _ in range(20):
        room = Room([])
        with ThreadPoolExecutor(4) as pool:
            shapes, kinds = [(n,) for n in range(1, 400)], [np.dtype(np.int64)] * 399
            arrays = [*pool.map(room.empty, shapes, kinds)]
        places = sorted((array.ctypes.data, array.nbytes) for array in arrays)
        assert all(a + size <= b for (a, size), (b, _) in itertools.pairwise(places))


def test_layers_of_a_replica_share_what_they_work_in_for_a_moment():
    model = of_all_kinds()
    model.train_on_batch(*images(40))
    (step,) = model.trainer.steps.sizes.values()
    for replica in step.replicas:
        assert len({id(space.scratch) for space in replica.workspaces}) == 1
        assert {"u", "v", "m", "du"} <= {*replica.workspaces[0].scratch}
    first, second = (replica.workspaces[0].scratch["v"] for replica in step.replicas[:2])
    assert not np.may_share_memory(first, second)
