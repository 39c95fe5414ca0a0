"""Batch normalization as a part of the convolution before it, and of the pooling after it.

With its moving statistics it multiplies each filter by a number and adds another one: so it is `fold`ed into
the weights. While training, what is normalized is pooled in the same pass, and only what pooling leaves is
written; the gradient comes back through both in one pass, too.

x and dx are (N, H, W, C), what the convolution computed; y, chosen, place and dy (N, OH, OW, C), pooled in
windows of pool_y x pool_x that lie side by side, all of one type T. mean, scale, gamma, beta, sums and count
are those of normalization.py.
"""

from __future__ import annotations

import numpy as np

from .cpu import VECTOR_BYTES
from .jit import Array, kernel
from .vector import (
    broadcast,
    larger,
    load,
    multiply,
    multiply_add,
    store,
    subtract,
    where_equal,
    where_greater,
)


@kernel
def fold(
    kernel: Array,
    bias: Array,
    mean: Array,
    scale: Array,
    gamma: Array,
    beta: Array,
    folded: Array,
    folded_bias: Array,
) -> None:
    """Write the weights of a convolution that normalizes what it computes.

    folded[r, f] = kernel[r, f] * factor[f], folded_bias[f] = (bias[f] - mean[f]) * factor[f] + beta[f], with
    factor[f] = scale[f] * gamma[f] as a T.

    Args:
        kernel: (rows, F).
        bias, gamma, beta: (F,) or (0,).
        mean, scale: (F,) float64.
        folded: (rows, F), written.
        folded_bias: (F,), written.
    """
    rows, filters = kernel.shape
    factors = np.empty(filters, kernel.dtype)
    for f in range(filters):
        factors[f] = scale[f] * gamma[f] if gamma.size else scale[f]
        offset = (bias[f] if bias.size else 0.0) - mean[f]
        folded_bias[f] = offset * factors[f] + (beta[f] if beta.size else 0.0)
    for f in range(0, filters, VECTOR_BYTES // kernel.itemsize):
        factor, count = load(factors, f, filters - f), filters - f
        for i in range(f, rows * filters, filters):
            store(folded, i, count, multiply(load(kernel, i, count), factor))


@kernel
def normalize_and_pool(
    x: Array, mean: Array, scale: Array, gamma: Array, beta: Array,
    y: Array, chosen: Array, place: Array, pool_y: int, pool_x: int, relu: bool,
) -> None:  # fmt: skip
    """Write the largest of each window of what `normalize` writes, and which x it was.

    Args:
        x, mean, scale, gamma, beta: see above.
        y, chosen, place: written: the largest number; the x that it comes from; and its place in the window,
            pool_x * iy + ix, of the first such number, or -1 where a ReLU lets no gradient pass.
        pool_y, pool_x: size and steps of the windows.
        relu: whether negative results become 0.
    """
    height, width, channels = x.shape[1], x.shape[2], x.shape[3]
    number, lanes, step = x.dtype.type, VECTOR_BYTES // x.itemsize, pool_x * channels
    lowest, zero = broadcast(number(-np.inf)), broadcast(number(0))
    floor, nowhere = (zero, broadcast(number(-1))) if relu else (lowest, zero)
    table = np.empty((2, channels), x.dtype)
    means, factors = table[0], table[1]
    for c in range(channels):
        means[c] = mean[c]
        factors[c] = scale[c] * gamma[c] if gamma.size else scale[c]
    for row in range(len(x) * y.shape[1]):
        top = (row // y.shape[1] * height + row % y.shape[1] * pool_y) * width * channels
        for c in range(0, channels, lanes):
            count, first, window = channels - c, top + c, row * y.shape[2] * channels + c
            center, factor = load(means, c, count), load(factors, c, count)
            offset = load(beta, c, beta.size - c)
            for _ in range(y.shape[2]):
                largest, found, where = lowest, zero, zero
                for iy in range(pool_y):
                    for ix in range(pool_x):
                        before = load(x, first + (iy * width + ix) * channels, count)
                        value = multiply_add(subtract(before, center), factor, offset)
                        where = where_greater(value, largest, broadcast(number(iy * pool_x + ix)), where)
                        found = where_greater(value, largest, before, found)
                        largest = larger(largest, value)
                store(y, window, count, larger(largest, floor))
                store(chosen, window, count, found)
                store(place, window, count, where_greater(largest, floor, where, nowhere))
                first, window = first + step, window + channels


@kernel
def pooled_gradient(
    x: Array, dy: Array, place: Array, mean: Array, scale: Array, gamma: Array, sums: Array, count: Array,
    dx: Array, pool_y: int, pool_x: int,
) -> None:  # fmt: skip
    """Write the gradient for x, of all pixels: also those that pooling does not use change the statistics.

    With dY = dy at its place in each window, and 0 elsewhere, xhat = (x - mean) * scale, n = the last of
    count, dx = gamma * scale * (dY - sums[c] / n - xhat * sums[C + c] / n) of each pixel and channel c.

    Args:
        x, dy, place, mean, scale, gamma, sums: see above.
        count: as above; or of size 0 where the statistics do not depend on x: then sums count as 0.
        dx: written.
        pool_y, pool_x: size and steps of the windows.
    """
    height, width, channels = x.shape[1], x.shape[2], x.shape[3]
    out_height, out_width = dy.shape[1], dy.shape[2]
    number, lanes = x.dtype.type, VECTOR_BYTES // x.itemsize
    zero, share = broadcast(number(0)), -1.0 / count[count.size - 1] if count.size else 0.0
    table = np.empty((4, channels), x.dtype)
    means, factors, slopes, offsets = table[0], table[1], table[2], table[3]
    for c in range(channels):
        gain = scale[c] * gamma[c] if gamma.size else scale[c]
        means[c], factors[c] = mean[c], gain
        slopes[c] = share * gain * scale[c] * sums[channels + c] if count.size else 0.0
        offsets[c] = share * gain * sums[c] if count.size else 0.0
    for row in range(len(x) * height):
        n, y = row // height, row % height
        window_row, first_place = (n * out_height + y // pool_y) * out_width, y % pool_y * pool_x
        windows = out_width if y // pool_y < out_height else 0
        for c in range(0, channels, lanes):
            rest, i, window = channels - c, row * width * channels + c, window_row * channels + c
            center, factor = load(means, c, rest), load(factors, c, rest)
            slope, offset = load(slopes, c, rest), load(offsets, c, rest)
            for ox in range(-(-width // pool_x)):
                there = rest * (ox < windows)
                value, where = load(dy, window, there), load(place, window, there)
                for ix in range(min(pool_x, width - ox * pool_x)):
                    here = where_equal(where, broadcast(number(first_place + ix)), value, zero)
                    of_batch = multiply_add(subtract(load(x, i, rest), center), slope, offset)
                    store(dx, i, rest, multiply_add(here, factor, of_batch))
                    i += channels
                window += channels


@kernel
def bias_gradient(sums: Array, scale: Array, gamma: Array, dbias: Array) -> None:
    """Write dbias[c] = gamma[c] * scale[c] * sums[c]: of what is added before statistics that stay.

    Args:
        sums: (2 * C,) float64 of `gradient_sums`.
        scale: (C,) float64.
        gamma: (C,) or (0,).
        dbias: (C,) of T, written; or (0,) where there is no bias.
    """
    for c in range(dbias.size):
        dbias[c] = (scale[c] * gamma[c] if gamma.size else scale[c]) * sums[c]
