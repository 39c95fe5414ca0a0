from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loss_cases import BINARY, CATEGORICAL, CONFIGURATIONS, SPARSE, SQUARED, example, naive, softmax

from tinynet import Sequential, layers, losses


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
         [[-0.5, 0.5, 0.5], [0.5, -1.5, 0.5]]),
        (SPARSE(label_smoothing=0.5), [[0.5, 0.5]], [1], math.log(2), [[0.5, -0.5]]),
        (SPARSE(from_logits=True), [[0, math.log(3)]], [0], math.log(4), [[-0.75, 0.75]]),
        (CATEGORICAL(), [[0.25, 0.75]], [[1, 0]], math.log(4), [[-3, 1]]),
        (CATEGORICAL(from_logits=True), [[0, math.log(3)]], [[0.5, 0.5]], math.log(4) - math.log(3) / 2,
         [[-0.25, 0.25]]),
        (BINARY(), [[0.5], [0.25]], [1, 0], (math.log(2) - math.log(0.75)) / 2, [[-1], [2 / 3]]),
        (BINARY(from_logits=True), [[0.0, math.log(3)]], [[1, 1]], (math.log(2) + math.log(4 / 3)) / 2,
         [[-0.25, -0.125]]),
        (BINARY(label_smoothing=0.5), [[0.5]], [[1]], math.log(2), [[-1]]),
        (SQUARED(), [[1.0, 2.0], [3.0, 4.0]], [[1, 2], [3, 2]], 1.0, [[0, 0], [0, 1]]),
        (losses.MeanAbsoluteError(), [[1.0, 2.0], [3.0, 4.0]], [[1, 2], [5, 2]], 1.0,
         [[0, 0], [-0.25, 0.25]]),
        (losses.MeanAbsolutePercentageError(), [[1.0, 3.0]], [[2, -1]], 225, [[-25, 50]]),
        (losses.MeanSquaredLogarithmicError(), [[math.e - 1, -1.0]], [[0, 0]], (1 - 1e-7) ** 2 / 2,
         [[(1 - 1e-7) / math.e, 0]]),
        (losses.Huber(2), [[1.0, 5.0]], [[0, 0]], (0.5 + 8) / 2, [[0.5, 1]]),
        (losses.LogCosh(), [[0.0, math.log(2)]], [[0, 0]], math.log(1.25) / 2, [[0, 0.3]]),
        (losses.Hinge(), [[0.5, 0.5, 2.0]], [[-1, 1, 1]], 2 / 3, [[1 / 3, -1 / 3, 0]]),
        (losses.Hinge(), [[0.5, 0.5, 2.0]], [[0, 1, 1]], 2 / 3, [[1 / 3, -1 / 3, 0]]),
        (losses.Hinge(), [[0.5, 0.5]], [[0, 2]], 0.5, [[0, 0]]),
        (losses.SquaredHinge(), [[0.5, 0.5]], [[0, 1]], 1.25, [[1.5, -0.5]]),
        (losses.CategoricalHinge(), [[0.25, 0.75, 0.5], [0, 0, 9]], [[0, 1, 0], [0, 0, 1]], 0.375,
         [[0, -0.5, 0.5], [0, 0, 0]]),
        (losses.KLDivergence(), [[0.5, 0.5]], [[0, 1]], math.log(2) + 1e-7 * math.log(2e-7), [[-2e-7, -2]]),
        (losses.Poisson(), [[1 - 1e-7, 2 - 1e-7]], [[5, 2]], (3 - 2e-7 - 2 * math.log(2)) / 2, [[-2, 0]]),
        (losses.CosineSimilarity(), [[3.0, 4.0]], [[0, 2]], -0.8, [[0.096, -0.072]]),
        (losses.CosineSimilarity(), [[0.0, 0.0]], [[0, 2]], 0, [[0, -1e7]]),
    ],
)  # fmt: skip
def test_worked_by_hand(loss, predictions, targets, value, gradient):
    assert loss(targets, predictions) == pytest.approx(value, rel=1e-15)
    np.testing.assert_allclose(loss.gradient(targets, predictions), gradient, rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_confident_wrong_probabilities_are_finite(dtype):
    epsilon = 1e-7
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
    for loss, targets in [
        (SPARSE(True), [1]),
        (CATEGORICAL(True), [[0, 1, 0]]),
        (SPARSE(True, label_smoothing=0.1), [1]),
    ]:
        assert loss(targets, logits) == pytest.approx(2 * size, rel=0.07)
        np.testing.assert_allclose(loss.gradient(targets, logits), [[1, -1, 0]], atol=0.07)
    assert SPARSE(from_logits=True)([0], logits) == 0
    assert BINARY(from_logits=True)([[0, 1, 1]], logits) == pytest.approx(2 * size / 3, rel=1e-3)
    gradient = BINARY(from_logits=True).gradient([[0, 1, 1]], logits)
    np.testing.assert_allclose(gradient, np.array([[1, -1, -0.5]]) / 3, rtol=1e-6)


@pytest.mark.parametrize(
    ("loss", "broken"),
    [(loss, np.nan) for loss in CONFIGURATIONS]
    + [(loss, np.inf) for loss in CONFIGURATIONS if getattr(loss, "from_logits", type(loss) is SQUARED)],
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
    assert isinstance(value, float)
    assert gradient.dtype == dtype
    assert not np.shares_memory(gradient, predictions)
    assert not np.shares_memory(gradient, targets)
    np.testing.assert_array_equal(predictions, copies[0])
    np.testing.assert_array_equal(targets, copies[1])


@pytest.mark.parametrize("loss", CONFIGURATIONS, ids=repr)
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
@given(seed=st.integers(0, 2**32 - 1), shift=st.floats(-1e3, 1e3), smoothing=st.floats(0, 0.9))
def test_shifted_logits_change_nothing_and_gradient_rows_sum_to_zero(kind, seed, shift, smoothing):
    loss = kind(from_logits=True, label_smoothing=smoothing)
    logits, targets = example(loss, (6, 5), seed)
    value, gradient = loss(targets, logits), loss.gradient(targets, logits)
    assert value >= 0
    assert loss(targets, logits + shift) == pytest.approx(value, rel=1e-9, abs=1e-9)
    np.testing.assert_allclose(loss.gradient(targets, logits + shift), gradient, atol=1e-11)
    np.testing.assert_allclose(gradient.sum(axis=-1), 0, atol=1e-15)


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


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64, np.uint64, np.float32])
def test_labels_of_any_type_and_with_a_last_axis(dtype):
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
        (SPARSE(), (3, 10), [0.0, 1.5, 2.0], ValueError, r"Label 1\.5 at index 1 is no whole number"),
        (SPARSE(), (3, 10), [0.0, np.nan, 2.0], ValueError, r"Label nan at index 1 is no whole number"),
        (losses.KLDivergence(), (3, 2), [0, 1, 0], ValueError, "rows of outputs"),
        (losses.CosineSimilarity(), (3,), [0, 1, 0], ValueError, "rows of outputs"),
        (losses.Hinge(), (2, 2), [0, 1], ValueError, r"targets of shape \(2, 2\), not \(2,\)"),
        (losses.Huber(), (1, 1), [np.nan], ValueError, "nan at index 0 is not a finite"),
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
        ("mae", losses.MeanAbsoluteError()),
        ("huber", losses.Huber(1.0)),
        ("KLD", losses.KLDivergence()),
    ],
)
def test_get_by_name_or_object(name, loss):
    assert losses.get(name) == loss
    assert losses.get(type(loss).__name__) == loss
    assert losses.get(loss) is loss
    assert losses.get(type(loss)) == loss


