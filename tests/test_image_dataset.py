"""Pictures in folders as data for training, and the sizes that they are brought to."""

from __future__ import annotations

import itertools
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import tinynet
from tinynet import utils
from tinynet.generators.resizing import METHODS, fitted, resized

QUIET = {"verbose": False, "batch_size": 4, "image_size": (6, 8)}


@pytest.fixture
def folder(tmp_path):
    """Ten grey pictures of two classes, each of the value of its number times 10."""
    for number in range(10):
        place = tmp_path / ("cats", "dogs")[number % 2]
        place.mkdir(exist_ok=True)
        Image.fromarray(np.full((5 + number, 7, 3), 10 * number, np.uint8)).save(place / f"{number}.png")
    (tmp_path / "cats" / "notes.txt").write_text("no picture")
    (tmp_path / ".hidden").mkdir()
    return tmp_path


def values(images):
    return (images[:, 0, 0, 0] / 10).astype(int).tolist()


def test_batches_and_labels(folder):
    data = utils.image_dataset_from_directory(folder, shuffle=False, **QUIET)
    assert isinstance(data, utils.PyDataset)
    assert data.class_names == ["cats", "dogs"]
    assert (len(data), data.num_batches) == (3, 3)
    assert [os.path.basename(path) for path in data.file_paths[:6]] == [  # noqa: PTH119
        "0.png", "2.png", "4.png", "6.png", "8.png", "1.png"
    ]  # fmt: skip
    found = list(data)
    assert [images.shape for images, _ in found] == [(4, 6, 8, 3), (4, 6, 8, 3), (2, 6, 8, 3)]
    assert [values(images) for images, _ in found] == [[0, 2, 4, 6], [8, 1, 3, 5], [7, 9]]
    assert [labels.tolist() for _, labels in found] == [[0, 0, 0, 0], [0, 1, 1, 1], [1, 1]]
    assert {(images.dtype.name, labels.dtype.name) for images, labels in found} == {("float32", "int32")}
    assert [len(images) for images, _ in data.take(2)] == [4, 4]


@pytest.mark.parametrize(
    ("mode", "dtype", "last"),
    [
        ("int", "int32", [1, 1]),
        ("binary", "float32", [[1], [1]]),
        ("categorical", "float32", [[0, 1], [0, 1]]),
    ],
)
def test_label_modes(folder, mode, dtype, last):
    labels = utils.image_dataset_from_directory(folder, label_mode=mode, shuffle=False, **QUIET)[2][1]
    assert (labels.dtype, labels.tolist()) == (dtype, last)


def test_without_labels_batches_are_images(folder):
    for settings_ in ({"labels": None}, {"label_mode": None}):
        data = utils.image_dataset_from_directory(folder, shuffle=False, **settings_, **QUIET)
        assert data[0].shape == (4, 6, 8, 3)
        assert data.class_names is None


def test_labels_of_ones_own(folder):
    numbers = [3, 7] * 5
    data = utils.image_dataset_from_directory(folder, labels=numbers, shuffle=False, **QUIET)
    assert data.class_names == ["3", "7"]
    assert [label for _, labels in data for label in labels] == numbers


def test_classes_in_an_order_of_ones_own(folder):
    data = utils.image_dataset_from_directory(folder, class_names=["dogs", "cats"], shuffle=False, **QUIET)
    assert data.class_names == ["dogs", "cats"]
    assert values(data[0][0]) == [1, 3, 5, 7]
    assert data[0][1].tolist() == [0, 0, 0, 0]
    alone = utils.image_dataset_from_directory(folder, class_names=["dogs"], **QUIET)
    assert len(alone.file_paths) == 5


