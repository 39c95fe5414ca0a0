"""What a callback is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Logs = Mapping[str, float]


class Callback:
    """The base of all callbacks: define any of the methods; `self.model` is the model that trains.

    Example:
        >>> class Announce(Callback):
        ...     def on_epoch_end(self, epoch, logs):
        ...         print("epoch", epoch, sorted(logs))
    """

    model: Any  # a Sequential; models call callbacks, so that to import its class here would be a circle

    def on_train_begin(self) -> None:
        """Before the first epoch."""

    def on_epoch_begin(self, epoch: int) -> None:
        """Before epoch `epoch`, counted from 0."""

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """After a step: the loss and metrics of that batch."""

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """After an epoch and its validation: what the history records."""

    def on_train_end(self) -> None:
        """After the last epoch."""
