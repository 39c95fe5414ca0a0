from __future__ import annotations

import inspect
import json
import math

import numpy as np
import pytest

from tinynet import initializers, layers
from tinynet.layers.config import layer_config, layer_from_config

RANDOM = {
    "glorot_uniform": initializers.GlorotUniform,
    "glorot_normal": initializers.GlorotNormal,
    "he_uniform": initializers.HeUniform,
    "he_normal": initializers.HeNormal,
    "lecun_uniform": initializers.LecunUniform,
    "lecun_normal": initializers.LecunNormal,
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
    variance = {"glorot": 2 / (fan_in + fan_out), "he": 2 / fan_in, "lecun": 1 / fan_in}[name.split("_")[0]]
    values = draw(name, shape)
    assert values.shape == shape
    deviation = math.sqrt(variance)
    assert abs(values.mean()) < 5 * deviation / math.sqrt(values.size)
    assert values.var() == pytest.approx(variance, rel=5 * math.sqrt(2 / values.size))
    if name.endswith("uniform"):
        assert distance(values / deviation, lambda x: (x / math.sqrt(3) + 1) / 2) < 1.95
        assert np.abs(values).max() <= math.sqrt(3) * deviation
    else:
        assert distance(values / deviation * 0.87962566103423978, truncated) < 1.95
        assert np.abs(values).max() <= 2 * deviation / 0.87962566103423978


def normal(x):
    return (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2


def truncated(x):
    return (normal(x) - normal(-2.0)) / (normal(2.0) - normal(-2.0))


def distance(values, cumulative):
    """Return Kolmogorov's distance times the root of the count: above 1.95 once in a thousand times."""
    values = np.sort(values.ravel())
    steps = np.arange(len(values) + 1) / len(values)
    expected = cumulative(values)
    return max((steps[1:] - expected).max(), (expected - steps[:-1]).max()) * math.sqrt(len(values))


DISTRIBUTIONS = [
    (initializers.RandomNormal(1.0, 0.5), lambda x: normal((x - 1) / 0.5)),
    (initializers.RandomUniform(-1, 3), lambda x: (x + 1) / 4),
    (initializers.TruncatedNormal(-1, 0.5), lambda x: truncated((x + 1) / 0.5)),
    (initializers.VarianceScaling(3.0, "fan_out", "untruncated_normal"), lambda x: normal(x / 0.1)),
    (initializers.VarianceScaling(3.0, "fan_out", "uniform"), lambda x: (x / 0.1 / math.sqrt(3) + 1) / 2),
    (
        initializers.VarianceScaling(3.0, "fan_out", "normal"),
        lambda x: truncated(x / 0.1 * 0.87962566103423978),
    ),
]


@pytest.mark.parametrize(("initializer", "cumulative"), DISTRIBUTIONS)
def test_distributions(initializer, cumulative):
    values = initializer((100, 300), np.random.default_rng(0), "float64")
    assert distance(values, cumulative) < 1.95
    assert distance(values * 1.05, cumulative) > 1.95  # which the test would find


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (2, 3, 4, 5), (2, 2, 1, 9)])
def test_orthogonal(shape):
    kernel = initializers.Orthogonal(2.0)(shape, np.random.default_rng(0), "float64").reshape(-1, shape[-1])
    product = kernel.T @ kernel if kernel.shape[0] >= kernel.shape[1] else kernel @ kernel.T
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-12)


def test_orthogonal_matrices_are_equally_likely():
    random = np.random.default_rng(0)
    drawn = [initializers.Orthogonal()((2, 2), random, "float64") for _ in range(4000)]
    angles = np.array([math.atan2(one[1, 0], one[0, 0]) for one in drawn])
    assert distance(angles, lambda x: x / (2 * math.pi) + 0.5) < 1.95
    assert np.mean([np.linalg.det(one) > 0 for one in drawn]) == pytest.approx(0.5, abs=0.04)


