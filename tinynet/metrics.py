"""Metrics: numbers for people to read; unlike losses, nothing is trained through them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .accuracies import accuracy as accuracy
from .accuracies import binary_accuracy as binary_accuracy
from .accuracies import categorical_accuracy as categorical_accuracy
from .accuracies import of_one_shape, turned
from .accuracies import sparse_categorical_accuracy as sparse_categorical_accuracy
from .names import unknown
from .order import check_order

Array = NDArray[Any]
Metric = Callable[[Array, Array], float]


def mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Return the mean of the squared differences over all elements.

    Args:
        y_true: the targets, of the shape of y_pred; for one output, (N, 1), also (N,).
        y_pred: the predictions, (N, ...).

    Returns:
        The mean as a Python float, in the squared unit of the targets.

    Raises:
        ValueError: shapes that do not fit together, or no samples.

    Example:
        >>> mean_squared_error([1, 5], [[1.0], [3.0]])
        2.0
    """
    with np.errstate(over="ignore"):
        return float(np.square(_difference(y_true, y_pred)).mean())


def mean_absolute_error(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Return the mean of the absolute differences over all elements.

    Args:
        y_true: the targets, of the shape of y_pred; for one output, (N, 1), also (N,).
        y_pred: the predictions, (N, ...).

    Returns:
        The mean as a Python float, in the unit of the targets.

    Raises:
        ValueError: shapes that do not fit together, or no samples.

    Example:
        >>> mean_absolute_error([1, 5], [[1.0], [3.0]])
        1.0
    """
    with np.errstate(over="ignore"):
        return float(np.abs(_difference(y_true, y_pred)).mean())


def confusion_matrix(y_true: ArrayLike, y_pred: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Count how often each class was taken for each other.

    Args:
        y_true: the true labels, integers in 0..classes-1, (N,).
        y_pred: the predicted labels, (N,), or probabilities, (N, classes).
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
    true, predicted = np.asarray(y_true), np.asarray(y_pred)
    if predicted.ndim == 2 and predicted.shape[1] == classes:
        predicted = predicted.argmax(axis=1)
    if true.ndim != 1 or predicted.shape != true.shape:
        raise ValueError(
            f"A confusion matrix of {classes} classes compares labels (N,) with labels (N,) or probabilities "
            f"(N, {classes}); these are targets {true.shape} and predictions {predicted.shape}."
            f"{turned(true, predicted)}"
        )
    for name, labels in (("y_true", true), ("y_pred", predicted)):
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
    "acc": accuracy,
    "mean_squared_error": mean_squared_error,
    "mse": mean_squared_error,
    "MSE": mean_squared_error,
    "mean_absolute_error": mean_absolute_error,
    "mae": mean_absolute_error,
    "MAE": mean_absolute_error,
    "sparse_categorical_accuracy": sparse_categorical_accuracy,
    "categorical_accuracy": categorical_accuracy,
    "binary_accuracy": binary_accuracy,
}


def get(metrics: Iterable[str | Metric]) -> dict[str, Metric]:
    """Return metrics by name, from names and functions.

    Args:
        metrics: names such as "accuracy", and functions of (y_true, y_pred) that return a float.

    Returns:
        The functions, in the given order, by the name under which a history lists them.

    Raises:
        TypeError: neither a name nor a function with a name, or a function whose arguments are named in the
            other order.
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
        if not isinstance(metric, str):
            check_order(metric, f"The metric {name!r}")
        found[name] = METRICS[metric] if isinstance(metric, str) else metric
    return found


def _difference(y_true: ArrayLike, y_pred: ArrayLike) -> NDArray[np.float64]:
    targets, predictions = of_one_shape(y_true, y_pred)
    with np.errstate(over="ignore", invalid="ignore"):
        difference: NDArray[np.float64] = predictions - targets
    return difference
