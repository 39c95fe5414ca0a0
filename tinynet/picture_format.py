"""The form in which a model takes pictures: sizes, channels, numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import images
from .layers import (
    BatchNormalization,
    Cropping2D,
    Dropout,
    Flatten,
    Normalization,
    Permute,
    Rescaling,
    Reshape,
    ZeroPadding2D,
)
from .layers.random_transforms import RandomFlip, RandomRotation, RandomTranslation, RandomZoom
from .models import Model

Array = NDArray[Any]
Range = tuple[float, float]

LEAST_SIDE = 8  # of a picture, in pixels; what takes fewer numbers takes something else
UNIT, BYTES = (0.0, 1.0), (0.0, 255.0)
# What leaves numbers as large as they are, and so tells nothing of them.
SILENT = (
    Flatten, Reshape, Permute, ZeroPadding2D, Cropping2D, Dropout, RandomFlip, RandomRotation,
    RandomTranslation, RandomZoom,
)  # fmt: skip


@dataclass(frozen=True)
class PictureFormat:
    """The form in which a model takes pictures.

    Args:
        shape: of its input, such as (28, 28, 1), (784,) or (3, 32, 32); None where any size is taken.
        size: (height, width) of the picture in it, with the same None.
        channels: 1 (grey) or 3 (RGB).
        channels_first: whether they stand before the height.
        value_range: what black and white are.
        inverted: whether the model sees the negative.
    """

    shape: tuple[int | None, ...]
    size: tuple[int | None, int | None]
    channels: int
    channels_first: bool
    value_range: Range = UNIT
    inverted: bool = False

    def fitted_ink(self, pixels: Array) -> Array:
        """Return a digit's pixels (28, 28) in the model's size, in the middle where that is no square."""
        height, width = (side or images.SIZE for side in self.size)
        side = min(height, width)
        canvas = np.zeros((height, width), np.float32)
        top, left = (height - side) // 2, (width - side) // 2
        canvas[top : top + side, left : left + side] = images.resized(pixels, side, side)
        return canvas

    def fitted_photo(self, pixels: Array) -> Array:
        """Return a picture (H, W) or (H, W, 3) in the model's size, stretched to it."""
        height, width = (side or own for side, own in zip(self.size, pixels.shape, strict=False))
        return images.resized(pixels, height, width)

    def encoded(self, pictures: Array) -> Array:
        """Return pictures (N, H, W) or (N, H, W, 3) from 0 to 1 as the model takes them: (N, *shape)."""
        if self.inverted:
            pictures = 1 - pictures
        low, high = self.value_range
        if self.value_range != UNIT:
            pictures = np.float32(low) + pictures * np.float32(high - low)
        if self.channels == 3 and pictures.ndim == 3:  # of ink
            pictures = np.repeat(pictures[..., np.newaxis], 3, axis=3)
        if self.channels_first and self.channels == 3:
            pictures = np.moveaxis(pictures, 3, 1)
        sizes = iter(pictures.shape[1:] if len(self._axes) > 1 else [math.prod(pictures.shape[1:])])
        shape = [1 if size == 1 else next(sizes) for size in self.shape]
        return np.ascontiguousarray(pictures).reshape(len(pictures), *shape)

    @property
    def _axes(self) -> list[int | None]:
        return [size for size in self.shape if size != 1]


def format_of(model: Model) -> PictureFormat:
    """Return the form in which a model takes pictures, as far as its shapes and its first layers say it.

    Raises:
        ValueError: what it takes is no picture.
    """
    if model.output_shape is None:
        raise ValueError(f"{model.title} is not built: it has no shape yet, and has learned nothing.")
    if model.takes_several:
        raise ValueError(
            f"{model.title} has {len(model.open_shapes)} inputs, {model.input_shape}: a model that reads "
            "pictures takes one."
        )
    shape: Any = model.input_shape
    size, channels, first = _read_shape(model, shape)
    return PictureFormat(shape, size, channels, first, known_range(model))


def _read_shape(model: Model, shape: Sequence[int | None]) -> tuple[Any, int, bool]:
    """Return a picture's size, its channels, and whether these come first, by the shape of an input."""
    axes = [size for size in shape if size != 1]
    found: tuple[Any, int, bool] | None = None
    if len(axes) == 1 and axes[0] is not None:
        for channels in (1, 3):
            side = math.isqrt(axes[0] // channels)
            if side**2 * channels == axes[0]:
                found = (side, side), channels, False
    elif len(axes) == 2:
        found = tuple(axes), 1, False
    elif len(axes) == 3 and axes[2] == 3:
        found = tuple(axes[:2]), 3, False
    elif len(axes) == 3 and axes[0] == 3:
        found = tuple(axes[1:]), 3, True
    if found is None or any(side is not None and side < LEAST_SIDE for side in found[0]):
        raise ValueError(
            f"{model.title} takes {tuple(shape)}, which is no picture: that is (height, width) of at least "
            f"{LEAST_SIDE} pixels each, with 1 or 3 channels last or first, or as many numbers in a row as "
            "a square of pixels has, such as (784,)."
        )
    return found


def known_range(model: Model) -> Range:
    """Return what black and white are for a model, as far as its first layer that computes tells it.

    Rescaling by little, such as 1/255, and statistics of large numbers tell of 0 to 255. All else is 0 to 1.
    """
    for call in model.flow().calls:
        layer = call.layer
        if isinstance(layer, SILENT):
            continue
        if isinstance(layer, Rescaling):
            return BYTES if np.abs(layer.scale).max() < 1 / 20 else UNIT
        if isinstance(layer, BatchNormalization):
            return _range_of_statistics(layer.moving_mean.value, layer.moving_variance.value)
        if isinstance(layer, Normalization):
            given = layer.mean is not None
            mean: Any = layer.mean if given else layer.found_mean.value
            variance: Any = layer.variance if given else layer.found_variance.value
            return UNIT if layer.invert else _range_of_statistics(mean, variance)
        break
    return UNIT


def _range_of_statistics(mean: Any, variance: Any) -> Range:
    largest = float(np.max(np.asarray(mean) + 2 * np.sqrt(variance)))
    return BYTES if largest > 10 else UNIT
