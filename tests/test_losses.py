from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynet import Sequential, layers, losses

SPARSE = losses.SparseCategoricalCrossentropy
CATEGORICAL = losses.CategoricalCrossentropy
BINARY = losses.BinaryCrossentropy
SQUARED = losses.MeanSquaredError

CONFIGURATIONS = [
    kind(from_logits=from_logits, label_smoothing=smoothing)
    for kind in (SPARSE, CATEGORICAL, BINARY)
    for from_logits in (False, True)
    for smoothing in (0.0, 0.2)
] + [SQUARED()]


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def example(loss, shape=(5, 4), seed=0, dtype=np.float64):
    """Random predictions and targets that suit a loss; probabilities are not normalised."""
    rng = np.random.default_rng(seed)
    if getattr(loss, "from_logits", True):
        predictions = rng.normal(size=shape) * 2
    else:
        predictions = rng.uniform(0.05, 0.95, size=shape)
    if isinstance(loss, SPARSE):
        targets = rng.integers(0, shape[-1], size=shape[:-1])
    elif isinstance(loss, CATEGORICAL):
        targets = rng.dirichlet(np.ones(shape[-1]), size=shape[:-1])
    elif isinstance(loss, BINARY):
        targets = rng.uniform(size=shape)
    else:
        targets = rng.normal(size=shape)
    return predictions.astype(dtype), targets


def naive(loss, predictions, targets):
    """The mean loss, one number after the other, as the definitions say it."""
    total, count = 0.0, 0
    if isinstance(loss, SPARSE | CATEGORICAL):
        classes = predictions.shape[-1]
        rows = predictions.reshape(-1, classes)
        if isinstance(loss, SPARSE):
            targets = [[float(k == label) for k in range(classes)] for label in targets.reshape(-1)]
        for row, target in zip(rows, np.reshape(targets, (-1, classes)), strict=True):
            if loss.from_logits:
                row = [math.exp(z) / sum(math.exp(other) for other in row) for z in row]
            for p, t in zip(row, target, strict=True):
                smooth = (1 - loss.label_smoothing) * t + loss.label_smoothing / classes
                total -= smooth * math.log(p)
            count += 1
        return total / count
    for x, t in zip(predictions.reshape(-1), targets.reshape(-1), strict=True):
        if isinstance(loss, SQUARED):
            total += (x - t) ** 2
        else:
            p = 1 / (1 + math.exp(-x)) if loss.from_logits else x
            smooth = (1 - loss.label_smoothing) * t + loss.label_smoothing * 0.5
            total -= smooth * math.log(p) + (1 - smooth) * math.log(1 - p)
        count += 1
    return total / count


@pytest.mark.parametrize("shape", [(5, 4), (1, 2), (3, 2, 4), (2, 3, 1, 5)])
@pytest.mark.parametrize("loss", CONFIGURATIONS, ids=repr)
def test_value_equals_the_definition(loss, shape):
    predictions, targets = example(loss, shape)
    assert loss(targets, predictions) == pytest.approx(naive(loss, predictions, targets), rel=1e-12)


@pytest.mark.parametrize("shape", [(5, 4), (1, 2), (3, 2, 4)])
@pytest.mark.parametrize("loss", CONFIGURATIONS, ids=repr)
def test_gradient_equals_central_differences(loss, shape):
    predictions, targets = example(loss, shape, seed=1)
    gradient = loss.gradient(targets, predictions)
    numerical = np.empty_like(predictions)
    for index in np.ndindex(shape):
        step = np.zeros(shape)
        step[index] = 1e-5
        numerical[index] = (loss(targets, predictions + step) - loss(targets, predictions - step)) / 2e-5
    assert gradient.shape == shape
    assert np.abs(gradient - numerical).max() <= 1e-6 * np.abs(numerical).max()


