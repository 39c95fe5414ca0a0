"""The kernels of batch and layer normalization, against NumPy in float64.

As in test_pooling_kernels.py, a buffer that is read lies between NaNs and one that is written lies between
sentinels.
"""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_pooling_kernels import Written, reads

from tinynet.kernels import layer_normalization, normalization_gradients
from tinynet.kernels import normalization as kernels

DTYPES = [np.float32, np.float64]
CHUNK, HEAD = kernels.CHUNK, kernels.HEAD
ROWS = [0, 1, 2, 3, HEAD - 1, HEAD, HEAD + 1, 37, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 3]
CHANNELS = [1, 2, 3, 15, 16, 17, 31, 32, 33, 64, 65, 100]
EPSILON = 1e-3


def tolerance(dtype):
    return 1e-5 if dtype == np.float32 else 1e-13


def data(rows, channels, dtype, seed=0):
    """Return x, dy, gamma and beta; x with another mean and deviation in each channel."""
    random = np.random.default_rng([seed, rows, channels])
    x = random.normal(size=(rows, channels)) * random.uniform(0.5, 2, channels) + random.normal(size=channels)
    dy = random.normal(size=(rows, channels)) + random.normal(size=channels)
    gamma, beta = random.normal(size=(2, channels))
    return [array.astype(dtype) for array in (x, dy, gamma, beta)]


def optional(gamma, channels, default):
    """Return what an array counts as, which may be of size 0."""
    return gamma.astype(float) if gamma.size else np.full(channels, default)


# The formulas of batch normalization


def moments_reference(x):
    x = x.astype(float)
    squares = ((x - x.mean(axis=0)) ** 2).sum(axis=0) if len(x) else np.zeros(x.shape[1])
    return np.append(x.sum(axis=0), len(x)), squares


def gradient_sums_reference(x, dy, mean, scale):
    xhat, dy = (x.astype(float) - mean) * scale, dy.astype(float)
    return np.concatenate([dy.sum(axis=0), (dy * xhat).sum(axis=0)])


def gradient_reference(x, dy, mean, scale, gamma, sums, rows):
    total, product = np.split(sums / rows, 2)
    xhat = (x.astype(float) - mean) * scale
    return optional(gamma, len(mean), 1.0) * scale * (dy - total - xhat * product)


# What kernels write, between sentinels


def moments(*parts):
    """Return the moments of rows that come in parts."""
    channels = parts[0].shape[1]
    sums, squares = Written(channels + 1, np.float64), Written(channels, np.float64)
    for number, x in enumerate(parts):
        kernels.moments(reads(x), sums.array, squares.array, number > 0)
    sums.check(sums.array)
    squares.check(squares.array)
    return sums.array, squares.array


def statistics(total, squares, epsilon=EPSILON):
    mean, scale = Written(squares.shape, np.float64), Written(squares.shape, np.float64)
    kernels.statistics(reads(total), reads(squares), epsilon, mean.array, scale.array)
    mean.check(mean.array)
    scale.check(scale.array)
    return mean.array, scale.array


def recenter(sums, squares, total):
    part = Written(squares.shape, np.float64)
    kernels.recenter(reads(sums), reads(squares), reads(total), part.array)
    part.check(part.array)
    return part.array


def normalize(x, mean, scale, gamma, beta, relu=False):
    y = Written(x.shape, x.dtype)
    kernels.normalize(reads(x), reads(mean), reads(scale), reads(gamma), reads(beta), y.array, relu)
    y.check(y.array)
    return y.array


# Every size


@pytest.mark.parametrize("dtype", DTYPES)
def test_moments_of_every_size(dtype):
    for rows, channels in itertools.product(ROWS, CHANNELS):
        x = data(rows, channels, dtype)[0]
        sums, squares = moments_reference(x)
        got_sums, got_squares = moments(x)
        atol = tolerance(dtype) * (rows + 1)
        np.testing.assert_allclose(got_sums, sums, rtol=0, atol=atol, err_msg=f"{rows} {channels}")
        np.testing.assert_allclose(got_squares, squares, rtol=0, atol=atol, err_msg=f"{rows} {channels}")
        assert got_sums[channels] == rows


