"""Networks as Keras describes them: literal descriptions of each of its dialects."""

from __future__ import annotations

import contextlib
import copy
import json
import re
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet import Sequential, layers, losses, metrics, models, optim
from tinynet.files.keras.config import config_from_keras, config_to_keras
from tinynet.layers.config import layer_config, layer_from_config


def sequential(*layers, **others):
    """A Sequential as Keras 2 describes it, of (class, arguments)."""
    named = [
        {"class_name": kind, "config": {"name": f"{kind.lower()}_{i}", **arguments}}
        for i, (kind, arguments) in enumerate(layers)
    ]
    return {"class_name": "Sequential", "config": {"name": "row", "layers": named, **others}}


def built(config, version=None, training=None):
    """The model of a description, after a round trip through JSON."""
    return layer_from_config(config_from_keras(json.dumps(config), training, version))


def test_keras_1_names_are_those_of_today():
    config = {
        "class_name": "Sequential",
        "config": [
            {"class_name": "Convolution2D", "config": {
                "name": "convolution2d_1", "trainable": True, "batch_input_shape": [None, 8, 9, 2],
                "input_dtype": "float32", "nb_filter": 4, "nb_row": 3, "nb_col": 2, "border_mode": "same",
                "subsample": [2, 1], "dim_ordering": "tf", "init": "glorot_uniform", "activation": "relu",
                "W_regularizer": {"name": "WeightRegularizer", "l1": 0.0, "l2": 0.5},
                "b_regularizer": None, "activity_regularizer": None, "b_constraint": None, "bias": False,
                "W_constraint": {"name": "MaxNorm", "m": 3, "axis": 0},
            }},
            {"class_name": "MaxPooling2D", "config": {
                "name": "maxpooling2d_1", "trainable": True, "pool_size": [2, 2], "strides": [2, 2],
                "border_mode": "valid", "dim_ordering": "tf",
            }},
            {"class_name": "Dropout", "config": {"name": "dropout_1", "trainable": True, "p": 0.25}},
            {"class_name": "Flatten", "config": {"name": "flatten_1", "trainable": False}},
            {"class_name": "Dense", "config": {
                "name": "dense_1", "output_dim": 3, "init": "uniform", "activation": "softmax", "bias": True,
                "W_regularizer": None, "input_dim": None,
            }},
        ],
    }  # fmt: skip
    found = config_from_keras(config, None, "1.2.0")
    assert found["layers"][0] == {
        "class": "Conv2D", "filters": 4, "kernel_size": [3, 2], "strides": [2, 1], "padding": "same",
        "data_format": "channels_last", "activation": "relu", "use_bias": False,
        "kernel_initializer": "glorot_uniform",
        "kernel_regularizer": {"class_name": "L1L2", "config": {"l1": 0, "l2": 0.5}},
        "kernel_constraint": {"class_name": "MaxNorm", "config": {"max_value": 3, "axis": 0}},
    }  # fmt: skip
    assert found["layers"][2] == {"class": "Dropout", "rate": 0.25}
    assert found["layers"][4]["units"] == 3
    assert found["frozen"] == ["flatten_1"]
    model = built(config, "1.2.0")
    assert model.input_shape == (8, 9, 2)
    assert model.output_shape == (3,)
    assert [layer.name for layer in model.layers][:2] == ["convolution2d_1", "maxpooling2d_1"]


def test_a_lambda_is_refused_by_name():
    config = sequential(("Lambda", {"batch_input_shape": [None, 2], "function": ["4wAA", None, None]}))
    with pytest.raises(ValueError, match=r"'lambda_0' \(Lambda\).*nothing from a file is executed"):
        config_from_keras(config)


def test_a_layer_that_is_not_there_is_refused_by_name():
    with pytest.raises(ValueError, match=r"tinynet has no layer LSTM \(layer 'lstm_0' \(LSTM\)\)"):
        config_from_keras(sequential(("LSTM", {"units": 3, "batch_input_shape": [None, 2, 2]})))


def graph(layers, inputs, outputs):
    return {
        "class_name": "Functional",
        "config": {"name": "graph", "layers": layers, "input_layers": inputs, "output_layers": outputs},
    }


