"""Shapes of samples, from wherever a layer's arguments have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .values import plain, shape, short, whole


def given_shape(config: Mapping[str, Any]) -> list[int | None] | None:
    """Return the shape of a sample that a layer's arguments say, or None.

    Args:
        config: the arguments, of which `batch_shape`, `batch_input_shape`, `input_shape`, or `input_dim` and
            `input_length` are looked at.

    Example:
        >>> given_shape({"batch_input_shape": [None, 28, 28]}), given_shape({"input_dim": 3})
        ([28, 28], [3])
    """
    for name in ("batch_shape", "batch_input_shape"):
        if config.get(name) is not None:
            found = plain(config[name])
            if isinstance(found, list) and found and isinstance(found[0], list):
                raise ValueError(f"expected the shape of one input; got {short(found)}")
            return shape(found)[1:]
    if config.get("input_shape") is not None:
        return shape(config["input_shape"])
    if config.get("input_dim") is not None:
        steps = [config["input_length"]] if "input_length" in config else []
        return shape([*steps, whole(config["input_dim"])])
    return None
