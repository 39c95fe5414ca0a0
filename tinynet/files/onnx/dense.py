"""Gemm and MatMul: fully connected layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arithmetic import merge, rescale
from .graph import Node
from .network import Network
from .tensors import Array
from .values import Value, shown


def gemm(network: Network, node: Node, value: Value, kernel: Array, bias: Any = None) -> Value:
    """Gemm: alpha * x @ kernel + beta * bias."""
    if node.integer("transA", 0):
        node.refuse("its first input is transposed (transA), so that its samples are no rows")
    if value.rank != 2 or kernel.ndim != 2:
        node.refuse(f"it multiplies {shown(value.shape)} by {kernel.shape}, which are no matrices")
    kernel = kernel.T if node.integer("transB", 0) else kernel
    kernel = scaled(kernel, node.number("alpha", 1.0))
    if bias is None or node.number("beta", 1.0) == 0:
        return dense(network, node, value, kernel)
    if isinstance(bias, Value):
        found, beta = dense(network, node, value, kernel), node.number("beta", 1.0)
        bias = bias if beta == 1 else rescale(network, node, bias, np.asarray(beta), np.asarray(0.0))
        return merge(network, Node("Add", "", "", [], node.outputs, {}), found, bias)
    if bias.shape not in ((), (1,), (1, 1), kernel.shape[1:], (1, *kernel.shape[1:])):
        node.refuse(f"its third input has the shape {bias.shape}, for {kernel.shape[1]} units")
    bias = scaled(np.broadcast_to(bias.reshape(-1), kernel.shape[1:]), node.number("beta", 1.0))
    return dense(network, node, value, kernel, bias)


def scaled(array: Array, factor: float) -> Array:
    """Return an array multiplied by a factor, as it is where that is 1."""
    return array if factor == 1 else (array * factor).astype(array.dtype)


def matmul(network: Network, node: Node, value: Value, kernel: Array) -> Value:
    """MatMul of a value and a constant matrix."""
    while kernel.ndim > 2 and kernel.shape[0] == 1 and kernel.ndim <= value.rank:
        kernel = kernel[0]
    if kernel.ndim == 1:
        found = dense(network, node, value, kernel[:, np.newaxis])
        return found.reshaped(value.shape[:-1]) or found
    if kernel.ndim != 2:
        node.refuse(f"it multiplies by {kernel.shape}, another matrix for each sample or step")
    return dense(network, node, value, kernel)


def matmul_from_the_left(network: Network, node: Node, kernel: Array, value: Value) -> Value:
    """MatMul of a constant matrix and a value: of columns, as a dense layer of rows."""
    if kernel.ndim != 2 or value.rank < 1 + 2 * value.batched:
        node.refuse(f"it multiplies {kernel.shape} by {shown(value.shape)}, which takes samples apart")
    if value.rank == 1:
        return dense(network, node, value, kernel.T)
    axes = [*range(value.rank - 2), value.rank - 1, value.rank - 2]
    return dense(network, node, value.transposed(axes), kernel.T).transposed(axes)


def dense(network: Network, node: Node, value: Value, kernel: Array, bias: Array | None = None) -> Value:
    """Return the last axis of a value multiplied by a matrix."""
    features, units = kernel.shape
    if value.rank < 1 + value.batched or value.shape[-1] != features or 0 in kernel.shape:
        node.refuse(f"it multiplies {shown(value.shape)} by {kernel.shape}")
    *groups, last = value.groups
    places = groups[int(value.batched) :]
    if value.batched and groups[0]:
        places.insert(0, groups[0])  # rows of a sample that the file counts as samples
    laid = network.laid_out(node, value, [*places, sorted(last)])
    *_, inner = laid.groups
    kernel = kernel[np.argsort(laid.places_in(inner))]  # its rows in the order that features have here
    config = {"class": "Dense", "units": units, "use_bias": bias is not None}
    weights = [kernel] if bias is None else [kernel, bias]
    physical = (*laid.physical[:-1], units)
    number = network.call(node, config, laid.number, physical, weights)
    found = Value.of(number, physical, batched=value.batched)
    return found.reshaped((*value.shape[:-1], units)) or found
