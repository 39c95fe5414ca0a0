"""What can be trained, evaluated, and used: the base of all models."""

from __future__ import annotations

import itertools
import time
import zlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from ..callbacks import Callback, History
from ..distributed import ranks
from ..keywords import warn
from ..training.average import MovingAverage
from ..training.data import Augment, Batch, Samples, are_fitting, check_finite, fitting
from ..training.feed import Feed, Validation, check_epochs, count, epochs_to_do
from ..training.loop import Loop
from ..training.progress import Progress, measured
from ..training.stream import Stream, is_stream, parts_of
from ..training.trainer import trainable_parts
from . import given
from .compiled import Compiled
from .refusal import check_silent
from .scores import scores_of

Array = NDArray[Any]


class Trainable(Compiled, only_kernels=True):
    """The base of `Model` and `Sequential`.

    Attributes:
        history: what the last `fit` recorded, also if it was interrupted; None before the first.
    """

    history: History | None = None

    def check_inputs(self, x: Any) -> list[Array]:
        """Return the inputs as contiguous arrays (N, ...) of the model's dtype, or raise; see `predict`."""
        if self.workspace is not None:  # a replica, inside of another layer
            return super().check_inputs(x)
        if self.output_shape is None:
            raise RuntimeError(f"{self.title} is not built yet: an Input, build or its first data builds it.")
        return [fitting(array, self.dtype) for array in given.raw_inputs(self, x)]

    def answer(self, x: Any, training: bool) -> Any:
        """Compute the output as `predict` does, where that is the same; see `Layer.answer`."""
        infer = self._infer if self.is_plain and self.workspace is None else None
        recording = kernels.jit.recorder.program is not None  # which is to have the calls
        if training or recording or infer is None or not infer.recorded.only_kernels:
            return super().answer(x, training)
        outputs = infer(self.check_inputs(x))
        return outputs[0] if len(outputs) == 1 else outputs

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
                inputs; or an iterable over such batches. One sample without the batch axis, and images
                without a channel axis of 1, are taken too, unless they are the first data, which build the
                model.
            batch_size, verbose: as in Keras, without effect: no result depends on the batch, which is cut
                into parts that fit the cache, and nothing is printed.
            steps: of an iterable, how many batches to take; of arrays, if batch_size is given, too, how many
                of so many samples. Default: all.
            callbacks: None (default).

        Returns:
            (N, *output_shape): for a model that ends in softmax, a row of probabilities for each sample; a
            list, if there are several outputs.

        Raises:
            TypeError: x holds no numbers.
            ValueError: x is empty, of another shape, or holds NaN or infinite values; or an argument is not
                there, or wrong.

        Example:
            >>> from tinynet import Sequential, layers
            >>> Sequential([layers.Softmax()], 2).predict([[0.0, 0.0]])
            array([[0.5, 0.5]], dtype=float32)
        """
        check_silent("predict", batch_size, verbose, callbacks)
        limit = count("predict", "steps", steps)
        if is_stream(x):
            items = Stream(x, Batch, "predict", limit is not None).in_order(0)
            parts = [
                self._predict(given.raw_inputs(self, parts_of(item)[0]))
                for item in itertools.islice(items, limit)
            ]
            if not parts:
                raise ValueError("predict: x yields no batches.")
            outputs = [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]
        else:
            inputs = given.raw_inputs(self, x)
            if limit is not None and batch_size is not None:
                inputs = [array[: limit * int(batch_size)] for array in inputs]
            outputs = self._predict(inputs)
        return outputs[0] if len(outputs) == 1 else outputs

    def _predict(self, inputs: list[Array]) -> list[Array]:
        """Return the outputs for arrays of integers or floats."""
        parts, first, infer = [], 0, self.infer
        fits = are_fitting(inputs, self.dtype)
        for chunk in [inputs] if fits else (part.convert() for part in Samples(inputs, self.dtype).chunks()):
            refuse = partial(check_finite, first=first)
            if not infer.recorded.only_kernels:  # layers of one's own may not expect NaN
                for array in chunk:
                    refuse(array)
            parts.append(infer(chunk, refuse))
            first += len(chunk[0])
        if len(parts) == 1:
            return parts[0]
        return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Sequence[Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
        *,
        augment: Augment | None = None,
        ema_momentum: float | None = None,
        distribute: bool = False,
    ) -> History:
        """Train.

        Args:
            x: (N, *input_shape) training inputs, of floats or integers; a list, or a dict by name, if there
                are several inputs; or an iterable over batches (x, y) or (x, y, sample_weight): a generator,
                a `PyDataset`, a loader.
            y: their targets: (N,) integer labels for a sparse loss.
            batch_size: samples a step; default 32, or, with steps_per_epoch, as many as go once through x.
            epochs: the number of the last epoch; default 1.
            verbose: 0 silent, 1 a progress bar and a line an epoch, 2 the line alone; "auto" (default) is 1
                in a terminal or a notebook, else 2.
            callbacks: see `tinynet.callbacks`.
            validation_split: the share of the data, taken from its end, to evaluate after each epoch;
                default 0.
            validation_data: or a pair (x, y), a triple (x, y, sample_weight), or an iterable over batches.
            shuffle: whether each epoch goes through the samples, or the batches of a `PyDataset`, in another
                order; default True.
            class_weight: how much more than 1 the samples of a class weigh in the loss: {class: weight}.
            sample_weight: or how much each sample weighs, (N,).
            initial_epoch: the number of epochs that were done before; default 0.
            steps_per_epoch: batches an epoch; default: all. What is left over begins the next epoch.
            validation_steps: batches of validation; default: all.
            validation_batch_size: the size of these batches; default: batch_size.
            validation_freq: validate after every so many epochs, or after those in a list; default 1.
            augment: changes each batch at random, such as `data.Augmentation()`; default None.
            ema_momentum: if given (0.999, say), the exponential moving average of the weights is what is
                validated, saved by callbacks, and left in the model at the end; default None.
            distribute: whether the processes that `mpiexec -n 4 python ...` started train together, each on
                its share of every batch; default False. All of them have to call this with the same model and
                data. The first alone prints and writes files. Weights have the same bits on 1, 2, 4 or 8
                processes, and others, by rounding, than without distribute.

        Returns:
            The losses and metrics epoch by epoch. After Ctrl-C the model keeps what it has learned.

        Raises:
            ImportError: distribute is True, and there is no mpi4py.
            RuntimeError: the model is not compiled.
            TypeError: what is no numbers, or labels of the wrong type.
            ValueError: shapes, labels or settings that do not fit, or data that has no end.

        Example:
            >>> from tinynet import Sequential, layers, optim
            >>> model = Sequential([layers.Dense(1)], 1, seed=1)
            >>> model.compile(optim.SGD(0.1), "mse")
            >>> x = np.linspace(-1, 1, 64).reshape(-1, 1)
            >>> history = model.fit(x, 3 * x, epochs=80, verbose=0)
            >>> round(float(model.predict([[1.0]])[0, 0]), 2)
            3.0
        """
        together = ranks() if distribute else None
        numbers = epochs_to_do(epochs, initial_epoch)
        steps = count("fit", "steps_per_epoch", steps_per_epoch)
        steps_after = count("fit", "validation_steps", validation_steps)
        count("fit", "validation_batch_size", validation_batch_size)
        split = 0.0 if validation_data is not None else validation_split
        held_out: Samples | Stream | None
        data, held_out = given.training_data(
            self, x, y, sample_weight, class_weight, batch_size, shuffle, augment, split, steps
        )
        check_epochs(data, steps, numbers)
        if validation_data is not None:
            size = validation_batch_size or batch_size
            held_out = given.validation_data(self, validation_data, steps_after, size)
        trainer = self.trainer
        if together is not None:
            together.agree(digest_of(self, numbers), "weights, seeds or epochs")
        loop = Loop(
            self,
            trainer,
            Feed(data, steps),
            Validation(held_out, steps_after, validation_freq),
            [callbacks] if isinstance(callbacks, Callback) else callbacks or (),
            Progress(verbose if together is None or together.number == 0 else 0, numbers.stop),
            MovingAverage(trainer.steps.runs, ema_momentum),
        )
        with self.alone:
            self.check_unchanged()
            if trainable_parts(self) != trainer.trainable:
                warn(
                    "fit: `trainable` has changed since model.compile, which reads it: call compile again "
                    "for the change to take effect.",
                    UserWarning,
                )
            self.remember(history=loop.history)
            trainer.distribute(together)
            try:
                return loop.run(numbers)
            finally:
                trainer.distribute(None)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Make one training step.

        Args:
            x: (N, *input_shape) inputs.
            y: their targets.
            sample_weight, class_weight: as in `fit`; default None.
            return_dict: whether to return a dict; default False.

        Returns:
            The loss of this batch before the step, if there are no metrics; else a list of the loss and the
            metrics, in the order given to `compile`; with `return_dict`, a dict of them by name.

        Raises:
            RuntimeError, TypeError, ValueError: as `fit`.

        Example:
            >>> from tinynet import Sequential, layers
            >>> model = Sequential([layers.Dense(1, kernel_initializer="zeros")], 1)
            >>> model.compile("sgd", "mse")
            >>> model.train_on_batch([[1.0]], [[2.0]])
            4.0
        """
        batch = given.batch_of(self, "train_on_batch", x, y, sample_weight, class_weight)
        with self.alone:
            logs = self.trainer.step(batch, self.steps_trained)
            self.steps_trained += 1
        return scores_of(logs, return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Measure the loss and the metrics of one batch, as `evaluate` does.

        Args:
            x: (N, *input_shape) inputs.
            y: their targets.
            sample_weight: how much each sample weighs, (N,); default None.
            return_dict: whether to return a dict; default False.

        Returns:
            What `evaluate` returns.

        Raises:
            RuntimeError, TypeError, ValueError: as `fit`.

        Example:
            >>> from tinynet import Sequential, layers
            >>> model = Sequential([layers.Dense(1, kernel_initializer="zeros")], 1)
            >>> model.compile("sgd", "mse", metrics=["mae"])
            >>> model.test_on_batch([[1.0]], [[2.0]])
            [4.0, 2.0]
        """
        return self.evaluate(x, y, sample_weight=sample_weight, return_dict=return_dict)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Measure the loss and the metrics.

        Args:
            x: (N, *input_shape) inputs, or an iterable over batches, as in `fit`.
            y: their targets.
            batch_size: as in Keras, without effect: what fits into the cache goes at once.
            verbose: 1 or 2 prints a line, as "0.2 s - loss: 0.0712 - accuracy: 0.9788"; "auto" (default) and
                0 print nothing.
            sample_weight: how much each sample weighs in the loss, (N,); default None.
            steps: of an iterable, how many batches to take; of arrays, if batch_size is given, too, how many
                of so many samples. Default: all.
            callbacks: None (default).
            return_dict: whether to return a dict; default False.

        Returns:
            The loss, if there are no metrics; else a list of the loss and the metrics, in the order given to
            `compile`; with `return_dict`, a dict of them by name. Python floats, means over all samples.

        Raises:
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
        check_silent("evaluate", batch_size, verbose, callbacks)
        limit, start = count("evaluate", "steps", steps), time.perf_counter()
        data = given.evaluation_data(self, "evaluate", x, y, sample_weight, limit, batch_size)
        logs = self.trainer.evaluate(data, limit)
        if verbose in (1, 2) and (self.trainer.ranks is None or self.trainer.ranks.number == 0):
            print(measured(start, logs), flush=True)
        return scores_of(logs, return_dict)


def digest_of(model: Trainable, epochs: range) -> tuple[Any, ...]:
    """Return a few numbers that are the same for models that train alike."""
    values = (zlib.crc32(np.ascontiguousarray(parameter.value).data) for parameter in model.parameters)
    return (model.seed, model.steps_trained, model.optimizer.iterations, epochs, *values)
