"""exp, log and the like, of arrays and numbers, with the same bits on every CPU.

NumPy has versions of them for several kinds of CPU, which differ in the last bits; so do C libraries, which
Python's `math` and `**` call. What reaches weights or predictions calls these instead, or kernels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import kernels

Array = NDArray[Any]


def exp(x: ArrayLike) -> Array:
    """Return e to the power of x.

    Args:
        x: of any shape; float32 stays float32, all else becomes float64. So in all of these.
    """
    return _map(kernels.activation.exponential, x)


def tanh(x: ArrayLike) -> Array:
    """Return the hyperbolic tangent of x."""
    return _map(kernels.activation.tanh, x)


def log(x: ArrayLike) -> Array:
    """Return the logarithm of x: -infinity of 0, and NaN of what is below it, without a warning.

    Example:
        >>> log([1.0, 0.0, -1.0])
        array([  0., -inf,  nan])
    """
    return _map(kernels.elementary.write_log, x)


def log1p(x: ArrayLike) -> Array:
    """Return log(1 + x), which is precise for small x, too."""
    return _map(kernels.elementary.write_log1p, x)


def sine(x: ArrayLike) -> Array:
    """Return the sine of x, in radians."""
    return _map(kernels.elementary.write_sine, x)


def cosine(x: ArrayLike) -> Array:
    """Return the cosine of x, in radians."""
    return _map(kernels.elementary.write_cosine, x)


def power(base: float, exponent: float) -> float:
    """Return a number that is not negative to the power of another one.

    Example:
        >>> power(0.5, 3), power(0.5, -1), round(power(2.0, 0.5), 4), power(0.0, 0.5)
        (0.125, 2.0, 1.4142, 0.0)
    """
    if exponent < 0:
        return 1 / power(base, -exponent)
    if exponent == (whole := int(exponent)):
        result = 1.0
        while whole:
            if whole & 1:
                result *= base
            base *= base
            whole >>= 1
        return result
    return float(exp(exponent * log(base)))


def _map(kernel: Callable[[Array, Array], None], x: ArrayLike) -> Array:
    array = np.asarray(x)
    array = np.asarray(array, np.float32 if array.dtype == np.float32 else np.float64, order="C")
    result = np.empty_like(array)
    kernel(array.reshape(-1), result.reshape(-1))
    return result
