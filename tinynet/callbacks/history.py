"""The record of a training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..keywords import metric_of_today
from .base import Callback, Logs


class Record(dict[str, list[float]]):
    """Lists by name, which are found by their former names, too: "acc" for "accuracy"."""

    def __missing__(self, name: str) -> list[float]:
        """Return the list of a former name, or raise."""
        today = metric_of_today(name, self)
        if today is None:
            raise KeyError(name)
        return self[today]


@dataclass
class History(Callback):
    """What `fit` returns, and every training has without being told.

    Attributes:
        history: for each of "loss", the metrics, and their "val_" twins, the values epoch by epoch.
        epoch: the epochs' numbers, from 0.

    Example:
        >>> record = History()
        >>> record.on_epoch_end(0, {"loss": 0.5})
        >>> record.history
        {'loss': [0.5]}
    """

    history: dict[str, list[float]] = field(default_factory=Record)
    epoch: list[int] = field(default_factory=list)

    def set_model(self, model: Any) -> None:
        """Keep no model: the model keeps its history."""

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def get_state(self) -> dict[str, Any]:
        """Return all that is recorded."""
        return {"history": self.history, "epoch": self.epoch}

    def set_state(self, state: dict[str, Any]) -> None:
        """Record on from there."""
        self.history.clear()
        self.history.update(state["history"])
        self.epoch = state["epoch"]
