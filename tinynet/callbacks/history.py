"""The record of a training."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import views
from ..keywords import metric_of_today
from .base import Callback, Logs

MOST_ROWS = 10  # of the table of epochs


class Record(dict[str, list[float]]):
    """Lists by name, which are found by their former names, too: "acc" for "accuracy"."""

    def __missing__(self, name: str) -> list[float]:
        """Return the list of a former name, or raise."""
        today = metric_of_today(name, self)
        if today is None:
            raise KeyError(name)
        return self[today]


@dataclass(repr=False)
class History(Callback):
    """What `fit` returns, and every training has without being told; a notebook shows its curves.

    Attributes:
        history: for each of "loss", the metrics, and their "val_" twins, the values epoch by epoch.
        epoch: the epochs' numbers, from 0.
        model: the model that trained, as long as somebody keeps it; else None.

    Example:
        >>> record = History()
        >>> record.on_epoch_end(0, {"loss": 0.5})
        >>> record.history
        {'loss': [0.5]}
        >>> record
        History of 1 epoch
        epoch    loss
            1  0.5000
    """

    history: dict[str, list[float]] = field(default_factory=Record)
    epoch: list[int] = field(default_factory=list)

    @property
    def model(self) -> Any:
        """The model that trained, which keeps its history, and not the other way; None if it is gone."""
        reference = vars(self).get("_model")
        return None if reference is None else reference()

    def set_model(self, model: Any) -> None:
        vars(self)["_model"] = weakref.ref(model)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the model out of copies and pickles."""
        return vars(self) | {"_model": None}

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

    def epochs_of(self, name: str) -> list[int]:
        """Return the epochs, counted from 1, in which a value was recorded.

        Where there are fewer values than epochs, as with `validation_freq`, they are spread evenly.

        Example:
            >>> record = History({"loss": [3.0, 2.0, 1.5, 1.4], "val_loss": [2.5, 2.0]}, [0, 1, 2, 3])
            >>> record.epochs_of("val_loss")
            [2, 4]
        """
        count, epochs = len(self.history[name]), [epoch + 1 for epoch in self.epoch]
        if not 0 < count <= len(epochs):
            return [*range(1, count + 1)]
        apart = len(epochs) // count
        return epochs[apart - 1 :: apart][:count]

    def __repr__(self) -> str:
        head, rows = self._rows()
        return "\n".join([self._title(), *views.columns(head, rows)] if rows else [self._title()])

    def _repr_html_(self) -> str:
        """Show a notebook a curve for each value, training and validation in one drawing."""
        names = [name for name in self.history if name.removeprefix("val_") not in {*self.history} - {name}]
        head, rows = self._rows()
        drawn = [views.chart(name, self._curves(name), "epoch") for name in names]
        numbers = [views.table(head, rows, "r" * len(head), "Numbers")] if rows else []
        return views.page(self._title(), *drawn, *numbers)

    def _title(self) -> str:
        count = max([len(self.epoch), *map(len, self.history.values())])
        return f"History of {count or 'no'} epoch{'' if count == 1 else 's'}"

    def _rows(self) -> tuple[list[str], list[list[str]]]:
        """Return the table of epochs: its head, and a row for each of the first and the last ones."""
        found = {
            name: dict(zip(self.epochs_of(name), values, strict=True))
            for name, values in self.history.items()
        }
        rows = [
            [str(epoch), *(views.number(one[epoch]) if epoch in one else "" for one in found.values())]
            for epoch in sorted({epoch for one in found.values() for epoch in one})
        ]
        if len(rows) > MOST_ROWS:
            rows[MOST_ROWS // 2 : -MOST_ROWS // 2] = [["..."] * (1 + len(found))]
        return ["epoch", *found], rows

    def _curves(self, name: str) -> list[views.Curve]:
        """Return the curves of a value and of its twin, several for one that is several numbers."""
        found = []
        for key, dashed in ((name, name.startswith("val_")), (f"val_{name}", True)):
            values = np.array(self.history.get(key, ()), np.float64)
            for one in values.reshape(len(values), -1).T if len(values) else ():
                what, colour = ("validation", views.ORANGE) if dashed else ("training", views.BLUE)
                found.append(views.Curve(what, self.epochs_of(key), one.tolist(), colour, dashed))
        return found
