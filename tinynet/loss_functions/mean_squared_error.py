"""The mean of squared differences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .base import Array, Floats, Loss, mean_of_rows, total
from .targets import check_same_shape, first, look_turned, numbers, text


@dataclass(frozen=True)
class MeanSquaredError(Loss):
    """The square of the difference between predictions and targets, averaged over all elements.

    Example:
        >>> import numpy as np
        >>> loss = MeanSquaredError()
        >>> predictions = np.array([[1.0, 2.0], [3.0, 4.0]])
        >>> loss([[1, 2], [3, 2]], predictions)
        1.0
        >>> loss.gradient([[1, 2], [3, 2]], predictions)
        array([[0., 0.],
               [0., 1.]])
    """

    def check(self, y_true: ArrayLike, shape: tuple[int, ...]) -> None:
        """Raise a clear error if the targets are not finite, or do not fit predictions of a shape.

        Args:
            y_true: the targets, of that shape; for one output, (N, 1), also (N,).
            shape: of the predictions, (N, ...).

        Raises:
            TypeError: the targets are not numbers.
            ValueError: a target is NaN or infinite, or the shape is wrong.
        """
        array = numbers(y_true)
        check_same_shape(array, shape)
        finite = np.isfinite(array)
        if not np.logical_and.reduce(finite, axis=None):
            index = first(~finite)
            raise ValueError(f"Target {array[index]} at index {text(index)} is not a finite number.")

    def _turned(self, targets: Array, predictions: Array) -> bool:
        return look_turned(targets, predictions, rows=True)

    def _value(self, y_true: Array, y_pred: Array) -> float:
        difference = y_pred.astype(np.float64) - y_true.reshape(y_pred.shape)
        return total(difference * difference) / y_pred.size

    def _losses(self, y_true: Array, y_pred: Array) -> Floats:
        difference = y_pred.astype(np.float64) - y_true.reshape(y_pred.shape)
        return mean_of_rows(difference * difference)

    def _gradient(self, y_true: Array, y_pred: Array) -> Array:
        difference = y_pred.astype(np.float64) - y_true.reshape(y_pred.shape)
        return difference * (2 / y_pred.size)
