"""Datasets of HDF5 files: arrays in one piece, in the header, or in chunks, which may be compressed."""

from __future__ import annotations

import itertools
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .attributes import read_attributes
from .content import NOWHERE, Content, Cursor, damaged
from .headers import DATASPACE, DATATYPE, EXTERNAL, FILTERS, LAYOUT, Messages
from .trees import leaves
from .types import Type, as_array, read_shape, read_type, read_values

Array = NDArray[Any]

COMPACT, CONTIGUOUS, CHUNKED = range(3)  # classes of layouts
SINGLE, IMPLICIT, FIXED_ARRAY = range(1, 4)  # how chunks are found
DEFLATE, SHUFFLE, CHECKSUM = range(1, 4)  # filters


def read_dataset(content: Content, messages: Messages) -> Array:
    """Return a dataset's array, which lies in the file's own bytes where it can.

    Args:
        content: the file.
        messages: of the dataset's header.

    Raises:
        ValueError: the dataset is damaged, or of a kind that is not read.
    """
    of = read_type(Cursor(messages[DATATYPE][0]))
    shape = read_shape(Cursor(messages[DATASPACE][0]))
    if of is None:
        raise damaged("a dataset holds neither numbers nor texts")
    if shape is None:
        shape = (0,)
    size = math.prod(shape) * of.size
    content.spend(size)  # also of what lies in the file: several datasets may lie in one place
    cursor = Cursor(messages[LAYOUT][0])
    version, layout = cursor.number(1), cursor.number(1)
    if EXTERNAL in messages or version not in (3, 4, 5) or layout > CHUNKED:
        raise damaged("a dataset does not lie in the file, or as before version 1.6 of HDF5")
    if layout == COMPACT:
        view = cursor.take(cursor.number(2))
    elif size == 0:
        view = content.data[:0]
    elif layout == CONTIGUOUS:
        view = content.part(_there(cursor.number(8)), size)
    else:
        filters = _filters(Cursor(messages[FILTERS][0])) if FILTERS in messages else []
        chunks = _Chunks(content, of, shape, filters)
        view = (chunks.old if version == 3 else chunks.new)(cursor).data.cast("B")
    if of.kind not in ("text", "texts"):
        if len(view) < size:
            raise damaged("a dataset is not whole")
        array = as_array(view[:size], of, shape)
        return _from_bfloat16(content, messages, array) if of.kind == "bytes" else array
    texts = np.empty(math.prod(shape), object)
    texts[:] = read_values(content, Cursor(view), of, shape)
    return texts.reshape(shape)


def _from_bfloat16(content: Content, messages: Messages, array: Array) -> Array:
    """Return what Keras writes as two bytes an element, and calls bfloat16, as float32; else the array."""
    if array.itemsize != 2 or read_attributes(content, messages).get("dtype") != "bfloat16":
        return array
    content.spend(4 * array.size)
    halves = np.frombuffer(array.tobytes(), "<u2").reshape(array.shape)  # the first half of a float32 each
    floats = (halves.astype(np.uint32) << np.uint32(16)).view(np.float32)
    floats.flags.writeable = False
    return floats


def _there(address: int) -> int:
    """Return an address, where something has to be."""
    if address == NOWHERE:
        raise damaged("a dataset was never written")
    return address


@dataclass
class _Filter:
    """What a chunk went through before it was written: the number, and for shuffling an element's size."""

    number: int
    size: int


def _filters(cursor: Cursor) -> list[_Filter]:
    """Read the message of filters."""
    version, count = cursor.number(1), cursor.number(1)
    if version not in (1, 2):
        raise damaged("the filters of a dataset are none that HDF5 has")
    cursor.skip(6 if version == 1 else 0)
    filters = []
    for _ in range(count):
        number = cursor.number(2)
        name_size = cursor.number(2) if version == 1 or number >= 256 else 0
        cursor.skip(2)
        values = cursor.number(2)
        cursor.skip(name_size + (-name_size % 8 if version == 1 else 0))
        given = [cursor.number(4) for _ in range(values)]
        cursor.skip(4 if version == 1 and values % 2 else 0)
        if number not in (DEFLATE, SHUFFLE, CHECKSUM):
            raise damaged(f"a dataset is compressed by filter {number}; only gzip and shuffle are read")
        filters.append(_Filter(number, given[0] if given else 1))
    return filters


