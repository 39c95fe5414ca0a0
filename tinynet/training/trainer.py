"""How a model trains: the steps that its optimizer, loss and metrics make."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

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
from .data import Batch, Samples
from .logits import doubt, split_at_logits
from .progress import Averages
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
