"""Layers made of layers: paths, seeds, replicas, first samples, parameters, files, copies, gradients."""

from __future__ import annotations

import collections
import copy
import gc
import pickle
import weakref
from dataclasses import dataclass

import numpy as np
import pytest
from blocks import (
    LOSS,
    Held,
    Late,
    Recordable,
    Residual,
    Times,
    by_hand,
    check_steps,
    nested,
    problem,
    recordable,
)

from tinynet import Sequential, initializers, layers, load_model, losses, optim
from tinynet.gradcheck import gradcheck
from tinynet.layers import Chain, Dense, Dropout, Layer
from tinynet.layers.flow import Flow
from tinynet.training import step as shards

MAKERS = {"nested": nested, "recordable": recordable}
each_maker = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def model_of(parts, shape=4, compiled=True, **arguments):
    model = Sequential(parts, shape, **{"dtype": "float64", "seed": 0, **arguments})
    if compiled:
        model.compile(optim.SGD(0.1), LOSS)
    return model


def inner_model():
    return Sequential([Dense(4, "tanh"), Dropout(0.5)], 4, seed=0, dtype="float64")


# Paths


def test_paths_of_all_parts():
    model = model_of([Held([Residual(4), Chain([Dense(4, "tanh")])]), Late(3)])
    assert [path for path, _ in model.parts()] == [
        "", "held", "held/children/0", "held/children/0/first", "held/children/0/first/activation",
        "held/children/0/drop", "held/children/0/second", "held/children/1", "held/children/1/dense",
        "held/children/1/dense/activation", "late", "late/rows/a/0", "late/rows/a/0/activation",
        "late/rows/a/1/0", "late/rows/b/c",
    ]  # fmt: skip
    named = model.named_parameters()
    assert [name.rpartition("/")[2] for name in named] == ["kernel", "bias"] * 5
    assert "held/children/0/first/kernel" in named
    assert list(named.values()) == model.parameters
    assert named["late/rows/b/c/bias"] is model.layers[1].rows["b"]["c"].bias


def test_a_row_alone_has_paths_without_a_name_before_them():
    row = Chain([Dense(3), Chain([Dense(3)])])
    row.build(2)
    assert list(row.named_parameters()) == [
        "dense/kernel",
        "dense/bias",
        "chain/dense/kernel",
        "chain/dense/bias",
    ]


def test_two_parameters_of_one_name_are_refused_at_build():
    class Double(Layer):
        def declare(self, input_shape, random):
            self.a, self.b = (self.add_parameter("w", (2,), initializers.Ones(), random) for _ in "ab")
            return input_shape

    with pytest.raises(ValueError, match=r"Double.*'w'.*rename"):
        Double().build(3)
    with pytest.raises(ValueError, match=r"Double.*'w'.*rename"):
        model_of([Dense(3), Held([Double()])])


def test_a_parameter_named_like_a_path_of_a_sublayer_is_refused():
    class Shadow(Residual):
        def declare(self, input_shape, random):
            self.w = self.add_parameter("first/kernel", (2,), initializers.Ones(), random)
            return super().declare(input_shape, random)

    with pytest.raises(ValueError, match="'first/kernel'"):
        Shadow(4).build(4)


@pytest.mark.parametrize("make", [lambda a, b: {1: a, "1": b}, lambda a, b: {"x": [a], "x/0": b}])
def test_sublayers_with_equal_paths_are_refused_or_told_apart(make):
    try:
        model = model_of([Held(make(Dense(4), Dense(4)))])
    except ValueError as error:
        assert "path" in str(error)  # noqa: PT017
    else:
        assert len(model.parameters) == 4


@pytest.mark.parametrize("place", [lambda a: [a, Held([a])], lambda a: [Held([a]), Held([a])]])
def test_one_layer_at_two_places_of_a_model_is_refused(place):
    with pytest.raises(ValueError, match=r"Dense.*used twice"):
        model_of(place(Dense(4)))


