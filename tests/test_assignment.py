"""What may be assigned on layers, models and optimizers takes effect; all else is refused."""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from blocks import LOSS, Held, Residual, Times, check_steps, problem
from layer_cases import CASES, case_name

from tinynet import Sequential, layers, optim
from tinynet.layers import Chain, Dense, Dropout


def model_of(parts, optimizer=None, **arguments):
    model = Sequential(parts, 4, **{"dtype": "float64", "seed": 0} | arguments)
    model.compile(optimizer or optim.SGD(0.1), LOSS)
    return model


def small(optimizer=None):
    return model_of([Dense(5, layers.LeakyReLU(0.1)), Dense(4, "relu"), Dropout(0.5), Dense(3)], optimizer)


def state_of(layer):
    return {name: value for name, value in vars(layer).items() if not isinstance(value, np.ndarray)}


# Hyperparameters and parameters of layers in a model


@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_no_hyperparameter_of_a_layer_in_a_model_can_be_assigned(case):
    for around in (lambda layer: layer, lambda layer: Chain([layer]), lambda layer: Held([layer])):
        layer = case.make()
        Sequential([around(layer)], case.shape)
        check_that_no_hyperparameter_can_be_assigned(layer)


def check_that_no_hyperparameter_can_be_assigned(layer):
    names = [field.name for field in dataclasses.fields(layer)]
    assert names or type(layer) in (layers.Flatten, layers.ReLU, layers.Sigmoid, layers.Tanh, layers.Softmax,
                                    layers.GlobalAveragePool2D)  # fmt: skip
    before = state_of(layer)
    for name in [*names, "input_shape", "output_shape", "dtype", "seed", "name", "in_model"]:
        for value in (getattr(layer, name), 3, None):
            with pytest.raises(AttributeError, match=rf"{name}.*make a new layer"):
                setattr(layer, name, value)
        with pytest.raises(AttributeError, match=rf"{name}.*make a new layer"):
            delattr(layer, name)
    assert state_of(layer) == before


@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_no_parameter_of_a_layer_in_a_model_can_be_replaced(case):
    layer = case.make()
    Sequential([layer], case.shape)
    for name, parameter in [(n, p) for n, p in vars(layer).items() if isinstance(p, layers.Parameter)]:
        for value in (
            parameter.value,
            np.zeros(3),
            None,
            parameter,
            layers.Parameter("x", np.ones(1), np.ones(1)),
        ):
            with pytest.raises(AttributeError, match=rf"layer\.{name}\.value\[\.\.\.\] = array"):
                setattr(layer, name, value)
        with pytest.raises(AttributeError, match=rf"layer\.{name}\.value\[\.\.\.\] = array"):
            delattr(layer, name)
        assert getattr(layer, name) is parameter


@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_unknown_names_on_built_in_layers_are_refused(case):
    layer = case.make()
    Sequential([layer], case.shape)
    for name in ("trainabel", "kernels", "rates", "weight", "activaton"):
        with pytest.raises(AttributeError, match=rf"{type(layer).__name__}.*{name}"):
            setattr(layer, name, False)
        assert name not in vars(layer)


def test_an_array_cannot_take_the_place_of_a_parameter_in_a_layer_alone_either():
    layer = Dense(2)
    layer.build(3)
    with pytest.raises(AttributeError, match=r"layer\.kernel\.value\[\.\.\.\] = array"):
        layer.kernel = np.zeros((3, 2))
    with pytest.raises(AttributeError, match=r"layer\.kernel\.value"):
        del layer.kernel
    layer.build(4)  # makes new ones
    assert layer.kernel.value.shape == (4, 2)


def test_a_layer_alone_may_be_changed_until_it_is_part_of_a_model():
    layer = Dropout(0.5)
    layer.rate = 0.25
    layer.build(3)
    layer.rate = 0.75
    model = Sequential([layer, Dense(2)], 3)
    with pytest.raises(AttributeError, match=r"Dropout 'dropout' is part of a model.*rate"):
        model.layers[0].rate = 0.5
    assert layer.rate == 0.75


@pytest.mark.parametrize(
    "make",
    [lambda a: Dense(3, a), lambda a: layers.Conv2D(3, 1, activation=a)],
    ids=["Dense", "Conv2D"],
)
@pytest.mark.parametrize("activation", [lambda: layers.LeakyReLU(0.1), layers.ReLU, layers.Tanh])
@pytest.mark.parametrize("around", [lambda layer: layer, lambda layer: Held([Chain([layer])])])
def test_an_activation_object_in_a_model_cannot_be_changed_nor_its_copy(make, activation, around):
    given = activation()
    layer = make(given)
    Sequential([around(layer)], (3, 3, 2) if isinstance(layer, layers.Conv2D) else 4)
    for thing in (given, layer.activation, layer.activation_layer):
        with pytest.raises(AttributeError, match=r"make a new layer|has no"):
            thing.negative_slope = 0.5
        with pytest.raises(AttributeError, match="has no slope"):
            thing.slope = 0.5
    for name in ("activation", "activation_layer"):
        with pytest.raises(AttributeError, match="make a new layer"):
            setattr(layer, name, layers.Tanh())
    assert layer.activation is given


