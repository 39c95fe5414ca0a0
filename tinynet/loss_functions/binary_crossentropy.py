"""Cross-entropy of outputs that are each a probability of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .base import Array, Floats, Loss, mean_of_rows, total
from .targets import check_label_smoothing, check_same_shape, first, look_turned, numbers, text


@dataclass(frozen=True)
class BinaryCrossentropy(Loss):
    """Cross-entropy between targets in 0..1 and predicted probabilities, each output on its own.

    For target t and probability p the loss is −t log p − (1 − t) log(1 − p), averaged over all elements. A
    probability nearer to 0 or 1 than the machine epsilon of its type counts as that far away, so that a
    confident wrong answer has a large, finite loss and gradient.

    Args:
        from_logits: the predictions are logits, before sigmoid; more precise. Default False: probabilities.
        label_smoothing: how far targets move towards 0.5, as a share in [0, 1). Default 0.

    Raises:
        ValueError: the label smoothing is outside [0, 1).

    Example:
        >>> import numpy as np
        >>> loss = BinaryCrossentropy()
        >>> round(loss([1, 0], np.array([[0.5], [0.25]])), 4)  # the mean of log 2 and −log 0.75
        0.4904

    Source:
        I. Goodfellow, Y. Bengio, A. Courville: Deep Learning, section 6.2.2.2.
    """

    cancels: ClassVar[str] = "sigmoid"
    from_logits: bool = False
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        check_label_smoothing(self.label_smoothing)

    def of_logits(self) -> Loss:
        """Return the same loss of logits; see `Loss.of_logits`."""
        return replace(self, from_logits=True)

    def check(self, y_true: ArrayLike, shape: tuple[int, ...]) -> None:
        """Raise a clear error if the targets are not in 0..1, or do not fit predictions of a shape.

        Args:
            y_true: the targets, of that shape; for one output, (N, 1), also (N,).
            shape: of the predictions, (N, ...).

        Raises:
            TypeError: the targets are not numbers.
            ValueError: a target is outside 0..1 or NaN, or the shape is wrong.
        """
        array = numbers(y_true)
        check_same_shape(array, shape)
        # A NaN fails both comparisons.
        if not (np.minimum.reduce(array, axis=None) >= 0 and np.maximum.reduce(array, axis=None) <= 1):
            index = first(~((array >= 0) & (array <= 1)))
            raise ValueError(
                f"Target {array[index]} at index {text(index)} is outside 0..1; "
                "for labels of more than two classes, use sparse_categorical_crossentropy."
            )

    def _turned(self, targets: Array, predictions: Array) -> bool:
        return not self.from_logits and look_turned(targets, predictions)

    def _value(self, y_true: Array, y_pred: Array) -> float:
        return total(self._of_elements(y_true, y_pred)) / y_pred.size

    def _losses(self, y_true: Array, y_pred: Array) -> Floats:
        return mean_of_rows(self._of_elements(y_true, y_pred))

    def _of_elements(self, y_true: Array, y_pred: Array) -> Floats:
        t = self._smooth(y_true, y_pred.shape)
        if self.from_logits:
            z = y_pred.astype(np.float64)
            losses: Floats = np.logaddexp(0, z) - t * z
        else:
            p = self._clip(y_pred)
            losses = -t * np.log(p) - (1 - t) * np.log1p(-p)
        return losses

    def _gradient(self, y_true: Array, y_pred: Array) -> Array:
        t = self._smooth(y_true, y_pred.shape)
        if self.from_logits:
            z = y_pred.astype(np.float64)
            small = np.exp(-np.abs(z))
            gradient: Array = np.where(z >= 0, 1, small) / (1 + small) - t
        else:
            p = self._clip(y_pred)
            gradient = (p - t) / (p * (1 - p))
        gradient /= y_pred.size
        return gradient

    def _clip(self, y_pred: Array) -> Floats:
        epsilon = float(np.finfo(y_pred.dtype).eps)
        return np.clip(y_pred.astype(np.float64), epsilon, 1 - epsilon)

    def _smooth(self, y_true: Array, shape: tuple[int, ...]) -> Floats:
        return (
            y_true.reshape(shape).astype(np.float64) * (1 - self.label_smoothing) + self.label_smoothing / 2
        )