# Seeds


def test_a_flat_model_has_the_weights_that_its_layers_have_for_seed_and_position():
    made = [
        layers.Conv2D(3, 3, activation="relu"),
        layers.Flatten(),
        Dropout(0.5),
        Dense(5, "tanh"),
        Dense(2),
    ]
    model = Sequential(made, (6, 6, 1), seed=7)
    shape = (6, 6, 1)
    for position, layer in enumerate(model.layers):
        alone = copy.deepcopy(layer)
        vars(alone)["in_model"] = False
        shape = alone.build(shape, (7, position))
        assert [a.tobytes() for a in alone.get_weights()] == [a.tobytes() for a in layer.get_weights()]
        if isinstance(layer, Dropout):
            np.testing.assert_array_equal(alone.key, layer.key)


@pytest.mark.parametrize(
    "make",
    [
        lambda: [Residual(4, 0.5), Residual(4, 0.5)],
        lambda: [Held([Residual(4, 0.5), Residual(4, 0.5)])],
        lambda: [Chain([Residual(4, 0.5)]), Chain([Residual(4, 0.5)])],
        lambda: [Late(4), Late(4)],
        lambda: [Held([Late(4)]), Late(4)],
    ],
)
def test_equal_children_get_different_weights_and_masks(make):
    model = model_of(make(), seed=3)
    kernels = [p.value for name, p in model.named_parameters().items() if name.endswith("kernel")]
    assert len({kernel.tobytes() for kernel in kernels}) == len(kernels) == 4
    keys = [part.key for _, part in model.parts() if isinstance(part, Dropout)]
    assert len({key.tobytes() for key in keys}) == len(keys) == 2


def test_seeds_follow_from_the_place_whether_given_or_not():
    @dataclass
    class Given(Residual):
        def declare(self, input_shape, random):
            shape = input_shape
            for layer in (self.first, self.drop, self.second):
                shape = layer.build(shape, self.seed, self.dtype)
            return shape

    one, other = Residual(4), Given(4)
    one.build(4, 5, "float64")
    other.build(4, 5, "float64")
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert one.first.dtype == one.second.dtype == np.float64


@each_maker
def test_the_seed_of_the_model_decides_everything(make):
    one, same, other = model_of(make(), seed=1), model_of(make(), seed=1), model_of(make(), seed=2)
    x, y = problem(20)
    for model in (one, same, other):
        model.fit(x, y, batch_size=8, epochs=2, verbose=0)
    np.testing.assert_array_equal(one.predict(x), same.predict(x))
    assert not np.array_equal(one.predict(x), other.predict(x))


# Training


@pytest.mark.parametrize("samples", [1, 2, 9])
@each_maker
def test_a_step_of_several_shards_is_the_whole_batch_at_once(monkeypatch, make, samples):
    monkeypatch.setattr(shards, "CACHE_BYTES", 100)  # many shards
    model = model_of(make())
    check_steps(model, *problem(samples))
    check_steps(model, *problem(samples, seed=1))
    (step,) = model.trainer.steps.sizes.values()
    assert len(step.shards) == min(samples, shards.MANY_SHARDS)
    assert bool(step.outputs.idle) == (make is recordable)  # recorded or called


@each_maker
def test_a_replayed_step_is_the_one_that_is_called(monkeypatch, make):
    results = []
    for called in (False, True):
        with monkeypatch.context() as patch:
            if called:
                patch.setattr(Flow, "only_kernels", False)
            model = model_of(make())
            for seed in range(4):
                model.train_on_batch(*problem(9, seed))
            results.append(model.get_weights())
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


@each_maker
def test_the_bits_do_not_depend_on_the_number_of_threads(set_threads, make):
    results = []
    for threads in (1, 2, 3):
        set_threads(threads)
        model = model_of(make(), dtype="float32")
        model.fit(*problem(40), batch_size=12, verbose=0)
        results.append([array.tobytes() for array in model.get_weights()])
    assert results[0] == results[1] == results[2]


