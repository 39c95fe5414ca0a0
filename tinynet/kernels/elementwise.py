"""Kernels that go once over their elements: activations, dropout, padding, transposing, cross-entropy."""

from __future__ import annotations

import numpy as np

from .cpu import VECTOR_BYTES
from .functions import exp, log
from .jit import Array, inlined, kernel
from .vector import add, broadcast, lane_sum, load, scalar, store, subtract, where_greater


@kernel
def leaky_relu(x: Array, y: Array, slope: float) -> None:
    """Write x where x is not negative, else slope * x, to y; x and y are flat. ReLU has slope 0."""
    slope, zero = x.dtype.type(slope), x.dtype.type(0)
    if slope == 0:  # a product would give -0, and NaN for -inf
        for i in range(x.size):
            y[i] = zero if x[i] < 0 else x[i]
    else:
        for i in range(x.size):
            y[i] = x[i] * slope if x[i] < 0 else x[i]


@kernel
def leaky_relu_gradient(y: Array, dy: Array, dx: Array, slope: float) -> None:
    """Write dy where y is positive, else slope * dy, to dx; all flat.

    y is the layer's output, which has the sign of its input.
    """
    slope, zero = y.dtype.type(slope), y.dtype.type(0)
    if slope == 0:
        for i in range(y.size):
            dx[i] = dy[i] if y[i] > 0 else zero
    else:
        for i in range(y.size):
            dx[i] = dy[i] if y[i] > 0 else dy[i] * slope


@kernel
def softmax_cross_entropy(
    logits: Array,
    labels: Array,
    smoothing: float,
    share: float,
    gradient: Array,
    value: Array,
    weights: Array,
) -> None:
    """Compute the mean cross-entropy of softmax(logits), and share times its gradient, in float64.

    With t[n, k] = (1 - smoothing) * (k == labels[n]) + smoothing / classes and p = softmax(logits),
    value = the mean over n of -w[n] * (sum over k of t[n, k] * log p[n, k]), and
    gradient[n, k] = share / N * w[n] * (p[n, k] - t[n, k]).

    Args:
        logits: (N, classes).
        labels: (N,) int64.
        smoothing: the share of the target that is spread evenly.
        share: what the gradient is multiplied by.
        gradient: (N, classes), written.
        value: (1,) float64, written.
        weights: (N,) w, or (0,) for 1 everywhere.
    """
    samples, classes = logits.shape
    spread, factor, total = smoothing / classes, share / samples, 0.0
    powers, lanes = np.empty(classes, np.float64), VECTOR_BYTES // 8
    for n in range(samples):
        largest = np.float64(logits[n, 0])
        for k in range(classes):
            largest = max(largest, np.float64(logits[n, k]))
        for k in range(classes):
            powers[k] = np.float64(logits[n, k]) - largest
        for k in range(0, classes, lanes):
            store(powers, k, classes - k, exp(load(powers, k, classes - k)))
        exponentials = 0.0
        for k in range(classes):
            exponentials += powers[k]
        logarithm = scalar(log(broadcast(exponentials)))
        weight = np.float64(weights[n]) if weights.size else 1.0
        for k in range(classes):
            target = spread + (1 - smoothing if k == labels[n] else 0.0)
            log_probability = np.float64(logits[n, k]) - largest - logarithm
            total -= weight * (target * log_probability) if target != 0 else 0.0
            gradient[n, k] = weight * (factor * (powers[k] / exponentials - target))
    value[0] = total / samples


@kernel
def fill(x: Array, value: float) -> None:
    """Write a value to all of the flat x."""
    for i in range(x.size):
        x[i] = value


@kernel
def pad(x: Array, padded: Array, top: int, left: int) -> None:
    """Copy x to padded[:, top:top + H, left:left + W] and write zeros around it.

    Args:
        x: (N, H, W, C).
        padded: (N, PH, PW, C) with PH >= top + H and PW >= left + W, written everywhere.
        top, left: rows and columns of zeros before x.
    """
    height, row = x.shape[1], x.shape[2] * x.shape[3]
    padded_height, padded_row, before = padded.shape[1], padded.shape[2] * padded.shape[3], left * x.shape[3]
    lanes, zero = VECTOR_BYTES // x.itemsize, broadcast(x.dtype.type(0))
    for n in range(len(x)):
        for py in range(padded_height):
            begin, y = (n * padded_height + py) * padded_row, py - top
            for i in range(0, padded_row, lanes):
                store(padded, begin + i, padded_row - i, zero)
            if 0 <= y < height:
                source = (n * height + y) * row
                for i in range(0, row, lanes):
                    store(padded, begin + before + i, row - i, load(x, source + i, row - i))


