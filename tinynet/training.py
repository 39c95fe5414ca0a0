"""Training: what `compile`, `fit`, `evaluate` and `train_on_batch` of a model do."""

from __future__ import annotations

import dataclasses
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .callbacks import Callback
from .data.batches import batches, train_validation_split
from .layers import Dropout, Flatten, GlobalAveragePool2D, Layer, Parameter, Sigmoid, Softmax
from .layers.activation import BY_NAME, ActivatedLayer
from .layers.conv_pool import fuse
from .layers.pool2d import Pool2D
from .losses import BinaryCrossentropy, CategoricalCrossentropy, Loss, SparseCategoricalCrossentropy
from .metrics import Metric
from .optim import Optimizer
from .parallel import run
from .shards import Inference, Replicas

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
        layers: a model's layers.
        loss: its loss.

    Returns:
        The layers that compute the logits, the last activation, and the loss of logits; or the layers,
        None and the loss as they are, where there is nothing to take out.
    """
    if not isinstance(loss, SparseCategoricalCrossentropy | CategoricalCrossentropy | BinaryCrossentropy):
        return list(layers), None, loss
    last = layers[-1]
    check_probabilities(layers, loss)
    activation = last.activation_layer if isinstance(last, ActivatedLayer) else last
    wanted: type[Layer] = Sigmoid if isinstance(loss, BinaryCrossentropy) else Softmax
    if loss.from_logits or not isinstance(activation, wanted) or layers == (activation,):
        return list(layers), None, loss
    of_logits = dataclasses.replace(loss, from_logits=True)
    if activation is last:
        return list(layers[:-1]), activation, of_logits
    linear = copy(last)
    vars(linear)["activation_layer"] = None
    return [*layers[:-1], linear], activation, of_logits


def check_probabilities(layers: Sequence[Layer], loss: Any) -> None:
    """Raise if a cross-entropy takes probabilities and gets something else, or logits and gets those.

    Args:
        layers: the model's layers.
        loss: the cross-entropy.
    """
    wanted: type[Layer] = Sigmoid if isinstance(loss, BinaryCrossentropy) else Softmax
    # What the outputs can be is decided by the last layer that computes something new.
    moving = Flatten | Dropout | Pool2D | GlobalAveragePool2D
    last = next((layer for layer in reversed(layers) if not isinstance(layer, moving)), layers[-1])
    activation = last.activation_layer if isinstance(last, ActivatedLayer) else last
    name, kind = wanted.__name__.lower(), type(loss).__name__
    if loss.from_logits and isinstance(activation, Softmax | Sigmoid):
        raise ValueError(
            f"{kind}(from_logits=True) applies {name} itself, and the model ends in {last!r}, which applies "
            "it too: leave one of them out."
        )
    decides = isinstance(last, ActivatedLayer) or type(last) in BY_NAME.values()  # and no user's own layer
    if decides and not loss.from_logits and not isinstance(activation, wanted | Softmax):
        raise ValueError(
            f"{kind} takes probabilities, and the model ends in {last!r}, which does not give them: end it "
            f"with activation={name!r}, or use {kind}(from_logits=True)."
        )


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
        self.layers = fuse(self.layers)
        self.infer = Inference(self.layers)
        optimizer.adopt(flat)
        self.prepare()

    def prepare(self) -> None:
        """Make the replicas, which update each block of the weights themselves if the optimizer lets them."""
        optimizer, flat = self.optimizer, self.flat
        self.layout = optimizer.layout()
        # Clipping needs the norm of the whole gradient before any update.
        self.updates_blocks = optimizer.clipnorm is None and optimizer.only_kernels
        if self.updates_blocks:
            update = partial(optimizer.update, [flat], 0)
            self.replicas = Replicas(self.layers, flat, self.loss_of_outputs, update)
        else:
            self.replicas = Replicas(self.layers, flat, self.loss_of_outputs)

    def step(
        self, take: Callable[[slice], tuple[Array, Array]], targets: Array, step: int, busy: bool = False
    ) -> dict[str, float]:
        """Train on one batch.

        Args:
            take: returns inputs and targets of a slice of the batch, on any thread.
            targets: the batch's targets, for the metrics.
            step: the number of the training step, for dropout.
            busy: whether `take` does so much that threads should share it; default False.

        Returns:
            The batch's loss and metrics, as they were before the update.
        """
        if self.optimizer.layout() != self.layout:  # it was built anew, or clips now
            self.prepare()
        if self.updates_blocks:
            self.optimizer.begin_step([self.flat])
        loss, outputs = self.replicas.gradient(take, len(targets), step, busy)
        if self.updates_blocks:
            self.optimizer.end_step()
        else:
            self.optimizer.step([self.flat], run)
        return {"loss": loss, **self.measure(np.concatenate(outputs), targets)}

    def evaluate(self, x: Array, y: Array) -> dict[str, float]:
        """Return the loss and the metrics on data that the model has checked."""
        outputs = self.infer(x)
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
            with np.errstate(over="ignore", invalid="ignore"):  # of weights that diverge
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
        self.shuffle, self.augment = shuffle, augment
        self.x, self.y = model.check_data(x, y)
        self.validation: tuple[Array, Array] | None = None
        if validation_data is not None:
            self.validation = model.check_data(*validation_data)
        elif validation_split:
            (self.x, self.y), self.validation = train_validation_split(self.x, self.y, validation_split)
        self.average = MovingAverage(model.flat.value, ema_momentum)
        self.progress = Progress(verbose, epochs, self.x)
        self.history = History()

    def fit(self) -> History:
        """Train for all epochs, or until a callback stops it."""
        model = self.model
        model.stop_training = False
        model.log_names = ["loss", *model.trainer.metrics]
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
                    measured = self.model.trainer.evaluate(*self.validation)
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
            logs = model.trainer.step(
                partial(self.take, indices),
                self.y[indices],
                model.steps_trained,
                busy=self.augment is not None,
            )
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

    def take(self, indices: Array, part: slice) -> tuple[Array, Array]:
        """Return the inputs and targets of a part of a batch; called on the shards' threads."""
        chosen = indices[part]
        x = self.x.take(chosen, axis=0)
        if self.augment is not None:
            shape = x.shape
            x = self.augment(x, seed=self.model.seed, epoch=self.model.epochs_trained, indices=chosen)
            if np.shape(x) != shape:
                raise ValueError(f"fit: augment must return images of shape {shape}; got {np.shape(x)}.")
        return x, self.y[chosen]