def test_dropout_in_a_block_drops_others_in_each_shard():
    model = model_of([Held([Held([Dropout(0.5)])]), Dense(3)])
    ones = np.ones((8, 4))
    model.train_on_batch(ones, np.zeros(8, int))
    (step,) = model.trainer.steps.sizes.values()
    outputs = []
    for replica in step.replicas:
        for workspace in replica.workspaces:
            workspace.given.clear()  # another step begins
        outputs.append(replica.layers[0].forward(np.ones((4, 4)), training=True).copy())
    assert not np.array_equal(*outputs)
    model.layers[0].children[0].children[0].step = 0
    np.testing.assert_array_equal(np.concatenate(outputs), model.layers[0].forward(ones, training=True))


@pytest.mark.parametrize(
    ("make", "count"),
    [
        (lambda: [Held([Dense(3)])], 2),
        (lambda: [Held([Held([Held([Dense(3)])])])], 2),
        (lambda: [Held([layers.Flatten(), Held([layers.Flatten(), Dense(3)])])], 2),
        (lambda: [Held([layers.ReLU()]), Dense(4), Held([Held([layers.Flatten()])]), Dense(3)], 4),
        (lambda: [Chain([Chain([Chain([Dense(3)])])])], 2),
        (lambda: [Held([layers.BatchNormalization(), Held([layers.BatchNormalization()])]), Dense(3)], 10),
        (lambda: [Held([layers.LayerNormalization(), Dropout(0.5)]), Dense(3)], 4),
        (lambda: [Residual(4, 0.5), inner_model(), Dense(3)], 8),
        (lambda: [Held([inner_model(), Residual(4)]), Dense(3)], 8),
    ],
)
@pytest.mark.parametrize("samples", [1, 9])
def test_steps_of_blocks_of_many_kinds(make, count, samples):
    model = model_of(make())
    assert len(model.parameters) == count
    check_steps(model, *problem(samples))


def test_steps_of_a_model_of_blocks_without_parameters():
    check_steps(model_of([Held([layers.Flatten()]), Times()], (3,)), *problem(9, features=3))


@pytest.mark.parametrize("shape", [(0,), (0, 3), ()])
def test_parameters_of_size_zero_and_of_no_axis(tmp_path, shape):
    @dataclass(eq=False, repr=False)
    class Odd(Layer):
        def declare(self, input_shape, random):
            self.gate = self.add_parameter("gate", shape, initializers.Ones(), random)
            self.dense = Dense(4)
            return self.dense.build(input_shape)

        def forward(self, x, training=False):
            x = np.asarray(x)
            if training:
                self.remember(x=x)
            return self.dense.forward(x * self.gate.value.sum() if shape == () else x, training)

        def backward(self, dy):
            dx = self.dense.backward(dy)
            if shape != ():
                return dx
            self.gate.grad[...] = np.sum(self.x * dx)
            return dx * self.gate.value

    x, y = problem()
    for parts in ([Odd(), Dense(3)], [Dense(4), Odd(), Odd(), Dense(3)]):
        model = model_of(parts)
        check_steps(model, x, y)
        again = copy.deepcopy(model)
        assert again.train_on_batch(x, y) == model.train_on_batch(x, y)
        model.save(tmp_path / "m")
        np.testing.assert_array_equal(load_model(tmp_path / "m").predict(x), model.predict(x))


CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "dict": lambda made: dict(zip("ab", made, strict=True)),
    "ordered": lambda made: collections.OrderedDict(zip("ab", made, strict=True)),
    "named": collections.namedtuple("Named", "a b")._make,
}


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
def test_steps_of_a_block_with_sublayers_in_any_container(container):
    model = model_of([Held(container([Residual(4, 0.5), Dense(4)])), Held(container([Dense(4), Dense(3)]))])
    assert len(model.parameters) == 10
    check_steps(model, *problem())


