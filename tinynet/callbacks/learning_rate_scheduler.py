"""A learning rate for each epoch."""

from __future__ import annotations

import numbers
from collections.abc import Callable

from .base import Callback, Logs, takes
from .monitor import check_no_schedule, log_learning_rate


class LearningRateScheduler(Callback):
    """Set the learning rate before each epoch.

    It adds "learning_rate" to the logs.

    Args:
        schedule: a function of the epoch, counted from 0, and the learning rate so far, or of the epoch
            alone, which returns the learning rate.
        verbose: 1 to print each rate; default 0.

    Raises:
        TypeError: schedule is no function.
        ValueError: it does not return a number, or the learning rate follows a schedule already.

    Example:
        >>> halve = LearningRateScheduler(lambda epoch, lr: lr / 2 if epoch else lr)
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        if not callable(schedule):
            raise TypeError(f"LearningRateScheduler: schedule must be a function; got {schedule!r}.")
        self.schedule, self.verbose = schedule, verbose

    def on_train_begin(self, logs: Logs | None = None) -> None:
        check_no_schedule(self)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        optimizer = self.model.optimizer
        arguments = (epoch, optimizer.current_learning_rate)
        rate = self.schedule(*arguments[: 2 if takes(self.schedule, 2) else 1])
        if not isinstance(rate, numbers.Real) or isinstance(rate, bool):
            raise ValueError(f"LearningRateScheduler: schedule must return a number; it returned {rate!r}.")
        optimizer.learning_rate = float(rate)
        if self.verbose:
            print(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        log_learning_rate(self, {} if logs is None else logs)