def test_a_graph_of_keras_2_shares_layers():
    dense = {"name": "d", "trainable": True, "dtype": "float32", "units": 2, "activation": "linear"}
    layers = [
        {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 3], "name": "a"}, "name": "a",
         "inbound_nodes": []},
        {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 3], "name": "b"}, "name": "b",
         "inbound_nodes": []},
        {"class_name": "Dense", "config": dense, "name": "d",
         "inbound_nodes": [[["a", 0, 0, {}]], [["b", 0, 0, {}]]]},
        {"class_name": "Concatenate", "config": {"name": "c", "axis": -1}, "name": "c",
         "inbound_nodes": [[["d", 1, 0, {}], ["d", 0, 0, {}]]]},
    ]  # fmt: skip
    model = built(graph(layers, [["a", 0, 0], ["b", 0, 0]], [["c", 0, 0]]), "2.4.0")
    a, b = np.arange(6.0).reshape(2, 3), np.ones((2, 3))
    kernel, bias = model.get_layer("d").get_weights()
    wanted = np.concatenate([b @ kernel + bias, a @ kernel + bias], 1)
    np.testing.assert_allclose(model.predict([a, b]), wanted, rtol=1e-6)


def entry(kind, name, nodes, **arguments):
    """A layer of a graph of Keras 2."""
    return {
        "class_name": kind,
        "config": {"name": name, **arguments},
        "name": name,
        "inbound_nodes": nodes,
    }


def an_input(name, *sizes):
    return entry("InputLayer", name, [], batch_input_shape=[None, *sizes], dtype="float32")


@pytest.mark.parametrize(
    "node",
    [
        [[["x", 0, 0]]],  # Keras 1
        [[["x", 0, 0, {}]]],  # Keras 2
        [["x", 0, 0, {}]],  # tf.keras
        [{"args": [{"class_name": "__keras_tensor__", "config": {"shape": [None, 3], "dtype": "float32",
                                                                 "keras_history": ["x", 0, 0]}}],
          "kwargs": {"mask": None}}],  # Keras 3
    ],
)  # fmt: skip
@pytest.mark.parametrize("ends", [[["d", 0, 0]], ["d", 0, 0], {"out": ["d", 0, 0]}])
def test_calls_are_read_in_all_spellings(node, ends):
    layers = [an_input("x", 3), entry("Dense", "d", node, units=2)]
    found = config_from_keras(graph(layers, [["x", 0, 0]], ends))
    assert found["joins"] == [[1, [0]]]
    assert found["outputs"] == [1]
    assert built(graph(layers, ["x", 0, 0], ends)).output_shape == (2,)


def test_networks_inside_of_graphs_count_their_calls_from_one_in_keras_2():
    inner = {
        "class_name": "Model", "name": "inner", "inbound_nodes": [[["x", 0, 0, {}]], [["inner", 1, 1, {}]]],
        "config": {
            "name": "inner", "input_layers": [["i", 0, 0]], "output_layers": [["a", 0, 0], ["i", 0, 0]],
            "layers": [an_input("i", 3), entry("Dense", "a", [[["i", 0, 0, {}]]], units=2)],
        },
    }  # fmt: skip
    found = config_from_keras(
        graph([an_input("x", 3), inner], [["x", 0, 0]], [["inner", 2, 0]]), None, "2.2.4"
    )
    assert found["joins"] == [[1, [0]], [1, [2]]]
    assert found["outputs"] == [3]
    assert found["layers"][1]["outputs"] == [1, 0]


def test_only_what_the_outputs_need_is_read():
    layers = [
        an_input("x", 3),
        entry("LSTM", "unused", [[["x", 0, 0, {}]]], units=2),
        entry("Dense", "second", [[["first", 0, 0, {}]]], units=2),
        entry("Dense", "first", [[["x", 0, 0, {}]]], units=2),
    ]
    found = config_from_keras(graph(layers, [["x", 0, 0]], [["second", 0, 0]]))
    assert found["names"] == ["x", "second", "first"]
    assert found["joins"] == [[2, [0]], [1, [1]]]


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([entry("Dense", "d", [[["y", 0, 0, {}]]], units=2)], r"'y', which it has not"),
        ([entry("Dense", "d", [[["d", 0, 0, {}]]], units=2)], r"'d' needs its own output"),
        ([entry("Dense", "d", [[["x", 1, 0, {}]]], units=2)], r"call 1 of layer 'x', which is not there"),
        ([entry("Dense", "d", [[["x", 0, 1, {}]]], units=2)], r"'x' has no output 1"),
        ([entry("Dense", "d", [[["x", 0, 0, {}], ["x", 0, 0, {}]]], units=2)],
         r"'d' is called with 2 arrays"),
        ([entry("Dense", "d", [[["x", 0, 0, {"scale": 2}]]], units=2)], r"'d' \(Dense\).*scale=2"),
        ([entry("Dropout", "d", [[["x", 0, 0, {"training": True}]]], rate=0.5)], r"training=True"),
        ([entry("Dense", "d", [], units=2)], r"'d' is called with nothing"),
        ([entry("TFOpLambda", "d", [["x", 0, 0, {}]], function="math.cumsum")],
         r"operation 'd' \(math.cumsum\)"),
        ([entry("SlicingOpLambda", "d", [["x", 0, 0, {}]], function="__getitem__")],
         r"operation 'd' \(__getitem__\)"),
    ],
)  # fmt: skip
def test_graphs_that_are_not_there_are_refused(layers, message):
    with pytest.raises(ValueError, match=message):
        config_from_keras(graph([an_input("x", 3), *layers], [["x", 0, 0]], [["d", 0, 0]]))