def check_input_gradients(x, dy, gate, passed, mean, scale, gamma, sums, rtol):
    """Check both gradients for x, of which `passed` is what the gate lets pass."""
    count, dx = np.array([np.nan, len(x) + 5.0]), Written(x.shape, x.dtype)
    normalization_gradients.gradient(*map(reads, (x, dy, gate, mean, scale, gamma, sums, count)), dx.array)
    dx.check(gradient_reference(x, passed, mean, scale, gamma, sums, len(x) + 5), atol=5 * rtol)
    dx = Written(x.shape, x.dtype)
    normalization_gradients.scale_gradient(reads(dy), reads(gate), reads(scale), reads(gamma), dx.array)
    dx.check(optional(gamma, len(mean), 1.0) * scale * passed, atol=rtol)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cuts", [(0,), (5,), (CHUNK,), (3, CHUNK + 1), (1, 1, 2)])
def test_moments_of_rows_in_parts(dtype, cuts):
    for channels in (1, 17):
        x = data(2 * CHUNK + 3, channels, dtype)[0]
        for got, expected in zip(moments(*np.split(x, cuts)), moments_reference(x), strict=True):
            np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance(dtype) * len(x))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("parts", [(), ("gamma",), ("beta",), ("gamma", "beta")], ids=str)
