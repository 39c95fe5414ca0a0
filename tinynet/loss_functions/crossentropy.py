"""Cross-entropy over classes, of labels and of distributions."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .. import kernels
from .base import Array, Floats, Loss, total
from .targets import (
    check_classes,
    check_label_smoothing,
    check_samples,
    first,
    look_turned,
    numbers,
    shape_error,
    text,
)


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """The mean of −Σ t log p over the rows of a batch, where t is a distribution over the classes."""

    cancels: ClassVar[str] = "softmax"
    from_logits: bool = False
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        check_label_smoothing(self.label_smoothing)

    def of_logits(self) -> Loss:
        """Return the same loss of logits; see `Loss.of_logits`."""
        return replace(self, from_logits=True)

    def _value(self, y_true: Array, y_pred: Array) -> float:
        return self._both(y_true, y_pred)[0]

    def _gradient(self, y_true: Array, y_pred: Array) -> Array:
        return self._both(y_true, y_pred)[1]

    def _losses(self, y_true: Array, y_pred: Array) -> Floats:
        logarithms = log_softmax(y_pred) if self.from_logits else np.log(_clip_below(y_pred))
        losses: Floats = np.add.reduce(-self._distribution(y_true, y_pred.shape) * logarithms, axis=-1)
        return losses

    def _both(self, y_true: Array, y_pred: Array) -> tuple[float, Array]:
        distribution, rows = self._distribution(y_true, y_pred.shape), math.prod(y_pred.shape[:-1])
        if self.from_logits:
            logarithms = log_softmax(y_pred)
            gradient: Array = np.exp(logarithms) - distribution
        else:
            clipped = _clip_below(y_pred)
            logarithms, gradient = np.log(clipped), -distribution / clipped
        return -total(distribution * logarithms) / rows, gradient / rows

    def _distribution(self, y_true: Array, shape: tuple[int, ...]) -> Floats:
        distribution = self._one_hot(y_true, shape).astype(np.float64)
        if self.label_smoothing:
            distribution *= 1 - self.label_smoothing
            distribution += self.label_smoothing / shape[-1]
        return distribution

    @abstractmethod
    def _one_hot(self, y_true: Array, shape: tuple[int, ...]) -> Array: ...


@dataclass(frozen=True)
class SparseCategoricalCrossentropy(CrossEntropy):
    """Cross-entropy between class labels (integers) and predicted probabilities.

    With probability p of the true class the loss is −log p. A probability below the machine epsilon of its
    type counts as that epsilon, so that a confident wrong answer has a large, finite loss and gradient.

    Args:
        from_logits: the predictions are logits, before softmax; more precise. Default False: probabilities.
        label_smoothing: the share of the target spread evenly over all classes, in [0, 1). Default 0.

    Raises:
        ValueError: the label smoothing is outside [0, 1).

    Example:
        >>> import numpy as np
        >>> loss = SparseCategoricalCrossentropy()
        >>> predictions = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])
        >>> round(loss([0, 1], predictions), 4)  # the mean of log 2 and 0
        0.3466
        >>> loss.gradient([0, 1], predictions)
        array([[-1. , -0. , -0. ],
               [-0. , -0.5, -0. ]])

    Source:
        I. Goodfellow, Y. Bengio, A. Courville: Deep Learning, section 6.2.2.3; label smoothing: C. Szegedy
        et al.: Rethinking the Inception Architecture for Computer Vision, 2016, section 7.
    """

    def check(self, y_true: ArrayLike, shape: tuple[int, ...]) -> None:
        """Raise a clear error if the targets are not labels 0..classes-1 for predictions of a shape.

        Args:
            y_true: integer labels, (N, ...) or (N, ..., 1).
            shape: of the predictions, (N, ..., classes).

        Raises:
            TypeError: the labels are not integers.
            ValueError: a label is out of range, or the shape is wrong (one-hot targets, another N).

        Example:
            >>> SparseCategoricalCrossentropy().check([3, 10, 0], (3, 10))
            Traceback (most recent call last):
                ...
            ValueError: Label 10 at index 1 is out of range: for 10 classes, labels are 0..9.
        """
        labels = np.asarray(y_true)
        if labels.shape != shape[:-1] or not labels.size:
            check_samples(labels, shape)
            check_classes(shape)
            if labels.shape == shape:
                raise ValueError(
                    f"The targets look one-hot, {labels.shape}, but a sparse loss takes labels, "
                    f"{shape[:-1]}: use categorical_crossentropy, or pass targets.argmax(axis=-1)."
                )
            if labels.shape != (*shape[:-1], 1):
                raise shape_error(shape, labels.shape, f"labels of shape {shape[:-1]}")
        check_classes(shape)
        if labels.dtype.kind not in "iu":
            raise TypeError(f"Labels must be integers, not {labels.dtype}: pass targets.astype(int).")
        if np.minimum.reduce(labels, axis=None) < 0 or np.maximum.reduce(labels, axis=None) >= shape[-1]:
            index = first((labels < 0) | (labels >= shape[-1]))
            raise ValueError(
                f"Label {labels[index]} at index {text(index)} is out of range: "
                f"for {shape[-1]} classes, labels are 0..{shape[-1] - 1}."
            )

    @property
    def only_kernels(self) -> bool:
        """Whether there is a kernel: for logits."""
        return self.from_logits and type(self) is SparseCategoricalCrossentropy

    def prepare(self, y_true: Array) -> Array:
        """Return labels as the kernel takes them; see `Loss.prepare`."""
        return np.ascontiguousarray(y_true, np.int64)

    def write(
        self,
        y_true: Array,
        y_pred: Array,
        share: float,
        gradient: Array,
        value: Array,
        weights: Array | None = None,
    ) -> None:
        """Write the mean loss, and its gradient times a share; see `Loss.write`."""
        if not self.only_kernels:
            super().write(y_true, y_pred, share, gradient, value, weights)
            return
        classes = y_pred.shape[-1]
        kernels.elementwise.softmax_cross_entropy(
            y_pred.reshape(-1, classes),
            y_true.reshape(-1),
            self.label_smoothing,
            share,
            gradient.reshape(-1, classes),
            value,
            np.empty(0, y_pred.dtype) if weights is None else weights.reshape(-1),
        )

    def _one_hot(self, y_true: Array, shape: tuple[int, ...]) -> Array:
        one_hot: Array = y_true.reshape((*shape[:-1], 1)) == np.arange(shape[-1])
        return one_hot


@dataclass(frozen=True)
class CategoricalCrossentropy(CrossEntropy):
    """Cross-entropy between target distributions (one-hot rows, for example) and predicted probabilities.

    For target row t and predicted row p the loss is −Σ t log p. A probability below the machine epsilon of
    its type counts as that epsilon, so that a confident wrong answer has a large, finite loss and gradient.

    Args:
        from_logits: the predictions are logits, before softmax; more precise. Default False: probabilities.
        label_smoothing: the share of the target spread evenly over all classes, in [0, 1). Default 0.

    Raises:
        ValueError: the label smoothing is outside [0, 1).

    Example:
        >>> import numpy as np
        >>> loss = CategoricalCrossentropy(from_logits=True)
        >>> loss.gradient([[0, 1, 0, 0]], np.zeros((1, 4)))  # softmax(logits) − targets
        array([[ 0.25, -0.75,  0.25,  0.25]])

    Source:
        I. Goodfellow, Y. Bengio, A. Courville: Deep Learning, section 6.2.2.3; label smoothing: C. Szegedy
        et al.: Rethinking the Inception Architecture for Computer Vision, 2016, section 7.
    """

    def check(self, y_true: ArrayLike, shape: tuple[int, ...]) -> None:
        """Raise a clear error if the targets are not distributions for predictions of a shape.

        Args:
            y_true: the targets, (N, ..., classes); not negative, and each row sums to 1 (to within 0.001).
            shape: of the predictions, (N, ..., classes).

        Raises:
            TypeError: the targets are not numbers.
            ValueError: a row is not a distribution, or the shape is wrong (class labels, another N).

        Example:
            >>> CategoricalCrossentropy().check([[0, 1, 0], [1, 1, 0]], (2, 3))
            Traceback (most recent call last):
                ...
            ValueError: Target row 1 sums to 2.0, but a distribution over classes sums to 1.
        """
        rows = numbers(y_true)
        if rows.shape != shape or not rows.size:
            check_samples(rows, shape)
            check_classes(shape)
            if rows.shape in (shape[:-1], (*shape[:-1], 1)):
                raise ValueError(
                    f"The targets look like class labels, {rows.shape}, but a categorical loss takes a row "
                    f"of {shape[-1]} for each: use sparse_categorical_crossentropy, "
                    f"or pass np.eye({shape[-1]})[labels]."
                )
            raise shape_error(shape, rows.shape, f"targets of shape {shape}")
        check_classes(shape)
        sums = np.add.reduce(rows, axis=-1, dtype=np.float64)
        # A NaN fails both comparisons.
        if not np.maximum.reduce(np.abs(sums - 1), axis=None) <= 1e-3:
            index = first(~(np.abs(sums - 1) <= 1e-3))
            raise ValueError(
                f"Target row {text(index)} sums to {sums[index]}, but a distribution over classes sums to 1."
            )
        if not np.minimum.reduce(rows, axis=None) >= 0:
            index = first(~(rows >= 0))
            raise ValueError(f"Target {rows[index]} at index {text(index)} is negative.")

    def _turned(self, targets: Array, predictions: Array) -> bool:
        return not self.from_logits and look_turned(targets, predictions, rows=True)

    def _one_hot(self, y_true: Array, shape: tuple[int, ...]) -> Array:
        return y_true


def log_softmax(logits: Array) -> Floats:
    """Return the logarithm of softmax, in float64."""
    shifted = logits.astype(np.float64)
    shifted -= np.maximum.reduce(shifted, axis=-1, keepdims=True)
    shifted -= np.log(np.add.reduce(np.exp(shifted), axis=-1, keepdims=True))
    return shifted


def _clip_below(probabilities: Array) -> Array:
    return np.maximum(probabilities.astype(np.float64), float(np.finfo(probabilities.dtype).eps))
