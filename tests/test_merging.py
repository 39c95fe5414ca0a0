"""Layers of several inputs, their kernels, and how they are built; the other layers are in test_layers.py."""

from __future__ import annotations

import inspect
import itertools
import json
from dataclasses import dataclass

import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_gather_gemm import Written, reads
from test_layers import check_close, remembered

import tinynet
from tinynet import layers
from tinynet.kernels import merging as kernels
from tinynet.kernels.cpu import VECTOR_BYTES
from tinynet.kernels.program import Program
from tinynet.layers.broadcasting import Spread
from tinynet.layers.config import layer_config, layer_from_config
from tinynet.layers.geometry import as_shape

KINDS = [layers.Add, layers.Subtract, layers.Average, layers.Multiply, layers.Maximum]
DTYPES = [np.float32, np.float64]

PAIRS = [
    [(5,), (5,)],
    [(3, 7, 5), (3, 7, 5)],
    [(3, 7, 5), (1, 1, 5)],  # a gate for channels
    [(5,), (3, 7, 5)],
    [(3, 7, 37), (3, 7, 1)],  # a gate for pixels
    [(1, 7, 1), (3, 7, 5)],
    [(3, 1), (1, 35)],  # both are spread
    [(1, 3, 1, 5), (4, 1, 2, 1)],
    [(3, 7, 5), (3, 1, 5)],
    [(2, 2, 2, 3, 2), (1, 2, 1, 3, 1)],
    [(3, 2, 2, 2, 3, 5), (1, 2, 1, 2, 1, 5)],
    [(3, 7, 5), ()],
    [(1, 5), (5,)],  # nothing is spread, but the shapes differ
    [(1, 1), (1,)],
]
MORE = [
    [(4, 5)],
    [(17,)] * 3,
    [(3, 7, 5), (5,), (3, 1, 1), (1, 7, 5)],
    [(5,), (1, 1, 5), (3, 7, 5)],
    [(3, 1), (1, 5), (3, 1)],
    [(1, 5), (5,), (5,)],
]
CONCATENATIONS = [
    (-1, [(3,), (5,), (1,)]),
    (-1, [(3, 7, 16), (3, 7, 33)]),
    (1, [(3, 7, 5), (1, 7, 5), (2, 7, 5)]),
    (2, [(3, 7, 5), (3, 1, 5)]),
    (-2, [(3, 7, 5), (3, 1, 5)]),
    (3, [(3, 7, 5), (3, 7, 5)]),
    (-1, [(4, 5)]),
]


@dataclass
class Case:
    """A layer's constructor, the shapes that it is built for, and `reference(layer, inputs, dy)`."""

    make: object
    shapes: list
    samples: int = 4

    def build(self, dtype="float32"):
        layer = self.make()
        layer.build(self.shapes, dtype=dtype)
        return layer

    def data(self, layer, seed=1):
        random = np.random.default_rng(seed)
        *inputs, dy = (
            random.normal(size=(self.samples, *shape)).astype(layer.dtype)
            for shape in (*self.shapes, layer.output_shape)
        )
        return inputs, dy


def reference(layer, inputs, dy):
    """Return y and the gradients."""
    if isinstance(layer, layers.Concatenate):
        axis = layer.axis % inputs[0].ndim
        ends = np.cumsum([x.shape[axis] for x in inputs])
        y = np.concatenate(inputs, axis).astype(np.float64)
        return y, [
            dy.take(range(end - x.shape[axis], end), axis) for end, x in zip(ends, inputs, strict=True)
        ]
    return naive.merge(type(layer).__name__, inputs, dy)


CASES = [
    *(Case(kind, shapes) for kind in KINDS for shapes in PAIRS),
    *(Case(kind, shapes) for kind in KINDS if kind is not layers.Subtract for shapes in MORE),
    *(Case(lambda a=axis: layers.Concatenate(a), shapes) for axis, shapes in CONCATENATIONS),
    *(Case(kind, [(3, 2), (2,)], samples=1) for kind in KINDS),
]


def case_name(case):
    return f"{case.make()!r}-{case.shapes}-{case.samples}"


every_case = pytest.mark.parametrize("case", CASES, ids=case_name)
each_kind = pytest.mark.parametrize(
    "case",
    [*(Case(kind, [(3, 7, 5), (5,)]) for kind in KINDS), Case(layers.Concatenate, [(3, 5), (3, 2)])],
    ids=case_name,
)