def test_normalize_and_its_gradients_of_every_size(dtype, parts):
    rtol = tolerance(dtype)
    for rows, channels in itertools.product(ROWS, CHANNELS):
        x, dy, gamma, beta = data(rows, channels, dtype)
        gamma, beta = gamma if "gamma" in parts else gamma[:0], beta if "beta" in parts else beta[:0]
        mean, scale = np.linspace(-1, 1, channels), np.linspace(0.5, 2, channels)
        factor = optional(gamma, channels, 1.0) * scale
        expected = (x.astype(float) - mean) * factor + optional(beta, channels, 0.0)
        np.testing.assert_allclose(normalize(x, mean, scale, gamma, beta), expected, rtol=0, atol=5 * rtol)
        y = normalize(x, mean, scale, gamma, beta, relu=True)
        np.testing.assert_array_equal(y, np.maximum(normalize(x, mean, scale, gamma, beta), 0))

        positive, places = np.where(y > 0, dy, 0), np.sign(y) - 1
        for gate, least, passed in ((y[:0], -1.0, dy), (y, 0.0, positive), (places, -1.0, positive)):
            sums = gradient_sums_reference(x, passed, mean, scale)
            written = Written(2 * channels, np.float64)
            arrays = [reads(array) for array in (x, dy, gate, mean, scale)]
            normalization_gradients.gradient_sums(*arrays[:3], least, *arrays[3:], written.array)
            written.check(sums, atol=2 * rtol * (rows + 1))
            if gate is not places:
                check_input_gradients(x, dy, gate, passed, mean, scale, gamma, sums, rtol)

        dgamma, dbeta = Written(gamma.shape, dtype), Written(beta.shape, dtype)
        normalization_gradients.parameter_gradients(reads(sums), dgamma.array, dbeta.array)
        dgamma.check(sums[channels:][: gamma.size].astype(dtype))
        dbeta.check(sums[: beta.size].astype(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_statistics_of_every_size(dtype):
    for channels in CHANNELS:
        random = np.random.default_rng(channels)
        sums, squares = random.normal(size=channels), random.uniform(0, 9, channels)
        total = np.append(sums, 7.0)
        mean, scale = statistics(total, squares)
        np.testing.assert_allclose(mean, sums / 7, rtol=1e-15)
        np.testing.assert_allclose(scale, 1 / np.sqrt(squares / 7 + EPSILON), rtol=1e-15)

        moving = random.normal(size=channels).astype(dtype), random.uniform(0, 2, channels).astype(dtype)
        written = Written(channels, np.float64), Written(channels, np.float64)
        kernels.running_statistics(*map(reads, moving), EPSILON, *(each.array for each in written))
        written[0].check(moving[0])
        written[1].check(1 / np.sqrt(moving[1].astype(float) + EPSILON), rtol=1e-15)

        updated = Written(channels, dtype, moving[0]), Written(channels, dtype, moving[1])
        kernels.update_running(reads(total), reads(squares), 0.9, *(each.array for each in updated))
        for each, before, batch in zip(updated, moving, (sums, squares), strict=True):
            each.check(0.9 * before + 0.1 * (batch / 7), rtol=tolerance(dtype), atol=tolerance(dtype) / 10)


# By hand


@pytest.mark.parametrize("dtype", DTYPES)
def test_batch_normalization_by_hand(dtype):
    x, dy = np.array([[1, 6], [3, 6], [5, 6], [7, 6]], dtype), np.zeros((4, 2), dtype)
    gamma, beta = np.array([3, 5], dtype), np.array([1, -2], dtype)
    total, squares = moments(x)
    np.testing.assert_array_equal(total, [16, 24, 4])
    np.testing.assert_array_equal(squares, [20, 0])
    mean, scale = statistics(total, squares, 4.0)
    np.testing.assert_allclose(mean, [4, 6], rtol=1e-15)
    np.testing.assert_allclose(scale, [1 / 3, 1 / 2], rtol=1e-15)
    y = normalize(x, mean, scale, gamma, beta)
    np.testing.assert_allclose(y, [[-2, -2], [0, -2], [2, -2], [4, -2]], rtol=1e-6)

    dy[0] = [1, 4]
    sums, dx = Written(4, np.float64), Written((4, 2), dtype)
    normalization_gradients.gradient_sums(
        reads(x), reads(dy), x[:0], -1.0, reads(mean), reads(scale), sums.array
    )
    sums.check([1, 4, -1, 0], rtol=1e-15)
    normalization_gradients.gradient(x, dy, x[:0], mean, scale, gamma, sums.array, total, dx.array)
    dx.check([[1 / 2, 7.5], [-1 / 3, -2.5], [-1 / 6, -2.5], [0, -2.5]], rtol=1e-6, atol=1e-7)
    dx = Written((4, 2), dtype)
    normalization_gradients.scale_gradient(dy, x[:0], scale, gamma, dx.array)
    dx.check([[1, 10], [0, 0], [0, 0], [0, 0]], rtol=1e-6)

    moving_mean, moving_variance = Written(2, dtype, 8), Written(2, dtype, 1)
    kernels.update_running(total, squares, 0.75, moving_mean.array, moving_variance.array)
    moving_mean.check([7, 7.5])
    moving_variance.check([2, 0.75])
    kernels.running_statistics(moving_mean.array, moving_variance.array, 0.25, mean, scale)
    np.testing.assert_array_equal(mean, [7, 7.5])
    np.testing.assert_allclose(scale, [2 / 3, 1], rtol=1e-15)


@pytest.mark.parametrize("dtype", DTYPES)
def test_layer_normalization_by_hand(dtype):
    x, dy = np.array([[1, 3, 5, 7], [6, 6, 6, 6]], dtype), np.array([[1, 0, 0, 0], [0, 4, 0, 0]], dtype)
    gamma, beta = np.full(4, 3, dtype), np.full(4, 1, dtype)
    y, mean, scale = Written((2, 4), dtype), Written(2, np.float64), Written(2, np.float64)
    layer_normalization.normalize_rows(
        reads(x), reads(gamma), reads(beta), 4.0, y.array, mean.array, scale.array
    )
    y.check([[-2, 0, 2, 4], [1, 1, 1, 1]], rtol=1e-6, atol=1e-6)
    mean.check([4, 6])
    scale.check([1 / 3, 1 / 2], rtol=1e-15)
    dx, dgamma, dbeta = Written((2, 4), dtype), Written(4, dtype), Written(4, dtype)
    layer_normalization.normalize_rows_gradient(
        x, mean.array, scale.array, gamma, dy, dx.array, dgamma.array, dbeta.array
    )
    dx.check([[1 / 2, -1 / 3, -1 / 6, 0], [-1.5, 4.5, -1.5, -1.5]], rtol=1e-6, atol=1e-6)
    dgamma.check([-1, 0, 0, 0], rtol=1e-6)
    dbeta.check([1, 4, 0, 0])


# Accuracy


@pytest.mark.parametrize("mean", [0.0, 1e3, -1e5])
def test_moments_are_accurate_where_the_mean_is_much_larger_than_the_deviation(mean):
    x = (np.random.default_rng(0).normal(size=(12544, 5)) + mean).astype(np.float32)
    sums, squares = moments(x)
    expected_sums, expected = moments_reference(x)
    np.testing.assert_allclose(sums[:-1] / 12544, expected_sums[:-1] / 12544, rtol=0, atol=1e-6)
    np.testing.assert_allclose(squares, expected, rtol=1e-5)


@pytest.mark.parametrize("outliers", [1, HEAD // 2, HEAD, CHUNK, 5 * CHUNK])
def test_moments_are_accurate_where_the_first_rows_are_far_from_the_others(outliers):
    x = np.random.default_rng(0).normal(size=(9 * CHUNK + 1, 5)).astype(np.float32)
    x[:outliers] += 1e4
    sums, squares = moments(x)
    expected_sums, expected = moments_reference(x)
    np.testing.assert_allclose(sums, expected_sums, rtol=1e-5)
    np.testing.assert_allclose(squares, expected, rtol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1.0, 1e-25])  # float32 has no squares of the latter's rounding errors
def test_rows_that_are_equal_have_next_to_no_squares_and_none_below_0(size, dtype):
    values = (size * np.random.default_rng(0).normal(size=100)).astype(dtype)
    for rows in ROWS:
        squares = moments(np.tile(values, (rows, 1)))[1]
        assert (squares >= 0).all()
        assert (squares <= rows * (4 * np.finfo(dtype).eps * values.astype(float)) ** 2).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_stays_visible_and_in_its_channel(bad):
    for row in (0, 1, CHUNK - 1, CHUNK, 2 * CHUNK):
        x = np.ones((2 * CHUNK + 1, 20), np.float32)
        x[row, 17] = bad
        sums, squares = moments(x)
        others = np.arange(20) != 17
        assert not np.isfinite(sums[17])
        assert np.isnan(squares[17])
        np.testing.assert_array_equal(sums[:-1][others], 2 * CHUNK + 1)
        np.testing.assert_array_equal(squares[others], 0)


def test_layer_normalization_is_accurate_where_the_mean_is_much_larger_than_the_deviation():
    x = (np.random.default_rng(0).normal(size=(9, 101)) + 1e6).astype(np.float32)
    none, y = np.empty(0, np.float32), Written(x.shape, np.float32)
    mean, scale = Written(9, np.float64), Written(9, np.float64)
    layer_normalization.normalize_rows(reads(x), none, none, 0.0, y.array, mean.array, scale.array)
    mean.check(x.mean(axis=1, dtype=float), rtol=1e-10)
    scale.check(1 / x.std(axis=1, dtype=float), rtol=1e-6)


# Properties


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 2 * CHUNK), min_size=1, max_size=5).filter(any),
    st.integers(1, 40),
    st.sampled_from(DTYPES),
    st.sampled_from([0.0, 1e3]),
    st.integers(0, 2**32),
)
def test_the_moments_of_shards_add_up_to_those_of_the_whole(sizes, channels, dtype, shift, seed):
    x = (data(sum(sizes), channels, np.float64, seed)[0] + shift).astype(dtype)
    x += np.linspace(0, 9, len(x), dtype=dtype)[:, None]  # so that shards differ in their means
    shards = [moments(shard) for shard in np.split(x, np.cumsum(sizes)[:-1])]
    total = np.sum([sums for sums, _ in shards], axis=0)
    squares = np.sum([recenter(sums, squares, total) for sums, squares in shards], axis=0)
    whole = moments(x)
    rtol = 10 * tolerance(dtype)
    np.testing.assert_allclose(total, whole[0], rtol=rtol, atol=rtol * len(x))
    np.testing.assert_allclose(squares, whole[1], rtol=rtol, atol=rtol)


