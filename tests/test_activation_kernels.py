"""The functions of vectors, and the kernels of activations: their errors, edges, special values, and bits."""

from __future__ import annotations

import math

import naive
import numba
import numba.core.codegen
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_cases import ACTIVATIONS, OTHERS

import tinynet
from tinynet import Sequential, activations, layers
from tinynet.kernels import activation, functions, piecewise
from tinynet.kernels import softmax as softmax_kernels
from tinynet.kernels.vector import VECTOR_BYTES, load, store

DTYPES = [np.float32, np.float64]
NAMES = [name for name in [*ACTIVATIONS, *OTHERS, "elu", "log_softmax"] if name != "linear"]


def over_arrays(function):
    """Return a function of arrays that applies one of vectors."""

    @numba.njit(error_model="numpy")
    def run(x, y):
        lanes = VECTOR_BYTES // x.itemsize
        for i in range(0, x.size, lanes):
            store(y, i, x.size - i, function(load(x, i, x.size - i)))

    def apply(x):
        y = np.empty_like(x)
        run(x, y)
        return y

    return apply


@numba.njit(forceinline=True)
def normal_probability(x):
    return functions.normal_probability(x, functions.bell(x))


# The function, a reference, where, and the largest error in units in the last place, as functions.py says.
FUNCTIONS = {
    "exp": (functions.exp, np.exp, (-87, 88), 1.1),
    "negative_expm1": (functions.negative_expm1, np.expm1, (-40, 0), 1.2),
    "unit_log1p": (functions.unit_log1p, np.log1p, (0, 1), 2.0),
    "log": (functions.log, np.log, (0.01, 1000), 2.0),
    "log1p": (functions.log1p, np.log1p, (-0.9, 1000), 2.5),
    "sine": (functions.sine, np.sin, (-0.785, 0.785), 1.0),
    "tanh": (functions.tanh, np.tanh, (-20, 20), 2.7),
    "sigmoid": (functions.sigmoid, lambda x: 1 / (1 + np.exp(-x)), (-80, 80), 2.5),
    "softplus": (functions.softplus, lambda x: np.log1p(np.exp(x)), (-80, 80), 2.8),
    "bell": (functions.bell, lambda x: np.exp(-(x**2) / 2), (-12, 12), 1.7),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("function", "reference"), [(functions.sine, np.sin), (functions.cosine, np.cos)])
def test_sine_and_cosine_in_all_quadrants(function, reference, dtype):
    near = np.arange(-100, 100)[:, None] * np.pi / 4 + [-1e-3, 0, 1e-3]
    x = np.concatenate([np.random.default_rng(0).uniform(-10_000, 10_000, 50_000), near.reshape(-1)])
    x = x.astype(dtype)
    errors = abs(over_arrays(function)(x) - reference(x.astype(np.float64)))
    assert errors.max() <= 2 * np.finfo(dtype).eps
    np.testing.assert_array_equal(over_arrays(function)(np.array([np.nan, np.inf, -np.inf], dtype)), np.nan)


@pytest.mark.parametrize("dtype", DTYPES)
def test_logarithms_of_special_values_and_of_the_smallest_and_largest_numbers(dtype):
    kind, inf, nan = np.finfo(dtype), np.inf, np.nan
    x = np.array([0.0, -0.0, -1.0, inf, -inf, nan, 1.0, kind.smallest_subnormal, kind.max], dtype)
    log, log1p = over_arrays(functions.log)(x), over_arrays(functions.log1p)(x)
    np.testing.assert_array_equal(log[:7], np.array([-inf, -inf, nan, inf, nan, nan, 0], dtype))
    np.testing.assert_array_equal(log1p[:6], np.array([0, 0, -inf, inf, nan, nan], dtype))
    np.testing.assert_allclose(log[7:], np.log(x[7:].astype(np.longdouble)), rtol=2 * kind.eps)
    small = np.geomspace(kind.smallest_subnormal, kind.tiny * 4, 1000).astype(dtype)
    expected = np.log(small.astype(np.longdouble))
    np.testing.assert_allclose(over_arrays(functions.log)(small), expected, rtol=2 * kind.eps)


@pytest.mark.skipif(np.finfo(np.longdouble).eps > 1e-18, reason="there are no longer floats to compare with")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_errors_of_functions_are_what_is_said(name, dtype):
    function, reference, (low, high), largest = FUNCTIONS[name]
    random = np.random.default_rng(0)
    small = np.exp(random.uniform(-30, 1, 100_000)) * random.choice([-1, 1], 100_000)
    x = np.concatenate([random.uniform(low, high, 200_000), np.clip(small, low, high)]).astype(dtype)
    expected = reference(x.astype(np.longdouble))
    errors = abs(over_arrays(function)(x) - expected) / np.spacing(abs(expected).astype(dtype))
    assert errors.max() <= largest
    assert errors.max() >= largest / 2  # what is said is not far from what is there