def test_every_layer_of_several_inputs_has_a_case():
    kinds = {
        value
        for value in vars(layers).values()
        if inspect.isclass(value) and issubclass(value, layers.Layer) and value.takes_several
    }
    assert {type(case.make()) for case in CASES} == kinds


@every_case
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_forward_and_backward_against_naive(case, dtype):
    layer = case.build(dtype)
    assert layer.input_shape == tuple(case.shapes)
    inputs, dy = case.data(layer)
    y, gradients = reference(layer, inputs, dy)
    check_close(layer.forward(inputs), y, dtype)
    check_close(layer.forward(tuple(inputs), training=True), y, dtype)
    for actual, expected in zip(layer.backward(dy), gradients, strict=True):
        check_close(actual, expected, dtype)


@every_case
def test_gradients_are_those_of_the_forward_pass(case):
    layer = case.build("float64")
    inputs, dy = case.data(layer)
    layer.forward(inputs, training=True)
    step = 1e-5
    for x, gradient in zip(inputs, layer.backward(dy), strict=True):
        numeric = np.zeros(x.shape)
        for place in np.ndindex(x.shape):
            old, values = x[place], []
            for moved in (old + step, old - step):
                x[place] = moved
                values.append(np.sum(layer.forward(inputs) * dy))
            x[place] = old
            numeric[place] = (values[0] - values[1]) / (2 * step)
        np.testing.assert_allclose(gradient, numeric, rtol=0, atol=1e-8 * max(1, np.abs(numeric).max()))


shapes_to_broadcast = st.lists(st.integers(1, 6), max_size=5).flatmap(
    lambda whole: st.lists(
        st.tuples(st.integers(0, len(whole)), *[st.booleans()] * len(whole)).map(
            lambda drawn: tuple(size if keeps else 1 for size, keeps in zip(whole, drawn[1:], strict=True))[
                drawn[0] :
            ]
        ),
        min_size=1,
        max_size=4,
    )
)


@settings(max_examples=150)
@given(
    st.sampled_from(KINDS),
    shapes_to_broadcast,
    st.integers(1, 3),
    st.booleans(),
    st.sampled_from(["float32", "float64"]),
)
def test_random_shapes(kind, shapes, samples, ties, dtype):
    if kind is layers.Subtract:
        shapes = [shapes[0], shapes[-1]]
    case = Case(kind, shapes, samples)
    layer = case.build(dtype)
    assert layer.output_shape == np.broadcast_shapes(*shapes)
    inputs, dy = case.data(layer)
    if ties:
        inputs = [np.round(x) for x in inputs]  # many equal values: the gradient goes to the first
    y, gradients = naive.merge(kind.__name__, inputs, dy)
    check_close(layer.forward(inputs, training=True), y, dtype)
    for actual, expected in zip(layer.backward(dy), gradients, strict=True):
        check_close(actual, expected, dtype)


@settings(max_examples=60)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.data())
def test_random_concatenations(shape, data):
    axis = data.draw(st.integers(1, len(shape)))
    sizes = data.draw(st.lists(st.integers(1, 40), min_size=1, max_size=4))
    shapes = [(*shape[: axis - 1], size, *shape[axis:]) for size in sizes]
    signed = axis - data.draw(st.sampled_from([0, len(shape) + 1]))
    case = Case(lambda: layers.Concatenate(signed), shapes, data.draw(st.integers(1, 3)))
    layer = case.build()
    inputs, dy = case.data(layer)
    np.testing.assert_array_equal(layer.forward(inputs, training=True), np.concatenate(inputs, axis))
    pieces = np.split(dy, np.cumsum(sizes)[:-1], axis)
    for actual, expected in zip(layer.backward(dy), pieces, strict=True):
        np.testing.assert_array_equal(actual, expected)


