"""Depthwise convolution, in which every channel is convolved with a kernel of its own; forward and backward.

In every kernel padded is (N, PH, PW, D), the kernel (KH, KW, D), y and dy are (N, OH, OW, D), and the tap
(ky, kx) of output pixel (oy, ox) is the pixel (oy * stride_y + ky * dilation_y, ox * stride_x + kx *
dilation_x). Every sum is held in a register, and adds its products in the order of the loops.

Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions" (CVPR 2017).
"""

from __future__ import annotations

from .cpu import VECTOR_BYTES
from .jit import Array, kernel
from .vector import broadcast, load, multiply_add, store, where_greater


@kernel
def convolve(
    padded: Array,
    weights: Array,
    bias: Array,
    y: Array,
    stride_y: int,
    stride_x: int,
    dilation_y: int,
    dilation_x: int,
    relu: bool,
) -> None:
    """Write y[n, oy, ox, d] = bias[d] + the sum over the taps of padded * weights[ky, kx, d], then ReLU.

    Args:
        padded, weights, y: as above; y is written.
        bias: (D,), or (0,) for none.
        stride_y, stride_x, dilation_y, dilation_x: steps between windows, and between taps.
        relu: whether negative results become 0.
    """
    samples, height, width, channels = padded.shape
    kernel_height, kernel_width, _ = weights.shape
    _, out_height, out_width, _ = y.shape
    lanes = VECTOR_BYTES // padded.itemsize
    zero = broadcast(padded.dtype.type(0))
    pixels, taps, results, place = padded.reshape(-1), weights.reshape(-1), y.reshape(-1), 0
    for n in range(samples):
        for oy in range(out_height):
            for ox in range(out_width):
                for c in range(0, channels, lanes):
                    count = channels - c
                    total = load(bias, c, bias.size - c)
                    for ky in range(kernel_height):
                        row = (n * height + oy * stride_y + ky * dilation_y) * width + ox * stride_x
                        for kx in range(kernel_width):
                            pixel = load(pixels, (row + kx * dilation_x) * channels + c, count)
                            tap = load(taps, (ky * kernel_width + kx) * channels + c, count)
                            total = multiply_add(pixel, tap, total)
                    if relu:
                        total = where_greater(zero, total, zero, total)
                    store(results, place + c, count, total)
                place += channels


@kernel
def weights_gradient(
    padded: Array,
    dy: Array,
    gradient: Array,
    stride_y: int,
    stride_x: int,
    dilation_y: int,
    dilation_x: int,
) -> None:
    """Write gradient[ky, kx, d] = the sum over n, oy, ox of padded * dy[n, oy, ox, d].

    Args:
        padded, dy: as above.
        gradient: (KH, KW, D), written.
        stride_y, stride_x, dilation_y, dilation_x: as for `convolve`.
    """
    samples, height, width, channels = padded.shape
    kernel_height, kernel_width, _ = gradient.shape
    _, out_height, out_width, _ = dy.shape
    lanes = VECTOR_BYTES // padded.itemsize
    pixels, upstream, sums = padded.reshape(-1), dy.reshape(-1), gradient.reshape(-1)
    sums[:] = 0
    for n in range(samples):
        for ky in range(kernel_height):
            for kx in range(kernel_width):
                tap = (ky * kernel_width + kx) * channels
                for c in range(0, channels, lanes):
                    count = channels - c
                    total = load(sums, tap + c, count)
                    for oy in range(out_height):
                        row = (n * height + oy * stride_y + ky * dilation_y) * width + kx * dilation_x
                        place = (n * out_height + oy) * out_width * channels + c
                        for ox in range(out_width):
                            pixel = load(pixels, (row + ox * stride_x) * channels + c, count)
                            total = multiply_add(pixel, load(upstream, place, count), total)
                            place += channels
                    store(sums, tap + c, count, total)


@kernel
def input_gradient(
    dy: Array,
    weights: Array,
    gradient: Array,
    stride_y: int,
    stride_x: int,
    dilation_y: int,
    dilation_x: int,
) -> None:
    """Write the gradient with respect to padded: each pixel's sum over the taps that it was of weights * dy.

    Args:
        dy, weights: as above.
        gradient: (N, PH, PW, D), written.
        stride_y, stride_x, dilation_y, dilation_x: as for `convolve`.
    """
    samples, height, width, channels = gradient.shape
    kernel_height, kernel_width, _ = weights.shape
    _, out_height, out_width, _ = dy.shape
    lanes = VECTOR_BYTES // dy.itemsize
    zero = broadcast(dy.dtype.type(0))
    upstream, taps, sums, place = dy.reshape(-1), weights.reshape(-1), gradient.reshape(-1), 0
    for n in range(samples):
        for py in range(height):
            for px in range(width):
                for c in range(0, channels, lanes):
                    count = channels - c
                    total = zero
                    for ky in range(kernel_height):
                        oy = py - ky * dilation_y
                        if oy < 0 or oy % stride_y != 0 or oy // stride_y >= out_height:
                            continue
                        row = (n * out_height + oy // stride_y) * out_width
                        for kx in range(kernel_width):
                            ox = px - kx * dilation_x
                            if ox < 0 or ox % stride_x != 0 or ox // stride_x >= out_width:
                                continue
                            one = load(upstream, (row + ox // stride_x) * channels + c, count)
                            tap = load(taps, (ky * kernel_width + kx) * channels + c, count)
                            total = multiply_add(one, tap, total)
                    store(sums, place + c, count, total)
                place += channels
