"""A rate that is multiplied by a factor again and again."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..arguments import Keywords, is_positive, is_rate, require
from ..elementary import power
from .base import LearningRateSchedule


@dataclass(frozen=True)
class ExponentialDecay(Keywords, LearningRateSchedule):
    """Multiplies the learning rate by a factor over an interval, a little at each batch.

    Args:
        initial_learning_rate: the rate at the start.
        decay_steps: batches over which the rate is multiplied by the factor once.
        decay_rate: the factor.
        staircase: multiply at the end of each interval instead. Default False.
        name: has no effect. Default "ExponentialDecay".

    Raises:
        ValueError: a negative rate, decay_steps that is not positive, or a factor that is not positive.

    Example:
        >>> schedule = ExponentialDecay(0.5, decay_steps=100, decay_rate=0.25)
        >>> schedule(0), schedule(50), schedule(100)
        (0.5, 0.25, 0.125)

    Source:
        The arguments and values are those of Keras.
    """

    initial_learning_rate: float
    decay_steps: float
    decay_rate: float
    staircase: bool = False
    name: str = "ExponentialDecay"

    def __post_init__(self) -> None:
        require(self, initial_learning_rate=is_rate, decay_steps=is_positive, decay_rate=is_positive)

    def __call__(self, step: int) -> float:  # noqa: D102
        intervals = step / self.decay_steps
        if self.staircase:
            intervals = math.floor(intervals)
        return float(self.initial_learning_rate * power(self.decay_rate, intervals))
