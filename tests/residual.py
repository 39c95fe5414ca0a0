"""A residual network, which branches and joins: what several test modules train."""

from __future__ import annotations

import numpy as np

from tinynet import Input, Model, layers

HEADS = {"average": layers.GlobalAveragePool2D, "max": lambda: layers.MaxPool2D(2)}


def residual_block(x, name, filters, strides=1, keep=0.9):
    """Join a block to a graph: two normalized convolutions, added to what they get.

    Args:
        x: the symbol of what the block gets.
        name: what the names of its layers begin with.
        filters: of its convolutions.
        strides: of the first one; if it is not 1, a 1x1 convolution makes x as small.
        keep: the momentum of its normalizations.
    """
    y = layers.Conv2D(filters, 3, strides, "same", use_bias=False, name=f"{name}_first")(x)
    y = layers.BatchNormalization(momentum=keep, name=f"{name}_norm")(y)
    y = layers.ReLU()(y)
    y = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"{name}_second")(y)
    y = layers.BatchNormalization(momentum=keep, name=f"{name}_last_norm")(y)
    if strides != 1:
        x = layers.Conv2D(filters, 1, strides, use_bias=False, name=f"{name}_projection")(x)
    return layers.ReLU()(layers.Add()([y, x]))


def residual_network(shape, filters, classes, head="average", keep=0.9, seed=0, dtype="float32"):
    """Return a convolution, two residual blocks, the second with strides and a projection, and a classifier.

    Args:
        shape: (height, width, channels) of the images.
        filters: of the first convolution and block; the second block has twice as many.
        classes: how many.
        head: one of `HEADS`, what comes before the classifier.
        keep: the momentum of the normalizations.
        seed, dtype: of the model.
    """
    inputs = Input(shape, dtype=dtype)
    x = layers.Conv2D(filters, 3, padding="same", name="begin")(inputs)
    x = residual_block(x, "block", filters, keep=keep)
    x = residual_block(x, "strided", 2 * filters, 2, keep)
    x = HEADS[head]()(x)
    if head == "max":
        x = layers.Flatten()(x)
    outputs = layers.Dense(classes, activation="softmax", name="classify")(x)
    return Model(inputs, outputs, seed=seed, name="residual")


def pictures(shape, classes, samples, seed=0, dtype="float32"):
    """Return random images, whose channels differ in mean and width, and random labels."""
    random = np.random.default_rng(seed)
    channels = np.arange(shape[-1])
    x = (random.normal(size=(samples, *shape)) * (1 + channels) + 2 * channels).astype(dtype)
    return x, random.integers(0, classes, samples)
