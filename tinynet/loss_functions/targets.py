"""Checks of targets: the same clear errors from every loss."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


def numbers(y_true: ArrayLike) -> Array:
    """Return targets as an array of numbers."""
    array = np.asarray(y_true)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"Targets must be numbers, not {array.dtype}.")
    return array


def check_finite(y_true: ArrayLike) -> None:
    """Raise if a target is NaN or infinite."""
    array = numbers(y_true)
    finite = np.isfinite(array)
    if not np.logical_and.reduce(finite, axis=None):
        index = first(~finite)
        raise ValueError(f"Target {array[index]} at index {text(index)} is not a finite number.")


def check_rows(y_true: ArrayLike, shape: tuple[int, ...]) -> None:
    """Raise if targets are no rows of the predictions' shape."""
    array = numbers(y_true)
    if array.shape != shape or not array.size or len(shape) < 2:
        check_samples(array, shape)
        raise shape_error(shape, array.shape, "rows of outputs, (N, ..., outputs), and targets of that shape")


def check_label_smoothing(label_smoothing: float) -> None:
    """Raise if so much smoothing would leave nothing of the targets."""
    if not 0 <= label_smoothing < 1:
        raise ValueError(f"label_smoothing must be at least 0 and below 1, not {label_smoothing}.")


def check_classes(shape: tuple[int, ...]) -> None:
    """Raise if predictions of a shape are not over classes."""
    if len(shape) < 2 or shape[-1] < 2:
        raise ValueError(
            f"Cross-entropy over classes takes predictions (N, classes) with at least 2 classes, not "
            f"{shape}: for a single output, use binary_crossentropy."
        )


def check_same_shape(y_true: Array, shape: tuple[int, ...]) -> None:
    """Raise if targets have another shape than predictions."""
    if y_true.shape == shape and y_true.size:
        return
    check_samples(y_true, shape)
    if like_predictions(y_true, shape).shape != shape:
        raise shape_error(shape, y_true.shape, f"targets of shape {shape}")


def like_predictions(y_true: Array, shape: tuple[int, ...]) -> Array:
    """Return targets in the shape of the predictions, where these have one more axis, of 1.

    (N,) beside (N, 1) is one number a sample; left to broadcasting it would become (N, N).
    """
    return y_true.reshape(shape) if shape == (*y_true.shape, 1) else y_true


def check_samples(y_true: Array, shape: tuple[int, ...]) -> None:
    """Raise if there are no samples, or not as many targets as predictions."""
    if not y_true.size or 0 in shape:
        raise ValueError(f"Nothing to compare: predictions {shape}, targets {y_true.shape}.")
    if y_true.shape[:1] != shape[:1]:
        raise ValueError(
            f"The number of samples differs: predictions {shape}, targets {y_true.shape}; "
            "the first axis counts samples."
        )


def shape_error(shape: tuple[int, ...], given: tuple[int, ...], expected: str) -> ValueError:
    """Return the error for targets of a wrong shape."""
    return ValueError(f"Predictions of shape {shape} need {expected}, not {given}.")


def first(wrong: Array) -> tuple[int, ...]:
    """Return the index of the first element that is wrong."""
    return tuple(int(i) for i in np.unravel_index(np.argmax(wrong), wrong.shape))


def text(index: tuple[int, ...]) -> str:
    """Return an index as errors show it."""
    return str(index[0]) if len(index) == 1 else str(index)


def look_turned(y_true: Array, y_pred: Array, rows: bool = False) -> bool:
    """Return whether the predictions look like targets and the targets like predictions.

    Args:
        y_true: the targets.
        y_pred: the predictions.
        rows: whether each row has to be a distribution over classes. Default False.

    Returns:
        True where y_pred holds nothing but 0 and 1, and y_true nothing but fractions in between.
    """
    if y_true.dtype.kind != "f" or not y_true.size or not np.isin(y_pred, (0, 1)).all():
        return False
    if not ((y_true > 0) & (y_true < 1)).all():
        return False
    return not rows or all(
        array.ndim > 1 and bool((np.abs(array.sum(axis=-1) - 1) < 1e-3).all()) for array in (y_true, y_pred)
    )
