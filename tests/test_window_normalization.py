"""The kernels that normalize by the moments of windows, against NumPy in float64."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from test_normalization_kernels import optional
from test_pooling_kernels import Written, reads

from tinynet.kernels import gather_gemm
from tinynet.kernels import window_normalization as kernels

DTYPES = [np.float32, np.float64]
TOLERANCE = {np.float32: 1e-5, np.float64: 1e-12}
CASES = [  # samples, height and width of padded, channels, window
    (1, (3, 3), 1, (3, 3)),
    (2, (6, 19), 1, (3, 3)),  # 17 windows beside each other
    (3, (5, 18), 3, (3, 3)),  # 16
    (2, (4, 8), 2, (2, 5)),
    (1, (3, 40), 4, (1, 1)),
    (1, (6, 7), 1, (5, 5)),
    (0, (4, 4), 1, (2, 2)),
]


def make(case, dtype):
    """Return padded images, the taps, how many windows there are, and all windows as rows."""
    samples, image, channels, window = case
    x = np.random.default_rng(0).normal(size=(samples, *image, channels)).astype(dtype) + dtype(0.5)
    taps = gather_gemm.offsets(*window, channels, image[1] * channels, channels, 1, 0)
    size = image[0] - window[0] + 1, image[1] - window[1] + 1
    parts = [x[:, a : a + size[0], b : b + size[1]] for a in range(window[0]) for b in range(window[1])]
    return x, taps, size, np.concatenate(parts, axis=-1).reshape(-1, taps.size).astype(float)


def weights(size, filters, dtype, with_bias=True):
    random = np.random.default_rng([size, filters])
    bias = random.normal(size=filters if with_bias else 0).astype(dtype)
    return random.normal(size=(size, filters)).astype(dtype), bias, random.normal(size=filters).astype(dtype)


def with_one(windows):
    return np.concatenate([windows, np.ones((len(windows), 1))], axis=1)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES)
def test_the_moments_of_windows(case, dtype):
    x, taps, size, windows = make(case, dtype)
    moments = Written((taps.size + 1, taps.size + 1), np.float64)
    kernels.window_moments(reads(x), taps, *size, moments.array)
    moments.check(with_one(windows).T @ with_one(windows), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES[:-1])
def test_the_moments_of_outputs(case, dtype, with_bias):
    _, taps, _, windows = make(case, dtype)
    moments = with_one(windows).T @ with_one(windows)
    for filters in (1, 5):
        kernel, bias, _ = weights(taps.size, filters, dtype, with_bias)
        outputs = windows @ kernel + optional(bias, filters, 0.0)
        sums, squares = Written(filters + 1, np.float64), Written(filters, np.float64)
        kernels.moments_of_outputs(reads(moments), reads(kernel), reads(bias), sums.array, squares.array)
        sums.check([*outputs.sum(0), len(windows)], rtol=1e-11, atol=1e-11)
        squares.check(((outputs - outputs.mean(0)) ** 2).sum(0), rtol=1e-10, atol=1e-10)
        assert (squares.array >= 0).all()


@pytest.mark.parametrize("shift", [1.0, 255.0, 1e4])
def test_moments_of_outputs_are_accurate_where_the_mean_is_much_larger_than_the_deviation(shift):
    x, taps, size, windows = make(CASES[1], np.float32)
    x, windows = x + np.float32(shift), windows + shift
    moments = np.empty((taps.size + 1, taps.size + 1))
    kernels.window_moments(x, taps, *size, moments)
    kernel, bias, _ = weights(taps.size, 4, np.float32)
    sums, squares = np.empty(5), np.empty(4)
    kernels.moments_of_outputs(moments, kernel, bias, sums, squares)
    exact = x.astype(float)[:, :, :, 0]
    parts = [exact[:, a : a + size[0], b : b + size[1]] for a in range(3) for b in range(3)]
    outputs = (np.stack(parts, -1) @ kernel.astype(float) + bias).reshape(-1, 4)
    np.testing.assert_allclose(sums[:-1], outputs.sum(0), rtol=1e-10)
    np.testing.assert_allclose(squares, outputs.var(0) * len(outputs), rtol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_stays_visible(bad):
    x, taps, size, _ = make(CASES[1], np.float32)
    x[1, 2, 3] = bad
    moments, sums, squares = np.empty((10, 10)), np.empty(3), np.empty(2)
    kernels.window_moments(x, taps, *size, moments)
    kernels.moments_of_outputs(moments, *weights(9, 2, np.float32)[:2], sums, squares)
    assert not np.isfinite(sums[:2]).any()
    assert np.isnan(squares).all()


@pytest.mark.parametrize("stays", [False, True])
@pytest.mark.parametrize("with_weights", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES[:-1])
def test_the_gradients(case, dtype, with_weights, stays):
    _, taps, _, windows = make(case, dtype)
    moments = with_one(windows).T @ with_one(windows)
    random, atol = np.random.default_rng(1), 50 * TOLERANCE[dtype] * len(windows)
    for filters in (1, 5):
        kernel, bias, gamma = weights(taps.size, filters, dtype, with_weights)
        gamma = gamma if with_weights else gamma[:0]
        mean, scale = random.normal(size=filters), random.uniform(0.5, 2, filters)
        upstream = random.normal(size=(len(windows), filters))
        gradient, passed = (windows.T @ upstream).astype(dtype), upstream.sum(0).astype(dtype)
        xhat = (windows @ kernel + optional(bias, filters, 0.0) - mean) * scale
        sums = Written(2 * filters, np.float64)
        inputs = [reads(array) for array in (gradient, passed, kernel, bias, mean, scale)]
        kernels.gradient_sums(*inputs, sums.array)
        sums.check(np.append(upstream.sum(0), (upstream * xhat).sum(0)), atol=atol)

        total, count = random.normal(size=2 * filters), np.array([np.nan, 3.0])[: 0 if stays else 2]
        average, product = np.split(np.zeros_like(total) if stays else total / 3, 2)
        dz = optional(gamma, filters, 1.0) * scale * (upstream - average - xhat * product)
        dkernel = Written(kernel.shape, dtype)
        inputs = [
            reads(array) for array in (moments, gradient, kernel, bias, mean, scale, gamma, total, count)
        ]
        kernels.kernel_gradient(*inputs, dkernel.array)
        dkernel.check(windows.T @ dz, atol=atol)


def test_by_hand():
    x, taps = np.array([1.0, 2, 4]).reshape(1, 1, 3, 1), np.array([0, 1])  # the windows (1, 2) and (2, 4)
    moments = np.empty((3, 3))
    kernels.window_moments(x, taps, 1, 2, moments)
    np.testing.assert_array_equal(moments, [[5, 10, 3], [10, 20, 6], [3, 6, 2]])
    kernel, bias, sums, squares = np.array([[1.0], [-1.0]]), np.array([3.0]), np.empty(2), np.empty(1)
    kernels.moments_of_outputs(moments, kernel, bias, sums, squares)  # the outputs are 2 and 1
    np.testing.assert_allclose([*sums, *squares], [3, 2, 0.5])
    # The second output has the upstream gradient 7, and statistics say mean 1 and scale 2: xhat is 2 and 0.
    gradient, passed, mean, scale = (
        np.array([[14.0], [28]]),
        np.array([7.0]),
        np.array([1.0]),
        np.array([2.0]),
    )
    dkernel = np.empty((2, 1))
    kernels.gradient_sums(gradient, passed, kernel, bias, mean, scale, sums)
    np.testing.assert_allclose(sums, [7, 0])
    kernels.kernel_gradient(
        moments,
        gradient,
        kernel,
        bias,
        mean,
        scale,
        np.array([0.5]),
        np.array([4.0, 6]),
        np.array([2.0]),
        dkernel,
    )
    # dz = 7 * (0, 1) - 4 / 2 - (2, 0) * 6 / 2
    np.testing.assert_allclose(dkernel.ravel(), [1 * -8 + 2 * 5, 2 * -8 + 4 * 5])


@pytest.mark.parametrize("channels", [1, 3])
def test_no_bit_depends_on_what_is_around(channels):
    """The sums of several images are those of each, in order."""
    for dtype, width in itertools.product(DTYPES, (5, 16, 33)):
        x = np.random.default_rng(0).normal(size=(3, 4, width, channels)).astype(dtype)
        taps = gather_gemm.offsets(3, 3, channels, width * channels, channels, 1, 0)
        size = taps.size + 1
        whole, total, one = np.empty((size, size)), np.zeros((size, size)), np.empty((size, size))
        kernels.window_moments(x, taps, 2, width - 2, whole)
        for image in x:
            kernels.window_moments(image[None].copy(), taps, 2, width - 2, one)
            total += one
        np.testing.assert_array_equal(whole, total)
