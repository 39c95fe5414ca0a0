"""Batch normalization."""

from __future__ import annotations

import numbers
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .. import initializers, kernels
from ..execution.meeting import meet
from .base import Array
from .geometry import Shape
from .normalization import NormalizationLayer


@dataclass(eq=False, repr=False)
class BatchNormalization(NormalizationLayer, only_kernels=True):
    """y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, for each channel over all samples of a batch.

    While training, mean and variance are those of the whole batch, on however many threads; they move the
    running ones, which predictions use, and training too where `trainable` is False. Ioffe and Szegedy:
    "Batch
    Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift", ICML 2015.

    Args:
        axis: where the channels are; -1 (default), the last one, is the only one.
        momentum: the share of the running mean and variance that a step keeps, in [0, 1]; default 0.99.
        epsilon: added to the variance; default 0.001.
        center: whether there is a beta; default True.
        scale: whether there is a gamma; default True.

    Raises:
        ValueError: an argument is not what is said above, or `build` got a shape without channels.

    Example:
        >>> layer = BatchNormalization()
        >>> layer.build(1)
        (1,)
        >>> layer.forward([[1.0], [3.0]], training=True).round(2)
        array([[-1.],
               [ 1.]], dtype=float32)
        >>> layer.moving_mean.value
        array([0.02], dtype=float32)
    """

    axis: int = -1
    momentum: float = 0.99
    epsilon: float = 0.001
    center: bool = True
    scale: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.momentum, numbers.Real) or not 0 <= self.momentum <= 1:
            raise ValueError(f"BatchNormalization: momentum must be in 0..1; got {self.momentum!r}.")

    @property
    def meets(self) -> bool:
        """Whether `meet` may be called: yes."""
        return True

    @property
    def varies(self) -> bool:
        """Whether training changes the output: unless it is frozen."""
        return self.trainable

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Make gamma, beta, moving_mean and moving_variance, each (channels,); see `Layer.declare`."""
        shape, channels = super().declare(input_shape, random), input_shape[-1:]
        zeros, ones = initializers.Zeros(), initializers.Ones()
        self.moving_mean = self.add_parameter("moving_mean", channels, zeros, random, trainable=False)
        self.moving_variance = self.add_parameter("moving_variance", channels, ones, random, trainable=False)
        self.total: Array  # what `forward` remembers
        return shape

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Normalize; see `Layer.forward`."""
        x = self.check_input(x)
        rows = x.reshape(-1, x.shape[-1])
        y = self.empty("y", x.shape, training)
        mean, scale = (
            self.empty(name, rows.shape[1:], training, np.float64) for name in ("mean", "inverse deviation")
        )
        if training and self.trainable and len(rows) > 0:
            self.measure(rows, mean, scale)
        else:
            kernels.normalization.running_statistics(
                self.moving_mean.value, self.moving_variance.value, float(self.epsilon), mean, scale
            )
        gamma, beta = self.scale_and_offset("value")
        kernels.normalization.normalize(rows, mean, scale, gamma, beta, y.reshape(rows.shape))
        if training:
            self.remember(x=x, mean=mean, inverse_deviation=scale)
        return y

    def measure(self, rows: Array, mean: Array, scale: Array) -> None:
        """Write the whole batch's statistics to mean and scale, and let the running ones follow."""
        channels = rows.shape[1]
        sums = self.empty("sums", (channels + 1,), dtype=np.float64)
        squares, part = (self.empty(name, (channels,), dtype=np.float64) for name in ("squares", "part"))
        kernels.normalization.moments(rows, sums, squares)
        total = meet(sums)
        kernels.normalization.recenter(sums, squares, total, part)
        all_squares = meet(part)
        kernels.normalization.statistics(total, all_squares, float(self.epsilon), mean, scale)
        if self.first_sample == 0:  # one of the shards does it for all
            kernels.normalization.update_running(
                total, all_squares, float(self.momentum), self.moving_mean.value, self.moving_variance.value
            )
        self.remember(total=total)

    def backward(self, dy: ArrayLike) -> Array:
        """Compute the gradients with respect to gamma, beta and x; see `Layer.backward`."""
        x, dy = self.check_upstream(self.x, dy)
        channels = x.shape[-1]
        rows, upstream = x.reshape(-1, channels), dy.reshape(-1, channels)
        sums = self.empty("gradient sums", (2 * channels,), dtype=np.float64)
        kernels.normalization.gradient_sums(rows, upstream, self.mean, self.inverse_deviation, sums)
        kernels.normalization.parameter_gradients(sums, *self.scale_and_offset("grad"))
        moves = self.trainable and len(rows) > 0  # the statistics with x, and with them y
        total = meet(sums) if moves else sums
        if not self.needs_input_gradient:
            return np.empty(0, self.dtype)
        dx, (gamma, _) = self.empty("dx", x.shape), self.scale_and_offset("value")
        if moves:
            kernels.normalization.gradient(
                rows,
                upstream,
                self.mean,
                self.inverse_deviation,
                gamma,
                total,
                self.total,
                dx.reshape(rows.shape),
            )
        else:
            kernels.normalization.scale_gradient(
                upstream, self.inverse_deviation, gamma, dx.reshape(rows.shape)
            )
        return dx
