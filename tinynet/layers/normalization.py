"""What normalizations have in common: the checks, and a scale and an offset for each channel."""

from __future__ import annotations

import numbers

import numpy as np

from .. import initializers
from .base import Array, Layer
from .geometry import Shape


class NormalizationLayer(Layer):
    """The base of layers that normalize, and then, for each channel of the last axis, scale and add."""

    axis: int
    epsilon: float
    center: bool
    scale: bool

    def __post_init__(self) -> None:
        if not isinstance(self.axis, int | np.integer):
            raise TypeError(f"{type(self).__name__}: axis must be -1, the last one; got {self.axis!r}.")
        kind = type(self).__name__
        if not isinstance(self.epsilon, numbers.Real) or not 0 < self.epsilon < np.inf:
            raise ValueError(f"{kind}: epsilon must be a positive number; got {self.epsilon!r}.")
        for name in ("center", "scale"):
            if not isinstance(getattr(self, name), bool | np.bool_):
                raise TypeError(f"{kind}: {name} must be True or False; got {getattr(self, name)!r}.")

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Make gamma and beta, each (channels,); see `Layer.declare`."""
        channels = input_shape[-1:]
        if not channels:
            raise ValueError(f"{self.title}: expected an input_shape with an axis of channels; got ().")
        if self.axis not in (-1, len(input_shape)):
            raise ValueError(
                f"{self.title}: axis must be -1, the last one, of channels; got {self.axis}. Move the "
                "channels of the data to the end, for example by np.moveaxis(x, 1, -1)."
            )
        if self.scale:
            self.gamma = self.add_parameter("gamma", channels, initializers.Ones(), random)
        if self.center:
            self.beta = self.add_parameter("beta", channels, initializers.Zeros(), random)
        self.mean: Array  # what `forward` remembers
        self.inverse_deviation: Array
        return input_shape

    def scale_and_offset(self, what: str) -> tuple[Array, Array]:
        """Return gamma's and beta's "value" or "grad", of size 0 where the layer has none."""
        nothing = np.empty(0, self.dtype)
        gamma = getattr(self.gamma, what) if self.scale else nothing
        return gamma, getattr(self.beta, what) if self.center else nothing
