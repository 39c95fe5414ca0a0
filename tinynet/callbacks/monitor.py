"""What callbacks share that watch a value."""

from __future__ import annotations

import re
from typing import Literal

import numpy as np

from ..keywords import metric_of_today
from .base import Callback, Logs

Mode = Literal["auto", "min", "max"]

# What larger values of a metric of this name mean: better or worse.
LARGER_IS_BETTER = re.compile(
    "acc|auc|precision|recall|sensitivity|specificity|f1|fbeta|io_?u|r2|similarity|true_"
)
LARGER_IS_WORSE = re.compile(
    "loss|error|crossentropy|divergence|hinge|poisson|cosh|false_|^r?mse$|^mae$|^mape$|^msle$|^bce$|^kld$"
)


class Monitor(Callback):
    """The base of callbacks that watch whether a logged value still improves, as Keras does."""

    def __init__(self, monitor: str, mode: Mode, min_delta: float, best: float | None = None) -> None:
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"{type(self).__name__}: mode must be 'auto', 'min' or 'max'; got {mode!r}.")
        self.monitor, self.mode, self.min_delta = monitor, mode, abs(min_delta)
        self.best = best

    def check_monitor(self) -> None:
        """Raise, before any training, if the value will not be there, or nobody knows when it is better."""
        self.monitor = metric_of_today(self.monitor, self.model.log_names) or self.monitor
        if self.monitor not in [*self.model.log_names, "learning_rate"]:
            raise ValueError(
                f"{type(self).__name__}: monitor={self.monitor!r} is not among what this training logs: "
                f"{', '.join(self.model.log_names)}. For val_... give fit validation_data or "
                "validation_split."
            )
        _ = self.larger_is_better

    @property
    def larger_is_better(self) -> bool:
        """Whether a larger value is an improvement: as mode says, or the name."""
        name = self.monitor.removeprefix("val_").lower()
        if self.mode != "auto":
            return self.mode == "max"
        if LARGER_IS_WORSE.search(name):
            return False
        if not LARGER_IS_BETTER.search(name):
            raise ValueError(
                f"{type(self).__name__}: is a larger {self.monitor!r} better or worse? Say mode='max' or "
                "mode='min'."
            )
        return True

    def is_improvement(self, value: float, reference: float | None) -> bool:
        """Return whether a value is better than another by more than `min_delta`, or there is no other."""
        if np.ndim(value):
            raise ValueError(
                f"{type(self).__name__}: monitor={self.monitor!r} is {np.size(value)} numbers, and not "
                'one that gets better: take a metric of a single one, such as metrics.F1Score("macro").'
            )
        if reference is None:
            return True
        if self.larger_is_better:
            return bool(value - self.min_delta > reference)
        return bool(value + self.min_delta < reference)


def check_count(owner: Callback, name: str, value: int) -> None:
    """Raise if an argument is not a whole number of at least 0."""
    if not isinstance(value, int | np.integer) or value < 0:
        raise ValueError(f"{type(owner).__name__}: {name} must be an integer, at least 0; got {value!r}.")


def check_no_schedule(callback: Callback) -> None:
    """Raise if the learning rate follows a schedule, which nobody else can change."""
    if callable(callback.model.optimizer.learning_rate):
        raise ValueError(
            f"{type(callback).__name__} cannot change a learning rate that follows a schedule: give the "
            "optimizer a number, or leave this callback out."
        )


def log_learning_rate(callback: Callback, logs: Logs) -> float:
    """Add the learning rate to the logs, as Keras does, and return it."""
    rate = float(callback.model.optimizer.current_learning_rate)
    logs["learning_rate"] = rate
    return rate
