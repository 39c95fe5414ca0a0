from __future__ import annotations

import copy
import json
import math
import pickle
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynet import Sequential, layers, optim
from tinynet.optim import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    CosineDecay,
    ExponentialDecay,
    Nadam,
    OneCycle,
    RMSprop,
    StepDecay,
)

OPTIMIZERS = [
    SGD(0.1),
    SGD(0.1, weight_decay=0.1, global_clipnorm=1.0),
    SGD(0.1, momentum=0.9),
    SGD(0.1, momentum=0.8, nesterov=True, weight_decay=0.1, clipnorm=1.0),
    Adam(0.1),
    Adam(0.1, beta_1=0.8, beta_2=0.9, epsilon=0.01, global_clipnorm=0.5),
    Adam(0.1, beta_2=0.5, amsgrad=True, clipvalue=0.7),
    AdamW(0.1, weight_decay=0.1),
    RMSprop(0.1),
    RMSprop(0.1, rho=0.8, momentum=0.5, weight_decay=0.1),
    RMSprop(0.1, rho=0.8, epsilon=0.01, centered=True, clipnorm=0.5),
    RMSprop(0.1, 0.7, 0.8, 0.1, True),
    Adagrad(0.5),
    Adagrad(0.1, initial_accumulator_value=0.5, epsilon=0.01, clipvalue=0.5),
    Adadelta(10.0),
    Adadelta(1.0, rho=0.5, epsilon=0.01, weight_decay=0.01, global_clipnorm=0.5),
    Adamax(0.1),
    Adamax(0.1, beta_1=0.8, beta_2=0.5, epsilon=0.01, clipnorm=0.5, weight_decay=0.01),
    Nadam(0.1),
    Nadam(0.1, beta_1=0.8, beta_2=0.9, epsilon=0.01, weight_decay=0.01, clipvalue=0.5),
    Adam(optim.ExponentialDecay(0.1, decay_steps=2, decay_rate=0.5)),
]  # fmt: skip


def parameter(value, grad=None, dtype=np.float64):
    value = np.array(value, dtype)
    return SimpleNamespace(value=value, grad=np.zeros_like(value) if grad is None else np.array(grad, dtype))