def test_arithmetic_in_a_graph_becomes_layers():
    layers = [
        an_input("x", 3),
        entry("TFOpLambda", "half", [["x", 0, 0, {"y": 2.0, "name": None}]], function="math.truediv"),
        entry("TFOpLambda", "rest", [["_CONSTANT_VALUE", -1, 1.0, {"y": ["half", 0, 0], "name": None}]],
              function="math.subtract"),
        entry("TFOpLambda", "sum", [["rest", 0, 0, {"y": ["x", 0, 0], "name": None}]],
              function="__operators__.add"),
        entry("TFOpLambda", "both", [[["sum", 0, 0, {"axis": -1}], ["x", 0, 0, {"axis": -1}]]],
              function="concat"),
    ]  # fmt: skip
    model = built(graph(layers, [["x", 0, 0]], [["both", 0, 0]]), "2.8.0")
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(model.predict(x), np.concatenate([1 - x / 2 + x, x], 1), rtol=1e-6)


@pytest.mark.parametrize(("version", "at_one"), [("2.11.0", 0.7), ("1.2.2", 0.7), ("3.0.0", 4 / 6)])
def test_the_hard_sigmoid_is_that_of_its_version(version, at_one):
    config = sequential(("Activation", {"batch_input_shape": [None, 1], "activation": "hard_sigmoid"}))
    np.testing.assert_allclose(built(config, version).predict([[1.0], [9.0]]), [[at_one], [1]], rtol=1e-6)


def test_the_hard_sigmoid_of_a_layer_follows_it():
    config = sequential(("Dense", {"batch_input_shape": [None, 2], "units": 2, "activation": "hard_sigmoid"}))
    model = built(config, "2.2.4")
    model.get_layer("dense_0").set_weights([np.eye(2), np.zeros(2)])
    np.testing.assert_allclose(model.predict([[1.0, -9.0]]), [[0.7, 0]], rtol=1e-6)


@pytest.mark.parametrize("axis", [-1, 3, [3], [-1], {"class_name": "__tuple__", "items": [3]}])
def test_the_last_axis_has_many_spellings(axis):
    arguments = {"batch_input_shape": [None, 4, 5, 2], "axis": axis, "momentum": 0.9, "epsilon": 0.01}
    found = config_from_keras(sequential(("BatchNormalization", arguments)))
    assert found["layers"] == [{"class": "BatchNormalization", "axis": -1, "epsilon": 0.01, "momentum": 0.9}]


def test_channels_that_are_not_last_are_moved_there():
    config = sequential(
        ("Convolution2D", {"batch_input_shape": [None, 2, 4, 4], "nb_filter": 3, "nb_row": 2, "nb_col": 2,
                           "dim_ordering": "th", "border_mode": "valid"}),
        ("BatchNormalization", {"axis": 1, "mode": 0}),
        ("UpSampling2D", {"size": [2, 2], "dim_ordering": "th"}),
    )  # fmt: skip
    found = config_from_keras(config)
    assert [layer["class"] for layer in found["layers"]] == [
        "Conv2D", "Permute", "BatchNormalization", "Permute", "Permute", "UpSampling2D", "Permute",
    ]  # fmt: skip
    assert found["layers"][0]["data_format"] == "channels_first"
    assert found["names"][1:4] == [
        "batchnormalization_1_channels_last", "batchnormalization_1", "batchnormalization_1_channels_first",
    ]  # fmt: skip
    assert built(config).output_shape == (3, 6, 6)


