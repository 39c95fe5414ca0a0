"""Rescaling: pixels of 0 to 255 to numbers of 0 to 1, and the like."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import kernels
from .base import Array, Layer
from .geometry import Shape


@dataclass(eq=False, repr=False)
class Rescaling(Layer, only_kernels=True):
    """y = x * scale + offset, with numbers that are not learned.

    Args:
        scale: a number, or an array that broadcasts to a sample, such as one number for each channel.
        offset: the same; default 0.

    Raises:
        ValueError: scale or offset are no finite numbers, or do not broadcast to a sample.

    Example:
        >>> layer = Rescaling(1 / 255)
        >>> layer.build((1, 2, 1))
        (1, 2, 1)
        >>> layer.forward(np.array([0, 255]).reshape(1, 1, 2, 1)).ravel()
        array([0., 1.], dtype=float32)
    """

    scale: float | Sequence[Any]
    offset: float | Sequence[Any] = 0.0

    def __post_init__(self) -> None:
        self.scale = as_numbers("Rescaling", "scale", self.scale)
        self.offset = as_numbers("Rescaling", "offset", self.offset)

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Give each element its numbers; see `Layer.declare`."""
        self.factors = spread(self.title, "scale", self.scale, input_shape).astype(self.dtype)
        self.shifts = spread(self.title, "offset", self.offset, input_shape).astype(self.dtype)
        return input_shape

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Multiply and shift; see `Layer.forward`."""
        x = self.check_input(x)
        y = self.empty("y", x.shape, training)
        rows = (len(x), self.factors.size)
        kernels.rescaling.rescale(x.reshape(rows), self.factors, self.shifts, y.reshape(rows))
        if training:
            self.y = y
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Multiply dy; see `Layer.backward`."""
        _, dy = self.check_upstream(self.y, dy)
        dx = self.empty("dx", dy.shape)
        rows = (len(dy), self.factors.size)
        kernels.rescaling.multiply(dy.reshape(rows), self.factors, dx.reshape(rows))
        return dx


def as_numbers(title: str, what: str, value: Any) -> Any:
    """Return an argument, a finite number or an array of them, as plain numbers or tuples; or raise."""
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        array = np.array(math.nan)
    if isinstance(value, str) or not np.isfinite(array).all():
        raise ValueError(f"{title}: {what} must be a finite number, or an array of them; got {value!r}.")
    return as_tuples(array.tolist())


def as_tuples(value: Any) -> Any:
    """Return lists, to any depth, as tuples."""
    return tuple(map(as_tuples, value)) if isinstance(value, list) else value


def spread(title: str, what: str, value: Any, shape: Shape) -> Array:
    """Return numbers for each element of a sample, flat, or raise if they do not broadcast to it."""
    try:
        return np.ascontiguousarray(np.broadcast_to(np.asarray(value), shape)).reshape(-1)
    except ValueError:
        raise ValueError(
            f"{title}: {what} of shape {np.shape(value)} does not broadcast to a sample of shape {shape}."
        ) from None
