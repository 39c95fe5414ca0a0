"""When models are built, from what, with which weights; and that what fails leaves all as it was."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from blocks import Held, Residual

import tinynet
from tinynet import Input, Model, Sequential, layers, load_model, optim, set_random_seed
from tinynet.layers import (
    Add,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool2D,
    InputLayer,
    MaxPool2D,
    ReLU,
)


def row(**first):
    return [Conv2D(2, 3, activation="relu", **first), Flatten(), Dense(3, "tanh"), Dense(2)]


def images(count=5, shape=(6, 5, 1), seed=0):
    return np.random.default_rng(seed).normal(size=(count, *shape)).astype(np.float32)


def added(parts, model=None):
    model = Sequential(seed=3) if model is None else model
    for part in parts:
        model.add(part)
    return model


def built(how, *shape):
    model = Sequential(row(), seed=3)
    how(model)(*shape)
    return model


def evaluated():
    model = Sequential(row(), seed=3)
    model.compile("adam", "mse")
    model.evaluate(images(), np.zeros((5, 2)))
    return model


SHAPE = (6, 5, 1)
WAYS = {
    "input_shape": lambda: Sequential(row(), SHAPE, seed=3),
    "Input": lambda: Sequential([Input(SHAPE), *row()], seed=3),
    "InputLayer": lambda: Sequential([InputLayer(SHAPE), *row()], seed=3),
    "Input of a batch": lambda: Sequential([Input(batch_shape=(None, *SHAPE)), *row()], seed=3),
    "input_shape of the first layer": lambda: Sequential(row(input_shape=SHAPE), seed=3),
    "batch_input_shape": lambda: Sequential(row(batch_input_shape=(None, *SHAPE)), seed=3),
    "build": lambda: built(lambda model: model.build, (None, *SHAPE)),
    "build with a size": lambda: built(lambda model: model.build, (7, *SHAPE)),
    "a list": lambda: built(lambda model: model.build, [None, *SHAPE]),
    "predict": lambda: built(lambda model: model.predict, images()),
    "a call": lambda: built(lambda model: model, images()),
    "a symbol": lambda: built(lambda model: model, Input(SHAPE)),
    "evaluate": evaluated,
    "add": lambda: added(row(input_shape=SHAPE)),
    "add Input": lambda: added([Input(SHAPE), *row()]),
    "add InputLayer": lambda: added([InputLayer(SHAPE), *row()]),
    "add after input_shape": lambda: added(row(), Sequential(input_shape=SHAPE, seed=3)),
    "add the last": lambda: added(row()[3:], Sequential(row()[:3], SHAPE, seed=3)),
    "add and build": lambda: added([*row()[:2]]),
}


@pytest.mark.parametrize("way", WAYS)
def test_all_ways_to_build_a_model_give_the_same(way):
    model = WAYS[way]()
    if way == "add and build":
        assert model.output_shape is None
        added(row()[2:], model)
        assert model.output_shape is None
        model.build((None, *SHAPE))
    expected = Sequential(row(), SHAPE, seed=3)
    assert (model.input_shape, model.output_shape) == (SHAPE, (2,))
    assert [layer.name for layer in model.layers] == ["conv2d", "flatten", "dense", "dense_1"]
    assert len(model) == 4
    assert [*model.named_parameters()] == [*expected.named_parameters()]
    for value, one in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(value, one)
    np.testing.assert_array_equal(model.predict(images()), expected.predict(images()))
    assert model.input.shape == (None, *SHAPE)
    assert model.output.shape == (None, 2)
    assert [layer.output.shape[1:] for layer in model.layers] == [(4, 3, 2), (24,), (3,), (2,)]
    assert model.layers[1].input is model.layers[0].output
    model.compile("sgd", "mse")
    expected.compile("sgd", "mse")
    for one in (model, expected):
        one.steps_trained = 0
        one.fit(images(), np.ones((5, 2)), batch_size=2, epochs=2, verbose=0)
    for value, one in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(value, one, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("first", [{"input_dim": 4}, {"input_shape": 4}, {"batch_input_shape": (None, 4)}])
def test_a_layer_says_how_many_features_there_are(first):
    model = Sequential([Dense(3, **first)])
    assert (model.input_shape, model.output_shape) == ((4,), (3,))


def test_only_the_first_layer_says_what_the_model_takes():
    model = Sequential([Dense(3, input_dim=4), Dense(2, input_dim=17)])
    assert model.layers[1].kernel.value.shape == (3, 2)
    with pytest.raises(ValueError, match=r"\(4,\), and Dense, its first layer, \(5,\): give one"):
        Sequential([Dense(3, input_dim=5)], 4)


def test_input_layers_are_layers_of_a_graph_but_not_of_a_row():
    row_model = Sequential([Input((4,)), Dense(2)])
    assert [type(layer) for layer in row_model.layers] == [Dense]
    x = Input((4,), name="x")
    model = Model(x, Dense(2)(x))
    assert [type(layer) for layer in model.layers] == [InputLayer, Dense]
    assert model.input is x
    assert len(model) == 2
    assert model.layers[0].name == "x"


def test_a_model_inside_of_a_row_says_its_shape():
    inner = Sequential([Dense(3)], 4)
    assert Sequential([inner, Dense(2)]).input_shape == (4,)
    x = Input((5,))
    assert Sequential([Model(x, Dense(3)(x)), Dense(2)]).input_shape == (5,)


# Without a seed


NO_SEED = """
import tinynet
from tinynet import layers
def weights():
    x = tinynet.Input((3,))
    graph = tinynet.Model(x, layers.Dense(2)(x))
    return [tinynet.Sequential([layers.Dense(2)], 3).get_weights()[0].tobytes().hex(),
            graph.get_weights()[0].tobytes().hex(),
            tinynet.Sequential([layers.Dense(2, input_dim=3)]).get_weights()[0].tobytes().hex()]