@pytest.mark.parametrize(
    ("arguments", "others", "shape"),
    [
        ({"batch_input_shape": [None, 4, 3]}, {}, [4, 3]),
        ({"batch_shape": [8, 4, 3]}, {}, [4, 3]),
        ({"input_shape": [4, 3]}, {}, [4, 3]),
        ({"input_dim": 3}, {}, [3]),
        ({"input_dim": 3, "input_length": 4}, {}, [4, 3]),
        ({}, {"build_input_shape": [None, 4, 3]}, [4, 3]),
        ({}, {"build_input_shape": {"class_name": "TensorShape", "items": [None, 4, 3]}}, [4, 3]),
        ({"batch_input_shape": {"class_name": "__tuple__", "items": [None, None, 3]}}, {}, [None, 3]),
        ({}, {}, None),
    ],
)
def test_the_input_shape_stands_in_many_places(arguments, others, shape):
    assert (
        config_from_keras(sequential(("Dense", {"units": 2, **arguments}), **others))["input_shape"] == shape
    )


def test_a_merge_of_keras_1_joins():
    layers = [
        an_input("x", 3),
        entry("Dense", "d", [[["x", 0, 0]]], output_dim=3),
        entry("Merge", "m", [[["x", 0, 0], ["d", 0, 0]]], mode="sum", concat_axis=-1, mode_type="raw",
              output_shape=None, dot_axes=-1, arguments={}),
        entry("Merge", "c", [[["x", 0, 0], ["m", 0, 0]]], mode="concat", concat_axis=-1),
    ]  # fmt: skip
    found = config_from_keras(graph(layers, [["x", 0, 0]], [["c", 0, 0]]), None, "1.2.2")
    assert found["layers"][2:] == [{"class": "Add"}, {"class": "Concatenate", "axis": -1}]
    layers[3]["config"]["mode"] = "cos"
    with pytest.raises(ValueError, match=r"Merge of mode 'cos'"):
        config_from_keras(graph(layers, [["x", 0, 0]], [["c", 0, 0]]), None, "1.2.2")


@pytest.mark.parametrize(
    ("kind", "arguments", "wanted"),
    [
        ("LeakyReLU", {"alpha": {"type": "ndarray", "value": 0.25}},
         {"class": "LeakyReLU", "negative_slope": 0.25}),
        ("LeakyReLU", {"negative_slope": 0.25}, {"class": "LeakyReLU", "negative_slope": 0.25}),
        ("ReLU", {"max_value": 6.0, "negative_slope": {"type": "ndarray", "value": [0.0]}, "threshold": 0.0},
         {"class": "ReLU", "max_value": 6.0, "negative_slope": 0.0, "threshold": 0.0}),
        ("ThresholdedReLU", {"theta": 0.5}, {"class": "ReLU", "threshold": 0.5}),
        ("Softmax", {"axis": [-1]}, {"class": "Softmax", "axis": -1}),
        ("Activation", {"activation": {"class_name": "function", "config": "relu"}},
         {"class": "Activation", "activation": "relu"}),
        ("Activation", {"activation": {"module": "builtins", "class_name": "function", "config": "relu",
                                       "registered_name": "function"}},
         {"class": "Activation", "activation": "relu"}),
        ("Activation", {"activation": {"class_name": "LeakyReLU", "config": {"alpha": 0.25}}},
         {"class": "Activation", "activation": {"class": "LeakyReLU", "negative_slope": 0.25}}),
        ("Activation", {"activation": "swish"}, {"class": "Activation", "activation": "silu"}),
        ("Dropout", {"rate": 0.5, "noise_shape": None, "seed": None},
         {"class": "Dropout", "rate": 0.5, "noise_shape": None}),
        ("Dropout", {"rate": 0.5, "seed": {"class_name": "SeedGenerator", "config": {"seed": 3}}},
         {"class": "Dropout", "rate": 0.5, "seed": 3}),
        ("ZeroPadding2D", {"padding": {"top_pad": 1, "bottom_pad": 2, "left_pad": 3, "right_pad": 4}},
         {"class": "ZeroPadding2D", "padding": [[1, 2], [3, 4]], "data_format": "channels_last"}),
        ("ZeroPadding2D", {"padding": [1, 2, 3, 4], "dim_ordering": "tf"},
         {"class": "ZeroPadding2D", "padding": [[1, 2], [3, 4]], "data_format": "channels_last"}),
        ("MaxPooling2D", {"pool_size": [2, 2], "strides": [2, 2], "border_mode": "valid",
                          "dim_ordering": "tf"},
         {"class": "MaxPool2D", "pool_size": [2, 2], "strides": [2, 2], "padding": "valid",
          "data_format": "channels_last"}),
        ("MaxPooling1D", {"pool_length": 2, "stride": 2, "border_mode": "valid"},
         {"class": "MaxPool1D", "pool_size": 2, "strides": 2, "padding": "valid",
          "data_format": "channels_last"}),
        ("Convolution1D", {"nb_filter": 2, "filter_length": 3, "subsample_length": 1, "border_mode": "same"},
         {"class": "Conv1D", "filters": 2, "kernel_size": 3, "strides": 1, "padding": "same",
          "data_format": "channels_last"}),
        ("Dense", {"units": 2, "kernel_constraint": {"class_name": "NonNeg", "config": {}},
                   "kernel_regularizer": {"name": "L1L2Regularizer", "l1": 0.5, "l2": 0.0},
                   "kernel_initializer": {"class_name": "VarianceScaling", "config": {
                       "scale": 1.0, "mode": "fan_in", "distribution": "normal", "seed": None}}},
         {"class": "Dense", "units": 2, "kernel_constraint": {"class_name": "NonNeg", "config": {}},
          "kernel_regularizer": {"class_name": "L1L2", "config": {"l1": 0.5, "l2": 0}},
          "kernel_initializer": {"class_name": "VarianceScaling", "config": {
              "scale": 1.0, "mode": "fan_in", "distribution": "truncated_normal"}}}),
        ("Custom>Rescaling", {"scale": 0.5, "offset": [1.0, 2.0]},
         {"class": "Rescaling", "scale": 0.5, "offset": [1.0, 2.0]}),
        ("Reshape", {"target_shape": [3, None]}, {"class": "Reshape", "target_shape": [3, -1]}),
    ],
)  # fmt: skip
def test_arguments_are_read_in_all_spellings(kind, arguments, wanted):
    found = config_from_keras({
        "class_name": "Sequential", "config": {"name": "row", "layers": [
            {"class_name": kind, "config": {"name": "a", "trainable": True, "dtype": "float32", **arguments}},
        ]},
    }, None, "2.2.4")  # fmt: skip
    assert found["layers"] == [wanted]
    assert layer_from_config(wanted)


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("Dense", {}, r"'dense_0' \(Dense\): the argument units is missing"),
        ("Dense", {"units": "many"}, r"units: expected an integer; got 'many'"),
        ("Dense", {"units": 2, "activation": "sparsemax"}, r"no activation 'sparsemax'"),
        ("Dense", {"units": 2, "kernel_constraint": {"class_name": "Mine", "config": {}}},
         r"no constraint 'Mine'"),
        ("BatchNormalization", {"renorm": True}, r"BatchNormalization has no renorm; got True"),
        ("BatchNormalization", {"mode": 1}, r"BatchNormalization has no mode; got 1"),
        ("Dense", {"units": 2, "trainable": "no"}, r"expected true or false"),
        ("UpSampling2D", {"interpolation": "bilinear"}, r"had another formula before Keras 2.3"),
        ("Dense", {"units": 2, "name": 3}, r"expected a layer's name; got 3"),
    ],
)  # fmt: skip
def test_arguments_that_are_not_there_are_refused(kind, arguments, message):
    with pytest.raises(ValueError, match=message):
        config_from_keras(sequential((kind, arguments)), None, "2.2.0")


