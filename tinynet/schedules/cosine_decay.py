"""A rate that falls along half a cosine wave."""

from __future__ import annotations

from dataclasses import dataclass

from ..arguments import Keywords, is_positive, is_rate, is_share, require
from .base import LearningRateSchedule, between, half_wave


@dataclass(frozen=True)
class CosineDecay(Keywords, LearningRateSchedule):
    """Lowers the learning rate along half a cosine wave, after an optional linear warm-up.

    Args:
        initial_learning_rate: the rate at the start: of the warm-up if there is one, else of the decay.
        decay_steps: batches from the highest rate to the lowest; then it stays there.
        alpha: the lowest rate, as a fraction of the highest, in 0..1. Default 0.
        name: has no effect. Default "CosineDecay".
        warmup_target: the rate at the end of the warm-up, from which it decays. Default None: no warm-up.
        warmup_steps: batches of warm-up, before the decay. Default 0.

    Raises:
        ValueError: a negative number, decay_steps that is not positive, alpha outside 0..1, or warmup_steps
            without warmup_target.

    Example:
        >>> schedule = CosineDecay(0.0, decay_steps=100, warmup_target=0.5, warmup_steps=10)
        >>> [round(schedule(step), 4) for step in (0, 5, 10, 60, 110, 999)]
        [0.0, 0.25, 0.5, 0.25, 0.0, 0.0]

    Source:
        I. Loshchilov, F. Hutter: SGDR: Stochastic Gradient Descent with Warm Restarts, 2017, without the
        restarts; the arguments are those of Keras.
    """

    initial_learning_rate: float
    decay_steps: float
    alpha: float = 0.0
    name: str = "CosineDecay"
    warmup_target: float | None = None
    warmup_steps: float = 0

    def __post_init__(self) -> None:
        require(self, initial_learning_rate=is_rate, decay_steps=is_positive, alpha=is_share)
        require(self, warmup_steps=is_rate)
        if self.warmup_target is not None:
            require(self, warmup_target=is_rate)
        elif self.warmup_steps:
            raise ValueError("CosineDecay: warmup_steps needs warmup_target=, the rate to warm up to.")

    def __call__(self, step: int) -> float:  # noqa: D102
        highest = self.initial_learning_rate if self.warmup_target is None else self.warmup_target
        if step < self.warmup_steps:
            return between(self.initial_learning_rate, highest, step / self.warmup_steps)
        lowest = self.alpha * highest
        return between(highest, lowest, half_wave((step - self.warmup_steps) / self.decay_steps))