# By hand: layer, inputs, y, dy, gradients.
LITERALS = [
    (layers.Add(), [[1, 2], [10, 20]], [11, 22], [5, 7], [[5, 7], [5, 7]]),
    (
        layers.Add(),
        [[[1, 2], [3, 4]], [10, 20]],
        [[11, 22], [13, 24]],
        [[1, 2], [4, 8]],
        [[[1, 2], [4, 8]], [5, 10]],
    ),
    (layers.Subtract(), [[1, 2], [10, 20]], [-9, -18], [5, 7], [[5, 7], [-5, -7]]),
    (
        layers.Subtract(),
        [[10, 20], [[1], [2]]],
        [[9, 19], [8, 18]],
        [[1, 2], [4, 8]],
        [[5, 10], [[-3], [-12]]],
    ),
    (layers.Average(), [[1, 2], [3, 4], [8, 12]], [4, 6], [3, 9], [[1, 3]] * 3),
    (layers.Multiply(), [[2, 3], [5, 7]], [10, 21], [1, 10], [[5, 70], [2, 30]]),
    (layers.Multiply(), [[2, 0], [5, 0], [3, 4]], [30, 0], [1, 1], [[15, 0], [6, 0], [10, 0]]),
    (
        layers.Multiply(),
        [[[1, 2], [3, 4]], [[10], [0]]],
        [[10, 20], [0, 0]],
        [[1, 1], [1, 2]],
        [[[10, 10], [0, 0]], [[3], [11]]],
    ),
    (layers.Maximum(), [[1, 5, 3], [2, 4, 3]], [2, 5, 3], [7, 8, 9], [[0, 8, 9], [7, 0, 0]]),
    (layers.Maximum(), [[2], [1, 2, 3]], [2, 2, 3], [7, 8, 9], [[15], [0, 0, 9]]),
    (
        layers.Concatenate(),
        [[[1], [2]], [[3, 4], [5, 6]]],
        [[1, 3, 4], [2, 5, 6]],
        [[7, 8, 9], [1, 2, 3]],
        [[[7], [1]], [[8, 9], [2, 3]]],
    ),
    (
        layers.Concatenate(1),
        [[[1, 2]], [[3, 4], [5, 6]]],
        [[1, 2], [3, 4], [5, 6]],
        [[7, 8], [9, 1], [2, 3]],
        [[[7, 8]], [[9, 1], [2, 3]]],
    ),
]


@pytest.mark.parametrize(
    ("layer", "inputs", "y", "dy", "gradients"), LITERALS, ids=lambda value: repr(value)[:40]
)
def test_worked_by_hand(layer, inputs, y, dy, gradients):
    layer.build([np.shape(x) for x in inputs], dtype="float64")
    np.testing.assert_array_equal(layer.forward([[x] for x in inputs], training=True), [y])
    for actual, expected in zip(layer.backward([dy]), gradients, strict=True):
        np.testing.assert_array_equal(actual, [expected])


@pytest.mark.parametrize("kind", [*KINDS, layers.Concatenate])
def test_a_single_input_is_returned_as_it_is(kind):
    layer = kind()
    if kind is layers.Subtract:
        with pytest.raises(ValueError, match=r"Subtract takes two inputs; got 1: \(\(3,\),\)"):
            layer.build([(3,)])
        return
    assert layer.build([(3,)]) == (3,)
    x = np.ones((2, 3), np.float32)
    assert layer.forward([x], training=True) is x
    (dx,) = layer.backward(x)
    assert dx is x


# Special numbers


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shapes", [[(100,), (100,)], [(10, 10), (10, 1)], [(10,), (10, 10)]], ids=str)
def test_nan_and_infinities_are_numpy_s(shapes, dtype):
    special = np.array(
        [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -2.0, 3.0, np.finfo(dtype).max, 1e-30], dtype
    )
    first, second = (x.reshape(-1) for x in np.meshgrid(special, special))
    if shapes[0] != shapes[1]:
        second = special
    if len(shapes[1]) > len(shapes[0]):
        first, second = second, first
    inputs = [x.reshape(1, *shape) for x, shape in zip((first, second), shapes, strict=True)]
    operations = {
        layers.Add: np.add, layers.Subtract: np.subtract, layers.Multiply: np.multiply,
        layers.Maximum: np.maximum, layers.Average: lambda a, b: (a + b) / dtype(2),
    }  # fmt: skip
    for kind, operation in operations.items():
        layer = kind()
        layer.build(shapes, dtype=dtype)
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(layer.forward(inputs), operation(*inputs))


def test_the_gradient_of_a_maximum_that_is_nan_is_zero():
    layer = layers.Maximum()
    layer.build([(4,), (4,), (4,)])
    x = [[[np.nan, 1, 2, 3]], [[1, np.nan, 2, -np.inf]], [[1, 1, np.nan, np.inf]]]
    assert np.isnan(layer.forward(x, training=True)).tolist() == [[True, True, True, False]]
    for gradient, last in zip(layer.backward([[5, 6, 7, 8]]), (0, 0, 8), strict=True):
        np.testing.assert_array_equal(gradient, [[0, 0, 0, last]])


