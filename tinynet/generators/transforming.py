"""Transformations of images by given parameters, pixel for pixel those of Keras's `ImageDataGenerator`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from .drawing import Parameters

Array = NDArray[Any]

FILL_MODES = ("constant", "nearest", "reflect", "wrap")


def transformed(images: Array, parameters: Parameters, fill_mode: str, cval: float, order: int) -> Array:
    """Return transformed copies of images.

    Args:
        images: (N, height, width, channels), float32 or float64, contiguous.
        parameters: (N,) each, see `Ranges.draw`.
        fill_mode: what lies beyond the border, one of FILL_MODES.
        cval: the value there, with "constant".
        order: of the interpolation, 0 or 1.

    Returns:
        (N, height, width, channels): moved, then the channels shifted, then flipped, then made brighter.
    """
    moved = np.empty_like(images)
    places = _places(parameters, *images.shape[1:3])
    kernels.affine.transform(images, places, order, FILL_MODES.index(fill_mode), float(cval), moved)
    if parameters["channel_shift_intensity"] is not None:
        moved = _channels_shifted(moved, parameters["channel_shift_intensity"])
    for name, axis in (("flip_horizontal", 2), ("flip_vertical", 1)):
        if parameters[name].any():
            moved[parameters[name]] = np.flip(moved[parameters[name]], axis)
    if parameters["brightness"] is not None:
        moved[:] = _brightened(moved, parameters["brightness"])
    return moved


def _places(parameters: Parameters, height: int, width: int) -> NDArray[np.float64]:
    """Return the places that are read for each place of a transformation: (N, 2, 3), see kernels/affine.py.

    The product is rotation · shift · shear · zoom, with the origin in the middle. Keras has height and width
    the other way round there, so that images which are no squares turn about a point off their middle; so do
    they here.
    """
    theta, shear = np.deg2rad(parameters["theta"]), np.deg2rad(parameters["shear"])
    one, zero = np.ones(len(theta)), np.zeros(len(theta))
    cosine, sine = np.cos(theta), np.sin(theta)
    zx, zy, tx, ty = (one * parameters[name] for name in ("zx", "zy", "tx", "ty"))
    x, y = one * (height / 2 - 0.5), one * (width / 2 - 0.5)
    place = _matrices([[cosine, -sine, zero], [sine, cosine, zero]])
    place = place @ _matrices([[one, zero, tx], [zero, one, ty]])
    place = place @ _matrices([[one, -np.sin(shear), zero], [zero, np.cos(shear), zero]])
    place = place @ _matrices([[zx, zero, zero], [zero, zy, zero]])
    middle = (_matrices([[one, zero, sign * x], [zero, one, sign * y]]) for sign in (1, -1))
    place = next(middle) @ place @ next(middle)
    # From (x, y) to (row, column).
    return np.ascontiguousarray(place[:, [[1], [0]], [[1, 0, 2]]])


def _matrices(rows: list[list[Array]]) -> Array:
    """Return (N, 3, 3) of the first two rows, whose elements are (N,)."""
    count = len(rows[0][0])
    matrices = np.zeros((count, 3, 3))
    matrices[:, :2] = np.moveaxis(np.array(rows), 2, 0)
    matrices[:, 2, 2] = 1
    return matrices


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