def test_constants():
    np.testing.assert_array_equal(initializers.Constant(3)((2, 1)), [[3], [3]])
    np.testing.assert_array_equal(initializers.Identity(2)((2, 3)), [[2, 0, 0], [0, 2, 0]])
    np.testing.assert_array_equal(initializers.Ones()((2,)), [1, 1])
    assert initializers.get("ones")((3,), dtype="float64").dtype == "float64"


def test_a_seed_of_its_own_gives_the_same_numbers_in_every_layer():
    one = initializers.HeNormal(seed=3)
    np.testing.assert_array_equal(one((4, 5)), one((4, 5), np.random.default_rng(8)))
    assert (initializers.HeNormal()((4, 5)) != initializers.HeNormal()((4, 5))).any()


# What these draw must not change from version to version: models with a seed would not be the same.
def test_today_s_draws():
    assert draw("glorot_uniform", (3, 2))[0].tolist() == [0.30006802263971943, -0.5043720396356872]


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: initializers.VarianceScaling(0), "scale must be above 0"),
        (lambda: initializers.VarianceScaling(mode="fan"), "mode must be 'fan_in', 'fan_out' or 'fan_avg'"),
        (lambda: initializers.VarianceScaling(distribution="x"), "distribution must be"),
        (lambda: initializers.Identity()((3,)), r"only matrices can be one; got.*\(3,\)"),
        (lambda: initializers.Orthogonal()((3,)), "needs two axes or more"),
    ],
)
def test_what_is_refused(act, message):
    with pytest.raises(ValueError, match=message):
        act()


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
    assert initializers.config_of(found) == name
    assert initializers.get(type(found).__name__) == found


def test_unknown_name_suggests_a_close_one_and_lists_all():
    with pytest.raises(
        ValueError, match=r"Unknown initializer 'he_norml'.*Did you mean 'he_normal'\?"
    ) as caught:
        initializers.get("he_norml")
    assert all(name in str(caught.value) for name in [*RANDOM, "zeros"])
    with pytest.raises(ValueError, match="Unknown initializer 'stft'"):
        initializers.get("stft")


def test_an_object_of_another_class_goes_by_the_name_of_zeros():
    class Own(initializers.Zeros):
        pass

    assert initializers.config_of(Own()) == "zeros"


@pytest.mark.parametrize(
    "initializer", [one for one, _ in DISTRIBUTIONS] + [initializers.Constant(3)], ids=repr
)
def test_arguments_survive(initializer):
    config = json.loads(json.dumps(initializers.config_of(initializer)))
    assert initializers.get(config) == initializer
    layer = layers.Dense(3, kernel_initializer=initializer)
    again = layer_from_config(json.loads(json.dumps(layer_config(layer))))
    assert initializers.get(again.kernel_initializer) == initializer
    assert layer_config(again) == layer_config(layer)


def test_the_base_class_draws_nothing():
    with pytest.raises(NotImplementedError):
        initializers.Initializer()((2,), np.random.default_rng(0), "float32")


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


def test_names_arguments_and_distributions_are_keras_s(keras):
    for name, kind in initializers.BY_NAME.items():
        theirs = getattr(keras.initializers, kind.__name__)()
        assert initializers.get(keras.initializers.serialize(theirs)) == initializers.get(name) == kind()
        assert hasattr(initializers, name)
        config = {key: value for key, value in theirs.get_config().items() if value is not None}
        for key, value in config.items():
            assert getattr(kind(), key) == value
        wanted = inspect.signature(type(theirs).__init__).parameters
        wanted = [key for key in wanted if key not in ("self", "input_axes", "output_axes", "args", "kwargs")]
        assert [*inspect.signature(kind).parameters] == wanted
        shape = (300, 200)
        values, expected = kind()(shape), np.asarray(theirs(shape).detach())
        assert values.mean() == pytest.approx(expected.mean(), abs=0.01)
        assert values.std() == pytest.approx(expected.std(), rel=0.1, abs=1e-7)
        assert np.abs(values).max() == pytest.approx(np.abs(expected).max(), rel=0.25, abs=1e-7)
