"""Which classes are taken for which."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..masked import unmasked
from .shapes import turned


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
        ValueError: labels out of range, predictions that are NaN, or shapes that do not fit together.

    Example:
        >>> confusion_matrix([0, 0, 1, 2], [0, 1, 1, 2], classes=3)
        array([[1, 1, 0],
               [0, 1, 0],
               [0, 0, 1]])
    """
    true, predicted = np.asarray(unmasked(y_true, "y_true")), np.asarray(unmasked(y_pred, "y_pred"))
    if predicted.ndim == 2 and predicted.shape[1] == classes:
        if predicted.dtype.kind == "f" and np.isnan(predicted).any():
            raise ValueError("A confusion matrix needs an answer for each sample; y_pred holds NaN.")
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