@pytest.mark.parametrize(
    ("loss", "predictions", "targets", "value", "gradient"),
    [
        (SPARSE(), [[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]], [0, 1], 1.5 * math.log(2),
         [[-1, 0, 0], [0, -2, 0]]),
        (SPARSE(label_smoothing=0.5), [[0.5, 0.5]], [1], math.log(2), [[-0.5, -1.5]]),
        (SPARSE(from_logits=True), [[0, math.log(3)]], [0], math.log(4), [[-0.75, 0.75]]),
        (CATEGORICAL(), [[0.25, 0.75]], [[1, 0]], math.log(4), [[-4, 0]]),
        (CATEGORICAL(from_logits=True), [[0, math.log(3)]], [[0.5, 0.5]], math.log(4) - math.log(3) / 2,
         [[-0.25, 0.25]]),
        (BINARY(), [[0.5], [0.25]], [1, 0], (math.log(2) - math.log(0.75)) / 2, [[-1], [2 / 3]]),
        (BINARY(from_logits=True), [[0.0, math.log(3)]], [[1, 1]], (math.log(2) + math.log(4 / 3)) / 2,
         [[-0.25, -0.125]]),
        (BINARY(label_smoothing=0.5), [[0.5]], [[1]], math.log(2), [[-1]]),
        (SQUARED(), [[1.0, 2.0], [3.0, 4.0]], [[1, 2], [3, 2]], 1.0, [[0, 0], [0, 1]]),
    ],
)  # fmt: skip
def test_worked_by_hand(loss, predictions, targets, value, gradient):
    assert loss(targets, predictions) == pytest.approx(value, rel=1e-15)
    np.testing.assert_allclose(loss.gradient(targets, predictions), gradient, rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_confident_wrong_probabilities_are_finite(dtype):
    epsilon = float(np.finfo(dtype).eps)
    sure = np.array([[1.0, 0.0]], dtype=dtype)
    for loss, targets in [(SPARSE(), [1]), (CATEGORICAL(), [[0, 1]]), (BINARY(), [[0, 1]])]:
        assert loss(targets, sure) == pytest.approx(-math.log(epsilon), rel=1e-6)
        gradient = loss.gradient(targets, sure)
        assert np.isfinite(gradient).all()
        assert gradient[0, 1] < -0.4 / epsilon  # large, so that learning goes on
        assert gradient.dtype == dtype


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1e4, 1e30, float(np.finfo(np.float32).max)])
def test_huge_logits_are_finite(dtype, size):
    logits = np.array([[size, -size, 0.0]], dtype=dtype)
    for loss, targets in [(SPARSE(True), [1]), (CATEGORICAL(True), [[0, 1, 0]]), (SPARSE(True, 0.1), [1])]:
        assert loss(targets, logits) == pytest.approx(2 * size, rel=0.07)
        np.testing.assert_allclose(loss.gradient(targets, logits), [[1, -1, 0]], atol=0.07)
    assert SPARSE(from_logits=True)([0], logits) == 0
    assert BINARY(from_logits=True)([[0, 1, 1]], logits) == pytest.approx(2 * size / 3, rel=1e-3)
    gradient = BINARY(from_logits=True).gradient([[0, 1, 1]], logits)
    np.testing.assert_allclose(gradient, np.array([[1, -1, -0.5]]) / 3, rtol=1e-6)


@pytest.mark.parametrize(
    ("loss", "broken"),
    [(loss, np.nan) for loss in CONFIGURATIONS]
    + [(loss, np.inf) for loss in CONFIGURATIONS if getattr(loss, "from_logits", True)],
    ids=repr,
)
def test_broken_predictions_give_a_loss_that_is_not_finite_and_no_warning(loss, broken):
    predictions, targets = example(loss)
    predictions[:] = broken
    assert not np.isfinite(loss(targets, predictions))
    assert loss.gradient(targets, predictions).shape == predictions.shape


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", CONFIGURATIONS, ids=repr)
def test_arguments_are_not_modified_and_the_type_is_kept(loss, dtype):
    predictions, targets = example(loss, dtype=dtype)
    copies = predictions.copy(), targets.copy()
    predictions.flags.writeable = targets.flags.writeable = False
    value, gradient = loss(targets, predictions), loss.gradient(targets, predictions)
    assert type(value) is float
    assert gradient.dtype == dtype
    assert not np.shares_memory(gradient, predictions)
    assert not np.shares_memory(gradient, targets)
    np.testing.assert_array_equal(predictions, copies[0])
    np.testing.assert_array_equal(targets, copies[1])


