"""Checks of targets: the same clear errors from every loss."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .base import Array


def numbers(targets: ArrayLike) -> Array:
    """Return targets as an array of numbers."""
    array = np.asarray(targets)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"Targets must be numbers, not {array.dtype}.")
    return array


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


def check_same_shape(shape: tuple[int, ...], targets: Array) -> None:
    """Raise if targets have another shape than predictions."""
    if targets.shape == shape and targets.size:
        return
    check_samples(shape, targets)
    # (N,) beside (N, 1) is one number a sample; left to broadcasting it would become (N, N).
    if shape[-1:] != (1,) or targets.shape != shape[:-1]:
        raise shape_error(shape, targets.shape, f"targets of shape {shape}")


def check_samples(shape: tuple[int, ...], targets: Array) -> None:
    """Raise if there are no samples, or not as many targets as predictions."""
    if not targets.size or 0 in shape:
        raise ValueError(f"Nothing to compare: predictions {shape}, targets {targets.shape}.")
    if targets.shape[:1] != shape[:1]:
        raise ValueError(
            f"The number of samples differs: predictions {shape}, targets {targets.shape}; "
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
