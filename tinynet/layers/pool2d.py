"""Pooling over windows of an image: MaxPool2D, AveragePool2D, GlobalAveragePool2D."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .. import kernels
from .base import Array, Layer
from .geometry import Shape, image_shape, place_windows, positive_pair


@dataclass(eq=False, repr=False)
class Pool2D(Layer):
    """The base of pooling over windows; see `MaxPool2D` for the arguments."""

    pool_size: int | Sequence[int] = 2
    strides: int | Sequence[int] | None = None
    padding: str = "valid"

    def __post_init__(self) -> None:
        name = type(self).__name__
        self.window = positive_pair(name, "pool_size", self.pool_size)
        self.steps = self.window if self.strides is None else positive_pair(name, "strides", self.strides)
        if self.padding not in ("valid", "same"):
            raise ValueError(f"{name}: padding must be 'valid' or 'same'; got {self.padding!r}.")

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Place the windows; see `Layer.declare`."""
        _, _, channels = image_shape(self.title, input_shape)
        around = place_windows(self.title, input_shape, self.window, self.steps, self.padding)
        self.geometry = (*self.window, *self.steps, around.top, around.left)
        inside = max(around.top, around.left, around.bottom, around.right) <= 0
        self.side_by_side = inside and self.window == self.steps
        return around.height, around.width, channels

    def batch_of(self, x: Array, shape: Shape | None) -> Shape:
        """Return the shape of as many samples as x has."""
        assert shape is not None
        return (len(x), *shape)


@dataclass(eq=False, repr=False)
class MaxPool2D(Pool2D, only_kernels=True):
    """The largest value of each window, for each channel.

    Where several pixels of a window hold the largest value, the gradient goes to the first of them.
    Scherer, Müller and Behnke, "Evaluation of Pooling Operations in Convolutional Architectures for Object
    Recognition" (2010).

    Args:
        pool_size: height and width of the window, or one integer for both; default 2.
        strides: steps of the window, or one integer for both; default: pool_size.
        padding: "valid" (default: windows lie inside the image), or "same" (windows may reach over its
            edge, where nothing counts).

    Raises:
        ValueError: a hyperparameter is not what is said above.

    Example:
        >>> layer = MaxPool2D(2)
        >>> layer.build((2, 4, 1))
        (1, 2, 1)
        >>> layer.forward(np.arange(8.0).reshape(1, 2, 4, 1))[0, :, :, 0]
        array([[5., 7.]], dtype=float32)
    """

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Take the largest value of each window; see `Layer.forward`."""
        x = self.check_input(x)
        y = self.empty("y", self.batch_of(x, self.output_shape), training)
        kernels.pooling.max_pool(x, y, *self.geometry)
        if training:
            self.x, self.y = x, y
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Send each dy to the place that the largest value came from; see `Layer.backward`."""
        y, dy = self.check_upstream(self.y, dy)
        assert self.x is not None
        dx = self.empty("dx", self.x.shape)
        kernels.pooling.max_pool_gradient(self.x, y, dy, dx, *self.geometry)
        return dx


MaxPool = MaxPool2D


@dataclass(eq=False, repr=False)
class AveragePool2D(Pool2D, only_kernels=True):
    """The mean of each window, for each channel; padding does not count.

    LeCun et al., "Gradient-Based Learning Applied to Document Recognition" (1998), where it is subsampling.

    Args:
        pool_size: height and width of the window, or one integer for both; default 2.
        strides: steps of the window, or one integer for both; default: pool_size.
        padding: "valid" (default) or "same", as for `MaxPool2D`.

    Raises:
        ValueError: a hyperparameter is not what is said above.

    Example:
        >>> layer = AveragePool2D(2)
        >>> layer.build((2, 4, 1))
        (1, 2, 1)
        >>> layer.forward(np.arange(8.0).reshape(1, 2, 4, 1))[0, :, :, 0]
        array([[2.5, 4.5]], dtype=float32)
    """

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Take the mean of each window; see `Layer.forward`."""
        x = self.check_input(x)
        y = self.empty("y", self.batch_of(x, self.output_shape), training)
        kernels.pooling.average_pool(x, y, *self.geometry)
        if training:
            self.y = y
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Divide each dy evenly over its window; see `Layer.backward`."""
        _, dy = self.check_upstream(self.y, dy)
        dx = self.empty("dx", self.batch_of(dy, self.input_shape))
        kernels.pooling.average_pool_gradient(dy, dx, *self.geometry)
        return dx


@dataclass(eq=False, repr=False)
class GlobalAveragePool2D(Layer, only_kernels=True):
    """The mean of each channel over the whole image: (H, W, C) becomes (C,).

    Lin, Chen and Yan, "Network in Network" (2013).

    Example:
        >>> layer = GlobalAveragePool2D()
        >>> layer.build((2, 2, 1))
        (1,)
        >>> layer.forward(np.arange(4.0).reshape(1, 2, 2, 1))
        array([[1.5]], dtype=float32)
    """

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Keep the channels; see `Layer.declare`."""
        height, width, channels = image_shape(self.title, input_shape)
        self.geometry = (height, width, 1, 1, 0, 0)
        return (channels,)

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Take the mean of each channel; see `Layer.forward`."""
        x = self.check_input(x)
        y = self.empty("y", (len(x), 1, 1, x.shape[3]), training)
        kernels.pooling.average_pool(x, y, *self.geometry)
        if training:
            self.y = y
        return y.reshape(len(x), x.shape[3])

    def backward(self, dy: ArrayLike) -> Array:
        """Divide each dy evenly over its channel's pixels; see `Layer.backward`."""
        y, dy = self.check_upstream(self.y, dy)
        assert self.input_shape is not None
        dx = self.empty("dx", (len(dy), *self.input_shape))
        kernels.pooling.average_pool_gradient(dy.reshape(y.shape), dx, *self.geometry)
        return dx


# Keras has both names.
AveragePooling2D, GlobalAveragePooling2D, MaxPooling2D = AveragePool2D, GlobalAveragePool2D, MaxPool2D
