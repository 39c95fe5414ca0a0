"""Attributes of what an HDF5 file holds."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from .content import Content, Cursor, damaged
from .headers import ATTRIBUTE, ATTRIBUTE_INFO, SHARED, Messages
from .trees import indexed
from .types import read_shape, read_text, read_type, read_values


def read_attributes(content: Content, messages: Messages) -> dict[str, Any]:
    """Return the attributes of a group or array by their names, without those of types that are not read.

    Args:
        content: the file.
        messages: of the header of the group or array.
    """
    cursors = [Cursor(message) for message in messages.get(ATTRIBUTE, [])]
    for heap, record in indexed(content, messages.get(ATTRIBUTE_INFO, []), 2):
        identifier = Cursor(record.take(8))
        if not record.number(1) & SHARED:
            cursors.append(heap.get(identifier))
    return dict(itertools.chain.from_iterable(_attribute(content, cursor) for cursor in cursors))


def _attribute(content: Content, cursor: Cursor) -> Iterator[tuple[str, Any]]:
    """Yield the name and value of an attribute, if it is of a type that is read."""
    content.step()
    version, flags = cursor.number(1), cursor.number(1)
    if version not in (1, 2, 3):
        raise damaged("an attribute is none that HDF5 has")
    sizes = [cursor.number(2) for _ in range(3)]
    cursor.skip(1 if version == 3 else 0)
    parts = []
    for size in sizes:
        parts.append(cursor.take(size))
        cursor.skip(-size % 8 if version == 1 else 0)
    name = read_text(content, parts[0])
    of = None if version > 1 and flags & 1 else read_type(Cursor(parts[1]))
    shape = read_shape(Cursor(parts[2]))
    if of is None:
        return
    value = read_values(content, cursor, of, (0,) if shape is None else shape)
    if shape == ():
        yield name, value.item() if isinstance(value, np.ndarray) else value[0]
    else:
        yield name, value
