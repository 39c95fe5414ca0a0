"""ONNX's tensors as arrays, from the file itself or from another one in the same folder."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Of TensorProto.DataType the type in raw data, and the field for numbers, if they are not in raw data.
TYPES: dict[int, tuple[str, str]] = {
    1: ("<f4", "float_data"),
    2: ("<u1", "int32_data"),
    3: ("<i1", "int32_data"),
    4: ("<u2", "int32_data"),
    5: ("<i2", "int32_data"),
    6: ("<i4", "int32_data"),
    7: ("<i8", "int64_data"),
    9: ("?", "int32_data"),
    10: ("<f2", "int32_data"),
    11: ("<f8", "double_data"),
    12: ("<u4", "uint64_data"),
    13: ("<u8", "uint64_data"),
    16: ("<u2", "int32_data"),  # bfloat16: the upper half of a float32
}
BFLOAT16, STRING = 16, 8
EXTERNAL = 1


def as_text(value: str | bytes) -> str:
    """Return a text of a message; protobuf gives those that are no UTF-8 as bytes."""
    return value if isinstance(value, str) else value.decode(errors="backslashreplace")


def array_of(tensor: Any, folder: Path | None) -> Array:
    """Return a TensorProto as an array.

    Args:
        tensor: the message.
        folder: where files lie that hold the numbers of tensors; None where there is none.

    Returns:
        An array of the tensor's shape; bfloat16 as float32.

    Raises:
        ValueError: the type is none that layers have, the numbers are not as many as the shape says, or they
            are in a file that is not there, too short, or not in the folder.
    """
    title, shape = f"tensor {as_text(tensor.name)!r}", tuple(tensor.dims)
    if tensor.data_type not in TYPES:
        what = "of texts" if tensor.data_type == STRING else f"of type {tensor.data_type}"
        raise ValueError(f"The {title} is {what}, which no layer here can use.")
    if any(size < 0 for size in shape) or len(shape) > 16:
        raise ValueError(f"The {title} has the shape {shape[:20]}, which is none.")
    dtype, field = TYPES[tensor.data_type]
    count = math.prod(shape)
    if tensor.data_location == EXTERNAL:
        raw = _external(title, tensor, folder, count * np.dtype(dtype).itemsize)
        numbers: Array = np.frombuffer(raw, dtype)
    elif tensor.HasField("raw_data"):
        if len(tensor.raw_data) != count * np.dtype(dtype).itemsize:
            raise ValueError(f"The {title} {shape} holds {len(tensor.raw_data)} bytes: the file is damaged.")
        numbers = np.frombuffer(tensor.raw_data, dtype)
    else:
        numbers = _typed(getattr(tensor, field), dtype)
        if len(numbers) != count:
            raise ValueError(f"The {title} {shape} holds {len(numbers)} numbers: the file is damaged.")
    if tensor.data_type == BFLOAT16:
        numbers = (numbers.astype(np.uint32) << 16).view(np.float32)
    return numbers.reshape(shape)


def _typed(numbers: Any, dtype: str) -> Array:
    """Return numbers of a field as an array; of 16-bit floats, the field holds the bits."""
    if dtype == "<f2":
        return np.array(numbers, np.int64).astype(np.uint16).view(np.float16)
    found = np.array(numbers, None if len(numbers) else dtype)
    return found.astype(dtype)


def _external(title: str, tensor: Any, folder: Path | None, size: int) -> bytes:
    """Return the bytes of a tensor that another file holds."""
    said = {as_text(entry.key): as_text(entry.value) for entry in tensor.external_data}
    location = said.get("location", "")
    if folder is None:
        raise ValueError(
            f"The {title} is in another file, {location!r}: read the model from its folder, by its path."
        )
    try:
        offset, length = int(said.get("offset", "0")), int(said.get("length", str(size)))
        inside = folder.resolve(strict=True)
        path = (inside / location).resolve(strict=True)
        if Path(location).is_absolute() or not path.is_relative_to(inside) or not path.is_file():
            raise ValueError("it is no file in the model's folder")
        held = path.stat().st_size
        if offset < 0 or length != size or offset + size > held:
            raise ValueError(f"it has {held} bytes, and {size} were to be read at {offset}")
        with path.open("rb") as file:
            file.seek(offset)
            found: bytes = file.read(size)
    except (OSError, ValueError) as error:
        raise ValueError(f"The {title} is in another file, {location!r}: {error}.") from error
    if len(found) != size:
        raise ValueError(f"The {title} is in another file, {location!r}, which is too short.")
    return found
