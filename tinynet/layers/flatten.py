"""Flatten: images to vectors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .base import Array, Layer
from .geometry import Shape


@dataclass(eq=False, repr=False)
class Flatten(Layer, only_kernels=True):
    """Lay each sample out as one vector, without copying it.

    Example:
        >>> layer = Flatten()
        >>> layer.build((28, 28, 1))
        (784,)
        >>> layer.forward(np.zeros((5, 28, 28, 1))).shape
        (5, 784)
    """

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Count the elements of a sample; see `Layer.declare`."""
        return (math.prod(input_shape),)

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Return x as (N, features); see `Layer.forward`."""
        x = self.check_input(x)
        y = x.reshape(len(x), math.prod(x.shape[1:]))
        if training:
            self.y = y
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Return dy in the input's shape; see `Layer.backward`."""
        _, dy = self.check_upstream(self.y, dy)
        assert self.input_shape is not None
        return dy.reshape(len(dy), *self.input_shape)
