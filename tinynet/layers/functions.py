"""Activations as functions, of arrays and of symbols, which also may be given in the place of their names."""

from __future__ import annotations

from typing import Any

import numpy as np

from .activation import FUNCTIONS, Activation
from .base import Layer
from .declaration import aside
from .relu import LeakyReLU
from .wiring import Symbol


def apply(layer: Layer, x: Any) -> Any:
    """Return what a new activation layer gives for a symbol, or for an array, taken as one sample."""
    if isinstance(x, Symbol):
        return layer(x)
    array = np.asarray(x)
    dtype = "float64" if getattr(x, "dtype", None) == np.float64 else "float32"
    if array.size == 0:
        return np.empty(array.shape, dtype)
    with aside():
        layer.build_sample(array.shape, 0, dtype)
    return layer.forward(array[np.newaxis])[0]


def inner_axis(x: Any, axis: int) -> int:
    """Return the number of an axis where x is one sample."""
    return axis + 1 if axis >= 0 and not isinstance(x, Symbol) else axis


def linear(x: Any) -> Any:
    """Return x.

    Args:
        x: an array or a symbol.

    Returns:
        The same.

    Example:
        >>> linear([-1.0, 2.0])
        [-1.0, 2.0]
    """
    return x


def relu(x: Any) -> Any:
    """Return max(x, 0); see `layers.ReLU`.

    Args:
        x: an array of any shape, or a symbol such as `tinynet.Input` returns.

    Returns:
        An array of the same shape, or a symbol.

    Example:
        >>> relu([-1.0, 0.0, 2.0])
        array([0., 0., 2.], dtype=float32)
    """
    return apply(Activation("relu"), x)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """Return x where it is positive, else negative_slope * x; see `layers.LeakyReLU`.

    Args:
        x: an array of any shape, or a symbol such as `tinynet.Input` returns.
        negative_slope: default 0.2, as in Keras, whose layer has 0.3.

    Returns:
        An array of the same shape, or a symbol.

    Example:
        >>> leaky_relu([-1.0, 0.0, 2.0])
        array([-0.2,  0. ,  2. ], dtype=float32)
    """
    return apply(LeakyReLU(negative_slope), x)


def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x)).

    Args:
        x: an array of any shape, or a symbol such as `tinynet.Input` returns.

    Returns:
        An array of the same shape, or a symbol.

    Example:
        >>> sigmoid([-1000.0, 0.0])
        array([0. , 0.5], dtype=float32)
    """
    return apply(Activation("sigmoid"), x)


def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent of x.

    Args:
        x: an array of any shape, or a symbol such as `tinynet.Input` returns.

    Returns:
        An array of the same shape, or a symbol.

    Example:
        >>> tanh([0.0, 1000.0])
        array([0., 1.], dtype=float32)
    """
    return apply(Activation("tanh"), x)


def softmax(x: Any) -> Any:
    """Return exp(x) divided by its sum along the last axis; see `layers.Softmax`.

    Args:
        x: an array, or a symbol such as `tinynet.Input` returns.

    Returns:
        An array of the same shape, or a symbol.

    Example:
        >>> softmax([0.0, 0.0])
        array([0.5, 0.5], dtype=float32)
    """
    return apply(Activation("softmax"), x)


FUNCTIONS.update(
    {function: function.__name__ for function in (linear, relu, leaky_relu, sigmoid, tanh, softmax)}
)
