"""Max and average pooling over windows of an image, forward and backward.

In every kernel x and dx are (N, H, W, C); y and dy are (N, OH, OW, C); the window of output pixel
(oy, ox) is pool_y x pool_x pixels from (oy * stride_y - top, ox * stride_x - left) on, of which only the
part inside the image counts. The inner loops run over contiguous channels, so that they vectorise.
"""

from __future__ import annotations

import numpy as np

from .cpu import VECTOR_BYTES
from .jit import Array, kernel
from .vector import add, broadcast, larger, load, store, where_equal, where_greater


@kernel
def max_pool(
    x: Array, y: Array, pool_y: int, pool_x: int, stride_y: int, stride_x: int, top: int, left: int
) -> None:
    """Write the largest value of each window to y; a NaN in a window is its result."""
    height, width, channels = x.shape[1], x.shape[2], x.shape[3]
    lanes, place = VECTOR_BYTES // x.itemsize, 0
    lowest = broadcast(x.dtype.type(-np.inf))
    for n in range(len(x)):
        for oy in range(y.shape[1]):
            y0, y1 = max(oy * stride_y - top, 0), min(oy * stride_y - top + pool_y, height)
            for ox in range(y.shape[2]):
                x0, x1 = max(ox * stride_x - left, 0), min(ox * stride_x - left + pool_x, width)
                for c in range(0, channels, lanes):
                    largest = lowest
                    for iy in range(y0, y1):
                        row = (n * height + iy) * width * channels + c
                        for ix in range(x0, x1):
                            largest = larger(largest, load(x, row + ix * channels, channels - c))
                    store(y, place + c, channels - c, largest)
                place += channels


@kernel
def max_pool_gradient(
    x: Array,
    y: Array,
    dy: Array,
    dx: Array,
    pool_y: int,
    pool_x: int,
    stride_y: int,
    stride_x: int,
    top: int,
    left: int,
) -> None:
    """Write to dx each dy at the first place of its window that holds the window's largest value."""
    samples, height, width, channels = x.shape
    _, out_height, out_width, _ = y.shape
    lanes = VECTOR_BYTES // x.itemsize
    zero = broadcast(x.dtype.type(0))
    pixels, results, upstream, gradient, place = (
        x.reshape(-1),
        y.reshape(-1),
        dy.reshape(-1),
        dx.reshape(-1),
        0,
    )
    covers = out_height * stride_y - top >= height and out_width * stride_x - left >= width
    apart = pool_y == stride_y and pool_x == stride_x and covers  # every pixel is in exactly one window
    if not apart:
        gradient[:] = 0
    for n in range(samples):
        for oy in range(out_height):
            y0, y1 = max(oy * stride_y - top, 0), min(oy * stride_y - top + pool_y, height)
            for ox in range(out_width):
                x0, x1 = max(ox * stride_x - left, 0), min(ox * stride_x - left + pool_x, width)
                for c in range(0, channels, lanes):
                    count = channels - c
                    largest, remaining = load(results, place + c, count), load(upstream, place + c, count)
                    for iy in range(y0, y1):
                        row = (n * height + iy) * width * channels + c
                        for ix in range(x0, x1):
                            i = row + ix * channels
                            value = load(pixels, i, count)
                            here = where_equal(value, largest, remaining, zero)
                            remaining = where_equal(value, largest, zero, remaining)
                            store(gradient, i, count, here if apart else add(here, load(gradient, i, count)))
                place += channels


@kernel
def max_pool_places(x: Array, y: Array, place: Array, pool_y: int, pool_x: int, relu: bool) -> None:
    """Pool windows that lie side by side, and remember where each maximum came from.

    y[n, oy, ox, c] = the largest of x[n, pool_y * oy + iy, pool_x * ox + ix, c], and
    place[n, oy, ox, c] = pool_x * iy + ix of the first pixel that holds it, or -1 where a ReLU that x has
    been through lets no gradient pass.

    Args:
        x: (N, H, W, C) with H >= pool_y * OH and W >= pool_x * OW.
        y: (N, OH, OW, C), written.
        place: (N, OH, OW, C) of the same dtype, written.
        pool_y, pool_x: size and steps of the windows.
        relu: whether x is the output of a ReLU.
    """
    height, width, channels = x.shape[1], x.shape[2], x.shape[3]
    number, lanes, window = x.dtype.type, VECTOR_BYTES // x.itemsize, 0
    zero, nowhere, lowest = broadcast(number(0)), broadcast(number(-1)), broadcast(number(-np.inf))
    for n in range(len(y)):
        for oy in range(y.shape[1]):
            for ox in range(y.shape[2]):
                first = ((n * height + oy * pool_y) * width + ox * pool_x) * channels
                for c in range(0, channels, lanes):
                    largest, where = lowest, zero
                    for iy in range(pool_y):
                        for ix in range(pool_x):
                            value = load(x, first + (iy * width + ix) * channels + c, channels - c)
                            where = where_greater(value, largest, broadcast(number(iy * pool_x + ix)), where)
                            largest = larger(largest, value)
                    if relu:
                        where = where_greater(largest, zero, where, nowhere)
                    store(y, window + c, channels - c, largest)
                    store(place, window + c, channels - c, where)
                window += channels