@pytest.mark.parametrize("loss", CONFIGURATIONS, ids=repr)
@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 9))
def test_order_of_samples_does_not_matter_and_shards_add_up(loss, seed, rows):
    predictions, targets = example(loss, (rows, 4), seed)
    order = np.random.default_rng(seed).permutation(rows)
    value, gradient = loss(targets, predictions), loss.gradient(targets, predictions)
    assert loss(targets[order], predictions[order]) == pytest.approx(value, rel=1e-12)
    np.testing.assert_array_equal(loss.gradient(targets[order], predictions[order]), gradient[order])
    cut = rows // 2
    if cut:
        halves = [(targets[part], predictions[part]) for part in (slice(cut), slice(cut, None))]
        weights = [cut / rows, 1 - cut / rows]
        total = sum(weight * loss(*half) for weight, half in zip(weights, halves, strict=True))
        assert total == pytest.approx(value, rel=1e-12)
        pieces = [weight * loss.gradient(*half) for weight, half in zip(weights, halves, strict=True)]
        np.testing.assert_allclose(np.concatenate(pieces), gradient, rtol=1e-12)


@pytest.mark.parametrize("kind", [SPARSE, CATEGORICAL])
@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), shift=st.floats(-1e3, 1e3), smoothing=st.floats(0, 0.9))
def test_shifted_logits_change_nothing_and_gradient_rows_sum_to_zero(kind, seed, shift, smoothing):
    loss = kind(from_logits=True, label_smoothing=smoothing)
    logits, targets = example(loss, (6, 5), seed)
    value, gradient = loss(targets, logits), loss.gradient(targets, logits)
    assert value >= 0
    assert loss(targets, logits + shift) == pytest.approx(value, rel=1e-9, abs=1e-9)
    np.testing.assert_allclose(loss.gradient(targets, logits + shift), gradient, atol=1e-11)
    np.testing.assert_allclose(gradient.sum(axis=-1), 0, atol=1e-15)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), smoothing=st.floats(0, 0.9))
def test_three_ways_to_say_the_same_loss(seed, smoothing):
    logits, labels = example(SPARSE(from_logits=True), (6, 5), seed)
    from_logits = SPARSE(from_logits=True, label_smoothing=smoothing)
    from_probabilities = dataclasses.replace(from_logits, from_logits=False)
    one_hot = CATEGORICAL(label_smoothing=smoothing)
    probabilities = softmax(logits)
    assert from_probabilities(labels, probabilities) == pytest.approx(from_logits(labels, logits), rel=1e-9)
    assert one_hot(np.eye(5)[labels], probabilities) == from_probabilities(labels, probabilities)
    # The chain rule through softmax must lead to the fused gradient.
    upstream = from_probabilities.gradient(labels, probabilities)
    chained = probabilities * (upstream - (upstream * probabilities).sum(axis=-1, keepdims=True))
    np.testing.assert_allclose(chained, from_logits.gradient(labels, logits), rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64, np.uint64])
def test_labels_of_any_integer_type_and_with_a_last_axis(dtype):
    loss = SPARSE()
    predictions, labels = example(loss)
    expected = loss(labels, predictions)
    assert loss(labels.astype(dtype), predictions) == expected
    assert loss(labels.astype(dtype)[:, np.newaxis], predictions) == expected
    np.testing.assert_array_equal(
        loss.gradient(labels[:, np.newaxis].astype(dtype), predictions), loss.gradient(labels, predictions)
    )


