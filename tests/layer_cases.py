"""Every layer, with what the tests need to know of it: one row of CASES for each kind of use."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable
from typing import Any

import naive
import numpy as np

from tinynet import layers


def activation_reference(name, slope=0.2):
    def reference(layer, x, dy):
        return naive.activation(name, x, slope), naive.activation_gradient(name, x, dy, slope), []

    return reference


def along(axis, reference):
    """Return a reference for another axis than the last one."""

    def moved(layer, x, dy):
        y, dx, rest = reference(layer, np.moveaxis(x, axis, -1), np.moveaxis(dy, axis, -1))
        return np.moveaxis(y, -1, axis), np.moveaxis(dx, -1, axis), rest

    return moved


def clipped_relu_reference(layer, x, dy):
    most = np.inf if layer.max_value is None else layer.max_value
    slope, above = layer.negative_slope, x > layer.threshold
    y = np.where(above, np.minimum(x, most), slope * (x - layer.threshold))
    return y, dy * np.where(above, np.where(x < most, 1, 0), slope), []


def prelu_reference(layer, x, dy):
    alpha = layer.alpha.value
    axes = (0, *(axis for axis in range(1, x.ndim) if alpha.shape[axis - 1] == 1))
    dalpha = np.where(x < 0, x * dy, 0).sum(axis=axes).reshape(alpha.shape)
    return np.where(x < 0, alpha * x, x), np.where(x > 0, dy, alpha * dy), [dalpha]


def activated(layer, z, dy):
    """Return the activation of z and the gradient with respect to z, of a Dense or Conv2D."""
    kind, slope = layer.activation or "linear", 0.2
    if isinstance(kind, layers.Layer):
        kind, slope = "leaky_relu", kind.negative_slope
    return naive.activation(kind, z, slope), naive.activation_gradient(kind, z, dy, slope)


def dense_reference(layer, x, dy):
    kernel = layer.kernel.value
    bias = layer.bias.value if layer.use_bias else np.zeros(layer.units)
    rows = x.reshape(-1, x.shape[-1])
    y, dz = activated(layer, naive.dense(rows, kernel, bias), dy.reshape(-1, layer.units))
    dx, dkernel, dbias = naive.dense_gradients(rows, kernel, dz)
    return y.reshape(dy.shape), dx.reshape(x.shape), [dkernel, dbias][: 1 + layer.use_bias]


def convolution_reference(layer, x, dy):
    placing = (layer.steps, layer.padding)
    kernel = naive.dilated(naive.ungrouped(layer.kernel.value, layer.groups), layer.dilation)
    bias = layer.bias.value if layer.use_bias else np.zeros(layer.filters)
    y, dz = activated(layer, naive.convolution(x, kernel, bias, *placing), dy)
    dx, dkernel, dbias = naive.convolution_gradients(x, kernel, dz, *placing)
    dkernel = naive.grouped(dkernel[:: layer.dilation[0], :: layer.dilation[1]], layer.groups)
    return y, dx, [dkernel, dbias][: 1 + layer.use_bias]


def as_whole(kernel):
    """Return a depthwise kernel (KH, KW, C, M) as a convolution's, with zeros for all other channels."""
    height, width, channels, multiplier = kernel.shape
    return naive.ungrouped(kernel.reshape(height, width, 1, channels * multiplier), channels)


def depthwise_reference(layer, x, dy):
    placing, kernel = (
        (layer.steps, layer.padding),
        naive.dilated(as_whole(layer.kernel.value), layer.dilation),
    )
    bias = layer.bias.value if layer.use_bias else np.zeros(kernel.shape[3])
    y, dz = activated(layer, naive.convolution(x, kernel, bias, *placing), dy)
    dx, dkernel, dbias = naive.convolution_gradients(x, kernel, dz, *placing)
    dkernel = naive.grouped(dkernel[:: layer.dilation[0], :: layer.dilation[1]], x.shape[3])
    return y, dx, [dkernel.reshape(layer.kernel.value.shape), dbias][: 1 + layer.use_bias]


