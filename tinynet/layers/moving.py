"""What layers share that only move elements: padding, cropping, repeating, transposing."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from .. import kernels
from .base import Array, Layer
from .geometry import Shape


class Moving(Layer, only_kernels=True):
    """The base of layers whose output's pixels are some of the input's, or zeros.

    `declare` of a subclass calls `move` with what says which ones.
    """

    def move(self, input_shape: Shape, places: Array, together: int) -> Shape:
        """Note which pixels the output's are, and return the output's shape.

        Args:
            input_shape: of one sample.
            places: for each pixel of the output, in its shape, the number of the input's pixel, or -1 for
                zeros.
            together: how many numbers each pixel has, which stay together: the channels of an image.
        """
        self.places = np.ascontiguousarray(places.reshape(-1), np.int64)
        self.pixels = (math.prod(input_shape) // together, together)
        return (*places.shape, together)

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Move the elements; see `Layer.forward`."""
        x = self.check_input(x)
        assert self.output_shape is not None
        y = self.empty("y", (len(x), *self.output_shape), training)
        results = y.reshape(len(x), len(self.places), self.pixels[1])
        kernels.moving.take(x.reshape(len(x), *self.pixels), self.places, results)
        if training:
            self.y = y
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Send each dy to where its element came from; see `Layer.backward`."""
        _, dy = self.check_upstream(self.y, dy)
        assert self.input_shape is not None
        dx = self.empty("dx", (len(dy), *self.input_shape))
        upstream = dy.reshape(len(dy), len(self.places), self.pixels[1])
        kernels.moving.give_back(upstream, self.places, dx.reshape(len(dy), *self.pixels))
        return dx
