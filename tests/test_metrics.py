from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynet import Sequential, layers, metrics


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 20), classes=st.integers(2, 5))
def test_accuracy_of_labels_and_one_hot_rows_counts_right_answers(seed, rows, classes):
    rng = np.random.default_rng(seed)
    predictions, labels = rng.normal(size=(rows, classes)), rng.integers(0, classes, size=rows)
    answers = [max(range(classes), key=row.__getitem__) for row in predictions]
    right = sum(answer == label for answer, label in zip(answers, labels, strict=True))
    for targets in (labels, labels[:, np.newaxis], np.eye(classes)[labels], labels.astype(np.uint8)):
        assert metrics.accuracy(targets, predictions) == right / rows


def test_accuracy_of_one_output_has_its_threshold_at_one_half():
    predictions = np.array([[0.5], [0.51], [0.2], [0.9]])
    for targets in ([0, 1, 1, 1], [[0], [1], [1], [1]]):
        assert metrics.accuracy(targets, predictions) == 0.75


def test_accuracy_of_several_answers_a_sample():
    predictions = np.eye(3)[np.array([[0, 1], [2, 2]])]
    assert predictions.shape == (2, 2, 3)
    assert metrics.accuracy([[0, 1], [2, 0]], predictions) == 0.75
    assert type(metrics.accuracy(predictions, predictions)) is float


@pytest.mark.parametrize(
    ("predictions", "targets"),
    [((3, 10), (4,)), ((3, 10), (3, 9)), ((3,), (3,)), ((0, 10), (0,)), ((3, 10), (1, 3)), ((3, 1), (3, 2))],
)
def test_accuracy_refuses_shapes_that_do_not_fit(predictions, targets):
    with pytest.raises(ValueError, match="Accuracy compares"):
        metrics.accuracy(np.zeros(targets, int), np.zeros(predictions))


def test_errors_are_means_over_all_elements():
    predictions, targets = (
        np.array([[1.0, 2.0], [3.0, 4.0]], np.float32),
        np.array([[1, 4], [0, 4]], np.uint8),
    )
    assert metrics.mean_squared_error(targets, predictions) == (4 + 9) / 4
    assert metrics.mean_absolute_error(targets, predictions) == (2 + 3) / 4


@pytest.mark.parametrize("metric", [metrics.mean_squared_error, metrics.mean_absolute_error])
def test_errors_never_broadcast(metric):
    assert metric([1, 2], [[1.0], [2.0]]) == 0
    for predictions, targets in [((2, 2), (2,)), ((2,), (2, 1)), ((0, 1), (0,)), ((3, 1), (2,))]:
        with pytest.raises(ValueError, match="need targets of that shape"):
            metric(np.zeros(targets), np.zeros(predictions))


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
        ([0, 3], [0, 1], ValueError, r"labels in y_true run from 0 to 3: .* 0\.\.2"),
        ([0, 1], [0, -1], ValueError, r"labels in y_pred run from -1 to 0: .* 0\.\.2"),
        ([0.0, 1.0], [0, 1], TypeError, r"y_true must be integers, not float64: use \.astype\(int\)"),
        ([0, 1], [0.0, 1.0], TypeError, "y_pred must be integers"),
        ([0, 1], [0, 1, 2], ValueError, "compares labels"),
        (np.eye(3), [0, 1, 2], ValueError, "compares labels"),
        ([0, 1], np.zeros((2, 4)), ValueError, "compares labels"),
    ],
)
def test_confusion_matrix_refuses(targets, predictions, error, message):
    with pytest.raises(error, match=message):
        metrics.confusion_matrix(targets, predictions, 3)


def test_get_names_every_metric():
    def worst(y_true, y_pred):
        return float(np.abs(y_pred - y_true).max())

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
        (
            ["acuracy"],
            ValueError,
            r"Did you mean 'accuracy'\? The names are accuracy, acc, mean_squared_error",
        ),
        ("accuracy", TypeError, r'a list, such as \["accuracy"\]'),
        (metrics.accuracy, TypeError, "a list"),
        ([3], TypeError, "a name or a function"),
        (["accuracy", metrics.accuracy], ValueError, "Two metrics are called 'accuracy'"),
    ],
)
def test_get_refuses(given, error, message):
    with pytest.raises(error, match=message):
        metrics.get(given)


def test_accuracies_worked_by_hand():
    y_pred = np.array([[0.1, 0.9], [0.8, 0.2], [0.4, 0.6]])
    for labels in ([1, 1, 1], [[1], [1], [1]], np.ones(3, np.uint8)):
        assert metrics.sparse_categorical_accuracy(labels, y_pred) == 2 / 3
    assert metrics.categorical_accuracy(np.eye(2)[[1, 1, 0]], y_pred) == 1 / 3
    assert metrics.categorical_accuracy([[0.1, 0.9], [0.6, 0.4], [0.7, 0.3]], y_pred) == 2 / 3
    assert metrics.binary_accuracy([[0, 1], [1, 1], [1, 0]], y_pred) == 0.5
    assert metrics.binary_accuracy([0, 0], [[0.5], [0.4]]) == 1
    assert type(metrics.binary_accuracy([1], [[0.9]])) is float


