"""NumPy's small integers as arguments: np.int8(100) + 100 is -56, which no result may show."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import tinynet
from tinynet import Sequential, layers, optim
from tinynet.data import batches

HUNDRED = np.int8(100)


@pytest.fixture(autouse=True)
def overflow_is_an_error():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


LAYERS = [
    (lambda n: layers.Dense(n), (100,)),
    (lambda n: layers.Conv2D(n, (n - 97, n - 97), strides=n - 99, padding="same"), (9, 9, 1)),
    (lambda n: layers.Conv2D(n, 3, dilation_rate=[n, n]), (220, 210, 2)),
    (lambda n: layers.Conv1D(n, 3, dilation_rate=n), (280, 3)),
    (lambda n: layers.DepthwiseConv2D(3, depth_multiplier=n), (8, 8, 3)),
    (lambda n: layers.SeparableConv2D(n, 3, depth_multiplier=n), (8, 8, 3)),
    (lambda n: layers.MaxPool2D(n - 98), (9, 9, 1)),
    (lambda n: layers.Reshape((n, n - 98)), (200,)),
    (lambda n: layers.Reshape([n, n - 98]), (200,)),
    (lambda n: layers.Permute([n - 98, n - 99]), (3, 4)),
    (lambda n: layers.ZeroPadding2D(n), (8, 8, 1)),
    (lambda n: layers.Cropping2D([n - 99, n - 98]), (8, 8, 1)),
    (lambda n: layers.UpSampling2D(n), (3, 3, 1)),
    (lambda n: layers.Resizing(n, n, "nearest"), (3, 3, 1)),
]


@pytest.mark.parametrize(("make", "shape"), LAYERS)
def test_layers(make, shape):
    small, plain = (Sequential([make(n)], shape, seed=0) for n in (HUNDRED, 100))
    x = np.ones((2, *shape))
    assert small.count_params() == plain.count_params()
    np.testing.assert_array_equal(small.predict(x), plain.predict(x))


def test_input_shapes():
    inputs = tinynet.Input((HUNDRED, HUNDRED))
    assert tinynet.Model(inputs, layers.Dense(HUNDRED)(layers.Flatten()(inputs))).count_params() == 1000100
    model = Sequential([layers.Dense(2)])
    model.build((None, HUNDRED))
    assert model.count_params() == 202


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16])
def test_training_on_batches(kind):
    x, y = np.ones((300, 4)), np.ones((300, 2))
    model = Sequential([layers.Dense(2)], 4)
    model.compile(optim.SGD(optim.CosineDecay(0.01, kind(100))), "mse", ["mae"])
    model.fit(x, y, batch_size=kind(100), epochs=kind(2), validation_split=0.1, verbose=0)
    assert model.optimizer.iterations == 6  # of 270 samples each
    model.fit(x, y, batch_size=kind(100), steps_per_epoch=kind(2), verbose=0)
    assert model.optimizer.iterations == 8
    assert len(model.evaluate(x, y, batch_size=kind(100), steps=kind(2), verbose=0)) == 2
    assert len(model.predict(x, batch_size=kind(100), steps=kind(2))) == 200

    def endless():
        while True:
            yield x[:3], y[:3]

    model.fit(endless(), steps_per_epoch=kind(100), epochs=kind(2), initial_epoch=kind(1), verbose=0)
    assert model.optimizer.iterations == 108


def test_batches():
    cut = [*batches(300, HUNDRED, shuffle=False, seed=0, epoch=0)]
    assert [len(part) for part in cut] == [100, 100, 100]


def test_masked_numbers_are_refused():
    model = Sequential([layers.Dense(2)], 4)
    model.compile("sgd", "mse")
    x = np.ma.masked_equal(np.arange(8.0).reshape(2, 4), 3)
    with pytest.raises(ValueError, match="x is a masked array with 1 masked number"):
        model.fit(x, np.ones((2, 2)), verbose=0)
    with pytest.raises(ValueError, match="y is a masked array"):
        model.fit(x.filled(0), np.ma.masked_equal(np.ones((2, 2)), 1), verbose=0)
    model.fit(np.ma.array(x.filled(0)), np.ones((2, 2)), verbose=0)
