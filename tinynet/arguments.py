"""The arguments of optimizers and schedules: refused by name or by value, and read back for model files."""

from __future__ import annotations

import functools
import inspect
import math
import numbers
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

from .keywords import SpokenABC

Kind = TypeVar("Kind", bound=type)


class Keywords(metaclass=SpokenABC):
    """The base of dataclasses whose keywords are Keras's; see `keywords.py`."""


def by_position(kind: Kind) -> Kind:
    """Let a dataclass take its keyword-only fields by their places, too: after all others, in their order."""
    plain: Callable[..., None] = kind.__init__  # type: ignore[misc]
    signature = inspect.signature(plain)
    parameters = [
        one.replace(kind=inspect.Parameter.POSITIONAL_OR_KEYWORD) for one in signature.parameters.values()
    ]
    names = [one.name for one in parameters[1:]]

    @functools.wraps(plain)
    def init(self: Any, *arguments: Any, **keywords: Any) -> None:
        if len(arguments) > len(names):
            raise TypeError(
                f"{kind.__name__} takes at most {len(names)} arguments, {', '.join(names)}; got "
                f"{len(arguments)}."
            )
        plain(self, **dict(zip(names, arguments, strict=False)), **keywords)

    vars(init)["__signature__"] = signature.replace(parameters=parameters)
    kind.__init__ = init  # type: ignore[misc]
    return kind


def arguments_of(owner: Any) -> dict[str, Any]:
    """Return the arguments of a dataclass by name, NumPy numbers as Python's: what JSON can hold."""
    values = {item.name: getattr(owner, item.name) for item in fields(owner) if item.init}
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}


def as_float(value: Any) -> Any:
    """Return an integer as a float, which an optimizer shows and computes with; other things as they are."""
    return float(value) if type(value) is int else value


def is_rate(number: float) -> str:
    """Return what is wrong with a number that is not finite and not negative, or nothing."""
    return "" if 0 <= number < math.inf else "must be finite and not negative"


def is_positive(number: float) -> str:
    """Return what is wrong with a number that is not finite and above 0, or nothing."""
    return "" if 0 < number < math.inf else "must be finite and above 0"


def is_count(number: float) -> str:
    """Return what is wrong with a number that is not a whole number of at least 1, or nothing."""
    return "" if number >= 1 and number == int(number) else "must be a whole number of at least 1"


def is_share(number: float) -> str:
    """Return what is wrong with a number that is not in 0..1, or nothing."""
    return "" if 0 <= number <= 1 else "must be in 0..1"


def is_fraction(number: float) -> str:
    """Return what is wrong with a number that is not at least 0 and below 1, or nothing."""
    return "" if 0 <= number < 1 else "must be at least 0 and below 1"


def require(owner: object, **rules: Callable[[float], str]) -> None:
    """Raise if an attribute of the owner breaks its rule, one of those above."""
    for name, rule in rules.items():
        number = getattr(owner, name)
        if problem := rule(number):
            raise ValueError(f"{type(owner).__name__}: {name} {problem}, not {number}.")


def require_numbers(owner: Any, **others: Callable[[Any], bool]) -> None:
    """Raise if an argument is no number, or, where its default is True or False, neither of them.

    Args:
        owner: a dataclass.
        others: by the names of arguments, whether a value of another type may be one.
    """
    flags = {item.name for item in fields(owner) if isinstance(item.default, bool)}
    for name, value in arguments_of(owner).items():
        if name in flags:
            fits, wanted = isinstance(value, bool), "True or False"
        else:
            fits, wanted = isinstance(value, numbers.Real) and not isinstance(value, bool), "a number"
        if not fits and not (name in others and others[name](value)):
            raise TypeError(f"{type(owner).__name__}: {name} must be {wanted}; got {value!r}.")