@pytest.mark.parametrize("as_layer", [False, True])
def test_an_activation_object_may_serve_further_models(as_layer):
    given = layers.LeakyReLU(0.1)
    x = problem()[0]
    for units, dtype in [(3, "float64"), (4, "float64"), (4, "float32")]:
        model = Sequential([Dense(units, given), Dense(2, given)], 4, dtype=dtype)
        np.testing.assert_array_equal(model.predict(x), model.forward(x))
    if as_layer:  # and then be given again
        Sequential([Dense(3), given], 4)
        model = Sequential([Dense(5, given)], 4)
        np.testing.assert_array_equal(model.predict(x), model.forward(x))


@dataclass(eq=False, repr=False)
class Knobs(Held):
    """A block with hyperparameters, sublayers and parameters."""

    children: Any
    size: int = 3

    def __post_init__(self):
        self.inner, self.table = Dense(4), {"a": [Dense(4)]}

    def order(self):
        return [*self.children, self.inner, self.table["a"][0]]


def test_fields_and_sublayers_of_a_block_in_a_model_cannot_be_replaced():
    block = Knobs([Dense(4)])
    model = model_of([Chain([block]), Dense(3)])
    before = state_of(block)
    for name in ("children", "size", "inner", "table", "name", "seed"):
        for value in (Dense(4), 5, None):
            with pytest.raises(AttributeError, match=rf"Knobs 'knobs'.*{name}.*make a new layer"):
                setattr(block, name, value)
        with pytest.raises(AttributeError, match="make a new layer"):
            delattr(block, name)
    assert state_of(block) == before
    block.note = "mine"
    check_steps(model, *problem())
    del block.note
    check_steps(model, *problem())


def test_a_layer_added_to_a_layer_in_a_model_is_refused():
    model = model_of([Residual(4), Dense(3)])
    x, y = problem()
    model.train_on_batch(x, y)
    with pytest.raises(AttributeError, match="make a new layer"):
        model.layers[0].extra = Dense(3)
    model.train_on_batch(x[:4], y[:4])
    assert len(model.parameters) == 6


@pytest.mark.parametrize("name", ["layers", "input_shape", "output_shape", "dtype", "seed", "in_model"])
def test_what_a_model_has_used_cannot_be_assigned(name):
    model = small()
    before = getattr(model, name)
    for change in (
        lambda: setattr(model, name, before),
        lambda: setattr(model, name, 3),
        lambda: delattr(model, name),
    ):
        with pytest.raises(AttributeError, match=rf"{name}.*make a new model"):
            change()
    assert getattr(model, name) is before


@pytest.mark.parametrize("name", ["trainabel", "optimiser", "temprature"])
def test_unknown_names_on_a_model_are_refused(name):
    with pytest.raises(AttributeError, match=name):
        setattr(small(), name, False)


@pytest.mark.parametrize("name", ["optimizer", "loss", "flat", "trainer", "parameters"])
def test_what_compile_made_cannot_be_assigned(name):
    with pytest.raises(AttributeError, match=name):
        setattr(small(), name, None)


def test_layers_of_a_model_cannot_be_exchanged_in_place():
    model = small()
    with pytest.raises(TypeError):
        model.layers[0] = Dense(5)
    assert not hasattr(model.layers, "append")


# Weights