def test_concatenate_copies_every_bit():
    layer = layers.Concatenate()
    layer.build([(2,), (3,)])
    x = [np.array([[-0.0, np.nan]], np.float32), np.array([[np.inf, 1e-45, -np.inf]], np.float32)]
    y = layer.forward(x, training=True)
    assert y.tobytes() == np.concatenate(x, 1).tobytes()
    assert [dx.tobytes() for dx in layer.backward(y)] == [one.tobytes() for one in x]


@pytest.mark.parametrize("part", [(), (16,), (300, 1, 1), (1, 300, 1), (1, 300, 16)], ids=str)
def test_long_sums_of_float32_are_accurate(part):
    layer = layers.Add()
    layer.build([(300, 300, 16), part])
    random = np.random.default_rng(0)
    dy = (random.normal(size=(1, 300, 300, 16)) + 1000).astype(np.float32)
    layer.forward([np.zeros((1, *shape)) for shape in layer.input_shape], training=True)
    exact = naive_sum(dy.astype(np.float64), part)
    np.testing.assert_allclose(layer.backward(dy)[1], exact, rtol=1e-6)


def naive_sum(dy, part):
    """Sum over the axes that a part does not have."""
    padded = (1,) * (dy.ndim - 1 - len(part)) + part
    axes = tuple(axis for axis, size in enumerate(padded, start=1) if size == 1)
    return dy.sum(axis=axes, keepdims=True).reshape(len(dy), *part)


# What all layers promise


@every_case
def test_an_empty_batch_has_an_empty_result(case):
    layer = case.build()
    y = layer.forward([np.zeros((0, *shape)) for shape in case.shapes], training=True)
    assert y.shape == (0, *layer.output_shape)
    assert [dx.shape for dx in layer.backward(y)] == [(0, *shape) for shape in case.shapes]


@every_case
def test_same_bits_however_the_batch_is_cut(case):
    layer = case.build()
    case = Case(case.make, case.shapes, samples=11)
    inputs, dy = case.data(layer)
    whole = [layer.forward(inputs, training=True), *layer.backward(dy)]
    for cut in (1, 4, 10):
        pieces = []
        for part in (slice(0, cut), slice(cut, None)):
            y = layer.forward([x[part] for x in inputs], training=True)
            pieces.append([y, *layer.backward(dy[part])])
        for together, apart in zip(whole, zip(*pieces, strict=True), strict=True):
            np.testing.assert_array_equal(np.concatenate(apart), together)


@every_case
def test_arguments_and_earlier_results_are_never_written(case):
    layer = case.build()
    inputs, dy = case.data(layer)
    results = [layer.forward(inputs), layer.forward(inputs, training=True), *layer.backward(dy)]
    held = [*inputs, dy, *results]
    before = [array.copy() for array in held]
    layer.forward([x + 1 for x in inputs], training=True)
    layer.backward(1 - dy)
    layer.backward(dy)
    for array, copied in zip(held, before, strict=True):
        np.testing.assert_array_equal(array, copied)


@each_kind
def test_inference_writes_nothing_on_the_layer(case):
    layer = case.build()
    inputs, dy = case.data(layer)
    for candidate in (layer, layer.replica()):
        layer.forward(inputs, training=True)
        before, held = remembered(candidate), dict(vars(candidate))
        candidate.forward([2 * x for x in inputs])
        assert repr(remembered(candidate)) == repr(before)
        assert all(vars(candidate)[name] is value for name, value in held.items())
        y = candidate.forward(inputs, training=True)
        copied = y.copy()
        candidate.forward([2 * x for x in inputs])
        np.testing.assert_array_equal(y, copied)
    expected = layer.backward(dy)
    layer.forward([3 * x for x in inputs])
    for actual, wanted in zip(layer.backward(dy), expected, strict=True):
        np.testing.assert_array_equal(actual, wanted)


@each_kind
def test_backward_needs_a_training_forward(case):
    layer = case.build()
    inputs, dy = case.data(layer)
    message = f"{type(layer).__name__}: backward needs a forward"
    with pytest.raises(RuntimeError, match=message):
        layer.backward(dy)
    layer.forward(inputs)
    with pytest.raises(RuntimeError, match=message):
        layer.backward(dy)
    layer.forward(inputs, training=True)
    layer.build(case.shapes)  # forgets
    with pytest.raises(RuntimeError, match=message):
        layer.backward(dy)


