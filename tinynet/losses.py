"""Losses: one number for how wrong the predictions are, and its gradient.

A loss is a frozen dataclass without state, so that shards of a batch can share one. All of them compute in
float64 whatever the predictions' type: next to the layers this costs little, and neither the largest float32
logit nor a confident wrong answer overflows.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import kernels
from .names import unknown

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


@dataclass(frozen=True)
class _CrossEntropy(Loss):
    """The mean of −Σ t log p over the rows of a batch, where t is a distribution over the classes."""

    cancels: ClassVar[str] = "softmax"
    from_logits: bool = False
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        _check_label_smoothing(self.label_smoothing)

    def of_logits(self) -> Loss:
        """Return the same loss of logits; see `Loss.of_logits`."""
        return replace(self, from_logits=True)

    def _value(self, predictions: Array, targets: Array) -> float:
        return self._both(predictions, targets)[0]

    def _gradient(self, predictions: Array, targets: Array) -> Array:
        return self._both(predictions, targets)[1]

    def _both(self, predictions: Array, targets: Array) -> tuple[float, Array]:
        distribution, rows = self._distribution(predictions.shape, targets), math.prod(predictions.shape[:-1])
        if self.from_logits:
            logarithms = _log_softmax(predictions)
            gradient: Array = np.exp(logarithms) - distribution
        else:
            clipped = _clip_below(predictions)
            logarithms, gradient = np.log(clipped), -distribution / clipped
        return -_sum(distribution * logarithms) / rows, gradient / rows

    def _distribution(self, shape: tuple[int, ...], targets: Array) -> Floats:
        distribution = self._one_hot(shape, targets).astype(np.float64)
        if self.label_smoothing:
            distribution *= 1 - self.label_smoothing
            distribution += self.label_smoothing / shape[-1]
        return distribution

    @abstractmethod
    def _one_hot(self, shape: tuple[int, ...], targets: Array) -> Array: ...


@dataclass(frozen=True)
class SparseCategoricalCrossentropy(_CrossEntropy):
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
        >>> round(loss(predictions, [0, 1]), 4)  # the mean of log 2 and 0
        0.3466
        >>> loss.gradient(predictions, [0, 1])
        array([[-1. , -0. , -0. ],
               [-0. , -0.5, -0. ]])

    Source:
        I. Goodfellow, Y. Bengio, A. Courville: Deep Learning, section 6.2.2.3; label smoothing: C. Szegedy
        et al.: Rethinking the Inception Architecture for Computer Vision, 2016, section 7.
    """

    def check(self, shape: tuple[int, ...], targets: ArrayLike) -> None:
        """Raise a clear error if the targets are not labels 0..classes-1 for predictions of a shape.

        Args:
            shape: of the predictions, (N, ..., classes).
            targets: integer labels, (N, ...) or (N, ..., 1).

        Raises:
            TypeError: the labels are not integers.
            ValueError: a label is out of range, or the shape is wrong (one-hot targets, another N).

        Example:
            >>> SparseCategoricalCrossentropy().check((3, 10), [3, 10, 0])
            Traceback (most recent call last):
                ...
            ValueError: Label 10 at index 1 is out of range: for 10 classes, labels are 0..9.
        """
        labels = np.asarray(targets)
        if labels.shape != shape[:-1] or not labels.size:
            _check_samples(shape, labels)
            _check_classes(shape)
            if labels.shape == shape:
                raise ValueError(
                    f"The targets look one-hot, {labels.shape}, but a sparse loss takes labels, "
                    f"{shape[:-1]}: use categorical_crossentropy, or pass targets.argmax(axis=-1)."
                )
            if labels.shape != (*shape[:-1], 1):
                raise _shape_error(shape, labels.shape, f"labels of shape {shape[:-1]}")
        _check_classes(shape)
        if labels.dtype.kind not in "iu":
            raise TypeError(f"Labels must be integers, not {labels.dtype}: pass targets.astype(int).")
        if np.minimum.reduce(labels, axis=None) < 0 or np.maximum.reduce(labels, axis=None) >= shape[-1]:
            index = _first((labels < 0) | (labels >= shape[-1]))
            raise ValueError(
                f"Label {labels[index]} at index {_text(index)} is out of range: "
                f"for {shape[-1]} classes, labels are 0..{shape[-1] - 1}."
            )

    @property
    def only_kernels(self) -> bool:
        """Whether there is a kernel: for logits."""
        return self.from_logits and type(self) is SparseCategoricalCrossentropy

    def prepare(self, targets: Array) -> Array:
        """Return labels as the kernel takes them; see `Loss.prepare`."""
        return np.ascontiguousarray(targets, np.int64)

    def write(self, predictions: Array, targets: Array, share: float, gradient: Array, value: Array) -> None:
        """Write the mean loss, and its gradient times a share; see `Loss.write`."""
        if not self.only_kernels:
            super().write(predictions, targets, share, gradient, value)
            return
        classes = predictions.shape[-1]
        kernels.elementwise.softmax_cross_entropy(
            predictions.reshape(-1, classes),
            targets.reshape(-1),
            self.label_smoothing,
            share,
            gradient.reshape(-1, classes),
            value,
        )

    def _one_hot(self, shape: tuple[int, ...], targets: Array) -> Array:
        one_hot: Array = targets.reshape((*shape[:-1], 1)) == np.arange(shape[-1])
        return one_hot