def test_layers_in_slots_are_found_missing():
    @dataclass(eq=False, repr=False, slots=True)
    class Slotted(Layer):
        child: Layer

        def declare(self, input_shape, random):
            return self.child.build(input_shape)

        def forward(self, x, training=False):
            return self.child.forward(x, training)

        def backward(self, dy):
            return self.child.backward(dy)

    with pytest.raises(ValueError, match=r"Slotted.* holds Dense where it is not found"):
        model_of([Slotted(Dense(3))])


class Box:
    """No layer, list, tuple or dict."""

    def __init__(self, layer):
        self.layer = layer


@pytest.mark.parametrize(
    ("hide", "seek"),
    [
        (lambda layer: collections.deque([layer]), lambda hidden: hidden[0]),
        (lambda layer: {layer}, lambda hidden: next(iter(hidden))),
        (lambda layer: np.array([layer, None]), lambda hidden: hidden[0]),
        (lambda layer: lambda: layer, lambda hidden: hidden()),
        (Box, lambda hidden: hidden.layer),
    ],
    ids=["deque", "set", "array", "closure", "object"],
)
def test_a_sublayer_that_is_built_where_nothing_finds_it_is_an_error(hide, seek):
    class Hiding(Layer):
        def __init__(self):
            self.hidden = hide(Dense(4, "tanh"))

        def declare(self, input_shape, random):
            return seek(self.hidden).build(input_shape)

    with pytest.raises(ValueError, match="holds Dense where it is not found"):
        model_of([Hiding(), Dense(3)])


def test_a_sublayer_of_the_class_is_an_error_and_a_passing_one_is_none():
    class Shared(Layer):
        inner = Dense(4)

        def declare(self, input_shape, random):
            return self.inner.build(input_shape)

    class Measuring(Layer):
        def declare(self, input_shape, random):
            return Dense(4).build(input_shape)  # only to know the shape

    with pytest.raises(ValueError, match="holds Dense where it is not found"):
        model_of([Shared(), Dense(3)])
    assert Measuring().build(3) == (4,)


@pytest.mark.parametrize("kind", [Chain, Dense])
def test_a_class_that_derives_from_ours_may_have_sublayers_of_its_own(kind):
    class Short(kind):
        def declare(self, input_shape, random):
            self.short = Dense(4)
            self.short.build(input_shape)
            return super().declare(input_shape, random)

        def forward(self, x, training=False):
            return super().forward(x, training) + self.short.forward(x, training)

        def backward(self, dy):
            return super().backward(dy) + self.short.backward(dy)

    made = Short([Dense(5, "tanh"), Dense(4)]) if kind is Chain else Short(4, "tanh")
    model = model_of([made, Dense(3)])
    assert len(model.parameters) == (8 if kind is Chain else 6)
    check_steps(model, *problem())


@pytest.mark.parametrize("change", ["replace", "append", "remove"])
def test_layers_put_into_a_list_of_a_built_layer_are_refused(change):
    model = model_of([Held([Dense(4), Dense(4)]), Dense(3)])
    children, new = model.layers[0].children, Dense(4)
    new.build(4, dtype="float64")
    if change == "replace":
        children[0] = new
    elif change == "append":
        children.append(new)
    else:
        children.pop()
    for train in (lambda: model.fit(*problem(), verbose=0), lambda: model.compile("sgd")):
        with pytest.raises(ValueError, match="'held' has other layers than when its model was built"):
            train()


def test_models_of_many_layers_are_built_in_a_moment_and_let_go():
    model = Sequential([Dense(1) for _ in range(600)], 1)
    assert [layer.name for layer in model.layers[-2:]] == ["dense_598", "dense_599"]
    references = [weakref.ref(model), weakref.ref(model.layers[3])]
    del model
    gc.collect()
    assert [reference() for reference in references] == [None, None]


