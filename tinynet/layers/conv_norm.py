"""A convolution and the batch normalization after it as one: what a model runs in the place of the two."""

from __future__ import annotations

import copy
import math

import numpy as np
from numpy.typing import ArrayLike

from .. import kernels
from ..execution.meeting import meet
from .base import Array, Layer
from .batch_normalization import BatchNormalization
from .conv2d import Conv2D
from .conv_pool import FEW_TAPS, ConvPool, slices, taps_of
from .parameter import Parameter, bias_of
from .pool2d import MaxPool2D
from .relu import ReLU

MOST_FOLDED = 2**16  # weights: more of them than stay in a core's cache take as long as a sample's products


class ConvNorm(Layer, only_kernels=True):
    """Conv2D without an activation, BatchNormalization, perhaps with ReLU, and perhaps MaxPool2D.

    Inference multiplies the weights instead of the outputs, and adds to the bias: in each call anew, as
    weights change in place, and unless there are so many that this takes longer. In training, the moments of
    what the convolution computes are found while it is in the cache, and from then on all is one pass
    forward, and one backward: of what is normalized, nothing is kept but what pooling leaves.

    Args:
        conv: a built convolution that `fits`.
        norm: the normalization after it, perhaps with a ReLU.
        pool: the pooling after that, or None.
    """

    result: Array  # what a training forward remembers: of the convolution,
    chosen: Array  # those of them that pooling took,
    place: Array  # where it took them,
    moments: Array  # and of the windows

    def __init__(self, conv: Conv2D, norm: BatchNormalization, pool: MaxPool2D | None = None) -> None:
        self.conv, self.norm, self.pool = conv, norm, pool
        self.name, self.dtype, self.step_cell = conv.name, conv.dtype, conv.step_cell
        self.input_shape, self.output_shape = conv.input_shape, (pool or norm).output_shape
        self.settle([])

    @staticmethod
    def fits(conv: Layer, norm: Layer) -> bool:
        """Return whether two layers can be run as one."""
        return (
            type(conv) is Conv2D  # and no layer of one's own that derives from it
            and type(norm) is BatchNormalization
            and conv.method != "im2col"
            and not conv.channels_first
            and conv.activation_layer is None
        )

    def joined(self, layer: Layer) -> ConvNorm | None:
        """Return what does a layer's work, too, or None if it cannot."""
        if self.pool is not None:
            return None
        if type(layer) is ReLU:
            norm = self.norm.with_relu(layer)
            return None if norm is None else ConvNorm(self.conv, norm)
        if type(layer) is MaxPool2D and layer.side_by_side and not layer.channels_first:
            return ConvNorm(self.conv, self.norm, layer)
        return None

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Compute, normalize and pool; see `Layer.forward`."""
        x = self.check_input(x)
        if not training:
            return self.forward_folded(x) if self.folds else self.forward_apart(x)
        return self.forward_windows(x) if self.sees_windows else self.forward_training(x)

    @property
    def folds(self) -> bool:
        """Whether weights are multiplied, and not outputs: unless there are many more of them."""
        assert self.conv.output_shape is not None
        outputs = math.prod(self.conv.output_shape)
        return self.conv.kernel.value.size <= max(MOST_FOLDED, outputs)

    def forward_apart(self, x: Array) -> Array:
        """Compute as the layers do one by one."""
        y = self.norm.forward(self.conv.forward(x))
        return y if self.pool is None else self.pool.forward(y)

    def forward_folded(self, x: Array) -> Array:
        """Compute a convolution whose weights normalize, too, by the running statistics."""
        mean, scale = self.norm.statistics(*self.norm.new_sums(False), False)
        kernel = self.empty("kernel", self.conv.kernel.shape, False)
        bias = self.empty("bias", mean.shape, False)
        kernels.convolution_normalization.fold(
            self.conv.kernel.value.reshape(-1, bias.size), bias_of(self.conv), mean, scale,
            *self.norm.scale_and_offset("value"), kernel.reshape(-1, bias.size), bias,
        )  # fmt: skip
        conv = copy.copy(self.conv)
        conv.remember(
            kernel=Parameter("kernel", kernel, kernel),
            bias=Parameter("bias", bias, bias),
            use_bias=True,
            activation_layer=ReLU() if self.norm.relu else None,
        )
        if self.pool is None:
            return conv.forward(x)
        if ConvPool.fits(conv, self.pool):
            return ConvPool(conv, self.pool).forward(x)
        return self.pool.forward(conv.forward(x))

    @property
    def sees_windows(self) -> bool:
        """Whether the statistics follow from the windows' moments; see `kernels.window_normalization`."""
        conv, pool = self.conv, self.pool
        if pool is None or self.needs_input_gradient or conv.uses_winograd:
            return False
        if (conv.steps, conv.dilation, conv.groups) != ((1, 1), (1, 1), 1):
            return False
        taps = conv.kernel.value[..., 0].size  # more of them than filters are no gain
        return pool.window == (2, 2) and taps <= min(FEW_TAPS, conv.filters)

    def forward_windows(self, x: Array) -> Array:
        """Compute with the batch's statistics, without writing what the convolution computes."""
        conv, norm = self.conv, self.norm
        assert self.output_shape is not None
        padded = conv.padded(x, True)
        kernel, taps = conv.kernel.value.reshape(-1, conv.filters), taps_of(conv, padded)
        moments = self.empty("moments", (taps.size + 1, taps.size + 1), dtype=np.float64)
        kernels.window_normalization.window_moments(
            padded, taps, conv.windows.height, conv.windows.width, moments
        )
        sums, squares = norm.new_sums(len(x) > 0)
        if sums.size:
            kernels.window_normalization.moments_of_outputs(
                meet(moments), kernel, bias_of(self.conv), sums, squares
            )
        mean, scale = norm.statistics(sums, squares, True, met=True)
        folded, bias = self.empty("folded", conv.kernel.shape), self.empty("folded bias", mean.shape)
        kernels.convolution_normalization.fold(
            kernel, bias_of(self.conv), mean, scale, *norm.scale_and_offset("value"),
            folded.reshape(kernel.shape), bias,
        )  # fmt: skip
        y = self.empty("y", (len(x), *self.output_shape))
        place = self.empty("place", y.shape)
        kernels.pooled_convolution.convolve_and_pool(padded, taps, folded, bias, y, place, 1, 1, norm.relu)
        self.remember(x=padded, y=y, place=place, moments=moments)
        return y

    def backward_windows(self, x: Array, dy: Array) -> Array:
        """Compute the gradients with respect to all parameters."""
        conv, norm = self.conv, self.norm
        gradient = self.empty("window gradient", conv.kernel.shape)
        passed = self.empty("passed", (conv.filters,))
        kernels.pooled_convolution.pooled_kernel_gradient(
            x, taps_of(conv, x), dy, self.place, gradient, passed, 1, 1
        )
        kernel, gradient = (a.reshape(-1, conv.filters) for a in (conv.kernel.value, gradient))
        sums = self.empty("sums", (2 * conv.filters,), dtype=np.float64)
        statistics = norm.mean, norm.inverse_deviation
        kernels.window_normalization.gradient_sums(
            gradient, passed, kernel, bias_of(self.conv), *statistics, sums
        )
        sums = norm.finish_sums(sums)
        kernels.window_normalization.kernel_gradient(
            self.moments, gradient, kernel, bias_of(self.conv), *statistics,
            norm.scale_and_offset("value")[0], sums, norm.total, conv.kernel.grad.reshape(kernel.shape),
        )  # fmt: skip
        self.bias_gradient(sums)
        return np.empty(0, self.dtype)

    def forward_training(self, x: Array) -> Array:
        """Compute with the batch's statistics, and remember what `backward` needs."""
        norm, pool = self.norm, self.pool
        assert self.conv.output_shape is not None
        assert self.output_shape is not None
        result = self.empty("result", (len(x), *self.conv.output_shape))
        sums, squares = norm.new_sums(len(x) > 0)
        remembered = self.convolve(x, result, sums, squares)
        mean, scale = norm.statistics(sums, squares, True)
        y, weights = self.empty("y", (len(x), *self.output_shape)), norm.scale_and_offset("value")
        self.remember(x=remembered, result=result, y=y)
        if pool is None:
            rows, out = result.reshape(-1, mean.size), y.reshape(-1, mean.size)
            kernels.normalization.normalize(rows, mean, scale, *weights, out, norm.relu)
        else:
            chosen, place = self.empty("chosen", y.shape), self.empty("place", y.shape)
            kernels.convolution_normalization.normalize_and_pool(
                result, mean, scale, *weights, y, chosen, place, *pool.window, norm.relu
            )
            self.remember(chosen=chosen, place=place)
        return y

    def convolve(self, x: Array, result: Array, sums: Array, squares: Array) -> Array:
        """Write the convolution, and its moments if they are wanted; return what its gradients need."""
        conv = self.conv
        if conv.uses_winograd:
            conv.winograd_forward(x, result, None, False, True)
            if sums.size:
                kernels.normalization.moments(result.reshape(-1, squares.size), sums, squares, False)
            return x
        padded, kernel = conv.padded(x, True), conv.weights_of(conv.kernel.value)
        for part in slices(conv, len(x)):
            kernels.gather_gemm.convolution(
                padded[part], kernel, bias_of(self.conv), result[part], *conv.steps, False, *conv.dilation
            )
            if sums.size:
                rows = result[part].reshape(-1, squares.size)
                kernels.normalization.moments(rows, sums, squares, part.start > 0)
        return padded

    def backward(self, dy: ArrayLike) -> Array:
        """Compute the gradients with respect to all parameters and the input; see `Layer.backward`."""
        conv, norm, pool = self.conv, self.norm, self.pool
        y, dy = self.check_upstream(self.y, dy)
        assert self.x is not None
        if self.sees_windows:
            return self.backward_windows(self.x, dy)
        upstream = dy.reshape(-1, conv.filters)
        if pool is None:
            rows = self.result.reshape(upstream.shape)
            gate = y.reshape(upstream.shape)[: None if norm.relu else 0]
            sums = norm.parameter_gradients(rows, upstream, gate, 0.0 if norm.relu else -1.0)
        else:
            chosen, place = self.chosen.reshape(upstream.shape), self.place.reshape(upstream.shape)
            sums = norm.parameter_gradients(chosen, upstream, place, -1.0)
        self.bias_gradient(sums)
        conv.remember(needs_input_gradient=self.needs_input_gradient)
        if conv.uses_winograd:
            gradient = self.empty("gradient", self.result.shape)
            self.result_gradient(slice(0, len(dy)), dy, sums, gradient)
            return conv.backward_winograd(self.x, gradient)
        above, before, height, width = conv.gradient_padding()
        parts = slices(conv, len(dy))
        gradients = self.empty("gradients", (parts[0].stop, *self.result.shape[1:]))
        padded = gradients
        if (height, width) != gradients.shape[1:3]:
            padded = self.empty("padded gradients", (parts[0].stop, height, width, conv.filters))

        def gradient_of(part: slice) -> Array:
            size = part.stop - part.start
            self.result_gradient(part, dy, sums, gradients[:size])
            if padded is not gradients:
                kernels.elementwise.pad(gradients[:size], padded[:size], above, before)
            return padded[:size]

        return conv.backward_in_parts(self.x, parts, gradient_of)

    def result_gradient(self, part: slice, dy: Array, sums: Array, gradient: Array) -> None:
        """Write the gradient with respect to what the convolution computed of some samples."""
        norm, result, upstream = self.norm, self.result[part], dy[part]
        if self.pool is None:
            assert self.y is not None
            shape = (-1, result.shape[-1])
            rows, gate = result.reshape(shape), self.y[part].reshape(shape)[: None if norm.relu else 0]
            norm.input_gradient(rows, upstream.reshape(shape), gate, sums, gradient.reshape(shape))
        else:
            kernels.convolution_normalization.pooled_gradient(
                result, upstream, self.place[part], norm.mean, norm.inverse_deviation,
                norm.scale_and_offset("value")[0], sums, norm.total, gradient, *self.pool.window,
            )  # fmt: skip

    def bias_gradient(self, sums: Array) -> None:
        """Set the gradient with respect to the convolution's bias: 0 where the batch's mean takes it away."""
        if self.norm.total.size:
            kernels.elementwise.fill(bias_of(self.conv, "grad"), 0.0)
        else:
            gamma, _ = self.norm.scale_and_offset("value")
            kernels.convolution_normalization.bias_gradient(
                sums, self.norm.inverse_deviation, gamma, bias_of(self.conv, "grad")
            )
