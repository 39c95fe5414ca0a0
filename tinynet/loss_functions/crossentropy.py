"""Cross-entropy over classes, of labels and of distributions."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import KW_ONLY, InitVar, dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .. import kernels
from ..elementary import exp, log
from .base import EPSILON, Array, Floats, Loss
from .means import total
from .rows import RowLoss
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
class CrossEntropy(RowLoss):
    """The mean of −Σ t log p over the rows of a batch, where t is a distribution over the classes."""

    cancels: ClassVar[str] = "softmax"
    from_logits: bool = False
    label_smoothing: float = 0.0

    def __post_init__(self, reduction: str, name: str | None) -> None:
        super().__post_init__(reduction, name)
        check_label_smoothing(self.label_smoothing)

    def of_logits(self) -> Loss:
        """Return the same loss of logits; see `Loss.of_logits`."""
        return replace(self, from_logits=True)

    @property
    def only_kernels(self) -> bool:
        """Whether there is a kernel: for logits, and for no class of one's own."""
        return self.from_logits and "_call_kernel" in vars(type(self))

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
        rows = -1, y_pred.shape[-1]
        given = np.empty(0, y_pred.dtype) if weights is None else weights.reshape(-1)
        smoothing, slopes = float(self.label_smoothing), gradient.reshape(rows)
        self._call_kernel(y_true, y_pred.reshape(rows), smoothing, share, slopes, value, given)

    def _losses(self, y_true: Array, y_pred: Array) -> Floats:
        logarithms = log_softmax(y_pred) if self.from_logits else log(_probabilities(y_pred)[0])
        losses: Floats = -np.add.reduce(self._distribution(y_true, y_pred.shape) * logarithms, axis=-1)
        return losses

    def _gradient(self, y_true: Array, y_pred: Array) -> Array:
        return self._both(y_true, y_pred)[1]

    def _both(self, y_true: Array, y_pred: Array) -> tuple[float, Array]:
        distribution, rows = self._distribution(y_true, y_pred.shape), math.prod(y_pred.shape[:-1])
        mass = np.add.reduce(distribution, axis=-1, keepdims=True)
        if self.from_logits:
            logarithms = log_softmax(y_pred)
            gradient: Array = exp(logarithms) * mass - distribution
        else:
            probabilities, sums = _probabilities(y_pred)
            logarithms, gradient = log(probabilities), (mass - distribution / probabilities) / sums
        return -total(np.add.reduce(distribution * logarithms, axis=-1)) / rows, gradient / rows

    def _distribution(self, y_true: Array, shape: tuple[int, ...]) -> Floats:
        distribution = self._one_hot(y_true, shape).astype(np.float64)
        if self.label_smoothing:
            distribution *= 1 - self.label_smoothing
            distribution += self.label_smoothing / shape[-1]
        return distribution

    @abstractmethod
    def _one_hot(self, y_true: Array, shape: tuple[int, ...]) -> Array: ...

    @abstractmethod
    def _call_kernel(self, targets: Array, logits: Array, *arguments: Any) -> None: ...


