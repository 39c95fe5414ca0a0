"""A reader of the few pickle opcodes that CIFAR-10's Python batches are made of; it never calls anything.

A pickle is a program for a machine with a stack. This one has no opcode that runs or imports anything: what
a pickle would make by calling a function comes out as a `Made`, a note of the function's name, its arguments
and its state. Source: the comments in Python's own Lib/pickletools.py
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Name(NamedTuple):
    """The name of a function or class."""

    module: str
    name: str


@dataclass
class Made:
    """What calling a function would make.

    Args:
        function: its name.
        arguments: what it would be called with.
        state: what the result would be told; None by default.
    """

    function: Name
    arguments: tuple[Any, ...]
    state: Any = None


BYTE, SHORT, INT, SIGNED = (struct.Struct(form) for form in ("<B", "<H", "<I", "<i"))
CONSTANTS = {b"N": None, b"\x88": True, b"\x89": False}
INTEGERS = {b"K": BYTE, b"M": SHORT, b"J": SIGNED}
STRINGS = {b"U": BYTE, b"T": INT, b"C": BYTE, b"B": INT, b"X": INT}  # and how their lengths are written
PUTS, GETS = {b"q": BYTE, b"r": INT}, {b"h": BYTE, b"j": INT}
TUPLES = {b"\x85": 1, b"\x86": 2, b"\x87": 3}


class Reader:
    """Reads one pickle.

    Args:
        data: its bytes.
    """

    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memory: dict[int, Any] = {}

    def read(self) -> Any:
        """Return what the pickle describes.

        Raises:
            ValueError: it is damaged, or has an opcode that no batch has.
        """
        try:
            while (code := self.take(1)) != b".":
                self.step(code)
            return self.stack.pop()
        except (IndexError, KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
            raise ValueError(f"damaged near byte {self.place}: {type(error).__name__}") from error

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        found = self.data[self.place : self.place + count]
        if len(found) < count:
            raise ValueError("it is truncated")
        self.place += count
        return found

    def number(self, form: struct.Struct) -> int:
        """Return the number that comes next."""
        return int(form.unpack(self.take(form.size))[0])

    def line(self) -> str:
        """Return the text that comes next, up to the end of the line."""
        end = self.data.find(b"\n", self.place, self.place + 100)
        if end < 0:
            raise ValueError("it is truncated")
        text = self.take(end - self.place).decode("ascii")
        self.place += 1
        return text

    def since_mark(self) -> list[Any]:
        """Take what was put on the stack since the last mark."""
        mark = self.marks.pop()
        found = self.stack[mark:]
        del self.stack[mark:]
        return found

    def step(self, code: bytes) -> None:
        """Do what one opcode says."""
        stack = self.stack
        if code in INTEGERS:  # the most frequent opcodes come first
            stack.append(self.number(INTEGERS[code]))
        elif code in STRINGS:
            text = self.take(self.number(STRINGS[code]))
            stack.append(text.decode("utf-8", "surrogatepass") if code == b"X" else text)
        elif code in PUTS:
            self.memory[self.number(PUTS[code])] = stack[-1]
        elif code in GETS:
            stack.append(self.memory[self.number(GETS[code])])
        elif code in CONSTANTS:
            stack.append(CONSTANTS[code])
        elif code == b"\x80":  # the protocol, which says nothing about the opcodes that follow
            self.take(1)
        elif code == b"(":
            self.marks.append(len(stack))
        elif code in b"}])":
            stack.append({b"}": dict, b"]": list, b")": tuple}[code]())
        elif code in TUPLES or code == b"t":
            items = [stack.pop() for _ in range(TUPLES[code])][::-1] if code in TUPLES else self.since_mark()
            stack.append(tuple(items))
        elif code in b"ae":
            items = [stack.pop()] if code == b"a" else self.since_mark()
            stack[-1].extend(items)
        elif code in b"su":
            items = [stack.pop(), stack.pop()][::-1] if code == b"s" else self.since_mark()
            if not all(isinstance(key, str | bytes) for key in items[::2]):
                raise TypeError
            stack[-1].update(zip(items[::2], items[1::2], strict=False))
        elif code == b"c":
            stack.append(Name(self.line(), self.line()))
        elif code in b"Rb":
            self.note(code)
        else:
            raise ValueError(f"it has the opcode {code!r} at byte {self.place - 1}, which no batch has")

    def note(self, code: bytes) -> None:
        """Note a call, or the state of what it made, instead of doing it."""
        given = self.stack.pop()
        if code == b"R":
            function = self.stack.pop()
            if not isinstance(function, Name) or not isinstance(given, tuple):
                raise TypeError
            self.stack.append(Made(function, given))
        else:
            if not isinstance(self.stack[-1], Made):
                raise TypeError
            self.stack[-1].state = given


ARRAY = {
    Name("numpy.core.multiarray", "_reconstruct"),
    Name("numpy._core.multiarray", "_reconstruct"),
}


def array_of(made: Any) -> NDArray[np.uint8]:
    """Return the array that a pickle describes.

    Args:
        made: what `Reader` read for it.

    Returns:
        A read-only array, uint8.

    Raises:
        ValueError: it is no array, or not of uint8.
    """
    match made:
        case Made(function, _, (_, tuple() as shape, Made(dtype, (kind, *_)), fortran, elements)) if (
            function in ARRAY and dtype == Name("numpy", "dtype") and kind in ("u1", b"u1")
        ) and all(type(size) is int for size in shape):
            order: Any = "F" if fortran is True else "C"
            return np.frombuffer(bytes_of(elements), np.uint8).reshape(shape, order=order)
    raise ValueError("it has no array of uint8 in its place")


def bytes_of(made: Any) -> bytes:
    """Return bytes that a pickle describes, as Python 2 or Python 3 writes them."""
    match made:
        case bytes():
            return made
        case Made(("_codecs", "encode"), (str() as text, "latin1")):
            return text.encode("latin1")
    raise ValueError("it has no bytes in their place")