def test_what_matters_only_in_training_is_noted():
    arguments = {"units": 2, "activity_regularizer": {"class_name": "L1L2", "config": {"l1": 0.5, "l2": 0.0}}}
    found = config_from_keras(sequential(("Dense", arguments)))
    assert found["layers"] == [{"class": "Dense", "units": 2}]
    assert re.search(r"activity_regularizer=.* of layer 'dense_0' \(Dense\)", found["left_out"][0])


@pytest.mark.parametrize("kind", ["GaussianNoise", "ActivityRegularization", "RandomContrast"])
def test_layers_that_act_only_in_training_are_noted(kind):
    found = config_from_keras(sequential((kind, {"stddev": 0.5})))
    assert found["layers"] == [{"class": "Activation", "activation": "linear"}]
    assert found["left_out"] == [f"layer '{kind.lower()}_0' ({kind})"]


def test_a_node_of_tensorflow_s_graphs_becomes_a_layer():
    def node(name, op, taken, **constants):
        written = json.dumps({"name": name, "op": op, "input": [name, f"{name}/y"]})
        nodes = [[[one, 0, 0, {}] for one in taken]]
        return entry("TensorFlowOpLayer", name, nodes, node_def=written, constants=constants)

    layers = [
        an_input("x", 3),
        node("divided", "RealDiv", ["x"], **{"1": 2.0}),
        node("one_minus", "Sub", ["divided"], **{"0": 1.0}),
        node("sum", "AddV2", ["one_minus", "x"]),
    ]
    model = built(graph(layers, [["x", 0, 0]], [["sum", 0, 0]]), "2.4.0")
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(model.predict(x), 1 - x / 2 + x, rtol=1e-6)
    layers[-1]["config"]["node_def"] = {"op": "MatMul"}
    with pytest.raises(ValueError, match=r"operation 'sum' \(MatMul\)"):
        built(graph(layers, [["x", 0, 0]], [["sum", 0, 0]]))


