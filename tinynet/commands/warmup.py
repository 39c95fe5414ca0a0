"""The command `tinynet warmup`."""

from __future__ import annotations

import argparse

import numpy as np

from .. import data, inference, layers
from ..models import Sequential
from ..recipes import RECIPES
from .parsing import WELL

EXAMPLES = """
tinynet warmup                      once, after tinynet is installed
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes: nothing."""


def run(options: argparse.Namespace) -> int:
    """Compile all kernels and keep them, so that no later process has to."""
    x, y = np.zeros((4, 28, 28, 1), np.float32), np.arange(4)
    x[:, 8:20, 12:15] = 1
    network = [
        layers.Conv2D(4, 3, activation="relu"), layers.MaxPool2D(), layers.Conv2D(4, 3, method="im2col"),
        layers.AveragePool2D(), layers.Sigmoid(), layers.MaxPool2D(), layers.Tanh(), layers.Dropout(0.5),
        layers.LeakyReLU(), layers.GlobalAveragePool2D(), layers.Dense(10, activation="softmax"),
    ]  # fmt: skip
    for optimizer in ("sgd", "adam", "adamw"):
        model = Sequential(network, (28, 28, 1)) if optimizer == "sgd" else RECIPES["cnn"]["quick"].build()
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        augment = data.Augmentation(elastic_alpha=1.0)
        model.fit(x, y, batch_size=2, epochs=2, verbose=0, augment=augment, ema_momentum=0.9)
        model.predict(x)
    inference.predict_image(1 - np.pad(x[0, :, :, 0], 30))
    print("All kernels are compiled.")
    return WELL
