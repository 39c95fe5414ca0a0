"""Pictures in folders are read as Keras's `image_dataset_from_directory` reads them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tinynet import utils
from tinynet.generators.resizing import METHODS, fitted, resized

SIZES = [((11, 17, 3), (7, 9)), ((11, 17, 3), (23, 40)), ((5, 5, 1), (5, 5)), ((30, 20, 3), (4, 3))]


def noise(shape):
    return (255 * np.random.default_rng(0).random(shape)).astype(np.float32)


@pytest.mark.parametrize(("old", "new"), SIZES)
@pytest.mark.parametrize("crop", [False, True])
def test_sizes_are_those_of_keras(keras, old, new, crop):
    image = noise(old)
    expected = keras.ops.image.resize(image, new, "bilinear", crop_to_aspect_ratio=crop)
    np.testing.assert_allclose(fitted(image, new, "bilinear", crop, False), expected, atol=1e-3)


def test_sizes_are_those_of_tensorflow():
    tensorflow = pytest.importorskip("tensorflow").image
    for old, new in SIZES:
        for method in METHODS:
            image = noise(old)
            table = 0.3 if method == "bicubic" else 1e-3  # TensorFlow's cubic weights are from 1,024 places
            for made, expected in (
                (resized(image, new, method), tensorflow.resize(image, new, method=method)),
                (
                    fitted(image, new, method, False, True),
                    tensorflow.resize_with_pad(image, *new, method=method),
                ),
            ):
                np.testing.assert_allclose(made, expected, atol=table)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"shuffle": False},
        {"shuffle": False, "label_mode": "categorical"},
        {"shuffle": False, "label_mode": None},
        {"shuffle": False, "labels": list(range(23))},
        {"shuffle": False, "class_names": ["dogs", "cats"], "label_mode": "binary", "color_mode": "rgba"},
        {"shuffle": False, "color_mode": "grayscale", "crop_to_aspect_ratio": True},
        {"validation_split": 0.3, "subset": "training"},
        {"validation_split": 0.3, "subset": "both"},
    ],
    ids=str,
)
def test_data_are_those_of_keras(keras, tmp_path, settings):
    pytest.importorskip("grain")  # on which Keras builds data without TensorFlow
    random = np.random.default_rng(0)
    for number in range(23):
        path = tmp_path / ("dogs", "cats", "birds")[number % 3] / f"{number}.{('jpg', 'png')[number % 2]}"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(random.integers(0, 256, (20 + number, 40 - number, 3), np.uint8)).save(path)
    how = {"batch_size": 4, "image_size": (13, 17), "seed": 1, "verbose": False, **settings}
    both = keras.utils.image_dataset_from_directory(tmp_path, format="grain", **how)
    made = utils.image_dataset_from_directory(tmp_path, **how)
    for theirs, ours in zip(both, made, strict=True) if how.get("subset") == "both" else [(both, made)]:
        assert [str(path) for path in theirs.file_paths] == ours.file_paths
        assert theirs.class_names == ours.class_names
        for expected, batch in zip(theirs, ours, strict=True):
            arrays = batch if isinstance(batch, tuple) else (batch,)
            others = expected if isinstance(expected, tuple) else (expected,)
            for array, other in zip(arrays, others, strict=True):
                assert (array.shape, str(array.dtype)) == (other.shape, str(other.dtype).split(".")[-1])
                if not how.get("shuffle", True):
                    np.testing.assert_allclose(array, other, atol=1e-3)
