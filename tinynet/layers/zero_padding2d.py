"""ZeroPadding2D: zeros around images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .geometry import Shape, check_data_format, image_shape, is_sequence
from .moving import Moving


@dataclass(eq=False, repr=False)
class ZeroPadding2D(Moving, only_kernels=True):
    """Put rows and columns of zeros around images.

    Args:
        padding: how many, at each side; as one integer for all sides, as (rows, columns), or as
            ((top, bottom), (left, right)); default 1.
        data_format: None or "channels_last".

    Raises:
        ValueError: padding is none of these, or the channels are not last.

    Example:
        >>> layer = ZeroPadding2D(((1, 0), (0, 2)))
        >>> layer.build((1, 2, 1))
        (2, 4, 1)
        >>> layer.forward(np.array([[[[1.0], [2.0]]]]))[0, :, :, 0]
        array([[0., 0., 0., 0.],
               [1., 2., 0., 0.]], dtype=float32)
    """

    padding: int | Sequence[int] | Sequence[Sequence[int]] = 1
    data_format: str | None = None

    def __post_init__(self) -> None:
        self.sides = as_sides("ZeroPadding2D", "padding", self.padding)
        check_data_format("ZeroPadding2D", self.data_format)

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Say where the pixels go; see `Layer.declare`."""
        height, width, channels = image_shape(self.title, input_shape)
        pixels = np.arange(height * width).reshape(height, width)
        return self.move(input_shape, np.pad(pixels, self.sides, constant_values=-1), channels)


def as_sides(title: str, what: str, value: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return an argument as ((top, bottom), (left, right)), or raise if it is none of what stands for that.

    Args:
        title: the layer, for error messages.
        what: the argument's name.
        value: an integer, (rows, columns), or ((top, bottom), (left, right)).
    """
    axes = [*value] if is_sequence(value) else [value, value]
    sides = [tuple(axis) if is_sequence(axis) else (axis, axis) for axis in axes]
    sizes = [size for side in sides for size in side]
    integers = all(isinstance(size, int | np.integer) and size >= 0 for size in sizes)
    if [len(side) for side in sides] != [2, 2] or not integers:
        raise ValueError(
            f"{title}: {what} must be an integer of at least 0, or (rows, columns), or ((top, bottom), "
            f"(left, right)); got {value!r}."
        )
    top, bottom, left, right = map(int, sizes)
    return (top, bottom), (left, right)
