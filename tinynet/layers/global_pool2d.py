"""Pooling over whole images: GlobalMaxPooling2D, GlobalAveragePooling2D."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .. import kernels
from .base import Array, Layer
from .geometry import Shape, as_image, check_data_format


@dataclass(eq=False, repr=False)
class GlobalPool2D(Layer):
    """The base of pooling over whole images; see `GlobalMaxPool2D` for the arguments."""

    data_format: str | None = None
    keepdims: bool = False
    axes: ClassVar[int] = 2  # 1 of sequences, which are pooled as images of one row

    def __post_init__(self) -> None:
        check_data_format(type(self).__name__, self.data_format)

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Keep the channels; see `Layer.declare`."""
        self.image = as_image(self.title, input_shape, self.axes)
        height, width, channels = self.image
        self.geometry = (height, width, 1, 1, 0, 0)
        return (*[1] * (self.axes if self.keepdims else 0), channels)


@dataclass(eq=False, repr=False)
class GlobalMaxPool2D(GlobalPool2D, only_kernels=True):
    """The largest value of each channel in the whole image: (H, W, C) becomes (C,).

    Where several pixels hold the largest value, the gradient goes to the first of them. Oquab, Bottou, Laptev
    and Sivic, "Is Object Localization for Free?" (CVPR 2015).

    Args:
        data_format: None or "channels_last".
        keepdims: whether the output is (1, 1, C); default False.

    Raises:
        ValueError: the channels are not last.

    Example:
        >>> layer = GlobalMaxPool2D()
        >>> layer.build((2, 2, 1))
        (1,)
        >>> layer.forward(np.arange(4.0).reshape(1, 2, 2, 1))
        array([[3.]], dtype=float32)
    """

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Take the largest value of each channel; see `Layer.forward`."""
        x = self.check_input(x).reshape(len(x), *self.image)  # type: ignore[arg-type]
        y = self.empty("y", (len(x), 1, 1, self.image[2]), training)
        kernels.pooling.max_pool(x, y, *self.geometry)
        if training:
            self.x, self.y = x, y
        assert self.output_shape is not None
        return y.reshape(len(x), *self.output_shape)

    def backward(self, dy: ArrayLike) -> Array:
        """Send each dy to the pixel that the largest value came from; see `Layer.backward`."""
        y, dy = self.check_upstream(self.y, dy)
        assert self.x is not None
        assert self.input_shape is not None
        dx = self.empty("dx", self.x.shape)
        kernels.pooling.max_pool_gradient(self.x, y, dy.reshape(y.shape), dx, *self.geometry)
        return dx.reshape(len(dx), *self.input_shape)


@dataclass(eq=False, repr=False)
class GlobalAveragePool2D(GlobalPool2D, only_kernels=True):
    """The mean of each channel over the whole image: (H, W, C) becomes (C,).

    Lin, Chen and Yan, "Network in Network" (2013).

    Args:
        data_format, keepdims: as for `GlobalMaxPool2D`.

    Raises:
        ValueError: the channels are not last.

    Example:
        >>> layer = GlobalAveragePool2D()
        >>> layer.build((2, 2, 1))
        (1,)
        >>> layer.forward(np.arange(4.0).reshape(1, 2, 2, 1))
        array([[1.5]], dtype=float32)
    """

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Take the mean of each channel; see `Layer.forward`."""
        x = self.check_input(x).reshape(len(x), *self.image)  # type: ignore[arg-type]
        y = self.empty("y", (len(x), 1, 1, self.image[2]), training)
        kernels.pooling.average_pool(x, y, *self.geometry)
        if training:
            self.y = y
        assert self.output_shape is not None
        return y.reshape(len(x), *self.output_shape)

    def backward(self, dy: ArrayLike) -> Array:
        """Divide each dy evenly over its channel's pixels; see `Layer.backward`."""
        y, dy = self.check_upstream(self.y, dy)
        assert self.input_shape is not None
        dx = self.empty("dx", (len(dy), *self.image))
        kernels.pooling.average_pool_gradient(dy.reshape(y.shape), dx, *self.geometry)
        return dx.reshape(len(dx), *self.input_shape)


# Keras has several names.
GlobalMaxPooling2D = GlobalMaxPool2D
GlobalAveragePooling2D = GlobalAvgPool2D = GlobalAveragePool2D
