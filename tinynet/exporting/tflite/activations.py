"""Activations as operators of TensorFlow Lite."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ...files.tflite import Tensor
from ...layers.elementwise import SCALE, SLOPE
from .building import Builder

Activate = Callable[[Builder, Any, Tensor], Tensor]


def function(*kinds: str, **options: Any) -> Activate:
    """Return what applies operators of one input, one after another; the options are the first one's."""

    def activate(builder: Builder, layer: Any, x: Tensor) -> Tensor:
        for place, kind in enumerate(kinds):
            x = builder.add(kind, [x], x.shape[1:], **({} if place else options))
        return x

    return activate


def relu(builder: Builder, layer: Any, x: Tensor) -> Tensor:
    """Apply a ReLU, in general: with a slope, and the most that it gives."""
    if layer.threshold:
        raise ValueError(
            f"export: {layer.title} has a threshold, {layer.threshold}; TensorFlow Lite has no such thing."
        )
    if layer.max_value == 6 and not layer.negative_slope:
        return function("RELU6")(builder, layer, x)
    y = leaky_relu(builder, layer, x) if layer.negative_slope else function("RELU")(builder, layer, x)
    if layer.max_value is None:
        return y
    return builder.add("MINIMUM", [y, builder.constant("most", [layer.max_value])], x.shape[1:])


def leaky_relu(builder: Builder, layer: Any, x: Tensor) -> Tensor:
    """Apply a LeakyReLU."""
    return builder.add("LEAKY_RELU", [x], x.shape[1:], alpha=layer.negative_slope)


def prelu(builder: Builder, layer: Any, x: Tensor) -> Tensor:
    """Apply a PReLU."""
    return builder.add("PRELU", [x, builder.constant("alpha", layer.alpha.value)], x.shape[1:])


def elu(scale: float, slope: float | None) -> Activate:
    """Return what gives scale * x above 0, and slope * (exp(x) - 1) below; None stands for `layer.alpha`."""

    def activate(builder: Builder, layer: Any, x: Tensor) -> Tensor:
        below = layer.alpha if slope is None else slope
        y = function("ELU")(builder, layer, x)
        if scale == below == 1:
            return y
        above = function("RELU")(builder, layer, x)
        rest = builder.scale(builder.add("SUB", [y, above], x.shape[1:]), below)
        return builder.add("ADD", [builder.scale(above, scale), rest], x.shape[1:])

    return activate


def silu(builder: Builder, layer: Any, x: Tensor) -> Tensor:
    """Return x * sigmoid(x)."""
    return builder.add("MUL", [x, function("LOGISTIC")(builder, layer, x)], x.shape[1:])


def hard_sigmoid(builder: Builder, layer: Any, x: Tensor) -> Tensor:
    """Return x / 6 + 0.5, at least 0 and at most 1."""
    return builder.scale(function("RELU6")(builder, layer, builder.shift(x, 3)), 1 / 6)


def softplus(builder: Builder, layer: Any, x: Tensor) -> Tensor:
    """Return log(1 + exp(x)), as max(x, 0) + log(1 + exp(-|x|)), which does not overflow."""
    small = function("ABS", "NEG", "EXP")(builder, layer, x)
    rest = function("LOG")(builder, layer, builder.shift(small, 1))
    return builder.add("ADD", [function("RELU")(builder, layer, x), rest], x.shape[1:])


def mish(builder: Builder, layer: Any, x: Tensor) -> Tensor:
    """Return x * tanh(softplus(x))."""
    gate = function("TANH")(builder, layer, softplus(builder, layer, x))
    return builder.add("MUL", [x, gate], x.shape[1:])


def softsign(builder: Builder, layer: Any, x: Tensor) -> Tensor:
    """Return x / (1 + |x|)."""
    divisor = builder.shift(function("ABS")(builder, layer, x), 1)
    return builder.add("DIV", [x, divisor], x.shape[1:])


def along_axis(kind: str, **options: Any) -> Activate:
    """Return what applies an operator along an axis; the operators go along the last one."""

    def activate(builder: Builder, layer: Any, x: Tensor) -> Tensor:
        axis, order = int(layer.axis) % len(x.shape), [*range(len(x.shape))]
        order[axis], order[-1] = order[-1], axis  # which is its own inverse
        rows = as_rows(builder, builder.transpose(x, order))
        y = builder.add(kind, [rows], rows.shape[1:], **options)
        return builder.transpose(builder.reshape(y, tuple(x.shape[place] for place in order[1:])), order)

    return activate


def as_rows(builder: Builder, x: Tensor) -> Tensor:
    """Return samples as they are, or as rows, where they have more axes than operators take everywhere."""
    shape = x.shape[1:]
    return x if len(shape) <= 3 else builder.reshape(x, (math.prod(shape[:-1]), shape[-1]))


def named(builder: Builder, layer: Any, x: Tensor) -> Tensor:
    """Apply one of those that have no class of their own."""
    if layer.function not in FUNCTIONS:
        raise ValueError(f"export: {layer.title} has no counterpart in TensorFlow Lite here.")
    return FUNCTIONS[layer.function](builder, layer, x)


FUNCTIONS = {  # by their names in layers/elementwise.py
    "exponential": function("EXP"),
    "gelu": function("GELU", approximate=False),
    "gelu_approximate": function("GELU", approximate=True),
    "hard_sigmoid": hard_sigmoid,
    "hard_silu": function("HARD_SWISH"),
    "mish": mish,
    "selu": elu(SCALE, SLOPE),
    "silu": silu,
    "softplus": softplus,
    "softsign": softsign,
}

ACTIVATIONS: dict[str, Activate] = {  # by the layers' classes
    "ELU": elu(1, None),
    "Elementwise": named,
    "LeakyReLU": leaky_relu,
    "LogSoftmax": along_axis("LOG_SOFTMAX"),
    "PReLU": prelu,
    "ReLU": relu,
    "Sigmoid": function("LOGISTIC"),
    "Softmax": along_axis("SOFTMAX", beta=1.0),
    "Tanh": function("TANH"),
}


def activated(builder: Builder, layer: Any, y: Tensor) -> Tensor:
    """Return the activation of what a layer computes, if it has one."""
    own = layer.activation_layer
    return y if own is None else ACTIVATIONS[type(own).__name__](builder, own, y)