@settings(max_examples=60)
@given(
    st.integers(1, 3 * CHUNK),
    st.integers(1, 40),
    st.integers(-1000, 1000),
    st.sampled_from(DTYPES),
    st.integers(0, 2**32),
)
def test_a_shift_moves_the_sums_and_leaves_the_squares(rows, channels, shift, dtype, seed):
    x = np.random.default_rng(seed).integers(-9, 10, (rows, channels)).astype(dtype)  # the shift is exact
    (sums, squares), (moved, same) = moments(x), moments(x + dtype(shift))
    rtol = tolerance(dtype)
    np.testing.assert_allclose(moved[:-1], sums[:-1] + rows * shift, rtol=rtol, atol=rtol * rows)
    np.testing.assert_allclose(same, squares, rtol=rtol, atol=rtol)


def central_differences(function, x, step=1e-5):
    """Return the gradient of a function of no arguments for x, which it uses."""
    gradient = np.empty(x.shape)
    for place in np.ndindex(x.shape):
        kept, values = x[place], []
        for moved in (kept + step, kept - step):
            x[place] = moved
            values.append(function())
        x[place] = kept
        gradient[place] = (values[0] - values[1]) / (2 * step)
    return gradient


@pytest.mark.parametrize("frozen", [False, True])
def test_the_gradients_of_batch_normalization_are_those_of_what_it_computes(frozen):
    x, dy, gamma, beta = data(7, 3, np.float64)
    fixed = statistics(*moments(x + 1))

    def batch_statistics():
        return fixed if frozen else statistics(*moments(x))

    def value():
        return (dy * normalize(x, *batch_statistics(), gamma, beta)).sum()

    mean, scale = batch_statistics()
    sums, dx, dgamma, dbeta = np.empty(6), np.empty((7, 3)), np.empty(3), np.empty(3)
    normalization_gradients.gradient_sums(x, dy, x[:0], -1.0, mean, scale, sums)
    normalization_gradients.parameter_gradients(sums, dgamma, dbeta)
    if frozen:
        normalization_gradients.scale_gradient(dy, x[:0], scale, gamma, dx)
    else:
        normalization_gradients.gradient(x, dy, x[:0], mean, scale, gamma, sums, moments(x)[0], dx)
    for array, gradient in [(x, dx), (gamma, dgamma), (beta, dbeta)]:
        np.testing.assert_allclose(gradient, central_differences(value, array), rtol=1e-7, atol=1e-8)


