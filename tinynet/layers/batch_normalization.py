"""Batch normalization."""

from __future__ import annotations

import copy
import numbers
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .. import initializers, kernels
from ..execution.meeting import meet
from .base import Array
from .geometry import Shape
from .normalization import NormalizationLayer
from .relu import ReLU


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
    relu: ClassVar[bool] = False  # whether a ReLU after it is a part of it, as in a copy that `fuse` makes

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
        self.total: Array  # what `forward` remembers: of size 0 where the statistics stay
        return shape

    def with_relu(self, relu: ReLU) -> BatchNormalization | None:
        """Return one of the same parameters that a ReLU is a part of, or None if it is no plain one."""
        if not relu.is_plain or self.relu:
            return None
        both = copy.copy(self)
        both.remember(relu=True, output_shape=relu.output_shape, _original=self)
        return both

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Normalize; see `Layer.forward`."""
        x = self.check_input(x)
        rows = x.reshape(-1, x.shape[-1])
        y = self.empty("y", x.shape, training)
        sums, squares = self.new_sums(training and len(rows) > 0)
        if sums.size:
            kernels.normalization.moments(rows, sums, squares, False)
        mean, scale = self.statistics(sums, squares, training)
        gamma, beta = self.scale_and_offset("value")
        kernels.normalization.normalize(rows, mean, scale, gamma, beta, y.reshape(rows.shape), self.relu)
        if training:
            self.remember(x=x, y=y)
        return y

    def new_sums(self, wanted: bool) -> tuple[Array, Array]:
        """Return what `moments` writes to; of size 0 where it is not wanted or the statistics stay."""
        channels = self.moving_mean.value.size if wanted and self.trainable else 0
        sums = self.empty("sums", (channels + 1 if channels else 0,), channels > 0, np.float64)
        return sums, self.empty("squares", (channels,), channels > 0, np.float64)

    def statistics(
        self, sums: Array, squares: Array, training: bool, met: bool = False
    ) -> tuple[Array, Array]:
        """Return the mean and the inverse deviation to normalize by.

        Args:
            sums, squares: those of the shard's moments, from which the whole batch's follow, and the running
                statistics follow them; or of size 0: then the running ones are taken.
            training: whether to remember them.
            met: whether the sums are the whole batch's; default False.
        """
        shape = self.moving_mean.value.shape
        mean, scale = (self.empty(name, shape, training, np.float64) for name in ("mean", "deviation"))
        if sums.size:
            total, squares = (sums, squares) if met else self.meet(sums, squares)
            kernels.normalization.statistics(total, squares, float(self.epsilon), mean, scale)
            if self.first_sample == 0:  # one of the shards does it for all
                moving = self.moving_mean.value, self.moving_variance.value
                kernels.normalization.update_running(total, squares, float(self.momentum), *moving)
        else:
            total = sums
            kernels.normalization.running_statistics(
                self.moving_mean.value, self.moving_variance.value, float(self.epsilon), mean, scale
            )
        if training:
            self.remember(mean=mean, inverse_deviation=scale, total=total)
        return mean, scale

    def meet(self, sums: Array, squares: Array) -> tuple[Array, Array]:
        """Return the whole batch's sums and squares."""
        part = self.empty("part", squares.shape, dtype=np.float64)
        total = meet(sums)
        kernels.normalization.recenter(sums, squares, total, part)
        return total, meet(part)

    def backward(self, dy: ArrayLike) -> Array:
        """Compute the gradients with respect to gamma, beta and x; see `Layer.backward`."""
        x, dy = self.check_upstream(self.x, dy)
        rows, upstream = x.reshape(-1, x.shape[-1]), dy.reshape(-1, x.shape[-1])
        assert self.y is not None
        gate = self.y.reshape(rows.shape) if self.relu else self.y.reshape(rows.shape)[:0]
        sums = self.parameter_gradients(rows, upstream, gate, 0.0 if self.relu else -1.0)
        if not self.needs_input_gradient:
            return np.empty(0, self.dtype)
        dx = self.empty("dx", x.shape)
        self.input_gradient(rows, upstream, gate, sums, dx.reshape(rows.shape))
        return dx

    def parameter_gradients(self, rows: Array, upstream: Array, gate: Array, least: float) -> Array:
        """Set the gradients with respect to gamma and beta, and return the whole batch's sums.

        Args:
            rows, upstream, gate, least: see `kernels.normalization_gradients.gradient_sums`.
        """
        sums = self.empty("gradient sums", (2 * rows.shape[1],), dtype=np.float64)
        kernels.normalization_gradients.gradient_sums(
            rows, upstream, gate, least, self.mean, self.inverse_deviation, sums
        )
        return self.finish_sums(sums)

    def finish_sums(self, sums: Array) -> Array:
        """Set the gradients of gamma and beta by a shard's sums, and return the whole batch's."""
        kernels.normalization_gradients.parameter_gradients(sums, *self.scale_and_offset("grad"))
        return meet(sums) if self.total.size else sums

    def input_gradient(self, rows: Array, upstream: Array, gate: Array, sums: Array, dx: Array) -> None:
        """Write the gradient with respect to x, of which rows are the rows."""
        gamma, scale = self.scale_and_offset("value")[0], self.inverse_deviation
        if self.total.size:
            kernels.normalization_gradients.gradient(
                rows, upstream, gate, self.mean, scale, gamma, sums, self.total, dx
            )
        else:
            kernels.normalization_gradients.scale_gradient(upstream, gate, scale, gamma, dx)
