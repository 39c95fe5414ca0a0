"""Operators on constants, which are computed when a file is read: shapes, and weights laid out anew."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .graph import Node
from .tensors import Array

MOST = 2**16  # elements of a constant that files may make of nothing

TYPES = {1: "f4", 2: "u1", 3: "i1", 4: "u2", 5: "i2", 6: "i4", 7: "i8", 9: "?", 10: "f2", 11: "f8"}


def fold(node: Node, inputs: Sequence[Array | None]) -> Array | None:
    """Compute an operator of constants.

    Args:
        node: the operator's call.
        inputs: arrays; None where the node leaves one out.

    Returns:
        Its first output, or None if the operator is none of those that are known here.

    Raises:
        ValueError: the inputs do not fit the operator, or the result would be much larger than they are.
    """
    function = FUNCTIONS.get(node.operator) if node.domain == "" else None
    if function is None:
        return None
    try:
        with np.errstate(all="ignore"):
            found = function(node, *inputs)
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, MemoryError) as error:
        node.refuse(f"its inputs do not fit it, or are too many ({error})")
    return np.asarray(found)


def check_size(shape: Any, held: int = 0) -> tuple[int, ...]:
    """Return a shape of a new constant, or raise if that would be much larger than what the file holds."""
    sizes = tuple(int(size) for size in np.asarray(shape).reshape(-1))
    if any(size < 0 for size in sizes) or len(sizes) > 16 or math.prod(sizes) > max(MOST, 2 * held):
        raise ValueError(f"a constant of shape {sizes[:16]}")
    return sizes


def axes_of(node: Node, given: Array | None) -> tuple[int, ...] | None:
    """Return the axes that an operator works on: an attribute before opset 13, and an input since then."""
    if given is not None:
        return tuple(int(axis) for axis in given.reshape(-1))
    axes = node.attributes.get("axes")
    return axes if axes is None else tuple(node.integers("axes") or ())


def _constant(node: Node) -> Any:
    for name, dtype in (
        ("value_int", "i8"),
        ("value_ints", "i8"),
        ("value_float", "f4"),
        ("value_floats", "f4"),
    ):
        if name in node.attributes:
            return np.asarray(node.attributes[name], dtype)
    value = node.attributes.get("value")
    if not isinstance(value, np.ndarray):
        node.refuse("it holds no numbers")
    return value


def _constant_of_shape(node: Node, shape: Array) -> Any:
    value = node.attributes.get("value", np.zeros(1, "f4"))
    return np.full(check_size(shape), value.reshape(-1)[0])


def _cast(node: Node, x: Array) -> Any:
    to = node.integer("to", 1)
    if to not in TYPES:
        raise ValueError(f"type {to}")
    return x.astype(TYPES[to])


def _concat(node: Node, *arrays: Array) -> Any:
    check_size([sum(array.size for array in arrays)], max(array.size for array in arrays))
    return np.concatenate([np.atleast_1d(array) for array in arrays], node.integer("axis", 0))


def _expand(node: Node, x: Array, shape: Array) -> Any:
    return np.broadcast_to(x, check_size(np.broadcast_shapes(x.shape, check_size(shape, x.size)), x.size))


def _flatten(node: Node, x: Array) -> Any:
    axis = node.integer("axis", 1)
    return x.reshape(math.prod(x.shape[:axis]), -1)


def _gather(node: Node, x: Array, indices: Array) -> Any:
    axis = node.integer("axis", 0)
    check_size([x.size // max(x.shape[axis], 1) * indices.size], x.size)
    return np.take(x, indices, axis)


def _range(node: Node, start: Array, limit: Array, delta: Array) -> Any:
    check_size([max(math.ceil((limit.item() - start.item()) / delta.item()), 0)])
    return np.arange(start.item(), limit.item(), delta.item()).astype(start.dtype)


def _reshape(node: Node, x: Array, shape: Array | None = None) -> Any:
    given = node.attributes.get("shape", ()) if shape is None else shape.reshape(-1)
    sizes = [int(size) for size in given]
    if not node.integer("allowzero", 0):
        sizes = [x.shape[place] if size == 0 else size for place, size in enumerate(sizes)]
    return x.reshape(sizes)


def _slice(
    node: Node, x: Array, starts: Any = None, ends: Any = None, axes: Any = None, steps: Any = None
) -> Any:
    return x[slices_of(node, x.shape, starts, ends, axes, steps)]


def slices_of(
    node: Node,
    shape: Sequence[int],
    starts: Any = None,
    ends: Any = None,
    axes: Any = None,
    steps: Any = None,
) -> tuple[slice, ...]:
    """Return what a Slice takes of each axis."""
    starts, ends = (
        [int(one) for one in (node.integers(name) or () if given is None else given.reshape(-1))]
        for name, given in (("starts", starts), ("ends", ends))
    )
    places = axes_of(node, axes)
    places = tuple(range(len(starts))) if places is None else places
    paces = [1] * len(starts) if steps is None else [int(one) for one in steps.reshape(-1)]
    taken = [slice(None)] * len(shape)
    for start, end, axis, pace in zip(starts, ends, places, paces, strict=True):
        last = None if pace < 0 and end < -shape[axis] else end
        taken[axis] = slice(start, last, pace)
    return tuple(taken)


def _split_sizes(node: Node, size: int, given: Array | None) -> list[int]:
    sizes = node.integers("split") if given is None else tuple(int(one) for one in given.reshape(-1))
    if sizes is None:
        count = node.integer("num_outputs", len(node.outputs))
        each = -(-size // max(count, 1))
        sizes = tuple(min(each, size - each * i) for i in range(count))
    if sum(sizes) != size or any(one < 1 for one in sizes):
        raise ValueError(f"parts of {sizes[:16]} of an axis of {size}")
    return [*sizes]


def _squeeze(node: Node, x: Array, axes: Array | None = None) -> Any:
    return np.squeeze(x, axes_of(node, axes))


def _unsqueeze(node: Node, x: Array, axes: Array | None = None) -> Any:
    places = axes_of(node, axes)
    if places is None or len(places) + x.ndim > 16:
        raise ValueError("axes are missing")
    return np.expand_dims(x, places)


def _tile(node: Node, x: Array, repeats: Array) -> Any:
    check_size([x.size * math.prod(check_size(repeats, x.size))], x.size)
    return np.tile(x, repeats)


def _transpose(node: Node, x: Array) -> Any:
    return x.transpose(node.integers("perm"))


def _divide(node: Node, a: Array, b: Array) -> Any:
    if a.dtype.kind in "iu" and b.dtype.kind in "iu":
        return (np.sign(a) * np.sign(b) * (np.abs(a) // np.abs(b))).astype(a.dtype)  # towards zero
    return a / b


def _dequantize(node: Node, x: Array, scale: Array, zero: Array | None = None) -> Any:
    def aligned(a: Array) -> Array:
        axis = node.integer("axis", 1)
        return (
            a.reshape([-1 if place == axis % x.ndim else 1 for place in range(x.ndim)]) if a.size > 1 else a
        )

    shifted = x.astype("f4") if zero is None else x.astype("f4") - aligned(zero).astype("f4")
    return shifted * aligned(scale)


def _binary(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def compute(node: Node, a: Array, b: Array) -> Any:
        sizes = np.broadcast_shapes(a.shape, b.shape)
        check_size(sizes, max(a.size, b.size))
        found = function(a, b)
        return found if found.dtype == bool else found.astype(np.result_type(a, b), copy=False)

    return compute


def _unary(function: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda node, x: function(x).astype(x.dtype, copy=False)


def _reduce(function: Callable[..., Any]) -> Callable[..., Any]:
    def compute(node: Node, x: Array, axes: Array | None = None) -> Any:
        keep = bool(node.integer("keepdims", 1))
        return function(x, axis=axes_of(node, axes), keepdims=keep).astype(x.dtype, copy=False)

    return compute


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Abs": _unary(np.abs),
    "Add": _binary(np.add),
    "Cast": _cast,
    "Ceil": _unary(np.ceil),
    "Concat": _concat,
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "DequantizeLinear": _dequantize,
    "Div": lambda node, a, b: _binary(lambda x, y: _divide(node, x, y))(node, a, b),
    "Equal": _binary(np.equal),
    "Exp": _unary(np.exp),
    "Expand": _expand,
    "Flatten": _flatten,
    "Floor": _unary(np.floor),
    "Gather": _gather,
    "Greater": _binary(np.greater),
    "Identity": lambda node, x: x,
    "Less": _binary(np.less),
    "Log": _unary(np.log),
    "Max": _binary(np.maximum),
    "Min": _binary(np.minimum),
    "Mul": _binary(np.multiply),
    "Neg": _unary(np.negative),
    "Not": lambda node, x: np.logical_not(x),
    "Pow": _binary(np.power),
    "Range": _range,
    "Reciprocal": _unary(np.reciprocal),
    "ReduceMax": _reduce(np.max),
    "ReduceMean": _reduce(np.mean),
    "ReduceMin": _reduce(np.min),
    "ReduceProd": _reduce(np.prod),
    "ReduceSum": _reduce(np.sum),
    "Reshape": _reshape,
    "Shape": lambda node, x: np.asarray(x.shape, "i8"),
    "Size": lambda node, x: np.asarray(x.size, "i8"),
    "Slice": _slice,
    "Sqrt": _unary(np.sqrt),
    "Squeeze": _squeeze,
    "Sub": _binary(np.subtract),
    "Tile": _tile,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
    "Where": lambda node, condition, a, b: np.where(
        condition, *np.broadcast_arrays(a, b)
    ),
}  # fmt: skip
