"""Keras's functions that merge symbols, each a layer and its call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .arithmetic import Add, Average, Maximum, Multiply, Subtract
from .concatenate import Concatenate
from .merge import Merge


def merging(kind: type[Merge]) -> Callable[..., Any]:
    """Return the function that makes a layer of a kind and calls it."""

    def merge(inputs: Sequence[Any], **keywords: Any) -> Any:
        return kind(**keywords)(inputs)

    name = kind.__name__
    merge.__name__ = merge.__qualname__ = name.lower()
    merge.__doc__ = f"""Merge inputs by `{name}`.

    Args:
        inputs: symbols or arrays, a list.
        keywords: what `{name}` takes, such as `name`.

    Returns:
        What a layer `{name}(**keywords)` returns for the inputs.

    Raises:
        TypeError, ValueError: as that layer.

    Example:
        >>> from tinynet import Input, layers
        >>> layers.{name.lower()}([Input((2,)), Input((2,))]).shape
        (None, {4 if kind is Concatenate else 2})
    """
    return merge


add, average, concatenate = merging(Add), merging(Average), merging(Concatenate)
maximum, multiply, subtract = merging(Maximum), merging(Multiply), merging(Subtract)
