"""Cross-entropy of outputs that are each a probability of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .base import Array, Floats, Loss, total
from .targets import check_label_smoothing, check_same_shape, first, numbers, text


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
        >>> round(loss(np.array([[0.5], [0.25]]), [1, 0]), 4)  # the mean of log 2 and −log 0.75
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

    def check(self, shape: tuple[int, ...], targets: ArrayLike) -> None:
        """Raise a clear error if the targets are not in 0..1, or do not fit predictions of a shape.

        Args:
            shape: of the predictions, (N, ...).
            targets: the same shape; for one output, (N, 1), also (N,).

        Raises:
            TypeError: the targets are not numbers.
            ValueError: a target is outside 0..1 or NaN, or the shape is wrong.
        """
        array = numbers(targets)
        check_same_shape(shape, array)
        # A NaN fails both comparisons.
        if not (np.minimum.reduce(array, axis=None) >= 0 and np.maximum.reduce(array, axis=None) <= 1):
            index = first(~((array >= 0) & (array <= 1)))
            raise ValueError(
                f"Target {array[index]} at index {text(index)} is outside 0..1; "
                "for labels of more than two classes, use sparse_categorical_crossentropy."
            )

    def _value(self, predictions: Array, targets: Array) -> float:
        t = self._smooth(predictions.shape, targets)
        if self.from_logits:
            z = predictions.astype(np.float64)
            losses = np.logaddexp(0, z) - t * z
        else:
            p = self._clip(predictions)
            losses = -t * np.log(p) - (1 - t) * np.log1p(-p)
        return total(losses) / predictions.size

    def _gradient(self, predictions: Array, targets: Array) -> Array:
        t = self._smooth(predictions.shape, targets)
        if self.from_logits:
            z = predictions.astype(np.float64)
            small = np.exp(-np.abs(z))
            gradient: Array = np.where(z >= 0, 1, small) / (1 + small) - t
        else:
            p = self._clip(predictions)
            gradient = (p - t) / (p * (1 - p))
        gradient /= predictions.size
        return gradient

    def _clip(self, predictions: Array) -> Floats:
        epsilon = float(np.finfo(predictions.dtype).eps)
        return np.clip(predictions.astype(np.float64), epsilon, 1 - epsilon)

    def _smooth(self, shape: tuple[int, ...], targets: Array) -> Floats:
        return (
            targets.reshape(shape).astype(np.float64) * (1 - self.label_smoothing) + self.label_smoothing / 2
        )
