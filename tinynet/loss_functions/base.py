"""What a loss is: its value, its gradient, and what a training step asks of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..order import ORDER, check_order

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

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        for name in ("__call__", "gradient", "check", "write", "_value", "_gradient", "_both"):
            if name in vars(cls):
                check_order(vars(cls)[name], f"{cls.__name__}.{name}", method=True)

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike) -> float:
        """Return the loss, averaged over the batch.

        Args:
            y_true: the targets, what the output should have been; `check` says which shapes fit.
            y_pred: the predictions, the model's output, (N, ...), of a floating type.

        Returns:
            The mean loss as a Python float; NaN or infinite where the predictions are.

        Raises:
            TypeError: the predictions or the targets have the wrong type, as where their order is the other.
            ValueError: the targets do not fit the predictions.

        Example:
            >>> from tinynet.losses import MeanSquaredError
            >>> MeanSquaredError()([[3.0], [6.0]], [[3.0], [5.0]])
            0.5
        """
        predictions = self._checked(y_true, y_pred)
        return self.of_checked(np.asarray(y_true), predictions)

    def gradient(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return the gradient of the mean loss with respect to the predictions.

        Args:
            y_true: the targets, what the output should have been; `check` says which shapes fit.
            y_pred: the predictions, the model's output, (N, ...), of a floating type.

        Returns:
            A new array with the shape and the type of the predictions.

        Raises:
            TypeError: the predictions or the targets have the wrong type, as where their order is the other.
            ValueError: the targets do not fit the predictions.

        Example:
            >>> from tinynet.losses import MeanSquaredError
            >>> MeanSquaredError().gradient([[3.0], [6.0]], [[3.0], [5.0]])
            array([[ 0.],
                   [-1.]])
        """
        predictions = self._checked(y_true, y_pred)
        with np.errstate(over="ignore", invalid="ignore"):
            return self._gradient(np.asarray(y_true), predictions).astype(predictions.dtype, copy=False)

    def value_and_gradient(self, y_true: ArrayLike, y_pred: ArrayLike) -> tuple[float, Array]:
        """Return both the loss and its gradient, which is quicker than one after the other.

        Args:
            y_true: the targets, what the output should have been; `check` says which shapes fit.
            y_pred: the predictions, the model's output, (N, ...), of a floating type.

        Returns:
            What calling the loss returns, and what `gradient` returns.

        Raises:
            TypeError: the predictions or the targets have the wrong type, as where their order is the other.
            ValueError: the targets do not fit the predictions.

        Example:
            >>> from tinynet.losses import MeanSquaredError
            >>> MeanSquaredError().value_and_gradient([[1.0]], [[3.0]])
            (4.0, array([[4.]]))
        """
        predictions = self._checked(y_true, y_pred)
        with np.errstate(over="ignore", invalid="ignore"):
            value, gradient = self._both(np.asarray(y_true), predictions)
            return value, gradient.astype(predictions.dtype, copy=False)

    def of_logits(self) -> Loss:
        """Return the same loss for predictions before the activation that it cancels."""
        raise NotImplementedError

    @property
    def only_kernels(self) -> bool:
        """Whether `write` does nothing to arrays but call kernels, so that a step may be recorded."""
        return False

    def prepare(self, y_true: Array) -> Array:
        """Return checked targets as `write` takes them: contiguous, of one type."""
        return np.ascontiguousarray(y_true)

    def write(self, y_true: Array, y_pred: Array, share: float, gradient: Array, value: Array) -> None:
        """Write the mean loss of a shard, and its gradient times the shard's share of the batch.

        Args:
            y_true: the targets, as `prepare` returns them.
            y_pred: the predictions, the model's output, (N, ...).
            share: what to multiply the gradient by.
            gradient: like y_pred, written.
            value: (1,) float64, written.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            value[0], slope = self._both(y_true, y_pred)
            np.multiply(slope.astype(y_pred.dtype, copy=False), share, out=gradient)

    def of_checked(self, y_true: Array, y_pred: Array) -> float:
        """Return the loss, as a call does, of targets that have been checked and a model's own output."""
        with np.errstate(over="ignore", invalid="ignore"):
            return self._value(y_true, y_pred)

    @abstractmethod
    def check(self, y_true: ArrayLike, shape: tuple[int, ...]) -> None:
        """Raise a clear error if the targets do not fit predictions of a shape.

        Args:
            y_true: the targets of a batch, or of a whole data set before training starts.
            shape: of the predictions, (N, ...).

        Raises:
            TypeError: the targets have the wrong type.
            ValueError: the targets have the wrong shape or values.
        """

    def _checked(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return the predictions as an array, if they are some and the targets fit."""
        targets, predictions = np.asarray(y_true), np.asarray(y_pred)
        if predictions.dtype.kind != "f":
            turned = f" {ORDER}" if targets.dtype.kind == "f" else ""
            raise TypeError(f"Predictions must be floating-point numbers, not {predictions.dtype}.{turned}")
        if self._turned(targets, predictions):
            raise ValueError(
                f"y_pred holds nothing but 0 and 1, and y_true nothing but fractions. {ORDER} "
                "(If this is what you mean, move y_pred a little away from 0 and 1.)"
            )
        self.check(targets, predictions.shape)
        return predictions

    def _turned(self, targets: Array, predictions: Array) -> bool:
        """Return whether the arguments are sure to be given in the other order."""
        return False

    @abstractmethod
    def _value(self, y_true: Array, y_pred: Array) -> float: ...

    @abstractmethod
    def _gradient(self, y_true: Array, y_pred: Array) -> Array: ...

    def _both(self, y_true: Array, y_pred: Array) -> tuple[float, Array]:
        return self._value(y_true, y_pred), self._gradient(y_true, y_pred)


def total(array: Array) -> float:
    """Return the sum of all elements; for few of them quicker than `array.sum`."""
    return float(np.add.reduce(array, axis=None))
