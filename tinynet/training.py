"""Training: what `compile`, `fit`, `evaluate` and `train_on_batch` of a model do."""

from __future__ import annotations

import dataclasses
import sys
import time
import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .callbacks import Callback
from .data.batches import batches, train_validation_split
from .layers import Conv2D, Dense, Dropout, Flatten, GlobalAveragePool2D, Layer, Parameter, Sigmoid, Softmax
from .layers.activation import BY_NAME, ActivatedLayer
from .layers.conv_pool import fuse
from .layers.parameter import runs_of
from .layers.pool2d import Pool2D
from .losses import Loss
from .metrics import Metric
from .optim import Optimizer
from .parallel import cut, get_num_threads
from .recording import each
from .shards import Inference, Steps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
        layers: a model's layers, in a row.
        loss: its loss.

    Returns:
        The layers that compute the logits, the last activation, and the loss of logits; or the layers,
        None and the loss as they are, where there is nothing to take out.
    """
    if not loss.cancels:
        return list(layers), None, loss
    check_probabilities(layers, loss)
    last = layers[-1]
    activation: Layer | None = last
    if isinstance(last, ActivatedLayer):  # a class of one's own may do something after its activation
        activation = last.activation_layer if type(last) in (Dense, Conv2D) else None
    cancelled = type(activation) is BY_NAME[loss.cancels]  # and no class of one's own, here as there
    if getattr(loss, "from_logits", False) or not cancelled or list(layers) == [activation]:
        return list(layers), None, loss
    if activation is last:
        return list(layers[:-1]), activation, loss.of_logits()
    linear = copy(last)
    linear.remember(activation_layer=None, _sublayers={})
    return [*layers[:-1], linear], activation, loss.of_logits()


def check_probabilities(layers: Sequence[Layer], loss: Any) -> None:
    """Raise if a cross-entropy takes probabilities and gets something else, or logits and gets those.

    Args:
        layers: the model's layers.
        loss: the cross-entropy.
    """
    wanted, kind = BY_NAME[loss.cancels], type(loss).__name__
    # What the outputs can be is decided by the last layer that computes something new.
    moving = Flatten | Dropout | Pool2D | GlobalAveragePool2D
    last = next((layer for layer in reversed(layers) if not isinstance(layer, moving)), layers[-1])
    activation = last.activation_layer if isinstance(last, ActivatedLayer) else last
    if loss.from_logits and isinstance(activation, Softmax | Sigmoid):
        raise ValueError(
            f"{kind}(from_logits=True) applies {loss.cancels} itself, and the model ends in {last!r}, which "
            "applies it too: leave one of them out."
        )
    decides = isinstance(last, ActivatedLayer) or type(last) in BY_NAME.values()  # and no user's own layer
    if decides and not loss.from_logits and not isinstance(activation, wanted | Softmax):
        raise ValueError(
            f"{kind} takes probabilities, and the model ends in {last!r}, which does not give them: end it "
            f"with activation={loss.cancels!r}, or use {kind}(from_logits=True)."
        )


class Trainer:
    """A model's optimizer, loss and metrics, and the steps that they make together.

    Args:
        model: the model; which of its layers are trainable is read now.
        optimizer: updates the parameters.
        loss: what to minimise.
        metrics: what else to report, by name.
    """

    def __init__(
        self, model: Sequential, optimizer: Optimizer, loss: Loss, metrics: dict[str, Metric]
    ) -> None:
        self.optimizer, self.loss, self.metrics = optimizer, loss, metrics
        layers, self.last_activation, self.loss_of_outputs = split_at_logits([*model.row()], loss)
        layers = fuse(layers)
        self.infer = Inference(layers) if self.last_activation else model.infer
        self.steps = Steps(layers, model.trainable_parameters(), self.loss_of_outputs, optimizer)
        self.trainable = trainable_parts(model)
        optimizer.adopt(model, self.steps.runs)

    def rejoin(self, model: Sequential) -> None:
        """Go on in a copy of the model, whose parameters have been placed anew."""
        self.steps.runs = runs_of(self.steps.parameters)
        self.optimizer.follow(model, self.steps.runs)

    def step(self, x: Array, y: Array, number: int) -> dict[str, float]:
        """Train on one batch.

        Args:
            x: (N, *input_shape) inputs.
            y: their targets, checked.
            number: the number of the training step, for dropout.

        Returns:
            The batch's loss and metrics, as they were before the update.
        """
        loss, outputs = self.steps(x, y, number)
        return {"loss": loss, **self.measure(outputs, y)}

    def evaluate(self, x: Array, y: Array) -> dict[str, float]:
        """Return the loss and the metrics on data that the model has checked."""
        outputs = self.infer(x)
        return {"loss": self.loss_of_outputs(outputs, y), **self.measure(outputs, y)}

    def measure(self, outputs: Array, targets: Array) -> dict[str, float]:
        """Return the metrics, which get the predictions after the last activation."""
        if self.last_activation is not None and self.metrics:
            outputs = self.last_activation.forward(outputs)
        return {name: float(metric(outputs, targets)) for name, metric in self.metrics.items()}


def trainable_parts(model: Sequential) -> list[str]:
    """Return the paths of those parts of a model that are trainable now."""
    return [path for path, part in model.parts() if part.trainable]


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
        runs: the parameters that train.
        momentum: the share of the average that a step keeps; None for no average at all.
    """

    def __init__(self, runs: Sequence[Parameter], momentum: float | None) -> None:
        if momentum is not None and not 0 <= momentum < 1:
            raise ValueError(f"fit: ema_momentum must be at least 0 and below 1, or None; got {momentum}.")
        self.momentum, self.steps = momentum, 0
        self.weights = [run.value for run in runs] if momentum is not None else []
        self.averages = [weights.copy() for weights in self.weights]

    def update(self) -> None:
        """Take a step's weights into the average."""
        if self.momentum is not None:
            self.steps += 1
            momentum = min(self.momentum, self.steps / (self.steps + 9))
            with np.errstate(over="ignore", invalid="ignore"):  # of weights that diverge
                for average, weights in zip(self.averages, self.weights, strict=True):
                    average += (weights - average) * weights.dtype.type(1 - momentum)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Give the model the average while the block runs."""
        trained = [weights.copy() for weights in self.weights]
        self.keep()
        try:
            yield
        finally:
            for weights, before in zip(self.weights, trained, strict=True):
                weights[:] = before

    def keep(self) -> None:
        """Give the model the average for good."""
        for average, weights in zip(self.averages, self.weights, strict=True):
            weights[:] = average


class Progress:
    """What `fit` prints: nothing (0), a progress bar and a line an epoch (1), or the line alone (2)."""

    def __init__(self, verbose: int | str, epochs: int, x: Array) -> None:
        if verbose not in ("auto", 0, 1, 2):
            raise ValueError(f"fit: verbose must be 0, 1, 2 or 'auto'; got {verbose!r}.")
        if verbose == "auto":
            terminal = sys.stderr is not None and sys.stderr.isatty()
            verbose = 1 if terminal or "ipykernel" in sys.modules else 2
        if verbose == 1 and sys.stderr is None:  # a program without a console
            verbose = 2
        self.verbose, self.epochs, self.samples = verbose, epochs, len(x)
        self.unit = " images" if x.ndim == 4 else " samples"
        self.bar: Any = None
        self.start = 0.0

    def begin(self, epoch: int) -> None:
        """Announce an epoch."""
        self.start = time.perf_counter()
        if self.verbose == 1:
            with warnings.catch_warnings():  # without ipywidgets a notebook gets the plain bar
                warnings.simplefilter("ignore")
                from tqdm.auto import tqdm
            title = f"Epoch {epoch + 1}/{self.epochs}"
            form = "{desc}: {percentage:3.0f}%|{bar}| {rate_fmt}, {remaining} left{postfix}"
            self.bar = tqdm(total=self.samples, desc=title, unit=self.unit, bar_format=form, leave=False)

    def update(self, samples: int, logs: dict[str, float]) -> None:
        """Show a batch."""
        if self.bar is not None:
            self.bar.set_postfix({name: f"{value:.4f}" for name, value in logs.items()}, refresh=False)
            self.bar.update(samples)

    def end(self, epoch: int, logs: dict[str, float] | None) -> None:
        """Take the bar away, and print an epoch's result, if it has one."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None
        if self.verbose and logs:
            seconds = time.perf_counter() - self.start
            values = " - ".join(f"{name}: {value:.4f}" for name, value in logs.items())
            print(f"Epoch {epoch + 1}/{self.epochs} - {seconds:.1f} s - {values}", flush=True)