def parameters(shapes, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    return [parameter(rng.normal(size=shape), rng.normal(size=shape), dtype) for shape in shapes]


def fresh(optimizer):
    """A new optimizer like this one."""
    return type(optimizer).from_config(optimizer.get_config())


def naive(optimizer, value, gradients):
    """The updates as Keras writes them, on a list of numbers that are one variable."""
    kind, o = type(optimizer), optimizer
    value, size = list(value), len(value)
    zeros = [0.0] * size
    v, m, most, product = list(zeros), list(zeros), list(zeros), 1.0
    total = [getattr(o, "initial_accumulator_value", 0.0)] * size
    for t, gradient in enumerate(gradients, start=1):
        rate = 0.1 * 0.5 ** ((t - 1) / 2) if callable(o.learning_rate) else o.learning_rate
        norm, limit = math.sqrt(sum(g * g for g in gradient)), o.clipnorm or o.global_clipnorm
        bound = o.clipvalue or math.inf
        if kind is Nadam:
            now, following = (o.beta_1 * (1 - 0.5 * 0.96**n) for n in (t, t + 1))
            product *= now
        for i, slope in enumerate(gradient):
            g = slope * limit / max(norm, limit) if limit else min(max(slope, -bound), bound)
            value[i] -= value[i] * (o.weight_decay or 0) * rate
            if kind is SGD:
                m[i] = o.momentum * m[i] - rate * g
                value[i] += o.momentum * m[i] - rate * g if o.nesterov else m[i]
            elif kind is Adagrad:
                total[i] += g * g
                value[i] -= rate * g / math.sqrt(total[i] + o.epsilon)
            elif kind is RMSprop:
                v[i] = o.rho * v[i] + (1 - o.rho) * g * g
                total[i] = o.rho * total[i] + (1 - o.rho) * g
                variance = v[i] - total[i] ** 2 if o.centered else v[i]
                m[i] = o.momentum * m[i] + rate * g / math.sqrt(variance + o.epsilon)
                value[i] -= m[i]
            elif kind is Adadelta:
                v[i] = o.rho * v[i] + (1 - o.rho) * g * g
                move = math.sqrt(m[i] + o.epsilon) * g / math.sqrt(v[i] + o.epsilon)
                m[i] = o.rho * m[i] + (1 - o.rho) * move**2
                value[i] -= rate * move
            elif kind is Adamax:
                m[i] = o.beta_1 * m[i] + (1 - o.beta_1) * g
                v[i] = max(o.beta_2 * v[i], abs(g))
                value[i] -= rate * m[i] / ((1 - o.beta_1**t) * (v[i] + o.epsilon))
            else:
                m[i] = o.beta_1 * m[i] + (1 - o.beta_1) * g
                v[i] = o.beta_2 * v[i] + (1 - o.beta_2) * g * g
                most[i] = max(most[i], v[i])
                if kind is Nadam:
                    mean = following * m[i] / (1 - product * following) + (1 - now) * g / (1 - product)
                    value[i] -= rate * mean / (math.sqrt(v[i] / (1 - o.beta_2**t)) + o.epsilon)
                else:
                    corrected = rate * math.sqrt(1 - o.beta_2**t) / (1 - o.beta_1**t)
                    square = most[i] if o.amsgrad else v[i]
                    value[i] -= corrected * m[i] / (math.sqrt(square) + o.epsilon)
    return value


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_steps_equal_those_on_numbers(optimizer):
    rng = np.random.default_rng(1)
    start, gradients = rng.normal(size=7), rng.normal(size=(12, 7))
    optimizer, weights = fresh(optimizer), parameter(start)
    for gradient in gradients:
        weights.grad[:] = gradient
        optimizer.step([weights])
        np.testing.assert_array_equal(weights.grad, gradient)
    np.testing.assert_allclose(weights.value, naive(optimizer, start, gradients), rtol=1e-10)
    assert optimizer.iterations == 12


@pytest.mark.parametrize(
    ("optimizer", "values"),
    [
        # Gradients 1 and 2, from value 1.
        (SGD(0.5), [0.5, -0.5]),
        (SGD(0.5, weight_decay=0.5), [1 - 0.25 - 0.5, 0.25 * 0.75 - 1]),
        (SGD(0.5, momentum=0.5), [0.5, 0.5 - 0.5 * 2.5]),
        (SGD(0.5, momentum=0.5, nesterov=True), [1 - 0.5 * 1.5, 0.25 - 0.5 * (2 + 0.5 * 2.5)]),
        (SGD(0.5, clipnorm=1.5), [0.5, 0.5 - 0.75]),
        (SGD(0.5, clipvalue=1.5), [0.5, 0.5 - 0.75]),
        (SGD(StepDecay(0.5, 1, 0.5)), [0.5, 0.0]),
        (SGD(StepDecay(0.5, 1, 0.5), momentum=0.5), [0.5, 0.5 - (0.25 + 0.5)]),
        # Adam's first step is the learning rate, whatever the gradient; at the second, m is 0.29, v 0.004999.
        (Adam(0.25, epsilon=1e-30), [0.75, 0.75 - 0.25 * (0.29 / 0.19) / math.sqrt(4.999 / 1.999)]),
        (AdamW(0.25, weight_decay=1, epsilon=1e-30),
         [0.5, 0.5 * 0.75 - 0.25 * (0.29 / 0.19) / math.sqrt(4.999 / 1.999)]),
        # Mean squares 0.5 and 2.25.
        (RMSprop(0.25, 0.5, epsilon=1e-30), [1 - 0.25 / 0.5**0.5, 1 - 0.25 / 0.5**0.5 - 0.5 / 1.5]),
        (RMSprop(0.25, 0.5, 0.5, 1e-30), [1 - 0.25 / 0.5**0.5, 1 - 1.5 * 0.25 / 0.5**0.5 - 0.5 / 1.5]),
        (RMSprop(0.25, 0.5, 0, 1e-30, True), [0.5, 0.5 - 0.5 / (2.25 - 1.25**2) ** 0.5]),
        (Adagrad(0.5, 3.0, 1e-30), [0.75, 0.75 - 1 / 8**0.5]),
        (Adadelta(1.0, 0.5, 0.5), [1 - 0.5**0.5, 1 - 0.5**0.5 - 2 * (0.75 / 2.75) ** 0.5]),
        (Adamax(0.25, 0.5, 0.5, 1e-30), [0.75, 0.75 - 0.25 / 0.75 * 1.25 / 2]),
        # Momenta 0.26, 0.2696, 0.278816.
        (Nadam(1.0, 0.5, 0.5, 1e-30),
         [-0.2696 / 2 / (1 - 0.26 * 0.2696),
          -0.2696 / 2 / (1 - 0.26 * 0.2696) - (0.278816 * 1.25 / (1 - 0.26 * 0.2696 * 0.278816)
                                               + 0.7304 * 2 / (1 - 0.26 * 0.2696)) / 3**0.5]),
    ],
    ids=repr,
)  # fmt: skip
def test_first_steps_worked_by_hand(optimizer, values):
    weight = parameter([1.0])
    for gradient, expected in zip((1.0, 2.0), values, strict=True):
        weight.grad[:] = gradient
        optimizer.step([weight])
        assert weight.value[0] == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
@settings(max_examples=10)
@given(
    seed=st.integers(0, 2**32 - 1),
    shapes=st.lists(st.sampled_from([(3, 4), (5,), (2, 3, 4), (1,)]), min_size=1),
)
def test_one_flat_vector_equals_the_list_of_its_pieces(optimizer, dtype, seed, shapes):
    pieces = parameters(shapes, dtype, seed)
    flat = parameter(
        np.concatenate([piece.value.reshape(-1) for piece in pieces]),
        np.concatenate([piece.grad.reshape(-1) for piece in pieces]),
        dtype,
    )
    flat.sizes = [piece.value.size for piece in pieces]
    of_pieces, of_flat = fresh(optimizer), fresh(optimizer)
    for _ in range(3):
        of_pieces.step(pieces)
        of_flat.step([flat])
    joined = np.concatenate([piece.value.reshape(-1) for piece in pieces])
    assert joined.tobytes() == flat.value.tobytes()


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_nothing_is_written_around_the_vectors(optimizer):
    buffers = [np.full(12, 7.0), np.full(12, 7.0)]
    weights = SimpleNamespace(value=buffers[0][1:-1], grad=buffers[1][1:-1])
    fresh(optimizer).step([weights])
    assert [buffers[0][0], buffers[0][-1]] == [7, 7]
    np.testing.assert_array_equal(buffers[1], 7)
    assert (weights.value != 7).all()


def test_global_clipnorm_limits_the_joint_norm_and_leaves_smaller_gradients_alone():
    first, second = parameter([0.0, 0.0], [3.0, 0.0]), parameter([[0.0]], [[4.0]])
    SGD(1.0, global_clipnorm=1.0).step([first, second])
    np.testing.assert_allclose(first.value, [-0.6, 0], rtol=1e-15)
    np.testing.assert_allclose(second.value, [[-0.8]], rtol=1e-15)
    SGD(1.0, global_clipnorm=5.0).step([first, second])
    np.testing.assert_allclose(first.value, [-3.6, 0], rtol=1e-15)


def test_clipnorm_limits_the_norm_of_each_variable():
    first, second = parameter([0.0, 0.0], [3.0, 4.0]), parameter([[0.0]], [[2.0]])
    SGD(1.0, clipnorm=2.5).step([first, second])
    np.testing.assert_allclose(first.value, [-1.5, -2], rtol=1e-15)
    np.testing.assert_array_equal(second.value, [[-2]])


def test_clipnorm_limits_each_variable_of_a_model_on_its_own():
    model = Sequential([layers.Dense(3), layers.Dense(2)], 4, seed=1)
    model.compile(SGD(1.0, clipnorm=0.1), "mse")
    assert len(model.trainer.steps.runs) == 1
    before = model.get_weights()
    model.train_on_batch(np.full((5, 4), 9.0), np.zeros((5, 2)))
    for old, new in zip(before, model.get_weights(), strict=True):
        assert np.linalg.norm(new - old) == pytest.approx(0.1, rel=1e-5)


def test_clipvalue_limits_each_element():
    weight = parameter(np.zeros(4), [3.0, -3.0, 0.5, np.nan])
    SGD(1.0, clipvalue=2.0).step([weight])
    np.testing.assert_array_equal(weight.value, [-2, 2, -0.5, np.nan])


@pytest.mark.parametrize(
    "clip", [{}, {"clipnorm": 1.0}, {"global_clipnorm": 1.0}, {"clipvalue": 1.0}], ids=str
)
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_a_gradient_that_is_not_a_number_shows_in_the_weights(optimizer, clip):
    weights = [parameter([1.0, 1.0], [np.nan, 1.0]), parameter([1.0], [1.0])]
    arguments = optimizer.get_config() | {"clipnorm": None, "global_clipnorm": None, "clipvalue": None} | clip
    type(optimizer).from_config(arguments).step(weights)
    assert np.isnan(weights[0].value[0])
    assert np.isnan(weights[1].value[0]) == ("global_clipnorm" in clip)


@pytest.mark.parametrize("infinite", [np.inf, -np.inf])
def test_an_infinite_gradient_under_global_clipnorm_makes_all_of_them_nan_as_in_keras(infinite):
    weights = [parameter([1.0], [infinite]), parameter([1.0], [1.0])]
    SGD(0.1, global_clipnorm=1.0).step(weights)
    assert np.isnan([weight.value[0] for weight in weights]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "optimizer",
    [one for one in OPTIMIZERS if not (isinstance(one, Adagrad | Adadelta) or callable(one.learning_rate))],
    ids=str,
)
def test_a_small_quadratic_converges(optimizer, dtype):
    """Minimise Σ a (x − b)² / 2, without the decay that would move its minimum."""
    a, b = np.array([0.5, 1.0, 2.0]), np.array([1.0, -2.0, 3.0])
    optimizer = type(optimizer).from_config(optimizer.get_config() | {"weight_decay": 0.0})
    weights = parameter(np.zeros(3), dtype=dtype)
    for step in range(800):
        optimizer.learning_rate = 0.1 * 0.97 ** max(step - 400, 0)
        weights.grad[:] = a * (weights.value - b)
        optimizer.step([weights])
    np.testing.assert_allclose(weights.value, b, atol=1e-3)


def test_state_is_in_the_order_of_the_parameters():
    weights = parameters([(2, 3), (4,)])
    optimizer = Adam()
    optimizer.step(weights)
    assert list(optimizer.state) == ["m", "v"]
    for array, weight in zip(optimizer.state["m"], weights, strict=True):
        np.testing.assert_allclose(array, 0.1 * weight.grad, rtol=1e-12)
    for array, weight in zip(optimizer.state["v"], weights, strict=True):
        np.testing.assert_allclose(array, 0.001 * weight.grad**2, rtol=1e-12)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])