def test_names_have_no_slashes():
    dense = entry("Dense", "block/dense", [[["x", 0, 0, {}]]], units=2, trainable=False)
    found = config_from_keras(graph([an_input("x", 3), dense], [["x", 0, 0]], [["block/dense", 0, 0]]))
    assert found["names"] == ["x", "block_dense"]
    assert found["frozen"] == ["block_dense"]


def test_what_does_not_train_has_paths():
    inner = sequential(("Dense", {"units": 2, "trainable": False}))
    outer = {"class_name": "Sequential", "config": {"name": "outer", "layers": [inner], "trainable": False}}
    assert config_from_keras(outer)["frozen"] == ["", "row/dense_0"]


def test_a_class_of_one_s_own_is_found_once_it_is_defined():
    text = json.dumps(sequential(("KerasOwnScale", {"batch_input_shape": [None, 2], "factor": 3.0})))
    with pytest.raises(ValueError, match=r"Unknown layer class 'KerasOwnScale' \(layer 'kerasownscale_0'\)"):
        models.model_from_json(text)

    @dataclass(eq=False, repr=False)
    class KerasOwnScale(layers.Layer):
        factor: float = 1.0

        def forward(self, x, training=False):
            return self.check_input(x) * self.factor

    model = models.model_from_json(text)
    np.testing.assert_array_equal(model.predict([[1.0, 2.0]]), [[3, 6]])
    assert models.model_from_json(model.to_json()).get_config() == model.get_config()
    assert model.to_json(indent=2).startswith('{\n  "')


# How models were compiled.

PLAIN = sequential(("Dense", {"units": 2, "batch_input_shape": [None, 3]}))


def compiled(training, version=None):
    return config_from_keras(PLAIN, training, version)


def how(optimizer=None, loss="mse", metrics=None, **others):
    optimizer = optimizer or {"class_name": "SGD", "config": {"lr": 0.5}}
    return {"optimizer_config": optimizer, "loss": loss, "metrics": metrics, **others}


@pytest.mark.parametrize(
    ("optimizer", "version", "wanted"),
    [
        ({"class_name": "SGD", "config": {"lr": 0.5, "momentum": 0.9, "decay": 0.0, "nesterov": True}},
         "2.1.6",
         {"class_name": "SGD", "config": {"learning_rate": 0.5, "momentum": 0.9, "nesterov": True}}),
        ({"class_name": "SGD", "config": {"lr": 0.5, "decay": 0.25, "clipnorm": 2.0}}, "2.1.6",
         {"class_name": "SGD", "config": {"global_clipnorm": 2.0, "learning_rate": {
             "class_name": "InverseTimeDecay",
             "config": {"initial_learning_rate": 0.5, "decay_steps": 1, "decay_rate": 0.25}}}}),
        ({"class_name": "SGD", "config": {"learning_rate": 0.5, "clipnorm": 2.0}}, "2.2.4-tf",
         {"class_name": "SGD", "config": {"learning_rate": 0.5, "clipnorm": 2.0}}),
        ({"class_name": "Custom>Adam", "config": {
            "name": "Adam", "weight_decay": None, "clipnorm": None, "use_ema": False, "ema_momentum": 0.99,
            "jit_compile": False, "is_legacy_optimizer": False, "learning_rate": 0.5, "beta_1": 0.9,
            "beta_2": 0.999, "epsilon": 1e-7, "amsgrad": True}}, "2.12.0",
         {"class_name": "Adam", "config": {"learning_rate": 0.5, "beta_1": 0.9, "beta_2": 0.999,
                                           "epsilon": 1e-7, "amsgrad": True}}),
        ({"class_name": "Nadam", "config": {"lr": 0.5, "schedule_decay": 0.004, "epsilon": None}}, "2.2.4",
         {"class_name": "Nadam", "config": {"learning_rate": 0.5}}),
        ({"class_name": "Nadam", "config": {"learning_rate": 0.5, "decay": 0.004}}, "2.4.0",
         {"class_name": "Nadam", "config": {"learning_rate": 0.5}}),
        ({"class_name": "Adagrad", "config": {"lr": 0.5, "epsilon": 2**-8}}, "2.2.4",
         {"class_name": "Adagrad", "config": {"learning_rate": 0.5, "epsilon": 2**-16,
                                              "initial_accumulator_value": 0.0}}),
        ({"class_name": "RMSprop", "config": {"learning_rate": 0.5, "epsilon": 0.25, "use_ema": False,
                                              "ema_overwrite_frequency": 100}}, "2.13.1",
         {"class_name": "RMSprop", "config": {"learning_rate": 0.5, "epsilon": 0.25}}),
        ({"class_name": "RMSprop", "config": {"learning_rate": {
            "class_name": "ExponentialDecay", "config": {
                "initial_learning_rate": 0.5, "decay_steps": 10, "decay_rate": 0.9, "staircase": True,
                "name": None}}, "epsilon": 2**-8}}, "2.4.0",
         {"class_name": "RMSprop", "config": {"epsilon": 2**-16, "learning_rate": {
             "class_name": "ExponentialDecay", "config": {
                 "initial_learning_rate": 0.5, "decay_steps": 10, "decay_rate": 0.9, "staircase": True}}}}),
        ({"class_name": "SGD", "config": {"lr": 0.5, "momentum": 0.0, "nesterov": True}}, "2.1.6",
         {"class_name": "SGD", "config": {"learning_rate": 0.5, "momentum": 0.0}}),
        ("adam", "2.15.0", {"class_name": "Adam", "config": {}}),
    ],
)  # fmt: skip
def test_optimizers_are_read_in_all_dialects(optimizer, version, wanted):
    assert compiled(how(optimizer), version)["compile"]["optimizer"] == wanted
    assert optim.get(wanted)