@pytest.mark.parametrize("loss", CONFIGURATIONS, ids=repr)
def test_get_by_configuration(loss):
    config = {"name": type(loss).__name__, **dataclasses.asdict(loss)}
    assert losses.get(config) == loss


def test_get_explains_what_it_knows():
    with pytest.raises(ValueError, match=r"Did you mean 'binary_crossentropy'\?.*mean_squared_error"):
        losses.get("binary_crossentropi")
    with pytest.raises(TypeError, match="name or an object"):
        losses.get(int)
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


@pytest.mark.parametrize("function", [lambda y_true, y_pred: 0.0, np.mean, SQUARED().gradient])
def test_a_function_is_no_loss(function):
    model = Sequential([layers.Dense(1)], 1)
    with pytest.raises(TypeError, match=r"cannot be differentiated here: use a name .*losses\.Loss"):
        model.compile("sgd", function)


def test_what_keras_has_and_is_not_here_is_refused():
    for kind in (SPARSE, SQUARED, losses.Huber, losses.CosineSimilarity):
        for reduction in ("sum", "none", None, "mean_with_sample_weight"):
            with pytest.raises(
                ValueError, match=rf"{kind.__name__}: reduction must be 'sum_over_batch_size'"
            ):
                kind(reduction=reduction)
        assert kind(reduction="mean") == kind(reduction="sum_over_batch_size") == kind()
    with pytest.raises(ValueError, match="ignore_class is not there"):
        SPARSE(ignore_class=-1)
    with pytest.raises(ValueError, match="axis must be -1"):
        losses.CosineSimilarity(0)
    with pytest.raises(ValueError, match="delta must be a positive number"):
        losses.Huber(0)
    with pytest.raises(TypeError, match=r"Mine defines call.*_value\(y_true, y_pred\)"):
        type("Mine", (losses.Loss,), {"call": lambda self, y_true, y_pred: 0})


