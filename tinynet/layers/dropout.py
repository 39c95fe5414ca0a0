"""Dropout."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .. import kernels
from .base import Array, Layer
from .geometry import Shape


@dataclass(eq=False, repr=False)
class Dropout(Layer, only_kernels=True):
    """While training, set a random fraction of the elements to 0 and scale the others up to keep the mean.

    Which elements are dropped depends on the layer's seed, the number of the training step and the
    element's place in the batch alone. Srivastava et al., "Dropout: A Simple Way to Prevent Neural
    Networks from Overfitting" (JMLR 2014).

    Args:
        rate: the fraction dropped, 0 <= rate < 1.

    Raises:
        ValueError: rate is outside that range.

    Example:
        >>> layer = Dropout(0.5)
        >>> layer.build(1000)
        (1000,)
        >>> ones = np.ones((1, 1000))
        >>> float(layer.forward(ones).mean())
        1.0
        >>> sorted(set(layer.forward(ones, training=True)[0].tolist()))
        [0.0, 2.0]
    """

    rate: float

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise ValueError(
                f"Dropout: rate is the fraction dropped, at least 0 and below 1; got {self.rate}."
            )

    @property
    def varies(self) -> bool:
        """Whether training changes the output: by what is dropped."""
        return self.rate > 0

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Derive the layer's key from its seed; see `Layer.declare`."""
        self.dropped_step: Array  # what `forward` remembers
        self.key = random.integers(0, 2**32, 2, np.uint32)
        return input_shape

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Drop elements while training, else return x; see `Layer.forward`.

        A layer that is used alone drops others at every call; a model that trains counts the steps itself.
        """
        x = self.check_input(x)
        if not training:
            return x
        if self.workspace is None:
            self.remember(x=x, dropped_step=self.step_cell.copy())
            self.step += 1
        else:
            self.remember(x=x, dropped_step=self.step_cell)
        return self.drop("y", x)

    def backward(self, dy: ArrayLike) -> Array:
        """Drop the same elements of dy; see `Layer.backward`."""
        _, dy = self.check_upstream(self.x, dy)
        return self.drop("dx", dy)

    def drop(self, name: str, x: Array) -> Array:
        """Return x with the elements of the remembered step dropped."""
        y = self.empty(name, x.shape)
        first = self.first_sample * math.prod(x.shape[1:])
        kernels.elementwise.dropout(
            x.reshape(-1), y.reshape(-1), self.rate, self.key, self.dropped_step, first
        )
        return y
