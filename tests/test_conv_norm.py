"""A convolution and the normalization after it as one, against the layers one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynet
from tinynet import Sequential, layers, optim
from tinynet.execution.meeting import together
from tinynet.layers import conv_norm, conv_pool
from tinynet.layers.conv_norm import ConvNorm
from tinynet.layers.flow import Flow

DTYPES = ["float32", "float64"]
TOLERANCE = {"float32": 2e-5, "float64": 1e-11}
WINOGRAD = {"kernel_size": 3, "method": "winograd"}
CASES = [  # of the convolution, of the normalization, ReLU, of the pooling, shape
    ({"filters": 4, "kernel_size": 3, "padding": "same"}, {}, True, {}, (6, 8, 2)),
    ({"filters": 17, "kernel_size": (2, 3)}, {"scale": False}, True, {"pool_size": (2, 3)}, (8, 13, 3)),
    ({"filters": 3, "kernel_size": 1, "use_bias": False}, {"center": False}, False, {}, (7, 9, 5)),
    ({"filters": 6, "kernel_size": 3, "groups": 2, "dilation_rate": 2}, {}, True, {}, (9, 8, 4)),
    ({"filters": 5, "kernel_size": 4, "strides": (2, 1), "padding": "same"}, {}, True, {}, (9, 5, 1)),
    ({"filters": 5, "kernel_size": 3, "strides": 2}, {}, True, None, (9, 10, 3)),
    ({"filters": 33, "kernel_size": 3}, {"epsilon": 0.1}, False, None, (4, 3, 2)),
    ({**WINOGRAD, "filters": 4, "padding": "same"}, {}, True, {}, (6, 8, 2)),
    ({**WINOGRAD, "filters": 19, "padding": "same"}, {}, True, None, (5, 3, 17)),
    ({**WINOGRAD, "filters": 3, "use_bias": False}, {"scale": False, "center": False}, True, {}, (7, 8, 5)),
]  # fmt: skip


def parts_of(case):
    of_conv, of_norm, relu, of_pool, _ = case
    parts = [layers.Conv2D(**of_conv), layers.BatchNormalization(**of_norm)]
    parts += [layers.ReLU()] * relu
    return parts + ([] if of_pool is None else [layers.MaxPool2D(**of_pool)])


def make(case, dtype, trainable=True):
    """Return a model of the layers, with numbers that are no initial ones."""
    model = Sequential(parts_of(case), case[-1], seed=0, dtype=dtype)
    model.layers[1].trainable = trainable
    random = np.random.default_rng(1)
    for parameter in model.parameters:
        low, high = (0.3, 2) if parameter.name == "moving_variance" else (-1, 1)
        parameter.value = random.uniform(low, high, parameter.shape)
    return model


def fused(model):
    (layer,) = model.fused().layers
    assert type(layer) is ConvNorm
    return layer


def problem(model, samples, dtype):
    random = np.random.default_rng(samples)
    shapes = (samples, *model.input_shape), (samples, *model.output_shape)
    return [random.normal(size=shape).astype(dtype) for shape in shapes]


def check_training(case, dtype, samples, trainable=True, needs_input_gradient=True):
    one, other = make(case, dtype, trainable), make(case, dtype, trainable)
    both = fused(other)
    both.needs_input_gradient = needs_input_gradient
    x, dy = problem(one, samples, dtype)
    atol = TOLERANCE[dtype]
    y = one.forward(x, training=True)
    result = both.forward(x, training=True)
    np.testing.assert_allclose(result, y, rtol=0, atol=atol)
    dx = one.backward(dy)
    for parameter in both.parameters:
        parameter.grad[...] = np.nan
    got = both.backward(dy)
    assert got.dtype == dtype
    if needs_input_gradient:
        np.testing.assert_allclose(got, dx, rtol=0, atol=atol * max(1, np.abs(dx).max()))
    else:
        assert got.size == 0
    for parameter, wanted in zip(other.parameters, one.parameters, strict=True):
        if parameter.trainable:
            scale = max(1.0, *(np.abs(p.grad).max() for p in one.parameters))
            np.testing.assert_allclose(parameter.grad, wanted.grad, rtol=0, atol=atol * scale)
        np.testing.assert_allclose(parameter.value, wanted.value, rtol=0, atol=atol)


@pytest.mark.parametrize("trainable", [True, False])
@pytest.mark.parametrize("samples", [1, 5])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES)
def test_training_is_that_of_the_layers(case, dtype, samples, trainable):
    check_training(case, dtype, samples, trainable)


@pytest.mark.parametrize("size", [1, 2, 9])
@pytest.mark.parametrize("case", [CASES[0], CASES[5], CASES[7]])
def test_parts_of_a_batch_and_no_gradient_of_the_input(monkeypatch, case, size):
    conv = make(case, "float32").layers[0]
    monkeypatch.setattr(conv_pool, "PART_BYTES", size * 4 * int(np.prod(conv.output_shape)))
    check_training(case, "float32", 5, needs_input_gradient=False)


FIRST = [  # layers, of which the statistics follow from the windows' moments
    ({"filters": 9, "kernel_size": 3, "padding": "same"}, {}, True, {}, (6, 8, 1)),
    ({"filters": 33, "kernel_size": 3, "use_bias": False}, {"scale": False}, True, {}, (9, 20, 3)),
    ({"filters": 17, "kernel_size": (2, 4)}, {"center": False}, False, {}, (7, 8, 2)),
    ({"filters": 8, "kernel_size": 1, "padding": "same"}, {"epsilon": 0.1}, True, {}, (3, 5, 4)),
]


@pytest.mark.parametrize("trainable", [True, False])
@pytest.mark.parametrize("samples", [1, 5])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", FIRST)
def test_a_first_layer(case, dtype, samples, trainable):
    both = fused(make(case, dtype, trainable))
    assert not both.sees_windows
    both.needs_input_gradient = False
    assert both.sees_windows
    check_training(case, dtype, samples, trainable, needs_input_gradient=False)


def test_which_first_layers_see_windows():
    for change in ({"filters": 8}, {"strides": 2}, {"kernel_size": (3, 4)}, {"method": "winograd"}):
        both = fused(make((FIRST[0][0] | change, {}, True, {}, (6, 8, 1)), "float32"))
        both.needs_input_gradient = False
        assert not both.sees_windows
    for pool in (None, {"pool_size": (2, 3)}):
        both = fused(make((*FIRST[0][:3], pool, (6, 8, 1)), "float32"))
        both.needs_input_gradient = False
        assert not both.sees_windows


@pytest.mark.parametrize("samples", [1, 2, 70])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES)
def test_predictions_are_those_of_the_layers(case, dtype, samples):
    model = make(case, dtype)
    assert type(fused(model)) is ConvNorm
    x, _ = problem(model, samples, dtype)
    y = model.forward(x)
    largest = max(1.0, np.abs(y).max())
    np.testing.assert_allclose(
        model.predict(x), y, rtol=0, atol=largest * {"float32": 1e-6, "float64": 1e-14}[dtype]
    )
    if samples > 2:
        for part in (slice(0, 1), slice(3, 10)):  # no bit depends on the batch
            np.testing.assert_array_equal(model.predict(x[part]), model.predict(x)[part])


@pytest.mark.parametrize("case", [CASES[0], CASES[5]])
def test_more_weights_than_are_worth_it_are_not_folded(monkeypatch, case):
    model = make(case, "float32")
    conv, x = model.layers[0], problem(model, 3, "float32")[0]
    assert fused(model).folds
    monkeypatch.setattr(conv_norm, "MOST_FOLDED", conv.kernel.value.size - 1)
    assert fused(model).folds == (conv.kernel.value.size <= np.prod(conv.output_shape))
    monkeypatch.setattr(ConvNorm, "folds", False)
    np.testing.assert_array_equal(model.predict(x), model.forward(x))


@pytest.mark.parametrize("case", [CASES[0], CASES[3], CASES[7]])
def test_weights_that_change_in_place_count_at_once(case):
    model = make(case, "float32")
    x, _ = problem(model, 3, "float32")
    conv, norm = model.layers[:2]
    parameters = conv.kernel, conv.bias, norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance
    for parameter in parameters:
        before = model.predict(x)
        parameter.value[...] = 1.5 * parameter.value + 0.1
        assert np.abs(model.predict(x) - before).max() > 1e-3
        np.testing.assert_allclose(model.predict(x), model.forward(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", [CASES[0], CASES[8]])
def test_numbers_at_the_edge(case, dtype):
    model = make(case, dtype)
    x, _ = problem(model, 3, dtype)
    norm, rtol = model.layers[1], {"float32": 2e-6, "float64": 1e-14}[dtype]
    norm.moving_variance.value[0] = 0
    norm.gamma.value[:4] = 1, 0, 1e20, np.nan
    y, expected = model.predict(x), model.forward(x)
    np.testing.assert_array_equal(y[..., 1], np.maximum(norm.beta.value[1], 0))
    assert np.isnan(y[..., 3]).all()
    for channel in range(y.shape[-1]):
        largest = np.abs(expected[..., channel]).max()
        np.testing.assert_allclose(
            y[..., channel], expected[..., channel], rtol=0, atol=rtol * max(largest, 1)
        )


def test_nothing_becomes_of_nothing():
    both = fused(make(CASES[0], "float32"))
    shape = (0, *both.output_shape)
    assert both.forward(np.zeros((0, 6, 8, 2))).shape == shape
    assert both.forward(np.zeros((0, 6, 8, 2)), training=True).shape == shape
    assert both.backward(np.zeros(shape)).shape == (0, 6, 8, 2)
    assert not both.conv.kernel.grad.any()


@pytest.mark.parametrize("trainable", [True, False])
@pytest.mark.parametrize("case", [*CASES, *FIRST])
def test_gradients_are_the_slopes_of_the_output(case, trainable):
    both = fused(make(case, "float64", trainable))
    both.needs_input_gradient = case not in FIRST
    x, dy = problem(both, 3, "float64")
    kept = [p.value.copy() for p in both.parameters]

    def value():
        for parameter, old in zip(both.parameters, kept, strict=True):
            if not parameter.trainable:
                parameter.value = old
        return float(np.vdot(both.forward(x, training=True), dy))

    value()
    dx = both.backward(dy)
    arrays = [(x, dx)] if both.needs_input_gradient else []
    arrays += [(p.value, p.grad.copy()) for p in both.parameters if p.trainable]
    step, random = 1e-6, np.random.default_rng(0)
    for array, gradient in arrays:
        for place in random.permutation(array.size)[:20]:
            index, sums = np.unravel_index(place, array.shape), []
            old = array[index]
            for moved in (old - step, old + step):
                array[index] = moved
                sums.append(value())
            array[index] = old
            assert (sums[1] - sums[0]) / (2 * step) == pytest.approx(gradient[index], rel=1e-4, abs=1e-5)


@settings(max_examples=30)
@given(
    st.tuples(st.integers(3, 9), st.integers(3, 9), st.integers(1, 18)),
    st.integers(1, 3),
    st.sampled_from(["valid", "same"]),
    st.integers(1, 20),
    st.booleans(),
    st.sampled_from([None, {}, {"pool_size": 1}]),
    st.integers(1, 4),
)
def test_random_geometry(shape, size, padding, filters, relu, pool, samples):
    of_conv = {"filters": filters, "kernel_size": size, "padding": padding}
    if pool is not None and padding == "valid" and min(shape[:2]) - size + 1 < 2:
        pool = {"pool_size": 1}
    case = (of_conv, {}, relu, pool, shape)
    check_training(case, "float64", samples)
    check_training(case, "float64", samples, trainable=False)


# Steps


def network(dtype="float64"):
    parts = [
        layers.Conv2D(16, 3, padding="same"), layers.BatchNormalization(), layers.ReLU(), layers.MaxPool2D(2),
        layers.Dropout(0.2), layers.Conv2D(8, 3, padding="same", use_bias=False), layers.BatchNormalization(),
        layers.ReLU(), layers.MaxPool2D(2), layers.Flatten(), layers.Dense(7), layers.BatchNormalization(),
        layers.ReLU(), layers.Dense(3, activation="softmax"),
    ]  # fmt: skip
    return Sequential(parts, (13, 12, 1), seed=0, dtype=dtype)


def kinds(flow):
    return [type(layer).__name__ for layer in flow.layers]


def test_a_step_is_that_of_the_layers_one_by_one():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(11, 13, 12, 1)), random.integers(0, 3, 11)
    model, loss = network(), tinynet.losses.SparseCategoricalCrossentropy()
    model.compile(optim.SGD(0.1))
    joined = ["ConvNorm", "Dropout", "ConvNorm", "Flatten", "Dense", "BatchNormalization", "Dense"]
    assert kinds(model.trainer.flow()) == joined
    for layer in model.layers:
        layer.step = 0
    kept = [p.value.copy() for p in model.parameters if not p.trainable]
    model.backward(loss.gradient(y, model.forward(x, training=True)))
    expected = [p.value - 0.1 * p.grad if p.trainable else p.value.copy() for p in model.parameters]
    for parameter, value in zip([p for p in model.parameters if not p.trainable], kept, strict=True):
        parameter.value = value
    model.train_on_batch(x, y)
    for parameter, value in zip(model.parameters, expected, strict=True):
        np.testing.assert_allclose(parameter.value, value, rtol=1e-9, atol=1e-11)


def test_the_same_bits_on_any_number_of_threads():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(50, 13, 12, 1)), random.integers(0, 3, 50)
    results, threads = [], tinynet.get_num_threads()
    try:
        for count in (1, 2, 5, 0):
            with pytest.MonkeyPatch.context() as patch:
                if not count:  # called, not replayed
                    patch.setattr(Flow, "only_kernels", False)
                tinynet.set_num_threads(count or 2)
                model = network("float32")
                model.compile("adam")
                model.fit(x, y, batch_size=20, epochs=2, verbose=0)
                results.append([*model.get_weights(), model.predict(x)])
    finally:
        tinynet.set_num_threads(threads)
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("case", [CASES[0], FIRST[0]])
def test_shards_have_the_statistics_of_the_batch(case):
    whole = fused(make(case, "float64"))
    whole.needs_input_gradient = case not in FIRST
    x, dy = problem(whole, 7, "float64")
    expected = whole.forward(x, training=True)
    whole.backward(dy)
    shards, cuts = [fused(make(case, "float64")).replica() for _ in range(2)], [slice(0, 3), slice(3, 7)]
    for shard in shards:
        shard.remember(needs_input_gradient=whole.needs_input_gradient)
    shards[1].norm.remember(_first_sample=3)

    def run(i):
        y = shards[i].forward(x[cuts[i]], training=True)
        shards[i].backward(dy[cuts[i]])
        return y

    np.testing.assert_allclose(np.concatenate(together(run, 2)), expected, atol=1e-12)
    for total, *parts in zip(whole.parameters, *(shard.parameters for shard in shards), strict=True):
        if total.trainable:
            np.testing.assert_allclose(sum(part.grad for part in parts), total.grad, atol=1e-10)


# What fits

CONV, NORM, RELU, POOL = (
    lambda **arguments: layers.Conv2D(3, 3, **arguments),
    layers.BatchNormalization,
    layers.ReLU,
    layers.MaxPool2D,
)
APART = ["Conv2D", "BatchNormalization"]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([CONV(), NORM()], ["ConvNorm"]),
        ([CONV(strides=2), NORM(), POOL()], ["ConvNorm"]),
        ([CONV(), NORM(), POOL(), RELU()], ["ConvNorm", "ReLU"]),
        ([CONV(), NORM(), RELU(), POOL(3, 2)], ["ConvNorm", "MaxPool2D"]),
        ([CONV(), NORM(), RELU(6)], ["ConvNorm", "ReLU"]),
        ([CONV(), NORM(), layers.LeakyReLU(), POOL()], ["ConvNorm", "LeakyReLU", "MaxPool2D"]),
        ([CONV(), NORM(), RELU(), RELU()], ["ConvNorm", "ReLU"]),
        ([CONV(activation="relu"), NORM()], APART),
        ([CONV(method="im2col"), NORM()], APART),
        ([CONV(data_format="channels_first"), NORM()], APART),
        ([layers.DepthwiseConv2D(3), NORM()], ["DepthwiseConv2D", "BatchNormalization"]),
        ([layers.Dense(3), NORM(), RELU()], ["Dense", "BatchNormalization"]),
    ],
)
def test_what_is_joined(parts, expected):
    model = Sequential(parts, (9, 9, 3), seed=0)
    assert kinds(model.fused()) == expected
    x = np.random.default_rng(0).normal(size=(3, 9, 9, 3))
    np.testing.assert_allclose(model.predict(x), model.forward(x), atol=1e-6)


def test_what_is_used_elsewhere_too_is_not_joined():
    inputs = tinynet.Input((9, 9, 3))
    conv = layers.Conv2D(4, 3)(inputs)
    norm = layers.BatchNormalization()(conv)
    relu = layers.ReLU()(norm)
    x = np.random.default_rng(0).normal(size=(3, 9, 9, 3)).astype(np.float32)
    for outputs, expected in (
        ([conv, relu], ["Conv2D", "BatchNormalization"]),
        ([norm, relu], ["ConvNorm", "ReLU"]),
        ([relu], ["ConvNorm"]),
    ):
        model = tinynet.Model(inputs, outputs)
        assert kinds(model.fused()) == expected
        results = model.predict(x), model.forward(x)
        for a, b in zip(*([r] if len(outputs) == 1 else r for r in results), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)


def test_shared_layers():
    conv, norm = layers.Conv2D(3, 3, padding="same"), layers.BatchNormalization()
    inputs = tinynet.Input((6, 6, 3))
    once = norm(conv(inputs))
    model = tinynet.Model(inputs, layers.Flatten()(norm(conv(once))))
    assert kinds(model.fused()) == ["ConvNorm", "ConvNorm", "Flatten"]
    random = np.random.default_rng(0)
    x, y = (
        random.normal(size=(8, 6, 6, 3)).astype(np.float32),
        random.normal(size=(8, 108)).astype(np.float32),
    )
    model.compile(optim.SGD(0.01), "mse")
    before = norm.moving_mean.numpy()
    model.fit(x, y, epochs=2, verbose=0)
    assert np.abs(norm.moving_mean.value - before).max() > 1e-3
    np.testing.assert_allclose(model.predict(x), model.forward(x), atol=1e-5)


class MyNorm(layers.BatchNormalization, only_kernels=True):
    """A class of one's own, which may do something else."""


def test_layers_of_ones_own_stay():
    model = Sequential([layers.Conv2D(3, 3), MyNorm(), layers.ReLU()], (6, 6, 1))
    assert kinds(model.fused()) == ["Conv2D", "MyNorm", "ReLU"]


def test_what_is_frozen_later():
    model = network("float32")
    random = np.random.default_rng(0)
    x, y = random.normal(size=(20, 13, 12, 1)), random.integers(0, 3, 20)
    model.compile("adam")
    model.fit(x, y, verbose=0)
    norm, conv = model.layers[1], model.layers[0]
    norm.trainable = conv.trainable = False
    model.compile("adam")
    kept = [p.value.copy() for layer in (conv, norm) for p in layer.parameters]
    other = model.layers[5].kernel.value.copy()
    model.fit(x, y, verbose=0)
    for parameter, value in zip([*conv.parameters, *norm.parameters], kept, strict=True):
        np.testing.assert_array_equal(parameter.value, value)
    assert np.abs(model.layers[5].kernel.value - other).max() > 0
