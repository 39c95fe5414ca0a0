"""Layers that turn, move, zoom and mirror images at random while a model trains."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import kernels
from .base import Array
from .geometry import Shape, check_data_format, image_shape
from .seeded import Seeded

FILL_MODES = ("constant", "nearest", "reflect", "wrap")  # in the order of the kernel's numbers
FLIPS = {"horizontal": (0.0, 0.5), "vertical": (0.5, 0.0), "horizontal_and_vertical": (0.5, 0.5)}


class RandomTransform(Seeded, only_kernels=True):
    """The base of layers that read images at other places of themselves.

    A subclass says in `ranges` what is drawn. Which numbers are drawn depends on the layer's seed, the number
    of the training step and the sample's place in the batch alone; they are not those that Keras draws.
    """

    data_format: str | None
    fill_mode: str = "reflect"
    interpolation: str = "bilinear"
    fill_value: float = 0.0

    def ranges(self) -> list[float]:
        """Return the ranges of `kernels.transforms.draw_maps`."""
        raise NotImplementedError

    def __post_init__(self) -> None:
        name = type(self).__name__
        self.keep_seed()
        check_data_format(name, self.data_format)
        if self.fill_mode not in FILL_MODES:
            raise ValueError(f"{name}: fill_mode must be one of {FILL_MODES}; got {self.fill_mode!r}.")
        if self.interpolation not in ("bilinear", "nearest"):
            raise ValueError(
                f"{name}: interpolation must be 'bilinear' or 'nearest'; got {self.interpolation!r}."
            )
        self.drawn_ranges = np.array(self.ranges())  # raises if a factor is none

    @property
    def varies(self) -> bool:
        """Whether training changes the output."""
        return True

    def declare(self, input_shape: Shape, random: np.random.Generator) -> Shape:
        """Derive the layer's key from its seed; see `Layer.declare`."""
        image_shape(self.title, input_shape)
        self.drawn_step: Array  # what `forward` remembers
        self.key = random.integers(0, 2**32, 2, np.uint32)
        return input_shape

    def maps(self, name: str, samples: int) -> Array:
        """Return the maps of the remembered step."""
        assert self.input_shape is not None
        height, width, _ = self.input_shape
        maps = self.empty(name, (samples, 6), dtype=np.float64)
        kernels.transforms.draw_maps(
            self.key, self.drawn_step, self.first_sample, self.drawn_ranges, height, width, maps
        )
        return maps

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Transform images while training, else return x; see `Layer.forward`.

        A layer that is used alone draws others at every call; a model that trains counts the steps itself.
        """
        x = self.check_input(x)
        if not training:
            return x
        self.remember(x=x, drawn_step=self.step_cell.copy() if self.workspace is None else self.step_cell)
        if self.workspace is None:
            self.step += 1
        y, fill = self.empty("y", x.shape), FILL_MODES.index(self.fill_mode)
        nearest = self.interpolation == "nearest"
        kernels.transforms.transform(x, self.maps("maps", len(x)), fill, float(self.fill_value), nearest, y)
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Send each dy to the pixels that were read; see `Layer.backward`."""
        _, dy = self.check_upstream(self.x, dy)
        dx, fill = self.empty("dx", dy.shape), FILL_MODES.index(self.fill_mode)
        nearest = self.interpolation == "nearest"
        kernels.transforms.transform_gradient(dy, self.maps("maps again", len(dy)), fill, nearest, dx)
        return dx


def factor_range(title: str, what: str, factor: Any) -> tuple[float, float]:
    """Return a factor, a number for both directions or two bounds, as (lowest, highest), or raise."""
    bounds = [*factor] if isinstance(factor, Sequence) and not isinstance(factor, str) else [factor]
    numeric = all(isinstance(one, int | float | np.number) and -1 <= one <= 1 for one in bounds)
    if not numeric or len(bounds) not in (1, 2):
        raise ValueError(
            f"{title}: {what} must be a number from -1 to 1, for both directions, or two of them, the lowest "
            f"and the highest; got {factor!r}."
        )
    low, high = sorted(map(float, bounds)) if len(bounds) == 2 else (-abs(float(factor)), abs(float(factor)))
    return low, high


