"""TensorFlow Lite files: what the official interpreter computes with them, and what another reader finds."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from export_cases import ENDS, HEADS, MERGED, MERGING, ROWS, SIZES, Double, Halved, graph, shaken
from flatbuffer import Table
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_cases import CASES, case_name

import tinynet
from tinynet import Input, Model, Sequential, layers, lite
from tinynet.exporting import to_tflite
from tinynet.exporting.tflite.operators import SINGLE

# The numbers of operators in TensorFlow's schema.
DEPTHWISE_CONV_2D = 4
ADD, CONV_2D, FULLY_CONNECTED, MAX_POOL_2D, MUL, RELU, RESHAPE, SOFTMAX = 0, 3, 9, 17, 18, 19, 22, 25


def interpreter_of(content, resolver="AUTO"):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    kind = getattr(interpreter.OpResolverType, resolver)
    return interpreter.Interpreter(model_content=content, experimental_op_resolver_type=kind, num_threads=1)


def run(content, inputs, resolver="AUTO"):
    """Return the outputs that the interpreter computes; those of the second resolver have other kernels."""
    interpreter = interpreter_of(content, resolver)
    given, asked = interpreter.get_input_details(), interpreter.get_output_details()
    for one, x in zip(given, inputs, strict=True):
        assert [*one["shape_signature"]] == [-1, *x.shape[1:]]
        assert [*one["shape"]] == [1, *x.shape[1:]]
        interpreter.resize_tensor_input(one["index"], x.shape, strict=True)
    interpreter.allocate_tensors()
    for one, x in zip(given, inputs, strict=True):
        interpreter.set_tensor(one["index"], x)
    interpreter.invoke()
    return [interpreter.get_tensor(one["index"]) for one in asked]


def assert_same(model, inputs, resolver="AUTO", tolerance=1e-5):
    expected = model.predict(inputs if len(inputs) > 1 else inputs[0])
    expected = expected if isinstance(expected, list) else [expected]
    for y, wanted in zip(run(to_tflite(model), inputs, resolver), expected, strict=True):
        assert y.dtype == np.float32
        assert y.shape == wanted.shape
        np.testing.assert_allclose(y, wanted, rtol=tolerance, atol=tolerance * max(1, np.abs(wanted).max()))


@pytest.mark.parametrize(
    "resolver", ["AUTO", pytest.param("BUILTIN_WITHOUT_DEFAULT_DELEGATES", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_the_interpreter_computes_what_each_layer_does(case, resolver):
    x, _ = case.data(case.build())
    layer = case.make()
    model = shaken(Sequential([layer], case.shape))
    known = isinstance(layer, layers.Chain | layers.Activation) or type(layer).__name__ in SINGLE
    turned = getattr(layer, "data_format", None) == "channels_first"
    if not known or getattr(layer, "threshold", 0) or turned:
        with pytest.raises(ValueError, match=f"export: {layer.title} {'takes' if turned else 'has'} "):
            to_tflite(model)
        return
    assert_same(model, [x], resolver)


@settings(max_examples=60)
@given(st.tuples(SIZES, SIZES, st.integers(1, 4)), ROWS, ENDS, HEADS, st.integers(1, 5))
def test_the_interpreter_computes_what_rows_of_layers_do(shape, row, end, head, samples):
    pytest.importorskip("ai_edge_litert.interpreter")
    try:
        model = Sequential([*row, end(), *head], shape, seed=1)
    except ValueError:  # a window that is larger than its image
        return
    x = np.random.default_rng(samples).normal(size=(samples, *shape)).astype(np.float32)
    assert_same(shaken(model), [x])


@pytest.mark.parametrize("kind", ["mnist_cnn", "mnist_mlp"])
def test_the_interpreter_reads_digits_as_the_pretrained_networks_do(kind):
    model = tinynet.pretrained(kind)
    random = np.random.default_rng(3)
    x = (random.random((9, *model.input_shape)) * (random.random((9, *model.input_shape)) < 0.3)).astype("f4")
    assert_same(model, [x])


@pytest.mark.parametrize("kind", MERGING)
@pytest.mark.parametrize("shapes", MERGED, ids=str)
@pytest.mark.parametrize("resolver", ["AUTO", "BUILTIN_WITHOUT_DEFAULT_DELEGATES"])
def test_the_interpreter_merges_and_broadcasts_samples(kind, shapes, resolver):
    if kind == "Subtract" and len(shapes) != 2:
        pytest.skip("takes two inputs")
    inputs = [Input(shape) for shape in shapes]
    model = Model(inputs, getattr(layers, kind)()(inputs))
    random = np.random.default_rng(0)
    assert_same(model, [random.normal(size=(4, *shape)).astype(np.float32) for shape in shapes], resolver)


@pytest.mark.parametrize(("axis", "other"), [(1, (1, 3, 2)), (2, (4, 5, 2)), (3, (4, 3, 1)), (-1, (4, 3, 6))])
def test_the_interpreter_lays_inputs_side_by_side(axis, other):
    inputs = [Input((4, 3, 2)), Input(other)]
    random = np.random.default_rng(0)
    x = [random.normal(size=(3, *shape)).astype(np.float32) for shape in ((4, 3, 2), other)]
    assert_same(Model(inputs, layers.Concatenate(axis)(inputs)), x)


def test_the_interpreter_runs_graphs_of_several_inputs_and_outputs():
    model, random = graph(), np.random.default_rng(5)
    x = [random.normal(size=(3, *shape)).astype(np.float32) for shape in ((6, 5, 2), (7, 4, 2))]
    assert_same(model, x)
    runner = interpreter_of(to_tflite(model)).get_signature_runner("serving_default")
    named = runner(left=x[0][:1], right=x[1][:1])
    expected = model.predict([one[:1] for one in x])
    assert sorted(named) == ["output_0", "output_1", "output_2"]
    for place, one in enumerate(expected):
        np.testing.assert_allclose(named[f"output_{place}"], one, rtol=1e-5, atol=1e-5)


def test_what_a_model_is_given_it_may_give_back():
    inputs = Input((2, 3))
    tanh = layers.Tanh()(inputs)
    model = Model(inputs, [inputs, tanh, tanh, layers.Dropout(0.5)(inputs)])
    assert_same(model, [np.random.default_rng(0).normal(size=(2, 2, 3)).astype(np.float32)])


def test_an_output_in_the_midst_is_not_joined_with_what_comes_after_it():
    inputs = Input((4,))
    linear = layers.Dense(3)(inputs)
    assert_same(Model(inputs, [layers.ReLU()(linear), linear]), [np.eye(4, dtype=np.float32)])


@pytest.mark.parametrize("shape", [(2, 3, 2, 2, 3), (2, 1, 2, 2, 2, 3)])
def test_samples_may_have_many_axes(shape):
    x = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
    row = [layers.Softmax(), layers.ReLU(), layers.BatchNormalization(), layers.LayerNormalization()]
    assert_same(shaken(Sequential(row, shape)), [x])
    if len(shape) == 5:
        assert_same(Sequential([layers.Permute((3, 1, 5, 2, 4))], shape), [x])


# What another reader finds in the file.


def operators_of(content):
    """Return (code, version, activation, output's shape) of all operators."""
    model = Table(content)
    codes, (graph,) = model.tables(1), model.tables(2)
    tensors, found = graph.tables(0), []
    for operator in graph.tables(3):
        code = codes[operator.number(0, "<I")]
        assert code.number(0, "<b") == code.number(3)
        options = operator.table(4) if operator.has(4) else None
        place = {CONV_2D: 3, MAX_POOL_2D: 5, SOFTMAX: 9}.get(code.number(3), 0)
        activation = 0 if options is None else options.number(place, "<b")
        shape = tuple(int(size) for size in tensors[operator.array(2)[0]].array(0))
        found.append((code.number(3), code.number(2), activation, shape))
    return found


def constants_of(content):
    """Return the constant tensors, by their names: arrays of what the file holds, and their tables."""
    model = Table(content)
    buffers, dtypes = model.tables(4), {0: "<f4", 1: "<f2", 2: "<i4", 9: "i1"}
    return {
        tensor.text(3): (
            np.frombuffer(
                buffers[tensor.number(2, "<I")].array(0, "u1").tobytes(), dtypes[tensor.number(1, "<b")]
            ).reshape(tensor.array(0)),
            tensor,
        )
        for tensor in model.tables(2)[0].tables(0)
        if tensor.number(2, "<I")
    }


def small_model():
    return shaken(
        Sequential(
            [
                layers.Conv2D(8, 3, activation="relu"),
                layers.MaxPool2D(),
                layers.Dropout(0.5),
                layers.Flatten(),
                layers.Dense(10, activation="softmax"),
            ],
            (8, 8, 4),
        )
    )


def test_the_file_says_what_the_schema_asks_for():
    content = to_tflite(small_model())
    assert content[4:8] == b"TFL3"
    model = Table(content)
    assert model.number(0, "<I") == 3
    assert len(model.tables(4)[0].array(0, "u1")) == 0  # the first buffer is empty
    for buffer in model.tables(4)[1:]:
        assert (buffer.refers(0) + 4) % 16 == 0
    assert operators_of(content) == [
        (CONV_2D, 1, 1, (1, 6, 6, 8)),
        (MAX_POOL_2D, 1, 0, (1, 3, 3, 8)),
        (RESHAPE, 1, 0, (1, 72)),
        (FULLY_CONNECTED, 1, 0, (1, 10)),
        (SOFTMAX, 1, 0, (1, 10)),
    ]
    (graph,), (signature,) = model.tables(2), model.tables(7)
    tensors = graph.tables(0)
    (start,), (end,) = graph.array(1), graph.array(2)
    assert [*tensors[start].array(0)] == [1, 8, 8, 4]
    assert [*tensors[start].array(7)] == [-1, 8, 8, 4]
    assert [*tensors[end].array(7)] == [-1, 10]
    assert signature.text(2) == "serving_default"
    assert [(one.text(0), one.number(1, "<I")) for one in signature.tables(0)] == [("input_layer", start)]
    assert [(one.text(0), one.number(1, "<I")) for one in signature.tables(1)] == [("output_0", end)]


def test_weights_are_laid_out_as_tensorflow_lite_wants_them():
    model = small_model()
    constants = constants_of(to_tflite(model))
    kernel, bias = model.layers[0].get_weights()
    np.testing.assert_array_equal(constants["conv2d/kernel"][0], kernel.transpose(3, 0, 1, 2))
    np.testing.assert_array_equal(constants["conv2d/bias"][0], bias)
    np.testing.assert_array_equal(constants["dense/kernel"][0], model.layers[-1].get_weights()[0].T)


def test_scales_and_offsets_of_channels_go_into_the_weights_before_them():
    row = [
        layers.Conv2D(4, 3, use_bias=False), layers.BatchNormalization(), layers.ReLU(), layers.Flatten(),
        layers.Dense(3), layers.Rescaling(2.0, 1.0), layers.BatchNormalization(), layers.Tanh(),
    ]  # fmt: skip
    content = to_tflite(shaken(Sequential(row, (5, 5, 2))))
    assert [code for code, *_ in operators_of(content)] == [CONV_2D, RESHAPE, FULLY_CONNECTED, 28]
    after = [layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization()]  # too late for that
    content = to_tflite(shaken(Sequential(after, (5, 5, 2))))
    assert [code for code, *_ in operators_of(content)] == [CONV_2D, MUL, ADD]
    after = [layers.DepthwiseConv2D(3), layers.BatchNormalization(), layers.ReLU()]
    content = to_tflite(shaken(Sequential(after, (5, 5, 2))))
    assert [code for code, *_ in operators_of(content)] == [DEPTHWISE_CONV_2D]


def test_equal_constants_are_there_once():
    dense = layers.Dense(64)
    inputs = Input((64,))
    once = len(to_tflite(Model(inputs, dense(inputs))))
    assert len(to_tflite(Model(inputs, dense(dense(inputs))))) < once + 1000


def test_the_same_model_gives_the_same_bytes():
    model = small_model()
    assert to_tflite(model) == to_tflite(model)


def test_operators_have_the_lowest_version_that_does_it():
    row = [
        layers.Permute((4, 3, 2, 1)), layers.Reshape((5, 3, 4)), layers.Permute((2, 1, 3)), layers.Dense(8),
        layers.Conv2D(8, 2, groups=2), layers.Conv2D(8, 1), layers.DepthwiseConv2D(1, dilation_rate=2),
        layers.DepthwiseConv2D(1), layers.UpSampling2D(), layers.Resizing(3, 2), layers.Flatten(),
        layers.Dense(2),
    ]  # fmt: skip
    content = to_tflite(Sequential(row, (2, 3, 2, 5)))
    assert [version for _, version, _, _ in operators_of(content)] == [4, 1, 1, 5, 6, 1, 2, 1, 3, 3, 1, 1]


# Weights of 8 bits.


def large_model():
    return shaken(
        Sequential(
            [
                layers.Conv2D(16, 3, activation="relu"),  # 144 weights: too few
                layers.Conv2D(16, 3, activation="relu"),
                layers.Flatten(),
                layers.Dense(64, activation="relu"),
                layers.Dense(10),  # 640
            ],
            (12, 12, 1),
        )
    )


def test_large_weights_are_rounded_by_a_scale_for_each_output():
    model = large_model()
    model.layers[1].kernel.value[..., 3] = 0
    plain, rounded = to_tflite(model), to_tflite(model, "int8")
    assert len(rounded) < 0.35 * len(plain)
    assert [(code, version) for code, version, *_ in operators_of(rounded)] == [
        (CONV_2D, 1), (CONV_2D, 5), (RESHAPE, 1), (FULLY_CONNECTED, 12), (FULLY_CONNECTED, 1),
    ]  # fmt: skip
    (dense,) = (
        one
        for one in Table(rounded).tables(2)[0].tables(3)
        if one.number(3, "<B") == 8 and one.has(4) and one.table(4).number(0, "<b")
    )
    assert dense.table(4).number(3, "<b") == 1  # inputs are rounded around a zero point of their own
    before, after = constants_of(plain), constants_of(rounded)
    for name in ("conv2d_1/kernel", "dense/kernel"):
        weights, (numbers, tensor) = before[name][0], after[name]
        scales, zeros = tensor.table(4).array(2, "<f4"), tensor.table(4).array(3, "<i8")
        assert numbers.dtype == np.int8
        assert scales.shape == (len(weights),)
        assert not zeros.any()
        assert tensor.table(4).number(6) == 0
        columns = scales.reshape(-1, *[1] * (weights.ndim - 1))
        assert (np.abs(numbers * columns - weights) <= columns * 0.501).all()
        largest = np.abs(numbers).reshape(len(numbers), -1).max(1)
        assert set(largest.tolist()) <= {0, 127}
    for name in ("conv2d/kernel", "dense_1/kernel", "conv2d_1/bias"):
        np.testing.assert_array_equal(before[name][0], after[name][0])


@pytest.mark.parametrize("resolver", ["AUTO", "BUILTIN_WITHOUT_DEFAULT_DELEGATES"])
def test_the_interpreter_computes_nearly_the_same_with_rounded_weights(resolver):
    model, x = large_model(), np.random.default_rng(0).normal(size=(5, 12, 12, 1)).astype(np.float32)
    (y,), expected = run(to_tflite(model, "int8"), [x], resolver), model.predict(x)
    assert 0 < np.abs(y - expected).max() < 0.02 * np.abs(expected).max()


def test_weights_of_16_bits_are_half_as_large():
    model = large_model()
    content = to_tflite(model, "float16")
    assert len(content) < 0.6 * len(to_tflite(model))
    kernel, _ = constants_of(content)["dense/kernel/float16"]
    np.testing.assert_array_equal(kernel, model.layers[3].get_weights()[0].T.astype(np.float16))
    converter = lite.TFLiteConverter.from_keras_model(model)
    converter.target_spec.supported_types = [np.float16]
    assert converter.convert() == to_tflite(model)  # as in TensorFlow, nothing is rounded without this:
    converter.optimizations = [lite.Optimize.DEFAULT]
    assert converter.convert() == content
    model.layers[0].bias.value[0] = 1e5
    with pytest.raises(ValueError, match="conv2d/bias has numbers beyond float16"):
        to_tflite(model, "float16")


@pytest.mark.parametrize("resolver", ["AUTO", "BUILTIN_WITHOUT_DEFAULT_DELEGATES"])
def test_the_interpreter_computes_with_weights_of_16_bits_what_they_say(resolver):
    model, x = large_model(), np.random.default_rng(0).normal(size=(5, 12, 12, 1)).astype(np.float32)
    (y,) = run(to_tflite(model, "float16"), [x], resolver)
    exact = model.predict(x)
    for parameter in model.parameters:
        parameter.value[...] = parameter.value.astype(np.float16)
    np.testing.assert_allclose(y, model.predict(x), rtol=1e-5, atol=1e-5)
    assert np.abs(y - exact).max() > 1e-5


# TensorFlow's names, and what cannot be.


def test_the_last_lines_of_a_script():
    tf, model = tinynet, small_model()
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    assert converter.convert() == to_tflite(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.experimental_new_converter = True
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    assert converter.convert() == to_tflite(model, "int8")


def test_export_writes_a_file_that_the_interpreter_opens(tmp_path):
    model, path = small_model(), tmp_path / "model.tflite"
    model.export(str(path), format="litert")
    assert path.read_bytes() == to_tflite(model)
    pytest.importorskip("ai_edge_litert.interpreter")
    interpreter = lite.Interpreter(model_path=str(path))
    assert [*interpreter.get_input_details()[0]["shape"]] == [1, 8, 8, 4]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("optimizations", [lite.Optimize.EXPERIMENTAL_SPARSITY], "optimizations must be"),
        ("representative_dataset", list, "representative_dataset must be None"),
        ("inference_input_type", np.uint8, "inference_input_type must be float32"),
        ("inference_output_type", np.int8, "inference_output_type must be float32"),
        ("target_spec", lite.TargetSpec([lite.OpsSet.TFLITE_BUILTINS_INT8]), "supported_ops must hold"),
        ("target_spec", lite.TargetSpec(supported_types=[np.int16]), "supported_types"),
    ],
)
def test_settings_that_would_have_another_meaning_are_refused(name, value, message):
    converter = lite.TFLiteConverter.from_keras_model(small_model())
    setattr(converter, name, value)
    with pytest.raises(ValueError, match=message):
        converter.convert()