@dataclass
class _Chunks:
    """A dataset in chunks.

    Args:
        content: the file.
        of: the type of its elements.
        shape: its shape.
        filters: what its chunks went through, in order.
    """

    content: Content
    of: Type
    shape: tuple[int, ...]
    filters: list[_Filter]

    def old(self, cursor: Cursor) -> Array:
        """Return the elements, as bytes; a B-tree says where each chunk lies."""
        rank = cursor.number(1) - 1
        address = _there(cursor.number(8))
        chunk = self._check(tuple(cursor.number(4) for _ in range(rank)))
        found = []
        for key, place in leaves(self.content, address, 1, 8 + 8 * (rank + 1)):
            size, skipped = key.number(4), key.number(4)
            found.append((tuple(key.number(8) for _ in range(rank)), place, size, skipped))
        return self._join(chunk, iter(found), len(found))

    def new(self, cursor: Cursor) -> Array:
        """Return the elements, as bytes; chunks are found as since version 1.10 of HDF5."""
        flags, rank, size_of_sizes = cursor.number(1), cursor.number(1) - 1, cursor.number(1)
        chunk = self._check(tuple(cursor.number(size_of_sizes) for _ in range(rank)))
        size = math.prod(chunk) * self.of.size
        cursor.skip(size_of_sizes)
        index = cursor.number(1)
        count = math.prod(-(-length // part) for length, part in zip(self.shape, chunk, strict=True))
        self.content.step(count)
        corners = itertools.product(*map(range, [0] * rank, self.shape, chunk))
        if index == SINGLE:
            whole, skipped = (cursor.number(8), cursor.number(4)) if flags & 2 else (size, 0)
            places = [(_there(cursor.number(8)), whole, skipped)]
        elif index == IMPLICIT:
            start = _there(cursor.number(8))
            places = [(start + number * size, size, 0) for number in range(count)]
        elif index == FIXED_ARRAY:
            cursor.skip(1)
            places = [*self._fixed_array(_there(cursor.number(8)), count, size)]
        else:
            raise damaged("a dataset can grow, as newer versions of HDF5 store it")
        return self._join(chunk, ((c, *p) for c, p in zip(corners, places, strict=True)), len(places))

    def _check(self, chunk: tuple[int, ...]) -> tuple[int, ...]:
        """Check the shape of a chunk."""
        if len(chunk) != len(self.shape) or not all(chunk):
            raise damaged("the chunks of a dataset have another rank than it")
        return chunk

    def _fixed_array(self, address: int, count: int, size: int) -> Iterator[tuple[int, int, int]]:
        """Yield where each chunk lies, its size there, and which filters it skipped."""
        cursor = self.content.cursor(address)
        cursor.expect(b"FAHD\0")
        cursor.skip(1)
        entry, page_bits = cursor.number(1), cursor.number(1)
        if cursor.number(8) < count:
            raise damaged("a dataset is not whole")
        cursor = self.content.cursor(cursor.number(8))
        cursor.expect(b"FADB\0")
        cursor.skip(9)
        page = 1 << page_bits
        if count > page:  # which of them are there, and a checksum
            cursor.skip((-(-count // page) + 7) // 8 + 4)
        for number in range(count):
            if number and number % page == 0:
                cursor.skip(4)  # a checksum
            address = _there(cursor.number(8))
            yield (
                (address, cursor.number(entry - 12), cursor.number(4)) if self.filters else (address, size, 0)
            )

    def _join(
        self,
        chunk: tuple[int, ...],
        found: Iterator[tuple[tuple[int, ...], int, int, int]],
        count: int,
    ) -> Array:
        """Return the elements, as bytes.

        Args:
            chunk: the shape of a chunk.
            found: of each chunk its corner, address, size in the file, and which filters it skipped, as bits.
            count: how many there are.
        """
        if count != math.prod(-(-length // part) for length, part in zip(self.shape, chunk, strict=True)):
            raise damaged("a dataset is not whole")
        joined = np.zeros((*self.shape, self.of.size), np.uint8)
        size = math.prod(chunk) * self.of.size
        corners = set()
        for corner, address, stored, skipped in found:
            self.content.spend(2 * size)
            corners.add(corner)
            part = self._restore(self.content.part(address, stored), size, skipped)
            if any(place % length for place, length in zip(corner, chunk, strict=True)):
                raise damaged("a chunk of a dataset is out of place")
            ends = zip(corner, chunk, self.shape, strict=True)
            lengths = [max(0, min(length, end - place)) for place, length, end in ends]
            piece = part.reshape(*chunk, self.of.size)[tuple(map(slice, lengths))]
            joined[tuple(slice(p, p + n) for p, n in zip(corner, lengths, strict=True))] = piece
        if len(corners) != count:
            raise damaged("a dataset is not whole")
        return joined

    def _restore(self, stored: memoryview, size: int, skipped: int) -> Array:
        """Undo the filters of a chunk."""
        for number, used in reversed([*enumerate(self.filters)]):
            if skipped >> number & 1:
                continue
            if used.number == DEFLATE:
                try:
                    stored = memoryview(zlib.decompressobj().decompress(stored, size + 4))
                except zlib.error as error:
                    raise damaged(f"a compressed chunk is not whole ({error})") from error
            elif used.number == CHECKSUM:
                stored = stored[: len(stored) - 4]
            elif used.size > 1:
                whole = len(stored) // used.size * used.size
                bytes_of = np.frombuffer(stored[:whole], np.uint8).reshape(used.size, -1)
                stored = memoryview(bytes_of.T.tobytes() + bytes(stored[whole:]))
        if len(stored) != size:
            raise damaged("a chunk of a dataset is not whole")
        return np.frombuffer(stored, np.uint8)
