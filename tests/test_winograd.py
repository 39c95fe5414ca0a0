"""Winograd's convolution and its gradients, against tests/naive.py on every edge of the tiles.

As in test_gather_gemm.py, a buffer that is read lies between NaNs and one that is written lies between
sentinels.
"""

from __future__ import annotations

import itertools

import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_gather_gemm import GUARD, SENTINEL, Written, reads

from tinynet.kernels import winograd as kernels
from tinynet.kernels.winograd_transforms import A, B, G

DTYPES = [np.float32, np.float64]
LARGER = {np.float32: 2e-5, np.float64: 1e-12}  # than the micro-kernel's: transforms lose a bit or two


def check(written, expected):
    """Check a result to an accuracy that transforms can keep, and that nothing else was written."""
    check_around(written)
    atol = LARGER[written.buffer.dtype.type] * np.abs(expected).max(initial=1.0)
    np.testing.assert_allclose(written.array, expected, rtol=0, atol=atol)


def check_around(*arrays):
    """Check that nothing was written outside of arrays."""
    for one in arrays:
        assert (one.buffer[:GUARD] == SENTINEL).all()
        assert (one.buffer[GUARD + one.array.size :] == SENTINEL).all()


def tiling_of(image, padding, pooled):
    """Return the tiles of an image, and the size of the convolution's output."""
    missing = 0 if padding == "same" else 2
    size = image[0] - missing, image[1] - missing
    rows, columns = (length // 2 if pooled else (length + 1) // 2 for length in size)
    around = 1 if padding == "same" else 0
    return kernels.Tiling(rows, columns, around, around), size


class Case:
    """A convolution and its gradients by the kernels, `rows` rows of tiles at a time."""

    def __init__(self, random, samples, image, channels, filters, padding, pooled, dtype, with_bias=True):
        self.padding, self.pooled, self.dtype = padding, pooled, dtype
        self.tiling, size = tiling_of(image, padding, pooled)
        tiles = self.tiling.rows, self.tiling.columns
        self.x = random.normal(size=(samples, *image, channels)).astype(dtype)
        self.kernel = (0.3 * random.normal(size=(3, 3, channels, filters))).astype(dtype)
        self.bias = random.normal(size=filters if with_bias else 0).astype(dtype)
        self.output_shape = (samples, *(tiles if pooled else size), filters)
        self.dy = random.normal(size=self.output_shape).astype(dtype)

    def transformed(self, kernel):
        channels, filters = kernel.shape[2:]
        u = Written(kernels.planes(channels, filters), self.dtype)
        kernels.transform_kernel(reads(kernel), u.array)
        check_around(u)
        u.array[:, channels:] = np.nan  # nobody reads them
        return reads(u.array)

    def work(self, rows, width):
        shape = kernels.planes(rows * self.tiling.columns, width)
        written = Written(shape, self.dtype)
        written.array[...] = np.nan
        return written

    def forward(self, relu, rows=1, places=True):
        """Return y and, pooled, the places."""
        channels, filters = self.kernel.shape[2:]
        y, place = Written(self.output_shape, self.dtype), None
        if self.pooled:
            place = Written(self.output_shape if places else (0, 0, 0, filters), self.dtype)
        v, m = self.work(rows, channels), self.work(rows, filters)
        kernels.convolution(
            reads(self.x), self.transformed(self.kernel), reads(self.bias), y.array,
            None if place is None else place.array, self.tiling, 0,
            len(self.x) * self.tiling.rows, v.array, m.array, relu,
        )  # fmt: skip
        check_around(v, m, *([place] if self.pooled else []))
        return y, place

    def backward(self, place, rows=1, with_dx=True):
        """Return dx, dkernel and, pooled, dbias."""
        channels, filters = self.kernel.shape[2:]
        dx = Written(self.x.shape if with_dx else (0, 0, 0, channels), self.dtype)
        dkernel, total = Written(self.kernel.shape, self.dtype), Written(self.bias.shape, self.dtype)
        total.array[...] = 0
        v, m = self.work(rows, channels), self.work(rows, filters)
        du = Written(kernels.planes(channels, filters), self.dtype)
        exchanged = np.ascontiguousarray(self.kernel.transpose(0, 1, 3, 2))
        kernels.gradients(
            reads(self.x), reads(self.dy), None if place is None else reads(place), dkernel.array,
            self.transformed(exchanged), dx.array, total.array, self.tiling, v.array, m.array, du.array,
        )  # fmt: skip
        check_around(v, m, du, total)
        return dx, dkernel, total

    def expected(self, relu):
        """Return y, the places and the convolution's upstream gradient by the naive reference."""
        bias = self.bias if self.bias.size else np.zeros(self.kernel.shape[3])
        y = naive.convolution(self.x, self.kernel, bias, (1, 1), self.padding)
        y = np.maximum(y, 0) if relu else y
        if not self.pooled:
            return y, None, self.dy
        rows, columns = self.tiling[:2]
        tiles = np.stack(
            [y[:, a : 2 * rows : 2, b : 2 * columns : 2] for a, b in itertools.product((0, 1), repeat=2)]
        )
        place = np.where((tiles.max(0) > 0) | (not relu), tiles.argmax(0), -1)
        upstream = np.zeros_like(y)
        for n, (a, b) in enumerate(itertools.product((0, 1), repeat=2)):
            upstream[:, a : 2 * rows : 2, b : 2 * columns : 2] = np.where(place == n, self.dy, 0)
        return tiles.max(0), place, upstream

    def check(self, relu=True, rows=1):
        y, place, upstream = self.expected(relu)
        result, places = self.forward(relu, rows)
        check(result, y)
        if places is not None:
            places.check(place)
            check(self.forward(relu, rows, places=False)[0], y)
        dx, dkernel, dbias = naive.convolution_gradients(self.x, self.kernel, upstream, (1, 1), self.padding)
        given = None if places is None else places.array
        results = self.backward(given, rows)
        check(results[0], dx)
        for without in (results, self.backward(given, rows, with_dx=False)):
            check(without[1], dkernel)
        if self.pooled and self.bias.size:
            check(results[2], dbias)


def test_the_matrices_compute_a_convolution_exactly():
    """As in the paper: of whole numbers, F(2x2, 3x3) and its transposes are exact."""
    random = np.random.default_rng(0)
    d, g, y = (random.integers(-9, 10, (size, size)).astype(float) for size in (4, 3, 2))
    m = (B.T @ d @ B) * (G @ g @ G.T)
    direct = [[np.sum(d[a : a + 3, b : b + 3] * g) for b in range(2)] for a in range(2)]
    np.testing.assert_array_equal(A.T @ m @ A, direct)
    dm = A @ y @ A.T
    dg = [[np.sum(d[a : a + 2, b : b + 2] * y) for b in range(3)] for a in range(3)]
    np.testing.assert_array_equal(G.T @ (dm * (B.T @ d @ B)) @ G, dg)


def test_by_hand():
    """A 2x2 image of 1, 2, 3, 4 with zeros around it: one tile."""
    x = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32).reshape(1, 2, 2, 1)
    kernel = np.arange(1, 10, dtype=np.float32).reshape(3, 3, 1, 1)
    u = np.zeros(kernels.planes(1, 1), np.float32)
    kernels.transform_kernel(kernel, u)
    assert u.ravel().tolist() == [1, 3, 1, 3, 6, 11.25, 3.75, 9, 2, 3.75, 1.25, 3, 7, 12, 4, 9]
    tiling = kernels.Tiling(1, 1, 1, 1)
    v, m, du = (np.zeros(kernels.planes(1, 1), np.float32) for _ in range(3))
    y, bias = np.zeros((1, 2, 2, 1), np.float32), np.array([-70], np.float32)
    kernels.convolution(x, u, bias, y, None, tiling, 0, 1, v, m, False)
    assert v.ravel().tolist() == [4, -7, -1, -3, -6, 10, 2, 4, -2, 4, 0, 2, -2, 3, 1, 1]
    assert y.ravel().tolist() == [77 - 70, 67 - 70, 47 - 70, 37 - 70]
    kernels.convolution(x, u, bias, y, None, tiling, 0, 1, v, m, True)
    assert y.ravel().tolist() == [7, 0, 0, 0]
    pooled, place = np.zeros((1, 1, 1, 1), np.float32), np.zeros((1, 1, 1, 1), np.float32)
    kernels.convolution(x, u, bias, pooled, place, tiling, 0, 1, v, m, True)
    assert (pooled.item(), place.item()) == (7, 0)
    dy, dx, dkernel, total = (
        np.full((1, 1, 1, 1), 2, np.float32),
        np.zeros_like(x),
        np.zeros_like(kernel),
        np.zeros(1, np.float32),
    )
    kernels.gradients(x, dy, place, dkernel, u, dx, total, tiling, v, m, du)
    assert dkernel.ravel().tolist() == [0, 0, 0, 0, 2, 4, 0, 6, 8]
    assert dx.ravel().tolist() == [10, 12, 16, 18]
    assert total.item() == 2


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_edge_of_the_tiles(dtype, padding, pooled):
    random = np.random.default_rng(0)
    smallest = (1 if padding == "same" else 3) + pooled
    for height, width in itertools.product(range(smallest, 10), repeat=2):
        samples, channels, filters = random.integers(1, (4, 6, 6))
        relu, rows = bool(random.integers(2)), int(random.integers(1, 12))
        Case(random, samples, (height, width), channels, filters, padding, pooled, dtype).check(relu, rows)


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("channels", "filters"), [(1, 33), (16, 1), (17, 15), (8, 40), (33, 17), (3, 130)])
def test_every_edge_of_the_vectors(channels, filters, dtype, pooled):
    random = np.random.default_rng(channels)
    for with_bias in (True, False):
        Case(random, 3, (6, 5), channels, filters, "same", pooled, dtype, with_bias).check(with_bias, 4)


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(st.integers(1, 3), st.integers(4, 14), st.integers(4, 14)),
    st.tuples(st.integers(1, 20), st.integers(1, 20)),
    st.sampled_from(["same", "valid"]),
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
    st.integers(1, 20),
    st.integers(0, 2**32),
)
def test_random_geometry(shape, widths, padding, choices, rows, seed):
    (samples, *image), (relu, pooled, with_bias) = shape, choices
    random = np.random.default_rng(seed)
    Case(random, samples, image, *widths, padding, pooled, np.float64, with_bias).check(relu, rows)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("pooled", [False, True])
