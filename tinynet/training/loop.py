"""The training loop: epochs of steps, validation, and what callbacks are told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from ..callbacks import Callback
from .average import MovingAverage
from .data import Batches
from .history import History
from .progress import Averages, Progress
from .trainer import Trainer

Array = NDArray[Any]


class Trained(Protocol):
    """What a loop reads and writes on the model that it trains.

    Attributes:
        steps_trained, epochs_trained: of its whole life, which random numbers depend on.
        stop_training: a callback sets it to True to end the loop.
        log_names: what the loop logs.
    """

    steps_trained: int
    epochs_trained: int
    stop_training: bool
    log_names: list[str]


class Loop:
    """One call of `fit`.

    Args:
        model: what trains.
        trainer: makes its steps.
        data: what it trains on.
        validation: inputs and targets to evaluate after each epoch, or None.
        callbacks: what to tell between steps and epochs.
        progress: what to print.
        average: of the weights.

    Raises:
        TypeError: something in callbacks is no callback.
    """

    def __init__(
        self,
        model: Trained,
        trainer: Trainer,
        data: Batches,
        validation: tuple[Sequence[Array], Array] | None,
        callbacks: Iterable[Callback],
        progress: Progress,
        average: MovingAverage,
    ) -> None:
        self.callbacks = list(callbacks)
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(f"fit: callbacks must be a list of Callback objects; it holds {callback!r}.")
        self.model, self.trainer, self.data, self.validation = model, trainer, data, validation
        self.progress, self.average, self.history = progress, average, History()

    def run(self, epochs: int) -> History:
        """Train for so many epochs, or until a callback stops it."""
        model = self.model
        model.stop_training = False
        model.log_names = ["loss", *self.trainer.metrics]
        if self.validation is not None:
            model.log_names += [f"val_{name}" for name in model.log_names]
        for callback in self.callbacks:
            callback.model = model
            callback.on_train_begin()
        try:
            for epoch in range(epochs):
                self.epoch(epoch)
                if model.stop_training:
                    break
        finally:  # Ctrl-C in a late epoch must not lose the best weights, nor their average
            self.average.keep()
            for callback in self.callbacks:
                callback.on_train_end()
        return self.history

    def epoch(self, epoch: int) -> None:
        """Train on every sample once, validate, and tell the callbacks."""
        for callback in self.callbacks:
            callback.on_epoch_begin(epoch)
        self.progress.begin(epoch)
        logs: dict[str, float] | None = None
        try:
            logs = self.train()
            with self.average.in_place():
                if self.validation is not None:
                    measured = self.trainer.evaluate(*self.validation)
                    logs |= {f"val_{name}": value for name, value in measured.items()}
        finally:
            self.progress.end(epoch, logs)
        self.history.add(epoch, logs)
        with self.average.in_place():
            for callback in self.callbacks:
                callback.on_epoch_end(epoch, logs)

    def train(self) -> dict[str, float]:
        """Train on every sample once, and return the means of the loss and the metrics."""
        model, averages = self.model, Averages()
        for batch, (inputs, targets) in enumerate(self.data.epoch(model.epochs_trained)):
            logs = self.trainer.step(inputs, targets, model.steps_trained)
            model.steps_trained += 1
            self.average.update()
            averages.add(logs, len(targets))
            self.progress.update(len(targets), averages.means())
            for callback in self.callbacks:
                callback.on_train_batch_end(batch, logs)
            if model.stop_training:
                break
        model.epochs_trained += 1
        return averages.means()
