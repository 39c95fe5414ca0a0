"""Slow references written from the definitions, in plain NumPy and Python; they share no code with tinynet.

Images are (N, H, W, C) and kernels (KH, KW, C, F). Everything is computed in float64.
"""

from __future__ import annotations

import itertools
import math

import numpy as np


def gather_gemm(x, r, s, b, p, columns, start, relu):
    """c[i, f] = start[i, f] + sum over j of x[r[i] + s[j]] * b[p[j] + f], then ReLU if asked."""
    left = np.asarray(x, np.float64)[r[:, None] + s]
    right = np.asarray(b, np.float64)[p[:, None] + np.arange(columns)]
    c = start + left @ right
    return np.where(c < 0, 0, c) if relu else c


def dense(x, kernel, bias):
    y = np.zeros((len(x), kernel.shape[1]))
    for n, u in np.ndindex(y.shape):
        y[n, u] = bias[u] + sum(float(x[n, d]) * float(kernel[d, u]) for d in range(len(kernel)))
    return y


def dense_gradients(x, kernel, dy):
    """Return dx, dkernel and dbias."""
    dx, dkernel, dbias = np.zeros(x.shape), np.zeros(kernel.shape), np.zeros(kernel.shape[1])
    for n, u in np.ndindex(dy.shape):
        dx[n] += dy[n, u] * kernel[:, u].astype(np.float64)
        dkernel[:, u] += dy[n, u] * x[n].astype(np.float64)
        dbias[u] += dy[n, u]
    return dx, dkernel, dbias


def windows(size, length, stride, padding):
    """Return the first pixel of every window along one axis, as Keras places them."""
    if padding == "valid":
        return list(range(0, size - length + 1, stride))
    count = math.ceil(size / stride)
    before = max((count - 1) * stride + length - size, 0) // 2
    return [i * stride - before for i in range(count)]


def taps(shape, window, strides, padding):
    """Yield (oy, ox, ky, kx, iy, ix) for every tap of every window that lies on the image."""
    rows, columns = (windows(shape[axis], window[axis], strides[axis], padding) for axis in (0, 1))
    for (oy, y0), (ox, x0) in itertools.product(enumerate(rows), enumerate(columns)):
        for ky, kx in np.ndindex(*window):
            if 0 <= y0 + ky < shape[0] and 0 <= x0 + kx < shape[1]:
                yield oy, ox, ky, kx, y0 + ky, x0 + kx


def output_size(shape, window, strides, padding):
    return tuple(len(windows(shape[axis], window[axis], strides[axis], padding)) for axis in (0, 1))


def dilated(kernel, dilation):
    """Return a kernel with zeros between its taps."""
    (height, width), (down, right) = kernel.shape[:2], dilation
    wide = np.zeros(((height - 1) * down + 1, (width - 1) * right + 1, *kernel.shape[2:]))
    wide[::down, ::right] = kernel
    return wide


def ungrouped(kernel, groups):
    """Return a kernel that sees all channels, with zeros for those outside of a filter's group."""
    height, width, channels, filters = kernel.shape
    whole = np.zeros((height, width, channels * groups, filters))
    for f in range(filters):
        first = f // (filters // groups) * channels
        whole[:, :, first : first + channels, f] = kernel[..., f]
    return whole


def grouped(whole, groups):
    """Return of such a kernel what `ungrouped` makes it of."""
    channels, filters = whole.shape[2] // groups, whole.shape[3]
    kernel = np.zeros((*whole.shape[:2], channels, filters))
    for f in range(filters):
        first = f // (filters // groups) * channels
        kernel[..., f] = whole[:, :, first : first + channels, f]
    return kernel


def convolution(x, kernel, bias, strides, padding):
    window, filters = kernel.shape[:2], kernel.shape[3]
    y = np.zeros((len(x), *output_size(x.shape[1:3], window, strides, padding), filters))
    y += bias
    x, kernel = x.astype(np.float64), kernel.astype(np.float64)
    for oy, ox, ky, kx, iy, ix in taps(x.shape[1:3], window, strides, padding):
        y[:, oy, ox] += x[:, iy, ix] @ kernel[ky, kx]
    return y


def convolution_gradients(x, kernel, dy, strides, padding):
    """Return dx, dkernel and dbias."""
    x, kernel, dy = x.astype(np.float64), kernel.astype(np.float64), np.asarray(dy, np.float64)
    dx, dkernel = np.zeros(x.shape), np.zeros(kernel.shape)
    for oy, ox, ky, kx, iy, ix in taps(x.shape[1:3], kernel.shape[:2], strides, padding):
        dx[:, iy, ix] += dy[:, oy, ox] @ kernel[ky, kx].T
        dkernel[ky, kx] += x[:, iy, ix].T @ dy[:, oy, ox]
    return dx, dkernel, dy.sum(axis=(0, 1, 2))


def im2col(x, window, strides, padding):
    height, width = output_size(x.shape[1:3], window, strides, padding)
    columns = np.zeros((len(x), height, width, *window, x.shape[3]))
    for oy, ox, ky, kx, iy, ix in taps(x.shape[1:3], window, strides, padding):
        columns[:, oy, ox, ky, kx] = x[:, iy, ix]
    return columns