class Run:
    """One call of `fit`; see `Sequential.fit` for the arguments.

    Raises:
        RuntimeError: the model is not compiled.
        TypeError, ValueError: an argument is not what `Sequential.fit` says.
    """

    def __init__(
        self,
        model: Sequential,
        x: ArrayLike,
        y: ArrayLike,
        batch_size: int,
        epochs: int,
        validation_data: tuple[ArrayLike, ArrayLike] | None,
        validation_split: float,
        shuffle: bool,
        callbacks: Iterable[Callback],
        verbose: int | str,
        augment: Augment | None,
        ema_momentum: float | None,
    ) -> None:
        for name, value in (("batch_size", batch_size), ("epochs", epochs)):
            if not isinstance(value, int | np.integer) or value < 1:
                raise ValueError(f"fit: {name} must be a positive integer; got {value!r}.")
        if validation_data is not None and len(validation_data) != 2:
            raise ValueError("fit: validation_data must be a pair (x, y).")
        if augment is not None and (not callable(augment) or isinstance(augment, type)):
            raise TypeError(
                f"fit: augment must be an object such as Augmentation(), or a function; got {augment!r}."
            )
        self.callbacks = list(callbacks)
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(f"fit: callbacks must be a list of Callback objects; it holds {callback!r}.")
        self.model, self.batch_size, self.epochs = model, batch_size, epochs
        self.trainer = model.trainer
        self.shuffle, self.augment = shuffle, augment
        self.x, self.y = model.check_data(x, y)
        self.validation: tuple[Array, Array] | None = None
        if validation_data is not None:
            self.validation = model.check_data(*validation_data)
        elif validation_split:
            (self.x, self.y), self.validation = train_validation_split(self.x, self.y, validation_split)
        self.average = MovingAverage(self.trainer.steps.runs, ema_momentum)
        self.progress = Progress(verbose, epochs, self.x)
        self.history = History()

    def fit(self) -> History:
        """Train for all epochs, or until a callback stops it."""
        with self.model.alone:
            return self.fit_alone()

    def fit_alone(self) -> History:
        """Train, while no other thread trains the model."""
        model = self.model
        model.check_unchanged()
        if trainable_parts(model) != self.trainer.trainable:
            warnings.warn(
                "fit: `trainable` has changed since model.compile, which reads it: call compile again for "
                "the change to take effect.",
                stacklevel=4,
            )
        model.stop_training = False
        model.log_names = ["loss", *self.trainer.metrics]
        if self.validation is not None:
            model.log_names += [f"val_{name}" for name in model.log_names]
        for callback in self.callbacks:
            callback.model = model
            callback.on_train_begin()
        try:
            for epoch in range(self.epochs):
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
        order = batches(
            len(self.x), self.batch_size, shuffle=self.shuffle, seed=model.seed, epoch=model.epochs_trained
        )
        for batch, indices in enumerate(order):
            logs = self.trainer.step(self.inputs(indices), self.y[indices], model.steps_trained)
            model.steps_trained += 1
            self.average.update()
            averages.add(logs, len(indices))
            self.progress.update(len(indices), averages.means())
            for callback in self.callbacks:
                callback.on_train_batch_end(batch, logs)
            if model.stop_training:
                break
        model.epochs_trained += 1
        return averages.means()

    def inputs(self, indices: Array) -> Array:
        """Return the inputs of a batch, augmented if that is wanted, on several threads."""
        if self.augment is None:
            return self.x.take(indices, axis=0)
        shards = cut(len(indices), get_num_threads())
        return np.concatenate(each(lambda i: self.augmented(indices[shards[i]]), len(shards)))

    def augmented(self, indices: Array) -> Array:
        """Return a part of a batch's inputs, augmented."""
        assert self.augment is not None
        x = self.x.take(indices, axis=0)
        new = self.augment(x, seed=self.model.seed, epoch=self.model.epochs_trained, indices=indices)
        if np.shape(new) != x.shape:
            raise ValueError(f"fit: augment must return images of shape {x.shape}; got {np.shape(new)}.")
        return new
