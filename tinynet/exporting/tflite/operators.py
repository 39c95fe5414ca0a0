"""Layers as operators of TensorFlow Lite: for each class a function that adds what computes the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...files.tflite import Tensor
from ...layers.base import Layer
from ..checks import UNCHANGED, check_layer, numbers_of
from .activations import ACTIVATIONS, as_rows
from .building import Builder
from .convolutions import CONVOLUTIONS


def translate(builder: Builder, layer: Layer, inputs: list[Tensor]) -> Tensor:
    """Add what computes a layer, and return its output.

    Args:
        builder: what was added before.
        layer: built.
        inputs: what it takes.

    Raises:
        ValueError: TensorFlow Lite's operators cannot do what it does.
    """
    check_layer(layer, SINGLE | SEVERAL, "TensorFlow Lite")
    kind = type(layer).__name__
    if getattr(layer, "data_format", None) == "channels_first":
        raise ValueError(
            f"export: {layer.title} takes images with their channels first, TensorFlow Lite with their "
            "channels last: make the model with data_format='channels_last'."
        )
    builder.name = layer.name or kind.lower()
    if kind in SEVERAL:
        return SEVERAL[kind](builder, layer, inputs)
    return SINGLE[kind](builder, layer, inputs[0])


def unchanged(builder: Builder, layer: Any, x: Tensor) -> Tensor:
    """Translate what does nothing while predicting."""
    return x


def reshape(builder: Builder, layer: Any, x: Tensor) -> Tensor:
    """Translate Flatten and Reshape."""
    return builder.reshape(x, layer.output_shape)


def permute(builder: Builder, layer: Any, x: Tensor) -> Tensor:
    """Translate Permute."""
    if len(x.shape) > 6:
        raise ValueError(
            f"export: {layer.title} has {len(x.shape)} axes, with the batch's; TensorFlow Lite takes 6."
        )
    return builder.transpose(x, [0, *layer.dims])


def zero_padding(builder: Builder, layer: Any, x: Tensor) -> Tensor:
    """Translate ZeroPadding2D."""
    sides = builder.integers("sides", [(0, 0), *layer.sides, (0, 0)])
    return builder.add("PAD", [x, sides], layer.output_shape)


def cropping(builder: Builder, layer: Any, x: Tensor) -> Tensor:
    """Translate Cropping2D."""
    begin = builder.integers("begin", [0, *(before for before, _ in layer.sides), 0])
    size = builder.integers("size", [-1, *layer.output_shape])
    return builder.add("SLICE", [x, begin, size], layer.output_shape)


def resizing(builder: Builder, layer: Any, x: Tensor) -> Tensor:
    """Translate UpSampling2D and Resizing."""
    kind = "RESIZE_BILINEAR" if layer.interpolation == "bilinear" else "RESIZE_NEAREST_NEIGHBOR"
    size = builder.integers("size", layer.output_shape[:2])
    return builder.add(kind, [x, size], layer.output_shape, 3, half_pixel_centers=True)


def rescaling(builder: Builder, layer: Any, x: Tensor) -> Tensor:
    """Translate Rescaling."""
    factors, shifts = (one.reshape(layer.input_shape) for one in (layer.factors, layer.shifts))
    return builder.shift(builder.scale(x, factors), shifts)


def normalization(builder: Builder, layer: Any, x: Tensor) -> Tensor:
    """Translate Normalization."""
    # The mean is taken out first, because it may be much larger than the deviation.
    mean, variance = numbers_of(layer)
    mean, deviation = (
        one.astype(np.float64)[layer.group].reshape(layer.input_shape)
        for one in (mean, np.maximum(np.sqrt(variance), 1e-7))
    )
    if layer.invert:
        return builder.shift(builder.scale(x, deviation), mean)
    return builder.scale(builder.shift(x, -mean), 1 / deviation)


def batch_normalization(builder: Builder, layer: Any, x: Tensor) -> Tensor:
    """Translate BatchNormalization, as it predicts."""
    mean, variance = (one.value.astype(np.float64) for one in (layer.moving_mean, layer.moving_variance))
    factor = 1 / np.sqrt(variance + layer.epsilon)
    factor = factor * layer.gamma.value if layer.scale else factor
    offset = (layer.beta.value if layer.center else 0) - mean * factor
    return builder.shift(builder.scale(x, factor), offset)


def layer_normalization(builder: Builder, layer: Any, x: Tensor) -> Tensor:
    """Translate LayerNormalization."""
    original, x = x.shape[1:], as_rows(builder, x)
    shape, axes = x.shape[1:], builder.integers("axes", [len(x.shape) - 1])
    one = (*shape[:-1], 1)
    deviation = builder.add("SUB", [x, builder.add("MEAN", [x, axes], one, keep_dims=True)], shape)
    squares = builder.add("MUL", [deviation, deviation], shape)
    variance = builder.add("MEAN", [squares, axes], one, keep_dims=True)
    inverse = builder.add("RSQRT", [builder.shift(variance, layer.epsilon)], one)
    y = builder.add("MUL", [deviation, inverse], shape)
    y = builder.scale(y, layer.gamma.value) if layer.scale else y
    y = builder.shift(y, layer.beta.value) if layer.center else y
    return builder.reshape(y, original)


def merge(kind: str) -> Callable[[Builder, Any, list[Tensor]], Tensor]:
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


SINGLE = {  # those of one input
    **ACTIVATIONS,
    **CONVOLUTIONS,
    **dict.fromkeys(UNCHANGED, unchanged),
    "BatchNormalization": batch_normalization,
    "Cropping2D": cropping,
    "Flatten": reshape,
    "LayerNormalization": layer_normalization,
    "Normalization": normalization,
    "Permute": permute,
    "Rescaling": rescaling,
    "Reshape": reshape,
    "Resizing": resizing,
    "UpSampling2D": resizing,
    "ZeroPadding2D": zero_padding,
}
SEVERAL = {
    "Add": merge("ADD"),
    "Average": average,
    "Concatenate": concatenate,
    "Maximum": merge("MAXIMUM"),
    "Multiply": merge("MUL"),
    "Subtract": merge("SUB"),
}
