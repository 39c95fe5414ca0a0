"""Dropout: of single elements, or of whole channels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import kernels
from .base import Array
from .geometry import Shape, as_image, check_data_format, is_sequence
from .seeded import Seeded


class Dropping(Seeded, only_kernels=True):
    """The base of layers that drop elements, alone or in groups; see `Dropout`."""

    rate: float

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise ValueError(
                f"{type(self).__name__}: rate is the fraction dropped, at least 0 and below 1; got "
                f"{self.rate}."
            )
        self.keep_seed()

    @property
    def varies(self) -> bool:
        """Whether training changes the output: by what is dropped."""
        return self.rate > 0

    def sizes(self, input_shape: Shape) -> Sequence[int | None] | None:
        """Return how many choices there are along each axis of a batch: all of them if None; 1 for one."""
        return None

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Derive the layer's key from its seed, and say what is dropped together; see `Layer.declare`."""
        self.dropped_step: Array  # what `forward` remembers
        self.key = random.integers(0, 2**32, 2, np.uint32)
        sizes = self.sizes(input_shape)
        self.group: Array | None = None
        if sizes is not None:
            own = [size if one is None else one for one, size in zip(sizes[1:], input_shape, strict=True)]
            numbers = np.arange(math.prod(own)).reshape(own)
            self.group = np.ascontiguousarray(np.broadcast_to(numbers, input_shape), np.int64).reshape(-1)
            self.groups = 0 if sizes[0] == 1 else numbers.size  # by how much they move on for each sample
        return input_shape

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Drop elements while training, else return x; see `Layer.forward`.

        A layer that is used alone drops others at every call; a model that trains counts the steps itself.
        """
        x = self.check_input(x)
        if not training:
            return x
        if self.workspace is None:
            self.remember(x=x, dropped_step=self.step_cell.copy())
            self.step += 1
        else:
            self.remember(x=x, dropped_step=self.step_cell)
        return self.drop("y", x)

    def backward(self, dy: ArrayLike) -> Array:
        """Drop the same elements of dy; see `Layer.backward`."""
        _, dy = self.check_upstream(self.x, dy)
        return self.drop("dx", dy)

    def drop(self, name: str, x: Array) -> Array:
        """Return x with the elements of the remembered step dropped."""
        y, size = self.empty(name, x.shape), math.prod(x.shape[1:])
        chosen = (self.rate, self.key, self.dropped_step)
        if self.group is None:
            kernels.elementwise.dropout(x.reshape(-1), y.reshape(-1), *chosen, self.first_sample * size)
        else:
            rows, first = (len(x), size), self.first_sample * self.groups
            kernels.elementwise.dropout_groups(
                x.reshape(rows), y.reshape(rows), self.group, self.groups, *chosen, first
            )
        return y


@dataclass(eq=False, repr=False)
class Dropout(Dropping, only_kernels=True):
    """While training, set a random fraction of the elements to 0 and scale the others up to keep the mean.

    Which elements are dropped depends on the layer's seed, the number of the training step and the
    element's place in the batch alone. Srivastava et al., "Dropout: A Simple Way to Prevent Neural
    Networks from Overfitting" (JMLR 2014).

    Args:
        rate: the fraction dropped, 0 <= rate < 1.
        noise_shape: for each axis, the batch's first, None (each element by itself), or 1 (all along it
            together); default: each element by itself.
        seed: of what is dropped; default: it follows from the model's.

    Raises:
        ValueError: rate is outside that range, or noise_shape does not fit the input.

    Example:
        >>> layer = Dropout(0.5)
        >>> layer.build(1000)
        (1000,)
        >>> ones = np.ones((1, 1000))
        >>> float(layer.forward(ones).mean())
        1.0
        >>> sorted(set(layer.forward(ones, training=True)[0].tolist()))
        [0.0, 2.0]
    """

    rate: float
    noise_shape: Sequence[int | None] | None = None
    seed: Any = None

    def sizes(self, input_shape: Shape) -> Sequence[int | None] | None:
        """Return the noise_shape, checked."""
        if self.noise_shape is None:
            return None
        wanted = [*self.noise_shape] if is_sequence(self.noise_shape) else []
        fits = len(wanted) == len(input_shape) + 1 and wanted[0] in (None, 1)
        fits = fits and all(one in (None, 1, size) for one, size in zip(wanted[1:], input_shape, strict=True))
        if not fits:
            raise ValueError(
                f"{self.title}: noise_shape must be None or 1 for the batch, and for each axis of a sample "
                f"of shape {input_shape} None, 1 or its size; got {self.noise_shape!r}."
            )
        return wanted


@dataclass(eq=False, repr=False)
class SpatialDropout2D(Dropping, only_kernels=True):
    """While training, set a random fraction of each image's channels to 0 and scale the others up.

    Tompson et al., "Efficient Object Localization Using Convolutional Networks" (CVPR 2015).

    Args:
        rate: the fraction dropped, 0 <= rate < 1.
        data_format: None or "channels_last".
        seed: of what is dropped; default: it follows from the model's.

    Raises:
        ValueError: rate is outside that range, or the channels are not last.

    Example:
        >>> layer = SpatialDropout2D(0.5, seed=4)
        >>> layer(np.ones((1, 2, 1, 3)), training=True)[0, :, 0].tolist()
        [[2.0, 0.0, 2.0], [2.0, 0.0, 2.0]]
    """

    rate: float
    data_format: str | None = None
    seed: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_data_format("SpatialDropout2D", self.data_format)

    def sizes(self, input_shape: Shape) -> Sequence[int | None]:
        """Return that pixels are dropped together."""
        as_image(self.title, input_shape, 2)
        return None, 1, 1, None


@dataclass(eq=False, repr=False)
class SpatialDropout1D(Dropping, only_kernels=True):
    """While training, set a random fraction of each sequence's channels to 0 and scale the others up.

    Args:
        rate, seed: as for `SpatialDropout2D`.

    Raises:
        ValueError: rate is outside its range.

    Example:
        >>> layer = SpatialDropout1D(0.5, seed=4)
        >>> layer(np.ones((1, 2, 3)), training=True)[0].tolist()
        [[2.0, 0.0, 2.0], [2.0, 0.0, 2.0]]
    """

    rate: float
    seed: Any = None

    def sizes(self, input_shape: Shape) -> Sequence[int | None]:
        """Return that steps are dropped together."""
        as_image(self.title, input_shape, 1)
        return None, 1, None
