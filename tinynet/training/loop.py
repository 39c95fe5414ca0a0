"""The epochs of `fit`: steps, validation, and whom to tell."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any, Protocol

from ..callbacks import BackupAndRestore, Callback, History
from ..callbacks.callback_list import CallbackList
from .average import MovingAverage
from .data import Batch
from .feed import Feed, Validation
from .notebook import shorten
from .progress import Progress
from .state import numbers_of, restore, state_of, tell_of_other_numbers
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
        self.begun = numbers_of(trainer.optimizer)  # before callbacks change them
        self.place: tuple[int, int] | None = (
            None  # the epoch that comes next or goes on, and its batches done
        )
        self.place_in_data: dict[str, Any] = {}  # where the feed is to go on
        self.logs: dict[str, float] = {}  # of the last epoch
        self.is_over = False
        for callback in self.callbacks.callbacks:
            if isinstance(callback, BackupAndRestore):
                callback.training = self

    def state(self) -> dict[str, Any]:
        """Return all that this training needs to go on from here in another process, as plain data."""
        return {
            "place": list(self.place or ()),
            "begun": self.begun,
            "feed": self.feed.state(),
            "is_over": self.model.stop_training or self.feed.is_over,
            "logs": self.logs,
            "callbacks": self.callbacks.get_state(),
            **state_of(self.model, self.trainer, self.average),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned; raise ValueError if it is of another training."""
        restore(state, self.model, self.trainer, self.average)
        begun = state.get("begun", self.begun)
        tell_of_other_numbers(self.begun, begun, state["optimizer"]["arguments"])
        self.begun = begun
        self.callbacks.set_state(state["callbacks"])
        self.place = tuple(state["place"]) or None
        self.logs, self.model.stop_training = state["logs"], state["is_over"]
        self.place_in_data = state["feed"]

    def to_do(self, epochs: range) -> range:
        """Return which of these epochs are left."""
        if self.place is None:
            return epochs
        self.feed.go_on(self.place_in_data)
        return range(0) if self.model.stop_training else range(self.place[0], epochs.stop)

    def run(self, epochs: range) -> History:
        """Train for these epochs, counted from 0, or until a callback stops it or the data is over."""
        model = self.model
        model.stop_training = self.trainer.watch.has_told = False
        model.log_names = ["loss", *self.trainer.metrics]
        if self.validation.data is not None:
            model.log_names += [f"val_{name}" for name in model.log_names]
        self.callbacks.tell("on_train_begin")
        try:
            for epoch in self.to_do(epochs):
                done = self.done_of(epoch)
                batches = self.feed.epoch(model.epochs_trained, done)
                first = [*itertools.islice(batches, 1)]
                if not first and not done:
                    self.check_trained()
                    break
                self.logs = self.epoch(epoch, itertools.chain(first, batches))
                if model.stop_training or self.feed.is_over:
                    break
            self.is_over = True
        except KeyboardInterrupt as interrupt:
            shorten(interrupt, self.interrupted())
            raise
        finally:  # Ctrl-C in a late epoch must not lose the best weights, nor their average
            self.average.keep()
            self.callbacks.tell("on_train_end", logs=self.logs)
        return self.history

    def interrupted(self) -> str:
        """Return what a notebook is told after Ctrl-C."""
        done = len(self.history.epoch)
        return (
            f"KeyboardInterrupt: fit stopped after {done} of {self.progress.epochs} epochs; the model keeps "
            "its weights, and model.history what was measured."
        )

    def done_of(self, epoch: int) -> int:
        """Return how many batches of an epoch have been done."""
        return self.place[1] if self.place is not None and self.place[0] == epoch else 0

    def check_trained(self) -> None:
        """Raise if there was no data at all."""
        if not self.history.epoch:
            raise ValueError("fit: x yields no batches.")

    def epoch(self, epoch: int, batches: Iterable[Batch]) -> dict[str, float]:
        """Train on an epoch's batches, validate, tell the callbacks, and return what was measured."""
        self.callbacks.tell("on_epoch_begin", epoch)
        self.progress.begin(epoch, self.feed.total, self.feed.unit)
        if done := self.done_of(epoch):
            self.progress.update(self.trainer.samples if self.feed.counts_samples else done, {})
        logs: dict[str, float] | None = None
        try:
            logs = self.train(epoch, batches)
            with self.average.in_place():
                if self.validation.is_due(epoch):
                    logs |= {f"val_{name}": value for name, value in self.validate().items()}
        finally:
            self.trainer.in_epoch = False
            self.progress.end(epoch, logs)
        self.logs, self.place = logs, (epoch + 1, 0)
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

    def train(self, epoch: int, batches: Iterable[Batch]) -> dict[str, float]:
        """Train on the batches that are left of an epoch, and return the loss and metrics over all of it."""
        model, trainer, done = self.model, self.trainer, self.done_of(epoch)
        if not done:
            trainer.reset_metrics()
        trainer.in_epoch = True
        batch = None
        for number, batch in enumerate(batches, done):
            self.callbacks.tell("on_train_batch_begin", number)
            logs = trainer.train(batch, model.steps_trained)
            model.steps_trained += 1
            self.average.update()
            self.place = epoch, number + 1
            self.progress.update(len(batch.targets) if self.feed.counts_samples else 1, logs)
            self.callbacks.tell("on_train_batch_end", number, logs=logs)
            if model.stop_training:
                break
        if batch is not None:
            trainer.watch.weights("fit", model.steps_trained, batch)
        model.epochs_trained += 1
        trainer.in_epoch = False
        return trainer.result()