@every_case
def test_any_memory_order_and_number_type_is_taken(case):
    layer = case.build()
    inputs, dy = case.data(layer)
    inputs, dy = [np.round(4 * x) for x in inputs], np.round(4 * dy)  # which integers can hold
    expected = [layer.forward(inputs, training=True), *layer.backward(dy)]
    for change in (
        lambda a: np.asfortranarray(a),
        lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
        lambda a: np.ascontiguousarray(a[::-1])[::-1],
        lambda a: a.astype(np.float64),
        lambda a: a.astype(np.int64),
        lambda a: a.tolist(),
    ):
        actual = [layer.forward([change(x) for x in inputs], training=True), *layer.backward(change(dy))]
        for result, wanted in zip(actual, expected, strict=True):
            assert result.dtype == np.float32
            np.testing.assert_array_equal(result, wanted)


@every_case
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_replica_is_recorded_and_replayed_on_what_its_arrays_hold_now(case, dtype):
    layer = case.build(dtype)
    replica = layer.replica()
    inputs, dy = case.data(layer)
    program = Program()
    with program.recording():
        results = [replica.forward(inputs, training=True), *replica.backward(dy)]
    fixed = {id(array) for array in (*inputs, dy)}
    results = [array for array in results if id(array) not in fixed]
    for seed in (2, 3):
        new_inputs, new_dy = case.data(layer, seed)
        for array, values in zip([*inputs, dy], [*new_inputs, new_dy], strict=True):
            array[...] = values
        expected = [layer.forward(inputs, training=True), *layer.backward(dy)]
        expected = [array for array in expected if id(array) not in fixed]
        for array in results:
            if not any(np.shares_memory(array, other) for other in (*inputs, dy)):
                array[...] = np.nan
        program.run()
        for array, wanted in zip(results, expected, strict=True):
            assert array.tobytes() == wanted.tobytes()


@each_kind
def test_config_and_repr_are_the_call_that_makes_the_layer(case):
    layer = case.make()
    config = json.loads(json.dumps(layer_config(layer)))
    assert config["class"] == type(layer).__name__
    assert (
        layer_config(layer_from_config(config))
        == layer_config(eval(repr(layer), vars(layers).copy()))
        == config
    )


def test_the_axis_of_a_concatenation_is_kept():
    layer = layers.Concatenate(np.int64(2))
    assert repr(layers.Concatenate(2)) == "Concatenate(axis=2)"
    assert layer_config(layer) == {"class": "Concatenate", "axis": 2}
    assert layer_from_config(json.loads(json.dumps(layer_config(layer)))).axis == 2


# In a model


@dataclass(eq=False, repr=False)
class Gated(layers.Layer):
    """A residual block with a gate for its channels; it adds gradients by NumPy, so its steps are called."""

    def __post_init__(self):
        self.conv = layers.Conv2D(6, 3, padding="same", activation="relu")
        self.pool, self.gate = layers.GlobalAveragePool2D(), layers.Dense(6, activation="leaky_relu")
        self.scaled, self.sum, self.beside = layers.Multiply(), layers.Add(), layers.Concatenate()

    def declare(self, input_shape, random):
        shape = self.conv.build(input_shape)
        gate = self.gate.build(self.pool.build(shape))
        merged = self.sum.build([self.scaled.build([shape, gate]), shape])
        return self.beside.build([merged, input_shape])

    def forward(self, x, training=False):
        x = self.check_input(x)
        y = self.conv.forward(x, training)
        gate = self.gate.forward(self.pool.forward(y, training), training)
        merged = self.sum.forward([self.scaled.forward([y, gate], training), y], training)
        return self.beside.forward([merged, x], training)

    def backward(self, dy):
        dmerged, dx = self.beside.backward(dy)
        dscaled, dy = self.sum.backward(dmerged)
        dy_scaled, dgate = self.scaled.backward(dscaled)
        dpooled = self.pool.backward(self.gate.backward(dgate))
        dconv = np.asarray(dy) + dy_scaled + dpooled
        return self.conv.backward(dconv) + dx


def test_a_block_with_merging_layers_has_the_right_gradients():
    x = np.random.default_rng(0).normal(size=(3, 4, 5, 2))
    errors = tinynet.gradcheck(Gated(), x)
    assert set(errors) == {"conv/kernel", "conv/bias", "gate/kernel", "gate/bias", "x"}