@dataclass(frozen=True)
class SparseCategoricalCrossentropy(CrossEntropy):
    """Cross-entropy between class labels (integers) and predicted probabilities.

    With probability p of the true class the loss is −log p. As in Keras, rows are divided by their sums, and
    a probability below 1e-7 counts as 1e-7; its gradient is that of 1e-7, so that a confident wrong answer
    has a large, finite loss and gradient.

    Args:
        from_logits: the predictions are logits, before softmax; more precise. Default False: probabilities.
        ignore_class: not there; None.
        label_smoothing: the share of the target spread evenly over all classes, in [0, 1). Default 0. (Keras
            has it for categorical_crossentropy alone.)
        reduction, name: see `Loss`.

    Raises:
        ValueError: the label smoothing is outside [0, 1), or ignore_class is given.

    Example:
        >>> import numpy as np
        >>> loss = SparseCategoricalCrossentropy()
        >>> predictions = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])
        >>> round(loss([0, 1], predictions), 4)  # the mean of log 2 and 0
        0.3466
        >>> loss.gradient([0, 1], predictions).round(4)
        array([[-0.5,  0.5,  0.5],
               [ 0.5, -0. ,  0.5]])

    Source:
        I. Goodfellow, Y. Bengio, A. Courville: Deep Learning, section 6.2.2.3; label smoothing: C. Szegedy
        et al.: Rethinking the Inception Architecture for Computer Vision, 2016, section 7.
    """

    ignore_class: InitVar[None] = None
    _: KW_ONLY
    label_smoothing: float = 0.0

    def __post_init__(self, reduction: str, name: str | None, ignore_class: None) -> None:  # type: ignore[override]
        super().__post_init__(reduction, name)
        if ignore_class is not None:
            raise ValueError(
                f"SparseCategoricalCrossentropy: ignore_class is not there; got {ignore_class!r}. Leave it "
                "out, and give the samples of that class a sample_weight of 0."
            )

    def check(self, y_true: ArrayLike, shape: tuple[int, ...]) -> None:
        """Raise a clear error if the targets are not labels 0..classes-1 for predictions of a shape.

        Args:
            y_true: labels, (N, ...) or (N, ..., 1): integers, or whole numbers of a floating type.
            shape: of the predictions, (N, ..., classes).

        Raises:
            TypeError: the labels are not numbers.
            ValueError: a label is no whole number or out of range, or the shape is wrong (one-hot targets,
                another N).

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
        if labels.dtype.kind not in "iuf":
            raise TypeError(f"Labels must be integers, not {labels.dtype}: pass targets.astype(int).")
        if labels.dtype.kind == "f" and not (whole := labels == np.floor(labels)).all():
            index = first(~whole)
            raise ValueError(
                f"Label {labels[index]} at index {text(index)} is no whole number: "
                f"labels are 0..{shape[-1] - 1}."
            )
        if np.minimum.reduce(labels, axis=None) < 0 or np.maximum.reduce(labels, axis=None) >= shape[-1]:
            index = first((labels < 0) | (labels >= shape[-1]))
            raise ValueError(
                f"Label {labels[index]} at index {text(index)} is out of range: "
                f"for {shape[-1]} classes, labels are 0..{shape[-1] - 1}."
            )

    def prepare(self, y_true: Array) -> Array:
        """Return labels as the kernel takes them; see `Loss.prepare`."""
        return np.ascontiguousarray(y_true, np.int64)

    def _call_kernel(self, targets: Array, logits: Array, *arguments: Any) -> None:
        kernels.elementwise.softmax_cross_entropy(logits, targets.reshape(-1), *arguments)

    def _one_hot(self, y_true: Array, shape: tuple[int, ...]) -> Array:
        one_hot: Array = y_true.reshape((*shape[:-1], 1)) == np.arange(shape[-1])
        return one_hot


@dataclass(frozen=True)
class CategoricalCrossentropy(CrossEntropy):
    """Cross-entropy between target distributions (one-hot rows, for example) and predicted probabilities.

    For target row t and predicted row p the loss is −Σ t log p. As in Keras, predicted rows are divided by
    their sums, and a probability below 1e-7 counts as 1e-7; its gradient is that of 1e-7, so that a confident
    wrong answer has a large, finite loss and gradient.

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

    def prepare(self, y_true: Array) -> Array:
        """Return targets as the kernel takes them; see `Loss.prepare`."""
        return np.ascontiguousarray(y_true, np.float64)

    def _call_kernel(self, targets: Array, logits: Array, *arguments: Any) -> None:
        kernels.losses.softmax_cross_entropy_of_rows(logits, targets.reshape(logits.shape), *arguments)

    def _one_hot(self, y_true: Array, shape: tuple[int, ...]) -> Array:
        return y_true


def log_softmax(logits: Array) -> Floats:
    """Return the logarithm of softmax, in float64."""
    shifted = logits.astype(np.float64)
    shifted -= np.maximum.reduce(shifted, axis=-1, keepdims=True)
    shifted -= log(np.add.reduce(exp(shifted), axis=-1, keepdims=True))
    return shifted


def _probabilities(y_pred: Array) -> tuple[Floats, Floats]:
    """Return rows of sum 1, not nearer to 0 or 1 than 1e-7, as Keras makes them, and the sums before."""
    predictions = y_pred.astype(np.float64)
    sums = np.add.reduce(predictions, axis=-1, keepdims=True)
    return np.clip(predictions / sums, EPSILON, 1 - EPSILON), sums
