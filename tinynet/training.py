"""Training: what `compile`, `fit`, `evaluate` and `train_on_batch` of a model do."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .callbacks import Callback
from .data.batches import batches, train_validation_split
from .layers import Layer, Parameter, Sigmoid, Softmax
from .layers.activation import ActivatedLayer
from .losses import BinaryCrossentropy, CategoricalCrossentropy, Loss, SparseCategoricalCrossentropy
from .metrics import Metric
from .optim import Optimizer
from .parallel import Replicas, infer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .model import Sequential

Array = NDArray[Any]


class Augment(Protocol):
    """What `fit(augment=...)` takes: changes training images at random, reproducibly.

    The result for a sample may depend on the seed, the epoch and the sample's index alone, because the
    function is called for parts of a batch, on several threads at once.
    """

    def __call__(self, images: Array, *, seed: int, epoch: int, indices: Array) -> Array:
        """Return changed copies of images (n, *input_shape); indices (n,) are their places in the data."""
        ...


@dataclasses.dataclass
class History:
    """What `fit` returns.

    Attributes:
        history: for each of "loss", the metrics, and their "val_" twins, the values epoch by epoch.
        epoch: the epochs' numbers, from 0.

    Example:
        >>> record = History()
        >>> record.add(0, {"loss": 0.5})
        >>> record.history
        {'loss': [0.5]}
    """

    history: dict[str, list[float]] = dataclasses.field(default_factory=dict)
    epoch: list[int] = dataclasses.field(default_factory=list)

    def add(self, epoch: int, logs: dict[str, float]) -> None:
        """Append an epoch's values."""
        self.epoch.append(epoch)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)


def split_at_logits(layers: Sequence[Layer], loss: Loss) -> tuple[list[Layer], Layer | None, Loss]:
    """Take a last softmax or sigmoid out of the layers and into the loss, where the two cancel.

    The gradient of cross-entropy with respect to the logits is probabilities - targets: exact and never
    NaN, where the two steps on their own would divide by a probability that has underflowed to 0.

    Args:
        layers: a model's layers.
        loss: its loss.

    Returns:
        The layers that compute the logits, the last activation, and the loss of logits; or the layers,
        None and the loss as they are, where there is nothing to take out.
    """
    if isinstance(loss, SparseCategoricalCrossentropy | CategoricalCrossentropy):
        wanted: type[Layer] = Softmax
    elif isinstance(loss, BinaryCrossentropy):
        wanted = Sigmoid
    else:
        return list(layers), None, loss
    last = layers[-1]
    if loss.from_logits:
        return list(layers), None, loss
    of_logits = dataclasses.replace(loss, from_logits=True)
    if isinstance(last, wanted) and len(layers) > 1:
        return list(layers[:-1]), last, of_logits
    if isinstance(last, ActivatedLayer) and isinstance(last.activation_layer, wanted):
        linear = copy(last)
        linear.activation_layer = None
        return [*layers[:-1], linear], last.activation_layer, of_logits
    return list(layers), None, loss


