"""Cropping2D: images without their borders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .geometry import Shape, check_data_format, image_shape
from .moving import Moving
from .zero_padding2d import as_sides


@dataclass(eq=False, repr=False)
class Cropping2D(Moving, only_kernels=True):
    """Leave out rows and columns at the borders of images.

    Args:
        cropping: how many, at each side; as one integer for all sides, as (rows, columns), or as
            ((top, bottom), (left, right)); default 0.
        data_format: None or "channels_last".

    Raises:
        ValueError: cropping is none of these, or leaves nothing of the image, or the channels are not last.

    Example:
        >>> layer = Cropping2D(((1, 0), (0, 2)))
        >>> layer.build((2, 3, 1))
        (1, 1, 1)
        >>> layer.forward(np.arange(6.0).reshape(1, 2, 3, 1))[0, :, :, 0]
        array([[3.]], dtype=float32)
    """

    cropping: int | Sequence[int] | Sequence[Sequence[int]] = 0
    data_format: str | None = None

    def __post_init__(self) -> None:
        self.sides = as_sides("Cropping2D", "cropping", self.cropping)
        check_data_format("Cropping2D", self.data_format)

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Say which pixels stay; see `Layer.declare`."""
        height, width, channels = image_shape(self.title, input_shape)
        (top, bottom), (left, right) = self.sides
        if top + bottom >= height or left + right >= width:
            raise ValueError(
                f"{self.title}: cropping {self.cropping} leaves nothing of an image of {height}x{width}."
            )
        pixels = np.arange(height * width).reshape(height, width)
        return self.move(input_shape, pixels[top : height - bottom, left : width - right], channels)
