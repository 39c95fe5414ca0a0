"""Weights of samples: how much each counts in a loss."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..masked import unmasked


def weights_of_rows(sample_weight: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.floating]:
    """Return the weights of the rows of predictions, each of which has a loss of its own.

    Args:
        sample_weight: (N,), or a weight for each row, shape[:-1]; with axes of 1 left to broadcast.
        shape: of the predictions, (N, ..., outputs).

    Returns:
        The weights, contiguous, shape[:-1]; for predictions (N,), also (N,).

    Raises:
        TypeError: the weights are not numbers.
        ValueError: a weight is NaN or infinite, or the shape is wrong.

    Example:
        >>> weights_of_rows([1.0, 0.5], (2, 3, 4))
        array([[1. , 1. , 1. ],
               [0.5, 0.5, 0.5]])
    """
    weights, rows = np.asarray(unmasked(sample_weight, "sample_weight")), shape[:-1] or shape
    if weights.dtype.kind not in "fiub":
        raise TypeError(f"Sample weights must be numbers, not {weights.dtype}.")
    if weights.dtype not in (np.float32, np.float64) or not weights.dtype.isnative:
        weights = weights.astype(np.float64)
    fits = weights.ndim == len(rows) and all(w in (1, n) for w, n in zip(weights.shape, rows, strict=True))
    if weights.shape[:1] != rows[:1] or not (weights.ndim == 1 or fits or weights.shape == (*rows, 1)):
        raise ValueError(
            f"Predictions of shape {shape} need sample weights of shape {rows[:1]}, one for each sample"
            f"{f', or {rows}' if len(rows) > 1 else ''}; not {weights.shape}."
        )
    if not np.isfinite(weights).all():
        raise ValueError("A sample weight is NaN or infinite.")
    if weights.shape == (*rows, 1):
        return np.ascontiguousarray(weights.reshape(rows))
    axes = (1,) * (len(rows) - weights.ndim)
    return np.ascontiguousarray(np.broadcast_to(weights.reshape(*weights.shape, *axes), rows))
