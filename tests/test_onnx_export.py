"""ONNX files that tinynet writes: what ONNX Runtime computes with them, and what another reader finds."""

from __future__ import annotations

import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest
from export_cases import ENDS, HEADS, MERGED, MERGING, ROWS, SIZES, Double, Halved, graph, shaken
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from layer_cases import CASES, case_name

import tinynet
from tinynet import Input, Model, Sequential, layers
from tinynet.exporting import to_onnx
from tinynet.exporting.onnx.operators import SEVERAL, SINGLE

onnx = pytest.importorskip("onnx")
FIRST, LAST = (0, 3, 1, 2), (0, 2, 3, 1)


def run(content, inputs, optimizes=True):
    """Return the outputs that ONNX Runtime computes, with or without its changes of the graph."""
    runtime = pytest.importorskip("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    if not optimizes:
        options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]
    return session.run(None, dict(zip(names, inputs, strict=True)))


def assert_same(model, inputs, tolerance=1e-5, optimizes=True, **options):
    expected = model.predict(inputs if len(inputs) > 1 else inputs[0])
    expected = expected if isinstance(expected, list) else [expected]
    found = run(to_onnx(model, **options), inputs, optimizes)
    for y, wanted in zip(found, expected, strict=True):
        assert y.dtype == np.float32
        assert y.shape == wanted.shape
        np.testing.assert_allclose(y, wanted, rtol=tolerance, atol=tolerance * max(1, np.abs(wanted).max()))


def random(*shapes, samples=3, seed=0):
    generator = np.random.default_rng(seed)
    return [generator.normal(size=(samples, *shape)).astype(np.float32) for shape in shapes]


def nodes_of(content):
    """Return the kinds of the nodes, in order."""
    return [node.op_type for node in onnx.load_from_string(content).graph.node]


def constants_of(content):
    """Return the constants by their names."""
    model = onnx.load_from_string(content)
    return {one.name: onnx.numpy_helper.to_array(one) for one in model.graph.initializer}


@pytest.mark.parametrize("optimizes", [True, pytest.param(False, marks=pytest.mark.slow)])
@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_onnx_runtime_computes_what_each_layer_does(case, optimizes):
    x, _ = case.data(case.build())
    assert_same(shaken(Sequential([case.make()], case.shape)), [x], optimizes=optimizes)


@settings(max_examples=60)
@given(
    st.tuples(SIZES, SIZES, st.integers(1, 4)),
    ROWS,
    ENDS,
    HEADS,
    st.integers(1, 5),
    st.sampled_from([13, 17, 22]),
)
def test_onnx_runtime_computes_what_rows_of_layers_do(shape, row, end, head, samples, opset):
    try:
        model = Sequential([*row, end(), *head], shape, seed=1)
    except ValueError:  # a window that is larger than its image
        return
    if opset == 13 and any(isinstance(layer, layers.LayerNormalization) for layer in row):
        opset = 17
    assert_same(shaken(model), random(shape, samples=samples), opset=opset)


@pytest.mark.parametrize("kind", ["mnist_cnn", "mnist_mlp"])
def test_onnx_runtime_reads_digits_as_the_pretrained_networks_do(kind):
    model, generator = tinynet.pretrained(kind), np.random.default_rng(3)
    drawn = generator.random((9, *model.input_shape)) < 0.3
    assert_same(model, [(generator.random(drawn.shape) * drawn).astype("f4")])


