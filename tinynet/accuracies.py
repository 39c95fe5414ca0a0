"""Accuracies: how large a share of the predictions is right. `metrics.py` hands them on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .order import ORDER

Array = NDArray[Any]


def accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Return the share of predictions that are right, of the kind that fits the shapes, as Keras does.

    With one output, (N, 1), a prediction above 0.5 means 1; targets are (N,) or (N, 1), in 0..1. With more,
    (N, ..., classes), the largest output is the answer; targets are labels, (N, ...) or (N, ..., 1), or
    one-hot rows, (N, ..., classes).

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
    targets, predictions = np.asarray(y_true), np.asarray(y_pred)
    shape = predictions.shape
    labelled = targets.shape in (shape[:-1], (*shape[:-1], 1))
    if len(shape) < 2 or not predictions.size or not (labelled or targets.shape == shape):
        raise ValueError(
            f"Accuracy compares labels (N, ...) or one-hot rows with predictions (N, ..., classes); "
            f"these are targets {targets.shape} and predictions {shape}.{turned(targets, predictions)}"
        )
    if shape[-1] == 1:
        right = (predictions > 0.5) == (targets.reshape(shape) > 0.5)
    else:
        labels = targets.reshape(shape[:-1]) if labelled else targets.argmax(axis=-1)
        right = predictions.argmax(axis=-1) == labels
    return float(right.mean())


def sparse_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Return the share of samples whose largest output is at their label.

    Args:
        y_true: labels, (N, ...) or (N, ..., 1).
        y_pred: probabilities or logits, (N, ..., classes).

    Returns:
        A share in 0..1, as a Python float.

    Raises:
        ValueError: shapes that do not fit together, or no samples.

    Example:
        >>> sparse_categorical_accuracy([0, 1], [[0.9, 0.1], [0.8, 0.2]])
        0.5
    """
    targets, predictions = np.asarray(y_true), np.asarray(y_pred)
    rows = predictions.shape[:-1]
    if predictions.ndim < 2 or not predictions.size or targets.shape not in (rows, (*rows, 1)):
        raise ValueError(
            f"Sparse accuracy compares labels (N, ...) with predictions (N, ..., classes); these are targets "
            f"{targets.shape} and predictions {predictions.shape}.{turned(targets, predictions)}"
        )
    return float((predictions.argmax(axis=-1) == targets.reshape(rows)).mean())


def categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Return the share of samples whose largest output is where their target is largest.

    Args:
        y_true: one-hot rows, or other distributions over the classes, (N, ..., classes).
        y_pred: probabilities or logits, (N, ..., classes).

    Returns:
        A share in 0..1, as a Python float.

    Raises:
        ValueError: shapes that do not fit together, or no samples.

    Example:
        >>> categorical_accuracy([[1, 0], [0, 1]], [[0.9, 0.1], [0.8, 0.2]])
        0.5
    """
    targets, predictions = np.asarray(y_true), np.asarray(y_pred)
    if predictions.ndim < 2 or not predictions.size or targets.shape != predictions.shape:
        raise ValueError(
            f"Categorical accuracy compares one-hot rows (N, ..., classes) with predictions of that shape; "
            f"these are targets {targets.shape} and predictions {predictions.shape}. For labels there is "
            f"sparse_categorical_accuracy.{turned(targets, predictions)}"
        )
    return float((predictions.argmax(axis=-1) == targets.argmax(axis=-1)).mean())


def binary_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Return the share of outputs that are right, each on its own: above 0.5 for 1, and not above for 0.

    Args:
        y_true: 0 or 1 for each output, of the shape of y_pred; for one output, (N, 1), also (N,).
        y_pred: probabilities, (N, ...).

    Returns:
        A share in 0..1, as a Python float. A target that is neither 0 nor 1 counts as missed, as in Keras.

    Raises:
        ValueError: shapes that do not fit together, or no samples.

    Example:
        >>> binary_accuracy([[1, 0], [1, 1]], [[0.9, 0.1], [0.8, 0.2]])
        0.75
    """
    targets, predictions = of_one_shape(y_true, y_pred)
    return float((targets == (predictions > 0.5)).mean())


def of_one_shape(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return targets, in the shape of the predictions, and these; raise where they do not fit together."""
    targets, predictions = np.asarray(y_true, dtype=np.float64), np.asarray(y_pred, dtype=np.float64)
    shape = predictions.shape
    # (N,) beside (N, 1) is one number a sample; left to broadcasting it would become (N, N).
    same = targets.shape == shape or (shape[-1:] == (1,) and targets.shape == shape[:-1])
    if not (same and predictions.size):
        raise ValueError(
            f"Predictions of shape {shape} need targets of that shape, not {targets.shape}."
            f"{turned(targets, predictions)}"
        )
    return targets.reshape(shape), predictions


def turned(targets: Array, predictions: Array) -> str:
    """Return what to say where the shapes are as if targets and predictions had changed places."""
    rows = targets.shape[:-1]
    return f" {ORDER}" if targets.ndim > 1 and predictions.shape in (rows, (*rows, 1)) else ""
