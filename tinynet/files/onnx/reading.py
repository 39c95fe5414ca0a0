"""From an ONNX file to a model as plain data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..description import Description
from .describing import described
from .graph import Graph, Node, Port, graph_of, ordered
from .network import SECOND_STAND_IN, STAND_IN, Network
from .operators import LABEL, note_of_labels, translated
from .patterns import joined
from .tensors import Array
from .tidying import tidy
from .values import Shape, Value

DOUBLE = 11
NUMBERS = (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 16)


def read_onnx(data: bytes, folder: Path | None = None) -> Description:
    """Read an ONNX file: a model of any program that is made of what layers here can do.

    The layers compute with their channels last; what the file transposes for it is left out, and the model
    takes and gives arrays of the file's shapes, batches of any size. Nothing of the file is run.

    Args:
        data: the file's content.
        folder: where the file lies, for weights in other files there; default: those are refused.

    Returns:
        The model's configuration and weights.

    Raises:
        ImportError: the package onnx is not installed.
        ValueError: the file is damaged, or an operator in it is none that layers here can do.
    """
    graph = _graph(data, folder)
    error: ValueError | None = None
    for batched in (True, False):
        inputs = [_input(port, batched) for port in graph.inputs]
        if any(one is None for one in inputs):
            continue
        try:
            return _read(graph, [one for one in inputs if one is not None], len(data))
        except ValueError as found:
            error = error or found
    if error is not None:
        raise error
    raise ValueError(
        "The ONNX file says no shapes of its inputs, or has no inputs: no model can be made of it."
    )


def _graph(data: bytes, folder: Path | None) -> Graph:
    """Return the graph in a file's content."""
    try:
        from google.protobuf.message import DecodeError
        from onnx import ModelProto
    except ImportError as error:
        raise ImportError(
            "To read .onnx files, install the package onnx: python -m pip install onnx"
        ) from error
    try:
        model = ModelProto.FromString(data)
    except DecodeError as error:
        raise ValueError(
            f"This is no whole ONNX file ({error}): it is truncated, damaged or of another kind."
        ) from error
    if not model.HasField("graph") or not model.graph.output:
        raise ValueError("This is no ONNX file of a model: it holds no graph with outputs.")
    try:
        graph = graph_of(model, folder)
        nodes = joined(graph.nodes, graph.constants, [port.name for port in graph.outputs])
        graph.nodes = ordered(graph, nodes)
        return graph
    except UnicodeDecodeError as error:
        raise ValueError(f"The ONNX file is damaged: a name in it is no text ({error}).") from error


class _Input:
    """An input of the graph.

    Args:
        port: its name and type.
        shape: of a sample, with a stand-in for each size that is not known.
        open_shape: the same, with None for these.
        batch: how many samples the file was made for, None for any number.
        batched: whether the samples are its first axis.
    """

    def __init__(self, port: Port, batched: bool) -> None:
        sizes = port.sizes or []
        self.port, self.batched = port, batched
        self.open_shape = sizes[1:] if batched else sizes
        self.batch = sizes[0] if batched else 1
        self.shape = self.shape_with(STAND_IN)

    def shape_with(self, stand_in: int) -> Shape:
        """Return the shape of a sample, with this for each size that is not known."""
        return tuple(stand_in if size is None else size for size in self.open_shape)


def _input(port: Port, batched: bool) -> _Input | None:
    """Return an input whose first axis is the samples, or which is a sample itself; None if it cannot be."""
    if port.sizes is None or port.type not in NUMBERS or not port.sizes or len(port.sizes) > 8:
        return None
    if batched and len(port.sizes) == 1:
        return None
    if not batched and (None in port.sizes or (len(port.sizes) > 3 and port.sizes[0] != 1)):
        return None
    found = _Input(port, batched)
    return found if math.prod(found.shape) < 2**26 else None


def _translated(
    graph: Graph, inputs: Sequence[_Input], size: int, stand_in: int
) -> tuple[Network, dict[str, Any]]:
    """Return a graph's layers, and all its values by name."""
    batches = {one.batch for one in inputs if one.batch is not None}
    held = sum(array.size for array in graph.constants.values())
    shapes = [one.shape_with(stand_in) for one in inputs]
    batch = batches.pop() if len(batches) == 1 else None
    is_open = any(None in one.open_shape for one in inputs)
    network = Network(shapes, batch, 4 * held + size + 2**16, is_open, stand_in)
    values: dict[str, Any] = dict(graph.constants)
    for number, one in enumerate(inputs):
        values[one.port.name] = Value.of(number, shapes[number], batched=one.batched)
    for node in graph.nodes:
        translated(network, node, values)
    return network, values


def _read(graph: Graph, inputs: Sequence[_Input], size: int) -> Description:
    """Return the description of a graph's model."""
    if not inputs:
        raise ValueError("The ONNX graph has no inputs, so that it is no model.")
    network, values = _translated(graph, inputs, size, STAND_IN)
    if network.is_open and network.resized:
        second, _ = _translated(graph, inputs, size, SECOND_STAND_IN)
        if second.resized != network.resized:
            raise ValueError(
                "The ONNX graph resizes images of any size to sizes that follow from theirs, and are no "
                "multiples of them: export it for images of one size."
            )
    labels = [port.name for port in graph.outputs if values[port.name] is LABEL]
    if len(labels) == len(graph.outputs):
        raise ValueError(
            f"The ONNX graph gives labels alone, {', '.join(map(repr, labels))}, which no layer gives: take "
            "ArgMax off its end, and np.argmax of what the model predicts."
        )
    given = [port for port in graph.outputs if port.name not in labels]
    outputs = [_output(network, port, values[port.name]) for port in given]
    outputs = tidy(network, outputs)
    dtype = "float64" if all(one.port.type == DOUBLE for one in inputs) else "float32"
    names = [(one.port.name, one.open_shape) for one in inputs]
    description = described(graph, network, names, outputs, dtype)
    if labels:
        description.notes.append(note_of_labels(labels))
    return description


def _output(network: Network, port: Port, value: Value | Array) -> int:
    """Return the number of an output, whose axes lie as ONNX sees them."""
    if not isinstance(value, Value):
        raise ValueError(f"The output {port.name!r} is a constant, or none that layers here give.")
    node = Node("Output", "", "", [], [port.name], {})
    groups = value.groups
    if value.batched and not groups[0]:
        groups = groups[1:]
    number = network.laid_out(node, value, groups or [[]]).number
    if number < len(network.inputs):  # a graph that does nothing
        config = {"class": "Activation", "activation": "linear"}
        number = network.call(node, config, number, network.shape_of(number))
    return number
