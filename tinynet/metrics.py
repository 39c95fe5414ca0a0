"""Metrics: numbers for people to read; unlike losses, nothing is trained through them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .names import unknown

Array = NDArray[Any]
Metric = Callable[[Array, Array], float]


def accuracy(predictions: ArrayLike, targets: ArrayLike) -> float:
    """Return the share of predictions that are right, of the kind that fits the shapes, as Keras does.

    With one output, (N, 1), a prediction above 0.5 means 1; targets are (N,) or (N, 1), in 0..1. With more,
    (N, ..., classes), the largest output is the answer; targets are labels, (N, ...) or (N, ..., 1), or
    one-hot rows, (N, ..., classes).

    Args:
        predictions: probabilities, (N, ..., classes) or (N, 1); with several classes also logits.
        targets: labels or one-hot rows, as above.

    Returns:
        A share in 0..1, as a Python float.

    Raises:
        ValueError: shapes that do not fit together, or no samples.

    Example:
        >>> probabilities = [[0.9, 0.1, 0.0], [0.2, 0.3, 0.5]]
        >>> accuracy(probabilities, [0, 1])
        0.5
        >>> accuracy([[0.2], [0.7]], [0, 1])
        1.0
    """
    predictions, targets = np.asarray(predictions), np.asarray(targets)
    shape = predictions.shape
    labelled = targets.shape in (shape[:-1], (*shape[:-1], 1))
    if len(shape) < 2 or not predictions.size or not (labelled or targets.shape == shape):
        raise ValueError(
            f"Accuracy compares predictions (N, ..., classes) with labels (N, ...) or one-hot rows; "
            f"these are predictions {shape} and targets {targets.shape}."
        )
    if shape[-1] == 1:
        right = (predictions > 0.5) == (targets.reshape(shape) > 0.5)
    else:
        labels = targets.reshape(shape[:-1]) if labelled else targets.argmax(axis=-1)
        right = predictions.argmax(axis=-1) == labels
    return float(right.mean())


def mean_squared_error(predictions: ArrayLike, targets: ArrayLike) -> float:
    """Return the mean of the squared differences over all elements.

    Args:
        predictions: (N, ...).
        targets: the same shape; for one output, (N, 1), also (N,).

    Returns:
        The mean as a Python float, in the squared unit of the targets.

    Raises:
        ValueError: shapes that do not fit together, or no samples.

    Example:
        >>> mean_squared_error([[1.0], [3.0]], [1, 5])
        2.0
    """
    with np.errstate(over="ignore"):
        return float(np.square(_difference(predictions, targets)).mean())


def mean_absolute_error(predictions: ArrayLike, targets: ArrayLike) -> float:
    """Return the mean of the absolute differences over all elements.

    Args:
        predictions: (N, ...).
        targets: the same shape; for one output, (N, 1), also (N,).

    Returns:
        The mean as a Python float, in the unit of the targets.

    Raises:
        ValueError: shapes that do not fit together, or no samples.

    Example:
        >>> mean_absolute_error([[1.0], [3.0]], [1, 5])
        1.0
    """
    with np.errstate(over="ignore"):
        return float(np.abs(_difference(predictions, targets)).mean())


def confusion_matrix(targets: ArrayLike, predictions: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Count how often each class was taken for each other.

    Args:
        targets: the true labels, integers in 0..classes-1, (N,).
        predictions: the predicted labels, (N,), or probabilities, (N, classes).
        classes: the number of classes.

    Returns:
        An integer matrix, (classes, classes): rows are true classes, columns predicted ones.

    Raises:
        TypeError: labels that are not integers.
        ValueError: labels out of range, or shapes that do not fit together.

    Example:
        >>> confusion_matrix([0, 0, 1, 2], [0, 1, 1, 2], classes=3)
        array([[1, 1, 0],
               [0, 1, 0],
               [0, 0, 1]])
    """
    true, predicted = np.asarray(targets), np.asarray(predictions)
    if predicted.ndim == 2 and predicted.shape[1] == classes:
        predicted = predicted.argmax(axis=1)
    if true.ndim != 1 or predicted.shape != true.shape:
        raise ValueError(
            f"A confusion matrix of {classes} classes compares labels (N,) with labels (N,) or probabilities "
            f"(N, {classes}); these are targets {true.shape} and predictions {predicted.shape}."
        )
    for name, labels in (("targets", true), ("predictions", predicted)):
        if labels.dtype.kind not in "iu":
            raise TypeError(f"The labels in {name} must be integers, not {labels.dtype}: use .astype(int).")
        if labels.size and not 0 <= labels.min() <= labels.max() < classes:
            raise ValueError(
                f"The labels in {name} run from {labels.min()} to {labels.max()}: "
                f"for {classes} classes, labels are 0..{classes - 1}."
            )
    pairs = true.astype(np.int64) * classes + predicted.astype(np.int64)
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def most_confused(confusion: ArrayLike, count: int = 5) -> list[tuple[int, int, int]]:
    """Return the pairs of classes that are most often taken for each other.

    Args:
        confusion: as `confusion_matrix` returns it, (classes, classes).
        count: how many pairs at most; default 5.

    Returns:
        (true class, predicted class, how often), the most frequent first; only pairs that occurred.

    Example:
        >>> most_confused([[9, 1, 0], [0, 7, 3], [0, 0, 5]])
        [(1, 2, 3), (0, 1, 1)]
    """
    wrong = np.array(confusion)
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:count]
    pairs = [(int(place) // len(wrong), int(place) % len(wrong)) for place in order]
    return [
        (true, predicted, int(wrong[true, predicted])) for true, predicted in pairs if wrong[true, predicted]
    ]


METRICS: dict[str, Metric] = {
    "accuracy": accuracy,
    "mean_squared_error": mean_squared_error,
    "mse": mean_squared_error,
    "mean_absolute_error": mean_absolute_error,
    "mae": mean_absolute_error,
    "acc": accuracy,
}


def get(metrics: Iterable[str | Metric]) -> dict[str, Metric]:
    """Return metrics by name, from names and functions.

    Args:
        metrics: names such as "accuracy", and functions of (predictions, targets) that return a float.

    Returns:
        The functions, in the given order, by the name under which a history lists them.

    Raises:
        TypeError: neither a name nor a function with a name.
        ValueError: an unknown name, or the same name twice.

    Example:
        >>> list(get(["accuracy", mean_absolute_error]))
        ['accuracy', 'mean_absolute_error']
    """
    if isinstance(metrics, str) or not isinstance(metrics, Iterable):
        raise TypeError(f'Metrics are given as a list, such as ["accuracy"], not {metrics!r}.')
    found: dict[str, Metric] = {}
    for metric in metrics:
        if isinstance(metric, str) and metric not in METRICS:
            raise ValueError(unknown("metric", metric, METRICS))
        name = metric if isinstance(metric, str) else getattr(metric, "__name__", None)
        if name is None or not (isinstance(metric, str) or callable(metric)):
            raise TypeError(f"A metric is a name or a function that has a __name__, not {metric!r}.")
        if name == "loss":
            raise ValueError(
                "A metric may not be called 'loss': that is the name of the loss in the history."
            )
        if name in found:
            raise ValueError(f"Two metrics are called {name!r}.")
        found[name] = METRICS[metric] if isinstance(metric, str) else metric
    return found


def _difference(predictions: ArrayLike, targets: ArrayLike) -> NDArray[np.float64]:
    predictions, targets = np.asarray(predictions, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    shape = predictions.shape
    # (N,) beside (N, 1) is one number a sample; left to broadcasting it would become (N, N).
    same = targets.shape == shape or (shape[-1:] == (1,) and targets.shape == shape[:-1])
    if not (same and predictions.size):
        raise ValueError(f"Predictions of shape {shape} need targets of that shape, not {targets.shape}.")
    with np.errstate(over="ignore", invalid="ignore"):
        difference: NDArray[np.float64] = predictions - targets.reshape(shape)
    return difference