class Trainer:
    """A model's optimizer, loss and metrics, and the steps that they make together.

    Args:
        layers: the model's layers.
        flat: the model's one flat parameter.
        optimizer: updates the parameter.
        loss: what to minimise.
        metrics: what else to report, by name.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        flat: Parameter,
        optimizer: Optimizer,
        loss: Loss,
        metrics: dict[str, Metric],
    ) -> None:
        self.flat, self.optimizer, self.loss, self.metrics = flat, optimizer, loss, metrics
        self.layers, self.last_activation, self.loss_of_outputs = split_at_logits(layers, loss)
        self.replicas = Replicas(self.layers, flat, self.loss_of_outputs)
        optimizer.build([flat])

    def step(
        self, take: Callable[[slice], tuple[Array, Array]], targets: Array, step: int
    ) -> dict[str, float]:
        """Train on one batch.

        Args:
            take: returns inputs and targets of a slice of the batch, on any thread.
            targets: the batch's targets, for the metrics.
            step: the number of the training step, for dropout.

        Returns:
            The batch's loss and metrics, as they were before the update.
        """
        loss, outputs = self.replicas.gradient(take, len(targets), step)
        self.optimizer.step([self.flat])
        return {"loss": loss, **self.measure(np.concatenate(outputs), targets)}

    def evaluate(self, x: Array, y: Array) -> dict[str, float]:
        """Return the loss and the metrics on data that the model has checked."""
        outputs = infer(self.layers, x)
        return {"loss": self.loss_of_outputs(outputs, y), **self.measure(outputs, y)}

    def measure(self, outputs: Array, targets: Array) -> dict[str, float]:
        """Return the metrics, which get the predictions after the last activation."""
        if self.last_activation is not None and self.metrics:
            outputs = self.last_activation.forward(outputs)
        return {name: float(metric(outputs, targets)) for name, metric in self.metrics.items()}


class Averages:
    """The means of the batches' losses and metrics over an epoch, weighted by the batches' sizes."""

    def __init__(self) -> None:
        self.sums: dict[str, float] = {}
        self.samples = 0

    def add(self, logs: dict[str, float], samples: int) -> None:
        """Count a batch."""
        self.samples += samples
        for name, value in logs.items():
            self.sums[name] = self.sums.get(name, 0.0) + value * samples

    def means(self) -> dict[str, float]:
        """Return the means so far."""
        return {name: total / self.samples for name, total in self.sums.items()}


class MovingAverage:
    """An exponential moving average of the weights, which takes their place outside of the training steps.

    Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging" (1992). At the start the
    average follows the weights more closely, so that the random initial weights are soon forgotten.

    Args:
        weights: (size,) the model's flat vector.
        momentum: the share of the average that a step keeps; None for no average at all.
    """

    def __init__(self, weights: Array, momentum: float | None) -> None:
        if momentum is not None and not 0 <= momentum < 1:
            raise ValueError(f"fit: ema_momentum must be at least 0 and below 1, or None; got {momentum}.")
        self.weights, self.momentum, self.steps = weights, momentum, 0
        self.average = weights.copy() if momentum is not None else weights

    def update(self) -> None:
        """Take a step's weights into the average."""
        if self.momentum is not None:
            self.steps += 1
            momentum = min(self.momentum, self.steps / (self.steps + 9))
            self.average += (self.weights - self.average) * self.weights.dtype.type(1 - momentum)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Give the model the average while the block runs."""
        if self.momentum is None:
            yield
            return
        trained = self.weights.copy()
        self.weights[:] = self.average
        try:
            yield
        finally:
            self.weights[:] = trained

    def keep(self) -> None:
        """Give the model the average for good."""
        self.weights[:] = self.average


class Progress:
    """What `fit` prints: nothing (0), a progress bar (1) or a line an epoch (2)."""

    def __init__(self, verbose: int | str, epochs: int, samples: int) -> None:
        if verbose not in ("auto", 0, 1, 2):
            raise ValueError(f"fit: verbose must be 0, 1, 2 or 'auto'; got {verbose!r}.")
        if verbose == "auto":
            verbose = 1 if sys.stderr.isatty() or "ipykernel" in sys.modules else 2
        self.verbose, self.epochs, self.samples = verbose, epochs, samples
        self.bar: Any = None
        self.start = 0.0

    def begin(self, epoch: int) -> None:
        """Announce an epoch."""
        self.start = time.perf_counter()
        if self.verbose == 1:
            from tqdm.auto import tqdm

            title = f"Epoch {epoch + 1}/{self.epochs}"
            self.bar = tqdm(total=self.samples, desc=title, unit=" images", dynamic_ncols=True)

    def update(self, samples: int, logs: dict[str, float]) -> None:
        """Show a batch."""
        if self.bar is not None:
            self.bar.set_postfix({name: f"{value:.4f}" for name, value in logs.items()}, refresh=False)
            self.bar.update(samples)

    def end(self, epoch: int, logs: dict[str, float] | None) -> None:
        """Show an epoch's result, if it has one."""
        if self.bar is not None:
            if logs:
                self.bar.set_postfix({name: f"{value:.4f}" for name, value in logs.items()})
            self.bar.close()
            self.bar = None
        elif self.verbose == 2 and logs:
            seconds = time.perf_counter() - self.start
            values = " - ".join(f"{name}: {value:.4f}" for name, value in logs.items())
            print(f"Epoch {epoch + 1}/{self.epochs} - {seconds:.1f} s - {values}", flush=True)


