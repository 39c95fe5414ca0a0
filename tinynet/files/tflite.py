"""TensorFlow Lite files: operators on arrays, as a flatbuffer that TensorFlow Lite's interpreters run.

The numbers are those of TensorFlow's public schema: https://github.com/google-ai-edge/LiteRT,
tflite/converter/schema/schema.fbs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

SCHEMA_VERSION = 3
TYPES = {"float32": 0, "float16": 1, "int32": 2, "int8": 9}  # of tensors
ALIGNMENT = 16  # of the numbers in the file, in bytes


# Of each option, the number of its field in the table of options, and the type.
Fields = Mapping[str, tuple[int, Callable[[Any], np.generic]]]


class Kind(NamedTuple):
    """What the schema says of a kind of operator.

    Args:
        code: its number among the builtin operators.
        options: the number of its table of options, 0 for none.
        fields: of that table.
    """

    code: int
    options: int = 0
    fields: Fields = MappingProxyType({})


_ACTIVATION: Fields = {"activation": (0, np.int8)}
_POOL: Fields = {
    "padding": (0, np.int8), "stride_w": (1, np.int32), "stride_h": (2, np.int32),
    "filter_width": (3, np.int32), "filter_height": (4, np.int32), "activation": (5, np.int8),
}  # fmt: skip
_CONV: Fields = {
    "padding": (0, np.int8), "stride_w": (1, np.int32), "stride_h": (2, np.int32),
    "activation": (3, np.int8), "dilation_w": (4, np.int32), "dilation_h": (5, np.int32),
}  # fmt: skip
_DEPTHWISE: Fields = {
    "padding": (0, np.int8), "stride_w": (1, np.int32), "stride_h": (2, np.int32),
    "depth_multiplier": (3, np.int32), "activation": (4, np.int8),
    "dilation_w": (5, np.int32), "dilation_h": (6, np.int32),
}  # fmt: skip
_DENSE: Fields = {
    "activation": (0, np.int8),
    "keep_num_dims": (2, np.bool_),
    "asymmetric_inputs": (3, np.bool_),
}
_REDUCE: Fields = {"keep_dims": (0, np.bool_)}

KINDS = {
    "ABS": Kind(101, 78),
    "ADD": Kind(0, 11, _ACTIVATION),
    "AVERAGE_POOL_2D": Kind(1, 5, _POOL),
    "CONCATENATION": Kind(2, 10, {"axis": (0, np.int32), "activation": (1, np.int8)}),
    "CONV_2D": Kind(3, 1, _CONV),
    "DEPTHWISE_CONV_2D": Kind(4, 2, _DEPTHWISE),
    "DEQUANTIZE": Kind(6, 38),
    "DIV": Kind(42, 29, _ACTIVATION),
    "ELU": Kind(111),
    "EXP": Kind(47, 33),
    "FULLY_CONNECTED": Kind(9, 8, _DENSE),
    "GELU": Kind(150, 116, {"approximate": (0, np.bool_)}),
    "HARD_SWISH": Kind(117, 91),
    "LEAKY_RELU": Kind(98, 75, {"alpha": (0, np.float32)}),
    "LOG": Kind(73),
    "LOGISTIC": Kind(14),
    "LOG_SOFTMAX": Kind(50, 36),
    "MAXIMUM": Kind(55, 39),
    "MAX_POOL_2D": Kind(17, 5, _POOL),
    "MEAN": Kind(40, 27, _REDUCE),
    "MINIMUM": Kind(57, 39),
    "MUL": Kind(18, 21, _ACTIVATION),
    "NEG": Kind(59, 42),
    "PAD": Kind(34, 22),
    "PRELU": Kind(54),
    "REDUCE_MAX": Kind(82, 27, _REDUCE),
    "RELU": Kind(19),
    "RELU6": Kind(21),
    "RESHAPE": Kind(22),  # its options repeat its second input
    "RESIZE_BILINEAR": Kind(23, 15, {"half_pixel_centers": (3, np.bool_)}),
    "RESIZE_NEAREST_NEIGHBOR": Kind(97, 74, {"half_pixel_centers": (1, np.bool_)}),
    "RSQRT": Kind(76),
    "SLICE": Kind(65, 48),
    "SOFTMAX": Kind(25, 9, {"beta": (0, np.float32)}),
    "SUB": Kind(41, 28, _ACTIVATION),
    "TANH": Kind(28),
    "TRANSPOSE": Kind(39, 26),
}
PADDINGS = {"same": 0, "valid": 1}
ACTIVATIONS = {"none": 0, "RELU": 1, "RELU6": 3}  # that operators can have


@dataclass(eq=False)
class Tensor:
    """An array that operators take or give.

    Args:
        name: for people.
        shape: its shape; the first axis of what is computed for each batch is the batch's, and of size 1.
        value: the array, if it is constant.
        of_batch: whether it is computed for each batch; default True, which means nothing of a constant.
        scales: (shape[0],) of a constant of int8, what the numbers at each place of the first axis are to be
            multiplied by; None (default) where they are what they are.
    """

    name: str
    shape: tuple[int, ...]
    value: Array | None = None
    scales: Array | None = None
    of_batch: bool = True


@dataclass(eq=False)
class Operator:
    """An operator at work.

    Args:
        kind: one of `KINDS`.
        inputs: what it takes; None where it has an optional input that it is not given.
        output: what it gives.
        options: by the names in `KINDS`.
        version: the lowest version of this kind of operator that does this; default 1.
    """

    kind: str
    inputs: list[Tensor | None]
    output: Tensor
    options: dict[str, Any] = field(default_factory=dict)
    version: int = 1


@dataclass(eq=False)
class Network:
    """Operators, in an order in which each finds its inputs.

    Args:
        inputs, outputs: what is given and asked for, by names.
        operators: in order.
    """

    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]
    operators: list[Operator]


def tflite_bytes(network: Network) -> bytes:
    """Return the content of a .tflite file.

    Args:
        network: what the file is to compute.

    Raises:
        ImportError: the package flatbuffers is not installed.
    """
    import flatbuffers  # on first use: few need it

    model = _model(network)
    size = sum(len(buffer.get(0, b"")) for buffer in model[4])
    builder = flatbuffers.Builder(size + 4096)
    builder.Finish(_write(builder, model), file_identifier=b"TFL3")
    return bytes(builder.Output())


# A table is a dict: the numbers of its fields, and what is there, a NumPy scalar, an array, a text, another
# table, or a list of tables.
Table = dict[int, Any]


def _model(network: Network) -> Table:
    """Return the table of the whole file."""
    tensors = [*network.inputs.values()]
    for operator in network.operators:
        tensors += [*(one for one in operator.inputs if one is not None), operator.output]
    tensors = [*dict.fromkeys(tensors)]
    places = {tensor: place for place, tensor in enumerate(tensors)}
    buffers: dict[bytes, int] = {b"": 0}  # equal constants are there once
    described = [_tensor(tensor, buffers) for tensor in tensors]
    codes: dict[tuple[int, int], int] = {}
    operators = [_operator(operator, places, codes) for operator in network.operators]
    given, asked = (
        np.array([places[tensor] for tensor in some.values()], np.int32)
        for some in (network.inputs, network.outputs)
    )
    signature = {
        0: [{0: name, 1: np.uint32(places[tensor])} for name, tensor in network.inputs.items()],
        1: [{0: name, 1: np.uint32(places[tensor])} for name, tensor in network.outputs.items()],
        2: "serving_default",
        4: np.uint32(0),
    }
    return {
        0: np.uint32(SCHEMA_VERSION),
        1: [{0: np.int8(min(code, 127)), 2: np.int32(version), 3: np.int32(code)} for code, version in codes],
        2: [{0: described, 1: given, 2: asked, 3: operators, 4: "main"}],
        3: "tinynet",
        4: [{0: data} if data else {} for data in buffers],
        7: [signature],
    }


def _tensor(tensor: Tensor, buffers: dict[bytes, int]) -> Table:
    """Return the table of a tensor, and note the numbers that it holds."""
    shape = np.array(tensor.shape, np.int32)
    if tensor.value is None:
        signature = np.array([-1, *tensor.shape[1:]] if tensor.of_batch else tensor.shape, np.int32)
        return {0: shape, 1: np.int8(0), 2: np.uint32(0), 3: tensor.name, 7: signature, 8: np.bool_(True)}
    value = tensor.value
    data = np.ascontiguousarray(value, value.dtype.newbyteorder("<")).tobytes()
    table: Table = {
        0: shape,
        1: np.int8(TYPES[value.dtype.name]),
        2: np.uint32(buffers.setdefault(data, len(buffers))),
        3: tensor.name,
        8: np.bool_(True),
    }
    if tensor.scales is not None:
        scales = np.asarray(tensor.scales, np.float32)
        table[4] = {2: scales, 3: np.zeros(len(scales), np.int64), 6: np.int32(0)}
    return table


def _operator(operator: Operator, places: dict[Tensor, int], codes: dict[tuple[int, int], int]) -> Table:
    """Return the table of an operator, and note its code and version."""
    kind = KINDS[operator.kind]
    inputs = [-1 if tensor is None else places[tensor] for tensor in operator.inputs]
    table: Table = {
        0: np.uint32(codes.setdefault((kind.code, operator.version), len(codes))),
        1: np.array(inputs, np.int32),
        2: np.array([places[operator.output]], np.int32),
    }
    if kind.options:
        numbers = [(*kind.fields[name], value) for name, value in operator.options.items()]
        table[3] = np.uint8(kind.options)
        table[4] = {number: of_type(value) for number, of_type, value in numbers}
    return table


def _write(builder: Any, value: Any) -> int:
    """Write a text, an array, bytes, a table or a list of tables, and return where it is."""
    if isinstance(value, str):
        return int(builder.CreateString(value))
    if isinstance(value, bytes):
        return _vector(builder, value, len(value), 1, ALIGNMENT)
    if isinstance(value, np.ndarray):
        data = value.astype(value.dtype.newbyteorder("<")).tobytes()
        return _vector(builder, data, len(value), value.itemsize, value.itemsize)
    if isinstance(value, list):
        return _tables(builder, value)
    # What a table refers to lies outside of it, and has to be written before it.
    held = {
        number: one if isinstance(one, np.generic) else _write(builder, one) for number, one in value.items()
    }
    builder.StartObject(max(value, default=-1) + 1)
    for number, one in held.items():
        if isinstance(one, np.generic):
            getattr(builder, f"Prepend{one.dtype.name.title()}Slot")(number, one.item(), None)
        else:
            builder.PrependUOffsetTRelativeSlot(number, one, 0)
    return int(builder.EndObject())


def _vector(builder: Any, data: bytes, count: int, itemsize: int, alignment: int) -> int:
    """Write numbers side by side, and return where they are."""
    builder.StartVector(itemsize, count, alignment)
    builder.head -= len(data)
    builder.Bytes[builder.head : builder.head + len(data)] = data
    return int(builder.EndVector())


def _tables(builder: Any, tables: Sequence[Table]) -> int:
    """Write tables and a vector of where they are, and return where that is."""
    offsets = [_write(builder, table) for table in tables]
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())
