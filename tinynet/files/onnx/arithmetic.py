"""Sums, products and the like: with constants, and of several values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .graph import Node
from .network import Network
from .tensors import Array
from .values import BATCH, Groups, Value, shown

LAYERS = {
    "Add": "Add",
    "Sum": "Add",
    "Mul": "Multiply",
    "Max": "Maximum",
    "Mean": "Average",
    "Sub": "Subtract",
}
ONE, ZERO = np.asarray(1.0), np.asarray(0.0)


def arithmetic(network: Network, node: Node, *operands: Any) -> Value:
    """Add, Sub, Mul, Div, Max, Min, Sum and Mean, of values and constants."""
    operands = (*aligned(node, operands),)
    values = [one for one in operands if isinstance(one, Value)]
    constants = [one for one in operands if not isinstance(one, Value)]
    if node.operator == "Div" and len(values) == 2:
        node.refuse("it divides one value by another, which no layer here does")
    if node.operator == "Min":
        negative = Node("Max", "", node.name, [], node.outputs, {})
        turned = [
            rescale(network, node, one, -ONE, ZERO) if isinstance(one, Value) else -one for one in operands
        ]
        return rescale(network, node, arithmetic(network, negative, *turned), -ONE, ZERO)
    if not constants:
        return merge(network, node, *values)
    if len(operands) > 2 or node.operator in ("Mean", "Sum"):
        node.refuse("it takes constants and several values")
    (value,), (constant,) = values, constants
    first = value is operands[0]
    if node.operator == "Add":
        return rescale(network, node, value, ONE, constant)
    if node.operator == "Sub":
        return rescale(network, node, value, ONE if first else -ONE, -constant if first else constant)
    if node.operator == "Mul":
        return rescale(network, node, value, constant, ZERO)
    if node.operator == "Max":
        if constant.size != 1:
            node.refuse("it compares each element with a constant of its own")
        value = network.apply(node, {"class": "ReLU"}, rescale(network, node, value, ONE, -constant))
        return rescale(network, node, value, ONE, constant)
    if not first:
        node.refuse("it divides a constant by a value, which no layer here does")
    if np.any(constant == 0):
        node.refuse("it divides by 0")
    square = network.roots.get(node.inputs[1])
    normalized = None if square is None else normalize(network, node, value, square)
    return normalized or rescale(network, node, value, 1 / constant.astype(np.float64), ZERO)


def normalize(network: Network, node: Node, value: Value, variance: Array) -> Value | None:
    """Return what Normalization gives, if a mean was subtracted from the value; else None."""
    call = network.maker_of(value.number)
    if call is None or call.kind != "Rescaling" or np.any(call.config["scale"] != 1):
        return None
    mean, spread = -np.asarray(call.config.get("offset", 0.0)), numbers(value, variance)
    if mean.shape != spread.shape:
        return None
    kept = [axis for axis, size in enumerate(mean.shape) if size > 1]
    config: dict[str, Any] = {"class": "Normalization", "axis": [axis + 1 for axis in kept] or None}
    config |= {"mean": mean.reshape([mean.shape[axis] for axis in kept])}
    config |= {"variance": spread.reshape([mean.shape[axis] for axis in kept])}
    return value.computed(network.call(node, config, call.inputs, value.physical))


def scaler(network: Network, node: Node, value: Value) -> Value:
    """Scaler, of scikit-learn's files: (x - offset) * scale."""
    scale, offset = (
        np.asarray(node.attributes.get(name, n), np.float32) for name, n in (("scale", 1), ("offset", 0))
    )
    return rescale(network, node, rescale(network, node, value, ONE, -offset), scale, ZERO)


def power(network: Network, node: Node, value: Value, exponent: Array) -> Value:
    """Pow, of whole numbers that are small: as products."""
    if exponent.size != 1 or exponent.item() not in (1, 2, 3):
        node.refuse("it takes powers, of which layers here have the second and third alone")
    product, multiply = value, Node("Mul", "", node.name, [], node.outputs, {})
    for _ in range(int(exponent.item()) - 1):
        product = merge(network, multiply, value, product)
    return product