def test_a_copy_goes_on_where_the_original_is(duplicate):
    weights = parameters([(5,)])
    optimizer = Adam(StepDecay(0.1, 1, 0.5))
    optimizer.step(weights)
    other_weights, other = copy.deepcopy(weights), duplicate(optimizer)
    optimizer.step(weights)
    other.step(other_weights)
    np.testing.assert_array_equal(weights[0].value, other_weights[0].value)
    assert other.state["m"][0] is not optimizer.state["m"][0]


def test_state_can_be_restored_after_build():
    weights = parameters([(5,)])
    optimizer = Adam()
    optimizer.step(weights)
    restored, other_weights = Adam(), copy.deepcopy(weights)
    restored.build(other_weights)
    restored.iterations = optimizer.iterations
    for name, arrays in optimizer.state.items():
        restored.state[name][0][:] = arrays[0]
    optimizer.step(weights)
    restored.step(other_weights)
    np.testing.assert_array_equal(weights[0].value, other_weights[0].value)


def test_build_starts_again_for_other_parameters():
    optimizer, others = Adam(StepDecay(0.1, 1, 0.5)), parameters([(3,)])
    optimizer.step(parameters([(5,)]))
    optimizer.build(others)
    assert optimizer.iterations == 0
    np.testing.assert_array_equal(optimizer.state["v"], [np.zeros(3)])
    before = others[0].value.copy()
    optimizer.step(others)
    np.testing.assert_allclose(np.abs(others[0].value - before), 0.1, rtol=1e-4)


