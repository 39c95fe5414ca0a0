"""B-trees and heaps of HDF5 files, in which links, attributes and chunks are found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .content import NOWHERE, Content, Cursor, damaged, size_of

MAX_DEPTH = 32


def leaves(content: Content, address: int, kind: int, key_size: int) -> Iterator[tuple[Cursor, int]]:
    """Yield the entries of a B-tree of version 1: the key before each, and its address.

    Args:
        content: the file.
        address: of the root.
        kind: 0 for the nodes of a group, 1 for chunks.
        key_size: in bytes.
    """
    nodes = [(address, MAX_DEPTH)]
    while nodes:
        address, above = nodes.pop()
        cursor = content.cursor(address)
        cursor.expect(b"TREE" + bytes([kind]))
        level, count = cursor.number(1), cursor.number(2)
        if level >= above:
            raise damaged("a tree has no end")
        cursor.skip(16)
        entries = []
        for _ in range(count):
            content.step()
            entries.append((Cursor(cursor.take(key_size)), cursor.number(8)))
        if level:
            nodes += [(child, level) for _, child in reversed(entries)]
        else:
            yield from entries


def records(content: Content, address: int) -> Iterator[Cursor]:
    """Yield the records of a B-tree of version 2, which lies at an address."""
    cursor = content.cursor(address)
    cursor.expect(b"BTHD\0")
    cursor.skip(1)
    node_size, record_size, depth = cursor.number(4), cursor.number(2), cursor.number(2)
    cursor.skip(2)
    root, count = cursor.number(8), cursor.number(2)
    if depth > MAX_DEPTH or not 0 < record_size < node_size - 10:
        raise damaged("a tree is none that HDF5 has")
    # A pointer to a node holds its address, how many records it has, and, unless it is a leaf, how many all
    # below it have. How many bytes these numbers take follows from how many records fit.
    below = (node_size - 10) // record_size
    number_size, sum_sizes = size_of(below), [0]
    for _ in range(depth):
        pointer = 8 + number_size + sum_sizes[-1]
        fit = max(node_size - 10 - pointer, 0) // (record_size + pointer)
        below = (fit + 1) * below + fit
        sum_sizes.append(size_of(below))
    nodes = [(root, count, depth)] if root != NOWHERE and count else []
    while nodes:
        address, count, depth = nodes.pop()
        node = content.cursor(address, node_size)
        node.expect(b"BTIN\0" if depth else b"BTLF\0")
        node.skip(1)
        for _ in range(count):
            content.step()
            yield Cursor(node.take(record_size))
        for _ in range(count + 1 if depth else 0):
            content.step()
            child, held = node.number(8), node.number(number_size)
            node.skip(sum_sizes[depth - 1])
            nodes.append((child, held, depth - 1))


class FractalHeap:
    """Where links and attributes lie that are too many for an object's header.

    Args:
        content: the file.
        address: of the heap's header.
    """

    def __init__(self, content: Content, address: int) -> None:
        self.content = content
        cursor = content.cursor(address)
        cursor.expect(b"FRHP\0")
        cursor.skip(2)
        if cursor.number(2):
            raise damaged("a heap is compressed")
        cursor.skip(1)
        self.max_managed = cursor.number(4)
        cursor.skip(8)
        self.huge = cursor.number(8)
        cursor.skip(80)
        self.width = cursor.number(2)
        self.start, self.max_direct = cursor.number(8), cursor.number(8)
        self.offset_size = (cursor.number(2) + 7) // 8
        cursor.skip(2)
        self.root, self.rows = cursor.number(8), cursor.number(2)
        sizes = (self.width, self.start, self.max_direct)
        if any(size < 1 or size & (size - 1) for size in sizes):
            raise damaged("a heap is none that HDF5 has")

    def get(self, identifier: Cursor) -> Cursor:
        """Return what reads an object.

        Args:
            identifier: what a record of a B-tree says of where it lies.
        """
        kind = identifier.number(1)
        if kind >> 4 == 0:
            offset = identifier.number(self.offset_size)
            # The length's size follows from the largest object's.
            size = min(size_of(self.max_managed), (self.max_direct.bit_length() + 6) // 8)
            return self._managed(offset, identifier.number(size))
        if kind >> 4 == 1:
            number = identifier.number(min(8, identifier.left))
            for record in records(self.content, self.huge):
                address, size, of_number = record.number(8), record.number(8), record.number(8)
                if of_number == number:
                    return self.content.cursor(address, size)
        if kind >> 4 == 2:
            return Cursor(identifier.take((kind & 15) + 1))
        raise damaged("a heap has no such object")

    def _managed(self, offset: int, size: int) -> Cursor:
        """Return what reads an object of a size at an offset, through the blocks' table of blocks."""
        address, rows = self.root, self.rows
        while rows:
            self.content.step()
            row = (offset // (self.width * self.start)).bit_length()
            block = self.start << max(row - 1, 0)
            offset -= self.width * block if row else 0
            table = self.content.cursor(address)
            table.expect(b"FHIB\0")
            table.skip(8 + self.offset_size + 8 * (row * self.width + offset // block))
            if row >= rows:
                raise damaged("a heap has no such block")
            address, offset = table.number(8), offset % block
            is_direct = block <= self.max_direct
            rows = 0 if is_direct else (block // (self.start * self.width)).bit_length()
        direct = self.content.cursor(address)
        direct.expect(b"FHDB\0")
        direct.skip(offset - 5)
        return Cursor(direct.take(size))


def indexed(
    content: Content, messages: Iterable[memoryview], counter: int
) -> Iterator[tuple[FractalHeap, Cursor]]:
    """Yield the records of an index of names, each with the heap in which what it names lies.

    Args:
        content: the file.
        messages: which say where there are many links, or many attributes.
        counter: how many bytes a message may have for the number of the last one that was made.
    """
    for message in messages:
        cursor = Cursor(message)
        cursor.skip(1)
        cursor.skip(counter if cursor.number(1) & 1 else 0)
        address, names = cursor.number(8), cursor.number(8)
        if address != NOWHERE:
            heap = FractalHeap(content, address)
            for record in records(content, names):
                yield heap, record
