"""The bytes of an HDF5 file, given out within bounds: where they lie, how often, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Given = TypeVar("Given")
Found = TypeVar("Found")

STEPS = 200_000  # parts of structures that are looked at; a file of a thousand layers has some 30,000
EXPANSION = 16  # what may be made of a file, such as decompressed numbers, in bytes for each of its own
NOWHERE = 2**64 - 1  # the address of what is not there


def damaged(detail: str) -> ValueError:
    """Return the error for a file that does not hold what the format says.

    Args:
        detail: what is wrong with it.
    """
    return ValueError(
        f"The HDF5 file is damaged, or of a kind that is not read: {detail}. Get the file again, or have its "
        "author save it again with h5py's or Keras's defaults."
    )


class Cursor:
    """Reads numbers, all of which are little-endian, one after another from bytes.

    Args:
        view: the bytes.
        place: where to begin; default 0.
    """

    def __init__(self, view: memoryview, place: int = 0) -> None:
        self.view = view
        self.place = place

    @property
    def left(self) -> int:
        """How many bytes there are still."""
        return len(self.view) - self.place

    def take(self, count: int) -> memoryview:
        """Return the next bytes, of which there have to be as many."""
        end = self.place + count
        if not 0 <= self.place <= end <= len(self.view):
            raise damaged(f"{count} bytes were to come where there are {max(self.left, 0)}")
        part = self.view[self.place : end]
        self.place = end
        return part

    def number(self, size: int) -> int:
        """Return the next bytes as a number."""
        return int.from_bytes(self.take(size), "little")

    def skip(self, count: int) -> None:
        """Go on by so many bytes."""
        self.place += count

    def expect(self, signature: bytes) -> None:
        """Check what comes next."""
        if self.take(len(signature)) != signature:
            raise damaged(f"{signature.decode()} was expected at a place that holds something else")


class Content:
    """An HDF5 file's bytes, and how much more may be done with them.

    Args:
        data: the bytes, from the place on that the file's addresses count from.
    """

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.steps_left = STEPS
        self.bytes_left = EXPANSION * len(data) + 2**20
        self.kept: dict[tuple[Any, int], Any] = {}

    def step(self, count: int = 1) -> None:
        """Note that parts of a structure are looked at; a file whose parts refer to each other has no end."""
        self.steps_left -= count
        if self.steps_left < 0:
            raise damaged("its parts refer to each other without end")

    def spend(self, count: int) -> None:
        """Note that something of so many bytes is to be made."""
        self.bytes_left -= count
        if self.bytes_left < 0:
            raise damaged(f"what it holds is more than {EXPANSION} times as large as the file")

    def once(self, read: Callable[[Content, Given], Found], address: int, given: Given) -> Found:
        """Return what a function reads, which is called once for each address.

        What it returns must not refer to this object: in a circle, the file would stay in memory.

        Args:
            read: the function, of this object and what is given.
            address: of what it reads.
            given: to the function.
        """
        key = (read, address)
        if key not in self.kept:
            self.kept[key] = read(self, given)
        found: Found = self.kept[key]
        return found

    def part(self, address: int, size: int | None = None) -> memoryview:
        """Return the bytes at an address, up to the file's end by default."""
        self.step()
        end = len(self.data) if size is None else address + size
        if not 0 <= address <= end <= len(self.data):
            raise damaged(f"it refers to bytes {address} to {end}, and ends at {len(self.data)}")
        return self.data[address:end]

    def cursor(self, address: int, size: int | None = None) -> Cursor:
        """Return what reads the bytes at an address."""
        return Cursor(self.part(address, size))


def size_of(number: int) -> int:
    """Return how many bytes the format takes for numbers up to this one."""
    return max(1, (number.bit_length() + 7) // 8)
