"""NumPy's small integers as arguments: np.int8(100) + 100 is -56, which no result may show."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import tinynet
from tinynet import Sequential, callbacks, layers, losses, metrics, optim
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


MASKED = np.ma.masked_equal([1.0, 2.0], 2)


@pytest.mark.parametrize(
    "use",
    [
        lambda model, x, y: model.fit(x, y, sample_weight=MASKED, verbose=0),
        lambda model, x, y: model.evaluate(x, y, sample_weight=MASKED),
        lambda model, x, y: model.train_on_batch(x, y, sample_weight=MASKED),
        lambda model, x, y: model.fit([np.ma.masked_equal(row, 1) for row in x], y, verbose=0),
        lambda model, x, y: losses.MeanSquaredError()(MASKED, np.ones(2)),
        lambda model, x, y: losses.MeanSquaredError()(np.ones(2), np.ones(2), sample_weight=MASKED),
        lambda model, x, y: metrics.MeanSquaredError()(MASKED, np.ones(2)),
        lambda model, x, y: metrics.MeanSquaredError()(np.ones(2), np.ones(2), sample_weight=MASKED),
        lambda model, x, y: metrics.Mean()(MASKED),
        lambda model, x, y: metrics.AUC()(np.ma.masked_equal([0, 1], 1), [0.2, 0.7]),
        lambda model, x, y: metrics.Precision()([0, 1], [0.2, 0.7], sample_weight=MASKED),
        lambda model, x, y: metrics.accuracy(np.ma.masked_equal([0, 1], 1), np.eye(2)),
        lambda model, x, y: metrics.confusion_matrix(np.ma.masked_equal([0, 1], 1), [0, 1], classes=2),
        lambda model, x, y: layers.Normalization().adapt(MASKED),
    ],
)
def test_masked_numbers_are_refused_wherever_numbers_are_taken(use):
    model = Sequential([layers.Dense(2)], 4)
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="masked array with"):
        use(model, np.arange(8.0).reshape(2, 4), np.ones((2, 2)))


@pytest.mark.parametrize("kind", ["f2", "g", ">f4", "i1", "?"])
def test_sample_weights_of_any_number_s_type(kind):
    model = Sequential([layers.Dense(2)], 4)
    model.compile("sgd", "mse")
    model.fit(np.ones((2, 4)), np.ones((2, 2)), sample_weight=np.ones(2, kind), verbose=0)


@pytest.mark.parametrize("value", [-1, 0, 2.5, "2", True, np.nan])
def test_what_is_no_number_of_things_is_refused(value):
    model, x, y = Sequential([layers.Dense(2)], 4), np.ones((4, 4)), np.ones((4, 2))
    model.compile("sgd", "mse")
    if value != 2.5:  # which counts as 3, with a warning, as other numbers of steps do
        with pytest.raises(ValueError, match="validation_batch_size must be a positive integer"):
            model.fit(
                x, y, validation_data=(x, y), validation_steps=1, validation_batch_size=value, verbose=0
            )
    with pytest.raises(ValueError, match="k must be a positive integer"):
        metrics.top_k_categorical_accuracy(np.eye(2), np.eye(2), k=value)
    with pytest.raises(ValueError, match="num_thresholds must be an integer from 2"):
        metrics.AUC(num_thresholds=value)
    with (
        pytest.raises(ValueError, match="period must be a positive integer"),
        pytest.warns(DeprecationWarning, match="period"),
    ):
        callbacks.ModelCheckpoint("a.keras", period=value)