CHANGES = {
    "value[...]": lambda model, layer: layer.kernel.value.__setitem__(..., 2.0),
    "value[0]": lambda model, layer: layer.kernel.value.__setitem__(0, 2.0),
    "value": lambda model, layer: setattr(layer.kernel, "value", np.full(layer.kernel.value.shape, 2.0)),
    "value +=": lambda model, layer: setattr(layer.kernel, "value", layer.kernel.value.__iadd__(1.0)),
    "value *=": lambda model, layer: np.multiply(layer.kernel.value, 3, out=layer.kernel.value),
    "layer": lambda model, layer: layer.set_weights([array + 1 for array in layer.get_weights()]),
    "model": lambda model, layer: model.set_weights([array + 1 for array in model.get_weights()]),
    "flat": lambda model, layer: model.flat.value.__imul__(2),
    "named": lambda model, layer: [
        np.add(p.value, 1, out=p.value) for name, p in model.named_parameters().items() if "kernel" in name
    ],
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize(
    "place", [lambda m: m.layers[0], lambda m: m.layers[1].layers[0], lambda m: m.layers[2].first]
)
def test_weights_change_in_place_at_any_time(change, place):
    model = model_of([Dense(5, "relu"), Chain([Dense(4), Dropout(0.5)]), Residual(4, 0.5), Dense(3)])
    x, y = problem()
    for _ in range(2):
        for size in (9, 1):
            model.predict(x[:size])
            model.train_on_batch(x[:size], y[:size])
        before = model.predict(x)
        change(model, place(model))
        after = model.predict(x)
        assert not np.array_equal(before, after)
        np.testing.assert_array_equal(after, model.forward(x))
        assert model.evaluate(x, y) == pytest.approx(LOSS(y, after), rel=1e-12)
        check_steps(model, x, y)


def test_wrong_weights_raise_and_change_nothing():
    model = small()
    before = model.get_weights()
    wrong = [a + 1 for a in before]
    for thing, weights in [
        (model, wrong[:-1]), (model, [*wrong, wrong[0]]), (model, [*wrong[:-1], np.ones(4)]),
        (model.layers[0], wrong[:1]), (model.layers[1], wrong[:2]), (model, []),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match="set_weights expects arrays of shapes"):
            thing.set_weights(weights)
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match=r"could not convert|shapes"):
        model.set_weights([*wrong[:-1], np.array(["a", "b", "c"])])
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_parameters_refuse_arrays_of_other_shapes():
    model = small()
    for value in (np.ones(3), np.ones((4, 6)), 1.0):
        with pytest.raises(ValueError, match=r"parameter 'kernel' has shape \(4, 5\)"):
            model.layers[0].kernel.value = value


# Optimizers


def by_hand(kind, settings, values, gradients, state, step):
    rate, decay, clip = (settings[name] for name in ("learning_rate", "weight_decay", "clipnorm"))
    for i, gradient in enumerate(gradients):
        g = gradient if clip is None else gradient * min(1.0, clip / np.linalg.norm(gradient))
        if settings["clipvalue"] is not None:
            g = np.clip(g, -settings["clipvalue"], settings["clipvalue"])
        values[i] = values[i] * (1 - rate * (decay or 0))
        if kind is optim.SGD:
            momentum, move = settings["momentum"], -rate * g
            if momentum:
                state["v"][i] = momentum * state["v"][i] - rate * g
                move = momentum * state["v"][i] - rate * g if settings["nesterov"] else state["v"][i]
            values[i] = values[i] + move
        else:
            one, two = settings["beta_1"], settings["beta_2"]
            state["v"][i] = one * state["v"][i] + (1 - one) * g
            state["s"][i] = two * state["s"][i] + (1 - two) * g**2
            corrected = rate * np.sqrt(1 - two**step) / (1 - one**step)
            values[i] = values[i] - corrected * state["v"][i] / (np.sqrt(state["s"][i]) + settings["epsilon"])


ASSIGNED = [
    (optim.SGD, {}, [{"learning_rate": 0.5}]),
    (optim.SGD, {}, [{"learning_rate": 1}]),
    (optim.SGD, {}, [{"learning_rate": optim.StepDecay(0.5, 3, 0.1)}]),
    (optim.SGD, {}, [{"momentum": 0.9}]),
    (optim.SGD, {"momentum": 0.5}, [{"momentum": 0.9}, {"momentum": 0.0}]),
    (optim.SGD, {"momentum": 0.5}, [{"nesterov": True}, {"nesterov": False}]),
    (optim.SGD, {}, [{"momentum": 0.9, "nesterov": True}]),
    (optim.SGD, {}, [{"weight_decay": 0.5}, {"weight_decay": 0}]),
    (optim.SGD, {}, [{"clipnorm": 0.01}, {"clipnorm": None}, {"clipnorm": 1}]),
    (optim.SGD, {}, [{"clipvalue": 0.01}, {"clipvalue": 0.02}, {"clipvalue": None}]),
    (optim.Adam, {}, [{"beta_1": 0.5}, {"beta_2": 0.5}]),
    (optim.Adam, {}, [{"epsilon": 0.1}, {"epsilon": 1e-9}]),
    (optim.Adam, {}, [{"learning_rate": 0.5}, {"clipnorm": 0.01}, {"weight_decay": 0.1}]),
    (optim.AdamW, {}, [{"weight_decay": 0.5}, {"weight_decay": 0.0}]),
]


