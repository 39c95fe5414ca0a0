"""Kernels that treat every element alone: activations, dropout, padding, and a check for NaN."""

from __future__ import annotations

import numpy as np

from .jit import Array, kernel


@kernel
def leaky_relu(x: Array, y: Array, slope: float) -> None:
    """Write x where x is not negative, else slope * x, to y; x and y are flat. ReLU has slope 0."""
    slope, zero = x.dtype.type(slope), x.dtype.type(0)
    for i in range(x.size):
        y[i] = x[i] * slope + zero if x[i] < 0 else x[i]  # + 0 makes -0 from slope 0 a plain 0


@kernel
def leaky_relu_gradient(y: Array, dy: Array, dx: Array, slope: float) -> None:
    """Write dy where y is positive, else slope * dy, to dx; all flat.

    y is the layer's output, which has the sign of its input.
    """
    slope = y.dtype.type(slope)
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
    samples, height, width, channels = x.shape
    padded_height = padded.shape[1]
    row = width * channels
    for n in range(samples):
        for py in range(padded_height):
            target = padded[n, py].reshape(-1)
            iy = py - top
            if iy < 0 or iy >= height:
                target[:] = 0
                continue
            target[: left * channels] = 0
            target[left * channels : left * channels + row] = x[n, iy].reshape(-1)
            target[left * channels + row :] = 0


@kernel
def sum_rows(x: Array, total: Array) -> None:
    """Write the sum of the rows of x (N, C) to total (C,): the gradient of a bias."""
    total[:] = 0
    for n in range(x.shape[0]):
        row = x[n]
        for c in range(total.size):
            total[c] += row[c]


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
