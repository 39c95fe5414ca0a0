"""Layers drawn at random, for inputs of any shape, each with its reference in NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Any

import layer_cases as cases
import numpy as np

from tinynet import layers

Drawn = tuple[layers.Layer, Callable[..., Any]]
ACTIVATIONS = sorted({*cases.ACTIVATIONS, *cases.OTHERS} - {"exponential"})  # which would overflow
CHANNELS = (1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33)


def dense_reference(layer, x, dy):
    """Return what `layer_cases.dense_reference` does, sooner."""
    kernel = layer.kernel.value.astype(np.float64)
    rows = x.reshape(-1, x.shape[-1]).astype(np.float64)
    bias = layer.bias.value if layer.use_bias else 0
    y, dz = cases.activated(layer, rows @ kernel + bias, dy.reshape(-1, layer.units))
    gradients = [rows.T @ dz, dz.sum(axis=0)][: 1 + layer.use_bias]
    return y.reshape(dy.shape), (dz @ kernel.T).reshape(x.shape), gradients


def window(draw: Random, shape: tuple[int, ...], largest: int = 4) -> dict[str, Any]:
    """Draw the arguments of a window that fits onto an image: its size, strides and padding."""
    padding = draw.choice(["valid", "same"])
    most = [largest if padding == "same" else min(largest, size) for size in shape[:2]]
    return {
        "kernel_size": tuple(draw.randint(1, one) for one in most),
        "strides": draw.choice([1, 1, (draw.randint(1, 3), draw.randint(1, 3))]),
        "padding": padding,
    }


def convolution(draw: Random, shape: tuple[int, ...]) -> Drawn:
    groups = draw.choice([1, 1, 1, *(one for one in (2, 3) if shape[2] % one == 0)])
    arguments = window(draw, shape) | {
        "filters": groups * draw.choice(CHANNELS[: 12 // groups]),
        "groups": groups,
        "activation": draw.choice([None, "relu", *ACTIVATIONS]),
        "use_bias": draw.random() < 0.7,
    }
    if arguments["strides"] == 1 and arguments["padding"] == "same" and draw.random() < 0.2:
        arguments["dilation_rate"] = draw.randint(2, 3)
    elif groups == 1:
        arguments["method"] = draw.choice(["gather", "im2col"])
    return layers.Conv2D(**arguments), cases.convolution_reference


def depthwise(draw: Random, shape: tuple[int, ...]) -> Drawn:
    arguments = window(draw, shape) | {
        "use_bias": draw.random() < 0.5,
        "activation": draw.choice(ACTIVATIONS),
    }
    if isinstance(arguments["strides"], tuple):
        arguments["strides"] = draw.randint(1, 2)
    if draw.random() < 0.5:
        return layers.SeparableConv2D(draw.choice(CHANNELS), **arguments), cases.separable_reference
    multiplier = draw.randint(1, 2)
    return layers.DepthwiseConv2D(depth_multiplier=multiplier, **arguments), cases.depthwise_reference


def pooling(draw: Random, shape: tuple[int, ...]) -> Drawn:
    arguments = window(draw, shape)
    arguments["pool_size"] = arguments.pop("kernel_size")
    kind, reference = draw.choice(
        [(layers.MaxPool2D, cases.max_pool_reference), (layers.AveragePool2D, cases.average_pool_reference)]
    )
    return kind(**arguments), reference


def moving(draw: Random, shape: tuple[int, ...]) -> Drawn:
    height, width, _ = shape
    sides = tuple((draw.randint(0, 2), draw.randint(0, 2)) for _ in range(2))
    sizes = draw.randint(1, 9), draw.randint(1, 9)
    kinds = [
        (layers.ZeroPadding2D(sides), cases.moving_reference(cases.padded_sample)),
        (layers.Permute((2, 1, 3)), cases.moving_reference(lambda _, one: one.transpose(1, 0, 2))),
        (layers.Resizing(*sizes, "nearest"), cases.moving_reference(cases.nearest_sample)),
        (layers.Resizing(*sizes), cases.bilinear_reference),
    ]
    if min(height, width) > 2:
        around = tuple((draw.randint(0, 1), draw.randint(0, 1)) for _ in range(2))
        kinds.append((layers.Cropping2D(around), cases.moving_reference(cases.cropped_sample)))
    if height * width < 30:
        kinds.append((layers.UpSampling2D((2, 3), interpolation="bilinear"), cases.bilinear_reference))
    return draw.choice(kinds)


def sequence(draw: Random, shape: tuple[int, ...]) -> Drawn:
    length, size = shape[0], draw.randint(1, min(3, shape[0]))
    padding, strides = draw.choice(["valid", "same"]), draw.randint(1, min(2, length))
    rows = cases.row_reference
    kind = draw.randrange(4)
    if kind < 2:
        layer = layers.Conv1D(
            draw.choice(CHANNELS), size, strides, padding, activation=draw.choice(ACTIVATIONS)
        )
        return layer, rows(layers.Conv2D, cases.convolution_reference)
    if kind == 2:
        return layers.MaxPool1D(size, strides, padding), rows(layers.MaxPool2D, cases.max_pool_reference)
    return layers.AveragePool1D(size, strides, padding), rows(
        layers.AveragePool2D, cases.average_pool_reference
    )


def same_shape(draw: Random, shape: tuple[int, ...]) -> Drawn:
    """Draw a layer whose output has the shape of its input."""
    activation, slope = draw.choice(ACTIVATIONS), draw.uniform(0, 0.5)
    kinds = [
        (layers.Activation(activation), cases.activation_reference(activation)),
        (layers.LeakyReLU(slope), cases.activation_reference("leaky_relu", slope)),
        (layers.ReLU(5.0, slope, 0.25), cases.clipped_relu_reference),
        (layers.PReLU(), cases.prelu_reference),
        (layers.LogSoftmax(), cases.activation_reference("log_softmax")),
        (layers.Softmax(axis=1), cases.along(1, cases.activation_reference("softmax"))),
        (layers.Dense(shape[-1], activation=activation), dense_reference),
        (layers.BatchNormalization(epsilon=0.01), cases.normalization_reference(True)),
        (layers.LayerNormalization(epsilon=0.01, center=slope < 0.3), cases.normalization_reference(False)),
        (layers.Dropout(0.4), cases.dropout_reference),
        (layers.Rescaling(0.3, -1), cases.rescaling_reference),
        (layers.Normalization(None, 3, 4), cases.standardization_reference(3, 4)),
    ]
    if len(shape) == 3:
        filters = shape[2]
        kinds += 3 * [(layers.Conv2D(filters, 3, padding="same"), cases.convolution_reference)]
        kinds.append((layers.SpatialDropout2D(0.4), cases.dropout_reference))
        if math.prod(shape) < 200:
            kinds.append((layers.RandomRotation(0.3), cases.transform_reference))
            kinds.append((layers.RandomZoom(0.5, 0.2, "wrap"), cases.transform_reference))
    return draw.choice(kinds)


def flattening(draw: Random, shape: tuple[int, ...]) -> Drawn:
    if len(shape) == 3 and draw.random() < 0.5:
        return draw.choice(
            [
                (layers.GlobalAveragePool2D(), cases.global_average_pool_reference),
                (layers.GlobalMaxPool2D(keepdims=True), cases.global_max_pool_reference),
                (layers.Reshape((shape[0], -1)), cases.reshape_reference),
                (layers.Reshape((-1, shape[2])), cases.reshape_reference),
            ]
        )
    return layers.Flatten(), cases.flatten_reference


def drawn_layer(draw: Random, shape: tuple[int, ...]) -> Drawn:
    """Draw a layer for inputs of this shape."""
    dense = layers.Dense(draw.choice(CHANNELS), draw.choice(ACTIVATIONS), use_bias=draw.random() < 0.7)
    if len(shape) == 3:
        kinds = [convolution, convolution, depthwise, pooling, pooling, moving, same_shape]
        if math.prod(shape) < 1000:
            kinds.append(flattening)
        return draw.choice(kinds)(draw, shape)
    if len(shape) == 2:
        return draw.choice([sequence, sequence, same_shape, flattening])(draw, shape)
    return draw.choice([(dense, dense_reference), same_shape(draw, shape)])
