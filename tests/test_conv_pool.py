"""A convolution and the pooling after it as one: the two layers' results bit for bit."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynet import Sequential, layers
from tinynet.kernels.program import Program
from tinynet.layers import conv_pool, winograd
from tinynet.layers.conv_pool import ConvPool
from tinynet.layers.flow import Flow
from tinynet.layers.fusion import fuse

DTYPES = ["float32", "float64"]
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}

WINOGRAD = {"kernel_size": 3, "method": "winograd"}
CASES = [
    ({"filters": 4, "kernel_size": 3, "padding": "same", "activation": "relu"}, {}, (6, 8, 2)),
    ({"filters": 17, "kernel_size": (2, 3), "activation": "relu"}, {"pool_size": (2, 3)}, (8, 13, 3)),
    ({"filters": 3, "kernel_size": 1}, {"pool_size": 3}, (7, 8, 5)),  # pixels that no window covers
    (
        {"filters": 5, "kernel_size": 4, "padding": "same", "activation": "relu", "use_bias": False},
        {"pool_size": (1, 2)},
        (5, 5, 1),
    ),
    ({"filters": 33, "kernel_size": 3, "activation": "linear"}, {"pool_size": 1}, (4, 3, 2)),
    # windows fit
    ({"filters": 2, "kernel_size": (3, 2), "activation": layers.ReLU()}, {"padding": "same"}, (6, 5, 1)),
    (  # one window
        {"filters": 2, "kernel_size": 3, "padding": "same", "activation": "relu"},
        {"pool_size": (4, 3), "strides": (4, 3)},
        (4, 3, 1),
    ),
    ({"filters": 4, "kernel_size": 3, "padding": "same", "activation": "relu"}, {}, (6, 7, 4)),
    ({"filters": 35, "kernel_size": (2, 3), "activation": "relu"}, {}, (6, 9, 4)),  # 24 taps
    ({"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "relu"}, {}, (12, 9, 1)),
    ({"filters": 17, "kernel_size": (2, 3), "strides": (3, 1)}, {"pool_size": (2, 3)}, (17, 8, 6)),
    ({"filters": 5, "kernel_size": 5, "strides": 2, "activation": "relu"}, {}, (13, 14, 3)),
    ({"filters": 6, "kernel_size": 3, "dilation_rate": 2, "groups": 2, "activation": "relu"}, {}, (8, 9, 4)),
    ({**WINOGRAD, "filters": 4, "padding": "same", "activation": "relu"}, {}, (6, 8, 2)),
    ({**WINOGRAD, "filters": 19, "padding": "same"}, {}, (5, 3, 17)),  # pixels that no window covers
    ({**WINOGRAD, "filters": 3, "activation": "relu", "use_bias": False}, {}, (7, 8, 5)),
]  # fmt: skip


def make(case, dtype="float32", seed=0):
    """Return a built convolution and a built pooling layer; with a bias that is not zero."""
    of_conv, of_pool, shape = case
    conv, pool = layers.Conv2D(**of_conv), layers.MaxPool2D(**of_pool)
    pool.build(conv.build(shape, seed, dtype), seed, dtype)
    if conv.use_bias:
        conv.bias.value[:] = np.random.default_rng(7).normal(size=conv.bias.value.shape)
    return conv, pool


def data(random, case, pool, samples, dtype, whole=False):
    """Return random x and upstream gradient; whole numbers make many ties and exact zeros."""
    draw = (
        (lambda shape: random.integers(-1, 2, shape)) if whole else (lambda shape: random.normal(size=shape))
    )
    return draw((samples, *case[2])).astype(dtype), draw((samples, *pool.output_shape)).astype(dtype)


def set_parts(monkeypatch, conv, samples_a_part):
    """Let ConvPool take so many samples at a time."""
    size = samples_a_part * math.prod(conv.output_shape) * conv.dtype.itemsize
    monkeypatch.setattr(conv_pool, "PART_BYTES", size + 3)


def check_equal(case, dtype, samples, whole=False, seed=0, needs_input_gradient=True):
    """Compare a ConvPool with the two layers it stands for."""
    random = np.random.default_rng(seed)
    conv, pool = make(case, dtype)
    both = ConvPool(*make(case, dtype))
    both.needs_input_gradient = needs_input_gradient
    if whole:
        for one in (conv, both.conv):
            one.kernel.value[:] = np.random.default_rng(seed).integers(-1, 2, conv.kernel.value.shape)
            if conv.use_bias:
                one.bias.value[:] = 0
    x, dy = data(random, case, pool, samples, dtype, whole)
    expected = pool.forward(conv.forward(x, training=True), training=True)
    given_x, given_dy = x.copy(), dy.copy()
    for training in (False, True):
        y = both.forward(x, training)
        assert y.dtype == expected.dtype
        assert y.tobytes() == expected.tobytes()
    dx = conv.backward(pool.backward(dy))
    for parameter in both.parameters:
        parameter.grad[...] = np.nan
    result = both.backward(dy)
    if needs_input_gradient:
        np.testing.assert_array_equal(result, dx)
    else:
        assert result.shape == (0,)
    assert [parameter.name for parameter in both.parameters] == ["kernel", "bias"][: 1 + conv.use_bias]
    for parameter, wanted in zip(both.parameters, conv.parameters, strict=True):
        atol = TOLERANCE[dtype] * max(1.0, np.abs(wanted.grad).max())
        np.testing.assert_allclose(parameter.grad, wanted.grad, rtol=0, atol=atol)
    np.testing.assert_array_equal(x, given_x)
    np.testing.assert_array_equal(dy, given_dy)


@pytest.mark.parametrize("samples", [1, 5])
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES)
def test_the_same_as_the_two_layers(case, dtype, whole, samples):
    check_equal(case, dtype, samples, whole)


@pytest.mark.parametrize("samples_a_part", [0, 1, 2, 3, 6, 7])
@pytest.mark.parametrize("case", CASES[:4])
def test_a_batch_in_several_parts(monkeypatch, case, samples_a_part):
    conv, _ = make(case)
    set_parts(monkeypatch, conv, samples_a_part)
    parts = conv_pool.slices(conv, 7)
    assert [part.stop - part.start for part in parts] == {
        0: [1] * 7, 1: [1] * 7, 2: [2, 2, 2, 1], 3: [3, 3, 1], 6: [6, 1], 7: [7],
    }[samples_a_part]  # fmt: skip
    for whole in (False, True):
        check_equal(case, "float32", 7, whole)
    check_equal(case, "float64", 7)


@pytest.mark.parametrize("rows_a_band", [1, 2, 3, 100])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES)
def test_a_single_image_in_bands_of_rows(monkeypatch, set_threads, case, dtype, rows_a_band):
    set_threads(50)  # none of which starts
    conv, pool = make(case, dtype)
    flops = 2 * conv.kernel.value.size * pool.window[0] * conv.output_shape[1]
    for name in ("BAND_FLOPS", "SHORT_BAND_FLOPS"):
        monkeypatch.setattr(conv_pool, name, rows_a_band * flops)
    flops = 32 * conv.kernel.value[0, 0].size * pool.output_shape[1]
    monkeypatch.setattr(winograd, "BAND_FLOPS", rows_a_band * flops)
    monkeypatch.setattr(winograd, "BAND_TILES", 1)
    x, _ = data(np.random.default_rng(0), case, pool, 1, dtype, whole=False)
    program, both = Program(), ConvPool(conv, pool)
    with program.recording():
        y = both.forward(x)
    assert y.tobytes() == pool.forward(conv.forward(x)).tobytes()
    bands = -(-pool.output_shape[0] // rows_a_band)
    assert max(len(stage) for stage in program.plan.kept) == bands


@pytest.mark.parametrize("samples_a_part", [2, 9])
@pytest.mark.parametrize("case", CASES)
def test_without_the_gradient_of_the_input(monkeypatch, case, samples_a_part):
    set_parts(monkeypatch, make(case)[0], samples_a_part)
    check_equal(case, "float32", 5, needs_input_gradient=False)


def test_an_empty_batch_has_empty_results():
    both = ConvPool(*make(CASES[0]))
    assert both.forward(np.zeros((0, 6, 8, 2))).shape == (0, 3, 4, 4)
    both.forward(np.zeros((0, 6, 8, 2)), training=True)
    both.conv.kernel.grad[...] = both.conv.bias.grad[...] = np.nan
    assert both.backward(np.zeros((0, 3, 4, 4))).shape == (0, 6, 8, 2)
    assert not both.conv.kernel.grad.any()
    assert not both.conv.bias.grad.any()


geometries = st.tuples(
    st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 3)),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.sampled_from(["valid", "same"]),
    st.sampled_from([None, "relu"]),
    st.integers(1, 9),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
)


@settings(max_examples=40)
@given(geometries, st.integers(1, 4), st.integers(0, 2**31))
def test_random_geometry(geometry, samples, seed):
    shape, kernel_size, padding, activation, filters, pool_size = geometry
    if padding == "valid":
        shape = tuple(a + b for a, b in zip(shape, (*kernel_size, 0), strict=True))
    size = [shape[a] - (kernel_size[a] - 1) * (padding == "valid") for a in (0, 1)]
    pool_size = [min(pool_size[a], size[a]) for a in (0, 1)]
    of_conv = {"filters": filters, "kernel_size": kernel_size, "padding": padding, "activation": activation}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conv_pool, "PART_BYTES", int(np.random.default_rng(seed).integers(1, 4000)))
        check_equal((of_conv, {"pool_size": pool_size}, shape), "float64", samples, seed % 2 == 0, seed)


@pytest.mark.parametrize("samples_a_part", [1, 2, 9])
@pytest.mark.parametrize("case", [*CASES[:4], CASES[5], *CASES[7:]])
def test_gradients_are_the_slopes_of_the_output(monkeypatch, case, samples_a_part):
    both = ConvPool(*make(case, "float64"))
    set_parts(monkeypatch, both.conv, samples_a_part)
    random = np.random.default_rng(0)
    x, dy = data(random, case, both.pool, 3, "float64")
    both.forward(x, training=True)
    dx = both.backward(dy)
    arrays = [(x, dx), *((parameter.value, parameter.grad.copy()) for parameter in both.parameters)]
    step = 1e-6
    for array, gradient in arrays:
        for place in random.permutation(array.size)[:30]:
            index = np.unravel_index(place, array.shape)
            value = array[index]
            sums = []
            for moved in (value - step, value + step):
                array[index] = moved
                sums.append(float(np.vdot(both.forward(x), dy)))
            array[index] = value
            assert (sums[1] - sums[0]) / (2 * step) == pytest.approx(gradient[index], rel=1e-5, abs=1e-6)


# What fits


def built(layer, shape=(8, 8, 3), dtype="float32"):
    layer.build(shape, 0, dtype)
    return layer


@pytest.mark.parametrize(
    ("conv", "pool", "fits"),
    [
        ({}, {}, True),
        ({"activation": "relu"}, {"pool_size": (2, 3)}, True),
        ({"activation": layers.ReLU()}, {}, True),
        ({"activation": "linear", "padding": "same"}, {"pool_size": 3}, True),  # 8 is no multiple of 3
        ({"padding": "same"}, {"padding": "same"}, True),  # nothing hangs over
        ({"padding": "same"}, {"pool_size": 3, "strides": 3}, True),
        ({"strides": 2}, {}, True),
        ({"strides": (1, 2)}, {}, True),
        ({"dilation_rate": 2}, {}, True),
        ({"method": "im2col"}, {}, False),
        ({"method": "direct"}, {}, True),
        ({"method": "winograd"}, {}, True),
        ({"method": "winograd"}, {"pool_size": (2, 3)}, False),  # a tile is a window
        ({"method": "winograd"}, {"pool_size": 1}, False),
        ({"activation": "tanh"}, {}, False),
        ({"activation": "sigmoid"}, {}, False),
        ({"activation": "softmax"}, {}, False),
        ({"activation": "leaky_relu"}, {}, False),
        ({"activation": layers.LeakyReLU(0.0)}, {}, False),
        ({}, {"pool_size": 3, "strides": 2}, False),  # windows overlap
        ({}, {"pool_size": 2, "strides": (2, 1)}, False),
        ({}, {"pool_size": 1, "strides": 2}, False),  # pixels between the windows
        ({"padding": "same"}, {"pool_size": 3, "padding": "same"}, False),  # hangs over the edge
        ({"kernel_size": (2, 1)}, {"padding": "same"}, False),  # of 7 rows
    ],
)
def test_what_fits(conv, pool, fits):
    conv = built(layers.Conv2D(**{"filters": 4, "kernel_size": 3} | conv))
    pool = built(layers.MaxPool2D(**pool), conv.output_shape)
    assert ConvPool.fits(conv, pool) == fits
    assert not ConvPool.fits(pool, conv)


def test_other_layers_do_not_fit():
    conv, pool = built(layers.Conv2D(4, 1)), built(layers.MaxPool2D())
    assert ConvPool.fits(conv, pool)
    assert not ConvPool.fits(conv, built(layers.AveragePool2D()))
    assert not ConvPool.fits(conv, built(layers.GlobalAveragePool2D()))
    assert not ConvPool.fits(conv, built(layers.ReLU()))
    assert not ConvPool.fits(built(layers.ReLU()), pool)
    assert not ConvPool.fits(conv, conv)
    assert not ConvPool.fits(ConvPool(conv, pool), pool)


class DoubledConv2D(layers.Conv2D):
    def forward(self, x, training=False):
        return 2 * super().forward(x, training)


class DoubledMaxPool2D(layers.MaxPool2D):
    def forward(self, x, training=False):
        return 2 * super().forward(x, training)


@pytest.mark.parametrize("kinds", [(DoubledConv2D, layers.MaxPool2D), (layers.Conv2D, DoubledMaxPool2D)])
def test_a_layer_of_one_s_own_that_derives_from_one_of_the_two_does_what_it_says(kinds):
    conv, pool = kinds[0](4, 3), kinds[1](2)
    model = Sequential([conv, pool], (8, 8, 3))
    x = np.random.default_rng(0).normal(size=(5, 8, 8, 3))
    np.testing.assert_array_equal(model.predict(x), model.forward(x))


def test_fuse_keeps_the_order_and_leaves_other_layers_alone():
    shape, made = (12, 12, 3), []
    for layer in [
        layers.MaxPool2D(1), layers.Conv2D(4, 3, activation="relu"), layers.MaxPool2D(2), layers.MaxPool2D(1),
        layers.Conv2D(2, 1), layers.Conv2D(3, 1), layers.MaxPool2D(1), layers.Conv2D(3, 1, activation="tanh"),
        layers.MaxPool2D(1), layers.Flatten(), layers.Dense(3),
    ]:  # fmt: skip
        made.append(built(layer, shape))
        shape = layer.output_shape
    flow, outputs = Flow([(12, 12, 3)]), [0]
    for layer in made:
        outputs = flow.lay_out(layer, outputs)
    flow.outputs = outputs
    fused = fuse(flow).layers
    assert [type(layer).__name__ for layer in fused] == [
        "MaxPool2D", "ConvPool", "MaxPool2D", "Conv2D", "ConvPool", "Conv2D", "MaxPool2D", "Flatten", "Dense",
    ]  # fmt: skip
    in_order = []
    for layer in fused:
        in_order += [layer.conv, layer.pool] if isinstance(layer, ConvPool) else [layer]
    assert all(one is other for one, other in zip(in_order, made, strict=True))
    parameters = [parameter for layer in fused for parameter in layer.parameters]
    wanted = [parameter for layer in made for parameter in layer.parameters]
    assert all(one is other for one, other in zip(parameters, wanted, strict=True))
    assert fuse(Flow([(3,)])).calls == []


def test_shapes_name_and_dtype_are_those_of_the_two():
    conv, pool = make(CASES[1], "float64")
    conv.name = "first"
    both = ConvPool(conv, pool)
    assert (both.input_shape, both.output_shape) == (conv.input_shape, pool.output_shape)
    assert both.dtype == np.float64
    assert both.forward(np.zeros((2, 8, 13, 3), np.float32)).dtype == np.float64
    assert both.name == "first"


def test_wrong_use_is_refused():
    both = ConvPool(*make(CASES[0]))
    with pytest.raises(ValueError, match=r"expected x of shape \(N, 6, 8, 2\)"):
        both.forward(np.zeros((2, 6, 8, 3)))
    with pytest.raises(RuntimeError, match="backward needs"):
        both.backward(np.zeros((2, 3, 4, 4)))
    both.forward(np.zeros((2, 6, 8, 2)))  # inference remembers nothing
    with pytest.raises(RuntimeError, match="backward needs"):
        both.backward(np.zeros((2, 3, 4, 4)))
    both.forward(np.zeros((2, 6, 8, 2)), training=True)
    with pytest.raises(ValueError, match="expected dy of shape"):
        both.backward(np.zeros((3, 3, 4, 4)))


def test_inference_between_forward_and_backward_changes_nothing():
    both = ConvPool(*make(CASES[1])).replica()
    x, dy = data(np.random.default_rng(0), CASES[1], both.pool, 4, "float32")
    both.forward(x, training=True)
    expected = both.backward(dy).copy()
    both.forward(x, training=True)
    both.forward(-x)
    both.forward(x[:2] + 1)
    np.testing.assert_array_equal(both.backward(dy), expected)


# Replicas


def test_a_replica_shares_values_and_owns_gradients(monkeypatch):
    case = CASES[0]
    both = ConvPool(*make(case))
    replicas = [both.replica(), both.replica()]
    for one in replicas:
        assert one.conv is not both.conv
        assert [parameter.name for parameter in one.parameters] == ["kernel", "bias"]
        for parameter, original in zip(one.parameters, both.parameters, strict=True):
            assert parameter.value is original.value
            assert not np.shares_memory(parameter.grad, original.grad)
    assert not np.shares_memory(replicas[0].parameters[0].grad, replicas[1].parameters[0].grad)
    both.conv.kernel.grad[...] = both.conv.bias.grad[...] = 5
    set_parts(monkeypatch, both.conv, 2)
    random = np.random.default_rng(0)
    for samples in (5, 2, 7, 5):  # what a larger batch left in the replicas' arrays must not count
        batches = [data(random, case, both.pool, samples, "float32") for _ in replicas]
        outputs = [one.forward(x, training=True) for one, (x, _) in zip(replicas, batches, strict=True)]
        gradients = [one.backward(dy) for one, (_, dy) in zip(replicas, batches, strict=True)]
        for one, (x, dy), y, dx in zip(replicas, batches, outputs, gradients, strict=True):
            conv, pool = make(case)
            np.testing.assert_array_equal(y, pool.forward(conv.forward(x, training=True), training=True))
            np.testing.assert_array_equal(dx, conv.backward(pool.backward(dy)))
            for parameter, wanted in zip(one.parameters, conv.parameters, strict=True):
                np.testing.assert_allclose(parameter.grad, wanted.grad, rtol=0, atol=1e-4)
    assert (both.conv.kernel.grad == 5).all()
    assert (both.conv.bias.grad == 5).all()
    both.conv.kernel.value[...] = 0
    assert not replicas[0].conv.kernel.value.any()


# In a model


def small_model(dtype="float32"):
    return Sequential(
        [
            layers.Conv2D(5, 3, activation="relu", padding="same"),
            layers.MaxPool2D(2),
            layers.Conv2D(6, 2),
            layers.MaxPool2D((2, 3)),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ],
        (9, 10, 2),
        dtype=dtype,
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_model_uses_it_and_keeps_its_layers(dtype):
    model = small_model(dtype)
    x = np.random.default_rng(0).normal(size=(30, 9, 10, 2))
    assert [type(layer).__name__ for layer in model.layers[:4]] == ["Conv2D", "MaxPool2D"] * 2
    np.testing.assert_array_equal(model.predict(x), model.forward(x))
    model.compile()
    used = [type(layer).__name__ for layer in model.trainer.flow().layers]
    assert used == ["ConvPool", "ConvPool", "Flatten", "Dense"]
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        other.flat.value *= 2
        np.testing.assert_array_equal(other.predict(x), other.forward(x))
        assert np.abs(other.predict(x) - model.predict(x)).max() > 0.01
