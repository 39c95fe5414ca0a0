"""How a model trains: the steps that its optimizer, loss and metrics make, and the epochs of `fit`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol
from weakref import WeakKeyDictionary

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
from .data import Batches
from .history import History
from .logits import split_at_logits
from .progress import Averages, Progress
from .step import Steps

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

    def step(
        self, inputs: Sequence[Array], y: Array, number: int, weights: Array | None = None
    ) -> dict[str, float]:
        """Train on one batch.

        Args:
            inputs: (N, ...) each.
            y: their targets, checked.
            number: the number of the training step, for dropout.
            weights: (N,) how much each sample counts in the loss; default None, all alike.

        Returns:
            The batch's loss and metrics, as they were before the update.
        """
        loss, outputs = self.steps(inputs, y, number, weights)
        return {"loss": loss, **self.measure(inputs, y, outputs)}

    def evaluate(self, inputs: Sequence[Array], y: Array, weights: Array | None = None) -> dict[str, float]:
        """Return the loss, weighted by samples if there are weights, and the metrics, on checked data."""
        (outputs,) = self.predict(inputs)
        if weights is not None:
            weights = self.loss_of_outputs.prepare_weights(weights, outputs.shape)
        loss = self.loss_of_outputs.of_checked(y, outputs, weights)
        return {"loss": loss, **self.measure(inputs, y, outputs)}

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
