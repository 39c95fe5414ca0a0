"""Activations as functions, of arrays and of symbols; they also may be given in the place of their names."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tensor import as_tensors
from .activation import FUNCTIONS, Activation
from .base import Layer
from .declaration import aside
from .relu import LeakyReLU, ReLU
from .softmax import LogSoftmax, Softmax
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
    return as_tensors(layer.forward(array[np.newaxis])[0])


def inner_axis(x: Any, axis: int) -> int:
    """Return the number of an axis where x is one sample."""
    return axis + 1 if axis >= 0 and not isinstance(x, Symbol) else axis


def relu_layer(negative_slope: float, max_value: float | None, threshold: float) -> Layer:
    """Return the layer of `relu`: by its name, if that is all there is to say."""
    layer = ReLU(max_value, negative_slope, threshold)
    return Activation("relu") if layer.is_plain else layer


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


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """Return max(x, 0); in general, see `layers.ReLU`.

    Args:
        x: an array of any shape, or a symbol such as `tinynet.Input` returns.
        negative_slope: the result is negative_slope * (x - threshold) below the threshold; default 0.
        max_value: the most that the result is; default None, for no limit.
        threshold: the result is x above it; default 0.

    Returns:
        An array of the same shape, or a symbol.

    Example:
        >>> relu([-1.0, 0.0, 2.0])
        array([0., 0., 2.], dtype=float32)
    """
    return apply(relu_layer(negative_slope, max_value, threshold), x)


def relu6(x: Any) -> Any:
    """Return max(x, 0), and at most 6.

    Args:
        x: an array of any shape, or a symbol such as `tinynet.Input` returns.

    Returns:
        An array of the same shape, or a symbol.

    Example:
        >>> relu6([-1.0, 2.0, 7.0])
        array([0., 2., 6.], dtype=float32)
    """
    return apply(Activation("relu6"), x)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """Return x where it is positive, else negative_slope * x.

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


def hard_sigmoid(x: Any) -> Any:
    """Return x / 6 + 0.5, at least 0 and at most 1.

    Args:
        x: an array of any shape, or a symbol such as `tinynet.Input` returns.

    Returns:
        An array of the same shape, or a symbol.

    Example:
        >>> hard_sigmoid([-3.0, 0.0, 3.0])
        array([0. , 0.5, 1. ], dtype=float32)
    """
    return apply(Activation("hard_sigmoid"), x)


def hard_silu(x: Any) -> Any:
    """Return x * hard_sigmoid(x), which is called `hard_swish`, too.

    Args:
        x: an array of any shape, or a symbol such as `tinynet.Input` returns.

    Returns:
        An array of the same shape, or a symbol.

    Example:
        >>> hard_silu([-3.0, 1.5, 3.0])
        array([-0.   ,  1.125,  3.   ], dtype=float32)
    """
    return apply(Activation("hard_silu"), x)


def softmax(x: Any, axis: int = -1) -> Any:
    """Return exp(x) divided by its sum along an axis; see `layers.Softmax`.

    Args:
        x: an array, or a symbol such as `tinynet.Input` returns.
        axis: along which to sum; default -1, the last one.

    Returns:
        An array of the same shape, or a symbol.

    Example:
        >>> softmax([0.0, 0.0])
        array([0.5, 0.5], dtype=float32)
    """
    return apply(Softmax(inner_axis(x, axis)), x)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """Return x minus the logarithm of the sum of exp(x) along an axis: the logarithm of softmax.

    Args:
        x: an array, or a symbol such as `tinynet.Input` returns.
        axis: along which to sum; default -1, the last one.

    Returns:
        An array of the same shape, or a symbol.

    Example:
        >>> log_softmax([0.0, 1000.0])
        array([-1000.,     0.], dtype=float32)
    """
    return apply(LogSoftmax(inner_axis(x, axis)), x)


FUNCTIONS.update(
    {
        function: function.__name__
        for function in (linear, relu, relu6, leaky_relu, hard_sigmoid, hard_silu, softmax, log_softmax)
    }
)
