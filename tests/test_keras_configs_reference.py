"""Networks that Keras itself describes predict here as there, and Keras reads what tinynet says of them."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

from tinynet import models

torch = pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")
if keras.backend.backend() != "torch":
    pytest.skip("these tests need Keras's backend torch", allow_module_level=True)
L = keras.layers

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning",
    "ignore::UserWarning",
)


def row(*layers, shape=(6, 7, 4)):
    return keras.Sequential([keras.Input(shape), *layers])


def convolutions():
    initializer = keras.initializers.RandomNormal(stddev=0.1)
    constraint = keras.constraints.MaxNorm(3, axis=[0, 1, 2])
    return row(
        L.Conv2D(8, (2, 3), 2, "same", groups=2, activation="gelu", use_bias=False,
                 kernel_initializer=initializer, kernel_regularizer="l2", kernel_constraint=constraint),
        L.Conv2D(8, 2, dilation_rate=2, padding="same", activation=L.LeakyReLU(0.1, name="leaky_re_lu")),
        L.DepthwiseConv2D(2, depth_multiplier=2, activation="swish"), L.BatchNormalization(),
        L.SeparableConv2D(3, 2, depth_multiplier=2, padding="same"), L.MaxPooling2D(2, padding="same"),
        L.Flatten(), L.Dense(3, activation="softmax"),
    )  # fmt: skip


def channels_first():
    first = {"data_format": "channels_first"}
    return row(
        L.Conv2D(5, 3, **first), L.BatchNormalization(axis=1), L.AveragePooling2D(2, padding="same", **first),
        L.ZeroPadding2D(1, **first), L.DepthwiseConv2D(2, **first), L.UpSampling2D(2, **first),
        L.Resizing(9, 8, **first),
        L.SeparableConv2D(3, 2, **first), L.SpatialDropout2D(0.1, **first), L.MaxPooling2D(2, **first),
        L.Cropping2D(((0, 1), (1, 0)), **first), L.Flatten(**first), L.Dense(2), shape=(2, 7, 8),
    )  # fmt: skip


def pooled_channels_first():
    first = {"data_format": "channels_first"}
    pooled = L.GlobalAveragePooling2D(keepdims=True, **first)
    return row(L.Conv2D(5, 3, **first), pooled, L.GlobalMaxPooling2D(**first), shape=(2, 7, 8))


def activations():
    names = [
        "elu", "hard_sigmoid", "leaky_relu", "selu", "mish", "softplus", "softsign", "exponential",
        "log_softmax", "hard_silu", "tanh", "sigmoid", "relu6", "gelu",
    ]  # fmt: skip
    return row(*(L.Dense(4, activation=name) for name in names), L.Activation("relu"), shape=(4,))


def activation_layers():
    return row(L.ReLU(6, 0.1, 0.2), L.LeakyReLU(0.2), L.ELU(0.5), L.PReLU(shared_axes=[1, 2]), L.PReLU(),
               L.Softmax(axis=1), L.Activation(L.ReLU(0.5)), L.Identity())  # fmt: skip


def normalizations():
    given = L.Normalization(mean=[1.0, 2, 3, 4], variance=[1.0, 4, 9, 16])
    return row(given, L.LayerNormalization(), L.Rescaling(0.5, offset=[1.0, 2, 3, 4]))


def moving():
    return row(
        L.ZeroPadding2D(((1, 2), (0, 3))), L.Cropping2D(1), L.UpSampling2D((2, 3)),
        L.UpSampling2D(2, interpolation="bilinear"), L.Resizing(5, 9), L.Resizing(7, 4, "nearest"),
        L.Permute((3, 1, 2)), L.Reshape((4, -1)),
        L.Permute((2, 1)), L.Conv1D(3, 2, padding="causal"), L.MaxPooling1D(2), L.AveragePooling1D(2),
        L.GlobalAveragePooling1D(),
    )  # fmt: skip


def random_layers():
    return row(
        L.RandomFlip(), L.RandomRotation(0.1), L.RandomZoom(0.2), L.RandomTranslation(0.1, (0.1, 0.2)),
        L.SpatialDropout2D(0.2, seed=3), L.Dropout(0.3, noise_shape=(None, 1, 1, 4)),
        L.GlobalAveragePooling2D(keepdims=True), L.Reshape((1, 4)), L.SpatialDropout1D(0.1),
        L.GlobalMaxPooling1D(),
    )  # fmt: skip


def any_size():
    return row(L.Conv2D(3, 3), L.GlobalAveragePooling2D(), L.Dense(2), shape=(None, None, 1))


def branches():
    x = keras.Input((4,))
    inner = keras.Model(x, [L.Dense(2, name="a")(x), L.Dense(2, name="b")(x)], name="inner")
    front = keras.Sequential([keras.Input((4,)), L.Dense(4)], name="front")
    first, second = keras.Input((4,)), keras.Input((4,))
    one, _ = inner(first)
    two, three = inner(front(second))
    return keras.Model([first, second], [
        L.Concatenate()([one, two]), L.Add()([three, two]), L.Average()([one, three]),
        L.Maximum()([one, two]), L.Subtract()([one, three]), L.Multiply()([one, two, three]),
    ])  # fmt: skip


def operations():
    x = keras.Input((4, 4, 3))
    scaled = keras.ops.relu(1 - (x / 127.5 - 1) * 2 + np.array([1.0, 2, 3], np.float32))
    wide = L.Dense(3)(keras.ops.reshape(scaled, (-1, 48)))
    joined = keras.ops.concatenate([wide, -wide], axis=-1)
    return keras.Model(x, [keras.ops.softmax(wide + wide * 2), joined, keras.ops.sigmoid(wide)])


def shared():
    dense, x = L.Dense(4), keras.Input((4,))
    return keras.Model(x, L.BatchNormalization()(dense(dense(dense(x)))))


def rows_in_rows():
    x = keras.Input((4,))
    inner = keras.Model(x, L.Dense(2)(x))
    frozen = keras.Sequential([L.Dense(3)])
    frozen.trainable = False
    return keras.Sequential([inner, frozen, L.Dense(2, trainable=False), L.Dense(2)])


NETWORKS = [
    convolutions, channels_first, pooled_channels_first, activations, activation_layers, normalizations,
    moving, random_layers, any_size, branches, operations, shared, rows_in_rows,
]  # fmt: skip


def give_weights(model, other):
    """Give a model the weights of one of Keras's, by the names of layers."""
    for layer in other.layers:
        if hasattr(layer, "layers"):
            give_weights(model.get_layer(layer.name), layer)
        elif layer.get_weights():
            model.get_layer(layer.name).set_weights(layer.get_weights())


