"""Optimizers and schedules do what they do in Keras on PyTorch: the same weights, gradients and settings."""

from __future__ import annotations

import inspect
import itertools
import os
from types import SimpleNamespace

import numpy as np
import pytest

from tinynet import optim

torch = pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")
if keras.backend.backend() != "torch":
    pytest.skip("these tests need Keras's backend torch", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings(  # get_weights asks PyTorch in NumPy 1's way
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)

# In float32, Keras computes 1 - beta_2^step in float32, too: 5e-5 away from what it should be at first.
TOLERANCES = {"float32": 1e-4, "float64": 1e-10}
SHAPES = [(3, 5), (5,), (5, 2), (2,)]
KINDS = {
    "SGD": [{}, {"momentum": 0.9}, {"momentum": 0.8, "nesterov": True}],
    "Adam": [{}, {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 0.01}, {"amsgrad": True, "beta_2": 0.5}],
    "AdamW": [{}, {"weight_decay": 0.1, "amsgrad": True, "beta_2": 0.5}],
    "RMSprop": [
        {},
        {"momentum": 0.9, "rho": 0.5},
        {"centered": True, "rho": 0.8},
        {"centered": True, "momentum": 0.5, "epsilon": 0.01},
    ],
    "Adagrad": [{}, {"initial_accumulator_value": 0.0, "epsilon": 0.01}],
    "Adadelta": [{"learning_rate": 1.0}, {"rho": 0.5, "epsilon": 0.01, "learning_rate": 0.3}],
    "Adamax": [{}, {"beta_1": 0.5, "beta_2": 0.8, "epsilon": 0.01}],
    "Nadam": [{}, {"beta_1": 0.5, "beta_2": 0.8, "epsilon": 0.01}],
}
SHARED = [
    {},
    {"learning_rate": "cosine"},
    {"weight_decay": 0.05, "learning_rate": 0.1},
    {"clipnorm": 0.5},
    {"global_clipnorm": 0.5, "weight_decay": 0.05},
    {"clipvalue": 0.2, "learning_rate": "cosine"},
]
CASES = [
    pytest.param(kind, own | shared, id=f"{kind}-{own | shared}")
    for kind, arguments in KINDS.items()
    for own, shared in itertools.product(arguments, SHARED)
]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Keep PyTorch to one thread: several only wait for each other on arrays as small as these."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(params=TOLERANCES)
def dtype(request, monkeypatch):
    """Let Keras compute in this dtype."""
    monkeypatch.setitem(keras.src.backend.common.dtypes.BIT64_TO_BIT32_DTYPE, "float64", "float64")
    before = keras.config.floatx()
    keras.config.set_floatx(request.param)
    yield request.param
    keras.config.set_floatx(before)


def with_rate(arguments, cosine_decay):
    """The arguments, with a schedule in the place of its name."""
    cosine = arguments.get("learning_rate") == "cosine"
    return arguments | {"learning_rate": cosine_decay(0.05, 15, 0.1)} if cosine else arguments


def gradients_of(random, dtype):
    """Gradients of very different sizes, and some that are 0."""
    return [
        (random.normal(size=shape) * 10.0 ** random.uniform(-2, 0.5) * (random.random(shape) < 0.8)).astype(
            dtype
        )
        for shape in SHAPES
    ]


@pytest.mark.parametrize(("kind", "arguments"), CASES)
def test_twenty_steps_equal_those_of_keras(kind, arguments, dtype):
    random = np.random.default_rng(len(str(arguments)))
    start = [random.normal(size=shape).astype(dtype) for shape in SHAPES]
    ours = getattr(optim, kind)(**with_rate(arguments, optim.CosineDecay))
    theirs = getattr(keras.optimizers, kind)(**with_rate(arguments, keras.optimizers.schedules.CosineDecay))
    weights = [SimpleNamespace(value=value.copy(), grad=np.empty_like(value)) for value in start]
    variables = [keras.Variable(value, dtype=dtype) for value in start]
    for _ in range(20):
        gradients = gradients_of(random, dtype)
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.grad[...] = gradient
        assert ours.current_learning_rate == pytest.approx(float(theirs.learning_rate), rel=1e-6, abs=1e-9)
        ours.step(weights)
        theirs.apply([torch.tensor(gradient) for gradient in gradients], variables)
        for weight, variable in zip(weights, variables, strict=True):
            expected = variable.numpy()
            assert weight.value.dtype == expected.dtype
            scale = max(1.0, np.abs(expected).max())
            np.testing.assert_allclose(
                weight.value, expected, rtol=TOLERANCES[dtype], atol=TOLERANCES[dtype] * scale
            )


@pytest.mark.parametrize("kind", KINDS)
def test_arguments_have_keras_names_order_and_defaults(kind):
    def arguments_of(function):
        parameters = [*inspect.signature(function).parameters.values()]
        return [(one.name, one.default) for one in parameters if one.kind is not one.VAR_KEYWORD]

    assert arguments_of(getattr(optim, kind)) == arguments_of(getattr(keras.optimizers, kind).__init__)[1:]


@pytest.mark.parametrize(
    "kind",
    ["ExponentialDecay", "PiecewiseConstantDecay", "PolynomialDecay", "InverseTimeDecay", "CosineDecay",
     "CosineDecayRestarts"],
)  # fmt: skip
def test_arguments_of_schedules_have_keras_names_order_and_defaults(kind):
    ours, theirs = (
        [(one.name, one.default) for one in inspect.signature(function).parameters.values()]
        for function in (getattr(optim, kind), getattr(keras.optimizers.schedules, kind))
    )
    assert ours == theirs


@pytest.mark.parametrize("kind", KINDS)
def test_configurations_of_keras_are_understood(kind):
    theirs = getattr(keras.optimizers, kind)(clipnorm=0.5)
    for config in (keras.optimizers.serialize(theirs), {"class_name": kind, "config": theirs.get_config()}):
        ours = optim.get(config)
        assert type(ours).__name__ == kind
        assert ours.get_config() == theirs.get_config()
    assert keras.optimizers.get(optim.serialize(ours)).get_config() == theirs.get_config()


def test_a_schedule_of_keras_is_understood():
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10, warmup_target=0.2, warmup_steps=5)
    ours = optim.get(keras.optimizers.serialize(keras.optimizers.Adam(schedule))).learning_rate
    assert ours == optim.CosineDecay(0.1, 10, warmup_target=0.2, warmup_steps=5)


