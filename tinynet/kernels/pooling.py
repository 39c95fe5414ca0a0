"""Max and average pooling over windows of an image, forward and backward.

In every kernel x and dx are (N, H, W, C); y and dy are (N, OH, OW, C); the window of output pixel
(oy, ox) is pool_y x pool_x pixels from (oy * stride_y - top, ox * stride_x - left) on, of which only the
part inside the image counts. The inner loops run over contiguous channels, so that they vectorise.
"""

from __future__ import annotations

import numpy as np

from .jit import Array, kernel


@kernel
def larger(a: float, b: float) -> float:
    """Return the larger of two numbers, or NaN if there is one."""
    return b if b > a or b != b else a


@kernel
def max_pool(
    x: Array, y: Array, pool_y: int, pool_x: int, stride_y: int, stride_x: int, top: int, left: int
) -> None:
    """Write the largest value of each window to y; a NaN in a window is its result."""
    samples, height, width, channels = x.shape
    _, out_height, out_width, _ = y.shape
    for n in range(samples):
        for oy in range(out_height):
            y0 = oy * stride_y - top
            for ox in range(out_width):
                x0 = ox * stride_x - left
                largest = y[n, oy, ox]
                largest[:] = -np.inf
                for iy in range(max(y0, 0), min(y0 + pool_y, height)):
                    for ix in range(max(x0, 0), min(x0 + pool_x, width)):
                        value = x[n, iy, ix]
                        for c in range(channels):
                            largest[c] = larger(largest[c], value[c])


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
    remaining = np.empty(channels, x.dtype)
    dx[:] = 0
    for n in range(samples):
        for oy in range(out_height):
            y0 = oy * stride_y - top
            for ox in range(out_width):
                x0 = ox * stride_x - left
                largest = y[n, oy, ox]
                remaining[:] = dy[n, oy, ox]
                for iy in range(max(y0, 0), min(y0 + pool_y, height)):
                    for ix in range(max(x0, 0), min(x0 + pool_x, width)):
                        value, gradient = x[n, iy, ix], dx[n, iy, ix]
                        for c in range(channels):
                            here = remaining[c] if value[c] == largest[c] else 0
                            gradient[c] += here
                            remaining[c] = 0 if value[c] == largest[c] else remaining[c]


@kernel
def max_pool_2x2(x: Array, y: Array) -> None:
    """Do what `max_pool` does for 2 x 2 windows that lie side by side: the usual case, twice as fast."""
    _, out_height, out_width, channels = y.shape
    for n in range(x.shape[0]):
        for oy in range(out_height):
            for ox in range(out_width):
                a, b = x[n, 2 * oy, 2 * ox], x[n, 2 * oy, 2 * ox + 1]
                c, d = x[n, 2 * oy + 1, 2 * ox], x[n, 2 * oy + 1, 2 * ox + 1]
                largest = y[n, oy, ox]
                for k in range(channels):
                    largest[k] = larger(larger(a[k], b[k]), larger(c[k], d[k]))


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