def test_cutting_a_batch_or_its_rows_changes_no_bit(pooled, dtype):
    case = Case(np.random.default_rng(0), 5, (9, 11), 19, 35, "same", pooled, dtype)
    y, place = case.forward(True, 1)
    given = None if place is None else place.array
    whole = [y.array, *(one.array for one in case.backward(given, 1))]
    for rows in (2, 3, 5, 7, 100):
        results = [case.forward(True, rows)[0], *case.backward(given, rows)]
        for result, one in zip(results, whole, strict=True):
            assert result.array.tobytes() == one.tobytes()
    x, dy = case.x, case.dy
    for cut in range(1, 5):
        for part in (slice(0, cut), slice(cut, 5)):
            case.x, case.dy = x[part], dy[part]
            case.output_shape = (len(case.x), *case.output_shape[1:])
            assert case.forward(True, 3)[0].array.tobytes() == whole[0][part].tobytes()
            dx = case.backward(None if given is None else given[part], 3)[0]
            assert dx.array.tobytes() == whole[1][part].tobytes()


def test_pooled_is_the_pooling_of_what_is_not_pooled_bit_for_bit():
    for height, width in [(6, 8), (7, 9)]:
        case = Case(np.random.default_rng(0), 3, (height, width), 5, 18, "same", False, np.float32)
        rows, columns = height // 2, width // 2
        for relu in (False, True):
            case.pooled, case.tiling = False, kernels.Tiling((height + 1) // 2, (width + 1) // 2, 1, 1)
            case.output_shape = (3, height, width, 18)
            y = case.forward(relu)[0].array[:, : 2 * rows, : 2 * columns]
            case.pooled, case.tiling = True, kernels.Tiling(rows, columns, 1, 1)
            case.output_shape = (3, rows, columns, 18)
            expected = y.reshape(3, rows, 2, columns, 2, 18).max((2, 4))
            assert case.forward(relu)[0].array.tobytes() == expected.tobytes()


def test_of_equal_outputs_the_first_has_the_gradient():
    case = Case(np.random.default_rng(0), 1, (4, 4), 1, 1, "same", True, np.float32)
    case.kernel[:], case.bias[:] = 0, 1
    assert (case.forward(True)[1].array == 0).all()
    case.bias[:] = 0
    assert (case.forward(True)[1].array == -1).all()
    assert (case.forward(False)[1].array == 0).all()


def test_an_empty_batch_has_empty_results_and_a_gradient_of_zeros():
    case = Case(np.random.default_rng(0), 0, (4, 4), 2, 3, "same", True, np.float32)
    y, place = case.forward(True)
    dx, dkernel, total = case.backward(place.array)
    assert y.array.size == dx.array.size == 0
    assert not dkernel.array.any()
    assert not total.array.any()


def test_how_much_is_worked_on_at_a_time():
    assert kernels.Tiling(7, 7, 1, 1).at_once(32, 32, 4) == 18
    assert kernels.Tiling(7, 7, 1, 1).at_once(32, 32, 8) == 9
    assert kernels.Tiling(64, 64, 1, 1).at_once(256, 256, 8) == 1
    assert kernels.planes(4, 3) == (16, 5, 3)
    assert kernels.planes(5, 3) == (16, 5, 3)
