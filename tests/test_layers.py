"""Every layer, alone: the first tests run over all rows of layer_cases.CASES, then comes what is special."""

from __future__ import annotations

import inspect
import json
import math

import layer_cases
import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_cases import CASES, case_name

import tinynet
from tinynet import Sequential, layers
from tinynet.generators.resizing import resized
from tinynet.layers.config import layer_config, layer_from_config
from tinynet.layers.geometry import positive_pair

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


sizes = st.integers(1, 9)
every_layer = pytest.mark.parametrize("case", CASES, ids=case_name)


def remembered(value):
    """Return what a layer holds, copied, to any depth."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, layers.Layer | layers.Parameter):
        value = vars(value)
    return {name: remembered(inner) for name, inner in value.items()} if isinstance(value, dict) else value


def check_close(actual, expected, dtype):
    assert actual.dtype == dtype
    assert actual.shape == expected.shape
    largest = max(np.abs(expected).max(initial=0.0), 1.0)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE[dtype] * largest)


def test_every_layer_has_a_case():
    kinds = {
        value for value in vars(layers).values() if inspect.isclass(value) and issubclass(value, layers.Layer)
    }
    several = {kind for kind in kinds if kind.takes_several}  # see test_merging.py
    others = {layers.Layer, layers.InputLayer}  # see test_graph.py
    assert {type(case.make()) for case in CASES} == kinds - others - several


@every_layer
def test_gradients_are_those_of_the_forward_pass(case):
    # gradcheck draws a random upstream gradient; normal inputs are away from kinks and ties.
    layer = case.build("float64")
    errors = tinynet.gradcheck(layer, case.data(layer)[0], tolerance=1e-6)
    assert list(errors) == [
        *(name for name, parameter in layer.named_parameters().items() if parameter.trainable),
        "x",
    ]


@every_layer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_forward_and_backward_against_naive(case, dtype):
    layer = case.build(dtype)
    x, dy = case.data(layer)
    y, dx, gradients = case.reference(layer, x, dy)
    for parameter in layer.trainable_parameters():
        parameter.grad[:] = np.nan  # which backward overwrites
    check_close(layer.forward(x, training=True), y, dtype)
    check_close(layer.backward(dy), dx, dtype)
    for parameter, gradient in zip(layer.trainable_parameters(), gradients, strict=True):
        check_close(parameter.grad, gradient, dtype)
    if case.alone and not layer.varies:
        check_close(layer.forward(x), y, dtype)


@every_layer
def test_build_returns_the_output_shape(case):
    layer = case.make()
    assert layer.build(case.shape) == layer.output_shape
    assert layer.input_shape == case.shape
    assert layer.forward(np.zeros((2, *case.shape))).shape == (2, *layer.output_shape)


@every_layer
def test_an_empty_batch_has_an_empty_result(case):
    layer = case.build()
    y = layer.forward(np.zeros((0, *case.shape)), training=True)
    assert y.shape == (0, *layer.output_shape)
    assert layer.backward(y).shape == (0, *case.shape)


each_alone = pytest.mark.parametrize("case", [case for case in CASES if case.alone], ids=case_name)


@each_alone
def test_same_bits_however_the_batch_is_cut(case):
    for dtype in TOLERANCE:
        layer = case.build(dtype)
        x, dy = (np.concatenate([array] * 4)[:17] for array in case.data(layer))
        x += np.random.default_rng(3).normal(size=x.shape).astype(dtype)
        whole = layer.forward(x, training=True), layer.backward(dy)
        for cut in (1, 7, 16)[: len(x) - 1]:
            pieces = []
            for part in (slice(0, cut), slice(cut, None)):
                layer.step, layer.first_sample = 0, part.start
                pieces.append((layer.forward(x[part], training=True), layer.backward(dy[part])))
            for together, apart in zip(whole, zip(*pieces, strict=True), strict=True):
                np.testing.assert_array_equal(np.concatenate(apart), together)


@every_layer
def test_arguments_are_never_written(case):
    layer = case.build()
    x, dy = case.data(layer)
    x_before, dy_before = x.copy(), dy.copy()
    layer.forward(x)
    layer.forward(x, training=True)
    layer.backward(dy)
    layer.backward(dy)
    np.testing.assert_array_equal(x, x_before)
    np.testing.assert_array_equal(dy, dy_before)


@every_layer
def test_inference_writes_nothing_on_the_layer(case):
    layer = case.build()
    x, dy = case.data(layer)
    for candidate in (layer, layer.replica()):
        layer.forward(x, training=True)
        before, held = remembered(candidate), dict(vars(candidate))
        candidate.forward(2 * x)
        candidate.forward(x[:1])
        assert repr(remembered(candidate)) == repr(before)
        assert all(vars(candidate)[name] is value for name, value in held.items())
    expected = layer.backward(dy)
    layer.forward(3 * x)
    np.testing.assert_array_equal(layer.backward(dy), expected)


@every_layer
def test_results_are_not_overwritten_by_a_second_call(case):
    layer = case.build()
    x, dy = case.data(layer)
    y = layer.forward(x, training=True)
    dx = layer.backward(dy)
    y_before, dx_before = y.copy(), dx.copy()
    layer.forward(x[::-1] + 1, training=True)
    layer.backward(1 - dy)
    np.testing.assert_array_equal(y, y_before)
    np.testing.assert_array_equal(dx, dx_before)


@every_layer
def test_backward_needs_a_training_forward(case):
    layer = case.build()
    x, dy = case.data(layer)
    message = f"{type(layer).__name__}.*backward needs a forward"
    with pytest.raises(RuntimeError, match=message):
        layer.backward(dy)
    layer.forward(x)
    with pytest.raises(RuntimeError, match=message):
        layer.backward(dy)
    layer.forward(x, training=True)
    layer.build(case.shape)  # forgets
    with pytest.raises(RuntimeError, match=message):
        layer.backward(dy)


@every_layer
def test_forward_needs_build(case):
    with pytest.raises(RuntimeError, match=f"{type(case.make()).__name__} is not built"):
        case.make().forward(np.zeros((1, *case.shape)))


@every_layer
def test_wrong_shapes_name_the_layer_and_both_shapes(case):
    layer = case.build()
    x = case.data(layer)[0]
    layer.name = "the_third"
    wrong = np.zeros((2, *(size + 1 for size in case.shape)))
    with pytest.raises(ValueError, match="the_third") as caught:
        layer.forward(wrong)
    assert type(layer).__name__ in str(caught.value)
    assert f"(N, {', '.join(map(str, case.shape))})" in str(caught.value)
    assert str(wrong.shape) in str(caught.value)
    layer.forward(x, training=True)
    wrong = np.zeros((len(x) + 1, *layer.output_shape))
    with pytest.raises(ValueError, match="the_third") as caught:
        layer.backward(wrong)
    assert str((len(x), *layer.output_shape)) in str(caught.value)
    assert str(wrong.shape) in str(caught.value)


@every_layer
def test_any_memory_order_and_number_type_is_taken(case):
    layer = case.build()
    x, dy = (np.round(4 * array) for array in case.data(layer))  # which integers can hold

    def results(x, dy):
        layer.step = 0
        y = layer.forward(x, training=True)
        return [y, layer.backward(dy), *(parameter.grad.copy() for parameter in layer.parameters)]

    expected = results(x, dy)
    for change in (
        lambda a: np.asfortranarray(a),
        lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
        lambda a: np.ascontiguousarray(a[::-1])[::-1],
        lambda a: a.astype(np.float64),
        lambda a: a.astype(np.int64),
        lambda a: a.tolist(),
    ):
        for actual, wanted in zip(results(change(x), change(dy)), expected, strict=True):
            assert actual.dtype == np.float32
            np.testing.assert_array_equal(actual, wanted)


@each_alone
def test_a_replica_shares_values_and_owns_gradients_and_memory(case):
    layer = case.build()
    x, dy = case.data(layer)
    y, dx = layer.forward(x, training=True), layer.backward(dy)
    gradients = [parameter.grad.copy() for parameter in layer.parameters]
    replica = layer.replica()
    for parameter, own in zip(layer.parameters, replica.parameters, strict=True):
        assert own.value is parameter.value
        assert not np.shares_memory(own.grad, parameter.grad)
    before = remembered(layer)
    for part in (slice(0, 1), slice(None), slice(0, 2)):  # a workspace smaller, larger, and kept
        replica.step, replica.first_sample = 0, 0
        np.testing.assert_array_equal(replica.forward(x[part], training=True), y[part])
        np.testing.assert_array_equal(replica.backward(dy[part]), dx[part])
    replica.step = 0
    replica.forward(x, training=True)
    replica.backward(dy)
    for own, gradient in zip(replica.parameters, gradients, strict=True):
        np.testing.assert_array_equal(own.grad, gradient)
    replica.forward(-2 * x, training=True)
    replica.backward(3 * dy)
    assert repr(remembered(layer)) == repr(before)


@pytest.mark.parametrize("case", [case for case in CASES if case.build().own_parameters], ids=case_name)
def test_the_input_gradient_can_be_left_out(case):
    layer = case.build()
    x, dy = case.data(layer)
    layer.forward(x, training=True)
    layer.backward(dy)
    expected = [parameter.grad.copy() for parameter in layer.parameters]
    layer.needs_input_gradient = False
    assert layer.backward(dy).size == 0
    for parameter, gradient in zip(layer.parameters, expected, strict=True):
        np.testing.assert_array_equal(parameter.grad, gradient)


@every_layer
def test_config_survives_json(case):
    layer = case.make()
    config = layer_config(layer)
    rebuilt = layer_from_config(json.loads(json.dumps(config)))
    assert type(rebuilt) is type(layer)
    assert layer_config(rebuilt) == config
    layer, other = case.build(), rebuilt
    other.build(case.shape)
    for parameter, copied in zip(layer.parameters, other.parameters, strict=True):
        copied.value = parameter.value
    x = case.data(layer)[0]
    np.testing.assert_array_equal(other.forward(x, training=True), layer.forward(x, training=True))


@every_layer
def test_repr_is_the_call_that_makes_the_layer(case):
    layer = case.make()
    assert layer_config(eval(repr(layer), vars(layers).copy())) == layer_config(layer)


# By hand: layer, x, y, dy, dx.
LITERALS = [
    (
        layers.MaxPool2D(2),
        [[[1], [4], [2]], [[3], [0], [5]]],
        [[[4]]],
        [[[7]]],
        [[[0], [7], [0]], [[0], [0], [0]]],
    ),
    (
        layers.MaxPool2D(2, padding="same"),
        [[[1], [4], [2]], [[3], [0], [5]]],
        [[[4], [5]]],
        [[[7], [8]]],
        [[[0], [7], [0]], [[0], [0], [8]]],
    ),
    (
        layers.MaxPool2D(2, strides=1),
        [[[1], [4], [2]], [[3], [0], [3]]],
        [[[4], [4]]],
        [[[7], [8]]],
        [[[0], [15], [0]], [[0], [0], [0]]],
    ),
    (
        layers.AveragePool2D(2, padding="same"),
        [[[1], [4], [2]], [[3], [0], [4]]],
        [[[2], [3]]],
        [[[4], [8]]],
        [[[1], [1], [4]], [[1], [1], [4]]],
    ),
    (
        layers.GlobalAveragePool2D(),
        [[[1, 10], [3, 30]]],
        [2, 20],
        [4, 6],
        [[[2, 3], [2, 3]]],
    ),
    (
        layers.GlobalMaxPool2D(),
        [[[1, 30], [3, 10]]],
        [3, 30],
        [4, 6],
        [[[0, 6], [4, 0]]],
    ),
    (layers.Flatten(), [[[1, 2], [3, 4]]], [1, 2, 3, 4], [5, 6, 7, 8], [[[5, 6], [7, 8]]]),
    (layers.MaxPool1D(), [[1], [4], [3]], [[4]], [[7]], [[0], [7], [0]]),
    (layers.AveragePool1D(2, 1), [[1], [3], [7]], [[2], [5]], [[2], [4]], [[1], [3], [2]]),
    (layers.GlobalMaxPool1D(), [[1, 5], [4, 2]], [4, 5], [6, 7], [[0, 7], [6, 0]]),
    (layers.GlobalAveragePool1D(), [[1, 5], [3, 2]], [2, 3.5], [6, 8], [[3, 4], [3, 4]]),
    (layers.Reshape((2, -1)), [1, 2, 3, 4], [[1, 2], [3, 4]], [[5, 6], [7, 8]], [5, 6, 7, 8]),
    (layers.Permute((2, 1)), [[1, 2], [3, 4]], [[1, 3], [2, 4]], [[5, 6], [7, 8]], [[5, 7], [6, 8]]),
    (
        layers.ZeroPadding2D(((0, 1), (1, 0))),
        [[[3], [4]]],
        [[[0], [3], [4]], [[0], [0], [0]]],
        [[[1], [2], [3]], [[4], [5], [6]]],
        [[[2], [3]]],
    ),
    (
        layers.Cropping2D(((0, 1), (1, 0))),
        [[[1], [2], [3]], [[4], [5], [6]]],
        [[[2], [3]]],
        [[[7], [8]]],
        [[[0], [7], [8]], [[0], [0], [0]]],
    ),
    (
        layers.UpSampling2D((1, 2)),
        [[[1], [5]]],
        [[[1], [1], [5], [5]]],
        [[[1], [2], [3], [4]]],
        [[[3], [7]]],
    ),
    (
        layers.UpSampling2D((1, 2), interpolation="bilinear"),
        [[[1], [5]]],
        [[[1], [2], [4], [5]]],
        [[[8], [4], [4], [8]]],
        [[[8 + 3 + 1], [1 + 3 + 8]]],
    ),
    (
        layers.Resizing(1, 2),  # of four columns, the two in the middle of each half
        [[[0], [4], [8], [6]], [[2], [6], [10], [8]]],
        [[[3], [8]]],
        [[[4], [8]]],
        [[[1], [1], [2], [2]], [[1], [1], [2], [2]]],
    ),
    (
        layers.Resizing(2, 3, "nearest"),
        [[[1], [2], [3], [4], [5]]],
        [[[1], [3], [5]], [[1], [3], [5]]],
        [[[1], [2], [3]], [[4], [5], [6]]],
        [[[5], [0], [7], [0], [9]]],
    ),
    (layers.Rescaling(2, (1, 3)), [5, 7], [11, 17], [1, 2], [2, 4]),
    (layers.Normalization(-1, (1, 2), (4, 9)), [5, -4], [2, -2], [2, 6], [1, 2]),
    (layers.Normalization(-1, (1, 2), (4, 9), invert=True), [2, -2], [5, -4], [1, 2], [2, 6]),
    (layers.ReLU(), [-2, 3, -1], [0, 3, 0], [5, 7, 9], [0, 7, 0]),
    (layers.LeakyReLU(0.5), [-2, 3, -1], [-1, 3, -0.5], [5, 7, 9], [2.5, 7, 4.5]),
    (layers.Sigmoid(), [0, math.log(3)], [0.5, 0.75], [4, 16], [1, 3]),
    (layers.Tanh(), [0, math.log(2)], [0, 0.6], [5, 25], [5, 16]),
    (layers.Softmax(), [0, math.log(3)], [0.25, 0.75], [16, 0], [3, -3]),
]


@pytest.mark.parametrize(("layer", "x", "y", "dy", "dx"), LITERALS, ids=lambda value: repr(value)[:30])
def test_worked_by_hand(layer, x, y, dy, dx):
    layer.build(np.shape(x), dtype="float64")
    np.testing.assert_allclose(layer.forward([x], training=True), [y], rtol=0, atol=1e-14)
    np.testing.assert_allclose(layer.backward([dy]), [dx], rtol=0, atol=1e-14)


def test_dense_worked_by_hand():
    layer = layers.Dense(2)
    layer.build(2)
    layer.kernel.value[:], layer.bias.value[:] = [[1, 2], [3, 4]], [10, 20]
    np.testing.assert_array_equal(layer.forward([[1, 1], [2, 0]], training=True), [[14, 26], [12, 24]])
    np.testing.assert_array_equal(layer.backward([[1, 0], [1, 1]]), [[1, 3], [3, 7]])
    np.testing.assert_array_equal(layer.kernel.grad, [[3, 2], [1, 0]])
    np.testing.assert_array_equal(layer.bias.grad, [2, 1])


def test_dense_of_several_axes_worked_by_hand():
    layer = layers.Dense(1)
    layer.build((2, 2))
    layer.kernel.value[:], layer.bias.value[:] = [[1], [10]], [100]
    np.testing.assert_array_equal(layer.forward([[[1, 2], [3, 4]]], training=True), [[[121], [143]]])
    np.testing.assert_array_equal(layer.backward([[[1], [5]]]), [[[1, 10], [5, 50]]])
    np.testing.assert_array_equal(layer.kernel.grad, [[16], [22]])
    np.testing.assert_array_equal(layer.bias.grad, [6])


@pytest.mark.parametrize("method", ["direct", "im2col"])
def test_conv2d_worked_by_hand_does_not_flip_the_kernel(method):
    layer = layers.Conv2D(1, 2, method=method)
    layer.build((2, 3, 1))
    layer.kernel.value[:, :, 0, 0], layer.bias.value[:] = [[1, 2], [3, 4]], 100
    x = np.array([[1, 0, 2], [0, 1, 0]]).reshape(1, 2, 3, 1)
    y = layer.forward(x, training=True)
    np.testing.assert_array_equal(y[0, :, :, 0], [[1 + 4 + 100, 4 + 3 + 100]])
    dx = layer.backward(np.array([[10, 1]]).reshape(1, 1, 2, 1))
    np.testing.assert_array_equal(dx[0, :, :, 0], [[10, 21, 2], [30, 43, 4]])
    np.testing.assert_array_equal(layer.kernel.grad[:, :, 0, 0], [[10, 2], [1, 10]])
    np.testing.assert_array_equal(layer.bias.grad, [11])


@settings(max_examples=30)
@given(
    st.tuples(st.integers(3, 9), st.integers(3, 9)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.integers(0, 2**32),
)
def test_groups_are_convolutions_side_by_side(image, window, sizes, dilation, seed):
    channels, filters, groups = sizes
    arguments = {"kernel_size": window, "padding": "same", "dilation_rate": dilation}
    layer = layers.Conv2D(filters * groups, groups=groups, **arguments)
    layer.build((*image, channels * groups), dtype="float64")
    random = np.random.default_rng(seed)
    x, dy = (random.normal(size=(2, *shape)) for shape in (layer.input_shape, layer.output_shape))
    y, dx = layer.forward(x, training=True), layer.backward(dy)
    for g in range(groups):
        of_x, of_y = slice(g * channels, (g + 1) * channels), slice(g * filters, (g + 1) * filters)
        one = layers.Conv2D(filters, **arguments)
        one.build((*image, channels), dtype="float64")
        one.kernel.value = layer.kernel.value[..., of_y]
        np.testing.assert_allclose(one.forward(x[..., of_x], training=True), y[..., of_y], atol=1e-12)
        np.testing.assert_allclose(one.backward(dy[..., of_y]), dx[..., of_x], atol=1e-12)
        np.testing.assert_allclose(one.kernel.grad, layer.kernel.grad[..., of_y], atol=1e-12)


def test_conv1d_worked_by_hand():
    layer = layers.Conv1D(1, 2, padding="causal")
    layer.build((3, 1))
    layer.kernel.value[:, 0, 0], layer.bias.value[:] = [10, 1], 100
    y = layer.forward([[[1], [2], [3]]], training=True)
    np.testing.assert_array_equal(y[0, :, 0], [101, 112, 123])
    np.testing.assert_array_equal(layer.backward([[[1], [2], [3]]])[0, :, 0], [1 + 20, 2 + 30, 3])
    np.testing.assert_array_equal(layer.kernel.grad[:, 0, 0], [2 * 1 + 3 * 2, 1 + 2 * 2 + 3 * 3])


@settings(max_examples=30)
@given(st.integers(1, 9), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2**32), st.data())
def test_causal_outputs_depend_on_no_later_step(steps, size, dilation, seed, data):
    layer = layers.Conv1D(2, size, padding="causal", dilation_rate=dilation)
    layer.build((steps, 3))
    random = np.random.default_rng(seed)
    x = random.normal(size=(2, steps, 3))
    changed = x.copy()
    first = data.draw(st.integers(0, steps - 1))
    changed[:, first:] = random.normal(size=changed[:, first:].shape)
    y, other = layer(x), layer(changed)
    np.testing.assert_array_equal(y[:, :first], other[:, :first])
    assert (y[:, first] != other[:, first]).all()


@pytest.mark.parametrize(
    ("make", "shape", "message"),
    [
        (lambda: layers.Conv1D(2, (3, 3)), None, r"kernel_size must be a positive integer; got \(3, 3\)"),
        (lambda: layers.Conv1D(2, 3), (4, 4, 1), r"Conv1D: expected input_shape \(steps, channels\)"),
        (
            lambda: layers.Conv1D(2, 3, padding="full"),
            None,
            "must be 'valid' or 'same' or 'causal'; got 'full'",
        ),
        (lambda: layers.Conv2D(2, 3, padding="causal"), None, "must be 'valid' or 'same'; got 'causal'"),
        (lambda: layers.Conv1D(2, 3, padding="causal", method="im2col"), None, "has no dilation_rate"),
        (lambda: layers.MaxPool1D(0), None, "MaxPool1D: pool_size must be a positive integer; got 0"),
        (
            lambda: layers.GlobalMaxPool1D(),
            (3,),
            r"GlobalMaxPool1D: expected input_shape \(steps, channels\)",
        ),
    ],
)
def test_what_layers_of_sequences_refuse(make, shape, message):
    with pytest.raises(ValueError, match=message):
        make().build(shape)


def test_depthwise_worked_by_hand():
    layer = layers.DepthwiseConv2D((1, 2))
    layer.build((1, 2, 2))
    layer.kernel.value[0, :, :, 0], layer.bias.value[:] = [[1, 2], [3, 4]], [100, 200]
    x = np.array([[5, 6], [7, 8]]).reshape(1, 1, 2, 2)
    y = layer.forward(x, training=True)
    np.testing.assert_array_equal(y[0, 0], [[5 + 3 * 7 + 100, 2 * 6 + 4 * 8 + 200]])
    dx = layer.backward(np.array([10, 1]).reshape(1, 1, 1, 2))
    np.testing.assert_array_equal(dx[0, 0], [[10, 2], [30, 4]])
    np.testing.assert_array_equal(layer.kernel.grad[0, :, :, 0], [[50, 6], [70, 8]])


def test_separable_worked_by_hand():
    layer = layers.SeparableConv2D(1, 1)
    layer.build((1, 1, 2))
    layer.depthwise_kernel.value[:], layer.bias.value[:] = np.reshape([2, 3], (1, 1, 2, 1)), [100]
    layer.pointwise_kernel.value[:] = np.reshape([10, 1], (1, 1, 2, 1))
    y = layer.forward(np.reshape([4, 5], (1, 1, 1, 2)), training=True)
    assert y.item() == 10 * 8 + 15 + 100
    dx = layer.backward(np.full((1, 1, 1, 1), 2))
    np.testing.assert_array_equal(dx.ravel(), [2 * 10 * 2, 2 * 1 * 3])
    np.testing.assert_array_equal(layer.depthwise_kernel.grad.ravel(), [2 * 10 * 4, 2 * 1 * 5])
    np.testing.assert_array_equal(layer.pointwise_kernel.grad.ravel(), [2 * 8, 2 * 15])


@settings(max_examples=40)
@given(
    st.tuples(sizes, sizes, st.integers(1, 4)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.integers(1, 3),
    st.integers(0, 2**32),
)
def test_depthwise_is_a_convolution_in_as_many_groups_as_channels(shape, window, strides, multiplier, seed):
    layer = layers.DepthwiseConv2D(window, strides, "same", multiplier)
    whole = layers.Conv2D(shape[2] * multiplier, window, strides, "same", groups=shape[2])
    random = np.random.default_rng(seed)
    for one in (layer, whole):
        one.build(shape, dtype="float64")
    layer.kernel.value = random.normal(size=layer.kernel.value.shape)
    whole.kernel.value = layer.kernel.value.reshape(whole.kernel.value.shape)
    x, dy = random.normal(size=(2, *shape)), random.normal(size=(2, *layer.output_shape))
    np.testing.assert_allclose(layer.forward(x, training=True), whole.forward(x, training=True), atol=1e-12)
    np.testing.assert_allclose(layer.backward(dy), whole.backward(dy), atol=1e-12)
    np.testing.assert_allclose(layer.kernel.grad.ravel(), whole.kernel.grad.ravel(), atol=1e-12)


@pytest.mark.parametrize("multiplier", [0, 1.5, "2"])
def test_depth_multiplier_is_a_positive_integer(multiplier):
    with pytest.raises(ValueError, match="DepthwiseConv2D: depth_multiplier must be a positive integer"):
        layers.DepthwiseConv2D(3, depth_multiplier=multiplier)


def test_dilation_and_groups_worked_by_hand():
    layer = layers.Conv2D(2, (1, 2), dilation_rate=(1, 2), groups=2)
    layer.build((1, 3, 2))
    layer.kernel.value[0, :, 0], layer.bias.value[:] = [[1, 3], [2, 4]], [100, 200]
    x = np.array([[5, 50], [6, 60], [7, 70]]).reshape(1, 1, 3, 2)
    y = layer.forward(x, training=True)
    np.testing.assert_array_equal(y[0, 0], [[5 + 2 * 7 + 100, 3 * 50 + 4 * 70 + 200]])
    dx = layer.backward(np.array([10, 1]).reshape(1, 1, 1, 2))
    np.testing.assert_array_equal(dx[0, 0], [[10, 3], [0, 0], [20, 4]])
    np.testing.assert_array_equal(layer.kernel.grad[0, :, 0], [[50, 50], [70, 70]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"strides": 2, "dilation_rate": (1, 2)},
            r"strides and dilation_rate cannot both be above 1.*\(1, 2\)",
        ),
        ({"groups": 3}, "groups must be a positive integer that divides filters, 4; got 3"),
        ({"groups": 0}, "groups must be"),
        ({"groups": 2, "method": "im2col"}, "has no dilation_rate"),
        ({"dilation_rate": 2, "method": "im2col"}, "has no dilation_rate"),
        ({"dilation_rate": 0}, "dilation_rate must be a positive integer or two"),
        ({"groups": 4}, "groups 4 must divide the 6 channels"),
        ({"dilation_rate": 4}, r"its window \(9, 9\) is larger"),
    ],
)
def test_what_convolutions_cannot_do(arguments, message):
    with pytest.raises(ValueError, match=message):
        layers.Conv2D(4, 3, **arguments).build((8, 8, 6))


@pytest.mark.parametrize(
    ("size", "stride", "output"), [(28, 1, 28), (28, 2, 14), (7, 2, 4), (5, 3, 2), (1, 4, 1)]
)
def test_same_padding_puts_the_odd_row_and_column_after_the_image(size, stride, output):
    for window in (1, 2, 3, 4):
        layer = layers.Conv2D(1, window, strides=stride, padding="same")
        assert layer.build((size, size, 1)) == (output, output, 1)
        missing = max((output - 1) * stride + window - size, 0)
        assert (layer.windows.top, layer.windows.left) == (missing // 2, missing // 2)


# Dense and Conv2D


@settings(max_examples=40)
@given(
    st.tuples(sizes, sizes, st.integers(1, 3)),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.sampled_from(["valid", "same"]),
    st.integers(0, 2**32),
)
def test_both_methods_of_conv2d_agree_and_are_linear(shape, window, strides, padding, seed):
    if padding == "valid":
        window = tuple(map(min, window, shape))
    random = np.random.default_rng(seed)
    results = []
    for method in ("direct", "im2col"):
        layer = layers.Conv2D(4, window, strides, padding, use_bias=False, method=method)
        layer.build(shape, seed=seed, dtype="float64")
        random = np.random.default_rng(seed)
        x, other = random.normal(size=(2, 2, *shape))
        y = layer.forward(x, training=True)
        dy = random.normal(size=y.shape)
        results.append([y, layer.backward(dy), layer.kernel.grad])
        np.testing.assert_allclose(layer.forward(2 * x - other), 2 * y - layer.forward(other), atol=1e-12)
        # Backward is the transpose of forward: <y, dy> = <x, dx> = <kernel, dkernel>.
        product = np.vdot(y, dy)
        assert np.vdot(x, results[-1][1]) == pytest.approx(product, rel=0, abs=1e-9)
        assert np.vdot(layer.kernel.value, layer.kernel.grad) == pytest.approx(product, rel=0, abs=1e-9)
    for direct, im2col in zip(*results, strict=True):
        np.testing.assert_allclose(direct, im2col, rtol=0, atol=1e-12)


@settings(max_examples=40)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 70), st.integers(0, 2**32))
def test_dense_is_a_matrix_product_of_any_shape(samples, features, units, seed):
    random = np.random.default_rng(seed)
    layer = layers.Dense(units)
    layer.build(features, seed=seed, dtype="float64")
    x, dy = random.normal(size=(samples, features)), random.normal(size=(samples, units))
    layer.bias.value[:] = random.normal(size=units)
    kernel = layer.kernel.value
    np.testing.assert_allclose(layer.forward(x, training=True), x @ kernel + layer.bias.value, atol=1e-12)
    np.testing.assert_allclose(layer.backward(dy), dy @ kernel.T, atol=1e-12)
    np.testing.assert_allclose(layer.kernel.grad, x.T @ dy, atol=1e-12)
    np.testing.assert_allclose(layer.bias.grad, dy.sum(axis=0), atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_layer_s_arrays_begin_where_a_line_of_the_cache_does(dtype):
    layer = layers.Dense(3)
    layer.build(5, dtype=dtype)
    for one in (layer, layer.replica()):
        for shape in [(1,), (7, 3), (0, 4), (100, 1000)]:
            array = one.empty(f"of {shape}", shape)
            assert (array.shape, array.dtype, array.flags.c_contiguous) == (shape, dtype, True)
            assert array.ctypes.data % 64 == 0 or array.size == 0


def test_im2col_method_of_conv2d_goes_through_im2col_and_col2im(monkeypatch):
    import tinynet.layers.conv2d as module

    called = []
    for name in ("im2col", "col2im"):
        original = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, n=name, f=original: called.append(n) or f(*a))
    for method in ("direct", "im2col"):
        called.clear()
        layer = layers.Conv2D(2, 2, method=method)
        layer.build((3, 3, 1))
        layer.backward(layer.forward(np.ones((1, 3, 3, 1)), training=True))
        assert sorted(set(called)) == ([] if method == "direct" else ["col2im", "im2col"])


def test_parameters_keep_the_order_of_their_declaration():
    for layer in (layers.Dense(3), layers.Conv2D(3, 1)):
        layer.build((4,) if isinstance(layer, layers.Dense) else (2, 2, 4))
        assert [parameter.name for parameter in layer.parameters] == ["kernel", "bias"]
        assert layer.parameters[0] is layer.kernel
        assert layer.parameters[1] is layer.bias
    layer = layers.Dense(3, use_bias=False)
    layer.build(4)
    assert [parameter.name for parameter in layer.parameters] == ["kernel"]


def test_the_seed_decides_the_first_values():
    def kernel(seed, dtype="float64"):
        layer = layers.Dense(5)
        layer.build(4, seed=seed, dtype=dtype)
        assert (layer.bias.value == 0).all()
        assert layer.kernel.value.dtype == layer.bias.grad.dtype == dtype
        return layer.kernel.value

    np.testing.assert_array_equal(kernel(3), kernel(3))
    np.testing.assert_array_equal(kernel(3).astype(np.float32), kernel(3, "float32"))
    assert (kernel(3) != kernel(4)).all()
    assert (kernel((3, 0)) != kernel((3, 1))).all()


def test_one_activation_object_serves_two_layers():
    shared = layers.LeakyReLU(0.1)
    first, second = layers.Dense(3, activation=shared), layers.Dense(2, activation=shared)
    first.build(4)
    second.build(3)
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    hidden = first.forward(x, training=True)
    second.forward(hidden, training=True)
    first.backward(np.ones((5, 3)))
    expected = x.T @ np.where(hidden > 0, 1, 0.1)
    np.testing.assert_allclose(first.kernel.grad, expected, rtol=1e-5)


@pytest.mark.parametrize(
    "layer", [layers.Dense(2), layers.Conv2D(2, 2), layers.Conv2D(2, 2, method="im2col")], ids=repr
)
def test_an_empty_batch_has_zero_gradients(layer):
    layer.build((3,) if isinstance(layer, layers.Dense) else (3, 3, 1))
    layer.kernel.grad[:], layer.bias.grad[:] = 7, 7  # as another batch left them
    y = layer.forward(np.zeros((0, *layer.input_shape)), training=True)
    assert layer.backward(y).shape == (0, *layer.input_shape)
    assert (layer.kernel.grad == 0).all()
    assert (layer.bias.grad == 0).all()


# Layers that move elements


@settings(max_examples=40)
@given(st.tuples(sizes, sizes, st.integers(1, 3)), st.tuples(*[st.integers(0, 3)] * 4), st.integers(0, 2**32))
def test_cropping_undoes_padding(shape, sides, seed):
    sides = sides[:2], sides[2:]
    pad, crop = layers.ZeroPadding2D(sides), layers.Cropping2D(sides)
    crop.build(pad.build(shape))
    x = np.random.default_rng(seed).normal(size=(2, *shape)).astype(np.float32)
    padded = pad.forward(x, training=True)
    assert np.count_nonzero(padded) == np.count_nonzero(x)
    np.testing.assert_array_equal(crop.forward(padded, training=True), x)
    np.testing.assert_array_equal(crop.backward(x), padded)
    np.testing.assert_array_equal(pad.backward(padded), x)


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.permutations([1, 2, 3]), st.tuples(sizes, sizes, sizes))
def test_permute_is_a_transposition_and_reshape_keeps_the_order(seed, dims, shape):
    x = np.random.default_rng(seed).normal(size=(2, *shape)).astype(np.float32)
    layer, flat = layers.Permute(dims), layers.Reshape((-1,))
    flat.build(layer.build(shape))
    y = layer.forward(x, training=True)
    np.testing.assert_array_equal(y, x.transpose(0, *dims))
    np.testing.assert_array_equal(layer.backward(y), x)
    np.testing.assert_array_equal(flat.forward(y).ravel(), y.ravel())


@settings(max_examples=40)
@given(st.tuples(sizes, sizes, st.integers(1, 3)), st.tuples(*[st.integers(1, 4)] * 2), st.integers(0, 2**32))
def test_upsampling_keeps_means_and_bounds(shape, factors, seed):
    x = np.random.default_rng(seed).normal(size=(2, *shape))
    for interpolation in ("nearest", "bilinear"):
        layer = layers.UpSampling2D(factors, interpolation=interpolation)
        layer.build(shape, dtype="float64")
        y = layer.forward(x, training=True)
        assert y.min() >= x.min() - 1e-12
        assert y.max() <= x.max() + 1e-12
        if interpolation == "nearest":
            np.testing.assert_allclose(y.mean(axis=(1, 2)), x.mean(axis=(1, 2)), atol=1e-12)
        dy = np.random.default_rng(seed + 1).normal(size=y.shape)
        assert np.vdot(y, dy) == pytest.approx(np.vdot(x, layer.backward(dy)), abs=1e-9)


@settings(max_examples=60)
@given(
    st.tuples(sizes, sizes, st.integers(1, 3)),
    st.tuples(st.integers(1, 30), st.integers(1, 30)),
    st.sampled_from(["nearest", "bilinear"]),
    st.integers(0, 2**32),
)
def test_resizing_of_any_size(shape, size, interpolation, seed):
    random = np.random.default_rng(seed)
    x, dy = random.normal(size=(2, *shape)), random.normal(size=(2, *size, shape[2]))
    layer = layers.Resizing(*size, interpolation)
    assert layer.build(shape, dtype="float64") == (*size, shape[2])
    y = layer.forward(x, training=True)
    for one, new in zip(x, y, strict=True):
        wanted = resized(one.astype(np.float64), size, interpolation)  # by tables, as datasets do it
        if interpolation == "bilinear":
            np.testing.assert_allclose(new, wanted, atol=1e-5)
        else:  # of two that are equally near either
            assert np.isin(new, one).all()
    dx = layer.backward(dy)
    assert np.vdot(y, dy) == pytest.approx(np.vdot(x, dx), abs=1e-9)
    assert y.min() >= x.min() - 1e-12
    assert y.max() <= x.max() + 1e-12
    turned = layers.Resizing(*size[::-1], interpolation)
    turned.build((shape[1], shape[0], shape[2]), dtype="float64")
    np.testing.assert_allclose(turned.forward(x.swapaxes(1, 2)), y.swapaxes(1, 2), atol=1e-14)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_resizing_to_the_same_size_keeps_each_bit(interpolation):
    x = np.array([np.nan, np.inf, 1e-45, -0.0, 3, 4], np.float32).reshape(1, 2, 3, 1)
    layer = layers.Resizing(2, 3, interpolation)
    layer.build((2, 3, 1))
    assert layer.forward(x).tobytes() == x.tobytes()


def test_resizing_of_images_of_any_size():
    model = Sequential(
        [tinynet.Input((None, None, 2)), layers.Resizing(4, 5), layers.Flatten(), layers.Dense(3)]
    )
    assert model.layers[0].get_config()["height"] == 4
    for size in [(4, 5), (9, 3), (1, 1), (30, 40)]:
        assert model.predict(np.ones((2, *size, 2))).shape == (2, 3)


@pytest.mark.parametrize(
    ("make", "shape", "message"),
    [
        (lambda: layers.Reshape((3, 0)), None, r"target_shape must be positive integers.*got \(3, 0\)"),
        (lambda: layers.Reshape(7), None, "target_shape must be positive integers"),
        (lambda: layers.Reshape((-1, -1)), None, "one of which may be -1"),
        (lambda: layers.Reshape((4, -1)), (7,), r"\(4, -1\) must have as many elements as the input: 7"),
        (lambda: layers.Reshape((4,)), (7,), "must have as many elements"),
        (lambda: layers.Permute((0, 1)), None, "dims must be the axes of a sample"),
        (lambda: layers.Permute((2, 1)), (3, 4, 5), r"2 axes, but a sample of shape \(3, 4, 5\) has 3"),
        (lambda: layers.ZeroPadding2D(-1), None, "padding must be an integer of at least 0"),
        (lambda: layers.ZeroPadding2D((1, 2, 3)), None, "padding must be"),
        (lambda: layers.ZeroPadding2D((1, (2, 3.5))), None, "padding must be"),
        (lambda: layers.ZeroPadding2D(1), (3,), "ZeroPadding2D.*expected input_shape"),
        (lambda: layers.Cropping2D((1, -2)), None, "cropping must be"),
        (lambda: layers.Cropping2D(2), (4, 5, 1), "leaves nothing of an image of 4x5"),
        (lambda: layers.UpSampling2D(0), None, "size must be a positive integer or two"),
        (lambda: layers.Resizing(0, 3), None, r"Resizing: \(height, width\) must be a positive.*\(0, 3\)"),
        (lambda: layers.Resizing(2, 2.5), None, r"must be a positive integer.*\(2, 2.5\)"),
        (lambda: layers.Resizing(2, 2, "bicubic"), None, "'nearest' or 'bilinear'; got 'bicubic'"),
        (lambda: layers.Resizing(2, 2, crop_to_aspect_ratio=True), None, "crop_to_aspect_ratio=True is not"),
        (lambda: layers.Resizing(2, 2, pad_to_aspect_ratio=True), None, "pad_to_aspect_ratio=True is not"),
        (lambda: layers.Resizing(2, 2, antialias=True), None, "antialias=True is not there, only False"),
        (lambda: layers.Resizing(2, 2, fill_mode="wrap"), None, "fill_mode must be 'constant'; got 'wrap'"),
        (
            lambda: layers.Resizing(2, 2),
            (3, 4),
            r"Resizing.*expected input_shape \(height, width, channels\)",
        ),
        (lambda: layers.Resizing(10**9, 10**9), (3, 4, 1), "images of 1000000000x1000000000 are too large"),
        (lambda: layers.UpSampling2D(10**9), (3, 4, 1), "are too large; expected at most 67108864 pixels"),
        (lambda: layers.UpSampling2D(2, None, "bicubic"), None, "must be 'nearest' or 'bilinear'.*bicubic"),
    ],
)
def test_what_cannot_be_moved_so_is_refused(make, shape, message):
    with pytest.raises(ValueError, match=message):
        make().build(shape)


# Pooling


@settings(max_examples=40)
@given(
    st.sampled_from([layers.MaxPool2D, layers.AveragePool2D]),
    st.tuples(sizes, sizes, st.integers(1, 3)),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.sampled_from(["valid", "same"]),
    st.booleans(),
    st.integers(0, 2**32),
)
def test_pooling_of_random_geometry(kind, shape, window, strides, padding, ties, seed):
    if padding == "valid":
        window = tuple(map(min, window, shape))
    layer = kind(window, strides, padding)
    layer.build(shape, dtype="float64")
    random = np.random.default_rng(seed)
    x = random.normal(size=(2, *shape))
    if ties:
        x = np.round(x)  # many equal values: the gradient goes to the first
    dy = random.normal(size=(2, *layer.output_shape))
    reference = layer_cases.max_pool_reference
    if kind is layers.AveragePool2D:
        reference = layer_cases.average_pool_reference
    y, dx, _ = reference(layer, x, dy)
    check_close(layer.forward(x, training=True), y, "float64")
    check_close(layer.backward(dy), dx, "float64")


def test_max_pool_gives_the_gradient_to_the_first_of_equal_values():
    layer = layers.MaxPool2D(2)
    layer.build((2, 2, 1))
    for x, dx in [([5, 5, 5, 5], [1, 0, 0, 0]), ([1, 5, 5, 5], [0, 1, 0, 0]), ([1, 2, 5, 5], [0, 0, 1, 0])]:
        layer.forward(np.reshape(x, (1, 2, 2, 1)), training=True)
        np.testing.assert_array_equal(layer.backward(np.ones((1, 1, 1, 1))).ravel(), dx)


def test_max_pool_with_same_padding_pads_negative_inputs_with_minus_infinity():
    layer = layers.MaxPool2D(3, strides=1, padding="same")
    layer.build((3, 3, 1))
    x = -1.0 - np.arange(9.0).reshape(1, 3, 3, 1)
    np.testing.assert_array_equal(
        layer.forward(x, training=True)[0, :, :, 0], [[-1, -1, -2], [-1, -1, -2], [-4, -4, -5]]
    )
    assert layer.backward(np.ones((1, 3, 3, 1))).sum() == 9


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("place", range(4))
def test_max_pool_of_a_window_with_nan_is_nan(place, dtype):
    layer = layers.MaxPool2D(2)
    layer.build((2, 2, 20), dtype=dtype)
    x = np.random.default_rng(0).normal(size=(1, 4, 20))
    x[:, place, ::3] = np.nan
    y = layer.forward(x.reshape(1, 2, 2, 20))
    np.testing.assert_array_equal(np.isnan(y[0, 0, 0]), np.arange(20) % 3 == 0)


def test_max_pool_of_infinities():
    layer = layers.MaxPool2D(2)
    layer.build((2, 2, 1))
    x = np.full((2, 2, 2, 1), -np.inf)
    x[1, 0, 1] = np.inf
    np.testing.assert_array_equal(layer.forward(x, training=True).ravel(), [-np.inf, np.inf])
    np.testing.assert_array_equal(layer.backward(np.ones((2, 1, 1, 1))).ravel(), [1, 0, 0, 0, 0, 1, 0, 0])


def test_average_pool_of_a_constant_is_that_constant_even_at_the_edge():
    layer = layers.AveragePool2D(3, strides=1, padding="same")
    layer.build((4, 5, 2), dtype="float64")
    np.testing.assert_allclose(layer.forward(np.full((1, 4, 5, 2), 3.0)), 3.0, rtol=1e-15)


def test_max_pool_is_the_short_name():
    assert layers.MaxPool is layers.MaxPool2D


# Activations


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_relu_keeps_nan_and_infinity_alone_and_fused(activation):
    for layer in (layers.Dense(4, activation=activation), layers.activation.get(activation)):
        layer.build(4)
        if layer.parameters:
            layer.kernel.value[:], layer.bias.value[:] = 0, [np.nan, -1e38, 0, np.inf]
            y = layer.forward(np.ones((1, 4)))
        else:
            y = layer.forward([[np.nan, -1e38, 0, np.inf]])
        expected = [np.nan, 0 if activation == "relu" else np.float32(0.2) * np.float32(-1e38), 0, np.inf]
        np.testing.assert_allclose(y, [expected], rtol=1e-6)


def test_relu_of_negative_numbers_is_plain_zero():
    layer = layers.ReLU()
    layer.build(3)
    y = layer.forward([[-np.inf, -1.0, -0.5]], training=True)
    np.testing.assert_array_equal(y, [[0, 0, 0]])
    assert not np.signbit(y).any()
    np.testing.assert_array_equal(layer.backward([[-1.0, np.inf, 1.0]]), [[0, 0, 0]])


@pytest.mark.parametrize("layer", [layers.Sigmoid(), layers.Tanh(), layers.Softmax()], ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_activations_of_huge_numbers_do_not_overflow(layer, dtype):
    layer.build(3, dtype=dtype)
    huge = np.finfo(dtype).max / 2
    y = layer.forward([[huge, 0, -huge], [1000, 1000, -1000]], training=True)
    low = -1 if isinstance(layer, layers.Tanh) else 0
    assert y[0, 0] == 1
    assert y[0, 2] == y[1, 2] == low
    assert np.isfinite(layer.backward(np.ones((2, 3)))).all()


@settings(max_examples=40)
@given(st.integers(1, 6), st.integers(1, 20), st.floats(-100, 100), st.integers(0, 2**32))
def test_softmax_gives_probabilities_that_a_shift_does_not_change(samples, classes, shift, seed):
    random = np.random.default_rng(seed)
    layer = layers.Softmax()
    layer.build(classes, dtype="float64")
    x = random.normal(size=(samples, classes)) * 5
    y = layer.forward(x, training=True)
    assert (y >= 0).all()
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(layer.forward(x + shift), y, rtol=1e-9)
    np.testing.assert_allclose(layer.backward(random.normal(size=y.shape)).sum(axis=1), 0, atol=1e-12)


def test_softmax_with_an_upstream_of_ones_is_zero_and_so_checks_nothing():
    layer = layers.Softmax()
    layer.build(4, dtype="float64")
    y = layer.forward(np.random.default_rng(0).normal(size=(3, 4)), training=True)
    np.testing.assert_allclose(layer.backward(np.ones((3, 4))), 0, atol=1e-15)
    dy = np.random.default_rng(1).normal(size=(3, 4))
    expected = np.einsum("nkm,nk->nm", naive.softmax_jacobian(y), dy)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(layer.backward(dy), expected, atol=1e-14)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("relu", layers.ReLU),
        ("leaky_relu", layers.LeakyReLU),
        ("sigmoid", layers.Sigmoid),
        ("tanh", layers.Tanh),
        ("softmax", layers.Softmax),
    ],
)
def test_activation_by_name(name, kind):
    assert type(layers.activation.get(name)) is kind


def test_activation_none_object_and_unknown():
    assert layers.activation.get(None) is layers.activation.get("linear") is None
    assert layers.activation.get(layers.LeakyReLU(0.7)).negative_slope == 0.7
    with pytest.raises(ValueError, match=r"Unknown activation 'rleu'.*Did you mean 'relu'"):
        layers.Dense(3, activation="rleu")


# Dropout


def dropout(rate, shape, seed=0, dtype="float32"):
    layer = layers.Dropout(rate)
    layer.build(shape, seed=seed, dtype=dtype)
    return layer


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5, 0.9])
def test_dropout_drops_the_fraction_and_keeps_the_mean(rate, dtype):
    y = dropout(rate, 1000, dtype=dtype).forward(np.ones((200, 1000)), training=True)
    assert set(np.unique(y)) == {0, np.dtype(dtype).type(1 / (1 - rate))}
    dropped = y == 0
    deviation = math.sqrt(rate * (1 - rate))
    assert abs(dropped.mean() - rate) < 5 * deviation / math.sqrt(y.size)
    # No position, sample, or neighbourhood is special.
    assert np.abs(dropped.mean(axis=0) - rate).max() < 6 * deviation / math.sqrt(200)
    assert np.abs(dropped.mean(axis=1) - rate).max() < 6 * deviation / math.sqrt(1000)
    centred = (dropped - rate) / deviation
    for product in (
        centred[:, 1:] * centred[:, :-1],
        centred[1:] * centred[:-1],
        centred[:, 2:] * centred[:, :-2],
    ):
        assert abs(product.mean()) < 5 / math.sqrt(product.size)


def test_dropout_drops_the_same_in_backward():
    layer = dropout(0.5, (7, 9))
    y = layer.forward(np.ones((5, 7, 9)), training=True)
    np.testing.assert_array_equal(layer.backward(np.ones((5, 7, 9))), y)
    layer.step = 20  # a model has moved on
    np.testing.assert_array_equal(layer.backward(np.ones((5, 7, 9))), y)


def test_dropout_depends_on_the_step_and_the_seed():
    ones = np.ones((4, 500))

    def mask(seed, step):
        layer = dropout(0.5, 500, seed)
        layer.step = step
        return layer.forward(ones, training=True) > 0

    np.testing.assert_array_equal(mask(1, 3), mask(1, 3))
    masks = [mask(*place) for place in [(1, 3), (1, 4), (2, 3), (2, 4), (1, 2**31), ((1, 1), 3), ((1, 2), 3)]]
    for i, first in enumerate(masks):
        for second in masks[:i]:
            assert 0.4 < (first == second).mean() < 0.6


def test_dropout_alone_drops_others_at_every_call():
    layer = dropout(0.5, 500)
    masks = [layer.forward(np.ones((1, 500)), training=True) > 0 for _ in range(3)]
    assert 0.3 < (masks[0] == masks[1]).mean() < 0.7
    assert 0.3 < (masks[1] == masks[2]).mean() < 0.7


@settings(max_examples=20)
@given(st.integers(2, 12), st.data())
def test_dropout_does_not_depend_on_how_the_batch_is_cut(samples, data):
    cut = data.draw(st.integers(1, samples - 1))
    layer = dropout(0.4, (3, 5))
    x = np.random.default_rng(samples).normal(size=(samples, 3, 5))
    whole = layer.forward(x, training=True)
    for part in (slice(0, cut), slice(cut, samples)):
        shard = layer.replica()
        shard.step, shard.first_sample = 0, part.start
        np.testing.assert_array_equal(shard.forward(x[part], training=True), whole[part])
        np.testing.assert_array_equal(shard.backward(x[part]), whole[part])


def test_dropout_is_the_identity_at_rate_0_and_at_inference():
    x = np.random.default_rng(0).normal(size=(50, 40)).astype(np.float32)
    layer = dropout(0, 40)
    np.testing.assert_array_equal(layer.forward(x, training=True), x)
    np.testing.assert_array_equal(layer.backward(x), x)
    np.testing.assert_array_equal(dropout(0.9, 40).forward(x), x)


def test_dropout_of_groups_makes_one_choice_for_each():
    ones = np.ones((400, 3, 4, 50))
    layer = layers.SpatialDropout2D(0.3)
    layer.build((3, 4, 50))
    y = layer.forward(ones, training=True)
    assert (y == y[:, :1, :1]).all()
    assert (y[:, 0, 0] == 0).mean() == pytest.approx(0.3, abs=0.02)
    np.testing.assert_array_equal(layer.backward(ones), y)
    layer = layers.Dropout(0.3, (1, None, 1, None))
    layer.build((3, 4, 50))
    y = layer.forward(ones, training=True)
    assert (y == y[:1, :, :1]).all()
    assert (y[0, :, 0] == 0).mean() == pytest.approx(0.3, abs=0.15)
    whole = layers.Dropout(0.3)  # the groups of which are elements
    single = layers.Dropout(0.3, (None, None))
    for one in (whole, single):
        one.build(50, seed=4)
    x = np.ones((5, 50))
    np.testing.assert_array_equal(whole.forward(x, training=True), single.forward(x, training=True))


def test_dropout_with_a_seed_of_its_own():
    ones = np.ones((3, 50))
    first, second, other = (layers.Dropout(0.5, seed=seed) for seed in (7, 7, 8))
    for number, layer in enumerate((first, second, other)):
        layer.build(50, seed=number)
        assert repr(layer) == f"Dropout(rate=0.5, seed={8 if layer is other else 7})"
    np.testing.assert_array_equal(first.forward(ones, training=True), second.forward(ones, training=True))
    assert (other.forward(ones, training=True) != second.backward(ones)).any()


@pytest.mark.parametrize(
    "shape", [(None,), (2, None, None), (None, 3, None), (None, None, None, None), 5, "ab"]
)
def test_noise_shapes_that_do_not_fit(shape):
    with pytest.raises(ValueError, match="noise_shape must be None or 1 for the batch"):
        layers.Dropout(0.5, shape).build((2, 3))


@pytest.mark.parametrize("rate", [-0.1, 1, 1.5, float("nan")])
def test_dropout_rate_out_of_range(rate):
    with pytest.raises(ValueError, match="rate is the fraction dropped, at least 0 and below 1"):
        layers.Dropout(rate)


# im2col and col2im


@pytest.mark.parametrize(
    ("dtype", "result"),
    [("float32", "float32"), ("float64", "float64"), ("uint8", "float32"), ("int64", "float64")],
)
def test_im2col_and_col2im_of_any_input(dtype, result):
    x = np.random.default_rng(0).integers(0, 100, (2, 3, 6, 5)).astype(dtype).transpose(0, 2, 3, 1)
    for arguments in [((2, 3), 1, "valid"), ((2, 3), (2, 1), "same")]:
        window, strides, padding = arguments
        pair = (strides, strides) if isinstance(strides, int) else strides
        expected = naive.im2col(x, window, pair, padding)
        columns = layers.im2col(x, *arguments)
        assert columns.dtype == result
        np.testing.assert_array_equal(columns, expected.reshape(-1, 2 * 3 * 3))
        images = layers.col2im(np.asfortranarray(columns.astype(dtype)), x.shape, *arguments)
        assert images.dtype == result
        np.testing.assert_array_equal(images, naive.col2im(expected, x.shape, window, pair, padding))


def test_im2col_of_no_images():
    assert layers.im2col(np.zeros((0, 3, 3, 2)), 2).shape == (0, 8)
    assert layers.col2im(np.zeros((0, 8)), (0, 3, 3, 2), 2).shape == (0, 3, 3, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: layers.im2col(np.zeros((3, 3)), 2),
            r"im2col: expected x of shape \(N, H, W, C\); got \(3, 3\)",
        ),
        (
            lambda: layers.im2col(np.zeros((1, 3, 3, 1)), 4),
            r"im2col: its window \(4, 4\) is larger than .*\(3, 3\)",
        ),
        (lambda: layers.im2col(np.zeros((1, 3, 3, 1)), 0), "im2col: kernel_size must be a positive integer"),
        (lambda: layers.im2col(np.zeros((1, 3, 3, 1)), 2, 0), "im2col: strides must be a positive integer"),
        (
            lambda: layers.im2col(np.zeros((1, 3, 3, 1)), 2, 1, "full"),
            "im2col: padding must be 'valid' or 'same'",
        ),
        (
            lambda: layers.col2im(np.zeros((4, 4)), (3, 3), 2),
            r"col2im: expected shape \(N, H, W, C\); got \(3, 3\)",
        ),
        (
            lambda: layers.col2im(np.zeros((4, 5)), (1, 3, 3, 1), 2),
            r"col2im: expected columns of shape \(4, 4\) for images \(1, 3, 3, 1\); got \(4, 5\)",
        ),
        (lambda: layers.col2im(np.zeros((4, 4)), (1, 3, 3, 1), 0), "col2im: kernel_size must be"),
    ],
)
def test_im2col_and_col2im_name_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# Hyperparameters


@pytest.mark.parametrize("value", [3, np.int64(3), (3, 3), [3, np.int32(3)]])
def test_positive_pair(value):
    pair = positive_pair("Conv2D", "strides", value)
    assert pair == (3, 3)
    assert [type(size) for size in pair] == [int, int]


@pytest.mark.parametrize("value", [0, -1, 1.5, None, "ab", (), (1,), (1, 2, 3), (1, 0), (1, 2.0), np.ones(2)])
def test_positive_pair_names_the_layer_the_argument_and_the_value(value):
    with pytest.raises(
        ValueError, match="Conv2D: strides must be a positive integer or two of them"
    ) as caught:
        positive_pair("Conv2D", "strides", value)
    assert str(caught.value).endswith(f"got {value!r}.")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layers.Dense(0), "Dense: units must be a positive integer; got 0"),
        (lambda: layers.Dense(1.5), "Dense: units must be a positive integer; got 1.5"),
        (lambda: layers.Dense(1, kernel_initializer="he"), "Unknown initializer 'he'"),
        (lambda: layers.Conv2D(0, 3), "Conv2D: filters must be a positive integer; got 0"),
        (lambda: layers.Conv2D(1, 0), "Conv2D: kernel_size must be"),
        (lambda: layers.Conv2D(1, 3, strides=0), "Conv2D: strides must be"),
        (
            lambda: layers.Conv2D(1, 3, padding="full"),
            "Conv2D: padding must be 'valid' or 'same'; got 'full'",
        ),
        (
            lambda: layers.Conv2D(1, 3, method="fft"),
            "Conv2D: method must be one of .*auto.*im2col.*got 'fft'",
        ),
        (lambda: layers.MaxPool2D(0), "MaxPool2D: pool_size must be"),
        (lambda: layers.AveragePool2D(2, 0), "AveragePool2D: strides must be"),
        (
            lambda: layers.MaxPool2D(padding="full"),
            "MaxPool2D: padding must be 'valid' or 'same'; got 'full'",
        ),
        (lambda: layers.LeakyReLU(-1), "LeakyReLU: negative_slope must be at least 0; got -1"),
        (lambda: layers.ReLU(-0.5), "ReLU: max_value must be at least 0; got -0.5"),
        (lambda: layers.ReLU(negative_slope=None), "ReLU: negative_slope must be at least 0; got None"),
        (lambda: layers.ReLU(threshold=-1), "ReLU: threshold must be at least 0; got -1"),
        (lambda: layers.LeakyReLU(None), "LeakyReLU: negative_slope must be at least 0; got None"),
        (lambda: layers.PReLU(shared_axes=[2]).build(3), "PReLU: shared_axes must be among 1 to 1"),
        (lambda: layers.Softmax(2).build(3), "Softmax: axis must be one of 1 to 1"),
        (lambda: layers.Softmax(0).build(3), "Softmax: axis must be one of 1 to 1 .0 counts the samples"),
        (lambda: layers.ELU("x"), "ELU: alpha must be a number; got 'x'"),
        (lambda: layers.Elementwise("gleu"), "Unknown function 'gleu'. Did you mean 'gelu'"),
    ],
)
def test_wrong_hyperparameters_name_the_layer(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (layers.Dense(3), (), r"Dense: expected input_shape \(\.\.\., features\); got \(\)"),
        (layers.Dense(3), 0, r"Dense: input_shape must be positive integers"),
        (layers.Conv2D(3, 3), (28, 28), r"Conv2D: expected .*\(28, 28\)\. Try \(28, 28, 1\)"),
        (layers.MaxPool2D(), (28, 28), r"MaxPool2D: expected .*\(28, 28\)\. Try \(28, 28, 1\)"),
        (layers.GlobalAveragePool2D(), (5,), r"GlobalAveragePool2D: expected .*got \(5,\)\.$"),
        (
            layers.Conv2D(3, 5),
            (4, 6, 1),
            r"Conv2D: its window \(5, 5\) is larger than its input \(4, 6\).*smaller",
        ),
        (
            layers.Conv2D(3, (1, 7)),
            (4, 6, 1),
            r"Conv2D: its window \(1, 7\) is larger than its input \(4, 6\)",
        ),
        (layers.MaxPool2D(2), (1, 4, 1), r"MaxPool2D: its window \(2, 2\) is larger than its input \(1, 4\)"),
        (layers.Softmax(), (), "Softmax: expected an input_shape with an axis of classes"),
    ],
    ids=repr,
)
def test_wrong_input_shapes_name_the_layer(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        layer.build(shape)


@pytest.mark.parametrize("dtype", ["float16", "int32"])
def test_wrong_dtype_names_the_layer(dtype):
    with pytest.raises(ValueError, match=f"Dense: dtype must be 'float32' or 'float64'; got '{dtype}'"):
        layers.Dense(3).build(3, dtype=dtype)


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (layers.Dense(10), "Dense(units=10)"),
        (
            layers.Dense(10, activation="relu", use_bias=False),
            "Dense(units=10, activation='relu', use_bias=False)",
        ),
        (
            layers.Dense(1, activation=layers.LeakyReLU(0.1)),
            "Dense(units=1, activation=LeakyReLU(negative_slope=0.1))",
        ),
        (layers.Conv2D(32, 3, padding="same"), "Conv2D(filters=32, kernel_size=3, padding='same')"),
        (layers.MaxPool2D(), "MaxPool2D()"),
        (layers.MaxPool2D(3, strides=2), "MaxPool2D(pool_size=3, strides=2)"),
        (layers.Dropout(0.25), "Dropout(rate=0.25)"),
        (layers.ReLU(), "ReLU()"),
        (layers.Softmax(), "Softmax()"),
    ],
)
def test_repr(layer, text):
    assert repr(layer) == text


# Configurations


def test_config_of_numpy_numbers_lists_objects_and_initializers():
    layer = layers.Conv2D(
        np.int64(4),
        [2, np.int32(3)],
        activation=layers.LeakyReLU(np.float32(0.5)),
        kernel_initializer=tinynet.initializers.HeNormal(),
    )
    config = json.loads(json.dumps(layer_config(layer)))
    assert config["filters"] == 4
    assert config["kernel_size"] == [2, 3]
    assert config["activation"] == {"class": "LeakyReLU", "negative_slope": 0.5}
    assert config["kernel_initializer"] == "he_normal"
    assert layer_config(layer_from_config(config)) == config


def test_a_foreign_layer_describes_itself_by_its_fields():
    class Mine(layers.Dense):
        pass

    assert type(layer_from_config(layer_config(Mine(3)))) is Mine


def test_a_foreign_layer_whose_arguments_are_no_fields_has_no_config():
    class Doubled(layers.Dense):
        def __init__(self, half):
            super().__init__(2 * half)

    with pytest.raises(TypeError, match="Doubled: a model file can describe a layer that is a dataclass"):
        layer_config(Doubled(3))


def test_a_foreign_layer_does_not_take_the_place_of_one_of_tinynet_s():
    class Dense(layers.Layer):
        pass

    assert type(layer_from_config({"class": "Dense", "units": 3})) is layers.Dense
    with pytest.raises(TypeError, match="another layer's class has the same name, Dense"):
        layer_config(Dense())


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"class": "LSTM"}, "Unknown layer class 'LSTM': .* has to be defined"),
        ({"units": 3}, "Unknown layer class None"),
        ({"class": "Dense"}, "Cannot rebuild Dense from .*units"),
        ({"class": "Dense", "units": 3, "colour": "red"}, "Cannot rebuild Dense from .*colour"),
        ({"class": "Dense", "units": -3}, "Dense: units must be a positive integer"),
        ({"class": "Dense", "units": 3, "activation": "blue"}, "Unknown activation 'blue'"),
    ],
)
def test_a_wrong_config_names_what_is_wrong(config, message):
    with pytest.raises(ValueError, match=message):
        layer_from_config(config)


@pytest.mark.parametrize(("dtype", "x"), [("float32", -20.0), ("float64", -40.0)])
def test_sigmoid_of_very_negative_numbers_keeps_its_precision(dtype, x):
    layer = layers.Sigmoid()
    layer.build(1, dtype=dtype)
    assert layer.forward([[x]])[0, 0] == pytest.approx(math.exp(x), rel=1e-6)
