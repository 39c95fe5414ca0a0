"""Layers as operators of TensorFlow Lite: for each class a function that adds what computes the same."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..files.tflite import PADDINGS, Tensor
from ..layers.base import Layer
from .building import Builder

Translation = Callable[[Builder, Any, list[Tensor]], Tensor]


def translate(builder: Builder, layer: Layer, inputs: list[Tensor]) -> Tensor:
    """Add what computes a layer, and return its output.

    Args:
        builder: what was added before.
        layer: built.
        inputs: what it takes.

    Raises:
        ValueError: TensorFlow Lite's operators cannot do what it does.
    """
    kind = type(layer).__name__
    if not layer.is_ours:
        raise ValueError(
            f"export: {layer.title} is a class of your own, whose computation no file can describe: make the "
            "model of tinynet's layers."
        )
    if kind not in TRANSLATIONS:
        raise ValueError(
            f"export: {layer.title} has no counterpart in TensorFlow Lite here; those that have are "
            f"{', '.join(sorted(TRANSLATIONS))}."
        )
    builder.name = layer.name or kind.lower()
    return TRANSLATIONS[kind](builder, layer, inputs)


def elementwise(kind: str) -> Translation:
    """Return the translation of an activation that is an operator without options."""

    def add(builder: Builder, layer: Any, inputs: list[Tensor]) -> Tensor:
        return builder.add(kind, inputs, inputs[0].shape[1:])

    return add


def leaky_relu(builder: Builder, layer: Any, inputs: list[Tensor]) -> Tensor:
    """Translate LeakyReLU."""
    return builder.add("LEAKY_RELU", inputs, inputs[0].shape[1:], alpha=layer.negative_slope)


def softmax(builder: Builder, layer: Any, inputs: list[Tensor]) -> Tensor:
    """Translate Softmax."""
    rows = as_rows(builder, inputs[0])
    y = builder.add("SOFTMAX", [rows], rows.shape[1:], beta=1.0)
    return builder.reshape(y, inputs[0].shape[1:])


def as_rows(builder: Builder, x: Tensor) -> Tensor:
    """Return samples as they are, or as rows, where they have more axes than operators take everywhere."""
    shape = x.shape[1:]
    return x if len(shape) <= 3 else builder.reshape(x, (math.prod(shape[:-1]), shape[-1]))


def unchanged(builder: Builder, layer: Any, inputs: list[Tensor]) -> Tensor:
    """Translate Dropout, which does nothing while predicting."""
    return inputs[0]


def activated(builder: Builder, layer: Any, y: Tensor) -> Tensor:
    """Return a layer's own activation of what it computes."""
    return y if layer.activation_layer is None else translate(builder, layer.activation_layer, [y])


def bias_of(builder: Builder, layer: Any, outputs: int) -> Tensor:
    """Return a layer's bias, or zeros where it has none."""
    return builder.constant("bias", layer.bias.value if layer.use_bias else np.zeros(outputs))


def dense(builder: Builder, layer: Any, inputs: list[Tensor]) -> Tensor:
    """Translate Dense: the kernel is (units, features) there."""
    (x,) = inputs
    several = len(x.shape) > 2
    y = builder.add(
        "FULLY_CONNECTED",
        [x, builder.constant("kernel", layer.kernel.value.T), bias_of(builder, layer, layer.units)],
        (*x.shape[1:-1], int(layer.units)),
        5 if several else 1,
        keep_num_dims=several,
    )
    return activated(builder, layer, y)


def conv2d(builder: Builder, layer: Any, inputs: list[Tensor]) -> Tensor:
    """Translate Conv2D: the kernel is (filters, height, width, channels) there."""
    x = builder.reshape(inputs[0], getattr(layer, "image", layer.input_shape))
    kernel = layer.kernel.value
    kernel = kernel.reshape(*layer.window, *kernel.shape[-2:]).transpose(3, 0, 1, 2)
    dilation = getattr(layer, "dilation", (1, 1))
    y = builder.add(
        "CONV_2D",
        [x, builder.constant("kernel", kernel), bias_of(builder, layer, layer.filters)],
        (layer.windows.height, layer.windows.width, int(layer.filters)),
        1 if kernel.shape[-1] == x.shape[-1] else 6,  # groups
        padding=PADDINGS[layer.padding],
        stride_h=layer.steps[0],
        stride_w=layer.steps[1],
        dilation_h=dilation[0],
        dilation_w=dilation[1],
    )
    return activated(builder, layer, builder.reshape(y, layer.output_shape))