@pytest.mark.parametrize(
    "loss", [BINARY(), BINARY(from_logits=True, label_smoothing=0.1), SQUARED()], ids=repr
)
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.bool_, np.float16])
def test_one_output_with_flat_targets_of_any_type(loss, dtype):
    predictions = np.array([[0.2], [0.7], [0.4]])
    targets = np.array([0, 1, 1])
    expected = loss(targets[:, np.newaxis].astype(float), predictions)
    assert loss(targets.astype(dtype), predictions) == expected
    assert loss.gradient(targets.astype(dtype), predictions).shape == (3, 1)


LABELS_3 = np.array([0, 1, 2])


@pytest.mark.parametrize(
    ("loss", "shape", "targets", "error", "message"),
    [
        (SPARSE(), (3, 10), [3, 10, 0], ValueError, r"Label 10 at index 1 is out of range: .* 0\.\.9"),
        (SPARSE(), (3, 10), [3, 0, -1], ValueError, r"Label -1 at index 2 is out of range: .* 0\.\.9"),
        (SPARSE(), (1, 2, 3), [[0, 3]], ValueError, r"Label 3 at index \(0, 1\) is out of range: .* 0\.\.2"),
        (SPARSE(), (1, 10), np.array([2**64 - 1], np.uint64), ValueError, "Label 18446744073709551615 at"),
        (SPARSE(), (3, 10), [0.0, 1.0, 2.0], TypeError, r"not float64: pass targets\.astype\(int\)"),
        (SPARSE(), (3, 10), ["a", "b", "c"], TypeError, "integers"),
        (SPARSE(), (3, 3), np.eye(3), ValueError, "one-hot.*categorical_crossentropy.*argmax"),
        (SPARSE(), (3, 10), [0, 1], ValueError, "number of samples differs"),
        (SPARSE(), (3, 4, 10), LABELS_3, ValueError, r"labels of shape \(3, 4\), not \(3,\)"),
        (SPARSE(), (3, 1), LABELS_3, ValueError, "at least 2 classes.*binary_crossentropy"),
        (SPARSE(), (0, 10), np.zeros(0, int), ValueError, "Nothing to compare"),
        (SPARSE(), (3, 10), [], ValueError, "Nothing to compare"),
        (CATEGORICAL(), (3, 3), LABELS_3, ValueError, r"class labels.*sparse_cat.*np\.eye\(3\)"),
        (CATEGORICAL(), (3, 3), LABELS_3[:, None], ValueError, "class labels.*sparse_categorical"),
        (CATEGORICAL(), (3, 4), np.eye(3), ValueError, r"targets of shape \(3, 4\), not \(3, 3\)"),
        (CATEGORICAL(), (4, 3), np.eye(3), ValueError, "number of samples differs"),
        (CATEGORICAL(), (2, 3), [[1, 0, 0], [1, 1, 0]], ValueError, r"Target row 1 sums to 2\.0"),
        (CATEGORICAL(), (2, 3), [[1, 0, 0], [np.nan, 1, 0]], ValueError, "Target row 1 sums to nan"),
        (CATEGORICAL(), (1, 3), [[2, -1, 0]], ValueError, r"Target -1 at index \(0, 1\) is negative"),
        (CATEGORICAL(), (0, 3), np.zeros((0, 3)), ValueError, "Nothing to compare"),
        (BINARY(), (2, 1), [0, 2], ValueError, r"Target 2 at index 1 is outside 0\.\.1"),
        (BINARY(), (2, 1), [0, np.nan], ValueError, "Target nan at index 1"),
        (BINARY(), (2, 3), [0, 1], ValueError, r"targets of shape \(2, 3\), not \(2,\)"),
        (BINARY(), (2, 1), [0, 1, 1], ValueError, "number of samples differs"),
        (BINARY(), (2, 1), ["no", "yes"], TypeError, "must be numbers"),
        (SQUARED(), (2, 2), [[0, 1], [np.nan, 0]], ValueError, r"nan at index \(1, 0\) is not a finite"),
        (SQUARED(), (2, 1), [0, np.inf], ValueError, "Target inf at index 1"),
        (SQUARED(), (2, 2), [0, 1], ValueError, r"targets of shape \(2, 2\), not \(2,\)"),
        (SQUARED(), (2,), [[0], [1]], ValueError, r"targets of shape \(2,\), not \(2, 1\)"),
        (SQUARED(), (0, 2), np.zeros((0, 2)), ValueError, "Nothing to compare"),
    ],
)  # fmt: skip
def test_wrong_targets_are_refused_by_check_call_and_gradient(loss, shape, targets, error, message):
    predictions = np.full(shape, 0.5)
    for method in (loss.check, loss, loss.gradient):
        with pytest.raises(error, match=message):
            method(targets, shape if method == loss.check else predictions)


