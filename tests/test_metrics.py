from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynet import metrics


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 20), classes=st.integers(2, 5))
def test_accuracy_of_labels_and_one_hot_rows_counts_right_answers(seed, rows, classes):
    rng = np.random.default_rng(seed)
    predictions, labels = rng.normal(size=(rows, classes)), rng.integers(0, classes, size=rows)
    answers = [max(range(classes), key=row.__getitem__) for row in predictions]
    right = sum(answer == label for answer, label in zip(answers, labels, strict=True))
    for targets in (labels, labels[:, np.newaxis], np.eye(classes)[labels], labels.astype(np.uint8)):
        assert metrics.accuracy(predictions, targets) == right / rows


def test_accuracy_of_one_output_has_its_threshold_at_one_half():
    predictions = np.array([[0.5], [0.51], [0.2], [0.9]])
    for targets in ([0, 1, 1, 1], [[0], [1], [1], [1]]):
        assert metrics.accuracy(predictions, targets) == 0.75


def test_accuracy_of_several_answers_a_sample():
    predictions = np.eye(3)[np.array([[0, 1], [2, 2]])]
    assert predictions.shape == (2, 2, 3)
    assert metrics.accuracy(predictions, [[0, 1], [2, 0]]) == 0.75
    assert type(metrics.accuracy(predictions, predictions)) is float


@pytest.mark.parametrize(
    ("predictions", "targets"),
    [((3, 10), (4,)), ((3, 10), (3, 9)), ((3,), (3,)), ((0, 10), (0,)), ((3, 10), (1, 3)), ((3, 1), (3, 2))],
)
def test_accuracy_refuses_shapes_that_do_not_fit(predictions, targets):
    with pytest.raises(ValueError, match="Accuracy compares"):
        metrics.accuracy(np.zeros(predictions), np.zeros(targets, int))


def test_errors_are_means_over_all_elements():
    predictions, targets = (
        np.array([[1.0, 2.0], [3.0, 4.0]], np.float32),
        np.array([[1, 4], [0, 4]], np.uint8),
    )
    assert metrics.mean_squared_error(predictions, targets) == (4 + 9) / 4
    assert metrics.mean_absolute_error(predictions, targets) == (2 + 3) / 4


@pytest.mark.parametrize("metric", [metrics.mean_squared_error, metrics.mean_absolute_error])
def test_errors_never_broadcast(metric):
    assert metric([[1.0], [2.0]], [1, 2]) == 0
    for predictions, targets in [((2, 2), (2,)), ((2,), (2, 1)), ((0, 1), (0,)), ((3, 1), (2,))]:
        with pytest.raises(ValueError, match="need targets of that shape"):
            metric(np.zeros(predictions), np.zeros(targets))


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(0, 30), classes=st.integers(1, 5))
def test_confusion_matrix_counts_pairs(seed, rows, classes):
    rng = np.random.default_rng(seed)
    targets, predictions = rng.integers(0, classes, size=(2, rows))
    expected = np.zeros((classes, classes), int)
    for target, prediction in zip(targets, predictions, strict=True):
        expected[target, prediction] += 1
    np.testing.assert_array_equal(metrics.confusion_matrix(targets, predictions, classes), expected)
    # uint8 labels, as the files of MNIST hold them, must not overflow; probabilities do as well.
    small = targets.astype(np.uint8), predictions.astype(np.uint8)
    np.testing.assert_array_equal(metrics.confusion_matrix(*small, classes), expected)
    np.testing.assert_array_equal(
        metrics.confusion_matrix(targets, np.eye(classes)[predictions], classes), expected
    )


def test_confusion_matrix_of_many_classes_in_small_integers():
    labels = np.array([0, 150, 199], np.uint8)
    matrix = metrics.confusion_matrix(labels, labels, 200)
    assert matrix.shape == (200, 200)
    assert [matrix[i, i] for i in labels] == [1, 1, 1]


@pytest.mark.parametrize(
    ("targets", "predictions", "error", "message"),
    [
        ([0, 3], [0, 1], ValueError, r"labels in targets run from 0 to 3: .* 0\.\.2"),
        ([0, 1], [0, -1], ValueError, r"labels in predictions run from -1 to 0: .* 0\.\.2"),
        ([0.0, 1.0], [0, 1], TypeError, r"targets must be integers, not float64: use \.astype\(int\)"),
        ([0, 1], [0.0, 1.0], TypeError, "predictions must be integers"),
        ([0, 1], [0, 1, 2], ValueError, "compares labels"),
        (np.eye(3), [0, 1, 2], ValueError, "compares labels"),
        ([0, 1], np.zeros((2, 4)), ValueError, "compares labels"),
    ],
)
def test_confusion_matrix_refuses(targets, predictions, error, message):
    with pytest.raises(error, match=message):
        metrics.confusion_matrix(targets, predictions, 3)


def test_get_names_every_metric():
    def worst(predictions, targets):
        return float(np.abs(predictions - targets).max())

    assert metrics.get(["accuracy", worst, "mae"]) == {
        "accuracy": metrics.accuracy,
        "worst": worst,
        "mae": metrics.mean_absolute_error,
    }
    assert list(metrics.get(("mse", "accuracy"))) == ["mse", "accuracy"]
    assert metrics.get([]) == {}


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (["acuracy"], ValueError, r"Did you mean 'accuracy'\? The names are accuracy, mean_squared_error"),
        ("accuracy", TypeError, r'a list, such as \["accuracy"\]'),
        (metrics.accuracy, TypeError, "a list"),
        ([3], TypeError, "a name or a function"),
        (["accuracy", metrics.accuracy], ValueError, "Two metrics are called 'accuracy'"),
    ],
)
def test_get_refuses(given, error, message):
    with pytest.raises(error, match=message):
        metrics.get(given)