def pool(kind: str) -> Translation:
    """Return the translation of pooling over windows."""

    def add(builder: Builder, layer: Any, inputs: list[Tensor]) -> Tensor:
        y = builder.add(
            kind,
            [builder.reshape(inputs[0], layer.image)],
            layer.pooled,
            padding=PADDINGS[layer.padding],
            stride_h=layer.steps[0],
            stride_w=layer.steps[1],
            filter_height=layer.window[0],
            filter_width=layer.window[1],
        )
        return builder.reshape(y, layer.output_shape)

    return add


def global_pool(kind: str) -> Translation:
    """Return the translation of pooling over whole images."""

    def add(builder: Builder, layer: Any, inputs: list[Tensor]) -> Tensor:
        x = builder.reshape(inputs[0], layer.image)
        y = builder.add(kind, [x, builder.integers("axes", [1, 2])], x.shape[-1:], keep_dims=False)
        return builder.reshape(y, layer.output_shape)

    return add


def reshape(builder: Builder, layer: Any, inputs: list[Tensor]) -> Tensor:
    """Translate Flatten and Reshape."""
    return builder.reshape(inputs[0], layer.output_shape)


def permute(builder: Builder, layer: Any, inputs: list[Tensor]) -> Tensor:
    """Translate Permute."""
    axes = len(layer.dims) + 1
    if axes > 6:
        raise ValueError(f"export: {layer.title} has {axes} axes, with the batch's; TensorFlow Lite takes 6.")
    order = builder.integers("order", [0, *layer.dims])
    version = {5: 4, 6: 6}.get(axes, 1)
    return builder.add("TRANSPOSE", [*inputs, order], layer.output_shape, version)


def zero_padding(builder: Builder, layer: Any, inputs: list[Tensor]) -> Tensor:
    """Translate ZeroPadding2D."""
    sides = builder.integers("sides", [(0, 0), *layer.sides, (0, 0)])
    return builder.add("PAD", [*inputs, sides], layer.output_shape)


def cropping(builder: Builder, layer: Any, inputs: list[Tensor]) -> Tensor:
    """Translate Cropping2D."""
    begin = builder.integers("begin", [0, *(before for before, _ in layer.sides), 0])
    size = builder.integers("size", [-1, *layer.output_shape])
    return builder.add("SLICE", [*inputs, begin, size], layer.output_shape)


def up_sampling(builder: Builder, layer: Any, inputs: list[Tensor]) -> Tensor:
    """Translate UpSampling2D."""
    kind = "RESIZE_BILINEAR" if layer.interpolation == "bilinear" else "RESIZE_NEAREST_NEIGHBOR"
    size = builder.integers("size", layer.output_shape[:2])
    # From the middles of pixels, no rounding leads to a neighbour.
    return builder.add(kind, [*inputs, size], layer.output_shape, 3, half_pixel_centers=True)


def rescaling(builder: Builder, layer: Any, inputs: list[Tensor]) -> Tensor:
    """Translate Rescaling."""
    factors, shifts = (one.reshape(layer.input_shape) for one in (layer.factors, layer.shifts))
    return builder.shift(builder.scale(inputs[0], factors), shifts)


def normalization(builder: Builder, layer: Any, inputs: list[Tensor]) -> Tensor:
    """Translate Normalization."""
    # The mean is taken out first, because it may be much larger than the deviation.
    mean, variance = layer.given
    if layer.mean is None:
        mean, variance = layer.found_mean.value.reshape(-1), layer.found_variance.value.reshape(-1)
    mean, deviation = (
        one.astype(np.float64)[layer.group].reshape(layer.input_shape)
        for one in (mean, np.maximum(np.sqrt(variance), 1e-7))
    )
    if layer.invert:
        return builder.shift(builder.scale(inputs[0], deviation), mean)
    return builder.scale(builder.shift(inputs[0], -mean), 1 / deviation)


