"""What can be compiled, trained, evaluated, and used: the base of all models."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import losses, optim
from ..callbacks import Callback
from ..data.batches import train_validation_split
from ..metrics import Metric
from ..metrics import get as get_metrics
from ..training.average import MovingAverage
from ..training.data import Augment, Batches
from ..training.history import History
from ..training.progress import Progress
from ..training.trainer import Loop, Trainer, trainable_parts
from .inputs import as_inputs, checked_input, finite
from .placed import Placed
from .refusal import check_batch_size, check_compile, check_predict, refuse, scalar_or_list

Array = NDArray[Any]


class Trainable(Placed, only_kernels=True):
    """The base of `Model` and `Sequential`.

    Attributes:
        optimizer, loss: as given to `compile`.
        trainable: whether training changes the parameters; read by `compile`. Each layer has its own, too.
        history: what the last `fit` recorded, also if it was interrupted; None before the first.
    """

    history: History | None = None

    _compiled: tuple[optim.Optimizer, losses.Loss, dict[str, Metric]] | None = None
    _trainer: Trainer | None = None

    def _take(self, parts: Iterable[Any]) -> None:
        """Note that these are parts of a model; how it trained before is over."""
        super()._take(parts)
        self.remember(_trainer=None)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a copy or a pickle, which goes on training where the original was."""
        super().__setstate__(state)
        trainer: Trainer | None = state.get("_trainer")
        if trainer is not None:
            self.remember(_trainer=trainer)
            trainer.rejoin(self.infer)

    def compile(
        self,
        optimizer: str | optim.Optimizer = "adam",
        loss: str | losses.Loss = "sparse_categorical_crossentropy",
        metrics: str | Metric | Sequence[str | Metric] | None = (),
        **keywords: Any,
    ) -> None:
        """Choose how to train. Compiling again starts with a fresh optimizer.

        Args:
            optimizer: a name ("sgd", "adam", "adamw") or an optimizer; default "adam".
            loss: a name or a `Loss`, but no plain function; default "sparse_categorical_crossentropy".
            metrics: names (such as "accuracy") and functions of (y_true, y_pred); one alone is taken, too.
            keywords: what else Keras takes. run_eagerly, jit_compile, steps_per_execution and
                auto_scale_loss have no meaning here, and no effect; loss_weights and weighted_metrics must be
                None.

        Raises:
            TypeError: an argument is unknown, or of the wrong kind, such as a metric that takes the
                predictions first.
            ValueError: a name is unknown, an argument is not there, or the model has several outputs.

        Example:
            >>> from tinynet import Sequential, layers
            >>> model = Sequential([layers.Dense(1)], 3)
            >>> model.compile(optimizer=optim.SGD(0.1), loss="mse")
            >>> model.train_on_batch([[1.0, 2.0, 3.0]], [[0.0]], return_dict=True).keys()
            dict_keys(['loss'])
        """
        check_compile(keywords)
        alone = isinstance(metrics, str) or callable(metrics)
        chosen: Any = [metrics] if alone else () if metrics is None else metrics
        compiled = optim.get(optimizer), losses.get(loss), get_metrics(chosen)
        if self.output_shape is None:
            self.remember(_compiled=compiled)
            return
        with self.alone:
            self.check_unchanged()
            before, self._compiled, self._trainer = (self._compiled, self._trainer), compiled, None
            try:
                _ = self.trainer
            except BaseException:
                self._compiled, self._trainer = before
                raise

    @property
    def _chosen(self) -> tuple[optim.Optimizer, losses.Loss, dict[str, Metric]]:
        """What `compile` chose: optimizer, loss, metrics."""
        if self._compiled is None:
            raise RuntimeError(
                "The model has no loss and optimizer yet: call "
                'model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", '
                'metrics=["accuracy"]) first.'
            )
        return self._compiled

    @property
    def trainer(self) -> Trainer:
        """What makes the steps that `compile` chose."""
        chosen = self._chosen
        if self._trainer is None:
            count = len(self.flow().outputs)
            if count > 1:
                raise ValueError(
                    f"{self.title} has {count} outputs, which are for prediction: to train, make a "
                    "model of one of them, such as Model(model.input, model.outputs[0]), of the same layers."
                )
            self._trainer = Trainer(self, self.infer, *chosen)
        return self._trainer

    @property
    def optimizer(self) -> optim.Optimizer:
        """The optimizer given to `compile`."""
        return self._chosen[0]

    @property
    def loss(self) -> losses.Loss:
        """The loss given to `compile`."""
        return self._chosen[1]

    def check_inputs(self, x: Any) -> list[Array]:
        """Return the inputs as contiguous arrays (N, ...) of the model's dtype, or raise; see `predict`."""
        if self.workspace is not None:  # a replica, inside of another layer
            return super().check_inputs(x)
        if self.output_shape is None:
            raise RuntimeError(f"{self.title} is not built yet: an Input, build or its first data builds it.")
        if not self.takes_several and not isinstance(x, Mapping):
            shape: Any = self.input_shape
            return [checked_input(x, shape, self.dtype, self._first_title)]
        names = self.input_names
        arrays = [
            checked_input(one, shape, self.dtype, lambda name=name: f"Input {name!r}")  # type: ignore[misc]
            for one, shape, name in zip(as_inputs(x, names), self.open_shapes, names, strict=True)
        ]
        if len({len(array) for array in arrays}) > 1:
            counts = ", ".join(str(len(array)) for array in arrays)
            raise ValueError(f"The inputs have {counts} samples: each sample needs all of its inputs.")
        return arrays

    def _first_title(self) -> str:
        """Return what takes the only input, in error messages."""
        first = next((layer for layer in self.layers if layer.wiring is None), self)
        return f"Layer {first.name!r} ({type(first).__name__}), the model's first,"

    def check_data(self, x: Any, y: ArrayLike) -> tuple[list[Array], Array]:
        """Return inputs and targets as arrays that fit the model and its loss, or raise; see `fit`."""
        self.build_for(x)
        trainer = self.trainer
        inputs, targets = [finite(array) for array in self.check_inputs(x)], np.asarray(y)
        samples = len(inputs[0])
        if targets.ndim == 0 or len(targets) != samples:
            raise ValueError(
                f"x has {samples} samples and y has {len(targets) if targets.ndim else 'none'}: each "
                "input needs its target."
            )
        flow = self.flow([array.shape[1:] for array in inputs])
        trainer.loss.check(targets, (samples, *flow.shapes[flow.outputs[0]]))
        return inputs, targets

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """Compute the model's output; several threads may call this at once.

        Args:
            x: (N, *input_shape), scaled as in training; a list, or a dict by name, if there are several
                inputs. One sample without the batch axis, and images without a channel axis of 1, are taken
                too, unless they are the first data, which build the model.
            batch_size, verbose: as in Keras, without effect: no result depends on the batch, which is cut
                into parts that fit the cache, and nothing is printed.
            steps, callbacks: None (default).

        Returns:
            (N, *output_shape): for a model that ends in softmax, a row of probabilities for each sample; a
            list, if there are several outputs.

        Raises:
            TypeError: x holds integers (scale pixels first) or no numbers.
            ValueError: x is empty, of another shape, or holds NaN or infinite values; or an argument is not
                there, or wrong.

        Example:
            >>> from tinynet import Sequential, layers
            >>> Sequential([layers.Softmax()], 2).predict([[0.0, 0.0]])
            array([[0.5, 0.5]], dtype=float32)
        """
        check_predict(batch_size, verbose, steps, callbacks)
        self.build_for(x)
        outputs = self.infer([finite(array) for array in self.check_inputs(x)])
        return outputs[0] if len(outputs) == 1 else outputs

    def fit(
        self,
        x: Any,
        y: ArrayLike,
        batch_size: int = 32,
        epochs: int = 1,
        validation_data: tuple[Any, ArrayLike] | None = None,
        validation_split: float = 0.0,
        shuffle: bool = True,
        callbacks: Sequence[Callback] = (),
        verbose: int | str = "auto",
        augment: Augment | None = None,
        ema_momentum: float | None = None,
    ) -> History:
        """Train.

        Args:
            x: (N, *input_shape) training inputs; a list, or a dict by name, if there are several inputs.
            y: their targets: (N,) integer labels for a sparse loss.
            batch_size: samples a step; default 32.
            epochs: how often to go through the data; default 1.
            validation_data: a pair (x, y) to evaluate after each epoch.
            validation_split: or the share of the data, taken from its end, to keep for that; default 0.
            shuffle: whether each epoch goes through the samples in another order; default True.
            callbacks: see `tinynet.callbacks`.
            verbose: 0 silent, 1 a progress bar and a line an epoch, 2 the line alone; "auto" (default) is 1
                in a terminal or a notebook, else 2.
            augment: changes each batch at random, such as `data.Augmentation()`; default None.
            ema_momentum: if given (0.999, say), the exponential moving average of the weights is what is
                validated, saved by callbacks, and left in the model at the end; default None.

        Returns:
            The losses and metrics epoch by epoch. After Ctrl-C the model keeps what it has learned.

        Raises:
            RuntimeError: the model is not compiled.
            TypeError: integer inputs, or labels of the wrong type.
            ValueError: shapes, labels or settings that do not fit.

        Example:
            >>> from tinynet import Sequential, layers
            >>> model = Sequential([layers.Dense(1)], 1, seed=1)
            >>> model.compile(optim.SGD(0.1), "mse")
            >>> x = np.linspace(-1, 1, 64).reshape(-1, 1)
            >>> history = model.fit(x, 3 * x, epochs=80, verbose=0)
            >>> round(float(model.predict([[1.0]])[0, 0]), 2)
            3.0
        """
        if not isinstance(epochs, int | np.integer) or epochs < 1:
            raise ValueError(f"fit: epochs must be a positive integer; got {epochs!r}.")
        if validation_data is not None and len(validation_data) != 2:
            raise ValueError("fit: validation_data must be a pair (x, y).")
        inputs, targets = self.check_data(x, y)
        validation = None if validation_data is None else self.check_data(*validation_data)
        if validation is None and validation_split:
            pairs = [train_validation_split(array, targets, validation_split) for array in inputs]
            inputs, targets = [kept for (kept, _), _ in pairs], pairs[0][0][1]
            validation = [held_out for _, (held_out, _) in pairs], pairs[0][1][1]
        trainer, unit = self.trainer, " images" if inputs[0].ndim == 4 else " samples"
        loop = Loop(
            self,
            trainer,
            Batches(inputs, targets, batch_size, shuffle, augment, self.seed),
            validation,
            [callbacks] if isinstance(callbacks, Callback) else callbacks or (),
            Progress(verbose, epochs, len(targets), unit),
            MovingAverage(trainer.steps.runs, ema_momentum),
        )
        with self.alone:
            self.check_unchanged()
            if trainable_parts(self) != trainer.trainable:
                warnings.warn(
                    "fit: `trainable` has changed since model.compile, which reads it: call compile again "
                    "for the change to take effect.",
                    stacklevel=2,
                )
            self.remember(history=loop.history)
            return loop.run(epochs)

    def train_on_batch(
        self,
        x: Any,
        y: ArrayLike,
        sample_weight: None = None,
        class_weight: None = None,
        return_dict: bool = False,
    ) -> Any:
        """Make one training step.

        Args:
            x: (N, *input_shape) inputs.
            y: their targets.
            sample_weight, class_weight: not there yet; None.
            return_dict: whether to return a dict; default False.

        Returns:
            The loss of this batch before the step, if there are no metrics; else a list of the loss and the
            metrics, in the order given to `compile`; with `return_dict`, a dict of them by name.

        Raises:
            NotImplementedError: weights.
            RuntimeError, TypeError, ValueError: as `fit`.

        Example:
            >>> from tinynet import Sequential, layers
            >>> model = Sequential([layers.Dense(1, kernel_initializer="zeros")], 1)
            >>> model.compile("sgd", "mse")
            >>> model.train_on_batch([[1.0]], [[2.0]])
            4.0
        """
        refuse("train_on_batch", sample_weight=sample_weight, class_weight=class_weight)
        inputs, targets = self.check_data(x, y)
        with self.alone:
            logs = self.trainer.step(inputs, targets, self.steps_trained)
            self.steps_trained += 1
        return logs if return_dict else scalar_or_list(logs)

    def test_on_batch(
        self, x: Any, y: ArrayLike, sample_weight: None = None, return_dict: bool = False
    ) -> Any:
        """Measure the loss and the metrics of one batch, as `evaluate` does.

        Args:
            x: (N, *input_shape) inputs.
            y: their targets.
            sample_weight: not there yet; None.
            return_dict: whether to return a dict; default False.

        Returns:
            What `evaluate` returns.

        Raises:
            NotImplementedError: weights.
            RuntimeError, TypeError, ValueError: as `fit`.

        Example:
            >>> from tinynet import Sequential, layers
            >>> model = Sequential([layers.Dense(1, kernel_initializer="zeros")], 1)
            >>> model.compile("sgd", "mse", metrics=["mae"])
            >>> model.test_on_batch([[1.0]], [[2.0]])
            [4.0, 2.0]
        """
        refuse("test_on_batch", sample_weight=sample_weight)
        return self.evaluate(x, y, return_dict=return_dict)

    def evaluate(
        self,
        x: Any,
        y: ArrayLike,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: None = None,
        steps: None = None,
        callbacks: None = None,
        return_dict: bool = False,
    ) -> Any:
        """Measure the loss and the metrics.

        Args:
            x: (N, *input_shape) inputs.
            y: their targets.
            batch_size, verbose: taken, and change nothing: what fits into the cache goes at once, in silence.
            sample_weight, steps, callbacks: not there yet; None.
            return_dict: whether to return a dict; default False.

        Returns:
            The loss, if there are no metrics; else a list of the loss and the metrics, in the order given to
            `compile`; with `return_dict`, a dict of them by name. Python floats, means over all samples.

        Raises:
            NotImplementedError: weights, steps or callbacks.
            RuntimeError, TypeError, ValueError: as `fit`.

        Example:
            >>> from tinynet import Sequential, layers
            >>> model = Sequential([layers.Softmax()], 2)
            >>> model.compile(metrics=["accuracy"])
            >>> loss, accuracy = model.evaluate([[9.0, 0.0], [0.0, 9.0]], [0, 1])
            >>> accuracy
            1.0
            >>> model.evaluate([[9.0, 0.0], [0.0, 9.0]], [0, 0], return_dict=True)["accuracy"]
            0.5
        """
        refuse("evaluate", sample_weight=sample_weight, steps=steps, callbacks=callbacks)
        check_batch_size("evaluate", batch_size)
        inputs, targets = self.check_data(x, y)
        logs = self.trainer.evaluate(inputs, targets)
        return logs if return_dict else scalar_or_list(logs)