@dataclass(frozen=True)
class CategoricalCrossentropy(_CrossEntropy):
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
        >>> loss.gradient(np.zeros((1, 4)), [[0, 1, 0, 0]])  # softmax(logits) − targets
        array([[ 0.25, -0.75,  0.25,  0.25]])

    Source:
        I. Goodfellow, Y. Bengio, A. Courville: Deep Learning, section 6.2.2.3; label smoothing: C. Szegedy
        et al.: Rethinking the Inception Architecture for Computer Vision, 2016, section 7.
    """

    def check(self, shape: tuple[int, ...], targets: ArrayLike) -> None:
        """Raise a clear error if the targets are not distributions for predictions of a shape.

        Args:
            shape: of the predictions, (N, ..., classes).
            targets: (N, ..., classes); not negative, and each row sums to 1 (to within 0.001).

        Raises:
            TypeError: the targets are not numbers.
            ValueError: a row is not a distribution, or the shape is wrong (class labels, another N).

        Example:
            >>> CategoricalCrossentropy().check((2, 3), [[0, 1, 0], [1, 1, 0]])
            Traceback (most recent call last):
                ...
            ValueError: Target row 1 sums to 2.0, but a distribution over classes sums to 1.
        """
        rows = _numbers(targets)
        if rows.shape != shape or not rows.size:
            _check_samples(shape, rows)
            _check_classes(shape)
            if rows.shape in (shape[:-1], (*shape[:-1], 1)):
                raise ValueError(
                    f"The targets look like class labels, {rows.shape}, but a categorical loss takes a row "
                    f"of {shape[-1]} for each: use sparse_categorical_crossentropy, "
                    f"or pass np.eye({shape[-1]})[labels]."
                )
            raise _shape_error(shape, rows.shape, f"targets of shape {shape}")
        _check_classes(shape)
        sums = np.add.reduce(rows, axis=-1, dtype=np.float64)
        # A NaN fails both comparisons.
        if not np.maximum.reduce(np.abs(sums - 1), axis=None) <= 1e-3:
            index = _first(~(np.abs(sums - 1) <= 1e-3))
            raise ValueError(
                f"Target row {_text(index)} sums to {sums[index]}, but a distribution over classes sums to 1."
            )
        if not np.minimum.reduce(rows, axis=None) >= 0:
            index = _first(~(rows >= 0))
            raise ValueError(f"Target {rows[index]} at index {_text(index)} is negative.")

    def _one_hot(self, shape: tuple[int, ...], targets: Array) -> Array:
        return targets


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
        _check_label_smoothing(self.label_smoothing)

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
        array = _numbers(targets)
        _check_same_shape(shape, array)
        # A NaN fails both comparisons.
        if not (np.minimum.reduce(array, axis=None) >= 0 and np.maximum.reduce(array, axis=None) <= 1):
            index = _first(~((array >= 0) & (array <= 1)))
            raise ValueError(
                f"Target {array[index]} at index {_text(index)} is outside 0..1; "
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
        return _sum(losses) / predictions.size

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
        array = _numbers(targets)
        _check_same_shape(shape, array)
        finite = np.isfinite(array)
        if not np.logical_and.reduce(finite, axis=None):
            index = _first(~finite)
            raise ValueError(f"Target {array[index]} at index {_text(index)} is not a finite number.")

    def _value(self, predictions: Array, targets: Array) -> float:
        difference = predictions.astype(np.float64) - targets.reshape(predictions.shape)
        return _sum(difference * difference) / predictions.size

    def _gradient(self, predictions: Array, targets: Array) -> Array:
        difference = predictions.astype(np.float64) - targets.reshape(predictions.shape)
        return difference * (2 / predictions.size)


LOSSES: dict[str, type[Loss]] = {
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
    "categorical_crossentropy": CategoricalCrossentropy,
    "binary_crossentropy": BinaryCrossentropy,
    "mean_squared_error": MeanSquaredError,
    "mse": MeanSquaredError,
}


def get(loss: str | Mapping[str, Any] | Loss) -> Loss:
    """Return a loss given by its Keras name or its configuration, or the given loss itself.

    Args:
        loss: a name such as "sparse_categorical_crossentropy" or "SparseCategoricalCrossentropy", a
            dictionary of "name" and the loss's arguments, or a `Loss`.

    Returns:
        A `Loss`; of a name, with its default configuration.

    Raises:
        TypeError: none of these.
        ValueError: an unknown name.

    Example:
        >>> get("sparse_categorical_crossentropy")
        SparseCategoricalCrossentropy(from_logits=False, label_smoothing=0.0)
        >>> get({"name": "binary_crossentropy", "from_logits": True})
        BinaryCrossentropy(from_logits=True, label_smoothing=0.0)
    """
    if isinstance(loss, Loss):
        return loss
    arguments = {"name": loss} if isinstance(loss, str) else loss
    if not isinstance(arguments, Mapping) or "name" not in arguments:
        raise TypeError(f"A loss is a name or an object such as MeanSquaredError(), not {loss!r}.")
    name, arguments = arguments["name"], {key: arguments[key] for key in arguments if key != "name"}
    known = LOSSES | {kind.__name__: kind for kind in LOSSES.values()}
    if name not in known:
        raise ValueError(unknown("loss", name, LOSSES))
    return known[name](**arguments)


def _log_softmax(logits: Array) -> Floats:
    shifted = logits.astype(np.float64)
    shifted -= np.maximum.reduce(shifted, axis=-1, keepdims=True)
    shifted -= np.log(np.add.reduce(np.exp(shifted), axis=-1, keepdims=True))
    return shifted


def _clip_below(probabilities: Array) -> Array:
    return np.maximum(probabilities.astype(np.float64), float(np.finfo(probabilities.dtype).eps))


def _sum(array: Array) -> float:
    return float(np.add.reduce(array, axis=None))


def _floating(predictions: ArrayLike) -> Array:
    array = np.asarray(predictions)
    if array.dtype.kind != "f":
        raise TypeError(f"Predictions must be floating-point numbers, not {array.dtype}.")
    return array


def _numbers(targets: ArrayLike) -> Array:
    array = np.asarray(targets)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"Targets must be numbers, not {array.dtype}.")
    return array


def _check_label_smoothing(label_smoothing: float) -> None:
    if not 0 <= label_smoothing < 1:
        raise ValueError(f"label_smoothing must be at least 0 and below 1, not {label_smoothing}.")


def _check_classes(shape: tuple[int, ...]) -> None:
    if len(shape) < 2 or shape[-1] < 2:
        raise ValueError(
            f"Cross-entropy over classes takes predictions (N, classes) with at least 2 classes, not "
            f"{shape}: for a single output, use binary_crossentropy."
        )


def _check_same_shape(shape: tuple[int, ...], targets: Array) -> None:
    if targets.shape == shape and targets.size:
        return
    _check_samples(shape, targets)
    # (N,) beside (N, 1) is one number a sample; left to broadcasting it would become (N, N).
    if shape[-1:] != (1,) or targets.shape != shape[:-1]:
        raise _shape_error(shape, targets.shape, f"targets of shape {shape}")


def _check_samples(shape: tuple[int, ...], targets: Array) -> None:
    if not targets.size or 0 in shape:
        raise ValueError(f"Nothing to compare: predictions {shape}, targets {targets.shape}.")
    if targets.shape[:1] != shape[:1]:
        raise ValueError(
            f"The number of samples differs: predictions {shape}, targets {targets.shape}; "
            "the first axis counts samples."
        )


def _shape_error(shape: tuple[int, ...], given: tuple[int, ...], expected: str) -> ValueError:
    return ValueError(f"Predictions of shape {shape} need {expected}, not {given}.")


def _first(wrong: Array) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(np.argmax(wrong), wrong.shape))


def _text(index: tuple[int, ...]) -> str:
    return str(index[0]) if len(index) == 1 else str(index)
