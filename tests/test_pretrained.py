"""The weights that come with tinynet reach the accuracy that docs/pictures.md promises, on real MNIST."""

from __future__ import annotations

import numpy as np
import pytest

import tinynet
from tinynet import data
from tinynet.inference import WEIGHTS

PROMISED = {"mnist_cnn": 0.9955, "mnist_mlp": 0.993}  # docs/pictures.md: 99.61 and 99.36


def test_they_are_small():
    assert sum(path.stat().st_size for path in WEIGHTS.glob("*.safetensors")) < 1_000_000


@pytest.mark.parametrize("name", PROMISED)
def test_they_are_what_they_say(name):
    model = tinynet.pretrained(name)
    assert model.name == name
    assert (model.input_shape, model.output_shape, model.dtype) == ((28, 28, 1), (10,), np.float32)
    assert 0.3 < model.temperature < 3
    assert model.temperature != 1


@pytest.mark.slow
@pytest.mark.parametrize("name", PROMISED)
def test_they_reach_the_promised_accuracy_and_predict_image_too(name):
    _, (images, labels) = data.load_mnist()
    model = tinynet.pretrained(name)
    answers = model.predict(data.scale_pixels(images)).argmax(axis=1)
    accuracy = np.mean(answers == labels)
    readings = tinynet.predict_images(images, model)
    read = np.mean([reading.digit == label for reading, label in zip(readings, labels, strict=True)])
    flagged = np.mean([not reading.is_digit for reading in readings])
    print(f"{name}: {accuracy:.2%}, through predict_image {read:.2%}, {flagged:.2%} flagged")
    assert accuracy >= PROMISED[name]
    assert abs(read - accuracy) <= 0.001
    assert flagged <= 0.01
