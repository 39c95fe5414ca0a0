"""exp, log and the like of arrays and numbers, against NumPy and Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet import elementary


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("exp", np.exp),
        ("tanh", np.tanh),
        ("log", np.log),
        ("log1p", np.log1p),
        ("sine", np.sin),
        ("cosine", np.cos),
    ],
)
def test_functions_of_arrays_of_all_shapes_and_orders(name, reference, dtype):
    random = np.random.default_rng(0)
    for shape in [(), (0,), (1,), (37,), (3, 5, 7)]:
        x = random.uniform(0.1, 3, shape).astype(dtype)
        for array in (x, x.T, x[..., None][..., ::-1]):
            result = getattr(elementary, name)(array)
            assert result.dtype == dtype
            assert result.shape == array.shape
            np.testing.assert_allclose(
                result,
                reference(array),
                rtol=4 * np.finfo(dtype).eps,
                atol=1e-7 if dtype == np.float32 else 1e-15,
            )


def test_integers_and_lists_become_float64():
    for x in ([1, 2], 3, np.arange(1, 4), np.ones(2, np.float16)):
        result = elementary.log(x)
        assert result.dtype == np.float64
        np.testing.assert_allclose(result, np.log(np.asarray(x, np.float64)), rtol=1e-15)


@given(st.floats(0.01, 10), st.floats(-20, 20) | st.integers(-1000, 1000).map(float))
def test_powers(base, exponent):
    if abs(exponent * np.log(base)) < 600:
        assert elementary.power(base, exponent) == pytest.approx(base**exponent, rel=1e-12)


@given(st.floats(0, 1e100))
def test_powers_that_are_exact(base):
    assert elementary.power(base, 1) == base
    assert elementary.power(base, 1.0) == base
    assert elementary.power(base, 2) == base * base
    assert elementary.power(base, 0) == 1
    assert elementary.power(0.0, 0.7) == 0
