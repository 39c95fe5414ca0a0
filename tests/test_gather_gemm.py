"""The micro-kernel, the operations that are built on it, and im2col and col2im, against tests/naive.py.

A buffer that is read lies between NaNs, and one that is written lies between sentinels: a read outside
it poisons the result, and a write outside it shows. What the offsets do not reach is filled likewise.
"""

from __future__ import annotations

import functools
import itertools
import subprocess
import sys

import llvmlite.binding
import naive
import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynet.kernels import cpu, elementwise, im2col
from tinynet.kernels import gather_gemm as kernels
from tinynet.kernels.register_tile import (
    ACCUMULATE,
    BIAS,
    FIRST_TERMS,
    MANY_VECTORS,
    ROWS,
    VECTOR_BYTES,
    ZERO,
    make_tile,
)

DTYPES = [np.float32, np.float64]
TOLERANCE = {np.float32: 1e-5, np.float64: 1e-12}
SENTINEL = 12345.0
GUARD = 64  # elements: more than any tile's vectors


def guarded(array, guard=np.nan):
    """Return a buffer and, in its middle, a contiguous copy of the array."""
    buffer = np.full(array.size + 2 * GUARD, guard, array.dtype)
    middle = buffer[GUARD : GUARD + array.size].reshape(array.shape)
    middle[...] = array
    return buffer, middle


def reads(array):
    return guarded(array)[1]


class Written:
    """An array for a kernel to fill, and a check that it wrote nowhere else."""

    def __init__(self, shape, dtype):
        self.buffer, self.array = guarded(np.full(shape, SENTINEL, dtype), SENTINEL)

    def check(self, expected):
        dtype = self.buffer.dtype.type
        assert (self.buffer[:GUARD] == SENTINEL).all()
        assert (self.buffer[GUARD + self.array.size :] == SENTINEL).all()
        largest = np.abs(expected).max(initial=1.0)
        np.testing.assert_allclose(self.array, expected, rtol=0, atol=TOLERANCE[dtype] * largest)


def spread(random, count, size):
    """Return `count` shuffled offsets of places for `size` elements each that do not overlap, with gaps."""
    gaps = np.cumsum(random.integers(size, size + 3, count)) if count else np.zeros(0, np.int64)
    return random.permutation(gaps).astype(np.int64)


def problem(random, rows, length, columns, dtype):
    """Return random x, r, s, b, p, c, q, bias; what their offsets do not reach is NaN (in c: SENTINEL)."""
    r, s = spread(random, rows, 1), spread(random, length, 1) * 3
    p, q = spread(random, length, columns), spread(random, rows, columns)
    x = np.full(r.max(initial=0) + s.max(initial=0) + 1, np.nan, dtype)
    b = np.full(p.max(initial=0) + columns, np.nan, dtype)
    c = np.full(q.max(initial=0) + columns, SENTINEL, dtype)
    for buffer, places in (
        (x, r[:, None] + s),
        (b, p[:, None] + np.arange(columns)),
        (c, q[:, None] + np.arange(columns)),
    ):
        buffer[places] = random.normal(size=places.shape)
    return x, r, s, b, p, c, q, random.normal(size=columns).astype(dtype)


def check_gather_gemm(gemm, random, rows, length, columns, start, relu, dtype):
    x, r, s, b, p, c, q, bias = problem(random, rows, length, columns, dtype)
    places = q[:, None] + np.arange(columns)
    first = {ZERO: 0.0, BIAS: bias.astype(np.float64), ACCUMULATE: c[places].astype(np.float64)}[start]
    expected = c.astype(np.float64)
    expected[places] = naive.gather_gemm(x, r, s, b, p, columns, first, relu)
    written = Written(c.shape, dtype)
    written.array[:] = c
    gemm(reads(x), r, s, reads(b), p, written.array, q, columns, reads(bias), start, relu)
    untouched = np.setdiff1d(np.arange(c.size), places)
    assert (written.array[untouched] == SENTINEL).all()
    written.array[untouched] = expected[untouched] = 0
    written.check(expected)