@pytest.mark.parametrize("kind", MERGING)
@pytest.mark.parametrize("shapes", MERGED, ids=str)
def test_onnx_runtime_merges_and_broadcasts_samples(kind, shapes):
    if kind == "Subtract" and len(shapes) != 2:
        pytest.skip("takes two inputs")
    inputs = [Input(shape) for shape in shapes]
    assert_same(Model(inputs, getattr(layers, kind)()(inputs)), random(*shapes, samples=4))


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("axis", "other"), [(1, (1, 3, 2)), (2, (4, 5, 2)), (3, (4, 3, 1)), (-1, (4, 3, 6))])
def test_onnx_runtime_lays_inputs_side_by_side(axis, other, turned):
    inputs = [Input((4, 3, 2)), Input(other)]
    begun = [layers.MaxPool2D(1)(one) for one in inputs] if turned else inputs
    assert_same(Model(inputs, layers.Concatenate(axis)(begun)), random((4, 3, 2), other))


def test_onnx_runtime_runs_graphs_of_several_inputs_and_outputs():
    model, x = graph(), random((6, 5, 2), (7, 4, 2))
    assert_same(model, x)
    described = onnx.load_from_string(to_onnx(model)).graph
    assert [one.name for one in described.input] == ["left", "right"]
    assert [one.name for one in described.output] == ["dense", "conv2d", "global_average_pool2d"]
    assert (
        nodes_of(to_onnx(model)).count("Transpose") == 3
    )  # of both inputs, and of the output that is an image


def test_what_a_model_is_given_it_may_give_back():
    inputs = Input((2, 3))
    tanh = layers.Tanh()(inputs)
    model = Model(inputs, [inputs, tanh, tanh, layers.Dropout(0.5)(inputs)])
    assert_same(model, random((2, 3)))
    names = [one.name for one in onnx.load_from_string(to_onnx(model)).graph.output]
    assert names == ["input_layer/identity", "tanh", "tanh/identity", "dropout/identity"]


def test_what_borders_on_a_threshold_or_on_zero():
    (x,) = random((3,))
    for layer in (layers.ReLU(threshold=0.5), layers.ReLU(0.7, 0.25, 0.5)):
        model = Sequential([layer], 3)
        x[0] = (0.5, 0.75, 0)
        np.testing.assert_array_equal(run(to_onnx(model), [x])[0], model.predict(x))
    small = layers.Normalization(mean=(1, 2, 3), variance=(0, 1e-20, 4))
    assert_same(Sequential([small], 3), [x])


def test_samples_may_have_many_axes():
    row = [layers.Softmax(), layers.ReLU(), layers.BatchNormalization(), layers.LayerNormalization()]
    row += [layers.Permute((3, 1, 5, 2, 4)), layers.BatchNormalization(), layers.Dense(3), layers.Softmax(2)]
    assert_same(shaken(Sequential(row, (2, 3, 2, 2, 3))), random((2, 3, 2, 2, 3)))


def test_flattened_images_lie_right_whatever_comes_after_them():
    for after in (
        [layers.Dense(3)],
        [layers.Dropout(0.5), layers.Flatten(), layers.Dense(3)],
        [layers.ReLU(), layers.Dense(3)],
        [layers.Reshape((6, 4)), layers.Dense(3)],
        [layers.BatchNormalization()],
        [],
    ):
        row = [layers.Conv2D(4, 2), layers.Flatten(), *after]
        assert_same(shaken(Sequential(row, (4, 3, 2))), random((4, 3, 2)))
    inputs = Input((4, 3, 2))
    flat = layers.Flatten()(layers.Conv2D(4, 2)(inputs))
    outputs = [layers.Dense(2)(flat), layers.Concatenate()([flat, layers.Flatten()(inputs)])]
    assert_same(shaken(Model(inputs, outputs)), random((4, 3, 2)))


# Images of any size, and where their channels are.


def open_model(*row, shape=(None, None, 2)):
    return shaken(Sequential([Input(shape), *row]))


