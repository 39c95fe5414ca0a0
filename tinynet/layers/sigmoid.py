"""The logistic sigmoid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .base import Array, Layer


@dataclass(eq=False, repr=False)
class Sigmoid(Layer):
    """y = 1 / (1 + exp(-x)).

    Rumelhart, Hinton and Williams, "Learning Representations by Back-Propagating Errors" (1986).

    Example:
        >>> layer = Sigmoid()
        >>> layer.build(3)
        (3,)
        >>> layer.forward([[-1000.0, 0.0, 1000.0]])
        array([[0. , 0.5, 1. ]], dtype=float32)
    """

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Apply the function to every element; see `Layer.forward`."""
        x = self.check_input(x)
        small = np.exp(-np.abs(x))  # never overflows
        y: Array = np.where(x >= 0, 1, small) / (1 + small)
        if training:
            self.y = y
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Compute dx = dy * y * (1 - y); see `Layer.backward`."""
        y, dy = self.check_upstream(self.y, dy)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(dy * y * (1 - y))
