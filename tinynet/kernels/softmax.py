"""Softmax and its logarithm along rows, and their gradients.

Sums are of every 16th column, and then of halves of these, so that they do not depend on how many numbers a
vector holds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .cpu import VECTOR_BYTES
from .functions import exp, log, number
from .jit import Array, kernel
from .vector import add, broadcast, divide, keep, larger, load, multiply, store, subtract

COLUMNS = 16  # a vector holds no more, and always a part of them


@kernel
def total_of(sums: Array) -> Any:
    """Return the sum of the (16,) sums, which are overwritten."""
    half = COLUMNS // 2
    while half:
        for i in range(half):
            sums[i] += sums[i + half]
        half //= 2
    return sums[0]


@kernel
def largest_of(x: Array, begin: int, end: int, sums: Array) -> Any:
    """Return the largest of x[begin:end], or NaN where there is one; (16,) sums are overwritten."""
    lanes = VECTOR_BYTES // x.itemsize
    largest = broadcast(x[begin])
    i = begin
    while i + lanes <= end:
        largest = larger(largest, load(x, i, lanes))
        i += lanes
    store(sums, 0, lanes, largest)
    result = sums[0]
    for lane in range(1, lanes):
        if not sums[lane] <= result:
            result = sums[lane]
    for k in range(i, end):
        if not x[k] <= result:
            result = x[k]
    return result


@kernel
def softmax(x: Array, y: Array) -> None:
    """Write exp(x[n, k]) / the sum over m of exp(x[n, m]) to y; x and y are (N, classes)."""
    classes, inputs, outputs = x.shape[1], x.reshape(-1), y.reshape(-1)
    sums, lanes = np.empty(COLUMNS, x.dtype), VECTOR_BYTES // x.itemsize
    for begin in range(0, inputs.size, classes):
        end = begin + classes
        largest = broadcast(largest_of(inputs, begin, end, sums))
        for column in range(0, COLUMNS, lanes):
            total = number(largest, 0.0)
            for i in range(begin + column, end, COLUMNS):
                power = exp(subtract(load(inputs, i, end - i), largest))  # and exp cannot overflow
                store(outputs, i, end - i, power)
                total = add(total, keep(power, end - i))
            store(sums, column, lanes, total)
        whole = broadcast(total_of(sums))
        for i in range(begin, end, lanes):
            store(outputs, i, end - i, divide(load(outputs, i, end - i), whole))


@kernel
def softmax_gradient(y: Array, dy: Array, dx: Array) -> None:
    """Write y[n, k] * (dy[n, k] - the sum over m of dy[n, m] * y[n, m]) to dx; all are (N, classes)."""
    classes, outputs, upstream, gradient = y.shape[1], y.reshape(-1), dy.reshape(-1), dx.reshape(-1)
    sums, lanes = np.empty(COLUMNS, y.dtype), VECTOR_BYTES // y.itemsize
    for begin in range(0, outputs.size, classes):
        end = begin + classes
        for column in range(0, COLUMNS, lanes):
            total = broadcast(y.dtype.type(0))
            for i in range(begin + column, end, COLUMNS):
                total = add(total, multiply(load(upstream, i, end - i), load(outputs, i, end - i)))
            store(sums, column, lanes, total)
        whole = broadcast(total_of(sums))
        for i in range(begin, end, lanes):
            difference = subtract(load(upstream, i, end - i), whole)
            store(gradient, i, end - i, multiply(load(outputs, i, end - i), difference))


@kernel
def log_softmax(x: Array, y: Array) -> None:
    """Write x[n, k] - log(the sum over m of exp(x[n, m])) to y; x and y are (N, classes)."""
    classes, inputs, outputs = x.shape[1], x.reshape(-1), y.reshape(-1)
    sums, lanes = np.empty(COLUMNS, x.dtype), VECTOR_BYTES // x.itemsize
    for begin in range(0, inputs.size, classes):
        end = begin + classes
        largest = broadcast(largest_of(inputs, begin, end, sums))
        for column in range(0, COLUMNS, lanes):
            total = number(largest, 0.0)
            for i in range(begin + column, end, COLUMNS):
                power = exp(subtract(load(inputs, i, end - i), largest))
                total = add(total, keep(power, end - i))
            store(sums, column, lanes, total)
        logarithm = log(broadcast(total_of(sums)))
        for i in range(begin, end, lanes):
            store(outputs, i, end - i, subtract(subtract(load(inputs, i, end - i), largest), logarithm))


@kernel
def log_softmax_gradient(y: Array, dy: Array, dx: Array) -> None:
    """Write dy[n, k] - exp(y[n, k]) * the sum over m of dy[n, m] to dx; all are (N, classes)."""
    classes, outputs, upstream, gradient = y.shape[1], y.reshape(-1), dy.reshape(-1), dx.reshape(-1)
    sums, lanes = np.empty(COLUMNS, y.dtype), VECTOR_BYTES // y.itemsize
    for begin in range(0, outputs.size, classes):
        end = begin + classes
        for column in range(0, COLUMNS, lanes):
            total = broadcast(y.dtype.type(0))
            for i in range(begin + column, end, COLUMNS):
                total = add(total, load(upstream, i, end - i))
            store(sums, column, lanes, total)
        whole = broadcast(total_of(sums))
        for i in range(begin, end, lanes):
            share = multiply(exp(load(outputs, i, end - i)), whole)
            store(gradient, i, end - i, subtract(load(upstream, i, end - i), share))
