from __future__ import annotations

import numpy as np
import pytest

from tinynet.kernels import moving

GUARD = 77.0


def guarded(shape, dtype):
    """Return an array of nothing but guard values, and it with more of them around."""
    size = int(np.prod(shape))
    whole = np.full(size + 32, GUARD, dtype)
    return whole[16 : 16 + size].reshape(shape), whole


def check_guards(whole):
    assert (whole[:16] == GUARD).all()
    assert (whole[-16:] == GUARD).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("samples", [0, 1, 3])
@pytest.mark.parametrize(("pixels", "results", "channels"), [(1, 1, 1), (7, 5, 3), (4, 13, 17), (3, 6, 32)])
def test_take_and_its_gradient(pixels, results, channels, samples, dtype):
    random = np.random.default_rng(0)
    x = random.normal(size=(samples, pixels, channels)).astype(dtype)
    dy = random.integers(-9, 9, (samples, results, channels)).astype(dtype)
    places = random.integers(-1, pixels, results)
    y, y_whole = guarded(dy.shape, dtype)
    dx, dx_whole = guarded(x.shape, dtype)
    moving.take(x, places, y)
    moving.give_back(dy, places, dx)
    wanted, gradient = np.zeros(y.shape), np.zeros(x.shape)
    for q, p in enumerate(places):
        if p >= 0:
            wanted[:, q] = x[:, p]
            gradient[:, p] += dy[:, q]
    np.testing.assert_array_equal(y, wanted)
    np.testing.assert_array_equal(dx, gradient)
    check_guards(y_whole)
    check_guards(dx_whole)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((1, 1, 1), (1, 1)),
        ((3, 2, 5), (6, 6)),
        ((1, 4, 17), (5, 8)),
        ((7, 5, 3), (2, 3)),
        ((4, 9, 2), (1, 13)),
    ],
)
def test_interpolate_and_its_gradient(shape, size, dtype):
    random = np.random.default_rng(0)
    x, dy = (random.normal(size=(2, *one)).astype(dtype) for one in (shape, (*size, shape[2])))
    y, y_whole = guarded(dy.shape, dtype)
    dx, dx_whole = guarded(x.shape, dtype)
    moving.interpolate(x, y)
    moving.interpolate_gradient(dy, dx)
    check_guards(y_whole)
    check_guards(dx_whole)
    product = np.vdot(y.astype(np.float64), dy)
    assert product == pytest.approx(
        np.vdot(x.astype(np.float64), dx), abs=1e-4 if dtype == "float32" else 1e-12
    )
    constant = np.ones_like(x)
    moving.interpolate(constant, y)
    np.testing.assert_allclose(y, 1, rtol=1e-6)