def separable_reference(layer, x, dy):
    placing, first = (layer.steps, layer.padding), layer.depthwise_kernel.value
    wide, second = naive.dilated(as_whole(first), layer.dilation), layer.pointwise_kernel.value
    middle = naive.convolution(x, wide, np.zeros(wide.shape[3]), *placing)
    bias = layer.bias.value if layer.use_bias else np.zeros(layer.filters)
    y, dz = activated(layer, naive.convolution(middle, second, bias, (1, 1), "valid"), dy)
    dmiddle, dsecond, dbias = naive.convolution_gradients(middle, second, dz, (1, 1), "valid")
    dx, dwide, _ = naive.convolution_gradients(x, wide, dmiddle, *placing)
    dfirst = naive.grouped(dwide[:: layer.dilation[0], :: layer.dilation[1]], x.shape[3])
    return y, dx, [dfirst.reshape(first.shape), dsecond, dbias][: 2 + layer.use_bias]


def row_reference(kind, reference):
    """Return the reference of a layer of sequences: that of the layer of images, for images of one row."""

    def of_rows(layer, x, dy):
        other = kind(**{name: wide(name, value) for name, value in arguments_of(layer).items()})
        other.build((1, *x.shape[1:]), dtype=layer.dtype)
        for parameter, own in zip(other.parameters, layer.parameters, strict=True):
            parameter.value = own.value.reshape(parameter.value.shape)
        y, dx, gradients = reference(other, x[:, None], dy.reshape(len(dy), *other.output_shape))
        shapes = [parameter.value.shape for parameter in layer.parameters]
        gradients = [one.reshape(shape) for one, shape in zip(gradients, shapes, strict=True)]
        return y.reshape(dy.shape), dx.reshape(x.shape), gradients

    def arguments_of(layer):
        return {
            field.name: getattr(layer, field.name) for field in dataclasses.fields(kind) if not field.kw_only
        }

    def wide(name, value):
        sized = name in ("kernel_size", "strides", "dilation_rate", "pool_size") and value is not None
        return (1, value) if sized else value

    return of_rows


def causal_reference(layer, x, dy):
    """Return what a convolution without padding gives for a sequence with zeros before it."""
    missing = (layer.kernel_size - 1) * layer.dilation_rate
    longer = np.concatenate([np.zeros((len(x), missing, x.shape[2])), x], 1)
    plain = layers.Conv1D(layer.filters, layer.kernel_size, layer.strides, dilation_rate=layer.dilation_rate)
    plain.build(longer.shape[1:], dtype="float64")
    plain.set_weights(layer.get_weights())
    y, dx, gradients = row_reference(layers.Conv2D, convolution_reference)(plain, longer, dy)
    return y, dx[:, missing:], gradients


DEPTHWISE = [
    ({"kernel_size": 3}, (5, 6, 2)),
    ({"kernel_size": (2, 3), "padding": "same", "activation": "relu"}, (4, 3, 17)),
    ({"kernel_size": 2, "strides": (2, 3), "depth_multiplier": 3}, (5, 7, 2)),
    ({"kernel_size": 3, "padding": "same", "depth_multiplier": 2, "use_bias": False}, (3, 2, 5)),
    ({"kernel_size": (3, 1), "dilation_rate": 2, "padding": "same", "activation": "leaky_relu"}, (5, 3, 3)),
    ({"kernel_size": 2, "strides": 2, "dilation_rate": (1, 3), "padding": "same"}, (4, 5, 1)),
]


def max_pool_reference(layer, x, dy):
    placing = (layer.window, layer.steps, layer.padding)
    return naive.max_pool(x, *placing), naive.max_pool_gradient(x, dy, *placing), []


def average_pool_reference(layer, x, dy):
    placing = (layer.window, layer.steps, layer.padding)
    return naive.average_pool(x, *placing), naive.average_pool_gradient(x, dy, *placing), []


def global_average_pool_reference(layer, x, dy):
    whole = (x.shape[1:3], (1, 1), "valid")
    dx = naive.average_pool_gradient(x, dy.reshape(len(x), 1, 1, -1), *whole)
    return naive.average_pool(x, *whole).reshape(dy.shape), dx, []


