"""Affine maps of images, pixel for pixel those of SciPy's `affine_transform`, which Keras's generator uses.

The output pixel at (row, column) reads the image at m · (row, column) + offset, linearly between pixels
(order 1) or at the nearest one (order 0). Beyond the border, along each axis of n pixels:

    constant  a value, wherever the position is outside of 0..n−1
    nearest   the pixel at the border
    reflect   d c b a | a b c d | d c b a
    wrap      the period is n − 1: the first pixel lies on the last one
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .jit import kernel

Floats = NDArray[np.floating]

CONSTANT, NEAREST, REFLECT, WRAP = range(4)


@kernel
def folded(position: float, size: int, fill: int) -> float:
    """Bring a position on an axis to where REFLECT or WRAP read it, at most a pixel past the border."""
    last = size - 1.0
    if 0.0 <= position <= last:
        return position
    if size == 1 or not -1e15 < position < 1e15:  # NaN, and where a float holds no fractions
        return 0.0
    if fill == REFLECT:
        period = 2.0 * size
        if position < 0.0:
            position += period * math.floor(-position / period)
            position = position + period if position < -size else -position - 1.0
        else:
            position -= period * math.floor(position / period)
            position = position if position < size else period - position - 1.0
    elif position < 0.0:
        position += last * (math.floor(-position / last) + 1.0)
    else:
        position -= last * math.floor(position / last)
    return position


@kernel
def clamp(value: float, low: float, high: float) -> float:
    """Bring a value, even NaN, between low and high: a position must never lead outside a buffer."""
    value = value if value > low else low
    return value if value < high else high


@kernel
def find_taps(
    places: NDArray[np.float64],
    size: int,
    stride: int,
    order: int,
    fill: int,
    first: NDArray[np.int32],
    second: NDArray[np.int32],
    share: Floats,
    outside: NDArray[np.bool_],
) -> None:
    """Write between which pixels of an axis positions lie, and where between them.

    Args:
        places: (n,) positions on the axis in pixels, overwritten.
        size: of the axis in pixels.
        stride: how far apart they are in memory.
        order, fill: see `move`.
        first: (n,), overwritten: where the pixel before lies in memory.
        second: (n,), overwritten: where the one after it does.
        share: (n,), overwritten: 0 at the first one, 1 at the second.
        outside: (n,), set where the constant is read; else left as it is.
    """
    last = size - 1.0
    if fill == CONSTANT:
        for i in range(places.size):
            outside[i] |= not (0.0 <= places[i] <= last)
    elif fill != NEAREST:
        for i in range(places.size):
            places[i] = folded(places[i], size, fill)
    low, high = (-1.0, float(size)) if fill == REFLECT else (0.0, last)
    half = 0.0 if order else 0.5
    for i in range(places.size):
        place = clamp(places[i], low, high)
        below = math.floor(place + half)
        share[i] = place - below
        first[i] = np.int32(clamp(below, 0.0, last)) * np.int32(stride)
        second[i] = np.int32(clamp(below + 1.0, 0.0, last)) * np.int32(stride)


@kernel
def move(
    image: Floats, place: NDArray[np.float64], order: int, fill: int, cval: float, moved: Floats
) -> None:
    """Write an image whose pixels are read from another one at an affine map of their places.

    Args:
        image: (height, width, channels), contiguous.
        place: (2, 3), the position (row, column) that is read is place · (row, column, 1).
        order: 1 for linear interpolation, 0 for the nearest pixel.
        fill: what lies beyond the border, one of the constants above.
        cval: the value of CONSTANT.
        moved: shaped like image, overwritten.
    """
    height, width, channels = image.shape
    pixels, one = image.reshape(-1), image.dtype.type(1)
    down, right = np.empty(width), np.empty(width)
    below, beside = np.empty(width, image.dtype), np.empty(width, image.dtype)
    top, bottom = np.empty(width, np.int32), np.empty(width, np.int32)
    left, other = np.empty(width, np.int32), np.empty(width, np.int32)
    outside = np.empty(width, np.bool_)
    for row in range(height):
        row_start, column_start = place[0, 2] + row * place[0, 0], place[1, 2] + row * place[1, 0]
        for column in range(width):
            down[column] = row_start + column * place[0, 1]
            right[column] = column_start + column * place[1, 1]
            outside[column] = False
        find_taps(down, height, width * channels, order, fill, top, bottom, below, outside)
        find_taps(right, width, channels, order, fill, left, other, beside, outside)
        for channel in range(channels):
            for column in range(width):
                # Unsigned indices skip Numba's test for negative ones.
                first = pixels[np.uint64(top[column] + left[column] + channel)]
                if order == 1:
                    after = pixels[np.uint64(top[column] + other[column] + channel)]
                    under = pixels[np.uint64(bottom[column] + left[column] + channel)]
                    last = pixels[np.uint64(bottom[column] + other[column] + channel)]
                    first = (one - beside[column]) * first + beside[column] * after
                    under = (one - beside[column]) * under + beside[column] * last
                    first = (one - below[column]) * first + below[column] * under
                moved[row, column, channel] = first
        if fill == CONSTANT:
            for column in range(width):
                if outside[column]:
                    moved[row, column] = cval


@kernel
def transform(
    images: Floats, places: NDArray[np.float64], order: int, fill: int, cval: float, moved: Floats
) -> None:
    """Write an affine map of each image; see `move`. An identity copies, whatever the pixels are.

    Args:
        images: (samples, height, width, channels).
        places: (samples, 2, 3).
        order, fill, cval: see `move`.
        moved: shaped like images, overwritten.
    """
    for sample in range(len(images)):
        place = places[sample]
        first = place[0, 0] == 1.0 and place[0, 1] == 0.0 and place[0, 2] == 0.0
        if first and place[1, 0] == 0.0 and place[1, 1] == 1.0 and place[1, 2] == 0.0:
            moved[sample] = images[sample]
        else:
            move(images[sample], place, order, fill, cval, moved[sample])