def aligned(node: Node, operands: Sequence[Any]) -> Sequence[Any]:
    """Return operands that are aligned at the right; before opset 7, an axis said where the second one is."""
    if node.opset >= 7 or len(operands) != 2 or "axis" not in node.attributes:
        return operands
    first, second = operands
    if isinstance(second, Value) or not isinstance(first, Value):
        return operands
    after = first.rank - node.integer("axis", 0) % max(first.rank, 1) - second.ndim
    return first, second.reshape(*second.shape, *[1] * max(after, 0))


def rescale(network: Network, node: Node, value: Value, scale: Array, offset: Array) -> Value:
    """Return value * scale + offset, of constants."""
    try:
        found = [numbers(value, constant) for constant in (scale, offset)]
    except ValueError as error:
        node.refuse(str(error))
    config: dict[str, Any] = {"class": "Rescaling", "scale": found[0]}
    if np.any(found[1] != 0):
        config["offset"] = found[1]
    positive = value.is_positive and bool(np.all(found[0] >= 0) and np.all(found[1] >= 0))
    return network.apply(node, config, value, positive)


def numbers(value: Value, constant: Array) -> Array:
    """Return a constant as it is broadcast to a sample in the network; one number where all are the same."""
    if constant.size == 1 and constant.ndim <= value.rank:
        return constant.reshape(())
    return value.spread(constant)


def merge(network: Network, node: Node, *values: Value) -> Value:
    """Return the sum, product, maximum, ... of values whose samples ONNX broadcasts."""
    if len(values) == 1:
        return values[0]
    whole = max(values, key=lambda value: (value.samples, value.rank))
    if not fitting(values):
        node.refuse(f"its inputs {', '.join(shown(value.shape) for value in values)} do not fit")
    shape = np.broadcast_shapes(*(value.shape for value in values))
    positive = node.operator != "Sub" and all(value.is_positive for value in values)
    if all(
        (v.physical, v.fine, v.order, v.shape) == (whole.physical, whole.fine, whole.order, whole.shape)
        for v in values
    ):
        laid = [*values]
    else:
        axes = layout(whole, whole.rank)
        laid = [arranged(network, node, value, whole.rank, axes) for value in values]
    physical = np.broadcast_shapes(*(value.physical for value in laid))
    config = {"class": LAYERS[node.operator]}
    number = network.call(node, config, [value.number for value in laid], physical)
    first = next((value for value in laid if value.physical == physical), None)
    if first is not None and first.shape == tuple(shape):
        return first.computed(number, is_positive=positive)
    order = layout(whole, whole.rank)
    axes_there = [order.index(axis) for axis in range(int(whole.batched), whole.rank)]
    return Value.of(number, physical, axes_there, whole.batched).computed(number, is_positive=positive)


def fitting(values: Sequence[Value]) -> bool:
    """Whether values are of the same samples, and broadcast to a common shape."""
    if any(value.rank > 1 and not value.batched for value in values) and any(v.batched for v in values):
        return False
    if any(value.batched and value.groups[0] for value in values):
        return len({value.shape for value in values}) == 1
    try:
        np.broadcast_shapes(*(value.shape for value in values))
    except ValueError:
        return False
    most = max(value.rank for value in values)
    return all(not value.batched or value.rank == most or value.shape[0] != BATCH for value in values)


def layout(value: Value, rank: int) -> list[int]:
    """Return ONNX's axes, without the batch's, in the order in which the network has them.

    Axes of size 1 stay where the network has some; else channels of images are last.
    """
    start = int(value.batched)
    groups = value.groups
    filled = sorted((axis for axis in range(start, rank) if groups[axis]), key=lambda axis: min(groups[axis]))
    empty = [axis for axis in range(start, rank) if not groups[axis]]
    there = value.physical_groups
    if [groups[axis] for axis in filled] == [group for group in there if group] and len(
        there
    ) == rank - start:
        return [(filled if group else empty).pop(0) for group in there]
    if rank == 4 and start and empty == [1]:
        return [*filled, 1]
    for axis in empty:
        filled.insert(filled.index(axis - 1) + 1 if axis - 1 in filled else 0, axis)
    return filled


def arranged(network: Network, node: Node, value: Value, rank: int, axes: Sequence[int]) -> Value:
    """Return a value with ONNX's axes in this order in the network, each of them as one axis."""
    lead = int(value.batched)
    missing = rank - value.rank
    groups: Groups = [*value.groups[:lead], *[[] for _ in range(missing)], *value.groups[lead:]]
    return network.laid_out(node, value, [groups[axis] for axis in axes])
