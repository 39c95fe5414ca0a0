"""A model's optimizer, loss and metrics, and what they do together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from ..execution.prediction import Prediction
from ..layers import Layer
from ..layers.conv_pool import fuse
from ..layers.flow import Flow
from ..layers.geometry import Shape
from ..layers.graph import Graph, prediction
from ..layers.parameter import runs_of
from ..losses import Loss
from ..metrics import Metric
from ..optim import Optimizer
from .logits import split_at_logits
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
        self.flows: dict[Flow, tuple[Flow, Layer | None, Loss]] = {}
        self.loss_of_outputs = self.split()[2]
        self.steps = Steps(self.flow, model.trainable_parameters(), self.loss_of_outputs, optimizer)
        self.predict = infer if self.split()[1] is None else prediction(self.flow)
        self.trainable = trainable_parts(model)
        optimizer.adopt(model, self.steps.runs)

    def __getstate__(self) -> dict[str, Any]:
        """Leave what is laid out and recorded out of copies and pickles; `rejoin` makes it anew."""
        return vars(self) | {"flows": {}, "predict": None}

    def rejoin(self, infer: Prediction) -> None:
        """Go on in a copy of the model, whose parameters have been placed anew."""
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

    def step(self, inputs: Sequence[Array], y: Array, number: int) -> dict[str, float]:
        """Train on one batch.

        Args:
            inputs: (N, ...) each.
            y: their targets, checked.
            number: the number of the training step, for dropout.

        Returns:
            The batch's loss and metrics, as they were before the update.
        """
        loss, outputs = self.steps(inputs, y, number)
        return {"loss": loss, **self.measure(inputs, outputs, y)}

    def evaluate(self, inputs: Sequence[Array], y: Array) -> dict[str, float]:
        """Return the loss and the metrics on data that the model has checked."""
        (outputs,) = self.predict(inputs)
        return {"loss": self.loss_of_outputs(outputs, y), **self.measure(inputs, outputs, y)}

    def measure(self, inputs: Sequence[Array], outputs: Array, targets: Array) -> dict[str, float]:
        """Return the metrics, which get the predictions after the last activation."""
        if self.metrics:
            _, activation, _ = self.split([x.shape[1:] for x in inputs])
            outputs = outputs if activation is None else activation.forward(outputs)
        return {name: float(metric(outputs, targets)) for name, metric in self.metrics.items()}


def trainable_parts(model: Graph) -> list[str]:
    """Return the paths of those parts of a model that are trainable now."""
    return [path for path, part in model.parts() if part.trainable]
