"""Lower the learning rate where training gets stuck."""

from __future__ import annotations

from .base import Logs
from .monitor import Mode, Monitor, check_count


class ReduceLROnPlateau(Monitor):
    """Lower the learning rate when a value has not improved for some epochs.

    Args:
        monitor: what to watch, a key of the history; default "val_loss".
        factor: what the learning rate is multiplied by, above 0 and below 1; default 0.1.
        patience: epochs without improvement before that; default 10.
        min_delta: a smaller change is no improvement; default 0.0001.
        cooldown: epochs to wait after lowering it before counting again; default 0.
        min_lr: the learning rate is never lower; default 0.
        mode: "min", "max" or "auto" (default: larger is better where the name holds "acc").

    Raises:
        ValueError: factor is not between 0 and 1, another argument is not what is said above, the learning
            rate follows a schedule, or `fit` does not log what to monitor.

    Example:
        >>> ReduceLROnPlateau(factor=0.5, patience=2).factor
        0.5
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        mode: Mode = "auto",
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        if not 0 < factor < 1:
            raise ValueError(f"ReduceLROnPlateau: factor must be above 0 and below 1; got {factor}.")
        check_count(self, "patience", patience)
        check_count(self, "cooldown", cooldown)
        if not isinstance(min_lr, int | float) or not min_lr >= 0:
            raise ValueError(f"ReduceLROnPlateau: min_lr must be a number, at least 0; got {min_lr!r}.")
        self.factor, self.patience, self.cooldown, self.min_lr = factor, patience, cooldown, min_lr
        self.resting = 0

    def on_train_begin(self) -> None:
        super().on_train_begin()
        self.resting = 0
        if callable(self.model.optimizer.learning_rate):
            raise ValueError(
                "ReduceLROnPlateau cannot change a learning rate that follows a schedule: give the optimizer "
                "a number, or leave this callback out."
            )

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        better = self.improved(logs)
        if self.resting > 0:
            self.resting, self.wait = self.resting - 1, 0
        elif not better and self.wait >= self.patience:
            optimizer = self.model.optimizer
            rate = optimizer.current_learning_rate
            optimizer.learning_rate = min(rate, max(rate * self.factor, self.min_lr))
            self.resting, self.wait = self.cooldown, 0
