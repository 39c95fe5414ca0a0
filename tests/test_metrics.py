from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet import Sequential, layers, metrics


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
    np.testing.assert_array_equal(metrics.mean_squared_error(targets, predictions), [2, 4.5])
    np.testing.assert_array_equal(metrics.mean_absolute_error(targets, predictions), [1, 1.5])
    assert metrics.MeanSquaredError()(targets, predictions) == (4 + 9) / 4
    assert metrics.MeanAbsoluteError()(targets, predictions) == (2 + 3) / 4


@pytest.mark.parametrize("metric", [metrics.mean_squared_error, metrics.mean_absolute_error])
def test_errors_never_broadcast(metric):
    assert not metric([1, 2], [[1.0], [2.0]]).any()
    for predictions, targets in [((2, 2), (2,)), ((0, 1), (0,)), ((3, 1), (2,))]:
        with pytest.raises(ValueError, match=r"need targets of|number of samples differs|Nothing to compare"):
            metric(np.zeros(targets), np.zeros(predictions))


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


def test_get_takes_names_classes_objects_and_functions():
    def worst(y_true, y_pred):
        return float(np.abs(y_pred - y_true).max())

    assert metrics.get("mse").name == "mse"
    assert type(metrics.get("mse")) is metrics.MeanSquaredError
    assert type(metrics.get("AUC")) is metrics.AUC
    assert type(metrics.get(metrics.Precision)) is metrics.Precision
    own = metrics.Recall(name="own")
    assert metrics.get(own) is own
    assert metrics.get(worst).name == "worst"
    assert metrics.get(worst)([1.0, 5.0], np.array([1.0, 3.0])) == 2.0
    assert list(metrics.together(("mse", "accuracy"))) == ["mse", "accuracy"]
    assert list(metrics.together([["acc"]], {"output": ["acc"]})) == ["acc", "weighted_acc"]
    assert list(metrics.together("mse")) == ["mse"]
    assert not metrics.together([])
    assert not metrics.together(None, None)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ("acuracy", ValueError, r"Did you mean 'accuracy'\? The names are accuracy, acc, binary_accuracy"),
        (3, TypeError, "a name, a Metric or a function"),
        (None, TypeError, "a name, a Metric or a function"),
        (int, TypeError, "a name, a Metric or a function"),
        (["accuracy"], TypeError, "a name, a Metric or a function"),
    ],
)
def test_get_refuses(given, error, message):
    with pytest.raises(error, match=message):
        metrics.get(given)


def test_accuracies_worked_by_hand():
    y_pred = np.array([[0.1, 0.9], [0.8, 0.2], [0.4, 0.6]])
    for labels in ([1, 1, 1], [[1], [1], [1]], np.ones(3, np.uint8)):
        assert metrics.sparse_categorical_accuracy(labels, y_pred).tolist() == [1, 0, 1]
    assert metrics.categorical_accuracy(np.eye(2)[[1, 1, 0]], y_pred).tolist() == [1, 0, 0]
    assert metrics.categorical_accuracy([[0.1, 0.9], [0.6, 0.4], [0.7, 0.3]], y_pred).tolist() == [1, 1, 0]
    assert metrics.binary_accuracy([[0, 1], [1, 1], [1, 0]], y_pred).tolist() == [[1, 1], [1, 0], [0, 0]]
    assert metrics.binary_accuracy([0, 0], [[0.5], [0.4]]).tolist() == [[1], [1]]
    assert metrics.binary_accuracy([0, 0], [[0.5], [0.4]], threshold=0.4).tolist() == [[0], [1]]
    assert metrics.sparse_top_k_categorical_accuracy([0, 0, 0], y_pred, k=2).tolist() == [1, 1, 1]
    assert metrics.top_k_categorical_accuracy(np.eye(2)[[0, 0, 0]], y_pred, k=1).tolist() == [0, 1, 0]


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


# Metrics that are no means


