"""Softmax: scores to probabilities, and to their logarithms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import kernels
from .base import Array, Layer


class SoftmaxLayer(Layer):
    """The base of layers that compute something of the scores along an axis.

    Attributes:
        function: the name of its kernel; that of the gradient's ends in "_gradient".
    """

    axis: Any
    function: str

    def __post_init__(self) -> None:
        if isinstance(self.axis, tuple | list) and len(self.axis) == 1:
            self.axis = self.axis[0]
        if not isinstance(self.axis, int | np.integer):
            raise TypeError(f"{type(self).__name__}: axis must be the number of one axis; got {self.axis!r}.")

    def declare(self, input_shape: tuple[int, ...], random: np.random.Generator) -> tuple[int, ...]:
        """Check that there is such an axis; see `Layer.declare`."""
        if not input_shape:
            raise ValueError(f"{self.title}: expected an input_shape with an axis of classes; got ().")
        if not (1 <= self.axis <= len(input_shape) or -len(input_shape) <= self.axis <= -1):
            raise ValueError(
                f"{self.title}: axis must be one of 1 to {len(input_shape)} (0 counts the samples), or -1 to "
                f"-{len(input_shape)}, for an input_shape {input_shape}; got {self.axis}."
            )
        return input_shape

    def sizes(self, samples: int) -> tuple[int, int, int]:
        """Return the number of rows before the axis, its size, and the number of elements after it."""
        assert self.input_shape is not None
        shape = self.input_shape
        axis = self.axis - 1 if self.axis > 0 else self.axis + len(shape)
        return samples * math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])

    def last(self, x: Array, name: str, training: bool = True) -> Array:
        """Return x as rows (..., classes), transposed if the axis is not the last one."""
        rows, classes, after = self.sizes(len(x))
        if after == 1:
            return x.reshape(rows, classes)
        moved = self.empty(name, (rows, after, classes), training)
        kernels.elementwise.exchange(x.reshape(rows, classes, after), moved)
        return moved.reshape(rows * after, classes)

    def back(self, rows: Array, shape: tuple[int, ...], name: str, training: bool = True) -> Array:
        """Return rows (..., classes) in the order of an array of that shape."""
        count, classes, after = self.sizes(shape[0])
        if after == 1:
            return rows.reshape(shape)
        moved = self.empty(name, shape, training)
        kernels.elementwise.exchange(
            rows.reshape(count, after, classes), moved.reshape(count, classes, after)
        )
        return moved

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Apply the function along the axis; see `Layer.forward`."""
        x = self.check_input(x)
        rows = self.last(x, "x rows", training)
        y = self.empty("y rows", rows.shape, training)
        getattr(kernels.softmax, self.function)(rows, y)
        if training:
            self.y = y.reshape(x.shape)  # the elements in the order of rows
        return self.back(y, x.shape, "y", training)

    def backward(self, dy: ArrayLike) -> Array:
        """Multiply by the Jacobian; see `Layer.backward`."""
        y, dy = self.check_upstream(self.y, dy)
        rows = self.last(dy, "dy rows")
        dx = self.empty("dx rows", rows.shape)
        getattr(kernels.softmax, f"{self.function}_gradient")(y.reshape(rows.shape), rows, dx)
        return self.back(dx, dy.shape, "dx")


@dataclass(eq=False, repr=False)
class Softmax(SoftmaxLayer, only_kernels=True):
    """y[..., k] = exp(x[..., k]) / sum over m of exp(x[..., m]).

    A model that ends in softmax and trains with a cross-entropy skips this layer's backward pass: there
    the gradient with respect to the logits is simply (probabilities - targets) / N. Bridle,
    "Probabilistic Interpretation of Feedforward Classification Network Outputs" (1990).

    Args:
        axis: along which to sum, where 0 counts the samples; default -1, the last one.

    Raises:
        TypeError: axis is no integer.
        ValueError: `build` got a shape without that axis.

    Example:
        >>> layer = Softmax()
        >>> layer.build(2)
        (2,)
        >>> layer.forward([[0.0, 0.0], [1000.0, 0.0]])
        array([[0.5, 0.5],
               [1. , 0. ]], dtype=float32)
    """

    axis: Any = -1
    function = "softmax"

    @property
    def is_last(self) -> bool:
        """Whether it goes along the last axis, as cross-entropies do."""
        return self.input_shape is not None and self.axis in (-1, len(self.input_shape))


@dataclass(eq=False, repr=False)
class LogSoftmax(SoftmaxLayer, only_kernels=True):
    """y[..., k] = x[..., k] - log(sum over m of exp(x[..., m])), the logarithm of softmax.

    Args:
        axis: along which to sum, where 0 counts the samples; default -1, the last one.

    Raises:
        TypeError: axis is no integer.
        ValueError: `build` got a shape without that axis.

    Example:
        >>> layer = LogSoftmax()
        >>> layer.build(2)
        (2,)
        >>> layer.forward([[0.0, 1000.0]])
        array([[-1000.,     0.]], dtype=float32)
    """

    axis: Any = -1
    function = "log_softmax"
