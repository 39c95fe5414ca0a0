"""Pooling over windows of an image: MaxPool2D, AveragePool2D."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .. import kernels
from .base import Array
from .channels import EitherFormat
from .geometry import Shape, as_image, as_window, check_data_format, lower, place_windows


@dataclass(eq=False, repr=False)
class Pool2D(EitherFormat):
    """The base of pooling over windows; see `MaxPool2D` for the arguments."""

    pool_size: int | Sequence[int] = 2
    strides: int | Sequence[int] | None = None
    padding: str = "valid"
    data_format: str | None = None
    axes: ClassVar[int] = 2  # 1 of sequences, which are pooled as images of one row

    def __post_init__(self) -> None:
        name = type(self).__name__
        self.window = as_window(name, "pool_size", self.pool_size, self.axes)
        steps = self.pool_size if self.strides is None else self.strides
        self.steps = as_window(name, "strides", steps, self.axes)
        self.padding = lower(self.padding)
        if self.padding not in ("valid", "same"):
            raise ValueError(f"{name}: padding must be 'valid' or 'same'; got {self.padding!r}.")
        if self.axes == 2:
            self.settle_format()
        else:
            check_data_format(name, self.data_format)

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Place the windows; see `Layer.declare`."""
        self.image = as_image(self.title, self.shape_inside(input_shape), self.axes)
        around = place_windows(self.title, self.image, self.window, self.steps, self.padding)
        self.geometry = (*self.window, *self.steps, around.top, around.left)
        inside = max(around.top, around.left, around.bottom, around.right) <= 0
        self.side_by_side = inside and self.window == self.steps
        self.pooled = (around.height, around.width, self.image[2])
        return self.shape_outside(self.pooled[-1 - self.axes :])


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
        data_format: "channels_last" (default) or "channels_first"; see `Conv2D`.

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
        x = self.inside(self.check_input(x)).reshape(-1, *self.image)
        y = self.empty("y", (len(x), *self.pooled), training)
        kernels.pooling.max_pool(x, y, *self.geometry)
        if training:
            self.x, self.y = x, y
        return self.outside(y.reshape(len(x), *self.pooled[-1 - self.axes :]))

    def backward(self, dy: ArrayLike) -> Array:
        """Send each dy to the place that the largest value came from; see `Layer.backward`."""
        y, dy = self.check_upstream(self.y, dy)
        dy = self.inside(dy)
        assert self.x is not None
        dx = self.empty("dx", self.x.shape)
        kernels.pooling.max_pool_gradient(self.x, y, dy.reshape(y.shape), dx, *self.geometry)
        return self.outside(dx.reshape(len(dx), *self.image[-1 - self.axes :]))


@dataclass(eq=False, repr=False)
class AveragePool2D(Pool2D, only_kernels=True):
    """The mean of each window, for each channel; padding does not count.

    LeCun et al., "Gradient-Based Learning Applied to Document Recognition" (1998), where it is subsampling.

    Args:
        pool_size: height and width of the window, or one integer for both; default 2.
        strides: steps of the window, or one integer for both; default: pool_size.
        padding, data_format: as for `MaxPool2D`.

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
        x = self.inside(self.check_input(x)).reshape(-1, *self.image)
        y = self.empty("y", (len(x), *self.pooled), training)
        kernels.pooling.average_pool(x, y, *self.geometry)
        if training:
            self.y = y
        return self.outside(y.reshape(len(x), *self.pooled[-1 - self.axes :]))

    def backward(self, dy: ArrayLike) -> Array:
        """Divide each dy evenly over its window; see `Layer.backward`."""
        y, dy = self.check_upstream(self.y, dy)
        dy = self.inside(dy)
        dx = self.empty("dx", (len(dy), *self.image))
        kernels.pooling.average_pool_gradient(dy.reshape(y.shape), dx, *self.geometry)
        return self.outside(dx.reshape(len(dx), *self.image[-1 - self.axes :]))


# Keras has both names.
AveragePooling2D = AvgPool2D = AveragePool2D
MaxPooling2D = MaxPool = MaxPool2D
