"""What Keras writes in the place of plain values: tuples, shapes, arrays, names of classes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

WRAPPED = ("__tuple__", "TensorShape", "__tensor__", "__numpy__", "__ndarray__")


def plain(value: Any) -> Any:
    """Return a value without what JSON wraps it in: tuples, shapes and arrays become lists.

    Args:
        value: what JSON gave.

    Example:
        >>> plain({"class_name": "TensorShape", "items": [None, 28, 28]})
        [None, 28, 28]
    """
    if isinstance(value, Mapping):
        inside = value.get("config")
        if value.get("class_name") in WRAPPED:
            return plain(value["items"] if "items" in value else inside["value"])  # type: ignore[index]
        if "type" in value and "value" in value:  # of NumPy's, as Keras 2 wrote it
            return plain(value["value"])
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def short(value: Any) -> str:
    """Return what an error message shows of a value."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def class_name(value: Any) -> str:
    """Return the name of a class without its package: "Adam" of "Custom>Adam"."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"expected the name of a class; got {short(value)}")
    return value.rpartition(">")[2]


def layer_name(name: Any) -> str:
    """Return what tinynet calls a layer: what Keras does, but for "/", which stands in tinynet's paths.

    Example:
        >>> layer_name("conv1/bn")
        'conv1_bn'
    """
    if not isinstance(name, str) or not name:
        raise ValueError(f"expected a layer's name; got {short(name)}")
    return name.replace("/", "_")


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    """Return a dictionary, or raise."""
    if not isinstance(value, Mapping):
        raise ValueError(f"expected {what} as a dictionary; got {short(value)}")
    return value


def sequence(value: Any, what: str) -> list[Any]:
    """Return a list, or raise."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"expected {what} as a list; got {short(value)}")
    return [*value]


def whole(value: Any) -> int:
    """Return an integer, or raise."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**53:
        raise ValueError(f"expected an integer; got {short(value)}")
    return value


def number(value: Any) -> float:
    """Return a finite number, or raise."""
    value = plain(value)
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"expected a number; got {short(value)}")
    return value


def flag(value: Any) -> bool:
    """Return whether, or raise."""
    if value not in (True, False) or isinstance(value, float):
        raise ValueError(f"expected true or false; got {short(value)}")
    return bool(value)


def word(value: Any) -> str:
    """Return a word in lower case, or raise."""
    if not isinstance(value, str):
        raise ValueError(f"expected a word; got {short(value)}")
    return value.lower()


def nested(reader: Any) -> Any:
    """Return a reader of what `reader` reads, or of lists of that, of any depth."""

    def read(value: Any) -> Any:
        value = plain(value)
        return [read(one) for one in value] if isinstance(value, list) else reader(value)

    return read


def optional(reader: Any) -> Any:
    """Return a reader of what `reader` reads, or of None."""
    return lambda value: None if value is None else reader(value)


def axis(value: Any) -> int:
    """Return an axis that may be given as a list of one."""
    value = plain(value)
    return whole(value[0] if isinstance(value, list) and len(value) == 1 else value)


def shape(value: Any) -> list[int | None]:
    """Return a shape, of which None are sizes that are not known."""
    sizes = sequence(plain(value), "a shape")
    for size in sizes:
        if size is not None and whole(size) < 0:
            raise ValueError(f"expected sizes; got {short(value)}")
    return sizes