@pytest.mark.parametrize("loss", CONFIGURATIONS, ids=repr)
def test_check_accepts_right_targets(loss):
    predictions, targets = example(loss)
    loss.check(targets, predictions.shape)


def test_integer_predictions_are_refused():
    for method in (SQUARED(), SQUARED().gradient):
        with pytest.raises(TypeError, match="floating-point numbers, not int64"):
            method([[1, 2]], np.array([[1, 2]]))


@pytest.mark.parametrize("kind", [SPARSE, CATEGORICAL, BINARY])
@pytest.mark.parametrize("smoothing", [-0.1, 1.0, math.nan])
def test_label_smoothing_has_limits(kind, smoothing):
    with pytest.raises(ValueError, match="label_smoothing must be"):
        kind(label_smoothing=smoothing)


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("sparse_categorical_crossentropy", SPARSE()),
        ("categorical_crossentropy", CATEGORICAL()),
        ("binary_crossentropy", BINARY()),
        ("mean_squared_error", SQUARED()),
        ("mse", SQUARED()),
        ("MSE", SQUARED()),
        ("bce", BINARY()),
        ("BCE", BINARY()),
    ],
)
def test_get_by_name_or_object(name, loss):
    assert losses.get(name) == loss
    assert losses.get(type(loss).__name__) == loss
    assert losses.get(loss) is loss


@pytest.mark.parametrize("loss", CONFIGURATIONS, ids=repr)
def test_get_by_configuration(loss):
    config = {"name": type(loss).__name__, **dataclasses.asdict(loss)}
    assert losses.get(config) == loss


def test_get_explains_what_it_knows():
    with pytest.raises(ValueError, match=r"Did you mean 'binary_crossentropy'\?.*mean_squared_error"):
        losses.get("binary_crossentropi")
    with pytest.raises(TypeError, match="name or an object"):
        losses.get(SQUARED)
    with pytest.raises(TypeError, match="name or an object"):
        losses.get({"from_logits": True})
    with pytest.raises(ValueError, match=r"Unknown loss None\. The names are sparse"):
        losses.get({"name": None})