def col2im(columns, shape, window, strides, padding):
    x = np.zeros(shape)
    for oy, ox, ky, kx, iy, ix in taps(shape[1:3], window, strides, padding):
        x[:, iy, ix] += columns[:, oy, ox, ky, kx]
    return x


def window_pixels(shape, window, strides, padding):
    """Return {(oy, ox): its window's pixels (iy, ix) on the image, row by row}."""
    pixels = {}
    for oy, ox, _, _, iy, ix in taps(shape, window, strides, padding):
        pixels.setdefault((oy, ox), []).append((iy, ix))
    return pixels


def max_pool(x, window, strides, padding):
    y = np.zeros((len(x), *output_size(x.shape[1:3], window, strides, padding), x.shape[3]))
    for (oy, ox), pixels in window_pixels(x.shape[1:3], window, strides, padding).items():
        y[:, oy, ox] = np.max([x[:, iy, ix] for iy, ix in pixels], axis=0)
    return y


def max_pool_gradient(x, dy, window, strides, padding):
    dx = np.zeros(x.shape)
    for (oy, ox), pixels in window_pixels(x.shape[1:3], window, strides, padding).items():
        first = np.argmax([x[:, iy, ix] for iy, ix in pixels], axis=0)
        for n, c in np.ndindex(first.shape):
            iy, ix = pixels[first[n, c]]
            dx[n, iy, ix, c] += dy[n, oy, ox, c]
    return dx


def average_pool(x, window, strides, padding):
    y = np.zeros((len(x), *output_size(x.shape[1:3], window, strides, padding), x.shape[3]))
    for (oy, ox), pixels in window_pixels(x.shape[1:3], window, strides, padding).items():
        y[:, oy, ox] = sum(x[:, iy, ix].astype(np.float64) for iy, ix in pixels) / len(pixels)
    return y


def average_pool_gradient(x, dy, window, strides, padding):
    dx = np.zeros(x.shape)
    for (oy, ox), pixels in window_pixels(x.shape[1:3], window, strides, padding).items():
        for iy, ix in pixels:
            dx[:, iy, ix] += dy[:, oy, ox].astype(np.float64) / len(pixels)
    return dx


def normal_probability(x):
    return np.vectorize(lambda v: (1 + math.erf(v / math.sqrt(2))) / 2, otypes=[float])(x)


def activation(name, x, slope=0.2):
    """Return an activation of x in float64; `slope` is that of leaky_relu, and alpha of elu."""
    x = np.asarray(x, np.float64)
    if name in ("softmax", "log_softmax"):
        powers = np.exp(x - x.max(axis=-1, keepdims=True))
        y = powers / powers.sum(axis=-1, keepdims=True)
        return y if name == "softmax" else np.log(y)
    return {
        "linear": lambda: x,
        "relu": lambda: np.where(x < 0, 0, x),
        "relu6": lambda: np.minimum(np.maximum(x, 0), 6),
        "leaky_relu": lambda: np.where(x < 0, slope * x, x),
        "elu": lambda: np.where(x < 0, slope * (np.exp(x) - 1), x),
        "selu": lambda: 1.0507009873554805 * np.where(x < 0, 1.6732632423543772 * (np.exp(x) - 1), x),
        "sigmoid": lambda: 1 / (1 + np.exp(-x)),
        "tanh": lambda: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)),
        "exponential": lambda: np.exp(x),
        "softplus": lambda: np.log(1 + np.exp(x)),
        "softsign": lambda: x / (1 + abs(x)),
        "silu": lambda: x / (1 + np.exp(-x)),
        "mish": lambda: x * np.tanh(np.log(1 + np.exp(x))),
        "gelu": lambda: x * normal_probability(x),
        "gelu_approximate": lambda: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
        "hard_sigmoid": lambda: np.minimum(np.maximum(x + 3, 0), 6) / 6,
        "hard_silu": lambda: x * np.minimum(np.maximum(x + 3, 0), 6) / 6,
    }[name]()


