"""Activations as programs write them out, by comparisons with numbers, by Abs or Min."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .arithmetic import ONE, ZERO, arithmetic, merge, rescale
from .graph import Node
from .network import Call, Network
from .tensors import Array
from .values import Value

COMPARISONS = ("Greater", "GreaterOrEqual", "Less", "LessOrEqual")


@dataclass
class Comparison:
    """Where a value is above a number, or, else, where it is not."""

    value: Value
    limit: float
    above: bool


def compare(network: Network, node: Node, first: Any, second: Any) -> Comparison:
    """Greater, Less and the like, of a value and one number."""
    value, limit = (first, second) if isinstance(first, Value) else (second, first)
    if not isinstance(value, Value) or isinstance(limit, Value) or limit.size != 1:
        node.refuse("it compares with something else than one number")
    return Comparison(value, float(limit.item()), node.operator.startswith("Greater") == (value is first))


def where(network: Network, node: Node, condition: Any, first: Any, second: Any) -> Value:
    """Where x is above a number x, else something that makes it an activation of x."""
    if not isinstance(condition, Comparison):
        node.refuse("its condition is no comparison of a value with a number")
    x, limit = condition.value, condition.limit
    above, below = (first, second) if condition.above else (second, first)
    if not isinstance(above, Value) or above.number != x.number:
        node.refuse("what it chooses makes none of the activations here")
    if not isinstance(below, Value):
        if np.any(below != 0) or limit < 0:
            node.refuse(f"below {limit}, it is a constant that no activation here has")
        return network.apply(node, {"class": "ReLU", "threshold": limit}, x, True)
    call = network.maker_of(below.number)
    softplus = call is not None and call.config.get("activation") == "softplus"
    if softplus and call is not None and call.inputs == [x.number] and limit >= 15:  # they are the same there
        return below
    slope = affine(network, below.number, x.number)
    if slope is None or limit < 0 or slope[0] < 0 or abs(slope[1] + slope[0] * limit) > 1e-6:
        node.refuse("what it chooses makes none of the activations here")
    config: dict[str, Any] = {"class": "ReLU", "negative_slope": slope[0], "threshold": limit}
    if limit == 0:
        config = {"class": "LeakyReLU", "negative_slope": slope[0]}
    return network.apply(node, config, x)


def affine(network: Network, number: int, source: int) -> tuple[float, float] | None:
    """Return (scale, offset) of a value that is source * scale + offset, by numbers; else None."""
    scale, offset = 1.0, 0.0
    while number != source:
        call = network.maker_of(number)
        if call is None or call.kind != "Rescaling":
            return None
        factor, shift = np.asarray(call.config["scale"]), np.asarray(call.config.get("offset", 0.0))
        if factor.ndim or shift.ndim:
            return None
        scale, offset = scale * float(factor), offset + scale * float(shift)
        number = call.inputs[0]
    return scale, offset


def absolute(network: Network, node: Node, value: Value) -> Value:
    """Abs: the larger one of x and -x."""
    negative = rescale(network, node, value, -ONE, ZERO)
    return merge(network, Node("Max", "", node.name, [], node.outputs, {}), value, negative)


def divide(network: Network, node: Node, first: Any, second: Any) -> Value:
    """Div, by a constant, or by 1 + |x|: softsign."""
    if isinstance(first, Value) and isinstance(second, Value):
        shifted = network.maker_of(second.number)
        larger = None if shifted is None else network.maker_of(shifted.inputs[0])
        is_shift = shifted is not None and affine(network, second.number, shifted.inputs[0]) == (1, 1)
        if larger is not None and is_shift and _is_absolute(network, larger, first.number):
            return network.apply(node, {"class": "Activation", "activation": "softsign"}, first)
    return arithmetic(network, node, first, second)


def _is_absolute(network: Network, call: Call, source: int) -> bool:
    """Whether a call gives |x|."""
    if call.kind != "Maximum" or call.inputs[0] != source:
        return False
    return affine(network, call.inputs[1], source) == (-1, 0)


def smallest(network: Network, node: Node, *operands: Any) -> Value:
    """Min; with a number after relu, it is relu's own limit."""
    values = [one for one in operands if isinstance(one, Value)]
    constants: list[Array] = [one for one in operands if not isinstance(one, Value)]
    if len(values) == len(constants) == 1 and constants[0].size == 1:
        call, most = network.maker_of(values[0].number), float(constants[0].item())
        limited = call is not None and call.kind == "ReLU" and "max_value" not in call.config
        if limited and call is not None and most >= call.config.get("threshold", 0):
            config = {**call.config, "max_value": most}
            return values[0].computed(network.call(node, config, call.inputs, call.shape))
    return arithmetic(network, node, *operands)
