"""Learning-rate schedules: a rate for each step."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .arguments import Keywords, arguments_of, is_count, is_positive, is_rate, is_share, named, require


@dataclass(frozen=True)
class Schedule(Keywords, ABC):
    """A learning rate that depends on the number of batches trained on so far."""

    @abstractmethod
    def __call__(self, step: int) -> float:
        """Return the learning rate of a step.

        Args:
            step: counts batches, from 0.

        Returns:
            The learning rate.
        """

    def config(self) -> dict[str, Any]:
        """Return the name and the arguments, as JSON can hold them."""
        return {"name": type(self).__name__, **arguments_of(self)}


@dataclass(frozen=True)
class Constant(Schedule):
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
class StepDecay(Schedule):
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
        return float(self.initial_learning_rate * self.decay_rate ** (step // self.decay_steps))


@dataclass(frozen=True)
class ExponentialDecay(Schedule):
    """Multiplies the learning rate by a factor over an interval, a little at each batch.

    Args:
        initial_learning_rate: the rate at the start.
        decay_steps: batches over which the rate is multiplied by the factor once.
        decay_rate: the factor.

    Raises:
        ValueError: a negative rate, decay_steps below 1, or a factor that is not positive.

    Example:
        >>> schedule = ExponentialDecay(0.5, decay_steps=100, decay_rate=0.25)
        >>> schedule(0), schedule(50), schedule(100)
        (0.5, 0.25, 0.125)
    """

    initial_learning_rate: float
    decay_steps: int
    decay_rate: float

    def __post_init__(self) -> None:
        require(self, initial_learning_rate=is_rate, decay_steps=is_count, decay_rate=is_positive)

    def __call__(self, step: int) -> float:  # noqa: D102
        return float(self.initial_learning_rate * self.decay_rate ** (step / self.decay_steps))


@dataclass(frozen=True)
class CosineDecay(Schedule):
    """Lowers the learning rate along half a cosine wave, after an optional linear warm-up.

    Args:
        initial_learning_rate: the rate at the start: of the warm-up if there is one, else of the decay.
        decay_steps: batches from the highest rate to the lowest; then it stays there.
        alpha: the lowest rate, as a fraction of the highest, in 0..1. Default 0.
        warmup_target: the rate at the end of the warm-up, from which it decays. Default None: no warm-up.
        warmup_steps: batches of warm-up, before the decay. Default 0.

    Raises:
        ValueError: a negative rate, decay_steps below 1, alpha outside 0..1, or only one of warmup_target
            and warmup_steps.

    Example:
        >>> schedule = CosineDecay(0.0, decay_steps=100, warmup_target=0.5, warmup_steps=10)
        >>> [round(schedule(step), 4) for step in (0, 5, 10, 60, 110, 999)]
        [0.0, 0.25, 0.5, 0.25, 0.0, 0.0]

    Source:
        I. Loshchilov, F. Hutter: SGDR: Stochastic Gradient Descent with Warm Restarts, 2017, without the
        restarts; the arguments are those of Keras.
    """

    initial_learning_rate: float
    decay_steps: int
    alpha: float = 0.0
    warmup_target: float | None = None
    warmup_steps: int = 0

    def __post_init__(self) -> None:
        require(self, initial_learning_rate=is_rate, decay_steps=is_count, alpha=is_share)
        if self.warmup_target is not None or self.warmup_steps:
            if self.warmup_target is None:
                raise ValueError("CosineDecay: warmup_steps needs warmup_target=, the rate to warm up to.")
            require(self, warmup_target=is_rate, warmup_steps=is_count)

    def __call__(self, step: int) -> float:  # noqa: D102
        highest = self.initial_learning_rate if self.warmup_target is None else self.warmup_target
        if step < self.warmup_steps:
            return _between(self.initial_learning_rate, highest, step / self.warmup_steps)
        lowest = self.alpha * highest
        return _between(highest, lowest, _half_wave((step - self.warmup_steps) / self.decay_steps))


@dataclass(frozen=True)
class OneCycle(Schedule):
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
            return _between(first, self.max_learning_rate, _half_wave(step / peak))
        last = first / self.final_divisor
        return _between(self.max_learning_rate, last, _half_wave((step - peak) / (end - peak)))


SCHEDULES: dict[str, type[Schedule]] = {
    schedule.__name__: schedule for schedule in (Constant, StepDecay, ExponentialDecay, CosineDecay, OneCycle)
}


def rate_as_data(rate: Any) -> Any:
    """Return a learning rate, a number or a schedule, as JSON can hold it."""
    if isinstance(rate, Schedule):
        return rate.config()
    if callable(rate):
        raise TypeError(f"Only a Schedule can be saved as a learning rate, not {rate!r}.")
    return rate


def rate_from_data(rate: Any) -> Any:
    """Return the learning rate that `rate_as_data` described."""
    if not isinstance(rate, Mapping):
        return rate
    schedule, arguments = named(SCHEDULES, rate, "schedule")
    return schedule(**arguments)


def _between(start: float, end: float, share: float) -> float:
    return float(start + (end - start) * share)


def _half_wave(progress: float) -> float:
    return (1 - math.cos(math.pi * min(progress, 1.0))) / 2
