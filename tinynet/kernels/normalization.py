"""Batch normalization, in steps between which shards of a batch can be joined.

x, dy, y and dx are (rows, channels) of one type T, float32 or float64; gamma and beta are (channels,) of T,
or of size 0 where a layer has none: gamma then counts as 1 and beta as 0. Statistics are float64, and so are
sums over rows, but for those within CHUNK rows, which are of T: a vector holds twice as many float32, and so
few terms add up to no large rounding errors.

In training, each shard has its `moments`, and when the sum of all their `sums` is known, `recenter` prepares
their squares for being summed, too. The sums give the `statistics`, which `normalize` needs. The gradients
are in normalization_gradients.py.
"""

from __future__ import annotations

import numpy as np

from .cpu import VECTOR_BYTES
from .jit import Array, kernel
from .vector import add, broadcast, larger, load, multiply, multiply_add, store, subtract

CHUNK = 128  # rows; they stay in the cache until all vectors of channels, which may share lines, have passed
HEAD = 8  # rows at the beginning of a chunk


@kernel
def moments(x: Array, sums: Array, squares: Array, more: bool) -> None:
    """Sum the rows, and the squares of their differences from their mean, in one pass.

    sums[c] = the sum over r of x[r, c], sums[C] = rows, and
    squares[c] = the sum over r of (x[r, c] - sums[c] / rows)², or 0 without rows.

    Args:
        x: (rows, C).
        sums: (C + 1,) float64, written.
        squares: (C,) float64, written.
        more: whether the rows follow those whose sums these are.
    """
    rows, channels = x.shape
    lanes, number, flat = VECTOR_BYTES // x.itemsize, x.dtype.type, x.reshape(-1)
    zero = broadcast(number(0))
    parts = np.empty((3, channels), x.dtype)
    pivots, totals, deviations = parts[0], parts[1], parts[2]
    if not more:
        sums[:] = 0.0
        squares[:] = 0.0
    for start in range(0, rows, CHUNK):
        height = min(CHUNK, rows - start)
        head = min(HEAD, height)
        for c in range(0, channels, lanes):
            count, i = channels - c, start * channels + c
            end = i + height * channels
            # The differences are from the mean p of a few rows, which takes no second pass. With n rows, k of
            # them those few, and the mean m of all n: the sum of (x - p)² is that of (x - m)² and n (p - m)²,
            # and the former is at least k (p - m)². So it is at most 1 + n / k times too large, and to
            # subtract what is too much costs a digit at worst.
            pivot = zero
            for j in range(i, i + head * channels, channels):
                pivot = add(pivot, load(flat, j, count))
            pivot = multiply(pivot, broadcast(number(1.0 / head)))
            total_0 = total_1 = total_2 = total_3 = zero  # four sums at a time hide the latency of each other
            square_0 = square_1 = square_2 = square_3 = zero
            while i + 3 * channels < end:
                x_0 = subtract(load(flat, i, count), pivot)
                x_1 = subtract(load(flat, i + channels, count), pivot)
                x_2 = subtract(load(flat, i + 2 * channels, count), pivot)
                x_3 = subtract(load(flat, i + 3 * channels, count), pivot)
                total_0, square_0 = add(total_0, x_0), multiply_add(x_0, x_0, square_0)
                total_1, square_1 = add(total_1, x_1), multiply_add(x_1, x_1, square_1)
                total_2, square_2 = add(total_2, x_2), multiply_add(x_2, x_2, square_2)
                total_3, square_3 = add(total_3, x_3), multiply_add(x_3, x_3, square_3)
                i += 4 * channels
            while i < end:
                x_0 = subtract(load(flat, i, count), pivot)
                total_0, square_0 = add(total_0, x_0), multiply_add(x_0, x_0, square_0)
                i += channels
            store(pivots, c, count, pivot)
            store(totals, c, count, add(add(total_0, total_1), add(total_2, total_3)))
            store(deviations, c, count, add(add(square_0, square_1), add(square_2, square_3)))
        # Chan's formula joins the chunk with the rows before it.
        before = sums[channels]
        share, share_before = 1.0 / height, 1.0 / before if before else 0.0
        weight = before * height / (before + height)
        for c in range(channels):
            near, total, deviation = np.float64(pivots[c]), np.float64(totals[c]), np.float64(deviations[c])
            away = near + total * share - sums[c] * share_before
            squares[c] += max(deviation - total * total * share, 0.0) + away * away * weight
            sums[c] += height * near + total
        sums[channels] = before + height