def test_precision_and_recall_worked_by_hand():
    y_true, y_pred = [0, 1, 1, 0, 1], [0.9, 0.8, 0.2, 0.1, 0.7]  # above 0.5: one wrong, two right, one missed
    assert metrics.Precision()(y_true, y_pred) == pytest.approx(2 / 3)
    assert metrics.Recall()(y_true, y_pred) == pytest.approx(2 / 3)
    np.testing.assert_allclose(metrics.Precision([0.75, 0.15])(y_true, y_pred), [1 / 2, 3 / 4])
    assert metrics.Precision()(y_true, y_pred, sample_weight=[2, 1, 1, 1, 1]) == 0.5
    assert metrics.Precision()([0, 0], [0.1, 0.2]) == metrics.Recall()([0, 0], [0.1, 0.2]) == 0.0
    rows = [[0.1, 0.3, 0.2], [0.5, 0.1, 0.2]]
    assert metrics.Recall(top_k=2)([[0, 0, 1], [0, 1, 0]], rows) == 0.5
    assert metrics.Precision(top_k=1, class_id=0)([[0, 0, 1], [1, 0, 0]], rows) == 1.0
    assert metrics.Precision()([[1], [0]], np.array([[0.5], [0.6]])) == 0.0  # not above the threshold


def test_area_worked_by_hand():
    """Of all pairs of a positive and a negative, the share in which the positive is higher."""
    y_true, y_pred = [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]
    assert metrics.AUC()(y_true, y_pred) == pytest.approx(0.75)
    assert metrics.AUC(thresholds=[0.2, 0.37, 0.5])(y_true, y_pred) == pytest.approx(0.75)
    assert metrics.AUC()(y_true, y_pred, sample_weight=[1, 3, 1, 1]) == pytest.approx(5 / 8)


@given(seed=st.integers(0, 2**32 - 1), samples=st.integers(2, 30))
def test_area_is_the_share_of_pairs_in_the_right_order(seed, samples):
    random = np.random.default_rng(seed)
    y_true = random.permutation([0, 1, *random.integers(0, 2, samples - 2)])
    y_pred = random.permutation(samples) / samples + 0.3 / samples  # no two between the same thresholds
    positives, negatives = y_pred[y_true == 1], y_pred[y_true == 0]
    pairs = positives[:, None] > negatives
    assert metrics.AUC()(y_true, y_pred) == pytest.approx(pairs.mean())


def all_metrics():
    """Every class of metrics, in several configurations, by a name."""
    kinds = [
        metrics.BinaryAccuracy(), metrics.BinaryAccuracy(threshold=0.3), metrics.CategoricalAccuracy(),
        metrics.TopKCategoricalAccuracy(2), metrics.Precision(), metrics.Precision(top_k=2),
        metrics.Recall([0.2, 0.5]), metrics.Recall(class_id=1), metrics.AUC(), metrics.AUC(curve="PR"),
        metrics.AUC(20, multi_label=True), metrics.AUC(summation_method="majoring", curve="PR"),
        metrics.F1Score(), metrics.F1Score("micro", 0.4), metrics.F1Score("weighted"),
        metrics.FBetaScore("macro", 2.0), metrics.MeanSquaredError(), metrics.RootMeanSquaredError(),
        metrics.R2Score(), metrics.R2Score(None), metrics.R2Score("variance_weighted_average"),
        metrics.KLDivergence(), metrics.CosineSimilarity(), metrics.BinaryCrossentropy(),
    ]  # fmt: skip
    return [pytest.param(kind, id=f"{number}-{type(kind).__name__}") for number, kind in enumerate(kinds)]


