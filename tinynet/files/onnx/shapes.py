"""Operators that only say how a value is seen: Reshape, Transpose, Flatten, and the like."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .folding import axes_of
from .graph import Node
from .network import Network
from .tensors import Array
from .values import BATCH, Value, shown


def reshaped(network: Network, node: Node, value: Value, shape: Sequence[int]) -> Value:
    """Return a value as ONNX sees it in another shape, in which BATCH is where it belongs."""
    if any(size % BATCH == 0 for size in shape[1:]):
        node.refuse(f"{shown(value.shape)} becomes {shown(shape)}, where the samples are not the first axis")
    found = value.reshaped(shape)
    if found is None:  # its elements have to lie in ONNX's order, before they can be cut otherwise
        laid = network.laid_out(node, value, [[factor] for factor in value.order])
        sizes = [size // BATCH if size % BATCH == 0 else size for size in shape]
        sizes = sizes[1:] if sizes and sizes[0] == 1 and shape[0] == BATCH else sizes
        number = network.reshaped(node, laid.number, sizes)
        found = Value.of(number, sizes).computed(number, is_positive=value.is_positive).reshaped(shape)
    if found is None:
        node.refuse(f"{shown(value.shape)} cannot become {shown(shape)}")
    return found


def completed(network: Network, node: Node, value: Value, wanted: Sequence[int]) -> list[int]:
    """Return the shape that a Reshape asks for, with BATCH in the place of the number of samples."""
    shape = [int(size) for size in wanted]
    if len(shape) > 16 or any(size < -1 for size in shape) or shape.count(-1) > 1:
        node.refuse(f"it asks for the shape {shape[:16]}")
    if not node.integer("allowzero", 0):
        if any(size == 0 and place >= value.rank for place, size in enumerate(shape)):
            node.refuse(f"it asks for the shape {shape}, of {shown(value.shape)}")
        shape = [value.shape[place] if size == 0 else size for place, size in enumerate(shape)]
    known = math.prod(size for size in shape if size != -1)
    samples, whole = value.samples, math.prod(value.shape)
    written = network.batch or 1  # the number of samples that the file may name
    if known < 1:
        node.refuse(f"it asks for the shape {shape}, of {shown(value.shape)}")
    if -1 in shape:
        place = shape.index(-1)
        if value.batched and known % BATCH and place and shape[0] % written == 0:
            shape[0] = shape[0] // written * BATCH
            known = known // written * BATCH
        if whole % known:
            node.refuse(f"it asks for the shape {shape}, of {shown(value.shape)}")
        shape[place] = whole // known
    elif value.batched and known == samples * written and known != whole:
        named = shape and shape[0] % written == 0 and (written > 1 or shape[0] == 1)
        shape = [shape[0] // written * BATCH, *shape[1:]] if named else shape
    if not value.batched and len(shape) > 1 and shape[0] == 1 and math.prod(shape) == samples:
        shape[0] = BATCH
    if math.prod(size // BATCH if size % BATCH == 0 else size for size in shape) != samples:
        node.refuse(f"it asks for the shape {shown(shape)}, of {shown(value.shape)}")
    return shape


def reshape(network: Network, node: Node, value: Value, shape: Array | None = None) -> Value:
    """Reshape, by an attribute or an input."""
    wanted = node.integers("shape") if shape is None else [int(size) for size in shape.reshape(-1)]
    if wanted is None:
        node.refuse("it does not say the shape")
    return reshaped(network, node, value, completed(network, node, value, wanted))


def flatten(network: Network, node: Node, value: Value) -> Value:
    """Flatten: two axes."""
    axis = node.integer("axis", 1)
    axis = axis + value.rank if axis < 0 else axis
    if not 0 <= axis <= value.rank:
        node.refuse(f"its axis is {axis}, of {shown(value.shape)}")
    if axis == 0 and value.batched:
        if network.batch != 1:
            node.refuse("its axis is 0, so that samples become one")
        axis = 1  # of the file's single sample
    shape = [math.prod(value.shape[:axis]), math.prod(value.shape[axis:])]
    if not value.batched and shape[0] == 1:
        shape[0] = BATCH
    return reshaped(network, node, value, shape)


def squeeze(network: Network, node: Node, value: Value, axes: Array | None = None) -> Value:
    """Squeeze: leave axes of size 1 out."""
    places = axes_of(node, axes)
    if places is None:
        places = tuple(place for place, size in enumerate(value.shape) if size == 1)
    places = checked_axes(node, places, value.rank)
    if any(value.shape[place] != 1 for place in places if not (place == 0 and _single(network, value))):
        node.refuse(f"its axes {places} of {shown(value.shape)} are not of size 1")
    return reshaped(network, node, value, [s for place, s in enumerate(value.shape) if place not in places])


def unsqueeze(network: Network, node: Node, value: Value, axes: Array | None = None) -> Value:
    """Unsqueeze: put axes of size 1 in."""
    places = axes_of(node, axes)
    if places is None or len(places) > 16:
        node.refuse("it does not say the axes")
    rank = value.rank + len(places)
    places = checked_axes(node, places, rank)
    left = [*value.shape]
    shape = [1 if place in places else left.pop(0) for place in range(rank)]
    if 0 in places and _single(network, value):  # the file's one sample: its axis is any of those of size 1
        shape[shape.index(BATCH)], shape[0] = 1, BATCH
    elif 0 in places and not value.batched:
        shape[0] = BATCH
    return reshaped(network, node, value, shape)


def _single(network: Network, value: Value) -> bool:
    """Whether the batch's axis is of size 1 in the file."""
    return value.batched and value.shape[0] == BATCH and network.batch == 1


def transpose(network: Network, node: Node, value: Value) -> Value:
    """Transpose: axes in another order."""
    axes = node.integers("perm")
    axes = tuple(reversed(range(value.rank))) if axes is None else axes
    if sorted(axes) != [*range(value.rank)]:
        node.refuse(f"its perm is {axes[:16]}, of {shown(value.shape)}")
    if value.batched and axes[0] != 0:
        if not (_single(network, value) and value.shape[axes[0]] == 1):
            node.refuse(f"its perm {axes} does not leave the samples first")
        other = [0 if axis == axes[0] else axes[0] if axis == 0 else axis for axis in axes]
        axes = tuple(other)
    return value.transposed(axes)


def checked_axes(node: Node, axes: Sequence[int], rank: int) -> tuple[int, ...]:
    """Return axes counted from the first one, or raise."""
    found = tuple(axis + rank if axis < 0 else axis for axis in axes)
    if any(not 0 <= axis < rank for axis in found) or len({*found}) < len(found):
        node.refuse(f"its axes are {tuple(axes)[:16]}, of {rank}")
    return found


def shape(network: Network, node: Node, value: Value) -> Array:
    """Shape: of what ONNX sees, with BATCH for the samples."""
    start, end = node.integer("start", 0), node.attributes.get("end")
    return np.array(value.shape[start:end], np.int64)


def identity(network: Network, node: Node, value: Value) -> Value:
    """Identity."""
    return value


def expand(network: Network, node: Node, value: Value, sizes: Array) -> Value:
    """Expand, where nothing has to be repeated."""
    wanted = [int(size) for size in sizes.reshape(-1)]
    padded = [1] * (value.rank - len(wanted)) + wanted
    if len(padded) != value.rank or any(w not in (1, s) for w, s in zip(padded, value.shape, strict=True)):
        node.refuse(f"{shown(value.shape)} would be repeated to {wanted[:16]}")
    return value
