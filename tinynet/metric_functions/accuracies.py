"""Which predictions are right, as functions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..masked import unmasked
from .base import Array
from .shapes import of_one_shape, turned

Float32s = NDArray[np.float32]


def accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Return the share of predictions that are right, of the kind that fits the shapes, as Keras does.

    With one output, (N, 1), a prediction above 0.5 means 1; targets are (N,) or (N, 1), 0 or 1. With more,
    (N, ..., classes), the largest output is the answer; targets are labels, (N, ...) or (N, ..., 1), or
    one-hot rows, (N, ..., classes). A row with NaN is missed.

    Args:
        y_true: labels or one-hot rows, as above.
        y_pred: probabilities, (N, ..., classes) or (N, 1); with several classes also logits.

    Returns:
        A share in 0..1, as a Python float.

    Raises:
        ValueError: shapes that do not fit together, as where the order is the other, or no samples.

    Example:
        >>> probabilities = [[0.9, 0.1, 0.0], [0.2, 0.3, 0.5]]
        >>> accuracy([0, 1], probabilities)
        0.5
        >>> accuracy([0, 1], [[0.2], [0.7]])
        1.0
    """
    return float(right(y_true, y_pred).mean(dtype=np.float64))


def right(y_true: ArrayLike, y_pred: ArrayLike) -> Float32s:
    """Return 1 for each prediction that is right, else 0, as fits the shapes; see `accuracy`."""
    targets, predictions = np.asarray(unmasked(y_true, "y_true")), np.asarray(unmasked(y_pred, "y_pred"))
    shape = predictions.shape
    labelled = targets.shape in (shape[:-1], (*shape[:-1], 1))
    if len(shape) < 2 or not predictions.size or not (labelled or targets.shape == shape):
        raise ValueError(
            f"Accuracy compares labels (N, ...) or one-hot rows with predictions (N, ..., classes); "
            f"these are targets {targets.shape} and predictions {shape}.{turned(targets, predictions)}"
        )
    if shape[-1] == 1:
        return binary_accuracy(targets, predictions)
    return (sparse_categorical_accuracy if labelled else categorical_accuracy)(targets, predictions)


def sparse_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Float32s:
    """Return for each sample whether its largest output is at its label.

    Args:
        y_true: labels, (N, ...) or (N, ..., 1).
        y_pred: probabilities or logits, (N, ..., classes).

    Returns:
        (N, ...) float32, 1 where it is, else 0.

    Raises:
        ValueError: shapes that do not fit together, or no samples.

    Example:
        >>> sparse_categorical_accuracy([0, 1], [[0.9, 0.1], [0.8, 0.2]])
        array([1., 0.], dtype=float32)
    """
    labels, predictions = labels_and_rows(y_true, y_pred)
    return as_numbers(is_largest(labels, predictions))


def categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Float32s:
    """Return for each sample whether its largest output is where its target is largest.

    Args:
        y_true: one-hot rows, or other distributions over the classes, (N, ..., classes).
        y_pred: probabilities or logits, (N, ..., classes).

    Returns:
        (N, ...) float32, 1 where it is, else 0.

    Raises:
        ValueError: shapes that do not fit together, or no samples.

    Example:
        >>> categorical_accuracy([[1, 0], [0, 1]], [[0.9, 0.1], [0.8, 0.2]])
        array([1., 0.], dtype=float32)
    """
    targets, predictions = two_of_rows(y_true, y_pred)
    return as_numbers(is_largest(targets.argmax(axis=-1), predictions))


def binary_accuracy(y_true: ArrayLike, y_pred: ArrayLike, threshold: float = 0.5) -> Float32s:
    """Return for each output whether it is right: above the threshold for 1, and not above for 0.

    Args:
        y_true: 0 or 1 for each output, of the shape of y_pred; for one output, (N, 1), also (N,).
        y_pred: probabilities, (N, ...).
        threshold: default 0.5.

    Returns:
        Float32 of the shape of y_pred, 1 where it is, else 0. A target that is neither 0 nor 1 counts as
        missed, as in Keras.

    Raises:
        ValueError: shapes that do not fit together, or no samples.

    Example:
        >>> binary_accuracy([[1, 0], [1, 1]], [[0.9, 0.1], [0.8, 0.2]])
        array([[1., 1.],
               [1., 0.]], dtype=float32)
    """
    targets, predictions = of_one_shape(y_true, y_pred)
    return as_numbers((targets == (predictions > threshold)) & ~np.isnan(predictions))