def test_a_loss_shows_its_configuration_and_cannot_change():
    loss = SPARSE(label_smoothing=0.1)
    assert repr(loss) == "SparseCategoricalCrossentropy(from_logits=False, label_smoothing=0.1)"
    assert dataclasses.asdict(loss) == {"from_logits": False, "label_smoothing": 0.1}
    assert dataclasses.replace(loss, from_logits=True) == SPARSE(from_logits=True, label_smoothing=0.1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        loss.from_logits = True


PROBABILITIES = np.array([[0.2, 0.8], [0.6, 0.4]])


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred"),
    [
        (SPARSE(), PROBABILITIES, np.array([1, 0])),
        (SPARSE(from_logits=True), PROBABILITIES, np.array([[1], [0]], np.uint8)),
        (CATEGORICAL(), PROBABILITIES, np.eye(2, dtype=int)),
        (CATEGORICAL(), PROBABILITIES, np.eye(2)),
        (CATEGORICAL(label_smoothing=0.1), PROBABILITIES.astype(np.float32), np.eye(2, dtype=np.float32)),
        (BINARY(), PROBABILITIES, np.array([[1, 0], [0, 0]])),
        (BINARY(), PROBABILITIES, np.array([[1.0, 0.0], [0.0, 0.0]])),
        (SQUARED(), PROBABILITIES, np.eye(2, dtype=int)),
        (SQUARED(), PROBABILITIES, np.eye(2)),
    ],
    ids=repr,
)
def test_arguments_in_the_order_of_before_are_refused(loss, y_true, y_pred):
    for method in (loss, loss.gradient, loss.value_and_gradient):
        with pytest.raises((TypeError, ValueError), match=r"order is \(y_true, y_pred\) since tinynet 0\.2"):
            method(y_true, y_pred)


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred"),
    [
        (CATEGORICAL(), np.eye(2), PROBABILITIES),
        (CATEGORICAL(), np.eye(2), np.eye(2)),
        (CATEGORICAL(), [[1, 0], [0.5, 0.5]], np.eye(2)),
        (CATEGORICAL(from_logits=True), PROBABILITIES, np.eye(2)),
        (BINARY(), np.eye(2), np.eye(2)),
        (BINARY(from_logits=True), PROBABILITIES, np.zeros((2, 2))),
        (SQUARED(), PROBABILITIES, np.zeros((2, 2))),
        (SQUARED(), [[0.5], [0.25]], np.array([[1.0], [0.0]])),
        (SQUARED(), [[1, 2], [3, 4]], np.eye(2)),
    ],
    ids=repr,
)
def test_arguments_in_the_right_order_that_look_a_little_like_the_other_are_taken(loss, y_true, y_pred):
    value, gradient = loss.value_and_gradient(y_true, y_pred)
    assert loss(y_true, y_pred) == value
    np.testing.assert_array_equal(loss.gradient(y_true, y_pred), gradient)


def test_arguments_are_called_as_in_keras():
    by_name = SQUARED().gradient(y_pred=np.array([[3.0]]), y_true=[[1.0]])
    assert by_name == SQUARED().gradient([[1.0]], [[3.0]]) == [[4.0]]
    assert SPARSE()(y_pred=[[0.5, 0.5]], y_true=[1]) == pytest.approx(math.log(2))


def test_evaluation_takes_predictions_that_are_sure_of_themselves():
    """Soft targets beside outputs of exactly 0 and 1 look turned, but a model's own outputs are none."""
    for last, loss in ((layers.Softmax(), "categorical_crossentropy"), (layers.Softmax(), "mse")):
        model = Sequential([last], 2)
        model.compile("sgd", loss)
        assert math.isfinite(model.evaluate([[500.0, -500.0]], [[0.5, 0.5]]))


@pytest.mark.parametrize("name", ["_value", "_gradient", "_both", "write", "__call__", "check"])
def test_a_loss_class_in_the_order_of_before_is_refused(name):
    arguments = "shape, targets" if name == "check" else "predictions, targets"
    method = eval(f"lambda self, {arguments}: None")
    with pytest.raises(
        TypeError, match=rf"Mine\.{name} takes \({arguments}\)\. The order is \(y_true, y_pred\)"
    ):
        type("Mine", (losses.MeanSquaredError,), {name: method})
    type("Mine", (losses.MeanSquaredError,), {name: lambda self, y_true, y_pred: None})


@pytest.mark.parametrize("function", [lambda y_true, y_pred: 0.0, np.mean, SQUARED().gradient], ids=repr)
def test_a_function_is_no_loss(function):
    model = Sequential([layers.Dense(1)], 1)
    with pytest.raises(TypeError, match=r"cannot be differentiated here: use a name .*losses\.Loss"):
        model.compile("sgd", function)
