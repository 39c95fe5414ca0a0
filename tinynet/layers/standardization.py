"""Normalization: inputs with the mean and the variance of the training data taken out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import initializers, kernels
from ..masked import unmasked
from .base import Array, Layer
from .geometry import Shape, is_sequence
from .rescaling import as_numbers


@dataclass(eq=False, repr=False)
class Normalization(Layer, only_kernels=True):
    """y = (x - mean) / the square root of variance, of numbers that `adapt` finds in data, or that are given.

    A deviation below 1e-7 counts as that. (`BatchNormalization` learns its numbers while a model trains.)

    Args:
        axis: the axes that have numbers of their own, counted as in an array of samples, in which 0 is the
            batch's; -1 (default): each channel has; None: all elements have the same.
        mean, variance: numbers, or arrays of as many as the axes hold; default: `adapt` finds them.
        invert: whether to undo that instead, y = x * the square root of variance + mean; default False.

    Raises:
        ValueError: an argument is not what is said above, or only one of mean and variance is given.

    Example:
        >>> layer = Normalization()
        >>> layer.adapt(np.array([[0.0, 1.0], [4.0, 5.0]]))
        >>> layer([[4.0, 3.0]])
        array([[1., 0.]], dtype=float32)
    """

    axis: int | Sequence[int] | None = -1
    mean: float | Sequence[Any] | None = None
    variance: float | Sequence[Any] | None = None
    invert: bool = False

    def __post_init__(self) -> None:
        axis: Any = () if self.axis is None else self.axis
        axes = [*axis] if is_sequence(axis) else [axis]
        if not all(isinstance(axis, int | np.integer) and axis != 0 for axis in axes):
            raise ValueError(
                "Normalization: axis must be None, or one or more of a sample's axes, of which 1 is the "
                f"first and -1 the last; got {self.axis!r}."
            )
        self.own = [int(axis) for axis in axes]
        if (self.mean is None) != (self.variance is None):
            raise ValueError(
                "Normalization: mean and variance must be given together, or neither of them, for `adapt` to "
                f"find; got mean={self.mean!r}, variance={self.variance!r}."
            )
        if self.mean is None:
            return
        self.mean = as_numbers("Normalization", "mean", self.mean)
        self.variance = as_numbers("Normalization", "variance", self.variance)
        if np.shape(self.mean) != np.shape(self.variance) or np.ndim(self.mean) > len(self.own):
            raise ValueError(
                f"Normalization: mean and variance must have the same shape, of at most {len(self.own)} "
                f"axes, as axis={self.axis} says; got {np.shape(self.mean)} and {np.shape(self.variance)}."
            )

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Say which elements have which numbers, and make place for them; see `Layer.declare`."""
        rank = len(input_shape)
        self.kept = sorted({axis + rank if axis < 0 else axis - 1 for axis in self.own})
        if any(not 0 <= axis < rank for axis in self.kept):
            raise ValueError(
                f"{self.title}: axis {self.axis} is none of a sample of shape {input_shape}, whose axes are "
                f"1 to {rank}."
            )
        sizes = tuple(input_shape[axis] for axis in self.kept)
        numbers = np.arange(math.prod(sizes)).reshape(
            [size if axis in self.kept else 1 for axis, size in enumerate(input_shape)]
        )
        self.group = np.ascontiguousarray(np.broadcast_to(numbers, input_shape), np.int64).reshape(-1)
        self.given = [np.empty(0, self.dtype)] * 2
        if self.mean is None:
            zeros, ones = initializers.Zeros(), initializers.Ones()
            self.found_mean = self.add_parameter("mean", sizes, zeros, random, trainable=False)
            self.found_variance = self.add_parameter("variance", sizes, ones, random, trainable=False)
            self.count = self.add_parameter("count", (), zeros, random, trainable=False)  # Keras's, unused
            return input_shape
        try:
            self.given = [
                np.ascontiguousarray(np.broadcast_to(np.asarray(value, self.dtype), sizes)).reshape(-1)
                for value in (self.mean, self.variance)
            ]
        except ValueError:
            raise ValueError(
                f"{self.title}: mean and variance must be numbers, or arrays of shape {sizes}; got "
                f"{np.shape(self.mean)}."
            ) from None
        return input_shape

    def adapt(self, data: ArrayLike | Iterable[ArrayLike]) -> None:
        """Find the mean and the variance of data, and normalize with them from now on.

        Args:
            data: (N, *input_shape), or an iterable of such batches, a list or a generator.

        Raises:
            ValueError: there are no samples, they have another shape than the layer was built for or hold NaN
                or infinite values, or the layer was given mean and variance.
        """
        if self.mean is not None:
            raise ValueError(f"{self.title} was given its mean and variance: it has nothing to find in data.")
        batches = [data] if isinstance(data, np.ndarray) else data
        samples, count, mean, squares = 0, 0, np.zeros(()), np.zeros(())
        for one in batches:  # type: ignore[union-attr]
            batch = np.asarray(unmasked(one, "data"), np.float64)
            batch = batch[:, np.newaxis] if batch.ndim == 1 else batch
            if self.output_shape is None:
                self.build_sample(batch.shape[1:], 0)
            if batch.shape[1:] != self.input_shape:
                raise ValueError(f"{self.title}: expected data (N, *{self.input_shape}); got {batch.shape}.")
            if not np.isfinite(batch).all():
                row, *place = np.argwhere(~np.isfinite(batch))[0].tolist()
                raise ValueError(
                    f"{self.title}: data holds NaN or infinite values, the first at "
                    f"{(samples + row, *place)}; clean the data first."
                )
            samples += len(batch)
            axes = tuple(axis for axis in range(batch.ndim) if axis - 1 not in self.kept)
            size = math.prod(batch.shape[axis] for axis in axes)
            if size == 0:
                continue
            # Chan, Golub, LeVeque: "Algorithms for Computing the Sample Variance" (1983).
            difference = batch.mean(axes) - mean
            squares = squares + batch.var(axes) * size + difference**2 * (count * size / (count + size))
            count, mean = count + size, mean + difference * (size / (count + size))
        if count == 0:
            raise ValueError(f"{self.title}: adapt needs at least one sample.")
        self.found_mean.value, self.found_variance.value = mean, squares / count

    def standardize(self, x: Array, y: Array, shifted: bool) -> None:
        """Write the normalized x to y; if it is not shifted, without the mean."""
        mean, variance = self.given
        if self.mean is None:
            mean, variance = self.found_mean.value.reshape(-1), self.found_variance.value.reshape(-1)
        rows = (len(x), self.group.size)
        kernels.rescaling.standardize(
            x.reshape(rows), mean, variance, self.group, self.invert, shifted, y.reshape(rows)
        )

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Normalize; see `Layer.forward`."""
        x = self.check_input(x)
        y = self.empty("y", x.shape, training)
        self.standardize(x, y, True)
        if training:
            self.y = y
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Divide dy by the deviations; see `Layer.backward`."""
        _, dy = self.check_upstream(self.y, dy)
        if not self.needs_input_gradient:
            return np.empty(0, self.dtype)
        dx = self.empty("dx", dy.shape)
        self.standardize(dy, dx, False)
        return dx
