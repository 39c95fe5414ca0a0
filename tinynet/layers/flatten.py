"""Flatten: images to vectors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .geometry import Shape, check_data_format
from .reshape import Reshaping


@dataclass(eq=False, repr=False)
class Flatten(Reshaping, only_kernels=True):
    """Lay each sample out as one vector, without copying it.

    Args:
        data_format: None or "channels_last".

    Raises:
        ValueError: the channels are not last.

    Example:
        >>> layer = Flatten()
        >>> layer.build((28, 28, 1))
        (784,)
        >>> layer.forward(np.zeros((5, 28, 28, 1))).shape
        (5, 784)
    """

    data_format: str | None = None

    def __post_init__(self) -> None:
        check_data_format("Flatten", self.data_format)

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Count the elements of a sample; see `Layer.declare`."""
        return (math.prod(input_shape),)