@dataclass(eq=False, repr=False)
class Recorded(Gated, only_kernels=True):
    """The same block, which adds its gradients by layers, so that its steps are recorded."""

    def __post_init__(self):
        super().__post_init__()
        self.of_conv, self.of_x = layers.Add(), layers.Add()

    def declare(self, input_shape, random):
        shape = super().declare(input_shape, random)
        self.of_conv.build([self.conv.output_shape] * 3)
        self.of_x.build([input_shape] * 2)
        return shape

    def backward(self, dy):
        dmerged, dx = self.beside.backward(dy)
        dscaled, dy = self.sum.backward(dmerged)
        dy_scaled, dgate = self.scaled.backward(dscaled)
        dpooled = self.pool.backward(self.gate.backward(dgate))
        dconv = self.of_conv.forward([dy, dy_scaled, dpooled], training=True)
        return self.of_x.forward([self.conv.backward(dconv), dx], training=True)


def trained(kind, threads=1):
    """Return the weights after training a model with such a block, and its predictions."""
    tinynet.set_num_threads(threads)
    random = np.random.default_rng(0)
    x, y = random.normal(size=(64, 12, 12, 3)).astype(np.float32), random.integers(0, 4, 64)
    row = [layers.Conv2D(5, 1), kind(), layers.Flatten(), layers.Dense(4, activation="softmax")]
    model = tinynet.Sequential(row, (12, 12, 3), seed=0)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=32, epochs=3, verbose=0)
    return [*model.get_weights(), model.predict(x)]


def test_training_in_a_block_has_the_same_bits_on_any_number_of_threads(set_threads):
    assert Recorded().only_kernels
    assert not Gated().only_kernels
    expected = trained(Recorded)
    for threads in (2, 3):
        for actual, wanted in zip(trained(Recorded, threads), expected, strict=True):
            np.testing.assert_array_equal(actual, wanted)
    for actual, wanted in zip(trained(Gated), expected, strict=True):
        np.testing.assert_allclose(actual, wanted, rtol=0, atol=1e-4)


# Errors


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (3, (3,)),
        ([3, np.int64(4)], (3, 4)),
        (np.array([3, 4]), (3, 4)),
        ((), ()),
        ([(3, 4), [5]], ((3, 4), (5,))),
        (((), (5,)), ((), (5,))),
        ([()], ((),)),
        ([np.array([3]), (4,)], ((3,), (4,))),
    ],
)
def test_shapes(shape, expected):
    result = as_shape("Layer", shape)
    assert result == expected
    sizes = itertools.chain(*(part if isinstance(part, tuple) else [part] for part in result))
    assert all(type(size) is int for size in sizes)