def activation_gradient(name, x, dy, slope=0.2):
    """Return dy times an activation's derivative, in float64."""
    x, dy = np.asarray(x, np.float64), np.asarray(dy, np.float64)
    y = activation(name, x, slope)
    if name == "softmax":
        jacobians = softmax_jacobian(y.reshape(-1, y.shape[-1]))
        return np.einsum("nkm,nk->nm", jacobians, dy.reshape(-1, y.shape[-1])).reshape(x.shape)
    if name == "log_softmax":
        return dy - np.exp(y) * dy.sum(axis=-1, keepdims=True)
    s, t = 1 / (1 + np.exp(-x)), np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))
    derivative = {
        "linear": lambda: np.ones(x.shape),
        "relu": lambda: np.where(x > 0, 1.0, 0.0),
        "relu6": lambda: np.where((x > 0) & (x < 6), 1.0, 0.0),
        "leaky_relu": lambda: np.where(x > 0, 1.0, slope),
        "elu": lambda: np.where(x > 0, 1.0, slope * np.exp(x)),
        "selu": lambda: 1.0507009873554805 * np.where(x > 0, 1.0, 1.6732632423543772 * np.exp(x)),
        "sigmoid": lambda: y * (1 - y),
        "tanh": lambda: 1 - y**2,
        "exponential": lambda: y,
        "softplus": lambda: s,
        "softsign": lambda: 1 / (1 + abs(x)) ** 2,
        "silu": lambda: s + x * s * (1 - s),
        "mish": lambda: (u := np.tanh(np.log(1 + np.exp(x)))) + x * (1 - u**2) * s,
        "gelu": lambda: normal_probability(x) + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi),
        "gelu_approximate": lambda: (
            (1 + t) / 2 + x / 2 * (1 - t**2) * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * x**2)
        ),
        "hard_sigmoid": lambda: np.where(abs(x) < 3, 1 / 6, 0),
        "hard_silu": lambda: np.where(abs(x) < 3, x / 3 + 0.5, np.where(x > 0, 1, 0)),
    }[name]()
    return dy * derivative


def softmax_jacobian(y):
    """Return (N, K, K): the derivative of probability k with respect to score m, from probabilities y."""
    jacobians = np.zeros((*y.shape, y.shape[1]))
    for n, k, m in np.ndindex(jacobians.shape):
        jacobians[n, k, m] = y[n, k] * ((k == m) - y[n, m])
    return jacobians


def normalization(x, dy, gamma, beta, epsilon, over_batch):
    """Return y, dx, dgamma and dbeta: channels normalized over the batch, or rows over channels."""
    channels = x.shape[-1]
    rows, slopes = (
        np.asarray(a, np.float64).reshape(-1, channels) for a in (x, dy * np.asarray(gamma, np.float64))
    )
    normal, dx = np.zeros(rows.shape), np.zeros(rows.shape)
    if over_batch:
        for c in range(channels):
            normal[:, c], dx[:, c] = normalized(rows[:, c], slopes[:, c], epsilon)
    else:
        for r in range(len(rows)):
            normal[r], dx[r] = normalized(rows[r], slopes[r], epsilon)
    upstream = np.asarray(dy, np.float64).reshape(-1, channels)
    y = (normal * gamma + beta).reshape(x.shape)
    return y, dx.reshape(x.shape), (upstream * normal).sum(axis=0), upstream.sum(axis=0)


def normalized(row, slope, epsilon):
    """Return a vector with mean 0 and variance 1, and the slope times the matrix of its derivatives."""
    count = len(row)
    deviation = math.sqrt(sum((row - row.mean()) ** 2) / count + epsilon)
    normal = (row - row.mean()) / deviation
    jacobian = (np.eye(count) - 1 / count - np.outer(normal, normal) / count) / deviation
    return normal, jacobian.T @ slope


def outside(place, size, fill):
    """Return the pixel that stands for a place, or None: the image is continued as Keras says, by hand."""
    if fill == "constant":
        return place if 0 <= place < size else None
    if fill == "nearest":
        return min(max(place, 0), size - 1)
    row = list(range(size))
    row = row + row[::-1] if fill == "reflect" else row
    while place < 0:
        place += len(row)
    return (row * (place // len(row) + 1))[place]


def merge(kind, inputs, dy):
    """Return y and the inputs' gradients of a layer that broadcasts samples, one element of y at a time."""
    inputs = [np.asarray(x, np.float64) for x in inputs]
    samples, rank = len(inputs[0]), max(x.ndim for x in inputs) - 1
    padded = [x.reshape(samples, *[1] * (rank - x.ndim + 1), *x.shape[1:]) for x in inputs]
    shape = [max(sizes) for sizes in zip(*(x.shape[1:] for x in padded), strict=True)]
    y, gradients = np.zeros((samples, *shape)), [np.zeros(x.shape) for x in padded]
    for place in np.ndindex(y.shape):
        own = [
            (place[0], *(0 if size == 1 else i for size, i in zip(x.shape[1:], place[1:], strict=True)))
            for x in padded
        ]
        values = [float(x[i]) for x, i in zip(padded, own, strict=True)]
        count = len(values)
        y[place], slopes = {
            "Add": lambda v=values, n=count: (sum(v), [1.0] * n),
            "Subtract": lambda v=values: (v[0] - v[1], [1.0, -1.0]),
            "Average": lambda v=values, n=count: (sum(v) / n, [1 / n] * n),
            "Multiply": lambda v=values, n=count: (
                math.prod(v),
                [math.prod(v[:k] + v[k + 1 :]) for k in range(n)],
            ),
            "Maximum": lambda v=values, n=count: (max(v), [float(k == v.index(max(v))) for k in range(n)]),
        }[kind]()
        for gradient, i, slope in zip(gradients, own, slopes, strict=True):
            gradient[i] += dy[place] * slope
    return y, [gradient.reshape(x.shape) for gradient, x in zip(gradients, inputs, strict=True)]
