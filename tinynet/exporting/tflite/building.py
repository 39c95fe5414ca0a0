"""What builds a network of TensorFlow Lite's operators, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ...files.tflite import Operator, Tensor
from ...layers.geometry import Shape


class Builder:
    """Operators so far.

    Attributes:
        operators: in order.
        name: of the layer that operators are added for.
    """

    def __init__(self) -> None:
        self.operators: list[Operator] = []
        self.name = ""

    def add(
        self, kind: str, inputs: Sequence[Tensor | None], shape: Shape, version: int = 1, **options: Any
    ) -> Tensor:
        """Add an operator, and return its output.

        Args:
            kind: one of `files.tflite.KINDS`.
            inputs: what it takes.
            shape: of a sample of its output.
            version: of the kind; default 1.
            options: see `KINDS`.
        """
        output = Tensor(f"{self.name}/{kind.lower()}", (1, *shape))
        self.operators.append(Operator(kind, [*inputs], output, options, version))
        return output

    def constant(self, name: str, value: ArrayLike, dtype: DTypeLike = np.float32) -> Tensor:
        """Return a constant array."""
        array = np.asarray(value, dtype)
        return Tensor(f"{self.name}/{name}", array.shape, array)

    def integers(self, name: str, value: ArrayLike) -> Tensor:
        """Return constant integers, such as the numbers of axes."""
        return self.constant(name, value, np.int32)

    def reshape(self, x: Tensor, shape: Shape) -> Tensor:
        """Return samples in another shape, or as they are, if they have it."""
        if x.shape[1:] == tuple(shape):
            return x
        return self.add("RESHAPE", [x, self.integers("shape", [-1, *shape])], shape)

    def transpose(self, x: Tensor, order: Sequence[int]) -> Tensor:
        """Return x with its axes, the batch's among them, in another order."""
        if [*order] == [*range(len(x.shape))]:
            return x
        shape = tuple(x.shape[place] for place in order[1:])
        version = {5: 4, 6: 6}.get(len(order), 1)
        return self.add("TRANSPOSE", [x, self.integers("order", [*order])], shape, version)

    def shift(self, x: Tensor, offset: ArrayLike) -> Tensor:
        """Return x + offset, which broadcasts to a sample."""
        array = compact(offset)
        if not array.any():
            return x
        return self.add("ADD", [x, self.constant("offset", array)], x.shape[1:])

    def scale(self, x: Tensor, factor: ArrayLike) -> Tensor:
        """Return x * factor, which broadcasts to a sample."""
        array = compact(factor)
        if (array == 1).all():
            return x
        return self.add("MUL", [x, self.constant("factor", array)], x.shape[1:])


def compact(value: ArrayLike) -> Any:
    """Return the smallest array that broadcasts to a value, with at least one axis."""
    array = np.atleast_1d(np.asarray(value))
    for axis in range(array.ndim):
        first = array.take([0], axis)
        array = first if (array == first).all() else array
    while array.ndim > 1 and len(array) == 1:
        array = array[0]
    return array
