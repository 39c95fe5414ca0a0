"""Images brought to another size as TensorFlow's `tf.image.resize` does it, which Keras's datasets use.

Output pixel i is a weighted mean of the input pixels around the place (i + ½) · size / new_size, in the
middle of which it lies. The weights are a function of the distance, over a fixed number of input pixels
however much an image shrinks (no antialiasing); but for "area", the mean over what the output pixel covers.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..elementary import exp, sine
from ..images.loading import middle

Array = NDArray[Any]


def _cubic(b: float, c: float) -> Callable[[Array], Array]:
    """Return the cubic of Mitchell and Netravali ("Reconstruction filters in computer graphics", 1988)."""

    def weight(x: Array) -> Array:
        near = (12 - 9 * b - 6 * c) * x * x * x + (-18 + 12 * b + 6 * c) * x**2 + (6 - 2 * b)
        far = (-b - 6 * c) * x * x * x + (6 * b + 30 * c) * x**2 + (-12 * b - 48 * c) * x + (8 * b + 24 * c)
        return np.where(x < 1, near, far) / 6

    return weight


def _sinc(x: Array) -> Array:
    angle = np.pi * np.where(x == 0, 1, x)
    return np.where(x == 0, 1, sine(angle) / angle)


# How many pixels away weights reach, and what they are there.
METHODS: dict[str, tuple[float, Callable[[Array], Array]]] = {
    "bilinear": (1.0, lambda x: 1 - x),
    "nearest": (0.5, np.ones_like),
    "bicubic": (2.0, _cubic(0, 0.5)),
    "area": (0.5, np.ones_like),
    "lanczos3": (3.0, lambda x: _sinc(x) * _sinc(x / 3)),
    "lanczos5": (5.0, lambda x: _sinc(x) * _sinc(x / 5)),
    "gaussian": (1.5, lambda x: exp(-2 * x**2)),
    "mitchellcubic": (2.0, _cubic(1 / 3, 1 / 3)),
}


def resized(image: Array, size: tuple[int, int], interpolation: str) -> Array:
    """Return an image in another size.

    Args:
        image: (height, width, channels) float32.
        size: the new (height, width).
        interpolation: one of METHODS.

    Returns:
        (*size, channels) float32.
    """
    for axis, new in enumerate(size):
        indices, weights = _taps(image.shape[axis], new, interpolation)
        shape = (-1, 1, 1) if axis == 0 else (-1, 1)
        parts = (image.take(i, axis) * w.reshape(shape) for i, w in zip(indices, weights, strict=True))
        image = functools.reduce(np.add, parts)
    return image


@functools.lru_cache(256)
def _taps(size: int, new: int, interpolation: str) -> tuple[Array, Array]:
    """Return of which pixels of an axis each of the new ones is made, and their weights: (taps, new) each."""
    places = (np.arange(new) + 0.5) * size / new
    if interpolation == "nearest":
        return np.floor(places).astype(np.int64)[np.newaxis], np.ones((1, new), np.float32)
    reach, weight = METHODS[interpolation]
    if interpolation == "area":
        reach = size / new / 2
    first = np.floor(places - reach).astype(np.int64)
    indices = first + np.arange(int(2 * reach) + 2)[:, np.newaxis]
    if interpolation == "area":  # the part of a pixel that is covered
        weights = np.minimum(indices + 1, places + reach) - np.maximum(indices, places - reach)
        weights = np.maximum(weights, 0)
    else:
        distance = np.abs(indices + 0.5 - places)
        weights = np.where(distance < reach, weight(distance), 0)
    weights = np.where((indices >= 0) & (indices < size), weights, 0)
    used = weights.any(axis=1)
    weights = weights[used] / weights.sum(axis=0)
    return indices[used].clip(0, size - 1), weights.astype(np.float32)


def fitted(image: Array, size: tuple[int, int], interpolation: str, crop: bool, pad: bool) -> Array:
    """Return an image in another size: its middle if it is cropped, all of it amid zeros if it is padded.

    Args:
        image, size, interpolation: see `resized`.
        crop: whether what is outside of the new size's proportions is cut off.
        pad: whether it is padded to these proportions; without both it is stretched.
    """
    if crop:
        left, top, right, bottom = middle(image.shape[1], image.shape[0], size[1], size[0])
        image = image[top:bottom, left:right]
    if not pad:
        return resized(image, size, interpolation)
    old, new = (
        np.array(image.shape[:2], np.float32),
        np.array(size, np.float32),
    )  # whose rounding TensorFlow has
    exact = old / (old / new).max()
    height, width = np.maximum(exact.astype(int), 1)
    top, left = np.maximum((new - exact) / 2, 0).astype(int)
    padded = np.zeros((*size, image.shape[2]), image.dtype)
    padded[top : top + height, left : left + width] = resized(image, (height, width), interpolation)
    return padded
