"""What builds a graph of ONNX's operators, node after node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ...layers.geometry import OpenShape

Order = tuple[int, ...]


@dataclass(eq=False)
class Value:
    """An array of the graph, which need not lie as tinynet has it: it is transposed where that is needed.

    Args:
        name: in the graph.
        shape: of a sample, as tinynet has it; None where the size is not known.
        order: which of tinynet's axes, of which 0 is the batch's, each axis of the array is.
        image: what this is as vectors, in the order that the image has; None for all other arrays.
    """

    name: str
    shape: OpenShape
    order: Order
    image: Value | None = None

    def permuted(self, axes: Sequence[int]) -> Value:
        """Return the same array with its axes named in another order, as `numpy.transpose` takes it."""
        shape = tuple(self.shape[axis - 1] for axis in axes[1:])
        return Value(self.name, shape, tuple([*axes].index(axis) for axis in self.order))


@dataclass
class Node:
    """An operator's call.

    Args:
        kind: of the operator.
        inputs: the names of what it takes, "" for what is left out.
        output: the name of what it gives.
        name: its own.
        attributes: of the operator.
        layer: the title of the layer that needs it, for error messages.
    """

    kind: str
    inputs: list[str]
    output: str
    name: str
    attributes: dict[str, Any]
    layer: str


class Builder:
    """Nodes and constants so far.

    Args:
        opset: the version of the operators.

    Attributes:
        nodes: in order.
        constants: by name.
        layer, title: the path and the title of the layer that nodes are added for.
        shape: of a sample of its output.
        outputs: the names of what the graph gives.
    """

    def __init__(self, opset: int) -> None:
        self.opset = opset
        self.nodes: list[Node] = []
        self.constants: dict[str, NDArray[Any]] = {}
        self.layer, self.title = "", ""
        self.shape: OpenShape = ()
        self.names: set[str] = set()  # of nodes and values
        self.transposed: dict[tuple[str, Order], str] = {}
        self.outputs: list[str] = []
        self.renamed: dict[str, str] = {}

    def unique(self, name: str) -> str:
        """Return a name, or, where it is taken, the name with a number."""
        found, number = name, 0
        while found in self.names or found in self.constants:
            number += 1
            found = f"{name}_{number}"
        self.names.add(found)
        return found

    def add(self, kind: str, inputs: Sequence[str], helps: bool = False, **attributes: Any) -> str:
        """Add a node, and return the name of its output.

        Args:
            kind: of the operator.
            inputs: the names of what it takes, "" for what is left out.
            helps: whether it only prepares what a layer does: others have the layer's name, if it is free.
            attributes: of the operator.
        """
        name = self.layer
        if helps or name in self.names:
            name = f"{self.layer}/{kind.lower()}"
        name = self.unique(name)
        self.nodes.append(Node(kind, [*inputs], name, name, attributes, self.title))
        return name

    def map(self, kind: str, x: Value, *others: str, **attributes: Any) -> Value:
        """Add a node that keeps the shape and the axes' order, and return its output."""
        return Value(self.add(kind, [self.name_of(x), *others], **attributes), x.shape, x.order)

    def constant(self, name: str, value: ArrayLike, dtype: DTypeLike = np.float32) -> str:
        """Return the name of a constant array; equal ones of a layer are there once."""
        array = np.ascontiguousarray(value, dtype).reshape(np.shape(value))
        found, number = f"{self.layer}/{name}", 0
        while found in self.names or not same(self.constants.setdefault(found, array), array):
            number += 1
            found = f"{self.layer}/{name}_{number}"
        return found

    def integers(self, name: str, value: ArrayLike) -> str:
        """Return the name of constant integers, such as the numbers of axes."""
        return self.constant(name, value, np.int64)

    def name_of(self, x: Value, order: Sequence[int] | None = None) -> str:
        """Return the name of an array with its axes in an order, by default that in which it lies."""
        if x.image is not None:
            x = self.as_tinynet_has_it(x)
        if order is None or tuple(order) == x.order:
            return x.name
        key = (x.name, tuple(x.order.index(axis) for axis in order))
        if key not in self.transposed:
            self.transposed[key] = self.add("Transpose", [x.name], True, perm=key[1])
        return self.transposed[key]

    def as_tinynet_has_it(self, x: Value) -> Value:
        """Return an array whose axes lie in tinynet's order."""
        plain = tuple(range(len(x.shape) + 1))
        if x.image is not None:
            whole = self.as_tinynet_has_it(x.image)
            return Value(self.add("Flatten", [whole.name], True, axis=1), x.shape, plain)
        return Value(self.name_of(x, plain), x.shape, plain)

    def with_channels_first(self, x: Value, axis: int = -1) -> Value:
        """Return an array whose axes lie so that the one of the channels comes after the batch's."""
        rank = len(x.shape) + 1
        order = (0, axis % rank, *(one for one in range(1, rank) if one != axis % rank))
        return Value(self.name_of(x, order), x.shape, order)

    def numbers(self, name: str, value: ArrayLike, x: Value) -> str:
        """Return the name of a constant for each element of a sample, as small as can be, as x lies."""
        array = np.asarray(value, np.float64)
        array = array.reshape(*[1] * (len(x.shape) + 1 - array.ndim), *array.shape)
        for axis in range(array.ndim):
            first = array.take([0], axis)
            array = first if (array == first).all() else array
        if any(size != 1 and known is None for size, known in zip(array.shape[1:], x.shape, strict=True)):
            raise ValueError(
                f"export: {self.title} has numbers for each element of samples, whose sizes are not known: "
                "give all sizes in Input."
            )
        array = array.transpose(x.order)
        while array.ndim and len(array) == 1:
            array = array[0]
        return self.constant(name, array)

    def give(self, name: str, wanted: str) -> None:
        """Make a value an output, if possible by the name of the layer that makes it."""
        name = self.renamed.get(name, name)
        maker = next((node for node in self.nodes if node.output == name), None)
        if maker is None or name in self.outputs:  # an input, or an output that is there already
            name = self.add("Identity", [name], True)
        elif name != wanted and wanted not in self.outputs:
            other = next((node for node in self.nodes if node.output == wanted), None)
            if other is not None:
                self.rename(wanted, self.unique(f"{wanted}/{other.kind.lower()}"))
                self.rename(name, wanted)
                name = wanted
        self.outputs.append(name)

    def rename(self, name: str, new: str) -> None:
        """Give a value another name."""
        self.renamed[name] = new
        for node in self.nodes:
            node.inputs = [new if one == name else one for one in node.inputs]
            node.output = new if node.output == name else node.output

    def scale(self, x: Value, factor: ArrayLike, name: str = "scale") -> Value:
        """Return x * factor, which broadcasts to a sample."""
        if (np.asarray(factor) == 1).all():
            return x
        return self.map("Mul", x, self.numbers(name, factor, x))

    def shift(self, x: Value, offset: ArrayLike, name: str = "offset") -> Value:
        """Return x + offset, which broadcasts to a sample."""
        if not np.asarray(offset).any():
            return x
        return self.map("Add", x, self.numbers(name, offset, x))


def same(first: NDArray[Any], second: NDArray[Any]) -> bool:
    """Whether two arrays have the same bits."""
    return first is second or (
        first.dtype == second.dtype and first.shape == second.shape and first.tobytes() == second.tobytes()
    )
