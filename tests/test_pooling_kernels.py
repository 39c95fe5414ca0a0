"""The pooling kernels and those of single elements that name their vectors, against NumPy.

As in test_gather_gemm.py, a buffer that is read lies between NaNs and one that is written lies between
sentinels. Pooling moves numbers and adds few of them: on small integers the results are exact, whatever the
order of the sums, and there are many ties.
"""

from __future__ import annotations

import itertools
import math
import subprocess
import sys

import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynet import losses
from tinynet.kernels import elementwise, pooling, softmax
from tinynet.kernels.cpu import VECTOR_BYTES

DTYPES = [np.float32, np.float64]
CHANNELS = range(1, 41)  # every rest of a vector of every size
SENTINEL = 12345.0
GUARD = 64


def guarded(array, guard):
    """Return a buffer and, in its middle, a contiguous copy of the array."""
    buffer = np.full(array.size + 2 * GUARD, guard, array.dtype)
    middle = buffer[GUARD : GUARD + array.size].reshape(array.shape)
    middle[...] = array
    return buffer, middle


def reads(array):
    return guarded(array, -1 if array.dtype.kind == "i" else np.nan)[1]


class Written:
    """An array for a kernel to fill, or to change, and a check that it wrote nowhere else."""

    def __init__(self, shape, dtype, content=SENTINEL):
        self.buffer, self.array = guarded(np.full(shape, content, dtype), SENTINEL)

    def check(self, expected, rtol=0.0, atol=0.0):
        assert (self.buffer[:GUARD] == SENTINEL).all()
        assert (self.buffer[GUARD + self.array.size :] == SENTINEL).all()
        np.testing.assert_allclose(self.array, expected, rtol=rtol, atol=atol)


def integers(random, shape, dtype):
    return random.integers(-3, 4, shape).astype(dtype)


# max_pool and its gradient


def max_pool(x, window, strides, padding):
    """As naive.max_pool, and NaN where a window holds one."""
    with np.errstate(invalid="ignore"):
        return naive.max_pool(x, window, strides, padding)


def max_pool_gradient(x, dy, window, strides, padding):
    """Give each dy to the first place that equals the largest value; to none where that is NaN."""
    dx = np.zeros(x.shape)
    for (oy, ox), pixels in naive.window_pixels(x.shape[1:3], window, strides, padding).items():
        values = np.array([x[:, iy, ix] for iy, ix in pixels])
        with np.errstate(invalid="ignore"):
            equal = values == values.max(axis=0)
        first = equal & (equal.cumsum(axis=0) == 1)
        for chosen, (iy, ix) in zip(first, pixels, strict=True):
            dx[:, iy, ix] += np.where(chosen, dy[:, oy, ox], 0)
    return dx


def check_max_pool(x, dy, window, strides, padding):
    before = [-naive.windows(x.shape[1 + a], window[a], strides[a], padding)[0] for a in (0, 1)]
    geometry, dtype = (*window, *strides, *before), x.dtype.type
    y = max_pool(x, window, strides, padding)
    written = Written(y.shape, dtype)
    pooling.max_pool(reads(x), written.array, *geometry)
    written.check(y)
    dx = Written(x.shape, dtype)
    pooling.max_pool_gradient(reads(x), reads(y.astype(dtype)), reads(dy), dx.array, *geometry)
    dx.check(max_pool_gradient(x, dy, window, strides, padding))


def pooled_shape(x_shape, window, strides, padding):
    return (x_shape[0], *naive.output_size(x_shape[1:3], window, strides, padding), x_shape[3])


