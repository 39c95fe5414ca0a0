"""From tinynet to an ONNX file and back: the same numbers, and the bits of all weights."""

from __future__ import annotations

import numpy as np
import pytest
from export_cases import shaken

import tinynet
from tinynet import Sequential, layers
from tinynet.exporting import to_onnx

pytest.importorskip("onnx")
from onnx_files import loaded


def bits_of(model):
    return [(one.shape, one.tobytes()) for one in model.get_weights()]


def assert_same(model, again, x, given=None):
    np.testing.assert_array_equal(again.predict(x if given is None else given), model.predict(x))
    assert bits_of(again) == bits_of(model)


@pytest.mark.parametrize("data_format", [None, "channels_first"])
@pytest.mark.parametrize("kind", ["mnist_cnn", "mnist_mlp"])
def test_the_pretrained_networks_come_back_as_they_were(kind, data_format):
    model, x = tinynet.pretrained(kind), np.random.default_rng(0).random((5, 28, 28, 1)).astype(np.float32)
    again = loaded(to_onnx(model, data_format=data_format))
    assert_same(model, again, x, x if data_format is None else x.transpose(0, 3, 1, 2))


@pytest.mark.parametrize(
    ("row", "shape"),
    [
        ([layers.Conv2D(4, (2, 3), padding="same"), layers.BatchNormalization(), layers.ReLU(),
          layers.DepthwiseConv2D(2, depth_multiplier=2), layers.SeparableConv2D(3, 2), layers.AveragePool2D(),
          layers.Flatten(), layers.Dense(4, "tanh"), layers.Dense(2, use_bias=False)], (9, 8, 3)),
        ([layers.Conv1D(4, 3, padding="causal"), layers.MaxPool1D(), layers.GlobalAveragePool1D()], (8, 3)),
        ([layers.Dense(4), layers.LayerNormalization(), layers.Activation("silu"), layers.Dense(3)], (5, 6)),
        ([layers.UpSampling2D(), layers.ZeroPadding2D(1), layers.Conv2D(2, 2), layers.Cropping2D(1),
          layers.GlobalMaxPool2D(), layers.Dense(3), layers.Softmax()], (4, 3, 2)),
        ([layers.Resizing(5, 7), layers.Conv2D(3, 2), layers.Resizing(2, 5, "nearest"), layers.Flatten()],
         (9, 8, 2)),
        ([layers.Resizing(9, 2, "nearest")], (30, 4, 2)),
    ],
    ids=str,
)  # fmt: skip
def test_layers_come_back_as_they_were(row, shape):
    model = shaken(Sequential(row, shape))
    again = loaded(to_onnx(model))
    x = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
    assert_same(model, again, x)