@pytest.mark.parametrize("metric", all_metrics())
@pytest.mark.parametrize("weighted", [False, True])
def test_uneven_batches_give_what_all_samples_give(metric, weighted):
    random = np.random.default_rng(0)
    y_pred, y_true = random.uniform(size=(41, 3)), np.eye(3)[random.integers(0, 3, 41)]
    weights = random.uniform(size=41) if weighted else None
    metric.reset_state()
    metric.update_state(y_true, y_pred, weights)
    whole = metric.result()
    metric.reset_state()
    for first, last in ((0, 1), (1, 18), (18, 40), (40, 41)):
        part = slice(first, last)
        metric.update_state(y_true[part], y_pred[part], None if weights is None else weights[part])
    np.testing.assert_allclose(metric.result(), whole, rtol=1e-12)


def classifier(**arguments):
    model = Sequential([layers.Dense(3, activation="softmax")], 4, seed=0)
    model.compile("sgd", "categorical_crossentropy", **arguments)
    return model


def rows(samples=23):
    random = np.random.default_rng(1)
    return random.normal(size=(samples, 4)).astype(np.float32), np.eye(3)[random.integers(0, 3, samples)]


def test_metrics_that_are_no_means_count_over_the_epoch():
    x, y = rows()
    model = classifier(metrics=[metrics.Precision(name="precision"), metrics.AUC(name="area")])
    model.optimizer.learning_rate = 0.0
    history = model.fit(x, y, batch_size=5, epochs=2, validation_data=(x, y), verbose=0).history
    expected = {
        "precision": metrics.Precision()(y, model.predict(x)),
        "area": metrics.AUC()(y, model.predict(x)),
    }
    for name, value in expected.items():
        assert history[name] == pytest.approx([value, value])
        assert history[f"val_{name}"] == pytest.approx([value, value])
    assert model.evaluate(x, y, return_dict=True) == pytest.approx({"loss": history["loss"][-1], **expected})
    assert list(history) == ["loss", "precision", "area", "val_loss", "val_precision", "val_area"]


def test_a_person_s_object_has_counted_what_was_evaluated():
    x, y = rows()
    precision = metrics.Precision()
    model = classifier(metrics=[precision])
    value = model.evaluate(x, y)[1]
    assert precision.result() == value == metrics.Precision()(y, model.predict(x))


