"""The vectors of one register: their masks, and every operation lane by lane, against NumPy."""

from __future__ import annotations

import itertools

import numba
import numpy as np
import pytest

from tinynet.kernels.vector import (
    VECTOR_BYTES,
    add,
    broadcast,
    divide,
    keep,
    lane_sum,
    larger,
    load,
    multiply,
    multiply_add,
    store,
    subtract,
    where_equal,
    where_greater,
)

DTYPES = [np.float32, np.float64]
SENTINEL = 12345.0


@numba.njit(error_model="numpy")
def copy(a, i, b, j, count):
    store(b, j, count, load(a, i, count))


@numba.njit(error_model="numpy")
def combine(a, b, i, count, number, results):
    """Write a row of results for each operation, all lanes of it."""
    lanes = VECTOR_BYTES // a.itemsize
    x, y, seven = load(a, i, count), load(b, i, count), broadcast(number)
    store(results, 0 * lanes, lanes, x)
    store(results, 1 * lanes, lanes, add(x, y))
    store(results, 2 * lanes, lanes, subtract(x, y))
    store(results, 3 * lanes, lanes, larger(x, y))
    store(results, 4 * lanes, lanes, where_equal(x, y, seven, y))
    store(results, 5 * lanes, lanes, where_greater(x, y, seven, y))
    store(results, 6 * lanes, lanes, seven)


def lanes_of(dtype):
    return VECTOR_BYTES // np.dtype(dtype).itemsize


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_masked_copy_moves_exactly_the_elements_that_it_is_told_to(dtype):
    lanes = lanes_of(dtype)
    a = np.arange(4 * lanes).astype(dtype)
    for i, j, count in itertools.product((0, 1, lanes - 1), (0, 1, 3), range(-2, lanes + 4)):
        b = np.full(4 * lanes, SENTINEL, dtype)
        copy(a, i, b, j, count)
        moved = min(max(count, 0), lanes)
        expected = np.full(4 * lanes, SENTINEL, dtype)
        expected[j : j + moved] = a[i : i + moved]
        np.testing.assert_array_equal(b, expected, f"{i} {j} {count}")


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_count_beyond_32_bits_means_a_whole_vector(dtype):
    lanes = lanes_of(dtype)
    a, b = np.arange(lanes).astype(dtype), np.zeros(lanes, dtype)
    copy(a, 0, b, 0, 2**32)
    np.testing.assert_array_equal(b, a)
    copy(np.ones(lanes, dtype), 0, b, 0, -(2**32) + 1)
    np.testing.assert_array_equal(b, a)


def reference(x, y):
    with np.errstate(invalid="ignore", over="ignore"):
        return [x, x + y, x - y, np.maximum(x, y), np.where(x == y, 7, y), np.where(x > y, 7, y), 0 * y + 7]


@pytest.mark.parametrize("dtype", DTYPES)
def test_operations_lane_by_lane(dtype):
    lanes = lanes_of(dtype)
    random = np.random.default_rng(0)
    a, b = random.integers(-2, 3, (2, 3 * lanes)).astype(dtype)
    for i, count in itertools.product((0, 1, lanes), range(lanes + 2)):
        results = np.full(7 * lanes + 1, SENTINEL, dtype)
        combine(a, b, i, count, dtype(7), results)
        inside = np.arange(lanes) < count
        x, y = (np.where(inside, whole[i : i + lanes], 0) for whole in (a, b))  # the others load as 0
        np.testing.assert_array_equal(results[:-1].reshape(7, lanes), reference(x, y))
        assert results[-1] == SENTINEL


@pytest.mark.parametrize("dtype", DTYPES)
def test_operations_on_special_values_and_on_exact_results(dtype):
    lanes, largest = lanes_of(dtype), np.finfo(dtype).max
    special = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.5, largest, -largest, np.finfo(dtype).tiny]
    random = np.random.default_rng(1)
    pairs = [*itertools.product(special, special), *random.normal(size=(50, 2)).tolist()]
    for first in range(0, len(pairs), lanes):
        x, y = np.array([*pairs[first : first + lanes], *[(0, 0)] * lanes][:lanes], dtype).T.copy()
        results = np.empty(7 * lanes, dtype)
        combine(x, y, 0, lanes, dtype(7), results)
        expected = reference(x, y)
        for row, wanted in zip(results.reshape(7, lanes)[:-1], expected[:-1], strict=True):
            np.testing.assert_array_equal(row, wanted.astype(dtype))
        np.testing.assert_array_equal(results[6 * lanes :], 7)


@numba.njit(error_model="numpy")
def combine_products(a, b, count, results):
    lanes = VECTOR_BYTES // a.itemsize
    x, y = load(a, 0, lanes), load(b, 0, lanes)
    store(results, 0 * lanes, lanes, multiply(x, y))
    store(results, 1 * lanes, lanes, multiply_add(x, y, x))
    store(results, 2 * lanes, lanes, keep(x, count))
    store(results, 3 * lanes, lanes, broadcast(lane_sum(x)))
    store(results, 4 * lanes, lanes, divide(x, y))


@pytest.mark.parametrize("dtype", DTYPES)
def test_products_the_first_lanes_and_the_sum_of_all(dtype):
    lanes = lanes_of(dtype)
    random = np.random.default_rng(0)
    for count in range(-2, lanes + 4):
        a, b = random.integers(-9, 10, (2, lanes)).astype(dtype)
        results = np.empty((5, lanes), dtype)
        combine_products(a, b, count, results.reshape(-1))
        kept = np.where(np.arange(lanes) < count, a, 0)
        np.testing.assert_array_equal(results[:4], [a * b, a * b + a, kept, np.full(lanes, a.sum())])


@pytest.mark.parametrize("dtype", DTYPES)
def test_products_of_special_values(dtype):
    lanes = lanes_of(dtype)
    special = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.5]
    pairs = [*itertools.product(special, special), *[(0.0, 0.0)] * lanes]
    for start in range(0, len(special) ** 2, lanes):
        x, y = np.array(pairs[start : start + lanes], dtype).T.copy()
        results = np.empty((5, lanes), dtype)
        combine_products(x, y, 1, results.reshape(-1))
        with np.errstate(invalid="ignore", divide="ignore"):
            np.testing.assert_array_equal(results[0], x * y)
            np.testing.assert_array_equal(results[1], x * y + x)
            np.testing.assert_array_equal(results[4], x / y)
        np.testing.assert_array_equal(results[2], [x[0], *[0] * (lanes - 1)])  # whatever the others hold