def test_a_sublayer_that_forward_calls_twice_is_right_or_an_error():
    class Twice(Layer):
        def declare(self, input_shape, random):
            self.dense = Dense(3)
            return self.dense.build(input_shape)

        def forward(self, x, training=False):
            return self.dense.forward(x, training) - self.dense.forward(-np.asarray(x), training)

        def backward(self, dy):
            return self.dense.backward(dy)

    model = model_of([Twice()])
    x, y = problem()
    try:
        loss = model.train_on_batch(x, y)
    except RuntimeError:
        return
    assert loss == pytest.approx(LOSS(y, model_of([Twice()]).forward(x)), rel=1e-12)


def test_a_model_made_in_declare_has_its_place_s_seed_and_dtype():
    class Inside(Layer):
        def declare(self, input_shape, random):
            self.inner = Sequential([Dense(4), Dropout(0.5)], input_shape)
            return self.inner.output_shape

        def forward(self, x, training=False):
            return self.inner.forward(x, training)

        def backward(self, dy):
            return self.inner.backward(dy)

    try:
        model = model_of([Inside(), Inside(), Dense(3)])
    except (TypeError, ValueError, RuntimeError):
        return
    first, second = (layer.inner.parameters[0].value for layer in model.layers[:2])
    assert not np.array_equal(first, second)
    assert {p.value.dtype for p in model.parameters} == {np.dtype("float64")}


# Classes that derive from tinynet's


def doubled(kind):
    """Return a class that derives from a row's or a layer's and doubles what it returns."""

    class TreeDoubled(kind):
        def forward(self, x, training=False):
            return 2 * super().forward(x, training)

        def backward(self, dy):
            return super().backward(2 * np.asarray(dy))

    return TreeDoubled


@pytest.mark.parametrize(
    "make",
    [
        lambda: doubled(Dense)(4, "tanh"),
        lambda: doubled(Chain)([Dense(4, "tanh"), Dropout(0.5)]),
        lambda: doubled(Sequential)([Dense(4, "tanh"), Dropout(0.5)], 4, dtype="float64"),
        lambda: doubled(Residual)(4, 0.5),
    ],
    ids=["Dense", "Chain", "Sequential", "Residual"],
)
@pytest.mark.parametrize("around", [lambda made: made, lambda made: Held([made]), lambda made: Chain([made])])
def test_layers_that_derive_from_ours_do_what_they_say(make, around):
    check_steps(model_of([Dense(4), around(make()), Dense(3)]), *problem())


def test_a_row_that_only_changes_backward_does_what_it_says():
    class Reversal(Chain):
        def backward(self, dy):
            return -super().backward(dy)

    check_steps(model_of([Dense(5), Reversal([Dense(4)]), Dense(3)]), *problem())


def test_a_model_class_of_one_s_own_trains_what_it_predicts():
    model = doubled(Sequential)([Dense(3)], 4, dtype="float64")
    model.compile(optim.SGD(0.1), LOSS)
    check_steps(model, *problem())


# The promise only_kernels


def test_a_promise_is_kept_by_all_parts_or_not_at_all():
    class Plain(Dense):
        pass

    assert Recordable([Dense(2), Recordable([Chain([Dense(3)])])]).only_kernels
    assert not Held([Dense(2)]).only_kernels
    assert not Recordable([Dense(2), Recordable([Held([Dense(3)])])]).only_kernels
    assert not Chain([Times()]).only_kernels
    assert not Plain(2).only_kernels  # who derives promises nothing
    assert not layers.Conv2D(2, 3, method="im2col").only_kernels


@pytest.mark.parametrize(("child", "recorded"), [(lambda: Dense(4), True), (lambda: Residual(4), False)])
def test_what_promises_is_recorded_and_all_else_is_called(child, recorded):
    model = model_of([Recordable([child()]), Dense(3)])
    x, y = problem()
    model.train_on_batch(x, y)
    (step,) = model.trainer.steps.sizes.values()
    assert bool(step.outputs.idle) == recorded
    check_steps(model, x, y)