def test_names_of_losses():
    assert losses.KLDivergence().name == "kl_divergence"
    assert losses.Huber().name == "huber_loss"
    assert SPARSE(name="mine").name == "mine"
    assert dataclasses.replace(SPARSE(name="mine"), from_logits=True).name == "mine"
    assert SPARSE().of_logits().name == "sparse_categorical_crossentropy"


@pytest.mark.parametrize("name", losses.FUNCTIONS)
def test_functions_give_what_each_row_costs(name):
    function, loss = getattr(losses, name), losses.get(name)
    assert losses.get(function) == loss
    assert function.__name__ == name
    y_pred, y_true = example(loss, (5, 2, 4), dtype=np.float32)
    rows = function(y_true, y_pred)
    assert rows.shape == (5, 2)
    assert rows.dtype == np.float32
    assert rows.mean() == pytest.approx(loss(y_true, y_pred), rel=1e-5)
    one = function(y_true[0, 0], y_pred[0, 0])
    assert np.shape(one) == ()
    assert one == rows[0, 0]


def test_functions_take_the_loss_s_arguments():
    y_pred, y_true = example(CATEGORICAL(True), (3, 4))
    rows = losses.categorical_crossentropy(y_true, y_pred, True, label_smoothing=0.1)
    assert rows.mean() == pytest.approx(CATEGORICAL(True, 0.1)(y_true, y_pred))
    labels = y_true.argmax(-1)
    with pytest.raises(TypeError, match="too many positional arguments"):  # Keras has ignore_class there
        losses.sparse_categorical_crossentropy(labels, y_pred, True, 0.1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'delta'"):
        losses.categorical_crossentropy(y_true, y_pred, delta=1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", [loss for loss in CONFIGURATIONS if loss.only_kernels], ids=repr)
@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), shape=st.sampled_from([(1, 2), (7, 3), (3, 17), (2, 3, 4)]))
def test_kernels_are_the_numpy_path(loss, dtype, seed, shape):
    y_pred, y_true = example(loss, shape, seed, dtype)
    weights = np.random.default_rng(seed).normal(size=shape[:-1]).astype(dtype)
    for given_weights in (None, weights):
        gradient, value = np.full(shape, np.nan, dtype), np.full(1, np.nan)
        loss.write(loss.prepare(y_true), y_pred, 0.25, gradient, value, given_weights)
        expected, slopes = loss.value_and_gradient(y_true, y_pred, given_weights)
        assert value[0] == pytest.approx(expected, rel=1e-11, abs=1e-12)
        rtol = 1e-6 if dtype == np.float32 else 1e-11
        np.testing.assert_allclose(gradient, slopes * 0.25, rtol=rtol, atol=1e-12)


@pytest.mark.parametrize("loss", [loss for loss in CONFIGURATIONS if loss.only_kernels], ids=repr)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_kernels_pass_on_what_is_no_number(loss, bad):
    y_pred, y_true = example(loss, (2, 3))
    y_pred[0, 1] = bad
    gradient, value = np.zeros((2, 3)), np.zeros(1)
    loss.write(loss.prepare(y_true), y_pred, 1.0, gradient, value)
    expected = np.nan if np.isnan(bad) else loss(y_true, y_pred)
    np.testing.assert_allclose(value[0], expected, rtol=1e-12)


