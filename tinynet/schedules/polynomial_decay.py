"""A rate that falls along a power of the steps that are left."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..arguments import Keywords, is_positive, is_rate, require
from ..elementary import power
from .base import LearningRateSchedule


@dataclass(frozen=True)
class PolynomialDecay(Keywords, LearningRateSchedule):
    """Lowers the learning rate to its end along a polynomial: a straight line, or another power.

    Args:
        initial_learning_rate: the rate at the start.
        decay_steps: batches from the start to the end; then the rate stays there.
        end_learning_rate: the rate at the end. Default 0.0001.
        power: of the share of the steps that are left. Default 1.
        cycle: at the end, begin again, above it, with as many times the steps as fit all so far. Default
            False.
        name: has no effect. Default "PolynomialDecay".

    Raises:
        ValueError: a negative rate, or decay_steps or power that is not positive.

    Example:
        >>> schedule = PolynomialDecay(0.5, decay_steps=100, end_learning_rate=0.25)
        >>> schedule(0), schedule(50), schedule(100), schedule(999)
        (0.5, 0.375, 0.25, 0.25)

    Source:
        The arguments and values are those of Keras.
    """

    initial_learning_rate: float
    decay_steps: float
    end_learning_rate: float = 0.0001
    power: float = 1.0
    cycle: bool = False
    name: str = "PolynomialDecay"

    def __post_init__(self) -> None:
        require(
            self,
            initial_learning_rate=is_rate,
            decay_steps=is_positive,
            end_learning_rate=is_rate,
            power=is_positive,
        )

    def __call__(self, step: int) -> float:  # noqa: D102
        steps = self.decay_steps
        if self.cycle:
            steps *= max(math.ceil(step / steps), 1)
        left = 1 - min(step, steps) / steps
        start, end = self.initial_learning_rate, self.end_learning_rate
        return float((start - end) * power(left, self.power) + end)
