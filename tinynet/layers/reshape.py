"""Reshape: samples in another shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .base import Array, Layer
from .geometry import Shape


class Reshaping(Layer):
    """The base of layers whose output is the input in another shape, which `declare` returns."""

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Return x in the output's shape; see `Layer.forward`."""
        x = self.check_input(x)
        assert self.output_shape is not None
        y = x.reshape(len(x), *self.output_shape)
        if training:
            self.y = y
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Return dy in the input's shape; see `Layer.backward`."""
        _, dy = self.check_upstream(self.y, dy)
        assert self.input_shape is not None
        return dy.reshape(len(dy), *self.input_shape)


@dataclass(eq=False, repr=False)
class Reshape(Reshaping, only_kernels=True):
    """Lay each sample out in another shape, without copying it.

    Args:
        target_shape: the shape of a sample; one of its sizes may be -1, for what is left over.

    Raises:
        ValueError: target_shape is none, or has another number of elements than the input.

    Example:
        >>> layer = Reshape((-1, 2))
        >>> layer.build(6)
        (3, 2)
        >>> layer.forward(np.arange(6.0).reshape(1, 6))
        array([[[0., 1.],
                [2., 3.],
                [4., 5.]]], dtype=float32)
    """

    target_shape: Sequence[int]

    def __post_init__(self) -> None:
        sizes = [*self.target_shape] if isinstance(self.target_shape, Sequence) else []
        integers = all(isinstance(size, int | np.integer) and (size > 0 or size == -1) for size in sizes)
        if not sizes or not integers or sizes.count(-1) > 1:
            raise ValueError(
                "Reshape: target_shape must be positive integers, without the batch axis, "
                f"one of which may be -1, such as (28, 28, 1); got {self.target_shape!r}."
            )
        self.target_shape = tuple(int(size) for size in sizes)

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Work out the shape; see `Layer.declare`."""
        elements, target = math.prod(input_shape), tuple(self.target_shape)
        known = math.prod(size for size in target if size != -1)
        shape = tuple(elements // known if size == -1 else size for size in target)
        if math.prod(shape) != elements:
            raise ValueError(
                f"{self.title}: target_shape {target} must have as many elements as the input: {elements}, "
                f"of shape {input_shape}."
            )
        return shape