@pytest.mark.parametrize(
    ("metric", "y_true", "y_pred"),
    [
        (metrics.sparse_categorical_accuracy, (3, 4), (3, 4)),
        (metrics.sparse_categorical_accuracy, (2,), (3, 4)),
        (metrics.sparse_categorical_accuracy, (0,), (0, 4)),
        (metrics.sparse_categorical_accuracy, (), (3,)),
        (metrics.categorical_accuracy, (3,), (3, 4)),
        (metrics.categorical_accuracy, (3, 1), (3, 4)),
        (metrics.categorical_accuracy, (3,), (3,)),
        (metrics.categorical_accuracy, (0, 4), (0, 4)),
        (metrics.binary_accuracy, (3,), (3, 2)),
        (metrics.binary_accuracy, (3, 1), (3,)),
        (metrics.binary_accuracy, (0, 1), (0, 1)),
    ],
)
def test_accuracies_refuse_shapes_that_do_not_fit(metric, y_true, y_pred):
    with pytest.raises(ValueError, match=r"compares|need targets"):
        metric(np.zeros(y_true, int), np.zeros(y_pred))


@pytest.mark.parametrize(
    ("metric", "y_true", "y_pred"),
    [
        (metrics.accuracy, (4, 3), (4,)),
        (metrics.accuracy, (4, 3), (4, 1)),
        (metrics.accuracy, (4, 1), (4,)),
        (metrics.accuracy, (4, 5, 3), (4, 5)),
        (metrics.sparse_categorical_accuracy, (4, 3), (4,)),
        (metrics.categorical_accuracy, (4, 3), (4, 1)),
        (metrics.binary_accuracy, (4, 1), (4,)),
        (metrics.mean_squared_error, (4, 1), (4,)),
        (metrics.mean_absolute_error, (4, 1), (4,)),
    ],
)
def test_shapes_in_the_order_of_before_get_an_error_that_says_so(metric, y_true, y_pred):
    with pytest.raises(ValueError, match=r"order is \(y_true, y_pred\) since tinynet 0\.2"):
        metric(np.zeros(y_true), np.zeros(y_pred))


def test_a_confusion_matrix_in_the_other_order_gets_an_error_that_says_so():
    with pytest.raises(ValueError, match=r"order is \(y_true, y_pred\)"):
        metrics.confusion_matrix(np.eye(3), [0, 1, 2], 3)
    np.testing.assert_array_equal(
        metrics.confusion_matrix(y_pred=np.eye(3)[[0, 0, 1]], y_true=[0, 1, 1], classes=3),
        [[1, 0, 0], [1, 1, 0], [0, 0, 0]],
    )


class Other:
    __name__ = "other"

    def __call__(self, output, y):
        return 0.0

    def method(self, y, label):
        return 0.0


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (lambda predictions, targets: 0.0, "predictions, targets"),
        (lambda y_pred, y_true: 0.0, "y_pred, y_true"),
        (lambda y_hat, y: 0.0, "y_hat, y"),
        (lambda Predicted, y, weight=1: 0.0, "Predicted, y"),  # noqa: N803
        (lambda pred, *rest: 0.0, "pred"),
        (lambda a, target: 0.0, "a, target"),
        (lambda a, labels: 0.0, "a, labels"),
        (Other(), "output, y"),
        (Other().method, "y, label"),
    ],
)
def test_a_metric_in_the_order_of_before_is_refused_by_compile(function, arguments):
    model = Sequential([layers.Dense(1)], 1)
    with pytest.raises(
        TypeError, match=rf"^The metric '.*' takes \({arguments}\)\. The order is \(y_true, y_pred\) since"
    ):
        model.compile("sgd", "mse", ["mae", function])


@pytest.mark.parametrize(
    "function",
    [
        lambda y_true, y_pred: 0.0,
        lambda targets, predictions: 0.0,
        lambda label, output: 0.0,
        lambda a, b: 0.0,
        lambda *arrays: 0.0,
        lambda y, *, target=0: 0.0,
        max,
        np.add,
    ],
)
def test_other_metrics_are_taken(function):
    model = Sequential([layers.Dense(1)], 1)
    model.compile("sgd", "mse", [function])
    assert list(model.trainer.metrics) == [function.__name__]


def test_a_metric_gets_the_targets_first():
    model = Sequential([layers.Dense(1, kernel_initializer="zeros")], 1)
    seen = []

    def signed(y_true, y_pred):
        seen.append((y_true.copy(), y_pred.copy()))
        return float((y_true - y_pred).mean())

    model.compile("sgd", "mse", [signed])
    assert model.evaluate([[1.0]], [[2.0]]) == model.train_on_batch([[1.0]], [[2.0]]) == [4.0, 2.0]
    assert [(float(a[0, 0]), float(b[0, 0])) for a, b in seen] == [(2, 0), (2, 0)]
