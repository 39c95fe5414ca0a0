"""A rate that falls along half a cosine wave, and begins again."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..arguments import Keywords, is_positive, is_rate, is_share, require
from ..elementary import power
from .base import LearningRateSchedule, between, half_wave


@dataclass(frozen=True)
class CosineDecayRestarts(Keywords, LearningRateSchedule):
    """Lowers the learning rate along half a cosine wave, and restarts it, each time for longer.

    Args:
        initial_learning_rate: the rate at the start.
        first_decay_steps: batches up to the first restart.
        t_mul: each period is so many times as long as the one before, at least 1. Default 2.
        m_mul: each restart begins with so many times the rate of the one before. Default 1.
        alpha: the lowest rate, as a fraction of the first, in 0..1. Default 0.
        name: has no effect. Default "SGDRDecay".

    Raises:
        ValueError: a negative rate, first_decay_steps or m_mul that is not positive, t_mul below 1, or alpha
            outside 0..1.

    Example:
        >>> schedule = CosineDecayRestarts(0.5, first_decay_steps=100, m_mul=0.5)
        >>> [round(schedule(step), 4) for step in (0, 50, 99, 100, 200, 300)]
        [0.5, 0.25, 0.0001, 0.25, 0.125, 0.125]

    Source:
        I. Loshchilov, F. Hutter: SGDR: Stochastic Gradient Descent with Warm Restarts, 2017; the arguments
        are those of Keras.
    """

    initial_learning_rate: float
    first_decay_steps: float
    t_mul: float = 2.0
    m_mul: float = 1.0
    alpha: float = 0.0
    name: str = "SGDRDecay"

    def __post_init__(self) -> None:
        require(
            self,
            initial_learning_rate=is_rate,
            first_decay_steps=is_positive,
            t_mul=is_positive,
            m_mul=is_positive,
            alpha=is_share,
        )
        if self.t_mul < 1:
            raise ValueError(f"CosineDecayRestarts: t_mul must be at least 1, not {self.t_mul}.")

    def __call__(self, step: int) -> float:  # noqa: D102
        # Counted and not by logarithms, as Keras does: those may round a restart away.
        restarts, length, left = 0, float(self.first_decay_steps), float(step)
        if self.t_mul == 1:
            restarts = math.floor(left / length)
            left -= restarts * length
        while left >= length:
            restarts, left, length = restarts + 1, left - length, length * self.t_mul
        share = power(self.m_mul, restarts) * (1 - half_wave(left / length))
        return between(self.alpha * self.initial_learning_rate, self.initial_learning_rate, share)