def global_max_pool_reference(layer, x, dy):
    pixels = x.reshape(len(x), -1, x.shape[-1])
    y, dx, upstream = np.full((len(x), x.shape[-1]), -np.inf), np.zeros(pixels.shape), dy.reshape(len(x), -1)
    for n, c in np.ndindex(y.shape):
        places = sorted(range(pixels.shape[1]), key=lambda p: -pixels[n, p, c])
        y[n, c] = pixels[n, places[0], c]
        dx[n, places[0], c] = upstream[n, c]
    return y.reshape(dy.shape), dx.reshape(x.shape), []


def flatten_reference(layer, x, dy):
    return x.reshape(len(x), -1), dy.reshape(x.shape), []


def flatten_first_reference(layer, x, dy):
    n, channels, height, width = x.shape
    y = x.transpose(0, 2, 3, 1).reshape(n, -1)
    return y, dy.reshape(n, height, width, channels).transpose(0, 3, 1, 2), []


def reshape_reference(layer, x, dy):
    return x.reshape(len(x), *layer.output_shape), dy.reshape(x.shape), []


def moving_reference(of_sample):
    """Return the reference of a layer that moves a sample's elements as a function of them does."""

    def reference(layer, x, dy):
        elements = np.arange(1, x[0].size + 1).reshape(x[0].shape)
        places = of_sample(layer, elements).ravel()
        y, dx = np.zeros((len(x), places.size)), np.zeros((len(x), x[0].size))
        for n, q in np.ndindex(y.shape):
            if places[q]:
                y[n, q] = x[n].ravel()[places[q] - 1]
                dx[n, places[q] - 1] += dy[n].ravel()[q]
        return y.reshape(dy.shape), dx.reshape(x.shape), []

    return reference


def padded_sample(layer, sample):
    (top, bottom), (left, right) = layer.sides
    height, width, channels = sample.shape
    padded = np.zeros((top + height + bottom, left + width + right, channels), int)
    padded[top : top + height, left : left + width] = sample
    return padded


def cropped_sample(layer, sample):
    (top, bottom), (left, right) = layer.sides
    return sample[top : len(sample) - bottom, left : sample.shape[1] - right]


def bilinear_reference(layer, x, dy):
    ways = []
    for size, new in zip(x.shape[1:3], dy.shape[1:3], strict=True):
        centres = np.clip((np.arange(new) + 0.5) * (size / new) - 0.5, 0, size - 1)
        ways.append(np.maximum(1 - np.abs(centres[:, None] - np.arange(size)), 0))
    y = np.einsum("ih,jw,nhwc->nijc", *ways, x.astype(np.float64))
    return y, np.einsum("ih,jw,nijc->nhwc", *ways, dy.astype(np.float64)), []


