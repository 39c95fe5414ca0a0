"""A network of many kinds of parts, and what Keras makes of the files that tinynet writes."""

from __future__ import annotations

import warnings

import numpy as np

import tinynet
from tinynet import Model, Sequential, layers, optim
from tinynet.files.keras import writing

FORMATS = {"keras": writing.keras_zip_bytes, "h5": writing.keras_hdf5_bytes}


def opened(keras, description, folder, suffix, fresh=False):
    """Return what Keras makes of the file; of a fresh optimizer it may say that it is none."""
    path = folder / f"model.{suffix}"
    path.write_bytes(FORMATS[suffix](description))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = keras.saving.load_model(path)
    told = [str(one.message) for one in caught if "copy keyword" not in str(one.message)]
    assert [one for one in told if not (fresh and "variable loading for optimizer" in one)] == []
    return model


def weights_of(theirs):
    return [weight.numpy() for weight in theirs.weights]


def scrambled(model):
    """Give all weights other values than they had at first."""
    random = np.random.default_rng(5)
    model.set_weights(
        [
            array + random.uniform(0.1, 0.5, array.shape) if array.shape else array + 3
            for array in model.get_weights()
        ]
    )
    return model


def graph():
    """Return a graph: a layer called twice, branches, networks inside, frozen parts, statistics.

    All names differ: after loading, Keras leaves out those of the networks around a layer. Of two weights of
    one name, its backend torch never resets the gradient of one, and its .h5 files can hold one alone.
    """
    given = tinynet.Input((8, 8, 3))
    standard = layers.Normalization()
    standard.adapt(np.random.default_rng(0).normal(2, 3, (50, 8, 8, 3)))
    x = layers.Conv2D(4, 3, use_bias=False, name="last_in_the_alphabet")(standard(given))
    x = layers.BatchNormalization(scale=False)(x)
    x = layers.SeparableConv2D(5, 3, activation=layers.LeakyReLU(0.1))(x)
    x = layers.Flatten()(layers.PReLU()(layers.DepthwiseConv2D(1)(x)))
    row = [
        layers.Dense(3, name="one"),
        layers.BatchNormalization(name="two"),
        layers.LayerNormalization(),
        layers.Dense(3, name="three"),
    ]
    row[0].trainable = False
    inner = Sequential(row, (80,), name="inner")
    start = tinynet.Input((3,))
    still = layers.Dense(3, name="still")(layers.BatchNormalization(name="kept")(start))
    frozen = Model(start, still, name="a_frozen_one")
    frozen.trainable = False
    shared = layers.Dense(3, "tanh", name="shared")
    x = frozen(shared(shared(inner(x))))
    # Two of the same shape, which must not be taken for each other.
    branches = [layers.Dense(3, name=name)(x) for name in ("zz", "aa", "mm")]
    x = layers.Subtract()([layers.Multiply()([branches[1], branches[2]]), branches[0]])
    return Model(given, x, seed=3)


OPTIMIZERS = [
    optim.SGD,
    lambda: optim.SGD(0.01, momentum=0.9, nesterov=True),
    lambda: optim.Adam(0.01, amsgrad=True),
    lambda: optim.Adam(optim.ExponentialDecay(0.02, 2, 0.5)),
    optim.AdamW,
    lambda: optim.RMSprop(centered=True, momentum=0.9),
    optim.Adagrad,
    lambda: optim.Adadelta(0.5),
    optim.Adamax,
    lambda: optim.Nadam(0.01, clipnorm=0.1),
]


def trained(optimizer):
    """Return the graph after three steps, and a batch for the next one."""
    model, random = graph(), np.random.default_rng(1)
    model.compile(optimizer(), "mse")
    batch = random.normal(size=(6, 8, 8, 3)).astype(np.float32), random.normal(size=(6, 3)).astype(np.float32)
    for _ in range(3):
        model.train_on_batch(*batch)
    return model, batch


def short(path):
    """Return a layer's name and its weight's; Keras leaves out those of the networks around it."""
    return path.split("/")[-2:]


def check_close(theirs, model, tolerance=1e-5):
    """Check that Keras's weights are the same ones, in the same order, with the same values."""
    ours = {id(one): short(path) for path, one in model.named_parameters().items()}
    assert [short(weight.path) for weight in theirs.weights] == [ours[id(one)] for one in model.weights]
    assert [short(weight.path) for weight in theirs.trainable_weights] == [
        ours[id(one)] for one in model.trainable_weights
    ]
    for one, other in zip(weights_of(theirs), model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)