found = weights() + weights()
assert len(set(found)) == 6
tinynet.set_random_seed(5)
five = weights()
tinynet.set_random_seed(5)
assert weights() == five and not set(five) & set(found)
print(found + five)
"""


def test_models_without_a_seed_differ_and_are_the_same_in_every_process(run_python):
    assert run_python(NO_SEED) == run_python(NO_SEED)


def test_set_random_seed_restarts_the_sequence():
    def models():
        x = Input((3,))
        return [Sequential([Dense(2), Dropout(0.5)], 3), Model(x, Dropout(0.5)(Dense(2)(x)))]

    set_random_seed(3)
    first = models()
    set_random_seed(3)
    for one, other in zip(first, models(), strict=True):
        assert one.seed == other.seed
        for value, same in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(value, same)
        np.testing.assert_array_equal(one.layers[-1].key, other.layers[-1].key)
    assert first[0].seed == 3
    assert not np.array_equal(first[0].get_weights()[0], first[1].get_weights()[0])


def test_the_seed_that_a_model_is_given_does_not_use_up_others():
    set_random_seed(3)
    Sequential([Dense(2)], 3, seed=9)
    assert Sequential([Dense(2)], 3).seed == 3


def test_a_seed_draws_the_weights_of_a_graph_anew():
    def graph(seed):
        x = Input((3,))
        return Model(x, Dense(2)(Dense(4)(x)), seed=seed)

    one, same, other = (graph(seed).flat.value for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_without_a_seed_a_graph_has_the_weights_that_its_layers_have():
    x = Input((3,))
    first, second = Dense(4), Dense(2)
    y = second(first(x))
    first.set_weights([np.ones((3, 4)), np.zeros(4)])
    alone = second.get_weights()
    model = Model(x, y)
    np.testing.assert_array_equal(model.get_weights()[0], np.ones((3, 4)))
    np.testing.assert_array_equal(model.get_weights()[2], alone[0])


# Sizes that are not known


def open_row():
    return [Conv2D(3, 3, activation="relu"), MaxPool2D(2), Conv2D(2, 2), GlobalAveragePool2D(), Dense(2)]


def open_graph():
    x = Input((None, None, 1))
    y = x
    for layer in open_row():
        y = layer(y)
    return Model(x, y, seed=2)


OPEN = {
    "graph": open_graph,
    "input_shape": lambda: Sequential(open_row(), (None, None, 1), seed=2),
    "Input": lambda: Sequential([Input((None, None, 1)), *open_row()], seed=2),
    "build": lambda: built_open(),
}


def built_open():
    model = Sequential(open_row(), seed=2)
    model.build((None, None, None, 1))
    return model


@pytest.mark.parametrize("way", OPEN)
def test_any_size_is_taken(way, tmp_path):
    model = OPEN[way]()
    assert model.input_shape == (None, None, 1)
    assert model.output_shape == (2,)
    model.save(tmp_path / "m")
    models = [model, load_model(tmp_path / "m"), copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    for size in ((6, 6), (64, 64), (9, 40), (6, 6)):
        fixed = Sequential(open_row(), (*size, 1), seed=2)
        fixed.set_weights(model.get_weights())
        x = images(3, (*size, 1))
        for one in models:
            for _ in range(2):
                np.testing.assert_array_equal(one.predict(x), fixed.predict(x))
        np.testing.assert_array_equal(model.forward(x), fixed.predict(x))
        dy = np.ones((3, 2))
        fixed.forward(x, training=True)
        model.forward(x, training=True)
        np.testing.assert_array_equal(model.backward(dy), fixed.backward(dy))
        for one, same in zip(model.parameters, fixed.parameters, strict=True):
            np.testing.assert_array_equal(one.grad, same.grad)
    with pytest.raises(ValueError, match=r"\(N, None, None, 1\)"):
        model.predict(images(3, (6, 6, 2)))
    with pytest.raises(ValueError, match="larger than its input"):
        model.predict(images(3, (2, 2, 1)))


def test_open_models_train_on_batches_of_different_sizes():
    model, same = OPEN["graph"](), OPEN["input_shape"]()
    same.set_weights(model.get_weights())
    for one in (model, same):
        one.compile(optim.Adam(0.01), "mse")
        for size in (6, 9, 64, 6, 9):
            one.train_on_batch(images(4, (size, size + 1, 1)), np.ones((4, 2)))
    np.testing.assert_array_equal(model.flat.value, same.flat.value)


def test_another_size_needs_no_memory_for_the_weights():
    model = OPEN["graph"]()
    model.predict(images(1, (9, 9, 1)))
    (other,) = [flow for shapes, flow in model._flows.items() if shapes == ((9, 9, 1),)]
    twins = [parameter for layer in other.layers for parameter in layer.parameters]
    assert {id(parameter.value.base) for parameter in twins} == {id(model.flat.value.base)}
    assert not any(vars(one)["_value"].size for one in twins if one.source is not None)
    assert sum(one.source is not None for one in twins) == 4  # of two convolutions; Dense is called as it is


def test_symbols_show_which_sizes_are_open():
    x = Input((None, 28, 1))
    y = Conv2D(4, 3)(x)
    assert (x.shape, y.shape) == ((None, None, 28, 1), (None, None, 26, 4))
    assert MaxPool2D(2)(y).shape == (None, None, 13, 4)
    assert GlobalAveragePool2D()(y).shape == (None, 4)
    assert Flatten()(y).shape == (None, None)


def test_a_dense_layer_after_open_sizes_is_refused():
    with pytest.raises(ValueError, match="Dense"):
        Sequential([Flatten(), Dense(2)], (None, None, 1))
    model = Sequential([Flatten(), Dense(2)], seed=1)
    with pytest.raises(ValueError, match="Dense"):
        model.build((None, None, None, 1))
    model.build((None, 4, 4, 1))  # as if nothing had been
    np.testing.assert_array_equal(
        model.flat.value, Sequential([Flatten(), Dense(2)], (4, 4, 1), seed=1).flat.value
    )


# Adding and taking away


def test_add_keeps_what_is_learned():
    model = Sequential([Dense(4, "relu")], 3, seed=1)
    model.compile("adam", "mse")
    model.fit(np.ones((8, 3)), np.ones((8, 4)), verbose=0)
    before, hidden = model.get_weights(), model.predict(np.ones((2, 3)))
    model.add(Dense(2))
    for value, old in zip(model.get_weights(), before, strict=False):
        np.testing.assert_array_equal(value, old)
    assert model.output_shape == (2,)
    assert model.predict(np.ones((2, 3))).shape == (2, 2)
    np.testing.assert_array_equal(model.layers[1].forward(hidden), model.predict(np.ones((2, 3))))
    model.train_on_batch(np.ones((8, 3)), np.ones((8, 2)))  # with the optimizer and loss it has
    assert not any(np.array_equal(*pair) for pair in zip(model.get_weights(), before, strict=False))
    removed = model.pop()
    assert isinstance(removed, Dense)
    assert model.output_shape == (4,)
    assert model.output is model.layers[0].output
    model.train_on_batch(np.ones((8, 3)), np.ones((8, 4)))
    np.testing.assert_array_equal(model.predict(np.ones((2, 3))), model.forward(np.ones((2, 3))))


def test_pop_and_add_another_head():
    model = Sequential([Dense(4, "relu"), Dense(2), ReLU()], 3, seed=1)
    body = model.layers[0].get_weights()
    assert [type(model.pop()) for _ in range(2)] == [ReLU, Dense]
    model.add(Dense(7))
    assert model.output_shape == (7,)
    assert [layer.name for layer in model.layers] == ["dense", "dense_1"]
    for value, old in zip(model.layers[0].get_weights(), body, strict=True):
        np.testing.assert_array_equal(value, old)
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        copied.add(ReLU())
        assert copied.predict(np.ones((2, 3))).min() >= 0
        assert len(copied) == 3
    assert len(model) == 2


def test_pop_all_and_begin_again():
    model = Sequential([Dense(4), Dense(2)], 3, seed=1)
    while len(model):
        model.pop()
    assert model.output_shape is None
    with pytest.raises(IndexError, match="no layer to take away"):
        model.pop()
    with pytest.raises(ValueError, match="no layers: add some"):
        model.predict(np.ones((2, 3)))
    model.add(Dense(4))
    assert model.predict(np.ones((2, 3))).shape == (2, 4)


def test_pop_of_a_model_that_is_not_built():
    model = Sequential([Dense(4), Dense(2)], seed=1)
    model.pop()
    model.build((None, 3))
    np.testing.assert_array_equal(model.flat.value, Sequential([Dense(4)], 3, seed=1).flat.value)


def test_a_model_is_true_even_if_it_is_empty():
    assert Sequential()
    assert len(Sequential()) == 0


def test_compile_before_the_model_is_built():
    model, same = Sequential(row(), seed=3), Sequential(row(), SHAPE, seed=3)
    for one in (model, same):
        one.compile(optim.Adam(0.01), "mse", [])
        one.fit(images(), np.ones((5, 2)), batch_size=2, verbose=0)
    np.testing.assert_array_equal(model.flat.value, same.flat.value)
    assert isinstance(model.optimizer, optim.Adam)


@pytest.mark.parametrize("how", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_of_a_model_that_is_not_built(how):
    model = Sequential(row(), seed=3)
    model.compile(optim.Adam(0.01), "mse")
    twin = how(model)
    assert model.output_shape is twin.output_shape is None
    twin.fit(images(), np.ones((5, 2)), verbose=0)
    assert model.output_shape is None
    model.fit(images(), np.ones((5, 2)), verbose=0)
    np.testing.assert_array_equal(model.flat.value, twin.flat.value)


def test_layers_of_a_row_make_models_of_parts():
    model = added(row(input_shape=SHAPE))
    x = images()
    for layer in model.layers:
        part = Model(model.input, layer.output)
        expected = x
        for one in model.layers[: model.layers.index(layer) + 1]:
            expected = one.forward(expected)
        np.testing.assert_array_equal(part.predict(x), expected)
    twin = copy.deepcopy(model)
    assert twin.layers[0].output is not model.layers[0].output
    np.testing.assert_array_equal(
        Model(twin.input, twin.layers[1].output).predict(x),
        Model(model.input, model.layers[1].output).predict(x),
    )


# What fails


def state(model):
    return {
        "vars": {name: id(value) for name, value in vars(model).items()},
        "layers": [id(layer) for layer in model.layers],
        "weights": [array.tobytes() for array in model.get_weights()],
        "names": [layer.name for layer in model.layers],
    }


def two_outputs():
    x = Input((3,))
    return Model(x, [Dense(2)(x), Dense(2)(x)])


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (lambda model: model.add(Conv2D(2, 3)), ValueError, r"Conv2D 'conv2d'.*\(3,\)"),
        (lambda model: model.add(Held([Dense(2), Conv2D(2, 3)])), ValueError, "Conv2D"),
        (lambda model: model.add(Input((3,))), ValueError, "an Input stands before all layers"),
        (lambda model: model.add(InputLayer((3,))), ValueError, "an Input stands before all layers"),
        (lambda model: model.add(model.layers[0]), ValueError, "is used twice"),
        (lambda model: model.add(Held([model.layers[0]])), ValueError, "is shared with another model"),
        (lambda model: model.add(Add()), ValueError, "takes several inputs"),
        (lambda model: model.add(two_outputs()), ValueError, "several outputs"),
        (lambda model: model.add(Dense), TypeError, "with parentheses"),
        (lambda model: model.add(None), TypeError, "not a layer"),
        (lambda model: model.add("relu"), TypeError, "not a layer"),
        (lambda model: model.add(Dense(2)(Input((3,)))), TypeError, "not a layer"),
        (lambda model: model.add(Dense(2, name="dense")), ValueError, "'dense'"),
        (lambda model: model.build((None, 5)), RuntimeError, r"built for \(4,\)"),
        (lambda model: model.build(4), ValueError, "with the batch axis"),
        (lambda model: model.build(), ValueError, "with the batch axis"),
        (lambda model: model.compile("sgd", "nothing"), ValueError, "nothing"),
        (lambda model: model.compile(loss="mse", metrics=["nothing"]), ValueError, "nothing"),
        (lambda model: model.predict(np.ones((2, 5))), ValueError, r"\(N, 4\)"),
    ],
)
def test_what_fails_leaves_a_built_model_as_it_was(wrong, error, message):
    model = Sequential([Dense(5, "relu"), Dense(3)], 4, seed=1)
    model.compile(optim.Adam(0.01), "mse")
    x, y = np.random.default_rng(0).normal(size=(2, 8, 4))
    model.train_on_batch(x, y[:, :3])
    _ = model.output
    twin, before = copy.deepcopy(model), state(model)
    with pytest.raises(error, match=message):
        wrong(model)
    assert state(model) == before
    for one in (model, twin):
        one.train_on_batch(x, y[:, :3])
        one.add(ReLU())
        one.train_on_batch(x, y[:, :3])
    np.testing.assert_array_equal(model.predict(x), twin.predict(x))
    np.testing.assert_array_equal(model.flat.value, twin.flat.value)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (lambda model: model.build((None, 3)), ValueError, "Conv2D"),
        (lambda model: model.build((None, 3), seed=7, dtype="float64"), ValueError, "Conv2D"),
        (lambda model: model.build((None, 2, 2, 1)), ValueError, "larger than its input"),
        (lambda model: model.build((None, 6, 5, 1), dtype="float16"), ValueError, "float64"),
        (lambda model: model.build((None, 6, "a", 1)), ValueError, "positive integers"),
        (lambda model: model.predict(np.ones((2, 3))), ValueError, "Conv2D"),
        (lambda model: model.predict(np.full((2, 9, 9, 1), "a")), TypeError, "array of numbers"),
        (lambda model: model(np.ones((0, 9, 9, 1))), ValueError, "is empty"),
        (lambda model: model(Input((3,))), ValueError, "Conv2D"),
        (lambda model: model(Input((3,), dtype="float64")), ValueError, "Conv2D"),
        (lambda model: model([Input((6, 5, 1))]), ValueError, "takes one input"),
        (lambda model: Sequential([model, Dense(2)], 3), ValueError, "Conv2D"),
        (lambda model: model.save("nowhere"), ValueError, "is not built"),
        (lambda model: model.config(), ValueError, "is not built"),
        (lambda model: model.input, AttributeError, "not built"),
        (lambda model: model.output, AttributeError, "not built"),
        (lambda model: model.add(Input((6, 5, 1))), ValueError, "an Input stands before all layers"),
        (lambda model: model.compile("sgd", "nothing"), ValueError, "nothing"),
        (lambda model: model.train_on_batch(images(), np.ones((5, 2))), RuntimeError, "compile"),
    ],
)
def test_what_fails_leaves_a_model_that_is_not_built_as_it_was(wrong, error, message):
    model = Sequential(row(), seed=3)
    with pytest.raises(error, match=message):
        wrong(model)
    if error is not RuntimeError:
        assert model.output_shape is None
    assert (model.seed, model.dtype) == (3, np.float32)
    expected = Sequential(row(), SHAPE, seed=3)
    np.testing.assert_array_equal(model.predict(images()), expected.predict(images()))
    assert [*model.named_parameters()] == [*expected.named_parameters()]


def test_an_error_in_the_midst_of_a_build_loses_no_layer():
    parts = row()
    with pytest.raises(ValueError, match="larger than its input"):
        Sequential([*parts, Residual(4)], (2, 2, 1))
    assert [layer.name for layer in parts] == [""] * 4
    assert not any(layer.in_model for layer in parts)
    assert Sequential(parts, SHAPE).output_shape == (2,)


def test_a_row_of_layers_that_cannot_be_built_leaves_them_without_names():
    parts = [Flatten(), Conv2D(2, 3)]
    with pytest.raises(ValueError, match="Conv2D 'conv2d'"):
        layers.Chain(parts).build((8, 8, 1))
    assert [layer.name for layer in parts] == ["", ""]


@pytest.mark.parametrize("first", [{"input_dim": 0}, {"input_shape": (0, 2)}, {"input_shape": "abc"}])
def test_impossible_shapes_of_the_first_layer(first):
    with pytest.raises(ValueError, match="positive integers"):
        Sequential([Dense(3, **first)])


def test_a_layer_is_built_by_its_first_call():
    layer = Dense(3)
    y = layer(np.ones((2, 4)))
    assert y.shape == (2, 3)
    assert layer.input_shape == (4,)
    with pytest.raises(ValueError, match=r"\(4, 3\).*inputs of \(5,\) would need \(5, 3\)"):
        layer(np.ones((2, 5)))
    merged = layers.Concatenate()([np.ones((2, 4)), np.zeros((2, 1))])
    assert merged.shape == (2, 5)


@pytest.mark.parametrize(
    "inside", [lambda row: row, lambda row: Held([row]), lambda row: layers.Chain([row])]
)
def test_a_row_that_another_layer_builds_is_a_model_of_its_own(inside, tmp_path):
    def make(seed=1):
        inner = Sequential([Dense(3, "tanh"), Dropout(0.5)])
        outer = Sequential([inside(inner), Dense(2)], 4, seed=seed, dtype="float64")
        outer.compile(optim.SGD(0.1), "mse")
        return inner, outer

    (inner, outer), (_, same), (_, other) = make(), make(), make(2)
    np.testing.assert_array_equal(outer.flat.value, same.flat.value)  # which follows from the outer seed
    assert not np.array_equal(outer.flat.value, other.flat.value)
    x = np.random.default_rng(0).normal(size=(6, 4))
    outer.predict(x)
    np.testing.assert_array_equal(inner.predict(x), outer.layers[0].forward(x))
    part = Model(inner.input, inner.layers[0].output)
    np.testing.assert_array_equal(part.predict(x), inner.predict(x))
    for how in (copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(how(outer).predict(x), outer.predict(x))
    outer.save(tmp_path / "m")
    again = load_model(tmp_path / "m")
    for model in (outer, again, same):
        model.fit(x, np.ones((6, 2)), batch_size=4, epochs=3, verbose=0)
    np.testing.assert_array_equal(outer.flat.value, same.flat.value)
    for value, one in zip(outer.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(value, one)  # so the same elements were dropped
    np.testing.assert_array_equal(inner.predict(x), outer.layers[0].forward(x))
    inner.compile(optim.SGD(0.1), "mse")
    inner.fit(x, np.ones((6, 3)), verbose=0)
    np.testing.assert_array_equal(inner.predict(x), outer.layers[0].forward(x))


def test_a_row_stays_the_same_model_when_the_layer_around_it_becomes_part_of_one():
    row = Sequential([Dense(3, "tanh")], seed=1)
    chain = layers.Chain([row])
    chain.build(4)
    x = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    before = [row.predict(x) for _ in range(2)][1]  # recorded
    model = Sequential([chain, Dense(2)], 4, seed=2)
    np.testing.assert_array_equal(model.layers[0].forward(x), before)
    model.compile(optim.SGD(0.1), "mse")
    model.fit(x, np.ones((6, 2)), verbose=0)
    assert not np.array_equal(row.predict(x), before)
    np.testing.assert_array_equal(row.predict(x), chain.forward(x))


def test_the_outcome_that_was_asked_for():
    inputs = tinynet.Input((28, 28, 1))
    x = layers.Conv2D(32, 3, padding="same")(inputs)
    y = layers.ReLU()(layers.BatchNormalization()(x))
    outputs = layers.Dense(10, activation="softmax")(layers.GlobalAveragePooling2D()(layers.Add()([x, y])))
    model = tinynet.Model(inputs, outputs)
    features = tinynet.Model(model.input, model.layers[1].output)
    images = np.random.default_rng(0).random((5, 28, 28, 1)).astype("f4")
    np.testing.assert_array_equal(features.predict(images), model.layers[1].forward(images))
    assert model.predict(images).shape == (5, 10)
    model = tinynet.Sequential()
    model.add(layers.Flatten())
    model.add(layers.Dense(10))
    assert model.predict(images).shape == (5, 10)


@pytest.mark.parametrize(
    ("of_input", "of_model"), [(None, "float64"), ("float64", "float32"), ("float64",) * 2]
)
def test_the_type_of_a_row_is_that_of_its_input(of_input, of_model):
    model = Sequential([Input((3,), dtype=of_input), layers.Dense(2)], dtype=of_model)
    assert model.dtype == np.float64
    assert model.predict(np.ones((1, 3))).dtype == np.float64
    assert model.layers[0].input.dtype == np.float64


def test_a_layer_of_ones_own_takes_names_of_initializers_and_must_tell_its_output():
    class Factor(layers.Layer):
        def declare(self, input_shape, random):
            self.factor = self.add_parameter("factor", input_shape, "ones", random)
            return input_shape if self.tells else None

    layer = Factor()
    layer.tells = True
    layer.build((3,))
    assert layer.factor.value.tolist() == [1, 1, 1]
    layer = Factor()
    layer.tells = False
    with pytest.raises(TypeError, match=r"Factor.*: declare must return the output's shape"):
        Sequential([layer, layers.Dense(2)], 3)
