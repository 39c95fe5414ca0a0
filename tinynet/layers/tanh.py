"""The hyperbolic tangent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .base import Array, Layer


@dataclass(eq=False, repr=False)
class Tanh(Layer):
    """y = tanh(x).

    LeCun, Bottou, Orr and Müller, "Efficient BackProp" (1998).

    Example:
        >>> layer = Tanh()
        >>> layer.build(3)
        (3,)
        >>> layer.forward([[-1000.0, 0.0, 1000.0]])
        array([[-1.,  0.,  1.]], dtype=float32)
    """

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Apply the function to every element; see `Layer.forward`."""
        y: Array = np.tanh(self.check_input(x))
        if training:
            self.y = y
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Compute dx = dy * (1 - y²); see `Layer.backward`."""
        y, dy = self.check_upstream(self.y, dy)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(dy * (1 - y * y))