POOLS = [
    (1, (4, 6), (2, 2), (2, 2), "valid"),  # side by side
    (2, (5, 7), (2, 3), (2, 3), "valid"),  # a row and a column that are in no window
    (2, (5, 7), (3, 2), (3, 2), "same"),  # windows reach over the edge
    (1, (5, 4), (3, 3), (2, 1), "same"),  # windows overlap
    (2, (7, 5), (2, 1), (3, 2), "valid"),  # pixels between the windows
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("pool", POOLS)
def test_max_pool_for_any_number_of_channels(pool, dtype):
    samples, image, *placing = pool
    random = np.random.default_rng(0)
    for channels in CHANNELS:
        x = integers(random, (samples, *image, channels), dtype)
        check_max_pool(x, integers(random, pooled_shape(x.shape, *placing), dtype), *placing)


pools = st.tuples(
    st.integers(1, 3),
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    st.sampled_from(["valid", "same"]),
).filter(lambda pool: pool[4] == "same" or (pool[2][0] <= pool[1][0] and pool[2][1] <= pool[1][1]))


@settings(max_examples=60)
@given(pools, st.integers(1, 9), st.sampled_from(DTYPES), st.integers(0, 2**32))
def test_max_pool_of_random_geometry(pool, channels, dtype, seed):
    samples, image, *placing = pool
    random = np.random.default_rng(seed)
    x = integers(random, (samples, *image, channels), dtype)
    special = random.random(x.shape)
    for share, value in [(0.05, np.nan), (0.1, np.inf), (0.2, -np.inf), (0.25, -0.0)]:
        x[special < share] = value  # the larger share overwrites the smaller ones
    x[random.random(x.shape) < 0.02] = np.nan
    check_max_pool(x, integers(random, pooled_shape(x.shape, *placing), dtype), *placing)


@pytest.mark.parametrize("dtype", DTYPES)
def test_max_pool_of_special_values(dtype):
    window = np.array([[0.0, -0.0], [np.nan, 1], [1, np.nan], [-np.inf, -np.inf], [np.inf, np.nan]], dtype)
    x = window.T.reshape(1, 1, 2, 5)
    check_max_pool(x, np.arange(1, 6, dtype=dtype).reshape(1, 1, 1, 5), (1, 2), (1, 2), "valid")


# max_pool_places and its gradient


def places_reference(x, shape, pool, relu):
    """Return what `max_pool_places` writes, from windows laid out as an axis."""
    samples, height, width, channels = shape
    (pool_y, pool_x), covered = pool, x[:, : shape[1] * pool[0], : shape[2] * pool[1]]
    windows = covered.reshape(samples, height, pool_y, width, pool_x, channels)
    windows = windows.transpose(0, 1, 3, 5, 2, 4).reshape(*shape, pool_y * pool_x)
    y = windows.max(axis=-1)
    place = windows.argmax(axis=-1)
    return y, np.where(y > 0, place, -1) if relu else place


def places_gradient_reference(dy, place, padded_shape, pool, top, left):
    padded = np.zeros(padded_shape)
    for n, oy, ox, c in np.argwhere(place >= 0):
        iy, ix = divmod(int(place[n, oy, ox, c]), pool[1])
        padded[n, top + oy * pool[0] + iy, left + ox * pool[1] + ix, c] = dy[n, oy, ox, c]
    return padded


def check_places(random, shape, pool, rest, around, relu, dtype):
    """Check both kernels for an output of a shape: with pixels left over, and with zeros around."""
    samples, height, width, channels = shape
    image = height * pool[0] + rest[0], width * pool[1] + rest[1]
    x = integers(random, (samples, *image, channels), dtype)
    x[random.random(x.shape) < 0.1] = -np.inf
    if relu:
        x = np.maximum(x, 0)
    expected_y, expected_place = places_reference(x, shape, pool, relu)
    y, place = Written(shape, dtype), Written(shape, dtype)
    pooling.max_pool_places(reads(x), y.array, place.array, *pool, relu)
    y.check(expected_y)
    place.check(expected_place)

    top, left, bottom, right = around
    padded_shape = (samples, top + image[0] + bottom, left + image[1] + right, channels)
    dy = integers(random, shape, dtype)
    expected = places_gradient_reference(dy, expected_place, padded_shape, pool, top, left)
    place = reads(expected_place.astype(dtype))
    padded, total = Written(padded_shape, dtype), Written(channels, dtype, 1000)
    pooling.max_pool_places_gradient(reads(dy), place, padded.array, *pool, top, left, total.array)
    padded.check(expected)
    total.check(1000 + expected.sum(axis=(0, 1, 2)))
    padded, total = Written(padded_shape, dtype), Written(0, dtype)
    pooling.max_pool_places_gradient(reads(dy), place, padded.array, *pool, top, left, total.array)
    padded.check(expected)
    total.check(np.empty(0))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("relu", [False, True])
def test_places_for_any_number_of_channels(relu, dtype):
    random = np.random.default_rng(0)
    for channels in CHANNELS:
        check_places(random, (1, 2, 2, channels), (2, 2), (1, 0), (1, 0, 0, 2), relu, dtype)


@settings(max_examples=60)
@given(
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4), st.integers(1, 9)),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
    st.tuples(*[st.integers(0, 3)] * 4),
    st.booleans(),
    st.sampled_from(DTYPES),
    st.integers(0, 2**32),
)
def test_places_of_random_geometry(shape, pool, rest, around, relu, dtype, seed):
    check_places(np.random.default_rng(seed), shape, pool, rest, around, relu, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_nan_is_its_window_s_maximum_and_passes_no_gradient_through_a_relu(dtype):
    lanes = VECTOR_BYTES // dtype().itemsize
    x = np.ones((1, 2, 2, lanes + 1), dtype)
    for n, c in itertools.product(range(4), (0, lanes)):
        x[...] = 1
        x[0, n // 2, n % 2, c] = np.nan
        y, place = Written((1, 1, 1, lanes + 1), dtype), Written((1, 1, 1, lanes + 1), dtype)
        pooling.max_pool_places(reads(x), y.array, place.array, 2, 2, True)
        at_nan = np.arange(lanes + 1) == c
        y.check(np.where(at_nan, np.nan, 1)[None, None, None])
        place.check(np.where(at_nan, -1, 0)[None, None, None])


# pad and bias_gradient


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("around", [(0, 0, 0, 0), (1, 2, 0, 1), (0, 1, 3, 0)])
def test_pad_and_bias_gradient_for_any_number_of_channels(around, dtype):
    random = np.random.default_rng(0)
    top, left, bottom, right = around
    for channels in CHANNELS:
        y, dy = integers(random, (2, 2, 2, 3, channels), dtype)
        shape = (2, top + 2 + bottom, left + 3 + right, channels)
        widths = ((0, 0), (top, bottom), (left, right), (0, 0))
        padded = Written(shape, dtype)
        elementwise.pad(reads(dy), padded.array, top, left)
        padded.check(np.pad(dy, widths))
        for relu, total in itertools.product((False, True), (0, channels)):
            padded, sums = Written(shape, dtype), Written(total, dtype)
            elementwise.bias_gradient(reads(y), reads(dy), padded.array, top, left, sums.array, relu)
            masked = np.where(y > 0, dy, 0) if relu else dy
            padded.check(np.pad(masked, widths))
            sums.check(masked.sum(axis=(0, 1, 2))[:total])


@pytest.mark.parametrize("dtype", DTYPES)
def test_bias_gradient_of_special_values(dtype):
    y = np.array([np.nan, 0.0, -0.0, -np.inf, np.inf, 1e-40, np.finfo(dtype).tiny], dtype)
    dy = np.full(7, np.nan, dtype)
    dy[4:] = [np.inf, 5, 6]
    padded = Written((1, 1, 1, 7), dtype)
    elementwise.bias_gradient(
        reads(y.reshape(1, 1, 1, 7)), reads(dy.reshape(1, 1, 1, 7)), padded.array,
        0, 0, np.empty(0, dtype), True,
    )  # fmt: skip
    padded.check(np.array([0, 0, 0, 0, np.inf, 5, 6]).reshape(1, 1, 1, 7))  # a NaN in dy stays behind


# all_finite


@pytest.mark.parametrize("dtype", DTYPES)
def test_all_finite_reads_every_element_and_nothing_else(dtype):
    for size in range(70):
        x = reads(np.full(size, np.finfo(dtype).max, dtype))  # NaNs around it; sums would overflow
        buffer = np.full(3, 7.0, dtype)
        assert elementwise.all_finite(x, buffer[1:2]) is True
        assert buffer.tolist() == [7, 1, 7]
        for place, bad in itertools.product(
            {0, size // 2, size - 1} if size else (), (np.nan, np.inf, -np.inf)
        ):
            kept, x[place] = x[place], bad
            assert elementwise.all_finite(x, buffer[1:2]) is False
            assert buffer.tolist() == [7, 0, 7]
            x[place] = kept


# softmax


def rows_of(random, samples, classes, scale, dtype):
    return (scale * random.normal(size=(samples, classes))).astype(dtype)


@settings(max_examples=60)
@given(
    st.integers(1, 4),
    st.integers(1, 40),
    st.sampled_from([0.0, 1.0, 30.0, 1e4, 1e30]),
    st.sampled_from(DTYPES),
    st.integers(0, 2**32),
)
def test_softmax_and_its_gradient(samples, classes, scale, dtype, seed):
    random = np.random.default_rng(seed)
    x, dy = rows_of(random, samples, classes, scale, dtype), rows_of(random, samples, classes, 1, dtype)
    tolerance = 2e-6 if dtype == np.float32 else 1e-14
    expected = naive.activation("softmax", x)
    y = Written(x.shape, dtype)
    softmax.softmax(reads(x), y.array)
    y.check(expected, atol=tolerance, rtol=1e-4 if dtype == np.float32 else 1e-12)
    dx = Written(x.shape, dtype)
    softmax.softmax_gradient(reads(y.array), reads(dy), dx.array)
    dx.check(naive.activation_gradient("softmax", x, dy), atol=10 * tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
def test_softmax_of_extreme_rows(dtype):
    x = np.array([[1e4, -1e4, 0], [-1e4, -1e4, -1e4], [np.nan, 0, 0], [-np.inf, 0, 0]], dtype)
    y = Written(x.shape, dtype)
    softmax.softmax(reads(x), y.array)
    third = dtype(1) / dtype(3)
    np.testing.assert_array_equal(y.array[0], [1, 0, 0])
    np.testing.assert_array_equal(y.array[1], [third] * 3)
    assert np.isnan(y.array[2]).all()
    np.testing.assert_array_equal(y.array[3], [0, 0.5, 0.5])
    y.check(y.array)


# softmax_cross_entropy


def cross_entropy(logits, labels, smoothing, share, weights=None):
    """Call the kernel between guards, and return the loss and the gradient."""
    weights = np.empty(0, logits.dtype) if weights is None else weights
    gradient, value = Written(logits.shape, logits.dtype.type), Written(1, np.float64)
    elementwise.softmax_cross_entropy(
        reads(logits), reads(labels), smoothing, share, gradient.array, value.array, reads(weights)
    )
    gradient.check(gradient.array)
    value.check(value.array)
    return float(value.array[0]), gradient.array


@settings(max_examples=100)
@given(
    st.integers(1, 5),
    st.integers(2, 40),
    st.sampled_from([0.0, 1.0, 30.0, 1e4]),
    st.sampled_from([0.0, 0.1, 0.9]),
    st.sampled_from([1.0, 0.5, 7 / 30, 0.0]),
    st.sampled_from(DTYPES),
    st.integers(0, 2**32),
)
def test_softmax_cross_entropy_is_the_loss_s_numpy_path(
    samples, classes, scale, smoothing, share, dtype, seed
):
    random = np.random.default_rng(seed)
    logits, labels = rows_of(random, samples, classes, scale, dtype), random.integers(0, classes, samples)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    expected_value, expected = loss._both(labels, logits)
    value, gradient = cross_entropy(logits, labels, smoothing, share)
    assert value == pytest.approx(expected_value, rel=1e-12, abs=1e-11)
    # In float32, too, all is computed in float64 and rounded once.
    rtol = 2.0**-23 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(gradient, expected * share, rtol=rtol, atol=1e-11)
    same_value, same = cross_entropy(logits, labels, smoothing, share, np.ones(samples, dtype))
    assert same_value == value
    np.testing.assert_array_equal(same, gradient)
    weights = random.normal(size=samples).astype(dtype)
    value, gradient = cross_entropy(logits, labels, smoothing, share, weights)
    expected_value, expected = loss._weighted(labels, logits, weights)
    assert value == pytest.approx(expected_value, rel=1e-11, abs=1e-10)
    np.testing.assert_allclose(gradient, expected * share, rtol=rtol * 2, atol=1e-11)


def test_softmax_cross_entropy_by_hand():
    logits, labels = np.log(np.array([[1.0, 2.0, 5.0], [4.0, 4.0, 2.0]])), np.array([2, 0])
    value, gradient = cross_entropy(logits, labels, 0.0, 1.0)
    assert value == pytest.approx(-(math.log(5 / 8) + math.log(4 / 10)) / 2, rel=1e-14)
    np.testing.assert_allclose(
        gradient, np.array([[0.125, 0.25, -0.375], [-0.6, 0.4, 0.2]]) / 2, rtol=1e-14, atol=1e-16
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_softmax_cross_entropy_of_extreme_logits(dtype):
    right, wrong = np.array([0, 1]), np.array([1, 0])
    logits = np.array([[1e4, -1e4], [-1e4, 1e4]], dtype)
    value, gradient = cross_entropy(logits, right, 0.0, 1.0)
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)
    value, gradient = cross_entropy(logits, wrong, 0.0, 1.0)
    assert value == 2e4
    np.testing.assert_array_equal(gradient, [[0.5, -0.5], [-0.5, 0.5]])
    value, _ = cross_entropy(logits, right, 0.5, 1.0)
    assert value == pytest.approx(0.25 * 2e4)
    largest = np.finfo(np.float32).max
    value, gradient = cross_entropy(np.array([[largest, -largest]], np.float32), wrong[:1], 0.0, 1.0)
    assert value == 2 * float(largest)
    np.testing.assert_array_equal(gradient, [[1, -1]])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shift", [0.0, 1e4, -1e4, 1e8, 1e16, 1e30, -1e30])
def test_softmax_cross_entropy_of_large_logits_that_are_equal(shift, dtype):
    value, gradient = cross_entropy(np.full((1, 4), shift, dtype), np.array([1]), 0.0, 1.0)
    assert value == pytest.approx(math.log(4), rel=1e-12)
    np.testing.assert_allclose(gradient, [[0.25, -0.75, 0.25, 0.25]], rtol=1e-12)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_softmax_cross_entropy_of_logits_that_are_no_numbers_is_nan(bad):
    value, gradient = cross_entropy(np.array([[0.0, bad], [0.0, 1.0]]), np.array([0, 0]), 0.0, 1.0)
    assert math.isnan(value)
    assert np.isnan(gradient[0]).all()
    np.testing.assert_allclose(gradient[1, 1], 0.5 / (1 + math.exp(-1)), rtol=1e-14)


# Every array ends where its page does, and touching the next page ends the process.
AT_THE_END_OF_A_PAGE = """
import ctypes, mmap, itertools, numpy as np
from tinynet.kernels import elementwise, pooling, softmax

libc, pages, dtype = ctypes.CDLL(None, use_errno=True), [], np.float32

def fenced(*shape, kind=None, value=1):
    page, kind = mmap.PAGESIZE, np.dtype(kind or dtype)
    area = mmap.mmap(-1, 9 * page)
    pages.append(area)
    start = ctypes.addressof(ctypes.c_char.from_buffer(area))
    assert libc.mprotect(ctypes.c_void_p(start + 8 * page), page, 0) == 0
    count = int(np.prod(shape))
    array = np.frombuffer(area, kind, count, 8 * page - kind.itemsize * count).reshape(shape)
    array[...] = value
    return array

for dtype, c in itertools.product((np.float32, np.float64), (1, 7, 8, 9, 17, 33)):
    x, y, dx = fenced(2, 4, 5, c), fenced(2, 2, 2, c), fenced(2, 4, 5, c)
    pooling.max_pool(x, y, 2, 2, 2, 2, 0, 0)
    pooling.max_pool_gradient(x, y, y, dx, 2, 2, 2, 2, 0, 0)
    assert dx.sum() == y.sum() == 8 * c
    overlapping = fenced(2, 4, 5, c)
    pooling.max_pool(x, overlapping, 3, 2, 1, 1, 1, 0)
    pooling.max_pool_gradient(x, overlapping, overlapping, dx, 3, 2, 1, 1, 1, 0)
    assert dx.sum() == 40 * c
    place, total = fenced(2, 2, 2, c), fenced(c)
    pooling.max_pool_places(x, y, place, 2, 2, True)
    for top, left, height, width in ((0, 0, 4, 4), (1, 2, 6, 7)):
        padded = fenced(2, height, width, c)
        pooling.max_pool_places_gradient(y, place, padded, 2, 2, top, left, total)
        assert padded.sum() == 8 * c
        pooling.max_pool_places_gradient(y, place, padded, 2, 2, top, left, fenced(0))
        assert padded.sum() == 8 * c
    assert (total == 17).all()
    for top, left, height, width in ((0, 0, 2, 2), (1, 2, 3, 5)):
        for relu, sums in itertools.product((False, True), (0, c)):
            padded, total = fenced(2, height, width, c), fenced(sums)
            elementwise.bias_gradient(y, y, padded, top, left, total, relu)
            assert padded.sum() == 8 * c and (total == 8).all()
        elementwise.pad(y, padded, top, left)
        assert padded.sum() == 8 * c
    flat = fenced(c)
    assert elementwise.all_finite(flat, fenced(1))
    elementwise.fill(flat, 2.0)
    assert (flat == 2).all()
    rows, result, back = fenced(3, c), fenced(3, c), fenced(3, c)
    softmax.softmax(rows, result)
    softmax.softmax_gradient(result, rows, back)
    assert np.allclose(result, 1 / c) and np.allclose(back, 0, atol=1e-6)
    value = fenced(1, kind=np.float64)
    labels = fenced(3, kind=np.int64, value=0)
    elementwise.softmax_cross_entropy(rows, labels, 0.1, 1.0, back, value, fenced(3))
    assert np.allclose(value, np.log(c))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="protects memory as Linux does")
def test_nothing_reads_or_writes_past_the_end_of_an_array():
    finished = subprocess.run(
        [sys.executable, "-c", AT_THE_END_OF_A_PAGE], capture_output=True, text=True, check=False, timeout=120
    )
    assert finished.returncode == 0, finished.stderr
