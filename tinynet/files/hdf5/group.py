"""Groups of HDF5 files, and the file as the first of them.

The format: https://docs.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html (HDF5 File Format Specification,
version 3.0).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from .attributes import read_attributes
from .content import Content, Cursor, damaged
from .datasets import read_dataset
from .headers import (
    DATASPACE,
    DATATYPE,
    LAYOUT,
    LINK,
    LINK_INFO,
    SYMBOL_TABLE,
    Messages,
    read_messages,
)
from .trees import indexed, leaves
from .types import read_text

Array = NDArray[Any]

SIGNATURE = b"\x89HDF\r\n\x1a\n"


def read_hdf5(data: bytes) -> Group:
    """Open an HDF5 file.

    Nothing of the file's content makes this, or what is read from the group later, use more memory than a
    small multiple of the file's size, or follow references without end.

    Args:
        data: the content of the file.

    Returns:
        The group that holds everything.

    Raises:
        ValueError: the file is no HDF5 file, is damaged, or uses what no Keras model does; this also comes
            when groups, arrays and attributes are read from what is returned.

    Example:
        >>> read_hdf5(b"text")
        Traceback (most recent call last):
            ...
        ValueError: This is no HDF5 file: it does not begin as one.
    """
    start = 0  # something else may come before, up to a power of 2
    while data[start : start + 8] != SIGNATURE:
        start = max(512, 2 * start)
        if start >= len(data):
            raise ValueError("This is no HDF5 file: it does not begin as one.")
    content = Content(memoryview(data)[start:])
    cursor = content.cursor(8)
    version = cursor.number(1)
    is_old = version < 2
    cursor.skip(4 if is_old else 0)
    sizes = cursor.number(1), cursor.number(1)
    if version > 3 or sizes != (8, 8):
        raise damaged(f"version {version} with numbers of {sizes} bytes is not read")
    cursor.skip((13 if version else 9) if is_old else 1)
    cursor.skip(16)  # where addresses count from; free space, or an extension
    end = cursor.number(8)
    if end > len(data):
        raise damaged(f"it ends after {len(data)} of {end} bytes")
    cursor.skip(16 if is_old else 0)
    return Group(content, cursor.number(8))


class Group:
    """A group of an HDF5 file: other groups, and arrays, by names.

    Arrays cannot be written to: they lie in the file's own bytes. Iteration gives the names, in the file's
    order.

    Args:
        content: the file.
        address: of the group's header.
    """

    def __init__(self, content: Content, address: int) -> None:
        self._content = content
        self._address = address

    @property
    def attributes(self) -> dict[str, Any]:
        """What is said about the group: numbers, arrays, texts, and lists of texts."""
        return self._content.once(read_attributes, self._address, self._messages)

    @property
    def _messages(self) -> Messages:
        return self._content.once(_messages, self._address, self._address)

    @property
    def _addresses(self) -> dict[str, int]:
        """Where what the group holds lies, by names."""
        return self._content.once(_links, self._address, self._messages)

    def __iter__(self) -> Iterator[str]:
        return iter(self._addresses)

    def __len__(self) -> int:
        return len(self._addresses)

    def __contains__(self, path: object) -> bool:
        """Tell whether a name, or a path of names, joined by /, is there."""
        first, _, rest = str(path).strip("/").partition("/")
        if first not in self._addresses:
            return False
        if not rest:
            return True
        held = self[first]
        return isinstance(held, Group) and rest in held

    def __getitem__(self, path: str) -> Group | Array:
        """Return the group or array of a name, or of a path of names, joined by /."""
        first, _, rest = path.strip("/").partition("/")
        if first not in self._addresses:
            raise damaged(f"there is no {first!r} among {[*self][:10]}")
        self._content.step()
        held = _open(self._content, self._addresses[first])
        if not rest:
            return held
        if not isinstance(held, Group):
            raise damaged(f"{first!r} is an array, and not a group that holds {rest!r}")
        return held[rest]


def _open(content: Content, address: int) -> Group | Array:
    """Return the group or array whose header lies at an address."""
    messages = content.once(_messages, address, address)
    if SYMBOL_TABLE in messages or LINK_INFO in messages:
        return Group(content, address)
    if all(kind in messages for kind in (DATASPACE, DATATYPE, LAYOUT)):
        return content.once(read_dataset, address, messages)
    raise damaged("something is neither a group nor an array")


def _messages(content: Content, address: int) -> Messages:
    """Return the messages of the header at an address."""
    content.spend(1024)  # about what they take
    return read_messages(content, address)


def _links(content: Content, messages: Messages) -> dict[str, int]:
    """Return where what a group holds lies, without links to other places and files."""
    if SYMBOL_TABLE in messages:
        return dict(_old_links(content, Cursor(messages[SYMBOL_TABLE][0])))
    cursors = [Cursor(message) for message in messages.get(LINK, [])]
    for heap, record in indexed(content, messages.get(LINK_INFO, []), 8):
        record.skip(4)  # the name's hash
        cursors.append(heap.get(record))
    links = [link for cursor in cursors if (link := _link(content, cursor))]
    return {name: address for _, name, address in sorted(links)}


def _old_links(content: Content, cursor: Cursor) -> Iterator[tuple[str, int]]:
    """Yield the names and addresses that a table of symbols holds, as HDF5 wrote it before version 1.8."""
    tree, heap = cursor.number(8), content.cursor(cursor.number(8))
    heap.expect(b"HEAP")
    heap.skip(4)
    size = heap.number(8)
    heap.skip(8)
    names = content.part(heap.number(8), size)
    for _, address in leaves(content, tree, 0, 8):
        node = content.cursor(address)
        node.expect(b"SNOD")
        node.skip(2)
        for _ in range(node.number(2)):
            content.step()
            place, header, kind = node.number(8), node.number(8), node.number(4)
            node.skip(20)
            if kind < 2:  # else the link is one to another place
                yield read_text(content, names[place : place + 1024]), header


def _link(content: Content, cursor: Cursor) -> tuple[int, str, int] | None:
    """Read the message of a link: its number among the group's, or 0, its name, and the address."""
    content.step()
    cursor.skip(1)
    flags = cursor.number(1)
    kind = cursor.number(1) if flags & 8 else 0
    order = cursor.number(8) if flags & 4 else 0
    cursor.skip(1 if flags & 16 else 0)
    name = read_text(content, cursor.take(cursor.number(1 << (flags & 3))))
    return None if kind else (order, name, cursor.number(8))
