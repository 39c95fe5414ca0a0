"""Layer normalization."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .. import initializers, kernels
from .base import Array, Layer
from .geometry import Shape, check_normalization


@dataclass(eq=False, repr=False)
class LayerNormalization(Layer, only_kernels=True):
    """y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, over the last axis of each sample.

    Ba, Kiros and Hinton, "Layer Normalization" (2016).

    Args:
        epsilon: added to the variance; default 0.001.
        center: whether there is a beta; default True.
        scale: whether there is a gamma; default True.

    Raises:
        ValueError: epsilon is not positive, or `build` got a shape without an axis to normalize.

    Example:
        >>> layer = LayerNormalization()
        >>> layer.build(2)
        (2,)
        >>> layer.forward([[1.0, 3.0]]).round(2)
        array([[-1.,  1.]], dtype=float32)
    """

    epsilon: float = 0.001
    center: bool = True
    scale: bool = True

    def __post_init__(self) -> None:
        check_normalization(self, self.epsilon)

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Make gamma and beta, each (channels,); see `Layer.declare`."""
        if not input_shape:
            raise ValueError(f"{self.title}: expected an input_shape with an axis to normalize; got ().")
        if self.scale:
            self.gamma = self.add_parameter("gamma", input_shape[-1:], initializers.Ones(), random)
        if self.center:
            self.beta = self.add_parameter("beta", input_shape[-1:], initializers.Zeros(), random)
        self.mean: Array  # what `forward` remembers
        self.deviation: Array
        return input_shape

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Normalize; see `Layer.forward`."""
        x = self.check_input(x)
        rows = x.reshape(-1, x.shape[-1])
        y = self.empty("y", x.shape, training)
        mean, scale = (
            self.empty(name, rows.shape[:1], training, np.float64) for name in ("mean", "deviation")
        )
        nothing = np.empty(0, self.dtype)
        gamma, beta = self.gamma.value if self.scale else nothing, self.beta.value if self.center else nothing
        kernels.normalization.normalize_rows(
            rows, gamma, beta, float(self.epsilon), y.reshape(rows.shape), mean, scale
        )
        if training:
            self.remember(x=x, mean=mean, deviation=scale)
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Compute the gradients with respect to gamma, beta and x; see `Layer.backward`."""
        x, dy = self.check_upstream(self.x, dy)
        rows, dx, nothing = x.reshape(-1, x.shape[-1]), self.empty("dx", x.shape), np.empty(0, self.dtype)
        gamma, dgamma = (self.gamma.value, self.gamma.grad) if self.scale else (nothing, nothing)
        dbeta = self.beta.grad if self.center else nothing
        kernels.normalization.normalize_rows_gradient(
            rows,
            self.mean,
            self.deviation,
            gamma,
            dy.reshape(rows.shape),
            dx.reshape(rows.shape),
            dgamma,
            dbeta,
        )
        return dx if self.needs_input_gradient else nothing
