"""Transformations of images by given parameters, pixel for pixel those of Keras's `ImageDataGenerator`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from ..elementary import cosine, sine
from .drawing import Parameters

Array = NDArray[Any]

FILL_MODES = ("constant", "nearest", "reflect", "wrap")


def transform(
    images: Array, parameters: Parameters, fill_mode: str, cval: float, order: int, moved: Array
) -> None:
    """Write transformed copies of images: moved, then the channels shifted, then flipped, then made brighter.

    Args:
        images: (N, height, width, channels), float32 or float64, contiguous.
        parameters: (N,) each, see `Ranges.draw`.
        fill_mode: what lies beyond the border, one of FILL_MODES.
        cval: the value there, with "constant".
        order: of the interpolation, 0 or 1.
        moved: like images, overwritten.
    """
    places = _places(parameters, *images.shape[1:3])
    kernels.affine.transform(images, places, order, FILL_MODES.index(fill_mode), float(cval), moved)
    if parameters["channel_shift_intensity"] is not None:
        moved[:] = _channels_shifted(moved, parameters["channel_shift_intensity"])
    for name, axis in (("flip_horizontal", 2), ("flip_vertical", 1)):
        if parameters[name].any():
            moved[parameters[name]] = np.flip(moved[parameters[name]], axis)
    if parameters["brightness"] is not None:
        moved[:] = _brightened(moved, parameters["brightness"])


def _places(parameters: Parameters, height: int, width: int) -> NDArray[np.float64]:
    """Return the places that are read for each place of a transformation: (N, 2, 3), see kernels/affine.py.

    They are (x, y) = rotation · (shift + shear · zoom · (x, y)), the origin in the middle. Keras takes the
    height for the middle's x and the width for its y, so that images which are no squares turn about a point
    off their middle; so do they here. The sums have its order, so that borders fall where they do in Keras.
    """
    zx, zy, tx, ty = (parameters[name] for name in ("zx", "zy", "tx", "ty"))
    theta, shear = np.deg2rad(parameters["theta"]), np.deg2rad(parameters["shear"])
    along, turned = cosine(theta), sine(theta)
    slant, upright = -sine(shear), cosine(shear)
    x, y = height / 2 - 0.5, width / 2 - 0.5
    places = np.empty((len(theta), 2, 3))
    for row, first, second in ((1, along, -turned), (0, turned, along)):  # x is the column, y the row
        places[:, row, 1] = across = first * zx
        places[:, row, 0] = down = (first * slant + second * upright) * zy
        shift = first * tx + second * ty
        places[:, row, 2] = -across * x - down * y + (shift + (x if row else y))
    return places


def _channels_shifted(images: Array, intensity: Array) -> Array:
    """Add to all pixels of each image, and stay between its least and its greatest."""
    low, high = images.min((1, 2, 3), keepdims=True), images.max((1, 2, 3), keepdims=True)
    shifted: Array = np.clip(images + intensity.astype(images.dtype)[:, None, None, None], low, high)
    return shifted


def _brightened(images: Array, factors: Array) -> Array:
    """Multiply the pixels of each image, as whole numbers from 0 to 255, by its factor; but not alpha's."""
    low, high = images.min((1, 2, 3), keepdims=True), images.max((1, 2, 3), keepdims=True)
    scaled = (low < 0) | (high > 255)  # these have other numbers, and get them again
    least, extent, whole = (number.astype(np.float32) for number in (low, high - low, np.full(1, 255)))
    pixels = np.asarray(images, np.float32)
    spread = (pixels - least) / np.where(extent == 0, np.float32(1), extent) * whole
    pixels = np.trunc(np.where(scaled, spread, pixels))
    brighter = np.trunc(np.clip(pixels * factors.astype(np.float32)[:, None, None, None], 0, 255))
    if images.shape[3] == 4:
        brighter[..., 3] = pixels[..., 3]
    brightened: Array = np.where(scaled, brighter / whole * extent + least, brighter)
    return brightened
