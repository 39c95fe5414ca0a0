"""A reader of pickles that never calls anything, for datasets and weights that people published as such.

A pickle is a program for a machine with a stack. This one has no opcode that runs or imports anything: what
a pickle would make by calling a function comes out as a `Made`, a note of the function's name, its arguments
and its state. It has the opcodes of protocols 2 to 5 that plain data and arrays are written with. Source: the
comments in Python's own Lib/pickletools.py
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

MOST_STEPS = 500_000  # opcodes in a pickle, which may take a hundred bytes of memory each
LARGEST_KEY = 2**61 - 2  # larger integers can be chosen so that all have the same hash
LONGEST_NAME = 1000


class Name(NamedTuple):
    """The name of a function or class."""

    module: str
    name: str

    def __str__(self) -> str:
        """Return the name as Python writes it."""
        return f"{self.module}.{self.name}"


ORDERED_DICT = Name("collections", "OrderedDict")


@dataclass(slots=True)
class Made:
    """What calling a function would make.

    Args:
        function: its name.
        arguments: what it would be called with.
        state: what the result would be told; None by default.
        content: the items of a list, or the pairs of a dict, that it would be filled with; None by default.
    """

    function: Name
    arguments: tuple[Any, ...]
    state: Any = None
    content: list[Any] | None = None

    def extend(self, items: Iterable[Any]) -> None:
        """Note what it would be filled with."""
        self.content = self.content or []
        self.content.extend(items)

    update = extend


@dataclass(slots=True)
class Outside:
    """What lies outside of the pickle.

    Args:
        name: by which the program that wrote it finds it.
    """

    name: Any


BYTE, SHORT, INT, SIGNED, LONG, FLOAT = (struct.Struct(form) for form in ("<B", "<H", "<I", "<i", "<Q", ">d"))
CONSTANTS = {b"N": None, b"\x88": True, b"\x89": False}
NUMBERS = {b"K": BYTE, b"M": SHORT, b"J": SIGNED}
BYTES = {b"U": BYTE, b"T": INT, b"C": BYTE, b"B": INT, b"\x8e": LONG}  # and how their lengths are written
TEXTS = {b"X": INT, b"\x8c": BYTE, b"\x8d": LONG}
PUTS, GETS = {b"q": BYTE, b"r": INT}, {b"h": BYTE, b"j": INT}
EMPTY = {b"}": dict, b"]": list, b")": tuple, b"\x8f": list}  # a set as a list, for which nothing is hashed
TUPLES = {b"\x85": 1, b"\x86": 2, b"\x87": 3}
SKIPPED = {b"\x80": 1, b"\x95": 8}  # the protocol and the size of what follows, which need not be known


class Reader:
    """Reads one pickle.

    Args:
        data: bytes that it lies in.
        place: where it begins; default 0. After `read`, where it ended.

    Attributes:
        made: all notes, in their order.
        outside: what lies outside of the pickle, likewise.
    """

    def __init__(self, data: bytes, place: int = 0) -> None:
        self.data, self.place = data, place
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memory: dict[int, Any] = {}
        self.made: list[Made] = []
        self.outside: list[Outside] = []

    def read(self) -> Any:
        """Return what the pickle describes.

        Raises:
            ValueError: it is damaged, has an opcode that is not known here, or has too many of them.
        """
        try:
            for _ in range(MOST_STEPS):
                if (code := self.take(1)) == b".":
                    return self.stack.pop()
                self.step(code)
        except (IndexError, KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
            raise ValueError(f"damaged near byte {self.place}: {type(error).__name__}") from error
        raise ValueError(f"it has more than {MOST_STEPS:,} opcodes")

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        found = self.data[self.place : self.place + count]
        if len(found) < count:
            raise ValueError("it is truncated")
        self.place += count
        return found

    def number(self, form: struct.Struct) -> Any:
        """Return the number that comes next."""
        return form.unpack(self.take(form.size))[0]

    def line(self) -> str:
        """Return the text that comes next, up to the end of the line."""
        end = self.data.find(b"\n", self.place, self.place + LONGEST_NAME)
        if end < 0:
            raise ValueError("it is truncated")
        text = self.take(end - self.place).decode("utf-8")
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
        if code in NUMBERS:  # the most frequent opcodes come first
            stack.append(self.number(NUMBERS[code]))
        elif code in TEXTS:
            stack.append(self.take(self.number(TEXTS[code])).decode("utf-8", "surrogatepass"))
        elif code in BYTES:
            stack.append(self.take(self.number(BYTES[code])))
        elif code in PUTS:
            self.memory[self.number(PUTS[code])] = stack[-1]
        elif code == b"\x94":
            self.memory[len(self.memory)] = stack[-1]
        elif code in GETS:
            stack.append(self.memory[self.number(GETS[code])])
        elif code in CONSTANTS:
            stack.append(CONSTANTS[code])
        elif code in SKIPPED:
            self.take(SKIPPED[code])
        elif code == b"G":
            stack.append(self.number(FLOAT))
        elif code == b"\x8a":
            stack.append(int.from_bytes(self.take(self.number(BYTE)), "little", signed=True))
        else:
            self.gather(code)

    def gather(self, code: bytes) -> None:
        """Do what an opcode says about several values."""
        stack = self.stack
        if code == b"(":
            self.marks.append(len(stack))
        elif code in EMPTY:
            stack.append(EMPTY[code]())
        elif code in TUPLES or code == b"t":
            items = [stack.pop() for _ in range(TUPLES[code])][::-1] if code in TUPLES else self.since_mark()
            stack.append(tuple(items))
        elif code in b"ae\x90":
            items = [stack.pop()] if code == b"a" else self.since_mark()
            stack[-1].extend(items)
        elif code == b"\x91":
            stack.append(self.since_mark())
        elif code in b"su":
            items = [stack.pop(), stack.pop()][::-1] if code == b"s" else self.since_mark()
            stack[-1].update(pairs_of(items[::2], items[1::2]))
        elif code == b"c":
            stack.append(Name(self.line(), self.line()))
        elif code == b"\x93":
            name, module = stack.pop(), stack.pop()
            stack.append(name_of(module, name))
        else:
            self.note(code)

    def note(self, code: bytes) -> None:
        """Note a call, or the state of what it made, or what lies outside, instead of doing it."""
        stack = self.stack
        if code in b"R\x81":
            arguments, function = stack.pop(), stack.pop()
            stack.append(self.make(function, arguments))
        elif code == b"b":
            state = stack.pop()
            if isinstance(stack[-1], Made):
                stack[-1].state = state
            elif not isinstance(stack[-1], dict):  # an OrderedDict has attributes, which are not needed
                raise TypeError
        elif code == b"Q":
            self.outside.append(Outside(stack.pop()))
            stack.append(self.outside[-1])
        else:
            raise ValueError(f"it has the opcode {code!r} at byte {self.place - 1}, which is not read here")

    def make(self, function: Any, arguments: Any) -> Any:
        """Return the note of a call; an OrderedDict is made, as a dict, because it is plain data."""
        if not isinstance(function, Name) or not isinstance(arguments, tuple):
            raise TypeError
        if function == ORDERED_DICT:
            pairs = arguments[0] if arguments else []
            return dict(pairs_of([key for key, _ in pairs], [value for _, value in pairs]))
        self.made.append(Made(function, arguments))
        return self.made[-1]


def pairs_of(keys: list[Any], values: list[Any]) -> Iterable[tuple[Any, Any]]:
    """Return the pairs of a dict, whose keys are such as can be hashed in no time.

    Raises:
        TypeError: a key is no text, bytes or integer.
    """
    for key in keys:
        if not (isinstance(key, str | bytes) or (type(key) is int and abs(key) <= LARGEST_KEY)):
            raise TypeError
    return zip(keys, values, strict=True)


def name_of(module: Any, name: Any) -> Name:
    """Return a name whose parts lay on the stack."""
    if not isinstance(module, str) or not isinstance(name, str):
        raise TypeError
    return Name(module, name)
