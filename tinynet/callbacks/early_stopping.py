"""Stop training when it no longer helps."""

from __future__ import annotations

from typing import Any

import numpy as np

from .base import Logs
from .monitor import Mode, Monitor, check_count


class EarlyStopping(Monitor):
    """Stop training when a value has not improved for some epochs.

    Args:
        monitor: what to watch, a key of the history; default "val_loss".
        min_delta: a smaller change is no improvement; default 0.
        patience: epochs without improvement before training stops; default 0.
        mode: "min", "max" or "auto" (default: larger is better where the name holds "acc").
        restore_best_weights: whether the model ends with the weights of its best epoch; default False.

    Raises:
        ValueError: mode or patience is not what is said above, or `fit` does not log what to monitor.

    Example:
        >>> EarlyStopping(monitor="val_accuracy", patience=3, restore_best_weights=True).patience
        3
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        mode: Mode = "auto",
        restore_best_weights: bool = False,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        check_count(self, "patience", patience)
        self.patience, self.restore_best_weights = patience, restore_best_weights
        self.best_weights: list[np.ndarray[Any, Any]] | None = None
        self.stopped_epoch: int | None = None

    def on_train_begin(self) -> None:
        super().on_train_begin()
        self.best_weights, self.stopped_epoch = None, None

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        if self.improved(logs):
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
        elif self.wait >= self.patience:
            self.model.stop_training, self.stopped_epoch = True, epoch

    def on_train_end(self) -> None:
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)
