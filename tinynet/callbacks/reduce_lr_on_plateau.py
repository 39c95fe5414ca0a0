"""Lower the learning rate where training gets stuck."""

from __future__ import annotations

from .base import Logs
from .monitor import Mode, Monitor, check_count, check_no_schedule, log_learning_rate


class ReduceLROnPlateau(Monitor):
    """Lower the learning rate when a value has not improved for some epochs.

    It adds "learning_rate" to the logs: the rate of the epoch that ends.

    Args:
        monitor: what to watch, a key of the history; default "val_loss".
        factor: what the learning rate is multiplied by, above 0 and below 1; default 0.1.
        patience: epochs without improvement before that; default 10.
        verbose: 1 to print each change; default 0.
        mode: "min", "max" or "auto" (default: from the name, such as "val_accuracy").
        min_delta: a change of this size or less is no improvement; default 0.0001.
        cooldown: epochs to wait after lowering it before counting again; default 0.
        min_lr: the learning rate is never lowered further; default 0.

    Raises:
        ValueError: factor is not between 0 and 1, another argument is not what is said above, the learning
            rate follows a schedule, or `fit` does not log what to monitor.

    Example:
        >>> ReduceLROnPlateau(factor=0.5, patience=2).factor
        0.5
    """

    _counted = ("best", "wait", "cooldown_counter")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: Mode = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        if not 0 < factor < 1:
            raise ValueError(f"ReduceLROnPlateau: factor must be above 0 and below 1; got {factor}.")
        check_count(self, "patience", patience)
        check_count(self, "cooldown", cooldown)
        if not isinstance(min_lr, int | float) or not min_lr >= 0:
            raise ValueError(f"ReduceLROnPlateau: min_lr must be a number, at least 0; got {min_lr!r}.")
        self.factor, self.patience, self.verbose, self.min_lr = factor, patience, verbose, min_lr
        self.cooldown, self.cooldown_counter, self.wait = cooldown, 0, 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.check_monitor()
        check_no_schedule(self)
        self.best, self.cooldown_counter, self.wait = None, 0, 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = {} if logs is None else logs
        rate, value = log_learning_rate(self, logs), logs.get(self.monitor)
        if value is None:  # of an epoch that was not validated
            return
        if self.cooldown_counter:
            self.cooldown_counter -= 1
        if self.is_improvement(value, self.best):
            self.best, self.wait = value, 0
        elif not self.cooldown_counter:
            self.wait += 1
            if self.wait >= self.patience and rate > self.min_lr:
                new = max(rate * self.factor, self.min_lr)
                self.model.optimizer.learning_rate = new
                self.cooldown_counter, self.wait = self.cooldown, 0
                if self.verbose:
                    print(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {new}.")