@pytest.mark.parametrize(
    "shape",
    [0, -1, 1.5, "ab", "", None, (3, 0), [(3,), (0,)], [(3,), 4], [3, (4,)], [(3,), "ab"], [(3,), (1.5,)],
     [[(3,)]], [None, (3,)], [(3,), None], ["ab"], {3}],
)  # fmt: skip
def test_what_is_no_shape(shape):
    with pytest.raises(ValueError, match="Dense: input_shape must be positive integers") as caught:
        layers.Dense(1).build(shape)
    assert str(caught.value).endswith(f"got {shape!r}.")


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (layers.Dense(1), [(3,), (4, 5)], r"Dense takes one input; got 2: \(3,\), \(4, 5\)\.$"),
        (layers.ReLU(), [(3,)], r"ReLU takes one input; got 1: \(3,\)\.$"),
        (layers.Chain([layers.ReLU()]), [(3,), (3,)], "Chain takes one input; got 2"),
        (layers.Add(), (3, 4), r"Add takes several inputs: expected a list of their shapes.*got \(3, 4\)"),
        (layers.Add(), 3, r"Add takes several inputs: .*got \(3,\)"),
        (layers.Maximum(), [], r"Maximum takes several inputs: .*got \(\)"),
        (layers.Subtract(), [(3,)] * 3, r"Subtract takes two inputs; got 3"),
        (layers.Add(), [(2,), (3,)], r"Add: the input shapes \(2,\), \(3,\) do not fit: .* equal or 1"),
        (layers.Multiply(), [(4, 2), (4,)], r"Multiply: the input shapes \(4, 2\), \(4,\) do not fit"),
        (layers.Concatenate(), [(4, 2), (2,)], r"\(4, 2\), \(2,\) may differ only in axis -1"),
        (layers.Concatenate(), [(4, 2), (1, 2)], r"may differ only in axis -1"),
        (layers.Concatenate(1), [(4, 2), (4, 1)], r"may differ only in axis 1"),
        (layers.Concatenate(2), [(4, 2), (4,)], r"may differ only in axis 2"),
        (layers.Concatenate(3), [(4, 2)] * 2, r"inputs of shape \(4, 2\) have no axis 3 besides"),
        (layers.Concatenate(-3), [(4, 2)] * 2, r"inputs of shape \(4, 2\) have no axis -3 besides"),
        (layers.Concatenate(-4), [(4, 2)] * 2, r"inputs of shape \(4, 2\) have no axis -4 besides"),
        (layers.Concatenate(), [(), ()], r"inputs of shape \(\) have no axis -1 besides"),
    ],
    ids=repr,
)  # fmt: skip
def test_shapes_that_do_not_fit(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        layer.build(shape)


@pytest.mark.parametrize("axis", [0, np.int64(0), 1.0, True, None, "1"])
def test_an_axis_that_is_none(axis):
    with pytest.raises(
        ValueError, match="Concatenate: axis must be an integer, and not 0, the batch axis; got"
    ):
        layers.Concatenate(axis)


@each_kind
def test_inputs_that_do_not_fit(case):
    layer = case.build()
    layer.name = "third"
    inputs, dy = case.data(layer)
    title = f"{type(layer).__name__} 'third'"
    first, second = (str((4, *shape)) for shape in case.shapes)
    number = "expected a list of arrays, one for each of the 2 inputs that the layer was built for; got "
    for wrong, message in [
        (inputs[0], f"{number}one value of shape {first}."),
        (inputs[:1], f"{number}1."),
        ([*inputs, inputs[0]], f"{number}3."),
        (inputs[::-1], f"expected x[0] of shape (N{first[2:]}, as the layer was built; got {second}."),
        ([inputs[0], dy[..., :1]], f"expected x[1] of shape (N{second[2:]}, as the layer was built; got "),
        ([inputs[0], 3.0], f"expected x[1] of shape (N{second[2:]}, as the layer was built; got ()."),
        ([inputs[0], inputs[1][:1]], "all inputs need the same number of samples; got 4, 1."),
    ]:
        with pytest.raises(ValueError, match=f"^{title}: ") as caught:
            layer.forward(wrong)
        assert str(caught.value).startswith(f"{title}: {message}")
    layer.forward(inputs, training=True)
    with pytest.raises(ValueError, match=f"{title}: expected dy of shape"):
        layer.backward(dy[:1])
    with pytest.raises(RuntimeError, match=f"{type(layer).__name__} is not built"):
        case.make().forward(inputs)


def test_a_number_is_no_batch_of_numbers():
    layer = layers.Add()
    assert layer.build([(), ()]) == ()
    np.testing.assert_array_equal(layer.forward([[1.0], [2.0]]), [3.0])
    with pytest.raises(ValueError, match=r"Add: expected x\[1\] of shape \(N, \), as the layer .*got \(\)"):
        layer.forward([[1.0], 2.0])


def test_a_layer_of_ones_own_may_take_several_inputs():
    class Stacked(layers.Layer):
        takes_several = True

        def declare(self, input_shape, random):
            return (len(input_shape), *input_shape[0])

    layer = Stacked()
    assert layer.build([(3,), (3,)]) == (2, 3)
    with pytest.raises(ValueError, match="Stacked takes several inputs"):
        layer.build(3)


# Kernels


def spreads():
    """Return shapes of a part and of a whole, on and around the edges of vectors."""
    lanes = VECTOR_BYTES // 4
    for width in (1, 3, lanes - 1, lanes, lanes + 1, 4 * lanes + 5):
        yield (width,), (width,)
        yield (1, width), (7, width)
        yield (7, 1), (7, width)
        yield (1, 3, 1), (5, 3, width)
        yield (3, 1, width), (3, 5, width)
    yield (1, 3), (kernels.CHUNK + 1, 3)
    yield (1, 3), (4 * kernels.CHUNK + 2, 3)
    yield (1,), (kernels.CHUNK * lanes + 1,)
    yield (1,), (3 * kernels.CHUNK * lanes,)
    yield (1, 3, 1, 2), (2, 3, 4, 2)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("part", "whole"), [*spreads()], ids=str)