@kernel
def recenter(sums: Array, squares: Array, total: Array, part: Array) -> None:
    """Turn a shard's squares of differences from its own mean into those from the mean of all shards.

    part[c] = squares[c] + n * (sums[c] / n - total[c] / total[C])² with n = sums[C]; 0 where n is 0. The sum
    of that over all shards is what `moments` of all rows writes to squares.

    Args:
        sums: (C + 1,) float64 of the shard.
        squares: (C,) float64 of the shard.
        total: (C + 1,) float64, the sum of all shards' sums.
        part: (C,) float64, written.
    """
    rows, all_rows = sums[squares.size], total[squares.size]
    for c in range(squares.size):
        away = sums[c] / rows - total[c] / all_rows
        part[c] = squares[c] + rows * away * away if rows else 0.0


@kernel
def statistics(total: Array, squares: Array, epsilon: float, mean: Array, scale: Array) -> None:
    """Write mean[c] = total[c] / total[C] and scale[c] = 1 / sqrt(squares[c] / total[C] + epsilon).

    Args:
        total: (C + 1,) float64, the sum of all shards' sums.
        squares: (C,) float64, the sum of all shards' parts.
        epsilon: what is added to the variance.
        mean, scale: (C,) float64, written.
    """
    rows = total[squares.size]
    for c in range(squares.size):
        mean[c] = total[c] / rows
        scale[c] = 1.0 / np.sqrt(squares[c] / rows + epsilon)


@kernel
def running_statistics(
    moving_mean: Array, moving_variance: Array, epsilon: float, mean: Array, scale: Array
) -> None:
    """Write mean[c] = moving_mean[c] and scale[c] = 1 / sqrt(moving_variance[c] + epsilon).

    Args:
        moving_mean, moving_variance: (C,) of T.
        epsilon: what is added to the variance.
        mean, scale: (C,) float64, written.
    """
    for c in range(mean.size):
        mean[c] = moving_mean[c]
        scale[c] = 1.0 / np.sqrt(np.float64(moving_variance[c]) + epsilon)


@kernel
def update_running(
    total: Array, squares: Array, momentum: float, moving_mean: Array, moving_variance: Array
) -> None:
    """Move the moving statistics to those of a batch: moving = moving * momentum + batch * (1 - momentum).

    The batch's are the mean total[c] / total[C] and the variance squares[c] / total[C].

    Args:
        total: (C + 1,) float64, the sum of all shards' sums.
        squares: (C,) float64, the sum of all shards' parts.
        momentum: the share that stays.
        moving_mean, moving_variance: (C,) of T, updated.
    """
    rows = total[squares.size]
    for c in range(squares.size):
        moving_mean[c] = moving_mean[c] * momentum + total[c] / rows * (1.0 - momentum)
        moving_variance[c] = moving_variance[c] * momentum + squares[c] / rows * (1.0 - momentum)


@kernel
def normalize(x: Array, mean: Array, scale: Array, gamma: Array, beta: Array, y: Array, relu: bool) -> None:
    """Write y[r, c] = (x[r, c] - mean[c]) * (scale[c] * gamma[c]) + beta[c], computed in T.

    Args:
        x: (rows, C).
        mean, scale: (C,) float64.
        gamma, beta: (C,) or (0,).
        y: (rows, C), written.
        relu: whether negative results become 0.
    """
    rows, channels = x.shape
    lanes, number = VECTOR_BYTES // x.itemsize, x.dtype.type
    lowest = broadcast(number(0 if relu else -np.inf))
    flat, result = x.reshape(-1), y.reshape(-1)
    table = np.empty((2, channels), x.dtype)
    means, factors = table[0], table[1]
    for c in range(channels):
        means[c] = mean[c]
        factors[c] = scale[c] * gamma[c] if gamma.size else scale[c]
    for start in range(0, rows, CHUNK):
        height = min(CHUNK, rows - start)
        for c in range(0, channels, lanes):
            count, begin = channels - c, start * channels + c
            center, factor = load(means, c, count), load(factors, c, count)
            offset = load(beta, c, beta.size - c)
            for i in range(begin, begin + height * channels, channels):
                value = multiply_add(subtract(load(flat, i, count), center), factor, offset)
                store(result, i, count, larger(value, lowest))