# Attributes of one's own


@pytest.mark.parametrize("around", [lambda layer: layer, lambda layer: Held([Chain([layer])])])
def test_an_attribute_set_on_a_called_layer_takes_effect_in_the_next_step_on_all_shards(around):
    times = Times()
    model = model_of([Dense(4), around(times), Dense(3)])
    x, y = problem()
    for factor in (1.0, 3.0, -0.5):
        times.factor = factor
        check_steps(model, x, y, steps=2)


@pytest.mark.parametrize("change", [lambda t: setattr(t, "factor", None), lambda t: delattr(t, "factor")])
def test_an_attribute_set_to_none_or_deleted_takes_effect_too(change):
    class Default(Layer):
        factor = 2.0

        def forward(self, x, training=False):
            return np.asarray(x) * (5.0 if self.factor is None else self.factor)

        def backward(self, dy):
            return np.asarray(dy) * (5.0 if self.factor is None else self.factor)

    layer = Default()
    model = model_of([Dense(3), layer])
    check_steps(model, *problem(), steps=1)
    if "delattr" in change.__code__.co_names:
        layer.factor = 3.0
        check_steps(model, *problem(), steps=1)
    change(layer)
    check_steps(model, *problem(), steps=1)


def test_an_attribute_of_the_last_layer_takes_effect_where_its_softmax_is_part_of_the_loss():
    class Scaled(Dense):
        factor = 1.0

        def forward(self, x, training=False):
            return super().forward(self.factor * np.asarray(x), training)

        def backward(self, dy):
            return self.factor * super().backward(dy)

    model = model_of([Scaled(3, "softmax")], compiled=False)
    model.compile(optim.SGD(0.1))
    x, y = problem()[0], np.arange(9) % 3
    for factor in (1.0, 4.0):
        model.layers[0].factor = factor
        expected = losses.SparseCategoricalCrossentropy()(y, model.predict(x))
        assert model.evaluate(x, y) == pytest.approx(expected, rel=1e-9)
        assert model.train_on_batch(x, y) == pytest.approx(expected, rel=1e-9)


def test_a_property_with_a_setter_takes_effect():
    class Knob(Times):
        @property
        def volume(self):
            return self.factor

        @volume.setter
        def volume(self, value):
            self.factor = value

    knob = Knob()
    model = model_of([Dense(3), knob])
    check_steps(model, *problem())
    knob.volume = 7.0
    check_steps(model, *problem())


def test_a_long_list_on_a_layer_does_not_slow_the_steps_down():
    counted = []

    class Words(Times):
        def __post_init__(self):
            super().__post_init__()
            self.words = Counted(range(50))

    class Counted(list):
        def __iter__(self):
            counted.append(1)
            return super().__iter__()

    model = model_of([Held([Words(), Dense(4), Dense(4), Dense(4)]), Dense(3)])
    x, y = problem()
    model.train_on_batch(x, y)
    counted.clear()
    model.train_on_batch(x, y)
    assert len(counted) <= 2


# Errors in the midst of a step


@pytest.mark.parametrize("where", ["forward", "backward"])
def test_a_layer_that_raises_in_a_step_changes_nothing_and_the_model_goes_on(where):
    class Raising(Layer):
        at = ""

        def forward(self, x, training=False):
            self.fail(training and self.at == "forward")
            return np.asarray(x)

        def backward(self, dy):
            self.fail(self.at == "backward")
            return dy

        def fail(self, wanted):
            if wanted and self.first_sample:
                raise KeyError("wanted")

    layer = Raising()
    model = model_of([Held([Dense(4), layers.BatchNormalization()]), layer, Dropout(0.5), Dense(3)])
    x, y = problem()
    model.train_on_batch(x, y)
    again = copy.deepcopy(model)
    layer.at = where
    before = [p.value.copy() for p in model.parameters if p.trainable]
    with pytest.raises(KeyError, match="wanted"):
        model.train_on_batch(x, y)
    for parameter, value in zip((p for p in model.parameters if p.trainable), before, strict=True):
        np.testing.assert_array_equal(parameter.value, value)
    layer.at = ""
    assert model.steps_trained == again.steps_trained == 1
    assert model.train_on_batch(x, y) == again.train_on_batch(x, y)
    for one, other in zip(model.parameters, again.parameters, strict=True):
        if one.trainable:
            np.testing.assert_array_equal(one.value, other.value)


