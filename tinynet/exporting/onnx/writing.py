"""Graphs as the content of .onnx files, by the package onnx, which is imported only here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...version import __version__
from .building import Builder, Node

LOWEST = 13  # version of the operators: before, Softmax and others had another meaning
LARGEST = 2**31  # bytes of a file, which protocol buffers allow


@dataclass
class Graph:
    """What a file says.

    Args:
        name: of the model.
        opset: the version of the operators.
        inputs, outputs: names, and sizes: integers, names of sizes, or None.
        builder: the nodes and constants.
    """

    name: str
    opset: int
    inputs: list[tuple[str, list[int | str | None]]]
    outputs: list[tuple[str, list[int | str | None]]]
    builder: Builder


def package() -> Any:
    """Return the package onnx, or raise an ImportError that says how to install it."""
    try:
        import onnx
    except ImportError as error:
        raise ImportError("export: .onnx files need the package onnx: python -m pip install onnx") from error
    return onnx


def check_opset(opset: Any) -> None:
    """Raise if the operators of a version are not known."""
    onnx = package()
    newest = onnx.defs.onnx_opset_version()
    if not isinstance(opset, int) or not LOWEST <= opset <= newest:
        raise ValueError(
            f"export: opset_version must be {LOWEST} to {newest}, which the package onnx {onnx.__version__} "
            f"has; got {opset!r}."
        )


def onnx_bytes(graph: Graph) -> bytes:
    """Return the content of a file, which onnx's own checker has found to be valid."""
    onnx = package()
    nodes = needed(graph)
    used = {name for node in nodes for name in node.inputs}
    for node in nodes:
        check_node(onnx, node, graph.opset)
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    described = helper.make_graph(
        [helper.make_node(one.kind, one.inputs, [one.output], one.name, **one.attributes) for one in nodes],
        graph.name,
        *(
            [helper.make_tensor_value_info(name, kind, sizes) for name, sizes in ends]
            for ends in (graph.inputs, graph.outputs)
        ),
        [
            onnx.numpy_helper.from_array(value, name)
            for name, value in graph.builder.constants.items()
            if name in used
        ],
    )
    opsets = [helper.make_opsetid("", graph.opset)]
    model = helper.make_model(
        described,
        opset_imports=opsets,
        ir_version=helper.find_min_ir_version_for(opsets),
        producer_name="tinynet",
        producer_version=__version__,
    )
    if model.ByteSize() >= LARGEST:
        raise ValueError(f"export: the model takes {model.ByteSize():,} bytes; an .onnx file holds 2 GiB.")
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def needed(graph: Graph) -> list[Node]:
    """Return the nodes on which the outputs depend, in order."""
    wanted = {name for name, _ in graph.outputs}
    found = []
    for node in reversed(graph.builder.nodes):
        if node.output in wanted:
            wanted.update(node.inputs)
            found.append(node)
    return found[::-1]


def check_node(onnx: Any, node: Node, opset: int) -> None:
    """Raise if an operator is not there yet in a version."""
    try:
        onnx.defs.get_schema(node.kind, opset, "")
    except onnx.defs.SchemaError:
        since = min(
            schema.since_version
            for schema in onnx.defs.get_all_schemas_with_history()
            if schema.name == node.kind and schema.domain == ""
        )
        raise ValueError(
            f"export: {node.layer} needs the operator {node.kind}, which is there from opset_version {since} "
            f"on; got {opset}."
        ) from None
