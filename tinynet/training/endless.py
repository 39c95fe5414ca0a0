"""Whether an iterator is sure to have no end, which an epoch would wait for."""

from __future__ import annotations

import dis
import itertools
from collections.abc import Iterator
from types import CodeType, GeneratorType
from typing import Any

JUMPS = {
    "JUMP_FORWARD",
    "JUMP_BACKWARD",
    "JUMP_BACKWARD_NO_INTERRUPT",
    "JUMP_ABSOLUTE",
}  # without a condition
LEAVES = {"RETURN_VALUE", "RETURN_CONST"}
RAISES = {"RAISE_VARARGS", "RERAISE"}  # to a handler, if there is one


def is_endless(iterator: Iterator[Any]) -> bool:
    """Return whether an iterator can have no end: nothing of it is taken.

    Of `itertools.cycle` and its kind, of a generator whose code has no way out of its loop, and of what only
    hands these on, that can be seen. False says nothing: what Python code will do is not known beforehand.

    Args:
        iterator: any.

    Returns:
        True if there surely is no end.

    Example:
        >>> import itertools
        >>> is_endless(itertools.cycle([1, 2])), is_endless(iter([1, 2]))
        (True, False)
        >>> def batches():
        ...     while True:
        ...         yield 1
        >>> is_endless(batches())
        True
    """
    if isinstance(iterator, itertools.cycle | itertools.count):
        return True
    if isinstance(iterator, itertools.repeat):
        return not has_length(iterator)
    if isinstance(iterator, zip | map | filter | enumerate):
        sources = [part for part in iterator.__reduce__()[1] if isinstance(part, Iterator)]
        return bool(sources) and all(map(is_endless, sources))
    if isinstance(iterator, GeneratorType):
        source = iterator.gi_frame.f_locals.get(".0") if iterator.gi_frame is not None else None
        if source is not None:  # a generator expression
            return isinstance(source, Iterator) and is_endless(source)
        return iterator.gi_frame is not None and not can_return(iterator.gi_code)
    code: CodeType | None = getattr(getattr(type(iterator), "__next__", None), "__code__", None)
    return code is not None and not may_stop(type(iterator), code)


def has_length(iterator: Any) -> bool:
    """Return whether an `itertools.repeat` says how often."""
    try:
        iterator.__length_hint__()
    except TypeError:
        return False
    return True


def can_return(code: CodeType) -> bool:
    """Return whether a way through a function's code leads to a return."""
    instructions = [*dis.get_instructions(code)]
    place = {instruction.offset: number for number, instruction in enumerate(instructions)}
    handlers = [
        (entry.start, entry.end, entry.target)
        for entry in dis.Bytecode(code).exception_entries  # type: ignore[attr-defined]
    ]
    seen, left = set[int](), [0]
    while left:
        number = left.pop()
        if number in seen or number >= len(instructions):
            continue
        seen.add(number)
        instruction = instructions[number]
        if instruction.opname in LEAVES:
            return True
        if instruction.opcode in dis.hasjrel or instruction.opcode in dis.hasjabs:
            left.append(place[instruction.argval])
        if instruction.opname not in JUMPS | RAISES:
            left.append(number + 1)
        left += [place[to] for start, end, to in handlers if start <= instruction.offset < end]
    return False


def may_stop(kind: type, code: CodeType, depth: int = 3) -> bool:
    """Return whether a method raises, or calls something that may raise, StopIteration.

    Args:
        kind: whose method it is; other methods of it that are called are looked into.
        code: of the method.
        depth: how many calls deep to look.
    """
    names = {*code.co_names, *code.co_freevars}
    if names & {"StopIteration", "next", "__next__", "send"} or not depth:
        return True
    if any(instruction.opname == "RAISE_VARARGS" for instruction in dis.get_instructions(code)):
        return True
    called = [getattr(getattr(kind, name, None), "__code__", None) for name in names]
    return any(may_stop(kind, one, depth - 1) for one in called if one is not None)