@pytest.mark.parametrize(
    "parts", [lambda: [Dense(5, "relu"), Dense(3)], lambda: [Dense(4), Times(), Dense(3)]]
)
@pytest.mark.parametrize(("kind", "arguments", "changes"), ASSIGNED)
def test_what_is_assigned_on_an_optimizer_takes_effect_in_the_next_step(kind, arguments, changes, parts):
    model = model_of(parts(), kind(**arguments))
    values = [p.value.copy() for p in model.parameters]
    state = {name: [np.zeros(value.shape) for value in values] for name in "vs"}
    for number, change in enumerate([{}, *changes]):
        for name, value in change.items():
            setattr(model.optimizer, name, value)
            assert getattr(model.optimizer, name) == value
        for seed in range(2):
            x, y = problem(9, seed)
            settings = {f.name: getattr(model.optimizer, f.name) for f in dataclasses.fields(kind) if f.init}
            step = 2 * number + seed
            if callable(settings["learning_rate"]):
                settings["learning_rate"] = settings["learning_rate"](step)
            model.backward(LOSS.gradient(y, model.forward(x, training=True)))
            gradients = [p.grad.copy() for p in model.parameters]
            by_hand(kind, settings, values, gradients, state, step + 1)
            model.train_on_batch(x, y)
            for parameter, value in zip(model.parameters, values, strict=True):
                np.testing.assert_allclose(parameter.value, value, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        *(
            (optim.SGD, "learning_rate", value)
            for value in (-1, float("nan"), float("inf"), "0.1", None, [0.1], 1j)
        ),
        *((optim.SGD, "momentum", value) for value in (1, 1.0, -0.1, "0.9", None, float("nan"))),
        *((optim.SGD, "nesterov", value) for value in ("yes", None, 2.5)),
        *((optim.SGD, "weight_decay", value) for value in (-0.1, "0", float("inf"))),
        *((optim.Adam, "clipnorm", value) for value in (0, -1, "1", float("nan"), float("inf"))),
        *((optim.Adam, "beta_1", value) for value in (1.0, -0.1, None)),
        *((optim.Adam, "beta_2", value) for value in (1.0, 2)),
        *((optim.AdamW, "epsilon", value) for value in (0, -1e-7, None, float("nan"))),
    ],
)
def test_wrong_values_on_an_optimizer_raise_at_once_and_change_nothing(kind, name, value):
    arguments = {"momentum": 0.5} if kind is optim.SGD else {}
    model, same = small(kind(0.1, **arguments)), small(kind(0.1, **arguments))
    x, y = problem()
    for each in (model, same):
        each.train_on_batch(x, y)
    before = getattr(model.optimizer, name)
    with pytest.raises((ValueError, TypeError)):
        setattr(model.optimizer, name, value)
    assert getattr(model.optimizer, name) == before
    assert model.train_on_batch(x, y) == same.train_on_batch(x, y)
    for one, other in zip(model.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_settings_that_do_not_go_together_raise_and_change_nothing():
    optimizer = optim.SGD(0.1)
    with pytest.raises(ValueError, match="nesterov=True needs momentum"):
        optimizer.nesterov = True
    assert optimizer.nesterov is False
    optimizer.momentum, optimizer.nesterov = 0.9, True
    with pytest.raises(ValueError, match="nesterov=True needs momentum"):
        optimizer.momentum = 0
    assert optimizer.momentum == 0.9


@pytest.mark.parametrize(
    ("kind", "name", "meant"),
    [
        (optim.SGD, "momentun", "momentum"), (optim.SGD, "nestorov", "nesterov"),
        (optim.Adam, "beta1", "beta_1"), (optim.Adam, "eps", "epsilon"),
        (optim.AdamW, "weight_deacy", "weight_decay"), (optim.AdamW, "clip_norm", "clipnorm"),
        (optim.AdamW, "learningrate", "learning_rate"),
    ],
)  # fmt: skip
def test_unknown_names_on_an_optimizer_raise_with_the_right_one(kind, name, meant):
    model = small(kind())
    with pytest.raises(AttributeError, match=rf"{kind.__name__} has no argument '{name}'.*{meant}=\?"):
        setattr(model.optimizer, name, 0.5)
    assert not hasattr(model.optimizer, name)


def test_a_copy_of_a_model_keeps_what_was_assigned():
    model = small(optim.SGD(0.1))
    x, y = problem()
    model.train_on_batch(x, y)
    model.optimizer.momentum = 0.9
    model.train_on_batch(x, y)
    again = copy.deepcopy(model)
    assert again.optimizer.momentum == 0.9
    for _ in range(2):
        assert again.train_on_batch(x, y) == model.train_on_batch(x, y)
    again.optimizer.learning_rate = 0.7
    assert model.optimizer.learning_rate == 0.1
