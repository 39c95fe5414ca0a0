"""Sequential: layers in a row, built, trained, used, saved."""

from __future__ import annotations

import difflib
import json
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from . import kernels, losses, metrics, optim, storage
from .callbacks import Callback
from .layers import Layer, Parameter
from .layers.chain import Chain
from .layers.config import give_names, layer_config, layer_from_config, names_config
from .layers.conv_pool import fuse
from .layers.geometry import Shape
from .layers.parameter import place, runs_of
from .layers.tree import SETTINGS, members
from .metrics import get as get_metrics
from .shards import Inference
from .training import Augment, History, Run, Trainer
from .waiting import Alone

Array = NDArray[Any]


class Sequential(Chain, only_kernels=True):
    """A model: layers in a row, which can be trained.

    It is built at once. Layers may be shared with a model that was built before: training one model then
    changes the other one's weights too, as in Keras.

    Args:
        layers: the layers, in order.
        input_shape: shape of one sample, without the batch axis.
        seed: everything random follows from it: initial weights, dropout, shuffling, augmentation.
        dtype: "float32" (default), or "float64" for gradient checks.
        name: for `summary`; default "sequential".

    Attributes:
        layers: the layers.
        flat: the parameters that can be trained, in one piece: `flat.value` and `flat.grad` are vectors.
        input_shape, output_shape: shapes of one sample.
        optimizer, loss: as given to `compile`.
        trainable: whether training changes the parameters; read by `compile`. Each layer has its own, too.
        temperature: what `tinynet.predict_image` divides the logits by, so that its confidence is honest; see
            `tinynet.inference.calibrate`.
        stop_training: a callback sets it to True to end `fit`.
        log_names: what the current or last `fit` logs, for callbacks.

    Raises:
        ValueError: there is no layer, a layer cannot take its input's shape, or a layer is used twice.

    Example:
        >>> from tinynet import layers
        >>> model = Sequential([layers.Flatten(), layers.Dense(10, activation="softmax")], (28, 28, 1))
        >>> model.predict(np.zeros((2, 28, 28, 1))).shape
        (2, 10)
    """

    describes_itself = True
    seed: int
    input_shape: Shape
    output_shape: Shape
    infer: Inference  # how it predicts
    alone: Alone  # who trains it

    def __init__(
        self,
        layers: Sequence[Layer],
        input_shape: int | Sequence[int],
        seed: int = 0,
        dtype: DTypeLike = "float32",
        name: str = "sequential",
    ) -> None:
        super().__init__(layers)
        if not isinstance(seed, int | np.integer) or not 0 <= seed < 2**63:
            raise ValueError(f"Sequential: seed must be an integer from 0 to 2**63 - 1; got {seed!r}.")
        if not isinstance(name, str):
            raise TypeError(f"Sequential: name must be a string; got {name!r}.")
        self.steps_trained, self.epochs_trained, self.stop_training = 0, 0, False
        self.temperature = 1.0
        self.log_names: list[str] = []
        self._trainer: Trainer | None = None
        self.build(input_shape, seed, dtype)
        self.name = name
        self._settle()

    def _settle(self) -> None:
        """Make the layers parts of this model: from now on, their parameters do not move."""
        parts, seen = [part for _, part in self.parts()], set[int]()
        for part in parts:
            if id(part) in seen:
                raise ValueError(f"{self.title}: {part.title} is used twice: make a new layer.")
            seen.add(id(part))
        parameters = self.parameters
        if len({id(parameter) for parameter in parameters}) < len(parameters):
            raise ValueError(f"{self.title}: a parameter is used twice: make one for each place.")
        place(parameters)
        for part in parts:
            for _, layer in [("", part), *members(vars(part))]:  # an activation that was given, too
                if isinstance(layer, Layer):
                    layer.remember(in_model=True)
        self.remember(infer=Inference(fuse(self.row())))
        homes = {id(parameter.home): parameter.home for parameter in parameters if parameter.home is not None}
        alone = Alone(
            "The model, or one that it shares layers with, is being trained already: wait for the end of "
            "that, or train a copy.",
            [*homes.values()],
        )
        self.remember(alone=alone)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a copy or a pickle: its parameters are its own, and lie side by side again."""
        vars(self).update(state)
        self._settle()
        if self._trainer is not None:
            self._trainer.rejoin(self)

    def __repr__(self) -> str:
        count = sum(parameter.value.size for parameter in self.parameters)
        return f"Sequential(name={self.name!r}, layers={len(self.layers)}, parameters={count})"

    @property
    def flat(self) -> Parameter:
        """The parameters that can be trained, in one piece.

        Raises:
            AttributeError: they lie in several pieces, because the model shares layers with another one.
        """
        runs = runs_of([parameter for parameter in self.parameters if parameter.trainable])
        if len(runs) > 1:
            raise AttributeError(
                f"{self.title} shares layers with another model, so that its parameters lie in several "
                "pieces: use model.parameters, get_weights or set_weights."
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
        if name not in vars(self) and type(self) is Sequential and not hasattr(type(self), name):
            closest = difflib.get_close_matches(name, {*vars(self), *dir(type(self))}, n=1)
            hint = f" Did you mean {closest[0]}?" if closest else ""
            raise AttributeError(f"{self.title} has no {name}: to assign it would have no effect.{hint}")

    @property
    def trainer(self) -> Trainer:
        """What `compile` made."""
        if self._trainer is None:
            raise RuntimeError(
                "The model has no loss and optimizer yet: call "
                'model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", '
                'metrics=["accuracy"]) first.'
            )
        return self._trainer

    @property
    def optimizer(self) -> optim.Optimizer:
        """The optimizer given to `compile`."""
        return self.trainer.optimizer

    @property
    def loss(self) -> losses.Loss:
        """The loss given to `compile`."""
        return self.trainer.loss

    def predict(self, x: ArrayLike) -> Array:
        """Compute the model's output; several threads may call this at once.

        Args:
            x: (N, *input_shape), scaled as in training. One sample without the batch axis, and images
                without a channel axis of 1, are taken too.

        Returns:
            (N, *output_shape): for a model that ends in softmax, a row of probabilities for each sample.

        Raises:
            TypeError: x holds integers (scale pixels first) or no numbers.
            ValueError: x is empty, of another shape, or holds NaN or infinite values.

        Example:
            >>> from tinynet import layers
            >>> Sequential([layers.Softmax()], 2).predict([[0.0, 0.0]])
            array([[0.5, 0.5]], dtype=float32)
        """
        return self.infer(self.check_finite(self.check_input(x)))

    def compile(
        self,
        optimizer: str | optim.Optimizer = "adam",
        loss: str | losses.Loss = "sparse_categorical_crossentropy",
        metrics: Sequence[str | metrics.Metric] = (),
    ) -> None:
        """Choose how to train. Compiling again starts with a fresh optimizer.

        Args:
            optimizer: a name ("sgd", "adam", "adamw") or an optimizer; default "adam".
            loss: a name or a loss; default "sparse_categorical_crossentropy".
            metrics: names (such as "accuracy") and functions of (predictions, targets).

        Raises:
            ValueError: a name is unknown.

        Example:
            >>> from tinynet import layers
            >>> model = Sequential([layers.Dense(1)], 3)
            >>> model.compile(optimizer=optim.SGD(0.1), loss="mse")
            >>> model.train_on_batch([[1.0, 2.0, 3.0]], [[0.0]]).keys()
            dict_keys(['loss'])
        """
        with self.alone:
            self.check_unchanged()
            self._trainer = Trainer(self, optim.get(optimizer), losses.get(loss), get_metrics(metrics))

    def fit(
        self,
        x: ArrayLike,
        y: ArrayLike,
        batch_size: int = 32,
        epochs: int = 1,
        validation_data: tuple[ArrayLike, ArrayLike] | None = None,
        validation_split: float = 0.0,
        shuffle: bool = True,
        callbacks: Sequence[Callback] = (),
        verbose: int | str = "auto",
        augment: Augment | None = None,
        ema_momentum: float | None = None,
    ) -> History:
        """Train.

        Args:
            x: (N, *input_shape) training inputs.
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
            >>> from tinynet import layers
            >>> model = Sequential([layers.Dense(1)], 1, seed=1)
            >>> model.compile(optim.SGD(0.1), "mse")
            >>> x = np.linspace(-1, 1, 64).reshape(-1, 1)
            >>> history = model.fit(x, 3 * x, epochs=80, verbose=0)
            >>> round(float(model.predict([[1.0]])[0, 0]), 2)
            3.0
        """
        return Run(
            self,
            x,
            y,
            batch_size,
            epochs,
            validation_data,
            validation_split,
            shuffle,
            [callbacks] if isinstance(callbacks, Callback) else callbacks or (),
            verbose,
            augment,
            ema_momentum,
        ).fit()

    def train_on_batch(self, x: ArrayLike, y: ArrayLike) -> dict[str, float]:
        """Make one training step.

        Args:
            x: (N, *input_shape) inputs.
            y: their targets.

        Returns:
            The loss and the metrics of the batch before the step.

        Raises:
            RuntimeError, TypeError, ValueError: as `fit`.

        Example:
            >>> from tinynet import layers
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

    def evaluate(self, x: ArrayLike, y: ArrayLike) -> dict[str, float]:
        """Measure the loss and the metrics.

        Args:
            x: (N, *input_shape) inputs.
            y: their targets.

        Returns:
            {"loss": ..., "accuracy": ...}: Python floats, means over all samples.

        Raises:
            RuntimeError, TypeError, ValueError: as `fit`.

        Example:
            >>> from tinynet import layers
            >>> model = Sequential([layers.Softmax()], 2)
            >>> model.compile(metrics=["accuracy"])
            >>> result = model.evaluate([[9.0, 0.0], [0.0, 9.0]], [0, 1])
            >>> result["accuracy"]
            1.0
        """
        return self.trainer.evaluate(*self.check_data(x, y))

    def summary(self) -> None:
        """Print the layers, their output shapes and their numbers of parameters.

        Example:
            >>> from tinynet import layers
            >>> Sequential([layers.Flatten(), layers.Dense(10)], (28, 28, 1)).summary()
            Model: "sequential"
            Layer (type)        Output Shape         Param #
            ------------------------------------------------
            flatten (Flatten)   (None, 784)                0
            dense (Dense)       (None, 10)             7,850
            ------------------------------------------------
            Total params: 7,850 (30.7 KiB)
        """
        rows = [("Layer (type)", "Output Shape", "Param #")]
        for name, layer in self.sublayers().items():
            shape = ", ".join(["None", *map(str, layer.output_shape or ())])
            count = sum(parameter.value.size for parameter in layer.parameters)
            rows.append((f"{name} ({type(layer).__name__})", f"({shape})", f"{count:,}"))
        first, second = (max(len(row[column]) for row in rows) + 3 for column in (0, 1))
        lines = [f"{row[0]:<{first}}{row[1]:<{second}}{row[2]:>13}" for row in rows]
        rule = "-" * len(lines[0])
        trainable = sum(parameter.value.size for parameter in self.trainable_parameters())
        total = sum(parameter.value.size for parameter in self.parameters)
        counts = {"Total": total}
        if trainable != total:
            counts |= {"Trainable": trainable, "Non-trainable": total - trainable}
        size = self.dtype.itemsize / 1024
        totals = [f"{kind} params: {count:,} ({count * size:,.1f} KiB)" for kind, count in counts.items()]
        print("\n".join([f'Model: "{self.name}"', lines[0], rule, *lines[1:], rule, *totals]))

    def save(self, path: str | os.PathLike[str], dtype: DTypeLike | None = None) -> None:
        """Write the model to one .safetensors file, whole or not at all; `tinynet.load_model` reads it.

        The file holds the weights, the layers, and what `compile` was given: not the optimizer's state, nor
        losses, optimizers, schedules and metrics of your own, which no file can rebuild.

        Args:
            path: the file; an existing one is replaced.
            dtype: "float16" makes the file half as large, and rounds the weights to three digits; default:
                that of the model.

        Raises:
            TypeError: a layer is not one of tinynet's.
            ValueError: the dtype is another one, or a weight is too large for it.
            OSError: the file cannot be written; what was there before is unchanged.

        Example:
            >>> import os, tempfile
            >>> from tinynet import layers
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     Sequential([layers.Dense(2)], 3).save(f"{folder}/model.safetensors")
            ...     os.listdir(folder)
            ['model.safetensors']
        """
        stored = self.dtype if dtype is None else np.dtype(dtype)
        if stored not in (self.dtype, np.float16):
            raise ValueError(f"save: dtype is {self.dtype.name!r} or 'float16'; got {stored.name!r}.")
        with np.errstate(over="ignore"):
            tensors = {
                name: parameter.value.astype(stored) for name, parameter in self.named_parameters().items()
            }
        for name, tensor in tensors.items():
            if stored == np.float16 and np.isinf(tensor).any():
                raise ValueError(f"save: {name} has weights beyond float16's 65504; use the model's dtype.")
        storage.write_model_file(path, tensors, self.config())

    def config(self) -> dict[str, Any]:
        """Return what rebuilds the model, without its weights, as JSON can hold it.

        Returns:
            The arguments of `Sequential` and `compile`, and how long the model has trained.

        Raises:
            TypeError: a layer is not one of tinynet's.

        Example:
            >>> from tinynet import layers
            >>> Sequential([layers.ReLU()], 2).config()["layers"]
            [{'class': 'ReLU', 'negative_slope': 0.0}]
        """
        config: dict[str, Any] = {
            "layers": [layer_config(layer) for layer in self.layers],
            **names_config(self),
            "input_shape": list(self.input_shape),
            "seed": int(self.seed),
            "dtype": self.dtype.name,
            "name": self.name,
            "steps_trained": self.steps_trained,
            "epochs_trained": self.epochs_trained,
            "temperature": self.temperature,
        }
        frozen = [path for path, part in self.parts() if not part.trainable]
        if frozen:
            config["frozen"] = frozen
        how = self._compile_config()
        if how is not None:
            config["compile"] = how
        return config

    def _compile_config(self) -> dict[str, Any] | None:
        """Return what `compile` was given as JSON can hold it, or None where that cannot be rebuilt."""
        if self._trainer is None:
            return None
        loss = {
            name: getattr(value, "tolist", lambda value=value: value)()
            for name, value in vars(self.loss).items()
        }
        try:
            how = {
                "optimizer": self.optimizer.config(),
                "loss": {"name": type(self.loss).__name__, **loss},
                "metrics": [
                    name
                    for name, metric in self.trainer.metrics.items()
                    if metrics.METRICS.get(name) is metric
                ],
            }
            how = json.loads(json.dumps(how))
            same = type(optim.get(how["optimizer"])) is type(self.optimizer)
            return how if same and losses.get(how["loss"]) == self.loss else None
        except (TypeError, ValueError):
            return None

    @classmethod
    def from_config(cls, config: Mapping[str, Any], most_weights: float = math.inf) -> Self:
        """Return the model that `config` described, with new initial weights.

        Args:
            config: as `config` returns it.
            most_weights: the most that one parameter may have; default: any number.

        Returns:
            A new model, compiled if that one was.

        Raises:
            KeyError, TypeError, ValueError: the description is not complete or not valid.
        """
        layers = [layer_from_config(layer, most_weights) for layer in config["layers"]]
        if "names" in config:
            give_names(layers, config["names"])
        model = cls(
            layers,
            config["input_shape"],
            config["seed"],
            config["dtype"],
            config["name"],
        )
        model.steps_trained = int(config.get("steps_trained", 0))
        model.epochs_trained = int(config.get("epochs_trained", 0))
        model.temperature = float(config.get("temperature", 1.0))
        parts = dict(model.parts())
        for path in config.get("frozen", ()):
            parts[path].remember(_trainable=False)
        if "compile" in config:
            how = config["compile"]
            model.compile(optim.get(how["optimizer"]), losses.get(how["loss"]), how["metrics"])
        return model

    def check_input(self, x: ArrayLike) -> Array:
        """Return x as a contiguous (N, *input_shape) array of the model's dtype, or raise; see `predict`."""
        if self.workspace is not None:  # a replica, inside of another layer
            return super().check_input(x)
        array = np.asarray(x)
        if array.dtype.kind in "iub":
            raise TypeError(
                f"The model computes with numbers like 0.5, and got x of dtype {array.dtype}: scale pixels "
                "with tinynet.data.scale_pixels(x), or convert other data with x.astype('float32')."
            )
        if array.dtype.kind != "f":
            raise TypeError(f"x must be an array of floats; got dtype {array.dtype}.")
        if array.size == 0:
            raise ValueError(f"x is empty: its shape is {array.shape}; give at least one sample.")
        array = self.as_batch(array)
        if array.dtype != self.dtype or not array.flags.c_contiguous:
            # What is too large for the dtype becomes infinite, and is refused below.
            with np.errstate(over="ignore"):
                array = np.ascontiguousarray(array, self.dtype)
        return array

    def check_finite(self, array: Array) -> Array:
        """Return an array, or raise if it holds NaN or infinite values."""
        if not kernels.elementwise.all_finite(array.reshape(-1)):
            bad = np.argwhere(~np.isfinite(array))[0]
            raise ValueError(
                f"x holds NaN or infinite values, the first at {tuple(map(int, bad))}; clean the data first."
            )
        return array

    def as_batch(self, x: Array) -> Array:
        """Return x with the batch axis, and the channel axis of 1, that `predict` lets one leave out."""
        shape = self.input_shape
        if x.shape[1:] == shape:
            return x
        thin = shape[:-1] if len(shape) > 1 and shape[-1] == 1 else None
        if x.shape == shape or x.shape == thin:
            return x.reshape(1, *shape)
        if thin is not None and x.shape[1:] == thin:
            return x.reshape(-1, *shape)
        first = self.layers[0]
        hint = f"Likely fix: pass samples of shape {shape}, or build the model with another input_shape."
        if len(shape) == 3 and x.shape[1:] == (shape[2], shape[0], shape[1]):
            hint = "Likely fix: np.moveaxis(x, 1, -1), because channels come last."
        elif x.ndim >= 1 and int(np.prod(x.shape[1:])) == int(np.prod(shape)):
            hint = f"Likely fix: x.reshape(-1, {', '.join(map(str, shape))})."
        raise ValueError(
            f"Layer {first.name!r} ({type(first).__name__}), the model's first, expects x of shape "
            f"(N, {', '.join(map(str, shape))}); got {x.shape}. {hint}"
        )

    def check_data(self, x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
        """Return inputs and targets as arrays that fit the model and its loss, or raise; see `fit`."""
        trainer = self.trainer
        inputs, targets = self.check_finite(self.check_input(x)), np.asarray(y)
        if targets.ndim == 0 or len(targets) != len(inputs):
            raise ValueError(
                f"x has {len(inputs)} samples and y has {len(targets) if targets.ndim else 'none'}: each "
                "input needs its target."
            )
        trainer.loss.check((len(inputs), *self.output_shape), targets)
        return inputs, targets


def load_model(path: str | os.PathLike[str]) -> Sequential:
    """Read a model that `Sequential.save` wrote.

    Args:
        path: the file.

    Returns:
        The model with its weights, compiled if it was compiled when it was saved.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, of another program, or of a later version of the format.

    Example:
        >>> import tempfile
        >>> from tinynet import layers
        >>> model = Sequential([layers.Dense(2)], 3)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/model.safetensors")
        ...     same = load_model(f"{folder}/model.safetensors")
        >>> bool(np.all(same.flat.value == model.flat.value))
        True
    """
    tensors, description = storage.read_model_file(path)
    held = sum(tensor.size for tensor in tensors.values())
    largest = max(held, 2**10)  # a tampered description must not make us allocate what the file cannot fill
    try:
        model = Sequential.from_config(description, most_weights=largest)
    except Exception as error:  # a damaged description can raise anything
        raise ValueError(
            f"{os.fspath(path)!r} describes no model that this tinynet can build: {error!r}."
        ) from error
    expected = model.named_parameters()
    found = {name: tensor.shape for name, tensor in tensors.items()}
    wanted = {name: parameter.value.shape for name, parameter in expected.items()}
    if found != wanted or any(tensor.dtype not in (model.dtype, np.float16) for tensor in tensors.values()):
        dtypes = sorted({tensor.dtype.name for tensor in tensors.values()})
        raise ValueError(
            f"{os.fspath(path)!r} holds weights {found} of dtypes {dtypes}; its model needs {wanted} of "
            f"{model.dtype} or float16."
        )
    for name, parameter in expected.items():
        parameter.value = tensors[name]
    return model
