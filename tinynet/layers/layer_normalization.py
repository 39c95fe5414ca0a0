"""Layer normalization."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .. import kernels
from .base import Array
from .normalization import NormalizationLayer


@dataclass(eq=False, repr=False)
class LayerNormalization(NormalizationLayer, only_kernels=True):
    """y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, over the last axis of each sample.

    Ba, Kiros and Hinton, "Layer Normalization" (2016).

    Args:
        axis: what to normalize over; -1 (default), the last one, is the only one.
        epsilon: added to the variance; default 0.001.
        center: whether there is a beta; default True.
        scale: whether there is a gamma; default True.

    Raises:
        ValueError: an argument is not what is said above, or `build` got a shape without channels.

    Example:
        >>> layer = LayerNormalization()
        >>> layer.build(2)
        (2,)
        >>> layer.forward([[1.0, 3.0]]).round(2)
        array([[-1.,  1.]], dtype=float32)
    """

    axis: int = -1
    epsilon: float = 0.001
    center: bool = True
    scale: bool = True

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Normalize; see `Layer.forward`."""
        x = self.check_input(x)
        rows, y = x.reshape(-1, x.shape[-1]), self.empty("y", x.shape, training)
        mean = self.empty("mean", rows.shape[:1], training, np.float64)
        deviation = self.empty("inverse deviation", rows.shape[:1], training, np.float64)
        gamma, beta = self.scale_and_offset("value")
        kernels.layer_normalization.normalize_rows(
            rows, gamma, beta, float(self.epsilon), y.reshape(rows.shape), mean, deviation
        )
        if training:
            self.remember(x=x, mean=mean, inverse_deviation=deviation)
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Compute the gradients with respect to gamma, beta and x; see `Layer.backward`."""
        x, dy = self.check_upstream(self.x, dy)
        rows, upstream = x.reshape(-1, x.shape[-1]), dy.reshape(-1, x.shape[-1])
        dx = self.empty("dx", x.shape)
        (gamma, _), gradients = self.scale_and_offset("value"), self.scale_and_offset("grad")
        kernels.layer_normalization.normalize_rows_gradient(
            rows, self.mean, self.inverse_deviation, gamma, upstream, dx.reshape(rows.shape), *gradients
        )
        return dx if self.needs_input_gradient else np.empty(0, self.dtype)