# Layer normalization


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("parts", [(), ("gamma",), ("beta",), ("gamma", "beta")], ids=str)
def test_layer_normalization_of_every_size(dtype, parts):
    atol = 5 * tolerance(dtype)
    for rows, channels in itertools.product([0, 1, 2, 5, 130], CHANNELS):
        x, dy, gamma, beta = data(rows, channels, dtype)
        gamma, beta = gamma if "gamma" in parts else gamma[:0], beta if "beta" in parts else beta[:0]
        mean, scale = x.mean(axis=1, dtype=float), 1 / np.sqrt(x.var(axis=1, dtype=float) + 0.1)
        xhat = (x.astype(float) - mean[:, None]) * scale[:, None]
        written = [Written(x.shape, dtype), Written(rows, np.float64), Written(rows, np.float64)]
        layer_normalization.normalize_rows(
            reads(x), reads(gamma), reads(beta), 0.1, *(each.array for each in written)
        )
        written[0].check(xhat * optional(gamma, channels, 1.0) + optional(beta, channels, 0.0), atol=atol)
        written[1].check(mean, atol=tolerance(dtype))
        written[2].check(scale, rtol=tolerance(dtype))

        g = dy * optional(gamma, channels, 1.0)
        averages = g.mean(axis=1, keepdims=True) + xhat * (g * xhat).mean(axis=1, keepdims=True)
        inputs = [reads(array) for array in (x, mean, scale, gamma, dy)]
        written = [Written(x.shape, dtype), Written(gamma.shape, dtype), Written(beta.shape, dtype)]
        layer_normalization.normalize_rows_gradient(*inputs, *(each.array for each in written))
        written[0].check(scale[:, None] * (g - averages), atol=2 * atol)
        written[1].check((dy * xhat).sum(axis=0)[: gamma.size], atol=atol * (rows + 1))
        written[2].check(dy.astype(float).sum(axis=0)[: beta.size], atol=atol * (rows + 1))


