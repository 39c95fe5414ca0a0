"""The gradients of batch normalization, in steps between which shards of a batch can be joined.

The sum of all shards' `gradient_sums` gives the `gradient`. Arrays are those of normalization.py. Where a
ReLU follows, what has no positive gate has no gradient.
"""

from __future__ import annotations

import numpy as np

from .cpu import VECTOR_BYTES
from .jit import Array, kernel
from .vector import add, broadcast, load, multiply, multiply_add, store, subtract, where_greater

CHUNK = 128  # rows; see normalization.py


@kernel
def gradient_sums(
    x: Array, dy: Array, gate: Array, least: float, mean: Array, scale: Array, sums: Array
) -> None:
    """Sum what the gradients of the parameters and of x need, in one pass.

    sums[c] = the sum over r of dy[r, c], and
    sums[C + c] = the sum over r of dy[r, c] * (x[r, c] - mean[c]) * scale[c], where gate[r, c] > least.

    Args:
        x, dy: (rows, C).
        gate: (rows, C); or of size 0, where all counts.
        least: below 0 if gate is of size 0.
        mean, scale: (C,) float64.
        sums: (2 * C,) float64, written.
    """
    rows, channels = x.shape
    lanes, number = VECTOR_BYTES // x.itemsize, x.dtype.type
    zero, limit = broadcast(number(0)), broadcast(number(least))
    flat, upstream, gates = x.reshape(-1), dy.reshape(-1), gate.reshape(-1)
    parts = np.empty((3, channels), x.dtype)
    means, totals, products = parts[0], parts[1], parts[2]
    for c in range(channels):
        means[c] = mean[c]
        sums[c] = sums[channels + c] = 0.0
    for start in range(0, rows, CHUNK):
        height = min(CHUNK, rows - start)
        for c in range(0, channels, lanes):
            count, i = channels - c, start * channels + c
            end = i + height * channels
            gated = min(count, gates.size)
            center = load(means, c, count)
            total_0 = total_1 = total_2 = total_3 = zero
            product_0 = product_1 = product_2 = product_3 = zero
            while i + 3 * channels < end:
                j, k, m = i + channels, i + 2 * channels, i + 3 * channels
                x_0, x_1 = subtract(load(flat, i, count), center), subtract(load(flat, j, count), center)
                x_2, x_3 = subtract(load(flat, k, count), center), subtract(load(flat, m, count), center)
                dy_0 = where_greater(load(gates, i, gated), limit, load(upstream, i, count), zero)
                dy_1 = where_greater(load(gates, j, gated), limit, load(upstream, j, count), zero)
                dy_2 = where_greater(load(gates, k, gated), limit, load(upstream, k, count), zero)
                dy_3 = where_greater(load(gates, m, gated), limit, load(upstream, m, count), zero)
                total_0, product_0 = add(total_0, dy_0), multiply_add(dy_0, x_0, product_0)
                total_1, product_1 = add(total_1, dy_1), multiply_add(dy_1, x_1, product_1)
                total_2, product_2 = add(total_2, dy_2), multiply_add(dy_2, x_2, product_2)
                total_3, product_3 = add(total_3, dy_3), multiply_add(dy_3, x_3, product_3)
                i += 4 * channels
            while i < end:
                x_0 = subtract(load(flat, i, count), center)
                dy_0 = where_greater(load(gates, i, gated), limit, load(upstream, i, count), zero)
                total_0, product_0 = add(total_0, dy_0), multiply_add(dy_0, x_0, product_0)
                i += channels
            store(totals, c, count, add(add(total_0, total_1), add(total_2, total_3)))
            store(products, c, count, add(add(product_0, product_1), add(product_2, product_3)))
        for c in range(channels):
            sums[c] += totals[c]
            sums[channels + c] += products[c] * scale[c]


