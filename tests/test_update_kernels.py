from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynet.kernels import update

DTYPES = [np.float32, np.float64]
GUARD = 12345.0


def vectors(size, dtype, seed=0):
    """Value, gradient, mean and square, each between guards that no kernel may touch."""
    rng = np.random.default_rng(seed)
    guarded = [np.full(size + 2, GUARD, dtype) for _ in range(4)]
    for index, vector in enumerate(guarded):
        vector[1:-1] = rng.normal(size=size) ** (2 if index == 3 else 1)
    return guarded


def settings_of(*own):
    """Learning rate, weight decay, scale, the step's number, and what the optimizer has of its own."""
    return np.array([0.1, 0.01, 0.7, 3, *own, *[np.nan] * (4 - len(own))])


def run_sgd(value, gradient, m, v):
    update.sgd(value, gradient, settings_of())


def run_momentum(value, gradient, m, v):
    update.sgd_momentum(value, gradient, m, settings_of(0.9, False))


def run_nesterov(value, gradient, m, v):
    update.sgd_momentum(value, gradient, m, settings_of(0.9, True))


def run_adam(value, gradient, m, v):
    update.adam(value, gradient, m, v, settings_of(0.9, 0.999, 1e-7))


KERNELS = [run_sgd, run_momentum, run_nesterov, run_adam]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("run", KERNELS)
@settings(deadline=None)
@given(size=st.integers(0, 300), cuts=st.lists(st.integers(0, 300), max_size=4), seed=st.integers(0, 999))
def test_cuts_change_no_bit_and_nothing_else_is_written(run, dtype, size, cuts, seed):
    whole, pieces = vectors(size, dtype, seed), vectors(size, dtype, seed)
    original = whole[1].copy()
    run(*(vector[1:-1] for vector in whole))
    edges = [0, *sorted(min(cut, size) for cut in cuts), size]
    for start, stop in itertools.pairwise(edges):
        run(*(vector[1 + start : 1 + stop] for vector in pieces))
    for one, other in zip(whole, pieces, strict=True):
        assert one.tobytes() == other.tobytes()
        assert one[0] == one[-1] == GUARD
    np.testing.assert_array_equal(whole[1], original)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("run", [run_momentum, run_adam])
def test_a_mean_without_gradients_decays_to_zero_not_into_subnormal_numbers(run, dtype):
    value, gradient, m, v = np.ones(3, dtype), np.zeros(3, dtype), np.ones(3, dtype), np.ones(3, dtype)
    smallest = np.finfo(dtype).tiny
    m[:] = [smallest, -smallest, 1]
    run(value, gradient, m, v)
    np.testing.assert_array_equal(m, [0, 0, dtype(0.9)])
    m[:] = [np.nan, np.inf, 1]
    run(value, gradient, m, v)
    assert np.isnan(m[0])
    assert np.isinf(m[1])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [0, 1, 127, 128, 129, 1000])
def test_sum_of_squares(dtype, size):
    vector = vectors(size, dtype)[0][1:-1]
    expected = math.fsum(float(element) ** 2 for element in vector)
    assert update.sum_of_squares(vector) == pytest.approx(expected, rel=1e-14)


def test_sum_of_squares_is_added_in_float64():
    assert update.sum_of_squares(np.full(4, 1e30, np.float32)) == pytest.approx(4e60, rel=1e-6)
