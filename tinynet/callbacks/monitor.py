"""What callbacks share that watch a value."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from .base import Callback, Logs

Mode = Literal["auto", "min", "max"]


class Monitor(Callback):
    """The base of callbacks that watch whether a logged value still improves."""

    def __init__(self, monitor: str, mode: Mode, min_delta: float) -> None:
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"{type(self).__name__}: mode must be 'auto', 'min' or 'max'; got {mode!r}.")
        larger_is_better = mode == "max" or (mode == "auto" and "acc" in monitor)
        self.monitor, self.sign, self.min_delta = monitor, -1 if larger_is_better else 1, abs(min_delta)
        self.best, self.wait = math.inf, 0

    def on_train_begin(self) -> None:
        self.best, self.wait = math.inf, 0
        if self.monitor not in self.model.log_names:
            raise ValueError(
                f"{type(self).__name__}: monitor={self.monitor!r} is not among what this training logs: "
                f"{', '.join(self.model.log_names)}. For val_... give fit validation_data or "
                "validation_split."
            )

    def improved(self, logs: Logs) -> bool:
        """Return whether the monitored value is better than ever, and count the epochs since it was."""
        value = self.sign * logs[self.monitor]
        better = value < self.best - self.min_delta
        if better:
            self.best = value
        self.wait = 0 if better else self.wait + 1
        return better


def check_count(owner: Callback, name: str, value: int) -> None:
    """Raise if an argument is not a whole number of at least 0."""
    if not isinstance(value, int | np.integer) or value < 0:
        raise ValueError(f"{type(owner).__name__}: {name} must be an integer, at least 0; got {value!r}.")
