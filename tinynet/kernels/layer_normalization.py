"""Layer normalization: each row by its own statistics.

x, dy, y and dx are (rows, channels) of one type T, float32 or float64; gamma and beta are (channels,) of T,
or of size 0 where a layer has none: gamma then counts as 1 and beta as 0. Statistics are float64.
"""

from __future__ import annotations

import numpy as np

from .jit import Array, kernel
from .vector import (
    PARTS,
    add,
    broadcast_parts,
    keep,
    lane_sum,
    load_parts,
    multiply,
    multiply_add,
    store,
    subtract,
)


@kernel
def normalize_rows(
    x: Array, gamma: Array, beta: Array, epsilon: float, y: Array, mean: Array, scale: Array
) -> None:
    """Normalize each row by its own statistics.

    mean[r] = the mean over c of x[r, c], scale[r] = 1 / sqrt(that of (x[r, c] - mean[r])² + epsilon), and
    y[r, c] = (x[r, c] - mean[r]) * scale[r] * gamma[c] + beta[c].

    Args:
        x: (rows, C) with C > 0.
        gamma, beta: (C,) or (0,).
        epsilon: what is added to the variance.
        y: (rows, C), written.
        mean, scale: (rows,) float64, written.
    """
    rows, channels = x.shape
    number = x.dtype.type
    zero, share = broadcast_parts(number(0)), 1.0 / channels
    flat, result, weights = x.reshape(-1), y.reshape(-1), np.empty(channels, x.dtype)
    for c in range(channels):
        weights[c] = gamma[c] if gamma.size else number(1)
    for r in range(rows):
        row, total = r * channels, zero
        for c in range(0, channels, PARTS):
            total = add(total, load_parts(flat, row + c, channels - c))
        shift = number(lane_sum(total) * share)
        center, total, square = broadcast_parts(shift), zero, zero
        for c in range(0, channels, PARTS):
            away = keep(subtract(load_parts(flat, row + c, channels - c), center), channels - c)
            total, square = add(total, away), multiply_add(away, away, square)
        rest = np.float64(lane_sum(total)) * share  # what rounding left between the shift and the mean
        variance = max(np.float64(lane_sum(square)) * share - rest * rest, 0.0)
        mean[r], scale[r] = shift + rest, 1.0 / np.sqrt(variance + epsilon)
        center, factor = broadcast_parts(number(mean[r])), broadcast_parts(number(scale[r]))
        for c in range(0, channels, PARTS):
            away = subtract(load_parts(flat, row + c, channels - c), center)
            weight, offset = load_parts(weights, c, channels - c), load_parts(beta, c, beta.size - c)
            store(result, row + c, channels - c, multiply_add(multiply(away, factor), weight, offset))


@kernel
def normalize_rows_gradient(
    x: Array, mean: Array, scale: Array, gamma: Array, dy: Array, dx: Array, dgamma: Array, dbeta: Array
) -> None:
    """Write the gradients of `normalize_rows`.

    With g = dy * gamma and xhat[r, c] = (x[r, c] - mean[r]) * scale[r],
    dx[r, c] = scale[r] * (g[r, c] - the mean over c of g[r, c] - xhat[r, c] * that of g[r, c] * xhat[r, c]),
    dgamma[c] = the sum over r of dy[r, c] * xhat[r, c], and dbeta[c] = the sum over r of dy[r, c].

    Args:
        x: (rows, C) with C > 0.
        mean, scale: (rows,) float64 of `normalize_rows`.
        gamma: (C,) or (0,).
        dy: (rows, C).
        dx: (rows, C), written.
        dgamma, dbeta: (C,), written; or (0,) where a layer has none.
    """
    rows, channels = x.shape
    number = x.dtype.type
    zero, share = broadcast_parts(number(0)), 1.0 / channels
    flat, upstream, result = x.reshape(-1), dy.reshape(-1), dx.reshape(-1)
    weights = np.empty(channels, x.dtype)
    for c in range(channels):
        weights[c] = gamma[c] if gamma.size else number(1)
    for c in range(dgamma.size):
        dgamma[c] = 0
    for c in range(dbeta.size):
        dbeta[c] = 0
    for r in range(rows):
        row, center, factor = (
            r * channels,
            broadcast_parts(number(mean[r])),
            broadcast_parts(number(scale[r])),
        )
        total = product = zero
        for c in range(0, channels, PARTS):
            slope = load_parts(upstream, row + c, channels - c)
            xhat = multiply(subtract(load_parts(flat, row + c, channels - c), center), factor)
            for_beta, for_gamma = load_parts(dbeta, c, dbeta.size - c), load_parts(dgamma, c, dgamma.size - c)
            store(dbeta, c, dbeta.size - c, add(for_beta, slope))
            store(dgamma, c, dgamma.size - c, multiply_add(slope, xhat, for_gamma))
            weighted = multiply(slope, load_parts(weights, c, channels - c))
            total, product = add(total, weighted), multiply_add(weighted, xhat, product)
        mean_g = broadcast_parts(number(lane_sum(total) * share))
        mean_product = broadcast_parts(number(lane_sum(product) * share))
        for c in range(0, channels, PARTS):
            weighted = multiply(
                load_parts(upstream, row + c, channels - c), load_parts(weights, c, channels - c)
            )
            xhat = multiply(subtract(load_parts(flat, row + c, channels - c), center), factor)
            value = subtract(subtract(weighted, mean_g), multiply(xhat, mean_product))
            store(result, row + c, channels - c, multiply(factor, value))
