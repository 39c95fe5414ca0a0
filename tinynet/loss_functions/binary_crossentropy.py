"""Cross-entropy of outputs that are each a probability of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ..elementary import exp, log, log1p
from .base import EPSILON, Array, Floats, Loss
from .elementwise import ElementwiseLoss
from .targets import check_label_smoothing, check_same_shape, first, look_turned, numbers, text


@dataclass(frozen=True)
class BinaryCrossentropy(ElementwiseLoss):
    """Cross-entropy between targets in 0..1 and predicted probabilities, each output on its own.

    For target t and probability p the loss is −t log p − (1 − t) log(1 − p), averaged over all elements. A
    probability nearer to 0 or 1 than 1e-7 counts as that far away, as in Keras; its gradient is that of a
    probability so far away, so that a confident wrong answer has a large, finite loss and gradient.

    Args:
        from_logits: the predictions are logits, before sigmoid; more precise. Default False: probabilities.
        label_smoothing: how far targets move towards 0.5, as a share in [0, 1). Default 0.
        reduction, name: see `Loss`.

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
    formula: ClassVar[int] = 7
    from_logits: bool = False
    label_smoothing: float = 0.0

    def __post_init__(self, reduction: str, name: str | None) -> None:
        super().__post_init__(reduction, name)
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

    @property
    def kernel_formula(self) -> int:
        """Which of the kernel's formulas it is."""
        return 6 if self.from_logits else 7

    @property
    def setting(self) -> float:
        """The number that the kernel's formula depends on: how far targets move."""
        return float(self.label_smoothing)

    def _of_elements(self, t: Floats, p: Floats) -> Floats:
        t = self._smooth(t)
        if self.from_logits:
            losses: Floats = np.maximum(p, 0) + log1p(exp(-np.abs(p))) - t * p
            return losses
        p = np.clip(p, EPSILON, 1 - EPSILON)
        return -t * log(p) - (1 - t) * log1p(-p)

    def _slopes(self, t: Floats, p: Floats) -> Floats:
        t = self._smooth(t)
        if self.from_logits:
            small = exp(-np.abs(p))
            slopes: Floats = np.where(p < 0, small, 1) / (1 + small) - t
            return slopes
        p = np.clip(p, EPSILON, 1 - EPSILON)
        return (p - t) / (p * (1 - p))

    def _smooth(self, t: Floats) -> Floats:
        return t * (1 - self.label_smoothing) + self.label_smoothing / 2
