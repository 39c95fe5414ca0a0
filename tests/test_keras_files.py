"""Files that Keras 3 writes open in tinynet: the same predictions, weights and optimizer's state."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from tinynet import load_model
from tinynet.files.keras.hdf5 import read_weights_hdf5, weights_for
from tinynet.models.storage.optimizer_state import optimizer_state
from tinynet.models.storage.saving import describe

pytestmark = pytest.mark.filterwarnings(  # Keras asks PyTorch in NumPy 1's way
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning",
    "ignore:You are saving your model as an HDF5 file",
)


def row(keras):
    """Layers of all kinds that have weights, of which some come twice."""
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((12, 12, 3)),
            layers.Normalization(),
            layers.RandomFlip("horizontal"),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.DepthwiseConv2D(3, depth_multiplier=2),
            layers.PReLU(shared_axes=[1, 2]),
            layers.Dropout(0.2),
            layers.SeparableConv2D(5, 3, use_bias=False),
            layers.BatchNormalization(scale=False),
            layers.Conv2D(6, 2, trainable=False),
            layers.GlobalAveragePooling2D(),
            layers.Reshape((6, 1)),
            layers.Conv1D(3, 2),
            layers.Flatten(),
            layers.LayerNormalization(center=False),
            *(layers.Dense(4, activation="tanh") for _ in range(11)),
            layers.Dense(3, activation="softmax", name="out"),
        ]
    )


def nested(keras):
    """Networks in networks, some of which do not train, and some come twice."""
    layers = keras.layers

    def block(frozen=False):
        inner = keras.Sequential([layers.Input((5,)), layers.Dense(5), layers.BatchNormalization()])
        x = layers.Input((5,))
        y = layers.Add()([layers.Dense(5)(inner(x)), layers.Dense(5)(x)])
        model = keras.Model(x, layers.BatchNormalization()(y))
        inner.trainable = not frozen
        return model

    x = layers.Input((5,))
    y = block()(layers.Dense(5)(x))
    shared = block(frozen=True)
    last = block()
    last.trainable = False
    y = layers.Concatenate()([shared(y), layers.Dense(2)(shared(x)), last(y)])
    return keras.Model(x, layers.Dense(3, activation="softmax")(y))


OPTIMIZERS = ["sgd", "momentum", "adam", "rmsprop", "nadam", "adagrad"]


def compiled(keras, model, optimizer):
    """Compile a model and train it a little."""
    rule = keras.optimizers.SGD(0.01, momentum=0.9) if optimizer == "momentum" else optimizer
    model.compile(rule, "sparse_categorical_crossentropy", metrics=["accuracy"])
    random = np.random.default_rng(1)
    x = random.normal(size=(16, *model.input_shape[1:])).astype(np.float32)
    model.fit(x, random.integers(0, 3, 16), batch_size=8, epochs=2, verbose=0)
    return x


@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize("make", [row, nested])
def test_models_predict_the_same_and_hold_the_same(keras, tmp_path, make, suffix):
    theirs = make(keras)
    x = compiled(keras, theirs, "adam")
    path = tmp_path / f"model.{suffix}"
    theirs.save(path)
    ours = load_model(path)
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-4, atol=1e-6)
    assert len(ours.trainable_weights) == len(theirs.trainable_weights)
    for one, other in zip(ours.trainable_weights, theirs.trainable_weights, strict=True):
        np.testing.assert_array_equal(one.value, other.numpy())
    theirs.save_weights(tmp_path / "model.weights.h5")
    held = weights_for(ours.config(), (tmp_path / "model.weights.h5").read_bytes())
    wanted = describe(ours).weights
    assert {path: len(arrays) for path, arrays in held.items()} == {p: len(a) for p, a in wanted.items()}
    for place, arrays in wanted.items():
        for one, other in zip(arrays, held[place], strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_goes_on_as_in_keras(keras, tmp_path, optimizer):
    layers = keras.layers
    theirs = keras.Sequential(
        [
            layers.Input((4,)),
            layers.Dense(5, activation="tanh"),
            layers.BatchNormalization(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    x = compiled(keras, theirs, optimizer)
    theirs.save(tmp_path / "model.keras")
    ours = load_model(tmp_path / "model.keras")
    assert optimizer_state(ours)[0] == 4
    y = np.arange(len(x)) % 3
    for model in (ours, theirs):
        for _ in range(3):
            model.train_on_batch(x, y)
    for one, other in zip(ours.trainable_weights, theirs.trainable_weights, strict=True):
        np.testing.assert_allclose(one.value, other.numpy(), rtol=1e-3, atol=2e-5)


def test_all_weights_of_a_file_are_read(keras, tmp_path):
    theirs = row(keras)
    theirs.save_weights(tmp_path / "model.weights.h5")
    found = dict(read_weights_hdf5((tmp_path / "model.weights.h5").read_bytes()))
    assert len(found["batch_normalization_1"]) == 3
    assert len(found["dense_10"]) == 2
    assert "dropout" in found
    assert found["dropout"] == []
    assert sum(map(len, found.values())) == len(theirs.weights)


def test_sharded_weights_are_refused(keras, tmp_path):
    row(keras).save(tmp_path / "model.keras")
    with (
        zipfile.ZipFile(tmp_path / "model.keras") as old,
        zipfile.ZipFile(tmp_path / "new.keras", "w") as new,
    ):
        for name in ("config.json", "metadata.json"):
            new.writestr(name, old.read(name))
    with pytest.raises(ValueError, match="weights are in several files"):
        load_model(tmp_path / "new.keras")