@pytest.mark.parametrize(("dtype", "largest"), [(np.float32, 7), (np.float64, 9)])
def test_errors_of_the_normal_probability(dtype, largest):
    low = -10 if dtype == np.float32 else -1  # the rounded argument of the reference shows ever more
    x = np.random.default_rng(0).uniform(low, 8, 50_000).astype(dtype)
    expected = np.array([math.erfc(-float(v) / math.sqrt(2)) / 2 for v in x])
    errors = abs(over_arrays(normal_probability)(x) - expected) / np.spacing(abs(expected).astype(dtype))
    assert errors.max() <= largest


@pytest.mark.parametrize("dtype", DTYPES)
def test_special_values_of_functions(dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, tiny, -tiny], dtype)
    nan, inf = np.nan, np.inf
    for function, expected in (
        (functions.exp, [1, 1, inf, 0, nan, 1, 1]),
        (functions.tanh, [0, -0.0, 1, -1, nan, tiny, -tiny]),
        (functions.sigmoid, [0.5, 0.5, 1, 0, nan, 0.5, 0.5]),
        (functions.softplus, [math.log(2), math.log(2), inf, 0, nan, math.log(2), math.log(2)]),
        (normal_probability, [0.5, 0.5, 1, 0, nan, 0.5, 0.5]),
    ):
        y = over_arrays(function)(x)
        np.testing.assert_array_equal(y, np.array(expected, dtype))
        np.testing.assert_array_equal(np.signbit(y[:2]), np.signbit(expected[:2]))
    x = np.array([-1.0, 0.0, -0.0, -tiny, -inf, nan], dtype)
    expected = np.array([math.expm1(-1), 0, -0.0, -tiny, -1, nan], dtype)
    np.testing.assert_array_equal(over_arrays(functions.negative_expm1)(x), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_of_what_gives_subnormal_and_the_largest_numbers(dtype):
    kind = np.finfo(dtype)
    ends = np.array([np.log(kind.smallest_subnormal), np.log(kind.tiny), np.log(kind.max)], np.float64)
    x = np.concatenate([np.linspace(end - 2, end + 2, 1000) for end in ends]).astype(dtype)
    with np.errstate(over="ignore", under="ignore"):
        expected = np.exp(x.astype(np.longdouble)).astype(dtype)
    y = over_arrays(functions.exp)(x)
    finite = np.isfinite(expected)
    spacing = np.spacing(np.minimum(expected[finite], kind.max / 2))
    assert (abs(y[finite] - expected[finite]) <= 2 * spacing).all()
    assert (y[~finite] == np.inf).all()


SENTINEL = 12345.0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("module", [activation, piecewise], ids=lambda module: module.__name__)
def test_kernels_on_every_size_write_nothing_else(module, dtype):
    lanes = VECTOR_BYTES // np.dtype(dtype).itemsize
    numbers = {"elu": (1.0, 0.5), "clipped_relu": (0.1, 0.2, 0.5)}
    random = np.random.default_rng(0)
    kernels = [name for name in vars(module) if hasattr(module, f"{name}_gradient") and name != "prelu"]
    assert len(kernels) >= 4
    for name in kernels:
        rest = numbers.get(name, ())
        x, dy = random.normal(size=(2, 3 * lanes)).astype(dtype)
        whole = [np.empty_like(x), np.empty_like(x)]
        getattr(module, name)(x, whole[0], *rest)
        getattr(module, f"{name}_gradient")(x, dy, whole[1], *rest)
        for size in (0, 1, lanes - 1, lanes, lanes + 1, 2 * lanes + 1):
            guarded = np.full((2, 3 * lanes), SENTINEL, dtype)
            getattr(module, name)(x[1 : 1 + size], guarded[0, 1 : 1 + size], *rest)
            getattr(module, f"{name}_gradient")(
                x[1 : 1 + size], dy[1 : 1 + size], guarded[1, 1 : 1 + size], *rest
            )
            for result, expected in zip(guarded, whole, strict=True):
                np.testing.assert_array_equal(result[1 : 1 + size], expected[1 : 1 + size])
                assert (np.delete(result, np.s_[1 : 1 + size]) == SENTINEL).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_prelu_writes_nothing_else(dtype):
    random = np.random.default_rng(0)
    place = np.array([0, 2, 2, 0, 1])
    alpha = np.array([0.5, -1.0, 2.0], dtype)
    x, dy = random.integers(-3, 4, size=(2, 4, 5)).astype(dtype)
    guarded, total = np.full((2, 6, 5), SENTINEL, dtype), np.full(5, SENTINEL, dtype)
    piecewise.prelu(x, alpha, place, guarded[0, 1:-1])
    piecewise.prelu_gradient(x, alpha, place, dy, guarded[1, 1:-1], total[1:-1])
    np.testing.assert_array_equal(guarded[0, 1:-1], np.where(x < 0, alpha[place] * x, x))
    np.testing.assert_array_equal(guarded[1, 1:-1], np.where(x > 0, dy, alpha[place] * dy))
    sums = np.minimum(x, 0) * dy
    expected = [sums[:, place == p].sum() for p in range(3)]
    np.testing.assert_array_equal(total, [SENTINEL, *expected, SENTINEL])
    assert (guarded[:, [0, -1]] == SENTINEL).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("samples", [0, 1, 3])
def test_softmax_of_every_number_of_classes_writes_nothing_else(name, samples, dtype):
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    random = np.random.default_rng(0)
    for classes in [*range(1, 36), 100]:
        x, dy = 3 * random.normal(size=(2, samples, classes)).astype(dtype)
        guarded = np.full((2, samples * classes + 2), SENTINEL, dtype)
        y, dx = guarded[:, 1:-1].reshape(2, samples, classes)
        getattr(softmax_kernels, name)(x, y)
        getattr(softmax_kernels, f"{name}_gradient")(y, dy, dx)
        assert (guarded[:, [0, -1]] == SENTINEL).all()
        if samples:
            np.testing.assert_allclose(y, naive.activation(name, x), rtol=tolerance, atol=tolerance)
            expected = naive.activation_gradient(name, x, dy)
            np.testing.assert_allclose(dx, expected, rtol=tolerance, atol=10 * tolerance)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_of_special_values(name):
    nan, inf = np.nan, np.inf
    low = 0 if name == "softmax" else -inf
    even = 0.5 if name == "softmax" else -math.log(2)
    for length in (2, 40):
        x = np.full((5, length), -inf, np.float32)
        x[:, :2] = [[0, 0], [nan, 0], [inf, 0], [-inf, -inf], [1e38, 1e38]]
        y = getattr(activations, name)(x)
        np.testing.assert_allclose(y[[0, 4], :2], even, rtol=1e-6)
        assert (y[[0, 4], 2:] == low).all()
        assert np.isnan(y[[1, 3]]).all()
        assert np.isnan(y[2, 0])
        x[:] = np.arange(length)
        x[0, -1] = nan
        assert np.isnan(getattr(activations, name)(x)[0]).all()


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20)
@given(st.integers(1, 40), st.integers(0, 2**32), st.sampled_from([0.01, 1.0, 10.0]))
def test_any_array(name, size, seed, scale):
    x, dy = scale * np.random.default_rng(seed).normal(size=(2, 3, size))
    layer = layers.Activation(name)
    layer.build(size, dtype="float64")
    slope = 1.0 if name == "elu" else 0.2
    y = layer.forward(x, training=True)
    np.testing.assert_allclose(y, naive.activation(name, x, slope), rtol=1e-9, atol=1e-12)
    expected = naive.activation_gradient(name, x, dy, slope)
    np.testing.assert_allclose(layer.backward(dy), expected, rtol=1e-8, atol=1e-11)
    np.testing.assert_array_equal(y[1], layer.forward(x[1:2])[0])  # whatever stands around it


