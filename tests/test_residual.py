"""A residual network with batch normalization: gradients, threads, files, copies, and real MNIST."""

from __future__ import annotations

import copy
import math
import pickle
import statistics

import numpy as np
import pytest
from residual import HEADS, pictures, residual_network

from tinynet import data, layers, load_model, optim
from tinynet.gradcheck import gradcheck
from tinynet.training import step as shards

SHAPE, CLASSES = (11, 12, 2), 3
SIZES = (40, 7, 1, 40, 23)  # of batches: not all are cut into equal shards
SEEDS = (0, 1, 2)


@pytest.fixture
def many_shards(monkeypatch):
    """Cut batches into more shards than there are threads."""
    monkeypatch.setattr(shards, "CACHE_BYTES", 2**17)


each_head = pytest.mark.parametrize("head", HEADS)


def network(head="average"):
    """Return a compiled network."""
    model = residual_network(SHAPE, 8, CLASSES, head)
    compile_anew(model)
    return model


def compile_anew(model):
    model.compile(optim.SGD(0.05, momentum=0.9), "sparse_categorical_crossentropy", ["accuracy"])


def train(model, steps=8, between=lambda: None):
    """Make training steps on batches of several sizes, and return what they measured."""
    x, y = pictures(SHAPE, CLASSES, max(SIZES))
    logs = []
    for step in range(steps):
        size = SIZES[step % len(SIZES)]
        logs.append(model.train_on_batch(x[-size:], y[-size:]))
        between()
    return logs


def bits(model):
    """Return the weights, the running statistics and predictions as bytes."""
    x = pictures(SHAPE, CLASSES, 50, seed=1)[0]
    return [
        {name: parameter.value.tobytes() for name, parameter in model.named_parameters().items()},
        model.predict(x).tobytes(),
        model.predict(x[:1]).tobytes(),
    ]


@each_head
def test_the_network_branches_and_joins(head):
    model = network(head)
    adding = [layer for layer in model.layers if isinstance(layer, layers.Add)]
    assert [layer.output_shape for layer in adding] == [(11, 12, 8), (6, 6, 16)]
    assert len({layer.name for layer in model.layers}) == len(model.layers)
    # Two blocks of two kernels each, a projection, four normalizations, and kernel and bias at both ends.
    assert len(model.parameters) == 2 * 2 + 1 + 4 * 4 + 2 * 2


@each_head
@pytest.mark.parametrize("seed", SEEDS)
def test_its_gradients_are_right(head, seed):
    shape = (5, 6, 2)
    x, y = pictures(shape, CLASSES, 4, seed, "float64")
    model = residual_network(shape, 3, CLASSES, head, seed=seed, dtype="float64")
    model.compile("sgd")
    random = np.random.default_rng(seed)
    for parameter in model.parameters:  # those that begin as 0 and 1, too
        parameter.value[...] += random.normal(size=parameter.value.shape) / 10
    trained = [name for name, parameter in model.named_parameters().items() if parameter.trainable]
    for targets in (None, y):
        errors = gradcheck(model, x, targets, tolerance=1e-6, samples=12, seed=seed)
        assert list(errors) == [*trained, "x"]
        assert max(errors.values()) < 1e-6


@each_head
@pytest.mark.usefixtures("many_shards")
def test_its_bits_do_not_depend_on_the_number_of_threads(set_threads, head):
    results = []
    for threads in (1, 2, 3, 5):
        set_threads(threads)
        model = network(head)
        results.append((train(model), bits(model)))
    steps = model.trainer.steps.sizes.values()
    assert {len(step.shards) for step in steps} >= {1, 8}
    assert any(step.outputs.idle for step in steps)  # some were recorded
    assert all(result == results[0] for result in results)
    start = bits(network(head))
    assert all(start[0][name] != value for name, value in results[0][1][0].items())


@pytest.mark.usefixtures("many_shards")
def test_its_bits_are_the_same_if_the_number_of_threads_changes_while_it_trains(set_threads):
    set_threads(1)
    expected, changing = network(), network()
    measured, numbers = train(expected), iter((2, 5, 1, 3) * 2)
    assert train(changing, between=lambda: set_threads(next(numbers))) == measured
    assert bits(changing) == bits(expected)


@each_head
def test_what_is_saved_is_loaded_bit_for_bit_and_trains_on(tmp_path, head):
    model = network(head)
    train(model)
    model.save(tmp_path / "model.safetensors")
    again = load_model(tmp_path / "model.safetensors")
    assert bits(again) == bits(model)
    assert train(again) == train(model)
    assert bits(again) == bits(model)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_train_on_by_themselves(copied):
    model = network()
    train(model)
    again, before = copied(model), bits(model)
    measured = train(again)
    assert bits(model) == before
    assert train(model) == measured
    assert bits(again) == bits(model)


@each_head
def test_it_learns(head):
    down, across = np.indices(SHAPE[:2])
    stripes = np.sin([2 * down, 2 * across, 2 * (down + across)])[..., np.newaxis]
    y = np.arange(240) % CLASSES
    x = (stripes[y] + np.random.default_rng(0).normal(size=(240, *SHAPE))).astype(np.float32)
    model = network(head)
    history = model.fit(x[:180], y[:180], batch_size=32, epochs=6, verbose=0).history
    assert history["loss"][-1] < history["loss"][0] / 4
    _, accuracy = model.evaluate(x[180:], y[180:])
    assert accuracy > 0.9


@pytest.mark.slow
def test_it_reads_mnist_after_one_epoch():
    (images, y), (test_images, y_test) = data.load_mnist()
    x, x_test = data.scale_pixels(images), data.scale_pixels(test_images)
    accuracies = []
    for seed in SEEDS:
        model = residual_network((28, 28, 1), 8, 10, "max", seed=seed)
        rate = optim.CosineDecay(0.006, decay_steps=math.ceil(len(y) / 32))
        model.compile(optim.Adam(rate), "sparse_categorical_crossentropy", ["accuracy"])
        model.fit(x, y, batch_size=32, verbose=0)
        accuracies.append(100 * model.evaluate(x_test, y_test)[1])
    mean, deviation = statistics.mean(accuracies), statistics.stdev(accuracies)
    print(f"residual network: {mean:.2f} ± {deviation:.2f} %", *(f"{one:.2f}" for one in accuracies))
    assert mean >= 98.3
