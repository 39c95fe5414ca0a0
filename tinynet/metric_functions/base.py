"""What a metric is: what it has seen, as state, and a number made of it."""

from __future__ import annotations

import itertools
import re
from abc import ABC, abstractmethod
from collections import defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..order import check_order

Array = NDArray[Any]
Floats = NDArray[np.float64]

_numbers: defaultdict[str, itertools.count[int]] = defaultdict(itertools.count)


class Metric(ABC):
    """What every metric can do; a subclass writes `update_state`, `result` and `reset_state`.

    Args:
        dtype: as in Keras, without effect: metrics count in float64.
        name: under which logs and histories list it; default: its class's name, in lower case with
            underscores, and with a number from the second object of a process on, as in Keras: precision,
            precision_1.

    Example:
        >>> class LargestError(Metric):
        ...     def reset_state(self):
        ...         self.largest = 0.0
        ...
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.largest = max(self.largest, float(np.abs(y_true - y_pred).max()))
        ...
        ...     def result(self):
        ...         return self.largest
        >>> metric = LargestError()
        >>> metric.reset_state()
        >>> metric(np.array([1.0, 2.0]), np.array([1.5, 2.0]))
        0.5
    """

    given: str | None = None  # Keras's name, if it was given by that

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.dtype = dtype
        self.name = unused(snake_case(type(self).__name__)) if name is None else name

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if "update_state" in vars(cls):
            check_order(vars(cls)["update_state"], f"{cls.__name__}.update_state", method=True)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Update the state, and return the result so far."""
        self.update_state(*arguments, **keywords)
        return self.result()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"

    def add_weight(self, *arguments: Any, **keywords: Any) -> Any:
        """Refuse Keras's way to make state, which is another one here."""
        raise NotImplementedError(
            f"{type(self).__name__}: metrics here keep plain numbers and arrays: instead of self.total = "
            "self.add_weight(...), write self.total = 0.0 in __init__ and in reset_state, and instead of "
            "self.total.assign_add(value), self.total += value in update_state, with NumPy's functions."
        )

    add_variable = add_weight

    @abstractmethod
    def update_state(self, *arguments: Any, **keywords: Any) -> None:
        """Count a batch: most metrics take (y_true, y_pred, sample_weight=None)."""

    @abstractmethod
    def result(self) -> Any:
        """Return the metric of all that has been counted, a float (or an array, if there are several)."""

    @abstractmethod
    def reset_state(self) -> None:
        """Forget what has been counted."""


def snake_case(name: str) -> str:
    """Return a class's name in lower case with underscores, as Keras does."""
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def unused(name: str) -> str:
    """Return a name that no metric of this process has: the name itself, then name_1 and so on."""
    number = next(_numbers[name])
    return f"{name}_{number}" if number else name


def same_rank(first: Array, second: Array) -> tuple[Array, Array]:
    """Return two arrays, of which one loses or gets a last axis of 1, as in Keras, if that makes them fit."""
    if first.ndim == second.ndim + 1 and first.shape[-1] == 1:
        return (first, second[:, None]) if second.ndim == 1 else (first[..., 0], second)
    if second.ndim == first.ndim + 1 and second.shape[-1] == 1:
        return (first[:, None], second) if first.ndim == 1 else (first, second[..., 0])
    return first, second


def divided(numerator: Any, denominator: Any) -> Floats:
    """Return the quotient, and 0 where the divisor is 0."""
    numerator, denominator = np.broadcast_arrays(
        np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    )
    result = np.zeros(numerator.shape)
    np.divide(numerator, denominator, out=result, where=denominator != 0)
    return result


def number_or_array(result: Floats) -> Any:
    """Return a single number as a float."""
    return float(result) if result.ndim == 0 else result
