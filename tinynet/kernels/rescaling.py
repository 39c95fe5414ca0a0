"""Multiplying and shifting the elements of samples, each by numbers of its own that are not learned."""

from __future__ import annotations

import numpy as np

from .jit import Array, kernel

EPSILON = 1e-7  # the least standard deviation, as in Keras


@kernel
def rescale(x: Array, scale: Array, offset: Array, y: Array) -> None:
    """Write y[n, i] = x[n, i] * scale[i] + offset[i].

    Args:
        x: (N, F).
        scale, offset: (F,).
        y: (N, F), written.
    """
    for n in range(x.shape[0]):
        for i in range(x.shape[1]):
            y[n, i] = x[n, i] * scale[i] + offset[i]


@kernel
def multiply(x: Array, scale: Array, y: Array) -> None:
    """Write y[n, i] = x[n, i] * scale[i]: the gradient of `rescale`; shapes as there."""
    for n in range(x.shape[0]):
        for i in range(x.shape[1]):
            y[n, i] = x[n, i] * scale[i]


@kernel
def standardize(
    x: Array, mean: Array, variance: Array, group: Array, invert: bool, shifted: bool, y: Array
) -> None:
    """Write y[n, i] = (x[n, i] - m) / d, or what undoes it, y[n, i] = m + x[n, i] * d.

    m is the mean of group g = group[i], and d = max(sqrt(variance[g]), EPSILON) its standard deviation.

    Args:
        x: (N, F).
        mean, variance: (G,).
        group: (F,) int64, each below G.
        invert: whether to undo it.
        shifted: False leaves the mean out, which gives the gradient.
        y: (N, F), written.
    """
    number = x.dtype.type
    shift, deviation = np.empty(group.size, x.dtype), np.empty(group.size, x.dtype)
    for i in range(group.size):
        shift[i] = mean[group[i]] if shifted else number(0)
        deviation[i] = max(np.sqrt(variance[group[i]]), number(EPSILON))
    for n in range(x.shape[0]):
        if invert:
            for i in range(x.shape[1]):
                y[n, i] = shift[i] + x[n, i] * deviation[i]
        else:
            for i in range(x.shape[1]):
                y[n, i] = (x[n, i] - shift[i]) / deviation[i]
