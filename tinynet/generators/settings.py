"""The ranges that `ImageDataGenerator` is given, checked and brought to one form."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np


def number(name: str, value: Any) -> float:
    """Return a finite number as a float."""
    if not _is_number(value):
        raise ValueError(f"ImageDataGenerator: {name} must be a finite number; got {value!r}.")
    return float(value)


def pair(name: str, value: Any) -> tuple[float, float]:
    """Return two finite numbers."""
    if not isinstance(value, tuple | list | np.ndarray) or len(value) != 2 or not all(map(_is_number, value)):
        raise ValueError(f"ImageDataGenerator: {name} must be a pair of numbers; got {value!r}.")
    return float(value[0]), float(value[1])


def span(name: str, value: Any) -> tuple[float, float]:
    """Return two numbers, or those around 1 that one number means."""
    if _is_number(value):
        return 1 - float(value), 1 + float(value)
    return pair(name, value)


def shift(name: str, value: Any) -> Any:
    """Return a shift: a float for a range, an integer for whole pixels below it, a tuple to choose from."""
    if isinstance(value, int | np.integer) and value > 0 and not isinstance(value, bool):
        return int(value)
    if _is_number(value):
        return float(value)
    choices = value.tolist() if isinstance(value, np.ndarray) else value
    if isinstance(choices, tuple | list) and choices and all(map(_is_number, choices)):
        return tuple(choices)
    raise ValueError(f"ImageDataGenerator: {name} must be a number or a list of numbers; got {value!r}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)