def test_an_evaluation_in_the_midst_of_an_epoch_leaves_its_metrics_alone():
    from tinynet.callbacks import Callback

    x, y = rows()

    class Evaluate(Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.evaluate(x[:3], y[:3])

    model, other = classifier(metrics=["auc"]), classifier(metrics=["auc"])
    first = model.fit(x, y, batch_size=5, verbose=0, callbacks=[Evaluate()]).history
    assert first == other.fit(x, y, batch_size=5, verbose=0).history


def test_weighted_metrics_get_the_weights_and_others_do_not():
    x, y = rows()
    weights = np.random.default_rng(2).uniform(size=len(x)).astype(np.float32)
    model = classifier(metrics=["accuracy"], weighted_metrics=["accuracy", metrics.MeanSquaredError()])
    right = metrics.categorical_accuracy(y, model.predict(x))
    logs = model.evaluate(x, y, sample_weight=weights, return_dict=True)
    assert list(logs) == ["loss", "accuracy", "weighted_accuracy", "mean_squared_error"]
    assert logs["accuracy"] == pytest.approx(right.mean())
    assert logs["weighted_accuracy"] == pytest.approx((right * weights).sum() / weights.sum())
    assert model.train_on_batch(x, y, weights, return_dict=True) == pytest.approx(logs, rel=1e-5)


def test_functions_may_return_a_number_or_an_array():
    x, y = rows(7)

    def number(y_true, y_pred):
        return float(len(y_true))

    def array(y_true, y_pred):
        return np.arange(float(len(y_true)))

    model = classifier(metrics=[number, array])
    history = model.fit(x, y, batch_size=5, shuffle=False, verbose=0).history
    assert history["number"] == [3.5]  # the mean over two batches, as in Keras
    assert history["array"] == [(0 + 1 + 2 + 3 + 4 + 0 + 1) / 7]


def test_a_metric_of_several_numbers_is_logged(capsys):
    x, y = rows()
    model = classifier(metrics=[metrics.F1Score()])
    history = model.fit(x, y, verbose=2).history
    assert history["f1_score"][0].shape == (3,)
    assert "f1_score: [0." in capsys.readouterr().out
    assert model.evaluate(x, y)[1].shape == (3,)


def test_metrics_of_one_s_own():
    class Largest(metrics.Metric):
        def reset_state(self):
            self.largest = 0.0

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.largest = max(self.largest, float(np.abs(y_true - y_pred).max()))

        def result(self):
            return self.largest

    x, y = rows()
    model = classifier(metrics=[Largest()])
    assert model.metrics_names == ["loss", "largest"]
    assert model.evaluate(x, y)[1] == pytest.approx(np.abs(y - model.predict(x)).max())
    assert type(model.fit(x, y, batch_size=4, verbose=0).history["largest"][0]) is float
    with pytest.raises(TypeError, match=r"Wrong\.update_state takes \(y_pred, y_true\)"):
        type("Wrong", (metrics.Metric,), {"update_state": lambda self, y_pred, y_true: None})


def test_names_are_numbered():
    model = classifier(metrics=["mse", "mse", metrics.MeanSquaredError(name="mse")])
    assert model.metrics_names == ["loss", "mse", "mse_1", "mse_2"]
    first, second = metrics.Precision(), metrics.Precision()
    number = int(first.name.partition("_")[2] or 0)
    assert second.name == f"precision_{number + 1}"


def test_a_loss_may_be_a_metric():
    from tinynet import losses

    x, y = rows()
    model = classifier(metrics=[losses.Huber(0.5), losses.kl_divergence])
    logs = model.evaluate(x, y, return_dict=True)
    assert list(logs) == ["loss", "huber_loss", "kl_divergence"]
    assert logs["huber_loss"] == pytest.approx(losses.Huber(0.5)(y, model.predict(x)))
    assert logs["kl_divergence"] == pytest.approx(losses.KLDivergence()(y, model.predict(x)))


@pytest.mark.parametrize("class_id", [-1, 1, 5])
def test_a_class_that_is_not_there(class_id):
    with pytest.raises(ValueError, match=rf"class_id={class_id} needs predictions .*of more classes"):
        metrics.Precision(class_id=class_id)([[1], [0]], [[0.5], [0.2]])


@pytest.mark.parametrize("label", [-1, 3])
def test_top_k_of_a_label_that_is_not_there(label):
    with pytest.raises(ValueError, match=r"for 3 classes, labels are 0\.\.2; these are from"):
        metrics.SparseTopKCategoricalAccuracy(k=2)([1, label], np.eye(3)[:2])


def test_metrics_written_for_keras_are_told_how_state_is_kept():
    class Count(metrics.Metric):
        def __init__(self):
            super().__init__(name="count")
            self.total = self.add_weight(name="total", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.total.assign_add(len(y_true))

        def result(self):
            return self.total

        def reset_state(self):
            self.total.assign(0.0)

    with pytest.raises(NotImplementedError, match=r"Count: .*write self.total = 0.0 in __init__"):
        Count()


@pytest.mark.parametrize("name", ["Precision", "Recall", "AUC", "F1Score", "FBetaScore", "PrecisionAtRecall"])
def test_metrics_of_outputs_say_how_labels_become_rows(name):
    kind = getattr(metrics, name, None) or pytest.skip(f"there is no {name}")
    metric = kind(0.5) if name == "PrecisionAtRecall" else kind()
    for labels in (np.arange(4) % 3, (np.arange(4) % 3)[:, None]):
        with pytest.raises(ValueError, match=r"utils\.to_categorical\(y, 3\).*categorical_crossentropy"):
            metric.update_state(labels, np.full((4, 3), 1 / 3))
    metric.update_state(np.eye(3)[[0, 1, 2, 0]], np.full((4, 3), 1 / 3))