@pytest.mark.parametrize(
    ("loss", "wanted"),
    [
        ("mse", {"name": "mean_squared_error"}),
        (["kullback_leibler_divergence"], {"name": "kl_divergence"}),
        ({"dense_0": "logcosh"}, {"name": "log_cosh"}),
        ({"class_name": "function", "config": "binary_crossentropy"}, {"name": "binary_crossentropy"}),
        ({"class_name": "SparseCategoricalCrossentropy", "config": {
            "reduction": "auto", "name": "s", "from_logits": True, "ignore_class": None}},
         {"name": "sparse_categorical_crossentropy", "from_logits": True}),
        ({"class_name": "CategoricalCrossentropy", "config": {
            "reduction": "sum_over_batch_size", "from_logits": False, "label_smoothing": 0.1, "axis": -1,
            "fn": "categorical_crossentropy"}},
         {"name": "categorical_crossentropy", "label_smoothing": 0.1}),
        ({"class_name": "Huber", "config": {"delta": 2.0}}, {"name": "huber", "delta": 2.0}),
        ({"class_name": "MeanSquaredError", "config": {"fn": "mean_squared_error"}},
         {"name": "mean_squared_error"}),
    ],
)  # fmt: skip
def test_losses_are_read_in_all_dialects(loss, wanted):
    assert compiled(how(loss=loss))["compile"]["loss"] == wanted
    assert losses.get(wanted)


def wrapped(name, function):
    return {"class_name": "MeanMetricWrapper", "config": {"name": name, "dtype": "float32", "fn": function}}


def test_metrics_are_read_in_all_dialects():
    given = [[
        "acc", wrapped("accuracy", "categorical_accuracy"), wrapped("mae", "mean_absolute_error"),
        {"class_name": "AUC", "config": {
            "name": "auc_1", "dtype": "float32", "num_thresholds": 200, "curve": "ROC", "thresholds": [0.1],
            "summation_method": "interpolation", "multi_label": False, "label_weights": None}},
        {"class_name": "Precision", "config": {"name": "p", "thresholds": None, "top_k": None}},
        {"class_name": "function", "config": "mse"},
    ]]  # fmt: skip
    found = compiled(how(metrics=given))["compile"]["metrics"]
    wanted = ["acc", "accuracy", "mae", "auc", "precision", "mean_squared_error"]
    assert found == wanted
    assert [*metrics.together(found)] == wanted
    assert compiled(how(metrics={"out": "acc"}, weighted_metrics=["mae"]))["compile"]["weighted_metrics"]