def test_kernels_touch_nothing_else(part, whole, dtype):
    random, spread = np.random.default_rng(0), Spread.of(part, whole)
    a, dy, factors = random.integers(-3, 4, (3, 2, *whole)).astype(dtype)
    b = random.integers(-3, 4, (2, *part)).astype(dtype)
    r, s = (np.pad(offsets, 1, constant_values=2**40)[1:-1] for offsets in (spread.r, spread.s))

    def check(written, kernel, *arguments, expected):
        kernel(*(spread.rows(x) for x in arguments), r, s)
        written.check(expected)

    for operation, function in [
        (kernels.COPY, lambda a, b: b + 0 * a), (kernels.ADD, np.add), (kernels.SUBTRACT, np.subtract),
        (kernels.MULTIPLY, np.multiply), (kernels.LARGER, np.maximum),
    ]:  # fmt: skip
        for divisor in (1.0, -4.0):
            y = Written(a.shape, dtype)
            rows = (spread.rows(x) for x in (reads(a), reads(b), y.array))
            kernels.combine(*rows, r, s, operation, divisor)
            y.check(function(a, b) / dtype(divisor))
            y.array[...] = a  # in place
            kernels.combine(
                spread.rows(y.array), spread.rows(reads(b)), spread.rows(y.array), r, s, operation, divisor
            )
            y.check(function(a, b) / dtype(divisor))

    nothing = np.empty((0, 0), dtype)
    for weights, divisor in itertools.product((None, factors), (1.0, -4.0)):
        x = Written(b.shape, dtype)
        second = nothing if weights is None else spread.rows(reads(weights))
        kernels.gather_sum(spread.rows(reads(a)), second, spread.rows(x.array), r, s, divisor)
        product = a.astype(np.float64) * (1 if weights is None else weights)
        axes = tuple(k for k, size in enumerate(part, start=1) if size == 1)
        x.check(product.sum(axis=axes, keepdims=True) / divisor)

    y = np.maximum(a, b)
    here, rest = Written(a.shape, dtype), Written(a.shape, dtype)
    rows = [spread.rows(reads(x)) for x in (b, y, dy)]
    kernels.largest_gradient(*rows, spread.rows(here.array), spread.rows(rest.array), r, s)
    mine = np.broadcast_to(b, a.shape) == y
    here.check(np.where(mine, dy, 0))
    rest.check(np.where(mine, 0, dy))
    kernels.largest_gradient(*rows, spread.rows(here.array), nothing, r, s)
    here.check(np.where(mine, dy, 0))
    rest.array[...] = dy  # in place
    rows[2] = spread.rows(rest.array)
    kernels.largest_gradient(*rows, spread.rows(here.array), rows[2], r, s)
    rest.check(np.where(mine, 0, dy))


@pytest.mark.parametrize("dtype", DTYPES)
def test_columns_are_copied_and_no_others(dtype):
    lanes = VECTOR_BYTES // np.dtype(dtype).itemsize
    for width, first, start in itertools.product((0, 1, lanes - 1, lanes, 2 * lanes + 1), (0, 3), (0, 2)):
        x = np.random.default_rng(0).normal(size=(3, first + width + 1)).astype(dtype)
        y = Written((3, start + width + 2), dtype)
        expected = y.array.copy()
        expected[:, start : start + width] = x[:, first : first + width]
        kernels.copy_columns(reads(x), first, y.array, start, width)
        y.check(expected)


@pytest.mark.parametrize("name", ["add", "average", "concatenate", "maximum", "multiply", "subtract"])
def test_functions_merge_as_their_layers_do(name):
    from tinynet import Input, Model, layers

    a, b = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    expected = getattr(layers, name.capitalize())()([a, b])
    np.testing.assert_array_equal(getattr(layers, name)([a, b]), expected)
    inputs = [Input((3,)), Input((3,))]
    model = Model(inputs, getattr(layers, name)(inputs, name="merged"))
    np.testing.assert_array_equal(model.predict([a, b]), expected)
    assert model.layers[-1].name == "merged"


def test_concatenate_takes_an_axis():
    assert layers.concatenate([np.ones((2, 3, 4)), np.ones((2, 1, 4))], axis=1).shape == (2, 4, 4)
