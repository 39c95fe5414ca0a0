"""How much samples of each class weigh."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def weights_of_classes(targets: Array, class_weight: Any, dtype: np.dtype[Any], method: str) -> Array:
    """Return the weight of each sample's class, (N,).

    Args:
        targets: (N,) or (N, 1) labels, or (N, classes), a row of one number for each class.
        class_weight: the weight of each class that does not weigh 1, as a dict.
        dtype: of the result.
        method: whose arguments they are, for error messages.

    Raises:
        TypeError: class_weight is no dict.
        ValueError: it holds something else than classes and numbers, or the targets are no classes.
    """
    if not isinstance(class_weight, Mapping):
        raise TypeError(
            f"{method}: class_weight must be a dict such as {{0: 1.0, 1: 5.0}}; got {class_weight!r}."
        )
    weights = {name: value for name, value in class_weight.items() if is_class(name) and is_weight(value)}
    if len(weights) < len(class_weight):
        name = next(name for name in class_weight if name not in weights)
        raise ValueError(
            f"{method}: class_weight must give classes, counted from 0, their weights; got "
            f"{name!r}: {class_weight[name]!r}."
        )
    labels = targets
    if targets.ndim > 1:
        labels = targets.argmax(axis=-1) if targets.shape[-1] > 1 else targets[..., 0]
    if labels.ndim != 1:
        raise ValueError(f"{method}: class_weight needs a class for each sample; got y {targets.shape}.")
    result = np.ones(len(labels), dtype)
    for name, value in weights.items():
        result[np.rint(labels) == name] = value
    return result


def is_class(name: Any) -> bool:
    """Return whether a key of class_weight is the number of a class."""
    return isinstance(name, int | float | np.number) and bool(name >= 0 and name == np.rint(name))


def is_weight(value: Any) -> bool:
    """Return whether a value of class_weight is a finite number."""
    return isinstance(value, int | float | np.number) and bool(np.isfinite(value))
