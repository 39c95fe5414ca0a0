"""Activations that are put together from pieces, and their gradients; see activation.py."""

from __future__ import annotations

from .cpu import VECTOR_BYTES
from .functions import absolute, clipped_line, exp, negative_expm1, number
from .jit import Array, kernel
from .vector import load, multiply, multiply_add, store, subtract, where_equal, where_greater


@kernel
def clipped_relu(x: Array, y: Array, slope: float, threshold: float, most: float) -> None:
    """Write min(x, most) where x > threshold, else slope * (x - threshold), to y; NaN stays NaN."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        v = load(x, i, x.size - i)
        zero, least, limit = number(v, 0.0), number(v, threshold), number(v, most)
        below = zero
        if slope != 0:  # a product would give -0, and NaN for -inf
            below = multiply(number(v, slope), subtract(v, least))
        result = where_equal(v, least, zero, where_greater(least, v, below, v))
        store(y, i, x.size - i, where_greater(result, limit, limit, result))


@kernel
def clipped_relu_gradient(
    x: Array, dy: Array, dx: Array, slope: float, threshold: float, most: float
) -> None:
    """Write dy where threshold < x < most, 0 where x is larger, and slope * dy elsewhere, to dx."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        v, upstream = load(x, i, x.size - i), load(dy, i, x.size - i)
        zero = number(v, 0.0)
        below = zero
        if slope != 0:
            below = multiply(number(v, slope), upstream)
        above = where_greater(number(v, most), v, upstream, zero)
        store(dx, i, x.size - i, where_greater(v, number(v, threshold), above, below))


@kernel
def elu(x: Array, y: Array, scale: float, slope: float) -> None:
    """Write scale * x where x > 0, else slope * (exp(x) - 1), to y."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        count = x.size - i
        v = load(x, i, count)
        zero = number(v, 0.0)
        below = multiply(number(v, slope), negative_expm1(where_greater(v, zero, zero, v)))
        store(y, i, count, where_greater(v, zero, multiply(number(v, scale), v), below))


@kernel
def elu_gradient(x: Array, dy: Array, dx: Array, scale: float, slope: float) -> None:
    """Write dy * scale where x > 0, else dy * slope * exp(x), to dx."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        count = x.size - i
        v = load(x, i, count)
        below = multiply(number(v, slope), exp(v))
        store(
            dx,
            i,
            count,
            multiply(load(dy, i, count), where_greater(v, number(v, 0.0), number(v, scale), below)),
        )


@kernel
def hard_sigmoid(x: Array, y: Array) -> None:
    """Write x + 3, at least 0 and at most 6, divided by 6, to y."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        count = x.size - i
        store(y, i, count, clipped_line(load(x, i, count)))


@kernel
def hard_sigmoid_gradient(x: Array, dy: Array, dx: Array) -> None:
    """Write dy / 6 where -3 < x < 3, else 0, to dx."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        count = x.size - i
        v = load(x, i, count)
        store(
            dx,
            i,
            count,
            multiply(
                load(dy, i, count),
                where_greater(number(v, 3.0), absolute(v), number(v, 1.0 / 6.0), number(v, 0.0)),
            ),
        )


@kernel
def hard_silu(x: Array, y: Array) -> None:
    """Write x times x + 3, at least 0 and at most 6, divided by 6, to y."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        count = x.size - i
        v = load(x, i, count)
        store(y, i, count, multiply(v, clipped_line(v)))


@kernel
def hard_silu_gradient(x: Array, dy: Array, dx: Array) -> None:
    """Write dy * (x / 3 + 0.5) where -3 < x < 3, dy where x >= 3, else 0, to dx."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        count = x.size - i
        v = load(x, i, count)
        zero = number(v, 0.0)
        inside = multiply_add(v, number(v, 1.0 / 3.0), number(v, 0.5))
        outside = where_greater(v, zero, number(v, 1.0), zero)
        store(
            dx,
            i,
            count,
            multiply(load(dy, i, count), where_greater(number(v, 3.0), absolute(v), inside, outside)),
        )


@kernel
def prelu(x: Array, alpha: Array, place: Array, y: Array) -> None:
    """Write x[n, i] where it is not negative, else alpha[place[i]] * x[n, i], to y.

    Args:
        x: (N, size).
        alpha: (slopes,).
        place: (size,) int64, which slope each element has.
        y: (N, size), written.
    """
    for n in range(x.shape[0]):
        for i in range(x.shape[1]):
            y[n, i] = x[n, i] * alpha[place[i]] if x[n, i] < 0 else x[n, i]


@kernel
def prelu_gradient(x: Array, alpha: Array, place: Array, dy: Array, dx: Array, dalpha: Array) -> None:
    """Write dy[n, i] where x is positive, else alpha[place[i]] * dy[n, i], to dx, and the gradient of alpha.

    dalpha[p] = the sum of dy[n, i] * x[n, i] where x[n, i] < 0 and place[i] = p.

    Args:
        x, dy: (N, size).
        alpha: (slopes,).
        place: (size,) int64, which slope each element has.
        dx: (N, size), written.
        dalpha: (slopes,), written.
    """
    for p in range(dalpha.size):
        dalpha[p] = 0
    for n in range(x.shape[0]):
        for i in range(x.shape[1]):
            dx[n, i] = dy[n, i] if x[n, i] > 0 else dy[n, i] * alpha[place[i]]
            if x[n, i] < 0:
                dalpha[place[i]] += dy[n, i] * x[n, i]
