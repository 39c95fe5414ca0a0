"""Rates that stay the same, for ever or for some steps."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arguments import Keywords, is_count, is_positive, is_rate, require
from ..elementary import power
from .base import LearningRateSchedule


@dataclass(frozen=True)
class Constant(Keywords, LearningRateSchedule):
    """The same learning rate for ever.

    Args:
        learning_rate: the rate.

    Raises:
        ValueError: a negative rate.

    Example:
        >>> Constant(0.1)(1000)
        0.1
    """

    learning_rate: float

    def __post_init__(self) -> None:
        require(self, learning_rate=is_rate)

    def __call__(self, step: int) -> float:  # noqa: D102
        return self.learning_rate


@dataclass(frozen=True)
class StepDecay(Keywords, LearningRateSchedule):
    """Multiplies the learning rate by a factor at regular intervals.

    Args:
        initial_learning_rate: the rate at the start.
        decay_steps: batches from one decay to the next.
        decay_rate: the factor. Default 0.1.

    Raises:
        ValueError: a negative rate, decay_steps below 1, or a factor that is not positive.

    Example:
        >>> schedule = StepDecay(0.5, decay_steps=100, decay_rate=0.5)
        >>> schedule(99), schedule(100), schedule(200)
        (0.5, 0.25, 0.125)
    """

    initial_learning_rate: float
    decay_steps: int
    decay_rate: float = 0.1

    def __post_init__(self) -> None:
        require(self, initial_learning_rate=is_rate, decay_steps=is_count, decay_rate=is_positive)

    def __call__(self, step: int) -> float:  # noqa: D102
        return float(self.initial_learning_rate * power(self.decay_rate, step // self.decay_steps))


@dataclass(frozen=True)
class PiecewiseConstantDecay(Keywords, LearningRateSchedule):
    """A learning rate for each of several intervals.

    Args:
        boundaries: the last step of each interval but the last, increasing.
        values: the rate in each interval: one more than boundaries.
        name: has no effect. Default "PiecewiseConstant".

    Raises:
        TypeError: boundaries or values are no lists of numbers.
        ValueError: a negative rate, another number of values, or boundaries that do not increase.

    Example:
        >>> schedule = PiecewiseConstantDecay([100, 200], [0.5, 0.25, 0.125])
        >>> schedule(0), schedule(100), schedule(101), schedule(201)
        (0.5, 0.5, 0.25, 0.125)

    Source:
        The arguments and values are those of Keras.
    """

    boundaries: Sequence[float]
    values: Sequence[float]
    name: str = "PiecewiseConstant"

    def __post_init__(self) -> None:
        for name in ("boundaries", "values"):
            given = getattr(self, name)
            try:
                numbers = tuple(as_number(number) for number in given)
            except (TypeError, ValueError):
                raise TypeError(
                    f"PiecewiseConstantDecay: {name} must be a list of numbers; got {given!r}."
                ) from None
            object.__setattr__(self, name, numbers)
        if len(self.values) != len(self.boundaries) + 1 or not self.boundaries:
            raise ValueError(
                "PiecewiseConstantDecay: values must be one more than boundaries, and these at least one; "
                f"got {len(self.boundaries)} boundaries and {len(self.values)} values."
            )
        if any(first >= second for first, second in itertools.pairwise(self.boundaries)):
            raise ValueError(f"PiecewiseConstantDecay: boundaries must increase; got {self.boundaries}.")
        for value in self.values:
            if problem := is_rate(value):
                raise ValueError(f"PiecewiseConstantDecay: each of values {problem}, not {value}.")

    def __call__(self, step: int) -> float:  # noqa: D102
        return float(self.values[bisect.bisect_left(self.boundaries, step)])


def as_number(value: Any) -> float:
    """Return a number as Python's own, an integer as one."""
    return int(value) if isinstance(value, int | np.integer) else float(value)
