"""UpSampling2D: larger images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .. import kernels
from .base import Array
from .geometry import Shape, check_data_format, image_shape, positive_pair
from .moving import Moving


@dataclass(eq=False, repr=False)
class UpSampling2D(Moving, only_kernels=True):
    """Make images larger by whole factors.

    Args:
        size: factors of height and width, or one integer for both; default 2.
        data_format: None or "channels_last".
        interpolation: "nearest" (default: pixels are repeated), or "bilinear" (between the centres of pixels
            values are interpolated along rows and columns; beyond the outermost centres, they are as there).

    Raises:
        ValueError: a hyperparameter is not what is said above.

    Example:
        >>> layer = UpSampling2D((1, 2))
        >>> layer.build((1, 2, 1))
        (1, 4, 1)
        >>> layer.forward(np.array([[[[1.0], [2.0]]]])).ravel()
        array([1., 1., 2., 2.], dtype=float32)
    """

    size: int | Sequence[int] = 2
    data_format: str | None = None
    interpolation: str = "nearest"

    def __post_init__(self) -> None:
        self.factors = positive_pair("UpSampling2D", "size", self.size)
        check_data_format("UpSampling2D", self.data_format)
        if self.interpolation not in ("nearest", "bilinear"):
            raise ValueError(
                f"UpSampling2D: interpolation must be 'nearest' or 'bilinear'; got {self.interpolation!r}."
            )

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Say which pixels are repeated; see `Layer.declare`."""
        height, width, channels = image_shape(self.title, input_shape)
        pixels = np.arange(height * width).reshape(height, width)
        for axis, factor in enumerate(self.factors):
            pixels = pixels.repeat(factor, axis)
        return self.move(input_shape, pixels, channels)

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Repeat or interpolate pixels; see `Layer.forward`."""
        if self.interpolation == "nearest":
            return super().forward(x, training)
        x = self.check_input(x)
        assert self.output_shape is not None
        y = self.empty("y", (len(x), *self.output_shape), training)
        kernels.moving.interpolate(x, y)
        if training:
            self.y = y
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Give each dy back to the pixels that it came from; see `Layer.backward`."""
        if self.interpolation == "nearest":
            return super().backward(dy)
        _, dy = self.check_upstream(self.y, dy)
        assert self.input_shape is not None
        dx = self.empty("dx", (len(dy), *self.input_shape))
        kernels.moving.interpolate_gradient(dy, dx)
        return dx
