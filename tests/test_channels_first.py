"""Models of images with their channels first: the same as with their channels last, laid out otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from tinynet import Sequential, layers, load_model
from tinynet.datasets import cifar10
from tinynet.datasets.cifar import PIXELS
from tinynet.keras import backend
from tinynet.layers.geometry import set_image_data_format

X = np.random.default_rng(0).random((60, 9, 10, 2), np.float32)
Y = np.arange(60) % 3


@pytest.fixture
def channels_first():
    set_image_data_format("channels_first")
    yield
    set_image_data_format("channels_last")


def network(data_format, shape):
    return Sequential(
        [
            layers.Conv2D(4, 3, activation="relu", data_format=data_format, input_shape=shape),
            layers.MaxPooling2D(2, data_format=data_format),
            layers.Conv2D(5, 2, padding="same", data_format=data_format),
            layers.Activation("relu"),
            layers.AveragePooling2D(2, 1, data_format=data_format),
            layers.Flatten(data_format=data_format),
            layers.Dense(3, activation="softmax"),
        ],
        seed=3,
    )


def trained(model, x):
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, Y, epochs=3, batch_size=16, verbose=0, validation_split=0.2).history
    return history, model.predict(x, verbose=0)


def test_a_model_trains_as_with_its_channels_last():
    last, first = network(None, (9, 10, 2)), network("channels_first", (2, 9, 10))
    assert [layer.output_shape for layer in first.layers[:3]] == [(4, 7, 8), (4, 3, 4), (5, 3, 4)]
    (history, predictions), (other, same) = trained(last, X), trained(first, np.moveaxis(X, -1, 1))
    for name, values in history.items():
        assert other[name] == pytest.approx(values, rel=1e-4), name
    np.testing.assert_allclose(same, predictions, atol=1e-5)
    for ours, theirs in zip(first.get_weights(), last.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_layers_take_the_setting_when_they_are_made(channels_first, tmp_path):
    made = network(None, (2, 9, 10))
    assert {layer.data_format for layer in made.layers if hasattr(layer, "data_format")} == {"channels_first"}
    assert layers.Conv2D(1, 1, data_format="channels_last").data_format == "channels_last"
    made.save(tmp_path / "m.safetensors")
    set_image_data_format("channels_last")
    assert made.layers[0].data_format == "channels_first"
    assert layers.Conv2D(1, 1).data_format is None
    same = load_model(tmp_path / "m.safetensors")
    x = np.moveaxis(X, -1, 1)
    np.testing.assert_array_equal(same.predict(x, verbose=0), made.predict(x, verbose=0))


def test_a_model_with_its_channels_last_is_loaded_as_it_was(tmp_path):
    made = network(None, (9, 10, 2))
    made.save(tmp_path / "m.safetensors")
    try:
        set_image_data_format("channels_first")
        same = load_model(tmp_path / "m.safetensors")
    finally:
        set_image_data_format("channels_last")
    np.testing.assert_array_equal(same.predict(X, verbose=0), made.predict(X, verbose=0))


def test_keras_names_of_the_setting(channels_first):
    assert backend.image_data_format() == "channels_first"
    with pytest.warns(DeprecationWarning, match="today"):
        assert backend.image_dim_ordering() == "th"
    with pytest.warns(DeprecationWarning, match="today"):
        backend.set_image_dim_ordering("tf")
    assert backend.image_data_format() == "channels_last"
    with pytest.warns(DeprecationWarning, match="today"):
        backend.set_image_dim_ordering("th")
    assert backend.image_data_format() == "channels_first"


def test_what_cannot_do_it_says_so(channels_first):
    for make in (
        lambda: layers.SeparableConv2D(2, 3),
        lambda: layers.DepthwiseConv2D(3),
        lambda: layers.UpSampling2D(),
        lambda: layers.ZeroPadding2D(),
        lambda: layers.GlobalAveragePooling2D(),
        lambda: layers.MaxPooling1D(),
    ):
        with pytest.raises(ValueError, match="data_format must be 'channels_last'"):
            make()
    with pytest.raises(ValueError, match="activation must be a function of each number"):
        layers.Conv2D(2, 3, activation="softmax")
    with pytest.raises(ValueError, match="data_format must be 'channels_last', 'channels_first' or None"):
        layers.MaxPooling2D(data_format="first")


def test_export_refuses_it(tmp_path):
    with pytest.raises(ValueError, match=r"channels first.*data_format='channels_last'"):
        network("channels_first", (2, 9, 10)).export(tmp_path / "m.tflite")


def test_cifar10_has_its_channels_where_the_setting_says(channels_first, monkeypatch):
    monkeypatch.setattr(cifar10, "SAMPLES", 4)
    batch = np.random.default_rng(0).integers(0, 10, (4, 1 + PIXELS), np.uint8)
    (x, y), _ = cifar10._joined(dict.fromkeys(cifar10.BATCHES, batch.tobytes()))
    assert x.shape == (20, 3, 32, 32)
    np.testing.assert_array_equal(x[0], batch[0, 1:].reshape(3, 32, 32))
    assert y[0, 0] == batch[0, 0]