@pytest.mark.parametrize(
    ("training", "message"),
    [
        (how(loss="my_loss"), r"no loss 'my_loss'"),
        (how(loss=["mse", "mae"]), r"a model trains on one"),
        (how(loss_weights=[0.5]), r"loss_weights are \[0.5\]"),
        (how({"class_name": "Lion", "config": {}}), r"no optimizer 'Lion'"),
        (how({"class_name": "SGD", "config": {"decay": 0.5}}), r"expected a number; got None"),
        (how({"class_name": "SGD", "config": {"use_ema": [[]]}}), r"use_ema"),
        (how(loss={"class_name": [], "config": {}}), r"expected the name of a class"),
        (how({"class_name": "Adam", "config": {"epsilon": 0.0}}), r"Adam takes no epsilon of 0.0"),
        (how({"class_name": "Adam", "config": {"clipnorm": 1.0, "clipvalue": 1.0}}), r"in one way only"),
        (how({"class_name": "Adam", "config": {"use_ema": True}}), r"Adam has no use_ema"),
        (how({"class_name": "Adam", "config": {"learning_rate": {"class_name": "WarmUp", "config": {}}}}),
         r"no schedule 'WarmUp'"),
        (how(loss={"class_name": "MeanSquaredError", "config": {"reduction": "sum"}}), r"reduction is 'sum'"),
    ],
)  # fmt: skip
def test_what_cannot_be_compiled_is_said(training, message):
    found = compiled(training)
    assert "compile" not in found
    assert re.search(message, found["not_compiled"])


def test_a_metric_that_is_not_there_is_left_out():
    found = compiled(how(metrics=["acc", {"class_name": "MeanIoU", "config": {"num_classes": 2}}]))
    assert found["compile"]["metrics"] == ["acc"]
    assert "no metric" in found["not_compiled"]


def test_several_outputs_are_not_compiled():
    layers = [an_input("x", 3), entry("Dense", "d", [[["x", 0, 0, {}]]], units=2)]
    found = config_from_keras(graph(layers, [["x", 0, 0]], [["d", 0, 0], ["x", 0, 0]]), how())
    assert "2 outputs" in found["not_compiled"]
    assert "compile" not in found


def test_nothing_is_compiled_that_was_not():
    assert not {"compile", "not_compiled"} & {*compiled(None), *compiled({})}


def test_descriptions_go_to_keras_and_back():
    model = Sequential([layers.Dense(3, "tanh"), layers.Tanh(), layers.Dense(2)], 4, name="row")
    rate = optim.ExponentialDecay(0.1, 10, 0.9)
    model.compile(optim.Adam(rate, clipnorm=1.0), losses.Huber(2.0), ["mae", "mse"], weighted_metrics=["mae"])
    found, compile_config = config_to_keras(layer_config(model))
    again = layer_from_config(config_from_keras(found, compile_config, "3.15.1"))
    assert again.optimizer.get_config() == model.optimizer.get_config()
    assert again.loss == model.loss
    assert again.metrics_names == model.metrics_names
    assert again.get_config() == model.get_config()


# Tampering.

VALUES = st.recursive(
    st.sampled_from([None, True, -1, 0, 3, 10**30, 1e308, float("nan"), "", "x", "relu", "Dense", "a/b"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["class_name", "config", "name", "layers", "items", "value"]), inner, max_size=3
    ),
    max_leaves=6,
)  # fmt: skip


def places(value):
    """All (container, key) in a value."""
    found, to_do = [], [value]
    while to_do:
        one = to_do.pop()
        keys = [*one] if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        found += [(one, key) for key in keys]
        to_do += [one[key] for key in keys]
    return found


def victims():
    layers = [
        an_input("x", 4, 4, 1),
        entry("Conv2D", "c", [[["x", 0, 0, {}]]], filters=2, kernel_size=[2, 2], padding="same",
              data_format="channels_first", activation={"class_name": "LeakyReLU", "config": {"alpha": 0.5}}),
        entry("BatchNormalization", "b", [[["c", 0, 0, {"training": False}]]], axis=[1]),
        entry("TFOpLambda", "t", [["b", 0, 0, {"y": 2.0}]], function="math.truediv"),
        entry("Add", "a", [[["t", 0, 0, {}], ["b", 0, 0, {}]]]),
    ]  # fmt: skip
    training = how(metrics=[wrapped("accuracy", "binary_accuracy")])
    return [graph(layers, [["x", 0, 0]], [["a", 0, 0]]), training, copy.deepcopy(PLAIN)]


@given(st.data())
def test_a_tampered_description_is_a_value_error_at_most(data):
    network, training, plain = victims()
    if data.draw(st.booleans()):
        network = plain
    for _ in range(data.draw(st.integers(1, 2))):
        container, key = data.draw(st.sampled_from(places([network, training])))
        container[key] = data.draw(VALUES)
    with contextlib.suppress(ValueError):
        found = config_from_keras(
            network, training, data.draw(st.sampled_from([None, "1.2.0", "3.1.0", "x"]))
        )
        json.dumps(found)


def test_deep_nesting_is_a_value_error():
    config = PLAIN
    for _ in range(5000):
        config = {"class_name": "Sequential", "config": {"name": "deep", "layers": [config]}}
    with pytest.raises(ValueError, match="nested too deeply"):
        config_from_keras(config)
