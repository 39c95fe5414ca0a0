"""Whole scripts of the kinds that people wrote for Keras, with other imports: they run, and learn."""

from __future__ import annotations

import numpy as np
import pytest


def digits(count=256, shape=(8, 8), seed=0):
    """Return images with a bright band in one of ten places, and which."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 4, count).astype(np.uint8)
    images = random.integers(0, 60, (count, *shape)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[label * 2 : label * 2 + 2] += 150
    return images, labels


@pytest.fixture(autouse=True)
def small_mnist(monkeypatch):
    import tinynet.datasets.mnist
    import tinynet.keras.datasets.mnist as mnist

    for module in (tinynet.datasets.mnist, mnist):
        monkeypatch.setattr(module, "load_data", lambda: (digits(), digits(64, seed=1)))


TODAY = """
import tinynet as tf
print("TensorFlow version:", tf.__version__)
mnist = tf.keras.datasets.mnist
(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, x_test = x_train / 255.0, x_test / 255.0
model = tf.keras.models.Sequential([
    tf.keras.layers.Flatten(input_shape=(8, 8)),
    tf.keras.layers.Dense(32, activation=tf.nn.relu),
    tf.keras.layers.Dropout(0.2),
    tf.keras.layers.Dense(4),
])
predictions = model(x_train[:1]).numpy()
probabilities = tf.nn.softmax(predictions).numpy()
loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
first = loss_fn(y_train[:1], predictions).numpy()
model.compile(optimizer="adam", loss=loss_fn, metrics=["accuracy"])
history = model.fit(x_train, y_train, epochs=8, verbose=0)
loss, accuracy = model.evaluate(x_test, y_test, verbose=2)
probability_model = tf.keras.Sequential([model, tf.keras.layers.Softmax()])
shape = probability_model(x_test[:5]).numpy().shape
assert shape == (5, 4)
assert abs(probabilities.sum() - 1) < 1e-5
assert first > 0
"""

KERAS_1 = """
from tinynet.keras.datasets import mnist
from tinynet.keras.models import Sequential
from tinynet.keras.layers.core import Dense, Dropout, Activation, Flatten
from tinynet.keras.layers.convolutional import Convolution2D, MaxPooling2D
from tinynet.keras.optimizers import SGD
from tinynet.keras.utils import np_utils
from tinynet.keras import backend as K

(X_train, y_train), (X_test, y_test) = mnist.load_data()
assert K.image_data_format() != "channels_first"
X_train = X_train.reshape(X_train.shape[0], 8, 8, 1).astype("float32") / 255
X_test = X_test.reshape(X_test.shape[0], 8, 8, 1).astype("float32") / 255
Y_train, Y_test = np_utils.to_categorical(y_train, 4), np_utils.to_categorical(y_test, 4)
model = Sequential()
model.add(Convolution2D(8, 3, 3, border_mode="valid", input_shape=(8, 8, 1)))
model.add(Activation("relu"))
model.add(MaxPooling2D(pool_size=(2, 2), dim_ordering="tf"))
model.add(Dropout(p=0.25))
model.add(Flatten())
model.add(Dense(output_dim=32, init="glorot_uniform"))
model.add(Activation("relu"))
model.add(Dense(4))
model.add(Activation("softmax"))
model.compile(loss="categorical_crossentropy", optimizer=SGD(lr=0.1, decay=1e-6, momentum=0.9, nesterov=True),
              metrics=["accuracy"])
history = model.fit(X_train, Y_train, batch_size=32, nb_epoch=8, verbose=0, validation_data=(X_test, Y_test))
assert len(history.history["val_acc"]) == 8
loss, accuracy = model.evaluate(X_test, Y_test, verbose=0)
assert (model.predict_classes(X_test) == y_test).mean() == accuracy
"""

FUNCTIONAL = """
import tinynet.keras as keras
from tinynet.keras import layers, regularizers
from tinynet.keras.callbacks import EarlyStopping, TensorBoard
from tinynet.keras.layers import Dense, LSTM

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
inputs = layers.Input(shape=(8, 8, 1))
decay = regularizers.l2(1e-4)
x = layers.Conv2D(8, (3, 3), padding="same", activation="relu", kernel_regularizer=decay)(inputs)
x = layers.BatchNormalization()(x)
x = layers.MaxPool2D((2, 2))(x)
outputs = Dense(4, activation="softmax")(layers.Flatten()(x))
model = keras.Model(inputs=inputs, outputs=outputs, name="small")
model.compile(keras.optimizers.Adam(learning_rate=0.01), "sparse_categorical_crossentropy", ["accuracy"])
model.summary()
history = model.fit(x_train / 255.0, y_train, epochs=8, batch_size=32, validation_split=0.2, verbose=0,
                    callbacks=[EarlyStopping(monitor="val_loss", patience=8, verbose=1)], shuffle=True)
model.save("folder/model.h5")
same = keras.models.load_model("folder/model.h5", compile=True, custom_objects={})
loss, accuracy = same.evaluate(x_test / 255.0, y_test, batch_size=16, verbose=0)
"""


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:tinynet:UserWarning")
@pytest.mark.parametrize("script", [TODAY, KERAS_1, FUNCTIONAL], ids=["today", "Keras 1", "functional"])
def test_scripts_run_and_learn(script, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = {}
    exec(compile(script, "script.py", "exec"), found)
    assert found["accuracy"] > 0.9
    assert "accuracy" in found["history"].history
