"""Sums and means over batches, with and without weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Floats = NDArray[np.float64]


def total(array: Array) -> float:
    """Return the sum of all elements; for few of them quicker than `array.sum`."""
    return float(np.add.reduce(array, axis=None))


def weighted_mean(losses: Array, weights: Array) -> float:
    """Return the sum of weights times losses, divided by their number."""
    return total(losses * weights.astype(np.float64)) / losses.size


def scaled(gradient: Array, weights: Array) -> Array:
    """Return the gradient with each row multiplied by its weight; both of shape (N,), each number."""
    return gradient * weights.astype(np.float64).reshape(
        weights.shape + (1,) * (gradient.ndim - weights.ndim)
    )


def mean_of_rows(losses: Floats) -> Floats:
    """Return the mean over the last axis, the outputs; predictions (N,) are one output each."""
    return losses if losses.ndim < 2 else np.add.reduce(losses, axis=-1) / losses.shape[-1]
