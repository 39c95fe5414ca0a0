"""A rate that falls like 1 / time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..arguments import Keywords, is_positive, is_rate, require
from .base import LearningRateSchedule


@dataclass(frozen=True)
class InverseTimeDecay(Keywords, LearningRateSchedule):
    """Divides the learning rate by 1 + decay_rate × the number of intervals that have passed.

    Args:
        initial_learning_rate: the rate at the start.
        decay_steps: batches of an interval.
        decay_rate: what each interval adds to the divisor, not negative.
        staircase: count whole intervals only. Default False.
        name: has no effect. Default "InverseTimeDecay".

    Raises:
        ValueError: a negative rate, or decay_steps that is not positive.

    Example:
        >>> schedule = InverseTimeDecay(0.5, decay_steps=100, decay_rate=1)
        >>> schedule(0), schedule(100), schedule(300)
        (0.5, 0.25, 0.125)

    Source:
        The arguments and values are those of Keras.
    """

    initial_learning_rate: float
    decay_steps: float
    decay_rate: float
    staircase: bool = False
    name: str = "InverseTimeDecay"

    def __post_init__(self) -> None:
        require(self, initial_learning_rate=is_rate, decay_steps=is_positive, decay_rate=is_rate)

    def __call__(self, step: int) -> float:  # noqa: D102
        intervals = step / self.decay_steps
        if self.staircase:
            intervals = math.floor(intervals)
        return float(self.initial_learning_rate / (1 + self.decay_rate * intervals))
