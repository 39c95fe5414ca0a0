"""ReLU and LeakyReLU."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .. import kernels
from .base import Array, Layer


@dataclass(eq=False, repr=False)
class LeakyReLU(Layer, only_kernels=True):
    """y = x where x is positive, else negative_slope * x.

    Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models" (2013).

    Args:
        negative_slope: at least 0; default 0.3, as in Keras.

    Raises:
        ValueError: negative_slope is negative.

    Example:
        >>> layer = LeakyReLU(0.1)
        >>> layer.build(3)
        (3,)
        >>> layer.forward([[-1.0, 0.0, 2.0]])
        array([[-0.1,  0. ,  2. ]], dtype=float32)
    """

    negative_slope: float = 0.3

    def __post_init__(self) -> None:
        if not self.negative_slope >= 0:
            raise ValueError(f"LeakyReLU: negative_slope must be at least 0; got {self.negative_slope}.")

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Apply the function to every element; see `Layer.forward`."""
        x = self.check_input(x)
        y = self.empty("y", x.shape, training)
        kernels.elementwise.leaky_relu(x.reshape(-1), y.reshape(-1), self.negative_slope)
        if training:
            self.y = y
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Compute dx = dy where y is positive, else negative_slope * dy; see `Layer.backward`."""
        y, dy = self.check_upstream(self.y, dy)
        dx = self.empty("dx", y.shape)
        kernels.elementwise.leaky_relu_gradient(
            y.reshape(-1), dy.reshape(-1), dx.reshape(-1), self.negative_slope
        )
        return dx


@dataclass(eq=False, repr=False)
class ReLU(LeakyReLU, only_kernels=True):
    """y = max(x, 0), and NaN where x is NaN.

    Nair and Hinton, "Rectified Linear Units Improve Restricted Boltzmann Machines" (ICML 2010).

    Example:
        >>> layer = ReLU()
        >>> layer.build(3)
        (3,)
        >>> layer.forward([[-1.0, 0.0, 2.0]])
        array([[0., 0., 2.]], dtype=float32)
    """

    negative_slope: float = 0.0

    def __post_init__(self) -> None:
        if not np.equal(self.negative_slope, 0):
            raise ValueError("ReLU: negative_slope is 0; use LeakyReLU for another.")
