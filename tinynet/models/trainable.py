"""What can be compiled, trained, evaluated, and used: the base of all models."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import losses, optim
from ..callbacks import Callback
from ..data.batches import train_validation_split
from ..execution.prediction import Prediction
from ..layers import Layer, Parameter
from ..layers.geometry import OpenShape
from ..layers.graph import Graph, prediction
from ..layers.parameter import place, runs_of
from ..layers.tree import SETTINGS, members
from ..metrics import Metric
from ..metrics import get as get_metrics
from ..seeds import next_seed
from ..training.average import MovingAverage
from ..training.data import Augment, Batches
from ..training.history import History
from ..training.loop import Loop
from ..training.progress import Progress
from ..training.trainer import Trainer, trainable_parts
from ..waiting import Alone
from .inputs import as_inputs, checked_input, finite

Array = NDArray[Any]


class Trainable(Graph, only_kernels=True):
    """The base of `Model` and `Sequential`.

    Attributes:
        seed: what everything random follows from: initial weights, dropout, shuffling, augmentation.
        optimizer, loss: as given to `compile`.
        flat: the parameters that can be trained, in one piece: `flat.value` and `flat.grad` are vectors.
        trainable: whether training changes the parameters; read by `compile`. Each layer has its own, too.
        temperature: what `tinynet.predict_image` divides the logits by, so that its confidence is honest; see
            `tinynet.inference.calibrate`.
        stop_training: a callback sets it to True to end `fit`.
        log_names: what the current or last `fit` logs, for callbacks.
    """

    describes_itself = True
    seed: int
    _compiled: tuple[optim.Optimizer, losses.Loss, dict[str, Metric]] | None = None
    _trainer: Trainer | None = None
    _infer: Prediction | None = None
    _alone: Alone | None = None

    def _begin(self, seed: int | None, name: str) -> None:
        """Set what every model has."""
        kind = type(self).__name__
        if seed is not None and (not isinstance(seed, int | np.integer) or not 0 <= seed < 2**63):
            raise ValueError(f"{kind}: seed must be an integer from 0 to 2**63 - 1; got {seed!r}.")
        if not isinstance(name, str):
            raise TypeError(f"{kind}: name must be a string; got {name!r}.")
        self.name, self.seed = name, next_seed() if seed is None else seed
        self.steps_trained, self.epochs_trained, self.stop_training = 0, 0, False
        self.temperature = 1.0
        self.log_names: list[str] = []

    # Built: its layers are parts of it, and their parameters have their places.

    @property
    def open_shapes(self) -> list[OpenShape]:
        """The shape of a sample of each input, with None where any size is taken."""
        shapes: Any = self.input_shape
        return [*shapes] if self.takes_several else [shapes]

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs, as a dict of inputs has them."""
        return ["input"]

    def _settle(self) -> None:
        """Make the layers parts of this model."""
        parts, seen = [part for _, part in self.parts()], set[int]()
        for part in parts:
            if id(part) in seen:
                raise ValueError(f"{self.title}: {part.title} is used twice: make a new layer.")
            seen.add(id(part))
        parameters = self.parameters
        if len({id(parameter) for parameter in parameters}) < len(parameters):
            raise ValueError(f"{self.title}: a parameter is used twice: make one for each place.")
        for part in parts:
            for _, layer in [("", part), *members(vars(part))]:  # an activation that was given, too
                if isinstance(layer, Layer):
                    layer.remember(in_model=True)
        self.remember(_own_flow=None, _trainer=None, _infer=None, _alone=None)

    def _place(self) -> None:
        """Give the parameters their places: from now on they do not move."""
        parameters = self.parameters
        place(parameters)
        homes = {id(parameter.home): parameter.home for parameter in parameters if parameter.home is not None}
        alone = Alone(
            "The model, or one that it shares layers with, is being trained already: wait for the end of "
            "that, or train a copy.",
            [*homes.values()],
        )
        self.remember(_infer=prediction(self.fused), _alone=alone)

    def __getstate__(self) -> dict[str, Any]:
        """Leave what was recorded out of copies and pickles."""
        return super().__getstate__() | {"_infer": None, "_alone": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a copy or a pickle: its parameters are its own, and lie side by side again."""
        vars(self).update(state)
        if self.output_shape is not None:
            trainer = self._trainer
            self._settle()
            if trainer is not None:
                self.remember(_trainer=trainer)
                trainer.rejoin(self.infer)

    @property
    def infer(self) -> Prediction:
        """How the model predicts."""
        if self._infer is None:
            self._place()
        assert self._infer is not None
        return self._infer

    @property
    def alone(self) -> Alone:
        """Who trains the model."""
        if self._alone is None:
            self._place()
        assert self._alone is not None
        return self._alone

    @property
    def flat(self) -> Parameter:
        """The parameters that can be trained, in one piece.

        Raises:
            AttributeError: they lie in several pieces, because the model shares layers with another one, or
                has got further layers since.
        """
        _ = self.infer  # which gives the parameters their places
        runs = runs_of([parameter for parameter in self.parameters if parameter.trainable])
        if len(runs) > 1:
            raise AttributeError(
                f"{self.title} shares layers with another model, or has got further layers, so that its "
                "parameters lie in several pieces: use model.parameters, get_weights or set_weights."
            )
        return runs[0] if runs else Parameter("run", np.empty(0, self.dtype), np.empty(0, self.dtype))

    def _check_change(self, name: str, value: object) -> None:
        if not self.in_model or name == "name" or (name.startswith("_") and name not in SETTINGS):
            return
        if name in ("optimizer", "loss", "metrics"):
            raise AttributeError(
                f"{self.title}: {name} is what compile makes: call model.compile({name}=...)."
            )
        if name in {"layers", *SETTINGS}:
            raise AttributeError(f"{self.title} has used its {name}: make a new model to change it.")
        if (
            name not in vars(self)
            and type(self).__module__.startswith("tinynet.")
            and not hasattr(self, name)
        ):
            closest = difflib.get_close_matches(name, {*vars(self), *dir(type(self))}, n=1)
            hint = f" Did you mean {closest[0]}?" if closest else ""
            raise AttributeError(f"{self.title} has no {name}: to assign it would have no effect.{hint}")

    # Compiled: it has an optimizer, a loss and metrics.

    def compile(
        self,
        optimizer: str | optim.Optimizer = "adam",
        loss: str | losses.Loss = "sparse_categorical_crossentropy",
        metrics: Sequence[str | Metric] = (),
    ) -> None:
        """Choose how to train. Compiling again starts with a fresh optimizer.

        Args:
            optimizer: a name ("sgd", "adam", "adamw") or an optimizer; default "adam".
            loss: a name or a loss; default "sparse_categorical_crossentropy".
            metrics: names (such as "accuracy") and functions of (predictions, targets).

        Raises:
            ValueError: a name is unknown, or the model has several outputs.

        Example:
            >>> from tinynet import Sequential, layers
            >>> model = Sequential([layers.Dense(1)], 3)
            >>> model.compile(optimizer=optim.SGD(0.1), loss="mse")
            >>> model.train_on_batch([[1.0, 2.0, 3.0]], [[0.0]]).keys()
            dict_keys(['loss'])
        """
        compiled = optim.get(optimizer), losses.get(loss), get_metrics(metrics)
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
    def trainer(self) -> Trainer:
        """What makes the steps that `compile` chose."""
        if self._compiled is None:
            raise RuntimeError(
                "The model has no loss and optimizer yet: call "
                'model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", '
                'metrics=["accuracy"]) first.'
            )
        if self._trainer is None:
            count = len(self.flow().outputs)
            if count > 1:
                raise ValueError(
                    f"{self.title} has {count} outputs, which are for prediction: to train, make a "
                    "model of one of them, such as Model(model.input, model.outputs[0]), of the same layers."
                )
            self._trainer = Trainer(self, self.infer, *self._compiled)
        return self._trainer

    @property
    def optimizer(self) -> optim.Optimizer:
        """The optimizer given to `compile`."""
        return self.trainer.optimizer if self._compiled is None else self._compiled[0]

    @property
    def loss(self) -> losses.Loss:
        """The loss given to `compile`."""
        return self.trainer.loss if self._compiled is None else self._compiled[1]

    # Used.

    def check_inputs(self, x: Any) -> list[Array]:
        """Return the inputs as contiguous arrays (N, ...) of the model's dtype, or raise; see `predict`."""
        if self.workspace is not None:  # a replica, inside of another layer
            return super().check_inputs(x)
        first = next((layer for layer in self.layers if layer.wiring is None), self)
        taker = f"Layer {first.name!r} ({type(first).__name__}), the model's first,"
        names, shapes = self.input_names, self.open_shapes
        if self.takes_several:
            inputs = as_inputs(x, names)
            takers = [f"Input {name!r}" for name in names]
        else:
            inputs, takers = as_inputs(x, names), [taker]
        arrays = [
            checked_input(one, shape, self.dtype, taker)
            for one, shape, taker in zip(inputs, shapes, takers, strict=True)
        ]
        if len({len(array) for array in arrays}) > 1:
            counts = ", ".join(str(len(array)) for array in arrays)
            raise ValueError(f"The inputs have {counts} samples: each sample needs all of its inputs.")
        return arrays

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
        trainer.loss.check((samples, *flow.shapes[flow.outputs[0]]), targets)
        return inputs, targets

    def predict(self, x: Any) -> Any:
        """Compute the model's output; several threads may call this at once.

        Args:
            x: (N, *input_shape), scaled as in training; a list, or a dict by name, if there are several
                inputs. One sample without the batch axis, and images without a channel axis of 1, are taken
                too.

        Returns:
            (N, *output_shape): for a model that ends in softmax, a row of probabilities for each sample; a
            list, if there are several outputs.

        Raises:
            TypeError: x holds integers (scale pixels first) or no numbers.
            ValueError: x is empty, of another shape, or holds NaN or infinite values.

        Example:
            >>> from tinynet import Sequential, layers
            >>> Sequential([layers.Softmax()], 2).predict([[0.0, 0.0]])
            array([[0.5, 0.5]], dtype=float32)
        """
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
            return loop.run(epochs)

    def train_on_batch(self, x: Any, y: ArrayLike) -> dict[str, float]:
        """Make one training step.

        Args:
            x: (N, *input_shape) inputs.
            y: their targets.

        Returns:
            The loss and the metrics of the batch before the step.

        Raises:
            RuntimeError, TypeError, ValueError: as `fit`.

        Example:
            >>> from tinynet import Sequential, layers
            >>> model = Sequential([layers.Dense(1, kernel_initializer="zeros")], 1)
            >>> model.compile("sgd", "mse")
            >>> model.train_on_batch([[1.0]], [[2.0]])
            {'loss': 4.0}
        """
        inputs, targets = self.check_data(x, y)
        with self.alone:
            logs = self.trainer.step(inputs, targets, self.steps_trained)
            self.steps_trained += 1
        return logs

    def evaluate(self, x: Any, y: ArrayLike) -> dict[str, float]:
        """Measure the loss and the metrics.

        Args:
            x: (N, *input_shape) inputs.
            y: their targets.

        Returns:
            {"loss": ..., "accuracy": ...}: Python floats, means over all samples.

        Raises:
            RuntimeError, TypeError, ValueError: as `fit`.

        Example:
            >>> from tinynet import Sequential, layers
            >>> model = Sequential([layers.Softmax()], 2)
            >>> model.compile(metrics=["accuracy"])
            >>> result = model.evaluate([[9.0, 0.0], [0.0, 9.0]], [0, 1])
            >>> result["accuracy"]
            1.0
        """
        inputs, targets = self.check_data(x, y)
        return self.trainer.evaluate(inputs, targets)