@pytest.mark.parametrize("optimizer", [SGD(), SGD(momentum=0.5), Adam()], ids=repr)
@pytest.mark.parametrize("later", [[(2,)], [(2,), (4,)], [(2,), (3,), (1,)], [(3,), (2,)]], ids=str)
def test_other_parameters_are_refused_and_left_alone(optimizer, later):
    optimizer = copy.deepcopy(optimizer)
    optimizer.step(parameters([(2,), (3,)]))
    others = parameters(later)
    before = copy.deepcopy(others)
    with pytest.raises(ValueError, match=r"began with .*float64 \(3,\).* now got .*make a new optimizer"):
        optimizer.step(others)
    for one, other in zip(others, before, strict=True):
        np.testing.assert_array_equal(one.value, other.value)
    assert optimizer.iterations == 1


def test_another_type_is_refused():
    optimizer = Adam()
    optimizer.step(parameters([(2,)]))
    with pytest.raises(ValueError, match=r"float64 \(2,\).*float32 \(2,\)"):
        optimizer.step(parameters([(2,)], np.float32))


def bad(value=None, grad=None):
    zeros = np.zeros((2, 3))
    return SimpleNamespace(value=zeros if value is None else value, grad=zeros if grad is None else grad)


READ_ONLY = np.zeros((2, 3))
READ_ONLY.flags.writeable = False


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"a", "b"}, TypeError, "a list of parameters, not set"),
        (parameter([1.0]), TypeError, "a list of parameters, not SimpleNamespace"),
        ([bad(), np.zeros(3)], TypeError, r"Parameter 1: \.value .* not NoneType"),
        ([SimpleNamespace(value=np.zeros(3), grad=None)], TypeError, r"Parameter 0: \.grad .* not NoneType"),
        (
            [bad(value=np.zeros((2, 3), int))],
            TypeError,
            r"\.value must be a float32 or float64 array, not int64",
        ),
        ([bad(grad=np.zeros((3, 2)))], ValueError, r"\.value is float64 \(2, 3\), \.grad float64 \(3, 2\)"),
        ([bad(grad=np.zeros((2, 3), np.float32))], ValueError, r"\.grad float32 \(2, 3\)"),
        ([bad(value=np.zeros((3, 2)).T)], ValueError, r"\.value must be contiguous"),
        ([bad(grad=np.zeros((2, 6))[:, ::2])], ValueError, r"\.grad must be contiguous"),
        ([bad(value=READ_ONLY)], ValueError, r"\.value is read-only"),
    ],
)
def test_bad_parameters_are_refused(given, error, message):
    with pytest.raises(error, match=message):
        SGD().step(given)


