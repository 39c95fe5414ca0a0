"""Functions of every element: activations, and softmax, which is one of a row."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .arithmetic import rescale
from .graph import Node
from .network import Network
from .shapes import checked_axes
from .tensors import Array
from .values import Value

Config = dict[str, Any]

PLAIN: dict[str, Config] = {
    "Exp": {"class": "Activation", "activation": "exponential"},
    "HardSwish": {"class": "Activation", "activation": "hard_silu"},
    "Mish": {"class": "Activation", "activation": "mish"},
    "Relu": {"class": "ReLU"},
    "Sigmoid": {"class": "Activation", "activation": "sigmoid"},
    "Softplus": {"class": "Activation", "activation": "softplus"},
    "Softsign": {"class": "Activation", "activation": "softsign"},
    "Tanh": {"class": "Activation", "activation": "tanh"},
    "Erf": {"class": "Erf"},  # no layers: parts of gelu and log softmax, which tidying.py looks for
    "Log": {"class": "Log"},
}
POSITIVE = ("Exp", "Relu", "Sigmoid", "Softplus")
SELU = 1.6732632423543772, 1.0507009873554805  # alpha and gamma


def plain(network: Network, node: Node, value: Value) -> Value:
    """Functions without arguments."""
    return network.apply(node, PLAIN[node.operator], value, node.operator in POSITIVE)


def clip(
    network: Network, node: Node, value: Value, low: Array | None = None, high: Array | None = None
) -> Value:
    """Clip, whose limits are attributes before opset 11."""
    least = node.attributes.get("min") if low is None else low.item()
    most = node.attributes.get("max") if high is None else high.item()
    least = None if least is not None and least < -3e38 else least
    most = None if most is not None and most > 3e38 else most
    if least is None and most is None:
        return value
    if least is None:  # from above alone: the same of -x, from below
        value = rescale(network, node, value, np.asarray(-1.0), np.asarray(most))
        value = network.apply(node, {"class": "ReLU"}, value)
        return rescale(network, node, value, np.asarray(-1.0), np.asarray(most))
    if most is not None and most < least:
        node.refuse(f"its limits are {least} and {most}")
    config: Config = {"class": "ReLU"}
    if most is not None:
        config["max_value"] = float(most - least)
    if least == 0:
        return network.apply(node, config, value, True)
    value = rescale(network, node, value, np.asarray(1.0), np.asarray(-least))
    value = network.apply(node, config, value)
    return rescale(network, node, value, np.asarray(1.0), np.asarray(least))


def leaky_relu(network: Network, node: Node, value: Value) -> Value:
    """LeakyRelu."""
    slope = node.number("alpha", 0.01)
    if not slope >= 0:
        node.refuse(f"its alpha is {slope}, and LeakyReLU's slope must be at least 0")
    return network.apply(node, {"class": "LeakyReLU", "negative_slope": slope}, value)


def thresholded_relu(network: Network, node: Node, value: Value) -> Value:
    """ThresholdedRelu."""
    threshold = node.number("alpha", 1.0)
    if not threshold >= 0:
        node.refuse(f"its alpha is {threshold}, and ReLU's threshold must be at least 0")
    return network.apply(node, {"class": "ReLU", "threshold": threshold}, value, True)


def elu(network: Network, node: Node, value: Value) -> Value:
    """Elu."""
    alpha = node.number("alpha", 1.0)
    return network.apply(node, {"class": "ELU"} if alpha == 1 else {"class": "ELU", "alpha": alpha}, value)


def celu(network: Network, node: Node, value: Value) -> Value:
    """Celu: alpha * elu(x / alpha)."""
    alpha = node.number("alpha", 1.0)
    if alpha == 1:
        return network.apply(node, {"class": "ELU"}, value)
    value = rescale(network, node, value, np.asarray(1 / alpha), np.asarray(0.0))
    value = network.apply(node, {"class": "ELU"}, value)
    return rescale(network, node, value, np.asarray(alpha), np.asarray(0.0))


def selu(network: Network, node: Node, value: Value) -> Value:
    """Selu."""
    alpha, gamma = node.number("alpha", SELU[0]), node.number("gamma", SELU[1])
    if math.isclose(alpha, SELU[0], rel_tol=1e-4) and math.isclose(gamma, SELU[1], rel_tol=1e-4):
        return network.apply(node, {"class": "Activation", "activation": "selu"}, value)
    value = network.apply(node, {"class": "ELU", "alpha": alpha}, value)
    return rescale(network, node, value, np.asarray(gamma), np.asarray(0.0))


def hard_sigmoid(network: Network, node: Node, value: Value) -> Value:
    """HardSigmoid: alpha * x + beta, between 0 and 1."""
    alpha, beta = node.number("alpha", 0.2), node.number("beta", 0.5)
    if math.isclose(alpha, 1 / 6, rel_tol=1e-6) and beta == 0.5:
        return network.apply(node, {"class": "Activation", "activation": "hard_sigmoid"}, value, True)
    value = rescale(network, node, value, np.asarray(alpha), np.asarray(beta))
    return network.apply(node, {"class": "ReLU", "max_value": 1.0}, value, True)


def gelu(network: Network, node: Node, value: Value) -> Value:
    """Gelu."""
    name = "gelu_approximate" if node.text("approximate", "none") == "tanh" else "gelu"
    return network.apply(node, {"class": "Activation", "activation": name}, value)


def prelu(network: Network, node: Node, value: Value, slope: Array) -> Value:
    """PRelu, whose slopes are aligned at the right, or, in old files, with the channels."""
    if (
        slope.ndim == 1
        and slope.size > 1
        and value.rank > 2
        and slope.size == value.shape[1] != value.shape[-1]
    ):
        slope = slope.reshape(-1, *[1] * (value.rank - 2))
    if not value.batched or value.groups[0]:
        node.refuse("its input has no axis of samples")
    alpha = spread(node, value, slope)
    shared = [axis + 1 for axis, size in enumerate(alpha.shape) if size == 1]
    config: Config = {"class": "PReLU"}
    if shared:
        config["shared_axes"] = shared
    return value.computed(network.call(node, config, value.number, value.physical, [alpha]))


def spread(node: Node, value: Value, constant: Array) -> Array:
    """Return a constant as `Value.spread` does, or refuse the node."""
    try:
        return value.spread(constant)
    except ValueError as error:
        node.refuse(str(error))


def softmax(network: Network, node: Node, value: Value) -> Value:
    """Softmax and LogSoftmax: along an axis; before opset 13, along all axes from there on."""
    (axis,) = checked_axes(node, [node.integer("axis", -1 if node.opset >= 13 else 1)], value.rank)
    groups = value.groups
    if axis == 0 and value.batched:
        node.refuse("it goes over the samples of a batch")
    kind = "LogSoftmax" if node.operator == "LogSoftmax" else "Softmax"
    along = [f for group in groups[axis:] for f in group] if node.opset < 13 else groups[axis]
    rest = [factor for factor in range(len(value.fine)) if factor not in along]
    if not rest:  # the whole sample
        laid = network.laid_out(node, value, [[*range(len(value.fine))]])
        return network.apply(node, {"class": kind}, laid)
    before = [[f for f in group if f not in along] for group in value.physical_groups]
    laid = network.laid_out(node, value, [*(group for group in before if group), sorted(along)])
    return network.apply(node, {"class": kind}, laid)


def dropout(network: Network, node: Node, value: Value, ratio: Array | None = None, *_: Any) -> Value:
    """Dropout, which drops nothing when a model predicts."""
    rate = node.number("ratio", 0.5) if ratio is None else float(ratio.item())
    if not 0 < rate < 1:
        return value
    return network.apply(node, {"class": "Dropout", "rate": round(rate, 6)}, value, value.is_positive)


INTEGERS = (2, 3, 4, 5, 6, 7, 9, 12, 13)


def cast(network: Network, node: Node, value: Value) -> Value:
    """Cast of numbers to floats, which they are here anyway."""
    if node.integer("to", 1) in INTEGERS:
        node.refuse("it rounds numbers to integers, which no layer here does")
    return value
