"""Flatten: images to vectors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .base import Array
from .channels import EitherFormat
from .geometry import Shape
from .reshape import Reshaping


@dataclass(eq=False, repr=False)
class Flatten(Reshaping, EitherFormat, only_kernels=True):
    """Lay each sample out as one vector, without copying it.

    Args:
        data_format: "channels_last" (default); or "channels_first": as in Keras, the channels are put
            last before.

    Raises:
        ValueError: data_format is neither.

    Example:
        >>> layer = Flatten()
        >>> layer.build((28, 28, 1))
        (784,)
        >>> layer.forward(np.zeros((5, 28, 28, 1))).shape
        (5, 784)
    """

    data_format: str | None = None

    def __post_init__(self) -> None:
        self.settle_format()

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Count the elements of a sample; see `Layer.declare`."""
        return (math.prod(input_shape),)

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Return x in the output's shape; see `Layer.forward`."""
        if not self.channels_first:
            return super().forward(x, training)
        x = self.check_input(x)
        assert self.output_shape is not None
        y = self.inside(x).reshape(len(x), *self.output_shape)
        if training:
            self.y = y
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Return dy in the input's shape; see `Layer.backward`."""
        if not self.channels_first:
            return super().backward(dy)
        _, dy = self.check_upstream(self.y, dy)
        assert self.input_shape is not None
        return self.outside(dy.reshape(len(dy), *self.shape_inside(self.input_shape)))
