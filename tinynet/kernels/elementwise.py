"""Kernels that move or change single elements: activations, dropout, padding, transposing."""

from __future__ import annotations

import numpy as np

from .jit import Array, kernel


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
def pad(x: Array, padded: Array, top: int, left: int) -> None:
    """Copy x (N, H, W, C) to padded[:, top:top + H, left:left + W] and write zeros around it.

    Args:
        x: (N, H, W, C).
        padded: (N, PH, PW, C) with PH >= top + H and PW >= left + W, written everywhere.
        top, left: rows and columns of zeros before x.
    """
    bias_gradient(x, x, padded, top, left, np.empty(0, x.dtype), False)


@kernel
def fill(x: Array, value: float) -> None:
    """Write a value to all of the flat x."""
    for i in range(x.size):
        x[i] = value


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
    samples, height, width, channels = dy.shape
    padded_height, zero = padded.shape[1], dy.dtype.type(0)
    fill(total, 0)
    for n in range(samples):
        for py in range(padded_height):
            target = padded[n, py].reshape(-1)
            if not top <= py < top + height:
                fill(target, 0)
                continue
            upstream, output = dy[n, py - top].reshape(-1), y[n, py - top].reshape(-1)
            fill(target[: left * channels], 0)
            middle = target[left * channels :]
            if relu:
                for i in range(upstream.size):
                    middle[i] = upstream[i] if output[i] > zero else zero
            else:
                for i in range(upstream.size):
                    middle[i] = upstream[i]
            fill(middle[upstream.size :], 0)
            for x in range(width if total.size else 0):
                pixel = middle[x * channels : (x + 1) * channels]
                for c in range(channels):
                    total[c] += pixel[c]


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


@kernel
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
def dropout(x: Array, y: Array, rate: float, key: Array, step: int, first: int) -> None:
    """Write to y either 0, with probability `rate`, or x / (1 - rate); x and y are flat.

    Whether element i stays depends on (key, step, first + i) alone, so the backward pass repeats the
    forward pass's choice without a stored mask, and a batch can be cut anywhere. The gradient is this
    same function of dy.

    Args:
        x: (size,) input, or upstream gradient.
        y: (size,) written.
        rate: probability that an element is dropped, 0 <= rate < 1.
        key: (2,) uint32 of the layer.
        step: the number of the training step.
        first: the position in the batch of x[0].
    """
    threshold = np.uint32(min(rate * 4294967296.0, 4294967295.0))
    scale = x.dtype.type(1.0 / (1.0 - rate))
    zero = x.dtype.type(0)
    lower = scramble(np.uint32(key[0] + np.uint32(step)))
    upper = scramble(np.uint32(key[1] ^ lower))
    start = np.uint32(first)
    for i in range(x.size):
        bits = scramble(np.uint32(scramble(np.uint32((start + np.uint32(i)) ^ lower)) + upper))
        y[i] = x[i] * scale if bits >= threshold else zero


@kernel
def all_finite(x: Array) -> bool:
    """Return whether no element of the flat x is NaN or infinite."""
    block = 1024
    for begin in range(0, x.size, block):
        rest = x.dtype.type(0)
        for i in range(begin, min(begin + block, x.size)):
            rest += x[i] * x.dtype.type(0)  # 0, or NaN for NaN and infinities
        if rest != 0:
            return False
    return True
