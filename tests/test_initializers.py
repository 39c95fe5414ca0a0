from __future__ import annotations

import math

import numpy as np
import pytest

from tinynet import initializers, layers

RANDOM = {
    "glorot_uniform": initializers.GlorotUniform,
    "glorot_normal": initializers.GlorotNormal,
    "he_uniform": initializers.HeUniform,
    "he_normal": initializers.HeNormal,
}


def draw(name, shape, seed=0, dtype="float64"):
    return initializers.get(name)(shape, np.random.default_rng(seed), dtype)


@pytest.mark.parametrize(
    ("shape", "fans"),
    [
        ((784, 10), (784, 10)),
        ((3, 3, 1, 32), (9, 288)),
        ((2, 5, 4, 3), (40, 30)),
        ((7,), (7, 7)),
        ((), (1, 1)),
    ],
)
def test_fans(shape, fans):
    assert initializers.fans(shape) == fans


@pytest.mark.parametrize("shape", [(300, 100), (100, 300), (5, 3, 20, 40)])
@pytest.mark.parametrize("name", RANDOM)
def test_mean_variance_and_distribution(name, shape):
    fan_in, fan_out = (shape[0], shape[1]) if len(shape) == 2 else (5 * 3 * 20, 5 * 3 * 40)
    variance = 2 / (fan_in + fan_out) if name.startswith("glorot") else 2 / fan_in
    values = draw(name, shape)
    assert values.shape == shape
    deviation = math.sqrt(variance)
    assert abs(values.mean()) < 5 * deviation / math.sqrt(values.size)
    assert values.var() == pytest.approx(variance, rel=5 * math.sqrt(2 / values.size))
    largest = np.abs(values).max() / deviation
    if name.endswith("uniform"):
        assert math.sqrt(3) * 0.999 < largest <= math.sqrt(3)
    else:
        assert 3.5 < largest < 6
        within = (np.abs(values) < deviation).mean()
        assert within == pytest.approx(0.6827, abs=0.02)


@pytest.mark.parametrize("name", RANDOM)
def test_both_dtypes_get_the_same_numbers_and_a_seed_others(name):
    single, double = (draw(name, (6, 5), dtype=dtype) for dtype in ("float32", "float64"))
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    np.testing.assert_array_equal(single, double.astype(np.float32))
    np.testing.assert_array_equal(double, draw(name, (6, 5)))
    assert (double != draw(name, (6, 5), seed=1)).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_zeros(dtype):
    values = draw("zeros", (2, 3), dtype=dtype)
    assert values.dtype == dtype
    np.testing.assert_array_equal(values, np.zeros((2, 3)))


@pytest.mark.parametrize("name", [*RANDOM, "zeros"])
def test_names_and_objects(name):
    found = initializers.get(name)
    assert type(found) is {**RANDOM, "zeros": initializers.Zeros}[name]
    assert initializers.get(found) is found
    assert initializers.name_of(found) == name


def test_unknown_name_suggests_a_close_one_and_lists_all():
    with pytest.raises(
        ValueError, match=r"Unknown initializer 'he_norml'.*Did you mean 'he_normal'\?"
    ) as caught:
        initializers.get("he_norml")
    assert all(name in str(caught.value) for name in [*RANDOM, "zeros"])
    with pytest.raises(ValueError, match="Unknown initializer 'orthogonal'"):
        initializers.get("orthogonal")


def test_an_object_of_another_class_goes_by_the_name_of_zeros():
    class Own(initializers.Zeros):
        pass

    assert initializers.name_of(Own()) == "zeros"


def test_the_base_class_draws_nothing():
    with pytest.raises(NotImplementedError):
        initializers.Initializer()((2,), np.random.default_rng(0), "float32")
    with pytest.raises(NotImplementedError):
        initializers.VarianceScaling()((2,), np.random.default_rng(0), "float32")


@pytest.mark.parametrize("make", [layers.Dense, lambda units, **named: layers.Conv2D(units, 1, **named)])
def test_layers_use_their_initializers(make):
    layer = make(40, kernel_initializer="zeros", bias_initializer=initializers.HeNormal())
    layer.build((5,) if isinstance(layer, layers.Dense) else (2, 2, 5))
    assert (layer.kernel.value == 0).all()
    assert (layer.bias.value != 0).all()
    layer = make(40)
    layer.build((60,) if isinstance(layer, layers.Dense) else (2, 2, 60))
    assert 0.9 * math.sqrt(6 / 100) < np.abs(layer.kernel.value).max() <= math.sqrt(6 / 100)  # glorot_uniform
    assert (layer.bias.value == 0).all()
