"""`tinynet.utils`, against Keras where Keras is installed."""

from __future__ import annotations

import numpy as np
import pytest

import tinynet
from tinynet.utils import normalize, set_random_seed, to_categorical

# to_categorical

LABELS = {
    "list": [2, 0, 1],
    "uint8": np.array([2, 0, 1], np.uint8),
    "column": np.array([[2], [0]], np.uint8),
    "deep column": np.array([[[2], [0]]]),
    "one by one": [[[1]]],
    "matrix": [[1, 2], [0, 3]],
    "scalar": 3,
    "floats": [1.0, 2.7],
    "bools": [True, False],
    "digits as text": ["1", "2"],
    "fortran order": np.asfortranarray([[0, 1, 2], [3, 2, 1]]),
    "one-hot already": np.eye(3),
}


@pytest.mark.parametrize("classes", [None, 0, 4, np.int64(7)])
@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_to_categorical_is_kerass(keras, labels, classes):
    expected = keras.utils.to_categorical(labels, classes)
    np.testing.assert_array_equal(to_categorical(labels, classes), expected, strict=True)


@pytest.mark.parametrize("empty", [[], np.zeros((0, 1), int), np.zeros((0, 3), int)])
def test_to_categorical_of_nothing(keras, empty):
    expected = keras.utils.to_categorical(empty, 4)
    np.testing.assert_array_equal(to_categorical(empty, 4), expected, strict=True)
    with pytest.raises(ValueError, match="no labels to count the classes of; give num_classes"):
        to_categorical(empty)


@pytest.mark.parametrize("labels", [[0, 10], [[9], [300]]])
def test_a_label_that_is_too_large(keras, labels):
    with pytest.raises(IndexError):
        keras.utils.to_categorical(labels, 10)
    with pytest.raises(ValueError, match=r"from 0 to num_classes - 1 = 9, got (10|300); give a larger"):
        to_categorical(labels, 10)


@pytest.mark.parametrize("classes", [None, 10])
def test_a_negative_label(classes):
    with pytest.raises(ValueError, match=r"from 0 to num_classes - 1 = \d, got -1; subtract the smallest"):
        to_categorical([1, -1], classes)


@pytest.mark.parametrize("labels", [["cat", "dog"], [None], [np.nan], [np.inf], [[1], [2, 3]], {"a": 1}])
def test_labels_that_are_no_numbers(labels):
    with pytest.raises(ValueError, match=r"must be class numbers, got (list|dict).*np.unique"):
        to_categorical(labels)


def test_bad_num_classes():
    with pytest.raises(TypeError, match=r"num_classes must be an integer or None, got 10\.0"):
        to_categorical([1], 10.0)
    with pytest.raises(ValueError, match="num_classes must be at least 1, or None; got -3"):
        to_categorical([1], -3)


def test_labels_are_left_as_they_are():
    labels = np.array([[1], [2]])
    labels.flags.writeable = False
    assert to_categorical(labels).flags.writeable


# normalize

RANDOM = np.random.default_rng(0)
SAMPLES = {
    "float64": RANDOM.normal(size=(5, 3)),
    "float32": RANDOM.normal(size=(5, 3)).astype(np.float32),
    "float16": RANDOM.normal(size=(5, 3)).astype(np.float16),
    "zero rows": np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 0.0]]),
    "images": RANDOM.integers(0, 256, (4, 6, 6), np.uint8),
    "bools": np.array([[True, False], [True, True]]),
    "nothing": np.zeros((0, 3)),
    "a row": np.array([3.0, 4.0]),
}


@pytest.mark.parametrize("order", [1, 2, 3, np.inf])
@pytest.mark.parametrize("axis", [-1, 1])
@pytest.mark.parametrize("x", SAMPLES.values(), ids=SAMPLES)
def test_normalize_is_kerass(keras, x, axis, order):
    if x.ndim == 1 and axis == 1:
        axis = 0
    expected = keras.utils.normalize(x, axis, order)
    np.testing.assert_array_equal(normalize(x, axis, order), expected, strict=True)


def test_normalize_along_the_first_axis():
    x = RANDOM.normal(size=(3, 3))
    np.testing.assert_allclose(normalize(x, 0), normalize(x.T).T)  # Keras divides along the other one
    np.testing.assert_allclose(np.linalg.norm(normalize(RANDOM.normal(size=(2, 3, 4)), 0), axis=0), 1)


def test_normalize_keeps_zero_rows_and_its_argument():
    x = np.zeros((2, 3))
    x.flags.writeable = False
    np.testing.assert_array_equal(normalize(x), np.zeros((2, 3)), strict=True)
    np.testing.assert_array_equal(normalize([[3, 4]]), [[0.6, 0.8]])


def test_normalize_says_what_it_takes():
    with pytest.raises(ValueError, match="must be an array of numbers, got list of <U1"):
        normalize(["a"])
    with pytest.raises(ValueError, match=r"shape is \(2, 3\).* got axis=2 and order=2"):
        normalize(np.ones((2, 3)), 2)


# Seeds


def test_the_seed_is_the_one_of_the_package():
    assert set_random_seed is tinynet.set_random_seed
