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
    """Value, gradient, and three of the state, not negative, each between guards that no kernel may touch."""
    rng = np.random.default_rng(seed)
    guarded = [np.full(size + 2, GUARD, dtype) for _ in range(5)]
    for index, vector in enumerate(guarded):
        vector[1:-1] = rng.normal(size=size)
        if index > 1:
            vector[1:-1] **= 2
    return guarded


def settings_of(*own):
    """The decay, the largest gradient, and what the optimizer has of its own."""
    return np.array([0.01, 0.5, *own, *[np.nan] * (6 - len(own))])


NONE = slice(0, 0)
# Kernels by name; each takes the value, the gradient and three vectors of state.
KERNELS = {
    "scale": lambda x, g, a, b, c: update.scale(g, a, 0.3),
    "clip": lambda x, g, a, b, c: update.clip(g, a, settings_of()),
    "sgd": lambda x, g, a, b, c: update.sgd(x, g, settings_of(0.1)),
    "momentum": lambda x, g, a, b, c: update.sgd_momentum(x, g, a, settings_of(0.1, 0.9, False)),
    "nesterov": lambda x, g, a, b, c: update.sgd_momentum(x, g, a, settings_of(0.1, 0.9, True)),
    "adam": lambda x, g, a, b, c: update.adam(x, g, a, b, settings_of(0.1, 0.9, 0.99, 1e-7)),
    "amsgrad": lambda x, g, a, b, c: update.amsgrad(x, g, a, b, c, settings_of(0.1, 0.9, 0.99, 1e-7)),
    "adamax": lambda x, g, a, b, c: update.adamax(x, g, a, b, settings_of(0.1, 0.9, 0.99, 1e-7)),
    "nadam": lambda x, g, a, b, c: update.nadam(x, g, a, b, settings_of(0.1, 0.2, 1.5, 0.9, 0.99, 1e-7)),
    "rmsprop": lambda x, g, a, b, c: update.rmsprop(
        x, g, b, a[NONE], c[NONE], settings_of(0.1, 0.9, 1e-7, 0)
    ),
    "rmsprop momentum": lambda x, g, a, b, c: update.rmsprop(
        x, g, b, c[NONE], a, settings_of(0.1, 0.9, 1e-7, 0.9)
    ),
    "rmsprop centered": lambda x, g, a, b, c: update.rmsprop(
        x, g, b, a, c[NONE], settings_of(0.1, 0.9, 1e-7, 0)
    ),
    "rmsprop both": lambda x, g, a, b, c: update.rmsprop(x, g, b, c, a, settings_of(0.1, 0.9, 1e-7, 0.9)),
    "adagrad": lambda x, g, a, b, c: update.adagrad(x, g, a, settings_of(0.1, 1e-7)),
    "adadelta": lambda x, g, a, b, c: update.adadelta(x, g, b, a, settings_of(0.1, 0.9, 1e-7)),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("run", KERNELS.values(), ids=KERNELS)
@settings(max_examples=25)
@given(size=st.integers(0, 1300), cuts=st.lists(st.integers(0, 1300), max_size=4), seed=st.integers(0, 999))
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
@pytest.mark.parametrize(
    "name",
    ["momentum", "nesterov", "adam", "amsgrad", "adamax", "nadam", "rmsprop momentum", "rmsprop centered"],
)
def test_a_mean_without_gradients_decays_to_zero_not_into_subnormal_numbers(name, dtype):
    value, gradient, m, *others = (np.full(3, number, dtype) for number in (1, 0, 1, 1, 1))
    smallest = np.finfo(dtype).tiny
    m[:] = [smallest, -smallest, 1]
    KERNELS[name](value, gradient, m, *others)
    np.testing.assert_array_equal(m, [0, 0, dtype(0.9)])
    m[:] = [np.nan, np.inf, 1]
    KERNELS[name](value, gradient, m, *others)
    assert np.isnan(m[0])
    assert np.isinf(m[1])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "name", ["adam", "amsgrad", "adamax", "nadam", "rmsprop", "rmsprop both", "adadelta"]
)
def test_a_square_without_gradients_decays_to_zero_not_into_subnormal_numbers(name, dtype):
    value, gradient, other, square, more = (np.full(2, number, dtype) for number in (1, 0, 0, 1, 0))
    square[:] = [np.finfo(dtype).tiny, np.nan]
    KERNELS[name](value, gradient, other, square, more)
    assert square[0] == 0
    assert np.isnan(square[1])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [name for name in KERNELS if name not in ("scale", "clip")])
def test_gradients_that_are_no_numbers_show_in_the_values(name, dtype):
    value, gradient, *state = vectors(600, dtype)
    gradient[5::7] = np.nan
    KERNELS[name](value[1:-1], gradient[1:-1], *(vector[1:-1] for vector in state))
    np.testing.assert_array_equal(np.isnan(value[1:-1]), np.isnan(gradient[1:-1]))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_variance_below_zero_by_rounding_is_zero(dtype):
    value, gradient, square, mean, none = (np.full(3, n, dtype) for n in (0, 1e4, 1e8 * (1 - 1e-4), 1e4, 0))
    update.rmsprop(value, gradient, square, mean, none[NONE], settings_of(0.1, 1.0, 1e-6, 0))
    np.testing.assert_allclose(value, -0.1 * 1e4 / 1e-3, rtol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [0, 1, 127, 128, 129, 1000])
def test_sum_of_squares(dtype, size):
    vector = vectors(size, dtype)[0][1:-1]
    expected = math.fsum(float(element) ** 2 for element in vector)
    assert update.sum_of_squares(vector) == pytest.approx(expected, rel=1e-14)


def test_sum_of_squares_is_added_in_float64():
    assert update.sum_of_squares(np.full(4, 1e30, np.float32)) == pytest.approx(4e60, rel=1e-6)
