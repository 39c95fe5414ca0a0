"""Penalties on weights, l1 * the sum of |w| + l2 * the sum of w²: their value, and their gradient."""

from __future__ import annotations

import numpy as np

from .jit import Array, kernel

LANES = 128


@kernel
def penalty(weights: Array, l1: float, l2: float) -> float:
    """Return l1 * the sum of |w| + l2 * the sum of w², added in float64, over the flat weights."""
    # Rows of independent sums: running ones would not vectorise, as IEEE addition may not be reordered.
    sizes, squares = np.zeros(LANES), np.zeros(LANES)
    for start in range(0, weights.size, LANES):
        piece = weights[start : start + LANES]
        for lane in range(piece.size):
            weight = np.float64(piece[lane])
            sizes[lane] += abs(weight)
            squares[lane] += weight * weight
    return l1 * sizes.sum() + l2 * squares.sum()  # type: ignore[no-any-return]


@kernel
def add_gradient(weights: Array, gradient: Array, l1: float, l2: float) -> None:
    """Add l1 * sign(w) + 2 * l2 * w to the gradient; both are flat. The sign of 0 is 0."""
    number = weights.dtype.type
    one, both, zero = number(l1), number(2 * l2), number(0)
    for i in range(weights.size):
        weight = weights[i]
        sign = one if weight > zero else (-one if weight < zero else zero)
        gradient[i] += sign + both * weight
