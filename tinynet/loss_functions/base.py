"""What a loss is: its value, its gradient, and what a training step asks of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Loss(ABC):
    """What every loss can do; a subclass writes `check`, `_value` and `_gradient`.

    Attributes:
        cancels: the name of the activation that the loss undoes, so that a model which ends in it is trained
            on what comes before it, the logits, by `of_logits`; "" for none.
    """

    cancels: ClassVar[str] = ""

    def __call__(self, predictions: ArrayLike, targets: ArrayLike) -> float:
        """Return the loss, averaged over the batch.

        Args:
            predictions: the model's output, (N, ...), of a floating type.
            targets: what it should have been; `check` says which shapes fit.

        Returns:
            The mean loss as a Python float; NaN or infinite where the predictions are.

        Raises:
            TypeError: the predictions or the targets have the wrong type.
            ValueError: the targets do not fit the predictions.

        Example:
            >>> from tinynet.losses import MeanSquaredError
            >>> MeanSquaredError()([[3.0], [5.0]], [[3.0], [6.0]])
            0.5
        """
        predictions = _floating(predictions)
        self.check(predictions.shape, targets)
        with np.errstate(over="ignore", invalid="ignore"):
            return self._value(predictions, np.asarray(targets))

    def gradient(self, predictions: ArrayLike, targets: ArrayLike) -> Array:
        """Return the gradient of the mean loss with respect to the predictions.

        Args:
            predictions: the model's output, (N, ...), of a floating type.
            targets: what it should have been; `check` says which shapes fit.

        Returns:
            A new array with the shape and the type of the predictions.

        Raises:
            TypeError: the predictions or the targets have the wrong type.
            ValueError: the targets do not fit the predictions.

        Example:
            >>> from tinynet.losses import MeanSquaredError
            >>> MeanSquaredError().gradient([[3.0], [5.0]], [[3.0], [6.0]])
            array([[ 0.],
                   [-1.]])
        """
        predictions = _floating(predictions)
        self.check(predictions.shape, targets)
        with np.errstate(over="ignore", invalid="ignore"):
            return self._gradient(predictions, np.asarray(targets)).astype(predictions.dtype, copy=False)

    def value_and_gradient(self, predictions: ArrayLike, targets: ArrayLike) -> tuple[float, Array]:
        """Return both the loss and its gradient, which is quicker than one after the other.

        Args:
            predictions: the model's output, (N, ...), of a floating type.
            targets: what it should have been; `check` says which shapes fit.

        Returns:
            What calling the loss returns, and what `gradient` returns.

        Raises:
            TypeError: the predictions or the targets have the wrong type.
            ValueError: the targets do not fit the predictions.

        Example:
            >>> from tinynet.losses import MeanSquaredError
            >>> MeanSquaredError().value_and_gradient([[3.0]], [[1.0]])
            (4.0, array([[4.]]))
        """
        predictions = _floating(predictions)
        self.check(predictions.shape, targets)
        with np.errstate(over="ignore", invalid="ignore"):
            value, gradient = self._both(predictions, np.asarray(targets))
            return value, gradient.astype(predictions.dtype, copy=False)

    def of_logits(self) -> Loss:
        """Return the same loss for predictions before the activation that it cancels."""
        raise NotImplementedError

    @property
    def only_kernels(self) -> bool:
        """Whether `write` does nothing to arrays but call kernels, so that a step may be recorded."""
        return False

    def prepare(self, targets: Array) -> Array:
        """Return checked targets as `write` takes them: contiguous, of one type."""
        return np.ascontiguousarray(targets)

    def write(self, predictions: Array, targets: Array, share: float, gradient: Array, value: Array) -> None:
        """Write the mean loss of a shard, and its gradient times the shard's share of the batch.

        Args:
            predictions: the model's output, (N, ...).
            targets: what it should have been, as `prepare` returns them.
            share: what to multiply the gradient by.
            gradient: like predictions, written.
            value: (1,) float64, written.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            value[0], slope = self._both(predictions, targets)
            np.multiply(slope.astype(predictions.dtype, copy=False), share, out=gradient)

    @abstractmethod
    def check(self, shape: tuple[int, ...], targets: ArrayLike) -> None:
        """Raise a clear error if the targets do not fit predictions of a shape.

        Args:
            shape: of the predictions, (N, ...).
            targets: of a batch, or of a whole data set before training starts.

        Raises:
            TypeError: the targets have the wrong type.
            ValueError: the targets have the wrong shape or values.
        """

    @abstractmethod
    def _value(self, predictions: Array, targets: Array) -> float: ...

    @abstractmethod
    def _gradient(self, predictions: Array, targets: Array) -> Array: ...

    def _both(self, predictions: Array, targets: Array) -> tuple[float, Array]:
        return self._value(predictions, targets), self._gradient(predictions, targets)


def _floating(predictions: ArrayLike) -> Array:
    array = np.asarray(predictions)
    if array.dtype.kind != "f":
        raise TypeError(f"Predictions must be floating-point numbers, not {array.dtype}.")
    return array


def total(array: Array) -> float:
    """Return the sum of all elements; for few of them quicker than `array.sum`."""
    return float(np.add.reduce(array, axis=None))
