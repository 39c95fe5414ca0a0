"""How a model trains: the steps that its optimizer, loss and metrics make."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ..distributed import Ranks
from ..execution.prediction import Prediction
from ..keywords import warn
from ..layers import Layer
from ..layers.flow import Flow
from ..layers.fusion import fuse
from ..layers.geometry import Shape
from ..layers.graph import Graph, prediction
from ..layers.parameter import runs_of
from ..losses import Loss
from ..metrics import Metrics
from ..optim import Optimizer
from .data import Batch, Samples
from .divergence import Watch
from .logits import doubt, split_at_logits
from .shared_step import SharedStep
from .step import Step, Steps
from .stream import Stream

Array = NDArray[Any]


class Trainer:
    """A model's optimizer, loss and metrics, and the steps that they make together.

    Args:
        model: the model, of one output; which of its layers are trainable is read now.
        infer: how the model predicts.
        optimizer: updates the parameters.
        loss: what to minimise.
        metrics: what else to report.
    """

    def __init__(
        self, model: Graph, infer: Prediction, optimizer: Optimizer, loss: Loss, metrics: Metrics
    ) -> None:
        self.model, self.optimizer, self.loss, self.metrics = model, optimizer, loss, metrics
        self.loss_sum, self.samples = 0.0, 0  # of what was trained on since `reset_metrics`
        self.watch = Watch(model, optimizer)
        self.in_epoch = False  # an evaluation then leaves the metrics alone, which go on counting
        self.ranks: Ranks | None = None  # with which this process trains
        self.flows: WeakKeyDictionary[Flow, tuple[Flow, Layer | None, Loss]] = WeakKeyDictionary()
        if problem := doubt(model.flow(), loss):
            warn(problem, UserWarning)
        self.loss_of_outputs = self.split()[2]
        self.steps = Steps(self.flow, model.trainable_parameters(), self.loss_of_outputs, optimizer)
        self.predict = infer if self.split()[1] is None else prediction(self.flow)
        self.trainable = trainable_parts(model)
        optimizer.adopt(model, self.steps.runs)

    def __getstate__(self) -> dict[str, Any]:
        """Leave what is laid out and recorded out of copies and pickles; `rejoin` makes it anew."""
        return vars(self) | {"flows": None, "predict": None}

    def distribute(self, ranks: Ranks | None) -> None:
        """Train and evaluate together with other processes from now on, or, by None, alone."""
        if ranks is self.ranks:
            return
        self.ranks = ranks
        self.steps.make(Step if ranks is None else functools.partial(SharedStep, ranks))

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
        self.reset_metrics()
        loss = self.count_step(batch, number)
        return {"loss": loss, **self.metrics.result()}

    def train(self, batch: Batch, number: int) -> dict[str, float]:
        """Train on one batch, as `step` does, and return the loss and metrics since `reset_metrics`."""
        self.count_step(batch, number)
        return self.result()

    def count_step(self, batch: Batch, number: int) -> float:
        """Train on one batch, count its loss and metrics, and return its loss."""
        targets = self.unchanged(batch)
        loss, outputs = self.steps(batch.inputs, targets, number, batch.weights)
        samples, method = len(batch.targets), "fit" if self.in_epoch else "train_on_batch"
        self.watch.loss(method, number, loss, batch)
        self.loss_sum, self.samples = self.loss_sum + loss * samples, self.samples + samples
        if self.metrics:
            self.metrics.update(targets, self.predictions(batch.inputs, outputs), batch.weights)
        return loss

    def unchanged(self, batch: Batch) -> Array:
        """Return a copy of a batch's targets, or raise if they are no longer what the loss takes."""
        targets, flow = batch.targets.copy(), self.flow([x.shape[1:] for x in batch.inputs])
        try:
            self.loss.check(targets, (len(targets), *flow.shapes[flow.outputs[0]]))
        except (TypeError, ValueError) as error:
            raise ValueError(
                "The targets of a batch have been changed since they were checked, by a callback or another "
                f"thread: {error}"
            ) from error
        return targets

    def reset_metrics(self) -> None:
        """Let the loss and the metrics begin anew."""
        self.loss_sum, self.samples = 0.0, 0
        self.metrics.reset()

    def result(self) -> dict[str, float]:
        """Return the loss and the metrics since `reset_metrics`."""
        return {"loss": self.loss_sum / max(self.samples, 1), **self.metrics.result()}

    def evaluate(self, data: Samples | Stream, steps: int | None = None) -> dict[str, float]:
        """Return the loss, weighted by samples if they have weights, and the metrics.

        Args:
            data: samples, or batches of them.
            steps: how many batches; None for all.
        """
        losses, counts, metrics = list[float](), list[int](), self.metrics.fresh()
        for batch, outputs in self.outputs_for(data, steps):
            weights, loss = batch.weights, self.loss_of_outputs
            rows = None if weights is None else loss.prepare_weights(weights, outputs.shape)
            targets = self.unchanged(batch)
            losses.append(loss.of_checked(targets, outputs, rows))
            counts.append(len(outputs))
            if metrics:
                metrics.update(targets, self.predictions(batch.inputs, outputs), weights)
        if not self.in_epoch:
            self.metrics.follow(metrics)
        mean = losses[0] if len(losses) == 1 else float(np.average(losses, weights=counts))
        return {"loss": mean + self.steps.penalty(), **metrics.result()}

    def outputs_for(self, data: Samples | Stream, steps: int | None) -> Iterator[tuple[Batch, Array]]:
        """Yield samples, all together, or batches of them, and the outputs before the last activation."""
        if isinstance(data, Samples):
            assert data.targets is not None
            parts = self.outputs_of(data.chunks())
            outputs = parts[0] if len(parts) == 1 else np.concatenate(parts)
            yield Batch([*data.inputs], data.targets, data.weights), outputs
            return
        batches = itertools.islice(data.epoch(0), steps)
        first = next(batches, None)
        if first is None:
            raise ValueError("The data to evaluate yields no batches.")
        for batch in itertools.chain([first], batches):
            yield batch, self.predict(batch.inputs)[0]

    def outputs_of(self, chunks: Sequence[Samples]) -> list[Array]:
        """Return the outputs for parts of the data, of which each rank computes some."""
        if self.ranks is None:
            return [self.predict(chunk.convert())[0] for chunk in chunks]
        own = [self.predict(chunks[i].convert())[0] for i in self.ranks.share(len(chunks))]
        return [part for parts in self.ranks.tell(own) for part in parts]

    def predictions(self, inputs: Sequence[Array], outputs: Array) -> Array:
        """Return what metrics get of the outputs that the loss gets: the last activation's."""
        _, activation, _ = self.split([x.shape[1:] for x in inputs])
        return outputs if activation is None else activation.forward(outputs)


def trainable_parts(model: Graph) -> list[str]:
    """Return the paths of those parts of a model that are trainable now."""
    return [path for path, part in model.parts() if part.trainable]