SCHEDULES = [
    ("ExponentialDecay", (0.1, 10, 0.5)),
    ("ExponentialDecay", (0.1, 7, 0.9, True)),
    ("PiecewiseConstantDecay", ([5, 17], [0.3, 0.2, 0.1])),
    ("PiecewiseConstantDecay", ([8], [0.3, 0.2])),
    ("PolynomialDecay", (0.1, 20)),
    ("PolynomialDecay", (0.1, 13, 0.01, 2.0, True)),
    ("PolynomialDecay", (0.1, 20, 0.2, 0.5)),
    ("InverseTimeDecay", (0.1, 10, 0.5)),
    ("InverseTimeDecay", (0.1, 7, 0.5, True)),
    ("CosineDecay", (0.1, 20)),
    ("CosineDecay", (0.1, 20, 0.3)),
    ("CosineDecay", (0.01, 20, 0.1, "mine", 0.2, 10)),
    ("CosineDecay", (0.01, 20, 0.1, "mine", 0.2, 0)),
    ("CosineDecayRestarts", (0.1, 8)),
    ("CosineDecayRestarts", (0.1, 10, 1.0, 0.5, 0.1)),
    ("CosineDecayRestarts", (0.1, 4, 3.0, 0.9, 0.2)),
    ("CosineDecayRestarts", (0.1, 7.5, 1.5)),
]


@pytest.mark.parametrize(("kind", "arguments"), SCHEDULES)
def test_schedules_equal_those_of_keras(kind, arguments):
    ours = getattr(optim, kind)(*arguments)
    theirs = getattr(keras.optimizers.schedules, kind)(*arguments)
    for step in range(70):
        assert ours(step) == pytest.approx(float(theirs(step)), rel=2e-6, abs=2e-8), step
    assert ours.get_config() | {"boundaries": 0, "values": 0} == theirs.get_config() | {
        "boundaries": 0,
        "values": 0,
    }
