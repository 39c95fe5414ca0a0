"""Batch normalization of what a convolution computes, from the moments of the windows that it sees.

Where windows have few elements, as in a network's first layer, the mean and the variance of all outputs
follow from those of the windows' elements: with a kernel k, a bias b and a window w, k'w + b has the mean
k'm + b and the variance k'Vk. So a convolution's outputs, by far the largest array of a network, need not be
there, neither forward nor backward, where pooling lets a quarter of the gradients pass and the statistics
bring the rest.

In all kernels moments is (J + 1, J + 1) float64: sums over all windows of w[i] * w[j], where w[J] is 1. The
kernel is (J, F), the bias (F,) or (0,); gradient (J, F) and passed (F,) are what `pooled_kernel_gradient`
wrote, the sums of the upstream gradients that pooling lets pass, times their windows' elements and alone. The
others are those of normalization.py.
"""

from __future__ import annotations

import numpy as np

from .jit import Array, kernel
from .vector import PARTS, add, broadcast_parts, lane_sum, load_parts, multiply_add


@kernel
def window_moments(padded: Array, taps: Array, height: int, width: int, moments: Array) -> None:
    """Sum the products of all windows' elements.

    Args:
        padded: (N, PH, PW, C).
        taps: (J,) int64 offsets of a window's elements in an image.
        height, width: how many windows an image has below and beside each other, one pixel apart.
        moments: written.
    """
    image, row = padded.shape[1] * padded.shape[2], padded.shape[2]
    channels, last = padded.shape[3], taps.size - 1
    planes, zero = np.empty((channels, image)), broadcast_parts(0.0)
    moments[:] = 0.0
    for n in range(len(padded)):
        pixels = padded[n].reshape(image, channels)
        for c in range(channels):  # one after the other, and in float64
            for i in range(image):
                planes[c, i] = pixels[i, c]
        for i in range(taps.size):
            a = taps[i] % channels * image + taps[i] // channels
            for j in range(i, taps.size, 3):
                second, third = taps[min(j + 1, last)], taps[min(j + 2, last)]
                b = taps[j] % channels * image + taps[j] // channels - a
                c = second % channels * image + second // channels - a
                d = third % channels * image + third // channels - a
                total = total_b = total_c = total_d = zero
                for y in range(height):
                    for x in range(0, width, PARTS):
                        place, count = a + y * row + x, width - x
                        value = load_parts(planes, place, count)
                        total = add(total, value)
                        total_b = multiply_add(value, load_parts(planes, place + b, count), total_b)
                        total_c = multiply_add(value, load_parts(planes, place + c, count), total_c)
                        total_d = multiply_add(value, load_parts(planes, place + d, count), total_d)
                moments[i, j] += lane_sum(total_b)
                if j + 1 <= last:
                    moments[i, j + 1] += lane_sum(total_c)
                if j + 2 <= last:
                    moments[i, j + 2] += lane_sum(total_d)
                if j == i:
                    moments[i, taps.size] += lane_sum(total)
    moments[taps.size, taps.size] = len(padded) * height * width
    for i in range(taps.size + 1):
        for j in range(i):
            moments[i, j] = moments[j, i]


@kernel
def moments_of_outputs(moments: Array, kernel: Array, bias: Array, sums: Array, squares: Array) -> None:
    """Write what `normalization.moments` of a convolution's outputs would.

    Args:
        moments, kernel, bias: see above.
        sums: (F + 1,) float64, written.
        squares: (F,) float64, written.
    """
    size, filters = kernel.shape
    count = moments[size, size]
    table = np.empty((size + 1, size))
    covariance, means = table[:size], table[size]
    for i in range(size):
        means[i] = moments[i, size] / count
    for i in range(size):
        for j in range(size):
            covariance[i, j] = moments[i, j] - means[i] * means[j] * count
    for f in range(filters):
        mean, total = np.float64(bias[f]) if bias.size else 0.0, 0.0
        for i in range(size):
            part = 0.0
            for j in range(size):
                part += covariance[i, j] * kernel[j, f]
            total += part * kernel[i, f]
            mean += means[i] * kernel[i, f]
        sums[f], squares[f] = mean * count, max(total, 0.0)
    sums[filters] = count


@kernel
def gradient_sums(
    gradient: Array, passed: Array, kernel: Array, bias: Array, mean: Array, scale: Array, sums: Array
) -> None:
    """Write what `normalization.gradient_sums` would: sums (2 * F,) float64."""
    size, filters = kernel.shape
    for f in range(filters):
        product = ((np.float64(bias[f]) if bias.size else 0.0) - mean[f]) * passed[f]
        for j in range(size):
            product += np.float64(gradient[j, f]) * kernel[j, f]
        sums[f], sums[filters + f] = passed[f], product * scale[f]


@kernel
def kernel_gradient(
    moments: Array, gradient: Array, kernel: Array, bias: Array, mean: Array, scale: Array, gamma: Array,
    sums: Array, count: Array, dkernel: Array,
) -> None:  # fmt: skip
    """Write the gradient with respect to the kernel.

    With z the outputs before normalization, xhat = (z - mean) * scale, n = the last of count, the sums over
    all windows w: dkernel[j, f] = gamma[f] * scale[f] *
    (gradient[j, f] - sums[f] / n * sum of w[j] - sums[F + f] / n * sum of w[j] * xhat[f]).

    Args:
        moments, gradient, kernel, bias, mean, scale, gamma: see above.
        sums: (2 * F,) float64, the sum of all shards' `gradient_sums`.
        count: float64; or of size 0 where the statistics do not depend on what is computed.
        dkernel: (J, F), written.
    """
    size, filters = kernel.shape
    share = 1.0 / count[count.size - 1] if count.size else 0.0
    for f in range(filters):
        gain = scale[f] * gamma[f] if gamma.size else scale[f]
        total, product = (sums[f], sums[filters + f]) if count.size else (0.0, 0.0)
        away = (np.float64(bias[f]) if bias.size else 0.0) - mean[f]
        for j in range(size):
            value = np.float64(gradient[j, f])
            if count.size:
                seen = away * moments[j, size]
                for i in range(size):
                    seen += moments[i, j] * kernel[i, f]
                value -= share * (total * moments[j, size] + product * scale[f] * seen)
            dkernel[j, f] = gain * value
