"""Permute: the axes of samples in another order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .geometry import Shape, is_sequence
from .moving import Moving


@dataclass(eq=False, repr=False)
class Permute(Moving, only_kernels=True):
    """Put the axes of each sample into another order.

    Args:
        dims: the numbers of the input's axes, of which the first is 1 (0 is the batch's), in the output's
            order.

    Raises:
        ValueError: dims are not 1, 2, ... in some order, or not as many as the input has axes.

    Example:
        >>> layer = Permute((2, 1))
        >>> layer.build((2, 3))
        (3, 2)
        >>> layer.forward(np.arange(6.0).reshape(1, 2, 3))
        array([[[0., 3.],
                [1., 4.],
                [2., 5.]]], dtype=float32)
    """

    dims: Sequence[int]

    def __post_init__(self) -> None:
        dims = [*self.dims] if is_sequence(self.dims) else []
        if not dims or sorted(dims) != [*range(1, len(dims) + 1)]:
            raise ValueError(
                f"Permute: dims must be the axes of a sample, 1, 2, ..., in some order; got {self.dims!r}."
            )

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Say where the elements go; see `Layer.declare`."""
        if len(self.dims) != len(input_shape):
            raise ValueError(
                f"{self.title}: dims {tuple(self.dims)} are {len(self.dims)} axes, but a sample of shape "
                f"{input_shape} has {len(input_shape)}."
            )
        elements = np.arange(math.prod(input_shape)).reshape(input_shape)
        order = [axis - 1 for axis in self.dims]
        return self.move(input_shape, elements.transpose(order), 1)[:-1]
