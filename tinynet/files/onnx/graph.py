"""ONNX's graphs as plain data, with the nodes in the order in which they can be computed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from .tensors import Array, array_of, as_text

FLOAT, INT, STRING, TENSOR, FLOATS, INTS = 1, 2, 3, 4, 6, 7  # AttributeProto.AttributeType
FIELDS = {FLOAT: "f", INT: "i", STRING: "s", TENSOR: "t", FLOATS: "floats", INTS: "ints"}


class NodeError(ValueError):
    """A node cannot become a layer; the message says why."""


@dataclass
class Node:
    """An operator's call.

    Args:
        operator: its name.
        domain: "" for ONNX's own.
        name: of the node, "" for none.
        inputs, outputs: names of values; "" for those that are left out.
        attributes: by name; numbers, texts, tuples of numbers, arrays.
        opset: the version of the operators.
        title: what messages call it; default: its name.
    """

    operator: str
    domain: str
    name: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]
    opset: int = 0
    title: str = ""

    def refuse(self, why: str) -> NoReturn:
        """Raise, and say why the node cannot become a layer."""
        called = (
            f" {(self.title or self.name)!r}"
            if self.title or self.name
            else f" that computes {(self.outputs or ['nothing'])[0]!r}"
        )
        operator = f"{self.domain}.{self.operator}" if self.domain else self.operator
        raise NodeError(f"The node{called} is a {operator}: {why}.")

    def number(self, name: str, default: float) -> float:
        """Return an attribute that is one number."""
        value = self.attributes.get(name, default)
        if not isinstance(value, int | float):
            self.refuse(f"its {name} must be a number; got {value!r}")
        return value

    def integer(self, name: str, default: int) -> int:
        """Return an attribute that is one integer."""
        value = self.attributes.get(name, default)
        if not isinstance(value, int):
            self.refuse(f"its {name} must be an integer; got {value!r}")
        return value

    def text(self, name: str, default: str) -> str:
        """Return an attribute that is a text."""
        value = self.attributes.get(name, default)
        if not isinstance(value, str):
            self.refuse(f"its {name} must be a text; got {value!r}")
        return value

    def integers(self, name: str) -> tuple[int, ...] | None:
        """Return an attribute that is several integers, or None if it is not there."""
        value = self.attributes.get(name)
        if value is not None and not (
            isinstance(value, tuple) and all(isinstance(one, int) for one in value)
        ):
            self.refuse(f"its {name} must be integers; got {value!r}")
        return value


class Port(NamedTuple):
    """An input or output of a graph.

    Args:
        name: of the value.
        sizes: of its axes, None where any size is taken; None if nothing is said.
        type: a number of TensorProto.DataType.
    """

    name: str
    sizes: list[int | None] | None
    type: int


@dataclass
class Graph:
    """A graph.

    Args:
        name: its name.
        inputs, outputs: in order; of the inputs those that are no constants.
        constants: arrays by name.
        nodes: in any order; see `ordered`.
    """

    name: str
    inputs: list[Port]
    outputs: list[Port]
    constants: dict[str, Array]
    nodes: list[Node] = field(default_factory=list)


def graph_of(model: Any, folder: Path | None) -> Graph:
    """Return a ModelProto's graph.

    Args:
        model: the message.
        folder: where files lie that hold the numbers of tensors; None where there is none.

    Raises:
        ValueError: the graph is damaged, or holds what no layer can be made of.
    """
    source = model.graph
    constants = {as_text(tensor.name): array_of(tensor, folder) for tensor in source.initializer}
    graph = Graph(
        as_text(source.name),
        [_port(value) for value in source.input if as_text(value.name) not in constants],
        [_port(value) for value in source.output],
        constants,
    )
    opsets = {as_text(one.domain): one.version for one in model.opset_import}
    opset = max(opsets.get("", 0), opsets.get("ai.onnx", 0)) or 1
    nodes = [_node(node, opset, folder) for node in source.node]
    graph.nodes = nodes
    return graph


def _port(value: Any) -> Port:
    """Return a ValueInfoProto as plain data."""
    tensor, name = value.type.tensor_type, as_text(value.name)
    if value.type.WhichOneof("value") not in (None, "tensor_type"):
        return Port(name, None, 0)
    if not tensor.HasField("shape"):
        return Port(name, None, tensor.elem_type)
    sizes = [size.dim_value if size.dim_value > 0 else None for size in tensor.shape.dim]
    return Port(name, sizes, tensor.elem_type)


def _node(node: Any, opset: int, folder: Path | None) -> Node:
    """Return a NodeProto as plain data."""
    operator, domain, name = (as_text(text) for text in (node.op_type, node.domain, node.name))
    inputs, outputs = ([as_text(text) for text in texts] for texts in (node.input, node.output))
    found = Node(operator, "" if domain == "ai.onnx" else domain, name, inputs, outputs, {}, opset)
    found.attributes = {as_text(one.name): _attribute(one, folder) for one in node.attribute}
    return found


def _attribute(one: Any, folder: Path | None) -> Any:
    """Return an AttributeProto's value; None for what no layer has, such as a graph."""
    kind = one.type or next((kind for kind, name in FIELDS.items() if _has(one, name)), 0)  # 0 in old files
    if kind == STRING:
        return one.s.decode(errors="replace")
    if kind == TENSOR:
        return array_of(one.t, folder)
    if kind in (FLOATS, INTS):
        return tuple(one.floats if kind == FLOATS else one.ints)
    return getattr(one, FIELDS[kind]) if kind in (FLOAT, INT) else None


def _has(one: Any, name: str) -> bool:
    """Whether a field of a message is there."""
    return any(field.name == name for field, _ in one.ListFields())


def ordered(graph: Graph, nodes: Iterable[Node]) -> list[Node]:
    """Return those nodes that the outputs need, each after those that it needs."""
    makers: dict[str, Node] = {}
    for node in nodes:
        for output in node.outputs:
            if output and output in makers:
                raise ValueError(f"Two nodes compute the value {output!r}: the file is damaged.")
            makers[output] = node
    known = {port.name for port in graph.inputs} | {*graph.constants}
    ordered: list[Node] = []
    state: dict[int, bool] = {}  # of each node that was begun, whether it is in the list
    for port in graph.outputs:
        if port.name not in makers and port.name not in known:
            raise ValueError(f"Nothing computes the output {port.name!r}: the file is damaged.")
        waiting = [makers[port.name]] if port.name in makers else []
        while waiting:
            node = waiting[-1]
            if state.get(id(node)):
                waiting.pop()
                continue
            missing = [name for name in node.inputs if name and name not in known]
            needed = [makers[name] for name in missing if name in makers]
            needed = [one for one in needed if not state.get(id(one))]
            if any(name not in makers for name in missing):
                node.refuse("one of its inputs is computed by nothing: the file is damaged")
            if needed and id(node) in state:
                node.refuse("it needs its own output: the file is damaged")
            state[id(node)] = not needed
            if needed:
                waiting += needed
            else:
                ordered.append(waiting.pop())
    return ordered
