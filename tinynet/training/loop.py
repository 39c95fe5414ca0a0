"""The epochs of `fit`: steps, validation, and whom to tell."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Protocol

from ..callbacks import Callback, History
from ..callbacks.callback_list import CallbackList
from .average import MovingAverage
from .data import Batch
from .feed import Feed, Validation
from .progress import Progress
from .trainer import Trainer


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
        feed: what it trains on.
        validation: what it evaluates between epochs.
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
        feed: Feed,
        validation: Validation,
        callbacks: Iterable[Callback],
        progress: Progress,
        average: MovingAverage,
    ) -> None:
        params = {"verbose": progress.verbose, "epochs": progress.epochs, "steps": feed.steps_an_epoch}
        self.callbacks = CallbackList(callbacks, model, params)
        self.model, self.trainer, self.feed, self.validation = model, trainer, feed, validation
        self.progress, self.average, self.history = progress, average, self.callbacks.history

    def run(self, epochs: Iterable[int]) -> History:
        """Train for these epochs, counted from 0, or until a callback stops it or the data is over."""
        model = self.model
        model.stop_training = False
        model.log_names = ["loss", *self.trainer.metrics]
        if self.validation.data is not None:
            model.log_names += [f"val_{name}" for name in model.log_names]
        logs: dict[str, float] = {}
        self.callbacks.tell("on_train_begin")
        try:
            for epoch in epochs:
                batches = self.feed.epoch(model.epochs_trained)
                first = next(batches, None)
                if first is None:
                    self.check_trained()
                    break
                logs = self.epoch(epoch, itertools.chain([first], batches))
                if model.stop_training or self.feed.is_over:
                    break
        finally:  # Ctrl-C in a late epoch must not lose the best weights, nor their average
            self.average.keep()
            self.callbacks.tell("on_train_end", logs=logs)
        return self.history

    def check_trained(self) -> None:
        """Raise if there was no data at all."""
        if not self.history.epoch:
            raise ValueError("fit: x yields no batches.")

    def epoch(self, epoch: int, batches: Iterable[Batch]) -> dict[str, float]:
        """Train on an epoch's batches, validate, tell the callbacks, and return what was measured."""
        self.callbacks.tell("on_epoch_begin", epoch)
        self.progress.begin(epoch, self.feed.total, self.feed.unit)
        logs: dict[str, float] | None = None
        try:
            logs = self.train(batches)
            with self.average.in_place():
                if self.validation.is_due(epoch):
                    logs |= {f"val_{name}": value for name, value in self.validate().items()}
        finally:
            self.trainer.in_epoch = False
            self.progress.end(epoch, logs)
        with self.average.in_place():
            self.callbacks.tell("on_epoch_end", epoch, logs=logs)
        return logs

    def validate(self) -> dict[str, float]:
        """Return the loss and the metrics on the validation data, for callbacks a single batch."""
        assert self.validation.data is not None
        self.callbacks.tell("on_test_begin")
        self.callbacks.tell("on_test_batch_begin", 0)
        logs = self.trainer.evaluate(self.validation.data, self.validation.steps)
        self.callbacks.tell("on_test_batch_end", 0, logs=logs)
        self.callbacks.tell("on_test_end", logs=logs)
        return logs

    def train(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Train on batches, and return the loss and the metrics over all of them."""
        model, trainer = self.model, self.trainer
        trainer.reset_metrics()
        trainer.in_epoch = True
        for number, batch in enumerate(batches):
            self.callbacks.tell("on_train_batch_begin", number)
            logs = trainer.train(batch, model.steps_trained)
            model.steps_trained += 1
            self.average.update()
            self.progress.update(len(batch.targets) if self.feed.counts_samples else 1, logs)
            self.callbacks.tell("on_train_batch_end", number, logs=logs)
            if model.stop_training:
                break
        model.epochs_trained += 1
        trainer.in_epoch = False
        return trainer.result()
