"""Models as graphs of ONNX's operators."""

from __future__ import annotations

from typing import Any

from ...layers import Activation
from ...layers.channels import FORMATS
from ...layers.flow import Flow
from ...layers.geometry import OpenShape, stand_in
from ...layers.symbols import STAND_INS
from ..checks import check_built
from ..signature import inputs_of
from .building import Builder, Order, Value
from .operators import translate
from .writing import Graph, check_opset, onnx_bytes

OPSET = 17  # the default: the first that has layer normalization; of ONNX 1.12, in June 2022


def to_onnx(
    model: Any, opset: int | None = None, data_format: str | None = None, signature: Any = None
) -> bytes:
    """Return what computes a model's predictions, as the content of an .onnx file.

    Args:
        model: a built model, or any built graph of layers.
        opset: the version of ONNX's operators, at least 13; default None, for 17.
        data_format: where images have their channels as they go into the file's network and come out of it,
            "channels_last" or "channels_first"; default None, as in the model.
        signature: sizes and names of what the network takes; see `inputs_of`.

    Raises:
        ImportError: the package onnx is not installed.
        ValueError: the model is not built, or has a layer that ONNX's operators cannot do; or an argument is
            not what is said above.
    """
    check_built(model)
    opset = OPSET if opset is None else opset
    check_opset(opset)
    if data_format not in FORMATS:
        raise ValueError(
            f"export: data_format must be 'channels_last', 'channels_first' or None; got {data_format!r}."
        )
    given = inputs_of(model, signature)
    first, second = (model.flow([stand_in(one.shape, size) for one in given]) for size in STAND_INS)
    turned = data_format not in (None, own_format(first))
    builder, inputs, outputs = Builder(opset), [], []
    values: dict[int, Value] = {}
    for number, (name, samples, shape) in enumerate(given):
        order = order_outside(shape, data_format, turned)
        sizes = [f"dim_{number}_{axis}" if size is None else size for axis, size in enumerate(shape, 1)]
        values[number] = Value(builder.unique(name), shape, order)
        inputs.append((values[number].name, arranged([samples or "batch", *sizes], order)))
    makers = lay_out(builder, first, second, values, names_in(model, first))
    for number in first.outputs:
        y = values[number]
        order = order_outside(y.shape, data_format, turned)
        builder.layer = makers.get(number, y.name)
        builder.give(builder.name_of(y, order), builder.layer)
        outputs.append((builder.outputs[-1], arranged([given[0].samples or "batch", *y.shape], order)))
    return onnx_bytes(Graph(model.name or "model", opset, inputs, outputs, builder))


def lay_out(
    builder: Builder, first: Flow, second: Flow, values: dict[int, Value], names: dict[int, str]
) -> dict[int, str]:
    """Add what computes all values, and return the names of the layers that make them.

    Args:
        builder: what they are added to.
        first, second: the calls, for either stand-in for unknown sizes.
        values: the inputs, by their numbers; the others are written to it.
        names: of the layers, by their ids.
    """
    makers = {}
    for call in first.calls:
        makers[call.output] = builder.layer = names[id(call.layer)]
        builder.title, builder.shape = call.layer.title, opened(first, second, call.output)
        values[call.output] = translate(builder, call.layer, [values[number] for number in call.inputs])
    return makers


def opened(first: Flow, second: Flow, number: int) -> OpenShape:
    """Return a value's shape for one sample: None where it depends on what stands for unknown sizes."""
    shapes = first.shapes[number], second.shapes[number]
    return tuple(a if a == b else None for a, b in zip(*shapes, strict=True))


def names_in(model: Any, flow: Flow) -> dict[int, str]:
    """Return the paths of the layers that are called, by their ids."""
    names: dict[int, str] = {}
    for path, part in model.parts():
        names.setdefault(id(part), path or part.name or type(part).__name__.lower())
        if isinstance(part, Activation) and part.activation_layer is not None:
            names[id(part.activation_layer)] = names[id(part)]
    for twin, layer in flow.twins:
        names[id(twin)] = names[id(layer)]
    return names


def own_format(flow: Flow) -> str:
    """Return where a model's images have their channels."""
    first = any(getattr(layer, "channels_first", False) for layer in flow.layers)
    return "channels_first" if first else "channels_last"


def order_outside(shape: OpenShape, data_format: str | None, turned: bool) -> Order:
    """Return in which order an input or an output has its axes outside of the model."""
    if len(shape) != 3 or not turned:
        return tuple(range(len(shape) + 1))
    return (0, 3, 1, 2) if data_format == "channels_first" else (0, 2, 3, 1)


def arranged(sizes: list[Any], order: Order) -> list[Any]:
    """Return sizes in the order of an array's axes."""
    return [sizes[axis] for axis in order]
