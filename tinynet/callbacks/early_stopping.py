"""Stop training when it no longer helps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .base import Logs
from .monitor import Mode, Monitor, check_count


class EarlyStopping(Monitor):
    """Stop training when a value has not improved for some epochs.

    Args:
        monitor: what to watch, a key of the history; default "val_loss".
        min_delta: a change of this size or less is no improvement; default 0.
        patience: epochs without improvement before training stops; default 0.
        verbose: 1 to print when it stops and restores; default 0: only where it stops because of NaN.
        mode: "min", "max" or "auto" (default: from the name, such as "val_accuracy").
        baseline: if given, improvements count only where the value is better than this; default None.
        restore_best_weights: whether the model ends with the weights of its best epoch; default False.
        start_from_epoch: epochs before this one, counted from 0, are not looked at; default 0.

    Raises:
        ValueError: an argument is not what is said above, or `fit` does not log what to monitor.

    Example:
        >>> EarlyStopping(monitor="val_accuracy", patience=3, restore_best_weights=True).patience
        3
    """

    _counted = ("best", "wait", "stopped_epoch", "best_epoch", "best_weights")

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: Mode = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        check_count(self, "patience", patience)
        check_count(self, "start_from_epoch", start_from_epoch)
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best_weights: list[np.ndarray[Any, Any]] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.check_monitor()
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best, self.best_weights = None, None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        value = (logs or {}).get(self.monitor)
        if value is None or epoch < self.start_from_epoch:  # an epoch that was not validated has none
            return
        self.wait += 1
        if self.is_improvement(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.is_improvement(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience:
            self.model.stop_training, self.stopped_epoch = True, epoch
            self.tell_of_nan(epoch, value)

    def tell_of_nan(self, epoch: int, value: float) -> None:
        """Print, also where nothing is to be printed, that training stops because of NaN."""
        numbers = [value, value if self.best is None else self.best]
        if found := [number for number in numbers if not math.isfinite(number)]:
            print(f"\nEpoch {epoch + 1}: training stops, because {self.monitor} is {found[0]}.")

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.verbose and self.stopped_epoch:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose:
                print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)