def test_each_epoch_has_another_order_that_follows_from_the_seed(folder):
    first, second, other = (
        utils.image_dataset_from_directory(folder, seed=seed, **QUIET) for seed in (5, 5, 6)
    )
    epochs = [[value for images, _ in first for value in values(images)] for _ in range(4)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert all(one != two for one, two in itertools.combinations(epochs, 2))
    assert [[value for images, _ in second for value in values(images)] for _ in range(4)] == epochs
    assert [value for images, _ in other for value in values(images)] != epochs[0]
    images, labels = first[0]
    np.testing.assert_array_equal(labels, np.array(values(images)) % 2)


def test_training_and_validation_share_no_file(folder):
    how = {"validation_split": 0.3, "seed": 2, **QUIET}
    training, validation = utils.image_dataset_from_directory(folder, subset="both", **how)
    assert (len(training.file_paths), len(validation.file_paths)) == (7, 3)
    assert not {*training.file_paths} & {*validation.file_paths}
    for name, part in (("training", training), ("validation", validation)):
        alone = utils.image_dataset_from_directory(folder, subset=name, **how)
        assert alone.file_paths == part.file_paths
        np.testing.assert_array_equal(alone.labels, part.labels)
    assert values(validation[0][0]) == values(validation[0][0])
    assert not validation.is_shuffled


def test_says_what_it_found(folder, capsys):
    loud = {**QUIET, "verbose": True}
    utils.image_dataset_from_directory(folder, validation_split=0.2, subset="both", seed=1, **loud)
    utils.image_dataset_from_directory(folder, labels=None, **loud)
    assert capsys.readouterr().out.splitlines() == [
        "Found 10 files belonging to 2 classes.",
        "Using 8 files for training.",
        "Using 2 files for validation.",
        "Found 10 files.",
    ]


def test_pictures_of_all_kinds(tmp_path):
    grey = np.array([[0, 100], [200, 255]], np.uint8)
    colours = np.stack([grey, grey // 2, 255 - grey], -1)
    alpha = np.dstack([colours, np.full((2, 2), 7, np.uint8)])
    kinds = {
        "16 bits": Image.fromarray(grey.astype(np.uint16) * 257),
        "alpha": Image.fromarray(alpha),
        "colours": Image.fromarray(colours),
        "grey": Image.fromarray(grey),
        "palette": Image.fromarray(colours).convert("P", palette=Image.Palette.ADAPTIVE),
    }
    for name, picture in kinds.items():
        (tmp_path / "all").mkdir(exist_ok=True)
        picture.save(tmp_path / "all" / f"{name}.png")

    def read(mode):
        data = utils.image_dataset_from_directory(
            tmp_path, labels=None, color_mode=mode, image_size=2, shuffle=False, verbose=False
        )
        return dict(zip(kinds, data[0], strict=True))

    rgb, rgba, one = read("rgb"), read("rgba"), read("grayscale")
    for name in ("alpha", "colours", "palette"):
        np.testing.assert_array_equal(rgb[name], colours)
        np.testing.assert_array_equal(one[name][..., 0], np.asarray(Image.fromarray(colours).convert("L")))
    for name in ("16 bits", "grey"):
        np.testing.assert_array_equal(rgb[name], np.dstack([grey] * 3))
        np.testing.assert_array_equal(one[name][..., 0], grey)
    np.testing.assert_array_equal(rgba["alpha"], alpha)
    np.testing.assert_array_equal(rgba["colours"], np.dstack([colours, np.full((2, 2), 255)]))


def test_a_damaged_file_is_named(folder):
    path = folder / "dogs" / "3.png"
    path.write_bytes(path.read_bytes()[:45])
    data = utils.image_dataset_from_directory(folder, **QUIET)
    with pytest.raises(tinynet.ImageError, match=r"3\.png.* is damaged"):
        list(data)
    path.write_bytes(b"")
    with pytest.raises(tinynet.ImageError, match=r"3\.png.* is empty"):
        list(data)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"3\.png"):
        list(data)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"label_mode": "ints"}, "Unknown label_mode 'ints'. Did you mean 'int'"),
        ({"color_mode": "grey"}, "Unknown color_mode 'grey'"),
        ({"interpolation": "linear"}, "Did you mean 'bilinear'"),
        ({"image_size": (5,)}, r"image_size must be \(height, width\)"),
        ({"batch_size": 0}, "batch_size"),
        ({"labels": "infer"}, "labels must be 'inferred', None or a list"),
        ({"labels": [0, 1]}, "expected labels of 10 integers"),
        ({"labels": [0] * 10, "class_names": ["a"]}, "class_names are for labels='inferred'"),
        ({"labels": [0, 5] * 5, "label_mode": "categorical"}, "got some from 0 to 5"),
        ({"class_names": ["cat"]}, "Unknown class 'cat'. Did you mean 'cats'"),
        ({"class_names": ["cats"], "label_mode": "binary"}, "is for two classes"),
        ({"validation_split": 0.5}, "go together"),
        ({"subset": "training"}, "go together"),
        ({"validation_split": 1.5, "subset": "training"}, "between 0 and 1"),
        ({"validation_split": 0.5, "subset": "test"}, "Unknown subset 'test'"),
        ({"validation_split": 0.5, "subset": "both"}, "needs a seed"),
        ({"validation_split": 0.01, "subset": "validation", "seed": 1}, "no pictures for validation"),
        ({"data_format": "channels_first"}, "data_format must be None or 'channels_last'"),
        ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "not both"),
    ],
    ids=str,
)
def test_wrong_settings(folder, wrong, message):
    with pytest.raises(ValueError, match=message):
        utils.image_dataset_from_directory(folder, **{**QUIET, **wrong})


