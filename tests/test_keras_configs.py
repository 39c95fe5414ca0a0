"""Networks as Keras describes them: literal descriptions of each of its dialects."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tinynet.files.keras.config import config_from_keras
from tinynet.layers.config import layer_from_config


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