def gather_gemm(x, r, s, b, p, c, q, columns, bias, start, relu):
    """Call the driver for one group of samples, with offsets of the kind that it is compiled for."""
    for offsets in (r, s, p, q):
        offsets.setflags(write=False)
    bias = bias if start == BIAS else bias[:0]
    kernels.gather_gemm(x, r, s, b, p, c, q, columns, bias, start == ACCUMULATE, relu, 1, 1, 0, 0, 0, False)


def edges(lanes):
    """Return numbers of columns on and around the edges of one and two vectors."""
    near = {whole * lanes + rest for whole in (0, 1, 2, 3, 4) for rest in (-1, 0, 1)}
    return sorted(columns for columns in near if columns >= 0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("start", [ZERO, BIAS, ACCUMULATE])
def test_gather_gemm_on_every_edge_of_the_tile(start, dtype):
    random = np.random.default_rng(start)
    for rows, columns in itertools.product(range(2 * ROWS + 2), edges(VECTOR_BYTES // dtype().itemsize)):
        for length in (0, 1, 2, 7):
            relu = bool(random.integers(2))
            check_gather_gemm(gather_gemm, random, rows, length, columns, start, relu, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("start", [ZERO, BIAS, ACCUMULATE])
@pytest.mark.parametrize("rows", [1, 2, 3, 7, ROWS - 1, ROWS, ROWS + 1, 3 * ROWS + 7])
def test_terms_whose_x_are_zero_in_a_whole_tile_are_left_out(rows, start, dtype):
    random = np.random.default_rng(rows)
    columns = MANY_VECTORS * VECTOR_BYTES // dtype().itemsize + 3
    x, r, s, b, p, c, q, bias = problem(random, rows, 40, columns, dtype)
    x[r[:, None] + s] *= random.integers(0, 2, (rows, 40))  # zeros here and there, some of them negative
    empty = random.permutation(40)[:15]
    x[r[:, None] + s[empty]] = [0.0, -0.0, 0.0] * 5
    places, width = q[:, None] + np.arange(columns), np.arange(columns)
    first = {ZERO: 0.0, BIAS: bias.astype(np.float64), ACCUMULATE: c[places].astype(np.float64)}[start]
    expected = naive.gather_gemm(x, r, s, b, p, columns, first, False)
    b[p[empty][:, None] + width] = np.nan  # nobody reads them
    result = Written(c.shape, dtype)
    result.array[:] = c
    gather_gemm(reads(x), r, s, reads(b), p, result.array, q, columns, reads(bias), start, False)
    tolerance = TOLERANCE[dtype] * np.abs(expected).max()
    np.testing.assert_allclose(result.array[places], expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_samples_result_does_not_depend_on_the_zeros_of_others(dtype):
    random = np.random.default_rng(0)
    x = random.normal(size=(3 * ROWS + 7, 90)).astype(dtype)
    x[: 2 * ROWS, random.permutation(90)[:50]] = 0
    units = MANY_VECTORS * VECTOR_BYTES // dtype().itemsize
    kernel, bias = random.normal(size=(90, units)).astype(dtype), random.normal(size=units).astype(dtype)
    whole, one = np.empty((len(x), units), dtype), np.empty((1, units), dtype)
    kernels.dense(x, kernel, bias, whole, False)
    for i, row in enumerate(x):
        kernels.dense(row[None].copy(), kernel, bias, one, False)
        np.testing.assert_array_equal(whole[i], one[0])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("zeros", [slice(0, 0), slice(0, 70), slice(FIRST_TERMS + 1, None), slice(80, 90)])
def test_zeros_that_come_early_or_late_change_nothing(zeros, samples, dtype):
    random = np.random.default_rng(samples)
    units = MANY_VECTORS * VECTOR_BYTES // dtype().itemsize + 5
    x, kernel = random.normal(size=(samples, 150)), random.normal(size=(150, units)).astype(dtype)
    x[:, zeros] = 0
    x, y = x.astype(dtype), Written((samples, units), dtype)
    kernels.dense(reads(x), reads(kernel), np.empty(0, dtype), y.array, False)
    y.check(naive.dense(x, kernel, np.zeros(units)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("features", "units"), [(1, 1), (30, 700), (300, 257), (3, 64), (0, 9)])
def test_a_single_sample_part_of_columns_by_part(features, units, dtype):
    random = np.random.default_rng(features)
    x = reads(random.normal(size=(1, features)).astype(dtype))
    kernel = reads(random.normal(size=(features, units)).astype(dtype))
    bias = reads(random.normal(size=units).astype(dtype))
    whole, y = np.empty((1, units), dtype), Written((1, units), dtype)
    kernels.dense(x, kernel, bias, whole, True)
    for begin in range(0, units, 37):
        part = Written((1, units), dtype)
        kernels.dense(x, kernel, bias, part.array, True, slice(begin, begin + 37))
        y.array[:, begin : begin + 37] = part.array[:, begin : begin + 37]
        part.array[:, begin : begin + 37] = SENTINEL
        assert (part.buffer == SENTINEL).all()  # nothing else was written
    y.check(naive.dense(x, kernel, bias).clip(0))
    np.testing.assert_array_equal(y.array, whole)


@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_stays_nan_through_relu_in_full_and_partly_empty_tiles(dtype):
    rows, columns = ROWS + 1, 2 * VECTOR_BYTES // dtype().itemsize + 1
    x, kernel = np.ones((rows, 1), dtype), -np.ones((1, columns), dtype)
    x[0], x[-1] = np.nan, np.nan
    y = np.empty((rows, columns), dtype)
    kernels.dense(x, kernel, np.zeros(0, dtype), y, True)
    assert np.isnan(y[[0, -1]]).all()
    assert (y[1:-1] == 0).all()


# Each tile that some CPU uses, where this CPU's registers are large enough to run it.
TILES = {"AVX-512": (14, 64), "AVX2": (6, 32), "NEON": (14, 16), "SSE": (6, 16)}


@functools.cache
def tile_driver(rows, vectors, vector_bytes):
    """Return a function like `gather_gemm` for whole tiles, but for the last columns of a single vector."""
    tile = make_tile(rows, vectors, vector_bytes)

    @numba.njit
    def run(x, r, s, b, p, c, q, columns, bias, start, relu):
        width = vectors * (vector_bytes // x.itemsize)
        for i in range(0, r.size, rows):
            for f in range(0, columns, width):
                tile(x, r, i, s, b, p, f, columns - f, c, q, bias, start, relu)

    return run


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("vectors", [1, 2])
@pytest.mark.parametrize("cpu", TILES)
def test_tile_of_every_cpu(cpu, vectors, dtype):
    rows, vector_bytes = TILES[cpu]
    if vector_bytes > VECTOR_BYTES:
        pytest.skip(f"this CPU has no vectors of {vector_bytes} bytes")
    random = np.random.default_rng(rows)
    run = tile_driver(rows, vectors, vector_bytes)
    width = vectors * vector_bytes // dtype().itemsize
    for tiles, length, start, relu in itertools.product(
        (1, 2), (0, 1, 5), (ZERO, BIAS, ACCUMULATE), (False, True)
    ):
        check_gather_gemm(run, random, tiles * rows, length, tiles * width, start, relu, dtype)
        if vectors == 1:
            check_gather_gemm(run, random, tiles * rows, length, tiles * width - 1, start, relu, dtype)


@pytest.mark.parametrize(
    ("features", "shape"),
    [
        ({"sse2": True, "avx": True, "avx2": True, "avx512f": True}, (14, 64)),
        ({"sse2": True, "avx": True, "avx2": True, "avx512f": False}, (6, 32)),
        ({"sse2": True, "avx": True, "avx2": False}, (6, 32)),
        ({"sse2": True, "avx": False}, (6, 16)),
        ({}, (6, 16)),
    ],
)
def test_tile_shape(features, shape):
    assert cpu.tile_shape(features, "x86_64") == shape


@pytest.mark.parametrize("features", [{"neon": True}, {}])
@pytest.mark.parametrize("machine", ["aarch64", "arm64", "ARM64"])
def test_tile_shape_on_arm(features, machine):
    assert cpu.tile_shape(features, machine) == (14, 16)


@pytest.mark.parametrize(
    ("text", "features"),
    [("+sse2,+avx2,-avx512f", {"sse2": True, "avx2": True, "avx512f": False}), ("", {})],
)
def test_features_that_numba_is_told_replace_the_host_s(monkeypatch, text, features):
    monkeypatch.setattr(numba.config, "CPU_FEATURES", text)
    assert cpu.host_features() == features


def test_features_of_the_host(monkeypatch):
    monkeypatch.setattr(numba.config, "CPU_FEATURES", None)
    monkeypatch.setattr(numba.config, "ENABLE_AVX", 1)
    assert cpu.host_features() == dict(llvmlite.binding.get_host_cpu_features())


def test_no_avx_tile_where_numba_compiles_without_avx(monkeypatch):
    # NUMBA_ENABLE_AVX=0, and Numba's default on Sandy Bridge and Ivy Bridge: LLVM then has no register
    # for a larger vector, and ends the process.
    monkeypatch.setattr(numba.config, "CPU_FEATURES", None)
    monkeypatch.setattr(numba.config, "ENABLE_AVX", 0)
    assert cpu.tile_shape(cpu.host_features())[1] == 16


# Every array ends where its page does, and touching the next page ends the process.
AT_THE_END_OF_A_PAGE = """
import ctypes, mmap, numpy as np
from tinynet.kernels import gather_gemm as kernels, pooled_convolution, winograd
from tinynet.kernels.cpu import ROWS

libc, pages = ctypes.CDLL(None, use_errno=True), []

def fenced(shape):
    page = mmap.PAGESIZE
    area = mmap.mmap(-1, 17 * page)
    pages.append(area)
    start = ctypes.addressof(ctypes.c_char.from_buffer(area))
    assert libc.mprotect(ctypes.c_void_p(start + 16 * page), page, 0) == 0
    count = int(np.prod(shape))
    array = np.frombuffer(area, np.float32, count, 16 * page - 4 * count).reshape(shape)
    array[...] = 1
    return array

for features, units in [(0, 1), (5, 3), (5, 16), (3, 33)]:
    for samples in (1, 7, ROWS, ROWS + 1):
        y, bias = fenced((samples, units)), fenced((units,))
        kernels.dense(fenced((samples, features)), fenced((features, units)), bias, y, False)
        assert (y == 1 + features).all()
        kernels.dense_kernel_gradient(fenced((samples, units)), y, fenced((units, units)))
kernel, y = fenced((3, 2, 3, 5)), fenced((2, 4, 6, 5))
kernels.convolution(fenced((2, 6, 7, 3)), kernel, fenced((5,)), y, 1, 1, False)
kernels.convolution_kernel_gradient(fenced((2, 6, 7, 3)), y, kernel, 1, 1, 0, 0)
dy, dx, exchanged = fenced((2, 8, 8, 5)), fenced((2, 6, 7, 3)), fenced((3, 2, 5, 3))
kernels.convolution_input_gradient(dy, exchanged, dx, 1, 1, 0, 0)

def work(rows, columns):
    return fenced(winograd.planes(rows, columns))

for channels, filters in [(1, 16), (3, 5), (17, 33)]:
    for height, width, pooled in [(1, 1, False), (2, 3, False), (3, 2, False), (2, 2, True), (5, 7, True)]:
        rows, columns = (height // 2, width // 2) if pooled else ((height + 1) // 2, (width + 1) // 2)
        tiling = winograd.Tiling(rows, columns, 1, 1)
        u, back = work(channels, filters), work(filters, channels)
        winograd.transform_kernel(fenced((3, 3, channels, filters)), u)
        winograd.transform_kernel(fenced((3, 3, filters, channels)), back)
        x, shape = fenced((2, height, width, channels)), (rows, columns) if pooled else (height, width)
        y, place = fenced((2, *shape, filters)), fenced((2, *shape, filters)) if pooled else None
        v, m, bias = work(2 * rows * columns, channels), work(2 * rows * columns, filters), fenced((filters,))
        winograd.convolution(x, u, bias, y, place, tiling, 0, 2 * rows, v, m, True)
        dkernel, dx, du = fenced((3, 3, channels, filters)), fenced(x.shape), work(channels, filters)
        winograd.gradients(x, y, place, dkernel, back, dx, bias, tiling, v, m, du)

for channels, filters, width in [(1, 1, 5), (3, 17, 6), (2, 33, 7)]:
    taps = kernels.offsets(3, 3, channels, width * channels, channels, 1, 0)
    padded, bias = fenced((2, 6, width, channels)), fenced((filters,))
    kernel = fenced((3, 3, channels, filters))
    y, place = fenced((2, 2, (width - 2) // 2, filters)), fenced((2, 2, (width - 2) // 2, filters))
    pooled_convolution.convolve_and_pool(padded, taps, kernel, bias, y, place, 1, 1, True)
    assert (y == 1 + 9 * channels).all() and (place == 0).all()
    pooled_convolution.pooled_kernel_gradient(padded, taps, y, place, kernel, bias, 1, 1)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="protects memory as Linux does")
def test_nothing_reads_or_writes_past_the_end_of_an_array():
    finished = subprocess.run(
        [sys.executable, "-c", AT_THE_END_OF_A_PAGE], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (1, 5, 3), (14, 2, 16), (15, 16, 33), (29, 7, 10), (3, 100, 64)]
)
def test_dense_and_its_gradients(shape, dtype):
    samples, features, units = shape
    random = np.random.default_rng(samples)
    x = random.normal(size=(samples, features)).astype(dtype)
    kernel = random.normal(size=(features, units)).astype(dtype)
    bias, dy = random.normal(size=units).astype(dtype), random.normal(size=(samples, units)).astype(dtype)
    dx, dkernel, dbias = naive.dense_gradients(x, kernel, dy)

    y = Written((samples, units), dtype)
    kernels.dense(reads(x), reads(kernel), reads(bias), y.array, False)
    y.check(naive.dense(x, kernel, bias))
    kernels.dense(reads(x), reads(kernel), reads(bias), y.array, True)
    y.check(np.maximum(naive.dense(x, kernel, bias), 0))
    kernels.dense(reads(x), reads(kernel), np.empty(0, dtype), y.array, False)
    y.check(naive.dense(x, kernel, np.zeros(units)))
    gradient = Written(kernel.shape, dtype)
    kernels.dense_kernel_gradient(reads(x), reads(dy), gradient.array)
    gradient.check(dkernel)
    gradient = Written(x.shape, dtype)
    kernels.dense(reads(dy), reads(np.ascontiguousarray(kernel.T)), np.empty(0, dtype), gradient.array, False)
    gradient.check(dx)
    gradient, same = Written(units, dtype), Written((samples, 1, 1, units), dtype)
    upstream = reads(dy.reshape(same.array.shape))
    elementwise.bias_gradient(upstream, upstream, same.array, 0, 0, gradient.array, False)
    gradient.check(dbias)
    same.check(dy.reshape(same.array.shape))


def padded_as_documented(dy, shape, window, strides, top, left):
    """Return dy with the least zeros around it that `convolution_input_gradient` asks for."""
    sizes, before = dy.shape[1:3], [(window[a] - 1) // strides[a] for a in (0, 1)]
    needed = [before[a] + (shape[a] - 1 + (top, left)[a]) // strides[a] + 1 for a in (0, 1)]
    after = [max(needed[a] - before[a] - sizes[a], 0) for a in (0, 1)]
    return np.pad(dy, ((0, 0), (before[0], after[0]), (before[1], after[1]), (0, 0)))


def check_convolution(random, samples, image, window, strides, padding, channels, filters, dtype):
    x = random.normal(size=(samples, *image, channels)).astype(dtype)
    kernel = random.normal(size=(*window, channels, filters)).astype(dtype)
    bias = random.normal(size=filters).astype(dtype)
    expected = naive.convolution(x, kernel, bias, strides, padding)
    dy = random.normal(size=expected.shape).astype(dtype)
    dx, dkernel, _ = naive.convolution_gradients(x, kernel, dy, strides, padding)

    starts = [naive.windows(image[a], window[a], strides[a], padding) for a in (0, 1)]
    top, left = (-starts[a][0] for a in (0, 1))
    bottom, right = (max(starts[a][-1] + window[a] - image[a], 0) for a in (0, 1))
    around = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    padded = Written(around.shape, dtype)
    elementwise.pad(reads(x), padded.array, top, left)
    padded.check(around)

    y = Written(expected.shape, dtype)
    kernels.convolution(reads(around), reads(kernel), reads(bias), y.array, *strides, False)
    y.check(expected)
    kernels.convolution(reads(around), reads(kernel), reads(bias), y.array, *strides, True)
    y.check(np.maximum(expected, 0))
    kernels.convolution(reads(around), reads(kernel), np.empty(0, dtype), y.array, *strides, False)
    y.check(expected - bias)
    gradient = Written(kernel.shape, dtype)
    kernels.convolution_kernel_gradient(reads(around), reads(dy), gradient.array, *strides, 0, 0)
    gradient.check(dkernel)
    gradient = Written(x.shape, dtype)
    around_dy = padded_as_documented(dy, image, window, strides, top, left)
    exchanged = np.ascontiguousarray(kernel.transpose(0, 1, 3, 2))
    kernels.convolution_input_gradient(
        reads(around_dy), reads(exchanged), gradient.array, *strides, top, left
    )
    gradient.check(dx)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "case",
    [
        (1, (1, 1), (1, 1), (1, 1), "valid", 1, 1),
        (2, (5, 7), (3, 3), (1, 1), "same", 3, 16),
        (3, (5, 7), (2, 3), (2, 1), "same", 2, 5),
        (2, (6, 5), (4, 5), (1, 2), "same", 1, 33),
        (2, (9, 8), (2, 2), (3, 4), "valid", 4, 3),  # strides larger than the kernel
        (2, (3, 4), (5, 6), (1, 1), "same", 2, 3),  # a kernel larger than the image
        (2, (7, 9), (1, 1), (2, 2), "same", 5, 4),
        (4, (14, 15), (3, 3), (1, 1), "same", 2, 3),  # several groups of samples, the last one smaller
    ],
)
def test_convolution_and_its_gradients(case, dtype):
    check_convolution(np.random.default_rng(0), *case, dtype)


geometries = st.tuples(
    st.integers(1, 3),
    st.tuples(st.integers(1, 8), st.integers(1, 8)),
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.sampled_from(["valid", "same"]),
    st.integers(1, 4),
    st.integers(1, 5),
).filter(lambda case: case[4] == "same" or (case[2][0] <= case[1][0] and case[2][1] <= case[1][1]))


@settings(max_examples=60)
@given(geometries, st.integers(0, 2**32))
def test_convolution_and_its_gradients_of_random_geometry(case, seed):
    check_convolution(np.random.default_rng(seed), *case, np.float64)


@pytest.mark.parametrize("dtype", DTYPES)
def test_cutting_a_batch_changes_no_bit_of_dense(dtype):
    random = np.random.default_rng(0)
    samples, features, units = 2 * ROWS + 3, 19, 37
    x = random.normal(size=(samples, features)).astype(dtype)
    kernel, bias = random.normal(size=(features, units)).astype(dtype), np.ones(units, dtype)
    whole, pieces = np.empty((samples, units), dtype), np.empty((samples, units), dtype)
    kernels.dense(x, kernel, bias, whole, True)
    for cut in range(1, samples):
        kernels.dense(x[:cut], kernel, bias, pieces[:cut], True)
        kernels.dense(x[cut:], kernel, bias, pieces[cut:], True)
        np.testing.assert_array_equal(pieces, whole)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("strides", [(1, 1), (2, 1)])
def test_cutting_a_batch_changes_no_bit_of_a_convolution_or_its_input_gradient(strides, dtype):
    random = np.random.default_rng(0)
    samples, height, width = 7, 14, 15  # more than GROUP_ROWS rows, and no multiple of ROWS
    out = (height - 3) // strides[0] + 1, (width - 3) // strides[1] + 1
    x = random.normal(size=(samples, height, width, 3)).astype(dtype)
    kernel, bias = random.normal(size=(3, 3, 3, 19)).astype(dtype), np.ones(19, dtype)
    dy = random.normal(size=(samples, *out, 19)).astype(dtype)
    dy = padded_as_documented(dy, (height, width), (3, 3), strides, 0, 0)
    exchanged = np.ascontiguousarray(kernel.transpose(0, 1, 3, 2))

    def compute(pieces):
        y, dx = np.empty((samples, *out, 19), dtype), np.empty_like(x)
        for piece in pieces:
            kernels.convolution(x[piece], kernel, bias, y[piece], *strides, False)
            kernels.convolution_input_gradient(dy[piece], exchanged, dx[piece], *strides, 0, 0)
        return y, dx

    whole = compute([slice(0, samples)])
    for cut in range(1, samples):
        for results in zip(compute([slice(0, cut), slice(cut, samples)]), whole, strict=True):
            np.testing.assert_array_equal(*results)


@settings(max_examples=60)
@given(geometries, st.sampled_from(DTYPES), st.integers(0, 2**32))
def test_im2col_and_col2im(case, dtype, seed):
    samples, image, window, strides, padding, channels, _ = case
    random = np.random.default_rng(seed)
    x = random.normal(size=(samples, *image, channels)).astype(dtype)
    expected = naive.im2col(x, window, strides, padding)
    top, left = (-naive.windows(image[a], window[a], strides[a], padding)[0] for a in (0, 1))
    columns = Written(expected.shape, dtype)
    im2col.im2col(reads(x), columns.array, *strides, top, left)
    columns.check(expected)

    upstream = random.normal(size=expected.shape).astype(dtype)
    images = Written(x.shape, dtype)
    im2col.col2im(reads(upstream), images.array, *strides, top, left)
    images.check(naive.col2im(upstream, x.shape, window, strides, padding))
    # col2im is the transpose of im2col: <im2col(x), upstream> = <x, col2im(upstream)>.
    forward, backward = np.vdot(columns.array, upstream), np.vdot(x, images.array)
    assert forward == pytest.approx(backward, rel=0, abs=TOLERANCE[dtype] * upstream.size)


@settings(max_examples=60)
@given(
    st.tuples(*[st.integers(0, 3)] * 2, *[st.integers(1, 5)] * 2),
    st.tuples(*[st.integers(0, 3)] * 4),
    st.booleans(),
    st.booleans(),
    st.sampled_from(DTYPES),
    st.integers(0, 2**32),
)
def test_bias_gradient_undoes_relu_pads_and_sums(shape, around, relu, with_bias, dtype, seed):
    (samples, height, width, channels), (top, left, bottom, right) = shape, around
    random = np.random.default_rng(seed)
    y, dy = random.normal(size=(2, samples, height, width, channels)).astype(dtype)
    masked = np.where(y > 0, dy, 0) if relu else dy
    padded = Written((samples, top + height + bottom, left + width + right, channels), dtype)
    total = Written(channels if with_bias else 0, dtype)
    elementwise.bias_gradient(reads(y), reads(dy), padded.array, top, left, total.array, relu)
    padded.check(np.pad(masked, ((0, 0), (top, bottom), (left, right), (0, 0))))
    total.check(masked.astype(np.float64).sum(axis=(0, 1, 2))[: total.array.size])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 5), (1, 16, 16), (3, 17, 33), (2, 40, 1), (0, 3, 3)])
def test_exchange_transposes_matrices(shape, dtype):
    x = np.random.default_rng(0).normal(size=shape).astype(dtype)
    y = Written((shape[0], shape[2], shape[1]), dtype)
    elementwise.exchange(reads(x), y.array)
    y.check(x.transpose(0, 2, 1))


@pytest.mark.parametrize("dtype", DTYPES)
def test_all_finite_sees_one_bad_element_anywhere(dtype):
    for size, place in [(1, 0), (1023, 1022), (1024, 1023), (1025, 1024), (5000, 2500)]:
        x = np.zeros(size, dtype)
        assert elementwise.all_finite(reads(x), np.empty(1, dtype))
        for bad in (np.nan, np.inf, -np.inf):
            x[place] = bad
            assert not elementwise.all_finite(reads(x), np.empty(1, dtype))
    assert elementwise.all_finite(np.full(5000, np.finfo(dtype).max, dtype), np.empty(1, dtype))
    assert elementwise.all_finite(np.empty(0, dtype), np.empty(1, dtype))
