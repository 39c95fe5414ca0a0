"""What the numbers and texts in an HDF5 file are, their shapes, and what stands in attributes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .content import NOWHERE, Content, Cursor, damaged

Array = NDArray[Any]

MAX_RANK = 32
# Of floats by their size: where the exponent begins, its length, the mantissa's length, and the bias.
FLOATS = {2: (10, 5, 10, 15), 4: (23, 8, 23, 127), 8: (52, 11, 52, 1023)}


@dataclass(frozen=True)
class Type:
    """What an element is.

    Args:
        size: of an element, in bytes.
        kind: "number", "bool", "text" of a fixed length, "texts" of any length, or "bytes".
        dtype: of numbers, as they lie in the file; of a bool, its numbers'; None (default) for others.
    """

    size: int
    kind: str
    dtype: np.dtype[Any] | None = None


def read_type(cursor: Cursor) -> Type | None:
    """Read a datatype message; of a type that has no counterpart here, such as a reference, return None."""
    version_and_class = cursor.number(1)
    bits = cursor.number(3)
    size = cursor.number(4)
    order = ">" if bits & 1 else "<"
    version, of_class = version_and_class >> 4, version_and_class & 15
    if not 1 <= version <= 5 or not size:
        raise damaged("a type of numbers is none that HDF5 has")
    if of_class == 0:
        signed = "i" if bits & 8 else "u"
        offset, precision = cursor.number(2), cursor.number(2)
        if size not in (1, 2, 4, 8) or (offset, precision) != (0, 8 * size):
            return None
        return Type(size, "number", np.dtype(f"{order}{signed}{size}"))
    if of_class == 1:
        cursor.skip(4)
        found = tuple(cursor.number(1) for _ in range(4))  # exponent: place, length; mantissa: place, length
        start, length, mantissa, bias = FLOATS.get(size, (0, 0, 0, 0))
        if bits & 64 or found != (start, length, 0, mantissa) or cursor.number(4) != bias:
            return None
        return Type(size, "number", np.dtype(f"{order}f{size}"))
    if of_class == 3:
        return Type(size, "text")
    if of_class == 5:
        return Type(size, "bytes")
    if of_class == 8:
        return _enumeration(cursor, version, bits & 0xFFFF)
    if of_class == 9 and bits & 15 == 1 and size == 16:
        return Type(size, "texts")
    return None


def _enumeration(cursor: Cursor, version: int, count: int) -> Type | None:
    """Read the rest of an enumeration: booleans are one with the members FALSE and TRUE."""
    base = read_type(cursor)
    if base is None or base.kind != "number":
        return None
    names = []
    for _ in range(min(count, 3)):
        name = bytearray()
        while byte := cursor.number(1):
            name.append(byte)
        if version < 3:
            cursor.skip(-(len(name) + 1) % 8)
        names.append(bytes(name))
    is_bool = names == [b"FALSE", b"TRUE"] and base.size == 1
    return Type(base.size, "bool" if is_bool else "number", base.dtype)


def read_shape(cursor: Cursor) -> tuple[int, ...] | None:
    """Read a dataspace message; return None for that of nothing at all."""
    version, rank = cursor.number(1), cursor.number(1)
    if version not in (1, 2) or rank > MAX_RANK:
        raise damaged("a shape is none that HDF5 has")
    cursor.skip(1)
    if version == 1:
        cursor.skip(5)
    elif cursor.number(1) == 2:
        return None
    return tuple(cursor.number(8) for _ in range(rank))


def read_values(content: Content, cursor: Cursor, of: Type, shape: tuple[int, ...]) -> Array | list[str]:
    """Return the elements that come next, of numbers as an array that lies in the file's own bytes.

    Args:
        content: the file.
        cursor: what is before the elements.
        of: their type.
        shape: theirs.

    Returns:
        Texts as a list, whatever their shape; anything else as an array of this shape.
    """
    count = math.prod(shape)
    view = cursor.take(count * of.size)
    if of.kind in ("text", "texts"):
        content.step(count)
        parts = [view[place : place + of.size] for place in range(0, len(view), of.size)]
        return [read_text(content, part if of.kind == "text" else _text(content, part)) for part in parts]
    return as_array(view, of, shape)


def as_array(view: memoryview, of: Type, shape: tuple[int, ...]) -> Array:
    """Return bytes as an array, which cannot be written to, of a type and shape that need as many."""
    try:
        dtype = of.dtype or np.dtype(f"V{of.size}")
        array = np.frombuffer(view, dtype).reshape(shape) if len(view) else np.zeros(shape, dtype)
    except (ValueError, OverflowError) as error:
        raise damaged(f"an array of shape {shape} cannot be") from error
    if of.kind == "bool":
        array = np.asarray(array != 0)
    elif not dtype.isnative:
        array = array.astype(dtype.newbyteorder("="))
    array.flags.writeable = False
    return array


def read_text(content: Content, view: memoryview) -> str:
    """Return a text, which may be followed by a zero and other things."""
    content.spend(len(view) + 64)
    return bytes(view).split(b"\0", 1)[0].decode("utf-8", "replace")


def _text(content: Content, part: memoryview) -> memoryview:
    """Return a text of any length: in its place is said where it lies, in one of the global heaps."""
    cursor = Cursor(part)
    length, address, number = cursor.number(4), cursor.number(8), cursor.number(4)
    if not length or address in (0, NOWHERE):
        return part[:0]
    texts = content.once(_global_heap, address, address)
    if number not in texts:
        raise damaged("a text is missing")
    return Cursor(texts[number]).take(length)


def _global_heap(content: Content, address: int) -> dict[int, memoryview]:
    """Return the objects of a global heap by their numbers."""
    start = content.cursor(address, 16)
    start.expect(b"GCOL")
    start.skip(4)
    size = start.number(8)
    cursor = content.cursor(address, size)
    cursor.skip(16)
    objects = {}
    while cursor.left >= 16:
        content.step()
        number = cursor.number(2)
        cursor.skip(6)
        size = cursor.number(8)
        if not number:  # what is left is free
            break
        objects[number] = cursor.take(size)
        cursor.skip(-size % 8)
    return objects
