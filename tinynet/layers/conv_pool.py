"""A convolution and the pooling after it as one: what a model runs in the place of the two."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from .. import kernels
from ..execution.recording import each
from .base import Array, Layer
from .conv2d import Conv2D
from .parameter import bias_of
from .pool2d import MaxPool2D

PART_BYTES = 2**19  # of the convolution's output at a time: half of a usual core's own cache
FEW_TAPS = 27  # of a window: then pooling in registers saves more than it costs
BAND_FLOPS = 1e6  # of a single image: then it pays that another thread takes a part of it
SHORT_BAND_FLOPS = 2.5e5  # the same where the sums are pooled in registers


def slices(conv: Conv2D, samples: int) -> list[slice]:
    """Cut a batch into parts of which a convolution's output stays in cache."""
    assert conv.output_shape is not None
    size = max(PART_BYTES // (math.prod(conv.output_shape) * conv.dtype.itemsize), 1)
    return [slice(begin, min(begin + size, samples)) for begin in range(0, max(samples, 1), size)]


def taps_of(conv: Conv2D, padded: Array) -> Array:
    """Return the offsets of a window's elements in the padded images."""
    (height, width), (row, channels) = conv.window, padded.shape[2:]
    return kernels.gather_gemm.offsets(height, width, channels, row * channels, channels, 1, 0)


class ConvPool(Layer, only_kernels=True):
    """Conv2D with ReLU, then MaxPool2D, a few samples at a time.

    The convolution's output, by far the largest array of a network, is pooled while it is in the cache, or in
    registers, and is never kept: of each window only the largest value's place is remembered. The results are
    those of the two layers one after the other, bit for bit; the gradients are sums in another order.

    Args:
        conv: a built convolution that `fits`.
        pool: the pooling after it.
    """

    def __init__(self, conv: Conv2D, pool: MaxPool2D) -> None:
        self.conv, self.pool = conv, pool
        self.name, self.dtype, self.step_cell = conv.name, conv.dtype, conv.step_cell
        self._trainable = conv.trainable
        self.input_shape, self.output_shape = conv.input_shape, pool.output_shape
        self.settle([])

    @staticmethod
    def fits(conv: Layer, pool: Layer) -> bool:
        """Return whether two layers can be run as one."""
        return (
            type(conv) is Conv2D  # and no layer of one's own that derives from it
            and type(pool) is MaxPool2D
            and conv.method != "im2col"
            and not conv.channels_first
            and not pool.channels_first
            and (conv.activation_layer is None or conv.fuses_relu)
            and pool.side_by_side
            and (pool.window == (2, 2) or not conv.uses_winograd)
        )

    @property
    def in_registers(self) -> bool:
        """Whether there are so few products that their sums are pooled before they leave the registers."""
        conv, few = self.conv, self.conv.kernel.value[..., 0].size <= FEW_TAPS
        return few and self.pool.window == (2, 2) and (conv.dilation, conv.groups) == ((1, 1), 1)

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Compute the convolution and pool it; see `Layer.forward`."""
        conv, pool = self.conv, self.pool
        x = self.check_input(x)
        assert self.output_shape is not None
        assert conv.output_shape is not None
        y = self.empty("y", (len(x), *self.output_shape), training)
        if conv.uses_winograd:
            place = self.empty("place", y.shape) if training else y[:0]
            conv.winograd_forward(x, y, place, conv.fuses_relu, training)
            if training:
                self.x, self.y = x, place
            return y
        padded = conv.padded(x, training)
        bias = bias_of(conv)
        if len(x) == 1 and not training:
            return self.forward_bands(padded, bias, y)
        place = self.empty("place", y.shape) if training else y[:0]
        if training:
            self.x, self.y = padded, place
        if self.in_registers:
            kernels.pooled_convolution.convolve_and_pool(
                padded, taps_of(conv, padded), conv.kernel.value, bias, y, place, *conv.steps, conv.fuses_relu
            )
            return y
        parts, kernel = slices(conv, len(x)), conv.weights_of(conv.kernel.value)
        results = self.for_now("results", (parts[0].stop, *conv.output_shape), training)
        for part in parts:
            result = results[: part.stop - part.start]
            kernels.gather_gemm.convolution(
                padded[part], kernel, bias, result, *conv.steps, conv.fuses_relu, *conv.dilation
            )
            if training:
                kernels.pooling.max_pool_places(result, y[part], place[part], *pool.window, conv.fuses_relu)
            else:
                kernels.pooling.max_pool(result, y[part], *pool.geometry)
        return y

    def forward_bands(self, padded: Array, bias: Array, y: Array) -> Array:
        """Compute the output y of a single image, some of its rows at a time, and return it."""
        conv, pool = self.conv, self.pool
        assert conv.output_shape is not None
        _, width, filters = conv.output_shape
        pool_height, step, rows = pool.window[0], conv.steps[0], y.shape[1]
        reach, kernel = (conv.window[0] - 1) * conv.dilation[0] + 1, conv.weights_of(conv.kernel.value)
        flops = 2 * conv.kernel.value.size * pool_height * width  # of a row of y
        size = math.ceil((SHORT_BAND_FLOPS if self.in_registers else BAND_FLOPS) / flops)
        size = math.ceil(rows / math.ceil(rows / size))  # all alike

        def band(number: int) -> None:
            first, last = number * size, min((number + 1) * size, rows)
            begin, end = first * pool_height, last * pool_height
            window = padded[:, begin * step : (end - 1) * step + reach]
            if self.in_registers:
                kernels.pooled_convolution.convolve_and_pool(
                    window,
                    taps_of(conv, padded),
                    conv.kernel.value,
                    bias,
                    y[:, first:last],
                    y[:0],
                    *conv.steps,
                    conv.fuses_relu,
                )
                return
            result = np.empty((1, end - begin, width, filters), self.dtype)
            kernels.gather_gemm.convolution(
                window, kernel, bias, result, *conv.steps, conv.fuses_relu, *conv.dilation
            )
            kernels.pooling.max_pool(result, y[:, first:last], *pool.geometry)

        each(band, math.ceil(rows / size))
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Compute the gradients with respect to kernel, bias and input; see `Layer.backward`."""
        conv = self.conv
        place, dy = self.check_upstream(self.y, dy)
        assert self.x is not None
        bias_gradient = bias_of(conv, "grad")
        kernels.elementwise.fill(bias_gradient, 0.0)
        if conv.uses_winograd:
            dx = self.empty("dx", (len(dy), *conv.image) if self.needs_input_gradient else (0, 0, 0, 0))
            conv.winograd_backward(self.x, dy, place, bias_gradient, dx)
            return dx if self.needs_input_gradient else np.empty(0, self.dtype)
        if self.in_registers and not self.needs_input_gradient:
            kernels.pooled_convolution.pooled_kernel_gradient(
                self.x, taps_of(conv, self.x), dy, place, conv.kernel.grad, bias_gradient, *conv.steps
            )
            return np.empty(0, self.dtype)
        conv.remember(needs_input_gradient=self.needs_input_gradient)
        above, before, height, width = conv.gradient_padding()
        parts = slices(conv, len(dy))
        gradients = self.for_now("gradients", (parts[0].stop, height, width, conv.filters))

        def gradient_of(part: slice) -> Array:
            gradient = gradients[: part.stop - part.start]
            kernels.pooling.max_pool_places_gradient(
                dy[part], place[part], gradient, *self.pool.window, above, before, bias_gradient
            )
            return gradient

        return conv.backward_in_parts(self.x, parts, gradient_of)