def test_no_folder_and_no_pictures(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        utils.image_dataset_from_directory(tmp_path / "none", **QUIET)
    with pytest.raises(ValueError, match="found no pictures in"):
        utils.image_dataset_from_directory(tmp_path, **QUIET)
    (tmp_path / "one").mkdir()
    Image.new("L", (2, 2)).save(tmp_path / "one" / "1.png")
    data = utils.image_dataset_from_directory(tmp_path, **QUIET)
    with pytest.raises(IndexError, match="batches 0 to 0; got 1"):
        data[1]


# Sizes.


def line(*pixels):
    return np.array(pixels, np.float32).reshape(1, -1, 1)


def test_sizes_worked_by_hand():
    assert resized(line(0, 100), (1, 4), "bilinear").ravel().tolist() == [0, 25, 75, 100]
    assert resized(line(0, 10, 20, 30), (1, 2), "bilinear").ravel().tolist() == [5, 25]
    assert resized(line(0, 10, 20, 30, 40, 50), (1, 2), "bilinear").ravel().tolist() == [10, 40]
    assert resized(line(0, 10, 20, 30), (1, 2), "nearest").ravel().tolist() == [10, 30]
    assert resized(line(0, 10, 20), (1, 6), "nearest").ravel().tolist() == [0, 0, 10, 10, 20, 20]
    np.testing.assert_allclose(resized(line(0, 30, 60), (1, 2), "area").ravel(), [10, 50], rtol=1e-6)
    np.testing.assert_array_equal(fitted(line(1, 2, 3, 4), (1, 2), "bilinear", True, False), line(2, 3))
    assert fitted(np.ones((2, 4, 1), np.float32), (4, 4), "bilinear", False, True)[..., 0].tolist() == [
        [0, 0, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0],
    ]  # fmt: skip


# What TensorFlow makes of [10, 50, 20, 90, 40].
OF_TENSORFLOW = {
    "bilinear": ([40.0, 77.5], [10.0, 32.86, 41.43, 20.0, 70.0, 68.57, 40.0]),
    "nearest": ([50.0, 90.0], [10.0, 50.0, 50.0, 20.0, 90.0, 90.0, 40.0]),
    "bicubic": ([43.21, 83.74], [7.67, 34.37, 43.6, 20.0, 75.8, 72.62, 37.09]),
    "area": ([28.0, 56.0], [10.0, 34.0, 44.0, 20.0, 76.0, 70.0, 40.0]),
    "lanczos3": ([44.68, 84.88], [6.04, 36.32, 42.6, 20.0, 76.77, 74.88, 34.23]),
    "lanczos5": ([46.61, 86.72], [3.91, 39.26, 41.23, 20.0, 75.04, 77.46, 32.26]),
    "gaussian": ([38.57, 74.57], [12.84, 32.66, 40.15, 30.65, 68.29, 67.88, 43.55]),
    "mitchellcubic": ([40.6, 79.0], [10.0, 33.45, 41.6, 25.56, 71.59, 70.46, 40.0]),
}


@pytest.mark.parametrize("method", METHODS)
def test_sizes_are_those_of_tensorflow(method):
    for expected in OF_TENSORFLOW[method]:
        made = resized(line(10, 50, 20, 90, 40), (1, len(expected)), method).ravel()
        np.testing.assert_allclose(made, expected, atol=0.1 if method == "bicubic" else 0.006)


@settings(max_examples=40)
@given(
    st.sampled_from([*METHODS]),
    st.tuples(*[st.integers(1, 9)] * 2),
    st.tuples(*[st.integers(1, 9)] * 2),
    st.booleans(),
)
def test_an_even_image_stays_even(method, old, new, crop):
    image = np.full((*old, 3), 200, np.float32)
    made = fitted(image, new, method, crop, False)
    assert made.shape == (*new, 3)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, 200, rtol=1e-5)
    turned = np.random.default_rng(0).random((*old, 2)).astype(np.float32)
    np.testing.assert_allclose(
        resized(turned[::-1, ::-1], new, "bilinear")[::-1, ::-1], resized(turned, new, "bilinear"), atol=1e-5
    )


def test_what_tutorials_chain_returns_the_same_data(folder):
    data = utils.image_dataset_from_directory(folder, shuffle=False, **QUIET)
    assert data.cache().prefetch(buffer_size=tinynet.data.AUTOTUNE) is data
    mixed = data.cache().shuffle(1000, seed=3).prefetch(tinynet.data.AUTOTUNE)
    epochs = [[value for images, _ in mixed for value in values(images)] for _ in range(2)]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(10))
    assert epochs[0] != epochs[1]
    assert [values(images) for images, _ in data] == [[0, 2, 4, 6], [8, 1, 3, 5], [7, 9]]  # as before
    shuffled = utils.image_dataset_from_directory(folder, seed=1, **QUIET)
    assert shuffled.shuffle(10) is shuffled
    model = tinynet.Sequential([tinynet.layers.Flatten(), tinynet.layers.Dense(2, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(mixed, validation_data=data.cache(), verbose=0)