@pytest.mark.parametrize("loss", ["mse", "mae", "mape", "huber", "hinge", "squared_hinge"])
def test_models_stay_recorded(loss):
    model = Sequential([layers.Dense(3)], 4)
    model.compile("sgd", loss)
    model.train_on_batch(np.ones((8, 4), np.float32), np.ones((8, 3), np.float32))
    (step,) = model.trainer.steps.sizes.values()
    assert step.outputs.made


@pytest.mark.parametrize(
    ("ends", "loss"),
    [("sigmoid", "binary_crossentropy"), ("softmax", "binary_crossentropy"),
     ("softmax", "categorical_crossentropy"), (None, CATEGORICAL(True)), (None, BINARY(True))],
    ids=str,
)  # fmt: skip
def test_crossentropies_train_recorded_and_by_the_gradient(ends, loss):
    def make():
        model = Sequential([layers.Dense(10, activation=ends)], 4, seed=2, dtype="float64")
        model.compile("sgd", loss)
        return model

    model, other = make(), make()
    x = np.random.default_rng(0).normal(size=(16, 4))
    y = np.eye(10)[np.arange(16) % 10]
    for _ in range(3):
        model.train_on_batch(x, y)
        flow, _, whole = other.trainer.split()
        _, dy = whole.value_and_gradient(y, flow.forward([x], training=True)[0])
        flow.backward([dy])
        for parameter in other.parameters:
            parameter.value -= 0.01 * parameter.grad
    (step,) = model.trainer.steps.sizes.values()
    assert step.outputs.made
    for ours, theirs in zip(model.parameters, other.parameters, strict=True):
        np.testing.assert_allclose(ours.value, theirs.value, rtol=1e-10)


def test_shards_take_hinge_labels_as_the_whole_batch_does():
    """A shard of nothing but 0 and 1, of a batch that has other targets."""
    model = Sequential([layers.Dense(1, kernel_initializer="zeros")], 1, dtype="float64")
    model.compile("sgd", "hinge")
    y = np.array([0.0, 1, 0, 1, 0, 1, 0, 2])[:, None]
    assert model.train_on_batch(np.ones((8, 1)), y) == 1.0
    assert model.parameters[1].value[0] == pytest.approx(0.01 * y.mean())


@pytest.mark.parametrize("loss", ["mse", "hinge", "binary_crossentropy", "categorical_crossentropy", "kld"])
def test_training_does_not_depend_on_the_number_of_threads(set_threads, loss):
    ends = {"mse": None, "hinge": None, "binary_crossentropy": "sigmoid"}.get(loss, "softmax")
    random = np.random.default_rng(0)
    x, y = random.normal(size=(50, 7)).astype(np.float32), np.eye(5)[random.integers(0, 5, 50)]
    weights = random.uniform(size=50).astype(np.float32)
    trained = []
    for threads in (1, 2, 3):
        set_threads(threads)
        model = Sequential([layers.Dense(9, activation="relu"), layers.Dense(5, activation=ends)], 7, seed=1)
        model.compile("sgd", loss)
        for number in range(4):
            model.train_on_batch(x, y, weights if number % 2 else None)
        trained.append(model.flat.value.copy())
    np.testing.assert_array_equal(trained[0], trained[1])
    np.testing.assert_array_equal(trained[0], trained[2])


class Fourth(losses.Loss):
    """A loss of one's own: the least that it has to say."""

    def _value(self, y_true, y_pred):
        return float(np.mean((y_pred - y_true) ** 4))

    def _gradient(self, y_true, y_pred):
        return 4 * (y_pred - y_true) ** 3 / y_pred.size


def test_a_loss_of_one_s_own_says_its_value_and_its_gradient():
    loss = Fourth()
    assert loss.name == "fourth"
    assert loss([[1.0], [0.0]], [[2.0], [2.0]], [2.0, 1.0]) == 9.0
    np.testing.assert_array_equal(loss.gradient([[1.0], [0.0]], [[2.0], [2.0]], [2.0, 1.0]), [[4.0], [16.0]])
    with pytest.raises(ValueError, match="targets of shape"):
        loss([1.0, 2.0], [[1.0, 2.0], [3.0, 4.0]])
    model = Sequential([layers.Dense(2)], 3, seed=0)
    model.compile("sgd", loss)
    x, y = np.ones((4, 3), np.float32), np.zeros((4, 2))
    assert model.train_on_batch(x, y) > model.train_on_batch(x, y)