@kernel
def max_pool_places_gradient(
    dy: Array, place: Array, padded: Array, pool_y: int, pool_x: int, top: int, left: int, total: Array
) -> None:
    """Undo `max_pool_places` and the ReLU before it, pad, and sum over pixels, in one pass.

    padded[n, top + pool_y * oy + iy, left + pool_x * ox + ix, c] = dy[n, oy, ox, c] where
    place[n, oy, ox, c] = pool_x * iy + ix; 0 elsewhere; total[c] += the sum of that.

    Args:
        dy: (N, OH, OW, C) upstream gradient.
        place: (N, OH, OW, C) what `max_pool_places` wrote.
        padded: (N, PH, PW, C) with PH >= top + pool_y * OH, PW likewise, written everywhere.
        pool_y, pool_x: size and steps of the windows.
        top, left: rows and columns of zeros before the pixels.
        total: (C,) or (0,) if it is not wanted; added to.
    """
    out_height, out_width, channels, height = dy.shape[1], dy.shape[2], dy.shape[3], padded.shape[1]
    number, lanes, size = dy.dtype.type, VECTOR_BYTES // dy.itemsize, padded.shape[2] * channels
    zero, nowhere, before = broadcast(number(0)), broadcast(number(-1)), left * channels
    for row in range(len(padded) * height):
        begin, y = row * size, row % height - top
        inside = 0 <= y < out_height * pool_y
        if not inside or out_width * pool_x * channels < size:
            for i in range(0, size, lanes):
                store(padded, begin + i, size - i, zero)
        window = (row // height * out_height + y // pool_y) * out_width * channels
        for c in range(0, channels if inside else 0, lanes):
            count = channels - c
            column_sum = load(total, c, total.size - c)
            for ox in range(out_width):
                value = load(dy, window + ox * channels + c, count)
                where = load(place, window + ox * channels + c, count)
                if y % pool_y == 0:
                    column_sum = add(column_sum, where_greater(where, nowhere, value, zero))
                for ix in range(pool_x):
                    here = where_equal(where, broadcast(number(y % pool_y * pool_x + ix)), value, zero)
                    store(padded, begin + before + (ox * pool_x + ix) * channels + c, count, here)
            store(total, c, total.size - c, column_sum)


@kernel
def average_pool(
    x: Array, y: Array, pool_y: int, pool_x: int, stride_y: int, stride_x: int, top: int, left: int
) -> None:
    """Write the mean of each window to y; padding does not count."""
    samples, height, width, channels = x.shape
    _, out_height, out_width, _ = y.shape
    for n in range(samples):
        for oy in range(out_height):
            y0, y1 = max(oy * stride_y - top, 0), min(oy * stride_y - top + pool_y, height)
            for ox in range(out_width):
                x0, x1 = max(ox * stride_x - left, 0), min(ox * stride_x - left + pool_x, width)
                mean = y[n, oy, ox]
                mean[:] = 0
                for iy in range(y0, y1):
                    for ix in range(x0, x1):
                        value = x[n, iy, ix]
                        for c in range(channels):
                            mean[c] += value[c]
                mean /= x.dtype.type((y1 - y0) * (x1 - x0))


@kernel
def average_pool_gradient(
    dy: Array, dx: Array, pool_y: int, pool_x: int, stride_y: int, stride_x: int, top: int, left: int
) -> None:
    """Write to dx the sum over the windows that hold a pixel of dy / the window's number of pixels."""
    samples, height, width, channels = dx.shape
    _, out_height, out_width, _ = dy.shape
    dx[:] = 0
    for n in range(samples):
        for oy in range(out_height):
            y0, y1 = max(oy * stride_y - top, 0), min(oy * stride_y - top + pool_y, height)
            for ox in range(out_width):
                x0, x1 = max(ox * stride_x - left, 0), min(ox * stride_x - left + pool_x, width)
                share = dx.dtype.type(1) / dx.dtype.type((y1 - y0) * (x1 - x0))
                upstream = dy[n, oy, ox]
                for iy in range(y0, y1):
                    for ix in range(x0, x1):
                        gradient = dx[n, iy, ix]
                        for c in range(channels):
                            gradient[c] += upstream[c] * share