def test_a_sublayer_that_was_not_built_is_named():
    class Forgetful(Held):
        def declare(self, input_shape, random):
            return input_shape

    with pytest.raises(RuntimeError, match=r"Dense is not built"):
        model_of([Forgetful([Dense(4)])]).predict(problem()[0])


# Files, copies, gradients


@each_maker
def test_nested_models_survive_files(tmp_path, make):
    model = model_of(make(), seed=4)
    x, y = problem(20)
    model.fit(x, y, batch_size=8, verbose=0)
    model.save(tmp_path / "m")
    again = load_model(tmp_path / "m")
    assert list(again.named_parameters()) == list(model.named_parameters())
    assert [path for path, _ in again.parts()] == [path for path, _ in model.parts()]
    for one, other in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    assert (
        again.fit(x, y, batch_size=8, verbose=0).history == model.fit(x, y, batch_size=8, verbose=0).history
    )


@pytest.mark.parametrize("container", [CONTAINERS[name] for name in ("list", "tuple", "dict")])
def test_sublayers_in_a_container_that_is_a_field_survive_files(tmp_path, container):
    model = model_of([Held(container([Dense(4), Held(container([Dense(4), Dense(3)]))]))])
    model.save(tmp_path / "m")
    again = load_model(tmp_path / "m")
    assert list(again.named_parameters()) == list(model.named_parameters())
    np.testing.assert_array_equal(again.predict(problem()[0]), model.predict(problem()[0]))


def test_names_and_models_in_models_survive_files(tmp_path):
    def inner(name, seed):
        return Sequential([Dense(4, "relu"), Dropout(0.5)], 4, seed, "float64", name)

    named = Dense(4)
    named.name = "mine"
    model = model_of([inner("a", 1), inner("a", 2), Chain([named, inner("b", 3)]), Dense(3)])
    model.save(tmp_path / "m")
    again = load_model(tmp_path / "m")
    assert list(again.named_parameters()) == list(model.named_parameters())
    assert "chain/mine/kernel" in again.named_parameters()
    np.testing.assert_array_equal(again.predict(problem()[0]), model.predict(problem()[0]))
    check_steps(again, *problem())


def test_what_is_trainable_survives_files_at_any_depth(tmp_path):
    model = model_of([Chain([Dense(4), Dense(4)]), Residual(4), Held([Dense(4)]), Dense(3)], compiled=False)
    model.layers[0].layers[1].trainable = False
    model.layers[1].first.trainable = False
    model.layers[2].trainable = False
    model.compile(optim.SGD(0.1), LOSS)
    model.save(tmp_path / "m")
    again = load_model(tmp_path / "m")
    for (path, one), (_, other) in zip(model.parts(), again.parts(), strict=True):
        assert not one.own_parameters or one.trainable == other.trainable, path


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
@pytest.mark.parametrize("optimizer", [lambda: optim.SGD(0.1, momentum=0.9), lambda: optim.Adam(0.1)])
@each_maker
def test_copies_of_nested_models_go_on_by_themselves(make, optimizer, copied):
    x, y = problem(20)
    model = model_of(make(), compiled=False)
    model.compile(optimizer(), LOSS)
    model.fit(x, y, batch_size=8, verbose=0)
    again = copied(model)
    before = model.get_weights()
    first = again.fit(x, y, batch_size=8, epochs=2, verbose=0).history
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
    assert model.fit(x, y, batch_size=8, epochs=2, verbose=0).history == first
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    np.testing.assert_array_equal(again.predict(x), again.forward(x))


