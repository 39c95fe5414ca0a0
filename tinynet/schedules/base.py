"""What a learning-rate schedule is, and learning rates as data."""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Self

from ..arguments import arguments_of
from ..elementary import cosine
from ..names import unknown

SCHEDULES: dict[str, type[LearningRateSchedule]] = {}  # tinynet's own, by their names


class LearningRateSchedule(ABC):
    """A learning rate that depends on the number of batches trained on so far.

    A schedule of one's own derives from this, and defines `__call__`.

    Example:
        >>> from tinynet.optim import StepDecay
        >>> halving = StepDecay(0.1, decay_steps=100, decay_rate=0.5)
        >>> isinstance(halving, LearningRateSchedule), halving(0), halving(250)
        (True, 0.1, 0.025)
    """

    def __init_subclass__(cls) -> None:
        """Note tinynet's own classes by their names in model files."""
        super().__init_subclass__()
        if cls.__module__.startswith("tinynet."):
            SCHEDULES[cls.__name__] = cls

    @abstractmethod
    def __call__(self, step: int) -> float:
        """Return the learning rate of a step.

        Args:
            step: counts batches, from 0.

        Returns:
            The learning rate.
        """

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, as JSON can hold them."""
        return arguments_of(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the schedule that `get_config` described."""
        return cls(**config)


def rate_at(rate: float | Callable[..., float], step: int) -> float:
    """Return the learning rate of a step: the number, or what a schedule or another function says."""
    if not callable(rate):
        return float(rate)
    if isinstance(rate, LearningRateSchedule) or takes_step(rate):
        return float(rate(step))
    return float(rate())  # as in Keras, where plain functions get nothing


def takes_step(function: Callable[..., float]) -> bool:
    """Return whether a function can be called with one argument."""
    try:
        inspect.signature(function).bind(0)
    except TypeError:
        return False
    except ValueError:  # it has no signature
        return True
    return True


def rate_as_data(rate: Any) -> Any:
    """Return a learning rate, a number or a schedule, as JSON can hold it."""
    if SCHEDULES.get(type(rate).__name__) is type(rate):
        return {"class_name": type(rate).__name__, "config": rate.get_config()}
    if callable(rate):
        raise TypeError(f"Only tinynet's own schedules can be saved as a learning rate, not {rate!r}.")
    return rate


def rate_from_data(rate: Any) -> Any:
    """Return the learning rate that `rate_as_data` described; or, with all in one dict, tinynet 0.1."""
    if not isinstance(rate, Mapping):
        return rate
    name, config = rate.get("class_name", rate.get("name")), rate.get("config")
    if name not in SCHEDULES:
        raise ValueError(unknown("schedule", name, SCHEDULES))
    if config is None:
        config = {key: value for key, value in rate.items() if key not in ("name", "class_name")}
    return SCHEDULES[name].from_config(config)


def between(start: float, end: float, share: float) -> float:
    """Return the number that is at a share of the way from start to end."""
    return float(start + (end - start) * share)


def half_wave(progress: float) -> float:
    """Return how far half a cosine wave has come from 0 to 1."""
    return (1 - float(cosine(math.pi * min(progress, 1.0)))) / 2
