"""Object headers of HDF5 files: the messages that say what a group or dataset is."""

from __future__ import annotations

from .content import Content, Cursor, damaged

DATASPACE, LINK_INFO, DATATYPE, LINK, EXTERNAL, LAYOUT, FILTERS, ATTRIBUTE = 1, 2, 3, 6, 7, 8, 11, 12
CONTINUATION, SYMBOL_TABLE, ATTRIBUTE_INFO = 16, 17, 21
SHARED = 2  # the flag of a message that stands elsewhere

Messages = dict[int, list[memoryview]]


def read_messages(content: Content, address: int) -> Messages:
    """Return the messages of an object by their types, each type's in order.

    Args:
        content: the file.
        address: where the object's header lies.

    Raises:
        ValueError: there is no whole header.
    """
    is_new = bytes(content.part(address, 4)) == b"OHDR"
    found: Messages = {}
    parts = [_new_start(content, address) if is_new else _old_start(content, address)]
    for cursor, has_order in parts:  # a part may add others
        while cursor.left >= (4 if is_new else 8):
            content.step()
            kind, size, flags = cursor.number(1 if is_new else 2), cursor.number(2), cursor.number(1)
            cursor.skip((2 if has_order else 0) if is_new else 3)
            message = cursor.take(size)
            if kind == CONTINUATION:
                parts.append((_continuation(content, Cursor(message), is_new), has_order))
            elif not flags & SHARED:
                found.setdefault(kind, []).append(message)
            elif kind in (DATASPACE, DATATYPE):
                raise damaged("a type of numbers stands by itself, for several datasets")
    return found


def _old_start(content: Content, address: int) -> tuple[Cursor, bool]:
    """Return the first part of the messages of an object as HDF5 wrote them before version 1.8."""
    cursor = content.cursor(address, 16)
    if cursor.number(1) != 1:
        raise damaged("an object has no header")
    cursor.skip(7)
    return content.cursor(address + 16, cursor.number(4)), False


def _new_start(content: Content, address: int) -> tuple[Cursor, bool]:
    """Return the first part of the messages of an object, and whether they are numbered."""
    cursor = content.cursor(address)
    cursor.expect(b"OHDR\2")
    flags = cursor.number(1)
    cursor.skip((16 if flags & 32 else 0) + (4 if flags & 16 else 0))  # times; limits of attributes
    size = cursor.number(1 << (flags & 3))
    return Cursor(cursor.take(size)), bool(flags & 4)


def _continuation(content: Content, cursor: Cursor, is_new: bool) -> Cursor:
    """Return a further part of the messages."""
    address, size = cursor.number(8), cursor.number(8)
    if not is_new:
        return content.cursor(address, size)
    further = content.cursor(address, size)
    further.expect(b"OCHK")
    return Cursor(further.take(further.left - 4))  # a checksum follows