def batch_normalization(builder: Builder, layer: Any, inputs: list[Tensor]) -> Tensor:
    """Translate BatchNormalization, as it predicts."""
    mean, variance = (one.value.astype(np.float64) for one in (layer.moving_mean, layer.moving_variance))
    factor = 1 / np.sqrt(variance + layer.epsilon)
    factor = factor * layer.gamma.value if layer.scale else factor
    offset = (layer.beta.value if layer.center else 0) - mean * factor
    return builder.shift(builder.scale(inputs[0], factor), offset)


def layer_normalization(builder: Builder, layer: Any, inputs: list[Tensor]) -> Tensor:
    """Translate LayerNormalization."""
    x = as_rows(builder, inputs[0])
    shape, axes = x.shape[1:], builder.integers("axes", [len(x.shape) - 1])
    one = (*shape[:-1], 1)
    deviation = builder.add("SUB", [x, builder.add("MEAN", [x, axes], one, keep_dims=True)], shape)
    squares = builder.add("MUL", [deviation, deviation], shape)
    variance = builder.add("MEAN", [squares, axes], one, keep_dims=True)
    inverse = builder.add("RSQRT", [builder.shift(variance, layer.epsilon)], one)
    y = builder.add("MUL", [deviation, inverse], shape)
    y = builder.scale(y, layer.gamma.value) if layer.scale else y
    y = builder.shift(y, layer.beta.value) if layer.center else y
    return builder.reshape(y, inputs[0].shape[1:])


def merge(kind: str) -> Translation:
    """Return the translation of a layer that works element by element."""

    def add(builder: Builder, layer: Any, inputs: list[Tensor]) -> Tensor:
        rank = len(layer.output_shape)
        aligned = [
            builder.reshape(x, (*[1] * (rank + 1 - len(x.shape)), *x.shape[1:])) for x in inputs
        ]  # else the batch axis would be broadcast
        y = aligned[0]
        for x in aligned[1:]:
            y = builder.add(kind, [y, x], np.broadcast_shapes(y.shape[1:], x.shape[1:]))
        return y

    return add


def average(builder: Builder, layer: Any, inputs: list[Tensor]) -> Tensor:
    """Translate Average."""
    return builder.scale(merge("ADD")(builder, layer, inputs), 1 / len(inputs))


def concatenate(builder: Builder, layer: Any, inputs: list[Tensor]) -> Tensor:
    """Translate Concatenate."""
    if len(inputs) == 1:
        return inputs[0]
    axis = int(layer.axis) % len(inputs[0].shape)
    return builder.add("CONCATENATION", inputs, layer.output_shape, axis=axis)


TRANSLATIONS: dict[str, Translation] = {
    "Add": merge("ADD"),
    "Average": average,
    "AveragePool2D": pool("AVERAGE_POOL_2D"),
    "BatchNormalization": batch_normalization,
    "Concatenate": concatenate,
    "Conv2D": conv2d,
    "Cropping2D": cropping,
    "Dense": dense,
    "Dropout": unchanged,
    "Flatten": reshape,
    "GlobalAveragePool2D": global_pool("MEAN"),
    "GlobalMaxPool2D": global_pool("REDUCE_MAX"),
    "LayerNormalization": layer_normalization,
    "LeakyReLU": leaky_relu,
    "MaxPool2D": pool("MAX_POOL_2D"),
    "Maximum": merge("MAXIMUM"),
    "Multiply": merge("MUL"),
    "Normalization": normalization,
    "Permute": permute,
    "ReLU": elementwise("RELU"),
    "Rescaling": rescaling,
    "Reshape": reshape,
    "Sigmoid": elementwise("LOGISTIC"),
    "Softmax": softmax,
    "Subtract": merge("SUB"),
    "Tanh": elementwise("TANH"),
    "UpSampling2D": up_sampling,
    "ZeroPadding2D": zero_padding,
}