@pytest.mark.parametrize("name", NAMES)
def test_gradients_of_huge_numbers_are_not_nan(name):
    layer = layers.Activation(name)
    layer.build(4)
    layer.forward([[1e38, -1e38, 200, -200]], training=True)
    dx = layer.backward([[1, 1, 1, 1]])
    if name == "exponential":
        np.testing.assert_array_equal(dx, [[np.inf, 0, np.inf, 0]])
    else:
        assert np.isfinite(dx).all()


BITS = """
import zlib
import numpy as np
from tinynet import activations
from tinynet.kernels.cpu import VECTOR_BYTES
x = np.random.default_rng(0).normal(size=(3, 1001)) * np.exp(np.linspace(-20, 4, 1001))
for dtype in ("float32", "float64"):
    for name in {names}:
        for scale in (1, 0.01):  # of large numbers, softmax has no sum to speak of
            print(name, zlib.crc32(getattr(activations, name)((scale * x).astype(dtype)).tobytes()))
print(VECTOR_BYTES)
"""


@pytest.mark.slow
def test_the_bits_do_not_depend_on_how_long_vectors_are(run_python):
    features = numba.core.codegen.get_host_cpu_features().split(",")
    if "+avx512f" not in features or "+fma" not in features:
        pytest.skip("this CPU has no shorter vectors to compare with")
    names = ["tanh", "silu", "gelu", "softplus", "elu", "softmax", "log_softmax"]  # which use all functions
    shorter = ",".join(f.replace("+avx512", "-avx512") for f in features)
    here = run_python(BITS.format(names=names)).splitlines()
    there = run_python(BITS.format(names=names), NUMBA_CPU_FEATURES=shorter).splitlines()
    assert (here.pop(), there.pop()) == ("64", "32")
    assert here == there


@pytest.mark.parametrize("name", NAMES)
def test_the_same_bits_on_any_number_of_threads(name, set_threads):
    x = np.random.default_rng(0).normal(size=(300, 5)).astype(np.float32)
    weights = []
    for threads in (1, 2, 3):
        set_threads(threads)
        model = Sequential([layers.Dense(40, name), layers.Dense(40), layers.Activation(name)], 5, seed=1)
        assert model.only_kernels
        model.compile(tinynet.optim.SGD(1e-3), "mse")
        model.fit(x, np.zeros((300, 40)), epochs=2, batch_size=150, verbose=0)
        weights.append([*model.get_weights(), model.predict(x)])
    for other in weights[1:]:
        for mine, first in zip(other, weights[0], strict=True):
            np.testing.assert_array_equal(mine, first)