def test_a_read_only_gradient_is_fine():
    weights = bad(grad=READ_ONLY)
    Adam(weight_decay=0.1, clipnorm=1.0).step([weights])
    np.testing.assert_array_equal(weights.value, 0)


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (Adam, {"learning": 0.1}, r"Adam has no argument 'learning'\. Did you mean learning_rate=\?"),
        (SGD, {"momentun": 0.1}, r"SGD has no argument 'momentun'\. Did you mean momentum=\?"),
        (AdamW, {"beta1": 0.1}, "Did you mean beta_1=.*Its arguments are learning_rate, .*epsilon"),
        (RMSprop, {"decay_rate": 0.1}, "RMSprop has no argument 'decay_rate'"),
        (SGD, {"iterations": 3}, "SGD has no argument 'iterations'"),
        (CosineDecay, {"lr": 0.1}, "Did you mean initial_learning_rate="),
    ],
)
def test_unknown_arguments_are_named(kind, arguments, message):
    with pytest.raises(TypeError, match=message):
        kind(**arguments)


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (SGD, {"learning_rate": -0.1}, "SGD: learning_rate must be finite and not negative, not -0.1"),
        (SGD, {"learning_rate": math.nan}, "learning_rate must be"),
        (SGD, {"momentum": 1.0}, "SGD: momentum must be at least 0 and below 1, not 1.0"),
        (SGD, {"momentum": -0.1}, "momentum"),
        (SGD, {"nesterov": True}, "nesterov=True needs momentum above 0"),
        (SGD, {"clipnorm": 0.0}, "SGD: clipnorm must be finite and above 0, not 0.0"),
        (SGD, {"weight_decay": -1.0}, "weight_decay"),
        (Adam, {"beta_1": 1.0}, "Adam: beta_1 must be at least 0 and below 1"),
        (Adam, {"beta_2": -0.1}, "beta_2"),
        (Adam, {"epsilon": 0.0}, "epsilon"),
        (AdamW, {"clipnorm": -1.0}, "AdamW: clipnorm"),
        (optim.Constant, {"learning_rate": -1.0}, "Constant: learning_rate"),
        (
            StepDecay,
            {"initial_learning_rate": 0.1, "decay_steps": 0},
            "StepDecay: decay_steps must be a whole",
        ),
        (ExponentialDecay, {"initial_learning_rate": 0.1, "decay_steps": 5, "decay_rate": 0.0}, "decay_rate"),
        (CosineDecay, {"initial_learning_rate": 0.1, "decay_steps": 0}, "decay_steps"),
        (
            CosineDecay,
            {"initial_learning_rate": 0.1, "decay_steps": 5, "alpha": 2.0},
            r"alpha must be in 0\.\.1",
        ),
        (
            CosineDecay,
            {"initial_learning_rate": 0.1, "decay_steps": 5, "warmup_steps": 5},
            "needs warmup_target=",
        ),
        (CosineDecay, {"initial_learning_rate": 0.1, "decay_steps": 5, "warmup_steps": -1}, "warmup_steps"),
        (optim.PolynomialDecay, {"initial_learning_rate": 0.1, "decay_steps": 0}, "decay_steps"),
        (optim.PolynomialDecay, {"initial_learning_rate": 0.1, "decay_steps": 1, "power": 0}, "power"),
        (
            optim.InverseTimeDecay,
            {"initial_learning_rate": 0.1, "decay_steps": 0, "decay_rate": 1},
            "decay_steps",
        ),
        (
            optim.CosineDecayRestarts,
            {"initial_learning_rate": 0.1, "first_decay_steps": 5, "t_mul": 0.5},
            "t_mul must be at least 1, not 0.5",
        ),
        (
            optim.PiecewiseConstantDecay,
            {"boundaries": [1, 2], "values": [0.1, 0.2]},
            "one more than boundaries.*got 2 boundaries and 2 values",
        ),
        (optim.PiecewiseConstantDecay, {"boundaries": [2, 2], "values": [0.1] * 3}, "must increase"),
        (optim.PiecewiseConstantDecay, {"boundaries": [2], "values": [0.1, -1]}, "each of values must be"),
        (RMSprop, {"rho": 1.0}, "RMSprop: rho must be at least 0 and below 1, not 1.0"),
        (RMSprop, {"epsilon": 0.0}, "epsilon"),
        (RMSprop, {"momentum": 1.0}, "momentum"),
        (Adagrad, {"initial_accumulator_value": -1.0}, "initial_accumulator_value"),
        (Adagrad, {"epsilon": 0.0}, "epsilon"),
        (Adadelta, {"rho": -0.1}, "rho"),
        (Adamax, {"beta_1": 1.0}, "beta_1"),
        (Nadam, {"beta_2": 1.0}, "beta_2"),
        (AdamW, {"weight_decay": None}, "AdamW: weight_decay must be a number; for none, take Adam"),
        (
            Adam,
            {"clipnorm": 1.0, "clipvalue": 1.0},
            "only one of clipnorm, clipvalue, global_clipnorm may be given; got clipnorm and clipvalue",
        ),
        (OneCycle, {"max_learning_rate": 0.1, "total_steps": 100, "warmup_fraction": 1.0}, "must be left"),
        (OneCycle, {"max_learning_rate": 0.1, "total_steps": 3}, "must be left"),
        (OneCycle, {"max_learning_rate": 0.1, "total_steps": 10, "final_divisor": 0.0}, "final_divisor"),
    ],
)
def test_invalid_values_are_refused(kind, arguments, message):
    with pytest.raises(ValueError, match=message):
        kind(**arguments)


