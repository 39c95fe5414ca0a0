"""Layer normalization as programs write it out, before ONNX had an operator for it, as one node again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .graph import Node
from .tensors import Array


def joined(nodes: Sequence[Node], constants: Mapping[str, Array], outputs: Sequence[str]) -> list[Node]:
    """Return nodes with one LayerNormalization in the place of each mean, difference, square, and so on.

    Args:
        nodes: of a graph; those that nobody needs any more stay among them.
        constants: arrays by name.
        outputs: what the graph gives.
    """
    if not any(node.operator == "Sqrt" for node in nodes):
        return [*nodes]
    known = dict(constants)
    known |= {node.outputs[0]: node.attributes["value"] for node in nodes if _is_constant(node)}
    graph = _Graph(nodes, known, outputs)
    return [graph.normalization(node) or node for node in nodes]


def _is_constant(node: Node) -> bool:
    return node.operator == "Constant" and isinstance(node.attributes.get("value"), np.ndarray)


class _Graph:
    """Nodes by what they give."""

    def __init__(self, nodes: Sequence[Node], known: Mapping[str, Array], outputs: Sequence[str]) -> None:
        self.known = known
        self.makers = {output: node for node in nodes for output in node.outputs}
        self.uses = Counter(name for node in nodes for name in node.inputs)
        self.uses.update(outputs)

    def maker(self, name: str, *operators: str) -> Any:
        """Return the node of one of these operators that gives a value, or None."""
        node = self.makers.get(name)
        return node if node is not None and node.operator in operators and node.domain == "" else None

    def with_constant(self, node: Any) -> tuple[str, Array] | None:
        """Return the value and the constant that a node takes, in either order."""
        if node is None or len(node.inputs) != 2:
            return None
        for name, other in (node.inputs, node.inputs[::-1]):
            if other in self.known and name not in self.known:
                return name, self.known[other]
        return None

    def mean_of(self, name: str) -> str | None:
        """Return the value of which another one is the mean over the last axis."""
        node = self.maker(name, "ReduceMean")
        if node is None or not node.inputs:
            return None
        axes = node.attributes.get("axes")
        if len(node.inputs) > 1 and node.inputs[1] in self.known:
            axes = tuple(self.known[node.inputs[1]].reshape(-1).tolist())
        return node.inputs[0] if axes == (-1,) and node.attributes.get("keepdims", 1) == 1 else None

    def difference(self, name: str) -> tuple[str, str] | None:
        """Return the two values of which another one is the difference."""
        node = self.maker(name, "Sub")
        return (node.inputs[0], node.inputs[1]) if node is not None and len(node.inputs) == 2 else None

    def normalized(self, name: str) -> tuple[str, float] | None:
        """Return x and epsilon, if a value is (x - mean) / √(variance + epsilon)."""
        divided = self.maker(name, "Div")
        if divided is None or len(divided.inputs) != 2:
            return None
        difference = self.difference(divided.inputs[0])
        root = self.maker(divided.inputs[1], "Sqrt")
        added = None if root is None else self.with_constant(self.maker(root.inputs[0], "Add"))
        if difference is None or self.mean_of(difference[1]) != difference[0] or added is None:
            return None
        variance, epsilon = added
        square = self.maker(self.mean_of(variance) or "", "Pow", "Mul")
        if square is None or epsilon.size != 1 or self.difference(square.inputs[0]) != difference:
            return None
        if square.operator == "Mul":
            return (difference[0], float(epsilon.item())) if square.inputs[0] == square.inputs[1] else None
        power = self.with_constant(square)
        twice = power is not None and power[1].size == 1 and power[1].item() == 2
        return (difference[0], float(epsilon.item())) if twice else None

    def normalization(self, node: Node) -> Node | None:
        """Return the LayerNormalization that gives what a node does, or None."""
        found = self.normalized(node.outputs[0]) if node.operator == "Div" and node.outputs else None
        if found is not None:
            return _made(node, found)
        if node.operator not in ("Add", "Mul"):
            return None
        added = self.with_constant(node) if node.operator == "Add" else (node.outputs[0], np.empty(0))
        scaled = None if added is None else self.with_constant(self.maker(added[0], "Mul"))
        found = None if scaled is None else self.normalized(scaled[0])
        if added is None or scaled is None or found is None:
            return None
        if node.operator == "Add" and self.uses[added[0]] != 1:
            return None
        shifts = [name for name in node.inputs if name in self.known] if node.operator == "Add" else []
        inner = node if node.operator == "Mul" else self.maker(added[0], "Mul")
        return _made(node, found, [*(name for name in inner.inputs if name in self.known), *shifts])


def _made(node: Node, found: tuple[str, float], weights: Sequence[str] = ()) -> Node:
    """Return a LayerNormalization of a value."""
    attributes = {"axis": -1, "epsilon": found[1]}
    name = node.name.rsplit("/", 1)[0] if "/" in node.name else ""
    return Node("LayerNormalization", "", name, [found[0], *weights], node.outputs, attributes, node.opset)
