"""The mean of squared differences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .base import Array, Loss, total
from .targets import check_same_shape, first, numbers, text


@dataclass(frozen=True)
class MeanSquaredError(Loss):
    """The square of the difference between predictions and targets, averaged over all elements.

    Example:
        >>> import numpy as np
        >>> loss = MeanSquaredError()
        >>> predictions = np.array([[1.0, 2.0], [3.0, 4.0]])
        >>> loss(predictions, [[1, 2], [3, 2]])
        1.0
        >>> loss.gradient(predictions, [[1, 2], [3, 2]])
        array([[0., 0.],
               [0., 1.]])
    """

    def check(self, shape: tuple[int, ...], targets: ArrayLike) -> None:
        """Raise a clear error if the targets are not finite, or do not fit predictions of a shape.

        Args:
            shape: of the predictions, (N, ...).
            targets: the same shape; for one output, (N, 1), also (N,).

        Raises:
            TypeError: the targets are not numbers.
            ValueError: a target is NaN or infinite, or the shape is wrong.
        """
        array = numbers(targets)
        check_same_shape(shape, array)
        finite = np.isfinite(array)
        if not np.logical_and.reduce(finite, axis=None):
            index = first(~finite)
            raise ValueError(f"Target {array[index]} at index {text(index)} is not a finite number.")

    def _value(self, predictions: Array, targets: Array) -> float:
        difference = predictions.astype(np.float64) - targets.reshape(predictions.shape)
        return total(difference * difference) / predictions.size

    def _gradient(self, predictions: Array, targets: Array) -> Array:
        difference = predictions.astype(np.float64) - targets.reshape(predictions.shape)
        return difference * (2 / predictions.size)