def test_learning_rate_can_be_read_and_assigned():
    optimizer, weight = SGD(0.5), parameter([1.0], [1.0])
    assert optimizer.learning_rate == optimizer.current_learning_rate == 0.5
    optimizer.learning_rate *= 0.5
    assert optimizer.current_learning_rate == 0.25
    optimizer.step([weight])
    assert weight.value[0] == 0.75


def test_an_assigned_learning_rate_is_checked_before_anything_changes():
    optimizer, weight = SGD(0.5), parameter([1.0], [1.0])
    with pytest.raises(ValueError, match="learning_rate must be finite and not negative"):
        optimizer.learning_rate = -0.5
    assert optimizer.learning_rate == 0.5
    optimizer.learning_rate = lambda step: -0.5
    with pytest.raises(ValueError, match="learning_rate must be finite and not negative"):
        optimizer.step([weight])
    assert weight.value[0] == 1
    assert optimizer.iterations == 0


def test_a_schedule_counts_steps_from_zero():
    seen = []
    weight = parameter([1.0])
    optimizer = SGD(lambda step: seen.append(step) or 0.5**step)
    for expected in (1.0, 0.5, 0.25):
        assert optimizer.current_learning_rate == expected
        seen.clear()
        optimizer.step([weight])
        assert seen == [round(-math.log2(expected))]