def as_list(outputs):
    return outputs if isinstance(outputs, list) else [outputs]


def drawn(network, random):
    """A network of Keras's with random weights, and data for it."""
    for weight in network.weights:
        values = 0.5 * random.normal(size=weight.shape)
        weight.assign(np.abs(values) + 0.3 if "variance" in weight.path else values)
    shapes = [[5 if size is None else size for size in x.shape[1:]] for x in network.inputs]
    data = [random.normal(size=(3, *shape)).astype(np.float32) for shape in shapes]
    return data if len(data) > 1 else data[0]


@pytest.mark.parametrize("make", NETWORKS)
def test_a_network_of_keras_predicts_the_same(make):
    theirs = make()
    x = drawn(theirs, np.random.default_rng(0))
    ours = models.model_from_json(theirs.to_json())
    give_weights(ours, theirs)
    expected = as_list(theirs.predict(x, verbose=0))
    for found, wanted in zip(as_list(ours.predict(x)), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5 * np.abs(wanted).max())
    frozen = {layer.name for layer in theirs.layers if not layer.trainable}
    assert {layer.name for layer in ours.layers if not layer.trainable} == frozen


@pytest.mark.parametrize("make", NETWORKS)
def test_keras_reads_what_tinynet_says_of_it(make):
    theirs = make()
    x = drawn(theirs, np.random.default_rng(0))
    ours = models.model_from_json(theirs.to_json())
    give_weights(ours, theirs)
    again = keras.models.model_from_json(ours.to_json())
    again.set_weights(weights_for(again, ours))
    expected = as_list(theirs.predict(x, verbose=0))
    for found, wanted in zip(as_list(again.predict(x, verbose=0)), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5 * np.abs(wanted).max())


def weights_for(theirs, ours):
    """The weights of a model of tinynet's in the order of one of Keras's."""
    found = []
    for layer in theirs.layers:
        if hasattr(layer, "layers"):
            found += weights_for(layer, ours.get_layer(layer.name))
        elif layer.get_weights():
            found += ours.get_layer(layer.name).get_weights()
    return found


def told(text):
    """What a description says, without the names that inputs get, and Keras's numbers of shared objects."""

    def cleaned(value):
        if isinstance(value, dict):
            inside = {key: cleaned(one) for key, one in value.items() if key != "shared_object_id"}
            return {**inside, "name": "input"} if "batch_shape" in inside else inside
        return [cleaned(one) for one in value] if isinstance(value, list) else value

    return cleaned(json.loads(text))


@pytest.mark.parametrize(
    "make",
    [
        convolutions,
        activations,
        normalizations,
        moving,
        random_layers,
        any_size,
        branches,
        shared,
        rows_in_rows,
    ],
)
def test_a_description_is_keras_s_own(make):
    theirs = make()
    ours = models.model_from_json(theirs.to_json())
    assert told(ours.to_json()) == told(theirs.to_json())