def top_k_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike, k: int = 5) -> Float32s:
    """Return for each sample whether the class where its target is largest is among its k largest outputs.

    Args:
        y_true: one-hot rows, or other distributions over the classes, (N, ..., classes).
        y_pred: probabilities or logits, (N, ..., classes).
        k: how many outputs; default 5.

    Returns:
        (N, ...) float32, 1 where it is, else 0.

    Raises:
        ValueError: shapes that do not fit together, or no samples.

    Example:
        >>> top_k_categorical_accuracy([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.5, 0.0, 0.1]], k=2)
        array([1., 0.], dtype=float32)
    """
    targets, predictions = two_of_rows(y_true, y_pred)
    return among_largest(targets.argmax(axis=-1), predictions, k)


def sparse_top_k_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike, k: int = 5) -> Float32s:
    """Return for each sample whether its label's output is among its k largest ones.

    Args:
        y_true: labels, (N, ...) or (N, ..., 1).
        y_pred: probabilities or logits, (N, ..., classes).
        k: how many outputs; default 5.

    Returns:
        (N, ...) float32, 1 where it is, else 0.

    Raises:
        ValueError: shapes that do not fit together, or no samples.

    Example:
        >>> sparse_top_k_categorical_accuracy([2, 1], [[0.1, 0.9, 0.8], [0.5, 0.0, 0.1]], k=2)
        array([1., 0.], dtype=float32)
    """
    labels, predictions = labels_and_rows(y_true, y_pred)
    classes = predictions.shape[-1]
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"Sparse top-k accuracy: for {classes} classes, labels are 0..{classes - 1}; these are from "
            f"{labels.min()} to {labels.max()}."
        )
    return among_largest(labels.astype(np.int64), predictions, k)


def is_largest(labels: Array, predictions: Array) -> Array:
    """Return whether the largest output of each row is at its label: in rows with NaN, none is."""
    largest = predictions.argmax(axis=-1)  # of a row with NaN, the place of the first
    found = np.take_along_axis(predictions, largest[..., None], axis=-1)[..., 0]
    return np.asarray((largest == labels) & ~np.isnan(found))


def among_largest(labels: Array, predictions: Array, k: int) -> Float32s:
    """Return 1 for each label whose finite output fewer than k others exceed, in a row without NaN."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise ValueError(f"Top-k accuracy: k must be a positive integer; got {k!r}.")
    own = np.take_along_axis(predictions, labels[..., None], axis=-1)
    larger = (predictions > own).sum(axis=-1)
    return as_numbers((larger < k) & np.isfinite(own[..., 0]) & ~np.isnan(predictions).any(axis=-1))


def labels_and_rows(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[Array, Array]:
    """Return labels (N, ...) and predictions (N, ..., classes), or raise if they do not fit together."""
    targets, predictions = np.asarray(unmasked(y_true, "y_true")), np.asarray(unmasked(y_pred, "y_pred"))
    rows = predictions.shape[:-1]
    if predictions.ndim < 2 or not predictions.size or targets.shape not in (rows, (*rows, 1)):
        raise ValueError(
            f"Sparse accuracy compares labels (N, ...) with predictions (N, ..., classes); these are targets "
            f"{targets.shape} and predictions {predictions.shape}.{turned(targets, predictions)}"
        )
    return targets.reshape(rows), predictions


def two_of_rows(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[Array, Array]:
    """Return targets and predictions (N, ..., classes), or raise if they do not fit together."""
    targets, predictions = np.asarray(unmasked(y_true, "y_true")), np.asarray(unmasked(y_pred, "y_pred"))
    if predictions.ndim < 2 or not predictions.size or targets.shape != predictions.shape:
        raise ValueError(
            f"Categorical accuracy compares one-hot rows (N, ..., classes) with predictions of that shape; "
            f"these are targets {targets.shape} and predictions {predictions.shape}. For labels there is "
            f"sparse_categorical_accuracy.{turned(targets, predictions)}"
        )
    return targets, predictions


def equal(y_true: ArrayLike, y_pred: ArrayLike) -> Float32s:
    """Return 1 for each prediction that equals its target, else 0."""
    targets, predictions = of_one_shape(y_true, y_pred)
    return as_numbers(targets == predictions)


def as_numbers(true: Array) -> Float32s:
    """Return 1 for True and 0 for False."""
    return true.astype(np.float32)
