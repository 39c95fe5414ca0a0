"""What an initializer is."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..keywords import Spoken
from ..seeds import next_seed

Array = NDArray[Any]


@dataclasses.dataclass(frozen=True, repr=False)
class Initializer(metaclass=Spoken):
    """The base of all initializers: call one with a shape to get the values.

    A subclass defines `draw`.

    Example:
        >>> class Checkers(Initializer):
        ...     def draw(self, shape, random):
        ...         return np.indices(shape).sum(axis=0) % 2.0
        >>> Checkers()((2, 3))
        array([[0., 1., 0.],
               [1., 0., 1.]], dtype=float32)
    """

    def __call__(
        self, shape: tuple[int, ...], random: np.random.Generator | None = None, dtype: DTypeLike = "float32"
    ) -> Array:
        """Return initial values.

        Args:
            shape: shape of the parameter.
            random: the source of random numbers, unless the initializer has a seed of its own; default: the
                next seed of this process.
            dtype: float dtype of the result; the numbers drawn do not depend on it.

        Returns:
            A new array of that shape and dtype.
        """
        seed = getattr(self, "seed", None)
        if seed is not None or random is None:
            random = np.random.default_rng(next_seed() if seed is None else seed)
        return self.draw(tuple(shape), random).astype(dtype)

    def draw(self, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        """Return the values as float64; see `Initializer`."""
        raise NotImplementedError

    def arguments(self) -> dict[str, Any]:
        """Return the arguments that are not the default ones."""
        own = [field for field in dataclasses.fields(self) if field.init]
        return {one.name: getattr(self, one.name) for one in own if getattr(self, one.name) != one.default}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={x!r}' for name, x in self.arguments().items())})"