@pytest.mark.parametrize("gain", [1.0, 0.0])
def test_the_gradients_of_layer_normalization_are_those_of_what_it_computes(gain):
    x, dy, gamma, beta = data(3, 19, np.float64)
    gamma *= gain
    gamma[1] = 0
    y, mean, scale = np.empty((3, 19)), np.empty(3), np.empty(3)

    def value():
        layer_normalization.normalize_rows(x, gamma, beta, EPSILON, y, mean, scale)
        return (dy * y).sum()

    value()
    dx, dgamma, dbeta = np.empty((3, 19)), np.empty(19), np.empty(19)
    layer_normalization.normalize_rows_gradient(x, mean, scale, gamma, dy, dx, dgamma, dbeta)
    for array, gradient in [(x, dx), (gamma, dgamma), (beta, dbeta)]:
        np.testing.assert_allclose(gradient, central_differences(value, array), rtol=1e-7, atol=1e-8)


# Every array ends where its page does, or begins where one begins; touching the page beyond ends the process.
BETWEEN_PAGES = """
import ctypes, mmap, itertools, numpy as np
from tinynet.kernels import layer_normalization, normalization_gradients
from tinynet.kernels import normalization as kernels

libc, areas, page = ctypes.CDLL(None, use_errno=True), [], mmap.PAGESIZE

def fenced(*shape, kind=np.float64, value=1):
    count, kind = int(np.prod(shape)), np.dtype(kind)
    size = -(-max(count * kind.itemsize, 1) // page) * page
    area = mmap.mmap(-1, size + 2 * page)
    areas.append(area)
    start = ctypes.addressof(ctypes.c_char.from_buffer(area))
    for fence in (start, start + page + size):
        assert libc.mprotect(ctypes.c_void_p(fence), page, 0) == 0
    offset = page if at_the_beginning else page + size - count * kind.itemsize
    array = np.frombuffer(area, kind, count, offset).reshape(shape)
    array[...] = value
    return array

for at_the_beginning, T, c in itertools.product((False, True), (np.float32, np.float64), (1, 7, 8, 17, 33)):
    for rows, extra in itertools.product((1, 6, kernels.CHUNK + 1), (0, c)):
        x, dy, y = (fenced(rows, c, kind=T) for _ in range(3))
        gamma, beta, dgamma, dbeta = (fenced(extra, kind=T) for _ in range(4))
        moving_mean, moving_variance = fenced(c, kind=T), fenced(c, kind=T)
        total, squares, part, mean, scale = fenced(c + 1), fenced(c), fenced(c), fenced(c), fenced(c)
        sums, row_mean, row_scale = fenced(2 * c), fenced(rows), fenced(rows)
        kernels.moments(x, total, squares, False)
        assert (total == rows).all() and (squares == 0).all()
        kernels.recenter(total, squares, total, part)
        kernels.statistics(total, squares, 1.0, mean, scale)
        kernels.update_running(total, squares, 0.5, moving_mean, moving_variance)
        kernels.running_statistics(moving_mean, moving_variance, 0.5, mean, scale)
        gate = fenced(rows * (extra > 0), c, kind=T)
        kernels.normalize(x, mean, scale, gamma, beta, y, False)
        assert (y == (1 if extra else 0)).all() and (scale == 1).all()
        normalization_gradients.gradient_sums(x, dy, gate, -1.0, mean, scale, sums)
        assert (sums[:c] == rows).all() and (sums[c:] == 0).all()
        normalization_gradients.parameter_gradients(sums, dgamma, dbeta)
        normalization_gradients.gradient(x, dy, gate, mean, scale, gamma, sums, total, y)
        assert (y == 0).all()
        normalization_gradients.scale_gradient(dy, gate, scale, gamma, y)
        assert (y == 1).all()
        layer_normalization.normalize_rows(x, gamma, beta, 1.0, y, row_mean, row_scale)
        assert np.allclose(row_mean, 1) and np.allclose(row_scale, 1)
        layer_normalization.normalize_rows_gradient(x, row_mean, row_scale, gamma, dy, y, dgamma, dbeta)
        assert np.allclose(y, 0, atol=1e-6) and (dbeta == rows).all()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="protects memory as Linux does")
def test_nothing_reads_or_writes_outside_of_an_array():
    finished = subprocess.run(
        [sys.executable, "-c", BETWEEN_PAGES], capture_output=True, text=True, check=False, timeout=120
    )
    assert finished.returncode == 0, finished.stderr
