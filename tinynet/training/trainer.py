"""How a model trains: the steps that its optimizer, loss and metrics make, and the epochs of `fit`."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ..callbacks import Callback
from ..execution.prediction import Prediction
from ..layers import Layer
from ..layers.flow import Flow
from ..layers.fusion import fuse
from ..layers.geometry import Shape
from ..layers.graph import Graph, prediction
from ..layers.parameter import runs_of
from ..losses import Loss
from ..metrics import Metric
from ..optim import Optimizer
from .average import MovingAverage
from .data import Batch, Samples
from .feed import Feed, Validation
from .history import History
from .logits import doubt, split_at_logits
from .progress import Averages, Progress
from .step import Steps
from .stream import Stream

Array = NDArray[Any]


class Trainer:
    """A model's optimizer, loss and metrics, and the steps that they make together.

    Args:
        model: the model, of one output; which of its layers are trainable is read now.
        infer: how the model predicts.
        optimizer: updates the parameters.
        loss: what to minimise.
        metrics: what else to report, by name.
    """

    def __init__(
        self, model: Graph, infer: Prediction, optimizer: Optimizer, loss: Loss, metrics: dict[str, Metric]
    ) -> None:
        self.model, self.optimizer, self.loss, self.metrics = model, optimizer, loss, metrics
        self.flows: WeakKeyDictionary[Flow, tuple[Flow, Layer | None, Loss]] = WeakKeyDictionary()
        if problem := doubt(model.flow(), loss):
            warnings.warn(problem, stacklevel=4)  # from `compile`
        self.loss_of_outputs = self.split()[2]
        self.steps = Steps(self.flow, model.trainable_parameters(), self.loss_of_outputs, optimizer)
        self.predict = infer if self.split()[1] is None else prediction(self.flow)
        self.trainable = trainable_parts(model)
        optimizer.adopt(model, self.steps.runs)

    def __getstate__(self) -> dict[str, Any]:
        """Leave what is laid out and recorded out of copies and pickles; `rejoin` makes it anew."""
        return vars(self) | {"flows": None, "predict": None}

    def rejoin(self, infer: Prediction) -> None:
        """Go on in a copy of the model, whose parameters have been placed anew."""
        self.flows = WeakKeyDictionary()
        self.predict = infer if self.split()[1] is None else prediction(self.flow)
        self.steps.runs = runs_of(self.steps.parameters)
        self.optimizer.follow(self.model, self.steps.runs)

    def split(self, shapes: Sequence[Shape] | None = None) -> tuple[Flow, Layer | None, Loss]:
        """Return what is trained: the calls up to the loss, the activation that it cancels, and the loss.

        Args:
            shapes: of a sample of each input; default: those that the model was built for.
        """
        whole = self.model.flow(shapes)
        if whole not in self.flows:
            flow, activation, loss = split_at_logits(whole, self.loss)
            self.flows[whole] = fuse(flow), activation, loss
        return self.flows[whole]

    def flow(self, shapes: Sequence[Shape] | None = None) -> Flow:
        """Return the calls up to the loss."""
        return self.split(shapes)[0]

    def step(self, batch: Batch, number: int) -> dict[str, float]:
        """Train on one batch.

        Args:
            batch: checked.
            number: the number of the training step, for dropout.

        Returns:
            The batch's loss, weighted by samples if they have weights, and metrics, as they were before the
            update.
        """
        loss, outputs = self.steps(batch.inputs, batch.targets, number, batch.weights)
        return {"loss": loss, **self.measure(batch.inputs, batch.targets, outputs)}

    def evaluate(self, data: Samples | Stream, steps: int | None = None) -> dict[str, float]:
        """Return the loss, weighted by samples if they have weights, and the metrics.

        Args:
            data: samples, which are measured together, or batches, over which means are taken.
            steps: how many batches; None for all.
        """
        if isinstance(data, Samples):
            parts = [self.predict(chunk)[0] for chunk in data.chunks()]
            assert data.targets is not None
            outputs = parts[0] if len(parts) == 1 else np.concatenate(parts)
            return self.measured(Batch([*data.inputs], data.targets, data.weights), outputs)
        averages = Averages()
        for batch in itertools.islice(data.epoch(0), steps):
            averages.add(self.measured(batch, self.predict(batch.inputs)[0]), len(batch.targets))
        if not averages.samples:
            raise ValueError("The data to evaluate yields no batches.")
        return averages.means()

    def measured(self, batch: Batch, outputs: Array) -> dict[str, float]:
        """Return the loss and the metrics of outputs before the last activation."""
        weights, loss = batch.weights, self.loss_of_outputs
        if weights is not None:
            weights = loss.prepare_weights(weights, outputs.shape)
        value = loss.of_checked(batch.targets, outputs, weights) + self.steps.penalty()
        return {"loss": value, **self.measure(batch.inputs, batch.targets, outputs)}

    def measure(self, inputs: Sequence[Array], y_true: Array, outputs: Array) -> dict[str, float]:
        """Return the metrics, which get the predictions after the last activation."""
        if self.metrics:
            _, activation, _ = self.split([x.shape[1:] for x in inputs])
            outputs = outputs if activation is None else activation.forward(outputs)
        return {name: float(metric(y_true, outputs)) for name, metric in self.metrics.items()}


def trainable_parts(model: Graph) -> list[str]:
    """Return the paths of those parts of a model that are trainable now."""
    return [path for path, part in model.parts() if part.trainable]


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
        self.callbacks = list(callbacks)
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(f"fit: callbacks must be a list of Callback objects; it holds {callback!r}.")
        self.model, self.trainer, self.feed, self.validation = model, trainer, feed, validation
        self.progress, self.average, self.history = progress, average, History()

    def run(self, epochs: Iterable[int]) -> History:
        """Train for these epochs, counted from 0, or until a callback stops it or the data is over."""
        model = self.model
        model.stop_training = False
        model.log_names = ["loss", *self.trainer.metrics]
        if self.validation.data is not None:
            model.log_names += [f"val_{name}" for name in model.log_names]
        for callback in self.callbacks:
            callback.model = model
            callback.on_train_begin()
        try:
            for epoch in epochs:
                self.epoch(epoch)
                if model.stop_training or self.feed.is_over:
                    break
        finally:  # Ctrl-C in a late epoch must not lose the best weights, nor their average
            self.average.keep()
            for callback in self.callbacks:
                callback.on_train_end()
        return self.history

    def epoch(self, epoch: int) -> None:
        """Train on the epoch's batches, validate, and tell the callbacks."""
        for callback in self.callbacks:
            callback.on_epoch_begin(epoch)
        self.progress.begin(epoch, self.feed.total, self.feed.unit)
        logs: dict[str, float] | None = None
        try:
            logs = self.train()
            with self.average.in_place():
                if self.validation.data is not None and self.validation.is_due(epoch):
                    measured = self.trainer.evaluate(self.validation.data, self.validation.steps)
                    logs |= {f"val_{name}": value for name, value in measured.items()}
        finally:
            self.progress.end(epoch, logs)
        self.history.add(epoch, logs)
        with self.average.in_place():
            for callback in self.callbacks:
                callback.on_epoch_end(epoch, logs)

    def train(self) -> dict[str, float]:
        """Train on an epoch's batches, and return the means of the loss and the metrics."""
        model, averages = self.model, Averages()
        for number, batch in enumerate(self.feed.epoch(model.epochs_trained)):
            logs = self.trainer.step(batch, model.steps_trained)
            model.steps_trained += 1
            self.average.update()
            samples = len(batch.targets)
            averages.add(logs, samples)
            self.progress.update(samples if self.feed.counts_samples else 1, averages.means())
            for callback in self.callbacks:
                callback.on_train_batch_end(number, logs)
            if model.stop_training:
                break
        if not averages.samples:
            raise ValueError("fit: x yields no batches.")
        model.epochs_trained += 1
        return averages.means()