@pytest.mark.parametrize(
    "row",
    [
        [layers.Conv2D(3, 3, padding="same"), layers.Conv2D(3, 2)],
        [layers.Conv2D(3, 3, 2, "same"), layers.MaxPool2D(3, 2, "same"), layers.AveragePool2D(2, 3, "same")],
        [layers.Conv2D(3, 3, padding="same", dilation_rate=2), layers.DepthwiseConv2D(2, 2, "same")],
        [layers.Conv2D(3, 2, 3, "same"), layers.MaxPool2D(2, 2, "same")],
        [layers.SeparableConv2D(3, 3, padding="same"), layers.BatchNormalization()],
        [layers.PReLU(shared_axes=[1, 2]), layers.Conv2D(2, 1), layers.PReLU(shared_axes=[1, 2])],
        [layers.UpSampling2D((2, 3)), layers.Cropping2D(((0, 1), (2, 0)))],
        [layers.ZeroPadding2D(((1, 2), (0, 3))), layers.Conv2D(3, 2), layers.ZeroPadding2D(((1, 2), (0, 3)))],
        [layers.UpSampling2D(2, interpolation="bilinear"), layers.GlobalMaxPool2D(keepdims=True)],
        [layers.Resizing(5, 7), layers.Conv2D(3, 2), layers.Flatten(), layers.Dense(2)],
        [layers.Conv2D(3, 2), layers.Resizing(13, 1, "nearest")],
        [layers.Rescaling((0.5, 2), 1), layers.Normalization(mean=(1, 2), variance=(3, 4)), layers.Dense(3)],
        [layers.Permute((2, 1, 3)), layers.Reshape((-1, 4)), layers.LayerNormalization()],
        [layers.Conv2D(3, 2), layers.Flatten(), layers.ReLU()],
        [layers.Conv2D(3, 2), layers.GlobalAveragePool2D(), layers.Dense(2)],
    ],
    ids=str,
)  # fmt: skip
def test_images_may_have_any_size(row):
    model = open_model(*row)
    content = to_onnx(model)
    for size in [(8, 10), (11, 6), (64, 96)]:
        x = random((*size, 2))
        (y,) = run(content, x)
        np.testing.assert_allclose(y, model.predict(x[0]), rtol=1e-5, atol=1e-5)
    (given,) = onnx.load_from_string(content).graph.input
    sizes = [one.dim_param or one.dim_value for one in given.type.tensor_type.shape.dim]
    assert sizes == ["batch", "dim_0_1", "dim_0_2", 2]


@pytest.mark.parametrize(("size", "new"), [((30, 4), (9, 2)), ((7, 38), (7, 41))])
def test_of_two_equally_near_pixels_the_same_is_taken(size, new):
    model = Sequential([layers.Resizing(*new, "nearest")], (*size, 2))
    content = to_onnx(model)
    assert nodes_of(content) == ["Transpose", "Gather", "Gather", "Transpose"]  # Resize takes others
    assert nodes_of(to_onnx(Sequential([layers.Resizing(5, 3, "nearest")], (*size, 2)))).count("Resize") == 1
    (x,) = random((*size, 2))
    np.testing.assert_array_equal(run(content, [x])[0], model.predict(x))


@settings(max_examples=60)
@given(
    st.sampled_from([layers.Conv2D, layers.DepthwiseConv2D, layers.MaxPool2D, layers.AveragePool2D]),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.sampled_from(["same", "valid"]),
    st.tuples(st.integers(5, 12), st.integers(5, 12)),
)
def test_windows_lie_right_on_images_of_any_size(kind, window, strides, padding, size):
    equal = strides[:1] * 2 if kind is layers.DepthwiseConv2D else strides
    arguments = (window, equal, padding)
    model = open_model(layers.Conv2D(3, *arguments) if kind is layers.Conv2D else kind(*arguments))
    gaps = any(step > length for length, step in zip(window, equal, strict=True))
    assume(padding == "valid" or not gaps or max(window) <= 2)
    assert_same(model, random((*size, 2)))


def test_windows_whose_places_no_file_can_say_are_refused():
    for row in ([layers.Conv2D(2, 3, 4, "same")], [layers.MaxPool2D((2, 3), (3, 2), "same")]):
        with pytest.raises(ValueError, match="leaves gaps between its windows"):
            to_onnx(open_model(*row))


