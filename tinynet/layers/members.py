"""The layers and parameters in a value: in attributes, lists, tuples and dicts."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..keywords import Spoken
from .parameter import Parameter


class Member(metaclass=Spoken):
    """The base of layers, so that they can be told from other values."""


PARTS = Member, Parameter
HOLDERS = list, tuple, dict
PARTS_AND_HOLDERS = *PARTS, *HOLDERS


def members(value: Any, name: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, Any]]:
    """Yield the layers and parameters in a value, also in lists, tuples and dicts, with their names."""
    seen = set() if seen is None else seen
    if isinstance(value, PARTS):
        if id(value) not in seen:
            seen.add(id(value))
            yield name, value
    elif isinstance(value, HOLDERS):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            if isinstance(item, PARTS_AND_HOLDERS):  # most are neither, and a call for each takes time
                yield from members(item, f"{name}/{key}" if name else str(key), seen)


def mapped(value: Any, function: Callable[[Any], Any]) -> Any:
    """Return a value with each layer and parameter in it replaced by what the function makes of it."""
    if isinstance(value, PARTS):
        return function(value)
    if isinstance(value, tuple):
        items = [mapped(item, function) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    if isinstance(value, list | dict):
        new = copy.copy(value)  # of its own class
        for key in value if isinstance(value, dict) else range(len(value)):
            new[key] = mapped(value[key], function)
        return new
    return value


@contextmanager
def unchanged_by_failure(*values: Any) -> Iterator[None]:
    """Give layers, and their parts that are in no model, back all that they hold, if the block fails.

    Args:
        values: layers, or lists of them.
    """
    found: dict[int, Any] = {}
    to_do = [one for _, one in members([*values])]
    while to_do:  # not by `parts`: a layer may not be built yet, or know the layer around it
        one = to_do.pop()
        if isinstance(one, Member) and id(one) not in found:
            found[id(one)] = one
            to_do += [part for _, part in members(vars(one)) if not getattr(part, "in_model", False)]
    states = [(one, dict(vars(one))) for one in found.values()]
    try:
        yield
    except BaseException:
        for one, state in states:
            vars(one).clear()
            vars(one).update(state)
        raise
