"""Functions of arrays that losses and others call, beside those that are activations; see functions.py."""

from __future__ import annotations

from .cpu import VECTOR_BYTES
from .functions import cosine, log, log1p, sine
from .jit import Array, kernel
from .vector import load, store


@kernel
def write_log(x: Array, y: Array) -> None:
    """Write the logarithm of x to y; both are flat, as in all of these."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        store(y, i, x.size - i, log(load(x, i, x.size - i)))


@kernel
def write_log1p(x: Array, y: Array) -> None:
    """Write log(1 + x) to y."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        store(y, i, x.size - i, log1p(load(x, i, x.size - i)))


@kernel
def write_sine(x: Array, y: Array) -> None:
    """Write the sine of x to y."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        store(y, i, x.size - i, sine(load(x, i, x.size - i)))


@kernel
def write_cosine(x: Array, y: Array) -> None:
    """Write the cosine of x to y."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(0, x.size, lanes):
        store(y, i, x.size - i, cosine(load(x, i, x.size - i)))
