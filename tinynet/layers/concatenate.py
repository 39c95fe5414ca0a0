"""Concatenate: inputs side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .. import kernels
from .base import Array
from .broadcasting import as_rows
from .geometry import Shape
from .merge import Merge


@dataclass(eq=False, repr=False)
class Concatenate(Merge, only_kernels=True):
    """The inputs side by side, along one axis; all other sizes are the same.

    Args:
        axis: counted with the batch axis, which is 0 and refused, or from the end; default -1, the channels.

    Raises:
        ValueError: axis is no integer, or 0; or `build` got shapes that do not fit.

    Example:
        >>> layer = Concatenate()
        >>> layer.build([(2,), (1,)])
        (3,)
        >>> layer.forward([[[1.0, 2.0]], [[3.0]]])
        array([[1., 2., 3.]], dtype=float32)
    """

    axis: int = -1

    def __post_init__(self) -> None:
        if not isinstance(self.axis, int | np.integer) or isinstance(self.axis, bool) or self.axis == 0:
            raise ValueError(
                f"Concatenate: axis must be an integer, and not 0, the batch axis; got {self.axis!r}."
            )

    def join(self, shapes: tuple[Shape, ...]) -> Shape:
        """Sum the sizes along the axis; see `Merge.join`."""
        rank = len(shapes[0]) + 1
        place = int(self.axis) + (rank if self.axis < 0 else 0) - 1  # in a shape without the batch axis
        if not 0 <= place < rank - 1:
            raise ValueError(
                f"{self.title}: inputs of shape {shapes[0]} have no axis {self.axis} besides the batch axis."
            )
        if (
            len({(*shape[:place], *shape[place + 1 :]) for shape in shapes}) > 1
            or len({*map(len, shapes)}) > 1
        ):
            raise ValueError(
                f"{self.title}: the input shapes {', '.join(map(str, shapes))} may differ only in axis "
                f"{self.axis}."
            )
        self.before = math.prod(shapes[0][:place])
        sizes = [math.prod(shape[place:]) for shape in shapes]
        self.columns = [(sum(sizes[:k]), size) for k, size in enumerate(sizes)]  # of each input: first, width
        return (*shapes[0][:place], sum(shape[place] for shape in shapes), *shapes[0][place + 1 :])

    def rows(self, array: Array) -> Array:
        """Return an input or an output as a matrix, in which inputs lie side by side."""
        return as_rows(array, len(array) * self.before)

    def merge(self, inputs: list[Array], y: Array) -> None:
        """Copy the inputs to their places; see `Merge.merge`."""
        for x, (first, width) in zip(inputs, self.columns, strict=True):
            kernels.merging.copy_columns(self.rows(x), 0, self.rows(y), first, width)

    def gradients(self, dy: Array) -> list[Array]:
        """Copy the inputs' parts of dy; see `Merge.gradients`."""
        results = []
        for position, (first, width) in enumerate(self.columns):
            dx = self.empty_gradient(dy, position)
            kernels.merging.copy_columns(self.rows(dy), first, self.rows(dx), 0, width)
            results.append(dx)
        return results