@kernel
def bias_gradient(y: Array, dy: Array, padded: Array, top: int, left: int, total: Array, relu: bool) -> None:
    """Undo ReLU, pad, and sum over pixels, in one pass over an upstream gradient.

    padded[n, top + y, left + x, c] = dy[n, y, x, c] where y[n, y, x, c] > 0, or everywhere without ReLU;
    0 elsewhere; total[c] = the sum of that over n, y, x.

    Args:
        y: (N, H, W, C) the output of the ReLU; not read without it.
        dy: (N, H, W, C) upstream gradient.
        padded: (N, PH, PW, C), written everywhere.
        top, left: rows and columns of zeros before dy.
        total: (C,) or (0,) if it is not wanted, written.
        relu: whether there was a ReLU.
    """
    height, width, channels = dy.shape[1], dy.shape[2], dy.shape[3]
    padded_height, padded_row = padded.shape[1], padded.shape[2] * channels
    lanes, zero = VECTOR_BYTES // dy.itemsize, broadcast(dy.dtype.type(0))
    fill(total, 0.0)
    for n in range(len(dy)):
        for py in range(padded_height):
            begin, source = (n * padded_height + py) * padded_row, (n * height + py - top) * width * channels
            inside = top <= py < top + height
            if not inside or width * channels < padded_row:
                for i in range(0, padded_row, lanes):
                    store(padded, begin + i, padded_row - i, zero)
            for c in range(0, channels if inside else 0, lanes):
                count = channels - c
                target = begin + left * channels + c
                column_sum = load(total, c, total.size - c)
                for i in range(source + c, source + width * channels, channels):
                    value = load(dy, i, count)
                    if relu:
                        value = where_greater(load(y, i, count), zero, value, zero)
                    store(padded, target, count, value)
                    column_sum = add(column_sum, value)
                    target += channels
                store(total, c, total.size - c, column_sum)


@kernel
def exchange(x: Array, y: Array) -> None:
    """Transpose matrices: y[m, b, a] = x[m, a, b].

    Args:
        x: (M, A, B).
        y: (M, B, A), written.
    """
    matrices, height, width = x.shape
    for m in range(matrices):
        for first in range(0, height, 16):  # 16 rows of x stay in cache while their columns are read
            for b in range(width):
                for a in range(first, min(first + 16, height)):
                    y[m, b, a] = x[m, a, b]


@inlined
def scramble(x: np.uint32) -> np.uint32:
    """Return a uint32 whose every bit depends on every bit of the uint32 x.

    The function is a bijection, `lowbias32` by Chris Wellons
    (https://nullprogram.com/blog/2018/07/31/). Casts keep each step at 32 bits, so that loops vectorise.
    """
    x = np.uint32(x ^ (x >> np.uint32(16)))
    x = np.uint32(x * np.uint32(0x7FEB352D))
    x = np.uint32(x ^ (x >> np.uint32(15)))
    x = np.uint32(x * np.uint32(0x846CA68B))
    return np.uint32(x ^ (x >> np.uint32(16)))


@kernel
def dropout(x: Array, y: Array, rate: float, key: Array, step: Array, first: int) -> None:
    """Write to y either 0, with probability `rate`, or x / (1 - rate); x and y are flat.

    Whether element i stays depends on (key, step, first + i) alone, so the backward pass repeats the
    forward pass's choice without a stored mask, and a batch can be cut anywhere. The gradient is this
    same function of dy.

    Args:
        x: (size,) input, or upstream gradient.
        y: (size,) written.
        rate: probability that an element is dropped, 0 <= rate < 1.
        key: (2,) uint32 of the layer.
        step: (1,) int64, the number of the training step.
        first: the position in the batch of x[0].
    """
    threshold = np.uint32(min(rate * 4294967296.0, 4294967295.0))
    scale = x.dtype.type(1.0 / (1.0 - rate))
    zero = x.dtype.type(0)
    lower = scramble(np.uint32(key[0] + np.uint32(step[0])))
    upper = scramble(np.uint32(key[1] ^ lower))
    start = np.uint32(first)
    for i in range(x.size):
        bits = scramble(np.uint32(scramble(np.uint32((start + np.uint32(i)) ^ lower)) + upper))
        y[i] = x[i] * scale if bits >= threshold else zero


@kernel
def dropout_groups(
    x: Array, y: Array, group: Array, groups: int, rate: float, key: Array, step: Array, first: int
) -> None:
    """Write to y either 0 or x / (1 - rate), as `dropout`, with one choice for the elements of a group.

    Args:
        x: (N, F) input, or upstream gradient.
        y: (N, F) written.
        group: (F,) int64, which of its sample's groups each element is in.
        groups: how many there are; 0 if all samples share them.
        rate, key, step: as for `dropout`.
        first: the number of the first sample's first group in the batch.
    """
    threshold = np.uint32(min(rate * 4294967296.0, 4294967295.0))
    scale = x.dtype.type(1.0 / (1.0 - rate))
    zero = x.dtype.type(0)
    lower = scramble(np.uint32(key[0] + np.uint32(step[0])))
    upper = scramble(np.uint32(key[1] ^ lower))
    for n in range(x.shape[0]):
        start = np.uint32(first + n * groups)
        for i in range(x.shape[1]):
            place = np.uint32(start + np.uint32(group[i]))
            bits = scramble(np.uint32(scramble(np.uint32(place ^ lower)) + upper))
            y[n, i] = x[n, i] * scale if bits >= threshold else zero


@kernel
def all_finite(x: Array, result: Array) -> bool:
    """Return whether no element of the flat x is NaN or infinite, and write it to result, (1,), as 1 or 0."""
    lanes = VECTOR_BYTES // x.itemsize
    whole = x.size // lanes * lanes  # from memory, vectors that are whole for sure are read twice as fast
    differences = broadcast(x.dtype.type(0))
    for i in range(0, whole, lanes):
        value = load(x, i, lanes)
        differences = add(differences, subtract(value, value))  # 0, or NaN for NaN and infinities
    for i in range(whole, x.size, lanes):
        value = load(x, i, x.size - i)
        differences = add(differences, subtract(value, value))
    result[0] = lane_sum(differences) == 0
    return bool(result[0])
