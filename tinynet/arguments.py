"""The arguments of optimizers and schedules: refused by name or by value, and read back for model files."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, Self

import numpy as np


class Keywords:
    """Refuses unknown keywords with the name that was probably meant."""

    def __new__(cls, *_: object, **keywords: object) -> Self:
        """Make an object, unless a keyword is unknown."""
        names = [item.name for item in fields(cls) if item.init]  # type: ignore[arg-type]
        for keyword in keywords:
            if keyword not in names:
                raise TypeError(unknown_argument(cls.__name__, keyword, names))
        return super().__new__(cls)


def unknown_argument(owner: str, keyword: str, names: Sequence[str]) -> str:
    """Return an error message for an argument that there is not, with the likeliest one that there is."""
    likely = "learning_rate" if keyword == "lr" else keyword
    closest = difflib.get_close_matches(likely, names, n=1)
    hint = f" Did you mean {closest[0]}=?" if closest else ""
    return f"{owner} has no argument {keyword!r}.{hint} Its arguments are {', '.join(names)}."


def arguments_of(owner: Any) -> dict[str, Any]:
    """Return the arguments of a dataclass by name, NumPy numbers as Python's: what JSON can hold."""
    values = {item.name: getattr(owner, item.name) for item in fields(owner) if item.init}
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}


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