@dataclass(eq=False, repr=False)
class RandomFlip(RandomTransform, only_kernels=True):
    """While training, mirror each image with a probability of one half.

    Args:
        mode: "horizontal" (left to right), "vertical", or "horizontal_and_vertical" (default: each by
            itself).
        seed: of the numbers drawn; default: it follows from the model's.
        data_format: None or "channels_last".

    Raises:
        ValueError: mode is none of these.

    Example:
        >>> layer = RandomFlip("horizontal", seed=1)
        >>> images = np.arange(2.0).reshape(1, 1, 2, 1)
        >>> sorted({tuple(layer(images, training=True).ravel().tolist()) for _ in range(20)})
        [(0.0, 1.0), (1.0, 0.0)]
    """

    mode: str = "horizontal_and_vertical"
    seed: Any = None
    data_format: str | None = None

    def ranges(self) -> list[float]:
        """Return what is drawn: only flips."""
        if self.mode not in FLIPS:
            raise ValueError(f"RandomFlip: mode must be one of {tuple(FLIPS)}; got {self.mode!r}.")
        return [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, *FLIPS[self.mode]]


@dataclass(eq=False, repr=False)
class RandomRotation(RandomTransform, only_kernels=True):
    """While training, turn each image about its centre.

    Args:
        factor: the largest angle, as a part of a full turn, in both directions, or the lowest and the
            highest, counterclockwise.
        fill_mode: what lies outside of an image: "reflect" (default), "wrap", "constant" or "nearest".
        interpolation: "bilinear" (default) or "nearest".
        seed: of the numbers drawn; default: it follows from the model's.
        fill_value: of the mode "constant"; default 0.
        data_format: None or "channels_last".

    Raises:
        ValueError: an argument is not what is said above.

    Example:
        >>> layer = RandomRotation((0.5, 0.5))
        >>> layer(np.arange(4.0).reshape(1, 2, 2, 1), training=True)[0, :, :, 0].round(3)
        array([[3., 2.],
               [1., 0.]], dtype=float32)
    """

    factor: float | Sequence[float]
    fill_mode: str = "reflect"
    interpolation: str = "bilinear"
    seed: Any = None
    fill_value: float = 0.0
    data_format: str | None = None

    def ranges(self) -> list[float]:
        """Return what is drawn: only an angle."""
        low, high = factor_range("RandomRotation", "factor", self.factor)
        return [2 * math.pi * low, 2 * math.pi * high, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0]


@dataclass(eq=False, repr=False)
class RandomTranslation(RandomTransform, only_kernels=True):
    """While training, move each image.

    Args:
        height_factor, width_factor: the largest shifts down and to the right, as parts of height and width,
            in both directions, or the lowest and the highest.
        fill_mode, interpolation, seed, fill_value, data_format: as for `RandomRotation`.

    Raises:
        ValueError: an argument is not what is said above.

    Example:
        >>> layer = RandomTranslation(0, (0.5, 0.5), fill_mode="constant")
        >>> layer(np.arange(1.0, 5.0).reshape(1, 2, 2, 1), training=True)[0, :, :, 0]
        array([[0., 1.],
               [0., 3.]], dtype=float32)
    """

    height_factor: float | Sequence[float]
    width_factor: float | Sequence[float]
    fill_mode: str = "reflect"
    interpolation: str = "bilinear"
    seed: Any = None
    fill_value: float = 0.0
    data_format: str | None = None

    def ranges(self) -> list[float]:
        """Return what is drawn: only shifts."""
        down = factor_range("RandomTranslation", "height_factor", self.height_factor)
        right = factor_range("RandomTranslation", "width_factor", self.width_factor)
        return [0, 0, *down, *right, 1, 1, 1, 1, 0, 0]


@dataclass(eq=False, repr=False)
class RandomZoom(RandomTransform, only_kernels=True):
    """While training, make each image smaller (positive factors) or larger (negative ones) about its centre.

    Args:
        height_factor: the largest change of what is seen, as a part of the height, in both directions, or the
            lowest and the highest: 0.2 shows 1.2 times the height.
        width_factor: the same for the width; default: as drawn for the height, so that shapes are kept.
        fill_mode, interpolation, seed, fill_value, data_format: as for `RandomRotation`.

    Raises:
        ValueError: an argument is not what is said above.

    Example:
        >>> layer = RandomZoom((-0.5, -0.5))
        >>> layer(np.arange(3.0).reshape(1, 1, 3, 1), training=True).ravel()
        array([0.5, 1. , 1.5], dtype=float32)
    """

    height_factor: float | Sequence[float]
    width_factor: float | Sequence[float] | None = None
    fill_mode: str = "reflect"
    interpolation: str = "bilinear"
    seed: Any = None
    fill_value: float = 0.0
    data_format: str | None = None

    def ranges(self) -> list[float]:
        """Return what is drawn: only sizes."""
        low, high = factor_range("RandomZoom", "height_factor", self.height_factor)
        wide = [math.nan, math.nan]
        if self.width_factor is not None:
            wide = [1 + bound for bound in factor_range("RandomZoom", "width_factor", self.width_factor)]
        return [0, 0, 0, 0, 0, 0, 1 + low, 1 + high, *wide, 0, 0]