@pytest.mark.parametrize(
    ("schedule", "values"),
    [
        (optim.Constant(0.3), {0: 0.3, 10**6: 0.3}),
        (StepDecay(1.0, 10), {0: 1, 9: 1, 10: 0.1, 19: 0.1, 20: 0.01}),
        (ExponentialDecay(1.0, 10, 0.25), {0: 1, 5: 0.5, 10: 0.25, 20: 0.0625}),
        (CosineDecay(1.0, 4), {0: 1, 1: (1 + math.sqrt(0.5)) / 2, 2: 0.5, 4: 0, 5: 0, 100: 0}),
        (CosineDecay(1.0, 4, alpha=0.2), {0: 1, 2: 0.6, 4: 0.2, 100: 0.2}),
        (CosineDecay(0.1, 4, warmup_target=0.5), {0: 0.5, 2: 0.25, 4: 0}),
        (ExponentialDecay(1.0, 10, 0.25, staircase=True), {0: 1, 9: 1, 10: 0.25, 25: 0.0625}),
        (optim.InverseTimeDecay(1.0, 10, 0.5), {0: 1, 5: 0.8, 10: 1 / 1.5, 20: 0.5}),
        (optim.InverseTimeDecay(1.0, 10, 0.5, True), {0: 1, 9: 1, 10: 1 / 1.5, 29: 0.5}),
        (optim.PiecewiseConstantDecay([2, 5], [3.0, 2, 1]), {0: 3, 2: 3, 3: 2, 5: 2, 6: 1, 99: 1}),
        (optim.PolynomialDecay(1.0, 10, 0.5), {0: 1, 5: 0.75, 10: 0.5, 11: 0.5}),
        (optim.PolynomialDecay(1.0, 10, 0.0, 2.0), {0: 1, 5: 0.25, 10: 0}),
        (optim.PolynomialDecay(1.0, 10, 0.0, cycle=True), {0: 1, 5: 0.5, 10: 0, 11: 0.45, 20: 0, 21: 0.3}),
        (optim.CosineDecayRestarts(1.0, 4), {0: 1, 2: 0.5, 4: 1, 8: 0.5, 12: 1, 20: 0.5, 28: 1}),
        (
            optim.CosineDecayRestarts(1.0, 4, t_mul=1.0, m_mul=0.5, alpha=0.2),
            {0: 1, 2: 0.6, 4: 0.6, 6: 0.4, 8: 0.4},
        ),
        (
            CosineDecay(0.1, 4, alpha=0.5, warmup_target=0.5, warmup_steps=4),
            {0: 0.1, 1: 0.2, 2: 0.3, 3: 0.4, 4: 0.5, 6: 0.375, 8: 0.25, 9: 0.25},
        ),
        (
            OneCycle(1.0, 11, warmup_fraction=5 / 11, initial_divisor=4, final_divisor=5),
            {0: 0.25, 2: 0.625, 4: 1, 7: 0.525, 10: 0.05, 11: 0.05, 99: 0.05},
        ),
    ],
    ids=repr,
)
def test_schedules_worked_by_hand(schedule, values):
    for step, expected in values.items():
        rate = schedule(step)
        assert rate == pytest.approx(expected, rel=1e-12, abs=1e-15)
        assert type(rate) is float


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_the_bits_do_not_depend_on_the_number_of_threads(set_threads, optimizer):
    x, y = np.random.default_rng(0).normal(size=(2, 8, 400)).astype(np.float32)
    results = []
    for threads in (1, 2, 3, 5):
        set_threads(threads)
        model = Sequential([layers.Dense(400)], 400, seed=1)  # 160,400 weights, of which a block has 65,536
        model.compile(fresh(optimizer), "mse")
        for _ in range(3):  # called and recorded, then replayed
            model.train_on_batch(x, y)
        results.append(model.flat.value.tobytes())
    assert results == results[:1] * 4


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_config_survives_json(optimizer):
    again = optim.get(json.loads(json.dumps(optim.serialize(optimizer))))
    assert type(again) is type(optimizer)
    assert again.get_config() == optimizer.get_config()
    assert repr(again) == repr(optimizer)
    assert repr(eval(repr(optimizer), vars(optim))) == repr(optimizer)


@pytest.mark.parametrize(
    "schedule",
    [
        optim.Constant(0.1),
        StepDecay(0.1, 5),
        ExponentialDecay(0.1, 5, 0.5),
        CosineDecay(0.0, 5, 0.1, "mine", 0.5, 3),
        optim.PiecewiseConstantDecay([1, 2], [0.1, 0.2, 0.3]),
        optim.PolynomialDecay(0.1, 5),
        optim.InverseTimeDecay(0.1, 5, 0.5, True),
        optim.CosineDecayRestarts(0.1, 5),
        OneCycle(0.1, 10),
    ],
    ids=repr,
)
def test_schedules_survive_json(schedule):
    config = json.loads(json.dumps(optim.serialize(SGD(schedule))))
    assert optim.get(config).learning_rate == schedule


def test_config_of_numpy_numbers_survives_json():
    config = json.loads(json.dumps(Adam(np.float32(0.5), beta_1=np.float64(0.5)).get_config()))
    assert config["learning_rate"] == 0.5


def test_numbers_of_any_type_become_floats():
    optimizer = AdamW(np.float32(0.5), np.int64(1), 0, np.float64(0.5), clipnorm=1)
    numbers = ("learning_rate", "weight_decay", "beta_1", "beta_2", "epsilon", "clipnorm")
    assert {type(optimizer.get_config()[name]) for name in numbers} == {float}
    assert SGD(1, 0.5, True).nesterov is True


def test_a_function_is_no_config():
    with pytest.raises(TypeError, match="Only tinynet's own schedules can be saved"):
        SGD(lambda step: 0.1).get_config()


def test_get():
    kinds = (SGD, Adam, AdamW, RMSprop, Adagrad, Adadelta, Adamax, Nadam)
    for kind in kinds:
        for name in (kind.__name__, kind.__name__.lower(), kind.__name__.upper()):
            assert type(optim.get(name)) is kind
            assert optim.get({"class_name": name, "config": {"learning_rate": 0.5}}).learning_rate == 0.5
    optimizer = SGD()
    assert optim.get(optimizer) is optimizer
    with pytest.raises(
        ValueError,
        match=r"Unknown optimizer 'adm'\. Did you mean 'adam'\? .* adadelta, adagrad, adam, .*rmsprop, sgd",
    ):
        optim.get("adm")
    with pytest.raises(ValueError, match=r"Unknown schedule 'CosineDecy'\. Did you mean 'CosineDecay'"):
        optim.get({"class_name": "sgd", "config": {"learning_rate": {"class_name": "CosineDecy"}}})
    with pytest.raises(TypeError, match="name or an object such as"):
        optim.get(Adam)