def test_numbers_for_each_element_need_known_sizes():
    row = Sequential([layers.Rescaling(np.arange(64 * 64).reshape(64, 64, 1))], (64, 64, 2))
    assert_same(row, random((64, 64, 2)))
    open_row = Sequential([Input((None, 5, 2)), layers.Rescaling(np.arange(5).reshape(5, 1))])
    assert_same(open_row, random((7, 5, 2)))


def test_sequences_may_have_any_length():
    row = [layers.Conv1D(3, 3, padding="causal", dilation_rate=2), layers.Conv1D(2, 2, 2, "same")]
    model = open_model(*row, layers.MaxPool1D(2, 2, "same"), layers.GlobalAveragePool1D(), shape=(None, 4))
    for length in (7, 12):
        assert_same(model, random((length, 4)))


@pytest.mark.parametrize("own", ["channels_last", "channels_first"])
@pytest.mark.parametrize("wanted", ["channels_last", "channels_first", None])
def test_images_go_in_and_out_with_their_channels_where_they_are_wanted(own, wanted):
    row = [
        layers.Conv2D(4, 3, padding="same", activation="relu", data_format=own),
        layers.MaxPool2D(data_format=own),
        layers.PReLU(),
    ]
    first = own == "channels_first"
    inputs, vectors = Input((3, 8, 6) if first else (8, 6, 3)), Input((5,))
    image = Sequential(row)(inputs)
    flat = layers.Concatenate()([layers.Flatten(own)(image), vectors])
    model = shaken(Model([inputs, vectors], [image, layers.Dense(2)(flat)]))
    x = random((3, 8, 6) if first else (8, 6, 3), (5,))
    turns = wanted is not None and wanted != own
    given = [x[0].transpose(LAST if first else FIRST) if turns else x[0], x[1]]
    images, numbers = run(to_onnx(model, data_format=wanted), given)
    expected = model.predict(x)
    wanted_images = expected[0].transpose(LAST if first else FIRST) if turns else expected[0]
    np.testing.assert_allclose(images, wanted_images, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(numbers, expected[1], rtol=1e-5, atol=1e-5)


# What another reader finds in the file.


def documented(**options):
    return to_onnx(tinynet.pretrained("mnist_cnn"), **options)


def test_nodes_that_nobody_needs_are_left_out():
    row = [layers.Conv2D(4, 2), layers.Flatten(), layers.ReLU()]
    kinds = ["Transpose", "Conv", "Transpose", "Flatten", "Relu"]
    assert nodes_of(to_onnx(Sequential(row, (4, 3, 2)))) == kinds
    kinds = ["Relu", "Conv", "Concat", "Sigmoid", "MaxPool"]
    inputs = Input((4, 4, 2))
    x = layers.ReLU()(inputs)
    x = layers.Activation("sigmoid")(layers.Concatenate()([x, layers.Conv2D(2, 1)(x)]))
    model = Model(inputs, layers.MaxPool2D()(x))
    assert nodes_of(to_onnx(model, data_format="channels_first")) == kinds


def test_the_documented_network_has_no_needless_nodes():
    block = ["Conv", "Relu", "MaxPool"]
    rest = [*block * 3, "Flatten", "Gemm", "Relu", "Gemm", "Softmax"]
    assert nodes_of(documented(data_format="channels_first")) == rest
    assert nodes_of(documented()) == ["Transpose", *rest]


def test_nodes_and_weights_have_the_names_of_layers():
    model = tinynet.pretrained("mnist_cnn")
    described = onnx.load_from_string(documented()).graph
    assert [
        node.name for node in described.node if node.op_type in ("Conv", "Gemm", "MaxPool", "Flatten")
    ] == [layer.name for layer in model.layers if not isinstance(layer, layers.Dropout)]
    constants = constants_of(documented())
    assert {*constants} == {*model.named_parameters()}
    assert described.output[0].name == "dense_1"
    row = [layers.Dense(2, name="first"), layers.Activation("tanh", name="second")]
    described = onnx.load_from_string(to_onnx(Sequential(row, 3))).graph
    assert [node.name for node in described.node] == ["first", "second"]


def test_a_file_holds_the_bits_of_all_weights():
    model, constants = tinynet.pretrained("mnist_cnn"), constants_of(documented())
    for name, parameter in model.named_parameters().items():
        value = parameter.value
        if value.ndim == 4:
            value = value.transpose(3, 2, 0, 1)
        if name == "dense/kernel":  # which takes the images as they lie
            value = value.reshape(3, 3, 32, -1).transpose(2, 0, 1, 3).reshape(value.shape)
        assert constants[name].tobytes() == value.tobytes()
    row = [layers.DepthwiseConv2D(2, depth_multiplier=2), layers.BatchNormalization(), layers.Normalization()]
    model = shaken(Sequential(row, (4, 4, 3)))
    constants = constants_of(to_onnx(model))
    for name, parameter in model.named_parameters().items():
        if not name.endswith("count"):
            assert sorted(constants[name].ravel()) == sorted(parameter.value.ravel())


def test_layers_in_models_inside_have_their_paths_as_names():
    content = to_onnx(graph())
    names = [node.name for node in onnx.load_from_string(content).graph.node if node.op_type == "Conv"]
    assert names == ["model/conv2d", "model/conv2d_1", "conv2d_1", "conv2d", "conv2d_1/conv"]
    assert {*constants_of(content)} == {*graph().named_parameters()}


def test_a_layer_that_is_called_twice_has_its_weights_once():
    dense, inputs = layers.Dense(64), Input((64,))
    model = Model(inputs, dense(dense(inputs)))
    assert {*constants_of(to_onnx(model))} == {"dense/kernel", "dense/bias"}
    assert_same(shaken(model), random((64,)))


def test_the_file_says_who_wrote_it_and_for_which_version():
    model = onnx.load_from_string(documented())
    assert (model.producer_name, model.producer_version) == ("tinynet", tinynet.__version__)
    assert [(one.domain, one.version) for one in model.opset_import] == [("", 17)]
    assert model.ir_version == 8
    assert documented() == documented()


@pytest.mark.parametrize(
    ("name", "former", "opset"),
    [("gelu", 19, 20), ("gelu_approximate", 19, 20), ("hard_silu", 13, 14), ("mish", 17, 18)],
)
def test_newer_operators_are_used_where_the_version_has_them(name, former, opset):
    model = Sequential([layers.Activation(name)], 3)
    assert len(nodes_of(to_onnx(model, opset))) == 1
    assert len(nodes_of(to_onnx(model, former))) > 1
    for version in (former, opset):
        assert_same(model, random((3,)), opset=version)


def test_what_a_version_does_not_have_is_refused_by_the_layers_name():
    model = Sequential([layers.LayerNormalization(name="mine")], 3)
    with pytest.raises(
        ValueError, match=r"'mine' needs the operator LayerNormalization, .*_version 17 on; got 16"
    ):
        to_onnx(model, 16)
    for opset in (12, 1000, 17.5, "17"):
        with pytest.raises(ValueError, match="opset_version must be 13 to "):
            to_onnx(Sequential([layers.Activation("gelu")], 3), opset)
    with pytest.raises(ValueError, match="data_format must be"):
        to_onnx(model, data_format="NCHW")


# The file, and what cannot be.


def test_export_writes_a_file(tmp_path):
    model = tinynet.pretrained("mnist_cnn")
    model.export(tmp_path / "model.onnx")
    model.export(str(tmp_path / "another"), "onnx", False, opset_version=18, data_format="channels_first")
    assert (tmp_path / "model.onnx").read_bytes() == to_onnx(model)
    assert (tmp_path / "another").read_bytes() == to_onnx(model, 18, "channels_first")


class Spec(NamedTuple):
    """What Keras's InputSpec has."""

    shape: tuple
    dtype: str | None = None
    name: str | None = None


def ends_of(content):
    """Return the names and sizes of what a network takes and gives."""
    graph = onnx.load_from_string(content).graph
    return [
        (one.name, [size.dim_param or size.dim_value or None for size in one.type.tensor_type.shape.dim])
        for one in (*graph.input, *graph.output)
    ]


def test_a_signature_gives_sizes_and_names(tmp_path):
    model, path = open_model(layers.Conv2D(3, 2), layers.UpSampling2D(2, name="up")), tmp_path / "model.onnx"
    model.export(path)
    assert ends_of(path.read_bytes()) == [
        ("input_layer", ["batch", "dim_0_1", "dim_0_2", 2]),
        ("up", ["batch", None, None, 3]),
    ]
    model.export(path, "onnx", True, [Spec((None, 5, None, 2))])
    assert ends_of(path.read_bytes()) == [
        ("input_layer", ["batch", 5, "dim_0_2", 2]),
        ("up", ["batch", 8, None, 3]),
    ]
    model.export(path, input_signature=[[Spec((4, 5, 6, None), "float32", "x")]])
    assert ends_of(path.read_bytes()) == [("x", [4, 5, 6, 2]), ("up", [4, 8, 10, 3])]
    (x,) = random((5, 6, 2), samples=4)
    np.testing.assert_allclose(run(path.read_bytes(), [x])[0], model.predict(x), rtol=1e-5, atol=1e-5)
    model.export(tmp_path / "model.tflite", input_signature=[x])


@pytest.mark.parametrize(
    "signature",
    [[], [Spec((None, 5, 5, 3))], [Spec((None, 5, 5))], [Spec((1, 5, 5, 2), "uint8")], [(None, 5, 5, 2)],
     [Spec((None, 5, 5, 2))] * 2, [Spec(None)]],
    ids=str,
)  # fmt: skip
def test_signatures_that_do_not_fit_are_refused(signature):
    with pytest.raises(ValueError, match="input_signature"):
        to_onnx(open_model(layers.Conv2D(3, 2)), signature=signature)


def test_arguments_of_another_format_are_refused(tmp_path):
    model = Sequential([layers.Dense(2)], 3)
    for options in ({"opset_version": 17}, {"data_format": "channels_first"}):
        with pytest.raises(ValueError, match=r"for \.onnx files alone"):
            model.export(tmp_path / "m.tflite", **options)
    assert not [*tmp_path.iterdir()]


def test_what_no_operator_does_is_refused_by_name():
    with pytest.raises(ValueError, match="Double 'mine' is a class of your own"):
        to_onnx(Sequential([layers.ReLU(), Double(name="mine")], 3))
    with pytest.raises(ValueError, match="Halved 'halved' is a class of your own"):
        to_onnx(Halved([layers.ReLU()], 3, name="halved"))
    with pytest.raises(ValueError, match="is not built"):
        to_onnx(Sequential([layers.Dense(2)]))


def test_without_the_package_the_error_says_what_to_install():
    code = """
import sys
sys.modules["onnx"] = None
from tinynet import Sequential, layers
try:
    Sequential([layers.Dense(2)], 3).export("model.onnx")
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "python -m pip install onnx" in done.stdout


def test_every_layer_is_there():
    """A new layer has to be added to the tables, or named here."""
    classes = {
        one for one in vars(layers).values() if isinstance(one, type) and issubclass(one, layers.Layer)
    }
    joined = {"Activation", "Chain", "InputLayer", "Layer", "Convolution2D"}  # never called as themselves
    assert {one.__name__ for one in classes} - joined == {*SINGLE, *SEVERAL}
