"""Activations as ONNX's operators."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...layers.elementwise import SCALE, SLOPE
from .building import Builder, Value

Activate = Callable[[Builder, Any, Value], Value]


def function(kind: str, **attributes: Any) -> Activate:
    """Return what applies one operator."""

    def activate(builder: Builder, layer: Any, x: Value) -> Value:
        return builder.map(kind, x, **attributes)

    return activate


def since(opset: int, kind: str, former: Activate, **attributes: Any) -> Activate:
    """Return what applies one operator where there is one, and others before."""

    def activate(builder: Builder, layer: Any, x: Value) -> Value:
        chosen = function(kind, **attributes) if builder.opset >= opset else former
        return chosen(builder, layer, x)

    return activate


def relu(builder: Builder, layer: Any, x: Value) -> Value:
    """Apply a ReLU, in general: with a slope, a threshold, and the most that it gives."""
    slope, threshold, most = layer.negative_slope, layer.threshold, layer.max_value
    if most is not None and not slope and not threshold:
        limits = builder.constant("least", 0), builder.constant("most", most)
        return builder.map("Clip", x, *limits)
    if not threshold:
        y = leaky_relu(builder, layer, x) if slope else builder.map("Relu", x)
    elif not slope:
        y = builder.map("ThresholdedRelu", x, alpha=float(threshold))
    else:
        least = builder.constant("threshold", threshold)
        below = builder.scale(builder.map("Sub", x, least), slope, "slope")
        above = builder.map("Greater", x, least)
        y = Value(builder.add("Where", [above.name, x.name, below.name]), x.shape, x.order)
    return y if most is None else builder.map("Min", y, builder.constant("most", most))


def leaky_relu(builder: Builder, layer: Any, x: Value) -> Value:
    """Apply a LeakyReLU."""
    return builder.map("LeakyRelu", x, alpha=float(layer.negative_slope))


def prelu(builder: Builder, layer: Any, x: Value) -> Value:
    """Apply a PReLU: alpha lies as x does, and has no axis for the batch."""
    alpha = layer.alpha.value[np.newaxis].transpose(x.order)[0]
    return builder.map("PRelu", x, builder.constant("alpha", alpha))


def elu(builder: Builder, layer: Any, x: Value) -> Value:
    """Apply an ELU."""
    return builder.map("Elu", x, alpha=float(layer.alpha))


def silu(builder: Builder, layer: Any, x: Value) -> Value:
    """Return x * sigmoid(x)."""
    return builder.map("Mul", x, builder.map("Sigmoid", x).name)


def hard_silu(builder: Builder, layer: Any, x: Value) -> Value:
    """Return x * hard_sigmoid(x)."""
    return builder.map("Mul", x, FUNCTIONS["hard_sigmoid"](builder, layer, x).name)


def mish(builder: Builder, layer: Any, x: Value) -> Value:
    """Return x * tanh(softplus(x))."""
    return builder.map("Mul", x, builder.map("Tanh", builder.map("Softplus", x)).name)


def gelu(builder: Builder, layer: Any, x: Value) -> Value:
    """Return x * (1 + erf(x / √2)) / 2."""
    error = builder.map("Erf", builder.map("Div", x, builder.constant("root_of_2", math.sqrt(2))))
    return half_of_product(builder, x, error)


def gelu_approximate(builder: Builder, layer: Any, x: Value) -> Value:
    """Return x * (1 + tanh(√(2/π) * (x + 0.044715 x³))) / 2."""
    cube = builder.map("Mul", x, builder.map("Mul", x, x.name).name)
    inner = builder.map("Add", x, builder.scale(cube, 0.044715, "cubic").name)
    return half_of_product(builder, x, builder.map("Tanh", builder.scale(inner, math.sqrt(2 / math.pi))))


def half_of_product(builder: Builder, x: Value, y: Value) -> Value:
    """Return x * (1 + y) / 2."""
    return builder.scale(builder.map("Mul", x, builder.shift(y, 1, "one").name), 0.5, "half")


def along_axis(kind: str) -> Activate:
    """Return what applies an operator along an axis, wherever it lies."""

    def activate(builder: Builder, layer: Any, x: Value) -> Value:
        return builder.map(kind, x, axis=x.order.index(int(layer.axis) % len(x.order)))

    return activate


def named(builder: Builder, layer: Any, x: Value) -> Value:
    """Apply one of those that have no class of their own."""
    if layer.function not in FUNCTIONS:
        raise ValueError(f"export: {layer.title} has no counterpart in ONNX here.")
    return FUNCTIONS[layer.function](builder, layer, x)


FUNCTIONS: dict[str, Activate] = {  # by their names in layers/elementwise.py
    "exponential": function("Exp"),
    "gelu": since(20, "Gelu", gelu),
    "gelu_approximate": since(20, "Gelu", gelu_approximate, approximate="tanh"),
    "hard_sigmoid": function("HardSigmoid", alpha=1 / 6, beta=0.5),
    "hard_silu": since(14, "HardSwish", hard_silu),
    "mish": since(18, "Mish", mish),
    "selu": function("Selu", alpha=SLOPE / SCALE, gamma=SCALE),
    "silu": silu,
    "softplus": function("Softplus"),
    "softsign": function("Softsign"),
}

ACTIVATIONS: dict[str, Activate] = {  # by the layers' classes
    "ELU": elu,
    "Elementwise": named,
    "LeakyReLU": leaky_relu,
    "LogSoftmax": along_axis("LogSoftmax"),
    "PReLU": prelu,
    "ReLU": relu,
    "Sigmoid": function("Sigmoid"),
    "Softmax": along_axis("Softmax"),
    "Tanh": function("Tanh"),
}


def activated(builder: Builder, layer: Any, y: Value) -> Value:
    """Return the activation of what a layer computes, if it has one."""
    own = layer.activation_layer
    return y if own is None else ACTIVATIONS[type(own).__name__](builder, own, y)
