"""A rate that rises and falls once."""

from __future__ import annotations

from dataclasses import dataclass

from ..arguments import Keywords, is_count, is_positive, is_rate, is_share, require
from .base import LearningRateSchedule, between, half_wave


@dataclass(frozen=True)
class OneCycle(Keywords, LearningRateSchedule):
    """Raises the learning rate to a maximum, then lowers it to almost nothing; both along half a cosine wave.

    Args:
        max_learning_rate: the highest rate.
        total_steps: batches in the cycle: epochs × batches an epoch; then it stays at the lowest rate.
        warmup_fraction: the share of the steps during which the rate rises, in 0..1. Default 0.3.
        initial_divisor: the first rate is the highest divided by this. Default 25.
        final_divisor: the last rate is the first divided by this. Default 10,000.

    Raises:
        ValueError: a negative rate, a divisor that is not positive, or no step left to rise or to fall.

    Example:
        >>> schedule = OneCycle(0.1, total_steps=100)
        >>> [round(schedule(step), 4) for step in (0, 29, 64, 99)]
        [0.004, 0.1, 0.05, 0.0]

    Source:
        L. Smith, N. Topin: Super-Convergence: Very Fast Training of Neural Networks Using Large Learning
        Rates, 2018; the same values as PyTorch's OneCycleLR, of whose options this leaves out momentum.
    """

    max_learning_rate: float
    total_steps: int
    warmup_fraction: float = 0.3
    initial_divisor: float = 25.0
    final_divisor: float = 1e4

    def __post_init__(self) -> None:
        require(
            self,
            max_learning_rate=is_rate,
            total_steps=is_count,
            warmup_fraction=is_share,
            initial_divisor=is_positive,
            final_divisor=is_positive,
        )
        if not 1 < self.warmup_fraction * self.total_steps < self.total_steps:
            raise ValueError(f"{self!r}: more than one step must be left to rise, and one to fall.")

    def __call__(self, step: int) -> float:  # noqa: D102
        first = self.max_learning_rate / self.initial_divisor
        peak, end = self.warmup_fraction * self.total_steps - 1, self.total_steps - 1
        if step < peak:
            return between(first, self.max_learning_rate, half_wave(step / peak))
        last = first / self.final_divisor
        return between(self.max_learning_rate, last, half_wave((step - peak) / (end - peak)))