@each_maker
def test_gradcheck_of_nested_models_and_of_blocks(make):
    x, y = problem(5)
    model = model_of(make())
    trained = [name for name, p in model.named_parameters().items() if p.trainable]
    assert list(gradcheck(model, x, samples=5)) == [*trained, "x"]
    assert list(gradcheck(model, x, y, samples=5)) == [*trained, "x"]
    gradcheck(Held(make()), x, samples=5)
    gradcheck(model.layers[2], x, samples=5)


def test_gradcheck_of_models_in_a_model_with_equal_names():
    inner = [Sequential([Dense(4, "tanh")], 4, seed, "float64") for seed in (1, 2)]
    assert len(gradcheck(model_of([*inner, Dense(3)]), problem(5)[0])) == 7


def test_summary_counts_all_parameters(capsys):
    model = model_of([Held([Residual(4), Chain([Dense(4)])]), Dense(3)])
    model.summary()
    printed = capsys.readouterr().out
    assert "held (Held)" in printed
    assert "Total params: 75 " in printed


@pytest.mark.parametrize(
    "make",
    [
        lambda conv, pool: [Chain([conv, pool])],
        lambda conv, pool: [Chain([conv]), Chain([Chain([pool])])],
        lambda conv, pool: [conv, Chain([pool, layers.Flatten()])],
        lambda conv, pool: [Sequential([conv, pool], (8, 8, 2))],
        lambda conv, pool: [conv, Times(), pool],
        lambda conv, pool: [Held([conv, pool])],
        lambda conv, pool: [conv, Held([pool])],
    ],
)
def test_predictions_of_convolution_and_pooling_in_rows_are_the_forward_ones_bit_for_bit(make):
    made = make(layers.Conv2D(4, 3, activation="relu"), layers.MaxPool2D(2))
    model = Sequential([*made, Chain([layers.Flatten(), Dense(3)])], (8, 8, 2))
    model.compile(optim.SGD(0.1), LOSS)
    random = np.random.default_rng(0)
    x, y = random.normal(size=(70, 8, 8, 2)).astype(np.float32), random.integers(0, 3, 70)
    for _ in range(3):
        for part in (x, x[:1], x):
            np.testing.assert_array_equal(model.predict(part), model.forward(part))
        model.train_on_batch(x, y)


def test_convolution_and_pooling_in_nested_rows_are_run_as_one():
    row = Chain([Chain([layers.Conv2D(4, 3, activation="relu")]), Chain([layers.MaxPool2D(2)])])
    model = Sequential([row, layers.Flatten(), Dense(3)], (8, 8, 2))
    assert [type(layer).__name__ for layer in model.fused().layers] == ["ConvPool", "Flatten", "Dense"]


# What refers back


def test_a_layer_may_know_its_model():
    model = model_of([Times(), Dense(3)])
    model.layers[0].owner = model
    check_steps(model, *problem())
    assert len(model.parameters) == 2


def test_a_sublayer_may_know_the_layer_around_it():
    class Knowing(Residual):
        def __post_init__(self):
            super().__post_init__()
            self.first.parent = self

    try:
        model = model_of([Knowing(4), Dense(3)])
    except (ValueError, TypeError) as error:
        assert "parent" in str(error)  # noqa: PT017
    else:
        check_steps(model, *problem())


def test_the_loss_by_hand_is_that_of_the_forward_pass():
    model = model_of([Residual(4), Dense(3)])
    x, y = problem()
    value, gradients = by_hand(model, x, y)
    assert value == pytest.approx(LOSS(y, model.forward(x)), rel=1e-12)
    assert all(np.abs(gradient).max() > 0 for gradient in gradients)