def nearest_sample(layer, sample):
    rows, columns = (
        [(2 * i + 1) * size // (2 * new) for i in range(new)]
        for size, new in zip(sample.shape, layer.size, strict=False)
    )
    return sample[rows][:, columns]


def rescaling_reference(layer, x, dy):
    scale, offset = (np.asarray(value, np.float64) for value in (layer.scale, layer.offset))
    return x.astype(np.float64) * scale + offset, dy.astype(np.float64) * scale, []


def standardization_reference(mean, variance):
    """Return the reference of a Normalization with numbers that broadcast to samples."""

    def reference(layer, x, dy):
        shift, deviation = np.asarray(mean, np.float64), np.sqrt(np.asarray(variance, np.float64))
        if layer.invert:
            return x * deviation + shift, dy * deviation, []
        return (x - shift) / deviation, dy / deviation, []

    return reference


MOVING = [
    (lambda: layers.ZeroPadding2D(), (3, 4, 2), padded_sample),
    (lambda: layers.ZeroPadding2D((0, 2)), (1, 1, 17), padded_sample),
    (lambda: layers.ZeroPadding2D(((1, 0), (2, 3))), (3, 2, 1), padded_sample),
    (lambda: layers.Cropping2D(), (3, 4, 2), cropped_sample),
    (lambda: layers.Cropping2D(((1, 0), (2, 1))), (3, 4, 5), cropped_sample),
    (lambda: layers.Permute((2, 1)), (3, 4), lambda _, sample: sample.T),
    (lambda: layers.Permute((3, 1, 2)), (3, 4, 2), lambda _, sample: sample.transpose(2, 0, 1)),
    (lambda: layers.Permute((1,)), (5,), lambda _, sample: sample),
    (
        lambda: layers.UpSampling2D((2, 3)),
        (3, 2, 5),
        lambda _, sample: np.kron(sample, np.ones((2, 3, 1), int)),
    ),
    (lambda: layers.UpSampling2D(1), (1, 3, 1), lambda _, sample: sample),
    (lambda: layers.Resizing(5, 3, "nearest"), (3, 7, 2), nearest_sample),
    (lambda: layers.Resizing(1, 17, "nearest"), (4, 5, 1), nearest_sample),
    (lambda: layers.Resizing(3, 4), (3, 4, 5), lambda _, sample: sample),
]


def chain_reference(layer, x, dy):
    dense = layer.layers[0]
    z = naive.dense(x, dense.kernel.value, dense.bias.value)
    dx, dkernel, dbias = naive.dense_gradients(
        x, dense.kernel.value, naive.activation_gradient("tanh", z, dy, 0.0)
    )
    return naive.activation("tanh", z, 0.0), dx, [dkernel, dbias]


def dropout_reference(layer, x, dy):
    kept = layer.forward(np.ones_like(x), training=True)  # 0 or 1 / (1 - rate); advances the step
    layer.step -= 1
    return kept * x, kept * dy, []


def transform_reference(layer, x, dy):
    layer.forward(x, training=True)  # which remembers what it draws
    layer.step -= 1
    maps, (_, height, width, _) = layer.maps("maps", len(x)), x.shape
    x, dy = x.astype(np.float64), dy.astype(np.float64)
    y, dx = np.zeros(x.shape), np.zeros(x.shape)
    for n, oy, ox in np.ndindex(x.shape[:3]):
        place = maps[n].reshape(2, 3) @ [oy, ox, 1]
        if layer.interpolation == "nearest":
            place = np.floor(place + 0.5)
        for iy, ix in itertools.product(*(range(math.floor(p) - 1, math.floor(p) + 3) for p in place)):
            weight = np.prod(np.maximum(1 - np.abs(place - [iy, ix]), 0))
            known = [naive.outside(i, size, layer.fill_mode) for i, size in ((iy, height), (ix, width))]
            if None in known:
                y[n, oy, ox] += weight * layer.fill_value
            else:
                y[n, oy, ox] += weight * x[n, known[0], known[1]]
                dx[n, known[0], known[1]] += weight * dy[n, oy, ox]
    return y, dx, []


TRANSFORMS = [
    (lambda: layers.RandomFlip(), (3, 4, 2)),
    (lambda: layers.RandomFlip("vertical", seed=3), (2, 1, 1)),
    (lambda: layers.RandomRotation(0.3), (5, 4, 3)),
    (lambda: layers.RandomRotation((-0.1, 0.4), "constant", fill_value=2.5), (3, 6, 1)),
    (lambda: layers.RandomRotation(0.5, "wrap", "nearest"), (4, 4, 17)),
    (lambda: layers.RandomTranslation(0.3, (-1, 0.5), "nearest"), (5, 4, 2)),
    (lambda: layers.RandomTranslation((0.1, 0.2), 0.5), (1, 6, 2)),
    (lambda: layers.RandomZoom(0.5), (4, 5, 2)),
    (lambda: layers.RandomZoom((0.2, 0.9), -0.7, "wrap"), (5, 3, 1)),
]


def normalization_reference(over_batch):
    def reference(layer, x, dy):
        gamma = layer.gamma.value if layer.scale else np.ones(x.shape[-1])
        beta = layer.beta.value if layer.center else np.zeros(x.shape[-1])
        y, dx, dgamma, dbeta = naive.normalization(x, dy, gamma, beta, layer.epsilon, over_batch)
        return y, dx, [dgamma] * layer.scale + [dbeta] * layer.center

    return reference


@dataclasses.dataclass
class Case:
    """A layer's constructor, the shape that it is built for, and `reference(layer, x, dy)`.

    The reference returns the output, and the gradients of the input and of each trainable parameter. `alone`
    says whether a sample's results are independent of the other samples of its batch.
    """

    make: Callable[[], layers.Layer]
    shape: tuple[int, ...]
    reference: Callable[..., Any]
    samples: int = 5
    alone: bool = True

    def build(self, dtype="float32", seed=0):
        """Return a new layer; its bias is not zero, as it would be at first."""
        layer = self.make()
        layer.build(self.shape, seed, dtype)
        for parameter in layer.parameters:
            if parameter.name in ("bias", "gamma", "beta", "moving_mean", "alpha"):
                parameter.value[:] = np.random.default_rng(7).normal(size=parameter.value.shape)
        return layer

    def data(self, layer, seed=1):
        """Return random x and upstream dy, of the layer's dtype."""
        random = np.random.default_rng(seed)
        x = random.normal(size=(self.samples, *self.shape)).astype(layer.dtype)
        return x, random.normal(size=(self.samples, *layer.output_shape)).astype(layer.dtype)


def convolutions():
    for arguments, shape in [
        ({"filters": 4, "kernel_size": 3}, (6, 7, 2)),
        ({"filters": 4, "kernel_size": 3, "padding": "same"}, (6, 7, 2)),
        ({"filters": 17, "kernel_size": (2, 3), "padding": "same"}, (5, 5, 3)),
        ({"filters": 3, "kernel_size": (2, 3), "strides": 2, "use_bias": False}, (7, 5, 1)),
        ({"filters": 3, "kernel_size": 1}, (4, 5, 6)),
        ({"filters": 2, "kernel_size": 1, "strides": 2, "padding": "same"}, (5, 4, 3)),
        ({"filters": 2, "kernel_size": (2, 1), "strides": (3, 2)}, (8, 7, 2)),  # strides over the kernel
        ({"filters": 2, "kernel_size": 2, "strides": 3, "padding": "same"}, (7, 9, 2)),
        ({"filters": 3, "kernel_size": 4, "padding": "valid"}, (5, 6, 2)),  # more than half of the image
        ({"filters": 3, "kernel_size": 5, "strides": (1, 2), "padding": "same"}, (4, 3, 2)),
        ({"filters": 3, "kernel_size": 3, "padding": "same"}, (1, 1, 1)),
    ]:
        for method in ("direct", "im2col"):
            yield {**arguments, "method": method}, shape
    for arguments, shape in [
        ({"filters": 3, "padding": "same"}, (1, 1, 2)),
        ({"filters": 5, "padding": "same", "activation": "relu"}, (6, 5, 3)),
        ({"filters": 17, "activation": "leaky_relu", "use_bias": False}, (5, 8, 2)),
        ({"filters": 2, "padding": "same", "activation": "softmax"}, (2, 3, 18)),
    ]:
        yield {**arguments, "kernel_size": 3, "method": "winograd"}, shape
    yield {"filters": 3, "kernel_size": 3, "dilation_rate": 2}, (7, 6, 2)
    yield {"filters": 17, "kernel_size": (2, 3), "dilation_rate": (3, 1), "padding": "same"}, (5, 4, 3)
    yield {"filters": 2, "kernel_size": 2, "dilation_rate": (1, 4), "padding": "same"}, (2, 3, 1)
    yield {"filters": 6, "kernel_size": 3, "groups": 2}, (5, 6, 4)
    yield {"filters": 4, "kernel_size": (1, 3), "groups": 4, "strides": 2, "padding": "same"}, (5, 6, 4)
    yield {"filters": 51, "kernel_size": 2, "groups": 3, "strides": 3, "use_bias": False}, (5, 6, 9)
    yield {"filters": 4, "kernel_size": 3, "groups": 2, "dilation_rate": 2, "padding": "same"}, (5, 6, 2)


POOLS = [
    ({}, (6, 8, 3)),
    ({}, (5, 7, 2)),  # a row and a column left over
    ({"padding": "same"}, (5, 7, 2)),
    ({"pool_size": 3, "strides": 2}, (7, 7, 1)),  # windows overlap
    ({"pool_size": 3, "strides": 2, "padding": "same"}, (6, 5, 17)),
    ({"pool_size": (2, 3), "strides": (3, 1)}, (7, 5, 2)),
    ({"pool_size": 2, "strides": 3, "padding": "same"}, (7, 8, 2)),
    ({"pool_size": (4, 3)}, (5, 4, 2)),
    ({"pool_size": 1}, (3, 3, 1)),
]


ACTIVATIONS = ["linear", "relu", "leaky_relu", "sigmoid", "tanh", "softmax", "gelu"]
OTHERS = [
    "relu6", "selu", "softplus", "softsign", "silu", "mish", "exponential", "gelu_approximate",
    "hard_sigmoid", "hard_silu",
]  # fmt: skip


SEQUENCES = [
    (lambda: layers.Conv1D(3, 2), (5, 4), row_reference(layers.Conv2D, convolution_reference)),
    (
        lambda: layers.Conv1D(17, 3, 2, "same", activation="relu"),
        (6, 2),
        row_reference(layers.Conv2D, convolution_reference),
    ),
    (
        lambda: layers.Conv1D(4, 3, dilation_rate=2, groups=2, use_bias=False),
        (7, 2),
        row_reference(layers.Conv2D, convolution_reference),
    ),
    (
        lambda: layers.Conv1D(2, 2, activation="leaky_relu", method="im2col"),
        (3, 1),
        row_reference(layers.Conv2D, convolution_reference),
    ),
    (lambda: layers.Conv1D(2, 3, padding="causal", dilation_rate=2), (6, 3), causal_reference),
    (lambda: layers.Conv1D(2, 4, 2, "causal"), (5, 1), causal_reference),
    *(
        (lambda kind=kind, a=a: kind(**a), (7, 3), row_reference(images, reference))
        for kind, images, reference in [
            (layers.MaxPool1D, layers.MaxPool2D, max_pool_reference),
            (layers.AveragePool1D, layers.AveragePool2D, average_pool_reference),
        ]
        for a in [{"pool_size": 2}, {"pool_size": 3, "strides": 2, "padding": "same"}]
    ),
    *(
        (lambda kind=kind, a=a: kind(**a), (4, 5), row_reference(images, reference))
        for kind, images, reference in [
            (layers.GlobalMaxPool1D, layers.GlobalMaxPool2D, global_max_pool_reference),
            (layers.GlobalAveragePool1D, layers.GlobalAveragePool2D, global_average_pool_reference),
        ]
        for a in [{}, {"keepdims": True}]
    ),
]


FIRST = [  # of convolutions of images with their channels first
    {"kernel_size": 2, "activation": "relu"},
    {"kernel_size": (3, 2), "strides": 2, "padding": "same", "activation": "tanh"},
    {"kernel_size": 2, "dilation_rate": 2, "use_bias": False},
]

CASES = [
    Case(lambda: layers.Dense(6), (5,), dense_reference),
    Case(lambda: layers.Dense(33, use_bias=False), (17,), dense_reference),
    Case(lambda: layers.Dense(1), (1,), dense_reference, samples=1),
    Case(lambda: layers.Dense(4, activation=layers.LeakyReLU(0.1)), (3,), dense_reference, samples=31),
    *(Case(lambda a=a: layers.Dense(6, activation=a), (5,), dense_reference) for a in ACTIVATIONS),
    *(Case(lambda a=a: layers.Dense(6, activation=a), (2, 3, 4), dense_reference) for a in ACTIVATIONS),
    Case(lambda: layers.Dense(2, use_bias=False), (7, 3), dense_reference),
    Case(lambda: layers.Dense(17, "relu"), (1, 2, 1, 5), dense_reference, samples=1),
    *(Case(lambda a=a: layers.Conv2D(**a), s, convolution_reference) for a, s in convolutions()),
    *(
        Case(lambda a=a: layers.Conv2D(3, 2, activation=a), (4, 5, 2), convolution_reference)
        for a in ACTIVATIONS
    ),
    Case(lambda: layers.Conv2D(3, 2, activation="relu", method="im2col"), (4, 5, 2), convolution_reference),
    Case(lambda: layers.Conv2D(3, 3, padding="same"), (6, 6, 2), convolution_reference, samples=1),
    *(
        Case(
            lambda a=a: layers.Conv2D(3, **a, data_format="channels_first"),
            (2, 4, 5),
            along(1, convolution_reference),
        )
        for a in FIRST
    ),
    *(
        Case(
            lambda a=a: layers.MaxPool2D(**a, data_format="channels_first"),
            (3, 5, 6),
            along(1, max_pool_reference),
        )
        for a in ({}, {"pool_size": 3, "strides": 2, "padding": "same"})
    ),
    Case(
        lambda: layers.AveragePool2D((2, 3), 1, data_format="channels_first"),
        (3, 5, 6),
        along(1, average_pool_reference),
    ),
    Case(lambda: layers.Flatten("channels_first"), (3, 4, 2), flatten_first_reference),
    *(Case(lambda a=a: layers.DepthwiseConv2D(**a), s, depthwise_reference) for a, s in DEPTHWISE),
    *(Case(lambda a=a: layers.SeparableConv2D(3, **a), s, separable_reference) for a, s in DEPTHWISE),
    *(Case(lambda a=a: layers.MaxPool2D(**a), s, max_pool_reference) for a, s in POOLS),
    *(Case(lambda a=a: layers.AveragePool2D(**a), s, average_pool_reference) for a, s in POOLS),
    Case(layers.MaxPool2D, (4, 4, 1), max_pool_reference, samples=1),
    Case(layers.AveragePool2D, (4, 4, 1), average_pool_reference, samples=1),
    Case(layers.GlobalAveragePool2D, (5, 3, 4), global_average_pool_reference),
    Case(layers.GlobalAveragePool2D, (1, 1, 1), global_average_pool_reference, samples=1),
    Case(lambda: layers.GlobalAveragePool2D(keepdims=True), (2, 3, 5), global_average_pool_reference),
    Case(layers.GlobalMaxPool2D, (5, 3, 4), global_max_pool_reference),
    Case(layers.GlobalMaxPool2D, (1, 1, 1), global_max_pool_reference, samples=1),
    Case(lambda: layers.GlobalMaxPool2D(keepdims=True), (2, 3, 17), global_max_pool_reference),
    Case(layers.Flatten, (3, 2, 4), flatten_reference),
    Case(layers.Flatten, (3,), flatten_reference, samples=1),
    Case(lambda: layers.Reshape((4, -1)), (3, 2, 4), reshape_reference),
    Case(lambda: layers.Reshape((1, 5, 1)), (5,), reshape_reference, samples=1),
    *(Case(make, shape, moving_reference(move)) for make, shape, move in MOVING),
    *(
        Case(lambda a=a: layers.UpSampling2D(a, interpolation="bilinear"), shape, bilinear_reference)
        for a, shape in [(2, (3, 4, 2)), ((3, 1), (2, 5, 17)), ((4, 5), (1, 2, 1))]
    ),
    *(
        Case(lambda a=a: layers.Resizing(*a), shape, bilinear_reference)
        for a, shape in [((5, 3), (3, 7, 2)), ((2, 4), (9, 4, 17)), ((3, 1), (1, 5, 1)), ((7, 9), (4, 1, 3))]
    ),
    *(Case(make, shape, reference) for make, shape, reference in SEQUENCES),
    Case(lambda: layers.Rescaling(0.3, -1), (3, 4, 2), rescaling_reference),
    Case(lambda: layers.Rescaling((1, 2, 3), (0.5, 0, -1)), (2, 1, 3), rescaling_reference, samples=1),
    Case(lambda: layers.Rescaling(((1,), (2,))), (2, 17), rescaling_reference),
    Case(layers.Normalization, (3, 4, 2), standardization_reference(0, 1)),
    Case(lambda: layers.Normalization(None, 3, 4), (5,), standardization_reference(3, 4), samples=1),
    Case(
        lambda: layers.Normalization(1, (1, 2), (3, 4), True),
        (2, 3),
        standardization_reference([[1], [2]], [[3], [4]]),
    ),
    Case(lambda: layers.Normalization((1, -1), 5.0, 0.25), (2, 1, 17), standardization_reference(5, 0.25)),
    Case(lambda: layers.Dropout(0.4), (5, 3, 4), dropout_reference),
    Case(lambda: layers.Dropout(0.4, (None, 1, None), seed=3), (5, 3), dropout_reference),
    Case(lambda: layers.Dropout(0.4, [1, None, 1, 4]), (5, 3, 4), dropout_reference),
    Case(lambda: layers.SpatialDropout2D(0.4), (5, 3, 4), dropout_reference),
    Case(lambda: layers.SpatialDropout1D(0.4, seed=3), (5, 3), dropout_reference),
    Case(lambda: layers.Dropout(0.0), (7,), dropout_reference, samples=1),
    *(Case(make, shape, transform_reference) for make, shape in TRANSFORMS),
    Case(layers.ReLU, (5,), activation_reference("relu")),
    Case(layers.ReLU, (3, 2, 5), activation_reference("relu"), samples=1),
    Case(layers.LeakyReLU, (5,), activation_reference("leaky_relu", 0.3)),
    Case(lambda: layers.LeakyReLU(0.01), (3, 2, 5), activation_reference("leaky_relu", 0.01)),
    Case(layers.Sigmoid, (3, 2, 5), activation_reference("sigmoid")),
    Case(layers.Tanh, (3, 2, 5), activation_reference("tanh")),
    Case(layers.Softmax, (5,), activation_reference("softmax")),
    Case(layers.Softmax, (1,), activation_reference("softmax"), samples=1),
    Case(layers.Softmax, (3, 2, 5), activation_reference("softmax")),
    Case(lambda: layers.Softmax(axis=1), (3, 2, 5), along(1, activation_reference("softmax"))),
    Case(lambda: layers.Softmax(axis=-2), (17, 3), along(1, activation_reference("softmax"))),
    Case(layers.LogSoftmax, (5,), activation_reference("log_softmax")),
    Case(lambda: layers.LogSoftmax(axis=2), (3, 2, 5), along(2, activation_reference("log_softmax"))),
    Case(lambda: layers.ReLU(0.5, 0.2, 0.3), (17, 3), clipped_relu_reference),
    Case(lambda: layers.ReLU(threshold=0.3), (17,), clipped_relu_reference, samples=1),
    Case(lambda: layers.ReLU(negative_slope=0.1), (17,), activation_reference("leaky_relu", 0.1)),
    Case(layers.PReLU, (7,), prelu_reference),
    Case(lambda: layers.PReLU("ones"), (3, 2, 5), prelu_reference, samples=1),
    Case(lambda: layers.PReLU(shared_axes=[1, 2]), (3, 2, 5), prelu_reference),
    Case(lambda: layers.PReLU("he_normal", shared_axes=[2]), (3, 4), prelu_reference),
    Case(layers.ELU, (3, 2, 5), activation_reference("elu", 1.0)),
    Case(lambda: layers.ELU(0.3), (17,), activation_reference("elu", 0.3), samples=1),
    *(Case(lambda a=a: layers.Elementwise(a), (17,), activation_reference(a)) for a in OTHERS[1:]),
    *(
        Case(lambda a=a: layers.Activation(a), (3, 2, 5), activation_reference(a))
        for a in ACTIVATIONS + OTHERS
    ),
    Case(layers.BatchNormalization, (4, 3, 5), normalization_reference(True), alone=False),
    Case(
        lambda: layers.BatchNormalization(momentum=0.5, epsilon=0.1),
        (17,),
        normalization_reference(True),
        9,
        alone=False,
    ),
    Case(lambda: layers.BatchNormalization(center=False), (3,), normalization_reference(True), alone=False),
    Case(lambda: layers.BatchNormalization(scale=False), (2, 3), normalization_reference(True), alone=False),
    Case(layers.LayerNormalization, (4, 3, 5), normalization_reference(False)),
    Case(lambda: layers.LayerNormalization(epsilon=0.1, center=False), (17,), normalization_reference(False)),
    Case(lambda: layers.LayerNormalization(scale=False), (2, 3), normalization_reference(False), samples=1),
    Case(lambda: layers.Chain([layers.Dense(3), layers.Tanh()]), (4,), chain_reference),
]


def case_name(case):
    return f"{case.make()!r}-{case.shape}"