def test_other_ways_to_a_converter_are_refused():
    with pytest.raises(ValueError, match=r"tinynet\.load_model"):
        lite.TFLiteConverter.from_saved_model("folder")
    with pytest.raises(ValueError, match="from_keras_model"):
        lite.TFLiteConverter.from_concrete_functions([])
    with pytest.raises(TypeError, match="expected a model"):
        lite.TFLiteConverter.from_keras_model("model")
    with pytest.raises(AttributeError, match="Did you mean 'optimizations'"):
        lite.TFLiteConverter.from_keras_model(small_model()).optimisations = []


def test_what_no_operator_does_is_refused_by_name():
    row = [layers.ReLU(), Double(name="mine")]
    with pytest.raises(ValueError, match="Double 'mine' is a class of your own"):
        to_tflite(Sequential(row, 3))
    with pytest.raises(ValueError, match="Halved 'halved' is a class of your own"):
        to_tflite(Halved([layers.ReLU()], 3, name="halved"))
    with pytest.raises(ValueError, match="Permute 'permute' has 7 axes"):
        to_tflite(Sequential([layers.Permute((1, 2, 3, 4, 5, 6))], (1, 1, 1, 1, 1, 2)))


def test_models_without_shapes_and_other_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match="is not built"):
        to_tflite(Sequential([layers.Dense(2)]))
    with pytest.raises(ValueError, match="inputs of any size"):
        to_tflite(Sequential([layers.Conv2D(2, 3)], (None, None, 1)))
    for path, form in [("m.onnx", "litert"), ("m.tflite", "onnx"), ("folder", None)]:
        with pytest.raises(ValueError, match=r"must end in '\.onnx' .* or in '\.tflite'"):
            small_model().export(tmp_path / path, format=form)
    assert not [*tmp_path.iterdir()]


def test_without_the_interpreter_the_error_says_what_to_install():
    code = """
import sys
sys.modules["ai_edge_litert"] = None
from tinynet import lite
try:
    lite.Interpreter("model.tflite")
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "python -m pip install ai-edge-litert" in done.stdout