@kernel
def parameter_gradients(sums: Array, dgamma: Array, dbeta: Array) -> None:
    """Write dgamma[c] = sums[C + c] and dbeta[c] = sums[c].

    Args:
        sums: (2 * C,) float64 of `gradient_sums`.
        dgamma, dbeta: (C,) of T, written; or (0,) where a layer has none.
    """
    for c in range(dgamma.size):
        dgamma[c] = sums[sums.size // 2 + c]
    for c in range(dbeta.size):
        dbeta[c] = sums[c]


@kernel
def gradient(
    x: Array,
    dy: Array,
    gate: Array,
    mean: Array,
    scale: Array,
    gamma: Array,
    sums: Array,
    count: Array,
    dx: Array,
) -> None:
    """Write the gradient for x where mean and scale are statistics of the batch.

    With xhat = (x - mean) * scale and n = the last of count,
    dx[r, c] = gamma[c] * scale[c] * (dy[r, c] - sums[c] / n - xhat[r, c] * sums[C + c] / n).

    Args:
        x, dy: (rows, C).
        gate: (rows, C), dy counts as 0 where it is not positive; or of size 0.
        mean, scale: (C,) float64.
        gamma: (C,) or (0,).
        sums: (2 * C,) float64, the sum of all shards' `gradient_sums`.
        count: float64, of any size but 0: its last element is the number of all shards' rows.
        dx: (rows, C), written.
    """
    rows, channels = x.shape
    lanes, number, all_rows = VECTOR_BYTES // x.itemsize, x.dtype.type, count[count.size - 1]
    zero, limit = broadcast(number(0)), broadcast(number(0 if gate.size else -1))
    flat, upstream, gates, result = x.reshape(-1), dy.reshape(-1), gate.reshape(-1), dx.reshape(-1)
    table = np.empty((4, channels), x.dtype)
    means, factors, slopes, offsets = table[0], table[1], table[2], table[3]
    for c in range(channels):
        gain = scale[c] * gamma[c] if gamma.size else scale[c]
        means[c], factors[c] = mean[c], gain
        slopes[c] = -gain * scale[c] * sums[channels + c] / all_rows
        offsets[c] = -gain * sums[c] / all_rows
    for start in range(0, rows, CHUNK):
        height = min(CHUNK, rows - start)
        for c in range(0, channels, lanes):
            rest, begin = channels - c, start * channels + c
            center, factor = load(means, c, rest), load(factors, c, rest)
            slope, offset, gated = load(slopes, c, rest), load(offsets, c, rest), min(rest, gates.size)
            for i in range(begin, begin + height * channels, channels):
                of_batch = multiply_add(subtract(load(flat, i, rest), center), slope, offset)
                passed = where_greater(load(gates, i, gated), limit, load(upstream, i, rest), zero)
                store(result, i, rest, multiply_add(passed, factor, of_batch))


@kernel
def scale_gradient(dy: Array, gate: Array, scale: Array, gamma: Array, dx: Array) -> None:
    """Write dx[r, c] = gamma[c] * scale[c] * dy[r, c]: the gradient where the statistics do not depend on x.

    Args:
        dy: (rows, C).
        gate: (rows, C), dy counts as 0 where it is not positive; or of size 0.
        scale: (C,) float64.
        gamma: (C,) or (0,).
        dx: (rows, C), written.
    """
    rows, channels = dy.shape
    lanes, number = VECTOR_BYTES // dy.itemsize, dy.dtype.type
    zero, limit = broadcast(number(0)), broadcast(number(0 if gate.size else -1))
    upstream, gates, result = dy.reshape(-1), gate.reshape(-1), dx.reshape(-1)
    factors = np.empty(channels, dy.dtype)
    for c in range(channels):
        factors[c] = scale[c] * gamma[c] if gamma.size else scale[c]
    for start in range(0, rows, CHUNK):
        height = min(CHUNK, rows - start)
        for c in range(0, channels, lanes):
            count, begin = channels - c, start * channels + c
            factor, gated = load(factors, c, count), min(count, gates.size)
            for i in range(begin, begin + height * channels, channels):
                passed = where_greater(load(gates, i, gated), limit, load(upstream, i, count), zero)
                store(result, i, count, multiply(passed, factor))
