"""Masked arrays, whose masked numbers would count like the others."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

Value = TypeVar("Value")


def unmasked(value: Value, name: str) -> Value:
    """Return what a person gives, or raise if NumPy masks numbers in it, also as arrays in a list.

    Args:
        value: anything.
        name: of the argument, for the error message.

    Raises:
        ValueError: some of its numbers are masked.

    Example:
        >>> unmasked([0.5, 2.0], "x")
        [0.5, 2.0]
    """
    parts = value if isinstance(value, list | tuple) else [value]
    count = sum(int(np.ma.getmaskarray(one).sum()) for one in parts if isinstance(one, np.ma.MaskedArray))
    if count:
        raise ValueError(
            f"{name} is a masked array with {count} masked numbers, which would count like the others: fill "
            f"them, by {name}.filled(0), or leave their samples out."
        )
    return value