def test_the_names_are_those_of_tinynets_own_classes():
    kinds = (SGD, Adam, AdamW, RMSprop, Adagrad, Adadelta, Adamax, Nadam)
    assert {kind.__name__.lower(): kind for kind in kinds} == optim.OPTIMIZERS
    mine = type("Mine", (SGD,), {"__module__": __name__})
    assert "mine" not in optim.OPTIMIZERS
    assert mine().updates_blocks is False
    new = type("New", (SGD,), {"__module__": "tinynet.optimizers.new"})
    try:
        assert type(optim.get("new")) is new
        assert new().updates_blocks is True
    finally:
        del optim.OPTIMIZERS["new"]


def test_defaults_are_those_of_keras():
    assert repr(SGD()) == "SGD(learning_rate=0.01)"
    assert repr(AdamW(0.5, beta_1=0.8)) == "AdamW(learning_rate=0.5, beta_1=0.8)"
    assert AdamW().weight_decay == 0.004
    assert Adam().weight_decay is None
    assert SGD(0.1, 0.9, True).momentum == 0.9


def test_all_arguments_have_a_place():
    optimizer = SGD(0.1, 0.9, True, 0.01, None, 2.0, None, False, 0.99, None, None, None, "mine")
    assert repr(optimizer) == (
        "SGD(learning_rate=0.1, weight_decay=0.01, clipvalue=2.0, name='mine', momentum=0.9, nesterov=True)"
    )
    with pytest.raises(
        TypeError, match=r"SGD takes at most 13 arguments, learning_rate, momentum, .* got 14"
    ):
        SGD(*[None] * 14)
    with pytest.raises(TypeError, match="multiple values for keyword argument 'momentum'"):
        SGD(0.1, 0.9, momentum=0.5)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "use_ema",
            True,
            "Adam: use_ema must be False, because it is not there yet; got True: .*ema_momentum",
        ),
        ("ema_overwrite_frequency", 10, "ema_overwrite_frequency must be None"),
        ("loss_scale_factor", 2.0, "loss_scale_factor must be None"),
        ("gradient_accumulation_steps", 2, "gradient_accumulation_steps must be None.*a batch"),
    ],
)
def test_what_keras_has_and_tinynet_has_not_is_refused(name, value, message):
    with pytest.raises(NotImplementedError, match=message):
        Adam(**{name: value})
    optimizer = Adam()
    before = getattr(optimizer, name)
    with pytest.raises(NotImplementedError, match=message):
        setattr(optimizer, name, value)
    assert getattr(optimizer, name) == before


def test_names():
    assert (Adam().name, Adam(name="mine").name) == ("adam", "mine")
    with pytest.raises(TypeError, match="name must be"):
        Adam(name=3)


def test_functions_of_nothing_are_called_without_the_step_as_in_keras():
    assert SGD(lambda: 0.25).current_learning_rate == 0.25
    assert SGD(lambda step=3: 0.25 * step).current_learning_rate == 0


def test_a_schedule_of_ones_own_has_arguments_and_attributes_of_its_own():
    class Halves(optim.LearningRateSchedule):
        def __init__(self, first):
            self.first = first

        def __call__(self, step):
            return self.first * 0.5**step

    optimizer = SGD(Halves(first=1.0))
    optimizer.step([parameter([1.0])])
    assert optimizer.current_learning_rate == 0.5
    with pytest.raises(TypeError, match="Only tinynet's own schedules"):
        optimizer.get_config()


def test_files_of_version_0_1_keep_their_meaning():
    old = {
        "name": "adamw",
        "learning_rate": {"name": "CosineDecay", "initial_learning_rate": 0.1, "decay_steps": 9, "alpha": 0.0,
                          "warmup_target": None, "warmup_steps": 0},
        "weight_decay": 0.02, "clipnorm": 2.0, "beta_1": 0.8, "beta_2": 0.999, "epsilon": 1e-7,
    }  # fmt: skip
    assert repr(optim.get(old)) == repr(
        AdamW(CosineDecay(0.1, 9), weight_decay=0.02, global_clipnorm=2.0, beta_1=0.8)
    )


def test_importing_does_not_load_numba():
    code = "import sys, tinynet.optim; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