def fit(
    model: Sequential,
    x: ArrayLike,
    y: ArrayLike,
    *,
    batch_size: int,
    epochs: int,
    validation_data: tuple[ArrayLike, ArrayLike] | None,
    validation_split: float,
    shuffle: bool,
    callbacks: Sequence[Callback],
    verbose: int | str,
    augment: Augment | None,
    ema_momentum: float | None,
) -> History:
    """Train a model; see `Sequential.fit`."""
    for name, value in (("batch_size", batch_size), ("epochs", epochs)):
        if not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(f"fit: {name} must be a positive integer; got {value!r}.")
    if validation_data is not None and len(validation_data) != 2:
        raise ValueError("fit: validation_data must be a pair (x, y).")
    inputs, targets = model.check_data(x, y)
    validation = None
    if validation_data is not None:
        validation = model.check_data(*validation_data)
    elif validation_split:
        (inputs, targets), validation = train_validation_split(inputs, targets, validation_split)

    history, average = History(), MovingAverage(model.flat.value, ema_momentum)
    progress = Progress(verbose, epochs, len(inputs))
    model.stop_training = False
    for callback in callbacks:
        callback.model = model
        callback.on_train_begin()
    for epoch in range(epochs):
        for callback in callbacks:
            callback.on_epoch_begin(epoch)
        progress.begin(epoch)
        logs: dict[str, float] | None = None
        try:
            logs = train_epoch(
                model, inputs, targets, batch_size, shuffle, augment, callbacks, average, progress
            )
            with average.in_place():
                if validation is not None:
                    measured = model.trainer.evaluate(*validation)
                    logs |= {f"val_{name}": value for name, value in measured.items()}
                history.add(epoch, logs)
                for callback in callbacks:
                    callback.on_epoch_end(epoch, logs)
        finally:
            progress.end(epoch, logs)
        if model.stop_training:
            break
    average.keep()
    for callback in callbacks:
        callback.on_train_end()
    return history


def train_epoch(
    model: Sequential,
    x: Array,
    y: Array,
    batch_size: int,
    shuffle: bool,
    augment: Augment | None,
    callbacks: Sequence[Callback],
    average: MovingAverage,
    progress: Progress,
) -> dict[str, float]:
    """Train on every sample once, and return the means of the loss and the metrics."""
    averages, epoch = Averages(), model.epochs_trained
    for batch, indices in enumerate(
        batches(len(x), batch_size, shuffle=shuffle, seed=model.seed, epoch=epoch)
    ):

        def take(part: slice, indices: Array = indices) -> tuple[Array, Array]:
            chosen = indices[part]
            images = x[chosen]
            if augment is not None:
                images = augment(images, seed=model.seed, epoch=epoch, indices=chosen)
            return images, y[chosen]

        logs = model.trainer.step(take, y[indices], model.steps_trained)
        model.steps_trained += 1
        average.update()
        averages.add(logs, len(indices))
        progress.update(len(indices), averages.means())
        for callback in callbacks:
            callback.on_train_batch_end(batch, logs)
        if model.stop_training:
            break
    model.epochs_trained += 1
    return averages.means()
